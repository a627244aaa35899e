//! Signature operation counts. Reference: `src/consensus/tx_verify.cpp` and `CountWitnessSigOps`.

use grs_primitives::{MutableTransaction, TxOut, WITNESS_SCALE_FACTOR, Witness};

use crate::instructions::last_push;
use crate::{ScriptExt, ScriptFlags, WITNESS_V0_KEYHASH_SIZE, WITNESS_V0_SCRIPTHASH_SIZE, WitnessProgram};

/// Inaccurate count over all scripts of a transaction. Reference: `GetLegacySigOpCount`.
pub fn legacy_sig_op_count(tx: &MutableTransaction) -> u32 {
    let inputs = tx.inputs.iter().map(|i| i.script_sig.sig_op_count(false));
    let outputs = tx.outputs.iter().map(|o| o.script_pubkey.sig_op_count(false));
    inputs.chain(outputs).sum()
}

/// Accurate count in the redeem scripts of P2SH inputs. `spent` gives the output that an input spends.
/// Reference: `GetP2SHSigOpCount`.
pub fn p2sh_sig_op_count<'a>(tx: &MutableTransaction, mut spent: impl FnMut(usize) -> &'a TxOut) -> u32 {
    if tx.is_coinbase() {
        return 0;
    }
    let mut n = 0;
    for (i, input) in tx.inputs.iter().enumerate() {
        let script = &spent(i).script_pubkey;
        if script.is_pay_to_script_hash() {
            n += script.sig_op_count_with(&input.script_sig);
        }
    }
    n
}

fn program_sig_ops(program: WitnessProgram<'_>, witness: &Witness) -> u32 {
    match (program.version, program.program.len()) {
        (0, WITNESS_V0_KEYHASH_SIZE) => 1,
        (0, WITNESS_V0_SCRIPTHASH_SIZE) => witness.last().map_or(0, |script| script.sig_op_count(true)),
        _ => 0,
    }
}

/// Count in the witness of one input. Reference: `CountWitnessSigOps`.
pub fn witness_sig_op_count(
    script_sig: &[u8],
    script_pubkey: &[u8],
    witness: &Witness,
    flags: ScriptFlags,
) -> u32 {
    if !flags.has(ScriptFlags::WITNESS) {
        return 0;
    }
    if let Some(program) = script_pubkey.witness_program() {
        return program_sig_ops(program, witness);
    }
    if script_pubkey.is_pay_to_script_hash()
        && let Some(program) = last_push(script_sig).and_then(|s| s.witness_program())
    {
        return program_sig_ops(program, witness);
    }
    0
}

/// Cost of a transaction's signature operations: 4 for each legacy and P2SH one, 1 for each in a witness.
/// `spent` gives the output that an input spends; it is not called for a coinbase.
/// Reference: `GetTransactionSigOpCost`.
pub fn transaction_sig_op_cost<'a>(
    tx: &MutableTransaction,
    mut spent: impl FnMut(usize) -> &'a TxOut,
    flags: ScriptFlags,
) -> u32 {
    const SCALE: u32 = WITNESS_SCALE_FACTOR as u32;
    let mut cost = legacy_sig_op_count(tx) * SCALE;
    if tx.is_coinbase() {
        return cost;
    }
    if flags.has(ScriptFlags::P2SH) {
        cost += p2sh_sig_op_count(tx, &mut spent) * SCALE;
    }
    for (i, input) in tx.inputs.iter().enumerate() {
        cost += witness_sig_op_count(&input.script_sig, &spent(i).script_pubkey, &input.witness, flags);
    }
    cost
}
