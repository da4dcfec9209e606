//! What goes in and out of a statement. Three types only, which mean the same on both engines.

use crate::StoreError;

/// An argument of a statement, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// `BIGINT`: whole numbers, minor units, microseconds.
    Int(i64),
    /// `TEXT`.
    Text(&'a str),
    /// `BYTEA`: ids, macs, seals.
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}
impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Value::Null, Value::Int)
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(value)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Value::Bytes(value)
    }
}
impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Value::Bytes(value)
    }
}
impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Value::Bytes(value)
    }
}
impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        value.map_or(Value::Null, Value::Bytes)
    }
}
impl<'a, K: kaname_base::id::Kind> From<&'a kaname_base::id::Id<K>> for Value<'a> {
    fn from(value: &'a kaname_base::id::Id<K>) -> Self {
        Value::Bytes(value.bytes())
    }
}

/// A value that came out of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row of an answer; columns are asked for by position.
#[derive(Clone, Debug)]
pub struct Row(pub(crate) Vec<Cell>);

impl Row {
    /// The whole number in `column`.
    ///
    /// # Errors
    /// [`StoreError::Type`] when it is something else; so for the others.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Cell::Int(value)) => Ok(*value),
            _ => Err(StoreError::Type(column)),
        }
    }

    /// The whole number in `column`, or `None` for NULL.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// The text in `column`.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Cell::Text(value)) => Ok(value),
            _ => Err(StoreError::Type(column)),
        }
    }

    /// The bytes in `column`.
    pub fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.0.get(column) {
            Some(Cell::Bytes(value)) => Ok(value),
            _ => Err(StoreError::Type(column)),
        }
    }

    /// The bytes in `column`, or `None` for NULL.
    pub fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.bytes(column).map(Some),
        }
    }

    /// Exactly `N` bytes in `column`.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        self.bytes(column)?.try_into().map_err(|_| StoreError::Type(column))
    }

    /// The id in `column`.
    pub fn id<K: kaname_base::id::Kind>(&self, column: usize) -> Result<kaname_base::id::Id<K>, StoreError> {
        Ok(kaname_base::id::Id::from_bytes(self.array(column)?))
    }
}
