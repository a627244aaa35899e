//! Coins, connecting and disconnecting blocks, best-chain selection, validation events.
//!
//! [`ChainstateManager`] is the facade. It is opened with [`ChainstateOptions`] and shared as an `Arc`:
//!
//! - Start: [`ChainstateManager::open`] loads index and coins and repairs what a crash left;
//!   [`ChainstateManager::verify`]; [`ChainstateManager::import_blocks`] finishes a reindex, imports files and
//!   connects what is stored; [`ChainstateManager::shutdown`].
//! - Reading without locks: [`ChainstateManager::view`] (the active chain, immutable), `index()` (all headers),
//!   `store()` (blocks and undo data), `header_view()` (for the rules), `best_header()`,
//!   `is_initial_block_download()`, `guess_verification_progress()`.
//! - Changing: `process_new_block()`, `process_new_blocks()`, `process_new_headers()`, `activate_best_chain()`,
//!   `invalidate_block()`, `reconsider_block()`, `precious_block()`, `force_flush()`, `prune_to_height()`.
//! - Asking: `test_block_validity()`, `check_template()`, `compute_utxo_stats()`, `chain_tips()`.
//! - [`ChainstateManager::lock`] is the reference's `cs_main`, taken before the mempool's lock; it gives the
//!   [`Chainstate`] with the [`CoinsCache`] of the tip.
//!
//! Events come three ways: [`ValidationInterface`] subscribers of [`ValidationSignals`] get them in order on one
//! thread; [`Notifications`] tells the node at once; [`MempoolHook`] keeps the mempool in step under the lock.
//!
//! # Speed
//!
//! Blocks are applied to one flat cache, with a journal instead of layers. During initial download up to
//! [`ChainstateOptions::max_run`] blocks are connected as one: read, decoded and checked ahead on another thread,
//! scripts of all of them checked together, undo data, tip, log line and flush once. When anything in a run fails
//! it is taken back and its blocks are connected one by one, so that results never differ.

mod accept;
mod chain_tips;
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
mod snapshot;
mod state;
mod stats;
mod template;
mod tip;
mod verify;

pub use accept::MIN_BLOCKS_TO_KEEP;
pub use chain_tips::{ChainTip, is_block_mutated};
pub use coins::{CacheSizeState, CoinsCache};
pub use coins_db::{CoinsCursor, CoinsDb, DEFAULT_BATCH_WRITE_BYTES, coin_key};
pub use connect::{ScriptFailure, ScriptJob, block_script_flags};
pub use error::{BlockError, FatalError, LoadError};
pub use flush::{FlushMode, PruneLocks};
pub use grs_blockstore::{BlockId, BlockIndex, BlockStatus, BlockStore, BlockUndo, ChainView, Coin, TxUndo};
pub use header_ref::HeaderRef;
pub use manager::{ChainGuard, ChainstateManager, ProcessedBlock};
pub use notify::{
    ChainWarning, MempoolHook, MempoolSession, MempoolUsage, NoNotifications, Notifications,
    SynchronizationState,
};
pub use options::ChainstateOptions;
pub use signals::{BlockInfo, ValidationInterface, ValidationSignals};
pub use snapshot::SnapshotInfo;
pub use state::{Chainstate, log2_work};
pub use stats::{
    StatsHash, UtxoStats, bogo_size, coin_hash_input, compute_stats, compute_stats_at, muhash_insert,
    muhash_remove,
};
pub use verify::{DEFAULT_CHECKBLOCKS, DEFAULT_CHECKLEVEL, VerifyResult};
