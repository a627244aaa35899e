//! The block index in memory: one entry a header, addressed by a 32-bit number.
//!
//! Fields lie in arrays of atomics, chunk by chunk, so that readers need no lock: what never changes is written
//! before the entry is published, what changes (status, positions) is written by one thread at a time, the one
//! that holds the chainstate lock. An entry takes 124 bytes, and the hash table about 5 more.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::sync::{OnceLock, PoisonError, RwLock};

use grs_hashes::{BlockHash, MerkleRoot};
use grs_primitives::{BlockLocator, HashedHeader, Header};
use grs_uint::{CompactTarget, U256};

use crate::table::HashTable;
use crate::work::block_work;
use crate::{BlockStatus, FilePos};

const CHUNK_BITS: u32 = 13;
const CHUNK: usize = 1 << CHUNK_BITS;
const MAX_CHUNKS: usize = 1 << (crate::table::ID_BITS - CHUNK_BITS);
const NONE: u32 = u32::MAX;

/// Number of a block index entry. Entries are never removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlockId(pub(crate) u32);

impl BlockId {
    /// The number itself.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
    /// The number, for storing it in an atomic; [`BlockIndex::id`] turns it back.
    pub const fn to_u32(self) -> u32 {
        self.0
    }
    pub(crate) fn from_raw(raw: u32) -> Option<BlockId> {
        (raw != NONE).then_some(BlockId(raw))
    }
    pub(crate) fn raw(id: Option<BlockId>) -> u32 {
        id.map_or(NONE, |id| id.0)
    }
}

type Words = [AtomicU64; 4];

struct Chunk {
    hash: Box<[Words]>,
    merkle: Box<[Words]>,
    work_low: Box<[AtomicU64]>,
    /// Status (12 bits), transactions (20), file (20), transactions of the chain, high part (12).
    meta: Box<[AtomicU64]>,
    work_high: Box<[AtomicU32]>,
    chain_tx_low: Box<[AtomicU32]>,
    prev: Box<[AtomicU32]>,
    skip: Box<[AtomicU32]>,
    height: Box<[AtomicU32]>,
    data_pos: Box<[AtomicU32]>,
    undo_pos: Box<[AtomicU32]>,
    time: Box<[AtomicU32]>,
    version: Box<[AtomicU32]>,
    bits: Box<[AtomicU32]>,
    nonce: Box<[AtomicU32]>,
}

fn zeros<T: Default>() -> Box<[T]> {
    (0..CHUNK).map(|_| T::default()).collect()
}

impl Chunk {
    fn new() -> Chunk {
        Chunk {
            hash: zeros(),
            merkle: zeros(),
            work_low: zeros(),
            meta: zeros(),
            work_high: zeros(),
            chain_tx_low: zeros(),
            prev: zeros(),
            skip: zeros(),
            height: zeros(),
            data_pos: zeros(),
            undo_pos: zeros(),
            time: zeros(),
            version: zeros(),
            bits: zeros(),
            nonce: zeros(),
        }
    }
}

fn store_words(to: &Words, bytes: &[u8; 32]) {
    for (word, part) in to.iter().zip(bytes.as_chunks::<8>().0) {
        word.store(u64::from_le_bytes(*part), Relaxed);
    }
}

fn load_words(from: &Words) -> [u8; 32] {
    let mut out = [0; 32];
    for (word, part) in from.iter().zip(out.as_chunks_mut::<8>().0) {
        *part = word.load(Relaxed).to_le_bytes();
    }
    out
}

const STATUS_MASK: u64 = (1 << 12) - 1;
const TX_SHIFT: u32 = 12;
const FILE_SHIFT: u32 = 32;
const CHAIN_TX_SHIFT: u32 = 52;
const FIELD20: u64 = (1 << 20) - 1;

/// Largest number of a block file that an entry can hold.
pub const MAX_FILE_NUMBER: u32 = FIELD20 as u32;

/// Why a header cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The work of a chain needs more than 96 bits, which no proof of work can reach.
    #[error("chain work out of range")]
    WorkOutOfRange,
    /// No room for more headers.
    #[error("block index is full")]
    Full,
}

/// The block index. Readers share it without locks; changes are made under the chainstate lock only.
pub struct BlockIndex {
    chunks: Box<[OnceLock<Box<Chunk>>]>,
    len: AtomicU32,
    table: RwLock<HashTable>,
}

