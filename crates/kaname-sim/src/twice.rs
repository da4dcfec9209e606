//! People who are registered twice, the second time with the errors that registers know: slips of the pen and of the ear, other
//! spellings and glyphs, swapped and lost parts, dates of another era, and lives that went on. Beside them look-alikes, who are not
//! the same person: twins, and parents and children of one name.
//!
//! The truth stands in each record's `person`; it is for keeping score, never for matching.

use std::sync::Arc;

use kaname_base::time::BirthDate;

use crate::fixture::Fixture;
use crate::people::{People, SimPerson};
use crate::random::Random;
use crate::spelling;

/// A record, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whose: equal for records of one person.
    pub person: u64,
    /// What was written down.
    pub record: SimPerson,
}

/// How many of a thousand people are what.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Registered twice.
    pub twice: u64,
    /// Have a twin at home.
    pub twins: u64,
    /// Have a parent or child of the same name at home.
    pub namesakes: u64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { twice: 50, twins: 11, namesakes: 15 }
    }
}

/// `count` people of a country whose pack is inside the program, some of them registered twice; `None` for any other country.
pub fn registered_twice(country: &str, seed: u64, count: u64, rates: Rates) -> Option<RegisteredTwice> {
    let fixture = Arc::new(Fixture::shipped(country)?);
    Some(RegisteredTwice {
        people: People::new(Arc::clone(&fixture), seed, count),
        fixture,
        random: Random::new(seed, u64::MAX),
        rates,
        next: 0,
        waiting: Vec::new(),
    })
}

/// The records, in an order in which the second one of a person does not stand beside the first.
#[derive(Clone, Debug)]
pub struct RegisteredTwice {
    people: People,
    fixture: Arc<Fixture>,
    random: Random,
    rates: Rates,
    next: u64,
    waiting: Vec<Registration>,
}

/// How many second records wait for their turn.
const APART: usize = 1_000;

impl Iterator for RegisteredTwice {
    type Item = Registration;

    fn next(&mut self) -> Option<Registration> {
        if self.waiting.len() < APART
            && let Some(record) = self.people.next()
        {
            let person = self.number();
            self.add_others(person, &record);
            return Some(Registration { person, record });
        }
        let place = self.random.below(self.waiting.len().max(1) as u64) as usize;
        (place < self.waiting.len()).then(|| self.waiting.swap_remove(place))
    }
}

impl RegisteredTwice {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add_others(&mut self, person: u64, record: &SimPerson) {
        let one_in_a_thousand = |random: &mut Random, rate: u64| random.below(1_000) < rate;
        if one_in_a_thousand(&mut self.random, self.rates.twice) {
            let mut second = record.clone();
            second.reference.push('S');
            // One error, or up to four.
            for _ in 0..[1, 1, 1, 2, 2, 2, 3, 3, 4][self.random.below(9) as usize] {
                self.err(&mut second);
            }
            self.waiting.push(Registration { person, record: second });
        }
        if one_in_a_thousand(&mut self.random, self.rates.twins) {
            let mut twin = self.other(record);
            self.rename(&mut twin);
            twin.reference.push('T');
            let person = self.number();
            self.waiting.push(Registration { person, record: twin });
        }
        if one_in_a_thousand(&mut self.random, self.rates.namesakes) {
            let mut namesake = self.other(record);
            let years = self.random.between(19, 38) as i16;
            namesake.birth_date = moved(record.birth_date, -years, &mut self.random);
            namesake.reference.push('N');
            let person = self.number();
            self.waiting.push(Registration { person, record: namesake });
        }
    }

    /// Somebody else of the household: with a telephone and an email of her own, or none.
    fn other(&mut self, record: &SimPerson) -> SimPerson {
        let mut other = record.clone();
        other.email.clear();
        other.phone = if other.phone.is_empty() { String::new() } else { self.phone() };
        other
    }

    fn phone(&mut self) -> String {
        let pattern = self.random.pick::<String>(&self.fixture.phones).clone();
        self.fixture.fill(&pattern, &mut self.random)
    }

