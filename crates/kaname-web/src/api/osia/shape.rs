//! The shapes of OSIA's documents (Population Registry 1.5, Enrollment 1.3): what an agency sends must have them, so that what it
//! reads back has them too.

use kaname_codec::b64;
use serde_json::{Map, Value};

/// What a value must be.
pub(super) enum Shape {
    Any,
    Text,
    /// A whole number of at most 64 bits.
    Whole,
    Flag,
    /// A moment with its zone (RFC 3339 section 5.6).
    DateTime,
    /// RFC 3986 section 3.
    Uri,
    /// Base64 (RFC 4648 section 4).
    Bytes,
    OneOf(&'static [&'static str]),
    /// A list of at least so many.
    List(&'static Shape, usize),
    /// A list in which nothing stands twice, of at least one.
    Set(&'static Shape),
    /// An object that has these members, must have those of the second list, and has no other.
    Object(&'static [(&'static str, &'static Shape)], &'static [&'static str]),
}

use Shape::{Any, Bytes, DateTime, Flag, List, Object, OneOf, Set, Text, Uri, Whole};

pub(super) static PERSON: Shape = Object(
    &[
        ("personId", &Text),
        ("status", &OneOf(&["ACTIVE", "INACTIVE"])),
        ("physicalStatus", &OneOf(&["DEAD", "ALIVE"])),
    ],
    &["status", "physicalStatus"],
);

/// The statuses of an identity.
pub(super) const STATUSES: &[&str] = &["CLAIMED", "VALID", "INVALID", "REVOKED"];

const IDENTITY_MEMBERS: &[(&str, &Shape)] = &[
    ("identityId", &Text),
    ("identityType", &Text),
    ("status", &OneOf(STATUSES)),
    ("createdDate", &DateTime),
    ("updatedDate", &DateTime),
    ("galleries", &Set(&Text)),
    ("clientData", &Bytes),
    ("contextualData", &Any),
    ("biographicData", &Any),
    ("biometricData", &List(&BIOMETRIC, 0)),
    ("documentData", &List(&DOCUMENT, 0)),
    ("encryption", &ENCRYPTION),
    ("integrity", &List(&INTEGRITY, 0)),
];
pub(super) static IDENTITY: Shape = Object(IDENTITY_MEMBERS, &["status", "identityType"]);
/// A part of one, which is merged into what is there (RFC 7396).
pub(super) static IDENTITY_PART: Shape = Object(IDENTITY_MEMBERS, &[]);

pub(super) static ENROLMENT: Shape = Object(
    &[
        ("enrollmentId", &Text),
        ("status", &OneOf(&["FINALIZED", "IN_PROGRESS"])),
        ("enrollmentType", &Text),
        ("enrollmentFlags", &Any),
        ("requestData", &Any),
        ("contextualData", &Any),
        ("biographicData", &Any),
        ("biometricData", &List(&BIOMETRIC, 0)),
        ("documentData", &List(&DOCUMENT, 0)),
        ("encryption", &ENCRYPTION),
        ("integrity", &List(&INTEGRITY, 0)),
    ],
    &[],
);

static ENCRYPTION: Shape =
    Object(&[("type", &OneOf(&["JWE", "PKCS7"])), ("scope", &Text)], &["type", "scope"]);

static INTEGRITY: Shape = Object(
    &[
        ("id", &Text),
        ("type", &OneOf(&["NONE", "JWS", "PKCS7"])),
        ("scope", &Text),
        ("alg", &Text),
        ("encrypted", &Flag),
        ("followRef", &Flag),
        ("hash", &Text),
        ("signature", &Text),
        ("signatureRef", &Uri),
    ],
    &["scope", "alg", "hash"],
);

static DOCUMENT: Shape = Object(
    &[
        ("documentType", &OneOf(&["ID_CARD", "PASSPORT", "INVOICE", "BIRTH_CERTIFICATE", "FORM", "OTHER"])),
        ("documentTypeOther", &Text),
        ("instance", &Text),
        ("parts", &List(&DOCUMENT_PART, 1)),
        ("integrity", &List(&INTEGRITY, 0)),
    ],
    &["documentType", "parts"],
);

static DOCUMENT_PART: Shape = Object(
    &[
        ("pages", &List(&Whole, 1)),
        ("data", &Text),
        ("dataRef", &Uri),
        ("width", &Whole),
        ("height", &Whole),
        ("mimeType", &Text),
        ("captureDate", &DateTime),
        ("captureDevice", &Text),
        ("encryption", &ENCRYPTION),
        ("integrity", &List(&INTEGRITY, 0)),
    ],
    &[],
);

static BIOMETRIC: Shape = Object(
    &[
        ("biometricType", &OneOf(&["FACE", "FINGER", "IRIS", "SIGNATURE", "UNKNOWN"])),
        ("biometricSubType", &SUB_TYPE),
        ("instance", &Text),
        ("identityId", &Text),
        ("image", &Text),
        ("imageRef", &Uri),
        ("captureDate", &DateTime),
        ("captureDevice", &Text),
        ("impressionType", &IMPRESSION),
        ("width", &Whole),
        ("height", &Whole),
        ("bitdepth", &Whole),
        ("mimeType", &Text),
        ("resolution", &Whole),
        ("compression", &OneOf(&["NONE", "WSQ", "JPEG", "JPEG2000", "PNG"])),
        ("missing", &List(&MISSING, 0)),
        ("metadata", &Text),
        ("comment", &Text),
        ("template", &Text),
        ("templateRef", &Uri),
        ("templateFormat", &Text),
        ("quality", &Whole),
        ("qualityFormat", &Text),
        ("algorithm", &Text),
        ("vendor", &Text),
        ("encryption", &ENCRYPTION),
        ("integrity", &List(&INTEGRITY, 0)),
    ],
    &["biometricType"],
);

static MISSING: Shape = Object(
    &[("biometricSubType", &SUB_TYPE), ("presence", &OneOf(&["BANDAGED", "AMPUTATED", "DAMAGED"]))],
    &[],
);

#[rustfmt::skip]
static IMPRESSION: Shape = OneOf(&[
    "LIVE_SCAN_PLAIN", "LIVE_SCAN_ROLLED", "NONLIVE_SCAN_PLAIN", "NONLIVE_SCAN_ROLLED", "LATENT_IMPRESSION", "LATENT_TRACING",
    "LATENT_PHOTO", "LATENT_LIFT", "LIVE_SCAN_SWIPE", "LIVE_SCAN_VERTICAL_ROLL", "LIVE_SCAN_PALM", "NONLIVE_SCAN_PALM",
    "LATENT_PALM_IMPRESSION", "LATENT_PALM_TRACING", "LATENT_PALM_PHOTO", "LATENT_PALM_LIFT",
    "LIVE_SCAN_OPTICAL_CONTACTLESS_PLAIN", "OTHER", "UNKNOWN",
]);

#[rustfmt::skip]
static SUB_TYPE: Shape = OneOf(&[
    "UNKNOWN", "RIGHT_THUMB", "RIGHT_INDEX", "RIGHT_MIDDLE", "RIGHT_RING", "RIGHT_LITTLE", "LEFT_THUMB", "LEFT_INDEX", "LEFT_MIDDLE",
    "LEFT_RING", "LEFT_LITTLE", "PLAIN_RIGHT_FOUR_FINGERS", "PLAIN_LEFT_FOUR_FINGERS", "PLAIN_THUMBS", "UNKNOWN_PALM",
    "RIGHT_FULL_PALM", "RIGHT_WRITERS_PALM", "LEFT_FULL_PALM", "LEFT_WRITERS_PALM", "RIGHT_LOWER_PALM", "RIGHT_UPPER_PALM",
    "LEFT_LOWER_PALM", "LEFT_UPPER_PALM", "RIGHT_OTHER", "LEFT_OTHER", "RIGHT_INTERDIGITAL", "RIGHT_THENAR", "RIGHT_HYPOTHENAR",
    "LEFT_INTERDIGITAL", "LEFT_THENAR", "LEFT_HYPOTHENAR", "RIGHT_INDEX_AND_MIDDLE", "RIGHT_MIDDLE_AND_RING",
    "RIGHT_RING_AND_LITTLE", "LEFT_INDEX_AND_MIDDLE", "LEFT_MIDDLE_AND_RING", "LEFT_RING_AND_LITTLE",
    "RIGHT_INDEX_AND_LEFT_INDEX", "RIGHT_INDEX_AND_MIDDLE_AND_RING", "RIGHT_MIDDLE_AND_RING_AND_LITTLE",
    "LEFT_INDEX_AND_MIDDLE_AND_RING", "LEFT_MIDDLE_AND_RING_AND_LITTLE", "EYE_UNDEF", "EYE_RIGHT", "EYE_LEFT", "EYE_BOTH",
    "PORTRAIT", "LEFT_PROFILE", "RIGHT_PROFILE",
]);

impl Shape {
    /// What a value must be, for whoever sent another.
    fn wanted(&self) -> String {
        match self {
            Any => "a value".to_owned(),
            Text => "a text".to_owned(),
            Whole => "a whole number of at most 64 bits".to_owned(),
            Flag => "true or false".to_owned(),
            DateTime => "a moment with its zone, such as 2026-01-31T09:00:00+09:00".to_owned(),
            Uri => "a URI".to_owned(),
            Bytes => "base64".to_owned(),
            OneOf(words) if words.len() > 8 => "one of OSIA's words for it".to_owned(),
            OneOf(words) => format!("one of {}", words.join(", ")),
            List(_, 0) => "a list".to_owned(),
            List(..) | Set(_) => "a list with something in it".to_owned(),
            Object(..) => "an object".to_owned(),
        }
    }
}

/// Checks a document; says which member is wrong, and what it must be. The text names members, never values.
pub(super) fn check(shape: &Shape, value: &Value) -> Result<(), String> {
    at(shape, value, "the document")
}

/// Checks a part of a document that is merged into what is there (RFC 7396): a member that is null is taken out, and one that is there
/// must be whole. So what comes of it has the shape that the document had before.
pub(super) fn check_part(shape: &Shape, part: &Map<String, Value>) -> Result<(), String> {
    let kept = part.iter().filter(|(_, value)| !value.is_null());
    let kept = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    check(shape, &Value::Object(kept))?;
    let Object(members, _) = shape else { return Ok(()) };
    let taken_out = part.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name);
    let mut unknown = taken_out.filter(|name| !members.iter().any(|(known, _)| known == name));
    match unknown.next() {
        Some(_) => Err("the document has a member that OSIA does not know".to_owned()),
        None => Ok(()),
    }
}

fn at(shape: &Shape, value: &Value, path: &str) -> Result<(), String> {
    let right = match (shape, value) {
        (Any, _) | (Text, Value::String(_)) | (Flag, Value::Bool(_)) => true,
        // What does not fit would come back as a fraction.
        (Whole, Value::Number(number)) => number.is_i64(),
        (DateTime, Value::String(text)) => is_moment(text),
        (Uri, Value::String(text)) => is_uri(text),
        (Bytes, Value::String(text)) => b64::std_decode(text).is_ok(),
        (OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
        (List(of, least), Value::Array(list)) => {
            for (i, one) in list.iter().enumerate() {
                at(of, one, &format!("{path}[{i}]"))?;
            }
            list.len() >= *least
        }
        (Set(of), Value::Array(list)) => {
            for (i, one) in list.iter().enumerate() {
                at(of, one, &format!("{path}[{i}]"))?;
                if list[..i].contains(one) {
                    return Err(format!("{path} names something twice"));
                }
            }
            !list.is_empty()
        }
        (Object(members, needed), Value::Object(map)) => return object(members, needed, map, path),
        _ => false,
    };
    if right { Ok(()) } else { Err(format!("{path} is not {}", shape.wanted())) }
}

fn object(
    members: &[(&'static str, &'static Shape)],
    needed: &[&'static str],
    map: &Map<String, Value>,
    path: &str,
) -> Result<(), String> {
    for (name, value) in map {
        let (known, shape) = members
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| format!("{path} has a member that OSIA does not know"))?;
        at(shape, value, &format!("{path}.{known}"))?;
    }
    match needed.iter().find(|name| !map.contains_key(**name)) {
        Some(missing) => Err(format!("{path}.{missing} is missing")),
        None => Ok(()),
    }
}

/// RFC 3339 section 5.6, which allows less than ISO 8601: no shorter forms, a `T` between, no zone's name.
fn is_moment(text: &str) -> bool {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let (Some(moment), Some(rest)) = (text.get(..FORM.len()), text.get(FORM.len()..)) else { return false };
    let has_form = moment.bytes().zip(FORM).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        form => byte.eq_ignore_ascii_case(form),
    });
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let has_fraction = !rest.starts_with('.') || rest.len() > zone.len() + 1;
    let has_zone = zone.eq_ignore_ascii_case("z")
        || matches!(zone.as_bytes(), [b'+' | b'-', a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
    has_form && has_fraction && has_zone && text.parse::<jiff::Timestamp>().is_ok()
}

/// RFC 3986 section 3: a scheme, a colon, and characters that need no escape.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme && rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
}

/// Merges a part into a document (RFC 7396 section 2).
pub(super) fn merge(mut into: Map<String, Value>, part: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in part {
        match value {
            Value::Null => drop(into.remove(name)),
            Value::Object(part) => {
                let there = match into.remove(name) {
                    Some(Value::Object(there)) => there,
                    _ => Map::new(),
                };
                into.insert(name.clone(), Value::Object(merge(there, part)));
            }
            other => drop(into.insert(name.clone(), other.clone())),
        }
    }
    into
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_what_osia_says() {
        for (good, document) in [
            (true, json!({ "status": "CLAIMED", "identityType": "birth", "biographicData": { "x": null } })),
            (true, json!({ "status": "VALID", "identityType": "", "galleries": ["G1", "G2"] })),
            (false, json!({ "status": "VALID" })),
            (false, json!({ "status": "valid", "identityType": "birth" })),
            (false, json!({ "status": "VALID", "identityType": "birth", "galleries": ["G1", "G1"] })),
            (false, json!({ "status": "VALID", "identityType": "birth", "galleries": [] })),
            (false, json!({ "status": "VALID", "identityType": "birth", "more": 1 })),
            (false, json!({ "status": "VALID", "identityType": "birth", "createdDate": "yesterday" })),
            (false, json!({ "status": "VALID", "identityType": "birth", "biometricData": [{}] })),
            (
                false,
                json!({ "status": "VALID", "identityType": "", "biometricData": [{ "biometricType": "FACE", "width": 1e40 }] }),
            ),
            (
                false,
                json!({ "status": "VALID", "identityType": "", "biometricData": [{ "biometricType": "FACE", "quality": 9_223_372_036_854_775_808_u64 }] }),
            ),
            (false, json!({ "status": "VALID", "identityType": "", "integrity": null })),
            (false, json!([])),
        ] {
            assert_eq!(check(&IDENTITY, &document).is_ok(), good, "{document}");
        }
    }

    #[test]
    fn what_is_refused_is_named_with_what_it_must_be_and_not_with_its_value() {
        let document = json!({
            "status": "VALID", "identityType": "", "biometricData": [{ "biometricType": "FACE", "width": "wide" }],
        });
        let said = check(&IDENTITY, &document).unwrap_err();
        assert_eq!(said, "the document.biometricData[0].width is not a whole number of at most 64 bits");
        let said = check(&IDENTITY, &json!({ "status": "Alive", "identityType": "" })).unwrap_err();
        assert_eq!(said, "the document.status is not one of CLAIMED, VALID, INVALID, REVOKED");
    }

    #[test]
    fn a_moment_is_what_the_rfc_has_and_nothing_else() {
        for (good, text) in [
            (true, "2024-11-18T14:21:00+01:00"),
            (true, "2024-11-18t14:21:00.123456z"),
            (true, "2024-02-29T00:00:00Z"),
            (false, "2023-02-29T00:00:00Z"),
            (false, "2024-11-18T14:21:00"),
            (false, "2024-11-18T14:21+01:00"),
            (false, "2024-11-18 14:21:00+01:00"),
            (false, "20241118T142100Z"),
            (false, "2024-11-18T14:21:00.Z"),
            (false, "2024-11-18T14:21:00+01:00[Europe/Paris]"),
            (false, "2024-11-18T14:21:00+0100"),
            (false, "2024-11-18T14:21:00é"),
            (false, ""),
        ] {
            assert_eq!(is_moment(text), good, "{text}");
        }
    }

    #[test]
    fn a_part_may_take_out_what_osia_knows_and_bring_what_is_whole() {
        for (good, part) in [
            (true, json!({ "integrity": null, "galleries": ["G1"], "biographicData": { "gender": null } })),
            (true, json!({})),
            (false, json!({ "galleries": null, "more": null })),
            (false, json!({ "encryption": { "type": "JWE" } })),
            (false, json!({ "encryption": { "type": null, "scope": "$" } })),
            (false, json!({ "biometricData": [null] })),
        ] {
            let object = part.as_object().unwrap().clone();
            assert_eq!(check_part(&IDENTITY_PART, &object).is_ok(), good, "{part}");
        }
    }

    #[test]
    fn a_part_is_merged_as_the_rfc_has_it() {
        let object = |value: Value| value.as_object().unwrap().clone();
        for (before, part, after) in [
            (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
            (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
            (
                json!({ "a": { "b": "c" } }),
                json!({ "a": { "b": "d", "c": null } }),
                json!({ "a": { "b": "d" } }),
            ),
            (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        ] {
            assert_eq!(Value::Object(merge(object(before), &object(part))), after);
        }
    }
}
