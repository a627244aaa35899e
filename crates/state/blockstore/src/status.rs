use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// How far a block is checked, and what of it is on disk. Bits as stored by the reference (`src/chain.h`,
/// `enum BlockStatus`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BlockStatus(pub u32);

impl BlockStatus {
    /// Header is valid and all its ancestors are known.
    pub const VALID_TREE: BlockStatus = BlockStatus(2);
    /// Block passed the checks that need no coins.
    pub const VALID_TRANSACTIONS: BlockStatus = BlockStatus(3);
    /// Outputs spent exist.
    pub const VALID_CHAIN: BlockStatus = BlockStatus(4);
    /// Scripts are valid (or assumed so).
    pub const VALID_SCRIPTS: BlockStatus = BlockStatus(5);
    /// All bits of the level.
    pub const VALID_MASK: BlockStatus = BlockStatus(7);
    /// Block is in a blk file.
    pub const HAVE_DATA: BlockStatus = BlockStatus(8);
    /// Undo data is in a rev file.
    pub const HAVE_UNDO: BlockStatus = BlockStatus(16);
    /// The stage after the last reached level failed, or an ancestor failed.
    pub const FAILED_VALID: BlockStatus = BlockStatus(32);
    /// Written by older versions for descendants of failed blocks; read as [`BlockStatus::FAILED_VALID`].
    pub const FAILED_CHILD: BlockStatus = BlockStatus(64);
    /// Block was received by a version that enforces segwit.
    pub const OPT_WITNESS: BlockStatus = BlockStatus(128);
    /// Written by older versions for blocks below a snapshot.
    pub const RESERVED: BlockStatus = BlockStatus(256);

    /// True when all bits of `other` are set.
    pub const fn contains(self, other: BlockStatus) -> bool {
        self.0 & other.0 == other.0
    }
    /// Without the bits of `other`.
    pub const fn without(self, other: BlockStatus) -> BlockStatus {
        BlockStatus(self.0 & !other.0)
    }
    /// The block's data is stored.
    pub const fn have_data(self) -> bool {
        self.contains(Self::HAVE_DATA)
    }
    /// The block's undo data is stored.
    pub const fn have_undo(self) -> bool {
        self.contains(Self::HAVE_UNDO)
    }
    /// The block or an ancestor is invalid.
    pub const fn failed(self) -> bool {
        self.contains(Self::FAILED_VALID)
    }
    /// Not failed and checked at least up to `level`.
    pub const fn is_valid(self, level: BlockStatus) -> bool {
        !self.failed() && self.0 & Self::VALID_MASK.0 >= level.0
    }
    /// With the level raised to `level`; `None` if it failed or is there already.
    pub fn raised(self, level: BlockStatus) -> Option<BlockStatus> {
        let raise = !self.failed() && self.0 & Self::VALID_MASK.0 < level.0;
        raise.then(|| self.without(Self::VALID_MASK) | level)
    }
}

impl BitOr for BlockStatus {
    type Output = BlockStatus;
    fn bitor(self, other: BlockStatus) -> BlockStatus {
        BlockStatus(self.0 | other.0)
    }
}

impl BitOrAssign for BlockStatus {
    fn bitor_assign(&mut self, other: BlockStatus) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for BlockStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockStatus({:#x})", self.0)
    }
}
