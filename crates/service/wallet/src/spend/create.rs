//! Making a payment: fee rate, coins, change, lock time, signatures. Reference: `CreateTransaction`, `fees.cpp`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use grs_descriptor::{Destination, FlatSigningProvider, OutputType, sign_transaction};
use grs_encoding::compact_size_len;
use grs_hashes::Txid;
use grs_interfaces::{CallResult, FeeReason, FindBlock, TransactionAncestry};
use grs_policy::{
    FeeRate, MIN_STANDARD_TX_NONWITNESS_SIZE, TRUC_VERSION, dust_threshold, is_dust, virtual_size,
};
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, TxIn, TxOut, TxRef, Witness};
use grs_sync::clock;

use super::algorithms::{Rng, change_target};
use super::available::{CoinFilter, CoinKind, available_coins, input_size, input_weight, is_segwit};
use super::fees::{Rates, reason_text, settle_fee};
use super::select::{
    Algorithm, DEFAULT_MAX_TX_WEIGHT, InputCoin, SelectError, Selection, SelectionParams, select,
};
use crate::error::{WalletError, WalletResult};
use crate::state::{State, wallet_log};
use crate::wallet::Wallet;

/// Sequence of inputs of a transaction that may be replaced.
const RBF_SEQUENCE: u32 = 0xffff_fffd;
/// Sequence of inputs that only allow a lock time.
const NONFINAL_SEQUENCE: u32 = 0xffff_fffe;
/// Size of a P2SH-P2WPKH input: a guess for change whose descriptor is not known.
const DUMMY_INPUT_SIZE: i64 = 91;
/// A tip older than this, in seconds, says nothing about the height.
const MAX_TIP_AGE: i64 = 8 * 60 * 60;

/// Says that a coin which was given cannot be spent.
fn not_usable(why: &str, outpoint: &OutPoint) -> WalletError {
    let txid = outpoint.txid.to_string();
    WalletError::text(format!("{why} pre-selected input COutPoint({}, {})", &txid[..10], outpoint.vout))
}

/// Why an unconfirmed coin of a transaction of one version cannot be spent by one of another: version 3 keeps to itself
/// (BIP431).
pub(crate) fn version_mismatch(parent: u32, version: u32) -> Option<String> {
    ((parent == TRUC_VERSION) != (version == TRUC_VERSION)).then(|| {
        format!("Can't spend unconfirmed version {parent} pre-selected input with a version {version} tx")
    })
}

/// Someone to pay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipient {
    pub(crate) destination: Destination,
    /// Gro.
    pub(crate) amount: i64,
    /// Take a share of the fee from the amount.
    pub(crate) subtract_fee: bool,
}

/// What the user wants of a payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct CoinControl {
    pub(crate) change: Option<Destination>,
    pub(crate) change_type: Option<OutputType>,
    pub(crate) change_position: Option<usize>,
    /// Inputs in this order; with a sequence if one is wanted.
    pub(crate) selected: Vec<(OutPoint, Option<u32>)>,
    /// Only these inputs.
    pub(crate) only_selected: bool,
    /// Unlocking scripts and witnesses that such inputs have already.
    pub(crate) unlocking: BTreeMap<OutPoint, (Script, Witness)>,
    pub(crate) fee_rate: Option<FeeRate>,
    /// Use the rate even if it is below the least.
    pub(crate) override_fee_rate: bool,
    pub(crate) confirm_target: Option<u32>,
    /// Estimate conservatively, or not; by replaceability if not said.
    pub(crate) conservative: Option<bool>,
    pub(crate) signal_rbf: Option<bool>,
    pub(crate) avoid_partial_spends: bool,
    /// Use coins of used addresses too.
    pub(crate) allow_used: bool,
    pub(crate) include_unsafe: bool,
    pub(crate) min_depth: Option<i32>,
    pub(crate) max_depth: Option<i32>,
    pub(crate) lock_time: Option<u32>,
    pub(crate) version: Option<u32>,
    pub(crate) max_tx_weight: Option<i64>,
    /// Keys and scripts of inputs that are not the wallet's.
    pub(crate) external: FlatSigningProvider,
    /// Outputs that such inputs spend.
    pub(crate) external_outputs: BTreeMap<OutPoint, TxOut>,
    /// Weights of inputs that the user knows better.
    pub(crate) input_weights: BTreeMap<OutPoint, i64>,
}

