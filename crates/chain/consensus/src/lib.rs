//! Every block, header and transaction rule as pure functions over views.
//!
//! Nothing here reads a clock, a file or a database: what a rule needs beyond its subject comes through
//! [`HeaderView`] (a header and its ancestors) and [`CoinView`] (spent outputs). A broken rule is a variant of
//! [`TxRule`] or [`BlockRule`]; both turn into a [`ValidationError`], whose text is the reference's.
//! Reference: `src/validation.cpp`, `src/consensus/*`, `src/pow.cpp`, `src/groestlcoin.cpp`,
//! `src/versionbits.cpp`, `src/signet.cpp`.

mod bip30;
mod block;
mod commitment;
mod contextual;
mod error;
mod locktime;
mod merkle_block;
mod pow;
mod rules;
mod signet;
mod sigops;
mod tx;
mod versionbits;
mod view;

#[doc(hidden)]
pub mod fuzz;

pub use bip30::{BIP34_IMPLIES_BIP30_LIMIT, is_bip30_repeat, is_bip30_unspendable, needs_bip30_check};
pub use block::{
    CheckedBlock, check_block, check_block_form, check_header_pow, check_merkle_root, is_block_mutated,
};
pub use commitment::{
    MINIMUM_WITNESS_COMMITMENT, check_witness_malleation, fill_witness_reserved_value,
    generate_coinbase_commitment, witness_commitment_index,
};
pub use contextual::{
    MAX_FUTURE_BLOCK_TIME, MAX_TIMEWARP, block_script_flags, contextual_check_block, contextual_check_header,
    height_script, minimum_block_time,
};
pub use error::{
    BlockValidationError, BlockValidationResult, TxValidationError, TxValidationResult, ValidationError,
};
pub use locktime::{
    SequenceLock, calculate_sequence_locks, evaluate_sequence_locks, is_final_tx, sequence_locks,
};
pub use merkle_block::{MerkleBlock, MerkleMatches, PartialMerkleTree};
pub use pow::{
    DIFFICULTY_ENFORCED_HEIGHT, block_proof_equivalent_time, check_proof_of_work, claimed_headers_work,
    derive_target, difficulty, has_valid_proof_of_work, next_work_required, permitted_difficulty_transition,
};
pub use rules::{BlockRule, TxRule, format_money};
pub use signet::{SignetTxs, check_signet_solution};
pub use sigops::transaction_sigop_cost;
pub use tx::{
    COINBASE_MATURITY, CoinRef, CoinView, MAX_BLOCK_SERIALIZED_SIZE, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT,
    MIN_SERIALIZABLE_TRANSACTION_WEIGHT, MIN_TRANSACTION_WEIGHT, check_transaction, check_tx_inputs,
};
pub use versionbits::{
    Bip9GbtInfo, Bip9GbtStatus, Bip9Info, Bip9Stats, ThresholdCache, ThresholdState,
    VERSIONBITS_LAST_OLD_BLOCK_VERSION, VERSIONBITS_NUM_BITS, VERSIONBITS_TOP_BITS, VERSIONBITS_TOP_MASK,
    VersionBitsCache, signals,
};
pub use view::{HeaderList, HeaderView, ListedHeader, MEDIAN_TIME_SPAN, block_locator, last_common_ancestor};
