//! Which pairs are looked at: those that agree in something that few share.
//!
//! Every pair of a million records is five hundred billion. Records are sorted by a key made of two values or more, and only
//! neighbours with the same key are paired; several keys, so that a slip in one value leaves another. In a block that is still large,
//! such as the first of January, a pair must agree in more.

use super::born::Born;
use super::names::Names;
use super::place::{fold_house, fold_phone, fold_postcode, fold_street};
use super::profile::{Profile, Spelled};
use super::records::Records;

/// Larger blocks are parted by further values, and a part that is still larger is passed over: what so many share is no evidence.
const LARGE: usize = 400;

/// Up to so many records, pairs are also made of those that agree in one value.
const FEW: usize = 50_000;

/// Of a record what decides whether a pair is worth a look.
#[derive(Clone, Copy)]
struct Mark {
    row: u32,
    given: u32,
    family: u32,
    given_opening: u16,
    family_opening: u16,
    born: Born,
    birthplace: u32,
    postcode: u32,
    phone: u32,
}

impl Mark {
    fn names_touch(&self, other: &Mark) -> bool {
        let same = |a: u32, b: u32| a != 0 && a == b;
        same(self.given, other.given)
            || same(self.family, other.family)
            || same(self.given, other.family)
            || same(self.family, other.given)
            || (self.given_opening != 0 && self.given_opening == other.given_opening)
            || (self.family_opening != 0 && self.family_opening == other.family_opening)
    }

    fn places_touch(&self, other: &Mark) -> bool {
        let same = |a: u32, b: u32| a != 0 && a == b;
        same(self.phone, other.phone)
            || same(self.postcode, other.postcode)
            || same(self.birthplace, other.birthplace)
    }

    fn dates_touch(&self, other: &Mark) -> bool {
        let (a, b) = (self.born, other.born);
        !a.is_known()
            || !b.is_known()
            || a.year() == b.year()
            || (a.month() == b.month() && a.day() == b.day())
    }

    fn given_touches(&self, other: &Mark) -> bool {
        (self.given_opening != 0 && self.given_opening == other.given_opening)
            || (self.given != 0 && (self.given == other.given || self.given == other.family))
            || (self.family != 0 && self.family == other.given)
    }
}

/// The pairs of records that are worth a comparison, each once, in order. With `split`, only pairs of one record before it and one
/// from it on.
pub(crate) fn candidates(records: &Records, split: Option<usize>) -> Vec<(u32, u32)> {
    let marks: Vec<Mark> = (0..records.rows.len()).map(|i| mark(records, i)).collect();
    let mut passes =
        Passes { marks: &marks, split: split.map(|at| at as u32), keys: Vec::new(), pairs: Vec::new() };
    let row = |mark: &Mark| &records.rows[mark.row as usize];

    passes.pass(|mark| all([mark.born.packed(), 1, 1]), |a, b| a.names_touch(b) || a.places_touch(b));
    passes.pass(
        |mark| all([mark.given.min(mark.family), mark.given.max(mark.family), 2]),
        |a, b| a.dates_touch(b) || a.places_touch(b),
    );
    passes.pass(|mark| all([mark.phone, 3, 3]), |_, _| true);
    let at_home = |a: &Mark, b: &Mark| a.given_touches(b) || a.dates_touch(b);
    passes.pass(|mark| all([row(mark).house, row(mark).street, 4]), at_home);
    passes.pass(|mark| all([row(mark).house, mark.postcode, 5]), at_home);
    passes.pass(|mark| all([row(mark).street, mark.postcode, 6]), at_home);
    passes.pass(|mark| all([row(mark).id, 7, 7]), |_, _| true);
    passes.pass(|mark| row(mark).email, |_, _| true);
    if records.len() <= FEW {
        // Among few records one value parts well enough; and what is no match must be seen for the model to know it.
        passes.pass(|mark| all([mark.given, 8, 8]), |_, _| true);
        passes.pass(|mark| all([mark.family, 9, 9]), |_, _| true);
        passes.pass(|mark| all([mark.postcode, 10, 10]), |_, _| true);
        passes.pass(|mark| all([row(mark).town, mark.born.year(), 11]), |_, _| true);
        passes.pass(|mark| all([row(mark).house, mark.given_opening.into(), 12]), |_, _| true);
        passes.pass(|mark| all([mark.born.packed(), 13, 13]), |_, _| true);
    }

    let mut pairs = passes.pairs;
    pairs.sort_unstable();
    pairs.dedup();
    pairs.into_iter().map(|pair| ((pair >> 32) as u32, pair as u32)).collect()
}