/// A payment that was made.
#[derive(Debug, Clone)]
pub(crate) struct CreatedTransaction {
    pub(crate) tx: TxRef,
    /// Gro.
    pub(crate) fee: i64,
    pub(crate) change_position: Option<usize>,
    pub(crate) reason: FeeReason,
}

/// Largest size and weight of a transaction once it is signed; `None` if an input is not known well enough.
/// Reference: `CalculateMaximumSignedTxSize`.
pub(crate) fn signed_size(
    state: &State,
    tx: &MutableTransaction,
    spent: &[TxOut],
    control: &CoinControl,
) -> Option<(i64, i64)> {
    let descriptors: Vec<_> = spent
        .iter()
        .map(|out| {
            let known = state.solving_provider(&out.script_pubkey);
            let provider = known.as_ref().unwrap_or(&control.external);
            grs_descriptor::infer_descriptor(&out.script_pubkey, provider, state.network)
        })
        .collect();
    let segwit = descriptors.iter().any(is_segwit);
    let counts = compact_size_len(tx.inputs.len() as u64) + compact_size_len(tx.outputs.len() as u64);
    let mut weight = (8 + counts) as i64 * 4 + if segwit { 2 } else { 0 };
    weight += tx.outputs.iter().map(|o| o.encoded_len() as i64 * 4).sum::<i64>();
    for (input, descriptor) in tx.inputs.iter().zip(&descriptors) {
        let external = !state.coins.contains_key(&input.prevout);
        weight += match control.input_weights.get(&input.prevout) {
            Some(weight) => *weight,
            None => input_weight(descriptor, segwit, external)?,
        };
    }
    Some((virtual_size(weight as usize, 0, 0), weight))
}

impl Wallet {
    /// Makes a payment, signed if wanted. The caller holds [`Wallet::spending`] until it has committed it.
    pub(crate) fn create_transaction(
        &self,
        recipients: &[Recipient],
        control: &CoinControl,
        sign: bool,
    ) -> WalletResult<CreatedTransaction> {
        if recipients.is_empty() {
            return Err(WalletError::text("Transaction must have at least one recipient"));
        }
        if recipients.iter().any(|r| r.amount < 0) {
            return Err(WalletError::text("Transaction amounts must not be negative"));
        }
        let mut control = control.clone();
        control.avoid_partial_spends |= self.options.avoid_partial_spends;
        let single = self.create_once(recipients, &control, sign)?;
        if single.fee == 0 || self.options.max_aps_fee < 0 || control.avoid_partial_spends {
            return Ok(single);
        }
        // Spending all coins of an address at once is more private; it is done if it costs little more.
        control.avoid_partial_spends = true;
        if let Some(n) = single.change_position {
            let change = grs_descriptor::extract_destination(&single.tx.outputs[n].script_pubkey);
            control.change = Some(change).filter(Destination::is_valid).or(control.change);
        }
        let Ok(grouped) = self.create_once(recipients, &control, sign) else { return Ok(single) };
        let use_grouped = grouped.fee <= single.fee + self.options.max_aps_fee;
        wallet_log!(
            self,
            "Fee non-grouped = {}, grouped = {}, using {}",
            single.fee,
            grouped.fee,
            if use_grouped { "grouped" } else { "non-grouped" }
        );
        Ok(if use_grouped { grouped } else { single })
    }

    /// Kind of change that looks like the payment. Reference: `TransactionChangeType`.
    pub(crate) fn change_kind(
        &self,
        state: &State,
        recipients: &[Recipient],
        control: &CoinControl,
    ) -> OutputType {
        if let Some(kind) = control.change_type.or(self.options.change_type) {
            return kind;
        }
        if self.options.address_type == OutputType::Legacy {
            return OutputType::Legacy;
        }
        let pays = |test: fn(&Destination) -> bool| recipients.iter().any(|r| test(&r.destination));
        let has = |kind| state.active_id(kind, true).is_some();
        let alike: [(OutputType, fn(&Destination) -> bool); 4] = [
            (OutputType::Bech32m, |d| matches!(d, Destination::WitnessV1Taproot(_))),
            (OutputType::Bech32, |d| matches!(d, Destination::WitnessV0KeyHash(_))),
            (OutputType::P2shSegwit, |d| matches!(d, Destination::ScriptHash(_))),
            (OutputType::Legacy, |d| matches!(d, Destination::PubKeyHash(_))),
        ];
        for (kind, test) in alike {
            if has(kind) && pays(test) {
                return kind;
            }
        }
        [OutputType::Bech32m, OutputType::Bech32]
            .into_iter()
            .find(|kind| has(*kind))
            .unwrap_or(self.options.address_type)
    }

