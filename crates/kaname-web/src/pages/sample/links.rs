//! Samples of the pages about linked records.

use super::{BirthDate, Lang, days, officer, resident, setting, visitor};
use crate::pages::Field;
use crate::pages::link::*;
use crate::pages::office::{Choice, RejectView};

fn record(lang: Lang) -> RecordView {
    let set = setting(lang);
    RecordView {
        names: [Some(set.name), set.reading, Some(set.latin)]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
        born: BirthDate::parse("1980-04-21").expect("a date"),
        sex: String::new(),
        address: set.address.iter().map(|line| (*line).to_owned()).collect(),
    }
}

impl MyLinksPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyLinksPage {
        let link = |state, by_machine: bool, readers: &[&str]| LinkView {
            id: "lnk_00000000000000000000000000000001".to_owned(),
            record: setting(lang).clinic.to_owned(),
            agency: setting(lang).authority.to_owned(),
            law: setting(lang).authority.to_owned(),
            state,
            reference_end: "7731".to_owned(),
            by_machine,
            agrees: ["name", "birth_date", "address"].map(str::to_owned).to_vec(),
            since: (state != "proposed").then(|| days(-30)),
            may_confirm: state == "proposed",
            may_report: matches!(state, "proposed" | "active"),
            readers: readers.iter().map(|reader| (*reader).to_owned()).collect(),
            was_anothers: state == "active",
            found_right: (state == "active").then(|| days(-3)),
        };
        MyLinksPage {
            shell: resident(lang, "/my/links"),
            links: vec![
                link("proposed", false, &[]),
                link("active", true, &[]),
                link("severed", true, &["city-library"]),
            ],
        }
    }
}

fn finding(lang: Lang, kind: &'static str) -> FindingLine {
    let shell = officer(lang, "/office/links");
    let about = if kind == "impossible-relation" { "parent-younger" } else { "" };
    FindingLine {
        id: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
        kind,
        about: if about.is_empty() { String::new() } else { shell.word("found", about) },
        people: 2,
        found_at: days(0),
    }
}

impl FindingPage {
    /// With invented content; `is_merge`: two entries that may be one person.
    pub fn sample(lang: Lang, is_merge: bool) -> FindingPage {
        let shell = officer(lang, "/office/findings/open");
        let concerned = |handle: &str| ConcernedView {
            handle: handle.to_owned(),
            record: record(lang),
            registered_at: days(-900),
            standing: "here",
            relations: if is_merge { Vec::new() } else { vec![shell.word("relation", "parent")] },
        };
        FindingPage {
            finding: finding(lang, if is_merge { "same-person-twice" } else { "impossible-relation" }),
            people: vec![concerned("a1"), concerned("b2")],
            percent: is_merge.then(|| "99.96".to_owned()),
            agrees: ["name", "birth_date"].map(str::to_owned).to_vec(),
            suspends: !is_merge,
            merge: is_merge.then(|| "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned()),
            shell,
        }
    }
}

impl LinkedPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkedPage {
        let record = setting(lang).clinic.to_owned();
        LinkedPage {
            shell: officer(lang, "/office/links"),
            cases: vec![CaseLine {
                id: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
                record: record.clone(),
                doubt: "several-plausible",
                candidates: 2,
                since: days(-1),
                proposed: true,
            }],
            reports: vec![ReportLine {
                handle: Some("q8Zt3mJx0c1sV7dKp4Yw2A".to_owned()),
                record,
                reported_at: days(-2),
                due: days(1),
                is_over: true,
                role: Some(setting(lang).officer.to_owned()),
            }],
            findings: vec![finding(lang, "impossible-relation"), finding(lang, "evidence-changed")],
            notices: [false, true]
                .map(|sent| NoticeLine {
                    id: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
                    reader: "city-library".to_owned(),
                    record: setting(lang).clinic.to_owned(),
                    undone: days(-1),
                    sent,
                })
                .to_vec(),
            may_watch_introducers: true,
            may_hand_in: true,
            may_tell: true,
        }
    }
}

