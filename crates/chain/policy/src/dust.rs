use grs_primitives::{Amount, MutableTransaction, TxOut};
use grs_script::ScriptExt;

use crate::FeeRate;

/// Size of an input that spends a witness output, a quarter of its signature counted.
const WITNESS_SPEND_SIZE: usize = 32 + 4 + 1 + 107 / 4 + 4;
/// Size of an input that spends any other output.
const LEGACY_SPEND_SIZE: usize = 32 + 4 + 1 + 107 + 4;

/// The value below which an output costs more to spend than it is worth, at the dust fee rate.
/// Reference: `GetDustThreshold`.
pub fn dust_threshold(output: &TxOut, dust_rate: FeeRate) -> Amount {
    if output.script_pubkey.is_unspendable() {
        return Amount::ZERO;
    }
    let spend = match output.script_pubkey.witness_program() {
        Some(_) => WITNESS_SPEND_SIZE,
        None => LEGACY_SPEND_SIZE,
    };
    dust_rate.fee(output.encoded_len() + spend)
}

/// True for an output below its [`dust_threshold`].
pub fn is_dust(output: &TxOut, dust_rate: FeeRate) -> bool {
    output.value < dust_threshold(output, dust_rate)
}

/// Numbers of a transaction's dust outputs.
pub fn dust_outputs(tx: &MutableTransaction, dust_rate: FeeRate) -> Vec<u32> {
    (0_u32..).zip(&tx.outputs).filter(|(_, o)| is_dust(o, dust_rate)).map(|(i, _)| i).collect()
}
