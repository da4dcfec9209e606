//! The population: repeatable, varied, plausible, and made of nobody real.

mod it {
    mod bank;
}

use std::collections::{BTreeMap, BTreeSet};

use kaname_base::pack::{Pack, ReadingKind};
use kaname_sim::random::{Random, Shuffle};
use kaname_sim::{COLUMNS, Fixture, SimPerson, people, write_csv};

fn population(country: &str, seed: u64, count: u64) -> Vec<SimPerson> {
    people(country, seed, count).unwrap().collect()
}

#[test]
fn the_same_seed_gives_the_same_people() {
    let first = population("japan", 7, 5_000);
    assert_eq!(first.len(), 5_000);
    assert!(first == population("japan", 7, 5_000));
    assert!(first[..1_000] == population("japan", 7, 1_000), "a longer population starts like a shorter one");
    assert!(first != population("japan", 8, 5_000));
    assert!(people("atlantis", 1, 1).is_none());
}

#[test]
fn people_obey_their_pack() {
    for country in Pack::shipped() {
        let pack = Pack::load_shipped(country).unwrap();
        let (mut foreign, mut third) = (0, 0);
        for person in population(country, 3, 8_000) {
            let tell = format!("{country} {} {}", person.family_name, person.given_name);
            assert!(
                !person.given_name.is_empty() && !person.address.is_empty() && !person.city.is_empty(),
                "{tell}"
            );
            assert!(person.family_name.chars().count() <= pack.person.longest_name, "{tell}");
            assert!(person.given_name.chars().count() <= pack.person.longest_name, "{tell}");
            assert!(person.address.chars().count() <= pack.person.longest_address, "{tell}");
            assert!(pack.person.sexes.iter().any(|sex| sex.code == person.sex), "{tell} {}", person.sex);
            let status = pack.status(&person.status).unwrap_or_else(|| panic!("{tell} {}", person.status));
            foreign += usize::from(!status.citizen);
            third += usize::from(!["F", "M"].contains(&person.sex.as_str()));
            for (kind, family, given) in [
                (ReadingKind::Kana, &person.family_reading, &person.given_reading),
                (ReadingKind::Latin, &person.family_latin, &person.given_latin),
            ] {
                let used = pack.person.reading(kind).is_some();
                assert_eq!((!family.is_empty(), !given.is_empty()), (used, used), "{tell} {kind}");
            }
            assert!(person.family_reading.chars().all(|c| matches!(c, '\u{30A1}'..='\u{30FC}')), "{tell}");
            assert!(
                person.given_latin.chars().all(|c| c.is_ascii_alphabetic() || " -'".contains(c)),
                "{tell}"
            );
            assert!(person.email.is_empty() || person.email.contains("@example."), "{tell}");
            assert!(
                !person.phone.contains(['#', '@', '{']) && !person.address.contains(['@', '{']),
                "{tell}"
            );
        }
        assert!((40..3_000).contains(&foreign), "{country}: {foreign} foreign residents of 8000");
        assert_eq!(third > 0, pack.person.sexes.len() > 2, "{country}");
    }
}

#[test]
fn a_population_is_varied() {
    for country in Pack::shipped() {
        let people = population(country, 5, 20_000);
        let count = |of: fn(&SimPerson) -> &str| people.iter().map(of).collect::<BTreeSet<_>>().len();
        let least = if *country == "example" { (40, 40, 8) } else { (120, 150, 40) };
        assert!(count(|p| &p.family_name) >= least.0, "{country} family {}", count(|p| &p.family_name));
        assert!(count(|p| &p.given_name) >= least.1, "{country} given {}", count(|p| &p.given_name));
        assert!(count(|p| &p.city) >= least.2, "{country} city {}", count(|p| &p.city));
    }
}

#[test]
fn households_share_an_address_and_ages_are_plausible() {
    for country in Pack::shipped() {
        let mut ages = [0_u32; 11];
        let mut sizes: BTreeMap<usize, u32> = BTreeMap::new();
        let mut home = (String::new(), String::new());
        let mut size = 0;
        for person in population(country, 11, 10_000) {
            ages[((2025 - person.birth_date.year()) / 10) as usize] += 1;
            let here = (person.postcode.clone(), person.address.clone());
            if here == home {
                size += 1;
            } else {
                *sizes.entry(size).or_default() += 1;
                (home, size) = (here, 1);
            }
        }
        assert!((1..=5).all(|size| sizes.get(&size).is_some_and(|n| *n > 20)), "{country} {sizes:?}");
        let children: u32 = ages[..2].iter().sum();
        assert!((1_000..6_000).contains(&children), "{country} {ages:?}");
        assert!(ages[9] + ages[10] < 300 && ages[8] > 20, "{country} {ages:?}");
    }
}

#[test]
fn references_and_addresses_of_mail_are_unique() {
    let people = population("uk", 1, 30_000);
    let references: BTreeSet<_> = people.iter().map(|person| &person.reference).collect();
    assert_eq!(references.len(), people.len());
    let mail: Vec<_> =
        people.iter().filter(|person| !person.email.is_empty()).map(|person| &person.email).collect();
    assert!(mail.len() > 10_000 && mail.iter().collect::<BTreeSet<_>>().len() == mail.len());
    let rising = people.windows(2).filter(|pair| pair[0].reference < pair[1].reference).count();
    assert!((13_500..16_500).contains(&rising), "references tell the order: {rising}");
}

#[test]
fn the_file_can_be_read_back() {
    let people = population("jordan", 2, 500);
    let mut bytes = Vec::new();
    assert_eq!(write_csv(&mut bytes, people.clone()).unwrap(), 500);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
    for (row, person) in reader.records().zip(&people) {
        let row = row.unwrap();
        assert_eq!(
            (&row[0], &row[1], &row[2]),
            (&*person.reference, &*person.family_name, &*person.given_name)
        );
        assert_eq!(&row[7], person.birth_date.to_string());
    }
}

#[test]
fn a_bad_fixture_is_refused() {
    let good = Pack::shipped_files("example").unwrap()["fixtures/people.toml"].clone();
    assert!(Fixture::parse(&good).is_ok());
    for (from, to) in [
        ("example.com", "real-company.com"),
        ("elder_percent", "elders"),
        ("columns = [\"text\"]", "columns = [\"text\", \"latin\"]"),
        ("columns = [\"text\"]", "columns = [\"nickname\"]"),
    ] {
        assert!(good.contains(from));
        assert!(Fixture::parse(&good.replacen(from, to, 1)).is_err(), "{to}");
    }
}

#[test]
fn drawing_is_even_and_a_shuffle_loses_nothing() {
    let mut random = Random::new(1, 0);
    let mut seen = [0_u32; 10];
    (0..100_000).for_each(|_| seen[random.below(10) as usize] += 1);
    assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");

    let shuffle = Shuffle::new(9);
    let places: BTreeSet<u64> = (0..100_000).map(|i| shuffle.of(i)).collect();
    assert_eq!(places.len(), 100_000);
    assert!(places.iter().all(|place| *place < Shuffle::DOMAIN));
}
