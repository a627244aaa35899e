//! Paying: a preview without signatures, then an order that is carried out once.
//!
//! The token of an order is stored with its transaction, in one write. Therefore a wallet that died in the middle knows
//! after its restart whether the order was carried out.

use grs_descriptor::{Destination, decode_destination, extract_destination};
use grs_interfaces::gui::{
    FeeChoice, SendOrder, SendPreview, SendProblem, SendRequest, SendStatus, SendToken, Sent,
};
use grs_interfaces::{CallError, CallResult};
use grs_policy::{FeeRate, is_dust};
use grs_primitives::{Amount, TxOut, TxRef, money_range};

use super::locked;
use super::view::failed;
use crate::flags;
use crate::records::WalletTx;
use crate::spend::{CoinControl, Recipient, signed_size};
use crate::state::{Purpose, State, wallet_log};
use crate::wallet::Wallet;

/// Where the token of an order is among the values of a transaction.
pub(crate) const TOKEN_VALUE: &str = "grs_order";
/// Most recipients of one payment.
const MOST_RECIPIENTS: usize = 1000;

fn token_text(token: SendToken) -> String {
    grs_encoding::hex_encode(token.0)
}

/// Reads recipients; the first mistake is the answer.
fn recipients(wallet: &Wallet, request: &SendRequest) -> CallResult<Result<Vec<Recipient>, SendProblem>> {
    let dust = FeeRate::per_kvb(wallet.chain.relay_dust_fee()?.0);
    let network = wallet.lock().network;
    if request.recipients.is_empty() || request.recipients.len() > MOST_RECIPIENTS {
        return Ok(Err(SendProblem::Other("A payment has 1 to 1,000 recipients.".into())));
    }
    let mut out = Vec::with_capacity(request.recipients.len());
    let mut sum = 0_i64;
    for (n, to) in request.recipients.iter().enumerate() {
        let recipient = n as u32;
        let destination = match decode_destination(&to.address, network) {
            Ok(destination) => destination,
            Err(e) => return Ok(Err(SendProblem::Address { recipient, text: e.to_string() })),
        };
        let wrong = |text: &str| Ok(Err(SendProblem::Amount { recipient, text: text.to_owned() }));
        if to.amount <= 0 {
            return wrong("The amount must be above zero.");
        }
        sum = sum.saturating_add(to.amount);
        if !money_range(Amount(sum)) {
            return wrong("There are not that many coins.");
        }
        if is_dust(&TxOut::new(Amount(to.amount), destination.script()), dust) {
            return wrong("The amount is too small to be relayed.");
        }
        out.push(Recipient { destination, amount: to.amount, subtract_fee: to.subtract_fee });
    }
    Ok(Ok(out))
}

/// What a failed coin selection means for the user.
fn problem(text: String, request: &SendRequest, available: i64) -> SendProblem {
    let needed = request.recipients.iter().map(|r| r.amount).fold(0, i64::saturating_add);
    if text.starts_with("Insufficient funds") || text.starts_with("The total exceeds your balance") {
        return SendProblem::InsufficientFunds { available, needed };
    }
    if text.starts_with("The transaction amount is too small") {
        let recipient = request.recipients.iter().position(|r| r.subtract_fee).unwrap_or(0) as u32;
        return SendProblem::Amount { recipient, text };
    }
    match text.starts_with("Fee ") {
        true => SendProblem::Fee(text),
        false => SendProblem::Other(text),
    }
}

