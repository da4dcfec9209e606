//! Checkpoints: what a log says its state is (C2SP tlog-checkpoint, "Note text").

use super::LogError;
use super::hash::Hash;
use crate::b64;

/// The state of a log, as the text of a signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log, such as `log.example.org/access`.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// Its root hash.
    pub root: Hash,
    /// Lines behind the first three; none is needed.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Checkpoint { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// The text to sign: origin, size and root, a line each.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, b64::std_encode(&self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads the text of a note, accepting only what [`Checkpoint::to_text`] writes.
    pub fn parse(text: &str) -> Result<Self, LogError> {
        let lines = text.strip_suffix('\n').ok_or(LogError::Checkpoint)?;
        let mut lines = lines.split('\n');
        let mut next = || lines.next().filter(|line| !line.is_empty()).ok_or(LogError::Checkpoint);
        let (origin, size, root) = (next()?.to_owned(), next()?, next()?);
        let size = size.parse().map_err(|_| LogError::Checkpoint)?;
        let root =
            b64::std_decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(LogError::Checkpoint)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        let checkpoint = Checkpoint { origin, size, root, extensions };
        let canonical =
            checkpoint.extensions.iter().all(|line| !line.is_empty()) && checkpoint.to_text() == text;
        if canonical { Ok(checkpoint) } else { Err(LogError::Checkpoint) }
    }
}
