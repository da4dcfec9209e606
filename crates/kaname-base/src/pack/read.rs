//! From the files of a pack to a [`Pack`]: which key stands where, and what must hold between them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::reader::{Node, Source};
use super::*;
use super::{alias, instant, mandates};
use crate::number::{Bans, Check, Prefix, Reserved};

const PACK: &str = "pack.toml";
const NUMBER: &str = "number.toml";
const POLICY: &str = "policy.toml";
const PROGRAMMES: &str = "programmes.toml";
const BANKS: &str = "banks.toml";
const SOURCES: &str = "sources.toml";
const MANDATES: &str = "mandates.toml";
/// A country may do without.
const INSTANT: &str = "instant.toml";

pub(super) fn pack(files: &BTreeMap<String, String>) -> Result<Pack, Vec<PackProblem>> {
    let problems = RefCell::new(Vec::new());
    let sources: BTreeMap<&str, Source<'_>> = files
        .iter()
        .map(|(file, text)| (file.as_str(), Source { file, text, problems: &problems }))
        .collect();
    for file in [PACK, NUMBER, POLICY, PROGRAMMES, BANKS, SOURCES, MANDATES] {
        if !files.contains_key(file) {
            Source { file, text: "", problems: &problems }.note(0, "", "the file is missing".to_owned());
        }
    }
    for (file, source) in &sources {
        let known = [PACK, NUMBER, POLICY, PROGRAMMES, BANKS, SOURCES, MANDATES, INSTANT].contains(file)
            || ["text/", "fixtures/"].iter().any(|folder| file.starts_with(folder));
        if !known && file.ends_with(".toml") {
            source.note(0, "", "a pack has no such file".to_owned());
        }
    }
    let read = |file: &str, work: &mut dyn FnMut(&Node<'_>)| {
        let Some(source) = sources.get(file) else { return };
        let document = source.document();
        let root = Node::root(source, &document);
        work(&root);
        root.refuse_other_keys();
    };

    let mut head = None;
    read(PACK, &mut |root| head = Some(read_head(root)));
    // Without the languages nothing can be said about the other files.
    let Some(head) = head.filter(|head| !head.languages.is_empty()) else {
        return Err(problems.into_inner());
    };
    let tags: Vec<String> = head.languages.iter().map(|language| language.tag.clone()).collect();

    let mut number = None;
    read(NUMBER, &mut |root| number = Some(read_number(root)));
    let mut policy = Policy::default();
    read(POLICY, &mut |root| policy = read_policy(root, &tags));
    let mut programmes = Vec::new();
    read(PROGRAMMES, &mut |root| programmes = read_programmes(root, &tags));
    let (mut banks, mut voucher) = (Vec::new(), Voucher::default());
    read(BANKS, &mut |root| (banks, voucher) = read_banks(root, &tags));
    let mut outside = Vec::new();
    read(SOURCES, &mut |root| outside = source::read(root, &tags, &policy.purposes, &policy.roles));
    let mut mandates = mandates::Mandates::default();
    read(MANDATES, &mut |root| mandates = mandates::read(root, &tags));
    let mut terms = None;
    read(INSTANT, &mut |root| terms = Some(instant::read(root)));
    let texts = read_texts(&sources, &tags);

    let mut problems = problems.into_inner();
    if problems.is_empty()
        && let Some((number, alias)) = number
    {
        return Ok(Pack {
            id: head.id,
            version: head.version,
            name: head.name,
            languages: head.languages,
            currency: head.currency,
            time_zone: head.time_zone,
            number,
            alias,
            mandates: mandates.kinds,
            introducers: mandates.introducers,
            person: head.person,
            statuses: head.statuses,
            purposes: policy.purposes,
            programmes,
            banks,
            voucher,
            instant: terms,
            counter: policy.counter,
            feed: policy.feed,
            identities: policy.identities,
            offices: policy.offices,
            four_eyes: policy.four_eyes,
            roles: policy.roles,
            attributes: policy.attributes,
            sources: outside,
            texts,
        });
    }
    problems.sort_by(|a, b| (&a.file, a.line, &a.path).cmp(&(&b.file, b.line, &b.path)));
    problems.dedup();
    Err(problems)
}

