//! Keys, key sets, tokens and claims; and what a liar might send instead.

use kaname_codec::b64;
use kaname_codec::jose::{
    Audience, ClaimError, Claims, Es256Key, Es256Public, JoseError, JwkSet, Unverified, check_age,
    check_audience, check_times, sign_jwt,
};
use serde_json::{Value, json};

fn key() -> Es256Key {
    Es256Key::from_pkcs8(&Es256Key::generate().unwrap()).unwrap()
}

fn object(value: Value) -> Claims {
    value.as_object().unwrap().clone()
}

fn signed_by_hand(key: &Es256Key, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", b64::url_encode(header.as_bytes()), b64::url_encode(payload.as_bytes()));
    format!("{input}.{}", b64::url_encode(&key.sign(input.as_bytes())))
}

#[test]
fn base64_has_one_spelling() {
    assert_eq!(b64::url_encode(&[0xfb, 0xff, 0xfe]), "-__-");
    assert_eq!(b64::std_encode(&[0xfb, 0xff]), "+/8=");
    assert_eq!(b64::url_decode("AQ").unwrap(), [1]);
    for bad in ["AR", "AQ==", "A", "A Q", "AQ\n", "+/8", "AQ.", "ÅQ"] {
        assert!(b64::url_decode(bad).is_err(), "{bad:?}");
    }
    for bad in ["AQ", "AR==", "-_8=", "AQ==\n", "AQ==AQ=="] {
        assert!(b64::std_decode(bad).is_err(), "{bad:?}");
    }
    assert!(b64::url_decode_array::<2>("AQ").is_err());
}

