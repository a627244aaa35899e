//! The script interpreter. Reference: `src/script/interpreter.cpp`; the order of checks is the same.

mod condition;
mod crypto;
mod encoding;
mod eval;
mod stack;
mod verify;

pub use encoding::{check_signature_encoding, is_valid_signature_encoding};
pub use eval::{eval_script, eval_script_with};
pub use verify::verify_script;

/// Which rules a script runs under. Reference: `SigVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigVersion {
    /// Bare scripts and P2SH redeem scripts.
    Base,
    /// Version 0 witness programs (BIP141).
    WitnessV0,
    /// Taproot key path (BIP341); runs no script.
    Taproot,
    /// Taproot script path, leaf version 0xc0 (BIP342).
    Tapscript,
}

/// What a script's run carries along for Taproot signatures. Reference: `ScriptExecutionData`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptExecutionData {
    /// Leaf that runs (tapscript).
    pub tapleaf_hash: [u8; 32],
    /// Opcode number of the last executed `OP_CODESEPARATOR`, or `u32::MAX`.
    pub code_separator_pos: u32,
    /// Hash of the annex, if there is one.
    pub annex_hash: Option<[u8; 32]>,
    /// Budget for passing signatures that is left (tapscript).
    pub validation_weight_left: i64,
    /// Hash of the output that `SIGHASH_SINGLE` signs, once computed.
    pub output_hash: Option<[u8; 32]>,
}

impl Default for ScriptExecutionData {
    fn default() -> Self {
        ScriptExecutionData {
            tapleaf_hash: [0; 32],
            code_separator_pos: u32::MAX,
            annex_hash: None,
            validation_weight_left: 0,
            output_hash: None,
        }
    }
}

/// Truth of a stack element: false when all bytes are zero, but for a sign bit at the end.
pub fn cast_to_bool(element: &[u8]) -> bool {
    match element.split_last() {
        None => false,
        Some((last, rest)) => (*last != 0 && *last != 0x80) || rest.iter().any(|b| *b != 0),
    }
}
