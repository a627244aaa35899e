//! Moving the tip: connecting and disconnecting blocks, choosing the best chain.
//! Reference: `ConnectTip`, `DisconnectTip`, `FindMostWorkChain`, `ActivateBestChainStep`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_blockstore::{BlockId, BlockStatus, BlockUndo};
use grs_consensus::{BlockRule, BlockValidationError, BlockValidationResult, check_block};
use grs_log::{error, info};
use grs_primitives::Block;
use grs_sync::{BatchError, Job};

use crate::connect::{Disconnected, Place, ScriptFailure, ScriptJob, Scripts, apply_block, disconnect_block};
use crate::loader::BlockLoader;
use crate::notify::MempoolSession;
use crate::signals::Event;
use crate::{BlockError, Chainstate, FatalError, FlushMode, HeaderRef};

/// From this many script checks on they are given to the workers; fewer are not worth a wake-up.
const PARALLEL_JOBS: usize = 4;
/// Script checks of many blocks are given to the workers in groups of this size.
const JOB_GROUP: usize = 96;
/// A run of blocks ends when it takes this long or holds this many bytes, so that others get the lock.
const RUN_TIME: Duration = Duration::from_millis(100);
const RUN_BYTES: usize = 32 << 20;

/// The mempool's session, if there is a mempool.
pub(crate) type Session<'a> = Option<Box<dyn MempoolSession + 'a>>;

/// How far [`Chainstate::activate_step`] came.
pub(crate) struct Step {
    /// Blocks connected, in order.
    pub(crate) connected: Vec<(Arc<Block>, BlockId)>,
    /// A block was invalid: another chain may be the best now.
    pub(crate) invalid_found: bool,
}

fn run_jobs(shared: &crate::state::Shared, jobs: Vec<ScriptJob>) -> Result<(), BlockError> {
    if shared.pool.workers() == 0 || jobs.len() < PARALLEL_JOBS {
        return jobs.into_iter().try_for_each(Job::run).map_err(|failure| BlockRule::from(failure).into());
    }
    let batch = shared.pool.batch();
    batch.add(jobs);
    batch.complete().map_err(script_error)
}

fn script_error(error: BatchError<ScriptFailure>) -> BlockError {
    match error {
        BatchError::Failed(failure) => BlockRule::from(failure).into(),
        BatchError::Panicked(text) => FatalError(format!("script check panicked: {text}")).into(),
    }
}

impl Chainstate {
    fn fatal(&self, text: impl Into<String>) -> FatalError {
        let error = FatalError(text.into());
        self.shared.options.notifications.fatal_error(&error.0);
        error
    }

    /// Disconnects the tip.
    pub(crate) fn disconnect_tip(&mut self, session: &mut Session<'_>) -> Result<(), FatalError> {
        let shared = self.shared.clone();
        let tip = self.tip().ok_or_else(|| FatalError("no tip to disconnect".into()))?;
        let prev =
            shared.index.prev(tip).ok_or_else(|| FatalError("the genesis block stays connected".into()))?;
        let info = shared.block_info(tip);
        let Ok(block) = shared.store.read_block(tip) else {
            error!("DisconnectTip(): Failed to read block");
            return Err(FatalError("Failed to read block.".into()));
        };
        let Ok(undo) = shared.store.read_undo(tip) else {
            error!("DisconnectBlock(): failure reading undo data");
            error!("DisconnectTip(): DisconnectBlock {} failed", info.hash);
            return Err(FatalError("failure reading undo data".into()));
        };
        self.coins.begin();
        let best = self.coins.best_block();
        match disconnect_block(&mut self.coins, &block, undo, info.height) {
            Ok(Disconnected::Clean) => self.coins.commit(),
            result => {
                self.coins.roll_back();
                self.coins.set_best_block(best);
                error!("DisconnectTip(): DisconnectBlock {} failed", info.hash);
                return Err(result
                    .err()
                    .map_or_else(|| FatalError("DisconnectBlock failed".into()), Into::into));
            }
        }
        self.lower_prune_locks(info.height);
        self.flush_state(FlushMode::IfNeeded, None)?;
        let block = Arc::new(block);
        if let Some(session) = session {
            session.block_disconnected(&block);
        }
        shared.active.set_tip(Some(prev));
        self.update_initial_download();
        self.log_tip(prev);
        shared.signals.push([Event::Disconnected(block, info)]);
        Ok(())
    }

