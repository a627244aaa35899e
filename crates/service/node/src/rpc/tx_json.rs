//! Transactions in results. Reference: `TxToUniv` in `src/core_io.cpp`.

use grs_chainstate::TxUndo;
use grs_encoding::{encode_to_vec, hex_encode};
use grs_hashes::BlockHash;
use grs_params::Network;
use grs_primitives::{Amount, Transaction, WITNESS_SCALE_FACTOR};
use grs_rpc::{Res, value};
use grs_script::script_to_asm;
use serde_json::{Map, Value, json};

use super::script_json::{script_shape, script_to_json};

/// What is shown of a transaction.
#[derive(Clone, Copy)]
pub(super) struct TxParts<'a> {
    /// What it spends, if known: adds the fee.
    pub undo: Option<&'a TxUndo>,
    /// Shows each spent output.
    pub prevouts: bool,
    /// Shows the bytes.
    pub hex: bool,
    /// The block it is in.
    pub block: Option<BlockHash>,
}

/// The bytes of a transaction in hexadecimal.
pub(super) fn tx_hex(tx: &Transaction) -> String {
    hex_encode(encode_to_vec(tx))
}

/// Fields of a transaction.
pub(super) fn tx_fields(tx: &Transaction, network: Network, parts: TxParts<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    let weight = tx.weight();
    out.insert("txid".into(), tx.txid().to_string().into());
    out.insert("hash".into(), tx.wtxid().to_string().into());
    out.insert("version".into(), tx.version.into());
    out.insert("size".into(), tx.total_size().into());
    out.insert("vsize".into(), weight.div_ceil(WITNESS_SCALE_FACTOR).into());
    out.insert("weight".into(), weight.into());
    out.insert("locktime".into(), tx.lock_time.into());
    let mut total_in = Amount::ZERO;
    let mut vin = Vec::with_capacity(tx.inputs.len());
    for (index, input) in tx.inputs.iter().enumerate() {
        let mut item = Map::new();
        if tx.is_coinbase() {
            item.insert("coinbase".into(), input.script_sig.to_hex().into());
        } else {
            item.insert("txid".into(), input.prevout.txid.to_string().into());
            item.insert("vout".into(), input.prevout.vout.into());
            let script =
                json!({ "asm": script_to_asm(&input.script_sig, true), "hex": input.script_sig.to_hex() });
            item.insert("scriptSig".into(), script);
        }
        if !input.witness.is_empty() {
            let items: Vec<Value> = input.witness.iter().map(|w| hex_encode(w).into()).collect();
            item.insert("txinwitness".into(), items.into());
        }
        if let Some(coin) = parts.undo.and_then(|u| u.spent.get(index)) {
            total_in += coin.out.value;
            if parts.prevouts {
                item.insert(
                    "prevout".into(),
                    json!({
                        "generated": coin.coinbase,
                        "height": coin.height,
                        "value": value::amount(coin.out.value.0),
                        "scriptPubKey": script_to_json(&coin.out.script_pubkey, network),
                    }),
                );
            }
        }
        item.insert("sequence".into(), input.sequence.into());
        vin.push(Value::Object(item));
    }
    out.insert("vin".into(), vin.into());
    let vout: Vec<Value> = (0_u32..)
        .zip(&tx.outputs)
        .map(|(n, output)| {
            json!({
                "value": value::amount(output.value.0),
                "n": n,
                "scriptPubKey": script_to_json(&output.script_pubkey, network),
            })
        })
        .collect();
    out.insert("vout".into(), vout.into());
    if parts.undo.is_some() {
        let total_out: Amount = tx.outputs.iter().map(|o| o.value).sum();
        out.insert("fee".into(), value::amount((total_in - total_out).0));
    }
    if let Some(hash) = parts.block {
        out.insert("blockhash".into(), hash.to_string().into());
    }
    if parts.hex {
        out.insert("hex".into(), tx_hex(tx).into());
    }
    out
}

/// Shape of a transaction without the extras of [`TxParts`].
pub(super) fn tx_shape(txid_about: &'static str) -> Vec<Res> {
    vec![
        Res::hex("txid", txid_about),
        Res::hex("hash", "The hash with witness (the same as the id without one)"),
        Res::num("size", "Bytes"),
        Res::num("vsize", "Virtual bytes; fewer than bytes when there is a witness"),
        Res::num("weight", "Weight (between three times the virtual size and four times)"),
        Res::num("version", "Version"),
        Res::num("locktime", "Lock time"),
        Res::arr(
            "vin",
            "",
            [Res::obj(
                "",
                "",
                [
                    Res::hex("coinbase", "The coinbase's script (only of a coinbase)").optional(),
                    Res::hex("txid", "Id of the spent transaction (not of a coinbase)").optional(),
                    Res::num("vout", "Number of the spent output (not of a coinbase)").optional(),
                    Res::obj(
                        "scriptSig",
                        "The input script (not of a coinbase)",
                        [Res::str("asm", "Its operations in words"), Res::hex("hex", "Its bytes")],
                    )
                    .optional(),
                    Res::arr("txinwitness", "", [Res::hex("hex", "An item of the witness")]).optional(),
                    Res::num("sequence", "Sequence number"),
                ],
            )],
        ),
        Res::arr(
            "vout",
            "",
            [Res::obj(
                "",
                "",
                [
                    Res::amount("value", "The amount in GRS"),
                    Res::num("n", "Number of the output"),
                    Res::obj("scriptPubKey", "", script_shape()),
                ],
            )],
        ),
    ]
}

/// Shape of a spent output.
pub(super) fn prevout_shape() -> Res {
    Res::obj(
        "prevout",
        "The spent output (only when it can be looked up)",
        [
            Res::bool("generated", "Whether a coinbase made it"),
            Res::num("height", "Height of the block that made it"),
            Res::amount("value", "The amount in GRS"),
            Res::obj("scriptPubKey", "", script_shape()),
        ],
    )
}
