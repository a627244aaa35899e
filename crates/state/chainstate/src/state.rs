//! What the chainstate lock guards.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use grs_blockstore::{ActiveChain, BlockId, BlockIndex, BlockStatus, BlockStore, ChainView, iso_date_time};
use grs_consensus::{VersionBitsCache, block_proof_equivalent_time};
use grs_log::{Category, debug, info, warn};
use grs_params::ChainParams;
use grs_primitives::Block;
use grs_script::ValidationCache;
use grs_sync::{WorkerPool, clock};
use grs_uint::U256;

use crate::connect::ScriptJob;
use crate::notify::ChainWarning;
use crate::template::TemplateTxs;
use crate::{
    BlockInfo, ChainstateOptions, CoinsCache, HeaderRef, MempoolHook, SynchronizationState, ValidationSignals,
};

/// Order in which blocks were received: those of the best chain at load, all others at load, then by arrival.
const SEQUENCE_BEST_FROM_DISK: i32 = 0;
pub(crate) const SEQUENCE_FROM_DISK: i32 = 1;

/// What manager and locked state share, and what needs no lock.
pub(crate) struct Shared {
    pub(crate) params: Arc<ChainParams>,
    pub(crate) options: ChainstateOptions,
    pub(crate) store: Arc<BlockStore>,
    pub(crate) index: Arc<BlockIndex>,
    pub(crate) active: ActiveChain,
    pub(crate) signals: Arc<ValidationSignals>,
    pub(crate) validation_cache: Arc<ValidationCache>,
    pub(crate) pool: WorkerPool<ScriptJob>,
    pub(crate) mempool: OnceLock<Arc<dyn MempoolHook>>,
    pub(crate) version_bits: Mutex<VersionBitsCache>,
    pub(crate) initial_download: AtomicBool,
    pub(crate) best_header: AtomicU32,
}

impl Shared {
    pub(crate) fn best_header(&self) -> Option<BlockId> {
        self.index.id(self.best_header.load(Ordering::Acquire))
    }

    pub(crate) fn set_best_header(&self, id: Option<BlockId>) {
        self.best_header.store(id.map_or(u32::MAX, BlockId::to_u32), Ordering::Release);
    }

    pub(crate) fn is_initial_download(&self) -> bool {
        self.initial_download.load(Ordering::Relaxed)
    }

    pub(crate) fn block_info(&self, id: BlockId) -> BlockInfo {
        BlockInfo { id, height: self.index.height(id), hash: self.index.hash(id) }
    }

    pub(crate) fn sync_state(&self, initial_download: bool) -> SynchronizationState {
        match (initial_download, self.store.blockfiles_indexed()) {
            (false, _) => SynchronizationState::PostInit,
            (true, false) => SynchronizationState::InitReindex,
            (true, true) => SynchronizationState::InitDownload,
        }
    }

    /// Share of the chain's transactions that are behind us. Reference: `GuessVerificationProgress`.
    pub(crate) fn progress(&self, id: Option<BlockId>) -> f64 {
        let Some(id) = id else { return 0.0 };
        let data = &self.params.chain_tx_data;
        let (index, now) = (&self.index, clock::now_secs());
        let count = index.chain_tx_count(id);
        if count == 0 {
            debug!(
                Category::Validation,
                "Block {} has unset m_chain_tx_count. Unable to estimate verification progress.",
                index.height(id)
            );
            return 0.0;
        }
        let mut time = i64::from(index.time(id));
        if let Some(best) = self.best_header() {
            let ahead = i64::from(index.height(best)) - i64::from(index.height(id));
            if (now - time).abs() <= 2 * 60 * 60 && ahead >= 0 {
                // Near the tip the height tells more than the miner's clock.
                time = now - ahead * self.params.consensus.pow_target_spacing;
            }
        }
        let total = if count <= data.tx_count {
            data.tx_count as f64 + (now - data.time) as f64 * data.tx_rate
        } else {
            count as f64 + (now - time) as f64 * data.tx_rate
        };
        (count as f64 / total).min(1.0)
    }
}