impl LinkCasePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkCasePage {
        let candidate = |handle: &str, proposed| FittingView {
            handle: handle.to_owned(),
            record: record(lang),
            percent: "99.96".to_owned(),
            agrees: ["name", "birth_date"].map(str::to_owned).to_vec(),
            has_number: proposed,
            proposed,
        };
        LinkCasePage {
            shell: officer(lang, "/office/links/case"),
            id: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
            record: setting(lang).clinic.to_owned(),
            reference: "H-20017731".to_owned(),
            doubt: "several-plausible",
            says: record(lang),
            candidates: vec![candidate("a1", true), candidate("b2", false)],
            nobody_proposed: false,
            reason: Some("H-20017731".to_owned()),
            may_decide: true,
        }
    }
}

impl LinkReportPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkReportPage {
        LinkReportPage {
            shell: officer(lang, "/office/links/report"),
            handle: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
            record: setting(lang).clinic.to_owned(),
            reference: "H-20017731".to_owned(),
            says: record(lang),
            resident: record(lang),
            percent: "99.96".to_owned(),
            agrees: ["name", "birth_date"].map(str::to_owned).to_vec(),
            by_holder: true,
            reported_at: days(-2),
            found_right: Some("H-20017731".to_owned()),
            two: true,
            may_settle: true,
        }
    }
}

impl LinkStatisticsPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkStatisticsPage {
        let shell = visitor(lang, "/statistics/links");
        let line = |month: &str, linked: u64| FiguresLine {
            month: month.to_owned(),
            linked: shell.count(linked),
            reported: shell.t("statistics.few"),
            wrong: shell.t("statistics.withheld"),
        };
        let months = vec![line("2026-10", 48_112), line("2026-11", 1_204)];
        let source = SourceLines { name: setting(lang).clinic.to_owned(), total: line("", 49_316), months };
        LinkStatisticsPage { sources: vec![source], shell }
    }
}

impl LinkLetterPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkLetterPage {
        let set = setting(lang);
        LinkLetterPage {
            shell: visitor(lang, ""),
            name: set.name.to_owned(),
            address: set.address.iter().map(|line| (*line).to_owned()).collect(),
            sender: vec![set.authority.to_owned()],
            at: days(0),
            links: MyLinksPage::sample(lang).links,
        }
    }
}

impl CounterLinksPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> CounterLinksPage {
        let links = MyLinksPage::sample(lang).links;
        let base = "/office/counter/ctr_0".to_owned();
        CounterLinksPage { shell: officer(lang, "/office/counter/ctr_0/links"), links, base }
    }
}

impl LinkListsPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkListsPage {
        let shell = officer(lang, "/office/links/lists");
        let line = |by_agency: Option<&str>, done| ListLine {
            record: setting(lang).clinic.to_owned(),
            at: days(-1),
            by_agency: by_agency.map(str::to_owned),
            done,
            rows: 1_204,
            linked: 1_180,
            review: 20,
            refused: 4,
            rejected: 2,
        };
        let reject = RejectView {
            line: 17,
            column: "birth_date".to_owned(),
            reason: shell.word("reject", "no-such-day"),
        };
        let choice = Choice {
            code: "health-insurer".to_owned(),
            label: setting(lang).clinic.to_owned(),
            hint: setting(lang).authority.to_owned(),
        };
        LinkListsPage {
            sources: vec![choice],
            source: Field::of("health-insurer"),
            file: Field::default().wrong(shell.t("wrong.columns")),
            most: 5_000,
            rejects: vec![reject],
            lists: vec![line(None, false), line(Some("health-fund"), true)],
            shell,
        }
    }
}

impl LinkUndonePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkUndonePage {
        let set = setting(lang);
        LinkUndonePage {
            shell: visitor(lang, ""),
            name: set.name.to_owned(),
            address: set.address.iter().map(|line| (*line).to_owned()).collect(),
            sender: vec![set.authority.to_owned()],
            at: days(0),
            link: MyLinksPage::sample(lang).links.remove(2),
        }
    }
}

impl LinkNoticePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LinkNoticePage {
        LinkNoticePage {
            shell: visitor(lang, ""),
            reader: "city-library".to_owned(),
            sender: vec![setting(lang).authority.to_owned()],
            at: days(0),
            record: setting(lang).clinic.to_owned(),
            reference: "H-20017731".to_owned(),
            first: days(-30),
            last: days(-2),
            undone: days(-1),
            issued: vec!["card C-1".to_owned()],
        }
    }
}
