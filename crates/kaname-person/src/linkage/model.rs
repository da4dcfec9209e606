//! The model of Fellegi and Sunter, with the other explanations named.
//!
//! A pair of records agrees in some fields. How likely that is when they are the same person, over how likely it is when they are not,
//! is the evidence. `Not the same` is no one thing: the rest of a household shares a surname, an address and a telephone at once, a twin
//! also the day of birth, a namesake both names. Taking the fields as independent there is what makes a matcher link twins. So the
//! pairs are a mixture of [`CLASSES`] kinds, and within each kind the fields are independent; a pair is the same person when that
//! explains it better than all [`Rival`]s together. How common a name is has its own levels (see [`super::level`]), so that agreement
//! in a rare one weighs more, by as much as the data say.

use super::level::{
    ABSENT, CODES, DIFFERS, Field, Level, ONE_SIDED, Pattern, SAME, UNKNOWN_SHARE, address, born, name,
};
use super::profile::Profile;
use super::records::{Records, WITH_GIVEN};

/// Kinds of pairs: the same person, and the rivals.
pub(crate) const CLASSES: usize = 8;
/// One value for each kind of pair.
pub(crate) type ByClass = [f32; CLASSES];

/// What a pair may be instead of one person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rival {
    /// Somebody else of the household.
    Household = 1,
    /// A twin.
    Twin = 2,
    /// A parent or child of the same name at the same address.
    Namesake = 3,
    /// A stranger who was born on the same day.
    SameBirthday = 4,
    /// A stranger of the same name.
    SameName = 5,
    /// A stranger with the same given name, or a relative elsewhere.
    Relative = 6,
    /// A stranger.
    Stranger = 7,
}

impl Rival {
    const ALL: [Rival; CLASSES - 1] = [
        Rival::Household,
        Rival::Twin,
        Rival::Namesake,
        Rival::SameBirthday,
        Rival::SameName,
        Rival::Relative,
        Rival::Stranger,
    ];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Rival::Household => "household",
            Rival::Twin => "twin",
            Rival::Namesake => "namesake",
            Rival::SameBirthday => "same-birthday",
            Rival::SameName => "same-name",
            Rival::Relative => "relative",
            Rival::Stranger => "stranger",
        }
    }
}

/// What speaks for and against two records being one person.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    /// The base-2 logarithm of the odds that they are one person: 10 is a thousand to one for it, -10 against it.
    pub weight: f32,
    /// The probability that they are one person, from 0 to 1.
    pub probability: f32,
    /// The best other explanation.
    pub rival: Rival,
    /// Each field with what it adds to the weight against that rival. What is left to the weight is how often each kind of pair occurs.
    pub fields: Vec<FieldEvidence>,
}

/// What one field says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FieldEvidence {
    /// Which field.
    pub field: Field,
    /// How far it agrees.
    pub level: Level,
    /// What it adds, in halvings or doublings of the odds.
    pub weight: f32,
}

/// How often the kinds of pairs occur, and how often each level occurs in each kind.
#[derive(Clone)]
pub struct Model {
    /// Base-2 logarithms.
    pub(crate) priors: ByClass,
    /// Base-2 logarithms, by field and code.
    pub(crate) tables: Box<[[ByClass; CODES]; Field::ALL.len()]>,
}

impl Model {
    /// Weights without estimation, for one comparison at a time in a register of `population` people: the pairs are those that a
    /// search by blocking keys finds ([`super::block_keys`]).
    pub fn built_in(population: u64) -> Model {
        let people = population.max(1_000) as f32;
        // How many of each kind a search for one person finds, with a chance of one in twenty that she is there.
        let found: ByClass =
            [0.05, 2.0, 0.012, 0.02, people / 1_000_000.0, people / 2_000_000.0, people / 500_000.0, 1.0];
        let sum: f32 = found.iter().sum();
        let mut model = Model::with_priors(found.map(|count| count / sum));
        for field in Field::ALL {
            model.set(field, &prior_levels(field));
        }
        model
    }

    /// A model of which only is known how often each kind of pair occurs; every field must be set.
    pub(crate) fn with_priors(priors: ByClass) -> Model {
        Model { priors: priors.map(f32::log2), tables: Box::new([[[0.0; CLASSES]; CODES]; Field::ALL.len()]) }
    }

    /// Sets a field's probabilities; codes that are not named keep to a trifle.
    pub(crate) fn set(&mut self, field: Field, probabilities: &[ByClass; CODES]) {
        let table = &mut self.tables[field as usize];
        for (row, probabilities) in table.iter_mut().zip(probabilities) {
            *row = probabilities.map(|p| p.max(1e-9).log2());
        }
        table[usize::from(WITH_GIVEN)] = [0.0; CLASSES];
    }

