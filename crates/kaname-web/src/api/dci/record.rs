//! A resident as the standard's person of civil registration.

use kaname_person::agency::Agency;
use kaname_person::agency::facts::{PERSON_ID, UIN};
use kaname_person::agency::read::Answer;
use kaname_person::agency::search::{Search, text};
use serde_json::{Map, Value, json};

/// The standard's kind of register.
pub(super) const TYPE: &str = "ns:org:RegistryType:Civil";

/// The standard's kind of record.
pub(super) const RECORD: &str = "spdci-extensions-dci:Person";

/// What its words mean.
pub(super) const CONTEXT: &str = "https://schema.spdci.org/extensions/crvs/v1/data/CRVSPerson.jsonld";

/// What is read of a person, as far as the agency may.
const NAMES: &[&str] = &[
    PERSON_ID,
    "lastName",
    "firstName",
    "dateOfBirth",
    "sex",
    "addressLine",
    "city",
    "region",
    "postalCode",
    "phoneNumber",
    "email",
];

/// The search, with what is read of each person.
pub(super) fn reading(ask: &Search, agency: &Agency) -> Search {
    let number = agency.sees_numbers.then_some(UIN);
    let names = NAMES.iter().copied().chain(number).map(str::to_owned).collect();
    Search { names, ..ask.clone() }
}

/// The person; what the agency may not have, or nobody recorded, is left out.
pub(super) fn view(answer: &Answer) -> Value {
    let mut shown = Map::new();
    shown.insert("@context".into(), CONTEXT.into());
    shown.insert("@type".into(), "CRVS_Person".into());
    let identifiers = [("UIN", UIN), ("PERSON_ID", PERSON_ID)];
    let identifiers: Vec<Value> = identifiers
        .iter()
        .filter_map(|(kind, name)| Some((kind, text(answer, name)?)))
        .map(|(kind, value)| {
            json!({ "@type": "Identifier", "identifier_type": kind, "identifier_value": value })
        })
        .collect();
    shown.insert("identifier".into(), Value::Array(identifiers));
    if let Some(name) = group(answer, "Name", &[("surname", "lastName"), ("given_name", "firstName")]) {
        shown.insert("name".into(), name);
    }
    for (name, ours) in [("sex", "sex"), ("birth_date", "dateOfBirth")] {
        if let Some(value) = text(answer, ours) {
            shown.insert(name.into(), value.into());
        }
    }
    for (name, ours) in [("phone_number", "phoneNumber"), ("email", "email")] {
        if let Some(value) = text(answer, ours) {
            shown.insert(name.into(), json!([value]));
        }
    }
    let address = [
        ("address_line1", "addressLine"),
        ("locality", "city"),
        ("region_code", "region"),
        ("postal_code", "postalCode"),
    ];
    if let Some(address) = group(answer, "Address", &address) {
        shown.insert("address".into(), json!([address]));
    }
    Value::Object(shown)
}

fn group(answer: &Answer, kind: &str, parts: &[(&str, &str)]) -> Option<Value> {
    let parts =
        parts.iter().filter_map(|(name, ours)| Some(((*name).to_owned(), text(answer, ours)?.into())));
    let mut group: Map<String, Value> = parts.collect();
    if group.is_empty() {
        return None;
    }
    group.insert("@type".into(), kind.into());
    Some(Value::Object(group))
}
