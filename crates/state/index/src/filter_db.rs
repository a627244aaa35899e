//! Records and files of the block filter index.
//!
//! `t` and the height (big-endian): block hash and entry, for the chain that the index follows. `s` and the block hash: entry,
//! for blocks that have left it. An entry is the filter's hash, its header, and where it lies in `fltr?????.dat`. `P`: where
//! the next filter will lie. `B`: locator of the last committed block.

use std::path::PathBuf;
use std::sync::Arc;

use grs_blockstore::{Allocation, FilePos, FlatFileSeq};
use grs_encoding::{Decode, Reader, encode_to_vec, write_varint};
use grs_filter::BlockFilter;
use grs_fs::{File, FileEnv};
use grs_hashes::purpose::filter_hash;
use grs_hashes::{BlockHash, FilterHash, FilterHeader};
use grs_leveldb::{Batch, DbParams, Store, WriteOptions, open_database};
use grs_log::error;
use grs_primitives::BlockLocator;

use crate::IndexError;

/// Name in logs and RPC results.
pub(crate) const NAME: &str = "basic block filter index";
/// A file is not continued beyond this.
const MAX_FILE_SIZE: u64 = 16 << 20;
/// Files grow in such steps.
const CHUNK_SIZE: u64 = 1 << 20;
/// Bytes before a filter in a file: the block hash and the longest length.
const HEAD: usize = 32 + 9;
/// No filter of a block that fits the weight limit is larger; a length beyond this is damage.
const MAX_FILTER: u64 = 4 << 20;
const POSITION_KEY: &[u8] = b"P";
const BEST_KEY: &[u8] = b"B";

/// Where the index is and how to open it.
#[derive(Debug, Clone)]
pub struct FilterIndexParams {
    /// `indexes/blockfilter/basic` in the network's data directory; made if missing.
    pub dir: PathBuf,
    /// Memory for the database, in bytes.
    pub cache_bytes: usize,
    /// Begin anew.
    pub wipe: bool,
}

/// What is known of a block's filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) hash: FilterHash,
    pub(crate) header: FilterHeader,
    pub(crate) pos: FilePos,
}

fn write_pos(out: &mut Vec<u8>, pos: FilePos) {
    write_varint(out, u64::from(pos.file));
    write_varint(out, u64::from(pos.pos));
}

fn read_pos(reader: &mut Reader<'_>) -> Option<FilePos> {
    // The reference keeps the number of the file in a signed integer.
    let file = reader.varint_max(i32::MAX as u64).ok()?;
    let pos = reader.varint_max(u64::from(u32::MAX)).ok()?;
    Some(FilePos::new(file as u32, pos as u32))
}

impl Entry {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(self.header.as_bytes());
        write_pos(out, self.pos);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Entry> {
        let hash = FilterHash::from_bytes(reader.array().ok()?);
        let header = FilterHeader::from_bytes(reader.array().ok()?);
        Some(Entry { hash, header, pos: read_pos(reader)? })
    }
}

fn height_key(height: u32) -> [u8; 5] {
    let [a, b, c, d] = height.to_be_bytes();
    [b't', a, b, c, d]
}

fn hash_key(hash: &BlockHash) -> Vec<u8> {
    [b"s", hash.as_bytes().as_slice()].concat()
}

/// The database and the files.
pub(crate) struct FilterDb {
    store: Arc<dyn Store>,
    files: FlatFileSeq,
}

impl FilterDb {
    pub(crate) fn open(env: &Arc<dyn FileEnv>, params: &FilterIndexParams) -> Result<FilterDb, IndexError> {
        env.create_dir_all(&params.dir)?;
        let mut database = DbParams::new(params.dir.join("db"), params.cache_bytes);
        database.wipe_data = params.wipe;
        let store: Arc<dyn Store> = Arc::new(open_database(env, &database)?);
        Ok(FilterDb { store, files: FlatFileSeq::new(env.clone(), &params.dir, "fltr", CHUNK_SIZE) })
    }

    /// Hash of the last committed block.
    pub(crate) fn best(&self) -> Result<Option<BlockHash>, IndexError> {
        let Some(value) = self.store.get(BEST_KEY)? else { return Ok(None) };
        let locator = BlockLocator::decode(&mut Reader::new(&value));
        let locator = locator.map_err(|e| IndexError::Corrupt(format!("Cannot read the locator: {e}")))?;
        Ok(locator.hashes.first().copied())
    }

    /// Where the next filter goes.
    pub(crate) fn next_pos(&self) -> Result<FilePos, IndexError> {
        let Some(value) = self.store.get(POSITION_KEY)? else { return Ok(FilePos::new(0, 0)) };
        read_pos(&mut Reader::new(&value))
            .ok_or_else(|| IndexError::Corrupt(format!("Cannot read current {NAME} state")))
    }