proptest::proptest! {
    #[test]
    fn base64_round_trips(bytes: Vec<u8>) {
        assert_eq!(b64::url_decode(&b64::url_encode(&bytes)).unwrap(), bytes);
        assert_eq!(b64::std_decode(&b64::std_encode(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn no_text_crashes_the_parser(text: String) {
        let _ = Unverified::parse(&text);
        let _ = JwkSet::parse(text.as_bytes());
    }
}

#[test]
fn the_rfc_7515_token_verifies() {
    // RFC 7515 appendix A.3.
    let jwk = json!({"kty":"EC","crv":"P-256",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let token = concat!(
        "eyJhbGciOiJFUzI1NiJ9.",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let claims =
        Unverified::parse(token).unwrap().verify(&Es256Public::from_jwk(&object(jwk)).unwrap()).unwrap();
    assert_eq!(claims["iss"], "joe");
}

#[test]
fn the_thumbprint_is_that_of_rfc_9449() {
    // RFC 9449 section 6.1: the key of its examples and the `jkt` of that key.
    let jwk = json!({"kty":"EC","crv":"P-256",
        "x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"});
    let key = Es256Public::from_jwk(&object(jwk)).unwrap();
    assert_eq!(key.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn a_key_survives_pkcs8_and_jwk() {
    let key = key();
    let jwk = key.public().to_jwk("k1");
    let back = Es256Public::from_jwk(jwk.as_object().unwrap()).unwrap();
    assert_eq!(&back, key.public());
    assert_eq!(&Es256Public::from_point(key.public().point()).unwrap(), key.public());
    back.verify(b"m", &key.sign(b"m")).unwrap();
    assert!(back.verify(b"n", &key.sign(b"m")).is_err());
    assert!(Es256Key::from_pkcs8(b"nonsense").is_err());
}

#[test]
fn malformed_keys_are_refused() {
    let good = object(key().public().to_jwk("k"));
    let mut refused = 0;
    for (name, value) in [
        ("kty", json!("RSA")),
        ("kty", json!("ec")),
        ("crv", json!("P-384")),
        ("use", json!("enc")),
        ("alg", json!("ES384")),
        ("x", json!("AAAA")),
        ("x", json!(b64::url_encode(&[1; 32]))),
        ("y", json!(null)),
        ("d", json!("AAAA")),
    ] {
        let mut bad = good.clone();
        bad.insert(name.into(), value);
        assert!(Es256Public::from_jwk(&bad).is_err(), "{name}");
        refused += 1;
    }
    assert_eq!(refused, 9);
    let mut point = *key().public().point();
    assert!(Es256Public::from_point(&point[..64]).is_err());
    point[0] = 2;
    assert!(Es256Public::from_point(&point).is_err());
    assert!(Es256Public::from_point(&point[..33]).is_err(), "compressed points are not ours");
}

#[test]
fn a_key_set_keeps_only_what_is_ours() {
    let (a, b) = (key(), key());
    let mut for_encryption = object(b.public().to_jwk("enc"));
    for_encryption.insert("use".into(), json!("enc"));
    let set = json!({"keys":[
        {"kty":"RSA","kid":"r","n":"AQ","e":"AQAB"}, {"kty":"OKP","crv":"Ed25519","x":"AA"}, {"kty":"future"},
        a.public().to_jwk("a"), b.public().to_jwk("b"), for_encryption ]});
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().count(), 2);
    assert_eq!(set.find(Some("a")), Some(a.public()));
    assert_eq!(set.find(Some("enc")), None);
    assert_eq!(set.find(None), None, "two keys: no guessing");
    let one = JwkSet::from_value(&json!({"keys":[a.public().to_jwk("a")]})).unwrap();
    assert_eq!(one.find(None), Some(a.public()));

    let twice = json!({"keys":[a.public().to_jwk("a"), b.public().to_jwk("a")]});
    assert!(matches!(JwkSet::from_value(&twice), Err(JoseError::SameKid(_))));
    let mut private = object(a.public().to_jwk("a"));
    private.insert("d".into(), json!("AA"));
    assert!(matches!(JwkSet::from_value(&json!({ "keys": [private] })), Err(JoseError::PrivateKey)));
    assert!(matches!(JwkSet::parse(&vec![b' '; 300_000]), Err(JoseError::TooLong)));
    assert!(JwkSet::parse(b"[]").is_err());
}

#[test]
fn a_token_round_trips() {
    let key = key();
    let token = sign_jwt(&key, "k1", "at+jwt", &json!({"sub":"s","exp":10}));
    let read = Unverified::parse(&token).unwrap();
    assert_eq!(read.header().kid.as_deref(), Some("k1"));
    assert!(read.header().is_type("application/AT+JWT"));
    assert!(!read.header().is_type("jwt"));
    assert_eq!(read.unverified_claims().unwrap()["sub"], "s");
    assert_eq!(read.verify(key.public()).unwrap()["exp"], 10);
}

#[test]
fn every_changed_byte_of_a_token_is_refused() {
    let key = key();
    let token = sign_jwt(&key, "k1", "jwt", &json!({"sub":"alice","admin":false}));
    let mut tried = 0;
    for at in 0..token.len() {
        for with in *b"A_.z" {
            let mut bytes = token.clone().into_bytes();
            if bytes[at] == with {
                continue;
            }
            bytes[at] = with;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(Unverified::parse(&changed).and_then(|t| t.verify(key.public())).is_err(), "{at}");
            tried += 1;
        }
        let mut shorter = token.clone();
        shorter.remove(at);
        assert!(Unverified::parse(&shorter).and_then(|t| t.verify(key.public())).is_err(), "{at}");
    }
    assert!(tried > 3 * token.len() - 10);
}

#[test]
fn swapped_parts_and_other_signers_are_refused() {
    let (key, mallory) = (key(), key());
    let one = sign_jwt(&key, "k", "jwt", &json!({"sub":"a"}));
    let two = sign_jwt(&key, "k", "jwt", &json!({"sub":"b"}));
    let forged = sign_jwt(&mallory, "k", "jwt", &json!({"sub":"a"}));
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(&one), parts(&two));
    let verify = |token: &str| Unverified::parse(token).and_then(|t| t.verify(key.public()));
    assert!(verify(&one).is_ok() && verify(&two).is_ok());
    assert!(matches!(verify(&forged), Err(JoseError::Signature)));
    assert!(verify(&format!("{}.{}.{}", a[0], b[1], a[2])).is_err());
    assert!(verify(&format!("{}.{}.{}", a[0], a[1], b[2])).is_err());
    assert!(verify(&format!("{}.{}.", a[0], a[1])).is_err());
    assert!(verify(&format!("{}.{}", a[0], a[1])).is_err());
    assert!(verify(&format!("{one}.{}", a[2])).is_err());
    assert!(verify(&format!("{}.{}.{}", a[0], a[1], b64::url_encode(&[0; 64]))).is_err());
    assert!(verify(&format!("{one}=")).is_err());
    assert!(verify(&format!(" {one}")).is_err());
}

#[test]
fn only_es256_is_an_algorithm() {
    let key = key();
    for alg in ["none", "None", "RS256", "HS256", "PS256", "EdDSA", "ES384", "ES256K", "es256", "ES256 ", ""]
    {
        let token = signed_by_hand(&key, &json!({ "alg": alg }).to_string(), "{}");
        assert!(
            matches!(Unverified::parse(&token), Err(JoseError::Algorithm(named)) if named == alg),
            "{alg:?}"
        );
    }
}

#[test]
fn odd_headers_are_refused_though_well_signed() {
    let key = key();
    for (header, payload) in [
        (r#"{"alg":"ES256","alg":"ES256"}"#, "{}"),
        (r#"{"alg":"none","alg":"ES256"}"#, "{}"),
        (r#"{"alg":"ES256","\u0061lg":"none"}"#, "{}"),
        (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, "{}"),
        (r#"{"alg":"ES256","crit":[]}"#, "{}"),
        (r#"{"alg":"ES256","kid":7}"#, "{}"),
        (r#"{"alg":"ES256","typ":null}"#, "{}"),
        (r#"{"alg":["ES256"]}"#, "{}"),
        (r#"{"alg":"ES256","jwk":{"kty":"oct","k":"AA"}}"#, "{}"),
        (r#"{}"#, "{}"),
        (r#"["ES256"]"#, "{}"),
        (r#"{"alg":"ES256"} x"#, "{}"),
        (r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#),
        (r#"{"alg":"ES256"}"#, r#"{"cnf":{"jkt":"a","jkt":"b"}}"#),
        (r#"{"alg":"ES256"}"#, "[]"),
        (r#"{"alg":"ES256"}"#, ""),
    ] {
        let token = signed_by_hand(&key, header, payload);
        assert!(
            Unverified::parse(&token).and_then(|t| t.verify(key.public())).is_err(),
            "{header} {payload}"
        );
    }
    let deep = "[".repeat(6000);
    let token = signed_by_hand(&key, r#"{"alg":"ES256"}"#, &format!(r#"{{"a":{deep}"#));
    assert!(Unverified::parse(&token).unwrap().verify(key.public()).is_err());
}

#[test]
fn a_long_token_is_not_read() {
    let token = sign_jwt(&key(), "k", "jwt", &json!({"filler":"x".repeat(16_000)}));
    assert!(matches!(Unverified::parse(&token), Err(JoseError::TooLong)));
}

#[test]
fn a_key_in_the_header_is_read_as_untrusted() {
    let key = key();
    let header = json!({"alg":"ES256","typ":"dpop+jwt","jwk":key.public().to_jwk("x")}).to_string();
    let token = signed_by_hand(&key, &header, "{}");
    let read = Unverified::parse(&token).unwrap();
    let embedded = read.header().untrusted_jwk.clone().unwrap();
    assert_eq!(&embedded, key.public());
    read.verify(&embedded).unwrap();
}

#[test]
fn times_are_checked_at_the_edges() {
    use ClaimError::*;
    for (claims, now, expected) in [
        (json!({"exp":100}), 99, Ok(())),
        (json!({"exp":100}), 104, Ok(())),
        (json!({"exp":100}), 105, Err(Expired)),
        (json!({"exp":100.9}), 104, Ok(())),
        (json!({"exp":100.9}), 105, Err(Expired)),
        (json!({"exp":100,"nbf":60}), 54, Err(NotYet)),
        (json!({"exp":100,"nbf":60}), 55, Ok(())),
        (json!({"exp":100,"iat":61}), 55, Err(NotYet)),
        (json!({}), 1, Err(Missing("exp"))),
        (json!({"exp":"100"}), 1, Err(Malformed("exp"))),
        (json!({"exp":1e300}), 1, Err(Malformed("exp"))),
        (json!({"exp":18446744073709551615u64}), 1, Err(Malformed("exp"))),
        (json!({"exp":100,"nbf":null}), 1, Err(Malformed("nbf"))),
        (json!({"exp":i64::MIN}), i64::MAX, Err(Expired)),
    ] {
        assert_eq!(check_times(&object(claims.clone()), now, 5), expected, "{claims} at {now}");
    }
    for (claims, now, expected) in [
        (json!({"iat":100}), 165, Ok(())),
        (json!({"iat":100}), 166, Err(TooOld)),
        (json!({"iat":100}), 95, Ok(())),
        (json!({"iat":100}), 94, Err(NotYet)),
        (json!({}), 94, Err(Missing("iat"))),
    ] {
        assert_eq!(check_age(&object(claims.clone()), now, 60, 5), expected, "{claims} at {now}");
    }
}

#[test]
fn the_audience_is_us() {
    use Audience::{Includes, Only};
    for (aud, expected, outcome) in [
        (json!("me"), Includes("me"), Ok(())),
        (json!(["you", "me"]), Includes("me"), Ok(())),
        (json!(["you"]), Includes("me"), Err(ClaimError::Audience)),
        (json!([]), Includes("me"), Err(ClaimError::Audience)),
        (json!(["me", 1]), Includes("me"), Err(ClaimError::Malformed("aud"))),
        (json!("me2"), Includes("me"), Err(ClaimError::Audience)),
        (json!("me"), Only("me"), Ok(())),
        (json!(["me"]), Only("me"), Err(ClaimError::Audience)),
        (json!("ME"), Only("me"), Err(ClaimError::Audience)),
        (json!(1), Only("me"), Err(ClaimError::Malformed("aud"))),
    ] {
        assert_eq!(check_audience(&object(json!({ "aud": aud })), expected), outcome, "{aud}");
    }
    assert_eq!(check_audience(&object(json!({})), Only("me")), Err(ClaimError::Missing("aud")));
}
