//! `decodepsbt`, `analyzepsbt`.

use grs_consensus::{CoinRef, transaction_sigop_cost};
use grs_descriptor::write_key_path;
use grs_encoding::{base58check_encode, hex_encode};
use grs_policy::{FeeRate, virtual_size};
use grs_primitives::{Amount, Transaction, TxOut, money_range};
use grs_psbt::{Psbt, analyze};
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use grs_script::ScriptFlags;
use serde_json::{Map, Value, json};

use super::fields::{
    input_fields, input_shape, output_fields, output_shape, proprietary, proprietary_shape, unknown,
    unknown_shape,
};
use super::parse;
use crate::rpc::tx_json::{TxParts, tx_fields, tx_shape};
use crate::rpc::{Ctx, Maker};

fn decoded_shape() -> Res {
    let xpub = Res::obj(
        "",
        "",
        [
            Res::str("xpub", "The extended public key"),
            Res::hex("master_fingerprint", "Fingerprint of the master key"),
            Res::str("path", "Steps from it"),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::obj("tx", "The unsigned transaction", tx_shape("The id")),
            Res::arr("global_xpubs", "Extended keys", [xpub]),
            Res::num("psbt_version", "Version of the format, not that of the transaction"),
            proprietary_shape(),
            unknown_shape(),
            Res::arr("inputs", "What is known about inputs", [input_shape(tx_shape("The id"))]),
            Res::arr("outputs", "What is known about outputs", [output_shape()]),
            Res::amount("fee", "The fee, if all spent outputs are known").optional(),
        ],
    )
}

fn analysis_shape() -> Res {
    let missing = Res::obj(
        "missing",
        "What this input still needs",
        [
            Res::arr("pubkeys", "", [Res::hex("keyid", "Id of a key whose origin is missing")]).optional(),
            Res::arr("signatures", "", [Res::hex("keyid", "Id of a key whose signature is missing")])
                .optional(),
            Res::hex("redeemscript", "Hash of the missing redeem script").optional(),
            Res::hex("witnessscript", "Hash of the missing witness script").optional(),
        ],
    );
    let input = Res::obj(
        "",
        "",
        [
            Res::bool("has_utxo", "Whether the spent output is known"),
            Res::bool("is_final", "Whether the input is final"),
            missing.optional(),
            Res::str("next", "Role of the one whose turn it is with this input").optional(),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::arr("inputs", "", [input]).optional(),
            Res::num("estimated_vsize", "Virtual bytes of the signed transaction, estimated").optional(),
            Res::amount("estimated_feerate", "Its fee rate in GRS per kvB").optional(),
            Res::amount("fee", "The fee, if all spent outputs are known").optional(),
            Res::str("next", "Role of the one whose turn it is"),
            Res::str("error", "What is wrong, if anything").optional(),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "rawtransactions",
                "decodepsbt",
                "Return a JSON object representing the serialized, base64-encoded partially signed Groestlcoin transaction.",
                decodepsbt,
            )
            .arg(Arg::str("psbt", "The base64 of a PSBT"))
            .result(decoded_shape())
            .example_cli("\"psbt\""),
        maker
            .method(
                "rawtransactions",
                "analyzepsbt",
                "Says how far a PSBT has come and what its inputs need.\n",
                analyzepsbt,
            )
            .arg(Arg::str("psbt", "The base64 of a PSBT"))
            .result(analysis_shape())
            .example_cli("\"psbt\""),
    ]
}

/// What the transaction pays as fee, if all spent outputs are known and all amounts are sane.
fn fee(psbt: &Psbt) -> Option<i64> {
    let mut sum_in = 0_i64;
    for index in 0..psbt.inputs.len() {
        let value = psbt.input_utxo(index)?.value;
        sum_in = sum_in.checked_add(value.0)?;
        (money_range(value) && money_range(Amount(sum_in))).then_some(())?;
    }
    let mut sum_out = 0_i64;
    for output in &psbt.tx.outputs {
        sum_out = sum_out.checked_add(output.value.0)?;
        (money_range(output.value) && money_range(Amount(sum_out))).then_some(())?;
    }
    Some(sum_in - sum_out)
}

