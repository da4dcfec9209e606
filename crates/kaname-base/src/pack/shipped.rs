//! The packs inside the program.

use std::collections::BTreeMap;

/// Declares the packs with their texts, and embeds their files.
macro_rules! shipped {
    ($($id:literal: $($language:literal)+;)+) => {
        pub(super) const IDS: &[&str] = &[$($id),+];

        pub(super) fn files(id: &str) -> Option<BTreeMap<String, String>> {
            let files: &[(&str, &str)] = match id {
                $($id => &[
                    file!($id, "pack.toml"),
                    file!($id, "number.toml"),
                    file!($id, "policy.toml"),
                    file!($id, "programmes.toml"),
                    file!($id, "banks.toml"),
                    file!($id, "sources.toml"),
                    file!($id, "mandates.toml"),
                    file!($id, "instant.toml"),
                    file!($id, "fixtures/people.toml"),
                    $(file!($id, concat!("text/", $language, ".toml")),)+
                ],)+
                _ => return None,
            };
            Some(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
        }
    };
}

macro_rules! file {
    ($id:literal, $name:expr) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs/", $id, "/", $name)))
    };
}

shipped! {
    "example": "en";
    "india": "hi" "en";
    "japan": "ja" "en";
    "jordan": "ar" "en";
    "singapore": "en";
    "uk": "en";
}
