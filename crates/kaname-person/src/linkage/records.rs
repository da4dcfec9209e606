//! Many records as numbers: 64 bytes each, whatever their texts, so that a comparison touches one line of the cache.

use super::born::{Born, Dates, compare as compare_dates};
use super::level::{
    ABSENT, DIFFERS, Field, ONE_SIDED, Pattern, Rarity, SAME, UNKNOWN_SHARE, address, born, name,
};
use super::names::{NameId, Names};
use super::place::{fold_house, fold_phone, fold_postcode, fold_street};
use super::profile::{Facts, Profile, Spelled};
use super::texts::{QuickMap, Texts, quick_hash};

/// One record in numbers: equal numbers are equal values, and 0 is not known.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub(crate) struct Row {
    pub(crate) given: NameId,
    pub(crate) family: NameId,
    pub(crate) middle: NameId,
    pub(crate) birthplace: NameId,
    pub(crate) town: NameId,
    pub(crate) born: Born,
    pub(crate) house: u32,
    pub(crate) street: u32,
    pub(crate) postcode: u32,
    pub(crate) phone: u32,
    pub(crate) id: u32,
    pub(crate) email: u64,
    pub(crate) sex: u8,
    /// How many share the telephone and the address, as a share's code.
    pub(crate) phone_share: u8,
    pub(crate) address_share: u8,
}

/// Records that are compared with each other.
pub struct Records {
    pub(crate) names: Names,
    /// Streets, house numbers, postcodes, ids: folded texts.
    pub(crate) codes: Texts,
    streets: QuickMap<Box<str>, u32>,
    /// The numbers of texts that are short decimal numbers, by their value.
    decimals: Vec<u32>,
    pub(crate) rows: Vec<Row>,
    pub(crate) shares: Shares,
}

/// How common each name is in each place where it can stand.
#[derive(Default)]
pub(crate) struct Shares {
    given: Vec<u8>,
    family: Vec<u8>,
    middle: Vec<u8>,
    birthplace: Vec<u8>,
    town: Vec<u8>,
    born: QuickMap<u32, u8>,
}

