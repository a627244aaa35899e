//! Methods that sign. Reference: `src/wallet/rpc/signmessage.cpp`, `rpc/rawtransaction_util.cpp`.

use std::collections::BTreeMap;

use grs_descriptor::{Destination, FlatSigningProvider, InputError, SigningProvider, sign_transaction};
use grs_encoding::{base64_encode, encode_to_vec, hex_encode};
use grs_hashes::Txid;
use grs_keys::sign_message;
use grs_primitives::{Amount, OutPoint, Script, TxOut};
use grs_rpc::value::{Expected, amount_from_value, check_object_types, parse_hash_field, parse_hex_field};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_rpc_tx::{decode_tx, output_text, parse_sighash};
use serde_json::{Map, Value, json};

use super::wallets::wallet_error;
use super::{RpcResult, destination, ensure_unlocked, state_of, wallet_of};

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::new("wallet", "signmessage", "Signs a text with the key of an address.\n", signmessage)
            .arg(Arg::str("address", "The address; only P2PKH ones will do"))
            .arg(Arg::str("message", "The text"))
            .result(Res::str("signature", "Signature in base 64"))
            .example_cli("\"address\" \"my message\"")
            .example_rpc("\"address\", \"my message\""),
        Method::new(
            "wallet",
            "signrawtransactionwithwallet",
            "Signs inputs of a transaction with the wallet's keys.\n",
            signrawtransactionwithwallet,
        )
        .arg(Arg::str("hexstring", "The transaction"))
        .arg(
            Arg::arr(
                "prevtxs",
                "Outputs that it spends and the node does not know",
                [Arg::obj(
                    "",
                    "",
                    [
                        Arg::hex("txid", "Transaction"),
                        Arg::num("vout", "Number of the output"),
                        Arg::hex("scriptPubKey", "Its script"),
                        Arg::hex("redeemScript", "Redeem script, for P2SH").optional(),
                        Arg::hex("witnessScript", "Witness script, for P2WSH").optional(),
                        Arg::amount("amount", "Its value, for segwit").optional(),
                    ],
                )
                .optional()],
            )
            .optional(),
        )
        .arg(
            Arg::str("sighashtype", "What the signatures cover")
                .default("DEFAULT for Taproot, ALL otherwise"),
        )
        .result(Res::obj(
            "",
            "",
            [
                Res::hex("hex", "The transaction"),
                Res::bool("complete", "All inputs are signed"),
                Res::arr(
                    "errors",
                    "What is wrong with inputs",
                    [Res::obj(
                        "",
                        "",
                        [
                            Res::hex("txid", "Transaction that it spends from"),
                            Res::num("vout", "Number of the output"),
                            Res::arr("witness", "", [Res::hex("witness", "")]),
                            Res::hex("scriptSig", "Unlocking script"),
                            Res::num("sequence", "Sequence"),
                            Res::str("error", "What is wrong"),
                        ],
                    )],
                )
                .optional(),
            ],
        ))
        .example_cli("\"myhex\"")
        .example_rpc("\"myhex\""),
    ]
}

fn signmessage(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let state = state_of(&wallet);
    ensure_unlocked(&state)?;
    let destination = destination(&state, request.arg("address")?)
        .map_err(|_| RpcError::invalid_address_or_key("Invalid address"))?;
    let Destination::PubKeyHash(id) = destination else {
        return Err(RpcError::type_error("Address does not refer to key"));
    };
    let script = destination.script();
    let provider = state.signing_provider(std::iter::once(&script));
    let key = provider.secret_key(&id).ok_or_else(|| RpcError::wallet("Private key not available"))?;
    let message: &str = request.arg("message")?;
    Ok(base64_encode(&sign_message(&key, message.as_bytes())).into())
}