    /// Applies one block that extends the tip to the coins, within a journal that the caller began. Script checks
    /// are added to `jobs`.
    fn apply_to_tip(
        &mut self,
        block: &Block,
        id: BlockId,
        jobs: Option<&mut Vec<ScriptJob>>,
    ) -> Result<Option<BlockUndo>, BlockError> {
        let shared = self.shared.clone();
        let Some(prev) = shared.index.prev(id) else { return Ok(None) };
        let place = Place { prev: HeaderRef::new(&shared.index, prev), hash: shared.index.hash(id) };
        let mut scripts = Scripts { jobs, cache: &shared.validation_cache, store: false };
        apply_block(&mut self.coins, block, &place, &shared.params, &mut scripts).map(Some)
    }

    fn check_again(&self, block: &Block) -> Result<(), BlockError> {
        self.judge_check(check_block(block, &self.shared.params.consensus, true, true))
    }

    /// A stored block passed the checks without context once already.
    fn judge_check(&self, result: Result<(), BlockRule>) -> Result<(), BlockError> {
        let Err(rule) = result else { return Ok(()) };
        let invalid = BlockValidationError::from(rule);
        if invalid.result == BlockValidationResult::Mutated {
            return Err(self.fatal("Corrupt block found indicating potential hardware failure.").into());
        }
        error!("ConnectBlock: Consensus::CheckBlock: {invalid}");
        Err(BlockError::Invalid(invalid))
    }

    /// Checks and applies a block to the coins; leaves them unchanged if it fails. Reference: `ConnectBlock`.
    fn connect_block(&mut self, block: &Block, id: BlockId) -> Result<Option<BlockUndo>, BlockError> {
        let shared = self.shared.clone();
        let reason = self.script_check_reason(id);
        if shared.index.prev(id).is_some() {
            self.log_script_reason(id, reason);
        }
        let mut jobs = Vec::new();
        self.coins.begin();
        let mut result = self.apply_to_tip(block, id, reason.map(|_| &mut jobs));
        if result.is_ok() {
            result = run_jobs(&shared, jobs).and(result);
        }
        if let Err(error) = &result {
            self.coins.roll_back();
            if let BlockError::Invalid(error) = error {
                info!("Block validation error: {error}");
            }
        } else {
            self.coins.commit();
        }
        result
    }

    /// Connects one block. `block` is given if it is in memory already, with its checks done.
    fn connect_tip(
        &mut self,
        id: BlockId,
        block: Option<Arc<Block>>,
        session: &mut Session<'_>,
    ) -> Result<Arc<Block>, BlockError> {
        let shared = self.shared.clone();
        let block = block.or_else(|| self.recent.get(id));
        self.recent.remove(id);
        let checked = block.is_some();
        let block = match block {
            Some(block) => block,
            None => match shared.store.read_block(id) {
                Ok(block) => Arc::new(block),
                Err(_) => return Err(self.fatal("Failed to read block.").into()),
            },
        };
        let mut result = if checked { Ok(()) } else { self.check_again(&block) };
        let mut undo = None;
        if result.is_ok() {
            result = self.connect_block(&block, id).map(|done| undo = done);
        }
        match &result {
            Ok(()) => shared.signals.block_checked(&block, Ok(())),
            Err(BlockError::Invalid(error)) => shared.signals.block_checked(&block, Err(error)),
            Err(BlockError::Fatal(_)) => {}
        }
        if let Err(error) = result {
            if let BlockError::Invalid(invalid) = &error {
                self.invalid_block_found(id, invalid.result == BlockValidationResult::Mutated);
            }
            error!("ConnectTip: ConnectBlock {} failed, {error}", shared.index.hash(id));
            return Err(error);
        }
        self.store_connected(id, undo.as_ref())?;
        self.coins.set_best_block(shared.index.hash(id));
        self.flush_state(FlushMode::IfNeeded, None)?;
        if let Some(session) = session {
            session.block_connected(&block, shared.index.height(id));
        }
        shared.active.set_tip(Some(id));
        self.update_initial_download();
        if let Some(session) = session {
            session.tip_updated(self);
        }
        self.log_tip(id);
        Ok(block)
    }

    /// Writes undo data and raises the level of a connected block.
    fn store_connected(&mut self, id: BlockId, undo: Option<&BlockUndo>) -> Result<(), BlockError> {
        let Some(undo) = undo else { return Ok(()) };
        if let Err(error) = self.shared.store.write_undo(id, undo) {
            return Err(self
                .fatal(match error {
                    grs_blockstore::StoreError::OutOfSpace => "Disk space is too low!".to_owned(),
                    _ => "Failed to write undo data.".to_owned(),
                })
                .into());
        }
        if let Some(status) = self.shared.index.status(id).raised(BlockStatus::VALID_SCRIPTS) {
            self.set_status(id, status);
        }
        Ok(())
    }

