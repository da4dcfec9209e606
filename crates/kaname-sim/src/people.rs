//! People in households, one after the other: nothing is held but the household at hand.

use std::collections::VecDeque;
use std::sync::Arc;

use kaname_base::time::BirthDate;

use crate::fixture::{Fixture, Group, Name};
use crate::random::{Random, Shuffle};

/// Everyone is born before this year: the world has no clock.
const YEAR: u64 = 2026;

/// A simulated resident. Empty texts are what the country does not record, or this person does not have.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of the import file with that name")]
pub struct SimPerson {
    pub reference: String,
    pub family_name: String,
    pub given_name: String,
    pub family_reading: String,
    pub given_reading: String,
    pub family_latin: String,
    pub given_latin: String,
    pub birth_date: BirthDate,
    pub sex: String,
    pub status: String,
    pub postcode: String,
    pub region: String,
    pub city: String,
    pub address: String,
    pub phone: String,
    pub email: String,
}

/// Nobody real, yet handled like a person: the debug form shows the reference only.
impl std::fmt::Debug for SimPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimPerson({})", self.reference)
    }
}

/// `count` residents of a country whose pack is inside the program; `None` for any other country.
pub fn people(country: &str, seed: u64, count: u64) -> Option<People> {
    Some(People::new(Arc::new(Fixture::shipped(country)?), seed, count))
}

/// A population. A longer one with the same seed starts with the same people.
#[derive(Clone, Debug)]
pub struct People {
    fixture: Arc<Fixture>,
    seed: u64,
    shuffle: Shuffle,
    household: u64,
    made: u64,
    count: u64,
    waiting: VecDeque<SimPerson>,
}

impl People {
    /// A population of `count`, at most [`Shuffle::DOMAIN`].
    pub fn new(fixture: Arc<Fixture>, seed: u64, count: u64) -> People {
        let count = count.min(Shuffle::DOMAIN);
        People {
            fixture,
            seed,
            shuffle: Shuffle::new(seed),
            household: 0,
            made: 0,
            count,
            waiting: VecDeque::new(),
        }
    }
}

impl Iterator for People {
    type Item = SimPerson;

    fn next(&mut self) -> Option<SimPerson> {
        if self.made == self.count {
            return None;
        }
        if self.waiting.is_empty() {
            let mut random = Random::new(self.seed, self.household);
            self.household += 1;
            household(&self.fixture, &mut random, &mut self.waiting);
        }
        let mut person = self.waiting.pop_front()?;
        let mark = self.shuffle.of(self.made);
        self.made += 1;
        person.reference = format!("R{mark:010}");
        if !person.email.is_empty() {
            // Drawn with the household as `name@domain`; the mark makes it one person's.
            person.email = person.email.replacen('@', &format!("{mark}@"), 1);
        }
        Some(person)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.count - self.made).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Sex {
    Female,
    Male,
}

/// Who somebody is, before an address and a telephone.
struct Member<'a> {
    age: u64,
    sex: Sex,
    family: &'a Name,
    given: &'a Name,
    /// The father's given name, his father's, and so on.
    forefathers: Vec<&'a Name>,
}

fn household(fixture: &Fixture, random: &mut Random, into: &mut VecDeque<SimPerson>) {
    let group = &fixture.groups[random.weighted(&fixture.group_sums)];
    let place = &fixture.places[random.weighted(&fixture.place_sums)];
    let postcode = fixture.fill(&place.postcode, random);
    let pattern = random.pick::<String>(&fixture.addresses);
    let address = fixture.fill(pattern, random);

    for member in members(fixture, group, random) {
        let birth_date = birth_date(member.age, random);
        let third = fixture.household.third_sex.as_ref().filter(|_| random.below(400) == 0);
        let sex = third.map_or(if member.sex == Sex::Female { "F" } else { "M" }, String::as_str);
        let phone = match member.age {
            13..=79 if random.percent(90) => fixture.fill(random.pick::<String>(&fixture.phones), random),
            80.. if random.percent(55) => fixture.fill(random.pick::<String>(&fixture.phones), random),
            _ => String::new(),
        };
        let email = match member.age {
            15..=64 if random.percent(70) => email(fixture, &member, random),
            65.. if random.percent(30) => email(fixture, &member, random),
            _ => String::new(),
        };
        into.push_back(SimPerson {
            reference: String::new(),
            family_name: member.family.text.clone(),
            given_name: member.joined(|name| &name.text),
            family_reading: member.family.reading.clone(),
            given_reading: member.joined(|name| &name.reading),
            family_latin: member.family.latin.clone(),
            given_latin: member.joined(|name| &name.latin),
            birth_date,
            sex: sex.to_owned(),
            status: group.status.clone(),
            postcode: postcode.clone(),
            region: place.region.clone(),
            city: place.city.clone(),
            address: address.clone(),
            phone,
            email,
        });
    }
}

