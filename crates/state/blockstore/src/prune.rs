//! Removing old block files. Reference: the `Prune` functions of `src/node/blockstorage.cpp`.

use std::collections::{BTreeMap, BTreeSet};

use grs_log::{Category, debug, info};

use crate::store::{BLOCKFILE_CHUNK_SIZE, UNDOFILE_CHUNK_SIZE};
use crate::{BlockFileInfo, BlockId, BlockIndex, BlockStatus, BlockStore, BlockStoreOptions, StoreError};

/// The smallest target of automatic pruning, in bytes.
const MIN_DISK_SPACE_FOR_BLOCK_FILES: u64 = 550 << 20;

impl BlockStore {
    /// Whether blocks may be pruned at all.
    pub fn is_prune_mode(&self) -> bool {
        self.options.prune_target > 0
    }

    /// Whether any block file was ever pruned.
    pub fn have_pruned(&self) -> bool {
        self.files().have_pruned
    }

    /// Notes in the database that block files were pruned.
    ///
    /// # Errors
    /// If the database fails.
    pub fn set_have_pruned(&self) -> Result<(), StoreError> {
        if !self.have_pruned() {
            self.db.write_flag("prunedblockfiles", true)?;
            self.files().have_pruned = true;
        }
        Ok(())
    }

    /// Whether a block was known and its file pruned.
    pub fn is_block_pruned(&self, id: BlockId) -> bool {
        self.have_pruned() && !self.index.status(id).have_data() && self.index.tx_count(id) > 0
    }

    /// Whether the files should be looked at for pruning: set when they grew, taken by the answer `true`.
    pub fn take_check_for_pruning(&self) -> bool {
        std::mem::take(&mut self.files().check_for_pruning)
    }

    /// Asks for a look at the files.
    pub fn request_prune_check(&self) {
        self.files().check_for_pruning = true;
    }

    /// Whether a look at the files is due.
    pub fn prune_check_due(&self) -> bool {
        self.files().check_for_pruning
    }

    /// Files that a manual prune up to `last_height` (both bounds included) may remove; their entries are marked.
    pub fn prune_files_manual(&self, first_height: u32, last_height: u32) -> BTreeSet<u32> {
        let chosen: BTreeSet<u32> =
            self.prunable_files(first_height, last_height).into_iter().map(|(n, _)| n).collect();
        self.forget_files(&chosen);
        info!(
            "[validated] Prune (Manual): prune_height={last_height} removed {} blk/rev pairs",
            chosen.len()
        );
        chosen
    }

    /// Files to remove to stay below the target; their entries are marked. `reserve` is room to leave for what
    /// comes before the next look.
    pub fn prune_files_auto(&self, first_height: u32, last_height: u32, reserve: u64) -> BTreeSet<u32> {
        let target = self.options.prune_target.max(MIN_DISK_SPACE_FOR_BLOCK_FILES);
        if self.options.prune_target == BlockStoreOptions::PRUNE_MANUAL {
            return BTreeSet::new();
        }
        let buffer = BLOCKFILE_CHUNK_SIZE + UNDOFILE_CHUNK_SIZE;
        let mut usage = self.current_usage();
        let mut chosen = BTreeSet::new();
        if usage + buffer >= target {
            let buffer = buffer.saturating_add(reserve);
            for (file, info) in self.prunable_files(first_height, last_height) {
                if usage.saturating_add(buffer) < target {
                    break;
                }
                chosen.insert(file);
                usage -= u64::from(info.size) + u64::from(info.undo_size);
            }
        }
        self.forget_files(&chosen);
        debug!(
            Category::Prune,
            "[validated] target={}MiB actual={}MiB diff={}MiB min_height={} max_prune_height={} removed {} blk/rev pairs",
            target >> 20,
            usage >> 20,
            (target as i64 - usage as i64) / (1 << 20),
            first_height,
            last_height,
            chosen.len()
        );
        chosen
    }

    fn prunable_files(&self, first_height: u32, last_height: u32) -> Vec<(u32, BlockFileInfo)> {
        let files = self.files();
        let below_current = files.infos.iter().take(files.current as usize).enumerate();
        below_current
            .filter(|(_, info)| {
                info.size > 0 && info.height_last <= last_height && info.height_first >= first_height
            })
            .map(|(n, info)| (n as u32, *info))
            .collect()
    }

