//! Comparing one person with those whom a search of the register finds, weighed by what the search itself tells of chance.
//!
//! Whoever is found by a day and a name shares both: that alone is no surprise, and how little of one depends on how many people there
//! are and how common the name is. So the question is not how rare agreement is in a pair drawn by lot, but how many strangers of this
//! register are to be expected who agree as much. The rivals of [`super::model`] are counted in people here: two others of her household,
//! as many strangers as there are residents, and so on; and against all of them stands the chance that she is in the register at all.
//! How common her names are is told by how many people stand under the keys made of them. No count of names is kept anywhere.

use super::block::KeyKind;
use super::born::Born;
use super::level::{CODES, DIFFERS, Field, Pattern, SAME, address, born, name};
use super::model::{ByClass, Evidence, Model, Rival, prior_levels};
use super::profile::Profile;
use super::records::Records;

/// The chance that somebody who comes to be registered is in the register.
const HERE_ALREADY: f32 = 0.05;

/// Fewer residents than this say nothing about the next.
const FEWEST: f32 = 1_000.0;

/// Days on which somebody who is alive can have been born, those of few births counted as a part of one.
const DAYS: f32 = 25_000.0;
/// Years, likewise.
const YEARS: f32 = 80.0;
const DAYS_OF_A_YEAR: f32 = 366.0;
/// How much more often the first of January is written: where nobody knew the day.
const NEW_YEAR: f32 = 20.0;

/// How often strangers share a town, or a street of it.
const TOWNS: [(u8, f32); 5] = [
    (address::TOWN, 0.02),
    (address::TOWN + 1, 0.02),
    (address::TOWN + 2, 0.02),
    (address::STREET, 0.002),
    (address::STREET_NEAR, 0.000_5),
];

/// How common two names are together of which nothing is known; and how many bearers are seen until that is forgotten.
const BOTH_NAMES: f32 = 0.000_01;
const BOTH_NAMES_SEEN: f32 = 0.1;
/// The same for how common one name is beside what is known of both.
const ONE_NAME_SEEN: f32 = 1.0;

/// How many people stand under the keys of one person.
#[derive(Clone, Default)]
pub(crate) struct Crowd {
    /// Under each kind of key; kinds without a key are left out.
    pub(crate) under: Vec<(KeyKind, usize)>,
    /// Under the keys of her names in other years.
    pub(crate) namesakes: usize,
    /// How many such years were looked at.
    pub(crate) years: usize,
}

impl Crowd {
    /// How many stand under the key of this kind; `None` without such a key.
    fn under(&self, kind: KeyKind) -> Option<f32> {
        self.under.iter().find(|(known, _)| *known == kind).map(|(_, people)| *people as f32)
    }
}

/// How often strangers share what a person has, as shares of all people.
#[derive(Clone, Copy, Debug)]
struct Chance {
    given: f32,
    family: f32,
    names: f32,
    day: f32,
    phone: f32,
}

impl Chance {
    /// `others` are those who share keys with her beside the candidate in question.
    fn of(profile: &Profile, residents: f32, others: &Crowd) -> Chance {
        let born = profile.facts().born;
        let is_new_year = born.month() == 1 && born.day() == 1;
        let day = if is_new_year { NEW_YEAR } else { 1.0 } / DAYS;
        let born_that_day = residents * day;
        let (mut people, mut among) = (others.namesakes as f32, residents * others.years as f32 / YEARS);
        for (kind, part) in
            [(KeyKind::YearAndNames, 1.0 / YEARS), (KeyKind::DateAndNames, 1.0 / DAYS_OF_A_YEAR)]
        {
            if let Some(under) = others.under(kind) {
                people += under;
                among += residents * part;
            }
        }
        let names = (people + BOTH_NAMES_SEEN) / (among + BOTH_NAMES_SEEN / BOTH_NAMES);
        // Of two names that are so common together, each is its square root, until those of her day tell better.
        let one = |kind| match others.under(kind) {
            Some(people) => (people + ONE_NAME_SEEN) / (born_that_day + ONE_NAME_SEEN / names.sqrt()),
            None => names.sqrt(),
        };
        Chance {
            given: one(KeyKind::DayAndGiven).clamp(names, 0.5),
            family: one(KeyKind::DayAndFamily).clamp(names, 0.5),
            names: names.min(0.5),
            day,
            phone: (others.under(KeyKind::Phone).unwrap_or(0.0) + 0.05) / residents,
        }
    }
}

