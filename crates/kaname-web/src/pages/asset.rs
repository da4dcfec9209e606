//! Style sheet, scripts and mark: embedded in the program, served under a name that changes with the content.

use std::sync::LazyLock;

/// A file that a browser may keep for ever, because its address changes with its content.
pub struct Asset {
    /// The name in the source tree, `kaname.css`.
    pub name: &'static str,
    /// The address, `/assets/kaname.0123456789abcdef.css`.
    pub url: String,
    /// The media type.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
    /// The entity tag, with its quotes.
    pub etag: String,
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    let css = "text/css; charset=utf-8";
    let script = "text/javascript; charset=utf-8";
    [
        made("kaname.css", css, squeezed(include_str!("../../assets/kaname.css")).into_bytes()),
        made("passkey.js", script, include_bytes!("../../assets/passkey.js").to_vec()),
        made("progress.js", script, include_bytes!("../../assets/progress.js").to_vec()),
        made("mark.svg", "image/svg+xml", include_bytes!("../../assets/mark.svg").to_vec()),
    ]
});

/// The asset at `path`, with or without its leading `/assets/`: media type, content and entity tag.
///
/// Only the current content has an address; an old page's address is not found rather than answered with another file.
pub fn asset(path: &str) -> Option<(&'static str, &'static [u8], &'static str)> {
    let path = path.strip_prefix("/assets/").unwrap_or(path);
    let found = ASSETS.iter().find(|asset| asset.url.strip_prefix("/assets/") == Some(path))?;
    Some((found.content_type, &found.bytes, &found.etag))
}

/// The address of the asset called `name`.
pub fn asset_url(name: &str) -> &'static str {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .map(|asset| asset.url.as_str())
        .expect("templates name assets that exist")
}

fn made(name: &'static str, content_type: &'static str, bytes: Vec<u8>) -> Asset {
    let (stem, extension) = name.rsplit_once('.').expect("an asset has an extension");
    let hash = fingerprint(&bytes);
    Asset {
        name,
        url: format!("/assets/{stem}.{hash:016x}.{extension}"),
        content_type,
        bytes,
        etag: format!("\"{hash:016x}\""),
    }
}

/// A style sheet without comments and without the blanks that only its writers need. Good for our own sheet, which has
/// no braces, commas or comments inside strings.
fn squeezed(sheet: &str) -> String {
    let mut small = String::with_capacity(sheet.len());
    for (i, part) in sheet.split("/*").enumerate() {
        small.push_str(if i == 0 { part } else { part.split_once("*/").map_or("", |(_, rest)| rest) });
    }
    let mut words = String::with_capacity(small.len());
    for word in small.split_whitespace() {
        if !words.is_empty() && !words.ends_with(['{', '}', ';', ',', ':']) && !word.starts_with(['{', '}']) {
            words.push(' ');
        }
        words.push_str(word);
    }
    words.replace(";}", "}")
}

/// FNV-1a. It tells versions of our own files apart; nobody gains from a collision.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_by_its_address_only() {
        let url = asset_url("kaname.css");
        let (content_type, bytes, etag) = asset(url).unwrap();
        assert_eq!(content_type, "text/css; charset=utf-8");
        assert!(!bytes.is_empty() && url.contains(etag.trim_matches('"')));
        assert!(asset("/assets/kaname.css").is_none());
        assert!(asset("/assets/../Cargo.toml").is_none());
    }

    #[test]
    fn a_squeezed_sheet_means_the_same() {
        let sheet = "/* one */ a, b:hover {\n  color: red; margin: 0 1px;\n}\n@media (min-width: 4rem) { .x .y::before { content: \"\"; } }";
        assert_eq!(
            squeezed(sheet),
            "a,b:hover{color:red;margin:0 1px}@media (min-width:4rem){.x .y::before{content:\"\"}}"
        );
    }

    #[test]
    fn pages_stay_light() {
        for (name, limit) in [("kaname.css", 15 * 1024), ("passkey.js", 6 * 1024), ("progress.js", 2 * 1024)]
        {
            let (_, bytes, _) = asset(asset_url(name)).unwrap();
            assert!(bytes.len() <= limit, "{name} is {} bytes", bytes.len());
        }
    }
}
