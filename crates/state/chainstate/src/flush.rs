//! Writing to disk, and pruning. Reference: `FlushStateToDisk`.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use grs_blockstore::{StoreError, check_disk_space};
use grs_log::{Category, debug, warn};
use grs_sync::clock;

use crate::accept::MIN_BLOCKS_TO_KEEP;
use crate::signals::Event;
use crate::{CacheSizeState, Chainstate, FatalError};

/// Blocks kept below the deepest prune lock.
const PRUNE_LOCK_BUFFER: i64 = 10;
/// Time between periodic writes, and how much longer it may be.
const WRITE_INTERVAL: Duration = Duration::from_secs(50 * 60);
const WRITE_INTERVAL_SPREAD: u64 = 20 * 60;

/// When [`Chainstate::flush_state`] writes. Reference: `FlushStateMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// Only what pruning needs.
    None,
    /// When the cache is over its limit.
    IfNeeded,
    /// Also when it is nearly full, and when enough time has gone by.
    Periodic,
    /// Always, keeping the cache.
    ForceSync,
    /// Always, emptying the cache.
    ForceFlush,
}

impl FlushMode {
    const fn name(self) -> &'static str {
        match self {
            FlushMode::None => "NONE",
            FlushMode::IfNeeded => "IF_NEEDED",
            FlushMode::Periodic => "PERIODIC",
            FlushMode::ForceSync => "FORCE_SYNC",
            FlushMode::ForceFlush => "FORCE_FLUSH",
        }
    }
}

/// Lowest block that an index still needs, by the index's name.
pub type PruneLocks = HashMap<String, i64>;

impl Chainstate {
    /// Sets the lowest height that `name` still needs.
    pub fn update_prune_lock(&mut self, name: &str, height_first: i64) {
        self.prune_locks.insert(name.to_owned(), height_first);
    }

    /// Lets prune locks at or above a disconnected tip follow it.
    pub(crate) fn lower_prune_locks(&mut self, disconnected_height: u32) {
        let highest = i64::from(disconnected_height) - 1;
        for (name, first) in self.prune_locks.iter_mut().filter(|(_, first)| **first > highest) {
            *first = highest;
            debug!(Category::Prune, "{name} prune lock moved back to {highest}");
        }
    }

    /// Bytes the coins may use: the cache, and what the mempool leaves.
    pub(crate) fn coins_limit(&self) -> usize {
        let usage = self.shared.mempool.get().map(|hook| hook.usage()).unwrap_or_default();
        self.shared.options.coins_cache_bytes + usage.max.saturating_sub(usage.used)
    }

    fn choose_files_to_prune(&mut self, manual: Option<u32>) -> BTreeSet<u32> {
        let store = self.shared.store.clone();
        let (view, mut last) = (self.view(), i64::from(self.height()));
        let mut limiting = None;
        for (name, first) in self.prune_locks.iter().filter(|(_, first)| **first != i64::MAX) {
            let lock = first - PRUNE_LOCK_BUFFER - 1;
            last = last.min(lock).max(1);
            if last == lock {
                limiting = Some(name);
            }
        }
        if let Some(name) = limiting {
            debug!(Category::Prune, "{name} limited pruning to height {last}");
        }
        let deepest = (i64::from(view.height()) - i64::from(MIN_BLOCKS_TO_KEEP)).max(0);
        let clamp = |height: i64| if view.height() <= 0 { 0 } else { height.min(deepest).max(0) as u32 };
        if let Some(height) = manual {
            return store.prune_files_manual(0, clamp(last.min(i64::from(height))));
        }
        store.take_check_for_pruning();
        if i64::from(view.height()) <= self.shared.params.prune_after_height as i64 {
            return BTreeSet::new();
        }
        let mut reserve = 0;
        if let Some(best) = self.best_header().filter(|_| self.is_initial_block_download()) {
            // Blocks of a megabyte each until the next look, as the reference assumes.
            let remaining = i64::from(self.shared.index.height(best)) - i64::from(view.height());
            reserve = remaining.max(0) as u64 * 1_000_000;
        }
        store.prune_files_auto(0, clamp(last), reserve)
    }

    /// Writes blocks, then the index, then coins, as far as `mode` and the state of things ask for it. With
    /// `manual_prune` block files up to that height are removed.
    ///
    /// # Errors
    /// If the disk is full or fails; the node was told.
    pub fn flush_state(&mut self, mode: FlushMode, manual_prune: Option<u32>) -> Result<(), FatalError> {
        self.flush_inner(mode, manual_prune).inspect_err(|error| {
            self.shared.options.notifications.fatal_error(&error.0);
        })
    }

    fn flush_inner(&mut self, mode: FlushMode, manual_prune: Option<u32>) -> Result<(), FatalError> {
        let shared = self.shared.clone();
        let store = &shared.store;
        let system = |e: StoreError| FatalError(format!("System error while flushing: {e}"));
        let mut pruned = BTreeSet::new();
        if store.is_prune_mode()
            && (store.prune_check_due() || manual_prune.is_some_and(|h| h > 0))
            && store.blockfiles_indexed()
        {
            pruned = self.choose_files_to_prune(manual_prune.filter(|h| *h > 0));
            if !pruned.is_empty() {
                store.set_have_pruned().map_err(system)?;
            }
        }
        let cache = match mode {
            FlushMode::IfNeeded | FlushMode::Periodic => self.coins.size_state(self.coins_limit()),
            _ => CacheSizeState::Ok,
        };
        let now = clock::now();
        let large = mode == FlushMode::Periodic && cache >= CacheSizeState::Large;
        let critical = mode == FlushMode::IfNeeded && cache >= CacheSizeState::Critical;
        let periodic = mode == FlushMode::Periodic && self.next_write.is_some_and(|at| now >= at);
        let empty = mode == FlushMode::ForceFlush || large || critical;
        let write = mode == FlushMode::ForceSync || empty || periodic || !pruned.is_empty();
        if write {
            debug!(
                Category::CoinDb,
                "Writing chainstate to disk: flush mode={}, prune={}, large={}, critical={}, periodic={}",
                mode.name(),
                u8::from(!pruned.is_empty()),
                u8::from(large),
                u8::from(critical),
                u8::from(periodic)
            );
            let too_low = || FatalError("Disk space is too low!".into());
            if !check_disk_space(&*shared.options.env, &shared.options.blocks_dir, 0) {
                return Err(too_low());
            }
            if let Err(error) = store.flush_current() {
                warn!("FlushStateToDisk: Failed to flush block file.");
                shared.options.notifications.flush_error(&format!(
                    "Flushing block file to disk failed. This is likely the result of an I/O error. ({error})"
                ));
            }
            store.write_index().map_err(system)?;
            store.unlink_files(&pruned);
            if !self.coins.best_block().is_zero() {
                let room = 48 * 2 * 2 * self.coins.dirty_count() as u64;
                if !check_disk_space(&*shared.options.env, &shared.options.data_dir, room) {
                    return Err(too_low());
                }
                self.coins
                    .flush(empty)
                    .map_err(|e| FatalError(format!("System error while flushing: {e}")))?;
                shared.signals.push([Event::Flushed(self.view().locator())]);
            }
        }
        if write || self.next_write.is_none() {
            use std::hash::{BuildHasher, RandomState};
            // Spread out, so that nodes do not write all at the same time.
            let spread = RandomState::new().hash_one(now) % WRITE_INTERVAL_SPREAD;
            self.next_write = Some(now + WRITE_INTERVAL + Duration::from_secs(spread));
        }
        Ok(())
    }
}