    fn create_once(
        &self,
        recipients: &[Recipient],
        control: &CoinControl,
        sign: bool,
    ) -> WalletResult<CreatedTransaction> {
        let rates = self.rates(control)?;
        let kind = self.change_kind(&self.lock(), recipients, control);
        let mut reserved = None;
        let mut no_change = String::new();
        let change = match &control.change {
            Some(destination) => Some(destination.clone()),
            None => match self.lock().new_destination(kind, true) {
                Ok(destination) => {
                    reserved = Some(destination.clone());
                    Some(destination)
                }
                Err(e) => {
                    no_change = format!("Transaction needs a change address, but we can't generate it. {e}");
                    None
                }
            },
        };
        let change_script = change.as_ref().map(Destination::script).unwrap_or_default();
        let made = self.fill(recipients, control, sign, &rates, &change_script, &no_change);
        let kept = made.as_ref().is_ok_and(|m| m.change_position.is_some());
        if let Some(destination) = reserved
            && !kept
        {
            // An address that was not used goes back, so that numbers are not skipped.
            self.lock().return_destination(kind, true, &destination);
        }
        made
    }

    fn selection_params(
        &self,
        recipients: &[Recipient],
        control: &CoinControl,
        rates: &Rates,
        change_script: &Script,
        rng: &mut Rng,
    ) -> WalletResult<SelectionParams> {
        let max_tx_weight = control.max_tx_weight.unwrap_or(DEFAULT_MAX_TX_WEIGHT);
        let least = MIN_STANDARD_TX_NONWITNESS_SIZE as i64 * 4;
        if !(least..=DEFAULT_MAX_TX_WEIGHT).contains(&max_tx_weight) {
            return Err(WalletError::text(format!(
                "Maximum transaction weight must be between {least} and {DEFAULT_MAX_TX_WEIGHT}"
            )));
        }
        let mut size = 10 + compact_size_len(recipients.len() as u64);
        for recipient in recipients {
            let out = TxOut::new(Amount(recipient.amount), recipient.destination.script());
            if is_dust(&out, rates.dust) {
                return Err(WalletError::text("Transaction amount too small"));
            }
            size += out.encoded_len();
        }
        let prototype = TxOut::new(Amount::ZERO, change_script.clone());
        let change_spend_size = {
            let state = self.lock();
            let provider = state.solving_provider(change_script);
            let size = provider.map_or(-1, |p| input_size(&prototype, &p, &state));
            if size < 0 { DUMMY_INPUT_SIZE } else { size }
        } as usize;
        let change_output_size = prototype.encoded_len();
        let change_fee = rates.effective.fee(change_output_size).0;
        let sum: i64 = recipients.iter().map(|r| r.amount).sum();
        let change_spend_fee = rates.discard.fee(change_spend_size).0;
        let limits = self.chain.get_package_limits()?;
        Ok(SelectionParams {
            change_output_size,
            min_change_target: change_target(sum / recipients.len() as i64, change_fee, rng),
            min_viable_change: (change_spend_fee + 1).max(dust_threshold(&prototype, rates.discard).0),
            change_fee,
            cost_of_change: change_spend_fee + change_fee,
            effective_rate: rates.effective,
            long_term_rate: self.options.consolidate_rate,
            tx_no_inputs_size: size,
            subtract_fee: recipients.iter().any(|r| r.subtract_fee),
            avoid_partial_spends: control.avoid_partial_spends,
            include_unsafe: control.include_unsafe,
            max_tx_weight,
            version: control.version.unwrap_or(2),
            spend_zero_conf_change: self.options.spend_zero_conf_change,
            reject_long_chains: self.options.reject_long_chains,
            max_ancestors: u64::from(limits.ancestors),
            max_cluster: u64::from(limits.descendants),
        })
    }

