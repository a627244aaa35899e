//! The chainstate as the rest of the node sees it. Reference: `ChainstateManager`.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grs_blockstore::{BlockId, BlockIndex, BlockStore, ChainView};
use grs_consensus::{BlockValidationError, BlockValidationResult, VersionBitsCache, check_block};
use grs_log::{error, info};
use grs_params::ChainParams;
use grs_primitives::{Block, HashedHeader};
use grs_script::ValidationCache;
use grs_sync::{Interrupt, LockRank, OrderedMutex, OrderedMutexGuard, clock};
use grs_uint::U256;

use crate::loader::BlockLoader;
use crate::signals::Event;
use crate::state::Shared;
use crate::stats::compute_stats_at;
use crate::tip::Session;
use crate::{
    BlockError, Chainstate, ChainstateOptions, FatalError, FlushMode, HeaderRef, MempoolHook, StatsHash,
    UtxoStats, ValidationSignals,
};

/// What became of a block given to [`ChainstateManager::process_new_block`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessedBlock {
    /// The block is no failure: stored, known before, or not wanted. (Whether it is valid in full is told by
    /// [`crate::ValidationInterface::block_checked`].)
    pub accepted: bool,
    /// It was stored now.
    pub new_block: bool,
}

/// Holds the chainstate lock.
pub struct ChainGuard<'a>(OrderedMutexGuard<'a, Chainstate>);

impl Deref for ChainGuard<'_> {
    type Target = Chainstate;
    fn deref(&self) -> &Chainstate {
        &self.0
    }
}

impl DerefMut for ChainGuard<'_> {
    fn deref_mut(&mut self) -> &mut Chainstate {
        &mut self.0
    }
}

/// Chain, coins and block storage. Share it as an `Arc`.
///
/// Reading of headers, chain and blocks needs no lock. The lock ([`ChainstateManager::lock`]) is the first in
/// the lock map; nobody may wait for events while holding it.
pub struct ChainstateManager {
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: OrderedMutex<Chainstate>,
    /// Only one thread at a time changes the tip; taken before the chainstate lock.
    activation: Mutex<()>,
}

impl ChainstateManager {
    pub(crate) fn from_parts(shared: Arc<Shared>, state: Chainstate) -> ChainstateManager {
        let state = OrderedMutex::new(LockRank::ChainState, "cs_main", state);
        ChainstateManager { shared, state, activation: Mutex::new(()) }
    }

