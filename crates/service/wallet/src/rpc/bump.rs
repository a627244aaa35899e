//! Replacing a payment by one with a higher fee. Reference: `src/wallet/feebumper.cpp`.

use grs_descriptor::{Destination, data_from_transaction, extract_destination};
use grs_encoding::encode_to_vec;
use grs_hashes::Txid;
use grs_policy::FeeRate;
use grs_primitives::{Amount, OutPoint, Transaction, TxIn, TxOut, TxRef};
use grs_psbt::Psbt;
use grs_rpc::value::{Expected, amount, check_object_types, parse_hash};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_rpc_tx::parse_outputs;
use serde_json::{Value, json};

use super::psbt::sign_error;
use super::spend::set_fee_mode;
use super::wallets::wallet_error;
use super::{RpcResult, ensure_unlocked, state_of, synced_wallet_of};
use crate::flags;
use crate::spend::{CoinControl, CreatedTransaction, Recipient, signed_size};
use crate::state::FillOptions;
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
    let shape = |first: Res| {
        Res::obj(
            "",
            "",
            [
                first,
                Res::amount("origfee", "Fee of the old one"),
                Res::amount("fee", "Fee of the new one"),
                Res::arr("errors", "What went wrong all the same", [Res::str("", "")]),
            ],
        )
    };
    vec![
        Method::new(
            "wallet",
            "psbtbumpfee",
            "Makes a PSBT of a payment that replaces an unconfirmed one by one with a higher fee, which bumpfee would sign and \
             send. Change gets less, or more inputs are added.\n",
            psbtbumpfee,
        )
        .arg(Arg::hex("txid", "The payment"))
        .arg(Arg::options("options", "", options.clone()).oneline("options"))
        .result(shape(Res::str("psbt", "The new payment, not signed, in base64")))
        .example_cli("\"txid\""),
        Method::new(
            "wallet",
            "bumpfee",
            "Replaces an unconfirmed payment of this wallet by one with a higher fee. Change gets less, or more inputs are \
             added.\n",
            bumpfee,
        )
        .arg(Arg::hex("txid", "The payment"))
        .arg(Arg::options("options", "", options).oneline("options"))
        .result(shape(Res::hex("txid", "The new payment")))
        .example_cli("\"txid\"")
        .example_rpc("\"txid\""),
    ]
}

/// Why a payment cannot be replaced.
fn check_bumpable(wallet: &Wallet, txid: &Txid, require_mine: bool) -> Result<TxRef, RpcError> {
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
    if require_mine && !tx.inputs.iter().all(|input| state.coin(&input.prevout).is_some()) {
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
        let known = |o| state.coin(o).or_else(|| control.external_outputs.get(o)).cloned();
        let spent: Vec<TxOut> = outpoints.iter().filter_map(known).collect();
        let mut unsigned = tx.to_mutable();
        for input in &mut unsigned.inputs {
            *input = TxIn::new(input.prevout, input.sequence);
        }
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
        if options.field("outputs").as_array().is_some_and(Vec::is_empty) {
            return Err(RpcError::invalid_parameter(
                "Invalid parameter, output argument cannot be an empty array",
            ));
        }
        let outputs = parse_outputs(options.field("outputs"), state_of(wallet).network)?;
        out.outputs = outputs.into_iter().map(|(_, output)| output).collect();
    }
    let index = options.field("original_change_index");
    if !index.is_null() {
        out.change_index = Some(index.get_int::<u32>()? as usize);
    }
    Ok(out)
}

/// Takes the inputs of the old payment, perhaps of others, into account; their sum. Reference: the first half of
/// `CreateRateBumpTransaction`.
fn select_inputs(wallet: &Wallet, tx: &Transaction, control: &mut CoinControl) -> Result<i64, RpcError> {
    let outpoints: Vec<OutPoint> = tx.inputs.iter().map(|input| input.prevout).collect();
    let found = wallet.chain.find_coins(&outpoints).map_err(wallet_error)?;
    let mut sum = 0;
    for (index, (outpoint, coin)) in outpoints.iter().zip(found).enumerate() {
        let coin = coin
            .ok_or_else(|| RpcError::misc(format!("{}:{} is already spent", outpoint.txid, outpoint.vout)))?;
        sum += coin.out.value.0;
        if state_of(wallet).coin(outpoint).is_none() {
            control.input_weights.insert(*outpoint, largest_weight(tx, index, &coin.out));
            control.external_outputs.insert(*outpoint, coin.out);
        }
        control.selected.push((*outpoint, None));
    }
    Ok(sum)
}

