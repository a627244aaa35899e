//! Scripts: opcodes, interpreter, signature hashes, classes, sigop counting, caches of verified signatures.
//!
//! Entry points:
//! - [`verify_script`] and [`eval_script`] with [`ScriptFlags`], [`ScriptError`] and a [`SignatureChecker`]:
//!   [`TransactionChecker`] (alone or with a [`SignatureCache`]) or [`NoChecker`].
//! - [`ScriptCheck`]: one input's verification as a job for a worker thread; [`ValidationCache`].
//! - [`PrecomputedTxData`], [`signature_hash`], [`taproot_signature_hash`], [`tapleaf_hash`], hash type
//!   constants in [`sighash`].
//! - [`ScriptExt`] on any script bytes: `instructions()`, `is_pay_to_script_hash()`, `witness_program()`,
//!   `is_push_only()`, `is_unspendable()`, `sig_op_count()`, ...
//! - [`solver`] with [`ScriptClass`] and [`TxoutType`]; builders `script_for_*`; [`ScriptBuilder`], [`ScriptNum`].
//! - [`legacy_sig_op_count`], [`p2sh_sig_op_count`], [`witness_sig_op_count`], [`transaction_sig_op_cost`].
//! - [`script_to_asm`], [`parse_script`], [`sighash_to_str`], [`sighash_from_str`] for RPC.
//!
//! Rules are those of Groestlcoin Core 31.0's `src/script`; each function names its model.

mod asm;
mod builder;
mod cache;
mod check;
mod checker;
mod classes;
mod error;
mod flags;
mod instructions;
mod interpreter;
mod num;
pub mod opcodes;
pub mod sighash;
mod sigops;

#[doc(hidden)]
pub mod fuzz;

pub use asm::{
    ParseScriptError, format_script, parse_script, script_to_asm, sighash_from_str, sighash_to_str,
};
pub use builder::ScriptBuilder;
pub use cache::{
    DEFAULT_SCRIPT_EXECUTION_CACHE_BYTES, DEFAULT_SIGNATURE_CACHE_BYTES, DEFAULT_VALIDATION_CACHE_BYTES,
    ScriptExecutionCache, SignatureCache, ValidationCache,
};
pub use check::ScriptCheck;
pub use checker::{NoChecker, SignatureChecker, TransactionChecker};
pub use classes::{
    ScriptClass, TxoutType, match_multi_a, script_for_anchor, script_for_multisig, script_for_null_data,
    script_for_pubkey, script_for_pubkey_hash, script_for_script_hash, script_for_taproot,
    script_for_witness_program, script_for_witness_pubkey_hash, script_for_witness_script_hash, solver,
};
pub use error::ScriptError;
pub use flags::ScriptFlags;
pub use instructions::{Instruction, Instructions, ScriptExt, WitnessProgram, check_minimal_push};
pub use interpreter::{
    ScriptExecutionData, SigVersion, cast_to_bool, check_signature_encoding, eval_script, eval_script_with,
    is_valid_signature_encoding, verify_script,
};
pub use num::{ScriptNum, ScriptNumError};
pub use sighash::{
    PrecomputedTxData, SigHashCache, signature_hash, tapbranch_hash, tapleaf_hash, taproot_merkle_root,
    taproot_signature_hash,
};
pub use sigops::{legacy_sig_op_count, p2sh_sig_op_count, transaction_sig_op_cost, witness_sig_op_count};

/// Longest element on the stack and in a push, in bytes.
pub const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;
/// Most opcodes above `OP_16` in one script (not in tapscript).
pub const MAX_OPS_PER_SCRIPT: usize = 201;
/// Most keys of an `OP_CHECKMULTISIG`.
pub const MAX_PUBKEYS_PER_MULTISIG: usize = 20;
/// Most keys of a tapscript multisig made of `OP_CHECKSIGADD`.
pub const MAX_PUBKEYS_PER_MULTI_A: usize = 999;
/// Longest script that runs, in bytes (not in tapscript).
pub const MAX_SCRIPT_SIZE: usize = 10_000;
/// Most elements on stack and alternative stack together.
pub const MAX_STACK_SIZE: usize = 1000;
/// First byte of a Taproot annex.
pub const ANNEX_TAG: u8 = 0x50;
/// Tapscript: weight that each passing signature takes from the budget (BIP342).
pub const VALIDATION_WEIGHT_PER_SIGOP_PASSED: i64 = 50;
/// Tapscript: weight added to the witness size (BIP342).
pub const VALIDATION_WEIGHT_OFFSET: i64 = 50;
/// Bytes of a version 0 script hash program.
pub const WITNESS_V0_SCRIPTHASH_SIZE: usize = 32;
/// Bytes of a version 0 key hash program.
pub const WITNESS_V0_KEYHASH_SIZE: usize = 20;
/// Bytes of a Taproot program.
pub const WITNESS_V1_TAPROOT_SIZE: usize = 32;
/// Bits of a control block's first byte that are the leaf version.
pub const TAPROOT_LEAF_MASK: u8 = 0xfe;
/// Leaf version of tapscript.
pub const TAPROOT_LEAF_TAPSCRIPT: u8 = 0xc0;
/// Bytes of a control block without path.
pub const TAPROOT_CONTROL_BASE_SIZE: usize = 33;
/// Bytes of a node in a control block's path.
pub const TAPROOT_CONTROL_NODE_SIZE: usize = 32;
/// Longest path of a control block.
pub const TAPROOT_CONTROL_MAX_NODE_COUNT: usize = 128;
/// Longest control block, in bytes.
pub const TAPROOT_CONTROL_MAX_SIZE: usize =
    TAPROOT_CONTROL_BASE_SIZE + TAPROOT_CONTROL_NODE_SIZE * TAPROOT_CONTROL_MAX_NODE_COUNT;
