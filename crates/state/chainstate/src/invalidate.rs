//! Choosing chains by hand. Reference: `InvalidateBlock`, `ResetBlockFailureFlags`, `PreciousBlock`.

use grs_blockstore::{BlockId, BlockStatus};
use grs_uint::U256;

use crate::tip::Session;
use crate::{Chainstate, FatalError};

impl Chainstate {
    /// Blocks outside the active chain that are no worse than the parent of `id`, with their work, least first.
    pub(crate) fn strong_side_blocks(&self, id: BlockId) -> Vec<(U256, BlockId)> {
        let (index, view) = (&self.shared.index, self.view());
        let Some(parent) = index.prev(id) else { return Vec::new() };
        let side = index.ids().filter(|c| !view.contains(*c) && !index.status(*c).failed());
        let mut strong: Vec<_> =
            side.filter(|c| !self.is_worse(*c, parent)).map(|c| (index.work(c), c)).collect();
        strong.sort_unstable();
        strong
    }

    /// Disconnects the tip on the way to invalidating `id` below it and marks it invalid. `count` is how many were
    /// disconnected before.
    pub(crate) fn invalidate_tip(
        &mut self,
        session: &mut Session<'_>,
        side: &mut Vec<(U256, BlockId)>,
        count: usize,
    ) -> Result<BlockId, FatalError> {
        let shared = self.shared.clone();
        let index = &shared.index;
        let old = self.tip().ok_or_else(|| FatalError("no tip".into()))?;
        let result = self.disconnect_tip(session);
        if let Some(session) = session {
            // Deep invalidations would only fill the mempool with what is outdated anyway.
            session.reorg_finished(self, count < 10 && result.is_ok());
        }
        result?;
        let new = self.tip().ok_or_else(|| FatalError("no tip".into()))?;
        self.add_status(old, BlockStatus::FAILED_VALID);
        self.remove_candidate(old);
        self.insert_candidate(new);
        let new_best_header = self.best_header().is_some_and(|best| index.is_ancestor(old, best));
        if new_best_header {
            shared.set_best_header(Some(new));
        }
        let work = index.work(new);
        side.retain(|(candidate_work, candidate)| {
            if *candidate_work < work {
                return true;
            }
            if index.is_ancestor(old, *candidate) {
                self.add_status(*candidate, BlockStatus::FAILED_VALID);
                return false;
            }
            let ready = index.status(*candidate).is_valid(BlockStatus::VALID_TRANSACTIONS);
            if ready && self.has_chain_data(*candidate) && !self.is_worse(*candidate, new) {
                self.insert_candidate(*candidate);
            }
            if new_best_header && self.best_header().is_some_and(|best| index.work(best) < *candidate_work) {
                shared.set_best_header(Some(*candidate));
            }
            true
        });
        Ok(old)
    }

    /// The end of invalidating `id`: `failed` is the last block disconnected, or `id`.
    pub(crate) fn finish_invalidation(&mut self, id: BlockId, failed: BlockId, was_active: bool) {
        let shared = self.shared.clone();
        let index = &shared.index;
        if !was_active && !index.status(id).failed() {
            self.add_status(id, BlockStatus::FAILED_VALID);
            self.remove_candidate(id);
        }
        if let Some(tip) = self.tip() {
            for other in index.ids() {
                let ready = index.status(other).is_valid(BlockStatus::VALID_TRANSACTIONS);
                if ready && self.has_chain_data(other) && !self.is_worse(other, tip) {
                    self.insert_candidate(other);
                }
            }
        }
        self.invalid_chain_found(failed);
    }

    /// Takes the failure mark off a block, its ancestors and its descendants. Reference:
    /// `ResetBlockFailureFlags`.
    pub fn reset_block_failure(&mut self, id: BlockId) {
        let shared = self.shared.clone();
        let index = &shared.index;
        for other in index.ids() {
            let status = index.status(other);
            if status.failed() && (index.is_ancestor(id, other) || index.is_ancestor(other, id)) {
                let status = status.without(BlockStatus::FAILED_VALID);
                self.set_status(other, status);
                let ready = status.is_valid(BlockStatus::VALID_TRANSACTIONS) && self.has_chain_data(other);
                if ready && self.tip().is_none_or(|tip| self.is_worse(tip, other)) {
                    self.insert_candidate(other);
                }
                if self.best_invalid == Some(other) {
                    self.best_invalid = None;
                }
            }
        }
    }

    /// Prefers a block to others of the same work. True if it may become the tip.
    pub(crate) fn make_precious(&mut self, id: BlockId) -> bool {
        let shared = self.shared.clone();
        let index = &shared.index;
        let Some(tip) = self.tip() else { return false };
        let work = index.work(tip);
        if index.work(id) < work {
            return false;
        }
        if work > self.last_precious_work {
            self.next_reverse_sequence = -1;
        }
        self.last_precious_work = work;
        self.remove_candidate(id);
        self.set_sequence(id, self.next_reverse_sequence);
        self.next_reverse_sequence = self.next_reverse_sequence.saturating_sub(1);
        if index.status(id).is_valid(BlockStatus::VALID_TRANSACTIONS) && self.has_chain_data(id) {
            self.insert_candidate(id);
            self.prune_candidates();
        }
        true
    }
}
