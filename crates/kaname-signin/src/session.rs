//! Browser sessions: one cookie, new at every sign-in, ended by time, by the holder, or by the next sign-in.

use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_store::Tx;
use kaname_trust::TrustError;
use kaname_trust::keys::{BlindIndex, random};
use serde::{Deserialize, Serialize};

use crate::consent::{self, Agreed};
use crate::history::{self, Entry};
use crate::holder::{Holder, HolderRow, Sealer, unwrap, wrap};
use crate::provider::Provider;
use crate::request::Request;
use crate::rules::{Level, Means};
use crate::ticket::{RowKey, Ticket, same};
use crate::{Refusal, SigninError, rules, table};

/// A session that was found valid, at the time of the request. Nothing else makes one: it is the proof that its holder signed in.
pub struct Session {
    ticket: Ticket,
    version: i64,
    body: Body,
    holder: Holder,
    csrf: String,
}

/// The value of a session cookie. Send it `Secure`, `HttpOnly`, `SameSite=Lax`, with the prefix `__Host-`.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie(pub(crate) String);

/// Who signed in, how and when, for the steps of a sign-in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authentication {
    pub(crate) holder: HolderRow,
    pub(crate) means: Means,
    pub(crate) at: Instant,
    /// The sign-in that it was made for.
    pub(crate) interaction: Option<RowKey>,
}

/// A session, as its holder sees it in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionLine {
    /// For [`end_other`]. It opens nothing.
    pub reference: String,
    /// How she signed in.
    pub means: Means,
    /// When.
    pub since: Instant,
    /// When something was done in it last, to the minute.
    pub seen: Instant,
    /// Which browser, in words.
    pub agent: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A session's ticket and its holder's name in this block.
pub(crate) type Place = (Ticket, [u8; 16]);

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "crate::bytes")]
    cookie: BlindIndex,
    holder: HolderRow,
    means: Means,
    at: Instant,
    seen: Instant,
    agent: String,
    /// The sign-in that made it, so that it is written into the history once.
    #[serde(with = "crate::bytes::maybe")]
    interaction: Option<RowKey>,
    /// Sent to a new passkey, and taken by the first answer.
    #[serde(with = "crate::bytes::maybe")]
    challenge: Option<[u8; 32]>,
}

const KIND: &str = "signin.session";
const COOKIE: &str = "signin.cookie";
const CSRF: &str = "signin.csrf";
/// A session is written again at most so often, in seconds.
const SEEN_SECONDS: i64 = 60;
/// With the code of the letter in hand, passkeys can be registered for so long, in seconds.
const ACTIVATION_SECONDS: i64 = 1_800;

impl Cookie {
    /// The text of the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The secret stays out of logs.
impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cookie(…)")
    }
}

impl Session {
    /// Who signed in.
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// How.
    pub fn means(&self) -> Means {
        self.body.means
    }

    /// How sure it is.
    pub fn level(&self) -> Level {
        self.body.means.level()
    }

    /// When.
    pub fn since(&self) -> Instant {
        self.body.at
    }

    /// Stands in a hidden field of every form; see [`Session::check_form`].
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Checks that a form comes from a page of this session.
    ///
    /// # Errors
    /// [`Refusal::FormForged`].
    pub fn check_form(&self, csrf: &str) -> Result<(), Refusal> {
        if same(csrf.as_bytes(), self.csrf.as_bytes()) { Ok(()) } else { Err(Refusal::FormForged) }
    }

    pub(crate) fn authentication(&self) -> Authentication {
        let Body { holder, means, at, interaction, .. } = self.body;
        Authentication { holder, means, at, interaction }
    }

    pub(crate) fn row(&self) -> [u8; 16] {
        self.body.holder.row
    }

    pub(crate) fn bucket(&self) -> kaname_base::Bucket {
        self.ticket.bucket
    }

    pub(crate) fn was_made_by(&self, interaction: &RowKey) -> bool {
        self.body.interaction.as_ref() == Some(interaction)
    }

