//! `fixtures/people.toml` of a pack: names with their weights, places, and how a country's households look.

use kaname_base::pack::Pack;
use serde::Deserialize;

use crate::random::Random;

/// What a simulated population is drawn from.
#[derive(Clone, Debug)]
pub struct Fixture {
    pub(crate) household: Household,
    pub(crate) phones: Vec<String>,
    pub(crate) email_domains: Vec<String>,
    pub(crate) streets: Vec<String>,
    pub(crate) addresses: Vec<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) place_sums: Vec<u64>,
    pub(crate) groups: Vec<Group>,
    pub(crate) group_sums: Vec<u64>,
}

/// How households look.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Household {
    /// Weights of the head's age: 18-29, 30-39 and so on to 90-99.
    pub(crate) head_ages: Vec<u64>,
    /// Weights of having 1, 2, 3 ... children, in households with children.
    pub(crate) children: Vec<u64>,
    /// How many families of a hundred live with a parent of the head.
    pub(crate) elder_percent: u64,
    /// Whether husband and wife each keep their family name.
    #[serde(default)]
    pub(crate) spouse_keeps_name: bool,
    /// How many forefathers' names follow the given name.
    #[serde(default)]
    pub(crate) patronymics: usize,
    /// The third code for sex, where the pack has one.
    pub(crate) third_sex: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) city: String,
    pub(crate) postcode: String,
}

/// People whose names go together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) status: String,
    pub(crate) family: Names,
    pub(crate) female: Names,
    pub(crate) male: Names,
}

#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) names: Vec<Name>,
    sums: Vec<u64>,
}

/// A name in the country's script, with its further forms where the fixture has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) reading: String,
    pub(crate) latin: String,
}

/// Why a fixture cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fixture of the population cannot be used: {0}")]
pub struct FixtureError(String);

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the columns of a name are: `text`, `reading`, `latin`; the weight is always the last.
    columns: Vec<String>,
    household: Household,
    phones: Vec<String>,
    email_domains: Vec<String>,
    streets: Vec<String>,
    addresses: Vec<String>,
    /// Region, city, pattern of the postcode, weight.
    places: Vec<(String, String, String, u64)>,
    group: Vec<FileGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGroup {
    status: String,
    weight: u64,
    family: Vec<Vec<Cell>>,
    female: Vec<Vec<Cell>>,
    male: Vec<Vec<Cell>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    Weight(u64),
}

impl Fixture {
    /// The fixture of a pack inside the program.
    pub fn shipped(country: &str) -> Option<Fixture> {
        let files = Pack::shipped_files(country)?;
        let text = files.get("fixtures/people.toml")?;
        Some(
            Fixture::parse(text)
                .unwrap_or_else(|error| panic!("a test reads each fixture, yet {country}: {error}")),
        )
    }

    /// Reads `fixtures/people.toml`.
    ///
    /// # Errors
    /// [`FixtureError`] when it is not in the form described above, or leaves nothing to draw from.
    pub fn parse(text: &str) -> Result<Fixture, FixtureError> {
        let file: File = toml::from_str(text).map_err(|error| FixtureError(error.to_string()))?;
        let (mut places, mut place_weights) = (Vec::new(), Vec::new());
        for (region, city, postcode, weight) in file.places {
            places.push(Place { region, city, postcode });
            place_weights.push(weight);
        }
        let (mut groups, mut group_weights) = (Vec::new(), Vec::new());
        for group in file.group {
            group_weights.push(group.weight);
            groups.push(Group {
                family: names(&file.columns, group.family)?,
                female: names(&file.columns, group.female)?,
                male: names(&file.columns, group.male)?,
                status: group.status,
            });
        }
        let household = Household {
            head_ages: sums("household.head_ages", &file.household.head_ages)?,
            children: sums("household.children", &file.household.children)?,
            ..file.household
        };
        if household.head_ages.len() != 8 {
            return Err(FixtureError("household.head_ages: 8 weights are expected".to_owned()));
        }
        for (what, list) in [
            ("phones", &file.phones),
            ("email_domains", &file.email_domains),
            ("streets", &file.streets),
            ("addresses", &file.addresses),
        ] {
            if list.is_empty() {
                return Err(FixtureError(format!("{what}: it is empty")));
            }
        }
        if let Some(real) = file.email_domains.iter().find(|domain| !domain.starts_with("example.")) {
            return Err(FixtureError(format!(
                "email_domains: {real} may exist; use example.com and the like"
            )));
        }
        Ok(Fixture {
            household,
            phones: file.phones,
            email_domains: file.email_domains,
            streets: file.streets,
            addresses: file.addresses,
            place_sums: sums("places", &place_weights)?,
            places,
            group_sums: sums("group", &group_weights)?,
            groups,
        })
    }

