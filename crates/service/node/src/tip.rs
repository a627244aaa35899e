//! Waiting for another tip.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grs_hashes::BlockHash;
use grs_sync::Interrupt;

/// The tip as a value that can be waited for.
pub struct TipWatch {
    state: Mutex<Option<(BlockHash, u32)>>,
    changed: Condvar,
    shutdown: Interrupt,
}

impl TipWatch {
    pub(crate) fn new(shutdown: Interrupt) -> Arc<TipWatch> {
        let watch = Arc::new(TipWatch {
            state: Mutex::new(None),
            changed: Condvar::new(),
            shutdown: shutdown.clone(),
        });
        let weak = Arc::downgrade(&watch);
        shutdown.on_interrupt(move || {
            if let Some(watch) = weak.upgrade() {
                watch.wake();
            }
        });
        watch
    }

    /// Sets the tip and wakes those who wait.
    pub(crate) fn set(&self, hash: BlockHash, height: u32) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some((hash, height));
        self.changed.notify_all();
    }

    /// Wakes those who wait without a new tip, so that they look at what else they wait for.
    pub fn wake(&self) {
        // Under the lock, so that nobody who has just looked misses it.
        let _state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }

    /// Hash and height of the tip, once there is one.
    pub fn get(&self) -> Option<(BlockHash, u32)> {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` is true of the tip, the time is over (`None`: never), or the node stops. The tip then.
    pub fn wait(
        &self,
        limit: Option<Duration>,
        mut done: impl FnMut(BlockHash, u32) -> bool,
    ) -> Option<(BlockHash, u32)> {
        self.wait_for(limit, |tip| tip.is_some_and(|(hash, height)| done(hash, height)))
    }

    /// [`TipWatch::wait`] for conditions that may be met before there is a tip.
    pub(crate) fn wait_for(
        &self,
        limit: Option<Duration>,
        mut done: impl FnMut(Option<(BlockHash, u32)>) -> bool,
    ) -> Option<(BlockHash, u32)> {
        let end = limit.and_then(|l| Instant::now().checked_add(l));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.shutdown.is_interrupted() || done(*state) {
                return *state;
            }
            state = match end {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return *state;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
