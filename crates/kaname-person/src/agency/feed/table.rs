//! The only SQL of feeds, subscriptions and topics.

use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::keys::BlindIndex;

const KNOW: &str =
    "INSERT INTO agency_known (bucket, known) VALUES ($1, $2) ON CONFLICT (bucket, known) DO NOTHING";
const KNOWS: &str = "SELECT 1 FROM agency_known WHERE bucket = $1 AND known = $2";
const TOLD: &str = "SELECT n FROM agency_told WHERE bucket = $1 AND person = $2";
const TELL: &str = "INSERT INTO agency_told (bucket, person, n) VALUES ($1, $2, $3)
    ON CONFLICT (bucket, person) DO UPDATE SET n = excluded.n WHERE agency_told.n < excluded.n";
const HEAD: &str = "SELECT MAX(n) FROM agency_feed WHERE bucket = $1 AND agency = $2";
const GONE: &str = "SELECT gone FROM agency_feed_mark WHERE bucket = $1 AND agency = $2";
const MARK: &str = "INSERT INTO agency_feed_mark (bucket, agency, gone) VALUES ($1, $2, $3)
    ON CONFLICT (bucket, agency) DO UPDATE SET gone = excluded.gone WHERE agency_feed_mark.gone < excluded.gone";
const FORGET: &str = "DELETE FROM agency_feed WHERE bucket = $1 AND agency = $2 AND n <= $3";
const THERE: &str = "SELECT 1 FROM agency_feed WHERE bucket = $1 AND agency = $2 AND event = $3";
const APPEND: &str = "INSERT INTO agency_feed (bucket, agency, n, event, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, agency, n) DO NOTHING";
const AFTER: &str =
    "SELECT n, body FROM agency_feed WHERE bucket = $1 AND agency = $2 AND n > $3 ORDER BY n LIMIT $4";
const SUBSCRIPTIONS: &str = "SELECT id, state, queued, generation, position, body FROM agency_subscription
    WHERE bucket = $1 AND agency = $2 ORDER BY id";
const SUBSCRIBE: &str = "INSERT INTO agency_subscription (bucket, agency, id, state, queued, generation, position, body)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (bucket, agency, id) DO UPDATE SET
    state = excluded.state, queued = excluded.queued, generation = excluded.generation, position = excluded.position,
    body = excluded.body";
const UNSUBSCRIBE: &str = "DELETE FROM agency_subscription WHERE bucket = $1 AND agency = $2 AND id = $3";
const TOPICS: &str = "SELECT body FROM agency_topic WHERE bucket = $1 ORDER BY id";
const PUT_TOPIC: &str =
    "INSERT INTO agency_topic (bucket, id, body) VALUES ($1, $2, $3) ON CONFLICT (bucket, id) DO NOTHING";
const DROP_TOPIC: &str = "DELETE FROM agency_topic WHERE bucket = $1 AND id = $2";

/// A subscription's row.
#[derive(Clone)]
pub(crate) struct SubscriptionRow {
    pub(crate) id: BlindIndex,
    pub(crate) state: i64,
    pub(crate) queued: bool,
    pub(crate) generation: i64,
    pub(crate) position: i64,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn know(tx: &mut Tx<'_>, known: &BlindIndex) -> Result<(), StoreError> {
    tx.change(KNOW, &[known.into()]).map(drop)
}

pub(crate) fn knows(tx: &mut Tx<'_>, known: &BlindIndex) -> Result<bool, StoreError> {
    Ok(tx.row(KNOWS, &[known.into()])?.is_some())
}

pub(crate) fn told(tx: &mut Tx<'_>, person: &BlindIndex) -> Result<i64, StoreError> {
    tx.row(TOLD, &[person.into()])?.map_or(Ok(0), |row| row.int(0))
}

pub(crate) fn tell(tx: &mut Tx<'_>, person: &BlindIndex, n: i64) -> Result<(), StoreError> {
    tx.change(TELL, &[person.into(), n.into()]).map(drop)
}

/// The last place that was given, also when nothing of the feed is left.
pub(crate) fn head(tx: &mut Tx<'_>, agency: &BlindIndex) -> Result<i64, StoreError> {
    let last = tx.row(HEAD, &[agency.into()])?.map_or(Ok(None), |row| row.maybe_int(0))?;
    last.map_or_else(|| gone(tx, agency), Ok)
}

/// Up to which place the feed is no longer kept.
pub(crate) fn gone(tx: &mut Tx<'_>, agency: &BlindIndex) -> Result<i64, StoreError> {
    tx.row(GONE, &[agency.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// Forgets the feed up to a place, with it.
pub(crate) fn forget(tx: &mut Tx<'_>, agency: &BlindIndex, n: i64) -> Result<(), StoreError> {
    tx.change(FORGET, &[agency.into(), n.into()])?;
    tx.change(MARK, &[agency.into(), n.into()]).map(drop)
}

/// Appends one row after the last, unless the event is there; whether it was new. Whoever comes second at one place runs again.
pub(crate) fn append(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    event: &BlindIndex,
    body: &[u8],
) -> Result<bool, StoreError> {
    if tx.row(THERE, &[agency.into(), event.into()])?.is_some() {
        return Ok(false);
    }
    let n = head(tx, agency)? + 1;
    tx.change_one(APPEND, &[agency.into(), n.into(), event.into(), body.into()]).map(|()| true)
}

pub(crate) fn after(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
    n: i64,
    most: i64,
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let rows = tx.query(AFTER, &[agency.into(), n.into(), most.into()])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.bytes(1)?.to_vec()))).collect()
}

pub(crate) fn subscriptions(
    tx: &mut Tx<'_>,
    agency: &BlindIndex,
) -> Result<Vec<SubscriptionRow>, StoreError> {
    let one = |row: &Row| {
        Ok(SubscriptionRow {
            id: row.array(0)?,
            state: row.int(1)?,
            queued: row.int(2)? != 0,
            generation: row.int(3)?,
            position: row.int(4)?,
            body: row.bytes(5)?.to_vec(),
        })
    };
    tx.query(SUBSCRIPTIONS, &[agency.into()])?.iter().map(one).collect()
}

pub(crate) fn put(tx: &mut Tx<'_>, agency: &BlindIndex, row: &SubscriptionRow) -> Result<(), StoreError> {
    let args: [Value<'_>; 7] = [
        agency.into(),
        (&row.id).into(),
        row.state.into(),
        i64::from(row.queued).into(),
        row.generation.into(),
        row.position.into(),
        (&row.body).into(),
    ];
    tx.change_one(SUBSCRIBE, &args)
}

pub(crate) fn unsubscribe(tx: &mut Tx<'_>, agency: &BlindIndex, id: &BlindIndex) -> Result<bool, StoreError> {
    Ok(tx.change(UNSUBSCRIBE, &[agency.into(), id.into()])? == 1)
}

pub(crate) fn topics(tx: &mut Tx<'_>) -> Result<Vec<Vec<u8>>, StoreError> {
    tx.query(TOPICS, &[])?.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

pub(crate) fn put_topic(tx: &mut Tx<'_>, id: &BlindIndex, body: &[u8]) -> Result<(), StoreError> {
    tx.change(PUT_TOPIC, &[id.into(), body.into()]).map(drop)
}

pub(crate) fn drop_topic(tx: &mut Tx<'_>, id: &BlindIndex) -> Result<bool, StoreError> {
    Ok(tx.change(DROP_TOPIC, &[id.into()])? == 1)
}
