//! Splits a Rust source into code, comments and string literals: enough to look for words without being fooled by where they
//! stand. Not a parser.

/// A string literal, its escapes undone as far as line continuations go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The parts of a source.
#[derive(Debug, Default)]
pub(crate) struct RustText {
    /// The code without comments, each literal left as `""`; lines stay where they are.
    pub(crate) code: String,
    pub(crate) comments: String,
    pub(crate) literals: Vec<Literal>,
}

pub(crate) fn split(source: &str) -> RustText {
    let mut parts = RustText::default();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after_word = parts.code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (length, lines_kept) = if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            parts.comments.push_str(&rest[..length]);
            parts.comments.push('\n');
            (length, 0)
        } else if rest.starts_with("/*") {
            let length = rest.find("*/").map_or(rest.len(), |end| end + 2);
            parts.comments.push_str(&rest[..length]);
            (length, newlines(&rest[..length]))
        } else if let Some(hashes) = raw_start(rest).filter(|_| !after_word) {
            let open = rest.find('"').map_or(rest.len(), |at| at + 1);
            let close = format!("\"{}", "#".repeat(hashes));
            let body = rest[open..].find(&close).unwrap_or(rest.len() - open);
            parts.literals.push(Literal { line, text: rest[open..open + body].to_owned() });
            parts.code.push_str("\"\"");
            let length = (open + body + close.len()).min(rest.len());
            (length, newlines(&rest[..length]))
        } else if first == '"' {
            let (length, text) = quoted(rest);
            parts.literals.push(Literal { line, text });
            parts.code.push_str("\"\"");
            (length, newlines(&rest[..length]))
        } else if let Some(length) = character(rest) {
            parts.code.push_str("' '");
            (length, 0)
        } else {
            parts.code.push(first);
            (first.len_utf8(), 0)
        };
        (0..lines_kept).for_each(|_| parts.code.push('\n'));
        line += newlines(&rest[..length]);
        rest = &rest[length..];
    }
    parts
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
}

/// How many `#` a raw string has that starts here.
fn raw_start(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = behind.chars().take_while(|c| *c == '#').count();
    behind[hashes..].starts_with('"').then_some(hashes)
}

fn quoted(rest: &str) -> (usize, String) {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (at + 1, text),
            '\\' => match chars.next() {
                Some((_, '\n')) => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                Some((_, escaped)) => text.push(escaped),
                None => break,
            },
            c => text.push(c),
        }
    }
    (rest.len(), text)
}

/// The length of a character literal, if it is one and not a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    if inner.starts_with('\\') {
        return inner[2..].find('\'').map(|end| end + 4);
    }
    let first = inner.chars().next()?;
    inner[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_they_stand() {
        let source = "let a = \"one // no\"; // two \"no\"\n/* three\n */ f('\"', '\\'', r#\"raw \" one\"#, \"x\\\n    y\");\n'life: loop {}";
        let parts = split(source);
        assert_eq!(parts.code, "let a = \"\"; \n\n f(' ', ' ', \"\", \"\"\n);\n'life: loop {}");
        assert_eq!(parts.comments, "// two \"no\"\n/* three\n */");
        let literals: Vec<_> = parts.literals.iter().map(|found| (found.line, found.text.as_str())).collect();
        assert_eq!(literals, [(1, "one // no"), (3, "raw \" one"), (3, "xy")]);
    }
}
