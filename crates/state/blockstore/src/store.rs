//! Writing and reading blocks and undo data. Reference: `BlockManager` (`src/node/blockstorage.cpp`).

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grs_encoding::{Decode, Encode, MAX_SIZE, Reader};
use grs_fs::FileEnv;
use grs_hashes::purpose::undo_checksum;
use grs_leveldb::Store;
use grs_log::{error, warn};
use grs_primitives::Block;

use crate::files::{Files, Sequences};
use crate::flatfile::FlatFileSeq;
use crate::obfuscation::{apply_at, load_or_create_key};
use crate::record::DiskBlockIndex;
use crate::{
    BlockFileInfo, BlockId, BlockIndex, BlockStatus, BlockTreeDb, BlockUndo, FilePos, ReadError, StoreError,
};

/// blk files grow in steps of this size.
pub const BLOCKFILE_CHUNK_SIZE: u64 = 16 << 20;
/// rev files grow in steps of this size.
pub const UNDOFILE_CHUNK_SIZE: u64 = 1 << 20;
/// A blk file is smaller than this.
pub const MAX_BLOCKFILE_SIZE: u32 = 128 << 20;
/// Bytes before each stored block: network magic and length.
pub const STORAGE_HEADER_BYTES: u32 = 8;
/// Bytes around each stored undo record: the same header, and the checksum.
pub const UNDO_DATA_DISK_OVERHEAD: u32 = STORAGE_HEADER_BYTES + 32;

/// How to open a [`BlockStore`].
#[derive(Clone, Debug)]
pub struct BlockStoreOptions {
    /// Directory of the block files.
    pub blocks_dir: PathBuf,
    /// The network's message start, which frames each block.
    pub magic: [u8; 4],
    /// `-blocksxor`: a fresh directory gets a random key.
    pub use_xor: bool,
    /// `-fastprune`: files of 64 KiB.
    pub fast_prune: bool,
    /// `-prune` target in bytes; 0 keeps everything, [`BlockStoreOptions::PRUNE_MANUAL`] prunes on request only.
    pub prune_target: u64,
    /// The index database was wiped to be built again.
    pub reindex: bool,
}

impl BlockStoreOptions {
    /// Value of `prune_target` for pruning on request only.
    pub const PRUNE_MANUAL: u64 = u64::MAX;

    /// The reference's defaults.
    pub fn new(blocks_dir: impl Into<PathBuf>, magic: [u8; 4]) -> BlockStoreOptions {
        BlockStoreOptions {
            blocks_dir: blocks_dir.into(),
            magic,
            use_xor: true,
            fast_prune: false,
            prune_target: 0,
            reindex: false,
        }
    }
}

/// Blocks and undo data on disk, and the index in memory and in its database.
pub struct BlockStore {
    pub(crate) env: Arc<dyn FileEnv>,
    pub(crate) options: BlockStoreOptions,
    pub(crate) seqs: Sequences,
    pub(crate) index: Arc<BlockIndex>,
    pub(crate) db: BlockTreeDb,
    pub(crate) files: Mutex<Files>,
    /// False while a reindex is not finished.
    blockfiles_indexed: AtomicBool,
    importing: AtomicBool,
}