/// Logarithm of a chain's work, as log lines have it.
pub fn log2_work(work: U256) -> f64 {
    work.to_f64().ln() / 2.0_f64.ln()
}

/// Place of a block among those that may become the tip; the greatest is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Candidate {
    pub(crate) work: U256,
    pub(crate) sequence: Reverse<i32>,
    pub(crate) number: Reverse<u32>,
}

/// Blocks in memory, up to a number of bytes; they passed the checks that need no context.
#[derive(Default)]
pub(crate) struct RecentBlocks {
    blocks: HashMap<BlockId, Arc<Block>>,
    bytes: usize,
}

impl RecentBlocks {
    const LIMIT: usize = 32 << 20;

    /// Whether there is little room left.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes > Self::LIMIT / 2
    }

    /// Keeps a block if there is room.
    pub(crate) fn insert(&mut self, id: BlockId, block: &Arc<Block>) {
        let size = block.total_size();
        if self.bytes + size <= Self::LIMIT && self.blocks.insert(id, block.clone()).is_none() {
            self.bytes += size;
        }
    }

    pub(crate) fn contains(&self, id: BlockId) -> bool {
        self.blocks.contains_key(&id)
    }

    pub(crate) fn get(&self, id: BlockId) -> Option<Arc<Block>> {
        self.blocks.get(&id).cloned()
    }

    pub(crate) fn remove(&mut self, id: BlockId) {
        if let Some(block) = self.blocks.remove(&id) {
            self.bytes -= block.total_size();
        }
    }

    /// Drops blocks that are no use any more.
    pub(crate) fn retain(&mut self, keep: impl Fn(BlockId) -> bool) {
        let bytes = &mut self.bytes;
        self.blocks.retain(|id, block| {
            let keep = keep(*id);
            *bytes -= if keep { 0 } else { block.total_size() };
            keep
        });
    }
}

/// The state under the chainstate lock: coins, and what chooses the best chain.
pub struct Chainstate {
    pub(crate) shared: Arc<Shared>,
    pub(crate) coins: CoinsCache,
    pub(crate) candidates: BTreeSet<Candidate>,
    /// Order of arrival of blocks received by this process.
    sequences: HashMap<BlockId, i32>,
    /// Entries and chain at load.
    pub(crate) loaded: (usize, ChainView),
    pub(crate) next_sequence: i32,
    pub(crate) next_reverse_sequence: i32,
    pub(crate) last_precious_work: U256,
    pub(crate) best_invalid: Option<BlockId>,
    pub(crate) last_notified_header: Option<BlockId>,
    /// Children with data of blocks whose chain misses data.
    pub(crate) unlinked: HashMap<BlockId, Vec<BlockId>>,
    /// When to write to disk next.
    pub(crate) next_write: Option<Duration>,
    /// Why scripts are checked (or that they are not), as last logged.
    pub(crate) script_reason: Option<Option<&'static str>>,
    pub(crate) last_presync_update: Duration,
    /// Up to this height blocks are connected one by one: a run failed there. The genesis block is one of them.
    pub(crate) single_until: u32,
    pub(crate) prune_locks: crate::flush::PruneLocks,
    /// Blocks taken in and not connected yet, which need not be read from disk again.
    pub(crate) recent: RecentBlocks,
    last_tip_log: Duration,
    /// Transactions of templates on the tip.
    pub(crate) template_txs: TemplateTxs,
}

impl Chainstate {
    pub(crate) fn new(shared: Arc<Shared>, coins: CoinsCache) -> Chainstate {
        let view = shared.active.view();
        Chainstate {
            shared,
            coins,
            candidates: BTreeSet::new(),
            sequences: HashMap::new(),
            loaded: (0, view),
            next_sequence: SEQUENCE_FROM_DISK + 1,
            next_reverse_sequence: -1,
            last_precious_work: U256::ZERO,
            best_invalid: None,
            last_notified_header: None,
            unlinked: HashMap::new(),
            next_write: None,
            script_reason: None,
            last_presync_update: Duration::ZERO,
            single_until: 0,
            prune_locks: HashMap::new(),
            recent: RecentBlocks::default(),
            last_tip_log: Duration::ZERO,
            template_txs: TemplateTxs::default(),
        }
    }

