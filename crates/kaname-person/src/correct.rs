//! Single fields of a record, as text: for a correction, and for a form that is filled in with what is known.

use jiff::civil::Date;
use kaname_base::pack::Pack;
use kaname_base::time::BirthDate;

use crate::event::Corrected;
use crate::{Entry, Fault, Field, Name, Particulars, Stay};

impl Particulars {
    /// A field as text, in the form in which an entry has it. Empty when it is not known.
    pub fn text_of(&self, field: Field) -> String {
        let of = |name: &Option<Name>, part: fn(&Name) -> &String| {
            name.as_ref().map_or("", |name| part(name)).to_owned()
        };
        let day = |date: Option<Date>| date.map_or(String::new(), |date| date.to_string());
        let stay = self.stay.unwrap_or_default();
        match field {
            Field::Reference => self.reference.clone(),
            Field::FamilyName => self.name.family.clone(),
            Field::GivenName => self.name.given.clone(),
            Field::FamilyReading => of(&self.reading, |name| &name.family),
            Field::GivenReading => of(&self.reading, |name| &name.given),
            Field::FamilyLatin => of(&self.latin, |name| &name.family),
            Field::GivenLatin => of(&self.latin, |name| &name.given),
            Field::FormerFamilyName => of(&self.former_name, |name| &name.family),
            Field::FormerGivenName => of(&self.former_name, |name| &name.given),
            Field::BirthDate => self.born.to_string(),
            Field::Sex => self.sex.clone(),
            Field::Status => self.status.clone(),
            Field::StayFrom => day(stay.from),
            Field::StayUntil => day(stay.until),
            Field::BirthPlace => self.birth_place.clone(),
            Field::Postcode => self.address.postcode.clone(),
            Field::Region => self.address.region.clone(),
            Field::City => self.address.city.clone(),
            Field::Address => self.address.line.clone(),
            Field::CareOf => self.address.care_of.clone(),
            Field::AddressSince => day(self.address_since),
            Field::Phone => self.phone.clone().unwrap_or_default(),
            Field::Email => self.email.clone().unwrap_or_default(),
        }
    }

    /// What these fields are when the texts of `set` take their places, checked by today's rules: a correction is a new judgement
    /// of the whole entry.
    ///
    /// # Errors
    /// The first [`Fault`], as of [`Particulars::check`].
    pub fn corrected(
        &self,
        set: &[(Field, &str)],
        pack: &Pack,
        today: Date,
    ) -> Result<Vec<Corrected>, Fault> {
        let texts = Field::ALL.map(|field| self.text_of(field));
        let mut entry = Entry::default();
        for (field, text) in Field::ALL.into_iter().zip(&texts) {
            entry.set(field, text);
        }
        for (field, text) in set {
            entry.set(*field, text);
        }
        let right = Particulars::check(&entry, pack, today)?;
        Ok(set.iter().map(|(field, _)| Corrected { field: *field, text: right.text_of(*field) }).collect())
    }

    /// Puts a text that was checked once into its field; `None` when it cannot be one of this field.
    pub(crate) fn put(&mut self, field: Field, text: &str) -> Option<()> {
        let text = text.to_owned();
        match field {
            Field::Reference => self.reference = text,
            Field::FamilyName => self.name.family = text,
            Field::GivenName => self.name.given = text,
            Field::FamilyReading => put_name(&mut self.reading, |name| name.family = text),
            Field::GivenReading => put_name(&mut self.reading, |name| name.given = text),
            Field::FamilyLatin => put_name(&mut self.latin, |name| name.family = text),
            Field::GivenLatin => put_name(&mut self.latin, |name| name.given = text),
            Field::FormerFamilyName => put_name(&mut self.former_name, |name| name.family = text),
            Field::FormerGivenName => put_name(&mut self.former_name, |name| name.given = text),
            Field::BirthDate => self.born = BirthDate::parse(&text).ok()?,
            Field::Sex => self.sex = text,
            Field::Status => self.status = text,
            Field::StayFrom => put_stay(&mut self.stay, &text, |stay, day| stay.from = day)?,
            Field::StayUntil => put_stay(&mut self.stay, &text, |stay, day| stay.until = day)?,
            Field::BirthPlace => self.birth_place = text,
            Field::Postcode => self.address.postcode = text,
            Field::Region => self.address.region = text,
            Field::City => self.address.city = text,
            Field::Address => self.address.line = text,
            Field::CareOf => self.address.care_of = text,
            Field::AddressSince => self.address_since = maybe_day(&text)?,
            Field::Phone => self.phone = Some(text).filter(|text| !text.is_empty()),
            Field::Email => self.email = Some(text).filter(|text| !text.is_empty()),
        }
        Some(())
    }
}

fn put_name(name: &mut Option<Name>, put: impl FnOnce(&mut Name)) {
    let mut changed = name.take().unwrap_or_default();
    put(&mut changed);
    *name = Some(changed).filter(|name| !name.is_empty());
}

fn put_stay(stay: &mut Option<Stay>, text: &str, put: impl FnOnce(&mut Stay, Option<Date>)) -> Option<()> {
    let mut changed = stay.unwrap_or_default();
    put(&mut changed, maybe_day(text)?);
    *stay = Some(changed).filter(|stay| *stay != Stay::default());
    Some(())
}

/// The outer `None`: not a day. The inner one: no day is known.
fn maybe_day(text: &str) -> Option<Option<Date>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}