/// A key of parts that must all be known; 0 when one is not.
fn all(parts: [u32; 3]) -> u64 {
    if parts.contains(&0) {
        return 0;
    }
    parts
        .iter()
        .fold(0_u64, |key, part| (key.rotate_left(26) ^ u64::from(*part)).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .max(1)
}

fn mark(records: &Records, i: usize) -> Mark {
    let (row, names) = (&records.rows[i], &records.names);
    Mark {
        row: i as u32,
        given: names.sound(row.given),
        family: names.sound(row.family),
        given_opening: names.opening(row.given, 2) as u16,
        family_opening: names.opening(row.family, 2) as u16,
        born: row.born,
        birthplace: row.birthplace,
        postcode: row.postcode,
        phone: row.phone,
    }
}

struct Passes<'a> {
    marks: &'a [Mark],
    split: Option<u32>,
    keys: Vec<(u64, u32)>,
    pairs: Vec<u64>,
}

impl Passes<'_> {
    fn pass(&mut self, key: impl Fn(&Mark) -> u64, worth: impl Fn(&Mark, &Mark) -> bool) {
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        keys.extend(self.marks.iter().map(|mark| (key(mark), mark.row)).filter(|(key, _)| *key != 0));
        keys.sort_unstable();
        let mut block: Vec<Mark> = Vec::new();
        for same in keys.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            block.clear();
            block.extend(same.iter().map(|(_, row)| self.marks[*row as usize]));
            if block.len() <= LARGE {
                self.pair(&block, &worth);
                continue;
            }
            for further in [
                |mark: &Mark| mark.given,
                |mark: &Mark| mark.family,
                |mark: &Mark| mark.phone,
                |mark: &Mark| mark.postcode,
                |mark: &Mark| mark.born.packed(),
            ] {
                block.sort_unstable_by_key(further);
                for part in block.chunk_by(|a, b| further(a) == further(b)) {
                    if further(&part[0]) != 0 && part.len() <= LARGE {
                        self.pair(part, &worth);
                    }
                }
            }
        }
        self.keys = keys;
    }

    fn pair(&mut self, block: &[Mark], worth: &impl Fn(&Mark, &Mark) -> bool) {
        for (i, a) in block.iter().enumerate() {
            for b in &block[i + 1..] {
                if worth(a, b) {
                    let (first, second) = if a.row < b.row { (a.row, b.row) } else { (b.row, a.row) };
                    if self.split.is_none_or(|at| first < at && second >= at) {
                        self.pairs.push(u64::from(first) << 32 | u64::from(second));
                    }
                }
            }
        }
    }
}

/// What two records of one person most likely share: keys of two values or more each, or of one that few share, for an index that is
/// searched one person at a time. Stored as a keyed hash, a key tells nothing; made of several values, how often it occurs tells little.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey(Vec<u8>);

impl BlockKey {
    /// The bytes that are hashed with a key before they are stored.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Personal data: the debug form tells nothing.
impl std::fmt::Debug for BlockKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockKey(…)")
    }
}

/// What a blocking key is made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum KeyKind {
    /// The day of birth and what is heard of the given name.
    DayAndGiven,
    /// The day of birth and what is heard of the family name.
    DayAndFamily,
    /// The year of birth and both names.
    YearAndNames,
    /// Day and month of birth and both names.
    DateAndNames,
    /// The day of birth and the postcode.
    DayAndPostcode,
    /// The telephone.
    Phone,
    /// House, street and place, and what is heard of the given name.
    HomeAndGiven,
}

impl KeyKind {
    /// The first byte of a key. A given name is found where somebody else has it as a family name: they change places.
    fn code(self) -> u8 {
        match self {
            KeyKind::DayAndGiven | KeyKind::DayAndFamily => 1,
            KeyKind::YearAndNames => 2,
            KeyKind::DateAndNames => 3,
            KeyKind::DayAndPostcode => 4,
            KeyKind::Phone => 5,
            KeyKind::HomeAndGiven => 6,
        }
    }
}

