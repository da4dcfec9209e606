//! Everything that is held on a person, as one document for her: what each block holds, under a receipt of its own, in one unit of work.
//! `docs/export.md` says what is in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_person::export as person;
use kaname_person::show::Asking;
use kaname_signin::{Provider, client};
use kaname_store::Store;
use kaname_trust::held::Held;
use kaname_trust::person::bucket_of;
use kaname_trust::{Keys, PersonId};
use serde_json::{Value, json};

use crate::http::{Problem, guard};

/// The version of the document's form.
const VERSION: u32 = 1;

/// Members that hold a moment, wherever they stand: kept in microseconds, told as RFC 3339.
const MOMENTS: &[&str] = &[
    "at",
    "registered_at",
    "made_at",
    "given_at",
    "planned_at",
    "since",
    "until",
    "confirmed_at",
    "recalled_at",
    "made",
    "changed",
    "added",
    "seen",
];

/// No moment that is kept is earlier than this many microseconds after 1970; a day or a count is never so large.
const EARLIEST_MICROS: i64 = 100_000_000_000_000;

/// Makes the document. It leaves as many lines in her log as blocks hold something: the register, the payments, the sign-in.
///
/// # Errors
/// What the register refuses, as a problem.
pub fn document(
    store: &Store,
    keys: &Keys,
    pack: &Arc<Pack>,
    signin: &Provider,
    env: &Env,
    ask: &Asking,
) -> Result<Value, Problem> {
    let parties = client::list(signin, env)?;
    let agencies = parties.iter().map(|party| party.registration()).filter(|of| of.agency.is_some());
    let agencies: Vec<_> = agencies.map(guard::asking).collect();
    let (with, country, now, asked) = (keys.clone(), Arc::clone(pack), env.again(), ask.clone());
    let (held, log) = store.write::<_, Problem, _>(bucket_of(ask.person, store.buckets()), move |tx| {
        let now = now.again();
        let of_pay = person::receipt(tx, &with, &country, &now, &asked, kaname_pay::held::FIELDS)?;
        let mut held = kaname_pay::held::held(tx, &with, &of_pay)?;
        let of_signin = person::receipt(tx, &with, &country, &now, &asked, kaname_signin::held::FIELDS)?;
        held.extend(kaname_signin::held::held(tx, &with, &of_signin)?);
        let own = person::receipt(tx, &with, &country, &now, &asked, person::FIELDS)?;
        held.extend(person::held(tx, &with, &own, &agencies)?);
        Ok((held, person::log(tx, &with, &own)?))
    })?;
    let mut records: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for Held { kind, state, record } in held {
        let record = told(keys, ask.person, "", record);
        records.entry(kind).or_default().push(json!({ "state": state, "record": record }));
    }
    let log = serde_json::to_value(log).expect("entries are plain data");
    Ok(json!({
        "format": "kaname-export", "version": VERSION, "made_at": env.now.to_string(),
        "pack": { "id": pack.id, "version": pack.version },
        "records": records,
        "access_log": told(keys, ask.person, "", log),
    }))
}

/// The record as it is told: moments for people and machines to read, and nobody else's id, but a name for her within this person's
/// exports only.
fn told(keys: &Keys, person: PersonId, name: &str, value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(|one| told(keys, person, name, one)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name.clone(), told(keys, person, &name, value)))
            .collect(),
        Value::Number(number) if MOMENTS.contains(&name) => match number.as_i64() {
            Some(micros) if micros > EARLIEST_MICROS => Value::from(Instant::from_micros(micros).to_string()),
            _ => Value::Number(number),
        },
        Value::String(text) => Value::String(match PersonId::parse(&text) {
            Ok(own) if own == person => "self".to_owned(),
            Ok(other) => {
                let both = [person.bytes().as_slice(), other.bytes()].concat();
                let name = keys.blind_index("web.export.other", &both);
                format!("person-{}", kaname_codec::b64::url_encode(&name[..9]))
            }
            Err(_) => text,
        }),
        other => other,
    }
}