    /// The logarithm of how likely each kind of pair is to look like this.
    pub(crate) fn joint(&self, pattern: Pattern) -> ByClass {
        let mut joint = self.priors;
        for field in Field::ALL {
            let row = &self.tables[field as usize][usize::from(pattern.code(field))];
            for (sum, weight) in joint.iter_mut().zip(row) {
                *sum += weight;
            }
        }
        joint
    }

    /// The logarithm of the odds that a pair is one person.
    pub(crate) fn weight(&self, pattern: Pattern) -> f32 {
        let joint = self.joint(pattern);
        let best = joint[1..].iter().copied().fold(f32::MIN, f32::max);
        let rivals: f32 = joint[1..].iter().map(|rival| (rival - best).exp2()).sum();
        joint[0] - best - rivals.log2()
    }

    /// The evidence in a pattern.
    pub(crate) fn explain(&self, pattern: Pattern) -> Evidence {
        let weight = self.weight(pattern);
        let joint = self.joint(pattern);
        let rival = Rival::ALL
            .into_iter()
            .max_by(|a, b| joint[*a as usize].total_cmp(&joint[*b as usize]))
            .expect("there are rivals");
        let fields = Field::ALL
            .into_iter()
            .map(|field| {
                let code = pattern.code(field);
                let row = &self.tables[field as usize][usize::from(code)];
                FieldEvidence { field, level: Level::of(field, code), weight: row[0] - row[rival as usize] }
            })
            .filter(|evidence| evidence.level != Level::Absent)
            .collect();
        Evidence { weight, probability: probability(weight), rival, fields }
    }
}

/// The probability that goes with the logarithm of odds.
pub(crate) fn probability(weight: f32) -> f32 {
    let odds = weight.clamp(-60.0, 60.0).exp2();
    odds / (1.0 + odds)
}

/// Compares two profiles, with nothing known of how common their names are.
pub fn compare(model: &Model, a: &Profile, b: &Profile) -> Evidence {
    let mut records = Records::new();
    records.push_profile(a);
    records.push_profile(b);
    model.explain(records.pattern(0, 1))
}

/// Which kinds of pairs agree in a field for a reason, and not by chance.
pub(crate) fn agrees_by_nature(field: Field) -> [bool; CLASSES] {
    use Field::*;
    // Same person, household, twin, namesake, same birthday, same name, relative, stranger.
    let yes: &[usize] = match field {
        Given => &[0, 3, 5],
        Family => &[0, 1, 2, 3, 5, 6],
        Born => &[0, 2, 4],
        Birthplace => &[0, 2],
        Address => &[0, 1, 2, 3],
        Middle | Sex | Phone | Id | Email => &[0],
    };
    std::array::from_fn(|class| yes.contains(&class))
}

/// What is thought of a field before any data are seen.
pub(crate) fn prior_levels(field: Field) -> [ByClass; CODES] {
    let mut levels = [[0.0; CLASSES]; CODES];
    for (class, by_nature) in agrees_by_nature(field).into_iter().enumerate() {
        let column = match (class, by_nature) {
            (0, _) => same_person(field),
            (_, true) => for_a_reason(field),
            (_, false) => by_chance(field),
        };
        for (row, p) in levels.iter_mut().zip(column) {
            row[class] = p;
        }
    }
    levels
}

/// The probabilities of one field in one kind of pair.
type Column = [f32; CODES];

fn column(levels: &[(u8, f32)]) -> Column {
    let mut column = [0.0; CODES];
    for (code, p) in levels {
        column[usize::from(*code)] = *p;
    }
    // Whether a value is there says nothing until the data say so.
    column[usize::from(ABSENT)] = 0.5;
    column[usize::from(ONE_SIDED)] = 0.3;
    column
}

/// Spreads the probability of a level over its three rarities.
fn rarities(column: &mut Column, code: u8, p: f32, [hardly, rare, common]: [f32; 3]) {
    for (i, part) in [hardly, rare, common].into_iter().enumerate() {
        column[usize::from(code) + i] = p * part;
    }
}

/// Spreads agreement over how common the value is: a twelfth of the people for each halving, and by chance as often as that.
fn shares(column: &mut Column, p: f32, by_chance: bool, typical: f32) {
    for share in 0..UNKNOWN_SHARE {
        let frequency = (-(f32::from(share) + 5.5)).exp2();
        column[usize::from(SAME + share)] = p / 13.0 * if by_chance { frequency } else { 1.0 };
    }
    column[usize::from(SAME + UNKNOWN_SHARE)] = p / 13.0 * if by_chance { typical } else { 1.0 };
}

