//! Checking the last blocks of the chain at start or on request. Reference: `CVerifyDB`.

use grs_blockstore::BlockId;
use grs_consensus::check_block;
use grs_log::{error, info, warn};
use grs_sync::Job;

use crate::connect::{Disconnected, Place, Scripts, apply_block, disconnect_block};
use crate::{Chainstate, ChainstateManager, HeaderRef};

/// Default of `-checkblocks`.
pub const DEFAULT_CHECKBLOCKS: u32 = 6;
/// Default of `-checklevel`.
pub const DEFAULT_CHECKLEVEL: u32 = 3;

/// Result of [`ChainstateManager::verify`]. Reference: `VerifyDBResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyResult {
    /// No inconsistency.
    Success,
    /// Blocks or coins are damaged.
    CorruptedBlockDb,
    /// Shutdown was requested.
    Interrupted,
    /// The cache was too small for levels 3 and 4.
    SkippedL3Checks,
    /// Not all blocks are stored.
    SkippedMissingBlocks,
}

impl ChainstateManager {
    /// Checks the last `blocks` blocks (all for 0): level 0 reads them, 1 checks them, 2 checks undo data, 3 takes
    /// them back in memory, 4 connects them again.
    pub fn verify(&self, level: u32, blocks: u32) -> VerifyResult {
        self.shared.options.notifications.progress("Verifying blocks…", 0);
        let result = self.lock().verify(level, blocks);
        self.shared.options.notifications.progress("", 100);
        result
    }
}

impl Chainstate {
    fn verify(&mut self, level: u32, blocks: u32) -> VerifyResult {
        let best = self.coins.best_block();
        self.coins.begin();
        let result = self.verify_in_journal(level.min(4), blocks);
        // Nothing of this is to stay.
        self.coins.roll_back();
        self.coins.set_best_block(best);
        result
    }

    fn verify_in_journal(&mut self, level: u32, blocks: u32) -> VerifyResult {
        let shared = self.shared.clone();
        let (index, store, options) = (&shared.index, &shared.store, &shared.options);
        let view = self.view();
        let Some(tip) = view.tip().filter(|tip| index.prev(*tip).is_some()) else {
            return VerifyResult::Success;
        };
        let tip_height = index.height(tip);
        let depth = if blocks == 0 || blocks > tip_height { tip_height } else { blocks };
        info!("Verifying last {depth} blocks at level {level}");
        info!("Verification progress: 0%");
        let mut reported = 0;
        let mut report = |percent: f64| {
            let percent = (percent as i32).clamp(1, 99);
            if reported < percent / 10 {
                info!("Verification progress: {percent}%");
                reported = percent / 10;
            }
            options.notifications.progress("Verifying blocks…", percent);
        };
        let (mut good, mut failure) = (0, None::<BlockId>);
        let (mut skipped_l3, mut skipped_data) = (false, false);
        let mut at = tip;
        while let Some(prev) = index.prev(at) {
            let (height, hash) = (index.height(at), index.hash(at));
            report(f64::from(tip_height - height) / f64::from(depth) * if level >= 4 { 50.0 } else { 100.0 });
            if tip_height - height >= depth {
                break;
            }
            if store.is_prune_mode() && !index.status(at).have_data() {
                info!(
                    "Block verification stopping at height {height} (no data). This could be due to pruning or use of \
                     an assumeutxo snapshot."
                );
                skipped_data = true;
                break;
            }
            let Ok(block) = store.read_block(at) else {
                error!("Verification error: ReadBlock failed at {height}, hash={hash}");
                return VerifyResult::CorruptedBlockDb;
            };
            if level >= 1
                && let Err(rule) = check_block(&block, &shared.params.consensus, true, true)
            {
                error!("Verification error: found bad block at {height}, hash={hash} ({rule})");
                return VerifyResult::CorruptedBlockDb;
            }
            let undo =
                if level >= 2 && index.undo_pos(at).is_some() { store.read_undo(at).ok() } else { None };
            if level >= 2 && index.undo_pos(at).is_some() && undo.is_none() {
                error!("Verification error: found bad undo data at {height}, hash={hash}");
                return VerifyResult::CorruptedBlockDb;
            }
            if level >= 3 && !skipped_l3 {
                if self.coins.memory_usage() <= options.coins_cache_bytes {
                    let undo = undo.unwrap_or_default();
                    match disconnect_block(&mut self.coins, &block, undo, height) {
                        Ok(Disconnected::Clean) => good += block.txs.len(),
                        Ok(Disconnected::Unclean) => (good, failure) = (0, Some(at)),
                        _ => {
                            error!(
                                "Verification error: irrecoverable inconsistency in block data at {height}, hash={hash}"
                            );
                            return VerifyResult::CorruptedBlockDb;
                        }
                    }
                } else {
                    skipped_l3 = true;
                }
            }
            if options.interrupt.is_interrupted() {
                return VerifyResult::Interrupted;
            }
            at = prev;
        }
        if let Some(failure) = failure {
            error!(
                "Verification error: coin database inconsistencies found (last {} blocks, {good} good transactions \
                 before that)",
                tip_height - index.height(failure) + 1
            );
            return VerifyResult::CorruptedBlockDb;
        }
        if skipped_l3 {
            warn!(
                "Skipped verification of level >=3 (insufficient database cache size). Consider increasing -dbcache."
            );
        }
        let count = tip_height - index.height(at);
        if level >= 4 && !skipped_l3 {
            while let Some(next) = view.next(at) {
                let (height, hash) = (index.height(next), index.hash(next));
                report(100.0 - f64::from(tip_height - height) / f64::from(depth) * 50.0);
                let Ok(block) = store.read_block(next) else {
                    error!("Verification error: ReadBlock failed at {height}, hash={hash}");
                    return VerifyResult::CorruptedBlockDb;
                };
                let mut jobs = Vec::new();
                let mut scripts =
                    Scripts { jobs: Some(&mut jobs), cache: &shared.validation_cache, store: false };
                let place = Place { prev: HeaderRef::new(index, at), hash };
                let applied = apply_block(&mut self.coins, &block, &place, &shared.params, &mut scripts)
                    .map_err(|e| e.to_string())
                    .and_then(|_| {
                        jobs.into_iter()
                            .try_for_each(Job::run)
                            .map_err(|failure| grs_consensus::BlockRule::from(failure).to_string())
                    });
                if let Err(error) = applied {
                    error!(
                        "Verification error: found unconnectable block at {height}, hash={hash} ({error})"
                    );
                    return VerifyResult::CorruptedBlockDb;
                }
                if options.interrupt.is_interrupted() {
                    return VerifyResult::Interrupted;
                }
                at = next;
            }
        }
        info!("Verification: No coin database inconsistencies in last {count} blocks ({good} transactions)");
        match (skipped_l3, skipped_data) {
            (true, _) => VerifyResult::SkippedL3Checks,
            (false, true) => VerifyResult::SkippedMissingBlocks,
            (false, false) => VerifyResult::Success,
        }
    }
}
