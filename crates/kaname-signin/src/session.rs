//! Browser sessions: one cookie, new at every sign-in, ended by time, by the holder, or by the next sign-in.

use std::sync::Arc;

use kaname_base::{Bucket, Env, Instant};
use kaname_codec::b64;
use kaname_store::Tx;
use kaname_trust::keys::random;
use kaname_trust::{Keys, TrustError};

use crate::consent::{self, Agreed};
use crate::handout::Handout;
use crate::history::{self, Entry};
use crate::holder::{Holder, HolderRow, Sealer};
use crate::interaction::{Requested, SignInId};
use crate::packed::{Packed, packed};
use crate::provider::Provider;
use crate::rules::{Level, Means, same};
use crate::{Refusal, SigninError, rules, table};

/// A session that was found valid, at the time of the request. Nothing else makes one: it is the proof that its holder signed in.
pub struct Session {
    place: Place,
    version: i64,
    body: Body,
    holder: Holder,
    bucket: Bucket,
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
    pub(crate) sign_in: Option<SignInId>,
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

/// Where a session's row is, in its holder's bucket. Sealed, it is the cookie: who has a copy of the database has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) holder: HolderRow,
    pub(crate) session: RowKey,
}

/// The key of a session among its holder's.
pub(crate) type RowKey = [u8; 16];

struct Body {
    means: Means,
    at: Instant,
    seen: Instant,
    agent: String,
    /// The sign-in that made it, so that it is written into the history once.
    sign_in: Option<SignInId>,
    /// Sent to a new passkey, and taken by the first answer.
    challenge: Option<[u8; 32]>,
}

packed!(Place { holder, session });
packed!(Body { means, at, seen, agent, sign_in, challenge });

impl Handout for Place {
    const PURPOSE: &'static str = "signin.cookie 1";
}

const KIND: &[u8] = b"signin.session 1\0";
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
        self.body.authentication(self.place.holder)
    }

    pub(crate) fn row(&self) -> [u8; 16] {
        self.place.holder.row
    }

    pub(crate) fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// Where its row is: whoever signs in after her in the same browser may be somebody else.
    pub(crate) fn place(&self) -> Place {
        self.place
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
    let place = Place::take_back(provider.keys(), cookie).ok_or(Refusal::SessionNeeded)?;
    let bucket = place.holder.holder(provider.keys()).bucket(provider.buckets());
    let bucket = bucket.ok_or(Refusal::SessionNeeded)?;
    let (with, now) = (provider.clone(), env.now);
    let session = provider.store().read(bucket, move |tx| read(tx, &with, &place, now))?;
    if now < session.body.seen.plus_seconds(SEEN_SECONDS) {
        return Ok(session);
    }
    let with = provider.clone();
    provider.store().write(bucket, move |tx| {
        let mut session = read(tx, &with, &place, now)?;
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
    let (with, now, this) = (provider.clone(), env.now, session.place);
    let mut lines: Vec<SessionLine> = provider.store().read(session.bucket(), move |tx| {
        let mut lines = Vec::new();
        for (key, body) in table::sessions_of(tx, &this.holder.row)? {
            let body = open_body(with.keys(), &Place { session: key, ..this }, &body)?;
            if body.is_over(&with, now) {
                continue;
            }
            lines.push(SessionLine {
                reference: b64::url_encode(&key),
                means: body.means,
                since: body.at,
                seen: body.seen,
                agent: body.agent,
                is_this: key == this.session,
            });
        }
        Ok::<_, SigninError>(lines)
    })?;
    lines.sort_by_key(|line| std::cmp::Reverse(line.since));
    Ok(lines)
}

/// Every session of a holder that is kept: when it began, when it was used last, how, and from which device.
pub(crate) fn all_of(
    tx: &mut Tx<'_>,
    keys: &Keys,
    holder: HolderRow,
) -> Result<Vec<(Instant, Instant, Means, String)>, SigninError> {
    let mut all = Vec::new();
    for (session, sealed) in table::sessions_of(tx, &holder.row)? {
        let body = open_body(keys, &Place { holder, session }, &sealed)?;
        all.push((body.at, body.seen, body.means, body.agent));
    }
    Ok(all)
}

/// Signs out.
///
/// # Errors
/// [`SigninError::Store`].
pub fn end(provider: &Provider, session: &Session) -> Result<(), SigninError> {
    let Place { holder, session: key } = session.place;
    provider.store().write(session.bucket, move |tx| {
        table::delete_session(tx, &holder.row, &key)?;
        Ok(())
    })
}

/// Ends another session of the same holder.
///
/// # Errors
/// [`Refusal::NoSuchSession`], also for a session of somebody else.
pub fn end_other(provider: &Provider, session: &Session, reference: &str) -> Result<(), SigninError> {
    let key: RowKey = b64::url_decode_array(reference).map_err(|_| Refusal::NoSuchSession)?;
    let holder = session.row();
    provider.store().write(session.bucket, move |tx| match table::delete_session(tx, &holder, &key)? {
        0 => Err(Refusal::NoSuchSession.into()),
        _ => Ok(()),
    })
}

/// How somebody comes in.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) holder: Holder,
    pub(crate) means: Means,
    /// The sign-in that she comes from; none on the day her account is activated.
    pub(crate) requested: Option<Arc<Requested>>,
    /// Whether she has answered the challenge of that sign-in.
    pub(crate) has_answered: bool,
    pub(crate) agent: String,
    /// The session of this browser until now. It ends: a sign-in never goes on in a session that others may know.
    pub(crate) replaces: Option<(Bucket, Place)>,
    /// The authenticator's counter did not advance.
    pub(crate) maybe_copied: bool,
}

/// A session that was just made, and what its holder agreed to earlier if that is all the party waits for.
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
    let place = Place { holder, session: random() };
    let body = Body {
        means: entrance.means,
        at: env.now,
        seen: env.now,
        agent: entrance.agent.chars().take(80).collect(),
        sign_in: entrance.requested.as_ref().map(|requested| requested.id),
        challenge: None,
    };
    let request = entrance.requested.as_ref().and_then(|requested| requested.request());
    let entry = Entry {
        at: env.now,
        party: request.map(|request| request.client_id.clone()),
        means: entrance.means,
        new_session: true,
        maybe_copied: entrance.maybe_copied,
    };
    let by = body.authentication(holder);
    let satisfied = |requested: &Arc<Requested>| requested.satisfied_by(&by, env.now).is_ok();
    let agreed = match request.filter(|_| entrance.requested.as_ref().is_some_and(satisfied)) {
        Some(request) => consent::found(tx, keys, holder, request)?,
        None => None,
    };
    let sealer = match Sealer::of(tx, keys, entrance.holder) {
        // She was erased: what is left of the account opens nothing.
        Err(TrustError::NoSuchHolder) => return Err(Refusal::NoAccount.into()),
        sealer => sealer?,
    };

    if let Some(turn) = entrance.requested.as_ref().map(|requested| requested.turn(provider, holder)) {
        match (entrance.has_answered, agreed.is_some()) {
            (true, true) => turn.answer_and_finish(tx)?,
            (true, false) => turn.answer(tx)?,
            (false, true) => turn.finish(tx)?,
            (false, false) => {}
        }
    }
    // In another bucket the caller ends it.
    if let Some((_, old)) = entrance.replaces.filter(|(bucket, _)| *bucket == tx.bucket()) {
        table::delete_session(tx, &old.holder.row, &old.session)?;
    }
    let until = rules::coarse(env.now.plus_seconds(provider.config().session_seconds));
    table::insert_session(tx, &holder.row, &place.session, until, &seal_body(provider, &place, &body))?;
    history::append(tx, &holder.row, &sealer, &entry)?;
    let session = Session {
        csrf: csrf(provider, &place),
        place,
        version: 1,
        body,
        holder: entrance.holder,
        bucket: tx.bucket(),
    };
    Ok(Entered { session, agreed })
}

