//! The import file of a population, written and read back.

use std::io::{Read, Write};

use kaname_base::time::BirthDate;

use crate::SimPerson;

/// The first line of the file.
pub const COLUMNS: [&str; 16] = [
    "reference",
    "family_name",
    "given_name",
    "family_reading",
    "given_reading",
    "family_latin",
    "given_latin",
    "birth_date",
    "sex",
    "status",
    "postcode",
    "region",
    "city",
    "address",
    "phone",
    "email",
];

/// Writes a population as CSV (RFC 4180, UTF-8, with a header) and tells how many people it was.
///
/// # Errors
/// Whatever the writer says.
pub fn write_csv(writer: impl Write, people: impl IntoIterator<Item = SimPerson>) -> csv::Result<u64> {
    let mut file = csv::Writer::from_writer(writer);
    file.write_record(COLUMNS)?;
    let mut written = 0;
    for person in people {
        let birth_date = person.birth_date.to_string();
        file.write_record([
            &person.reference,
            &person.family_name,
            &person.given_name,
            &person.family_reading,
            &person.given_reading,
            &person.family_latin,
            &person.given_latin,
            &birth_date,
            &person.sex,
            &person.status,
            &person.postcode,
            &person.region,
            &person.city,
            &person.address,
            &person.phone,
            &person.email,
        ])?;
        written += 1;
    }
    file.flush()?;
    Ok(written)
}

/// Reads what [`write_csv`] wrote, or a file of one's own with these columns in any order. A row without a reference or a
/// date of birth is passed over: it is the import's business to say what is wrong with it.
///
/// # Errors
/// What is not CSV, or not UTF-8.
pub fn read_csv(reader: impl Read) -> csv::Result<Vec<SimPerson>> {
    let mut file = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let header = file.headers()?.clone();
    let places =
        COLUMNS.map(|column| header.iter().position(|name| name.trim_start_matches('\u{feff}') == column));
    let mut people = Vec::new();
    for row in file.byte_records() {
        let row = row?;
        let mut cells = places.map(|place| {
            let cell = place.and_then(|place| row.get(place)).unwrap_or_default();
            String::from_utf8_lossy(cell).into_owned()
        });
        let Ok(birth_date) = BirthDate::parse(&cells[7]) else { continue };
        if cells[0].is_empty() {
            continue;
        }
        let mut take = |place: usize| std::mem::take(&mut cells[place]);
        people.push(SimPerson {
            reference: take(0),
            family_name: take(1),
            given_name: take(2),
            family_reading: take(3),
            given_reading: take(4),
            family_latin: take(5),
            given_latin: take(6),
            birth_date,
            sex: take(8),
            status: take(9),
            postcode: take(10),
            region: take(11),
            city: take(12),
            address: take(13),
            phone: take(14),
            email: take(15),
        });
    }
    Ok(people)
}
