//! The words of the pages, in each language that ships.

use std::sync::{Arc, LazyLock};

use kaname_base::text::{LAST_RESORT, Texts};

/// A language that the pages are written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
    /// Hindi.
    Hi,
    /// Arabic.
    Ar,
}

impl Lang {
    /// Every language, in the order of the language switch.
    pub const ALL: [Lang; 4] = [Lang::En, Lang::Ja, Lang::Hi, Lang::Ar];

    /// The BCP 47 tag.
    pub fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ja => "ja",
            Lang::Hi => "hi",
            Lang::Ar => "ar",
        }
    }

    /// The direction that its script runs in.
    pub fn dir(self) -> &'static str {
        if self == Lang::Ar { "rtl" } else { "ltr" }
    }

    /// Its name in itself, as its readers look for it.
    pub fn name(self) -> &'static str {
        match self {
            Lang::En => "English",
            Lang::Ja => "日本語",
            Lang::Hi => "हिन्दी",
            Lang::Ar => "العربية",
        }
    }

    /// The language of a tag such as `ja` or `ja-JP`.
    pub fn parse(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next()?.trim().to_ascii_lowercase();
        Lang::ALL.into_iter().find(|lang| lang.code() == primary)
    }

    /// The best language for an `Accept-Language` header; English when none fits.
    pub fn negotiate(accept: &str) -> Lang {
        let mut best = (0, Lang::En);
        for item in accept.split(',') {
            let mut parts = item.split(';');
            let Some(lang) = parts.next().and_then(Lang::parse) else { continue };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, thousandths);
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }
}

/// A quality value (RFC 9110, section 12.4.2) in thousandths.
fn thousandths(text: &str) -> u32 {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    whole
        .parse::<u32>()
        .unwrap_or(0)
        .saturating_mul(1000)
        .saturating_add(digits.parse().unwrap_or(0))
        .min(1000)
}

static TEXTS: LazyLock<Arc<Texts>> = LazyLock::new(|| {
    let mut texts = Texts::new(LAST_RESORT);
    for (lang, catalogue) in [
        (Lang::En, include_str!("../../texts/en.toml")),
        (Lang::Ja, include_str!("../../texts/ja.toml")),
        (Lang::Hi, include_str!("../../texts/hi.toml")),
        (Lang::Ar, include_str!("../../texts/ar.toml")),
    ] {
        texts.add(lang.code(), catalogue).expect("the catalogues are read by a test");
    }
    Arc::new(texts)
});

/// The program's own texts. A deployment lays its country's words over them with [`Texts::merge`], once, and hands the
/// result to every [`Shell`](super::Shell).
pub fn texts() -> Arc<Texts> {
    TEXTS.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_gets_the_language_that_they_prefer() {
        for (accept, lang) in [
            ("ja-JP,ja;q=0.9,en;q=0.8", Lang::Ja),
            ("fr,hi;q=0.5,en;q=0.3", Lang::Hi),
            ("en;q=0.2, ar-JO", Lang::Ar),
            ("fr", Lang::En),
            ("", Lang::En),
            ("ja;q=0", Lang::En),
        ] {
            assert_eq!(Lang::negotiate(accept), lang, "{accept}");
        }
    }
}