    /// Takes the chainstate lock.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> ChainGuard<'_> {
        ChainGuard(self.state.lock())
    }

    /// Takes the chainstate lock if nobody holds it.
    pub fn try_lock(&self) -> Option<ChainGuard<'_>> {
        self.state.try_lock().map(ChainGuard)
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

    /// The options it was opened with.
    pub fn options(&self) -> &ChainstateOptions {
        &self.shared.options
    }

    /// The event queue.
    pub fn signals(&self) -> &Arc<ValidationSignals> {
        &self.shared.signals
    }

    /// Caches of checked scripts and signatures.
    pub fn validation_cache(&self) -> &Arc<ValidationCache> {
        &self.shared.validation_cache
    }

    /// States of version bits deployments.
    pub fn version_bits(&self) -> &Mutex<VersionBitsCache> {
        &self.shared.version_bits
    }

    /// An entry of the index as the rules see it.
    pub fn header_view(&self, id: BlockId) -> HeaderRef<'_> {
        HeaderRef::new(&self.shared.index, id)
    }

    /// The header with the most work that is not known to be invalid.
    pub fn best_header(&self) -> Option<BlockId> {
        self.shared.best_header()
    }

    /// Whether the tip never was recent since start.
    pub fn is_initial_block_download(&self) -> bool {
        self.shared.is_initial_download()
    }

    /// Share of the chain's transactions up to a block, from 0 to 1.
    pub fn guess_verification_progress(&self, id: Option<BlockId>) -> f64 {
        self.shared.progress(id)
    }

    /// Least work of a chain worth downloading.
    pub fn minimum_chain_work(&self) -> U256 {
        self.shared.options.minimum_chain_work()
    }

    /// The shutdown token.
    pub fn interrupt(&self) -> &Interrupt {
        &self.shared.options.interrupt
    }

    /// Attaches the mempool, once.
    pub fn set_mempool(&self, hook: Arc<dyn MempoolHook>) {
        // A second one is ignored: the first is in use already.
        let _ = self.shared.mempool.set(hook);
    }

    pub(crate) fn session(&self) -> Session<'_> {
        self.shared.mempool.get().map(|hook| hook.begin())
    }

    /// Takes a block from a peer, a miner or the user: checks it, stores it, and moves the tip if it is better.
    /// `force` stores it though nobody would have asked for it; `min_pow_checked` says that its chain is known to
    /// have enough work to be worth an index entry.
    pub fn process_new_block(&self, block: Arc<Block>, force: bool, min_pow_checked: bool) -> ProcessedBlock {
        let shared = &self.shared;
        // What needs no context is checked before anything is locked. A failure here marks nothing: the block may
        // have been changed on the way in a manner nobody thought of.
        let checked = check_block(&block, &shared.params.consensus, true, true);
        let accepted = match checked {
            Ok(()) => self.lock().accept_block(&block, force, None, min_pow_checked, true),
            Err(rule) => Err(rule.into()),
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return self.refused(&block, &error),
        };
        self.notify_header_tip();
        let result = self.activate_best_chain(Some(block));
        if !shared.is_initial_download()
            && let Err(error) = shared.store.write_out()
        {
            error!("ProcessNewBlock: {error}");
        }
        if let Err(error) = result {
            error!("ProcessNewBlock: ActivateBestChain failed ({error})");
            return ProcessedBlock { accepted: false, new_block: accepted.new };
        }
        ProcessedBlock { accepted: true, new_block: accepted.new }
    }

    /// As [`ChainstateManager::process_new_block`] for several blocks, which are then connected together: far from
    /// the tip this costs much less for each. Answers in the same order.
    pub fn process_new_blocks(
        &self,
        blocks: &[Arc<Block>],
        force: bool,
        min_pow_checked: bool,
    ) -> Vec<ProcessedBlock> {
        let [first @ .., last] = blocks else { return Vec::new() };
        let mut done = Vec::with_capacity(blocks.len());
        {
            let consensus = &self.shared.params.consensus;
            let checked: Vec<_> =
                first.iter().map(|block| check_block(block, consensus, true, true)).collect();
            let mut state = self.lock();
            for (block, checked) in first.iter().zip(checked) {
                let accepted = checked
                    .map_err(BlockError::from)
                    .and_then(|()| state.accept_block(block, force, None, min_pow_checked, true));
                done.push(match accepted {
                    Ok(accepted) => ProcessedBlock { accepted: true, new_block: accepted.new },
                    Err(error) => self.refused(block, &error),
                });
            }
        }
        done.push(self.process_new_block(last.clone(), force, min_pow_checked));
        done
    }

    fn refused(&self, block: &Arc<Block>, error: &BlockError) -> ProcessedBlock {
        match error {
            BlockError::Invalid(invalid) => self.shared.signals.block_checked(block, Err(invalid)),
            BlockError::Fatal(fatal) => self.shared.options.notifications.fatal_error(&fatal.0),
        }
        error!("ProcessNewBlock: AcceptBlock FAILED ({error})");
        ProcessedBlock { accepted: false, new_block: false }
    }

    /// Takes headers in a row and returns the entry of the last one.
    ///
    /// # Errors
    /// The first header's failure; those before it stay.
    pub fn process_new_headers(
        &self,
        headers: &[HashedHeader],
        min_pow_checked: bool,
    ) -> Result<Option<BlockId>, BlockValidationError> {
        let mut last = None;
        {
            let mut state = self.lock();
            for header in headers {
                match state.accept_header(header, min_pow_checked) {
                    Ok(id) => last = Some(id),
                    Err(BlockError::Invalid(error)) => return Err(error),
                    Err(BlockError::Fatal(error)) => {
                        error!("{error}");
                        return Err(BlockValidationError::new(BlockValidationResult::InvalidHeader, error.0));
                    }
                }
            }
        }
        if self.notify_header_tip()
            && self.is_initial_block_download()
            && let Some(id) = last
        {
            let (height, time) = (self.index().height(id), i64::from(self.index().time(id)));
            info!(
                "Synchronizing blockheaders, height: {height} (~{:.2}%)",
                self.headers_progress(height.into(), time)
            );
        }
        Ok(last)
    }

    fn headers_progress(&self, height: i64, time: i64) -> f64 {
        let left = ((clock::now_secs() - time) / self.params().consensus.pow_target_spacing).max(0);
        100.0 * height as f64 / (height + left) as f64
    }

    /// Tells how far headers are that are not stored yet. Reference: `ReportHeadersPresync`.
    pub fn report_headers_presync(&self, height: i64, time: i64) {
        {
            let mut state = self.lock();
            let enough = self.params().consensus.minimum_chain_work;
            if state.best_header().is_some_and(|best| self.index().work(best) >= enough) {
                return;
            }
            let now = clock::steady_now();
            if now < state.last_presync_update + Duration::from_millis(250) {
                return;
            }
            state.last_presync_update = now;
        }
        let initial = self.is_initial_block_download();
        let sync = self.shared.sync_state(initial);
        self.shared.options.notifications.header_tip(sync, height, time, true);
        if initial {
            info!(
                "Pre-synchronizing blockheaders, height: {height} (~{:.2}%)",
                self.headers_progress(height, time)
            );
        }
    }

    /// Tells about a new best header; whether there was one.
    pub fn notify_header_tip(&self) -> bool {
        let best = {
            let mut state = self.lock();
            let best = state.best_header();
            if best == state.last_notified_header {
                return false;
            }
            state.last_notified_header = best;
            best
        };
        let Some(best) = best else { return false };
        let (height, time) = (self.index().height(best), self.index().time(best));
        let sync = self.shared.sync_state(self.is_initial_block_download());
        self.shared.options.notifications.header_tip(sync, height.into(), time.into(), false);
        true
    }

    /// Makes the best chain the active one. `block` may be in memory already. Not with the chainstate lock held,
    /// and not on the event thread.
    ///
    /// # Errors
    /// If the node cannot go on. Invalid blocks are no error here.
    pub fn activate_best_chain(&self, block: Option<Arc<Block>>) -> Result<(), FatalError> {
        let _one_at_a_time = self.activation.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &self.shared;
        let (mut most_work, mut loader) = (None, None);
        loop {
            shared.signals.limit();
            let Some(new_tip) = self.activate_once(&mut most_work, block.as_ref(), &mut loader)? else {
                return Ok(());
            };
            self.lock().flush_state(FlushMode::Periodic, None)?;
            if shared.options.interrupt.is_interrupted() || new_tip.1 || most_work == Some(new_tip.0) {
                return Ok(());
            }
        }
    }

    /// One hold of the lock. The new tip, and whether to stop; `None` if there was nothing to do.
    fn activate_once(
        &self,
        most_work: &mut Option<BlockId>,
        block: Option<&Arc<Block>>,
        loader: &mut Option<BlockLoader>,
    ) -> Result<Option<(BlockId, bool)>, FatalError> {
        let shared = &self.shared;
        let mut state = self.lock();
        let mut session = self.session();
        let starting = state.tip();
        let mut changed = false;
        loop {
            if most_work.is_none() {
                *most_work = state.find_most_work_chain();
            }
            let Some(target) = most_work.filter(|target| Some(*target) != state.tip()) else { break };
            let at_hand = block.filter(|block| block.hash() == shared.index.hash(target));
            let step = state.activate_step(target, at_hand, &mut session, loader)?;
            changed = true;
            if step.invalid_found {
                *most_work = None;
            }
            let events =
                step.connected.into_iter().map(|(block, id)| Event::Connected(block, shared.block_info(id)));
            shared.signals.push(events);
            let worse = matches!((state.tip(), starting), (Some(tip), Some(old)) if state.is_worse(tip, old));
            if state.tip().is_some() && !worse {
                break;
            }
        }
        let Some(tip) = state.tip().filter(|_| changed) else { return Ok(None) };
        let fork = starting.and_then(|old| state.view().find_fork(old));
        let initial = shared.is_initial_download();
        let info = shared.block_info(tip);
        let mut stop = false;
        if fork != Some(tip) {
            let fork_hash = fork.map(|fork| shared.index.hash(fork)).unwrap_or_default();
            shared.signals.push([Event::Tip(info, fork, fork_hash, initial)]);
            stop = self.tell_block_tip(tip, initial);
        }
        drop(session);
        shared.signals.active_tip_change(info, initial);
        Ok(Some((tip, stop)))
    }

    /// Tells about a new tip; true to stop connecting.
    fn tell_block_tip(&self, tip: BlockId, initial: bool) -> bool {
        let shared = &self.shared;
        let stop = shared.options.notifications.block_tip(
            shared.sync_state(initial),
            tip,
            shared.progress(Some(tip)),
        );
        let stop_at = shared.options.stop_at_height;
        if stop_at > 0 && shared.index.height(tip) >= stop_at {
            shared.options.interrupt.interrupt();
            return true;
        }
        stop
    }

    /// Marks a block and its descendants invalid, moving the tip below it. Activate the best chain afterwards.
    ///
    /// # Errors
    /// If the node cannot go on. The genesis block cannot be invalidated.
    pub fn invalidate_block(&self, id: BlockId) -> Result<(), FatalError> {
        let shared = &self.shared;
        if shared.index.height(id) == 0 {
            return Err(FatalError("genesis block cannot be invalidated".into()));
        }
        let _one_at_a_time = self.activation.lock().unwrap_or_else(PoisonError::into_inner);
        let mut side = self.lock().strong_side_blocks(id);
        let (mut failed, mut count) = (id, 0);
        while !shared.options.interrupt.is_interrupted() {
            shared.signals.limit();
            let mut state = self.lock();
            let mut session = self.session();
            if !state.view().contains(id) {
                break;
            }
            failed = state.invalidate_tip(&mut session, &mut side, count)?;
            count += 1;
        }
        let tip = {
            let mut state = self.lock();
            if state.view().contains(failed) {
                return Err(FatalError("the block to invalidate is still in the active chain".into()));
            }
            state.finish_invalidation(id, failed, count > 0);
            state.tip()
        };
        if count > 0
            && let Some(tip) = tip
        {
            let initial = self.is_initial_block_download();
            self.tell_block_tip(shared.index.prev(failed).unwrap_or(tip), initial);
            shared.signals.active_tip_change(shared.block_info(tip), initial);
        }
        Ok(())
    }

    /// Takes back [`ChainstateManager::invalidate_block`] for a block, its ancestors and descendants, and moves to
    /// the best chain.
    ///
    /// # Errors
    /// If the node cannot go on.
    pub fn reconsider_block(&self, id: BlockId) -> Result<(), FatalError> {
        {
            let mut state = self.lock();
            state.reset_block_failure(id);
            state.recalculate_best_header();
        }
        self.activate_best_chain(None)
    }

    /// Treats a block as if it had come before others of the same work.
    ///
    /// # Errors
    /// If the node cannot go on.
    pub fn precious_block(&self, id: BlockId) -> Result<(), FatalError> {
        if !self.lock().make_precious(id) {
            return Ok(());
        }
        self.activate_best_chain(None)
    }

    /// Checks a block as if it came next, without storing anything: for templates, without proof of work.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn test_block_validity(
        &self,
        block: &Block,
        check_pow: bool,
        check_merkle_root: bool,
    ) -> Result<(), BlockValidationError> {
        self.lock().test_block_validity(block, check_pow, check_merkle_root)
    }

    /// Writes everything to disk; `wipe_cache` also empties the coins cache.
    pub fn force_flush(&self, wipe_cache: bool) {
        let mode = if wipe_cache { FlushMode::ForceFlush } else { FlushMode::ForceSync };
        if let Err(error) = self.lock().flush_state(mode, None) {
            grs_log::warn!("Failed to force flush state ({error})");
        }
    }

    /// Removes block files up to a height (`pruneblockchain`).
    pub fn prune_to_height(&self, height: u32) {
        if let Err(error) = self.lock().flush_state(FlushMode::None, Some(height)) {
            grs_log::warn!("Failed to flush state after manual prune ({error})");
        }
    }

    /// Looks whether block files should be pruned (at start, after `-prune` changed).
    pub fn prune_and_flush(&self) {
        self.shared.store.request_prune_check();
        if let Err(error) = self.lock().flush_state(FlushMode::None, None) {
            grs_log::warn!("Failed to flush state ({error})");
        }
    }

    /// Statistics of the coins at the tip, after writing them to disk (`gettxoutsetinfo`); `None` if interrupted.
    ///
    /// # Errors
    /// If the database fails.
    pub fn compute_utxo_stats(&self, hash: StatsHash) -> Result<Option<UtxoStats>, FatalError> {
        let (db, cursor, best) = {
            // The cursor shows the coins of this moment, whatever is connected afterwards.
            let mut state = self.lock();
            state.flush_state(FlushMode::ForceSync, None)?;
            let (db, height) = (state.coins.db().clone(), state.height().max(0) as u32);
            let cursor = db.cursor()?;
            (db, cursor, (state.coins.best_block(), height))
        };
        Ok(compute_stats_at(&db, cursor, best, hash, self.interrupt())?)
    }

    /// Ends the event thread and writes everything to disk.
    pub fn shutdown(&self) {
        self.shared.signals.stop();
        self.force_flush(true);
    }

    /// Connects the genesis block alone, before a reindex goes on.
    pub(crate) fn activate_genesis(&self) -> Result<(), FatalError> {
        let _one_at_a_time = self.activation.lock().unwrap_or_else(PoisonError::into_inner);
        let genesis = self.index().lookup(&self.params().consensus.genesis_hash);
        self.activate_once(&mut genesis.clone(), None, &mut None).map(|_| ())
    }
}