/// Chooses coins and works out the fee.
pub(super) fn preview(
    wallet: &Wallet,
    request: &SendRequest,
) -> CallResult<Result<SendPreview, SendProblem>> {
    let recipients = match recipients(wallet, request)? {
        Ok(recipients) => recipients,
        Err(problem) => return Ok(Err(problem)),
    };
    let mut control = CoinControl { signal_rbf: Some(request.replaceable), ..CoinControl::default() };
    match request.fee {
        FeeChoice::Rate(rate) => control.fee_rate = Some(FeeRate::per_kvb(rate.min(i64::MAX as u64) as i64)),
        FeeChoice::Target(target) => control.confirm_target = Some(target.max(1)),
    }
    let (kind, available) = {
        let state = wallet.lock();
        control.allow_used = !state.has_flag(flags::AVOID_REUSE);
        (wallet.change_kind(&state, &recipients, &control), state.balance(0, false).trusted)
    };
    // Previews come by the dozen; each takes the change address of the one before.
    control.change = change_address(wallet, kind);
    let mut shuffled = recipients.clone();
    crate::spend::shuffle(&mut shuffled);
    let made = {
        let _spending = wallet.spend_lock();
        wallet.create_transaction(&shuffled, &control, false)
    };
    let made = match made {
        Ok(made) => made,
        Err(e) => return Ok(Err(problem(e.to_string(), request, available))),
    };
    let (spent, vsize) = {
        let state = wallet.lock();
        let spent: Vec<TxOut> =
            made.tx.inputs.iter().filter_map(|i| state.coin(&i.prevout).cloned()).collect();
        let vsize =
            signed_size(&state, &made.tx.to_mutable(), &spent, &control).map_or(0, |(vsize, _)| vsize);
        (spent, vsize)
    };
    let change = made.change_position.map_or(0, |n| made.tx.outputs[n].value.0);
    let target = match request.fee {
        FeeChoice::Rate(_) => None,
        FeeChoice::Target(target) => Some(
            wallet.chain.estimate_smart_fee(target.max(1), !request.replaceable)?.returned_target.max(target),
        ),
    };
    let amounts = amounts(&made.tx, made.change_position, &shuffled, &recipients);
    Ok(Ok(SendPreview {
        amounts,
        fee: made.fee,
        fee_rate: (made.fee.max(0) as u64).saturating_mul(1000) / (vsize.max(1) as u64),
        source: made.reason,
        target,
        vsize: vsize as u32,
        inputs: spent.len() as u32,
        change,
        total: spent.iter().map(|out| out.value.0).sum::<i64>() - change,
        tx: made.tx,
    }))
}

/// What each recipient gets, in the order in which they were given.
fn amounts(tx: &TxRef, change: Option<usize>, shuffled: &[Recipient], given: &[Recipient]) -> Vec<i64> {
    let outputs =
        tx.outputs.iter().enumerate().filter(|(n, _)| Some(*n) != change).map(|(_, out)| out.value.0);
    let mut placed: Vec<(&Recipient, i64)> = shuffled.iter().zip(outputs).collect();
    given
        .iter()
        .map(|recipient| match placed.iter().position(|(other, _)| *other == recipient) {
            Some(at) => placed.swap_remove(at).1,
            None => recipient.amount,
        })
        .collect()
}

fn change_address(wallet: &Wallet, kind: grs_descriptor::OutputType) -> Option<Destination> {
    let mut known = locked(&wallet.gui.change);
    if let std::collections::btree_map::Entry::Vacant(e) = known.entry(kind) {
        // Without one, the selection says so if change is needed.
        let made = wallet.lock().new_destination(kind, true).ok()?;
        e.insert(made);
    }
    known.get(&kind).cloned()
}

/// The transaction of an order, if it was carried out.
fn find(state: &State, token: SendToken) -> Option<&WalletTx> {
    let text = token_text(token);
    // Orders are asked about soon after they were given.
    let recent = state.ordered.iter().rev().filter_map(|(_, txid)| state.txs.get(txid));
    recent.into_iter().find(|wtx| wtx.values.get(TOKEN_VALUE) == Some(&text))
}

fn carried_out(wallet: &Wallet, token: SendToken) -> Option<Sent> {
    let state = wallet.lock();
    find(&state, token).map(|wtx| Sent { txid: wtx.txid(), repeated: true, not_broadcast: String::new() })
}

/// What became of an order; one that was not carried out never will be.
pub(super) fn status(wallet: &Wallet, token: SendToken) -> SendStatus {
    // An order that is being carried out is waited for.
    let _spending = wallet.spend_lock();
    match carried_out(wallet, token) {
        Some(sent) => SendStatus::Sent(sent),
        None => {
            locked(&wallet.gui.void).insert(token);
            SendStatus::NotSent
        }
    }
}

