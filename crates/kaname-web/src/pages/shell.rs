//! What every page has around it: language, service name, who is signed in, the form token.

use std::borrow::Borrow;
use std::fmt::Display;
use std::sync::Arc;

use kaname_base::text::Texts;
use kaname_base::time::BirthDate;
use kaname_base::{Amount, Currency, Instant};

use super::{Lang, asset_url, format, texts};

/// The frame of a page.
#[derive(Clone)]
pub struct Shell {
    /// The words: the program's own, with those of the country over them.
    pub texts: Arc<Texts>,
    /// The reader's language.
    pub lang: Lang,
    /// The languages of the switch: those of the country that pages are written in.
    pub languages: Vec<Lang>,
    /// The name of the service in that language; empty: the product's name.
    pub service: String,
    /// Who runs this deployment, for the footer.
    pub authority: String,
    /// The time zone in which times are shown, an IANA name.
    pub zone: String,
    /// Local path and query of this page without `lang`, for the language switch.
    pub here: String,
    /// The token that every POST form carries in the field `csrf`.
    pub csrf: String,
    /// The name of the person who is signed in; empty when it is not read for this.
    pub user: Option<String>,
    /// For whom the reader acts, when it is not she herself: her name stands on every page.
    pub acting: Option<Acting>,
    /// The pages of the office that this officer's role opens: address and key of the title. Empty outside the office.
    pub menu: Vec<(&'static str, &'static str)>,
    /// The resident whom the officer serves at the counter now. It stands on every page of the office, with the way to end it.
    pub counter: Option<CounterBanner>,
    /// Whether to say that all people here are invented.
    pub demo: bool,
    /// A message about what was just done.
    pub notice: Option<Notice>,
}

/// Who is served at the counter.
#[derive(Clone, Debug)]
pub struct CounterBanner {
    /// The session's id: its pages lie under `/office/counter/{id}`, and every form on them carries it in the field `counter`.
    pub id: String,
    /// The resident's name.
    pub name: String,
    /// Why she came, in the reader's language.
    pub purpose: String,
    /// Since when.
    pub since: Instant,
}

/// For whom somebody acts.
#[derive(Clone, Debug)]
pub struct Acting {
    /// Her name.
    pub name: String,
    /// Where the pages about her begin.
    pub base: String,
}

/// A notification banner.
#[derive(Clone, Debug)]
pub struct Notice {
    /// How it is shown and announced.
    pub kind: NoticeKind,
    /// One sentence in the reader's language.
    pub text: String,
}

/// The kind of a notification banner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeKind {
    /// Something worked.
    Done,
    /// Something the reader should know.
    Important,
}

/// One input as it was sent, with what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// What the reader wrote; shown again after an error.
    pub value: String,
    /// What is wrong, in the reader's language.
    pub error: Option<String>,
}

impl Field {
    /// A field with a value and no error.
    pub fn of(value: impl Into<String>) -> Field {
        Field { value: value.into(), error: None }
    }

    /// The same field with an error, in the reader's language.
    pub fn wrong(self, error: impl Into<String>) -> Field {
        Field { error: Some(error.into()), ..self }
    }
}

/// The fields with an error, in the order of the page: the id to jump to and what is wrong.
pub(super) fn errors<'f>(fields: &[(&'static str, &'f Field)]) -> Vec<(&'static str, &'f str)> {
    fields.iter().filter_map(|(id, field)| Some((*id, field.error.as_deref()?))).collect()
}

impl Default for Shell {
    fn default() -> Shell {
        Shell {
            texts: texts(),
            lang: Lang::default(),
            languages: Lang::ALL.to_vec(),
            service: String::new(),
            authority: String::new(),
            zone: "UTC".to_owned(),
            here: "/".to_owned(),
            csrf: String::new(),
            user: None,
            acting: None,
            menu: Vec::new(),
            counter: None,
            demo: false,
            notice: None,
        }
    }
}