    /// Fills a pattern: `#` is a digit, `@` a capital letter, `{street}` a street, `{1-30}` a number in that range, `{#}`
    /// the sign itself.
    pub(crate) fn fill(&self, pattern: &str, random: &mut Random) -> String {
        let mut filled = String::with_capacity(pattern.len() + 16);
        let mut rest = pattern;
        while let Some(at) = rest.find(['#', '@', '{']) {
            filled.push_str(&rest[..at]);
            let (sign, after) = rest[at..].split_at(1);
            rest = after;
            match sign {
                "#" => filled.push((b'0' + random.below(10) as u8) as char),
                "@" => filled.push(*random.pick(&LETTERS) as char),
                _ => {
                    let (inside, after) = rest.split_once('}').unwrap_or((rest, ""));
                    rest = after;
                    match inside.split_once('-').map(|(first, last)| (first.parse(), last.parse())) {
                        Some((Ok(first), Ok(last))) if first <= last => {
                            filled.push_str(&random.between(first, last).to_string());
                        }
                        _ if inside == "#" => filled.push('#'),
                        _ => filled.push_str(random.pick::<String>(&self.streets)),
                    }
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// The letters that stand in the second half of British postcodes; elsewhere as good as any.
const LETTERS: [u8; 20] = *b"ABDEFGHJLNPQRSTUWXYZ";

impl Names {
    pub(crate) fn draw(&self, random: &mut Random) -> &Name {
        &self.names[random.weighted(&self.sums)]
    }
}

fn names(columns: &[String], rows: Vec<Vec<Cell>>) -> Result<Names, FixtureError> {
    let (mut names, mut weights) = (Vec::new(), Vec::new());
    for row in rows {
        let mut name = Name::default();
        let mut cells = row.into_iter();
        for column in columns {
            let Some(Cell::Text(text)) = cells.next() else {
                return Err(FixtureError(format!(
                    "a name needs {} texts and a weight: {name:?}",
                    columns.len()
                )));
            };
            match column.as_str() {
                "text" => name.text = text,
                "reading" => name.reading = text,
                "latin" => name.latin = text,
                other => {
                    return Err(FixtureError(format!("columns: `{other}` is not text, reading or latin")));
                }
            }
        }
        match (cells.next(), cells.next()) {
            (Some(Cell::Weight(weight)), None) => weights.push(weight),
            _ => return Err(FixtureError(format!("a name ends with one weight: {name:?}"))),
        }
        names.push(name);
    }
    Ok(Names { names, sums: sums("names", &weights)? })
}

/// Running sums of weights, of which at least one is not zero.
fn sums(what: &str, weights: &[u64]) -> Result<Vec<u64>, FixtureError> {
    let sums: Vec<u64> = weights
        .iter()
        .scan(0_u64, |sum, weight| {
            *sum = sum.saturating_add(*weight);
            Some(*sum)
        })
        .collect();
    match sums.last() {
        Some(total) if *total > 0 => Ok(sums),
        _ => Err(FixtureError(format!("{what}: there is nothing to draw from"))),
    }
}