    /// The coins at the tip.
    pub fn coins(&mut self) -> &mut CoinsCache {
        &mut self.coins
    }

    /// The coins at the tip, for looking only.
    pub fn coins_ref(&self) -> &CoinsCache {
        &self.coins
    }

    /// The tip.
    pub fn tip(&self) -> Option<BlockId> {
        self.shared.active.tip()
    }

    /// Height of the tip, -1 without one.
    pub fn height(&self) -> i32 {
        self.shared.active.height()
    }

    /// The active chain as it is now.
    pub fn view(&self) -> ChainView {
        self.shared.active.view()
    }

    /// The block index.
    pub fn index(&self) -> &Arc<BlockIndex> {
        &self.shared.index
    }

    /// Block and undo data on disk.
    pub fn store(&self) -> &Arc<BlockStore> {
        &self.shared.store
    }

    /// The network.
    pub fn params(&self) -> &Arc<ChainParams> {
        &self.shared.params
    }

    /// Caches of checked scripts and signatures.
    pub fn validation_cache(&self) -> &Arc<ValidationCache> {
        &self.shared.validation_cache
    }

    /// Whether the node is in initial download.
    pub fn is_initial_block_download(&self) -> bool {
        self.shared.is_initial_download()
    }

    /// The header with the most work that is not known to be invalid.
    pub fn best_header(&self) -> Option<BlockId> {
        self.shared.best_header()
    }

