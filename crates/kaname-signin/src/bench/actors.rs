//! The other side of a sign-in, played: a relying party with its key, and an authenticator with a passkey in it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use kaname_base::Instant;
use kaname_codec::b64;
use kaname_codec::jose::{Es256Key, sign_jwt};
use kaname_trust::keys::random;
use serde_json::{Value, json};

use crate::client::{Asked, Profile, Registration};
use crate::rules::Level;

/// A relying party.
pub struct Party {
    /// As it registers.
    pub registration: Registration,
    key: Es256Key,
}

/// The `kid` of a party's key.
pub const PARTY_KID: &str = "party-1";

impl Party {
    /// A party with a new key that may ask for a name and a date of birth.
    ///
    /// # Panics
    /// When there is no memory for a key.
    pub fn new(client_id: &str, profile: Profile) -> Party {
        let pkcs8 = Es256Key::generate().expect("a key is made");
        let key = Es256Key::from_pkcs8(&pkcs8).expect("a key that was just made is read");
        let asked =
            |attribute: &str, purpose: &str| Asked { attribute: attribute.into(), purpose: purpose.into() };
        let registration = Registration {
            client_id: client_id.to_owned(),
            names: vec![
                ("en".to_owned(), "City Library".to_owned()),
                ("ja".to_owned(), "市立図書館".to_owned()),
            ],
            redirect_uris: vec![format!("https://{client_id}.example/callback")],
            sector: format!("{client_id}.example"),
            jwks: json!({ "keys": [key.public().to_jwk(PARTY_KID)] }),
            profile,
            attributes: vec![asked("name", "identity-check"), asked("birth_date", "age-check")],
            level: Level::Letter,
            agency: None,
        };
        Party { registration, key }
    }

    /// The claims of a good client assertion for `audience`.
    pub fn claims(&self, audience: &str, now: Instant) -> Value {
        let id = &self.registration.client_id;
        json!({
            "iss": id, "sub": id, "aud": audience, "jti": b64::url_encode(&random::<16>()),
            "iat": now.seconds(), "exp": now.seconds() + 60,
        })
    }

    /// Signs claims as a client assertion.
    pub fn sign(&self, claims: &Value) -> String {
        sign_jwt(&self.key, PARTY_KID, "JWT", claims)
    }

    /// The parameters that prove who it is.
    pub fn proof(&self, assertion: String) -> Vec<(String, String)> {
        pairs(&[
            ("client_id", &self.registration.client_id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ])
    }

    /// The parameters of a request, for the verifier `verifier`.
    pub fn request(&self, verifier: &str) -> Vec<(String, String)> {
        let challenge = b64::url_encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        pairs(&[
            ("client_id", &self.registration.client_id),
            ("redirect_uri", &self.registration.redirect_uris[0]),
            ("response_type", "code"),
            ("scope", "openid name birth_date"),
            ("state", "a state of the party's"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
    }

    /// The parameters that redeem a code.
    pub fn redeeming(&self, code: &str, verifier: &str) -> Vec<(String, String)> {
        pairs(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.registration.redirect_uris[0]),
            ("code_verifier", verifier),
        ])
    }
}

/// A new PKCE verifier.
pub fn verifier() -> String {
    b64::url_encode(&random::<32>())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An authenticator with one passkey.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: [u8; 16],
    rp_id: String,
    origin: String,
    user_handle: Vec<u8>,
    /// Flags of the authenticator data: user present and verified, unless a test says otherwise.
    pub flags: u8,
    /// The signature counter; 0 means that it does not count.
    pub count: u32,
}

impl Authenticator {
    /// Answers the options of a registration; returns the authenticator and the answer's JSON.
    ///
    /// # Panics
    /// When the options are not what [`crate::passkey::begin_registration`] gives.
    pub fn create(options: &Value, origin: &str) -> (Authenticator, String) {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .expect("a key is made");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref())
            .expect("a key that was just made is read");
        let text = |value: &Value| value.as_str().expect("an option is a text").to_owned();
        let user_handle = b64::url_decode(&text(&options["user"]["id"])).expect("the handle is base64url");
        let rp_id = text(&options["rp"]["id"]);
        let authenticator = Authenticator {
            key,
            id: random(),
            rp_id,
            origin: origin.to_owned(),
            user_handle,
            flags: 0x05,
            count: 0,
        };
        let client_data = authenticator.client_data("webauthn.create", &text(&options["challenge"]));
        let data = authenticator.data(0x40 | authenticator.flags, &authenticator.attested());
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("the data are shorter than 256 bytes"));
        object.extend_from_slice(&data);
        let answer = json!({
            "id": b64::url_encode(&authenticator.id), "type": "public-key",
            "response": {
                "clientDataJSON": b64::url_encode(client_data.as_bytes()),
                "attestationObject": b64::url_encode(&object),
            },
        });
        (authenticator, answer.to_string())
    }

    /// Answers the options of a sign-in with the answer's JSON.
    ///
    /// # Panics
    /// When the options are not what a [`crate::authorize::SignInPage`] carries.
    pub fn get(&self, options: &Value) -> String {
        let challenge = options["challenge"].as_str().expect("the options have a challenge");
        let client_data = self.client_data("webauthn.get", challenge);
        let data = self.data(self.flags, &[]);
        let signed = [&data[..], digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a parsed key signs");
        let answer = json!({
            "id": b64::url_encode(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": b64::url_encode(client_data.as_bytes()),
                "authenticatorData": b64::url_encode(&data),
                "signature": b64::url_encode(signature.as_ref()),
                "userHandle": b64::url_encode(&self.user_handle),
            },
        });
        answer.to_string()
    }

    fn client_data(&self, kind: &str, challenge: &str) -> String {
        let data =
            json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false });
        data.to_string()
    }

    fn data(&self, flags: u8, attested: &[u8]) -> Vec<u8> {
        let rp = digest(&SHA256, self.rp_id.as_bytes());
        [rp.as_ref(), &[flags], &self.count.to_be_bytes(), attested].concat()
    }

    /// AAGUID, credential id and COSE key (ES256).
    fn attested(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..]);
        [&[0; 16][..], &[0, 16], &self.id, b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y]
            .concat()
    }
}
