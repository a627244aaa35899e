//! What a node relays and mines, beyond what the rules allow: standard forms, dust, sizes and fee rates.
//! Pure functions; limits that options change are parameters. Reference: `src/policy/{policy,feerate,truc_policy}.*`.

mod dust;
mod feerate;
mod limits;
mod size;
mod standard;

pub use dust::{dust_outputs, dust_threshold, is_dust};
pub use feerate::{CURRENCY_ATOM, CURRENCY_UNIT, FeeRate};
pub use limits::*;
pub use size::{input_weight, sigops_adjusted_weight, virtual_size};
pub use standard::{
    NonStandardTx, StandardOptions, are_inputs_standard, check_standard_tx, is_standard_script,
    is_witness_standard, spends_non_anchor_witness_program,
};