/// What a page says after something was done there: the word in its address (`?done=`), how it is announced, and the text's key.
pub type Saying = (&'static str, NoticeKind, &'static str);

impl Shell {
    /// The shell with the message about what was just done, if the word is one of these.
    pub fn said(self, done: Option<&str>, sayings: &[Saying]) -> Shell {
        let Some((_, kind, key)) = sayings.iter().find(|(word, ..)| Some(*word) == done) else { return self };
        let notice = Some(Notice { kind: *kind, text: self.t(key) });
        Shell { notice, ..self }
    }

    /// Whether the officer's role opens this page.
    pub fn opens(&self, address: &str) -> bool {
        self.menu.iter().any(|(known, _)| *known == address)
    }

    /// Where the pages about the person begin whose pages these are.
    pub fn base(&self) -> &str {
        self.acting.as_ref().map_or("/my", |acting| &acting.base)
    }

    /// The first of her pages.
    pub fn first_page(&self) -> &str {
        self.acting.as_ref().map_or("/home", |acting| &acting.base)
    }

    /// The text `key`.
    pub fn t(&self, key: &str) -> String {
        self.fill(key, &[])
    }

    /// The text `key` with one value in it.
    pub fn t1(&self, key: &str, name: &str, value: impl Display) -> String {
        self.fill(key, &[(name, self.apart(value))])
    }

    /// The text `key` with two values in it.
    pub fn t2(&self, key: &str, n1: &str, v1: impl Display, n2: &str, v2: impl Display) -> String {
        self.fill(key, &[(n1, self.apart(v1)), (n2, self.apart(v2))])
    }

    /// The text `key.code`, or the code itself where a pack brings one that we have no word for.
    pub fn word(&self, key: &str, code: &str) -> String {
        let text = self.texts.find(self.lang.code(), &format!("{key}.{code}"));
        text.unwrap_or(code).to_owned()
    }

    /// The words for some codes, as a list.
    pub fn words(&self, key: &str, codes: &[String]) -> String {
        let comma = match self.lang {
            Lang::Ja => "、",
            Lang::Ar => "، ",
            _ => ", ",
        };
        codes.iter().map(|code| self.word(key, code)).collect::<Vec<_>>().join(comma)
    }

    /// The day of a point in time.
    pub fn day(&self, at: &Instant) -> String {
        format::day_of(self.lang, *at, &self.zone)
    }

    /// Day and time.
    pub fn moment(&self, at: &Instant) -> String {
        format::moment(self.lang, *at, &self.zone)
    }

    /// A point in time for machines.
    pub fn machine(&self, at: &Instant) -> String {
        at.to_string()
    }

    /// A date of birth.
    pub fn born(&self, date: &BirthDate) -> String {
        format::born(self.lang, *date)
    }

    /// An amount of money.
    pub fn money(&self, amount: &Amount, currency: &Currency) -> String {
        format::money(self.lang, *amount, *currency)
    }

    /// A whole number.
    pub fn count(&self, number: impl Borrow<u64>) -> String {
        format::count(self.lang, *number.borrow())
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> &'static str {
        asset_url(name)
    }

    /// The name in the header and in titles.
    pub fn service_name(&self) -> String {
        if self.service.is_empty() { self.t("app.name") } else { self.service.clone() }
    }

    /// The languages and the address of this page in each.
    pub fn languages(&self) -> Vec<(Lang, String)> {
        let joint = if self.here.contains('?') { '&' } else { '?' };
        self.languages
            .iter()
            .map(|lang| (*lang, format!("{}{joint}lang={}", self.here, lang.code())))
            .collect()
    }

    fn fill(&self, key: &str, values: &[(&str, String)]) -> String {
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.texts.get(self.lang.code(), key, &values)
    }

    /// In a right-to-left sentence a value keeps its own direction only when it is isolated (Unicode UAX 9, FSI and PDI).
    fn apart(&self, value: impl Display) -> String {
        if self.lang.dir() == "rtl" { format!("\u{2068}{value}\u{2069}") } else { value.to_string() }
    }
}
