//! Passkeys: the vectors of the specification, and every part of them flipped, dropped and swapped.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use kaname_codec::b64;
use kaname_codec::webauthn::*;
use serde_json::Value;

const RP: &str = "example.org";
const ORIGIN: &str = "https://example.org";

fn vectors() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/webauthn/webauthn-l3-test-vectors.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!((&file["rp_id"], &file["origin"]), (&RP.into(), &ORIGIN.into()));
    file["vectors"].as_array().unwrap().clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn expected(challenge: &[u8]) -> Expected<'_> {
    Expected { challenge, origins: &[ORIGIN], rp_id: RP, require_uv: false, top_origins: &[] }
}

#[test]
fn the_vectors_of_the_specification() {
    let mut seen = Vec::new();
    for vector in vectors() {
        let id = vector["id"].as_str().unwrap();
        let (new, used) = (&vector["registration"], &vector["authentication"]);
        let (challenge, client, object) =
            (hex(&new["challenge"]), hex(&new["clientDataJSON"]), hex(&new["attestationObject"]));
        let registered = verify_registration(&expected(&challenge), &client, &object);
        let framed = Expected {
            top_origins: &["https://elsewhere.example", "https://example.com"],
            ..expected(&challenge)
        };
        let registered = match id {
            "none-es256-crossOrigin" => {
                assert_eq!(registered, Err(WebauthnError::Framed));
                assert_eq!(verify_registration(&framed, &client, &object), Err(WebauthnError::Framed));
                continue;
            }
            "none-es256-topOrigin" => {
                assert_eq!(registered, Err(WebauthnError::Framed));
                verify_registration(&framed, &client, &object).unwrap()
            }
            "packed-es384" | "packed-es512" | "packed-ed448" => {
                assert_eq!(registered, Err(WebauthnError::Key), "{id}: not offered");
                continue;
            }
            _ => registered.unwrap_or_else(|error| panic!("{id}: {error}")),
        };
        let attestation = match id.split_once('-').unwrap() {
            ("none", _) => Attestation::None,
            ("packed", "self-es256") => Attestation::SelfSigned,
            ("packed", _) => Attestation::NotTrusted("packed".into()),
            _ => {
                assert!(
                    matches!(&registered.attestation, Attestation::NotTrusted(format) if id.starts_with(format))
                );
                registered.attestation.clone()
            }
        };
        assert_eq!(registered.attestation, attestation, "{id}");
        assert_eq!(registered.credential.id, hex(&new["credential_id"]), "{id}");
        assert_eq!(registered.credential.aaguid.to_vec(), hex(&new["aaguid"]), "{id}");

        let stored = CredentialKey::from_cose(registered.credential.key.as_cose()).unwrap();
        let challenge = hex(&used["challenge"]);
        let top = [ORIGIN, "https://example.com"];
        let framed = Expected { top_origins: &top, ..expected(&challenge) };
        let assertion = verify_assertion(
            &framed,
            &stored,
            0,
            &hex(&used["clientDataJSON"]),
            &hex(&used["authenticatorData"]),
            &hex(&used["signature"]),
        );
        assert_eq!(assertion.unwrap().counter, Counter::NotKept, "{id}");
        seen.push(stored.algorithm());
    }
    seen.sort_unstable();
    assert_eq!(seen.len(), 11);
    assert!(seen.contains(&-7) && seen.contains(&-8) && seen.contains(&-257));
}

/// One sign-in of the vectors, ready to be tampered with.
struct SignIn {
    key: CredentialKey,
    challenge: Vec<u8>,
    client: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
}

impl SignIn {
    fn of(id: &str) -> SignIn {
        let vector = vectors().into_iter().find(|vector| vector["id"] == id).unwrap();
        let (new, used) = (&vector["registration"], &vector["authentication"]);
        let challenge = hex(&new["challenge"]);
        let registered = verify_registration(
            &expected(&challenge),
            &hex(&new["clientDataJSON"]),
            &hex(&new["attestationObject"]),
        );
        SignIn {
            key: registered.unwrap().credential.key.clone(),
            challenge: hex(&used["challenge"]),
            client: hex(&used["clientDataJSON"]),
            data: hex(&used["authenticatorData"]),
            signature: hex(&used["signature"]),
        }
    }

    fn verify(&self) -> Result<Assertion, WebauthnError> {
        let expected = expected(&self.challenge);
        verify_assertion(&expected, &self.key, 0, &self.client, &self.data, &self.signature)
            .map(|assertion| assertion.into_inner())
    }
}

