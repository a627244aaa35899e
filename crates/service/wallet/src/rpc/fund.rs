//! Adding inputs and change to a transaction. Reference: `FundTransaction` of `src/wallet/rpc/spend.cpp`.

use grs_descriptor::{Descriptor, Destination, FlatSigningProvider, extract_destination};
use grs_encoding::{encode_to_vec, hex_decode, hex_encode};
use grs_hashes::Txid;
use grs_policy::{FeeRate, TRUC_VERSION};
use grs_primitives::{OutPoint, TxIn};
use grs_rpc::value::{Expected, amount, amount_from_value, check_object_types, parse_hash_field};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use grs_rpc_tx::{decode_tx, parse_public_key};
use serde_json::{Value, json};

use super::addresses::parse_output_type;
use super::spend::{fee_payers, set_fee_mode};
use super::wallets::wallet_error;
use super::{RpcResult, destination, state_of, synced_wallet_of};
use crate::spend::{CoinControl, CreatedTransaction, Recipient, TRUC_MAX_WEIGHT};
use crate::wallet::Wallet;

/// Lightest input: outpoint, sequence and an empty script.
const MIN_INPUT_WEIGHT: i64 = 41 * 4;
/// Heaviest transaction that is relayed.
const MAX_WEIGHT: i64 = grs_policy::MAX_STANDARD_TX_WEIGHT as i64;

/// How the options of the methods that fund differ.
pub(super) struct FundOptions {
    /// Whether inputs are added.
    pub(super) adding: Arg,
    /// Names in camel case, as the older methods have them.
    pub(super) camel_case: bool,
}

/// Options of all methods that fund. Reference: `FundTxDoc` and the methods that use it.
pub(super) fn fund_options(kind: FundOptions) -> Vec<Arg> {
    let name = |camel: &'static str, snake: &'static str| if kind.camel_case { camel } else { snake };
    let texts = |name: &'static str, item: &'static str, about: &'static str| {
        Arg::arr(name, about, [Arg::str(item, "").optional()]).default(json!([]))
    };
    let mut options = vec![
        kind.adding.clone(),
        Arg::bool("include_unsafe", "Also unconfirmed coins of others").default(false),
        Arg::num("minconf", "Least confirmations of added inputs").default(0),
        Arg::num("maxconf", "Most confirmations of added inputs").optional(),
        Arg::str(name("changeAddress", "change_address"), "Where change goes").default_hint("automatic"),
        Arg::num(name("changePosition", "change_position"), "Which output is change").default_hint("random"),
        Arg::str("change_type", "Kind of the change address").default_hint("set by -changetype"),
        Arg::bool(name("includeWatching", "include_watching"), "No longer used").default(false),
        Arg::bool(name("lockUnspents", "lock_unspents"), "Lock the coins").default(false),
        Arg::amount("fee_rate", "Fee rate in gro/vB").default_hint("estimated"),
        Arg::arr(
            name("subtractFeeFromOutputs", "subtract_fee_from_outputs"),
            "Numbers of outputs that share the fee",
            [Arg::num("vout_index", "").optional()],
        )
        .default(json!([])),
        Arg::arr(
            "input_weights",
            "Weights of inputs",
            [Arg::obj(
                "",
                "",
                [
                    Arg::hex("txid", "Transaction"),
                    Arg::num("vout", "Number of the output"),
                    Arg::num("weight", "Largest weight of the input, signed"),
                ],
            )
            .optional()],
        )
        .optional(),
        Arg::num("max_tx_weight", "Largest weight of the transaction").default(MAX_WEIGHT),
        Arg::num("conf_target", "Blocks within which it should confirm").default_hint("-txconfirmtarget"),
        Arg::str("estimate_mode", "How to estimate the fee: unset, economical or conservative")
            .default("unset"),
        Arg::bool("replaceable", "It may be replaced (BIP125)").default_hint("wallet default"),
        Arg::obj(
            "solving_data",
            "What is known about inputs that are not the wallet's",
            [
                texts("pubkeys", "pubkey", "Public keys"),
                texts("scripts", "script", "Scripts"),
                texts("descriptors", "descriptor", "Descriptors"),
            ],
        )
        .optional(),
    ];
    if kind.camel_case {
        options.push(Arg::amount("feeRate", "Fee rate in GRS/kvB").default_hint("estimated"));
    }
    options
}