/// The outputs that a transaction spends; a problem if they cannot be spent any more.
fn spendable(state: &State, tx: &TxRef, max_fee: i64) -> Result<Vec<TxOut>, SendProblem> {
    let changed = || SendProblem::Changed(String::new());
    let mut spent = Vec::with_capacity(tx.inputs.len());
    for input in &tx.inputs {
        let coin =
            state.coin(&input.prevout).filter(|_| !state.is_spent(&input.prevout)).ok_or_else(changed)?;
        spent.push(coin.clone());
    }
    let value = |outs: &[TxOut]| outs.iter().map(|o| o.value.0).try_fold(0_i64, i64::checked_add);
    let fee = value(&spent).zip(value(&tx.outputs)).map(|(paid, out)| paid - out);
    match fee {
        Some(fee) if !spent.is_empty() && (0..=max_fee).contains(&fee) => Ok(spent),
        _ => Err(SendProblem::Fee("The fee of the payment is out of bounds.".into())),
    }
}

/// Unlocks for as long as this lives.
struct Unlocked<'a>(&'a Wallet, bool);

impl<'a> Unlocked<'a> {
    fn new(wallet: &'a Wallet, passphrase: &[u8]) -> CallResult<Result<Unlocked<'a>, SendProblem>> {
        let mut state = wallet.lock();
        if !state.is_locked() {
            return Ok(Ok(Unlocked(wallet, false)));
        }
        if passphrase.is_empty() {
            return Ok(Err(SendProblem::Locked));
        }
        match state.unlock(passphrase).map_err(failed)? {
            true => Ok(Ok(Unlocked(wallet, true))),
            false => Ok(Err(SendProblem::WrongPassphrase)),
        }
    }
}

impl Drop for Unlocked<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.lock().lock();
        }
    }
}

/// Signs and sends what a preview has shown.
pub(super) fn send(wallet: &Wallet, order: SendOrder) -> CallResult<Result<Sent, SendProblem>> {
    let _spending = wallet.spend_lock();
    if let Some(sent) = carried_out(wallet, order.token) {
        return Ok(Ok(sent));
    }
    if locked(&wallet.gui.void).contains(&order.token) {
        return Ok(Err(SendProblem::Other("This order was given up.".into())));
    }
    let spent = {
        let state = wallet.lock();
        if state.has_flag(flags::DISABLE_PRIVATE_KEYS) {
            return Ok(Err(SendProblem::NoPrivateKeys));
        }
        match spendable(&state, &order.tx, wallet.options.max_tx_fee) {
            Ok(spent) => spent,
            Err(problem) => return Ok(Err(problem)),
        }
    };
    let mut tx = order.tx.to_mutable();
    {
        // A passphrase given by RPC meanwhile waits, so that its time is not cut short.
        let _relock = wallet.relock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _unlocked = match Unlocked::new(wallet, order.passphrase.as_bytes())? {
            Ok(unlocked) => unlocked,
            Err(problem) => return Ok(Err(problem)),
        };
        if !wallet.sign_inputs(&mut tx, &spent) {
            return Ok(Err(SendProblem::Other("The transaction could not be signed.".into())));
        }
    }
    let tx = TxRef::new(tx.into());
    let txid = tx.txid();
    wallet
        .commit(&tx, |wtx| {
            wtx.values.insert(TOKEN_VALUE.to_owned(), token_text(order.token));
            true
        })
        .map_err(|e| CallError::remote(e.to_string()))?;
    keep_labels(wallet, &order);
    let used: Vec<Destination> = tx.outputs.iter().map(|o| extract_destination(&o.script_pubkey)).collect();
    locked(&wallet.gui.change).retain(|_, destination| !used.contains(destination));
    let waiting = wallet.options.broadcast && !wallet.lock().txs.get(&txid).is_some_and(WalletTx::in_mempool);
    let not_broadcast = match waiting {
        true => wallet.submit(&txid, grs_interfaces::TxBroadcast::MempoolAndBroadcastToAll).err(),
        false => None,
    };
    wallet.gui.changed.touch();
    Ok(Ok(Sent { txid, repeated: false, not_broadcast: not_broadcast.unwrap_or_default() }))
}

/// Puts the recipients' labels into the address book. A failure does not undo the payment.
fn keep_labels(wallet: &Wallet, order: &SendOrder) {
    for to in order.recipients.iter().filter(|to| !to.label.is_empty()) {
        let mut state = wallet.lock();
        let Ok(destination) = decode_destination(&to.address, state.network) else { continue };
        let purpose = (!state.is_mine_destination(&destination)).then_some(Purpose::Send);
        let kept = state.set_address_book(&destination, &to.label, purpose);
        drop(state);
        if let Err(e) = kept {
            wallet_log!(wallet, "The label of {} was not kept: {e}", to.address);
        }
    }
}
