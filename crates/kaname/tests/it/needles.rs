//! Many texts in many encodings, looked for at once.

use std::collections::{BTreeSet, HashMap};

/// Shorter needles than this are found in random bytes by chance: six bytes stand once in 280 terabytes.
const SHORTEST: usize = 6;

/// Looks for needles by their first four bytes, then in full.
pub(crate) struct Needles {
    /// One bit for each beginning of three bytes: most places of a file are passed over after one look.
    beginnings: Vec<u64>,
    by_head: HashMap<[u8; 4], Vec<(Vec<u8>, String)>>,
    count: usize,
}

impl Needles {
    /// Needles that are looked for as they are; each is called by what stands beside it.
    pub(crate) fn new(needles: impl IntoIterator<Item = (Vec<u8>, String)>) -> Needles {
        let mut made = Needles { beginnings: vec![0; 1 << 18], by_head: HashMap::new(), count: 0 };
        for (needle, name) in needles.into_iter().filter(|(needle, _)| needle.len() >= SHORTEST) {
            let (word, bit) = place(&needle);
            made.beginnings[word] |= bit;
            made.by_head.entry(needle[..4].try_into().unwrap()).or_default().push((needle, name));
            made.count += 1;
        }
        made
    }

    /// Texts about people in every encoding in which a program might keep them.
    pub(crate) fn of_texts(secrets: &BTreeSet<String>) -> Needles {
        Needles::new(
            secrets
                .iter()
                .flat_map(|secret| encodings(secret).into_iter().map(|form| (form, secret.clone()))),
        )
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The name of the first needle in `bytes`, and where it is.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<(&str, usize)> {
        for (at, window) in bytes.windows(4).enumerate() {
            let (word, bit) = place(window);
            if self.beginnings[word] & bit == 0 {
                continue;
            }
            let candidates = self.by_head.get(window).map_or(&[][..], Vec::as_slice);
            if let Some((_, name)) = candidates.iter().find(|(needle, _)| bytes[at..].starts_with(needle)) {
                return Some((name, at));
            }
        }
        None
    }
}

fn place(bytes: &[u8]) -> (usize, u64) {
    let beginning = usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
    (beginning >> 6, 1 << (beginning & 63))
}

/// A text as it is, in capitals and in small letters, in UTF-8 and in UTF-16 of both orders; each of these in hexadecimal of both
/// cases and in base64 of both alphabets at each of its three offsets; and long numbers as eight bytes of both orders.
fn encodings(text: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    // Three letters stand by chance in PostgreSQL's own tables of letters.
    if text.is_ascii() && text.len() < 4 {
        return forms;
    }
    for text in BTreeSet::from([text.to_owned(), text.to_uppercase(), text.to_lowercase()]) {
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for plain in [text.into_bytes(), little, big] {
            let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
            forms.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
            for offset in 0..3 {
                // The characters at both ends also depend on the neighbours: only those between are sure.
                let padded = [&vec![0; offset][..], &plain].concat();
                let (first, last) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
                let sure = &base64(&padded)[first..last.max(first)];
                let other = |c: &u8| match c {
                    b'+' => b'-',
                    b'/' => b'_',
                    same => *same,
                };
                forms.extend([sure.to_vec(), sure.iter().map(other).collect()]);
            }
            forms.insert(plain);
        }
    }
    if let Ok(number) = text.parse::<i64>()
        && number > 1 << 32
    {
        // SQLite keeps whole numbers in as few bytes as they need, six for these; PostgreSQL in eight of the machine's order.
        forms.extend([number.to_be_bytes()[2..].to_vec(), number.to_le_bytes().to_vec()]);
    }
    forms
}

pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        out.extend((0..4).map(|i| DIGITS[(group >> (18 - 6 * i)) as usize & 63]));
    }
    out
}

#[test]
fn every_encoding_is_found() {
    let secrets =
        BTreeSet::from(["Yamada Tarō".to_owned(), "山田太郎".to_owned(), "123456789018".to_owned()]);
    let needles = Needles::of_texts(&secrets);
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let mut hidden = vec![
        "xxYamada Tarōxx".as_bytes().to_vec(),
        "YAMADA TARŌ".as_bytes().to_vec(),
        utf16("その山田太郎"),
        b"..e5b1b1e794b0e5a4aae9838e..".to_vec(),
        123_456_789_018_i64.to_be_bytes().to_vec(),
        123_456_789_018_i64.to_le_bytes().to_vec(),
    ];
    for before in ["", "z", "zz", "zzz"] {
        hidden.push(base64(format!("{before}山田太郎!").as_bytes()));
        hidden.push(base64(&utf16(&format!("{before}Yamada Tarō."))));
    }
    for bytes in hidden {
        assert!(needles.find(&bytes).is_some(), "{}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(needles.find(b"nobody is here, and nobody is there"), None);
    assert_eq!(needles.find(b""), None);
}