    /// Gives a person another given name of the country.
    fn rename(&mut self, person: &mut SimPerson) {
        let groups = &self.fixture.groups;
        let fitting: Vec<_> = groups.iter().filter(|group| group.status == person.status).collect();
        let group = *self.random.pick(&fitting);
        let names = if person.sex == "F" { &group.female } else { &group.male };
        let before = person.given_name.clone();
        for _ in 0..8 {
            let name = names.draw(&mut self.random);
            // Forefathers' names that follow are a twin's too.
            let (words, readings, latins) =
                (rest(&before), rest(&person.given_reading), rest(&person.given_latin));
            if before.split(' ').next() != Some(&name.text) {
                person.given_name = [name.text.as_str(), &words].concat();
                person.given_reading = [name.reading.as_str(), &readings].concat();
                person.given_latin = [name.latin.as_str(), &latins].concat();
                return;
            }
        }
    }

    /// One error.
    fn err(&mut self, record: &mut SimPerson) {
        match self.random.below(100) {
            0..16 => self.misspell(record, Part::Given),
            16..32 => self.misspell(record, Part::Family),
            32..46 => record.birth_date = wrong_date(record.birth_date, &mut self.random),
            46..50 => swap_names(record),
            50..55 => self.shorten(record),
            55..59 => self.marry(record),
            59..68 => self.move_house(record),
            68..76 => record.address = spelling::slip(&record.address, &mut self.random),
            76..84 => record.phone = if self.random.percent(60) { self.phone() } else { String::new() },
            84..88 => record.email.clear(),
            88..92 => record.postcode.clear(),
            92..94 => record.sex = if record.sex == "F" { "M".into() } else { "F".into() },
            _ => lose_forms(record, &mut self.random),
        }
    }

    /// Spells one name otherwise, in one of its forms or in all of them.
    fn misspell(&mut self, record: &mut SimPerson, part: Part) {
        let (written, reading, latin) = part.of(record);
        let random = &mut self.random;
        match random.below(10) {
            0..4 if !reading.is_empty() => *reading = spelling::kana(reading, random),
            0..4 if !latin.is_empty() => *latin = spelling::latin(latin, random),
            4..7 => *written = spelling::glyphs(written, random),
            7..9 if !latin.is_empty() => *latin = spelling::latin(latin, random),
            // Heard wrongly, and then written wrongly in every form.
            _ => {
                *written = spelling::otherwise(written, random);
                if !reading.is_empty() {
                    *reading = spelling::kana(reading, random);
                }
                if !latin.is_empty() {
                    *latin = spelling::slip(latin, random);
                }
            }
        }
    }

    /// Joined, cut to initials, called by a title, without the last words.
    fn shorten(&mut self, record: &mut SimPerson) {
        let kind = self.random.below(4);
        for text in [&mut record.given_name, &mut record.given_latin] {
            match kind {
                0 => *text = text.replace(' ', ""),
                1 => *text = spelling::initial(text),
                2 => *text = spelling::title(text, &mut self.random),
                _ => *text = text.split(' ').next().unwrap_or_default().to_owned(),
            }
        }
    }

    fn marry(&mut self, record: &mut SimPerson) {
        let groups = &self.fixture.groups;
        let fitting: Vec<_> = groups.iter().filter(|group| group.status == record.status).collect();
        let name = self.random.pick(&fitting).family.draw(&mut self.random).clone();
        record.family_name = name.text;
        record.family_reading = name.reading;
        record.family_latin = name.latin;
    }

    fn move_house(&mut self, record: &mut SimPerson) {
        let place = &self.fixture.places[self.random.weighted(&self.fixture.place_sums)];
        record.region = place.region.clone();
        record.city = place.city.clone();
        record.postcode = self.fixture.fill(&place.postcode, &mut self.random);
        let pattern = self.random.pick::<String>(&self.fixture.addresses).clone();
        record.address = self.fixture.fill(&pattern, &mut self.random);
    }
}

#[derive(Clone, Copy)]
enum Part {
    Given,
    Family,
}

impl Part {
    fn of(self, record: &mut SimPerson) -> (&mut String, &mut String, &mut String) {
        match self {
            Part::Given => (&mut record.given_name, &mut record.given_reading, &mut record.given_latin),
            Part::Family => (&mut record.family_name, &mut record.family_reading, &mut record.family_latin),
        }
    }
}