pub(super) fn methods() -> Vec<Method> {
    let adding = Arg::bool("add_inputs", "Add inputs if those given are not enough").default(true);
    let options = fund_options(FundOptions { adding, camel_case: true });
    vec![
        Method::new(
            "rawtransactions",
            "fundrawtransaction",
            "Adds inputs of the wallet, and change, to a transaction until it pays for its outputs. The new inputs are not \
             signed.\n",
            fundrawtransaction,
        )
        .arg(Arg::hex("hexstring", "The transaction"))
        .arg(Arg::options("options", "", options).skip_type_check().oneline("options"))
        .arg(Arg::bool("iswitness", "Whether it has witnesses").default_hint("found out"))
        .result(Res::obj(
            "",
            "",
            [
                Res::hex("hex", "The transaction"),
                Res::amount("fee", "Its fee in GRS"),
                Res::num("changepos", "Number of the change output, or -1"),
            ],
        ))
        .example_cli("\"rawtransactionhex\"")
        .example_rpc("\"rawtransactionhex\""),
    ]
}

/// Keys and scripts of foreign inputs.
fn solving_data(wallet: &Wallet, value: &Value, out: &mut FlatSigningProvider) -> Result<(), RpcError> {
    let list = |key: &str| value.field(key).as_array().cloned().unwrap_or_default();
    for item in list("pubkeys") {
        let key = parse_public_key(item.get_str()?)?;
        out.add_public_key(key);
        out.add_script(&Destination::witness_key_hash(&key).script());
    }
    for item in list("scripts") {
        let text = item.get_str()?;
        let script =
            hex_decode(text).map_err(|_| RpcError::invalid_address_or_key(format!("'{text}' is not hex")))?;
        out.add_script(&script);
    }
    let network = state_of(wallet).network;
    for item in list("descriptors") {
        let text = item.get_str()?;
        let mut keys = FlatSigningProvider::new();
        let parsed = Descriptor::parse(text, network, &mut keys, true)
            .map_err(|e| RpcError::invalid_parameter(format!("Unable to parse descriptor '{text}': {e}")))?;
        for descriptor in parsed {
            let secret = keys.clone();
            descriptor.expand(0, &secret, &mut keys, None);
        }
        out.merge(keys);
    }
    Ok(())
}

fn weights(value: &Value, control: &mut CoinControl) -> Result<(), RpcError> {
    for item in value.as_array().into_iter().flatten() {
        let txid = Txid::from_bytes(parse_hash_field(item, "txid")?);
        let wrong = |text: String| RpcError::invalid_parameter(format!("Invalid parameter, {text}"));
        let vout = item.field("vout");
        if !vout.is_number() {
            return Err(wrong("missing vout key".into()));
        }
        let vout =
            u32::try_from(vout.get_int::<i32>()?).map_err(|_| wrong("vout cannot be negative".into()))?;
        if !item.field("weight").is_number() {
            return Err(wrong("missing weight key".into()));
        }
        let weight: i64 = item.field("weight").get_int()?;
        if weight < MIN_INPUT_WEIGHT {
            return Err(wrong(format!(
                "weight cannot be less than {MIN_INPUT_WEIGHT} (41 bytes (size of outpoint + sequence + empty scriptSig) * 4 \
                 (witness scaling factor))"
            )));
        }
        if weight > MAX_WEIGHT {
            return Err(wrong(format!(
                "weight cannot be greater than the maximum standard tx weight of {MAX_WEIGHT}"
            )));
        }
        control.input_weights.insert(OutPoint::new(txid, vout), weight);
    }
    Ok(())
}

