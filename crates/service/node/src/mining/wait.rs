//! Waits for another tip that a client can interrupt.

use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use grs_hashes::BlockHash;

use crate::NodeContext;

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// There is another tip.
    Tip,
    /// The time is over.
    Time,
    /// By the client, or the node stops.
    Interrupted,
}

/// The interrupt flag of one object. It stays set until a wait takes it: the one under way, or else the next.
pub(super) struct Waiter {
    node: Weak<NodeContext>,
    interrupted: AtomicBool,
}

impl Waiter {
    pub(super) fn new(node: &Weak<NodeContext>) -> Waiter {
        Waiter { node: node.clone(), interrupted: AtomicBool::new(false) }
    }

    /// Ends the wait under way, or the next one. Does not block.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        if let Some(node) = self.node.upgrade() {
            node.tip.wake();
        }
    }

    /// Waits until `done` holds of the tip (`None` before there is one), for a limited time.
    fn wait(
        &self,
        node: &NodeContext,
        limit: Duration,
        mut done: impl FnMut(Option<BlockHash>) -> bool,
    ) -> Woken {
        let mut interrupted = false;
        let mut changed = false;
        node.tip.wait_for(Some(limit), |tip| {
            // Under the lock of the tip: of several waits only one takes the flag.
            interrupted = self.interrupted.swap(false, Ordering::AcqRel);
            changed = done(tip.map(|(hash, _)| hash));
            interrupted || changed
        });
        if node.shutdown.is_interrupted() {
            // Nobody waits after this one.
            self.interrupted.store(false, Ordering::Release);
            Woken::Interrupted
        } else if interrupted {
            Woken::Interrupted
        } else if changed {
            Woken::Tip
        } else {
            Woken::Time
        }
    }

    /// Waits for a tip other than `known`, for a limited time.
    pub(super) fn next_tip(&self, node: &NodeContext, known: BlockHash, limit: Duration) -> Woken {
        self.wait(node, limit, |tip| tip.is_some_and(|hash| hash != known))
    }

    /// Waits for some tip, whatever the limit, then for one other than `known`. The hash of the tip then, also when the
    /// time is over; `None` at interrupt or shutdown. Reference: `WaitTipChanged`.
    pub(super) fn tip_changed(
        &self,
        node: &NodeContext,
        known: BlockHash,
        limit: Duration,
    ) -> Option<BlockHash> {
        let first = self.wait(node, Duration::MAX, |tip| tip.is_some());
        if first == Woken::Interrupted || self.next_tip(node, known, limit) == Woken::Interrupted {
            return None;
        }
        node.tip.get().map(|(hash, _)| hash)
    }
}