const ERRORS: [f32; 3] = [0.6, 0.25, 0.15];
const CHANCE: [f32; 3] = [0.02, 0.13, 0.85];

fn same_person(field: Field) -> Column {
    match field {
        Field::Given | Field::Family | Field::Middle | Field::Birthplace => {
            let (part, initial, differs, swapped) = match field {
                Field::Given => (0.02, 0.005, 0.015, 0.015),
                Field::Family => (0.01, 0.001, 0.05, 0.0),
                Field::Middle => (0.02, 0.05, 0.05, 0.0),
                _ => (0.01, 0.001, 0.05, 0.0),
            };
            let mut column = column(&[(DIFFERS, differs), (name::PART, part), (name::INITIAL, initial)]);
            rarities(&mut column, name::SHORT, 0.015, ERRORS);
            rarities(&mut column, name::NEAR, 0.012, ERRORS);
            rarities(&mut column, name::CONSONANTS, 0.012, ERRORS);
            rarities(&mut column, name::SLIP, 0.05, ERRORS);
            rarities(&mut column, name::SOUND, 0.03, ERRORS);
            rarities(&mut column, name::SWAPPED, swapped, ERRORS);
            shares(&mut column, 0.82, false, 0.0);
            column
        }
        Field::Born => {
            let mut column = column(&[
                (DIFFERS, 0.015),
                (born::YEAR, 0.01),
                (born::OTHER_YEAR, 0.008),
                (born::ERA, 0.004),
                (born::YEAR_SLIP, 0.02),
                (born::NEW_YEAR, 0.008),
                (born::OTHER_MONTH, 0.015),
                (born::OTHER_DAY, 0.025),
                (born::DAY_MONTH, 0.02),
                (born::KNOWN_PART, 0.02),
            ]);
            shares(&mut column, 0.86, false, 0.0);
            column
        }
        Field::Sex => column(&[(DIFFERS, 0.015), (SAME, 0.985)]),
        Field::Address => {
            let mut column = column(&[
                (DIFFERS, 0.12),
                (address::TOWN, 0.03),
                (address::TOWN + 1, 0.03),
                (address::TOWN + 2, 0.03),
                (address::POSTCODE, 0.01),
                (address::STREET, 0.02),
                (address::STREET_NEAR, 0.01),
                (address::NO_HOUSE, 0.04),
                (address::HOUSE_SLIP, 0.04),
                (address::STREET_SLIP, 0.04),
                (address::OTHER_TOWN, 0.01),
            ]);
            shares(&mut column, 0.6, false, 0.0);
            column
        }
        Field::Phone | Field::Id | Field::Email => {
            let (slip, differs) = if field == Field::Id { (0.08, 0.02) } else { (0.03, 0.3) };
            let mut column = column(&[(DIFFERS, differs), (name::SLIP, slip)]);
            shares(&mut column, 1.0 - slip - differs, false, 0.0);
            column
        }
    }
}

/// Agreement that has a reason, such as living together.
fn for_a_reason(field: Field) -> Column {
    let mut column = column(&[(DIFFERS, 0.08), (name::PART, 0.02)]);
    shares(&mut column, 0.85, false, 0.0);
    match field {
        Field::Address => {
            column[usize::from(address::NO_HOUSE)] = 0.02;
            column[usize::from(address::HOUSE_SLIP)] = 0.005;
            column[usize::from(address::STREET_SLIP)] = 0.005;
        }
        Field::Born => {
            // A twin's or a stranger's day is the same or it is not: slips have no reason.
            column[usize::from(DIFFERS)] = 0.02;
            column[usize::from(name::PART)] = 0.001;
        }
        _ => {
            rarities(&mut column, name::SOUND, 0.005, CHANCE);
            rarities(&mut column, name::SLIP, 0.005, CHANCE);
            rarities(&mut column, name::SWAPPED, 0.001, CHANCE);
        }
    }
    column
}