    /// Connects many blocks as one: their scripts are checked together, and tip, log and flush come once. If
    /// anything fails, nothing happened, and the blocks have to be connected one by one to find out what.
    fn connect_run(
        &mut self,
        ids: &[BlockId],
        loader: Option<&mut BlockLoader>,
        session: &mut Session<'_>,
    ) -> Result<Option<Vec<(Arc<Block>, BlockId)>>, FatalError> {
        let shared = self.shared.clone();
        let Some(last) = ids.last() else { return Ok(None) };
        // If the last one's scripts are assumed valid, so are those of the blocks below.
        let all_assumed = self.script_check_reason(*last).is_none();
        let best = self.coins.best_block();
        let batch = shared.pool.batch();
        let mut jobs = Vec::new();
        let mut done: Vec<(Arc<Block>, BlockId, Option<BlockUndo>)> = Vec::with_capacity(ids.len());
        let (begin, mut bytes, mut failed) = (Instant::now(), 0, false);
        let mut loader = loader;
        self.coins.begin();
        for id in ids {
            let loaded = match &mut loader {
                Some(loader) => match loader.next_block(*id) {
                    Some((_, Some((block, Ok(()))))) => Some(block),
                    _ => None,
                },
                None => self.recent.get(*id),
            };
            let Some(block) = loaded else {
                failed = true;
                break;
            };
            let reason = if all_assumed { None } else { self.script_check_reason(*id) };
            self.log_script_reason(*id, reason);
            match self.apply_to_tip(&block, *id, reason.map(|_| &mut jobs)) {
                Ok(undo) => {
                    bytes += block.total_size();
                    done.push((block, *id, undo));
                }
                Err(_) => {
                    failed = true;
                    break;
                }
            }
            if jobs.len() >= JOB_GROUP && shared.pool.workers() > 0 {
                batch.add(std::mem::take(&mut jobs));
            }
            if bytes >= RUN_BYTES || (done.len().is_multiple_of(16) && begin.elapsed() >= RUN_TIME) {
                break;
            }
        }
        batch.add(jobs);
        failed |= batch.complete().is_err();
        if failed {
            self.coins.roll_back();
            self.coins.set_best_block(best);
            return Ok(None);
        }
        self.coins.commit();
        let mut connected = Vec::with_capacity(done.len());
        for (block, id, undo) in done {
            if let Err(BlockError::Fatal(error)) = self.store_connected(id, undo.as_ref()) {
                return Err(error);
            }
            self.recent.remove(id);
            shared.signals.block_checked(&block, Ok(()));
            if let Some(session) = session {
                session.block_connected(&block, shared.index.height(id));
            }
            connected.push((block, id));
        }
        let Some((_, tip)) = connected.last() else { return Ok(None) };
        self.coins.set_best_block(shared.index.hash(*tip));
        shared.active.set_tip(Some(*tip));
        self.flush_state(FlushMode::IfNeeded, None)?;
        self.update_initial_download();
        if let Some(session) = session {
            session.tip_updated(self);
        }
        self.log_tip(*tip);
        Ok(Some(connected))
    }

