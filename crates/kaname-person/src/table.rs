//! The only SQL of this block.

use kaname_base::Bucket;
use kaname_store::bulk::{Insert, Lookup, Type};
use kaname_store::{Row, StoreError, Tx, Value};
use kaname_trust::PersonId;
use kaname_trust::keys::BlindIndex;

const RECORDS: Insert = Insert {
    table: "person_record",
    columns: &[
        ("id", Type::Bytes),
        ("part", Type::Int),
        ("n", Type::Int),
        ("state", Type::Text),
        ("version", Type::Int),
        ("number_index", Type::Bytes),
        ("origin_file", Type::Bytes),
        ("origin_line", Type::Int),
        ("content_index", Type::Bytes),
        ("request", Type::Bytes),
        ("sealed", Type::Bytes),
    ],
    skip_existing: false,
};
const ORIGINS: Lookup = Lookup {
    table: "person_record",
    keys: &[("id", Type::Bytes), ("part", Type::Int), ("n", Type::Int)],
    columns: &["origin_file", "origin_line", "content_index"],
};
const RESIDENT: &str = "SELECT state, number_index, version, sealed FROM person_record
    WHERE bucket = $1 AND id = $2 AND part = 1 AND n = 1";
const SET_NUMBER: &str = "UPDATE person_record SET number_index = $4, version = version + 1
    WHERE bucket = $1 AND id = $2 AND part = 1 AND n = 1 AND version = $3";
const ACTIVE: &str = "SELECT id FROM person_record
    WHERE bucket = $1 AND id > $2 AND part = 1 AND state = 'active' ORDER BY id LIMIT $3";
const COUNT: &str = "SELECT COUNT(*) FROM person_record WHERE bucket = $1 AND part = 1 AND state = 'active'";

/// What a row of `person_record` is.
#[derive(Clone, Copy)]
enum Part {
    Resident = 1,
    Number = 2,
    Event = 3,
    // 4 and 5 are the events' own: event/table.rs.
}

/// The state of a resident who lives here.
pub(crate) const STATE_ACTIVE: &str = "active";

/// The state of a resident who died, or whose entry was a second one.
pub(crate) const STATE_CLOSED: &str = "closed";

/// A row about a person, to be written.
pub(crate) enum NewRecord<'a> {
    /// Herself.
    Resident { id: &'a PersonId, number_index: &'a BlindIndex, origin: &'a Origin, sealed: &'a [u8] },
    /// A number given to her; `n` counts them.
    Number { id: &'a PersonId, n: i64, number_index: &'a BlindIndex, sealed: &'a [u8] },
    /// What happened to her; `n` counts them.
    Event { id: &'a PersonId, n: i64, request: &'a [u8], sealed: &'a [u8] },
}

/// Where a resident came from, and what she came with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub(crate) file: BlindIndex,
    pub(crate) line: i64,
    pub(crate) content: BlindIndex,
}