/// What `pack.toml` holds.
struct Head {
    id: String,
    version: u32,
    name: Labels,
    languages: Vec<Language>,
    currency: Currency,
    time_zone: String,
    person: PersonRules,
    statuses: Vec<Status>,
}

fn read_head(root: &Node<'_>) -> Head {
    let id = root.text("id");
    if !id.bytes().all(|b| b.is_ascii_lowercase()) {
        root.wrong("id", "it is made of small letters a to z");
    }
    let version = root.number("version", 1..u64::from(u32::MAX)) as u32;
    let languages: Vec<Language> = root.tables("language").iter().map(read_language).collect();
    if languages.is_empty() {
        root.wrong("language", "at least one [[language]] is needed");
    }
    let tags: Vec<String> = languages.iter().map(|language| language.tag.clone()).collect();
    refuse_twins(root, "language", tags.iter());

    let code = root.text("currency");
    let exponent = root.number("currency_exponent", 0..5) as u8;
    let currency = Currency::new(&code, exponent).unwrap_or_else(|| {
        if !code.is_empty() {
            root.wrong("currency", "three capital letters of ISO 4217 are expected");
        }
        Currency::new("XXX", 0).expect("XXX is ISO 4217 for no currency")
    });
    let time_zone = root.text("time_zone");
    if !time_zone.is_empty() && jiff::tz::TimeZone::get(&time_zone).is_err() {
        root.wrong("time_zone", format!("there is no time zone `{time_zone}` in the IANA database"));
    }
    let statuses: Vec<Status> = root
        .tables("status")
        .iter()
        .map(|node| {
            let status = Status {
                code: code_of(node),
                citizen: node.flag("citizen"),
                label: node.labels("label", &tags),
            };
            node.refuse_other_keys();
            status
        })
        .collect();
    refuse_twins(root, "status", statuses.iter().map(|status| &status.code));
    if !statuses.iter().any(|status| status.citizen) {
        root.wrong("status", "at least one [[status]] must have `citizen = true`");
    }
    Head {
        id,
        version,
        name: root.labels("name", &tags),
        currency,
        time_zone,
        person: read_person(root, &tags),
        statuses,
        languages,
    }
}

fn read_language(node: &Node<'_>) -> Language {
    let tag = node.text("tag");
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let primary = tag.split('-').next().unwrap_or("");
    let fits =
        tag.split('-').all(subtag) && primary.len() >= 2 && primary.bytes().all(|b| b.is_ascii_lowercase());
    if !tag.is_empty() && !fits {
        node.wrong("tag", format!("`{tag}` is not a language tag such as `en` or `en-GB`"));
    }
    let date_pattern = node.text("date_pattern");
    if let Some(strange) = strange_directive(&date_pattern) {
        node.wrong("date_pattern", format!("`{strange}` is not one of %Y %m %-m %d %-d %B %b %%"));
    }
    let language = Language {
        tag,
        name: node.text("name"),
        direction: node
            .choice("direction", &[("ltr", Direction::LeftToRight), ("rtl", Direction::RightToLeft)]),
        date_pattern,
    };
    node.refuse_other_keys();
    language
}

/// The first directive of a date pattern that [`Language::date`] could not render.
fn strange_directive(pattern: &str) -> Option<String> {
    let mut parts = pattern.split('%');
    parts.next();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // A doubled sign stands for itself; the text after it is plain.
            if parts.next().is_none() {
                return Some("%".to_owned());
            }
            continue;
        }
        let bare = part.strip_prefix('-').unwrap_or(part);
        let fits = if bare.len() == part.len() { "YmdBb" } else { "md" };
        if !bare.starts_with(|c| fits.contains(c)) {
            let shown = if bare.len() == part.len() { 1 } else { 2 };
            return Some(format!("%{}", part.chars().take(shown).collect::<String>()));
        }
    }
    None
}

