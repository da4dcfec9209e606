//! Enrolment without a network: packets in any order, twice, cut short, damaged, forged, too late.

use std::collections::{BTreeMap, BTreeSet};

use kaname_base::pack::Pack;
use kaname_base::{Env, Instant};
use kaname_codec::b64;
use kaname_person::enrol::KitId;
use kaname_person::enrol::kit::{Kit, OpenKit, kits, make_kit, revoke_kit};
use kaname_person::enrol::merge::{Decided, Merged, Outcome, lost, merge};
use kaname_person::enrol::packet::{Entered, make_packet};
use kaname_person::officer::{NewOfficer, OfficerChange, add_officer, change_officer};
use kaname_person::{OfficerId, PersonError, Refusal};
use kaname_store::Store;
use kaname_testkit::{TestStore, on_every_store};
use kaname_trust::Actor;

use crate::world::{World, env, officer, registrar};

on_every_store!(
    packets_join_in_any_order_and_once,
    a_packet_of_somebody_who_looks_like_a_resident_waits,
    whatever_is_wrong_with_a_packet_is_refused,
    a_kit_ends_with_its_officer_its_days_and_its_revocation,
    a_merge_cut_short_goes_on
);

struct Field {
    w: World,
    clerk: OfficerId,
    kit: OpenKit,
}

fn boss() -> Actor {
    officer("administrator")
}

fn field(t: &TestStore) -> Field {
    let w = World::new(t, "example");
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let clerk = w
        .store
        .write::<_, PersonError, _>(w.store.buckets().home(), move |tx| {
            let new = NewOfficer {
                name: "C. Lerk".to_owned(),
                office: "town-hall".to_owned(),
                roles: vec!["registrar".to_owned()],
            };
            add_officer(tx, &keys, &pack, &env(1), None, None, &new)
        })
        .expect("adds");
    let kit = new_kit(&w, clerk, 30).expect("makes");
    Field { w, clerk, kit }
}

fn new_kit(w: &World, clerk: OfficerId, days: u16) -> Result<OpenKit, PersonError> {
    let (keys, pack) = (w.keys.clone(), w.pack.clone());
    let files = Pack::shipped_files("example").expect("shipped");
    let seed: u8 = kaname_trust::keys::random::<1>()[0];
    let text = w.store.write::<_, PersonError, _>(w.store.buckets().home(), move |tx| {
        let kit = make_kit(tx, &keys, &pack, &files, &env(seed), &boss(), clerk, days)?;
        Ok(kit.text())
    })?;
    Ok(Kit::open(&text).expect("a kit opens"))
}

fn later(days: i64) -> Env {
    Env::new(Instant::from_seconds(1_790_000_000 + days * 86_400), [8; 32])
}

fn entered(given: &str) -> Entered {
    let fields = [
        ("family_name", "Smith"),
        ("given_name", given),
        ("birth_date", "1980-04-21"),
        ("sex", "F"),
        ("status", "citizen"),
        ("city", "Harbour"),
    ];
    let fields: BTreeMap<String, String> =
        fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Entered { fields, evidence: "birth report".to_owned(), introducer: String::new() }
}

impl Field {
    /// Each number is somebody of another day of birth.
    fn packet(&self, n: i64, given: &str) -> String {
        let mut entered = entered(given);
        let born = format!("{}-{:02}-{:02}", 1930 + n, n % 12 + 1, n % 28 + 1);
        entered.fields.insert("birth_date".to_owned(), born);
        self.packet_of(n, &entered)
    }

    fn packet_of(&self, n: i64, entered: &Entered) -> String {
        make_packet(&self.kit, n, env(1).now, entered).expect("makes")
    }

    fn merge_in(&self, store: &Store, env: &Env, packet: &str) -> Result<Outcome, PersonError> {
        self.merge_decided(store, env, packet, &Decided::default())
    }

    fn merge_decided(
        &self,
        store: &Store,
        env: &Env,
        packet: &str,
        decided: &Decided,
    ) -> Result<Outcome, PersonError> {
        let w = &self.w;
        merge(store, &w.keys, &w.pack, &w.numbers, env, &registrar(), packet, decided)
    }

