//! Rows of a file, one after the other, with the byte and the line where each starts, so that an import can go on there.
//!
//! A CSV reader of our own, because one stray quote must cost one row and not the rest of the file, and because no row may take
//! more memory than [`LONGEST_ROW`].

use std::io::{self, Read};

use super::mapping::Format;

/// The most bytes of a row.
pub(crate) const LONGEST_ROW: usize = 65_536;

const READ_AT_ONCE: usize = 262_144;

/// The rows of a file from some place on.
pub(crate) struct Rows<R> {
    input: R,
    window: Vec<u8>,
    from: usize,
    ended: bool,
    at: Place,
    format: Format,
    delimiter: u8,
}

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) byte: u64,
    /// From 1.
    pub(crate) line: u64,
}

/// One row. Kept and filled again, so that a million rows do not cost a million allocations.
#[derive(Default)]
pub(crate) struct Row {
    /// Where it starts; from 1.
    pub(crate) line: u64,
    /// The cells one after another, without their quotes; of JSON lines the whole line.
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// Why a row cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it has {found} columns and the header has {expected}")]
    ColumnCount { expected: usize, found: usize },
    #[error("a quote is opened and not closed, or text follows a closed one")]
    Quotes,
    #[error("it has more than {LONGEST_ROW} bytes")]
    TooLong,
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("it is not one JSON object of texts and numbers")]
    NotJson,
}

impl Unreadable {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Unreadable::ColumnCount { .. } => "column-count",
            Unreadable::Quotes => "quotes",
            Unreadable::TooLong => "row-too-long",
            Unreadable::NotUtf8 => "not-utf8",
            Unreadable::NotJson => "not-json",
        }
    }
}

impl<R: Read> Rows<R> {
    /// Reads on from `at`, where `input` stands.
    pub(crate) fn new(input: R, at: Place, format: Format, delimiter: u8) -> Rows<R> {
        Rows { input, window: Vec::new(), from: 0, ended: false, at, format, delimiter }
    }

    /// Where the next row starts.
    pub(crate) fn place(&self) -> Place {
        self.at
    }

    /// The next row that is not blank; `None` at the end. `columns` is how many cells a CSV row must have, once the header is known.
    pub(crate) fn next(
        &mut self,
        columns: Option<usize>,
        row: &mut Row,
    ) -> io::Result<Option<Result<(), Unreadable>>> {
        loop {
            self.fill()?;
            let rest = &self.window[self.from..];
            if rest.is_empty() {
                return Ok(None);
            }
            let bom = if self.at.byte == 0 && rest.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            row.line = self.at.line;
            let parsed = match self.format {
                Format::Csv => row.read_csv(&rest[bom..], self.delimiter, columns),
                Format::Jsonl => row.read_line(&rest[bom..]),
            };
            match parsed {
                Ok(length) => {
                    let lines = count_lines(&rest[bom..bom + length]);
                    self.advance(bom + length, lines);
                    if row.is_blank() {
                        continue;
                    }
                    return Ok(Some(Ok(())));
                }
                Err(why) => {
                    self.skip_line()?;
                    return Ok(Some(Err(why)));
                }
            }
        }
    }