fn read_person(root: &Node<'_>, tags: &[String]) -> PersonRules {
    let none = PersonRules {
        name_order: NameOrder::FamilyGiven,
        name_separator: String::new(),
        readings: Vec::new(),
        sexes: Vec::new(),
        longest_name: 0,
        longest_address: 0,
        no_fixed_address: None,
        care_of: None,
        marriage: MarriageRules { least_age: None, spouses: 1 },
    };
    let Some(node) = root.table("person") else { return none };
    let name_order = node.choice(
        "name_order",
        &[("family-given", NameOrder::FamilyGiven), ("given-family", NameOrder::GivenFamily)],
    );
    let name_separator = node.optional_text("name_separator").unwrap_or_else(|| " ".to_owned());
    let readings: Vec<Reading> = node
        .tables("reading")
        .iter()
        .map(|node| {
            let reading = Reading {
                kind: node.choice("kind", &[("kana", ReadingKind::Kana), ("latin", ReadingKind::Latin)]),
                required: node.flag("required"),
                label: node.labels("label", tags),
            };
            node.refuse_other_keys();
            reading
        })
        .collect();
    refuse_twins(&node, "reading", readings.iter().map(|reading| reading.kind.to_string()));
    let sexes: Vec<Sex> = node
        .tables("sex")
        .iter()
        .map(|node| {
            let sex = Sex { code: node.text("code"), label: node.labels("label", tags) };
            node.refuse_other_keys();
            sex
        })
        .collect();
    refuse_twins(&node, "sex", sexes.iter().map(|sex| &sex.code));
    if sexes.is_empty() {
        node.wrong("sex", "at least one [[person.sex]] is needed");
    }
    let rules = PersonRules {
        name_order,
        name_separator,
        readings,
        sexes,
        longest_name: node.number("longest_name", 1..1001) as usize,
        longest_address: node.number("longest_address", 1..10_001) as usize,
        no_fixed_address: read_unfixed(&node),
        care_of: read_care_of(&node),
        marriage: read_marriage(&node),
    };
    node.refuse_other_keys();
    rules
}

fn read_unfixed(person: &Node<'_>) -> Option<Unfixed> {
    let node = person.optional_table("no_fixed_address")?;
    let unfixed = Unfixed { written: node.text("written"), also: node.texts("also") };
    if unfixed.written.trim().is_empty() {
        node.wrong("written", "it is empty");
    }
    node.refuse_other_keys();
    Some(unfixed)
}

fn read_care_of(person: &Node<'_>) -> Option<String> {
    let written = person.optional_text("care_of")?;
    if written.matches("{name}").count() != 1 {
        person.wrong("care_of", "it says where the name stands, once: `c/o {name}`");
    }
    Some(written)
}

fn read_marriage(person: &Node<'_>) -> MarriageRules {
    let Some(node) = person.optional_table("marriage") else {
        return MarriageRules { least_age: None, spouses: 1 };
    };
    let least_age = node.optional_number("least_age", 12..31).and_then(|age| {
        let since = node.text("since").parse();
        if since.is_err() {
            node.wrong("since", "a day is written 2022-04-01");
        }
        Some((age as i8, since.ok()?))
    });
    let spouses = node.optional_number("spouses", 1..5).map_or(1, |most| most as usize);
    node.refuse_other_keys();
    MarriageRules { least_age, spouses }
}

fn read_number(root: &Node<'_>) -> (NumberScheme, Option<AliasRules>) {
    let scheme = read_scheme(root);
    let alias = root.optional_table("alias").map(|node| alias::read(&node, &scheme));
    (scheme, alias)
}

