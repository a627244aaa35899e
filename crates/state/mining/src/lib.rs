//! Block assembly and templates.
//!
//! [`create_new_block`] chooses transactions by chunks of the mempool and makes a [`BlockTemplate`];
//! [`find_nonce`] solves one on demand.
//! Reference: `src/node/miner.cpp`.

mod assembler;
mod options;
mod solve;
mod template;

pub use assembler::{AssemblyError, LastBlock, create_new_block, last_block};
pub use options::{
    AssemblerOptions, DEFAULT_BLOCK_MAX_WEIGHT, DEFAULT_BLOCK_MIN_TX_FEE, DEFAULT_BLOCK_RESERVED_WEIGHT,
    DEFAULT_COINBASE_SIGOPS, MINIMUM_BLOCK_RESERVED_WEIGHT,
};
pub use solve::{
    DEFAULT_MAX_TRIES, MAX_HASHES_ALONE, MAX_HASHES_IN_SERIES, Solved, TooFarAhead, ease_time, find_nonce,
};
pub use template::{BlockTemplate, CoinbaseParts, block_of, regenerate_commitment, set_time, update_time};
