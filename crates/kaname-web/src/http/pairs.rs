//! Names and values of a query or a form, decoded strictly (WHATWG URL, section 5.1): what has two readings is refused.

use super::Problem;

/// Decoded names and values, in the order they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

/// More pairs than any form of ours or any protocol has.
const MOST_PAIRS: usize = 256;

impl Pairs {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// 400 for a broken percent-encoding, text that is not UTF-8, a NUL (which no database column holds), or too many pairs.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Pairs, Problem> {
        let mut pairs = Vec::new();
        for piece in bytes.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
            if pairs.len() == MOST_PAIRS {
                return Err(Problem::malformed("there are too many fields"));
            }
            let equals = piece.iter().position(|byte| *byte == b'=');
            let (name, value) = equals.map_or((piece, &b""[..]), |at| (&piece[..at], &piece[at + 1..]));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Pairs(pairs))
    }

    /// Pairs that are decoded already.
    pub(super) fn of(pairs: Vec<(String, String)>) -> Pairs {
        Pairs(pairs)
    }

    /// The value of `name`, if it is there exactly once: of two values, nobody knows which was meant.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }

    /// The value of `name`, or nothing as an empty text: for fields that are checked where they are used.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The value of a field that our page always sends.
    ///
    /// # Errors
    /// 400 when it is missing or there twice.
    pub(crate) fn need(&self, name: &'static str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::malformed(format!("the field {name} is missing")))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Without the pairs called `name`.
    pub(crate) fn without(&self, name: &str) -> Pairs {
        Pairs(self.0.iter().filter(|(known, _)| known != name).cloned().collect())
    }
}

fn decode(bytes: &[u8]) -> Result<String, Problem> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'+' | b'%')) {
        plain.extend_from_slice(&rest[..at]);
        let after = &rest[at + 1..];
        rest = if rest[at] == b'+' {
            plain.push(b' ');
            after
        } else {
            let (digits, after) = after.split_at_checked(2).ok_or_else(broken_percent)?;
            plain.push(hex(digits[0])? << 4 | hex(digits[1])?);
            after
        };
    }
    plain.extend_from_slice(rest);
    let text = String::from_utf8(plain).map_err(|_| Problem::malformed("a field is not UTF-8"))?;
    if text.contains('\0') { Err(Problem::malformed("a field has a NUL character in it")) } else { Ok(text) }
}

fn hex(digit: u8) -> Result<u8, Problem> {
    char::from(digit).to_digit(16).map(|value| value as u8).ok_or_else(broken_percent)
}

fn broken_percent() -> Problem {
    Problem::malformed("a percent sign is not followed by two hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_by_the_book() {
        let pairs = Pairs::parse(b"a+b=1%262%3d3&%E5%90%8D=%C3%A9&empty=&bare&&twice=1&twice=2").unwrap();
        let all: Vec<_> = pairs.iter().collect();
        let first = [("a b", "1&2=3"), ("名", "é"), ("empty", ""), ("bare", "")];
        assert_eq!(all[..4], first);
        assert_eq!(pairs.get("twice"), None);
        assert_eq!(pairs.get("empty"), Some(""));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"%ff=1", b"a=\xff", b"a=%00", &b"a&".repeat(300)] {
            assert!(Pairs::parse(bad).is_err(), "{bad:?}");
        }
    }
}