fn by_chance(field: Field) -> Column {
    match field {
        Field::Given | Field::Family | Field::Middle | Field::Birthplace => {
            let mut column = column(&[(DIFFERS, 0.95), (name::PART, 0.01), (name::INITIAL, 0.01)]);
            rarities(&mut column, name::SHORT, 0.003, CHANCE);
            rarities(&mut column, name::NEAR, 0.006, CHANCE);
            rarities(&mut column, name::CONSONANTS, 0.004, CHANCE);
            rarities(&mut column, name::SLIP, 0.003, CHANCE);
            rarities(&mut column, name::SOUND, 0.0015, CHANCE);
            rarities(&mut column, name::SWAPPED, 0.000_01, CHANCE);
            shares(&mut column, 1.0, true, 0.003);
            column
        }
        Field::Born => {
            let mut column = column(&[
                (DIFFERS, 0.965),
                (born::YEAR, 0.012),
                (born::OTHER_YEAR, 0.0025),
                (born::ERA, 0.000_15),
                (born::YEAR_SLIP, 0.000_12),
                (born::NEW_YEAR, 0.000_1),
                (born::OTHER_MONTH, 0.000_4),
                (born::OTHER_DAY, 0.001),
                (born::DAY_MONTH, 0.000_02),
                (born::KNOWN_PART, 0.002),
            ]);
            shares(&mut column, 1.0, true, 0.000_03);
            column
        }
        Field::Sex => column(&[(DIFFERS, 0.5), (SAME, 0.5)]),
        Field::Address => {
            let mut column = column(&[
                (DIFFERS, 0.97),
                (address::TOWN, 0.002),
                (address::TOWN + 1, 0.005),
                (address::TOWN + 2, 0.02),
                (address::POSTCODE, 0.001),
                (address::STREET, 0.000_2),
                (address::STREET_NEAR, 0.000_05),
                (address::NO_HOUSE, 0.000_01),
                (address::HOUSE_SLIP, 0.000_01),
                (address::STREET_SLIP, 0.000_005),
                (address::OTHER_TOWN, 0.000_05),
            ]);
            shares(&mut column, 1.0, true, 0.000_01);
            column
        }
        Field::Phone | Field::Id | Field::Email => {
            let mut column = column(&[(DIFFERS, 0.999), (name::SLIP, 0.000_000_1)]);
            shares(&mut column, 1.0, true, 0.000_001);
            column
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Born;
    use super::super::profile::{Facts, Spelled};
    use super::*;

    fn person<'a>(given: &'a str, family: &'a str, born: &str, house: &'a str) -> Facts<'a> {
        Facts {
            given: Spelled::written(given),
            family: Spelled::written(family),
            born: Born::parse(born),
            sex: "F",
            house,
            street: "Quay Street",
            town: "Harbour",
            postcode: "1000",
            ..Facts::default()
        }
    }

    fn evidence(a: &Facts<'_>, b: &Facts<'_>) -> Evidence {
        compare(&Model::built_in(1_000_000), &Profile::from_facts(a), &Profile::from_facts(b))
    }

    #[test]
    fn one_person_is_told_from_twins_namesakes_and_strangers() {
        let jane = person("Jane", "Smith", "1980-04-21", "1");
        for (other, expected) in [
            (person("Jane", "Smith", "1980-04-21", "1"), None),
            (person("Jaen", "Smith", "1980-04-21", "1"), None),
            (person("Smith", "Jane", "1980-04-21", "1"), None),
            (person("Jane", "Smith", "1981-04-21", "1"), None),
            (person("Jane", "Baker", "1980-04-21", "1"), None),
            (person("Susan", "Smith", "1980-04-21", "1"), Some(Rival::Twin)),
            (person("Susan", "Smith", "1952-11-03", "1"), Some(Rival::Household)),
            (person("Jane", "Smith", "1952-11-03", "1"), Some(Rival::Namesake)),
        ] {
            let evidence = evidence(&jane, &other);
            match expected {
                None => assert!(evidence.probability > 0.9, "{evidence:?}"),
                Some(rival) => {
                    assert!(evidence.probability < 0.1, "{evidence:?}");
                    assert_eq!(evidence.rival, rival, "{evidence:?}");
                }
            }
        }
    }

    #[test]
    fn the_fields_add_up_to_the_weight_against_the_rival() {
        let (a, b) =
            (person("Jane", "Smith", "1980-04-21", "1"), person("Susan", "Smith", "1980-04-21", "1"));
        let model = Model::built_in(1_000_000);
        let evidence = evidence(&a, &b);
        let sum: f32 = evidence.fields.iter().map(|field| field.weight).sum();
        let against = sum + model.priors[0] - model.priors[evidence.rival as usize];
        // Against all rivals together the weight is a little lower than against the best of them.
        assert!(evidence.weight <= against + 0.01 && evidence.weight > against - 3.0, "{evidence:?}");
    }
}