#[test]
fn every_changed_byte_of_an_assertion_is_refused() {
    for id in ["none-es256", "packed-eddsa", "packed-rs256"] {
        SignIn::of(id).verify().unwrap();
        let lengths = {
            let s = SignIn::of(id);
            [s.client.len(), s.data.len(), s.signature.len(), s.challenge.len()]
        };
        let mut good = SignIn::of(id);
        for (part, length) in lengths.into_iter().enumerate() {
            for at in 0..length {
                let mut part_of = |change: &dyn Fn(&mut Vec<u8>)| {
                    let target = match part {
                        0 => &mut good.client,
                        1 => &mut good.data,
                        2 => &mut good.signature,
                        _ => &mut good.challenge,
                    };
                    let before = target.clone();
                    change(target);
                    let verdict = good.verify();
                    match part {
                        0 => good.client = before,
                        1 => good.data = before,
                        2 => good.signature = before,
                        _ => good.challenge = before,
                    }
                    assert!(verdict.is_err(), "{id}: part {part}, byte {at}");
                };
                part_of(&|bytes| bytes[at] ^= 1);
                part_of(&|bytes| bytes.truncate(at));
                part_of(&|bytes| _ = bytes.remove(at));
                part_of(&|bytes| bytes.insert(at, 0));
            }
        }
        for part in 0..3 {
            let mut longer = SignIn::of(id);
            [&mut longer.client, &mut longer.data, &mut longer.signature][part].push(0);
            assert!(longer.verify().is_err(), "{id}: trailing byte in part {part}");
        }
    }
}

#[test]
fn parts_of_other_ceremonies_are_refused() {
    let (one, two) = (SignIn::of("none-es256"), SignIn::of("packed-self-es256"));
    let swap = |change: &dyn Fn(&mut SignIn)| {
        let mut mixed = SignIn::of("none-es256");
        change(&mut mixed);
        mixed.verify().unwrap_err()
    };
    assert_eq!(swap(&|mixed| mixed.key = two.key.clone()), WebauthnError::Signature);
    assert_eq!(swap(&|mixed| mixed.signature = two.signature.clone()), WebauthnError::Signature);
    assert_eq!(swap(&|mixed| mixed.data = two.data.clone()), WebauthnError::Signature);
    assert_eq!(swap(&|mixed| mixed.client = two.client.clone()), WebauthnError::Challenge);
    assert_eq!(swap(&|mixed| mixed.challenge = two.challenge.clone()), WebauthnError::Challenge);
    let all_but_the_key = SignIn { key: two.key.clone(), ..SignIn::of("none-es256") };
    assert_eq!(all_but_the_key.verify(), Err(WebauthnError::Signature));
    one.verify().unwrap();
}

#[test]
fn other_expectations_are_refused() {
    let one = SignIn::of("none-es256");
    let verify = |expected: &Expected<'_>| {
        verify_assertion(expected, &one.key, 0, &one.client, &one.data, &one.signature).map(|_| ())
    };
    let good = expected(&one.challenge);
    verify(&good).unwrap();
    for origins in
        [&["https://example.org.evil"][..], &["http://example.org"], &["https://example.org:443"], &[]]
    {
        assert_eq!(verify(&Expected { origins, ..good }), Err(WebauthnError::Origin(ORIGIN.into())));
    }
    assert_eq!(verify(&Expected { rp_id: "example.com", ..good }), Err(WebauthnError::RpId));
    assert_eq!(verify(&Expected { rp_id: "Example.org", ..good }), Err(WebauthnError::RpId));
    assert_eq!(verify(&Expected { challenge: &[7; 32], ..good }), Err(WebauthnError::Challenge));
    assert_eq!(verify(&Expected { challenge: &[], ..good }), Err(WebauthnError::Challenge));
    assert_eq!(verify(&Expected { require_uv: true, ..good }), Err(WebauthnError::NotVerified));
}

/// An authenticator of our own, to sign what the vectors do not have.
struct Authenticator(EcdsaKeyPair);

impl Authenticator {
    fn new() -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Authenticator(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap())
    }

    fn cose(&self) -> Vec<u8> {
        let point = self.0.public_key().as_ref();
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        [&head[..], &point[1..33], &[0x22, 0x58, 0x20], &point[33..]].concat()
    }

    fn sign(&self, data: &[u8], client: &[u8]) -> Vec<u8> {
        let signed = [data, digest(&SHA256, client).as_ref()].concat();
        self.0.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec()
    }

    fn data(&self, flags: u8, count: u32, behind: &[u8]) -> Vec<u8> {
        [digest(&SHA256, RP.as_bytes()).as_ref(), &[flags], &count.to_be_bytes(), behind].concat()
    }

    fn sign_in(&self, client: &str, data: &[u8], stored: u32) -> Result<Assertion, WebauthnError> {
        let key = CredentialKey::from_cose(&self.cose()).unwrap();
        let signature = self.sign(data, client.as_bytes());
        verify_assertion(&expected(&CHALLENGE), &key, stored, client.as_bytes(), data, &signature)
            .map(|assertion| assertion.into_inner())
    }
}

