//! The node's side of the mining interface: templates for miners and the verdict on their blocks.
//! Reference: `MinerImpl` in `src/node/interfaces.cpp`, `src/node/miner.cpp`.

mod draft;
mod template;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::{Arc, Weak};
use std::time::Duration;

use grs_chainstate::ChainstateManager;
use grs_encoding::{Decode, DecodeError, Reader};
use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_interfaces::{
    BlockBytes, BlockCheck, BlockCheckOptions, BlockCreateOptions, BlockRef, BlockTemplate, CallError,
    CallResult, Mining, TIMEOUT_FOREVER,
};
use grs_mempool::Mempool;
use grs_mining::{AssemblerOptions, MINIMUM_BLOCK_RESERVED_WEIGHT};
use grs_primitives::{Block, TxRef};

pub(crate) use draft::DraftMaker;
use template::NodeTemplate;
use wait::Waiter;

use crate::NodeContext;
use crate::rpc::{assembler_options, submit_block};

const STOPPED: &str = "The node has stopped.";

/// The interface over a node. Holds it weakly: a client does not keep a stopped node alive.
pub struct NodeMining {
    node: Weak<NodeContext>,
    waiter: Waiter,
}

/// What there is once the chain state is loaded.
struct Loaded {
    node: Arc<NodeContext>,
    chainman: Arc<ChainstateManager>,
    mempool: Arc<Mempool>,
}

impl Loaded {
    fn new(node: &Weak<NodeContext>) -> CallResult<Loaded> {
        let node = node.upgrade().ok_or_else(|| CallError::disconnected(STOPPED))?;
        match (node.chainman.get().cloned(), node.mempool.get().cloned()) {
            (Some(chainman), Some(mempool)) => Ok(Loaded { node, chainman, mempool }),
            _ => Err(CallError::remote("The chain is not loaded yet.")),
        }
    }

    fn tip(&self) -> Option<BlockRef> {
        let tip = self.chainman.view().tip()?;
        let index = self.chainman.index();
        Some(BlockRef { hash: index.hash(tip), height: index.height(tip) })
    }
}

/// Reads a block of a client. Bytes after it are ignored, as in the reference.
fn decode_block(bytes: &BlockBytes) -> CallResult<Block> {
    Block::decode(&mut Reader::new(&bytes.0)).map_err(|error| match error {
        DecodeError::EndOfData => CallError::remote("SpanReader::read(): end of data: iostream error"),
        other => CallError::remote(other.to_string()),
    })
}

impl NodeMining {
    /// Waits until the node's chain state is loaded; `None` if the node stops before. Reference: `MakeMining`.
    ///
    /// # Errors
    /// If the node has stopped.
    pub fn make(node: &Weak<NodeContext>) -> CallResult<Option<Arc<dyn Mining>>> {
        let context = node.upgrade().ok_or_else(|| CallError::disconnected(STOPPED))?;
        context.tip.wait_for(None, |_| context.chainman.get().is_some());
        if context.shutdown.is_interrupted() {
            return Ok(None);
        }
        Ok(Some(Arc::new(NodeMining { node: node.clone(), waiter: Waiter::new(node) })))
    }

    fn loaded(&self) -> CallResult<Loaded> {
        Loaded::new(&self.node)
    }

    /// Waits until the node has caught up with the headers that it knows; false at interrupt or shutdown. On chains
    /// that stand still this may take for ever. Reference: `MinerImpl::createNewBlock`.
    fn cool_down(&self, loaded: &Loaded, tip: BlockHash) -> bool {
        let mut tip = tip;
        while loaded.chainman.is_initial_block_download() {
            // Only another tip can end it.
            match self.waiter.tip_changed(&loaded.node, tip, TIMEOUT_FOREVER) {
                Some(next) => tip = next,
                None => return false,
            }
        }
        while let Some(missing) = blocks_ahead(&loaded.chainman) {
            let window = Duration::from_secs(u64::from(missing.clamp(3, 20)));
            match self.waiter.tip_changed(&loaded.node, tip, window) {
                None => return false,
                // The window went by without progress: whoever announced the headers does not deliver.
                Some(next) if next == tip => break,
                Some(next) => tip = next,
            }
        }
        true
    }
}

