//! A resident's own record: her data, her number, who looked. Each page is a reading of its own, with its line in her log.

use axum::http::{HeaderValue, StatusCode, header};
use kaname_base::pack::Pack;
use kaname_person::delegate::{self, Given};
use kaname_person::event::photo::open_photo;
use kaname_person::link::recall::unseen;
use kaname_person::show::{self, Asking};
use kaname_person::{Field, PersonError, Resident as Record};
use kaname_signin::session;
use kaname_trust::ActorKind;
use kaname_trust::access::Entry;

use super::history::{day, name_then, shown};
use super::links::desk;
use super::subject::Subject;
use crate::export;
use crate::http::answer::{Answer, of, page, with};
use crate::http::guard::Resident;
use crate::http::{App, Call, Problem};
use crate::pages::Shell;
use crate::pages::portal::{
    AccessEntryView, HomePage, MyAccessPage, MyDataPage, MyNumberPage, MyPhotoPage, PersonView,
};

/// The fields of a record that the data page shows.
pub(crate) const FIELDS: &[&str] =
    &["name", "name_reading", "name_latin", "birth_date", "sex", "status", "address", "phone", "email"];

/// Lines of the log on one page.
const LINES: usize = 25;

/// More pages than a person turns.
const MOST_PAGES: usize = 400;

/// `GET /home`
pub(crate) fn home(app: &App, call: &Call, resident: &Resident) -> Answer {
    let record = open(app, call, &Subject::own(resident), &["name"])?;
    let sign_ins = session::list(&app.signin, &call.env, &resident.session)?.len() as u64;
    let links_to_see = unseen(&desk(app), resident.person)?;
    let name = record.display_name(&app.pack);
    page(&HomePage { name, sign_ins, links_to_see, shell: resident.shell(app, call) })
}

/// `GET /my/data`
pub(crate) fn data(app: &App, call: &Call, resident: &Resident) -> Answer {
    data_of(app, call, resident, &Subject::own(resident))
}

/// The data of this person.
pub(super) fn data_of(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let fields = [FIELDS, &["relations"]].concat();
    let record = open(app, call, subject, &fields)?;
    let shell = subject.shell(app, call, resident);
    let more = more(app, call, &shell, &record)?;
    page(&MyDataPage { person: person_view(&app.pack, shell.lang.code(), &record), more, shell })
}

/// `GET /my/photo`
pub(crate) fn photo(app: &App, call: &Call, resident: &Resident) -> Answer {
    let has_one = open(app, call, &Subject::own(resident), &["photo"])?.life.photo.is_some();
    page(&MyPhotoPage { shell: resident.shell(app, call), has_one })
}

/// `GET /my/photo/picture`
pub(crate) fn picture(app: &App, call: &Call, resident: &Resident) -> Answer {
    picture_of(app, call, Asking::herself(resident.person))
}

/// The picture that counts, as it was kept.
pub(crate) fn picture_of(app: &App, call: &Call, ask: Asking) -> Answer {
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let found = app.write_of(ask.person, move |tx| open_photo(tx, &keys, &pack, &env.again(), &ask))?;
    let photo = found.ok_or_else(Problem::not_found)?;
    Ok(of(StatusCode::OK, photo.media_type(), photo.file()))
}

/// What a record holds beside what an office looks at first, and what it held before.
fn more(
    app: &App,
    call: &Call,
    shell: &Shell,
    record: &Record,
) -> Result<Vec<(String, Vec<String>)>, Problem> {
    let (of, life) = (&record.particulars, &record.life);
    let ended = |what: String, until| shell.t2("data.until", "what", what, "day", day(shell, until));
    let mut more = vec![
        (shell.t("attribute.sex"), vec![shown(app, shell, Field::Sex, &of.sex)]),
        (shell.t("attribute.email"), vec![of.email.clone().unwrap_or_else(|| shell.t("data.none"))]),
    ];
    if !of.birth_place.is_empty() {
        more.push((shell.t("compared.birthplace"), vec![of.birth_place.clone()]));
    }
    let names = life.former_names.iter().map(|one| ended(one.names.name.full(&app.pack), one.until));
    let homes =
        life.former_addresses.iter().map(|one| ended(one.address.lines(&app.pack).join(" "), one.until));
    for (term, lines) in [("data.former_names", names.collect()), ("data.former_addresses", homes.collect())]
    {
        let lines: Vec<String> = lines;
        if !lines.is_empty() {
            more.push((shell.t(term), lines));
        }
    }
    for relation in &life.relations {
        let since = day(shell, relation.from);
        let time = match relation.until {
            Some(until) => shell.t2("data.period", "from", since, "to", day(shell, until)),
            None => shell.t1("data.since", "day", since),
        };
        let name = name_then(app, call, relation.to, relation.from)?;
        more.push((shell.word("relation", relation.kind.code()), name.into_iter().chain([time]).collect()));
    }
    Ok(more)
}

/// `GET /my/number`: hidden until she asks.
pub(crate) fn number(app: &App, call: &Call, resident: &Resident) -> Answer {
    number_of(app, call, resident, &Subject::own(resident))
}

/// The number of this person, hidden.
pub(super) fn number_of(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    page(&MyNumberPage { shell: subject.shell(app, call, resident), number: None })
}

/// `POST /my/number`
pub(crate) fn reveal(app: &App, call: &Call, resident: &Resident) -> Answer {
    reveal_of(app, call, resident, &Subject::own(resident))
}

