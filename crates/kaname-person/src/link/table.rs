//! The only SQL about links.

use kaname_store::bulk::{Insert, Lookup, Type};
use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::PersonId;
use kaname_trust::keys::BlindIndex;

use super::{LinkId, LinkState};

const NEW_LINKS: Insert = Insert {
    table: "person_link",
    columns: &[
        ("id", Type::Bytes),
        ("link", Type::Bytes),
        ("slot", Type::Bytes),
        ("outside", Type::Bytes),
        ("state", Type::Int),
        ("version", Type::Int),
        ("sealed", Type::Bytes),
    ],
    skip_existing: false,
};
const LINK: &str = "SELECT id, link, slot, outside, state, version, sealed FROM person_link
    WHERE bucket = $1 AND id = $2 AND link = $3";
const LINKS_OF: &str = "SELECT id, link, slot, outside, state, version, sealed FROM person_link
    WHERE bucket = $1 AND id = $2 ORDER BY link";
const LINKS_BETWEEN: &str = "SELECT id, link, slot, outside, state, version, sealed FROM person_link
    WHERE bucket = $1 AND id > $2 AND id <= $3 ORDER BY id, link";
const REPLACE_LINK: &str = "UPDATE person_link SET state = $5, sealed = $6, version = version + 1
    WHERE bucket = $1 AND id = $2 AND link = $3 AND version = $4";

/// A link's row.
#[derive(Clone)]
pub(crate) struct LinkRow {
    pub(crate) person: PersonId,
    pub(crate) link: LinkId,
    pub(crate) slot: BlindIndex,
    pub(crate) outside: BlindIndex,
    pub(crate) state: LinkState,
    pub(crate) version: i64,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) fn insert_links(tx: &mut Tx<'_>, links: &[LinkRow]) -> Result<(), StoreError> {
    let rows: Vec<_> = links
        .iter()
        .map(|row| {
            [
                Value::from(&row.person),
                Value::from(&row.link),
                Value::from(&row.slot),
                Value::from(&row.outside),
                Value::Int(row.state.code()),
                Value::Int(row.version),
                Value::from(&row.sealed),
            ]
        })
        .collect();
    tx.insert_many(&NEW_LINKS, &rows).map(drop)
}

pub(crate) fn link(tx: &mut Tx<'_>, person: PersonId, link: LinkId) -> Result<Option<LinkRow>, StoreError> {
    tx.row(LINK, &[Value::from(&person), Value::from(&link)])?.as_ref().map(link_row).transpose()
}

pub(crate) fn links_of(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<LinkRow>, StoreError> {
    tx.query(LINKS_OF, &[Value::from(&person)])?.iter().map(link_row).collect()
}

/// The links of people after `after`, up to `last`: for runs over everyone.
pub(crate) fn links_between(
    tx: &mut Tx<'_>,
    after: &[u8],
    last: PersonId,
) -> Result<Vec<LinkRow>, StoreError> {
    tx.query(LINKS_BETWEEN, &[Value::Bytes(after), Value::from(&last)])?.iter().map(link_row).collect()
}

/// Compares the version that was read, and sets state and seal.
pub(crate) fn replace_link(tx: &mut Tx<'_>, row: &LinkRow) -> Result<(), StoreError> {
    let args = [
        Value::from(&row.person),
        Value::from(&row.link),
        Value::Int(row.version),
        Value::Int(row.state.code()),
        Value::from(&row.sealed),
    ];
    tx.change_one(REPLACE_LINK, &args)
}

fn link_row(row: &Row) -> Result<LinkRow, StoreError> {
    Ok(LinkRow {
        person: row.id(0)?,
        link: row.id(1)?,
        slot: row.array(2)?,
        outside: row.array(3)?,
        state: LinkState::from_code(row.int(4)?).ok_or(StoreError::Type(4))?,
        version: row.int(5)?,
        sealed: row.bytes(6)?.to_vec(),
    })
}

const ENTRIES: Lookup = Lookup {
    table: "person_link_directory",
    keys: &[("outside", Type::Bytes)],
    columns: &["state", "id", "link", "content", "run", "line", "turn", "opened", "version"],
};
const NEW_ENTRIES: Insert = Insert {
    table: "person_link_directory",
    columns: &[
        ("outside", Type::Bytes),
        ("state", Type::Int),
        ("id", Type::Bytes),
        ("link", Type::Bytes),
        ("content", Type::Bytes),
        ("run", Type::Bytes),
        ("line", Type::Int),
        ("turn", Type::Int),
        ("opened", Type::Bytes),
        ("version", Type::Int),
    ],
    skip_existing: false,
};
const REPLACE_ENTRY: &str = "UPDATE person_link_directory SET state = $4, id = $5, link = $6, content = $7,
    run = $8, line = $9, turn = $10, opened = $11, version = version + 1
    WHERE bucket = $1 AND outside = $2 AND version = $3";
const IN_REVIEW: &str = "SELECT outside, opened FROM person_link_directory
    WHERE bucket = $1 AND state = 1 ORDER BY outside LIMIT $2";
const CUT_OFF: &str = "SELECT outside, opened FROM person_link_directory
    WHERE bucket = $1 AND state = 2 AND opened <> $2 ORDER BY outside LIMIT $3";

/// What the directory says of an outside record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// An officer is to look.
    Review,
    /// It is promised to somebody; the link may be there or not yet.
    Claimed,
    /// It is somebody's.
    Linked,
    /// It was nobody's.
    Refused,
    /// It was wrongly somebody's.
    Free,
}