/// A resident's row.
pub(crate) struct ResidentRow {
    /// Not closed. Somebody who lives abroad for a time is active, too.
    pub(crate) active: bool,
    pub(crate) number_index: BlindIndex,
    pub(crate) version: i64,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) fn insert_records(tx: &mut Tx<'_>, records: &[NewRecord<'_>]) -> Result<(), StoreError> {
    let rows: Vec<[Value<'_>; 11]> = records
        .iter()
        .map(|record| {
            let key = |id, part, n| [Value::from(id), Value::Int(part as i64), Value::Int(n)];
            let ([id, part, n], facts, sealed) = match record {
                NewRecord::Resident { id, number_index, origin, sealed } => {
                    let facts = [
                        Value::from(*number_index),
                        Value::from(&origin.file),
                        Value::Int(origin.line),
                        Value::from(&origin.content),
                        Value::Null,
                    ];
                    (key(*id, Part::Resident, 1), facts, sealed)
                }
                NewRecord::Number { id, n, number_index, sealed } => {
                    let none = Value::Null;
                    (key(*id, Part::Number, *n), [Value::from(*number_index), none, none, none, none], sealed)
                }
                NewRecord::Event { id, n, request, sealed } => {
                    let none = Value::Null;
                    (key(*id, Part::Event, *n), [none, none, none, none, Value::Bytes(request)], sealed)
                }
            };
            let [number_index, file, line, content, request] = facts;
            let state = Value::Text(STATE_ACTIVE);
            [
                id,
                part,
                n,
                state,
                Value::Int(1),
                number_index,
                file,
                line,
                content,
                request,
                Value::Bytes(sealed),
            ]
        })
        .collect();
    tx.insert_many(&RECORDS, &rows).map(drop)
}

/// The origin of each person who is registered.
pub(crate) fn origins(tx: &mut Tx<'_>, people: &[PersonId]) -> Result<Vec<Option<Origin>>, StoreError> {
    let keys: Vec<_> = people
        .iter()
        .map(|person| [Value::from(person), Value::Int(Part::Resident as i64), Value::Int(1)])
        .collect();
    let origin = |row: Row| Ok(Origin { file: row.array(0)?, line: row.int(1)?, content: row.array(2)? });
    tx.look_up_many(&ORIGINS, &keys)?.into_iter().map(|row| row.map(origin).transpose()).collect()
}

pub(crate) fn resident(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<ResidentRow>, StoreError> {
    let Some(row) = tx.row(RESIDENT, &[Value::from(&person)])? else { return Ok(None) };
    Ok(Some(ResidentRow {
        active: row.text(0)? != STATE_CLOSED,
        number_index: row.array(1)?,
        version: row.int(2)?,
        sealed: row.bytes(3)?.to_vec(),
    }))
}

/// Compares and sets which number is hers.
pub(crate) fn set_number(
    tx: &mut Tx<'_>,
    person: PersonId,
    version: i64,
    number_index: &BlindIndex,
) -> Result<(), StoreError> {
    tx.change_one(SET_NUMBER, &[Value::from(&person), Value::Int(version), Value::from(number_index)])
}

pub(crate) fn active_people(tx: &mut Tx<'_>, after: &[u8], limit: i64) -> Result<Vec<PersonId>, StoreError> {
    tx.query(ACTIVE, &[Value::Bytes(after), Value::Int(limit)])?.iter().map(|row| row.id(0)).collect()
}

pub(crate) fn count_active(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    tx.row(COUNT, &[])?.map_or(Ok(0), |row| row.int(0))
}

const GIVEN_NUMBER: &str = "SELECT sealed FROM person_record
    WHERE bucket = $1 AND id = $2 AND part = 2 AND number_index = $3";
const PROMISES: Insert = Insert {
    table: "person_number",
    columns: &[("number_index", Type::Bytes), ("id", Type::Bytes)],
    skip_existing: true,
};
const PROMISED: Lookup =
    Lookup { table: "person_number", keys: &[("number_index", Type::Bytes)], columns: &["id"] };
const LEASED: &str = "SELECT next FROM person_number_lease WHERE bucket = $1 AND scheme = $2";
const FIRST_LEASE: &str = "INSERT INTO person_number_lease (bucket, scheme, next) VALUES ($1, $2, $3)";
const NEXT_LEASE: &str =
    "UPDATE person_number_lease SET next = $4 WHERE bucket = $1 AND scheme = $2 AND next = $3";

pub(crate) fn given_number(
    tx: &mut Tx<'_>,
    person: PersonId,
    number_index: &BlindIndex,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row(GIVEN_NUMBER, &[Value::from(&person), Value::from(number_index)])?;
    row.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
}

/// Promises numbers that are not promised yet; tells whether all of them were free.
pub(crate) fn insert_promises(
    tx: &mut Tx<'_>,
    promises: &[(BlindIndex, PersonId)],
) -> Result<bool, StoreError> {
    let rows: Vec<_> =
        promises.iter().map(|(index, person)| [Value::from(index), Value::from(person)]).collect();
    Ok(tx.insert_many(&PROMISES, &rows)? == rows.len() as u64)
}

/// Whom each number is promised to.
pub(crate) fn promised(tx: &mut Tx<'_>, numbers: &[BlindIndex]) -> Result<Vec<Option<PersonId>>, StoreError> {
    let keys: Vec<_> = numbers.iter().map(|index| [Value::from(index)]).collect();
    tx.look_up_many(&PROMISED, &keys)?.into_iter().map(|row| row.map(|row| row.id(0)).transpose()).collect()
}

/// Takes up to `count` counters below `space`; compared and set, so that no two processes ever take the same.
pub(crate) fn lease(
    tx: &mut Tx<'_>,
    scheme: &str,
    count: i64,
    space: i64,
) -> Result<std::ops::Range<i64>, StoreError> {
    let leased = tx.row(LEASED, &[Value::Text(scheme)])?.map(|row| row.int(0)).transpose()?;
    let from = leased.unwrap_or(0).min(space);
    let to = from.saturating_add(count).min(space);
    match leased {
        None => tx.change_one(FIRST_LEASE, &[Value::Text(scheme), Value::Int(to)])?,
        Some(_) if from == to => {}
        Some(from) => tx.change_one(NEXT_LEASE, &[Value::Text(scheme), Value::Int(from), Value::Int(to)])?,
    }
    Ok(from..to)
}

const EVENTS_OF: &str = "SELECT n, request, sealed FROM person_record
    WHERE bucket = $1 AND id = $2 AND part = 3 ORDER BY n";
const NUMBERS_OF: &str = "SELECT COUNT(*) FROM person_record WHERE bucket = $1 AND id = $2 AND part = 2";

/// How many numbers a person was given.
pub(crate) fn count_given(tx: &mut Tx<'_>, person: PersonId) -> Result<i64, StoreError> {
    tx.row(NUMBERS_OF, &[Value::from(&person)])?.map_or(Ok(0), |row| row.int(0))
}

/// A life event's row.
pub(crate) struct EventRow {
    pub(crate) n: i64,
    pub(crate) request: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) fn events(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<EventRow>, StoreError> {
    let event = |row: &Row| {
        Ok(EventRow { n: row.int(0)?, request: row.bytes(1)?.to_vec(), sealed: row.bytes(2)?.to_vec() })
    };
    tx.query(EVENTS_OF, &[Value::from(&person)])?.iter().map(event).collect()
}

const IMPORT: &str =
    "SELECT state, next_byte, next_line, registered, already_here, rejected, rejects_bytes FROM person_import
    WHERE bucket = $1 AND id = $2";
const NEW_IMPORT: &str = "INSERT INTO person_import
    (bucket, id, state, next_byte, next_line, registered, already_here, rejected, rejects_bytes)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
const MOVE_IMPORT: &str =
    "UPDATE person_import SET state = $4, next_byte = $5, next_line = $6, registered = $7,
    already_here = $8, rejected = $9, rejects_bytes = $10
    WHERE bucket = $1 AND id = $2 AND next_byte = $3 AND state = 'running'";

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ImportRow {
    pub(crate) done: bool,
    pub(crate) next_byte: i64,
    pub(crate) next_line: i64,
    pub(crate) registered: i64,
    pub(crate) already_here: i64,
    pub(crate) rejected: i64,
    pub(crate) rejects_bytes: i64,
}

impl ImportRow {
    fn state(&self) -> &'static str {
        if self.done { "done" } else { "running" }
    }
}

pub(crate) fn import(tx: &mut Tx<'_>, id: &BlindIndex) -> Result<Option<ImportRow>, StoreError> {
    let Some(row) = tx.row(IMPORT, &[Value::from(id)])? else { return Ok(None) };
    Ok(Some(ImportRow {
        done: row.text(0)? == "done",
        next_byte: row.int(1)?,
        next_line: row.int(2)?,
        registered: row.int(3)?,
        already_here: row.int(4)?,
        rejected: row.int(5)?,
        rejects_bytes: row.int(6)?,
    }))
}

/// Starts an import, unless another process just did.
pub(crate) fn start_import(tx: &mut Tx<'_>, id: &BlindIndex, at: &ImportRow) -> Result<(), StoreError> {
    let [byte, line, registered, already, rejected, rejects] = counts(at);
    let args = [Value::from(id), Value::Text(at.state()), byte, line, registered, already, rejected, rejects];
    tx.change(NEW_IMPORT, &args).map(drop)
}

/// Moves an import forward from `from_byte`; `false` when somebody else moved it.
pub(crate) fn move_import(
    tx: &mut Tx<'_>,
    id: &BlindIndex,
    from_byte: i64,
    to: &ImportRow,
) -> Result<bool, StoreError> {
    let [byte, line, registered, already, rejected, rejects] = counts(to);
    let args = [
        Value::from(id),
        Value::Int(from_byte),
        Value::Text(to.state()),
        byte,
        line,
        registered,
        already,
        rejected,
        rejects,
    ];
    Ok(tx.change(MOVE_IMPORT, &args)? == 1)
}

fn counts(row: &ImportRow) -> [Value<'static>; 6] {
    [row.next_byte, row.next_line, row.registered, row.already_here, row.rejected, row.rejects_bytes]
        .map(Value::Int)
}

const NEW_OFFICER: &str = "INSERT INTO person_officer (bucket, id, state, roles, wrapped, version)
    VALUES ($1, $2, $3, $4, $5, 1)";
const OFFICER: &str =
    "SELECT o.id, o.state, o.roles, o.wrapped, o.version, COALESCE(f.office, '') FROM person_officer AS o
    LEFT JOIN person_officer_office AS f ON f.bucket = $1 AND f.officer = o.id WHERE o.bucket = $1 AND o.id = $2";
const OFFICERS: &str =
    "SELECT o.id, o.state, o.roles, o.wrapped, o.version, COALESCE(f.office, '') FROM person_officer AS o
    LEFT JOIN person_officer_office AS f ON f.bucket = $1 AND f.officer = o.id WHERE o.bucket = $1 ORDER BY o.id";
const LEAVE_OFFICE: &str = "DELETE FROM person_officer_office WHERE bucket = $1 AND officer = $2";
const JOIN_OFFICE: &str = "INSERT INTO person_officer_office (bucket, officer, office) VALUES ($1, $2, $3)";
const SET_OFFICER: &str = "UPDATE person_officer SET state = $4, roles = $5, version = version + 1
    WHERE bucket = $1 AND id = $2 AND version = $3";

/// An officer's row.
pub(crate) struct OfficerRow {
    pub(crate) id: crate::OfficerId,
    pub(crate) active: bool,
    pub(crate) roles: String,
    pub(crate) office: Option<String>,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) version: i64,
}

pub(crate) fn insert_officer(tx: &mut Tx<'_>, officer: &OfficerRow) -> Result<(), StoreError> {
    let args = [
        Value::from(&officer.id),
        Value::Text(officer_state(officer.active)),
        Value::Text(&officer.roles),
        Value::from(&officer.wrapped),
    ];
    tx.change_one(NEW_OFFICER, &args)?;
    place_officer(tx, officer)
}

/// Writes down in which office she works.
fn place_officer(tx: &mut Tx<'_>, officer: &OfficerRow) -> Result<(), StoreError> {
    tx.change(LEAVE_OFFICE, &[Value::from(&officer.id)])?;
    match &officer.office {
        Some(office) => tx.change_one(JOIN_OFFICE, &[Value::from(&officer.id), Value::Text(office)]),
        None => Ok(()),
    }
}

pub(crate) fn officer(tx: &mut Tx<'_>, id: crate::OfficerId) -> Result<Option<OfficerRow>, StoreError> {
    tx.row(OFFICER, &[Value::from(&id)])?.as_ref().map(officer_row).transpose()
}

pub(crate) fn officers(tx: &mut Tx<'_>) -> Result<Vec<OfficerRow>, StoreError> {
    tx.query(OFFICERS, &[])?.iter().map(officer_row).collect()
}

pub(crate) fn replace_officer(tx: &mut Tx<'_>, officer: &OfficerRow) -> Result<(), StoreError> {
    let args = [
        Value::from(&officer.id),
        Value::Int(officer.version),
        Value::Text(officer_state(officer.active)),
        Value::Text(&officer.roles),
    ];
    tx.change_one(SET_OFFICER, &args)?;
    place_officer(tx, officer)
}

fn officer_row(row: &Row) -> Result<OfficerRow, StoreError> {
    Ok(OfficerRow {
        id: row.id(0)?,
        active: row.text(1)? == "active",
        roles: row.text(2)?.to_owned(),
        wrapped: row.bytes(3)?.to_vec(),
        version: row.int(4)?,
        office: Some(row.text(5)?.to_owned()).filter(|office| !office.is_empty()),
    })
}

fn officer_state(active: bool) -> &'static str {
    if active { "active" } else { "left" }
}

/// The bucket of a number's row in the directory.
pub(crate) fn directory_bucket(buckets: kaname_base::Buckets, number_index: &BlindIndex) -> Bucket {
    buckets.of_hash(number_index)
}