/// The form of a number: everything but what stands beside it.
pub(super) fn read_scheme(root: &Node<'_>) -> NumberScheme {
    let body_digits = root.number("body_digits", 1..17) as usize;
    let mut first_digits = Vec::new();
    for digit in root.text("first_digits").chars() {
        match digit.to_digit(10) {
            Some(digit) if !first_digits.contains(&(digit as u8)) => first_digits.push(digit as u8),
            Some(_) => root.wrong("first_digits", format!("the digit {digit} stands there twice")),
            None => root.wrong("first_digits", format!("`{digit}` is not a digit")),
        }
    }
    first_digits.sort_unstable();
    let prefixes = root.tables("prefix").iter().map(read_prefix).collect();
    let check = root.table("check").map_or(Check::None, |node| read_check(&node));
    let bans = root.optional_table("bans").map_or(Bans::default(), |node| {
        let bans = Bans {
            all_equal: node.flag("all_equal"),
            repeated_pattern: node.flag("repeated_pattern"),
            longest_run: node.optional_number("longest_run", 2..17).map(|most| most as usize),
            longest_repeat: node.optional_number("longest_repeat", 1..17).map(|most| most as usize),
        };
        node.refuse_other_keys();
        bans
    });
    let reserved = root.tables("reserved").iter().map(|node| read_reserved(node, body_digits)).collect();
    let groups = root.numbers("groups").into_iter().map(usize::from).collect();

    let scheme = NumberScheme { prefixes, body_digits, first_digits, check, bans, reserved, groups };
    for (key, message) in scheme.faults() {
        root.wrong(key, message);
    }
    scheme
}

fn read_prefix(node: &Node<'_>) -> Prefix {
    let letter = node.text("letter");
    let letter = match letter.as_bytes() {
        [letter @ b'A'..=b'Z'] => *letter,
        _ => {
            node.wrong("letter", "one capital letter A to Z is expected");
            b'A'
        }
    };
    let letters = node.optional_text("letters").and_then(|text| {
        let letters = <[u8; 11]>::try_from(text.as_bytes()).ok();
        let letters = letters.filter(|letters| letters.iter().all(u8::is_ascii_uppercase));
        if letters.is_none() {
            node.wrong("letters", "11 capital letters are expected, one for each remainder");
        }
        letters
    });
    let from_end = match letters {
        Some(_) => node.choice("read_by", &[("remainder", false), ("ten-minus-remainder", true)]),
        None => false,
    };
    let offset = node.optional_number("offset", 0..11).unwrap_or(0) as u8;
    let prefix = Prefix { letter, issued: node.flag("issued"), offset, letters, from_end };
    node.refuse_other_keys();
    prefix
}

fn read_check(node: &Node<'_>) -> Check {
    #[derive(Clone, Copy)]
    enum Kind {
        None,
        Verhoeff,
        Mod11,
        Letter,
    }
    let kind = node.choice(
        "kind",
        &[
            ("none", Kind::None),
            ("verhoeff", Kind::Verhoeff),
            ("mod-11", Kind::Mod11),
            ("mod-11-letter", Kind::Letter),
        ],
    );
    let check = match kind {
        Kind::None => Check::None,
        Kind::Verhoeff => Check::Verhoeff,
        Kind::Letter => Check::Letter { weights: node.numbers("weights") },
        Kind::Mod11 => {
            let text = node.text("digits");
            let mut digits = [None; 11];
            if text.len() != 11 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
                node.wrong(
                    "digits",
                    "11 characters are expected, one for each remainder: a digit, or - for none",
                );
            }
            for (digit, character) in digits.iter_mut().zip(text.bytes()) {
                *digit = character.is_ascii_digit().then(|| character - b'0');
            }
            Check::Mod11 { weights: node.numbers("weights"), digits }
        }
    };
    node.refuse_other_keys();
    check
}

fn read_reserved(node: &Node<'_>, body_digits: usize) -> Reserved {
    let body = |key: &'static str| {
        let text = node.text(key);
        if !text.is_empty() && (text.len() != body_digits || !text.bytes().all(|b| b.is_ascii_digit())) {
            node.wrong(key, format!("a body of {body_digits} digits is expected, as text"));
        }
        text.parse::<u64>().unwrap_or(0)
    };
    let reserved = Reserved { from: body("from"), to: body("to"), accepted: node.flag("accepted") };
    if reserved.from > reserved.to {
        node.wrong("to", "it lies before `from`");
    }
    node.refuse_other_keys();
    reserved
}

