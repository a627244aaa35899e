//! Chain data types. Blocks, headers and transactions carry their ids: a [`HashedHeader`] cannot exist without
//! its block hash, a [`Transaction`] not without its txid and wtxid, so nothing downstream hashes them again.

mod amount;
mod block;
mod locator;
mod merkle;
mod script;
mod transaction;

#[doc(hidden)]
pub mod fuzz;

pub use amount::{Amount, COIN, MAX_MONEY, money_range};
pub use block::{Block, HEADER_LEN, HashedHeader, Header, header_hash_count};
pub use locator::BlockLocator;
pub use merkle::{
    MerkleResult, block_merkle_root, block_witness_merkle_root, merkle_path, merkle_root,
    merkle_root_from_path,
};
pub use script::{Script, Witness};
pub use transaction::{
    LOCKTIME_THRESHOLD, MutableTransaction, NULL_INDEX, OutPoint, SEQUENCE_FINAL,
    SEQUENCE_LOCKTIME_DISABLE_FLAG, SEQUENCE_LOCKTIME_GRANULARITY, SEQUENCE_LOCKTIME_MASK,
    SEQUENCE_LOCKTIME_TYPE_FLAG, SEQUENCE_MAX_NONFINAL, Transaction, TxIn, TxOut, TxRef,
    WITNESS_SCALE_FACTOR,
};