/// Weight that an input has with signatures of the largest size in the place of its own.
fn largest_weight(tx: &Transaction, index: usize, spent: &TxOut) -> i64 {
    const LARGEST_SIGNATURE: i64 = 72;
    let input = &tx.inputs[index];
    let base = encode_to_vec(input).len() as i64 * 4;
    let witness = if tx.has_witness() { encode_to_vec(&input.witness).len() as i64 } else { 1 };
    let data = data_from_transaction(tx.data(), index, spent);
    let scale = if input.witness.is_empty() { 4 } else { 1 };
    let missing: i64 =
        data.signatures.values().map(|(_, signature)| LARGEST_SIGNATURE - signature.len() as i64).sum();
    base + witness + missing * scale
}

fn bumpfee(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    if state_of(&wallet).has_flag(flags::DISABLE_PRIVATE_KEYS) {
        return Err(RpcError::wallet(
            "bumpfee is not available with wallets that have private keys disabled. Use psbtbumpfee instead.",
        ));
    }
    let _spending = wallet.spend_lock();
    let Replacement { txid, created, old_fee } = replacement(&wallet, request, true)?;
    check_bumpable(&wallet, &txid, true)?;
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

fn psbtbumpfee(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let _spending = wallet.spend_lock();
    let Replacement { created, old_fee, .. } = replacement(&wallet, request, false)?;
    let mut psbt = Psbt::new(created.tx.to_mutable());
    let fill = FillOptions { sighash: None, sign: false, derivations: true, finalize: true };
    state_of(&wallet).fill_psbt(&mut psbt, fill).map_err(sign_error)?;
    Ok(json!({
        "psbt": psbt.to_base64(),
        "origfee": amount(old_fee),
        "fee": amount(created.fee),
        "errors": [],
    }))
}

/// A payment that is to take the place of another one.
struct Replacement {
    txid: Txid,
    created: CreatedTransaction,
    old_fee: i64,
}

/// Makes the replacement, signed if it is wholly ours.
fn replacement(wallet: &Wallet, request: &Request<'_>, mine: bool) -> Result<Replacement, RpcError> {
    let txid = Txid::from_bytes(parse_hash(request.value("txid"), "txid")?);
    let BumpOptions { mut control, outputs, change_index } = read_options(wallet, request.value("options"))?;
    ensure_unlocked(&state_of(wallet))?;
    if !outputs.is_empty() && change_index.is_some() {
        return Err(RpcError::invalid_parameter(
            "The options 'outputs' and 'original_change_index' are incompatible. You can only either specify a new set of \
             outputs, or designate a change output to be recycled.",
        ));
    }
    let old = state_of(wallet).txs.get(&txid).map(|wtx| wtx.tx.clone());
    let old = old.ok_or_else(|| RpcError::invalid_address_or_key("Invalid or non-wallet transaction id"))?;
    if change_index.is_some_and(|n| n >= old.outputs.len()) {
        return Err(RpcError::invalid_parameter("Change position is out of range"));
    }
    let sum_in = select_inputs(wallet, &old, &mut control)?;
    let tx = check_bumpable(wallet, &txid, mine)?;
    let old_fee = sum_in - tx.outputs.iter().map(|o| o.value.0).sum::<i64>();
    let new_outputs = if outputs.is_empty() { tx.outputs.clone() } else { outputs };
    let mut recipients = Vec::new();
    {
        let state = state_of(wallet);
        for (n, out) in new_outputs.iter().enumerate() {
            let destination = extract_destination(&out.script_pubkey);
            if change_index.map_or_else(|| state.is_change(&out.script_pubkey), |index| index == n) {
                control.change = Some(destination);
            } else {
                recipients.push(Recipient { destination, amount: out.value.0, subtract_fee: false });
            }
        }
    }
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
        Some(rate) => check_rate(wallet, &tx, &new_outputs, rate, old_fee, &control)?,
        None => control.fee_rate = Some(estimate_rate(wallet, &tx, old_fee, &control)?),
    }
    // Unconfirmed coins would break the rules of replacement.
    control.min_depth = Some(1);
    let created = wallet
        .create_transaction(&recipients, &control, mine)
        .map_err(|e| RpcError::wallet(format!("Unable to create transaction. {e}")))?;
    Ok(Replacement { txid, created, old_fee })
}