impl Session {
    /// The cookie; only the step that made the session gives it out.
    pub(crate) fn cookie(&self, provider: &Provider) -> Cookie {
        Cookie(self.place.hand_out(provider.keys()))
    }
}

/// Puts a new challenge for registering a passkey into the session.
pub(crate) fn put_challenge(
    provider: &Provider,
    env: &Env,
    session: &Session,
) -> Result<[u8; 32], SigninError> {
    let (with, now, place, challenge) = (provider.clone(), env.now, session.place, random::<32>());
    provider.store().write(session.bucket, move |tx| {
        let mut session = read(tx, &with, &place, now)?;
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
    place: &Place,
) -> Result<[u8; 32], SigninError> {
    let mut session = read(tx, provider, place, env.now)?;
    let challenge = session.body.challenge.take().ok_or(Refusal::PasskeyInvalid)?;
    replace(tx, provider, &mut session)?;
    Ok(challenge)
}

impl Body {
    fn authentication(&self, holder: HolderRow) -> Authentication {
        let Body { means, at, sign_in, .. } = *self;
        Authentication { holder, means, at, sign_in }
    }

    fn is_over(&self, provider: &Provider, now: Instant) -> bool {
        let config = provider.config();
        now >= self.at.plus_seconds(config.session_seconds)
            || now >= self.seen.plus_seconds(config.session_idle_seconds)
    }
}

pub(crate) fn read(
    tx: &mut Tx<'_>,
    provider: &Provider,
    place: &Place,
    now: Instant,
) -> Result<Session, SigninError> {
    let found = table::session(tx, &place.holder.row, &place.session)?;
    let (version, body) = found.ok_or(Refusal::SessionNeeded)?;
    let body = open_body(provider.keys(), place, &body)?;
    if body.is_over(provider, now) {
        return Err(Refusal::SessionNeeded.into());
    }
    let holder = place.holder.holder(provider.keys());
    let (place, bucket) = (*place, tx.bucket());
    Ok(Session { csrf: csrf(provider, &place), place, version, body, holder, bucket })
}

fn replace(tx: &mut Tx<'_>, provider: &Provider, session: &mut Session) -> Result<(), SigninError> {
    let Place { holder, session: key } = &session.place;
    let body = seal_body(provider, &session.place, &session.body);
    table::replace_session(tx, &holder.row, key, session.version, &body)?;
    session.version += 1;
    Ok(())
}

fn seal_body(provider: &Provider, place: &Place, body: &Body) -> Vec<u8> {
    let mut plain = Vec::with_capacity(128);
    body.pack(&mut plain);
    provider.keys().hand_out(&context(place), &plain)
}

fn open_body(keys: &Keys, place: &Place, sealed: &[u8]) -> Result<Body, SigninError> {
    let plain = keys.take_back(&context(place), sealed).ok_or(TrustError::BrokenSeal)?;
    Ok(Body::unpack(&mut plain.as_slice()).ok_or(TrustError::Unreadable("signin.session"))?)
}

fn context(place: &Place) -> Vec<u8> {
    [KIND, &place.holder.row, &place.session].concat()
}

fn csrf(provider: &Provider, place: &Place) -> String {
    let session = [&place.holder.row[..], &place.session].concat();
    b64::url_encode(&provider.keys().blind_index(CSRF, &session))
}
