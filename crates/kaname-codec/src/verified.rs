//! The proof that a signature was checked.

use std::ops::Deref;

/// A value whose signature has been verified. Only the verifiers of this crate can make one, so a function that
/// takes a `Verified<T>` cannot be called with something that a stranger merely claims.
///
/// It proves who said it, not that it still holds: times, audience and nonce are checked by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Verified(value)
    }

    /// Gives up the proof and keeps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