/// Takes outputs that the caller describes. Reference: `ParsePrevouts`.
fn parse_prevouts(
    value: &Value,
    coins: &mut BTreeMap<OutPoint, TxOut>,
    external: &mut FlatSigningProvider,
) -> Result<(), RpcError> {
    for item in value.as_array().into_iter().flatten() {
        if !item.is_object() {
            return Err(RpcError::deserialization(
                "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}",
            ));
        }
        let expected = [("txid", Expected::Str), ("vout", Expected::Num), ("scriptPubKey", Expected::Str)];
        check_object_types(item, &expected, false, false)?;
        let txid = Txid::from_bytes(parse_hash_field(item, "txid")?);
        let vout: i32 = item.field("vout").get_int()?;
        let vout = u32::try_from(vout).map_err(|_| RpcError::deserialization("vout cannot be negative"))?;
        let outpoint = OutPoint::new(txid, vout);
        let script = Script::from(parse_hex_field(item, "scriptPubKey")?);
        if let Some(known) = coins.get(&outpoint)
            && known.script_pubkey != script
        {
            return Err(RpcError::deserialization(format!(
                "Previous output scriptPubKey mismatch:\n{}\nvs:\n{}",
                grs_script::script_to_asm(&known.script_pubkey, false),
                grs_script::script_to_asm(&script, false)
            )));
        }
        let value = match item.field("amount") {
            Value::Null => Amount::MAX_MONEY,
            value => Amount(amount_from_value(value)?),
        };
        for key in ["redeemScript", "witnessScript"] {
            if !item.field(key).is_null() {
                let inner = parse_hex_field(item, key)?;
                external.add_script(&inner);
                // A witness script may stand inside P2SH.
                let program = Destination::witness_script_hash(&inner).script();
                external.add_script(&program);
            }
        }
        coins.insert(outpoint, TxOut::new(value, script));
    }
    Ok(())
}

fn signrawtransactionwithwallet(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let tx = decode_tx(request.arg("hexstring")?, false, true).ok_or_else(|| {
        RpcError::deserialization("TX decode failed. Make sure the tx has at least one input.")
    })?;
    let mut tx = tx.to_mutable();
    ensure_unlocked(&state_of(&wallet))?;
    let hash_type = match request.has("sighashtype") {
        true => parse_sighash(request.value("sighashtype"))?.unwrap_or(0),
        false => 0,
    };
    let outpoints: Vec<OutPoint> = tx.inputs.iter().map(|i| i.prevout).collect();
    let found = wallet.chain.find_coins(&outpoints).map_err(wallet_error)?;
    let mut coins: BTreeMap<OutPoint, TxOut> =
        outpoints.iter().zip(found).filter_map(|(o, coin)| Some((*o, coin?.out))).collect();
    let mut external = FlatSigningProvider::new();
    parse_prevouts(request.value("prevtxs"), &mut coins, &mut external)?;
    let mut provider = state_of(&wallet).signing_provider(coins.values().map(|out| &out.script_pubkey));
    provider.merge(external);
    let errors = sign_transaction(&mut tx, &provider, &coins, hash_type);
    if let Some((index, _)) = errors.iter().find(|(_, error)| **error == InputError::MissingAmount) {
        let spent = coins.get(&tx.inputs[*index].prevout).map(output_text).unwrap_or_default();
        return Err(RpcError::type_error(format!("Missing amount for {spent}")));
    }
    let mut out = Map::new();
    out.insert("hex".into(), hex_encode(encode_to_vec(&tx)).into());
    out.insert("complete".into(), errors.is_empty().into());
    if !errors.is_empty() {
        let list = errors.iter().map(|(&i, error)| {
            let input = &tx.inputs[i];
            json!({
                "txid": input.prevout.txid.to_string(),
                "vout": input.prevout.vout,
                "witness": input.witness.iter().map(hex_encode).collect::<Vec<_>>(),
                "scriptSig": input.script_sig.to_hex(),
                "sequence": input.sequence,
                "error": error.to_string(),
            })
        });
        out.insert("errors".into(), list.collect());
    }
    Ok(Value::Object(out))
}