/// Compares a person who is looked for with one whom the search found, in a register of `residents`. `others` are those who share
/// blocking keys with her beside that one.
pub(crate) fn compare_found(residents: u64, others: &Crowd, wanted: &Profile, found: &Profile) -> Evidence {
    let residents = (residents as f32).max(FEWEST);
    let mut records = Records::new();
    records.push_profile(wanted);
    records.push_profile(found);
    let pattern = records.pattern(0, 1);
    let chance = Chance::of(wanted, residents, others);
    let either = |is: fn(Born) -> bool| [wanted, found].iter().any(|profile| is(profile.facts().born));
    let uncertain = Uncertain {
        partly: either(|born| born.day() == 0),
        new_year: either(|born| born.month() == 1 && born.day() == 1),
    };
    model(residents, &chance, pattern, uncertain).explain(pattern)
}

/// What is uncertain of one of two dates.
#[derive(Clone, Copy)]
struct Uncertain {
    /// A part of it is not known.
    partly: bool,
    /// It is the first of January, which is also written when the day is not known.
    new_year: bool,
}

/// The model for one pair: its rivals are counted in people.
fn model(residents: f32, chance: &Chance, pattern: Pattern, uncertain: Uncertain) -> Model {
    let agrees =
        |field| (name::SOUND..name::SWAPPED).contains(&pattern.code(field)) || pattern.code(field) >= SAME;
    let both_agree = agrees(Field::Given) && agrees(Field::Family);
    // Names go together: strangers who share both are as many as were counted, and not the product of the two.
    let (given, family) = match both_agree {
        true => (chance.names.sqrt(), chance.names.sqrt()),
        false => (chance.given, chance.family),
    };
    let mut found: ByClass = [0.0; super::model::CLASSES];
    found[0] = HERE_ALREADY;
    for (rival, people) in [
        (Rival::Household, 2.0),
        (Rival::Twin, 0.012),
        (Rival::Namesake, 0.02),
        (Rival::SameBirthday, residents * chance.day),
        (Rival::SameName, residents * chance.names),
        (Rival::Relative, residents * chance.family),
        (Rival::Stranger, residents),
    ] {
        found[rival as usize] = people;
    }
    let sum: f32 = found.iter().sum();
    let mut model = Model::with_priors(found.map(|people| people / sum));
    for field in Field::ALL {
        let mut levels = prior_levels(field);
        match field {
            Field::Given => {
                names(&mut levels, given, pattern.code(field), &[Rival::Namesake, Rival::SameName])
            }
            Field::Family => {
                let by_nature =
                    [Rival::Household, Rival::Twin, Rival::Namesake, Rival::SameName, Rival::Relative];
                names(&mut levels, family, pattern.code(field), &by_nature);
            }
            Field::Born => days(&mut levels, chance.day, uncertain),
            Field::Sex if agrees(Field::Given) => {
                // Most given names tell the sex.
                for rival in 1..levels[0].len() {
                    levels[usize::from(SAME)][rival] = 0.97;
                    levels[usize::from(DIFFERS)][rival] = 0.03;
                }
            }
            Field::Phone => shared_at_home(&mut levels, 0.67, 0.3, chance.phone),
            Field::Email => shared_at_home(&mut levels, 0.67, 0.1, 0.01 / residents),
            Field::Id => shared_at_home(&mut levels, 0.9, 0.000_1, 0.01 / residents),
            Field::Address => {
                // Of towns and streets it is not known how many share them here: as many as in a large town.
                for (code, by_chance) in TOWNS {
                    for rival in [Rival::SameBirthday, Rival::SameName, Rival::Relative, Rival::Stranger] {
                        levels[usize::from(code)][rival as usize] = by_chance;
                    }
                }
            }
            _ => {}
        }
        // The strangers are parted, so that each is counted once: who shares both names, the day, or the family name is no mere stranger.
        let same = usize::from(SAME)..CODES;
        match field {
            Field::Given => forget(&mut levels, same, &[Rival::Relative]),
            Field::Family => forget(&mut levels, same, &[Rival::Stranger]),
            Field::Born => forget(&mut levels, same, &[Rival::SameName, Rival::Relative, Rival::Stranger]),
            _ => {}
        }
        model.set(field, &levels);
    }
    model
}