    /// The coins of the wallet that may be chosen, and those that must be (by number).
    fn gather(
        &self,
        control: &CoinControl,
        params: &SelectionParams,
    ) -> WalletResult<(Vec<InputCoin>, Vec<usize>)> {
        let mut coins = Vec::new();
        let input = |outpoint, out: TxOut, kind: CoinKind, depth, from_me, bytes: i64| {
            let size = bytes.max(0) as usize;
            InputCoin {
                outpoint,
                out,
                kind,
                depth,
                from_me,
                input_bytes: bytes,
                fee: params.effective_rate.fee(size).0,
                long_term_fee: params.long_term_rate.fee(size).0,
                bump_fee: 0,
                ancestors: 0,
                cluster: 0,
            }
        };
        let preset: Vec<usize>;
        {
            let state = self.lock();
            for (outpoint, _) in &control.selected {
                let own = state.coin(outpoint).cloned();
                let out = own
                    .clone()
                    .or_else(|| control.external_outputs.get(outpoint).cloned())
                    .ok_or_else(|| not_usable("Not found", outpoint))?;
                if let Some(text) = state
                    .txs
                    .get(&outpoint.txid)
                    .filter(|wtx| own.is_some() && state.depth(wtx) == 0)
                    .and_then(|wtx| version_mismatch(wtx.tx.version, params.version))
                {
                    return Err(WalletError::text(text));
                }
                let mut bytes = match control.input_weights.get(outpoint) {
                    Some(weight) => virtual_size(*weight as usize, 0, 0),
                    None => state
                        .solving_provider(&out.script_pubkey)
                        .map_or(-1, |provider| input_size(&out, &provider, &state)),
                };
                if bytes < 0 && own.is_none() {
                    bytes = input_size(&out, &control.external, &state);
                }
                if bytes < 0 {
                    return Err(not_usable("Not solvable", outpoint));
                }
                // The node is asked about the ancestors of coins that the wallet does not know, too.
                let depth = state.txs.get(&outpoint.txid).map_or(0, |wtx| state.depth(wtx));
                coins.push(input(*outpoint, out, OutputType::Unknown, depth, false, bytes));
            }
            preset = (0..coins.len()).collect();
            if !control.only_selected {
                let filter = CoinFilter {
                    min_depth: control.min_depth.unwrap_or(0),
                    max_depth: control.max_depth.unwrap_or(9_999_999),
                    include_unsafe: control.include_unsafe,
                    avoid_used: !control.allow_used,
                    version: Some(params.version),
                    exclude: control.selected.iter().map(|(o, _)| *o).collect(),
                    ..CoinFilter::default()
                };
                for coin in available_coins(&state, &filter) {
                    coins.push(input(
                        coin.outpoint,
                        coin.out,
                        coin.kind,
                        coin.depth,
                        coin.from_me,
                        coin.input_bytes,
                    ));
                }
            }
        }
        // The node is only asked about coins that are not confirmed.
        let unconfirmed: Vec<usize> = (0..coins.len()).filter(|&i| coins[i].depth == 0).collect();
        if !unconfirmed.is_empty() {
            let outpoints: Vec<OutPoint> = unconfirmed.iter().map(|&i| coins[i].outpoint).collect();
            let rate = params.effective_rate.fee_per_kvb();
            let bumps = self.chain.calculate_individual_bump_fees(&outpoints, rate)?;
            let ancestry = self.ancestry(outpoints.iter().map(|outpoint| outpoint.txid))?;
            for (&i, bump) in unconfirmed.iter().zip(bumps) {
                coins[i].add_bump_fee(bump.0);
                let known = ancestry.get(&coins[i].outpoint.txid).copied().unwrap_or_default();
                coins[i].ancestors = known.ancestors;
                coins[i].cluster = known.cluster_count;
            }
        }
        Ok((coins, preset))
    }

    /// Relatives of transactions in the mempool, asked for at once: there may be thousands.
    pub(crate) fn ancestry(
        &self,
        txids: impl Iterator<Item = Txid>,
    ) -> CallResult<BTreeMap<Txid, TransactionAncestry>> {
        let txids: Vec<Txid> = txids.collect::<BTreeSet<Txid>>().into_iter().collect();
        if txids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let known = self.chain.get_transaction_ancestry(&txids)?;
        Ok(txids.into_iter().zip(known).collect())
    }

