//! The numbers of the relay policy.

/// Weight of the largest transaction that is relayed.
pub const MAX_STANDARD_TX_WEIGHT: usize = 400_000;
/// Smallest size without witnesses that is relayed, in bytes (a 64-byte transaction could pose as a Merkle node).
pub const MIN_STANDARD_TX_NONWITNESS_SIZE: usize = 65;
/// Most signature operations in one P2SH redeem script.
pub const MAX_P2SH_SIGOPS: u32 = 15;
/// Highest signature operation cost of a relayed transaction: a fifth of a block's.
pub const MAX_STANDARD_TX_SIGOPS_COST: u32 = 80_000 / 5;
/// Most signature operations outside witnesses (BIP54).
pub const MAX_TX_LEGACY_SIGOPS: u32 = 2_500;
/// Most elements of a P2WSH stack, without the script.
pub const MAX_STANDARD_P2WSH_STACK_ITEMS: usize = 100;
/// Longest such element, in bytes.
pub const MAX_STANDARD_P2WSH_STACK_ITEM_SIZE: usize = 80;
/// Longest element of a tapscript stack, in bytes.
pub const MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE: usize = 80;
/// Longest P2WSH script, in bytes.
pub const MAX_STANDARD_P2WSH_SCRIPT_SIZE: usize = 3_600;
/// Longest unlocking script, in bytes.
pub const MAX_STANDARD_SCRIPTSIG_SIZE: usize = 1_650;
/// Bytes of `OP_RETURN` outputs that are relayed by default (`-datacarriersize`).
pub const MAX_OP_RETURN_RELAY: usize = MAX_STANDARD_TX_WEIGHT / 4;
/// Most dust outputs of one transaction.
pub const MAX_DUST_OUTPUTS_PER_TX: usize = 1;
/// `-incrementalrelayfee`, in gro per 1,000 virtual bytes.
pub const DEFAULT_INCREMENTAL_RELAY_FEE: i64 = 100;
/// `-minrelaytxfee`, in gro per 1,000 virtual bytes.
pub const DEFAULT_MIN_RELAY_TX_FEE: i64 = 100;
/// `-dustrelayfee`, in gro per 1,000 virtual bytes.
pub const DUST_RELAY_TX_FEE: i64 = 3_000;
/// `-blockmintxfee`, in gro per 1,000 virtual bytes.
pub const DEFAULT_BLOCK_MIN_TX_FEE: i64 = 1;
/// `-bytespersigop`.
pub const DEFAULT_BYTES_PER_SIGOP: u32 = 20;
/// `-blockreservedweight`.
pub const DEFAULT_BLOCK_RESERVED_WEIGHT: usize = 8_000;
/// Least `-blockreservedweight`.
pub const MINIMUM_BLOCK_RESERVED_WEIGHT: usize = 2_000;
/// Signature operation cost kept free for a pool's coinbase.
pub const DEFAULT_COINBASE_OUTPUT_MAX_ADDITIONAL_SIGOPS: usize = 400;
/// `-limitclustercount`.
pub const DEFAULT_CLUSTER_LIMIT: usize = 64;
/// `-limitclustersize`, in 1,000 virtual bytes.
pub const DEFAULT_CLUSTER_SIZE_LIMIT_KVB: usize = 101;
/// `-limitancestorcount`.
pub const DEFAULT_ANCESTOR_LIMIT: usize = 25;
/// `-limitdescendantcount`.
pub const DEFAULT_DESCENDANT_LIMIT: usize = 25;
/// Lowest version that is relayed.
pub const TX_MIN_STANDARD_VERSION: u32 = 1;
/// Highest version that is relayed.
pub const TX_MAX_STANDARD_VERSION: u32 = 3;
/// Transactions of this version are restricted until confirmation (BIP431).
pub const TRUC_VERSION: u32 = 3;
/// Most unconfirmed descendants of such a transaction, with itself.
pub const TRUC_DESCENDANT_LIMIT: usize = 2;
/// Most unconfirmed ancestors, with itself.
pub const TRUC_ANCESTOR_LIMIT: usize = 2;
/// Largest, in virtual bytes.
pub const TRUC_MAX_VSIZE: i64 = 10_000;
/// Largest with an unconfirmed parent, in virtual bytes.
pub const TRUC_CHILD_MAX_VSIZE: i64 = 1_000;
