//! Messages between participants and the scheme: compact JWS (RFC 7515), so that what is checked is exactly what was sent. Each is
//! typed, addressed, dated and numbered (RFC 7519 `typ`, `aud`, `iat`, `jti`), and acted on once.

use kaname_base::{Amount, Instant};
use kaname_codec::jose::{
    Audience, Claims, Es256Key, JwkSet, Unverified, check_age, check_audience, sign_jwt,
};
use serde_json::Value;

use super::Refusal;
use super::participant::is_code;
use crate::ids::{digest, joined};

/// How old a message may be, in seconds, and how much clocks may differ.
pub const LONGEST_SECONDS: i64 = 300;
const LEEWAY_SECONDS: i64 = 60;

/// The most payments that one message names.
pub const MOST: usize = 25;

/// What a message is about. The first six come from participants; the others go to them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    /// Who holds the payee's account?
    Resolve,
    /// What would the payment cost?
    Quote,
    /// Reserve payments.
    Reserve,
    /// The payee's participant takes payments.
    Commit,
    /// The payee's participant does not take them.
    Abort,
    /// How does a payment stand?
    Status,
    /// Who holds this account of yours?
    Holder,
    /// Do you take this payment?
    Credit,
    /// What did you answer about this payment?
    Inquiry,
    /// This payment has come to its end.
    Outcome,
    /// What answers any of them.
    Answer,
}

impl Topic {
    /// The word in addresses: `POST …/<word>`.
    pub fn word(self) -> &'static str {
        match self {
            Topic::Resolve => "resolutions",
            Topic::Quote => "quotes",
            Topic::Reserve => "reservations",
            Topic::Commit => "commits",
            Topic::Abort => "aborts",
            Topic::Status => "inquiries",
            Topic::Holder => "holder",
            Topic::Credit => "credit",
            Topic::Inquiry => "inquiry",
            Topic::Outcome => "outcome",
            Topic::Answer => "answer",
        }
    }

    /// What participants send, by its word.
    pub fn from_participants(word: &str) -> Option<Topic> {
        let all = [Topic::Resolve, Topic::Quote, Topic::Reserve, Topic::Commit, Topic::Abort, Topic::Status];
        all.into_iter().find(|topic| topic.word() == word)
    }

    /// The media type in the header (RFC 8725 section 3.11).
    pub fn typ(self) -> String {
        format!("kaname-instant-{}+jwt", self.word())
    }
}

/// Who signs.
#[derive(Debug)]
pub struct Signer<'a> {
    /// By what name the other side knows it.
    pub name: &'a str,
    /// Its key.
    pub key: &'a Es256Key,
    /// The key's id.
    pub kid: &'a str,
}

impl Signer<'_> {
    /// A message to `to`. `id` must never have been used before; `content` is an object.
    pub fn sign(&self, topic: Topic, to: &str, now: Instant, id: &str, content: Value) -> String {
        let mut claims = match content {
            Value::Object(claims) => claims,
            other => Claims::from_iter([("content".to_owned(), other)]),
        };
        claims.insert("iss".to_owned(), self.name.into());
        claims.insert("aud".to_owned(), to.into());
        claims.insert("iat".to_owned(), now.seconds().into());
        claims.insert("jti".to_owned(), id.into());
        sign_jwt(self.key, self.kid, &topic.typ(), &claims)
    }
}

/// A message whose signature, address and age were checked.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who signed it.
    pub from: String,
    /// Its id, which is the sender's.
    pub id: String,
    /// What it says.
    pub claims: Claims,
}

/// Who says that it has signed a token: only for finding its keys.
///
/// # Errors
/// [`Refusal::MessageSignature`].
pub fn claimed_sender(token: &str) -> Result<String, Refusal> {
    let unverified = Unverified::parse(token).map_err(|_| Refusal::MessageSignature)?;
    let claims = unverified.unverified_claims().map_err(|_| Refusal::MessageSignature)?;
    let sender = text(&claims, "iss").filter(|sender| is_code(sender));
    sender.map(str::to_owned).ok_or(Refusal::MessageSignature)
}

/// Checks a message, in this order: form, type, key, signature, sender, audience, age, id.
///
/// # Errors
/// [`Refusal::MessageSignature`], [`Refusal::MessageStale`], [`Refusal::MessageForm`].
pub fn open(
    token: &str,
    topic: Topic,
    (from, keys): (&str, &JwkSet),
    us: &str,
    now: Instant,
) -> Result<Message, Refusal> {
    let unverified = Unverified::parse(token).map_err(|_| Refusal::MessageSignature)?;
    if !unverified.header().is_type(&topic.typ()) {
        return Err(Refusal::MessageForm);
    }
    let key = keys.find(unverified.header().kid.as_deref()).ok_or(Refusal::MessageSignature)?;
    let claims = unverified.verify(key).map_err(|_| Refusal::MessageSignature)?.into_inner();
    if text(&claims, "iss") != Some(from) {
        return Err(Refusal::MessageSignature);
    }
    check_audience(&claims, Audience::Only(us)).map_err(|_| Refusal::MessageStale)?;
    check_age(&claims, now.seconds(), LONGEST_SECONDS, LEEWAY_SECONDS).map_err(|_| Refusal::MessageStale)?;
    let id = text(&claims, "jti").filter(|id| (8..=64).contains(&id.len())).ok_or(Refusal::MessageForm)?;
    Ok(Message { from: from.to_owned(), id: id.to_owned(), claims })
}

impl Message {
    /// What stands for the message among those that were acted on.
    pub(super) fn mark(&self) -> [u8; 16] {
        let hash = digest(&[&joined(&[self.from.as_bytes(), self.id.as_bytes()])]);
        hash[..16].try_into().expect("32 bytes have 16")
    }

    /// Until when it could be sent again.
    pub(super) fn until(now: Instant) -> Instant {
        now.plus_seconds(LONGEST_SECONDS + 2 * LEEWAY_SECONDS)
    }

    /// A text of the message.
    ///
    /// # Errors
    /// [`Refusal::MessageForm`]; so for [`Message::part`].
    pub fn text(&self, name: &str) -> Result<&str, Refusal> {
        text(&self.claims, name).ok_or(Refusal::MessageForm)
    }

    /// A part of the message, read as a `T`.
    pub fn part<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Refusal> {
        let part = self.claims.get(name).cloned().ok_or(Refusal::MessageForm)?;
        serde_json::from_value(part).map_err(|_| Refusal::MessageForm)
    }
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// An amount as messages write it: minor units in decimal digits, with no sign and no zero before them, above nothing.
pub fn minor(text: &str) -> Option<Amount> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.len() <= 19;
    is_plain.then(|| text.parse().ok().and_then(Amount::from_minor)).flatten()
}
