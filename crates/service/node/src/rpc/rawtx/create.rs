//! `createrawtransaction`. Reference: `ConstructTransaction` in `src/rpc/rawtransaction_util.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::decode_destination;
use grs_hashes::Txid;
use grs_mempool::signals_opt_in_rbf;
use grs_params::Network;
use grs_policy::{TX_MAX_STANDARD_VERSION, TX_MIN_STANDARD_VERSION};
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut};
use grs_rpc::value::{amount_from_value, parse_hash_field, parse_hex};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_script::script_for_null_data;
use serde_json::{Map, Value};

use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker};

/// Replaceable, by BIP125.
const SEQUENCE_REPLACEABLE: u32 = 0xffff_fffd;
/// The lock time counts.
const SEQUENCE_NONFINAL: u32 = 0xffff_fffe;
/// Default of `version`.
const DEFAULT_VERSION: u32 = 2;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let input = Arg::obj(
        "",
        "",
        [
            Arg::hex("txid", "The transaction's id"),
            Arg::num("vout", "Number of the output"),
            Arg::num("sequence", "Sequence number")
                .default_hint("depends on the value of the 'replaceable' and 'locktime' arguments"),
        ],
    );
    let payment =
        Arg::obj_user_keys("", "", [Arg::amount("address", "Address and amount in GRS (number or string)")]);
    let data = Arg::obj("", "", [Arg::hex("data", "The key \"data\" and bytes for an OP_RETURN output")]);
    vec![
        maker
            .method(
                "rawtransactions",
                "createrawtransaction",
                "Makes a transaction of inputs and outputs, and gives it in hexadecimal. Its inputs are not signed, and it is kept \
                 and sent nowhere.\n",
                createrawtransaction,
            )
            .arg(Arg::arr("inputs", "The inputs", [input.optional()]))
            .arg(
                Arg::arr(
                    "outputs",
                    "The outputs, each an object with one key. No key may come twice: there is one 'data' output at most. One \
                     object with all keys does as well.",
                    [payment.optional(), data.optional()],
                )
                .skip_type_check(),
            )
            .arg(Arg::num("locktime", "Lock time; other than 0, it is made to count").default(0))
            .arg(
                Arg::bool(
                    "replaceable",
                    "Says that it may be replaced by one with a higher fee (BIP125). Given, sequence numbers must not contradict \
                     it.",
                )
                .default(true),
            )
            .arg(Arg::num("version", "Version").default(DEFAULT_VERSION))
            .result(Res::hex("transaction", "The transaction"))
            .example_cli("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"address\\\":0.01}]\"")
            .example_cli("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"data\\\":\\\"00010203\\\"}]\"")
            .example_rpc("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\", \"[{\\\"address\\\":0.01}]\"")
            .example_rpc("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\", \"[{\\\"data\\\":\\\"00010203\\\"}]\""),
    ]
}

fn refuse<T>(text: impl Into<String>) -> Result<T, RpcError> {
    Err(RpcError::invalid_parameter(text))
}

fn input(object: &Value, default_sequence: u32) -> Result<TxIn, RpcError> {
    object.get_object()?;
    let txid = Txid::from_bytes(parse_hash_field(object, "txid")?);
    let vout = object.field("vout");
    if !vout.is_number() {
        return refuse("Invalid parameter, missing vout key");
    }
    let Ok(vout) = u32::try_from(vout.get_int::<i32>()?) else {
        return refuse("Invalid parameter, vout cannot be negative");
    };
    let sequence = match object.field("sequence") {
        number @ Value::Number(_) => match u32::try_from(number.get_int::<i64>()?) {
            Ok(sequence) => sequence,
            Err(_) => return refuse("Invalid parameter, sequence number is out of range"),
        },
        _ => default_sequence,
    };
    Ok(TxIn::new(OutPoint { txid, vout }, sequence))
}