#[derive(Default)]
struct Policy {
    purposes: Vec<Purpose>,
    counter: CounterRules,
    feed: FeedRules,
    identities: IdentityRules,
    offices: Vec<Office>,
    four_eyes: Vec<String>,
    roles: Vec<Role>,
    attributes: Vec<Attribute>,
}

fn read_office(node: &Node<'_>, tags: &[String], roles: &[Role]) -> Office {
    let office = Office { code: code_of(node), name: node.labels("name", tags), roles: node.texts("roles") };
    if office.roles.is_empty() {
        node.wrong("roles", "an office needs at least one role");
    }
    for role in &office.roles {
        if !roles.iter().any(|known| known.code == *role) {
            node.wrong("roles", format!("there is no [[role]] with the code `{role}`"));
        }
    }
    node.refuse_other_keys();
    office
}

fn read_policy(root: &Node<'_>, tags: &[String]) -> Policy {
    let purposes: Vec<Purpose> = root
        .tables("purpose")
        .iter()
        .map(|node| {
            let purpose = Purpose {
                code: code_of(node),
                text: node.labels("text", tags),
                legal_basis: node.labels("legal_basis", tags),
                consent: node.flag("consent"),
            };
            node.refuse_other_keys();
            purpose
        })
        .collect();
    refuse_twins(root, "purpose", purposes.iter().map(|purpose| &purpose.code));
    for needed in NEEDED_PURPOSES {
        if !purposes.iter().any(|purpose| purpose.code == *needed) {
            root.wrong("purpose", format!("a [[purpose]] with the code `{needed}` is needed by the program"));
        }
    }

    let counter = root.table("counter").map_or(CounterRules::default(), |node| {
        let rules = CounterRules {
            idle_minutes: node.number("idle_minutes", 1..61) as i64,
            longest_minutes: node.number("longest_minutes", 1..481) as i64,
        };
        node.refuse_other_keys();
        rules
    });

    let feed = root.table("feed").map_or(FeedRules::default(), |node| {
        let rules = FeedRules { keep_days: node.number("keep_days", 7..3651) as i64 };
        node.refuse_other_keys();
        rules
    });

    let identities = root.table("identities").map_or(IdentityRules::default(), |node| {
        let eyes = [("four-eyes", true), ("two-eyes", false)];
        let rules = IdentityRules {
            merge: node.choice("merge", &eyes),
            split: node.choice("split", &eyes),
            move_event: node.choice("move_event", &eyes),
        };
        node.refuse_other_keys();
        rules
    });

    let roles: Vec<Role> = root
        .tables("role")
        .iter()
        .map(|node| {
            let role = Role { code: code_of(node), name: node.labels("name", tags) };
            node.refuse_other_keys();
            role
        })
        .collect();
    refuse_twins(root, "role", roles.iter().map(|role| &role.code));
    for needed in NEEDED_ROLES {
        if !roles.iter().any(|role| role.code == *needed) {
            root.wrong("role", format!("a [[role]] with the code `{needed}` is needed by the program"));
        }
    }

    let offices: Vec<Office> =
        root.tables("office").iter().map(|node| read_office(node, tags, &roles)).collect();
    refuse_twins(root, "office", offices.iter().map(|office| &office.code));
    if offices.is_empty() {
        root.wrong("office", "at least one [[office]] is needed: officers belong to one");
    }
    let four_eyes: Vec<String> = root
        .tables("four_eyes")
        .iter()
        .map(|node| {
            let action = node.text("action");
            node.refuse_other_keys();
            action
        })
        .collect();
    refuse_twins(root, "four_eyes", four_eyes.iter());

    let attributes: Vec<Attribute> =
        root.tables("attribute").iter().map(|node| read_attribute(node, tags, &purposes)).collect();
    refuse_twins(root, "attribute", attributes.iter().map(|attribute| &attribute.code));
    Policy { purposes, counter, feed, identities, offices, four_eyes, roles, attributes }
}

