//! What happened to a person, as the register has it: since when each thing holds, and where it comes from.

use jiff::civil::Date;
use kaname_base::time::BirthDate;
use kaname_person::event::rules::Until;
use kaname_person::event::{Change, HistoryLine, as_of, history};
use kaname_person::import::IMPORT_LINE;
use kaname_person::introduce::{Introducer, Word};
use kaname_person::show::Asking;
use kaname_person::{Address, Field, PersonError, Refusal, policy};
use kaname_trust::{Actor, ActorKind, PersonId};

use super::subject::Subject;
use crate::http::answer::{Answer, page};
use crate::http::guard::Resident;
use crate::http::{App, Call, Problem};
use crate::pages::entry::EntryView;
use crate::pages::portal::MyHistoryPage;
use crate::pages::{Shell, format};

/// `GET /my/history`
pub(crate) fn list(app: &App, call: &Call, resident: &Resident) -> Answer {
    history_of(app, call, resident, &Subject::own(resident))
}

/// What happened to this person.
pub(super) fn history_of(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let lines = lines(app, call, subject.person, &subject.asking)?;
    let shell = subject.shell(app, call, resident);
    let entries = lines.iter().rev().map(|line| {
        let mut entry = entry(app, &shell, line);
        if let Some(other) = other_of(&line.event.change) {
            entry.say(
                shell.t("history.other"),
                name_then(app, call, other, line.event.day())?.unwrap_or_default(),
            );
        }
        say_introducer(app, call, &shell, line, &mut entry)?;
        Ok::<_, Problem>(entry)
    });
    page(&MyHistoryPage { entries: entries.collect::<Result<_, _>>()?, shell })
}

/// With whom something happened to her.
fn other_of(change: &Change) -> Option<PersonId> {
    match change {
        Change::Marriage { with: other, .. }
        | Change::Divorce { from: other, .. }
        | Change::RelationBegins { to: other, .. }
        | Change::RelationEnds { to: other, .. }
        | Change::Bereavement { of: other } => Some(*other),
        _ => None,
    }
}

/// Who vouched for her, where it was a resident: she stood beside her, and has a line in her log for being named.
pub(crate) fn say_introducer(
    app: &App,
    call: &Call,
    shell: &Shell,
    line: &HistoryLine,
    entry: &mut EntryView,
) -> Result<(), Problem> {
    let word = Word::read(&app.keys, &line.event.evidence);
    if let Some(Word { introducer: Introducer::Resident(person), .. }) = word {
        let name = name_then(app, call, person, line.event.day())?;
        entry.say(shell.t("decisions.introducer"), name.unwrap_or_default());
    }
    Ok(())
}

/// The name that another resident had on the day on which something happened with her, or the first that the register knows of her:
/// what she is called since is hers to tell. Each look stands in her log.
pub(crate) fn name_then(
    app: &App,
    call: &Call,
    other: PersonId,
    on: Date,
) -> Result<Option<String>, Problem> {
    let actor = Actor::program("relations", policy::PROGRAM);
    let ask = Asking { person: other, actor, purpose: "registration".to_owned() };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(other, move |tx| {
        let mut name_on = |day| {
            let until = Until { day: Some(day), known: None };
            let found = as_of(tx, &keys, &pack, &env.again(), &ask, until, &["name"])?;
            Ok(Some(found.resident.display_name(&pack)))
        };
        let named = match name_on(on) {
            Err(PersonError::Refused(Refusal::NotKnownThen { since })) => name_on(since),
            named => named,
        };
        match named {
            Err(PersonError::Refused(Refusal::NoSuchResident | Refusal::NotKnownThen { .. })) => Ok(None),
            named => Ok(named?),
        }
    })
}

/// A field's text as its reader knows it: a day, and the names of codes.
pub(crate) fn shown(app: &App, shell: &Shell, field: Field, text: &str) -> String {
    let tag = shell.lang.code();
    match field {
        Field::BirthDate => BirthDate::parse(text).map_or(text.to_owned(), |born| shell.born(&born)),
        Field::StayFrom | Field::StayUntil | Field::AddressSince => {
            text.parse().map_or(text.to_owned(), |on| day(shell, on))
        }
        Field::Sex => {
            let known = app.pack.person.sexes.iter().find(|sex| sex.code == text);
            known.map_or(text, |sex| sex.label.get(tag)).to_owned()
        }
        Field::Status => app.pack.status(text).map_or(text, |status| status.label.get(tag)).to_owned(),
        _ => text.to_owned(),
    }
}

/// The events of a person, oldest first.
pub(crate) fn lines(
    app: &App,
    call: &Call,
    person: PersonId,
    asking: &Asking,
) -> Result<Vec<HistoryLine>, Problem> {
    let (keys, pack, env, ask) = (app.keys.clone(), app.pack.clone(), call.env.clone(), asking.clone());
    Ok(app.write_of(person, move |tx| history(tx, &keys, &pack, &env.again(), &ask))?)
}

