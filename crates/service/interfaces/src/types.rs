//! Plain data of the chain interface.

use std::sync::Arc;

use grs_encoding::{DecodeError, decode_exact};
use grs_hashes::BlockHash;
use grs_primitives::{Amount, Block, BlockLocator, TxOut};

use crate::CallResult;

/// Keeps a subscription or registration alive. Dropping it ends it too.
pub trait Handler: Send + Sync {
    /// Ends the subscription. Notifications under way may still arrive.
    fn disconnect(&self) -> CallResult<()>;
}

/// A [`Handler`] that runs a closure once, at [`Handler::disconnect`] or when dropped.
pub struct HandlerFn(std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl HandlerFn {
    /// Runs `end` when the subscription ends.
    #[allow(clippy::new_ret_no_self, reason = "a handler is only ever used as the trait object")]
    pub fn new(end: impl FnOnce() + Send + 'static) -> Arc<dyn Handler> {
        Arc::new(HandlerFn(std::sync::Mutex::new(Some(Box::new(end)))))
    }

    fn end(&self) {
        let end = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(end) = end {
            end();
        }
    }
}

impl Handler for HandlerFn {
    fn disconnect(&self) -> CallResult<()> {
        self.end();
        Ok(())
    }
}

impl Drop for HandlerFn {
    fn drop(&mut self) {
        self.end();
    }
}

/// A text and its translation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BilingualString {
    /// English.
    pub original: String,
    /// In the user's language.
    pub translated: String,
}

impl BilingualString {
    /// A text without translation.
    pub fn untranslated(text: impl Into<String>) -> Self {
        let original = text.into();
        BilingualString { translated: original.clone(), original }
    }
}

impl From<&str> for BilingualString {
    fn from(text: &str) -> Self {
        BilingualString::untranslated(text)
    }
}

impl From<String> for BilingualString {
    fn from(text: String) -> Self {
        BilingualString::untranslated(text)
    }
}

/// Hash and height of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Block hash.
    pub hash: BlockHash,
    /// Height.
    pub height: u32,
}

/// A whole block as it is stored: consensus serialization with witnesses. Travels between processes without being
/// decoded on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct BlockBytes(pub Vec<u8>);

impl BlockBytes {
    /// Decodes the block; trailing bytes are an error.
    pub fn decode(&self) -> Result<Block, DecodeError> {
        decode_exact(&self.0)
    }
}

impl std::fmt::Debug for BlockBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlockBytes({} bytes)", self.0.len())
    }
}

/// An unspent output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// The output.
    pub out: TxOut,
    /// Height of the block that made it; 0x7fffffff for one in the mempool.
    pub height: u32,
    /// Whether a coinbase made it.
    pub coinbase: bool,
}

/// Which costly parts of a found block are wanted; the cheap ones always come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FindBlock {
    /// The block itself, read from disk.
    pub data: bool,
    /// A locator, if the block is in the active chain.
    pub locator: bool,
    /// The next block of the active chain, without its costly parts unless `next_data` is set.
    pub next: bool,
    /// The next block's contents too.
    pub next_data: bool,
}

impl FindBlock {
    /// Whether the answer needs no block data, so that nothing is read from disk.
    pub fn is_light(&self) -> bool {
        !self.data && !self.next_data
    }
}

/// What the node knows of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBlock {
    /// Block hash.
    pub hash: BlockHash,
    /// Height.
    pub height: u32,
    /// Time of the header, Unix seconds.
    pub time: i64,
    /// Latest header time of the chain up to this block, Unix seconds.
    pub max_time: i64,
    /// Median time past, Unix seconds.
    pub mtp_time: i64,
    /// Whether the block is in the active chain.
    pub in_active_chain: bool,
    /// If wanted and in the active chain.
    pub locator: Option<BlockLocator>,
    /// If wanted and the block is in the active chain and not its tip.
    pub next: Option<Box<FoundBlock>>,
    /// If wanted and on disk.
    pub data: Option<BlockBytes>,
}

/// Answer of `find_common_ancestor`: each block that the node knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundCommonAncestor {
    /// The most recent common ancestor.
    pub ancestor: Option<FoundBlock>,
    /// The first block.
    pub block1: Option<FoundBlock>,
    /// The second block.
    pub block2: Option<FoundBlock>,
}

/// Whether a transaction may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RbfState {
    /// Not in the mempool, so unconfirmed ancestors are not known.
    Unknown,
    /// It or an unconfirmed ancestor signals BIP125.
    ReplaceableBip125,
    /// Neither does.
    Final,
}

/// Where a transaction of our own goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TxBroadcast {
    /// Mempool and all peers.
    MempoolAndBroadcastToAll,
    /// Mempool only.
    MempoolNoBroadcast,
    /// Not to the mempool, over short-lived private connections.
    NoMempoolPrivateBroadcast,
}

/// What a broadcast came to: an error is the reject reason.
pub type Broadcast = Result<(), String>;

/// Unconfirmed relatives of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionAncestry {
    /// Ancestors in the mempool, with itself; 0 if it is not there.
    pub ancestors: u64,
    /// Transactions in its cluster.
    pub cluster_count: u64,
    /// Virtual size of the ancestors and itself.
    pub ancestor_size: u64,
    /// Modified fees of the ancestors and itself.
    pub ancestor_fees: Amount,
}

/// Limits on chains of unconfirmed transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageLimits {
    /// `-limitancestorcount`.
    pub ancestors: u32,
    /// `-limitdescendantcount`.
    pub descendants: u32,
}

/// Where a fee estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FeeReason {
    /// Nowhere.
    #[default]
    None,
    /// 60 % success at half the target.
    HalfEstimate,
    /// 85 % success at the target.
    FullEstimate,
    /// 95 % success at twice the target.
    DoubleEstimate,
    /// The conservative rule over longer spans.
    Conservative,
    /// The mempool's minimum.
    MempoolMin,
    /// The wallet's fallback fee.
    Fallback,
    /// The minimum required.
    Required,
}

/// A fee estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeeEstimate {
    /// Fee per 1,000 virtual bytes; 0 if there is no estimate.
    pub feerate: Amount,
    /// Which rule gave it.
    pub reason: FeeReason,
    /// The target asked for, in blocks.
    pub desired_target: u32,
    /// The target the estimate is good for, in blocks.
    pub returned_target: u32,
    /// Height up to which the estimator has seen blocks.
    pub best_height: u32,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_handler_ends_once() {
        let ends = Arc::new(AtomicU32::new(0));
        for disconnect in [true, false] {
            let count = ends.clone();
            let handler = HandlerFn::new(move || {
                count.fetch_add(1, Ordering::Relaxed);
            });
            if disconnect {
                handler.disconnect().expect("it does not fail");
                handler.disconnect().expect("it does not fail");
            }
            drop(handler);
        }
        assert_eq!(ends.load(Ordering::Relaxed), 2);
    }
}