    /// Chooses inputs. Reference: `SelectCoins`.
    fn choose_inputs(
        &self,
        target: i64,
        recipients_sum: i64,
        coins: &[InputCoin],
        preset: &[usize],
        control: &CoinControl,
        params: &SelectionParams,
        rng: &mut Rng,
    ) -> WalletResult<Selection> {
        let preset_sum: i64 = preset.iter().map(|&i| coins[i].amount(params.subtract_fee)).sum();
        let rest = target - preset_sum;
        if control.only_selected && rest > 0 {
            return Err(WalletError::text(
                "The preselected coins total amount does not cover the transaction target. Please allow other inputs to be \
                 automatically selected or include more coins manually",
            ));
        }
        if rest <= 0 {
            let mut selection = Selection {
                coins: preset.iter().copied().collect(),
                target,
                algorithm: Algorithm::Manual,
                waste: 0,
                bump_discount: 0,
            };
            selection.set_waste(coins, params);
            return Ok(selection);
        }
        let pool: Vec<usize> = (preset.len()..coins.len()).collect();
        let pool_amount: i64 = pool.iter().map(|&i| coins[i].amount(params.subtract_fee)).sum();
        let rate = params.effective_rate.fee_per_kvb();
        let combined = |outpoints: &[OutPoint]| {
            self.chain.calculate_combined_bump_fee(outpoints, rate).ok().flatten().map(|fee| fee.0)
        };
        let chosen = match rest > pool_amount {
            true => Err(SelectError::Insufficient),
            false => select(rest, &pool, coins, params, &combined, rng),
        };
        let mut selection = chosen.map_err(|e| {
            let SelectError::Insufficient = e else {
                let SelectError::Text(text) = e else { unreachable!("matched above") };
                return WalletError::text(text);
            };
            let value: i64 = coins.iter().map(|c| c.out.value.0).sum();
            let effective: i64 = coins.iter().map(InputCoin::effective_value).sum();
            if value >= recipients_sum && effective < target && !params.subtract_fee {
                let fee = Amount(target - recipients_sum);
                return WalletError::text(format!(
                    "The total exceeds your balance when the {} transaction fee is included.",
                    grs_consensus::format_money(fee)
                ));
            }
            WalletError::text("Insufficient funds")
        })?;
        if !preset.is_empty() {
            selection.coins.extend(preset);
            selection.target = target;
            selection.set_waste(coins, params);
            if selection.weight(coins) > params.max_tx_weight - params.tx_no_inputs_size as i64 * 4 {
                return Err(WalletError::text(
                    "The combination of the pre-selected inputs and the wallet automatic inputs selection exceeds the \
                     transaction maximum weight. Please try sending a smaller amount or manually consolidating your \
                     wallet's UTXOs",
                ));
            }
        }
        Ok(selection)
    }

    /// Lock time for a transaction that is made now.
    pub(crate) fn current_lock_time(&self) -> WalletResult<u32> {
        self.anti_fee_sniping_lock_time(&mut Rng::new())
    }

    /// Lock time that makes it pointless to mine the last blocks again. Reference: `DiscourageFeeSniping`.
    fn anti_fee_sniping_lock_time(&self, rng: &mut Rng) -> WalletResult<u32> {
        let (hash, height) = {
            let state = self.lock();
            (state.last_block, state.last_block_height)
        };
        if hash.is_zero() || self.chain.is_initial_block_download()? {
            return Ok(0);
        }
        let time = self.chain.find_block(hash, FindBlock::default())?.map_or(0, |block| block.time);
        if time < clock::now_secs() - MAX_TIP_AGE {
            return Ok(0);
        }
        let mut lock_time = height.max(0) as u32;
        // Now and then an older height, so that late transactions do not stand out.
        if rng.below(10) == 0 {
            lock_time = lock_time.saturating_sub(rng.below(100) as u32);
        }
        Ok(lock_time)
    }