fn decodepsbt(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let psbt = parse(request.arg("psbt")?)?;
    let network = ctx.params.network;
    let parts = TxParts { undo: None, prevouts: false, hex: false, block: None };
    let mut out = Map::new();
    out.insert("tx".into(), tx_fields(&Transaction::from(psbt.tx.clone()), network, parts).into());
    let keys = psbt.xpubs.iter().flat_map(|(origin, keys)| keys.iter().map(move |key| (origin, key)));
    let xpubs: Vec<Value> = keys
        .map(|(origin, (prefix, key))| {
            json!({
                "xpub": base58check_encode(&[prefix.as_slice(), &key.encode()].concat()),
                "master_fingerprint": hex_encode(origin.fingerprint),
                "path": write_key_path(&origin.path, false),
            })
        })
        .collect();
    out.insert("global_xpubs".into(), xpubs.into());
    out.insert("psbt_version".into(), psbt.version.unwrap_or(0).into());
    out.insert("proprietary".into(), proprietary(&psbt.proprietary).into());
    out.insert("unknown".into(), unknown(&psbt.unknown));
    let inputs = psbt.inputs.iter().map(|input| Value::Object(input_fields(input, network)));
    out.insert("inputs".into(), inputs.collect());
    let outputs = psbt.outputs.iter().map(|output| Value::Object(output_fields(output, network)));
    out.insert("outputs".into(), outputs.collect());
    if let Some(fee) = fee(&psbt) {
        out.insert("fee".into(), value::amount(fee));
    }
    Ok(Value::Object(out))
}

fn analyzepsbt(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let analysis = analyze(&parse(request.arg("psbt")?)?);
    let mut out = Map::new();
    let mut inputs = Vec::with_capacity(analysis.inputs.len());
    for input in &analysis.inputs {
        let found = &input.missing;
        let mut missing = Map::new();
        let ids = |ids: &[grs_hashes::Hash160]| -> Value {
            ids.iter().map(|id| Value::from(hex_encode(id.as_bytes()))).collect()
        };
        if !found.missing_public_keys.is_empty() {
            missing.insert("pubkeys".into(), ids(&found.missing_public_keys));
        }
        if let Some(hash) = &found.missing_redeem_script {
            missing.insert("redeemscript".into(), hex_encode(hash.as_bytes()).into());
        }
        if let Some(hash) = &found.missing_witness_script {
            missing.insert("witnessscript".into(), hex_encode(hash).into());
        }
        if !found.missing_signatures.is_empty() {
            missing.insert("signatures".into(), ids(&found.missing_signatures));
        }
        let mut shown = Map::new();
        shown.insert("has_utxo".into(), input.has_utxo.into());
        shown.insert("is_final".into(), input.is_final.into());
        shown.insert("next".into(), input.next.name().into());
        if !missing.is_empty() {
            shown.insert("missing".into(), missing.into());
        }
        inputs.push(Value::Object(shown));
    }
    if !inputs.is_empty() {
        out.insert("inputs".into(), inputs.into());
    }
    if let (Some((tx, spent)), Some(fee)) = (&analysis.estimated, analysis.fee) {
        let size = virtual_size(tx.weight(), sigop_cost(tx, spent)?, bytes_per_sigop(ctx));
        out.insert("estimated_vsize".into(), size.into());
        let rate = FeeRate::of(fee, size);
        out.insert("estimated_feerate".into(), value::amount(rate.fee_per_kvb().0));
    }
    if let Some(fee) = analysis.fee {
        out.insert("fee".into(), value::amount(fee.0));
    }
    out.insert("next".into(), analysis.next.name().into());
    if let Some(error) = &analysis.error {
        out.insert("error".into(), error.as_str().into());
    }
    Ok(Value::Object(out))
}

fn sigop_cost(tx: &Transaction, spent: &[TxOut]) -> Result<u32, RpcError> {
    let coins: Vec<CoinRef<'_>> = spent
        .iter()
        .map(|out| CoinRef {
            value: out.value,
            script_pubkey: &out.script_pubkey,
            height: 1,
            is_coinbase: false,
        })
        .collect();
    let cost = transaction_sigop_cost(tx, coins.as_slice(), ScriptFlags::STANDARD);
    cost.ok()
        .and_then(|cost| u32::try_from(cost).ok())
        .ok_or_else(|| RpcError::bug("all spent outputs are known"))
}

fn bytes_per_sigop(ctx: &Ctx) -> u32 {
    ctx.args.get_int("-bytespersigop", 20_u32)
}
