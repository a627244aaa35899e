//! Replacing a payment by one with a higher fee. Reference: `src/wallet/feebumper.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::{Destination, decode_destination, extract_destination};
use grs_encoding::hex_decode;
use grs_hashes::Txid;
use grs_policy::FeeRate;
use grs_primitives::{Amount, OutPoint, Transaction, TxOut, TxRef};
use grs_rpc::value::{Expected, amount, amount_from_value, check_object_types, parse_hash};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_script::script_for_null_data;
use serde_json::{Value, json};

use super::spend::set_fee_mode;
use super::wallets::wallet_error;
use super::{RpcResult, ensure_unlocked, state_of, synced_wallet_of};
use crate::flags;
use crate::spend::{CoinControl, Recipient, signed_size};
use crate::state::State;
use crate::wallet::Wallet;

/// What a replacement adds to the rate at least, in gro per 1,000 virtual bytes.
const WALLET_INCREMENTAL_RELAY_FEE: i64 = 5_000;

pub(super) fn methods() -> Vec<Method> {
    let options = vec![
        Arg::num("conf_target", "Blocks within which it should confirm").default_hint("-txconfirmtarget"),
        Arg::amount("fee_rate", "Fee rate in gro/vB").default_hint("estimated"),
        Arg::bool("replaceable", "The new one may be replaced too").default(true),
        Arg::str("estimate_mode", "How to estimate the fee: unset, economical or conservative")
            .default("unset"),
        Arg::arr(
            "outputs",
            "New outputs",
            [Arg::obj_user_keys("", "Amount by address, or data", []).optional()],
        )
        .default(json!([]))
        .skip_type_check(),
        Arg::num("original_change_index", "Number of the change output").default_hint("found out"),
    ];
    vec![
        Method::new(
            "wallet",
            "bumpfee",
            "Replaces an unconfirmed payment of this wallet by one with a higher fee. Change gets less, or more inputs are \
             added.\n",
            bumpfee,
        )
        .arg(Arg::hex("txid", "The payment"))
        .arg(Arg::options("options", "", options).oneline("options"))
        .result(Res::obj(
            "",
            "",
            [
                Res::hex("txid", "The new payment"),
                Res::amount("origfee", "Fee of the old one"),
                Res::amount("fee", "Fee of the new one"),
                Res::arr("errors", "What went wrong all the same", [Res::str("", "")]),
            ],
        ))
        .example_cli("\"txid\"")
        .example_rpc("\"txid\""),
    ]
}