fn read_attribute(node: &Node<'_>, tags: &[String], purposes: &[Purpose]) -> Attribute {
    let code = node.text("code");
    if !code.is_empty() && !ATTRIBUTES.contains(&code.as_str()) {
        node.wrong("code", format!("`{code}` is not known of a person; known are {}", ATTRIBUTES.join(", ")));
    }
    let attribute = Attribute { code, label: node.labels("label", tags), purposes: node.texts("purposes") };
    if attribute.purposes.is_empty() {
        node.wrong("purposes", "at least one purpose is needed");
    }
    for purpose in &attribute.purposes {
        if !purposes.iter().any(|known| known.code == *purpose) {
            node.wrong("purposes", format!("there is no [[purpose]] with the code `{purpose}`"));
        }
    }
    node.refuse_other_keys();
    attribute
}

fn read_programmes(root: &Node<'_>, tags: &[String]) -> Vec<Programme> {
    let programmes: Vec<Programme> = root
        .tables("programme")
        .iter()
        .map(|node| {
            let minor = node.number("amount_minor", 1..Amount::MAX.minor());
            let programme = Programme {
                code: code_of(node),
                name: node.labels("name", tags),
                amount: Amount::from_minor(minor).expect("the range ends at the largest amount"),
            };
            node.refuse_other_keys();
            programme
        })
        .collect();
    refuse_twins(root, "programme", programmes.iter().map(|programme| &programme.code));
    programmes
}

fn read_banks(root: &Node<'_>, tags: &[String]) -> (Vec<Bank>, Voucher) {
    let banks: Vec<Bank> = root
        .tables("bank")
        .iter()
        .map(|node| {
            let code = node.text("code");
            if !code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
                node.wrong("code", "it is made of capital letters and digits");
            }
            let account_digits = node.number("account_digits", 4..31) as usize;
            let bank = Bank { code, name: node.labels("name", tags), account_digits };
            node.refuse_other_keys();
            bank
        })
        .collect();
    refuse_twins(root, "bank", banks.iter().map(|bank| &bank.code));
    let voucher = root.table("voucher").map_or(Voucher::default(), |node| {
        let valid_days = node.number("valid_days", 1..3_661) as u16;
        let voucher =
            Voucher { name: node.labels("name", tags), text: node.labels("text", tags), valid_days };
        node.refuse_other_keys();
        voucher
    });
    (banks, voucher)
}

fn read_texts(sources: &BTreeMap<&str, Source<'_>>, tags: &[String]) -> Texts {
    let mut texts = Texts::new(&tags[0]);
    for (file, source) in sources {
        let Some(name) = file.strip_prefix("text/") else { continue };
        match name.strip_suffix(".toml").filter(|tag| tags.iter().any(|known| known == tag)) {
            Some(tag) => {
                for problem in texts.add(tag, source.text).err().unwrap_or_default() {
                    source.problems.borrow_mut().push(PackProblem {
                        file: source.file.to_owned(),
                        line: problem.line,
                        path: problem.key,
                        message: problem.message,
                    });
                }
            }
            None => source.note(0, "", "its name is not one of the pack's languages and .toml".to_owned()),
        }
    }
    texts
}

/// A code: small letters, digits and hyphens.
pub(super) fn code_of(node: &Node<'_>) -> String {
    let code = node.text("code");
    if !code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        node.wrong("code", "it is made of small letters, digits and hyphens");
    }
    code
}

pub(super) fn refuse_twins(
    node: &Node<'_>,
    key: &str,
    codes: impl Iterator<Item = impl Into<String> + Clone>,
) {
    let codes: Vec<String> = codes.map(Into::into).collect();
    for (i, code) in codes.iter().enumerate() {
        if !code.is_empty() && codes[..i].contains(code) {
            node.wrong(key, format!("`{code}` stands there twice"));
        }
    }
}
