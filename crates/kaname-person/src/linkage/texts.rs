//! Texts that stand once, each under a small number: equal texts have equal numbers, and 0 is no text.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::similar::{may_be_near, signature, slips};

/// Multiplies and rotates: quick, and good enough for words that nobody chose to collide. Tables are of one run and its own files, and
/// a slow table there costs time and nothing else.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.write_u64(u64::from_le_bytes(chunk.try_into().expect("chunks_exact gives 8 bytes")));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        last[7] ^= rest.len() as u8;
        self.write_u64(u64::from_le_bytes(last));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// A number for each of the bytes.
pub(crate) fn quick_hash(bytes: &[u8]) -> u64 {
    let mut hasher = Quick::default();
    hasher.write(bytes);
    hasher.finish()
}

/// Texts and their numbers.
pub(crate) struct Texts {
    index: QuickMap<Box<[u8]>, u32>,
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    length: u16,
    signature: u64,
}

impl Texts {
    pub(crate) fn new() -> Texts {
        let none = Span { start: 0, length: 0, signature: 0 };
        Texts { index: QuickMap::default(), bytes: Vec::new(), spans: vec![none] }
    }

    /// The number of `text`; a text of more than 1,000 bytes counts by its beginning.
    pub(crate) fn number(&mut self, text: &[u8]) -> u32 {
        let text = &text[..text.len().min(1_000)];
        if text.is_empty() {
            return 0;
        }
        if let Some(number) = self.index.get(text) {
            return *number;
        }
        let number = u32::try_from(self.spans.len()).expect("fewer texts than 2^32 in one run");
        let start = u32::try_from(self.bytes.len()).expect("fewer than 4 GiB of texts in one run");
        self.bytes.extend_from_slice(text);
        self.spans.push(Span { start, length: text.len() as u16, signature: signature(text) });
        self.index.insert(text.into(), number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let span = self.spans[number as usize];
        &self.bytes[span.start as usize..span.start as usize + usize::from(span.length)]
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// How many slips apart two texts are, where it is two at the most.
    pub(crate) fn slips(&self, a: u32, b: u32) -> Option<u8> {
        let (x, y) = (&self.spans[a as usize], &self.spans[b as usize]);
        if x.length.abs_diff(y.length) > 2 || !may_be_near(x.signature, y.signature) {
            return None;
        }
        slips(self.get(a), self.get(b))
    }
}