impl Records {
    /// None yet.
    pub fn new() -> Records {
        Records {
            names: Names::new(),
            codes: Texts::new(),
            streets: QuickMap::default(),
            decimals: Vec::new(),
            rows: Vec::new(),
            shares: Shares::default(),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a person's profile; its place is the number of those before it.
    pub fn push_profile(&mut self, profile: &Profile) {
        self.push(&profile.facts());
    }

    /// Adds a record; its place is the number of those before it.
    pub fn push(&mut self, facts: &Facts<'_>) {
        let place = |names: &mut Names, text| names.number(&Spelled::written(text));
        let row = Row {
            given: self.names.number(&facts.given),
            family: self.names.number(&facts.family),
            middle: self.names.number(&facts.middle),
            birthplace: place(&mut self.names, facts.birthplace),
            town: place(&mut self.names, facts.town),
            born: facts.born,
            house: self.code(facts.house, fold_house),
            street: self.street(facts.street),
            postcode: self.code(facts.postcode, fold_postcode),
            phone: fold_phone(facts.phone) as u32,
            id: self.code(facts.id, fold_house),
            email: match facts.email.trim() {
                "" => 0,
                email => quick_hash(email.to_lowercase().as_bytes()).max(1),
            },
            sex: facts.sex.bytes().next().unwrap_or(0),
            phone_share: UNKNOWN_SHARE,
            address_share: UNKNOWN_SHARE,
        };
        self.rows.push(row);
    }

    fn code(&mut self, text: &str, fold: fn(&str) -> String) -> u32 {
        let digits = text.as_bytes();
        // House numbers and postcodes are looked up by their value: twice for each of a million records.
        if matches!(digits, [b'1'..=b'9', rest @ ..] if rest.len() < 5 && rest.iter().all(u8::is_ascii_digit))
        {
            let value = digits.iter().fold(0, |value, digit| value * 10 + usize::from(digit - b'0'));
            if value >= self.decimals.len() {
                self.decimals.resize(value + 1, 0);
            }
            if self.decimals[value] == 0 {
                self.decimals[value] = self.codes.number(digits);
            }
            return self.decimals[value];
        }
        let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        if is_plain { self.codes.number(text.as_bytes()) } else { self.codes.number(fold(text).as_bytes()) }
    }

    fn street(&mut self, text: &str) -> u32 {
        if let Some(number) = self.streets.get(text) {
            return *number;
        }
        let number = self.codes.number(fold_street(text).as_bytes());
        self.streets.insert(text.into(), number);
        number
    }

    /// Counts how common each value is. Without it every value counts as of average frequency.
    pub fn count(&mut self) {
        let total = self.rows.len();
        let count_of = |field: fn(&Row) -> NameId| {
            let mut counts = vec![0_u32; self.names.texts.len()];
            for row in &self.rows {
                counts[self.names.key(field(row)) as usize] += 1;
            }
            let of_name = |id| shares_of(counts[self.names.key(id) as usize], total);
            (0..self.names.len() as u32).map(of_name).collect::<Vec<u8>>()
        };
        let mut shares = Shares {
            given: count_of(|row| row.given),
            family: count_of(|row| row.family),
            middle: count_of(|row| row.middle),
            birthplace: count_of(|row| row.birthplace),
            town: count_of(|row| row.town),
            born: QuickMap::default(),
        };
        let mut days: QuickMap<u32, u32> = QuickMap::default();
        for row in &self.rows {
            *days.entry(row.born.packed()).or_default() += 1;
        }
        shares.born = days.into_iter().map(|(day, count)| (day, share(count, total))).collect();
        self.shares = shares;
        self.count_together(|row| u64::from(row.phone), |row, share| row.phone_share = share);
        let address = |row: &Row| match (row.house, row.street) {
            (0, _) | (_, 0) => 0,
            (house, street) => quick_hash(
                &[house, street, row.town].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>(),
            ),
        };
        self.count_together(address, |row, share| row.address_share = share);
    }

    fn count_together(&mut self, key: impl Fn(&Row) -> u64, set: impl Fn(&mut Row, u8)) {
        let total = self.rows.len();
        let mut keys: Vec<(u64, u32)> =
            self.rows.iter().enumerate().map(|(i, row)| (key(row), i as u32)).collect();
        keys.sort_unstable();
        for block in keys.chunk_by(|a, b| a.0 == b.0) {
            let share = share(block.len() as u32, total);
            for (_, place) in block {
                set(&mut self.rows[*place as usize], share);
            }
        }
    }

    /// How two of them agree.
    pub(crate) fn pattern(&self, a: usize, b: usize) -> Pattern {
        let (x, y) = (&self.rows[a], &self.rows[b]);
        let name_code = |shares: &[u8], a, b| {
            let share = |id: NameId| shares.get(id as usize).map_or(UNKNOWN_SHARE, |both| both & 15);
            let rarity = |id: NameId| shares.get(id as usize).map_or(1, |both| both >> 4);
            self.names.compare(a, b, share, rarity)
        };
        let shares = &self.shares;
        let mut given = name_code(&shares.given, x.given, y.given);
        let mut family = name_code(&shares.family, x.family, y.family);
        if given < name::CONSONANTS && family < name::CONSONANTS && x.given != 0 && x.family != 0 {
            let there = name_code(&shares.family, x.given, y.family);
            let back = name_code(&shares.given, x.family, y.given);
            if there.max(back) >= name::SOUND && there.min(back) >= name::SLIP {
                given = name::SWAPPED + self.rarest(&[x.given, y.given]);
                family = WITH_GIVEN;
            }
        }
        Pattern::default()
            .with(Field::Given, given)
            .with(Field::Family, family)
            .with(Field::Middle, name_code(&shares.middle, x.middle, y.middle))
            .with(Field::Born, self.dates(x.born, y.born))
            .with(Field::Sex, plain(u64::from(x.sex), u64::from(y.sex), 0))
            .with(Field::Birthplace, name_code(&shares.birthplace, x.birthplace, y.birthplace))
            .with(Field::Address, self.addresses(x, y))
            .with(Field::Phone, self.phones(x, y))
            .with(Field::Id, self.ids(x.id, y.id))
            .with(Field::Email, plain(x.email, y.email, 12))
    }

    /// A record beside itself: where each of its values stands among the others.
    pub(crate) fn pattern_with_itself(&self, i: usize) -> Pattern {
        self.pattern(i, i)
    }

    fn rarest(&self, names: &[NameId]) -> Rarity {
        let rarity = |id: &NameId| {
            let of = |shares: &[u8]| shares.get(*id as usize).map_or(1, |both| both >> 4);
            of(&self.shares.given).max(of(&self.shares.family))
        };
        names.iter().map(rarity).min().unwrap_or(1)
    }

    fn dates(&self, a: Born, b: Born) -> u8 {
        match (a.is_known(), b.is_known()) {
            (false, false) => return ABSENT,
            (true, true) => {}
            _ => return ONE_SIDED,
        }
        match compare_dates(a, b) {
            Dates::Same => SAME + self.shares.born.get(&a.packed()).copied().unwrap_or(UNKNOWN_SHARE),
            Dates::KnownPart => born::KNOWN_PART,
            Dates::DayMonthSwapped => born::DAY_MONTH,
            Dates::Day => born::OTHER_DAY,
            Dates::Month => born::OTHER_MONTH,
            Dates::YearSlip => born::YEAR_SLIP,
            Dates::Era => born::ERA,
            Dates::Year => born::OTHER_YEAR,
            Dates::NewYear => born::NEW_YEAR,
            Dates::OnlyYear => born::YEAR,
            Dates::Differ => DIFFERS,
        }
    }

    fn addresses(&self, x: &Row, y: &Row) -> u8 {
        let known = |row: &Row| row.street != 0 || row.town != 0 || row.postcode != 0 || row.house != 0;
        match (known(x), known(y)) {
            (false, false) => return ABSENT,
            (true, true) => {}
            _ => return ONE_SIDED,
        }
        let same_postcode = x.postcode != 0 && x.postcode == y.postcode;
        let same_town = x.town != 0 && (x.town == y.town || self.is_same_town(x.town, y.town));
        let same_street = x.street != 0 && x.street == y.street;
        if !(same_postcode || same_town) {
            let same_house = x.house != 0 && x.house == y.house;
            return if same_street && same_house { address::OTHER_TOWN } else { DIFFERS };
        }
        // A house without a street stands for itself, as in a village; two empty streets are no agreement of two filled ones.
        let same_street = same_street || (x.street == 0 && y.street == 0 && x.house != 0);
        let both_streets = x.street != 0 && y.street != 0;
        let near_street = !same_street && both_streets && self.codes.slips(x.street, y.street).is_some();
        let same_house = x.house == y.house && (x.house != 0 || same_street);
        let no_house = x.house == 0 || y.house == 0;
        match (same_street, near_street, same_house) {
            (true, _, true) => SAME + x.address_share.min(y.address_share),
            (true, _, false) if no_house => address::NO_HOUSE,
            (true, _, false) if self.codes.slips(x.house, y.house) == Some(1) => address::HOUSE_SLIP,
            (true, _, false) => address::STREET,
            (_, true, true) => address::STREET_SLIP,
            (_, true, false) => address::STREET_NEAR,
            _ if same_postcode => address::POSTCODE,
            _ => {
                let share = self.shares.town.get(x.town as usize).map_or(6, |both| both & 15);
                address::TOWN + [0, 1, 2][usize::from(share < 8) + usize::from(share < 5)]
            }
        }
    }

    fn is_same_town(&self, a: NameId, b: NameId) -> bool {
        b != 0 && self.names.compare(a, b, |_| 0, |_| 0) >= name::SLIP
    }

    fn phones(&self, x: &Row, y: &Row) -> u8 {
        let code = plain(u64::from(x.phone), u64::from(y.phone), x.phone_share);
        let one_slip = || is_digit_slip(x.phone, y.phone);
        if code == DIFFERS && one_slip() { name::SLIP } else { code }
    }

    fn ids(&self, a: u32, b: u32) -> u8 {
        let code = plain(u64::from(a), u64::from(b), 12);
        if code == DIFFERS && self.codes.slips(a, b) == Some(1) { name::SLIP } else { code }
    }
}

impl Default for Records {
    fn default() -> Records {
        Records::new()
    }
}

/// The family name's code where the given name's says that both changed places: it counts once.
pub(crate) const WITH_GIVEN: u8 = 23;

fn plain(a: u64, b: u64, share: u8) -> u8 {
    match (a, b) {
        (0, 0) => ABSENT,
        (0, _) | (_, 0) => ONE_SIDED,
        _ if a == b => SAME + share,
        _ => DIFFERS,
    }
}

/// Whether two numbers of nine digits differ in one digit, or in two neighbours that changed places.
fn is_digit_slip(a: u32, b: u32) -> bool {
    let (mut a, mut b) = (a, b);
    while a % 10 == b % 10 && a > 0 && b > 0 {
        (a, b) = (a / 10, b / 10);
    }
    a / 10 == b / 10 || (a / 100 == b / 100 && a % 10 == b / 10 % 10 && a / 10 % 10 == b % 10)
}

/// The code of a value's share: how often the whole must be halved, from 5 (one in 32 or more) to 17 (one in 131,072 or fewer).
fn share(count: u32, total: usize) -> u8 {
    let halvings = (total as f32 / count.max(1) as f32).log2() as i32;
    (halvings - 5).clamp(0, 12) as u8
}

/// A share and a rarity in one byte. What at most two have may be a slip of the pen.
fn shares_of(count: u32, total: usize) -> u8 {
    let share = share(count, total);
    let rarity = match count {
        ..=2 => 0,
        _ if share >= 7 => 1,
        _ => 2,
    };
    rarity << 4 | share
}
