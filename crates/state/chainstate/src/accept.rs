//! Taking in headers and blocks. Reference: `AcceptBlockHeader`, `AcceptBlock`, `ReceivedBlockTransactions`.

use std::collections::VecDeque;
use std::sync::Arc;

use grs_blockstore::{BlockId, BlockStatus, FilePos};
use grs_consensus::{
    BlockRule, BlockValidationError, BlockValidationResult, check_block, check_header_pow,
    contextual_check_block, contextual_check_header,
};
use grs_encoding::Encode;
use grs_log::{Category, debug, error};
use grs_params::BuriedDeployment;
use grs_primitives::{Block, HashedHeader};
use grs_sync::clock;

use crate::{BlockError, Chainstate, FatalError, HeaderRef};

/// Blocks below the tip that are never pruned; unrequested blocks further above it are not taken.
pub const MIN_BLOCKS_TO_KEEP: u32 = 288;

/// What [`Chainstate::accept_block`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) id: BlockId,
    /// The block was stored; false if it was known or not wanted.
    pub(crate) new: bool,
}

impl Chainstate {
    /// Adds a header to the index, or finds it there.
    pub(crate) fn accept_header(
        &mut self,
        header: &HashedHeader,
        min_pow_checked: bool,
    ) -> Result<BlockId, BlockError> {
        let shared = self.shared.clone();
        let (index, consensus, hash) = (&shared.index, &shared.params.consensus, header.hash());
        let invalid = |rule: BlockRule| -> Result<BlockId, BlockError> { Err(rule.into()) };
        let mut prev = None;
        if hash != consensus.genesis_hash {
            if let Some(id) = index.lookup(&hash) {
                if index.status(id).failed() {
                    debug!(Category::Validation, "AcceptBlockHeader: block {hash} is marked invalid");
                    return invalid(BlockRule::KnownInvalid(hash));
                }
                return Ok(id);
            }
            if let Err(rule) = check_header_pow(header, consensus) {
                let error = BlockValidationError::from(rule);
                debug!(
                    Category::Validation,
                    "AcceptBlockHeader: Consensus::CheckBlockHeader: {hash}, {error}"
                );
                return Err(BlockError::Invalid(error));
            }
            let Some(parent) = index.lookup(&header.prev) else {
                debug!(Category::Validation, "header {hash} has prev block not found: {}", header.prev);
                return invalid(BlockRule::MissingParent);
            };
            if index.status(parent).failed() {
                debug!(Category::Validation, "header {hash} has prev block invalid: {}", header.prev);
                return invalid(BlockRule::InvalidParent);
            }
            let view = HeaderRef::new(index, parent);
            if let Err(rule) = contextual_check_header(header, view, consensus, clock::now_secs()) {
                let error = BlockValidationError::from(rule);
                debug!(
                    Category::Validation,
                    "AcceptBlockHeader: Consensus::ContextualCheckBlockHeader: {hash}, {error}"
                );
                return Err(BlockError::Invalid(error));
            }
            prev = Some(parent);
        }
        if !min_pow_checked {
            debug!(
                Category::Validation,
                "AcceptBlockHeader: not adding new block header {hash}, missing anti-dos proof-of-work validation"
            );
            return invalid(BlockRule::LowWork);
        }
        Ok(self.add_header(header, prev)?)
    }

    pub(crate) fn add_header(
        &mut self,
        header: &HashedHeader,
        prev: Option<BlockId>,
    ) -> Result<BlockId, FatalError> {
        let shared = &self.shared;
        let known = shared.index.len();
        let id = shared.index.add(header, prev).map_err(|e| FatalError(e.to_string()))?;
        if shared.index.len() > known {
            let best = shared.best_header();
            if best.is_none_or(|best| shared.index.work(best) < shared.index.work(id)) {
                shared.set_best_header(Some(id));
            }
            shared.store.mark_dirty(id);
        }
        Ok(id)
    }

