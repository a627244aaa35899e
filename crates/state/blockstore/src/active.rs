//! The active chain: an array by height that one thread changes and everyone reads without locks.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};
use std::sync::{Arc, OnceLock};

use grs_hashes::BlockHash;
use grs_primitives::{BlockLocator, HashedHeader};

use crate::index::{BlockId, BlockIndex};

const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;
const MAX_CHUNKS: usize = 1 << 14;

struct Heights {
    chunks: Box<[OnceLock<Box<[AtomicU32]>>]>,
    /// Number of times the chain was shortened, and the tip: one word, so that both are read together.
    state: AtomicU64,
    /// Counts like the upper half of `state`, but before heights are overwritten.
    epoch: AtomicU32,
}

impl Heights {
    fn slot(&self, height: u32) -> Option<&AtomicU32> {
        self.chunks.get(height as usize >> CHUNK_BITS)?.get().map(|c| &c[height as usize & (CHUNK - 1)])
    }
}

/// The active chain with its writer's side. Clones are the same chain.
#[derive(Clone)]
pub struct ActiveChain {
    index: Arc<BlockIndex>,
    heights: Arc<Heights>,
}

/// The active chain as it was at one moment. Cheap to make and to clone; later changes do not show.
#[derive(Clone)]
pub struct ChainView {
    index: Arc<BlockIndex>,
    heights: Arc<Heights>,
    tip: Option<BlockId>,
    height: i32,
    epoch: u32,
}

impl ActiveChain {
    /// An empty chain over an index.
    pub fn new(index: Arc<BlockIndex>) -> ActiveChain {
        let heights = Heights {
            chunks: (0..MAX_CHUNKS).map(|_| OnceLock::new()).collect(),
            state: AtomicU64::new(u64::from(BlockId::raw(None))),
            epoch: AtomicU32::new(0),
        };
        ActiveChain { index, heights: Arc::new(heights) }
    }

    /// The block index.
    pub fn index(&self) -> &Arc<BlockIndex> {
        &self.index
    }

    /// The last block; `None` before the genesis block is connected. Costs one atomic load.
    pub fn tip(&self) -> Option<BlockId> {
        BlockId::from_raw(self.heights.state.load(Acquire) as u32)
    }

    /// Height of the tip, -1 without one.
    pub fn height(&self) -> i32 {
        self.tip().map_or(-1, |tip| self.index.height(tip) as i32)
    }

    /// The chain as it is now.
    pub fn view(&self) -> ChainView {
        let state = self.heights.state.load(Acquire);
        let tip = BlockId::from_raw(state as u32);
        ChainView {
            index: self.index.clone(),
            heights: self.heights.clone(),
            tip,
            height: tip.map_or(-1, |tip| self.index.height(tip) as i32),
            epoch: (state >> 32) as u32,
        }
    }

    /// Makes `tip` the last block and its ancestors the chain. Under the chainstate lock only.
    pub fn set_tip(&self, tip: Option<BlockId>) {
        let state = self.heights.state.load(Relaxed);
        let old = BlockId::from_raw(state as u32);
        let mut epoch = (state >> 32) as u32;
        let extends = match (old, tip) {
            (Some(old), Some(tip)) => self.index.is_ancestor(old, tip),
            (None, _) => true,
            (Some(_), None) => false,
        };
        if !extends {
            epoch = epoch.wrapping_add(1);
            // Readers that see any of the writes below must see this count first.
            self.heights.epoch.store(epoch, Relaxed);
            fence(Release);
        }
        let old_height = old.map(|old| self.index.height(old));
        let mut walk = tip;
        while let Some(id) = walk {
            let height = self.index.height(id);
            let Some(chunk) = self.heights.chunks.get(height as usize >> CHUNK_BITS) else { break };
            let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU32::new(u32::MAX)).collect());
            let slot = &chunk[height as usize & (CHUNK - 1)];
            // Slots above the old tip may be left over from an earlier chain.
            if slot.load(Relaxed) == id.0 && old_height.is_some_and(|old| height <= old) {
                break;
            }
            slot.store(id.0, Relaxed);
            walk = self.index.prev(id);
        }
        self.heights.state.store(u64::from(epoch) << 32 | u64::from(BlockId::raw(tip)), Release);
    }
}

