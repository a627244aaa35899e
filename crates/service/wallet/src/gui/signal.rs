//! A number that grows with each change, and can be waited for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Counts changes.
#[derive(Default)]
pub(crate) struct Signal {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// Something has changed.
    pub(crate) fn touch(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// Changes so far.
    pub(crate) fn get(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the number differs from `seen`, but not longer than `limit`. The number then.
    pub(crate) fn wait(&self, seen: u64, limit: Duration) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(count, limit, |count| *count == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
