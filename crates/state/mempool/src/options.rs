use std::time::Duration;

use grs_policy::{
    DEFAULT_ANCESTOR_LIMIT, DEFAULT_BYTES_PER_SIGOP, DEFAULT_CLUSTER_LIMIT, DEFAULT_CLUSTER_SIZE_LIMIT_KVB,
    DEFAULT_DESCENDANT_LIMIT, DEFAULT_INCREMENTAL_RELAY_FEE, DEFAULT_MIN_RELAY_TX_FEE, FeeRate,
    StandardOptions,
};

/// What options change about the mempool.
#[derive(Clone, Copy, Debug)]
pub struct MempoolOptions {
    /// `-maxmempool`, in bytes of memory.
    pub max_size_bytes: usize,
    /// `-mempoolexpiry`.
    pub expiry: Duration,
    /// `-incrementalrelayfee`.
    pub incremental_relay_rate: FeeRate,
    /// `-minrelaytxfee`.
    pub min_relay_rate: FeeRate,
    /// Standard forms.
    pub standard: StandardOptions,
    /// False with `-acceptnonstdtxn`.
    pub require_standard: bool,
    /// `-bytespersigop`.
    pub bytes_per_sigop: u32,
    /// `-limitclustercount`.
    pub cluster_count: usize,
    /// `-limitclustersize`, in virtual bytes.
    pub cluster_vbytes: usize,
    /// `-limitancestorcount`, which wallets look at.
    pub ancestor_count: usize,
    /// `-limitdescendantcount`, which wallets look at.
    pub descendant_count: usize,
    /// `-persistmempoolv1`.
    pub persist_v1: bool,
    /// Checks of the whole pool after each change, for tests (`-checkmempool`): one in so many, 0 for none.
    pub check_ratio: u32,
}

impl Default for MempoolOptions {
    fn default() -> Self {
        MempoolOptions {
            max_size_bytes: 300_000_000,
            expiry: Duration::from_secs(336 * 3600),
            incremental_relay_rate: FeeRate::per_kvb(DEFAULT_INCREMENTAL_RELAY_FEE),
            min_relay_rate: FeeRate::per_kvb(DEFAULT_MIN_RELAY_TX_FEE),
            standard: StandardOptions::default(),
            require_standard: true,
            bytes_per_sigop: DEFAULT_BYTES_PER_SIGOP,
            cluster_count: DEFAULT_CLUSTER_LIMIT,
            cluster_vbytes: DEFAULT_CLUSTER_SIZE_LIMIT_KVB * 1000,
            ancestor_count: DEFAULT_ANCESTOR_LIMIT,
            descendant_count: DEFAULT_DESCENDANT_LIMIT,
            persist_v1: false,
            check_ratio: 0,
        }
    }
}