/// Takes the options into account; true if the coins are to be locked.
fn read_options(
    wallet: &Wallet,
    options: &Value,
    outputs: usize,
    control: &mut CoinControl,
    override_min_fee: bool,
) -> Result<bool, RpcError> {
    use Expected::{Any, Arr, Bool, Num, Obj, Str};
    if !options.is_object() {
        // A boolean was once allowed here.
        return match options {
            Value::Null | Value::Bool(_) => Ok(false),
            _ => Err(RpcError::type_error("JSON value is not an object as expected")),
        };
    }
    check_object_types(
        options,
        &[
            ("add_inputs", Bool),
            ("include_unsafe", Bool),
            ("add_to_wallet", Bool),
            ("changeAddress", Str),
            ("change_address", Str),
            ("changePosition", Num),
            ("change_position", Num),
            ("change_type", Str),
            ("includeWatching", Bool),
            ("include_watching", Bool),
            ("inputs", Arr),
            ("lockUnspents", Bool),
            ("lock_unspents", Bool),
            ("locktime", Num),
            ("fee_rate", Any),
            ("feeRate", Any),
            ("psbt", Bool),
            ("solving_data", Obj),
            ("subtractFeeFromOutputs", Arr),
            ("subtract_fee_from_outputs", Arr),
            ("replaceable", Bool),
            ("conf_target", Num),
            ("estimate_mode", Str),
            ("minconf", Num),
            ("maxconf", Num),
            ("input_weights", Arr),
            ("max_tx_weight", Num),
        ],
        true,
        true,
    )?;
    let either = |a: &str, b: &str| match options.field(a) {
        Value::Null => options.field(b).clone(),
        value => value.clone(),
    };
    if let Some(adding) = options.field("add_inputs").as_bool() {
        control.only_selected = !adding;
    }
    let change = either("change_address", "changeAddress");
    if let Some(text) = change.as_str() {
        let parsed = destination(&state_of(wallet), text);
        control.change = Some(parsed.map_err(|_| {
            RpcError::invalid_address_or_key("Change address must be a valid groestlcoin address")
        })?);
    }
    let position = either("change_position", "changePosition");
    if !position.is_null() {
        let n: i64 = position.get_int()?;
        let place = usize::try_from(n).ok().filter(|n| *n <= outputs);
        control.change_position =
            Some(place.ok_or_else(|| RpcError::invalid_parameter("changePosition out of bounds"))?);
    }
    if let Some(kind) = options.as_object().and_then(|options| options.get("change_type")) {
        let text = kind.get_str()?;
        if control.change.is_some() {
            return Err(RpcError::invalid_parameter(
                "Cannot specify both change address and address type options",
            ));
        }
        control.change_type = Some(
            parse_output_type(text)
                .map_err(|_| RpcError::invalid_address_or_key(format!("Unknown change type '{text}'")))?,
        );
    }
    control.include_unsafe = options.field("include_unsafe").as_bool().unwrap_or(false);
    if !options.field("feeRate").is_null() {
        let clash = |text: &str| Err(RpcError::invalid_parameter(text));
        if !options.field("fee_rate").is_null() {
            return clash("Cannot specify both fee_rate (gro/vB) and feeRate (GRS/kvB)");
        }
        if !options.field("conf_target").is_null() {
            return clash(
                "Cannot specify both conf_target and feeRate. Please provide either a confirmation target in blocks for \
                 automatic fee estimation, or an explicit fee rate.",
            );
        }
        if !options.field("estimate_mode").is_null() {
            return clash("Cannot specify both estimate_mode and feeRate");
        }
        control.fee_rate = Some(FeeRate::per_kvb(amount_from_value(options.field("feeRate"))?));
        control.override_fee_rate = true;
    }
    control.signal_rbf = options.field("replaceable").as_bool();
    if !options.field("minconf").is_null() {
        let least: i32 = options.field("minconf").get_int()?;
        if least < 0 {
            return Err(RpcError::invalid_parameter("Negative minconf"));
        }
        control.min_depth = Some(least);
    }
    if !options.field("maxconf").is_null() {
        let most: i32 = options.field("maxconf").get_int()?;
        let least = control.min_depth.unwrap_or(0);
        if most < least {
            return Err(RpcError::invalid_parameter(format!(
                "maxconf can't be lower than minconf: {most} < {least}"
            )));
        }
        control.max_depth = Some(most);
    }
    let fees = (options.field("conf_target"), options.field("estimate_mode"), options.field("fee_rate"));
    set_fee_mode(wallet, control, fees, override_min_fee)?;
    solving_data(wallet, options.field("solving_data"), &mut control.external)?;
    weights(options.field("input_weights"), control)?;
    if !options.field("max_tx_weight").is_null() {
        control.max_tx_weight = Some(options.field("max_tx_weight").get_int()?);
    }
    Ok(either("lock_unspents", "lockUnspents").as_bool().unwrap_or(false))
}