/// An event in the words of its reader.
pub(crate) fn entry(app: &App, shell: &Shell, line: &HistoryLine) -> EntryView {
    let event = &line.event;
    let tag = match line.annulled_by {
        Some(n) => ("wait", shell.t1("history.struck", "n", n)),
        None => ("info", shell.t1("access.n", "n", line.n)),
    };
    let mut entry = EntryView {
        head: shell.word("event", event.kind().code()),
        tag: Some(tag),
        rows: vec![(shell.t("history.since"), vec![day(shell, event.day())])],
        ..EntryView::default()
    };
    details(app, shell, &event.change, &mut entry);
    // What an officer chose or the program wrote is a code; what somebody typed stands as it was typed.
    let why = app.pack.purpose(&event.why);
    let why = why.map_or_else(
        || shell.word("why", &event.why),
        |purpose| purpose.text.get(shell.lang.code()).to_owned(),
    );
    let evidence = match (event.evidence.strip_prefix(IMPORT_LINE), Word::read(&app.keys, &event.evidence)) {
        (Some(line), _) => vec![shell.t1("history.import_line", "n", line)],
        (None, Some(word)) => vec![shell.word("evidence", "introduced"), word.how],
        (None, None) => vec![shell.word("evidence", &event.evidence)],
    };
    entry.rows.push((shell.t("history.source"), evidence));
    entry.say(shell.t("access.purpose"), why);
    entry.say(shell.t("history.by"), who(app, shell, &event.by));
    entry.say(shell.t("history.recorded"), shell.moment(&event.at));
    if event.other_side {
        entry.say(shell.t("history.with"), shell.t("history.other_side"));
    }
    entry
}

/// What is new by the event.
fn details(app: &App, shell: &Shell, change: &Change, entry: &mut EntryView) {
    let home = |address: &Address| address.lines(&app.pack);
    match change {
        Change::Move { address } | Change::Return { address: Some(address) } => {
            entry.rows.push((shell.t("attribute.address"), home(address)));
        }
        Change::ChangeOfName { names }
        | Change::Marriage { names: Some(names), .. }
        | Change::Divorce { names: Some(names), .. } => {
            let forms = [Some(&names.name), names.reading.as_ref(), names.latin.as_ref()];
            let forms = forms.into_iter().flatten().map(|name| name.full(&app.pack)).collect();
            entry.rows.push((shell.t("attribute.name"), forms));
        }
        Change::ChangeOfStatus { status, .. } => {
            let known =
                app.pack.status(status).map_or(status.as_str(), |known| known.label.get(shell.lang.code()));
            entry.say(shell.t("attribute.status"), known);
        }
        Change::ChangeOfContact { phone, email } => {
            let lines = [phone.clone(), email.clone()].into_iter().flatten().collect::<Vec<_>>();
            entry.rows.push((
                shell.t("history.contact"),
                if lines.is_empty() { vec![shell.t("data.none")] } else { lines },
            ));
        }
        Change::RelationBegins { relation, .. } | Change::RelationEnds { relation, .. } => {
            entry.say(shell.t("history.relation"), shell.word("relation", relation.code()));
        }
        Change::Emigration { to } => entry.say(shell.t("history.place"), to.as_str()),
        Change::Arrival { from } => entry.say(shell.t("history.place"), from.as_str()),
        Change::Correction { set } => {
            let lines = set.iter().map(|one| {
                format!("{}: {}", shell.t(label_of(one.field)), shown(app, shell, one.field, &one.text))
            });
            entry.rows.push((shell.t("history.right"), lines.collect()));
        }
        Change::Annulment { of } => entry.say(shell.t("history.strikes"), shell.t1("access.n", "n", of)),
        _ => {}
    }
}

/// Who recorded something, for a reader.
pub(crate) fn who(app: &App, shell: &Shell, by: &Actor) -> String {
    let tag = shell.lang.code();
    if let Some(mandate) = &by.mandate {
        let kind = app.pack.mandate(&mandate.kind).map_or(mandate.kind.as_str(), |kind| kind.name.get(tag));
        return kind.to_owned();
    }
    let role = app.pack.role(&by.role).map_or(by.role.as_str(), |role| role.name.get(tag));
    match by.kind {
        ActorKind::Resident => shell.t("history.herself"),
        ActorKind::Officer => format!("{role} ({})", by.id),
        ActorKind::Party => by.id.clone(),
        ActorKind::Program => shell.t("history.program"),
    }
}

/// The key of a field's name.
pub(crate) fn label_of(field: Field) -> &'static str {
    match field {
        Field::FamilyName | Field::FormerFamilyName => "field.family_name",
        Field::GivenName | Field::FormerGivenName => "field.given_name",
        Field::FamilyReading => "field.family_reading",
        Field::GivenReading => "field.given_reading",
        Field::FamilyLatin => "field.family_latin",
        Field::GivenLatin => "field.given_latin",
        Field::BirthDate => "attribute.birth_date",
        Field::Sex => "attribute.sex",
        Field::Status | Field::StayFrom | Field::StayUntil => "attribute.status",
        Field::BirthPlace => "compared.birthplace",
        Field::Postcode => "register.postal_code",
        Field::Region => "address.region",
        Field::City => "field.city",
        Field::Address | Field::AddressSince => "field.address",
        Field::CareOf => "field.care_of",
        Field::Phone => "attribute.phone",
        Field::Email => "attribute.email",
        Field::Reference => "compared.id",
    }
}

/// A day in the reader's language.
pub(crate) fn day(shell: &Shell, day: Date) -> String {
    format::date(shell.lang, day.year(), day.month(), day.day())
}
