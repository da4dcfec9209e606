//! XML in: a cursor that knows only elements and texts. What could make a document mean more than it says (document
//! types, entities, processing instructions, CDATA, other namespaces) never gets past it.

use super::write::check_text;
use super::{IsoError, MAX_MESSAGE_BYTES};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Deeper than any element of the two messages.
const MAX_DEPTH: usize = 24;

/// One step through a message.
enum Step<'a> {
    Open(BytesStart<'a>),
    Close,
    Text(Cow<'a, str>),
    End,
}

/// Where in the message we read.
pub(super) struct Cursor<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    started: bool,
}

/// An element that was opened and is to be read or skipped to its end.
pub(super) struct Element<'a>(BytesStart<'a>);

impl<'a> Element<'a> {
    pub(super) fn name(&self) -> &str {
        self.0.name().0
    }

    pub(super) fn unexpected(&self) -> IsoError {
        IsoError::Unexpected(self.name().chars().take(40).collect())
    }

    /// The value of its only attribute, which is `name`.
    pub(super) fn attribute(&self, name: &'static str) -> Result<String, IsoError> {
        let mut attributes = self.0.attributes();
        let only = attributes.next().and_then(Result::ok).filter(|attribute| attribute.key.0 == name);
        let (Some(only), None) = (only, attributes.next()) else { return Err(IsoError::Value(name)) };
        // Our attributes are codes and namespaces: nothing in them needs escaping.
        if only.value.contains(['&', '<']) { Err(IsoError::Value(name)) } else { Ok(only.value.into_owned()) }
    }

    fn check_bare(&self) -> Result<(), IsoError> {
        if self.0.attributes_raw().trim().is_empty() { Ok(()) } else { Err(self.unexpected()) }
    }
}

impl<'a> Cursor<'a> {
    /// Opens a message and enters `Document` of this namespace and the one element below it, `body`; `read` reads
    /// that.
    pub(super) fn message<T>(
        bytes: &'a [u8],
        kind: &'static str,
        body: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, IsoError>,
    ) -> Result<T, IsoError> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(IsoError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| IsoError::Utf8)?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().expand_empty_elements = true;
        let mut cursor = Cursor { reader, depth: 0, started: false };

        let document = cursor.open_next()?.ok_or(IsoError::OtherMessage(kind))?;
        if document.name() != "Document" || !names_namespace(&document, kind) {
            return Err(IsoError::OtherMessage(kind));
        }
        let element = cursor.open_next()?.ok_or(IsoError::OtherMessage(kind))?;
        if element.name() != body {
            return Err(IsoError::OtherMessage(kind));
        }
        element.check_bare()?;
        let value = read(&mut cursor)?;
        if let Some(second) = cursor.open_next()? {
            return Err(second.unexpected());
        }
        match (cursor.open_next()?, cursor.depth) {
            (None, 0) => Ok(value),
            _ => Err(IsoError::OtherMessage(kind)),
        }
    }

    /// The next element in the one that is open; none when that closes.
    pub(super) fn open_next(&mut self) -> Result<Option<Element<'a>>, IsoError> {
        loop {
            match self.step()? {
                Step::Open(start) => return Ok(Some(Element(start))),
                Step::Close | Step::End => return Ok(None),
                Step::Text(text) if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() => {}
                Step::Text(_) => return Err(IsoError::Unexpected("text between elements".to_owned())),
            }
        }
    }

    /// Enters an element that has no attributes: its children follow.
    pub(super) fn enter(&mut self, element: &Element<'a>) -> Result<(), IsoError> {
        element.check_bare()
    }

    /// The text of an element without attributes and children, 1 to `max` characters, stored in an empty `slot`.
    pub(super) fn text(
        &mut self,
        element: &Element<'a>,
        name: &'static str,
        max: usize,
        slot: &mut Option<Cow<'a, str>>,
    ) -> Result<(), IsoError> {
        element.check_bare()?;
        let text = self.content(name, max)?;
        once(slot, text, name)
    }

    /// The text up to the end of the open element.
    pub(super) fn content(&mut self, name: &'static str, max: usize) -> Result<Cow<'a, str>, IsoError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.step()? {
                Step::Text(more) if text.is_empty() => text = more,
                Step::Text(more) => text.to_mut().push_str(&more),
                Step::Close => break,
                Step::Open(_) | Step::End => return Err(IsoError::Value(name)),
            }
        }
        check_text(name, &text, max)?;
        Ok(text)
    }

    /// Leaves out the open element with all that is in it.
    pub(super) fn skip(&mut self) -> Result<(), IsoError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Step<'a>, IsoError> {
        loop {
            let first = !std::mem::replace(&mut self.started, true);
            let step = match self.reader.read_event().map_err(IsoError::Xml)? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(IsoError::TooDeep);
                    }
                    Step::Open(start)
                }
                Event::End(_) => {
                    self.depth = self.depth.checked_sub(1).ok_or(IsoError::TooDeep)?;
                    Step::Close
                }
                Event::Text(text) => Step::Text(text.into_inner()),
                Event::GeneralRef(reference) => Step::Text(Cow::Owned(resolve(&reference)?.to_string())),
                Event::Comment(_) => continue,
                Event::Decl(declaration) if first => {
                    let utf8 = declaration.encoding().is_none_or(|encoding| {
                        encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("utf-8"))
                    });
                    if !utf8 {
                        return Err(IsoError::Utf8);
                    }
                    continue;
                }
                Event::Eof if self.depth == 0 => Step::End,
                Event::Eof => return Err(IsoError::Forbidden("an end before the end")),
                Event::Decl(_) => return Err(IsoError::Forbidden("a second declaration")),
                Event::DocType(_) => return Err(IsoError::Forbidden("a document type")),
                Event::PI(_) => return Err(IsoError::Forbidden("a processing instruction")),
                Event::CData(_) => return Err(IsoError::Forbidden("cdata")),
                Event::Empty(_) => return Err(IsoError::Forbidden("an element that was not expanded")),
            };
            return Ok(step);
        }
    }
}

/// Puts `value` into an empty slot.
pub(super) fn once<T>(slot: &mut Option<T>, value: T, name: &'static str) -> Result<(), IsoError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(IsoError::Repeated(name)),
    }
}

/// The default namespace is that of the message, and no other is bound but the one of schema locations.
fn names_namespace(document: &Element<'_>, kind: &str) -> bool {
    let mut found = false;
    for attribute in document.0.attributes() {
        let Ok(attribute) = attribute else { return false };
        match attribute.key.0 {
            "xmlns" => {
                let ours = attribute.value.strip_prefix("urn:iso:std:iso:20022:tech:xsd:") == Some(kind);
                found = ours && !found;
            }
            "xmlns:xsi" | "xsi:schemaLocation" => {}
            _ => return false,
        }
    }
    found
}

/// The five references of XML 1.0 section 4.6 and characters by number; others would need a document type.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<char, IsoError> {
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match reference.resolve_char_ref() {
            Ok(Some(character)) => Ok(character),
            _ => Err(IsoError::Forbidden("an entity")),
        },
    }
}
