//! The import file of a population.

use std::io::Write;

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