    /// The block with the most work whose chain is not known to be invalid and is stored.
    pub(crate) fn find_most_work_chain(&mut self) -> Option<BlockId> {
        let shared = self.shared.clone();
        let (index, view) = (&shared.index, self.view());
        'candidates: loop {
            let best = self.best_candidate()?;
            let mut walk = Some(best);
            while let Some(id) = walk.filter(|id| !view.contains(*id)) {
                let status = index.status(id);
                if status.failed() || !status.have_data() {
                    if status.failed()
                        && self.best_invalid.is_none_or(|old| index.work(best) > index.work(old))
                    {
                        self.best_invalid = Some(best);
                    }
                    // Nothing on the way from here to the candidate can become the tip.
                    let mut drop = best;
                    while drop != id {
                        let Some(parent) = index.prev(drop) else { break };
                        if status.failed() {
                            self.add_status(drop, BlockStatus::FAILED_VALID);
                        } else {
                            self.unlinked.entry(parent).or_default().push(drop);
                        }
                        self.remove_candidate(drop);
                        drop = parent;
                    }
                    self.remove_candidate(id);
                    continue 'candidates;
                }
                walk = index.prev(id);
            }
            return Some(best);
        }
    }

    /// Moves towards `most_work`: disconnects what is not on its chain, then connects at least one block if it
    /// can, or as many as make the tip better than before. `block` is the block of `most_work`, if it is in
    /// memory.
    pub(crate) fn activate_step(
        &mut self,
        most_work: BlockId,
        block: Option<&Arc<Block>>,
        session: &mut Session<'_>,
        loader: &mut Option<BlockLoader>,
    ) -> Result<Step, FatalError> {
        let shared = self.shared.clone();
        let index = &shared.index;
        let old_work = self.tip().map(|tip| index.work(tip));
        let fork = self.view().find_fork(most_work);
        let mut disconnected = false;
        while self.tip().is_some() && self.tip() != fork {
            if let Err(error) = self.disconnect_tip(session) {
                if let Some(session) = session {
                    session.reorg_finished(self, false);
                }
                error!("{error}");
                return Err(self.fatal("Failed to disconnect block."));
            }
            disconnected = true;
        }
        let mut step = Step { connected: Vec::new(), invalid_found: false };
        let target = index.height(most_work);
        let mut next = fork.map_or(0, |fork| index.height(fork) + 1);
        'connect: while next <= target {
            if let Some(connected) = self.try_run(most_work, next, target, session, loader)? {
                step.connected.extend(connected);
                self.prune_candidates();
                break;
            }
            // A few at a time, since usually only a few are needed.
            let until = (next + 31).min(target);
            let mut path = Vec::with_capacity(32);
            let mut walk = index.ancestor(most_work, until);
            while let Some(id) = walk.filter(|id| index.height(*id) >= next) {
                path.push(id);
                walk = index.prev(id);
            }
            for id in path.iter().rev() {
                let in_memory = block.filter(|_| *id == most_work).cloned();
                match self.connect_tip(*id, in_memory, session) {
                    Ok(block) => step.connected.push((block, *id)),
                    Err(BlockError::Invalid(error)) => {
                        if error.result != BlockValidationResult::Mutated {
                            self.invalid_chain_found(path[0]);
                        }
                        step.invalid_found = true;
                        break 'connect;
                    }
                    Err(BlockError::Fatal(error)) => {
                        if let Some(session) = session {
                            session.reorg_finished(self, false);
                        }
                        return Err(error);
                    }
                }
                self.prune_candidates();
                if old_work.is_none_or(|old| index.work(*id) > old) {
                    break 'connect;
                }
            }
            next = until + 1;
        }
        if disconnected && let Some(session) = session {
            session.reorg_finished(self, true);
        }
        self.check_fork_warning();
        Ok(step)
    }

    /// Connects a run of blocks, if there are many to connect and the node is far from the tip.
    fn try_run(
        &mut self,
        most_work: BlockId,
        next: u32,
        target: u32,
        session: &mut Session<'_>,
        loader: &mut Option<BlockLoader>,
    ) -> Result<Option<Vec<(Arc<Block>, BlockId)>>, FatalError> {
        /// Fewer blocks are not worth a thread.
        const FEW: u32 = 16;
        /// Blocks whose reading is ordered at once.
        const PATH: u32 = 50_000;
        let shared = self.shared.clone();
        let (index, options) = (&shared.index, &shared.options);
        let left = target - next + 1;
        if options.max_run < 2 || !shared.is_initial_download() || left < 2 || next <= self.single_until {
            return Ok(None);
        }
        let path_to = |height: u32| {
            let mut path = Vec::new();
            let mut walk = index.ancestor(most_work, height);
            while let Some(id) = walk.filter(|id| index.height(*id) >= next) {
                path.push(id);
                walk = index.prev(id);
            }
            path.reverse();
            path
        };
        let in_memory = |id: &Option<BlockId>| id.is_some_and(|id| self.recent.contains(id));
        if in_memory(&index.ancestor(most_work, next)) {
            let until = (next + options.max_run as u32 - 1).min(target);
            let mut run = path_to(until);
            let count = run.iter().take_while(|id| self.recent.contains(**id)).count();
            run.truncate(count);
            *loader = None;
            if count < 2 || (options.stop_at_height > 0 && until >= options.stop_at_height) {
                return Ok(None);
            }
            let connected = self.connect_run(&run, None, session)?;
            if connected.is_none() {
                self.single_until = until;
            }
            return Ok(connected);
        }
        let usable = loader.as_ref().is_some_and(|loader| {
            index.height(loader.last()) >= next && index.is_ancestor(loader.last(), most_work)
        });
        if !usable {
            if left < FEW {
                return Ok(None);
            }
            let path = path_to(target.min(next + PATH - 1));
            *loader = BlockLoader::start(&shared.store, &shared.params, path);
        }
        let Some(reading) = loader else { return Ok(None) };
        let mut until = index.height(reading.last()).min(next + options.max_run as u32 - 1);
        if options.stop_at_height > 0 {
            until = until.min(options.stop_at_height.max(next));
        }
        let run = path_to(until);
        let connected = self.connect_run(&run, Some(reading), session)?;
        if connected.is_none() {
            // One by one from here; the loader has gone past the block that failed.
            *loader = None;
            self.single_until = until;
        }
        Ok(connected)
    }
}
