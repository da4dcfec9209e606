//! How the world fails below a use case.

/// The database did not do what was asked. Never shown to a caller: it becomes "unavailable" at the edge.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the row first; the unit of work is run again from the start.
    #[error("another unit of work changed the row first")]
    Conflict,
    /// A row with this key is there already.
    #[error("a row with this key is there already")]
    Duplicate,
    /// The queue of work is full; try again after a moment.
    #[error("too much work is waiting")]
    Busy,
    /// The commit failed: the work may or may not have been done. Ask again with the same id.
    #[error("the commit failed, and whether it was applied is unknown")]
    CommitUnknown,
    /// The database could not be reached, or the connection was lost before the commit: nothing was done.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The unit of work panicked; nothing of it was kept.
    #[error("the unit of work stopped half-way and was undone")]
    Crashed,
    /// A statement that is not confined to the unit's bucket.
    #[error("the statement does not confine itself to the bucket: {0}")]
    NotConfined(&'static str),
    /// A stored value is not what the code expects.
    #[error("a stored value has another type than expected: column {0}")]
    Type(usize),
    /// The database is at another version, or belongs to another deployment.
    #[error("{0}")]
    Version(String),
    /// Anything else the database said.
    #[error("the database failed: {0}")]
    Database(String),
}

impl StoreError {
    /// Whether running the unit of work again may help.
    pub fn is_conflict(&self) -> bool {
        matches!(self, StoreError::Conflict | StoreError::Duplicate)
    }
}