    /// Marks the blocks of files as not stored any more.
    fn forget_files(&self, chosen: &BTreeSet<u32>) {
        if chosen.is_empty() {
            return;
        }
        let mut files = self.files();
        for id in self.index.ids() {
            let status = self.index.status(id);
            let stored = status.have_data() || status.have_undo();
            if stored && chosen.contains(&self.index.file(id)) {
                self.index.set_status(id, status.without(BlockStatus::HAVE_DATA | BlockStatus::HAVE_UNDO));
                self.index.set_data_pos(id, crate::FilePos::new(0, 0));
                self.index.set_undo_pos(id, 0);
                files.mark_dirty(id.0);
            }
        }
        for file in chosen {
            *files.info_mut(*file) = BlockFileInfo::default();
            files.dirty_files.insert(*file);
        }
    }

    /// Removes files from the disk.
    pub fn unlink_files(&self, chosen: &BTreeSet<u32>) {
        for file in chosen {
            // Both, whatever the first removal says.
            if self.seqs.blocks.remove(*file) | self.seqs.undo.remove(*file) {
                debug!(Category::BlockStorage, "Prune: UnlinkPrunedFiles deleted blk/rev ({file:05})");
            }
        }
    }

    /// Removes files that were pruned before but are still there, after a crash.
    pub fn unlink_already_pruned(&self) {
        if self.have_pruned() {
            let empty: BTreeSet<u32> = {
                let files = self.files();
                let below_current = files.infos.iter().take(files.current as usize).enumerate();
                below_current.filter(|(_, info)| info.size == 0).map(|(n, _)| n as u32).collect()
            };
            self.unlink_files(&empty);
        }
    }

    /// Before a reindex in prune mode: removes all undo files, and block files behind a gap.
    pub(crate) fn cleanup_block_rev_files(&self) {
        info!("Removing unusable blk?????.dat and rev?????.dat files for -reindex with -prune");
        let dir = &self.options.blocks_dir;
        let mut blocks = BTreeMap::new();
        for entry in self.env.list(dir).unwrap_or_default() {
            let Some(name) = entry.name.to_str().filter(|n| n.len() == 12 && n.ends_with(".dat")) else {
                continue;
            };
            if let Some(number) = name.strip_prefix("blk") {
                blocks.insert(number[..5].to_owned(), dir.join(name));
            } else if name.starts_with("rev") {
                // What cannot be removed is written over.
                let _ = self.env.remove_file(&dir.join(name));
            }
        }
        let mut expected = 0;
        for (number, path) in blocks {
            if number.parse() == Ok(expected) {
                expected += 1;
            } else {
                let _ = self.env.remove_file(&path);
            }
        }
    }

    /// Lowest block of a run, ending in `upper`, whose members all have the bits of `mask`; the search ends at
    /// `lower`. `None` if `upper` itself lacks them. Reference: `BlockManager::GetFirstBlock`.
    pub fn first_block(&self, upper: BlockId, mask: BlockStatus, lower: Option<BlockId>) -> Option<BlockId> {
        let index: &BlockIndex = &self.index;
        if !index.status(upper).contains(mask) {
            return None;
        }
        let mut last = upper;
        while let Some(prev) = index.prev(last).filter(|prev| index.status(*prev).contains(mask)) {
            if lower == Some(last) {
                break;
            }
            last = prev;
        }
        Some(last)
    }

    /// Whether all blocks from `lower` to `upper` have the bits of `mask` (the genesis block needs no undo data).
    /// Reference: `BlockManager::CheckBlockDataAvailability`.
    pub fn check_data_availability(&self, upper: BlockId, lower: BlockId, mask: BlockStatus) -> bool {
        let Some(first) = self.first_block(upper, mask, Some(lower)) else { return false };
        let index = &self.index;
        if mask.contains(BlockStatus::HAVE_UNDO) && index.height(lower) == 0 && index.height(first) == 1 {
            let rest = mask.without(BlockStatus::HAVE_UNDO);
            return index.prev(first).is_some_and(|genesis| index.status(genesis).0 & rest.0 != 0);
        }
        first == lower
    }
}
