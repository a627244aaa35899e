//! State of the block and undo files: statistics, the place where the next block goes, and writes that wait to
//! be put on disk together.

use std::collections::BTreeSet;

use grs_leveldb::ObfuscationKey;
use grs_log::{Category, debug, warn};

use crate::flatfile::{Allocation, FlatFileSeq};
use crate::obfuscation::apply_at;
use crate::{BlockFileInfo, FilePos, StoreError};

/// Pending bytes are written when they are this many.
const PENDING_LIMIT: usize = 2 << 20;

/// Bytes that follow each other in one file and are not written yet.
#[derive(Default)]
pub(crate) struct Pending {
    file: u32,
    start: u32,
    data: Vec<u8>,
}

impl Pending {
    /// Appends bytes at a position, writing out first what does not lie before it.
    pub(crate) fn append(
        &mut self,
        seq: &FlatFileSeq,
        key: ObfuscationKey,
        pos: FilePos,
        parts: &[&[u8]],
    ) -> Result<(), StoreError> {
        let follows = pos.file == self.file && pos.pos as usize == self.start as usize + self.data.len();
        if !follows || self.data.len() >= PENDING_LIMIT {
            self.write_out(seq, key)?;
        }
        if self.data.is_empty() {
            (self.file, self.start) = (pos.file, pos.pos);
        }
        parts.iter().for_each(|part| self.data.extend_from_slice(part));
        Ok(())
    }

    /// Writes what waits. On failure it keeps waiting.
    pub(crate) fn write_out(&mut self, seq: &FlatFileSeq, key: ObfuscationKey) -> Result<(), StoreError> {
        if self.data.is_empty() {
            return Ok(());
        }
        let offset = u64::from(self.start);
        apply_at(key, offset, &mut self.data);
        let result = seq.open(self.file, false).and_then(|file| file.write_at(&self.data, offset));
        if let Err(error) = result {
            apply_at(key, offset, &mut self.data);
            return Err(StoreError::Io("write block data", error));
        }
        self.data.clear();
        Ok(())
    }

    /// Waiting bytes from a position on, not XORed.
    pub(crate) fn from(&self, pos: FilePos) -> Option<&[u8]> {
        let at = pos.pos.checked_sub(self.start)? as usize;
        (pos.file == self.file && at < self.data.len()).then(|| &self.data[at..])
    }
}

/// What [`crate::BlockStore`] keeps under its lock.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) infos: Vec<BlockFileInfo>,
    /// File that blocks are appended to.
    pub(crate) current: u32,
    /// Highest block of the current file whose undo data is written.
    pub(crate) undo_height: u32,
    pub(crate) dirty_files: BTreeSet<u32>,
    pub(crate) dirty_blocks: Vec<u32>,
    pub(crate) clean_after: usize,
    pub(crate) blocks: Pending,
    pub(crate) undo: Pending,
    pub(crate) check_for_pruning: bool,
    pub(crate) have_pruned: bool,
}

impl Files {
    /// Statistics of a file, made if they are missing.
    pub(crate) fn info_mut(&mut self, file: u32) -> &mut BlockFileInfo {
        let at = file as usize;
        if self.infos.len() <= at {
            self.infos.resize(at + 1, BlockFileInfo::default());
        }
        &mut self.infos[at]
    }

    pub(crate) fn mark_dirty(&mut self, block: u32) {
        if self.dirty_blocks.last() == Some(&block) {
            return;
        }
        self.dirty_blocks.push(block);
        if self.dirty_blocks.len() > self.clean_after.max(1 << 16) {
            self.dirty_blocks.sort_unstable();
            self.dirty_blocks.dedup();
            self.clean_after = self.dirty_blocks.len() * 2;
        }
    }

    /// Notes the result of an allocation.
    pub(crate) fn allocated(&mut self, allocation: Allocation, prune_mode: bool) -> Result<(), StoreError> {
        match allocation {
            Allocation::OutOfSpace => return Err(StoreError::OutOfSpace),
            Allocation::Extended(_) if prune_mode => self.check_for_pruning = true,
            Allocation::Extended(_) | Allocation::None => {}
        }
        Ok(())
    }
}

/// The two families of files and their key.
#[derive(Debug)]
pub(crate) struct Sequences {
    pub(crate) blocks: FlatFileSeq,
    pub(crate) undo: FlatFileSeq,
    pub(crate) key: ObfuscationKey,
}

impl Sequences {
    pub(crate) fn write_out(&self, files: &mut Files) -> Result<(), StoreError> {
        files.blocks.write_out(&self.blocks, self.key)?;
        files.undo.write_out(&self.undo, self.key)
    }

    /// Makes a pair of files durable.
    pub(crate) fn flush(
        &self,
        files: &mut Files,
        file: u32,
        finalize: bool,
        finalize_undo: bool,
    ) -> Result<(), StoreError> {
        self.write_out(files)?;
        let Some(info) = files.infos.get(file as usize).copied() else { return Ok(()) };
        let io = |e| StoreError::Io("flush block file", e);
        self.blocks.flush(file, finalize.then_some(info.size)).map_err(io)?;
        // The undo file of a full block file may still be growing: it is flushed with its last block.
        if !finalize || finalize_undo {
            self.undo.flush(file, finalize_undo.then_some(info.undo_size)).map_err(io)?;
        }
        Ok(())
    }

    /// Chooses the place of a block of `add` bytes, frame included, and makes room for it.
    pub(crate) fn next_block_pos(
        &self,
        files: &mut Files,
        add: u32,
        height: u32,
        time: u64,
        max_size: u32,
        prune_mode: bool,
    ) -> Result<FilePos, StoreError> {
        let last = files.current;
        let mut file = last;
        let mut finalize_undo = false;
        while files.info_mut(file).size.saturating_add(add) >= max_size {
            finalize_undo = files.infos[file as usize].height_last == files.undo_height;
            file += 1;
            (files.current, files.undo_height) = (file, 0);
        }
        let pos = FilePos::new(file, files.infos[file as usize].size);
        if file != last {
            debug!(
                Category::BlockStorage,
                "Leaving block file {}: {} (onto {}) (height {})",
                last,
                files.infos[last as usize],
                file,
                height
            );
            // What failed here concerns a file that is written already; the block itself can go on.
            if self.flush(files, last, true, finalize_undo).is_err() {
                warn!(
                    "Failed to flush previous block file {:05} (finalize=1, finalize_undo={}) before opening new \
                     block file {:05}",
                    last,
                    u8::from(finalize_undo),
                    file
                );
            }
        }
        let info = files.info_mut(file);
        info.add_block(height, time);
        info.size += add;
        files.dirty_files.insert(file);
        let allocation = self
            .blocks
            .allocate(pos, u64::from(add))
            .map_err(|e| StoreError::Io("allocate block file", e))?;
        files.allocated(allocation, prune_mode)?;
        Ok(pos)
    }
}
