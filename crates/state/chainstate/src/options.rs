use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use grs_fs::FileEnv;
use grs_hashes::BlockHash;
use grs_params::ChainParams;
use grs_sync::Interrupt;
use grs_uint::U256;

use crate::coins_db::DEFAULT_BATCH_WRITE_BYTES;
use crate::{NoNotifications, Notifications};

/// How to open a [`crate::ChainstateManager`]. [`ChainstateOptions::new`] has the reference's defaults.
#[derive(Clone)]
pub struct ChainstateOptions {
    /// File system.
    pub env: Arc<dyn FileEnv>,
    /// Network.
    pub params: Arc<ChainParams>,
    /// Data directory of the network; `chainstate` and `blocks/index` lie in it.
    pub data_dir: PathBuf,
    /// Directory of block files (`-blocksdir`), `blocks` in the data directory by default. The index stays in the data
    /// directory.
    pub blocks_dir: PathBuf,
    /// `-blocksxor`.
    pub blocks_xor: bool,
    /// `-fastprune`.
    pub fast_prune: bool,
    /// `-prune` in bytes; see [`grs_blockstore::BlockStoreOptions::prune_target`].
    pub prune_target: u64,
    /// `-reindex`: build index and chainstate again from the block files.
    pub reindex: bool,
    /// `-reindex-chainstate`: build the chainstate again.
    pub reindex_chainstate: bool,
    /// Keep databases in memory only.
    pub in_memory: bool,
    /// Bytes for the index database.
    pub block_tree_cache_bytes: usize,
    /// Bytes for the coins database.
    pub coins_db_cache_bytes: usize,
    /// Bytes for the coins cache.
    pub coins_cache_bytes: usize,
    /// `-dbbatchsize`.
    pub batch_write_bytes: usize,
    /// `-assumevalid`: `None` takes the network's default, zero checks all scripts.
    pub assume_valid: Option<BlockHash>,
    /// `-minimumchainwork`: `None` takes the network's default.
    pub minimum_chain_work: Option<U256>,
    /// `-maxtipage`: an older tip means initial download.
    pub max_tip_age: Duration,
    /// `-par`: script worker threads besides the validating one.
    pub script_workers: usize,
    /// `-maxsigcachesize` in bytes, both caches together.
    pub validation_cache_bytes: usize,
    /// `-checkblockindex`: verify all stored hashes at load.
    pub check_block_index: bool,
    /// `-stopatheight`; 0 does not stop.
    pub stop_at_height: u32,
    /// Blocks that are connected in one go during initial download; 1 for tests that watch each.
    pub max_run: usize,
    /// Who is told.
    pub notifications: Arc<dyn Notifications>,
    /// Shutdown.
    pub interrupt: Interrupt,
}

impl ChainstateOptions {
    /// Defaults for a data directory.
    pub fn new(
        env: Arc<dyn FileEnv>,
        params: Arc<ChainParams>,
        data_dir: impl Into<PathBuf>,
    ) -> ChainstateOptions {
        let data_dir = data_dir.into();
        ChainstateOptions {
            env,
            params,
            blocks_dir: data_dir.join("blocks"),
            data_dir,
            blocks_xor: true,
            fast_prune: false,
            prune_target: 0,
            reindex: false,
            reindex_chainstate: false,
            in_memory: false,
            block_tree_cache_bytes: 2 << 20,
            coins_db_cache_bytes: 8 << 20,
            coins_cache_bytes: 440 << 20,
            batch_write_bytes: DEFAULT_BATCH_WRITE_BYTES,
            assume_valid: None,
            minimum_chain_work: None,
            max_tip_age: Duration::from_secs(24 * 60 * 60),
            script_workers: 0,
            validation_cache_bytes: 32 << 20,
            check_block_index: false,
            stop_at_height: 0,
            max_run: 512,
            notifications: Arc::new(NoNotifications),
            interrupt: Interrupt::new(),
        }
    }

    pub(crate) fn assume_valid(&self) -> BlockHash {
        self.assume_valid.unwrap_or(self.params.consensus.default_assume_valid)
    }

    pub(crate) fn minimum_chain_work(&self) -> U256 {
        self.minimum_chain_work.unwrap_or(self.params.consensus.minimum_chain_work)
    }
}