    /// The tip as the rules see it.
    pub fn tip_view(&self) -> Option<HeaderRef<'_>> {
        self.tip().map(|tip| HeaderRef::new(&self.shared.index, tip))
    }

    /// The invalid block with the most work, if any was seen.
    pub fn best_invalid(&self) -> Option<BlockId> {
        self.best_invalid
    }

    pub(crate) fn sequence(&self, id: BlockId) -> i32 {
        if let Some(sequence) = self.sequences.get(&id) {
            return *sequence;
        }
        if id.index() < self.loaded.0 && self.loaded.1.contains(id) {
            SEQUENCE_BEST_FROM_DISK
        } else {
            SEQUENCE_FROM_DISK
        }
    }

    /// Sets the order of a block that is in no candidate set now.
    pub(crate) fn set_sequence(&mut self, id: BlockId, sequence: i32) {
        if self.sequences.len() >= 1 << 17 {
            // Deep in the active chain the order of arrival decides nothing any more.
            let (index, view) = (&self.shared.index, self.shared.active.view());
            let deep = u32::try_from(view.height() - 1000).unwrap_or(0);
            self.sequences.retain(|id, _| index.height(*id) >= deep || !view.contains(*id));
        }
        self.sequences.insert(id, sequence);
    }

    pub(crate) fn candidate(&self, id: BlockId) -> Candidate {
        Candidate {
            work: self.shared.index.work(id),
            sequence: Reverse(self.sequence(id)),
            number: Reverse(id.to_u32()),
        }
    }

    /// Whether `a` is worse than `b`. Reference: `CBlockIndexWorkComparator`.
    pub(crate) fn is_worse(&self, a: BlockId, b: BlockId) -> bool {
        self.candidate(a) < self.candidate(b)
    }

    pub(crate) fn insert_candidate(&mut self, id: BlockId) {
        let candidate = self.candidate(id);
        self.candidates.insert(candidate);
    }

    pub(crate) fn remove_candidate(&mut self, id: BlockId) {
        let candidate = self.candidate(id);
        self.candidates.remove(&candidate);
    }

    pub(crate) fn best_candidate(&self) -> Option<BlockId> {
        self.candidates.last().and_then(|best| self.shared.index.id(best.number.0))
    }

    /// A block becomes a candidate if it is not worse than the tip.
    pub(crate) fn try_add_candidate(&mut self, id: BlockId) {
        if self.tip().is_none_or(|tip| !self.is_worse(id, tip)) {
            self.insert_candidate(id);
        }
    }

    /// Forgets candidates that are worse than the tip.
    pub(crate) fn prune_candidates(&mut self) {
        if let Some(tip) = self.tip() {
            let tip = self.candidate(tip);
            self.candidates = self.candidates.split_off(&tip);
        }
    }

    /// Sets a status and marks the entry dirty.
    pub(crate) fn set_status(&self, id: BlockId, status: BlockStatus) {
        self.shared.store.set_status(id, status);
    }

    pub(crate) fn add_status(&self, id: BlockId, status: BlockStatus) {
        self.set_status(id, self.shared.index.status(id) | status);
    }

    pub(crate) fn has_chain_data(&self, id: BlockId) -> bool {
        self.shared.index.chain_tx_count(id) != 0
    }

    /// Ends the initial download once the tip is recent and has enough work; it does not begin again.
    pub(crate) fn update_initial_download(&self) {
        let shared = &self.shared;
        if !shared.is_initial_download() || shared.store.loading_blocks() {
            return;
        }
        let Some(tip) = self.tip() else { return };
        let oldest = clock::now_secs() - shared.options.max_tip_age.as_secs() as i64;
        let recent = i64::from(shared.index.time(tip)) >= oldest;
        if recent && shared.index.work(tip) >= shared.options.minimum_chain_work() {
            info!("Leaving InitialBlockDownload (latching to false)");
            shared.initial_download.store(false, Ordering::Relaxed);
        }
    }

    /// Takes the best header from the whole index, after a chain of headers was found invalid.
    pub(crate) fn recalculate_best_header(&self) {
        let index = &self.shared.index;
        let mut best = self.tip();
        for id in index.ids().filter(|id| !index.status(*id).failed()) {
            if best.is_none_or(|best| index.work(best) < index.work(id)) {
                best = Some(id);
            }
        }
        self.shared.set_best_header(best);
    }

    /// Notes that a block and what builds on it is invalid. Reference: `InvalidChainFound`.
    pub(crate) fn invalid_chain_found(&mut self, id: BlockId) {
        let shared = self.shared.clone();
        let index = &shared.index;
        if self.best_invalid.is_none_or(|old| index.work(id) > index.work(old)) {
            self.best_invalid = Some(id);
        }
        let height = index.height(id);
        for other in index.ids() {
            if other != id && index.height(other) > height && index.ancestor(other, height) == Some(id) {
                self.add_status(other, BlockStatus::FAILED_VALID);
            }
        }
        if shared.best_header().is_some_and(|best| index.is_ancestor(id, best)) {
            self.recalculate_best_header();
        }
        let line = |id: BlockId| {
            let date = iso_date_time(u64::from(index.time(id)));
            (index.hash(id), index.height(id), log2_work(index.work(id)), date)
        };
        let (hash, height, work, date) = line(id);
        info!("InvalidChainFound: invalid block={hash}  height={height}  log2_work={work:.6}  date={date}");
        if let Some(tip) = self.tip() {
            let (hash, height, work, date) = line(tip);
            info!(
                "InvalidChainFound:  current best={hash}  height={height}  log2_work={work:.6}  date={date}"
            );
        }
        self.check_fork_warning();
    }

    /// Notes that a block is invalid, unless only its data was wrong.
    pub(crate) fn invalid_block_found(&mut self, id: BlockId, mutated: bool) {
        if !mutated {
            self.add_status(id, BlockStatus::FAILED_VALID);
            self.remove_candidate(id);
            self.invalid_chain_found(id);
        }
    }

    pub(crate) fn check_fork_warning(&self) {
        let (shared, Some(tip)) = (&self.shared, self.tip()) else { return };
        let index = &shared.index;
        let limit = index.work(tip) + grs_blockstore::block_work(index.bits(tip)) * 6_u32;
        if self.best_invalid.is_some_and(|invalid| index.work(invalid) > limit) {
            warn!(
                "Found invalid chain more than 6 blocks longer than our best chain. This could be due to database \
                 corruption or consensus incompatibility with peers."
            );
            shared.options.notifications.warning_set(
                ChainWarning::LargeWorkInvalidChain,
                "Warning: Found invalid chain more than 6 blocks longer than our best chain. This could be due to \
                 database corruption or consensus incompatibility with peers.",
            );
        } else {
            shared.options.notifications.warning_unset(ChainWarning::LargeWorkInvalidChain);
        }
    }

    /// Why the scripts of a block are checked; `None` if they are assumed valid.
    pub(crate) fn script_check_reason(&self, id: BlockId) -> Option<&'static str> {
        const TWO_WEEKS: i64 = 14 * 24 * 60 * 60;
        let shared = &self.shared;
        let (index, assumed) = (&shared.index, shared.options.assume_valid());
        if assumed.is_zero() {
            return Some("assumevalid=0 (always verify)");
        }
        let Some(assumed) = index.lookup(&assumed) else { return Some("assumevalid hash not in headers") };
        if !index.is_ancestor(id, assumed) {
            let above = index.height(id) > index.height(assumed);
            return Some(if above {
                "block height above assumevalid height"
            } else {
                "block not in assumevalid chain"
            });
        }
        let Some(best) = shared.best_header().filter(|best| index.is_ancestor(id, *best)) else {
            return Some("block not in best header chain");
        };
        if index.work(best) < shared.options.minimum_chain_work() {
            return Some("best header chainwork below minimumchainwork");
        }
        let consensus = &shared.params.consensus;
        let time = block_proof_equivalent_time(index.work(best), index.work(id), index.bits(best), consensus);
        (time <= TWO_WEEKS).then_some("block too recent relative to best header")
    }

    pub(crate) fn log_script_reason(&mut self, id: BlockId, reason: Option<&'static str>) {
        if self.script_reason != Some(reason) {
            let (height, hash) = (self.shared.index.height(id), self.shared.index.hash(id));
            match reason {
                Some(reason) => info!("Enabling script verification at block #{height} ({hash}): {reason}."),
                None => info!("Disabling script verification at block #{height} ({hash})."),
            }
            self.script_reason = Some(reason);
        }
    }

    /// The line about a new tip, and warnings about unknown rules. Reference: `UpdateTip`.
    pub(crate) fn log_tip(&mut self, tip: BlockId) {
        /// Blocks behind the best header from which on not every tip is worth a line.
        const FAR_BEHIND: u32 = 1000;
        const LINE_INTERVAL: Duration = Duration::from_millis(250);
        let shared = &self.shared;
        let index = &shared.index;
        let best_height = shared.best_header().map_or(0, |best| index.height(best));
        let now = clock::system_now();
        if shared.is_initial_download()
            && best_height > index.height(tip) + FAR_BEHIND
            && now < self.last_tip_log + LINE_INTERVAL
        {
            return;
        }
        self.last_tip_log = now;
        let mut warnings = Vec::new();
        if !shared.is_initial_download() {
            let mut cache = shared.version_bits.lock().unwrap_or_else(PoisonError::into_inner);
            for (bit, active) in cache.check_unknown_activations(HeaderRef::new(index, tip), &shared.params) {
                let message = format!("Unknown new rules activated (versionbit {bit})");
                if active {
                    let warning = ChainWarning::UnknownNewRulesActivated;
                    shared.options.notifications.warning_set(warning, &message);
                } else {
                    warnings.push(message);
                }
            }
        }
        let warnings =
            if warnings.is_empty() { String::new() } else { format!(" warning='{}'", warnings.join(", ")) };
        info!(
            "UpdateTip: new best={} height={} version=0x{:08x} log2_work={:.6} tx={} date='{}' progress={:.6} \
             cache={:.1}MiB({}txo){}",
            index.hash(tip),
            index.height(tip),
            index.version(tip),
            log2_work(index.work(tip)),
            index.chain_tx_count(tip),
            iso_date_time(u64::from(index.time(tip))),
            shared.progress(Some(tip)),
            self.coins.memory_usage() as f64 / 1_048_576.0,
            self.coins.len(),
            warnings
        );
    }
}