/// Outputs as options give them: an object, or an array of objects.
fn parse_outputs(state: &State, value: &Value) -> Result<Vec<TxOut>, RpcError> {
    let wrong = |text: &str| RpcError::invalid_parameter(format!("Invalid parameter, {text}"));
    let mut pairs: Vec<(String, Value)> = Vec::new();
    match value {
        Value::Object(map) => pairs.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
        Value::Array(list) if list.is_empty() => {
            return Err(wrong("output argument cannot be an empty array"));
        }
        Value::Array(list) => {
            for item in list {
                let map =
                    item.as_object().ok_or_else(|| wrong("key-value pair not an object as expected"))?;
                if map.len() != 1 {
                    return Err(wrong("key-value pair must contain exactly one key"));
                }
                pairs.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
        }
        _ => return Err(wrong("output argument must be non-null")),
    }
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (key, value) in pairs {
        if !seen.insert(key.clone()) {
            let what = if key == "data" { "duplicate key: data" } else { "duplicated address" };
            return Err(wrong(&format!("{what}: {key}")));
        }
        if key == "data" {
            let data = hex_decode(value.get_str()?).map_err(|_| {
                RpcError::invalid_parameter(format!("Data must be hexadecimal string (not '{value}')"))
            })?;
            out.push(TxOut::new(Amount::ZERO, script_for_null_data(&data)));
            continue;
        }
        let destination = decode_destination(&key, state.network)
            .map_err(|_| RpcError::invalid_address_or_key(format!("Invalid Groestlcoin address: {key}")))?;
        out.push(TxOut::new(Amount(amount_from_value(&value)?), destination.script()));
    }
    Ok(out)
}

/// Why a payment cannot be replaced.
fn check_bumpable(wallet: &Wallet, txid: &Txid) -> Result<TxRef, RpcError> {
    let tx = {
        let state = state_of(wallet);
        let wtx = state
            .txs
            .get(txid)
            .ok_or_else(|| RpcError::invalid_address_or_key("Invalid or non-wallet transaction id"))?;
        let spent = (0..wtx.tx.outputs.len() as u32).any(|n| state.is_spent(&OutPoint::new(*txid, n)));
        if spent {
            return Err(RpcError::invalid_parameter("Transaction has descendants in the wallet"));
        }
        wtx.tx.clone()
    };
    if wallet.chain.has_descendants_in_mempool(*txid).map_err(wallet_error)? {
        return Err(RpcError::invalid_parameter("Transaction has descendants in the mempool"));
    }
    let state = state_of(wallet);
    let Some(wtx) = state.txs.get(txid) else { return Ok(tx) };
    if state.depth(wtx) != 0 {
        return Err(RpcError::wallet(
            "Transaction has been mined, or is conflicted with a mined transaction",
        ));
    }
    if let Some(by) = wtx.values.get("replaced_by_txid") {
        return Err(RpcError::wallet(format!(
            "Cannot bump transaction {txid} which was already bumped by transaction {by}"
        )));
    }
    if !tx.inputs.iter().all(|input| state.coin(&input.prevout).is_some()) {
        return Err(RpcError::wallet("Transaction contains inputs that don't belong to this wallet"));
    }
    Ok(tx)
}

/// Checks a rate that the user gave. Reference: `CheckFeeRate`.
fn check_rate(
    wallet: &Wallet,
    tx: &Transaction,
    outputs: &[TxOut],
    rate: FeeRate,
    old_fee: i64,
    control: &CoinControl,
) -> Result<(), RpcError> {
    let money = |gro: i64| grs_consensus::format_money(Amount(gro));
    let least = wallet.chain.mempool_min_fee().map_err(wallet_error)?.0;
    if rate.fee_per_kvb().0 < least {
        return Err(RpcError::wallet(format!(
            "New fee rate ({}) is lower than the minimum fee rate ({}) to get into the mempool -- ",
            money(rate.fee_per_kvb().0),
            money(least)
        )));
    }
    let outpoints: Vec<OutPoint> = tx.inputs.iter().map(|i| i.prevout).collect();
    let bump =
        wallet.chain.calculate_combined_bump_fee(&outpoints, rate.fee_per_kvb()).map_err(wallet_error)?;
    let bump = bump.ok_or_else(|| {
        RpcError::wallet(
            "Failed to calculate bump fees, because unconfirmed UTXOs depend on an enormous cluster of unconfirmed \
             transactions.",
        )
    })?;
    let size = {
        let state = state_of(wallet);
        let spent: Vec<TxOut> = outpoints.iter().filter_map(|o| state.coin(o).cloned()).collect();
        let mut unsigned = tx.to_mutable();
        unsigned.outputs = outputs.to_vec();
        signed_size(&state, &unsigned, &spent, control).map_or(0, |(size, _)| size as usize)
    };
    let new_fee = rate.fee(size).0 + bump.0;
    let increment =
        FeeRate::per_kvb(wallet.chain.relay_incremental_fee().map_err(wallet_error)?.0).fee(size).0;
    if new_fee < old_fee + increment {
        return Err(RpcError::invalid_parameter(format!(
            "Insufficient total fee {}, must be at least {} (oldFee {} + incrementalFee {})",
            money(new_fee),
            money(old_fee + increment),
            money(old_fee),
            money(increment)
        )));
    }
    let required = wallet.required_fee_rate()?.fee(size).0;
    if new_fee < required {
        return Err(RpcError::invalid_parameter(format!(
            "Insufficient total fee (cannot be less than required fee {})",
            money(required)
        )));
    }
    if new_fee > wallet.options.max_tx_fee {
        return Err(RpcError::wallet(format!(
            "Specified or calculated fee {} is too high (cannot be higher than -maxtxfee {})",
            money(new_fee),
            money(wallet.options.max_tx_fee)
        )));
    }
    Ok(())
}

/// A rate that a replacement is sure to need. Reference: `EstimateFeeRate`.
fn estimate_rate(
    wallet: &Wallet,
    tx: &Transaction,
    old_fee: i64,
    control: &CoinControl,
) -> Result<FeeRate, RpcError> {
    let size = tx.weight().div_ceil(4) as i64;
    let mut rate = FeeRate::of(Amount(old_fee), size);
    rate += FeeRate::per_kvb(1);
    let increment = wallet.chain.relay_incremental_fee().map_err(wallet_error)?.0;
    rate += FeeRate::per_kvb(increment.max(WALLET_INCREMENTAL_RELAY_FEE));
    Ok(rate.max(wallet.minimum_fee_rate(control)?.0))
}

/// What the user wants of the replacement.
struct BumpOptions {
    control: CoinControl,
    outputs: Vec<TxOut>,
    change_index: Option<usize>,
}

fn read_options(wallet: &Wallet, options: &Value) -> Result<BumpOptions, RpcError> {
    let mut out = BumpOptions {
        control: CoinControl { signal_rbf: Some(true), ..CoinControl::default() },
        outputs: Vec::new(),
        change_index: None,
    };
    if options.is_null() {
        return Ok(out);
    }
    check_object_types(
        options,
        &[
            ("confTarget", Expected::Num),
            ("conf_target", Expected::Num),
            ("fee_rate", Expected::Any),
            ("replaceable", Expected::Bool),
            ("estimate_mode", Expected::Str),
            ("outputs", Expected::Any),
            ("original_change_index", Expected::Num),
        ],
        true,
        true,
    )?;
    let (old, new) = (options.field("confTarget"), options.field("conf_target"));
    if !old.is_null() && !new.is_null() {
        return Err(RpcError::invalid_parameter(
            "confTarget and conf_target options should not both be set. Use conf_target (confTarget is deprecated).",
        ));
    }
    if let Some(replaceable) = options.field("replaceable").as_bool() {
        out.control.signal_rbf = Some(replaceable);
    }
    let target = if old.is_null() { new } else { old };
    let fees = (target, options.field("estimate_mode"), options.field("fee_rate"));
    set_fee_mode(wallet, &mut out.control, fees, false)?;
    if !options.field("outputs").is_null() {
        out.outputs = parse_outputs(&state_of(wallet), options.field("outputs"))?;
    }
    let index = options.field("original_change_index");
    if !index.is_null() {
        out.change_index = Some(index.get_int::<u32>()? as usize);
    }
    Ok(out)
}

fn bumpfee(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    if state_of(&wallet).has_flag(flags::DISABLE_PRIVATE_KEYS) {
        return Err(RpcError::wallet(
            "bumpfee is not available with wallets that have private keys disabled. Use psbtbumpfee instead.",
        ));
    }
    let txid = Txid::from_bytes(parse_hash(request.value("txid"), "txid")?);
    let BumpOptions { mut control, outputs, change_index } = read_options(&wallet, request.value("options"))?;
    ensure_unlocked(&state_of(&wallet))?;
    let _spending = wallet.spend_lock();
    if !outputs.is_empty() && change_index.is_some() {
        return Err(RpcError::invalid_parameter(
            "The options 'outputs' and 'original_change_index' are incompatible. You can only either specify a new set of \
             outputs, or designate a change output to be recycled.",
        ));
    }
    let tx = check_bumpable(&wallet, &txid)?;
    if change_index.is_some_and(|n| n >= tx.outputs.len()) {
        return Err(RpcError::invalid_parameter("Change position is out of range"));
    }
    let new_outputs = if outputs.is_empty() { tx.outputs.clone() } else { outputs };
    let mut recipients = Vec::new();
    let old_fee = {
        let state = state_of(&wallet);
        for (n, out) in new_outputs.iter().enumerate() {
            let destination = extract_destination(&out.script_pubkey);
            if change_index.map_or_else(|| state.is_change(&out.script_pubkey), |index| index == n) {
                control.change = Some(destination);
            } else {
                recipients.push(Recipient { destination, amount: out.value.0, subtract_fee: false });
            }
        }
        state.debit(&tx) - tx.outputs.iter().map(|o| o.value.0).sum::<i64>()
    };
    if recipients.is_empty() {
        // All of it went back to us: the fee comes out of that.
        let destination: Destination = control.change.take().ok_or_else(|| {
            RpcError::invalid_parameter(
                "Unable to create transaction. Transaction must have at least one recipient",
            )
        })?;
        let sum = new_outputs.iter().map(|o| o.value.0).sum();
        recipients.push(Recipient { destination, amount: sum, subtract_fee: true });
    }
    match control.fee_rate {
        Some(rate) => check_rate(&wallet, &tx, &new_outputs, rate, old_fee, &control)?,
        None => control.fee_rate = Some(estimate_rate(&wallet, &tx, old_fee, &control)?),
    }
    control.selected = tx.inputs.iter().map(|input| (input.prevout, None)).collect();
    // Unconfirmed coins would break the rules of replacement.
    control.min_depth = Some(1);
    let created = wallet
        .create_transaction(&recipients, &control, true)
        .map_err(|e| RpcError::wallet(format!("Unable to create transaction. {e}")))?;
    check_bumpable(&wallet, &txid)?;
    let (values, order_form) = {
        let state = state_of(&wallet);
        let old = state.txs.get(&txid);
        let mut values = old.map(|wtx| wtx.values.clone()).unwrap_or_default();
        values.insert("replaces_txid".into(), txid.to_string());
        (values, old.map(|wtx| wtx.order_form.clone()).unwrap_or_default())
    };
    wallet.commit(&created.tx, |wtx| {
        wtx.values = values;
        wtx.order_form = order_form;
        true
    })?;
    let mut errors: Vec<&str> = Vec::new();
    if state_of(&wallet).mark_replaced(&txid, &created.tx.txid()).is_err() {
        errors
            .push("Created new bumpfee transaction but could not mark the original transaction as replaced");
    }
    Ok(json!({
        "txid": created.tx.txid().to_string(),
        "origfee": amount(old_fee),
        "fee": amount(created.fee),
        "errors": errors,
    }))
}