/// Blocks between the tip and the best header, if that builds on the tip. Reference: `BlocksAheadOfTip`.
fn blocks_ahead(chainman: &ChainstateManager) -> Option<u32> {
    let (best, tip) = (chainman.best_header()?, chainman.view().tip()?);
    let index = chainman.index();
    let ahead = index.work(best) > index.work(tip) && index.is_ancestor(tip, best);
    ahead.then(|| index.height(best).saturating_sub(index.height(tip)))
}

impl Mining for NodeMining {
    fn is_test_chain(&self) -> CallResult<bool> {
        Ok(self.loaded()?.chainman.params().is_test_chain())
    }

    fn is_initial_block_download(&self) -> CallResult<bool> {
        Ok(self.loaded()?.chainman.is_initial_block_download())
    }

    fn get_tip(&self) -> CallResult<Option<BlockRef>> {
        Ok(self.loaded()?.tip())
    }

    fn wait_tip_changed(&self, current_tip: BlockHash, timeout: Duration) -> CallResult<Option<BlockRef>> {
        let loaded = self.loaded()?;
        let waited = self.waiter.tip_changed(&loaded.node, current_tip, timeout);
        Ok(waited.and_then(|_| loaded.tip()))
    }

    fn create_new_block(
        &self,
        options: BlockCreateOptions,
        cooldown: bool,
    ) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        let reserved = options.block_reserved_weight;
        if reserved < MINIMUM_BLOCK_RESERVED_WEIGHT {
            return Err(CallError::remote(format!(
                "block_reserved_weight ({reserved}) must be at least {MINIMUM_BLOCK_RESERVED_WEIGHT} weight units"
            )));
        }
        let loaded = self.loaded()?;
        let Some(tip) = self.waiter.tip_changed(&loaded.node, BlockHash::ZERO, TIMEOUT_FOREVER) else {
            return Ok(None);
        };
        if cooldown && !self.cool_down(&loaded, tip) {
            return Ok(None);
        }
        let options = AssemblerOptions {
            use_mempool: options.use_mempool,
            reserved_weight: reserved,
            reserved_sigops: options.coinbase_output_max_additional_sigops,
            ..assembler_options(&loaded.node.args)
        };
        Ok(Some(NodeTemplate::create(&self.node, &loaded, options)?))
    }

    fn check_block(&self, block: &BlockBytes, options: BlockCheckOptions) -> CallResult<BlockCheck> {
        let block = decode_block(block)?;
        let chainman = self.loaded()?.chainman;
        let verdict = chainman.test_block_validity(&block, options.check_pow, options.check_merkle_root);
        Ok(match verdict {
            Ok(()) => BlockCheck { valid: true, ..BlockCheck::default() },
            Err(error) => {
                BlockCheck { valid: false, reason: error.reason.into_owned(), debug: error.debug_message }
            }
        })
    }

    fn interrupt(&self) -> CallResult<()> {
        self.waiter.interrupt();
        Ok(())
    }

    fn submit_block(&self, block: &BlockBytes) -> CallResult<BlockCheck> {
        let block = Arc::new(decode_block(block)?);
        let done = submit_block(&self.loaded()?.chainman, block);
        let failure = |reason: &str, debug: &str| BlockCheck {
            valid: false,
            reason: reason.to_owned(),
            debug: debug.to_owned(),
        };
        Ok(match done.verdict {
            _ if done.is_duplicate() => failure("duplicate", ""),
            // Stored, but not connected: it has no more work than the tip.
            None => failure("inconclusive", ""),
            Some(Err(error)) => failure(&error.reason, &error.debug_message),
            Some(Ok(())) => BlockCheck { valid: done.is_new(), ..BlockCheck::default() },
        })
    }

    fn get_transactions_by_txid(&self, txids: &[Txid]) -> CallResult<Vec<Option<TxRef>>> {
        let mempool = self.loaded()?.mempool;
        let pool = mempool.lock();
        Ok(txids.iter().map(|id| pool.entry(id).map(|entry| entry.tx.clone())).collect())
    }

    fn get_transactions_by_witness_id(&self, wtxids: &[Wtxid]) -> CallResult<Vec<Option<TxRef>>> {
        let mempool = self.loaded()?.mempool;
        let pool = mempool.lock();
        Ok(wtxids.iter().map(|id| pool.entry_by_wtxid(id).map(|entry| entry.tx.clone())).collect())
    }
}