/// Outputs as pairs of key and value, whether given as a list of objects or as one object.
fn output_pairs(outputs: &Value) -> Result<Vec<(&String, &Value)>, RpcError> {
    match outputs {
        Value::Null => refuse("Invalid parameter, output argument must be non-null"),
        Value::Object(map) => Ok(map.iter().collect()),
        list => {
            let mut pairs = Vec::new();
            for object in list.get_array()? {
                let Some(map) = object.as_object() else {
                    return refuse("Invalid parameter, key-value pair not an object as expected");
                };
                if map.len() != 1 {
                    return refuse("Invalid parameter, key-value pair must contain exactly one key");
                }
                pairs.extend(map.iter());
            }
            Ok(pairs)
        }
    }
}

fn outputs(value: &Value, network: Network) -> Result<Vec<TxOut>, RpcError> {
    let mut scripts: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut has_data = false;
    let mut out = Vec::new();
    for (key, value) in output_pairs(value)? {
        if key == "data" {
            if has_data {
                return refuse("Invalid parameter, duplicate key: data");
            }
            has_data = true;
            let data = match value {
                // A number's digits are taken as hexadecimal ones, as the reference does.
                Value::Number(number) => parse_hex(&number.to_string().into(), "Data")?,
                other => parse_hex(other, "Data")?,
            };
            out.push(TxOut::new(Amount::ZERO, script_for_null_data(&data)));
            continue;
        }
        let destination = decode_destination(key, network);
        let amount = Amount(amount_from_value(value)?);
        let Ok(destination) = destination else {
            return Err(RpcError::invalid_address_or_key(format!("Invalid Groestlcoin address: {key}")));
        };
        let script: Script = destination.script();
        if !scripts.insert(script.to_vec()) {
            return refuse(format!("Invalid parameter, duplicated address: {key}"));
        }
        out.push(TxOut::new(amount, script));
    }
    Ok(out)
}

/// Makes a transaction of arguments. `replaceable` is none when it was not given.
pub(crate) fn construct(
    arguments: &Map<String, Value>,
    replaceable: Option<bool>,
    version: u32,
    network: Network,
) -> Result<MutableTransaction, RpcError> {
    let get = |name: &str| arguments.get(name).unwrap_or(&Value::Null);
    let lock_time = match get("locktime") {
        Value::Null => 0,
        value => match u32::try_from(value.get_int::<i64>()?) {
            Ok(lock_time) => lock_time,
            Err(_) => return refuse("Invalid parameter, locktime out of range"),
        },
    };
    if !(TX_MIN_STANDARD_VERSION..=TX_MAX_STANDARD_VERSION).contains(&version) {
        return refuse(format!(
            "Invalid parameter, version out of range({TX_MIN_STANDARD_VERSION}~{TX_MAX_STANDARD_VERSION})"
        ));
    }
    let sequence = match replaceable {
        None | Some(true) => SEQUENCE_REPLACEABLE,
        Some(false) if lock_time != 0 => SEQUENCE_NONFINAL,
        Some(false) => u32::MAX,
    };
    let inputs = match get("inputs") {
        Value::Null => Vec::new(),
        list => list.get_array()?.iter().map(|object| input(object, sequence)).collect::<Result<_, _>>()?,
    };
    let tx = MutableTransaction { version, inputs, outputs: outputs(get("outputs"), network)?, lock_time };
    if replaceable == Some(true) && !tx.inputs.is_empty() && !signals_opt_in_rbf(&tx) {
        return refuse("Invalid parameter combination: Sequence number(s) contradict replaceable option");
    }
    Ok(tx)
}

fn createrawtransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let replaceable = match request.value("replaceable") {
        Value::Null => None,
        value => Some(value.get_bool()?),
    };
    let arguments =
        ["inputs", "outputs", "locktime"].map(|name| (name.to_owned(), request.value(name).clone()));
    let tx = construct(&Map::from_iter(arguments), replaceable, request.arg("version")?, ctx.params.network)?;
    Ok(tx_hex(&Transaction::from(tx)).into())
}