    fn fill(
        &self,
        recipients: &[Recipient],
        control: &CoinControl,
        sign: bool,
        rates: &Rates,
        change_script: &Script,
        no_change: &str,
    ) -> WalletResult<CreatedTransaction> {
        let mut rng = Rng::new();
        let params = self.selection_params(recipients, control, rates, change_script, &mut rng)?;
        let recipients_sum: i64 = recipients.iter().map(|r| r.amount).sum();
        let base_size = if params.subtract_fee { 0 } else { params.tx_no_inputs_size };
        let target = recipients_sum + rates.effective.fee(base_size).0;
        if target == 0 && control.selected.is_empty() {
            return Err(WalletError::text(
                "Transaction requires one destination of non-zero value, a non-zero feerate, or a pre-selected input",
            ));
        }
        let (coins, preset) = self.gather(control, &params)?;
        let selection =
            self.choose_inputs(target, recipients_sum, &coins, &preset, control, &params, &mut rng)?;
        let mut tx = MutableTransaction {
            version: params.version,
            inputs: Vec::new(),
            outputs: recipients
                .iter()
                .map(|r| TxOut::new(Amount(r.amount), r.destination.script()))
                .collect(),
            lock_time: 0,
        };
        let change = selection.change(&coins, &params);
        let mut change_position = None;
        if change > 0 {
            let n = match control.change_position {
                Some(n) if n > tx.outputs.len() => {
                    return Err(WalletError::text("Transaction change output index out of range"));
                }
                Some(n) => n,
                None => rng.below(tx.outputs.len() as u64 + 1) as usize,
            };
            tx.outputs.insert(n, TxOut::new(Amount(change), change_script.clone()));
            change_position = Some(n);
        }
        let mut order: Vec<usize> = selection.coins.iter().copied().collect();
        rng.shuffle(&mut order);
        // Inputs that the user named come first, in that order; their numbers are their places.
        order.sort_by_key(|&i| if i < preset.len() { i } else { preset.len() });
        let rbf = control.signal_rbf.unwrap_or(self.options.signal_rbf);
        let default_sequence = if rbf { RBF_SEQUENCE } else { NONFINAL_SEQUENCE };
        let mut own_sequence = false;
        for &i in &order {
            let wanted =
                control.selected.get(i).filter(|_| i < preset.len()).and_then(|(_, sequence)| *sequence);
            own_sequence |= wanted.is_some();
            let mut input = TxIn::new(coins[i].outpoint, wanted.unwrap_or(default_sequence));
            if let Some((script_sig, witness)) = control.unlocking.get(&input.prevout) {
                input.script_sig = script_sig.clone();
                input.witness = witness.clone();
            }
            tx.inputs.push(input);
        }
        tx.lock_time = match control.lock_time {
            Some(lock_time) => lock_time,
            None if own_sequence => 0,
            None => self.anti_fee_sniping_lock_time(&mut rng)?,
        };
        let spent: Vec<TxOut> = order.iter().map(|&i| coins[i].out.clone()).collect();
        let (vsize, weight) = signed_size(&self.lock(), &tx, &spent, control)
            .ok_or_else(|| WalletError::text("Missing solving data for estimating transaction size"))?;
        let needed = rates.effective.fee(vsize as usize).0 + selection.bump_fees(&coins);
        let fee =
            settle_fee(&mut tx, selection.value(&coins), needed, change_position, recipients, rates.dust)?;
        if change_script.is_empty() && change_position.is_some() {
            return Err(WalletError::text(no_change));
        }
        if sign && !self.sign_inputs(&mut tx, &spent) {
            return Err(WalletError::text("Signing transaction failed"));
        }
        let tx = TxRef::new(tx.into());
        if if sign { tx.weight() as i64 } else { weight } > DEFAULT_MAX_TX_WEIGHT {
            return Err(WalletError::text("Transaction too large"));
        }
        if fee > self.options.max_tx_fee {
            return Err(WalletError::text(
                "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
            ));
        }
        if self.options.reject_long_chains {
            self.chain.check_chain_limits(tx.clone())?.map_err(|e| WalletError::text(e.original))?;
        }
        wallet_log!(
            self,
            "Coin Selection: Algorithm:{}, Waste Metric Score:{}",
            selection.algorithm.name(),
            selection.waste
        );
        wallet_log!(
            self,
            "Fee Calculation: Fee:{fee} Bytes:{vsize} Reason:\"{}\"",
            reason_text(rates.reason)
        );
        Ok(CreatedTransaction { tx, fee, change_position, reason: rates.reason })
    }

    /// Signs all inputs with the wallet's keys; false if one is missing.
    pub(crate) fn sign_inputs(&self, tx: &mut MutableTransaction, spent: &[TxOut]) -> bool {
        let provider = self.lock().signing_provider(spent.iter().map(|out| &out.script_pubkey));
        let coins: BTreeMap<OutPoint, TxOut> =
            tx.inputs.iter().map(|i| i.prevout).zip(spent.iter().cloned()).collect();
        sign_transaction(tx, &provider, &coins, 0).is_empty()
    }

    /// The right to spend: one payment at a time.
    pub(crate) fn spend_lock(&self) -> std::sync::MutexGuard<'_, ()> {
        self.spending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
