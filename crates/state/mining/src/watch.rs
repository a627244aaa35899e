//! Waiting for another tip.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grs_chainstate::{BlockId, BlockInfo, ChainstateManager, ValidationInterface, ValidationSignals};
use grs_hashes::BlockHash;
use grs_sync::Interrupt;

/// Wakes threads that wait for another tip. Register it with the validation signals.
#[derive(Default)]
pub struct TipWatch {
    generation: Mutex<u64>,
    changed: Condvar,
}

impl TipWatch {
    /// A watch that gets its news from `signals`, and wakes everybody when `interrupt` is set.
    pub fn attach(signals: &ValidationSignals, interrupt: &Interrupt) -> Arc<TipWatch> {
        let watch = Arc::new(TipWatch::default());
        signals.register(watch.clone());
        let weak = Arc::downgrade(&watch);
        interrupt.on_interrupt(move || {
            if let Some(watch) = weak.upgrade() {
                watch.wake();
            }
        });
        watch
    }

    /// Lets all waiting threads look again.
    pub fn wake(&self) {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// Waits until `ready` is true; false when the time is over. `None` waits without limit.
    pub fn wait_until(&self, timeout: Option<Duration>, mut ready: impl FnMut() -> bool) -> bool {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let mut guard = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        while !ready() {
            guard = match deadline {
                None => self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.changed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }

    /// Waits until the tip is another than `current`. The tip, also when the time is over; `None` at shutdown or
    /// when `stop` answers true. Reference: `WaitTipChanged`.
    pub fn wait_tip_changed(
        &self,
        manager: &ChainstateManager,
        current: BlockHash,
        timeout: Option<Duration>,
        mut stop: impl FnMut() -> bool,
    ) -> Option<(BlockId, BlockHash)> {
        let mut stopped = false;
        let tip = || manager.view().tip().map(|id| (id, manager.index().hash(id)));
        // Without a time limit until there is a tip at all.
        self.wait_until(None, || {
            stopped = manager.interrupt().is_interrupted() || stop();
            stopped || tip().is_some()
        });
        if !stopped {
            self.wait_until(timeout, || {
                stopped = manager.interrupt().is_interrupted() || stop();
                stopped || tip().is_some_and(|(_, hash)| hash != current)
            });
        }
        if stopped { None } else { tip() }
    }
}

impl ValidationInterface for TipWatch {
    fn active_tip_change(&self, _new: BlockInfo, _initial_download: bool) {
        self.wake();
    }
}