impl ChainView {
    /// The block index.
    pub fn index(&self) -> &Arc<BlockIndex> {
        &self.index
    }

    /// The last block; `None` before the genesis block is connected.
    pub fn tip(&self) -> Option<BlockId> {
        self.tip
    }

    /// Hash of the last block; zero without one.
    pub fn tip_hash(&self) -> BlockHash {
        self.tip.map_or(BlockHash::ZERO, |tip| self.index.hash(tip))
    }

    /// Height of the tip, -1 without one.
    pub fn height(&self) -> i32 {
        self.height
    }

    /// The block at a height.
    pub fn at(&self, height: u32) -> Option<BlockId> {
        let tip = self.tip?;
        if i64::from(height) > i64::from(self.height) {
            return None;
        }
        let id = self.heights.slot(height).and_then(|slot| BlockId::from_raw(slot.load(Relaxed)));
        fence(Acquire);
        if self.heights.epoch.load(Relaxed) == self.epoch {
            return id;
        }
        // The chain was reorganized since: the blocks below our tip are still in the index.
        self.index.ancestor(tip, height)
    }

    /// Hash of the block at a height.
    pub fn hash_at(&self, height: u32) -> Option<BlockHash> {
        self.at(height).map(|id| self.index.hash(id))
    }

    /// Header of the block at a height.
    pub fn header_at(&self, height: u32) -> Option<HashedHeader> {
        self.at(height).map(|id| self.index.header(id))
    }

    /// Whether a block is in the chain.
    pub fn contains(&self, id: BlockId) -> bool {
        self.at(self.index.height(id)) == Some(id)
    }

    /// The block after this one; `None` for the tip and for blocks outside the chain.
    pub fn next(&self, id: BlockId) -> Option<BlockId> {
        self.contains(id).then(|| self.at(self.index.height(id) + 1)).flatten()
    }

    /// Last block of this chain that `id`'s chain shares.
    pub fn find_fork(&self, id: BlockId) -> Option<BlockId> {
        let height = self.index.height(id).min(u32::try_from(self.height).ok()?);
        let mut walk = self.index.ancestor(id, height);
        while let Some(block) = walk.filter(|block| !self.contains(*block)) {
            walk = self.index.prev(block);
        }
        walk
    }

    /// Last block of the chain that a locator's sender has; the genesis block if none is known.
    /// Reference: `Chainstate::FindForkInGlobalIndex`.
    pub fn find_locator_fork(&self, locator: &BlockLocator) -> Option<BlockId> {
        let tip = self.tip?;
        for hash in &locator.hashes {
            if let Some(id) = self.index.lookup(hash) {
                if self.contains(id) {
                    return Some(id);
                }
                if self.index.is_ancestor(tip, id) {
                    return Some(tip);
                }
            }
        }
        self.at(0)
    }

    /// Locator of the tip; empty without one.
    pub fn locator(&self) -> BlockLocator {
        self.tip.map(|tip| self.index.locator(tip)).unwrap_or_default()
    }

    /// First block of at least this height whose time, or an earlier one's, is at least `time`.
    /// Reference: `CChain::FindEarliestAtLeast`.
    pub fn find_earliest_at_least(&self, time: i64, height: u32) -> Option<BlockId> {
        let mut reached = false;
        for at in 0..=u32::try_from(self.height).ok()? {
            let id = self.at(at)?;
            reached |= i64::from(self.index.time(id)) >= time;
            if reached && at >= height {
                return Some(id);
            }
        }
        None
    }
}
