//! A template that is kept for a client. Reference: `BlockTemplateImpl`, `WaitAndCreateNewBlock`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use grs_chainstate::ChainstateManager;
use grs_interfaces::{BlockBytes, BlockTemplate, BlockWaitOptions, CallError, CallResult, CoinbaseTx};
use grs_mining::AssemblerOptions;
use grs_primitives::{Amount, Block, HEADER_LEN, HashedHeader, Header, TxRef, merkle_root_from_path};
use grs_sync::clock;

use super::draft::Draft;
use super::wait::{Waiter, Woken};
use super::{Loaded, STOPPED};
use crate::NodeContext;

/// How often a waiting client's fees are looked at.
const TICK: Duration = Duration::from_secs(1);
/// A tip older than this allows a block of the least difficulty, on chains that have that rule.
const MIN_DIFFICULTY_AGE: Duration = Duration::from_secs(20 * 60);

/// The part that a solution changes.
struct Current {
    header: Header,
    coinbase: TxRef,
}

/// A template of a node.
pub(super) struct NodeTemplate {
    node: Weak<NodeContext>,
    options: AssemblerOptions,
    draft: Arc<Draft>,
    current: Mutex<Current>,
    waiter: Waiter,
}

impl NodeTemplate {
    /// Makes a template on the tip.
    pub(super) fn create(
        node: &Weak<NodeContext>,
        loaded: &Loaded,
        options: AssemblerOptions,
    ) -> CallResult<Arc<dyn BlockTemplate>> {
        let made = loaded.node.drafts.make(&loaded.chainman, &loaded.mempool, &options);
        let (header, draft) = made.map_err(|error| CallError::remote(error.to_string()))?;
        NodeTemplate::keep(node, options, header, draft)
    }

    fn keep(
        node: &Weak<NodeContext>,
        options: AssemblerOptions,
        header: Header,
        draft: Arc<Draft>,
    ) -> CallResult<Arc<dyn BlockTemplate>> {
        let coinbase = draft.parts.txs.first().cloned();
        let coinbase = coinbase.ok_or_else(|| CallError::remote("a template without a coinbase"))?;
        Ok(Arc::new(NodeTemplate {
            node: node.clone(),
            options,
            draft,
            current: Mutex::new(Current { header, coinbase }),
            waiter: Waiter::new(node),
        }))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a block of the least difficulty is allowed for lack of others.
fn min_difficulty_is_due(chainman: &ChainstateManager, now: Duration) -> bool {
    let tip = chainman.view().tip().filter(|_| chainman.params().consensus.pow_allow_min_difficulty_blocks);
    tip.is_some_and(|tip| {
        let time = Duration::from_secs(u64::from(chainman.index().time(tip)));
        now > time + MIN_DIFFICULTY_AGE
    })
}

impl BlockTemplate for NodeTemplate {
    fn get_block_header(&self) -> CallResult<[u8; HEADER_LEN]> {
        Ok(self.current().header.to_bytes())
    }

    fn get_block(&self) -> CallResult<BlockBytes> {
        let node = self.node.upgrade().ok_or_else(|| CallError::disconnected(STOPPED))?;
        let (header, coinbase) = {
            let current = self.current();
            (current.header, current.coinbase.clone())
        };
        Ok(BlockBytes(node.drafts.block_bytes(&self.draft, &header, &coinbase)))
    }

    fn get_tx_fees(&self) -> CallResult<Vec<Amount>> {
        Ok(self.draft.parts.fees.clone())
    }

    fn get_tx_sigops(&self) -> CallResult<Vec<i64>> {
        Ok(self.draft.parts.sigops.clone())
    }

    fn get_coinbase_tx(&self) -> CallResult<CoinbaseTx> {
        let parts = self.draft.parts.coinbase.clone();
        Ok(CoinbaseTx {
            version: parts.version,
            sequence: parts.sequence,
            script_sig_prefix: parts.script_sig_prefix,
            witness: parts.witness,
            block_reward_remaining: parts.reward,
            required_outputs: parts.required_outputs,
            lock_time: parts.lock_time,
        })
    }

    fn get_coinbase_merkle_path(&self) -> CallResult<Vec<[u8; 32]>> {
        Ok(self.draft.merkle_path().to_vec())
    }

    fn submit_solution(&self, version: u32, timestamp: u32, nonce: u32, coinbase: TxRef) -> CallResult<bool> {
        let chainman = Loaded::new(&self.node)?.chainman;
        let merkle_root = merkle_root_from_path(coinbase.txid().to_bytes(), 0, self.draft.merkle_path());
        let mut txs = self.draft.parts.txs.clone();
        txs[0] = coinbase.clone();
        let block = {
            let mut current = self.current();
            let version = version.cast_signed();
            current.header = Header { version, time: timestamp, nonce, merkle_root, ..current.header };
            current.coinbase = coinbase;
            Block::new(HashedHeader::new(current.header), txs)
        };
        Ok(chainman.process_new_block(Arc::new(block), true, true).accepted)
    }

    fn wait_next(&self, options: BlockWaitOptions) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        let loaded = Loaded::new(&self.node)?;
        let known = self.draft.parts.header.prev;
        let watches_fees = options.fee_threshold < Amount::MAX_MONEY;
        // The clock that can be mocked decides when the time is over, as in the reference.
        let mut now = clock::now();
        let deadline = now.saturating_add(options.timeout);
        loop {
            let left = deadline.saturating_sub(now);
            let ages = loaded.chainman.params().consensus.pow_allow_min_difficulty_blocks;
            // Without anything to look at, there is only the tip to wait for.
            let limit = if watches_fees || ages { left.min(TICK) } else { left };
            let woken = self.waiter.next_tip(&loaded.node, known, limit);
            if woken == Woken::Interrupted {
                return Ok(None);
            }
            let better = woken == Woken::Tip || min_difficulty_is_due(&loaded.chainman, now);
            if better || watches_fees {
                let made = loaded.node.drafts.make(&loaded.chainman, &loaded.mempool, &self.options);
                let (header, draft) = made.map_err(|error| CallError::remote(error.to_string()))?;
                let enough = || {
                    let least = self.draft.parts.total_fees().0.saturating_add(options.fee_threshold.0);
                    draft.parts.total_fees().0 >= least
                };
                if better || enough() {
                    return NodeTemplate::keep(&self.node, self.options.clone(), header, draft).map(Some);
                }
            }
            now = clock::now();
            if now >= deadline {
                return Ok(None);
            }
        }
    }

    fn interrupt_wait(&self) -> CallResult<()> {
        self.waiter.interrupt();
        Ok(())
    }
}