/// The number of this person.
pub(super) fn reveal_of(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let (keys, pack, env, ask) =
        (app.keys.clone(), app.pack.clone(), call.env.clone(), subject.asking.clone());
    let number =
        app.write_of(subject.person, move |tx| show::reveal_number(tx, &keys, &pack, &env.again(), &ask))?;
    let shell = subject.shell(app, call, resident);
    page(&MyNumberPage { shell, number: Some(app.pack.number.show(&number)) })
}

/// `GET /my/access`
pub(crate) fn access(app: &App, call: &Call, resident: &Resident) -> Answer {
    access_of(app, call, resident, &Subject::own(resident))
}

/// Who looked at what is this person's.
pub(super) fn access_of(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let number = call
        .query
        .get("page")
        .map_or(Ok(1), |text| text.parse::<usize>().map_err(|_| Problem::not_found()))?;
    if number == 0 || number > MOST_PAGES {
        return Err(Problem::not_found());
    }
    let (keys, pack, env, ask) =
        (app.keys.clone(), app.pack.clone(), call.env.clone(), subject.asking.clone());
    let most = number * LINES + 1;
    let (entries, mandates) = app.write_of(subject.person, move |tx| {
        delegate::access_log(tx, &keys, &pack, &env.again(), &ask, most)
    })?;
    let shell = subject.shell(app, call, resident);
    let total = entries.first().map_or(0, |newest| newest.n.unsigned_abs());
    let from = (number - 1) * LINES;
    let shown = entries.iter().skip(from).take(LINES);
    page(&MyAccessPage {
        total,
        entries: shown.map(|entry| entry_view(app, &shell, &mandates, entry)).collect(),
        newer: (number > 1).then(|| format!("{}/access?page={}", subject.base, number - 1)),
        older: (entries.len() > from + LINES).then(|| format!("{}/access?page={}", subject.base, number + 1)),
        shell,
    })
}

/// `POST /my/export`: everything that is held on her, to keep.
pub(crate) fn export(app: &App, call: &Call, resident: &Resident) -> Answer {
    let ask = Asking::herself(resident.person);
    let document = export::document(&app.store, &app.keys, &app.pack, &app.signin, &call.env, &ask)?;
    let body = serde_json::to_vec_pretty(&document).expect("a document is plain data");
    let name = HeaderValue::from_static("attachment; filename=\"kaname-export.json\"");
    Ok(with(of(StatusCode::OK, "application/json", body), header::CONTENT_DISPOSITION, name))
}

/// Her record, under a receipt that says which fields are looked at.
fn open(app: &App, call: &Call, subject: &Subject, fields: &[&'static str]) -> Result<Record, PersonError> {
    let (keys, pack, env, ask) =
        (app.keys.clone(), app.pack.clone(), call.env.clone(), subject.asking.clone());
    let fields = fields.to_vec();
    app.write_of(subject.person, move |tx| show::open_resident(tx, &keys, &pack, &env.again(), &ask, &fields))
}

/// A record as the pages show it.
pub(crate) fn person_view(pack: &Pack, tag: &str, record: &Record) -> PersonView {
    let of = &record.particulars;
    PersonView {
        name: of.name.full(pack),
        reading: of.reading.as_ref().map(|name| name.full(pack)),
        latin: of.latin.as_ref().map(|name| name.full(pack)),
        born: of.born,
        address: of.address.lines(pack),
        phone: of.phone.clone(),
        status: pack.status(&of.status).map_or(of.status.as_str(), |status| status.label.get(tag)).to_owned(),
    }
}

pub(crate) fn entry_view(app: &App, shell: &Shell, mandates: &[Given], entry: &Entry) -> AccessEntryView {
    let tag = shell.lang.code();
    // Whoever had her mandate: what it is called, and who holds it.
    if let Some(mandate) = &entry.actor.mandate {
        let holder = mandates.iter().find(|given| given.id.to_string() == mandate.id);
        let holder = holder.and_then(|given| given.holder.clone()).unwrap_or_else(|| mandate.id.clone());
        let kind = app.pack.mandate(&mandate.kind).map_or(mandate.kind.as_str(), |kind| kind.name.get(tag));
        return AccessEntryView {
            who: Some(holder),
            role: shell.t1("access.for_you", "kind", kind),
            ..plain_view(app, shell, entry)
        };
    }
    plain_view(app, shell, entry)
}

fn plain_view(app: &App, shell: &Shell, entry: &Entry) -> AccessEntryView {
    let tag = shell.lang.code();
    let known = app.pack.role(&entry.actor.role).map(|role| role.name.get(tag).to_owned());
    let purpose = app.pack.purpose(&entry.purpose);
    let who = match entry.actor.kind {
        ActorKind::Resident => None,
        ActorKind::Officer | ActorKind::Party => Some(entry.actor.id.clone()),
        ActorKind::Program => Some(program(shell, &entry.actor.id)),
    };
    // Data given through a link names it, so that what was read through a wrong one is found.
    let field = |code: &String| match code.strip_prefix("link ") {
        Some(link) => shell.t1("access.through", "link", link),
        None => code.clone(),
    };
    AccessEntryView {
        number: entry.n.unsigned_abs(),
        at: entry.at,
        who,
        role: known.unwrap_or_else(|| shell.word("role", &entry.actor.role)),
        purpose: purpose.map_or(entry.purpose.as_str(), |purpose| purpose.text.get(tag)).to_owned(),
        basis: purpose.map_or(entry.basis.as_str(), |purpose| purpose.legal_basis.get(tag)).to_owned(),
        fields: entry.fields.iter().map(field).collect(),
    }
}

/// What a part of the program is called.
fn program(shell: &Shell, id: &str) -> String {
    match id.strip_prefix("payout for ") {
        Some(officer) => shell.t1("access.payout", "officer", officer),
        None => shell.word("program", id),
    }
}