impl BlockStore {
    /// Opens the directory (made if missing), then the index database: its directory, which may lie within, would
    /// make a fresh directory look used.
    ///
    /// # Errors
    /// If the directory or its key cannot be used, or the database fails.
    pub fn open(
        env: Arc<dyn FileEnv>,
        options: BlockStoreOptions,
        open_db: impl FnOnce() -> grs_leveldb::Result<Arc<dyn Store>>,
    ) -> Result<BlockStore, StoreError> {
        let dir = &options.blocks_dir;
        env.create_dir_all(dir).map_err(|e| StoreError::Io("create blocks directory", e))?;
        let key = load_or_create_key(&*env, dir, options.use_xor)?;
        let chunk = if options.fast_prune { 16 << 10 } else { BLOCKFILE_CHUNK_SIZE };
        let seqs = Sequences {
            blocks: FlatFileSeq::new(env.clone(), dir, "blk", chunk),
            undo: FlatFileSeq::new(env.clone(), dir, "rev", UNDOFILE_CHUNK_SIZE),
            key,
        };
        let store = BlockStore {
            env,
            seqs,
            index: Arc::new(BlockIndex::new()),
            db: BlockTreeDb::new(open_db()?),
            files: Mutex::default(),
            blockfiles_indexed: AtomicBool::new(true),
            importing: AtomicBool::new(false),
            options,
        };
        if store.options.reindex {
            store.db.write_reindexing(true)?;
            store.set_blockfiles_indexed(false);
            if store.is_prune_mode() {
                store.cleanup_block_rev_files();
            }
        }
        Ok(store)
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index in memory.
    pub fn index(&self) -> &Arc<BlockIndex> {
        &self.index
    }

    /// The index database.
    pub fn db(&self) -> &BlockTreeDb {
        &self.db
    }

    /// The options it was opened with.
    pub fn options(&self) -> &BlockStoreOptions {
        &self.options
    }

    /// The block files.
    pub fn block_files(&self) -> &FlatFileSeq {
        &self.seqs.blocks
    }

    /// Whether all block files are in the index: false while a reindex is not finished.
    pub fn blockfiles_indexed(&self) -> bool {
        self.blockfiles_indexed.load(Ordering::Relaxed)
    }

    /// Sets [`BlockStore::blockfiles_indexed`].
    pub fn set_blockfiles_indexed(&self, indexed: bool) {
        self.blockfiles_indexed.store(indexed, Ordering::Relaxed);
    }

    /// Whether blocks are being imported from files.
    pub fn importing(&self) -> bool {
        self.importing.load(Ordering::Relaxed)
    }

    /// Sets [`BlockStore::importing`].
    pub fn set_importing(&self, importing: bool) {
        self.importing.store(importing, Ordering::Relaxed);
    }

    /// Whether a reindex or an import goes on.
    pub fn loading_blocks(&self) -> bool {
        self.importing() || !self.blockfiles_indexed()
    }

    /// Appends a serialized block; it is on disk after [`BlockStore::write_out`]. Returns where the block itself
    /// (behind its frame) begins.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn write_block(&self, block: &[u8], height: u32, time: u32) -> Result<FilePos, StoreError> {
        let mut files = self.files();
        let size = u32::try_from(block.len()).map_err(|_| StoreError::Corrupt("block too large".into()))?;
        let add = size + STORAGE_HEADER_BYTES;
        let mut max_size = MAX_BLOCKFILE_SIZE;
        if self.options.fast_prune {
            // A block larger than a small file still has to fit.
            max_size = (64 << 10).max(add + 1);
        }
        let pos = self.seqs.next_block_pos(
            &mut files,
            add,
            height,
            u64::from(time),
            max_size,
            self.is_prune_mode(),
        )?;
        let frame = self.frame(size);
        files.blocks.append(&self.seqs.blocks, self.seqs.key, pos, &[&frame, block])?;
        Ok(FilePos::new(pos.file, pos.pos + STORAGE_HEADER_BYTES))
    }

    fn frame(&self, size: u32) -> [u8; 8] {
        let (m, n) = (self.options.magic, size.to_le_bytes());
        [m[0], m[1], m[2], m[3], n[0], n[1], n[2], n[3]]
    }

    /// Counts a block that lies in a block file already (reindex).
    pub fn update_block_info(&self, size: u32, height: u32, time: u32, pos: FilePos) {
        let mut files = self.files();
        if files.current < pos.file {
            (files.current, files.undo_height) = (pos.file, 0);
        }
        let info = files.info_mut(pos.file);
        info.add_block(height, u64::from(time));
        info.size = info.size.max(pos.pos.saturating_add(size));
        files.dirty_files.insert(pos.file);
    }