fn fundrawtransaction(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let _spending = wallet.spend_lock();
    let (without, with) = match request.opt::<bool>("iswitness")? {
        Some(witness) => (!witness, witness),
        None => (true, true),
    };
    let tx = decode_tx(request.arg("hexstring")?, without, with)
        .ok_or_else(|| RpcError::deserialization("TX decode failed"))?;
    let options = request.value("options");
    let names: Vec<String> = tx.outputs.iter().map(|_| "dummy".to_owned()).collect();
    let payers = fee_payers(options.field("subtractFeeFromOutputs"), &names.iter().collect::<Vec<_>>())?;
    let recipients: Vec<Recipient> = tx
        .outputs
        .iter()
        .enumerate()
        .map(|(n, out)| Recipient {
            destination: extract_destination(&out.script_pubkey),
            amount: out.value.0,
            subtract_fee: payers.contains(&n),
        })
        .collect();
    let control =
        CoinControl { lock_time: Some(tx.lock_time), version: Some(tx.version), ..CoinControl::default() };
    let created = fund(&wallet, &tx.inputs, &recipients, options, control, true)?;
    Ok(json!({
        "hex": hex_encode(encode_to_vec(created.tx.as_ref())),
        "fee": amount(created.fee),
        "changepos": created.change_position.map_or(-1, |n| n as i64),
    }))
}

/// Adds inputs and change to a payment that has some inputs already, perhaps of others. Reference: `FundTransaction`.
pub(super) fn fund(
    wallet: &Wallet,
    inputs: &[TxIn],
    recipients: &[Recipient],
    options: &Value,
    mut control: CoinControl,
    override_min_fee: bool,
) -> Result<CreatedTransaction, RpcError> {
    let lock = read_options(wallet, options, recipients.len(), &mut control, override_min_fee)?;
    if control.version == Some(TRUC_VERSION) {
        control.max_tx_weight =
            Some(control.max_tx_weight.map_or(TRUC_MAX_WEIGHT, |max| max.min(TRUC_MAX_WEIGHT)));
    }
    if recipients.is_empty() {
        return Err(RpcError::invalid_parameter("TX must have at least one output"));
    }
    let outpoints: Vec<OutPoint> = inputs.iter().map(|input| input.prevout).collect();
    let found = wallet.chain.find_coins(&outpoints).map_err(wallet_error)?;
    for (input, coin) in inputs.iter().zip(found) {
        if state_of(wallet).coin(&input.prevout).is_none() {
            let coin = coin.ok_or_else(|| fund_error("Unable to find UTXO for external input"))?;
            control.external_outputs.insert(input.prevout, coin.out);
        }
        control.selected.push((input.prevout, Some(input.sequence)));
        control.unlocking.insert(input.prevout, (input.script_sig.clone(), input.witness.clone()));
    }
    // To give a weight is to choose the input.
    let weighed: Vec<OutPoint> = control.input_weights.keys().copied().collect();
    for outpoint in weighed {
        if !control.selected.iter().any(|(chosen, _)| *chosen == outpoint) {
            control.selected.push((outpoint, None));
        }
    }
    let created = wallet.create_transaction(recipients, &control, false).map_err(fund_error)?;
    if lock {
        let mut state = state_of(wallet);
        for input in &created.tx.inputs {
            state.lock_coin(input.prevout, false).map_err(wallet_error)?;
        }
    }
    Ok(created)
}

fn fund_error(e: impl std::fmt::Display) -> RpcError {
    RpcError::new(code::WALLET_ERROR, e.to_string())
}