const STANDINGS: [(Standing, i64); 5] = [
    (Standing::Review, 1),
    (Standing::Claimed, 2),
    (Standing::Linked, 3),
    (Standing::Refused, 4),
    (Standing::Free, 5),
];

/// A row of the directory.
#[derive(Clone)]
pub(crate) struct EntryRow {
    pub(crate) outside: BlindIndex,
    pub(crate) standing: Standing,
    /// Whose it is, by which link.
    pub(crate) owner: Option<(PersonId, LinkId)>,
    pub(crate) content: BlindIndex,
    pub(crate) run: BlindIndex,
    pub(crate) line: i64,
    pub(crate) turn: i64,
    pub(crate) opened: Vec<u8>,
    /// 0 when it is not there yet.
    pub(crate) version: i64,
}

pub(crate) fn entries(tx: &mut Tx<'_>, outside: &[BlindIndex]) -> Result<Vec<Option<EntryRow>>, StoreError> {
    let keys: Vec<_> = outside.iter().map(|index| [Value::from(index)]).collect();
    let rows = tx.look_up_many(&ENTRIES, &keys)?;
    outside.iter().zip(rows).map(|(index, row)| row.map(|row| entry_row(*index, &row)).transpose()).collect()
}

/// Writes rows: new ones are inserted, the others compared and set.
pub(crate) fn put_entries(tx: &mut Tx<'_>, rows: &[EntryRow]) -> Result<(), StoreError> {
    let (new, old): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.version == 0);
    // PostgreSQL remembers in which order rows came: not in that of the agency's list.
    let mut new = new;
    new.sort_by_key(|row| row.outside);
    let cells: Vec<_> = new
        .iter()
        .map(|row| {
            let [state, id, link, content, run, line, turn, opened] = entry_cells(row);
            [Value::from(&row.outside), state, id, link, content, run, line, turn, opened, Value::Int(1)]
        })
        .collect();
    tx.insert_many(&NEW_ENTRIES, &cells)?;
    for row in old {
        let [state, id, link, content, run, line, turn, opened] = entry_cells(row);
        let (outside, version) = (Value::from(&row.outside), Value::Int(row.version));
        tx.change_one(REPLACE_ENTRY, &[outside, version, state, id, link, content, run, line, turn, opened])?;
    }
    Ok(())
}

fn entry_cells(row: &EntryRow) -> [Value<'_>; 8] {
    let state = STANDINGS.iter().find(|(standing, _)| *standing == row.standing).map_or(0, |(_, code)| *code);
    let (id, link) = match &row.owner {
        Some((person, link)) => (Value::from(person), Value::from(link)),
        None => (Value::Null, Value::Null),
    };
    [
        Value::Int(state),
        id,
        link,
        Value::from(&row.content),
        Value::from(&row.run),
        Value::Int(row.line),
        Value::Int(row.turn),
        Value::from(&row.opened),
    ]
}

fn entry_row(outside: BlindIndex, row: &Row) -> Result<EntryRow, StoreError> {
    let code = row.int(0)?;
    let standing = STANDINGS.iter().find(|(_, known)| *known == code).ok_or(StoreError::Type(0))?.0;
    let owner = match row.maybe_bytes(1)? {
        Some(_) => Some((row.id(1)?, row.id(2)?)),
        None => None,
    };
    Ok(EntryRow {
        outside,
        standing,
        owner,
        content: row.array(3)?,
        run: row.array(4)?,
        line: row.int(5)?,
        turn: row.int(6)?,
        opened: row.bytes(7)?.to_vec(),
        version: row.int(8)?,
    })
}