    /// The entry of a block, wherever it is.
    pub(crate) fn entry(&self, hash: &BlockHash, height: u32) -> Result<Option<Entry>, IndexError> {
        let damaged = || IndexError::Corrupt(format!("unable to read value in {NAME} for block {hash}"));
        if let Some((found, entry)) = self.at(height)?
            && found == *hash
        {
            return Ok(Some(entry));
        }
        let Some(value) = self.store.get(&hash_key(hash))? else { return Ok(None) };
        Entry::read(&mut Reader::new(&value)).ok_or_else(damaged).map(Some)
    }

    fn at(&self, height: u32) -> Result<Option<(BlockHash, Entry)>, IndexError> {
        let Some(value) = self.store.get(&height_key(height))? else { return Ok(None) };
        let mut reader = Reader::new(&value);
        let hash = reader.array().ok().map(BlockHash::from_bytes);
        hash.zip(Entry::read(&mut reader)).map(Some).ok_or_else(|| {
            IndexError::Corrupt(format!("unable to read value in {NAME} at key (t, {height})"))
        })
    }

    /// Copies the entry of a height to where it is found by hash, before another block takes the height.
    pub(crate) fn keep_by_hash(&self, height: u32, next: FilePos) -> Result<(), IndexError> {
        let (hash, entry) = self.at(height)?.ok_or_else(|| {
            IndexError::Corrupt(format!("unexpected key in {NAME}: expected (t, {height})"))
        })?;
        let (mut batch, mut value) = (Batch::new(), Vec::new());
        entry.write(&mut value);
        batch.put(&hash_key(&hash), &value);
        put_pos(&mut batch, next);
        Ok(self.store.write(batch, WriteOptions::default())?)
    }

    /// Writes a filter to its file and its entry; the place after it.
    pub(crate) fn append(
        &self,
        mut pos: FilePos,
        height: u32,
        filter: &BlockFilter,
        header: FilterHeader,
    ) -> Result<FilePos, IndexError> {
        let mut data = filter.block_hash().as_bytes().to_vec();
        grs_encoding::write_var_bytes(&mut data, filter.encoded());
        let size = data.len() as u64;
        if u64::from(pos.pos) + size > MAX_FILE_SIZE {
            self.files.flush(pos.file, Some(pos.pos))?;
            pos = FilePos::new(pos.file + 1, 0);
        }
        if self.files.allocate(pos, size)? == Allocation::OutOfSpace {
            return Err(IndexError::DiskFull);
        }
        self.files.open(pos.file, false)?.write_at(&data, u64::from(pos.pos))?;
        let entry = Entry { hash: filter.hash(), header, pos };
        let mut value = filter.block_hash().as_bytes().to_vec();
        entry.write(&mut value);
        self.store.put(&height_key(height), &value, WriteOptions::default())?;
        Ok(FilePos::new(pos.file, pos.pos + data.len() as u32))
    }

    /// Makes everything durable that was written before, and notes how far the index has come.
    pub(crate) fn commit(&self, next: FilePos, locator: &BlockLocator) -> Result<(), IndexError> {
        self.files.flush(next.file, None)?;
        let mut batch = Batch::new();
        put_pos(&mut batch, next);
        batch.put(BEST_KEY, &encode_to_vec(locator));
        Ok(self.store.write(batch, WriteOptions::default())?)
    }

    /// Reads a filter; one that does not have the noted hash is an error.
    pub(crate) fn read(&self, entry: &Entry) -> Result<BlockFilter, IndexError> {
        let damaged = |why: &str| {
            error!("{why}");
            IndexError::Corrupt(why.to_owned())
        };
        let file = self.files.open(entry.pos.file, true)?;
        let mut head = [0; HEAD];
        let start = u64::from(entry.pos.pos);
        let read = read_up_to(&*file, &mut head, start)?;
        let mut reader = Reader::new(&head[..read]);
        let block = reader.array().map(BlockHash::from_bytes);
        let length = reader.compact_size_unchecked().ok().filter(|n| *n <= MAX_FILTER);
        let (Ok(block), Some(length)) = (block, length) else {
            return Err(damaged("Failed to deserialize block filter from disk"));
        };
        let mut encoded = vec![0; length as usize];
        file.read_exact_at(&mut encoded, start + reader.position() as u64)?;
        if filter_hash(&encoded) != entry.hash {
            return Err(damaged("Checksum mismatch in filter decode."));
        }
        BlockFilter::from_verified(block, encoded)
            .map_err(|e| damaged(&format!("Failed to deserialize block filter from disk: {e}")))
    }
}

fn put_pos(batch: &mut Batch, pos: FilePos) {
    let mut value = Vec::new();
    write_pos(&mut value, pos);
    batch.put(POSITION_KEY, &value);
}

/// As many bytes as the file has.
fn read_up_to(file: &dyn File, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match file.read_at(&mut buf[filled..], offset + filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