impl Default for BlockIndex {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! field {
    ($self:ident, $id:ident, $field:ident) => {
        $self.chunk($id).$field[$id.index() & (CHUNK - 1)]
    };
}

impl BlockIndex {
    /// An empty index.
    pub fn new() -> BlockIndex {
        BlockIndex {
            chunks: (0..MAX_CHUNKS).map(|_| OnceLock::new()).collect(),
            len: AtomicU32::new(0),
            table: RwLock::new(HashTable::default()),
        }
    }

    fn chunk(&self, id: BlockId) -> &Chunk {
        self.chunks[id.index() >> CHUNK_BITS].get().expect("an id is handed out after its chunk was made")
    }

    /// Number of headers.
    pub fn len(&self) -> usize {
        self.len.load(Acquire) as usize
    }

    /// Whether there is no header at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries, in the order they were added.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = BlockId> + use<> {
        (0..self.len() as u32).map(BlockId)
    }

    /// The entry of a number; `None` for numbers that no entry has (such as `u32::MAX`).
    pub fn id(&self, raw: u32) -> Option<BlockId> {
        ((raw as usize) < self.len()).then_some(BlockId(raw))
    }

    /// Bytes of memory held, roughly.
    pub fn memory_usage(&self) -> usize {
        let chunks = self.len().div_ceil(CHUNK);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        chunks * CHUNK * ENTRY_BYTES + MAX_CHUNKS * size_of::<OnceLock<Box<Chunk>>>() + table.memory_usage()
    }