/// Records that wait for an officer, with their cases.
pub(crate) fn in_review(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(BlindIndex, Vec<u8>)>, StoreError> {
    let mut rows = tx.query(IN_REVIEW, &[Value::Int(limit)])?;
    // Decided, and the program ended before it was done.
    rows.extend(tx.query(CUT_OFF, &[Value::Bytes(&[]), Value::Int(limit)])?);
    rows.iter().map(|row| Ok((row.array(0)?, row.bytes(1)?.to_vec()))).collect()
}

const RUN: &str =
    "SELECT state, next_byte, next_line, linked, review, refused, already, rejected, rejects_bytes
    FROM person_link_run WHERE bucket = $1 AND id = $2";
const NEW_RUN: &str = "INSERT INTO person_link_run
    (bucket, id, state, next_byte, next_line, linked, review, refused, already, rejected, rejects_bytes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
const MOVE_RUN: &str = "UPDATE person_link_run SET state = $4, next_byte = $5, next_line = $6, linked = $7,
    review = $8, refused = $9, already = $10, rejected = $11, rejects_bytes = $12
    WHERE bucket = $1 AND id = $2 AND next_byte = $3 AND state = 1";

/// How far a check of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct RunRow {
    pub(crate) done: bool,
    pub(crate) next_byte: i64,
    pub(crate) next_line: i64,
    pub(crate) linked: i64,
    pub(crate) review: i64,
    pub(crate) refused: i64,
    pub(crate) already: i64,
    pub(crate) rejected: i64,
    pub(crate) rejects_bytes: i64,
}

impl RunRow {
    fn cells(&self) -> [Value<'static>; 9] {
        let state = if self.done { 2 } else { 1 };
        [
            state,
            self.next_byte,
            self.next_line,
            self.linked,
            self.review,
            self.refused,
            self.already,
            self.rejected,
            self.rejects_bytes,
        ]
        .map(Value::Int)
    }
}

pub(crate) fn run(tx: &mut Tx<'_>, id: &BlindIndex) -> Result<Option<RunRow>, StoreError> {
    let Some(row) = tx.row(RUN, &[Value::from(id)])? else { return Ok(None) };
    Ok(Some(RunRow {
        done: row.int(0)? == 2,
        next_byte: row.int(1)?,
        next_line: row.int(2)?,
        linked: row.int(3)?,
        review: row.int(4)?,
        refused: row.int(5)?,
        already: row.int(6)?,
        rejected: row.int(7)?,
        rejects_bytes: row.int(8)?,
    }))
}

/// Starts a run, unless another process just did.
pub(crate) fn start_run(tx: &mut Tx<'_>, id: &BlindIndex, at: &RunRow) -> Result<(), StoreError> {
    let mut args = vec![Value::from(id)];
    args.extend(at.cells());
    tx.change(NEW_RUN, &args).map(drop)
}

/// Moves a run forward from `from_byte`; `false` when somebody else moved it.
pub(crate) fn move_run(
    tx: &mut Tx<'_>,
    id: &BlindIndex,
    from_byte: i64,
    to: &RunRow,
) -> Result<bool, StoreError> {
    let mut args = vec![Value::from(id), Value::Int(from_byte)];
    args.extend(to.cells());
    Ok(tx.change(MOVE_RUN, &args)? == 1)
}

const COUNT_UP: &str = "INSERT INTO person_link_count (bucket, source, month, what, count)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (bucket, source, month, what) DO UPDATE SET count = person_link_count.count + $5";
const COUNTS: &str = "SELECT source, month, what, count FROM person_link_count
    WHERE bucket = $1 ORDER BY source, month, what";

/// Something that is counted in public.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Counted {
    /// A record was linked.
    Linked = 1,
    /// Its holder confirmed it.
    Confirmed = 2,
    /// It was said to be wrong.
    Reported = 3,
    /// It was wrong.
    Wrong = 4,
    /// It was right after all.
    Reinstated = 5,
}

pub(crate) fn count_up(
    tx: &mut Tx<'_>,
    source: &str,
    month: i64,
    what: Counted,
    by: i64,
) -> Result<(), StoreError> {
    let args = [Value::Text(source), Value::Int(month), Value::Int(what as i64), Value::Int(by)];
    tx.change(COUNT_UP, &args).map(drop)
}

/// Source, month, what and how many.
pub(crate) fn counts(tx: &mut Tx<'_>) -> Result<Vec<(String, i64, i64, i64)>, StoreError> {
    let count = |row: &Row| Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?, row.int(3)?));
    tx.query(COUNTS, &[])?.iter().map(count).collect()
}

const NEW_INCIDENT: &str = "INSERT INTO person_link_incident
    (bucket, id, source, state, level, due, wrapped, version) VALUES ($1, $2, $3, 1, 0, $4, $5, 1)
    ON CONFLICT (bucket, id) DO NOTHING";
const INCIDENT: &str = "SELECT id, source, state, level, due, wrapped, version FROM person_link_incident
    WHERE bucket = $1 AND id = $2";
const OPEN_INCIDENTS: &str =
    "SELECT id, source, state, level, due, wrapped, version FROM person_link_incident
    WHERE bucket = $1 AND state = 1 ORDER BY due, id LIMIT $2";