const CHALLENGE: [u8; 16] = [9; 16];

fn client(kind: &str, more: &str) -> String {
    let challenge = b64::url_encode(&CHALLENGE);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{ORIGIN}"{more}}}"#)
}

#[test]
fn well_signed_nonsense_is_refused() {
    let authenticator = Authenticator::new();
    let good = client("webauthn.get", "");
    let data = authenticator.data(0x05, 1, &[]);
    let accepted = authenticator.sign_in(&good, &data, 0).unwrap();
    assert!(accepted.facts.user_verified && !accepted.facts.backed_up);

    for (bad, error) in [
        (client("webauthn.create", ""), WebauthnError::Type),
        (client("payment.get", ""), WebauthnError::Type),
        (client("webauthn.get", r#","crossOrigin":true"#), WebauthnError::Framed),
        (client("webauthn.get", r#","topOrigin":"https://example.com""#), WebauthnError::Framed),
        (client("webauthn.get", r#","crossOrigin":"no""#), WebauthnError::ClientData),
        (client("webauthn.get", r#","type":"webauthn.get""#), WebauthnError::ClientData),
        (client("webauthn.get", r#","origin":"https://example.org""#), WebauthnError::ClientData),
        (good.replace("}", ""), WebauthnError::ClientData),
        (format!("{good} x"), WebauthnError::ClientData),
        (format!("\u{feff}{good}"), WebauthnError::ClientData),
        (good.replace("origin", "from"), WebauthnError::ClientData),
        (client("webauthn.get", &format!(r#","x":"{}""#, "y".repeat(9000))), WebauthnError::ClientData),
    ] {
        assert_eq!(authenticator.sign_in(&bad, &data, 0), Err(error), "{bad}");
    }
    for (bad, error) in [
        (authenticator.data(0x04, 1, &[]), WebauthnError::NotPresent),
        (authenticator.data(0x15, 1, &[]), WebauthnError::AuthenticatorData),
        (authenticator.data(0x05, 1, &[0]), WebauthnError::AuthenticatorData),
        (authenticator.data(0x85, 1, &[]), WebauthnError::AuthenticatorData),
        (authenticator.data(0x85, 1, &[0x80]), WebauthnError::AuthenticatorData),
        (authenticator.data(0x85, 1, &[0xa0, 0]), WebauthnError::AuthenticatorData),
        (authenticator.data(0x45, 1, &[]), WebauthnError::AuthenticatorData),
        (data[..36].to_vec(), WebauthnError::AuthenticatorData),
        (Vec::new(), WebauthnError::AuthenticatorData),
    ] {
        assert_eq!(authenticator.sign_in(&good, &bad, 0), Err(error), "{bad:x?}");
    }
    authenticator.sign_in(&good, &authenticator.data(0x85, 1, &[0xa0]), 0).unwrap();
}

#[test]
fn the_counter_is_a_fact() {
    let authenticator = Authenticator::new();
    for (stored, now, fact) in [
        (0, 0, Counter::NotKept),
        (0, 1, Counter::Advanced),
        (5, 6, Counter::Advanced),
        (5, 5, Counter::DidNotAdvance),
        (5, 4, Counter::DidNotAdvance),
        (5, 0, Counter::DidNotAdvance),
    ] {
        let data = authenticator.data(0x1d, now, &[]);
        let accepted = authenticator.sign_in(&client("webauthn.get", ""), &data, stored).unwrap();
        assert_eq!((accepted.counter, accepted.facts.sign_count), (fact, now));
        assert!(accepted.facts.backed_up && accepted.facts.backup_eligible);
    }
}

fn text(value: &str) -> Vec<u8> {
    [&[0x60 + value.len() as u8], value.as_bytes()].concat()
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [&[0x59, (value.len() >> 8) as u8, value.len() as u8], value].concat()
}

#[test]
fn registrations_that_lie_are_refused() {
    let (authenticator, mallory) = (Authenticator::new(), Authenticator::new());
    let client = client("webauthn.create", "");
    let attested =
        |id: &[u8], cose: &[u8]| [&[7; 16][..], &(id.len() as u16).to_be_bytes(), id, cose].concat();
    let object = |format: &str, statement: &[u8], data: &[u8]| {
        [
            &[0xa3],
            &text("fmt")[..],
            &text(format),
            &text("attStmt"),
            statement,
            &text("authData"),
            &bytes(data),
        ]
        .concat()
    };
    let verify = |object: &[u8]| {
        verify_registration(&expected(&CHALLENGE), client.as_bytes(), object).map(|new| new.into_inner())
    };
    let packed = |algorithm: u8, signature: &[u8]| {
        [&[0xa2], &text("alg")[..], &[algorithm], &text("sig"), &bytes(signature)].concat()
    };
    let data = authenticator.data(0x45, 0, &attested(b"id", &authenticator.cose()));
    let signature = authenticator.sign(&data, client.as_bytes());
    assert_eq!(verify(&object("none", &[0xa0], &data)).unwrap().attestation, Attestation::None);
    let own = verify(&object("packed", &packed(0x26, &signature), &data)).unwrap();
    assert_eq!((own.attestation, own.credential.id), (Attestation::SelfSigned, b"id".to_vec()));

    let forged = mallory.sign(&data, client.as_bytes());
    let elsewhere = authenticator.sign(&data, b"{}");
    let long_id = authenticator.data(0x45, 0, &attested(&[1; 1024], &authenticator.cose()));
    let no_id = authenticator.data(0x45, 0, &attested(&[], &authenticator.cose()));
    let cut_key = authenticator.data(0x45, 0, &attested(b"id", &authenticator.cose()[..70]));
    let behind = authenticator.data(0x45, 0, &[attested(b"id", &authenticator.cose()), vec![0]].concat());
    let without = authenticator.data(0x05, 0, &[]);
    let not_present = authenticator.data(0x44, 0, &attested(b"id", &authenticator.cose()));
    let good = object("none", &[0xa0], &data);
    let twice = [
        &[0xa3],
        &text("fmt")[..],
        &text("none"),
        &text("fmt"),
        &text("none"),
        &text("authData"),
        &bytes(&data),
    ]
    .concat();
    for (bad, error) in [
        (object("packed", &packed(0x26, &forged), &data), WebauthnError::Signature),
        (object("packed", &packed(0x26, &elsewhere), &data), WebauthnError::Signature),
        (object("packed", &packed(0x27, &signature), &data), WebauthnError::AttestationObject),
        (object("packed", &[0xa0], &data), WebauthnError::AttestationObject),
        (object("packed", &[0x80], &data), WebauthnError::AttestationObject),
        (object("none", &packed(0x26, &signature), &data), WebauthnError::AttestationObject),
        (object("none", &[0xa0], &long_id), WebauthnError::AuthenticatorData),
        (object("none", &[0xa0], &no_id), WebauthnError::AuthenticatorData),
        (object("none", &[0xa0], &cut_key), WebauthnError::AuthenticatorData),
        (object("none", &[0xa0], &behind), WebauthnError::AuthenticatorData),
        (object("none", &[0xa0], &without), WebauthnError::AuthenticatorData),
        (object("none", &[0xa0], &not_present), WebauthnError::NotPresent),
        ([&good[..], &[0]].concat(), WebauthnError::AttestationObject),
        (twice, WebauthnError::AttestationObject),
        (Vec::new(), WebauthnError::AttestationObject),
    ] {
        assert_eq!(verify(&bad).map(|new| new.attestation), Err(error));
    }
    for cut in 0..good.len() {
        assert!(verify(&good[..cut]).is_err(), "{cut}");
    }
    let unknown = verify(&object("future", &[0x80], &data)).unwrap();
    assert_eq!(unknown.attestation, Attestation::NotTrusted("future".into()));
}

#[test]
fn credential_keys_are_strict() {
    let good = Authenticator::new().cose();
    CredentialKey::from_cose(&good).unwrap();
    for at in 0..10 {
        let mut bad = good.clone();
        bad[at] ^= 0x04;
        assert!(CredentialKey::from_cose(&bad).is_err(), "{at}");
    }
    let mut off_the_curve = good.clone();
    off_the_curve[20] ^= 1;
    assert_eq!(CredentialKey::from_cose(&off_the_curve), Err(WebauthnError::Key));
    let mut with_key_ops = good.clone();
    with_key_ops[0] = 0xa6;
    with_key_ops.extend([0x04, 0x80]);
    assert_eq!(CredentialKey::from_cose(&with_key_ops), Err(WebauthnError::Key));
    assert_eq!(CredentialKey::from_cose(&[&good[..], &[0]].concat()), Err(WebauthnError::Key));
    let indefinite = [&[0xbf], &good[1..], &[0xff]].concat();
    assert_eq!(CredentialKey::from_cose(&indefinite), Err(WebauthnError::Key));
}

proptest::proptest! {
    #[test]
    fn no_bytes_crash_the_parsers(bytes: Vec<u8>, flags: u8) {
        let _ = CredentialKey::from_cose(&bytes);
        let data = [&[0; 32][..], &[flags, 0, 0, 0, 0], &bytes].concat();
        let _ = AuthenticatorData::parse(&data);
        let client = client("webauthn.create", "");
        assert!(verify_registration(&expected(&CHALLENGE), client.as_bytes(), &bytes).is_err());
    }
}