    /// Checks and stores a block. `position` says where it lies already (reindex); `checked` that
    /// [`check_block`] passed.
    pub(crate) fn accept_block(
        &mut self,
        block: &Arc<Block>,
        requested: bool,
        position: Option<FilePos>,
        min_pow_checked: bool,
        checked: bool,
    ) -> Result<Accepted, BlockError> {
        let id = self.accept_header(&block.header, min_pow_checked)?;
        let shared = self.shared.clone();
        let (index, consensus) = (&shared.index, &shared.params.consensus);
        let not_new = Accepted { id, new: false };
        if index.status(id).have_data() {
            return Ok(not_new);
        }
        let (height, tip) = (index.height(id), self.tip());
        if !requested {
            let enough_work = tip.is_none_or(|tip| index.work(id) >= index.work(tip));
            let too_far = i64::from(height) > i64::from(self.height()) + i64::from(MIN_BLOCKS_TO_KEEP);
            // Known and pruned, less work, too far ahead, or on a chain nobody would ask for.
            let low_work = index.work(id) < shared.options.minimum_chain_work();
            if index.tx_count(id) != 0 || !enough_work || too_far || low_work {
                return Ok(not_new);
            }
        }
        let prev = index.prev(id);
        let valid = if checked { Ok(()) } else { check_block(block, consensus, true, true) };
        let valid = valid.and_then(|()| {
            contextual_check_block(block, prev.map(|prev| HeaderRef::new(index, prev)), consensus)
        });
        if let Err(rule) = valid {
            let error = BlockValidationError::from(rule);
            self.invalid_block_found(id, error.result == BlockValidationResult::Mutated);
            error!("AcceptBlock: {error}");
            return Err(BlockError::Invalid(error));
        }
        if !shared.is_initial_download() && tip.is_some() && tip == prev {
            shared.signals.new_pow_valid_block(shared.block_info(id), block);
        }
        let saving = |e: grs_blockstore::StoreError| match e {
            grs_blockstore::StoreError::OutOfSpace => FatalError("Disk space is too low!".into()),
            e => FatalError(format!("System error while saving block to disk: {e}")),
        };
        let position = match position {
            Some(position) => {
                shared.store.update_block_info(
                    block.total_size() as u32,
                    height,
                    block.header.time,
                    position,
                );
                position
            }
            None => {
                let mut data = Vec::with_capacity(block.total_size());
                block.encode(&mut data);
                shared.store.write_block(&data, height, block.header.time).map_err(saving)?
            }
        };
        self.received_transactions(id, block.txs.len() as u32, position);
        // A reindex connects nothing before all blocks are in the index: it reads them again then.
        if !shared.store.loading_blocks() {
            if self.recent.is_full() {
                // Blocks of branches that lost stay behind.
                let tip_work = tip.map(|tip| index.work(tip)).unwrap_or_default();
                self.recent.retain(|id| index.work(id) > tip_work);
            }
            self.recent.insert(id, block);
        }
        if shared.store.prune_check_due() {
            self.flush_state(crate::FlushMode::None, None)?;
        }
        Ok(Accepted { id, new: true })
    }

    /// Notes that a block's data is stored, and which blocks can be connected now.
    pub(crate) fn received_transactions(&mut self, id: BlockId, tx_count: u32, position: FilePos) {
        let shared = self.shared.clone();
        let (index, store) = (&shared.index, &shared.store);
        index.set_tx_count(id, tx_count);
        index.set_data_pos(id, position);
        index.set_undo_pos(id, 0);
        let mut status = index.status(id) | BlockStatus::HAVE_DATA;
        if shared.params.consensus.is_active_at(BuriedDeployment::Segwit, index.height(id) as i32) {
            status |= BlockStatus::OPT_WITNESS;
        }
        status = status.raised(BlockStatus::VALID_TRANSACTIONS).unwrap_or(status);
        store.set_status(id, status);
        match index.prev(id) {
            Some(prev) if !self.has_chain_data(prev) => {
                if index.status(prev).is_valid(BlockStatus::VALID_TREE) {
                    self.unlinked.entry(prev).or_default().push(id);
                }
            }
            _ => {
                let mut queue = VecDeque::from([id]);
                while let Some(id) = queue.pop_front() {
                    let before = index.prev(id).map_or(0, |prev| index.chain_tx_count(prev));
                    index.set_chain_tx_count(id, before + u64::from(index.tx_count(id)));
                    let sequence = self.next_sequence;
                    self.next_sequence = self.next_sequence.saturating_add(1);
                    // A pruned block that came again may be a candidate under its old number.
                    self.remove_candidate(id);
                    self.set_sequence(id, sequence);
                    self.try_add_candidate(id);
                    queue.extend(self.unlinked.remove(&id).unwrap_or_default());
                }
            }
        }
    }
}