    /// Entry of a block hash.
    pub fn lookup(&self, hash: &BlockHash) -> Option<BlockId> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.find(hash, |id| self.hash(id) == *hash)
    }

    /// Makes room for `additional` headers.
    pub fn reserve(&self, additional: usize) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.reserve(additional, |id| self.hash(id));
    }

    /// Adds a header whose parent is known (none for a genesis block). The entry has no data and level
    /// [`BlockStatus::VALID_TREE`]. A hash that is there already is returned as it is.
    ///
    /// # Errors
    /// If the chain's work is out of range or the index is full.
    pub fn add(&self, header: &HashedHeader, prev: Option<BlockId>) -> Result<BlockId, IndexError> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let hash = header.hash();
        if let Some(id) = table.find(&hash, |id| self.hash(id) == hash) {
            return Ok(id);
        }
        drop(table);
        self.add_new(header, prev)
    }

    /// As [`BlockIndex::add`] for a hash that is known to be new.
    pub(crate) fn add_new(
        &self,
        header: &HashedHeader,
        prev: Option<BlockId>,
    ) -> Result<BlockId, IndexError> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let hash = header.hash();
        let raw = self.len.load(Relaxed);
        let chunk = self.chunks.get(raw as usize >> CHUNK_BITS).ok_or(IndexError::Full)?;
        let base = prev.map_or(U256::ZERO, |prev| self.work(prev));
        let work = base + block_work(header.bits);
        let work = work.to_u128().filter(|w| w >> 96 == 0).ok_or(IndexError::WorkOutOfRange)?;
        let id = BlockId(raw);
        let height = prev.map_or(0, |prev| self.height(prev) + 1);
        let skip = prev.and_then(|prev| self.ancestor(prev, skip_height(height)));
        let (chunk, at) = (chunk.get_or_init(|| Box::new(Chunk::new())), id.index() & (CHUNK - 1));
        store_words(&chunk.hash[at], hash.as_bytes());
        store_words(&chunk.merkle[at], header.merkle_root.as_bytes());
        chunk.work_low[at].store(work as u64, Relaxed);
        chunk.work_high[at].store((work >> 64) as u32, Relaxed);
        chunk.prev[at].store(BlockId::raw(prev), Relaxed);
        chunk.skip[at].store(BlockId::raw(skip), Relaxed);
        chunk.height[at].store(height, Relaxed);
        chunk.time[at].store(header.time, Relaxed);
        chunk.version[at].store(header.version as u32, Relaxed);
        chunk.bits[at].store(header.bits.0, Relaxed);
        chunk.nonce[at].store(header.nonce, Relaxed);
        chunk.meta[at].store(u64::from(BlockStatus::VALID_TREE.0), Relaxed);
        self.len.store(raw + 1, Release);
        table.insert(&hash, id, |id| self.hash(id));
        Ok(id)
    }

    /// Block hash.
    pub fn hash(&self, id: BlockId) -> BlockHash {
        BlockHash::from_bytes(load_words(&field!(self, id, hash)))
    }

    /// Parent; none for a genesis block.
    pub fn prev(&self, id: BlockId) -> Option<BlockId> {
        BlockId::from_raw(field!(self, id, prev).load(Relaxed))
    }

    /// Height, 0 for a genesis block.
    pub fn height(&self, id: BlockId) -> u32 {
        field!(self, id, height).load(Relaxed)
    }

    /// Work of the chain up to and with this block.
    pub fn work(&self, id: BlockId) -> U256 {
        let (chunk, at) = (self.chunk(id), id.index() & (CHUNK - 1));
        let high = u128::from(chunk.work_high[at].load(Relaxed));
        U256::from(high << 64 | u128::from(chunk.work_low[at].load(Relaxed)))
    }

    /// Time of the header.
    pub fn time(&self, id: BlockId) -> u32 {
        field!(self, id, time).load(Relaxed)
    }

    /// Target of the header.
    pub fn bits(&self, id: BlockId) -> CompactTarget {
        CompactTarget(field!(self, id, bits).load(Relaxed))
    }

    /// Version of the header.
    pub fn version(&self, id: BlockId) -> i32 {
        field!(self, id, version).load(Relaxed) as i32
    }

    /// The header with its hash, which is not computed again.
    pub fn header(&self, id: BlockId) -> HashedHeader {
        let (chunk, at) = (self.chunk(id), id.index() & (CHUNK - 1));
        let header = Header {
            version: chunk.version[at].load(Relaxed) as i32,
            prev: self.prev(id).map_or(BlockHash::ZERO, |prev| self.hash(prev)),
            merkle_root: MerkleRoot::from_bytes(load_words(&chunk.merkle[at])),
            time: chunk.time[at].load(Relaxed),
            bits: CompactTarget(chunk.bits[at].load(Relaxed)),
            nonce: chunk.nonce[at].load(Relaxed),
        };
        HashedHeader::from_trusted_parts(header, self.hash(id))
    }

    fn meta(&self, id: BlockId) -> u64 {
        field!(self, id, meta).load(Acquire)
    }

    fn change_meta(&self, id: BlockId, shift: u32, mask: u64, value: u64) {
        // One writer at a time, so that no read-modify-write is needed.
        let meta = &field!(self, id, meta);
        let old = meta.load(Relaxed);
        meta.store(old & !(mask << shift) | (value & mask) << shift, Release);
    }

    /// Status.
    pub fn status(&self, id: BlockId) -> BlockStatus {
        BlockStatus((self.meta(id) & STATUS_MASK) as u32)
    }

    /// Sets the status. Under the chainstate lock only, as all setters.
    pub fn set_status(&self, id: BlockId, status: BlockStatus) {
        self.change_meta(id, 0, STATUS_MASK, u64::from(status.0));
    }

    /// Transactions in the block; 0 while the block is not known.
    pub fn tx_count(&self, id: BlockId) -> u32 {
        (self.meta(id) >> TX_SHIFT & FIELD20) as u32
    }

    /// Sets the number of transactions.
    pub fn set_tx_count(&self, id: BlockId, count: u32) {
        self.change_meta(id, TX_SHIFT, FIELD20, u64::from(count).min(FIELD20));
    }

    /// Transactions of the chain up to and with this block; 0 while a block of it is missing.
    pub fn chain_tx_count(&self, id: BlockId) -> u64 {
        (self.meta(id) >> CHAIN_TX_SHIFT) << 32 | u64::from(field!(self, id, chain_tx_low).load(Relaxed))
    }

    /// Sets the transactions of the chain.
    pub fn set_chain_tx_count(&self, id: BlockId, count: u64) {
        field!(self, id, chain_tx_low).store(count as u32, Relaxed);
        self.change_meta(id, CHAIN_TX_SHIFT, (1 << 12) - 1, count >> 32);
    }

    /// Where the block is; `None` if it is not stored.
    pub fn data_pos(&self, id: BlockId) -> Option<FilePos> {
        let meta = self.meta(id);
        let have = meta & u64::from(BlockStatus::HAVE_DATA.0) != 0;
        have.then(|| {
            FilePos::new((meta >> FILE_SHIFT & FIELD20) as u32, field!(self, id, data_pos).load(Relaxed))
        })
    }

    /// Where the undo data is; `None` if there is none.
    pub fn undo_pos(&self, id: BlockId) -> Option<FilePos> {
        let meta = self.meta(id);
        let have = meta & u64::from(BlockStatus::HAVE_UNDO.0) != 0;
        have.then(|| {
            FilePos::new((meta >> FILE_SHIFT & FIELD20) as u32, field!(self, id, undo_pos).load(Relaxed))
        })
    }

    /// Number of the file that holds block and undo data, as stored (0 if neither is there).
    pub fn file(&self, id: BlockId) -> u32 {
        (self.meta(id) >> FILE_SHIFT & FIELD20) as u32
    }

    /// Sets where the block is, without changing the status.
    pub fn set_data_pos(&self, id: BlockId, pos: FilePos) {
        field!(self, id, data_pos).store(pos.pos, Relaxed);
        self.change_meta(id, FILE_SHIFT, FIELD20, u64::from(pos.file));
    }

    /// Sets where the undo data is (in the file of the block's number), without changing the status.
    pub fn set_undo_pos(&self, id: BlockId, pos: u32) {
        field!(self, id, undo_pos).store(pos, Relaxed);
    }

    /// Positions as stored, whatever the status says: block, undo.
    pub(crate) fn raw_positions(&self, id: BlockId) -> (u32, u32) {
        (field!(self, id, data_pos).load(Relaxed), field!(self, id, undo_pos).load(Relaxed))
    }

    /// The ancestor at a height, or the block itself; `None` if it is lower than that.
    /// Reference: `CBlockIndex::GetAncestor`.
    pub fn ancestor(&self, id: BlockId, height: u32) -> Option<BlockId> {
        let mut at = self.height(id);
        if height > at {
            return None;
        }
        let mut walk = id;
        while at > height {
            let (skip, skip_prev) = (skip_height(at), skip_height(at - 1));
            // Follow the skip pointer unless the parent's leads closer to the goal.
            let follow = skip == height || (skip > height && !(skip_prev + 2 < skip && skip_prev >= height));
            match BlockId::from_raw(field!(self, walk, skip).load(Relaxed)) {
                Some(next) if follow => {
                    walk = next;
                    at = skip;
                }
                _ => {
                    walk = self.prev(walk)?;
                    at -= 1;
                }
            }
        }
        Some(walk)
    }

    /// Whether `ancestor` is `id` or lies on its chain.
    pub fn is_ancestor(&self, ancestor: BlockId, id: BlockId) -> bool {
        self.ancestor(id, self.height(ancestor)) == Some(ancestor)
    }

    /// Last block that two chains share; `None` if they have different genesis blocks.
    pub fn last_common_ancestor(&self, a: BlockId, b: BlockId) -> Option<BlockId> {
        let height = self.height(a).min(self.height(b));
        let (mut a, mut b) = (self.ancestor(a, height)?, self.ancestor(b, height)?);
        while a != b {
            let (skip_a, skip_b) = (field!(self, a, skip).load(Relaxed), field!(self, b, skip).load(Relaxed));
            if skip_a != NONE && skip_a != skip_b {
                (a, b) = (BlockId(skip_a), BlockId::from_raw(skip_b)?);
            } else {
                (a, b) = (self.prev(a)?, self.prev(b)?);
            }
        }
        Some(a)
    }

    /// Median of the times of this block and its ten predecessors.
    pub fn median_time_past(&self, id: BlockId) -> i64 {
        let mut times = [0_u32; 11];
        let (mut count, mut walk) = (0, Some(id));
        while let Some(block) = walk.filter(|_| count < times.len()) {
            times[count] = self.time(block);
            count += 1;
            walk = self.prev(block);
        }
        let times = &mut times[..count];
        times.sort_unstable();
        i64::from(times[count / 2])
    }

    /// Hashes for a locator from this block down: ten in a row, then ever larger steps.
    /// Reference: `LocatorEntries`.
    pub fn locator(&self, id: BlockId) -> BlockLocator {
        let mut hashes = Vec::with_capacity(32);
        let (mut step, mut walk) = (1, id);
        loop {
            hashes.push(self.hash(walk));
            let height = self.height(walk);
            if height == 0 {
                return BlockLocator { hashes };
            }
            match self.ancestor(walk, height.saturating_sub(step)) {
                Some(next) => walk = next,
                None => return BlockLocator { hashes },
            }
            if hashes.len() > 10 {
                step *= 2;
            }
        }
    }
}

/// Bytes of an entry in the arrays.
pub const ENTRY_BYTES: usize = 2 * 32 + 2 * 8 + 11 * 4;

/// Height that a block's skip pointer leads to. Reference: `GetSkipHeight`.
fn skip_height(height: u32) -> u32 {
    if height < 2 {
        return 0;
    }
    let invert_lowest_one = |n: u32| n & n.wrapping_sub(1);
    if height & 1 == 1 {
        invert_lowest_one(invert_lowest_one(height - 1)) + 1
    } else {
        invert_lowest_one(height)
    }
}
