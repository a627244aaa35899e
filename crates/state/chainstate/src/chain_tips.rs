//! Ends of branches, and blocks that were changed on the way.

use grs_blockstore::{BlockId, BlockStatus};
use grs_consensus::BlockValidationError;
use grs_primitives::Block;

use crate::ChainstateManager;

/// The end of a branch of known headers (`getchaintips`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainTip {
    /// Entry of the block index.
    pub id: BlockId,
    /// Blocks since the branch left the active chain; 0 for the active tip.
    pub branch_len: u32,
    /// `active`, `invalid`, `headers-only`, `valid-fork`, `valid-headers` or `unknown`.
    pub status: &'static str,
}

/// Whether the transactions of a block were changed on the way; logged like the reference does. See
/// [`grs_consensus::is_block_mutated`].
pub fn is_block_mutated(block: &Block, check_witness_root: bool) -> bool {
    let merkle = grs_consensus::check_merkle_root(block);
    let logged = merkle.and_then(|()| {
        // Without a coinbase the answer does not come from a rule.
        let coinbase = block.txs.first().is_some_and(|tx| tx.is_coinbase());
        if coinbase { grs_consensus::check_witness_malleation(block, check_witness_root) } else { Ok(()) }
    });
    if let Err(rule) = logged {
        grs_log::debug!(grs_log::Category::Validation, "Block mutated: {}", BlockValidationError::from(rule));
        return true;
    }
    grs_consensus::is_block_mutated(block, check_witness_root)
}

impl ChainstateManager {
    /// Ends of all branches, highest first. Reference: `getchaintips`.
    pub fn chain_tips(&self) -> Vec<ChainTip> {
        let (index, view) = (self.index(), self.view());
        // Outside the active chain, whatever is nobody's parent is an end.
        let mut is_parent = vec![false; index.len()];
        for prev in (0..is_parent.len() as u32).filter_map(|n| index.prev(index.id(n)?)) {
            is_parent[prev.index()] = true;
        }
        let ends = (0..is_parent.len() as u32).filter_map(|n| index.id(n));
        let mut ends: Vec<BlockId> =
            ends.filter(|id| !is_parent[id.index()] && !view.contains(*id)).collect();
        ends.extend(view.tip());
        ends.sort_unstable_by_key(|id| std::cmp::Reverse((index.height(*id), id.index())));
        let describe = |id: BlockId| {
            let status = index.status(id);
            let text = if view.contains(id) {
                "active"
            } else if status.failed() {
                "invalid"
            } else if index.chain_tx_count(id) == 0 {
                "headers-only"
            } else if status.is_valid(BlockStatus::VALID_SCRIPTS) {
                "valid-fork"
            } else if status.is_valid(BlockStatus::VALID_TREE) {
                "valid-headers"
            } else {
                "unknown"
            };
            let fork = view.find_fork(id).map_or(0, |fork| index.height(fork));
            ChainTip { id, branch_len: index.height(id) - fork, status: text }
        };
        ends.into_iter().map(describe).collect()
    }
}