const REPLACE_INCIDENT: &str = "UPDATE person_link_incident
    SET state = $4, level = $5, due = $6, wrapped = $7, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";

/// A report of a wrong link.
#[derive(Clone)]
pub(crate) struct IncidentRow {
    pub(crate) id: [u8; 16],
    pub(crate) source: String,
    pub(crate) open: bool,
    pub(crate) level: i64,
    pub(crate) due: i64,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) version: i64,
}

/// Opens an incident, unless it is there.
pub(crate) fn open_incident(tx: &mut Tx<'_>, row: &IncidentRow) -> Result<bool, StoreError> {
    let args =
        [Value::from(&row.id), Value::Text(&row.source), Value::Int(row.due), Value::from(&row.wrapped)];
    Ok(tx.change(NEW_INCIDENT, &args)? == 1)
}

pub(crate) fn incident(tx: &mut Tx<'_>, id: &[u8; 16]) -> Result<Option<IncidentRow>, StoreError> {
    tx.row(INCIDENT, &[Value::from(id)])?.as_ref().map(incident_row).transpose()
}

pub(crate) fn open_incidents(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<IncidentRow>, StoreError> {
    tx.query(OPEN_INCIDENTS, &[Value::Int(limit)])?.iter().map(incident_row).collect()
}

pub(crate) fn replace_incident(tx: &mut Tx<'_>, row: &IncidentRow) -> Result<(), StoreError> {
    let args = [
        Value::from(&row.id),
        Value::Int(row.version),
        Value::Int(if row.open { 1 } else { 2 }),
        Value::Int(row.level),
        Value::Int(row.due),
        Value::from(&row.wrapped),
    ];
    tx.change_one(REPLACE_INCIDENT, &args)
}

fn incident_row(row: &Row) -> Result<IncidentRow, StoreError> {
    Ok(IncidentRow {
        id: row.array(0)?,
        source: row.text(1)?.to_owned(),
        open: row.int(2)? == 1,
        level: row.int(3)?,
        due: row.int(4)?,
        wrapped: row.bytes(5)?.to_vec(),
        version: row.int(6)?,
    })
}

const UNINDEXED: &str = "SELECT r.id, r.version FROM person_record AS r
    LEFT JOIN person_match_seen AS s ON s.bucket = $1 AND s.id = r.id
    WHERE r.bucket = $1 AND r.id > $2 AND r.part = 1 AND r.state <> 'closed' AND (s.version IS NULL OR s.version <> r.version)
    ORDER BY r.id LIMIT $3";
const KEYS: Insert = Insert {
    table: "person_match_key",
    columns: &[("key", Type::Bytes), ("id", Type::Bytes)],
    skip_existing: true,
};
const WITH_KEY: &str = "SELECT id FROM person_match_key WHERE bucket = $1 AND key = $2 ORDER BY id LIMIT $3";
const COUNT_SEEN: &str = "SELECT COUNT(*) FROM person_match_seen WHERE bucket = $1";
const SEEN: &str = "INSERT INTO person_match_seen (bucket, id, version) VALUES ($1, $2, $3)
    ON CONFLICT (bucket, id) DO UPDATE SET version = excluded.version";

/// People after `after` whose keys are not those of their record, with its version.
pub(crate) fn unindexed(
    tx: &mut Tx<'_>,
    after: &[u8],
    limit: i64,
) -> Result<Vec<(PersonId, i64)>, StoreError> {
    let rows = tx.query(UNINDEXED, &[Value::Bytes(after), Value::Int(limit)])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.int(1)?))).collect()
}

pub(crate) fn insert_keys(tx: &mut Tx<'_>, keys: &[(BlindIndex, PersonId)]) -> Result<(), StoreError> {
    let rows: Vec<_> = keys.iter().map(|(key, id)| [Value::from(key), Value::from(id)]).collect();
    tx.insert_many(&KEYS, &rows).map(drop)
}

pub(crate) fn with_key(tx: &mut Tx<'_>, key: &BlindIndex, limit: i64) -> Result<Vec<PersonId>, StoreError> {
    tx.query(WITH_KEY, &[Value::from(key), Value::Int(limit)])?.iter().map(|row| row.id(0)).collect()
}

/// How many people of this bucket are in the index.
pub(crate) fn count_seen(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    tx.row(COUNT_SEEN, &[])?.map_or(Ok(0), |row| row.int(0).map(i64::unsigned_abs))
}

pub(crate) fn set_seen(tx: &mut Tx<'_>, seen: &[(PersonId, i64)]) -> Result<(), StoreError> {
    for (person, version) in seen {
        tx.change(SEEN, &[Value::from(person), Value::Int(*version)])?;
    }
    Ok(())
}