    /// Makes sure that more than the longest row is in the window, or the rest of the file.
    fn fill(&mut self) -> io::Result<()> {
        while !self.ended && self.window.len() - self.from <= LONGEST_ROW {
            self.window.drain(..self.from);
            self.from = 0;
            let held = self.window.len();
            self.window.resize(held + READ_AT_ONCE, 0);
            let read = self.input.read(&mut self.window[held..]);
            self.window.truncate(held + read.as_ref().map_or(0, |read| *read));
            match read {
                Ok(read) => self.ended = read == 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn advance(&mut self, bytes: usize, lines: u64) {
        self.from += bytes;
        self.at.byte += bytes as u64;
        self.at.line += lines;
    }

    /// Passes over one line, however long: what follows a bad row is read from the next line on.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let rest = &self.window[self.from..];
            if let Some(end) = rest.iter().position(|b| *b == b'\n') {
                self.advance(end + 1, 1);
                return Ok(());
            }
            self.advance(rest.len(), 0);
            self.fill()?;
            if self.window.len() == self.from {
                self.at.line += 1;
                return Ok(());
            }
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

impl Row {
    /// The text of cell `column`; empty when the row has fewer.
    pub(crate) fn cell(&self, column: usize) -> &str {
        let from = if column == 0 { 0 } else { self.ends.get(column - 1).copied().unwrap_or(0) };
        let bytes = self.ends.get(column).map_or(&[][..], |end| &self.text[from..*end]);
        std::str::from_utf8(bytes).unwrap_or("")
    }

    /// How many cells it has.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The fields of a line of JSON, as texts.
    pub(crate) fn json(&self) -> Result<serde_json::Map<String, serde_json::Value>, Unreadable> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&self.text).map_err(|_| Unreadable::NotJson)?;
        if object.values().any(|value| value.is_object() || value.is_array()) {
            return Err(Unreadable::NotJson);
        }
        Ok(object)
    }

    fn is_blank(&self) -> bool {
        self.ends.len() <= 1 && self.text.iter().all(u8::is_ascii_whitespace)
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    fn read_line(&mut self, rest: &[u8]) -> Result<usize, Unreadable> {
        let length = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |end| end + 1);
        if length > LONGEST_ROW {
            return Err(Unreadable::TooLong);
        }
        self.text.clear();
        self.ends.clear();
        self.text.extend_from_slice(&rest[..length]);
        self.end_cell();
        std::str::from_utf8(&self.text).map_err(|_| Unreadable::NotUtf8)?;
        Ok(length)
    }

    /// Reads one record of RFC 4180, section 2; tells how many bytes it took with its line end.
    fn read_csv(&mut self, rest: &[u8], delimiter: u8, columns: Option<usize>) -> Result<usize, Unreadable> {
        self.text.clear();
        self.ends.clear();
        let mut at = 0;
        let length = loop {
            at = match rest.get(at) {
                Some(b'"') => self.quoted(rest, at + 1, delimiter)?,
                _ => self.unquoted(rest, at, delimiter),
            };
            self.end_cell();
            match rest.get(at) {
                Some(b) if *b == delimiter => at += 1,
                Some(_) => break at + 1,
                None => break at,
            }
        };
        if length > LONGEST_ROW {
            return Err(Unreadable::TooLong);
        }
        if columns.is_some_and(|expected| expected != self.len()) && !self.is_blank() {
            return Err(Unreadable::ColumnCount { expected: columns.unwrap_or(0), found: self.len() });
        }
        // Cells are cut at ASCII characters, so they are UTF-8 when the whole is.
        std::str::from_utf8(&self.text).map_err(|_| Unreadable::NotUtf8)?;
        Ok(length)
    }

    /// Up to the delimiter, the line end or the end of the file.
    fn unquoted(&mut self, rest: &[u8], at: usize, delimiter: u8) -> usize {
        let cell = &rest[at..];
        let length = cell.iter().position(|b| *b == delimiter || *b == b'\n').unwrap_or(cell.len());
        let ends_line = cell.get(length).is_none_or(|b| *b == b'\n');
        let cell = &cell[..length];
        self.text.extend_from_slice(if ends_line { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell });
        at + length
    }

    /// What is between quotes; two quotes in a row are one.
    fn quoted(&mut self, rest: &[u8], mut at: usize, delimiter: u8) -> Result<usize, Unreadable> {
        loop {
            let piece = &rest[at..];
            let length = piece.iter().position(|b| *b == b'"').ok_or(Unreadable::Quotes)?;
            self.text.extend_from_slice(&piece[..length]);
            at += length + 1;
            match rest.get(at) {
                Some(b'"') => {
                    self.text.push(b'"');
                    at += 1;
                }
                Some(b'\r') if rest.get(at + 1).is_none_or(|b| *b == b'\n') => return Ok(at + 1),
                Some(b) if *b == delimiter || *b == b'\n' => return Ok(at),
                None => return Ok(at),
                Some(_) => return Err(Unreadable::Quotes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], columns: usize) -> Vec<(u64, Result<Vec<String>, &'static str>)> {
        let mut rows = Rows::new(text, Place { byte: 0, line: 1 }, Format::Csv, b',');
        let mut row = Row::default();
        let mut seen = Vec::new();
        while let Some(read) = rows.next(Some(columns), &mut row).unwrap() {
            let cells = read.map(|()| (0..row.len()).map(|i| row.cell(i).to_owned()).collect());
            seen.push((row.line, cells.map_err(Unreadable::code)));
        }
        assert_eq!(rows.place().byte, text.len() as u64);
        seen
    }

    fn good(cells: &[&str]) -> Result<Vec<String>, &'static str> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn rows_are_read_as_rfc_4180_says() {
        let text = b"\xEF\xBB\xBFa,b\r\n\"c,\"\"d\",\n\n\"two\nlines\",e\n,\nlast,\"row\"";
        let expected = vec![
            (1, good(&["a", "b"])),
            (2, good(&["c,\"d", ""])),
            (4, good(&["two\nlines", "e"])),
            (6, good(&["", ""])),
            (7, good(&["last", "row"])),
        ];
        assert_eq!(read(text, 2), expected);
    }

    #[test]
    fn a_bad_row_costs_itself_and_no_other() {
        let long = "x".repeat(LONGEST_ROW * 5);
        for (bad, code) in [
            ("\"never closed,b", "quotes"),
            ("\"closed\"yet,b", "quotes"),
            ("one", "column-count"),
            ("one,two,three", "column-count"),
            (long.as_str(), "row-too-long"),
        ] {
            let text = format!("a,b\n{bad}\n\"c\",d\ne,\"f\"\n");
            let expected =
                vec![(1, good(&["a", "b"])), (2, Err(code)), (3, good(&["c", "d"])), (4, good(&["e", "f"]))];
            assert_eq!(read(text.as_bytes(), 2), expected, "{}", &bad[..bad.len().min(20)]);
        }
        assert_eq!(read(b"a,b\n\xFF,c\nd,e", 2)[1], (2, Err("not-utf8")));
    }

    #[test]
    fn reading_on_from_any_row_gives_the_same_rows() {
        let text = b"a,b\n\"two\nlines\",c\nbad\nd,e\n";
        let mut rows = Rows::new(&text[..], Place { byte: 0, line: 1 }, Format::Csv, b',');
        let mut row = Row::default();
        let mut places = vec![rows.place()];
        while rows.next(Some(2), &mut row).unwrap().is_some() {
            places.push(rows.place());
        }
        let all = read(text, 2);
        assert_eq!(places.len(), all.len() + 1);
        for (i, place) in places.iter().enumerate().skip(1) {
            let mut rest = Rows::new(&text[place.byte as usize..], *place, Format::Csv, b',');
            for (line, expected) in &all[i..] {
                let read = rest.next(Some(2), &mut row).unwrap().unwrap();
                assert_eq!((row.line, read.is_ok()), (*line, expected.is_ok()));
            }
        }
    }
}
