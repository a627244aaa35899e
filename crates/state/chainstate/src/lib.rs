//! Coins, connecting and disconnecting blocks, best-chain selection, validation events.
//!
//! # API
//!
//! ```text
//! ChainstateManager::open(ChainstateOptions) -> Result<Arc<ChainstateManager>, LoadError>
//!   // opens blocks/index, chainstate; loads index, genesis, replays, tip. Does not connect blocks yet.
//! .import_blocks(&[PathBuf])            // -reindex rest, -loadblock, then activate_best_chain
//! .verify(level, blocks) -> VerifyResult
//!
//! // Lock-free reading (grs_blockstore::{ChainView, BlockIndex, BlockId, BlockStore}):
//! .view() -> ChainView                  // tip(), height(), at(h), contains(id), next(id), find_fork(id), locator()
//! .index() -> &Arc<BlockIndex>          // lookup(&hash), header(id), hash(id), height(id), work(id), status(id),
//!                                       // ancestor(id,h), prev(id), tx_count(id), chain_tx_count(id), median_time_past(id)
//! .store() -> &Arc<BlockStore>          // read_raw(id), read_raw_part, read_block(id), read_undo(id)
//! .header_view(id) -> HeaderRef         // implements grs_consensus::HeaderView
//! .best_header() -> Option<BlockId>   .is_initial_block_download() -> bool
//! .guess_verification_progress(Option<BlockId>) -> f64   .version_bits() -> &Mutex<VersionBitsCache>
//! .params() -> &Arc<ChainParams>   .minimum_chain_work() -> U256   .validation_cache() -> &Arc<ValidationCache>
//!
//! // Changing:
//! .process_new_block(Arc<Block>, force: bool, min_pow_checked: bool) -> ProcessedBlock { accepted, new_block }
//! .process_new_headers(&[HashedHeader], min_pow_checked) -> Result<Option<BlockId>, BlockValidationError>
//! .activate_best_chain(Option<Arc<Block>>) -> Result<(), FatalError>
//! .invalidate_block(BlockId) / .reconsider_block(BlockId) / .precious_block(BlockId) -> Result<(), FatalError>
//! .test_block_validity(&Block, check_pow, check_merkle_root) -> Result<(), BlockValidationError>
//! .report_headers_presync(height, time)
//! .flush(FlushMode)  .force_flush(wipe_cache)  .prune_to_height(height)  .prune_and_flush()
//! .compute_utxo_stats(StatsHash) -> UtxoStats       .chain_tips() -> Vec<ChainTip>
//!
//! // Lock (the reference's cs_main; take it before the mempool's):
//! .lock() -> ChainGuard                 // derefs to Chainstate
//! Chainstate: coins() -> &mut CoinsCache   tip() -> Option<BlockId>   height()   view()
//!             calculate_lock_points / check_sequence_locks / check_final_tx helpers for the mempool
//! CoinsCache: get(&OutPoint) -> Option<Coin>, have(&OutPoint), have_in_cache, uncache(&OutPoint), ...
//!
//! // Events: ValidationSignals::register(Arc<dyn ValidationInterface>) -> id; unregister(id); sync(); pending()
//! // enqueue(FnOnce) for mempool events on the same queue.
//! trait ValidationInterface {            // default bodies do nothing; called on thread "scheduler"-like `valsig`
//!     fn block_connected(&self, &Arc<Block>, BlockInfo); fn block_disconnected(..);
//!     fn updated_block_tip(&self, new: BlockId, fork: Option<BlockId>, ibd: bool);
//!     fn chainstate_flushed(&self, &BlockLocator);
//!     // synchronous, on the validation thread:
//!     fn active_tip_change(..) fn block_checked(&self, &Arc<Block>, Result<(), &BlockValidationError>)
//!     fn new_pow_valid_block(&self, BlockId, &Arc<Block>)
//! }
//! trait Notifications { block_tip, header_tip, progress, warning_set/unset, flush_error, fatal_error }  // node
//! trait MempoolHook { begin() -> Box<dyn MempoolSession>, usage() -> MempoolUsage }   // set_mempool(Arc<dyn ..>)
//! trait MempoolSession {                 // holds the mempool's lock while alive
//!     fn block_connected(&mut self, &Block, height: u32);          // removeForBlock
//!     fn block_disconnected(&mut self, &Arc<Block>);               // disconnect pool
//!     fn reorg_finished(&mut self, &mut Chainstate, add_back: bool); // MaybeUpdateMempoolForReorg
//!     fn tip_updated(&mut self, &mut Chainstate);                  // AddTransactionsUpdated, check()
//! }
//! ```

mod accept;
mod coins;
mod coins_db;
mod connect;
mod error;
mod flush;
mod header_ref;
mod import;
mod invalidate;
mod load;
mod loader;
mod manager;
mod notify;
mod options;
mod signals;
mod state;
mod stats;
mod tip;
mod verify;

pub use accept::MIN_BLOCKS_TO_KEEP;
pub use coins::{CacheSizeState, CoinsCache};
pub use coins_db::{CoinsCursor, CoinsDb, DEFAULT_BATCH_WRITE_BYTES, coin_key};
pub use connect::{ScriptFailure, ScriptJob, block_script_flags};
pub use error::{BlockError, FatalError, LoadError};
pub use flush::{FlushMode, PruneLocks};
pub use grs_blockstore::{BlockId, BlockIndex, BlockStatus, BlockStore, BlockUndo, ChainView, Coin, TxUndo};
pub use header_ref::HeaderRef;
pub use manager::{ChainGuard, ChainTip, ChainstateManager, ProcessedBlock, is_block_mutated};
pub use notify::{
    ChainWarning, MempoolHook, MempoolSession, MempoolUsage, NoNotifications, Notifications,
    SynchronizationState,
};
pub use options::ChainstateOptions;
pub use signals::{BlockInfo, ValidationInterface, ValidationSignals};
pub use state::{Chainstate, log2_work};
pub use stats::{
    StatsHash, UtxoStats, bogo_size, coin_hash_input, compute_stats, muhash_insert, muhash_remove,
};
pub use verify::{DEFAULT_CHECKBLOCKS, DEFAULT_CHECKLEVEL, VerifyResult};