    /// Appends a block's undo data and notes it in the index; does nothing if it is there already.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn write_undo(&self, id: BlockId, undo: &BlockUndo) -> Result<(), StoreError> {
        if self.index.status(id).have_undo() {
            return Ok(());
        }
        let Some(prev) = self.index.prev(id) else { return Ok(()) };
        let mut data = Vec::with_capacity(64);
        undo.encode(&mut data);
        let checksum = undo_checksum(&self.index.hash(prev), &data);
        let (file, height) = (self.index.file(id), self.index.height(id));
        let mut files = self.files();
        let add = data.len() as u32 + UNDO_DATA_DISK_OVERHEAD;
        let info = files.info_mut(file);
        let pos = FilePos::new(file, info.undo_size);
        info.undo_size += add;
        files.dirty_files.insert(file);
        let allocation = self
            .seqs
            .undo
            .allocate(pos, u64::from(add))
            .map_err(|e| StoreError::Io("allocate undo file", e))?;
        files.allocated(allocation, self.is_prune_mode())?;
        let frame = self.frame(data.len() as u32);
        files.undo.append(&self.seqs.undo, self.seqs.key, pos, &[&frame, &data, &checksum])?;
        // Undo data comes in chain order, blocks as they arrive: a full block file's undo file is done with its
        // highest block. For the current file `next_block_pos` looks at the same number.
        if file < files.current && height == files.info_mut(file).height_last {
            let undo_size = files.info_mut(file).undo_size;
            let flushed = self.seqs.write_out(&mut files).is_ok()
                && self.seqs.undo.flush(file, Some(undo_size)).is_ok();
            if !flushed {
                warn!("Failed to flush undo file {file:05}");
            }
        } else if file == files.current && height > files.undo_height {
            files.undo_height = height;
        }
        self.index.set_undo_pos(id, pos.pos + STORAGE_HEADER_BYTES);
        self.index.set_status(id, self.index.status(id) | BlockStatus::HAVE_UNDO);
        files.mark_dirty(id.0);
        Ok(())
    }

    /// Hands waiting blocks and undo data to the operating system (no sync).
    ///
    /// # Errors
    /// If the disk fails.
    pub fn write_out(&self) -> Result<(), StoreError> {
        self.seqs.write_out(&mut self.files())
    }

    /// Makes the current block and undo file durable.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn flush_current(&self) -> Result<(), StoreError> {
        let mut files = self.files();
        let current = files.current;
        self.seqs.flush(&mut files, current, false, false)
    }

    /// Notes that an entry has to be written to the database.
    pub fn mark_dirty(&self, id: BlockId) {
        self.files().mark_dirty(id.0);
    }

    /// Sets an entry's status and marks it dirty.
    pub fn set_status(&self, id: BlockId, status: BlockStatus) {
        self.index.set_status(id, status);
        self.mark_dirty(id);
    }

    /// The entry as the database stores it.
    pub fn disk_index(&self, id: BlockId) -> DiskBlockIndex {
        let (data_pos, undo_pos) = self.index.raw_positions(id);
        DiskBlockIndex {
            height: self.index.height(id),
            status: self.index.status(id),
            tx_count: self.index.tx_count(id),
            file: self.index.file(id),
            data_pos,
            undo_pos,
            header: *self.index.header(id).header(),
        }
    }

    /// Writes changed entries and file statistics to the database, synced.
    ///
    /// # Errors
    /// If the database fails; then everything stays marked.
    pub fn write_index(&self) -> Result<(), StoreError> {
        let mut files = self.files();
        files.dirty_blocks.sort_unstable();
        files.dirty_blocks.dedup();
        let infos = files.dirty_files.iter().filter_map(|n| Some((*n, files.infos.get(*n as usize)?)));
        let blocks =
            files.dirty_blocks.iter().map(|n| (self.index.hash(BlockId(*n)), self.disk_index(BlockId(*n))));
        self.db.write_batch(infos, files.current, blocks)?;
        files.dirty_files.clear();
        files.dirty_blocks = Vec::new();
        files.clean_after = 0;
        Ok(())
    }

    /// Statistics of a block file.
    pub fn file_info(&self, file: u32) -> Option<BlockFileInfo> {
        self.files().infos.get(file as usize).copied()
    }

    /// Number of the file blocks are appended to.
    pub fn current_file(&self) -> u32 {
        self.files().current
    }

    /// Bytes that block and undo files use.
    pub fn current_usage(&self) -> u64 {
        self.files().infos.iter().map(|info| u64::from(info.size) + u64::from(info.undo_size)).sum()
    }

    /// The bytes of a stored block, not parsed.
    ///
    /// # Errors
    /// If it is not there or damaged; that is logged.
    pub fn read_raw(&self, id: BlockId) -> Result<Vec<u8>, ReadError> {
        // The reference shows a position that is not set as a null one.
        let pos = self.index.data_pos(id).ok_or_else(|| {
            error!("Failed for FlatFilePos(nFile=-1, nPos=0) while reading raw block storage header");
            ReadError::Io
        })?;
        self.read_raw_at(pos, None)
    }

    /// `size` bytes of a stored block from `offset` on.
    ///
    /// # Errors
    /// If the block is not there, or the part is empty or lies outside it.
    pub fn read_raw_part(&self, id: BlockId, offset: usize, size: usize) -> Result<Vec<u8>, ReadError> {
        let pos = self.index.data_pos(id).ok_or(ReadError::Io)?;
        self.read_raw_at(pos, Some((offset, size)))
    }

    /// The bytes of the block at a position in the block files, or a part (offset, size) of them.
    ///
    /// # Errors
    /// As [`BlockStore::read_raw`].
    pub fn read_raw_at(&self, pos: FilePos, part: Option<(usize, usize)>) -> Result<Vec<u8>, ReadError> {
        if pos.pos < STORAGE_HEADER_BYTES {
            error!("Failed for {pos} while reading raw block storage header");
            return Err(ReadError::Io);
        }
        let start = FilePos::new(pos.file, pos.pos - STORAGE_HEADER_BYTES);
        if let Some(pending) = self.files().blocks.from(start) {
            let size = self.check_frame(pending, pos)?;
            let (from, len) = check_part(size, part)?;
            return Ok(pending.get(8 + from..8 + from + len).ok_or(ReadError::Io)?.to_vec());
        }
        let Ok(file) = self.seqs.blocks.open(pos.file, true) else {
            error!("OpenBlockFile failed for {pos} while reading raw block");
            return Err(ReadError::Io);
        };
        // Most blocks are small: the frame and the block come with one read.
        let mut head = [0; 2048];
        let read =
            file.read_at(&mut head, u64::from(start.pos)).map_err(|e| read_failed(&e.to_string(), pos))?;
        let head = &mut head[..read];
        apply_at(self.seqs.key, u64::from(start.pos), head);
        let size = self.check_frame(head, pos)?;
        let (from, len) = check_part(size, part)?;
        if let Some(data) = head.get(8 + from..8 + from + len) {
            return Ok(data.to_vec());
        }
        let offset = u64::from(pos.pos) + from as u64;
        let mut data = vec![0; len];
        file.read_exact_at(&mut data, offset).map_err(|e| read_failed(&e.to_string(), pos))?;
        apply_at(self.seqs.key, offset, &mut data);
        Ok(data)
    }

    /// Checks a frame and returns the size of what it holds.
    pub(crate) fn check_frame(&self, head: &[u8], pos: FilePos) -> Result<usize, ReadError> {
        let Some(frame) = head.first_chunk::<8>() else {
            return Err(read_failed("AutoFile::read: end of file: iostream error", pos));
        };
        if frame[..4] != self.options.magic {
            error!(
                "Block magic mismatch for {}: {} versus expected {} while reading raw block",
                pos,
                grs_encoding::hex_encode(&frame[..4]),
                grs_encoding::hex_encode(self.options.magic)
            );
            return Err(ReadError::Io);
        }
        let size = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
        if u64::from(size) > MAX_SIZE {
            error!(
                "Block data is larger than maximum deserialization size for {pos}: {size} versus {MAX_SIZE} while \
                 reading raw block"
            );
            return Err(ReadError::Io);
        }
        Ok(size as usize)
    }

    /// Reads and decodes a block, with the hash from the index.
    ///
    /// # Errors
    /// If it is not there, damaged, or not the block of the index; that is logged.
    pub fn read_block(&self, id: BlockId) -> Result<Block, ReadError> {
        let data = self.read_raw(id)?;
        let header = self.index.header(id);
        Block::decode_known(&mut Reader::new(&data), &header).map_err(|e| {
            let pos = self.index.data_pos(id).unwrap_or(FilePos::new(0, 0));
            error!("Deserialize or I/O error - {e} at {pos} while reading block");
            ReadError::Io
        })
    }

    /// Reads a block's undo data.
    ///
    /// # Errors
    /// If it is not there or damaged; that is logged.
    pub fn read_undo(&self, id: BlockId) -> Result<BlockUndo, ReadError> {
        let data = self.read_undo_raw(id)?;
        BlockUndo::decode(&mut Reader::new(&data)).map_err(|e| {
            error!("Deserialize or I/O error - {e} while reading block undo");
            ReadError::Io
        })
    }

    fn read_undo_raw(&self, id: BlockId) -> Result<Vec<u8>, ReadError> {
        let (Some(pos), Some(prev)) = (self.index.undo_pos(id), self.index.prev(id)) else {
            error!("OpenUndoFile failed for FlatFilePos(nFile=-1, nPos=0) while reading block undo");
            return Err(ReadError::Io);
        };
        let failed = |text: &str| {
            error!("Deserialize or I/O error - {text} at {pos} while reading block undo");
            ReadError::Io
        };
        let start = pos.pos.checked_sub(STORAGE_HEADER_BYTES).ok_or_else(|| failed("position"))?;
        let start = FilePos::new(pos.file, start);
        let mut data;
        let pending = self.files().undo.from(start).map(<[u8]>::to_vec);
        let size = |head: &[u8]| {
            let size = head.get(4..8).and_then(|n| n.first_chunk()).map(|n| u32::from_le_bytes(*n))?;
            (u64::from(size) <= MAX_SIZE).then_some(size as usize)
        };
        if let Some(bytes) = pending {
            let len = size(&bytes).ok_or_else(|| failed("size"))?;
            data = bytes.get(8..8 + len + 32).ok_or_else(|| failed("end of file"))?.to_vec();
        } else {
            let Ok(file) = self.seqs.undo.open(pos.file, true) else {
                error!("OpenUndoFile failed for {pos} while reading block undo");
                return Err(ReadError::Io);
            };
            let read = |len: usize, offset: u32| {
                let mut bytes = vec![0; len];
                file.read_exact_at(&mut bytes, u64::from(offset)).map_err(|e| failed(&e.to_string()))?;
                apply_at(self.seqs.key, u64::from(offset), &mut bytes);
                Ok(bytes)
            };
            let len = size(&read(8, start.pos)?).ok_or_else(|| failed("size"))?;
            let there = file.len().map_err(|e| failed(&e.to_string()))?;
            if u64::from(pos.pos) + len as u64 + 32 > there {
                return Err(failed("AutoFile::read: end of file: iostream error"));
            }
            data = read(len + 32, pos.pos)?;
        }
        let checksum = data.split_off(data.len() - 32);
        if checksum != undo_checksum(&self.index.hash(prev), &data) {
            error!("Checksum mismatch at {pos} while reading block undo");
            return Err(ReadError::Io);
        }
        Ok(data)
    }
}

fn read_failed(text: &str, pos: FilePos) -> ReadError {
    error!("Read from block file failed: {text} for {pos} while reading raw block");
    ReadError::Io
}

fn check_part(size: usize, part: Option<(usize, usize)>) -> Result<(usize, usize), ReadError> {
    match part {
        None => Ok((0, size)),
        Some((offset, len)) if len > 0 && offset.saturating_add(len) <= size => Ok((offset, len)),
        Some(_) => Err(ReadError::BadPartRange),
    }
}