/// Sets what the same name is worth: `by_chance` is how common it is.
fn names(levels: &mut [ByClass; CODES], by_chance: f32, code: u8, by_nature: &[Rival]) {
    for (class, same) in same_of(levels).into_iter().enumerate() {
        let is_by_nature = by_nature.iter().any(|rival| *rival as usize == class);
        let p = match class {
            0 => same,
            _ if is_by_nature => 0.85,
            // Nobody gives two at home one name.
            _ if class <= Rival::Twin as usize => by_chance * 0.3,
            _ => by_chance,
        };
        set_same(levels, class, p);
        // A spelling that is heard alike is the rarer part of a common name.
        let heard = usize::from(code);
        if (name::SOUND..name::SWAPPED).contains(&code) && class > 0 && !is_by_nature {
            levels[heard][class] = levels[heard][class].max(by_chance * 0.1);
        }
    }
}

/// Sets what the same day of birth is worth.
fn days(levels: &mut [ByClass; CODES], day: f32, uncertain: Uncertain) {
    for (class, same) in same_of(levels).into_iter().enumerate() {
        let p = match class {
            0 => same,
            class if class == Rival::Twin as usize || class == Rival::SameBirthday as usize => 0.98,
            _ => day,
        };
        set_same(levels, class, p);
        // Where a part of the date is not known, the rest can only agree or not.
        let has_reason = p > 0.5;
        if uncertain.partly {
            levels[usize::from(born::KNOWN_PART)][class] = if has_reason { 0.9 } else { 1.0 / YEARS };
        }
        if uncertain.new_year {
            levels[usize::from(born::NEW_YEAR)][class] = if class == 0 { 0.2 } else { 1.0 / YEARS };
        }
    }
}

/// Sets what a telephone or address is worth that a household may share, and a stranger has by a mistake only.
fn shared_at_home(levels: &mut [ByClass; CODES], same: f32, at_home: f32, by_chance: f32) {
    for class in 0..levels[0].len() {
        let p = match class {
            0 => same,
            class if class <= Rival::Namesake as usize => at_home,
            _ => by_chance,
        };
        set_same(levels, class, p);
    }
}

/// The probability of agreement in each class, however common the value is.
fn same_of(levels: &[ByClass; CODES]) -> ByClass {
    let mut sums = ByClass::default();
    for row in &levels[usize::from(SAME)..] {
        for (sum, p) in sums.iter_mut().zip(row) {
            *sum += p;
        }
    }
    sums
}

/// How common a value is stands in `p`, not in its code.
fn set_same(levels: &mut [ByClass; CODES], class: usize, p: f32) {
    for row in &mut levels[usize::from(SAME)..] {
        row[class] = p;
    }
}

fn forget(levels: &mut [ByClass; CODES], codes: std::ops::Range<usize>, rivals: &[Rival]) {
    for row in &mut levels[codes] {
        for rival in rivals {
            row[*rival as usize] = 0.0;
        }
    }
}
