/// Why a transaction left the mempool. Reference: `MemPoolRemovalReason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemovalReason {
    /// Too old.
    Expiry,
    /// The pool was full.
    SizeLimit,
    /// Not valid any more after a reorganisation.
    Reorg,
    /// In a block.
    Block,
    /// Conflicts with a transaction in a block.
    Conflict,
    /// Replaced.
    Replaced,
}

impl RemovalReason {
    /// The reference's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            RemovalReason::Expiry => "expiry",
            RemovalReason::SizeLimit => "sizelimit",
            RemovalReason::Reorg => "reorg",
            RemovalReason::Block => "block",
            RemovalReason::Conflict => "conflict",
            RemovalReason::Replaced => "replaced",
        }
    }
}
