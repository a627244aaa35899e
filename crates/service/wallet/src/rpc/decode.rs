//! A transaction as JSON. Reference: `TxToUniv` of `core_io.cpp`.

use grs_descriptor::{EmptySigningProvider, extract_destination, infer_descriptor};
use grs_encoding::hex_encode;
use grs_primitives::Transaction;
use grs_rpc::value::amount;
use grs_script::{script_to_asm, solver};
use serde_json::{Map, Value, json};

use crate::state::State;

/// The decoded form, with a mark on change.
pub(super) fn decoded_transaction(state: &State, tx: &Transaction) -> Value {
    let inputs: Vec<Value> = tx
        .inputs
        .iter()
        .map(|input| {
            let mut out = Map::new();
            if tx.is_coinbase() {
                out.insert("coinbase".into(), input.script_sig.to_hex().into());
            } else {
                out.insert("txid".into(), input.prevout.txid.to_string().into());
                out.insert("vout".into(), input.prevout.vout.into());
                let asm = script_to_asm(&input.script_sig, true);
                out.insert("scriptSig".into(), json!({ "asm": asm, "hex": input.script_sig.to_hex() }));
            }
            if !input.witness.is_empty() {
                out.insert("txinwitness".into(), input.witness.iter().map(hex_encode).collect());
            }
            out.insert("sequence".into(), input.sequence.into());
            Value::Object(out)
        })
        .collect();
    let outputs: Vec<Value> = tx
        .outputs
        .iter()
        .enumerate()
        .map(|(n, output)| {
            let script = &output.script_pubkey;
            let mut described = Map::new();
            described.insert("asm".into(), script_to_asm(script, false).into());
            let descriptor = infer_descriptor(script, &EmptySigningProvider, state.network);
            described.insert("desc".into(), descriptor.to_string().into());
            described.insert("hex".into(), script.to_hex().into());
            let destination = extract_destination(script);
            if destination.is_valid() {
                described.insert("address".into(), state.address(&destination).into());
            }
            described.insert("type".into(), solver(script).kind().name().into());
            let mut out = Map::new();
            out.insert("value".into(), amount(output.value.0));
            out.insert("n".into(), n.into());
            out.insert("scriptPubKey".into(), Value::Object(described));
            if state.is_change(script) {
                out.insert("ischange".into(), true.into());
            }
            Value::Object(out)
        })
        .collect();
    let weight = tx.weight();
    json!({
        "txid": tx.txid().to_string(),
        "hash": tx.wtxid().to_string(),
        "version": tx.version,
        "size": tx.total_size(),
        "vsize": weight.div_ceil(4),
        "weight": weight,
        "locktime": tx.lock_time,
        "vin": inputs,
        "vout": outputs,
    })
}
