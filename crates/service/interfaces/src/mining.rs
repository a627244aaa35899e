//! Block templates for miners. The schema is the reference's and has outside clients.

use std::sync::Arc;
use std::time::Duration;

use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_primitives::{Amount, HEADER_LEN, TxOut, TxRef};

use crate::{BlockBytes, BlockRef, CallResult};

/// Waits without a time limit.
pub const TIMEOUT_FOREVER: Duration = Duration::MAX;

/// How to make a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockCreateOptions {
    /// Fill the block from the mempool.
    pub use_mempool: bool,
    /// Weight units kept for header, transaction count and coinbase.
    pub block_reserved_weight: u64,
    /// Sigop cost kept for the coinbase's outputs.
    pub coinbase_output_max_additional_sigops: u64,
}

impl Default for BlockCreateOptions {
    fn default() -> Self {
        BlockCreateOptions {
            use_mempool: true,
            block_reserved_weight: 8000,
            coinbase_output_max_additional_sigops: 400,
        }
    }
}

/// How long and for what to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockWaitOptions {
    /// Time limit.
    pub timeout: Duration,
    /// Rise of the block's fees that is worth a new template; the maximum amount means never.
    pub fee_threshold: Amount,
}

/// Which checks to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockCheckOptions {
    /// The merkle root.
    pub check_merkle_root: bool,
    /// Proof of work, and the solution on signet.
    pub check_pow: bool,
}

impl Default for BlockCheckOptions {
    fn default() -> Self {
        BlockCheckOptions { check_merkle_root: true, check_pow: true }
    }
}

/// Verdict on a block: `reason` and `debug` are empty when it is good.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockCheck {
    /// Whether the block is valid on the present tip.
    pub valid: bool,
    /// Reject reason as in BIP22.
    pub reason: String,
    /// More about it.
    pub debug: String,
}

/// The parts of which a miner makes a coinbase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoinbaseTx {
    /// Transaction version.
    pub version: u32,
    /// Sequence of the only input.
    pub sequence: u32,
    /// Start of the input script; may be extended to 100 bytes.
    pub script_sig_prefix: Vec<u8>,
    /// The only witness element, if the block commits to witnesses.
    pub witness: Option<[u8; 32]>,
    /// Subsidy and fees.
    pub block_reward_remaining: Amount,
    /// Outputs that have to be there, such as the witness commitment.
    pub required_outputs: Vec<TxOut>,
    /// Lock time.
    pub lock_time: u32,
}

/// A template that is kept by the node until it is released.
pub trait BlockTemplate: Send + Sync {
    /// The 80 bytes of the header; merkle root and nonce are not final.
    fn get_block_header(&self) -> CallResult<[u8; HEADER_LEN]>;
    /// The block with a dummy coinbase.
    fn get_block(&self) -> CallResult<BlockBytes>;
    /// Fee of each transaction but the coinbase.
    fn get_tx_fees(&self) -> CallResult<Vec<Amount>>;
    /// Sigop cost of each transaction but the coinbase.
    fn get_tx_sigops(&self) -> CallResult<Vec<i64>>;
    /// Parts of the coinbase.
    fn get_coinbase_tx(&self) -> CallResult<CoinbaseTx>;
    /// Siblings of the coinbase in the merkle tree, deepest first.
    fn get_coinbase_merkle_path(&self) -> CallResult<Vec<[u8; 32]>>;
    /// Puts the solution into the template and processes the block. True if it was processed, valid or not.
    fn submit_solution(&self, version: u32, timestamp: u32, nonce: u32, coinbase: TxRef) -> CallResult<bool>;
    /// Waits for a better template; `None` at timeout or interrupt.
    fn wait_next(&self, options: BlockWaitOptions) -> CallResult<Option<Arc<dyn BlockTemplate>>>;
    /// Ends the present wait, or the next one if nobody waits. Does not block.
    fn interrupt_wait(&self) -> CallResult<()>;
}

/// Makes templates and checks blocks.
pub trait Mining: Send + Sync {
    /// Whether the chain is for tests only.
    fn is_test_chain(&self) -> CallResult<bool>;
    /// Whether the node is in initial block download.
    fn is_initial_block_download(&self) -> CallResult<bool>;
    /// The tip, if there is one.
    fn get_tip(&self) -> CallResult<Option<BlockRef>>;
    /// Waits until the tip is another than `current_tip`; answers the tip also at timeout, `None` at interrupt or
    /// shutdown.
    fn wait_tip_changed(&self, current_tip: BlockHash, timeout: Duration) -> CallResult<Option<BlockRef>>;
    /// Makes a template; `None` at interrupt or shutdown. `cooldown` waits for the node to catch up first.
    fn create_new_block(
        &self,
        options: BlockCreateOptions,
        cooldown: bool,
    ) -> CallResult<Option<Arc<dyn BlockTemplate>>>;
    /// Checks a block that builds on the tip.
    fn check_block(&self, block: &BlockBytes, options: BlockCheckOptions) -> CallResult<BlockCheck>;
    /// Ends the present wait, or the next one if nobody waits. Does not block.
    fn interrupt(&self) -> CallResult<()>;
    /// Processes a whole block. Valid only if it was new and is connected now; otherwise the reason is `duplicate`,
    /// `inconclusive`, or the rule that it breaks. Other than the RPC `submitblock`, nothing is added to the coinbase.
    fn submit_block(&self, block: &BlockBytes) -> CallResult<BlockCheck>;
    /// Transactions of the mempool by txid, in order.
    fn get_transactions_by_txid(&self, txids: &[Txid]) -> CallResult<Vec<Option<TxRef>>>;
    /// Transactions of the mempool by wtxid, in order.
    fn get_transactions_by_witness_id(&self, wtxids: &[Wtxid]) -> CallResult<Vec<Option<TxRef>>>;
}
