use grs_blockstore::{BlockId, BlockIndex};
use grs_consensus::HeaderView;
use grs_hashes::BlockHash;
use grs_uint::CompactTarget;

/// A header of the block index, as the rules see it.
#[derive(Clone, Copy)]
pub struct HeaderRef<'a> {
    index: &'a BlockIndex,
    id: BlockId,
}

impl<'a> HeaderRef<'a> {
    /// The header of an entry.
    pub fn new(index: &'a BlockIndex, id: BlockId) -> HeaderRef<'a> {
        HeaderRef { index, id }
    }

    /// The entry.
    pub fn id(&self) -> BlockId {
        self.id
    }
}

impl HeaderView for HeaderRef<'_> {
    fn height(&self) -> i32 {
        self.index.height(self.id) as i32
    }
    fn hash(&self) -> BlockHash {
        self.index.hash(self.id)
    }
    fn time(&self) -> u32 {
        self.index.time(self.id)
    }
    fn bits(&self) -> CompactTarget {
        self.index.bits(self.id)
    }
    fn version(&self) -> i32 {
        self.index.version(self.id)
    }
    fn parent(&self) -> Option<Self> {
        self.index.prev(self.id).map(|id| HeaderRef { index: self.index, id })
    }
    fn ancestor(&self, height: i32) -> Option<Self> {
        let height = u32::try_from(height).ok()?;
        self.index.ancestor(self.id, height).map(|id| HeaderRef { index: self.index, id })
    }
}