/// The blocking keys of a person: seven at the most.
pub fn block_keys(profile: &Profile) -> Vec<BlockKey> {
    KeyMaker::new().keys(profile)
}

/// Makes the keys of many people, and folds a name that it has met before no second time.
pub(crate) struct KeyMaker {
    names: Names,
}

/// Years before and after a person's in which those of her names are counted.
const YEARS_AROUND: u32 = 8;

/// Names that are remembered: some megabytes of them.
const REMEMBERED: usize = 20_000;

impl KeyMaker {
    pub(crate) fn new() -> KeyMaker {
        KeyMaker { names: Names::new() }
    }

    /// The keys, each once.
    pub(crate) fn keys(&mut self, profile: &Profile) -> Vec<BlockKey> {
        let mut keys: Vec<BlockKey> = self.keys_by_kind(profile).into_iter().map(|(_, key)| key).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The keys that people of the same names have who were born in the years around hers: whoever stands under them is no candidate, and
    /// tells how common the names are.
    pub(crate) fn namesakes_keys(&mut self, profile: &Profile) -> Vec<BlockKey> {
        let born = profile.facts().born;
        let (first, second) = self.names_in_order(profile);
        if !born.is_known() || first.is_empty() || second.is_empty() {
            return Vec::new();
        }
        let years = born.year().saturating_sub(YEARS_AROUND)..=born.year() + YEARS_AROUND;
        years
            .filter(|year| *year != born.year())
            .map(|year| key_of(KeyKind::YearAndNames, &[&year.to_be_bytes(), &first, &second]))
            .collect()
    }

    /// What is heard of both names, in one order whichever of them was written first.
    fn names_in_order(&mut self, profile: &Profile) -> (Vec<u8>, Vec<u8>) {
        let facts = profile.facts();
        let (given, family) = (self.heard(&facts.given), self.heard(&facts.family));
        if given <= family { (given, family) } else { (family, given) }
    }

    fn heard(&mut self, name: &Spelled<'_>) -> Vec<u8> {
        if self.names.len() > REMEMBERED {
            self.names = Names::new();
        }
        let id = self.names.number(name);
        self.names.texts.get(self.names.sound(id)).to_vec()
    }

    /// The keys, and what each is made of.
    pub(crate) fn keys_by_kind(&mut self, profile: &Profile) -> Vec<(KeyKind, BlockKey)> {
        let facts = profile.facts();
        let (given, family) = (self.heard(&facts.given), self.heard(&facts.family));
        let (first, second) = if given <= family { (&given, &family) } else { (&family, &given) };
        let born = facts.born;
        let day = born.packed().to_be_bytes();
        let year = born.year().to_be_bytes();
        let month_and_day = (born.packed() & 511).to_be_bytes();
        let postcode = fold_postcode(facts.postcode);
        let place = if postcode.is_empty() { fold_street(facts.town) } else { postcode.clone() };
        let (house, street) = (fold_house(facts.house), fold_street(facts.street));
        let phone = match fold_phone(facts.phone) {
            0 => Vec::new(),
            phone => phone.to_be_bytes().to_vec(),
        };
        let known = born.is_known();
        let whole = known && born.day() != 0;
        use KeyKind::*;
        let made: [(KeyKind, bool, &[&[u8]]); 7] = [
            (DayAndGiven, whole, &[&day, &given]),
            (DayAndFamily, whole, &[&day, &family]),
            (YearAndNames, known, &[&year, first, second]),
            (DateAndNames, whole, &[&month_and_day, first, second]),
            (DayAndPostcode, whole, &[&day, postcode.as_bytes()]),
            (Phone, true, &[&phone]),
            (HomeAndGiven, true, &[house.as_bytes(), street.as_bytes(), place.as_bytes(), &given]),
        ];
        made.into_iter()
            .filter(|(_, can_be, parts)| *can_be && parts.iter().all(|part| !part.is_empty()))
            .map(|(kind, _, parts)| (kind, key_of(kind, parts)))
            .collect()
    }
}

fn key_of(kind: KeyKind, parts: &[&[u8]]) -> BlockKey {
    let mut bytes = vec![kind.code()];
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u16).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    BlockKey(bytes)
}