    /// Where its row is: whoever signs in after her in the same browser may be somebody else.
    pub(crate) fn place(&self) -> Place {
        (self.ticket, self.row())
    }

    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Whether she may change how she signs in: with a passkey, or right after activation. The grid alone may not make
    /// itself a passkey, as that would raise its level.
    pub(crate) fn may_change_means(&self, now: Instant) -> Result<(), Refusal> {
        let just_activated =
            self.body.means == Means::Activation && now < self.body.at.plus_seconds(ACTIVATION_SECONDS);
        if self.level() >= Level::Passkey || just_activated { Ok(()) } else { Err(Refusal::StepUp) }
    }
}

/// The session of a cookie.
///
/// # Errors
/// [`Refusal::SessionNeeded`] when there is none, it was ended, or its time is over.
pub fn open(provider: &Provider, env: &Env, cookie: &str) -> Result<Session, SigninError> {
    let ticket = Ticket::parse(cookie, provider.buckets()).ok_or(Refusal::SessionNeeded)?;
    let (with, now) = (provider.clone(), env.now);
    let session = provider.store().read(ticket.bucket, move |tx| read(tx, &with, &ticket, now))?;
    if now < session.body.seen.plus_seconds(SEEN_SECONDS) {
        return Ok(session);
    }
    let with = provider.clone();
    provider.store().write(ticket.bucket, move |tx| {
        let mut session = read(tx, &with, &ticket, now)?;
        session.body.seen = now;
        replace(tx, &with, &mut session)?;
        Ok(session)
    })
}

/// The holder's sessions, the latest first.
///
/// # Errors
/// [`SigninError::Store`].
pub fn list(provider: &Provider, env: &Env, session: &Session) -> Result<Vec<SessionLine>, SigninError> {
    let (with, now, row, this) = (provider.clone(), env.now, session.row(), session.ticket.row);
    let mut lines: Vec<SessionLine> = provider.store().read(session.bucket(), move |tx| {
        let mut lines = Vec::new();
        for (key, body) in table::sessions_of(tx, &row)? {
            let body: Body = unwrap(with.keys(), KIND, &key, &body)?;
            if body.is_over(&with, now) {
                continue;
            }
            lines.push(SessionLine {
                reference: b64::url_encode(&key),
                means: body.means,
                since: body.at,
                seen: body.seen,
                agent: body.agent,
                is_this: key == this,
            });
        }
        Ok::<_, SigninError>(lines)
    })?;
    lines.sort_by_key(|line| std::cmp::Reverse(line.since));
    Ok(lines)
}

/// Signs out.
///
/// # Errors
/// [`SigninError::Store`].
pub fn end(provider: &Provider, session: &Session) -> Result<(), SigninError> {
    let (row, holder) = (session.ticket.row, session.row());
    provider.store().write(session.bucket(), move |tx| {
        table::delete_session(tx, &row, &holder)?;
        Ok(())
    })
}

/// Ends another session of the same holder.
///
/// # Errors
/// [`Refusal::NoSuchSession`], also for a session of somebody else.
pub fn end_other(provider: &Provider, session: &Session, reference: &str) -> Result<(), SigninError> {
    let row: RowKey = b64::url_decode_array(reference).map_err(|_| Refusal::NoSuchSession)?;
    let holder = session.row();
    provider.store().write(session.bucket(), move |tx| match table::delete_session(tx, &row, &holder)? {
        0 => Err(Refusal::NoSuchSession.into()),
        _ => Ok(()),
    })
}

/// How somebody comes in.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) holder: Holder,
    pub(crate) means: Means,
    /// What a party asks for, to which she is on her way; none for our own pages.
    pub(crate) request: Option<Request>,
    pub(crate) interaction: Option<RowKey>,
    pub(crate) agent: String,
    /// The session of this browser until now. It ends: a sign-in never goes on in a session that others may know.
    pub(crate) replaces: Option<Place>,
    /// The authenticator's counter did not advance.
    pub(crate) maybe_copied: bool,
}

/// A session that was just made, and what its holder agreed to earlier.
pub(crate) struct Entered {
    pub(crate) session: Session,
    pub(crate) agreed: Option<Agreed>,
}

