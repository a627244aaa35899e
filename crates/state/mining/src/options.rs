use grs_policy::FeeRate;
use grs_primitives::Script;

/// Weight that stays free for header, transaction count and coinbase (`-blockreservedweight`).
pub const DEFAULT_BLOCK_RESERVED_WEIGHT: u64 = 8_000;
/// Least value of `-blockreservedweight`.
pub const MINIMUM_BLOCK_RESERVED_WEIGHT: u64 = 2_000;
/// Default of `-blockmaxweight`.
pub const DEFAULT_BLOCK_MAX_WEIGHT: u64 = 4_000_000;
/// Default of `-blockmintxfee`, per 1000 virtual bytes.
pub const DEFAULT_BLOCK_MIN_TX_FEE: i64 = 1;
/// Signature operation cost that stays free for the coinbase's outputs.
pub const DEFAULT_COINBASE_SIGOPS: u64 = 400;

/// How to make a block. Reference: `BlockAssembler::Options`, `BlockCreateOptions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssemblerOptions {
    /// Fill the block from the mempool.
    pub use_mempool: bool,
    /// Weight that stays free for header, transaction count and coinbase.
    pub reserved_weight: u64,
    /// Signature operation cost that stays free for the coinbase.
    pub reserved_sigops: u64,
    /// What the coinbase pays to.
    pub coinbase_script: Script,
    /// Adds a zero behind the height in the coinbase, which makes blocks up to height 16 valid.
    pub dummy_extra_nonce: bool,
    /// Check the finished block.
    pub test_validity: bool,
    /// Most weight.
    pub max_weight: u64,
    /// Least fee rate.
    pub min_fee_rate: FeeRate,
    /// Log each transaction's fee rate (`-printpriority`).
    pub log_fee_rates: bool,
    /// Version of the block, on chains mined on demand (`-blockversion`).
    pub version: Option<i32>,
}

impl Default for AssemblerOptions {
    fn default() -> Self {
        AssemblerOptions {
            use_mempool: true,
            reserved_weight: DEFAULT_BLOCK_RESERVED_WEIGHT,
            reserved_sigops: DEFAULT_COINBASE_SIGOPS,
            // OP_TRUE
            coinbase_script: Script::from(vec![0x51]),
            dummy_extra_nonce: false,
            test_validity: true,
            max_weight: DEFAULT_BLOCK_MAX_WEIGHT,
            min_fee_rate: FeeRate::per_kvb(DEFAULT_BLOCK_MIN_TX_FEE),
            log_fee_rates: false,
            version: None,
        }
    }
}

impl AssemblerOptions {
    /// With all values in their ranges. Reference: `ClampOptions`.
    pub(crate) fn clamped(&self) -> AssemblerOptions {
        let most = grs_consensus::MAX_BLOCK_WEIGHT as u64;
        let reserved_weight = self.reserved_weight.clamp(MINIMUM_BLOCK_RESERVED_WEIGHT, most);
        AssemblerOptions {
            reserved_weight,
            reserved_sigops: self.reserved_sigops.min(grs_consensus::MAX_BLOCK_SIGOPS_COST as u64),
            max_weight: self.max_weight.clamp(reserved_weight, most),
            ..self.clone()
        }
    }
}
