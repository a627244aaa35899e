use grs_primitives::{Transaction, WITNESS_SCALE_FACTOR};
use grs_script::{ScriptExt, ScriptFlags, legacy_sig_op_count, witness_sig_op_count};

use crate::{CoinView, TxRule};

/// Cost of a transaction's signature operations: four for each legacy and P2SH one, one for each in a witness.
/// Fails when a spent output is missing. Reference: `GetTransactionSigOpCost`.
pub fn transaction_sigop_cost<V: CoinView + ?Sized>(
    tx: &Transaction,
    coins: &V,
    flags: ScriptFlags,
) -> Result<i64, TxRule> {
    const SCALE: i64 = WITNESS_SCALE_FACTOR as i64;
    let mut cost = i64::from(legacy_sig_op_count(tx)) * SCALE;
    if tx.is_coinbase() {
        return Ok(cost);
    }
    for (i, input) in tx.inputs.iter().enumerate() {
        let script = coins.coin(i, &input.prevout).ok_or(TxRule::MissingInputs)?.script_pubkey;
        if flags.has(ScriptFlags::P2SH) && script.is_pay_to_script_hash() {
            cost += i64::from(script.sig_op_count_with(&input.script_sig)) * SCALE;
        }
        cost += i64::from(witness_sig_op_count(&input.script_sig, script, &input.witness, flags));
    }
    Ok(cost)
}
