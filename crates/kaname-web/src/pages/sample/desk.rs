//! Samples of what is done at the counter and decided about the register.

use super::super::desk::{
    DayView, OfficeAsOfPage, OfficeDecisionPage, OfficeFormPage, OfficeIntroducerPage, OfficeListPage,
    OfficePhotoPage, Part,
};
use super::super::entry::{ButtonView, EntryView};
use super::super::office::InputView;
use super::super::portal::MyHistoryPage;
use super::super::{Field, Lang, Shell};
use super::{at_counter, choice, days, officer, person, resident, setting};

const BASE: &str = "/office/counter/ctr_1";

fn event(lang: Lang, shell: &Shell, kind: &str) -> EntryView {
    let set = setting(lang);
    let mut entry = EntryView {
        head: shell.word("event", kind),
        tag: Some(("info", shell.t1("access.n", "n", 2))),
        rows: vec![(
            shell.t("attribute.address"),
            set.address.iter().map(|line| (*line).to_owned()).collect(),
        )],
        ..EntryView::default()
    };
    entry.say(shell.t("history.source"), set.purpose);
    entry.say(shell.t("history.by"), set.officer);
    entry.say(shell.t("history.recorded"), shell.moment(&super::now()));
    entry
}

impl OfficeFormPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeFormPage {
        let shell = at_counter(lang, "/office/counter/ctr_1/event?kind=death");
        let line = |id, key: &str, hint: &str| {
            let (label, hint) = (shell.t(key), shell.t(hint));
            Part::Line(InputView { id, label, hint, field: Field::default() })
        };
        let boxes = ["see-data", "see-log"]
            .map(|code| (format!("scope-{code}"), shell.word("scope", code), code == "see-log"));
        OfficeFormPage {
            title: shell.word("event", "death"),
            lead: shell.t("record.lead"),
            back: format!("{BASE}/event"),
            action: format!("{BASE}/event"),
            hidden: vec![("request", "req-58".to_owned())],
            parts: vec![
                Part::Choose {
                    id: "relation",
                    legend: shell.t("record.relation"),
                    hint: String::new(),
                    field: Field::of("child"),
                    choices: ["parent", "child"]
                        .map(|code| choice(code, &shell.word("relation", code), ""))
                        .to_vec(),
                },
                Part::Day(DayView {
                    ids: ["on_year", "on_month", "on_day"],
                    legend: shell.t("record.on"),
                    hint: shell.t("record.on_hint"),
                    fields: [Field::of("2026"), Field::of("11"), Field::of("22")],
                }),
                Part::Boxes {
                    id: "scope",
                    legend: shell.t("mandate.scope"),
                    field: Field::default(),
                    boxes: boxes.to_vec(),
                },
                line("why", "desk.why", "desk.why_hint"),
                line("evidence", "desk.evidence", "desk.evidence_hint"),
            ],
            note: shell.t("record.death"),
            button: shell.t("record.do"),
            shell,
        }
    }

    /// As it comes back.
    pub fn sample_with_errors(lang: Lang) -> OfficeFormPage {
        let mut page = OfficeFormPage::sample(lang);
        let shell = page.shell.clone();
        page.wrong("relation", shell.t("wrong.choice"));
        page.wrong("on_year", shell.t("wrong.date"));
        page.wrong("scope", shell.t("wrong.scope"));
        page.wrong("evidence", shell.t("wrong.required"));
        page
    }
}

impl OfficeListPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeListPage {
        let shell = at_counter(lang, "/office/counter/ctr_1/history");
        let mut first = event(lang, &shell, "move");
        first.doors.push((format!("{BASE}/event?kind=annulment"), shell.t("history.strike")));
        let mut second = event(lang, &shell, "registration");
        second.tag = Some(("wait", shell.t1("history.struck", "n", 3)));
        second.buttons.push(ButtonView {
            action: format!("{BASE}/mandates/end"),
            hidden: vec![("mandate", "man_1".to_owned())],
            label: shell.t("mandate.end"),
            main: false,
        });
        OfficeListPage {
            title: shell.t("history.title"),
            lead: shell.t("history.lead"),
            back: BASE.to_owned(),
            none: String::new(),
            entries: vec![first, second],
            doors: vec![(format!("{BASE}/as-of"), shell.t("as_of.title"), shell.t("as_of.text"))],
            shell,
        }
    }

    /// Nothing is there yet.
    pub fn sample_empty(lang: Lang) -> OfficeListPage {
        let page = OfficeListPage::sample(lang);
        let none = page.shell.t("relations.none");
        OfficeListPage { none, entries: Vec::new(), doors: Vec::new(), ..page }
    }
}

impl OfficeAsOfPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeAsOfPage {
        let shell = at_counter(lang, "/office/counter/ctr_1/as-of");
        let day = shell.day(&super::now());
        OfficeAsOfPage {
            back: format!("{BASE}/history"),
            said: shell.t2("as_of.said_known", "day", &day, "known", &day),
            standing: shell.word("standing", "away"),
            person: Some(person(lang)),
            shell,
        }
    }
}

impl OfficeDecisionPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeDecisionPage {
        let shell = officer(lang, "/office/decisions/pro_1");
        let entry = EntryView { head: shell.word("act", "merge"), ..event(lang, &shell, "merge") };
        let action = "/office/decisions/pro_1".to_owned();
        OfficeDecisionPage { action, entry, may_decide: true, elsewhere: None, shell }
    }

    /// Of what the reader proposed.
    pub fn sample_own(lang: Lang) -> OfficeDecisionPage {
        OfficeDecisionPage { may_decide: false, ..OfficeDecisionPage::sample(lang) }
    }

    /// Of what is approved elsewhere.
    pub fn sample_elsewhere(lang: Lang) -> OfficeDecisionPage {
        let page = OfficeDecisionPage::sample(lang);
        let elsewhere = Some(page.shell.t1("decisions.command", "id", "prp_1"));
        OfficeDecisionPage { elsewhere, ..page }
    }
}

impl MyHistoryPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyHistoryPage {
        let shell = resident(lang, "/my/history");
        MyHistoryPage {
            entries: vec![event(lang, &shell, "move"), event(lang, &shell, "registration")],
            shell,
        }
    }
}

impl OfficeIntroducerPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeIntroducerPage {
        let set = setting(lang);
        let shell = officer(lang, "/office/introducers/open");
        let mut introducer = EntryView {
            head: set.name.to_owned(),
            tag: Some(("good", shell.t("introducers.may"))),
            ..EntryView::default()
        };
        introducer.say(shell.t("introducers.brought"), shell.count(1_u64));
        let mut brought = EntryView { head: set.name.to_owned(), ..EntryView::default() };
        brought.say(shell.t("history.recorded"), shell.moment(&days(-3)));
        OfficeIntroducerPage {
            handle: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
            introducer,
            suspended: false,
            may_suspend: true,
            brought: vec![brought],
            shell,
        }
    }
}

impl OfficePhotoPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficePhotoPage {
        let shell = at_counter(lang, "/office/counter/ctr_1/photo");
        let wrong = shell.t1("photo.wrong", "n", 256);
        OfficePhotoPage {
            base: BASE.to_owned(),
            request: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
            has_one: true,
            file: Field::default().wrong(wrong),
            why: Field::default(),
            evidence: Field::default(),
            most_kib: 256,
            shell,
        }
    }
}