    fn merge(&self, packet: &str) -> Merged {
        self.merge_in(&self.w.store, &later(1), packet).expect("merges").merged
    }

    fn home<T: Send + 'static>(
        &self,
        work: impl Fn(&mut kaname_store::Tx<'_>, &World2) -> Result<T, PersonError> + Send + 'static,
    ) -> T {
        let with = World2 { keys: self.w.keys.clone(), pack: self.w.pack.clone() };
        self.w.store.write(self.w.store.buckets().home(), move |tx| work(tx, &with)).expect("is done")
    }
}

struct World2 {
    keys: kaname_trust::Keys,
    pack: Pack,
}

fn packets_join_in_any_order_and_once(t: &TestStore) {
    let field = field(t);
    let names = ["Ada", "Bea", "Cleo", "Dora", "Edda", "Fay"];
    let mut packets: Vec<String> = (1..).zip(names).map(|(n, name)| field.packet(n, name)).collect();
    packets.reverse();
    packets.swap(0, 3);
    // Number 6 came first, and all the others are missing at that moment.
    let gone = packets.pop().expect("six");
    for packet in &packets {
        assert_eq!(field.merge(packet), Merged::Registered);
        assert_eq!(field.merge(packet), Merged::AlreadyHere);
    }
    assert_eq!(field.w.count(), 5);
    let kit: BTreeSet<KitId> = [field.kit.id].into();
    assert_eq!(lost(&field.w.store, &kit).expect("looks"), [(field.kit.id, vec![1])]);
    let listed = field.home(|tx, with| {
        let kits = kits(tx, &with.keys, &boss())?;
        Ok(kits.into_iter().map(|(kit, missing)| (kit.id, kit.active, missing)).collect::<Vec<_>>())
    });
    assert_eq!(listed, [(field.kit.id, true, vec![1])]);
    assert_eq!(field.merge(&gone), Merged::Registered);
    assert_eq!(lost(&field.w.store, &kit).expect("looks"), []);
    assert_eq!(field.w.count(), 6);

    // Eight at once bring the same packets.
    let more: Vec<String> = (7..12).map(|n| field.packet(n, "Gia")).collect();
    std::thread::scope(|scope| {
        for turn in 0..8 {
            let (field, more) = (&field, &more);
            scope.spawn(move || {
                for at in 0..more.len() {
                    field.merge(&more[(at + turn) % more.len()]);
                }
            });
        }
    });
    assert_eq!(field.w.count(), 11);

    // What the country refuses is refused on the laptop already.
    let bad = Entered { fields: [("sex".to_owned(), "X".to_owned())].into(), ..entered("Ada") };
    assert!(make_packet(&field.kit, 20, env(1).now, &bad).is_err());
    let strange = Entered { fields: [("shoe_size".to_owned(), "9".to_owned())].into(), ..entered("Ada") };
    assert_eq!(make_packet(&field.kit, 20, env(1).now, &strange), Err(Refusal::PacketBroken));
    let by_payments = merge(
        &field.w.store,
        &field.w.keys,
        &field.w.pack,
        &field.w.numbers,
        &later(1),
        &officer("payments"),
        &gone,
        &Decided::default(),
    );
    assert!(matches!(by_payments, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
}

fn a_packet_of_somebody_who_looks_like_a_resident_waits(t: &TestStore) {
    let field = field(t);
    let ada = entered("Ada");
    assert_eq!(field.merge(&field.packet_of(1, &ada)), Merged::Registered);
    // Another packet of the same person, or of another who looks like her: merged as often as you like, it waits.
    let second = field.packet_of(2, &ada);
    for _ in 0..2 {
        assert_eq!(field.merge(&second), Merged::Waits);
    }
    assert_eq!(field.w.count(), 1);
    // A decision about other packets decides nothing.
    let decided = |n| Decided { new: vec![(field.kit.id, n)], because: "two passports".to_owned() };
    let merged = |decided: &Decided| {
        field.merge_decided(&field.w.store, &later(1), &second, decided).expect("merges").merged
    };
    assert_eq!(merged(&decided(3)), Merged::Waits);
    assert_eq!(merged(&decided(2)), Merged::Registered);
    assert_eq!(merged(&decided(2)), Merged::AlreadyHere);
    assert_eq!(field.merge(&second), Merged::AlreadyHere);
    assert_eq!(field.w.count(), 2);
}

fn whatever_is_wrong_with_a_packet_is_refused(t: &TestStore) {
    let field = field(t);
    let (packet, other) = (field.packet(1, "Ada"), field.packet(2, "Bea"));
    let broken = Merged::Refused(Refusal::PacketBroken);
    let mut tried = 0;
    // Flip each character, drop the end, each part empty.
    for at in (0..packet.len()).step_by(3) {
        let mut bytes = packet.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("text");
        let merged = field.merge(&changed);
        assert!(
            merged == broken || merged == Merged::Refused(Refusal::NoSuchKit),
            "character {at}: {merged:?}"
        );
        assert_eq!(field.merge(&packet[..at]), broken, "{at} characters");
        tried += 2;
    }
    assert!(tried > 300, "only {tried}");
    // Swap parts of two good packets.
    let parts: Vec<&str> = packet.split('.').collect();
    let others: Vec<&str> = other.split('.').collect();
    for changed in [
        [parts[0], others[1], parts[2]],
        [parts[0], parts[1], others[2]],
        ["", parts[1], parts[2]],
        [parts[0], "", parts[2]],
        [parts[0], parts[1], ""],
    ] {
        assert_eq!(field.merge(&changed.join(".")), broken);
    }
    // Signed again by another key; the seal of another packet under a good signature; more or less claims.
    let claims: serde_json::Value =
        serde_json::from_slice(&b64::url_decode(parts[1]).expect("base64")).expect("JSON");
    let other_kit = new_kit(&field.w, field.clerk, 30).expect("makes");
    let by_other = make_packet(&other_kit, 1, env(1).now, &entered("Eve")).expect("makes");
    let by_other: Vec<&str> = by_other.split('.').collect();
    assert_eq!(field.merge(&[parts[0], by_other[1], by_other[2]].join(".")), broken);
    let header =
        serde_json::json!({ "alg": "none", "typ": "kaname-enrolment+jwt", "kid": field.kit.id.to_string() });
    let none = b64::url_encode(header.to_string().as_bytes());
    assert_eq!(field.merge(&[&none, parts[1], ""].join(".")), broken);
    let unknown = KitId::from_bytes([9; 16]).to_string();
    let header = serde_json::json!({ "alg": "ES256", "typ": "kaname-enrolment+jwt", "kid": unknown });
    let header = b64::url_encode(header.to_string().as_bytes());
    assert_eq!(field.merge(&[&header, parts[1], parts[2]].join(".")), Merged::Refused(Refusal::NoSuchKit));
    for rubbish in ["", ".", "..", "a.b.c", &"x".repeat(20_000), "名前"] {
        assert_eq!(field.merge(rubbish), broken);
    }
    assert_eq!(field.w.count(), 0, "nothing of it reached the register");
    assert_eq!(claims["n"], 1);

    // Another packet with the same place in the count: somebody has a copy of the kit.
    assert_eq!(field.merge(&packet), Merged::Registered);
    assert_eq!(field.merge(&field.packet(1, "Eve")), Merged::Refused(Refusal::PacketCounter));
    assert_eq!(field.merge(&other), Merged::Registered);
    assert_eq!(field.w.count(), 2);
}

fn a_kit_ends_with_its_officer_its_days_and_its_revocation(t: &TestStore) {
    let field = field(t);
    let refused = |days: i64, packet: &str| match field
        .merge_in(&field.w.store, &later(days), packet)
        .expect("merges")
        .merged
    {
        Merged::Refused(refusal) => Some(refusal),
        Merged::Registered | Merged::AlreadyHere => None,
        Merged::Waits => Some(Refusal::LooksLikeSomebody),
    };
    // Outside its days the laptop makes none; dated back or ahead, none is taken; nor too late.
    for days in [-1, 30] {
        let made = make_packet(&field.kit, 1, later(days).now, &entered("Ada"));
        assert_eq!(made, Err(Refusal::KitExpired), "day {days}");
    }
    let last_day = make_packet(&field.kit, 1, later(29).now, &entered("Ada")).expect("the last day");
    assert_eq!(refused(28, &last_day), Some(Refusal::KitExpired), "from the future");
    assert_eq!(refused(60, &last_day), Some(Refusal::KitExpired));
    assert_eq!(refused(59, &last_day), None);
    for days in [0, 93] {
        assert!(matches!(
            new_kit(&field.w, field.clerk, days),
            Err(PersonError::Refused(Refusal::KitPeriod))
        ));
    }

    let packet = field.packet(2, "Bea");
    let (clerk, kit) = (field.clerk, field.kit.id);
    field.home(move |tx, with| {
        change_officer(tx, &with.pack, &boss(), None, &now(clerk, "town-hall", "registrar", false))
    });
    assert_eq!(refused(1, &packet), Some(Refusal::KitRevoked), "she has left");
    field.home(move |tx, with| {
        change_officer(tx, &with.pack, &boss(), None, &now(clerk, "benefits", "payments", true))
    });
    assert_eq!(refused(1, &packet), Some(Refusal::KitRevoked), "she has another role");
    field.home(move |tx, with| {
        change_officer(tx, &with.pack, &boss(), None, &now(clerk, "town-hall", "registrar", true))
    });
    field.home(move |tx, _| revoke_kit(tx, &boss(), kit));
    field.home(move |tx, _| revoke_kit(tx, &boss(), kit));
    assert_eq!(refused(1, &packet), Some(Refusal::KitRevoked));
    assert_eq!(field.merge(&last_day), Merged::AlreadyHere, "what was merged stays so");
    assert_eq!(field.w.count(), 1);
    let by_clerk: Result<(), PersonError> =
        field.w.store.write(field.w.store.buckets().home(), move |tx| revoke_kit(tx, &registrar(), kit));
    assert!(matches!(by_clerk, Err(PersonError::Refused(Refusal::NotAllowed { .. }))));
}

/// Each write of a merge may be the last one that was made; merged again, the person is there once.
fn a_merge_cut_short_goes_on(t: &TestStore) {
    let field = field(t);
    let faults = kaname_store::Faults::new();
    let config = kaname_store::StoreConfig { faults: Some(faults.clone()), ..t.config() };
    let migrations = [kaname_store::jobs::MIGRATIONS, kaname_trust::MIGRATIONS, kaname_person::MIGRATIONS];
    let broken = t.open_with(&config, &migrations).expect("opens");
    let (mut failed, mut n) = (0, 0);
    for step in 1..=24_u64 {
        for applied in [false, true] {
            n += 1;
            let packet = field.packet(n, "Ada");
            faults.arm(step, applied);
            let first = field.merge_in(&broken, &later(1), &packet);
            faults.disarm();
            failed += usize::from(first.is_err());
            let again = field.merge(&packet);
            assert!(matches!(again, Merged::Registered | Merged::AlreadyHere), "step {step}: {again:?}");
            assert_eq!(field.merge(&packet), Merged::AlreadyHere, "step {step}");
            assert_eq!(field.w.count(), n as u64, "step {step}");
        }
    }
    assert!(failed >= 6, "only {failed} failures");
}

#[test]
fn a_kit_shows_nobody_and_a_packet_neither() {
    let t = TestStore::sqlite();
    let field = field(&t);
    let packet = make_packet(&field.kit, 1, env(1).now, &entered("Wilhelmina")).expect("makes");
    let parts: Vec<Vec<u8>> = packet.split('.').map(|part| b64::url_decode(part).expect("base64")).collect();
    for part in &parts {
        let text = String::from_utf8_lossy(part);
        assert!(!text.contains("Wilhelmina") && !text.contains("1980-04-21"), "{text}");
    }
    for text in ["", "{}", "kit", "{\"format\":\"kaname enrolment kit 2\"}"] {
        assert!(Kit::open(text).is_err(), "{text}");
    }
}

/// What the clerk is from now on.
fn now(clerk: OfficerId, office: &str, role: &str, active: bool) -> OfficerChange {
    let (officer, roles) = (clerk.to_string(), vec![role.to_owned()]);
    OfficerChange { officer, office: office.to_owned(), roles, active }
}