/// Makes a session and a line in the history. Runs in the holder's bucket, so what she agreed to earlier is found on the way.
pub(crate) fn enter(
    tx: &mut Tx<'_>,
    provider: &Provider,
    env: &Env,
    entrance: &Entrance,
) -> Result<Entered, SigninError> {
    let keys = provider.keys();
    let holder = entrance.holder.row(keys);
    let ticket = Ticket::new(tx.bucket());
    let body = Body {
        cookie: ticket.mac(keys, COOKIE),
        holder,
        means: entrance.means,
        at: env.now,
        seen: env.now,
        agent: entrance.agent.chars().take(80).collect(),
        interaction: entrance.interaction,
        challenge: None,
    };
    let entry = Entry {
        at: env.now,
        party: entrance.request.as_ref().map(|request| request.client_id.clone()),
        means: entrance.means,
        new_session: true,
        maybe_copied: entrance.maybe_copied,
    };
    let agreed = match &entrance.request {
        Some(request) => consent::found(tx, keys, holder, request)?,
        None => None,
    };
    let sealer = match Sealer::of(tx, keys, entrance.holder) {
        // She was erased: what is left of the account opens nothing.
        Err(TrustError::NoSuchHolder) => return Err(Refusal::NoAccount.into()),
        sealer => sealer?,
    };

    // In another bucket the caller ends it.
    if let Some((old, of)) = entrance.replaces.filter(|(old, _)| old.bucket == ticket.bucket) {
        table::delete_session(tx, &old.row, &of)?;
    }
    let wrapped = wrap(keys, KIND, &ticket.row, &body);
    let until = rules::coarse(env.now.plus_seconds(provider.config().session_seconds));
    table::insert_session(tx, &ticket.row, &holder.row, until, &wrapped)?;
    history::append(tx, &holder.row, &sealer, &entry)?;
    let session =
        Session { csrf: csrf(provider, &ticket), ticket, version: 1, body, holder: entrance.holder };
    Ok(Entered { session, agreed })
}

impl Session {
    /// The cookie; only the step that made the session gives it out.
    pub(crate) fn cookie(&self) -> Cookie {
        Cookie(self.ticket.text())
    }
}

/// Puts a new challenge for registering a passkey into the session.
pub(crate) fn put_challenge(
    provider: &Provider,
    env: &Env,
    session: &Session,
) -> Result<[u8; 32], SigninError> {
    let (with, now, ticket, challenge) = (provider.clone(), env.now, session.ticket, random::<32>());
    provider.store().write(ticket.bucket, move |tx| {
        let mut session = read(tx, &with, &ticket, now)?;
        session.body.challenge = Some(challenge);
        replace(tx, &with, &mut session)?;
        Ok::<_, SigninError>(challenge)
    })
}

/// Takes the challenge out of the session: no second answer can be given to it.
pub(crate) fn take_challenge(
    tx: &mut Tx<'_>,
    provider: &Provider,
    env: &Env,
    ticket: &Ticket,
) -> Result<[u8; 32], SigninError> {
    let mut session = read(tx, provider, ticket, env.now)?;
    let challenge = session.body.challenge.take().ok_or(Refusal::PasskeyInvalid)?;
    replace(tx, provider, &mut session)?;
    Ok(challenge)
}

impl Body {
    fn is_over(&self, provider: &Provider, now: Instant) -> bool {
        let config = provider.config();
        now >= self.at.plus_seconds(config.session_seconds)
            || now >= self.seen.plus_seconds(config.session_idle_seconds)
    }
}

pub(crate) fn read(
    tx: &mut Tx<'_>,
    provider: &Provider,
    ticket: &Ticket,
    now: Instant,
) -> Result<Session, SigninError> {
    let keys = provider.keys();
    let (version, body) = table::session(tx, &ticket.row)?.ok_or(Refusal::SessionNeeded)?;
    let body: Body = unwrap(keys, KIND, &ticket.row, &body)?;
    if !ticket.is(keys, COOKIE, &body.cookie) || body.is_over(provider, now) {
        return Err(Refusal::SessionNeeded.into());
    }
    let holder = body.holder.holder(keys);
    Ok(Session { csrf: csrf(provider, ticket), ticket: *ticket, version, body, holder })
}

fn replace(tx: &mut Tx<'_>, provider: &Provider, session: &mut Session) -> Result<(), SigninError> {
    let body = wrap(provider.keys(), KIND, &session.ticket.row, &session.body);
    table::replace_session(tx, &session.ticket.row, session.version, &body)?;
    session.version += 1;
    Ok(())
}

fn csrf(provider: &Provider, ticket: &Ticket) -> String {
    b64::url_encode(&ticket.mac(provider.keys(), CSRF))
}
