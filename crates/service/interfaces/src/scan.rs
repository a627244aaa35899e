//! Search through stored blocks, on the node's side, for a wallet's scripts.

use std::collections::HashSet;

use grs_hashes::BlockHash;
use grs_primitives::{Block, OutPoint, Script};

use crate::{BlockBytes, BlockRef, CallResult};

/// What a scan looks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanNeedles {
    /// Output scripts.
    pub scripts: Vec<Script>,
    /// Outputs whose spending is of interest. Outputs that match during the scan are added by the scan itself.
    pub outpoints: Vec<OutPoint>,
}

/// A matching block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedBlock {
    /// Block hash.
    pub hash: BlockHash,
    /// Height.
    pub height: u32,
    /// Latest header time of the chain up to this block, Unix seconds.
    pub max_time: i64,
    /// The block.
    pub data: BlockBytes,
}

/// How a chunk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScanStatus {
    /// There are more blocks.
    More,
    /// The stop height, or the tip, has been reached.
    Done,
    /// `expected_prev` is no longer in the active chain.
    Reorganized,
    /// The block at `next_height` is not on disk.
    MissingData,
    /// The node is shutting down.
    Interrupted,
}

/// A part of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanChunk {
    /// The matching blocks, in order of height.
    pub blocks: Vec<ScannedBlock>,
    /// The last block that was looked at, if any.
    pub last: Option<BlockRef>,
    /// Height of the first block that was not looked at.
    pub next_height: u32,
    /// Height of the tip.
    pub tip_height: u32,
    /// Estimated share of all transactions up to `last`, 0 to 1.
    pub progress: f64,
    /// Whether to go on.
    pub status: ScanStatus,
}

/// A scan in progress. Each call looks at blocks for a bounded time (about a tenth of a second) or until a bounded
/// number of bytes has matched, so that progress can be shown and the scan be aborted between the calls.
///
/// A wallet that finds new scripts of its own while it processes a block goes on right after that block: it drops the
/// rest of the chunk and passes the new scripts and the height of the next block.
pub trait BlockScan: Send + Sync {
    /// Looks at blocks from `from_height` on. `expected_prev`, if given, must be the active block below it.
    fn next_chunk(
        &self,
        from_height: u32,
        expected_prev: Option<BlockHash>,
        added: ScanNeedles,
    ) -> CallResult<ScanChunk>;
}

/// Needles in the form a scan needs.
#[derive(Debug, Clone, Default)]
pub struct NeedleSet {
    scripts: HashSet<Script>,
    outpoints: HashSet<OutPoint>,
}

impl NeedleSet {
    /// An empty set, which matches nothing.
    pub fn new() -> Self {
        NeedleSet::default()
    }

    /// Adds needles.
    pub fn add(&mut self, needles: ScanNeedles) {
        self.scripts.extend(needles.scripts);
        self.outpoints.extend(needles.outpoints);
    }

    /// Whether the block pays one of the scripts or spends one of the outputs. Outputs that pay a script are
    /// remembered, so that a later spending of them matches too.
    pub fn matches(&mut self, block: &Block) -> bool {
        let mut found = false;
        for tx in &block.txs {
            if !self.outpoints.is_empty() {
                found |= tx.inputs.iter().any(|input| self.outpoints.contains(&input.prevout));
            }
            for (n, out) in tx.outputs.iter().enumerate() {
                if self.scripts.contains(&out.script_pubkey) {
                    found = true;
                    self.outpoints.insert(OutPoint::new(tx.txid(), n as u32));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use grs_primitives::{Amount, HashedHeader, Header, MutableTransaction, TxIn, TxOut};
    use std::sync::Arc;

    use super::*;

    fn block(prevout: OutPoint, script: &[u8]) -> Block {
        let tx = MutableTransaction {
            version: 1,
            inputs: vec![TxIn::new(prevout, 0)],
            outputs: vec![
                TxOut::new(Amount(0), Script::default()),
                TxOut::new(Amount(1), Script::from(script)),
            ],
            lock_time: 0,
        };
        Block::new(HashedHeader::new(Header::from_bytes(&[0; 80])), vec![Arc::new(tx.into())])
    }

    #[test]
    fn blocks_that_pay_or_spend_match() {
        let paying = block(OutPoint::NULL, b"mine");
        let spending = block(OutPoint::new(paying.txs[0].txid(), 1), b"theirs");
        let other_output = block(OutPoint::new(paying.txs[0].txid(), 0), b"theirs");
        let mut set = NeedleSet::new();
        assert!(!set.matches(&paying));
        set.add(ScanNeedles { scripts: vec![Script::from(&b"mine"[..])], outpoints: vec![] });
        // Not before the output has been seen.
        assert!(!set.matches(&spending));
        assert!(set.matches(&paying));
        assert!(set.matches(&spending));
        assert!(!set.matches(&other_output));
        set.add(ScanNeedles { scripts: vec![], outpoints: vec![OutPoint::new(paying.txs[0].txid(), 0)] });
        assert!(set.matches(&other_output));
    }
}
