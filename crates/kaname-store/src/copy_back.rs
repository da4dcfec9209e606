//! Copying SQLite's write-ahead log back, on a thread of its own. The writer would do it in one piece, which takes long enough for
//! everybody to wait; it still does what this thread has left over, as nobody else can begin the log anew.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::StoreError;
use crate::sqlite::CopyBack;

/// After so many units of work: some 20 MiB of the log when they are small. Of large ones the writer takes care itself.
const UNITS: usize = 4_096;

/// What the writer tells the thread.
#[derive(Default)]
pub(crate) struct Copier {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    units: usize,
    is_closed: bool,
}

impl Copier {
    /// So many units of work were committed.
    pub(crate) fn note(&self, units: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.units += units;
        if state.units >= UNITS {
            self.changed.notify_one();
        }
    }

    /// The thread ends.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.changed.notify_one();
    }

    /// Copies back whenever enough was committed, until it is closed. A copy that fails is made up for by the writer.
    pub(crate) fn serve(&self, path: &Path) -> Result<(), StoreError> {
        let copy_back = CopyBack::open(path)?;
        while self.wait() {
            let _ = copy_back.run();
        }
        Ok(())
    }

    fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.is_closed && state.units < UNITS {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.units = 0;
        !state.is_closed
    }
}