/// What follows the first word, with the space before it.
fn rest(name: &str) -> String {
    name.find(' ').map_or(String::new(), |at| name[at..].to_owned())
}

fn swap_names(record: &mut SimPerson) {
    std::mem::swap(&mut record.family_name, &mut record.given_name);
    std::mem::swap(&mut record.family_reading, &mut record.given_reading);
    std::mem::swap(&mut record.family_latin, &mut record.given_latin);
}

/// Another office keeps the name in fewer forms.
fn lose_forms(record: &mut SimPerson, random: &mut Random) {
    let has_reading = !record.family_reading.is_empty();
    match random.below(3) {
        0 if has_reading => {
            (record.family_name, record.given_name) =
                (record.family_reading.clone(), record.given_reading.clone());
        }
        1 if !record.family_latin.is_empty() => {
            (record.family_name, record.given_name) =
                (record.family_latin.clone(), record.given_latin.clone());
            record.family_reading.clear();
            record.given_reading.clear();
        }
        _ => {
            record.family_latin.clear();
            record.given_latin.clear();
        }
    }
}

/// A date as it is miswritten: day and month swapped, a year or ten off, the year of another era, another day, the first of January, or
/// the day not known.
fn wrong_date(date: BirthDate, random: &mut Random) -> BirthDate {
    let (year, month, day) = (date.year(), date.month().unwrap_or(1), date.day().unwrap_or(1));
    let made = |year: i16, month: i8, day: i8| {
        BirthDate::parse(&format!("{year:04}-{month:02}-{day:02}")).ok().filter(|_| year < 2026)
    };
    let changed = match random.below(20) {
        0..5 if day <= 12 && day != month => made(year, day, month),
        0..8 => made(year + *random.pick(&[-1, 1, -10, 10]), month, day),
        8..11 => made(year + *random.pick(&[-63, 63, -30, 30, -14, 14]), month, day),
        11..14 => made(year, month, random.between(1, 28) as i8),
        14..17 => made(year, random.between(1, 12) as i8, day.min(28)),
        17 => made(year, 1, 1),
        18 => BirthDate::parse(&format!("{year:04}-{month:02}")).ok(),
        _ => BirthDate::parse(&format!("{year:04}")).ok(),
    };
    changed.unwrap_or_else(|| made(year, month, if day == 1 { 2 } else { day - 1 }).unwrap_or(date))
}

/// A day of a year `years` later, or earlier when negative.
fn moved(date: BirthDate, years: i16, random: &mut Random) -> BirthDate {
    let year = (date.year() + years).max(1_900);
    let text = format!("{year:04}-{:02}-{:02}", random.between(1, 12), random.between(1, 28));
    BirthDate::parse(&text).expect("every month has 28 days")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_second_record_differs_and_its_truth_is_known() {
        for country in ["japan", "india", "jordan", "uk"] {
            let all: Vec<_> =
                registered_twice(country, 3, 4_000, Rates::default()).expect("a shipped country").collect();
            let again: Vec<_> =
                registered_twice(country, 3, 4_000, Rates::default()).expect("a shipped country").collect();
            assert!(all == again, "{country}: the same seed gives the same records");
            let mut of_person: HashMap<u64, Vec<&SimPerson>> = HashMap::new();
            for registration in &all {
                of_person.entry(registration.person).or_default().push(&registration.record);
            }
            let twice: Vec<_> = of_person.values().filter(|records| records.len() == 2).collect();
            assert!((150..250).contains(&twice.len()), "{country}: {} of 4,000", twice.len());
            let changed = |records: &&&Vec<&SimPerson>| {
                let mut second = records[1].clone();
                second.reference.clone_from(&records[0].reference);
                second != *records[0]
            };
            // An error may hit what is empty already.
            assert!(twice.iter().filter(changed).count() * 10 > twice.len() * 8, "{country}");
            let twins =
                all.iter().filter(|registration| registration.record.reference.ends_with('T')).count();
            assert!((20..80).contains(&twins), "{country}: {twins} twins");
        }
    }
}