/// A single person, a couple, or a family of two or three generations.
fn members<'a>(fixture: &Fixture, group: &'a Group, random: &mut Random) -> Vec<Member<'a>> {
    let rules = &fixture.household;
    let head_age = match random.weighted(&rules.head_ages) as u64 {
        0 => random.between(18, 29),
        decade => 20 + decade * 10 + random.below(10),
    };
    let head_sex = if random.percent(50) { Sex::Female } else { Sex::Male };
    let head = person(group, random, head_age, head_sex, rules.patronymics);

    // Of a hundred: living alone, as a couple; the rest have children.
    let (alone, couple) = match head_age {
        ..30 => (60, 25),
        30..60 => (20, 15),
        60..75 => (25, 50),
        _ => (45, 40),
    };
    let kind = random.below(100);
    let mut members = vec![head];
    if kind < alone {
        return members;
    }
    let spouse_sex = if head_sex == Sex::Female { Sex::Male } else { Sex::Female };
    let spouse_age = (head_age + random.below(9)).saturating_sub(4).clamp(18, 104);
    let one_parent = kind >= alone + couple && random.percent(12);
    if !one_parent {
        let mut spouse = person(group, random, spouse_age, spouse_sex, rules.patronymics);
        if !rules.spouse_keeps_name {
            spouse.family = members[0].family;
        }
        members.push(spouse);
    }
    if kind >= alone + couple {
        children(fixture, group, random, &mut members);
        if head_age < 65 && random.percent(rules.elder_percent) {
            let age = (head_age + random.between(22, 35)).min(101);
            let sex = if random.percent(65) { Sex::Female } else { Sex::Male };
            let mut elder = person(group, random, age, sex, rules.patronymics);
            if sex == Sex::Male || !rules.spouse_keeps_name {
                elder.family = members[0].family;
            }
            members.push(elder);
        }
    }
    members
}

/// Adds the children of the household: those of the mother, or of whoever is alone with them.
fn children<'a>(fixture: &Fixture, group: &'a Group, random: &mut Random, members: &mut Vec<Member<'a>>) {
    let rules = &fixture.household;
    let mother = members.iter().find(|m| m.sex == Sex::Female).unwrap_or(&members[0]);
    let father = members.iter().find(|m| m.sex == Sex::Male);
    let family = father.map_or(mother.family, |father| father.family);
    let forefathers: Vec<&Name> = match father {
        Some(father) => std::iter::once(father.given).chain(father.forefathers.iter().copied()).collect(),
        None => (0..rules.patronymics).map(|_| group.male.draw(random)).collect(),
    };
    let mut age = mother.age - random.between(18, 40).min(mother.age);
    for _ in 0..=random.weighted(&rules.children) {
        // Grown-up children seldom live with their parents.
        if age < 19 || random.percent(30) {
            let sex = if random.percent(49) { Sex::Female } else { Sex::Male };
            let mut child = person(group, random, age, sex, 0);
            for _ in 0..4 {
                if members.iter().all(|member| member.given != child.given) {
                    break;
                }
                child = person(group, random, age, sex, 0);
            }
            child.family = family;
            child.forefathers = forefathers.iter().take(rules.patronymics).copied().collect();
            members.push(child);
        }
        let gap = random.between(1, 5);
        if age < gap {
            break;
        }
        age -= gap;
    }
}

fn person<'a>(group: &'a Group, random: &mut Random, age: u64, sex: Sex, patronymics: usize) -> Member<'a> {
    let given = if sex == Sex::Female { &group.female } else { &group.male };
    Member {
        age,
        sex,
        family: group.family.draw(random),
        given: given.draw(random),
        forefathers: (0..patronymics).map(|_| group.male.draw(random)).collect(),
    }
}

impl Member<'_> {
    /// The given name, with the forefathers' where the country writes them.
    fn joined(&self, form: impl Fn(&Name) -> &String) -> String {
        let mut joined = form(self.given).clone();
        for name in self.forefathers.iter().filter(|name| !form(name).is_empty()) {
            joined.push(' ');
            joined.push_str(form(name));
        }
        joined
    }
}

/// A day on which a person of this age was born.
fn birth_date(age: u64, random: &mut Random) -> BirthDate {
    let year = YEAR - 1 - age;
    let month = random.between(1, 12);
    let days = match month {
        2 => {
            28 + u64::from(year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)))
        }
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = random.between(1, days);
    BirthDate::parse(&format!("{year:04}-{month:02}-{day:02}")).expect("the month has that many days")
}

/// An address at a domain that is kept for examples (RFC 2606), still without the mark that makes it unique.
fn email(fixture: &Fixture, member: &Member<'_>, random: &mut Random) -> String {
    let mut email = String::new();
    for name in [member.given, member.family] {
        let latin = if name.latin.is_empty() { &name.text } else { &name.latin };
        email.extend(latin.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()));
        email.push('.');
    }
    email.push('@');
    email.push_str(random.pick::<String>(&fixture.email_domains));
    email
}
