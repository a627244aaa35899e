//! Coins that could be spent. Reference: `AvailableCoins`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::Discriminant;

use grs_descriptor::{
    Descriptor, Destination, FlatSigningProvider, OutputType, SigningProvider, extract_destination,
    infer_descriptor,
};
use grs_encoding::compact_size_len;
use grs_hashes::{Hash256, Txid};
use grs_policy::{TRUC_VERSION, virtual_size};
use grs_primitives::{MAX_MONEY, OutPoint, TxOut, WITNESS_SCALE_FACTOR};

use crate::flags;
use crate::state::State;

/// Kind of output, for spending coins of one kind together.
pub(crate) type CoinKind = OutputType;

/// Which coins are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CoinFilter {
    /// Values in gro.
    pub(crate) min_amount: i64,
    pub(crate) max_amount: i64,
    /// Stop once the sum is reached.
    pub(crate) min_sum: Option<i64>,
    /// Stop at so many; 0 for no limit.
    pub(crate) max_count: usize,
    pub(crate) min_depth: i32,
    pub(crate) max_depth: i32,
    pub(crate) include_immature: bool,
    pub(crate) include_unsafe: bool,
    pub(crate) skip_locked: bool,
    /// Leave out coins of used addresses, if the wallet knows them.
    pub(crate) avoid_used: bool,
    /// Version of the transaction that is to spend them; `None` for a mere list.
    pub(crate) version: Option<u32>,
    /// Coins that are chosen already.
    pub(crate) exclude: BTreeSet<OutPoint>,
}

impl Default for CoinFilter {
    fn default() -> Self {
        CoinFilter {
            min_amount: 1,
            max_amount: MAX_MONEY,
            min_sum: None,
            max_count: 0,
            min_depth: 0,
            max_depth: 9_999_999,
            include_immature: false,
            include_unsafe: false,
            skip_locked: true,
            avoid_used: true,
            version: None,
            exclude: BTreeSet::new(),
        }
    }
}

/// A coin with what matters for spending it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SpendableCoin {
    pub(crate) outpoint: OutPoint,
    pub(crate) out: TxOut,
    pub(crate) kind: CoinKind,
    /// Confirmations.
    pub(crate) depth: i32,
    /// Virtual size of the signed input; -1 if it cannot be known.
    pub(crate) input_bytes: i64,
    /// It may be chosen without being asked for.
    pub(crate) safe: bool,
    /// Its transaction spends from us.
    pub(crate) from_me: bool,
}

/// Whether outputs of a descriptor are spent with a witness.
pub(crate) fn is_segwit(descriptor: &Descriptor) -> bool {
    descriptor.output_type().is_some_and(|t| t != OutputType::Legacy)
}

/// Largest weight of a signed input. `tx_is_segwit`: some input has a witness. Reference: `MaxInputWeight`.
pub(crate) fn input_weight(descriptor: &Descriptor, tx_is_segwit: bool, max_sig: bool) -> Option<i64> {
    let satisfaction = descriptor.max_satisfaction_weight(max_sig)?;
    let elements = descriptor.max_satisfaction_elements()?;
    let segwit = is_segwit(descriptor);
    let scale = WITNESS_SCALE_FACTOR as i64;
    let script_len = if segwit { 1 } else { compact_size_len((satisfaction / scale) as u64) as i64 };
    let stack_len = match (segwit, tx_is_segwit) {
        (true, _) => compact_size_len(elements as u64) as i64,
        (false, true) => 1,
        (false, false) => 0,
    };
    Some((32 + 4 + 4 + script_len) * scale + stack_len + satisfaction)
}

/// Virtual size of a signed input in a transaction with witnesses; -1 if it cannot be known.
pub(crate) fn input_size(out: &TxOut, provider: &FlatSigningProvider, state: &State) -> i64 {
    let descriptor = infer_descriptor(&out.script_pubkey, provider, state.network);
    input_weight(&descriptor, true, false).map_or(-1, |weight| virtual_size(weight as usize, 0, 0))
}

/// Kind of a coin. `None` for P2SH whose script should be known and is not.
fn kind_of(out: &TxOut, provider: Option<&FlatSigningProvider>, solvable: bool) -> Option<CoinKind> {
    let direct = |destination: &Destination| match destination {
        Destination::WitnessV1Taproot(_) => OutputType::Bech32m,
        Destination::WitnessV0KeyHash(_) | Destination::WitnessV0ScriptHash(_) => OutputType::Bech32,
        Destination::ScriptHash(_) | Destination::PubKeyHash(_) => OutputType::Legacy,
        _ => OutputType::Unknown,
    };
    let destination = extract_destination(&out.script_pubkey);
    if let Destination::ScriptHash(id) = &destination
        && solvable
    {
        let script = provider?.script(id)?;
        return Some(match direct(&extract_destination(&script)) {
            OutputType::Bech32 => OutputType::P2shSegwit,
            kind => kind,
        });
    }
    Some(direct(&destination))
}

/// Size of the signed input, and kind, of coins. Deriving the keys of each of many coins would take most of the time of a
/// payment; those of one descriptor, with outputs of one form, are all alike, and one of them is looked at.
#[derive(Default)]
struct Solutions(HashMap<(Hash256, Discriminant<Destination>, usize), (i64, Option<CoinKind>)>);

impl Solutions {
    fn of(&mut self, coin: &TxOut, state: &State) -> (i64, Option<CoinKind>) {
        let script = &coin.script_pubkey;
        let find = || {
            let provider = state.solving_provider(script);
            let input_bytes = provider.as_ref().map_or(-1, |p| input_size(coin, p, state));
            (input_bytes, kind_of(coin, provider.as_ref(), input_bytes >= 0))
        };
        let Some(descriptor) = state.scripts.get(script).and_then(|ids| ids.first()) else { return find() };
        let form = std::mem::discriminant(&extract_destination(script));
        *self.0.entry((*descriptor, form, script.len())).or_insert_with(find)
    }
}

/// Coins that pass a filter, by outpoint.
pub(crate) fn available_coins(state: &State, filter: &CoinFilter) -> Vec<SpendableCoin> {
    let mut out = Vec::new();
    let mut truc: Vec<SpendableCoin> = Vec::new();
    let mut sum = 0;
    let skip_used = filter.avoid_used && state.has_flag(flags::AVOID_REUSE);
    let mut trusted_parents = BTreeSet::new();
    // Whether a transaction passes, and whether it is safe.
    let mut checked: HashMap<Txid, Option<bool>> = HashMap::new();
    let mut solutions = Solutions::default();
    for (outpoint, coin) in &state.coins {
        let Some(wtx) = state.txs.get(&outpoint.txid) else { continue };
        let depth = state.depth(wtx);
        let passed = *checked.entry(outpoint.txid).or_insert_with(|| {
            if state.is_immature(wtx) && !filter.include_immature
                || depth < 0
                || depth == 0 && !wtx.in_mempool()
            {
                return None;
            }
            // Replacements and what they replace must not be built upon.
            let replacing =
                wtx.values.contains_key("replaces_txid") || wtx.values.contains_key("replaced_by_txid");
            let safe = state.is_trusted(wtx, &mut trusted_parents) && !(depth == 0 && replacing);
            if depth == 0
                && let Some(version) = filter.version
            {
                let truc = wtx.tx.version == TRUC_VERSION;
                if truc != (version == TRUC_VERSION) || truc && wtx.truc_child.is_some() {
                    return None;
                }
                // A third generation would not be relayed.
                if truc
                    && wtx.tx.inputs.iter().any(|i| {
                        state.txs.get(&i.prevout.txid).is_some_and(|parent| state.depth(parent) == 0)
                    })
                {
                    return None;
                }
            }
            let fits =
                (filter.include_unsafe || safe) && (filter.min_depth..=filter.max_depth).contains(&depth);
            fits.then_some(safe)
        });
        let Some(safe) = passed else { continue };
        if !(filter.min_amount..=filter.max_amount).contains(&coin.value.0)
            || filter.exclude.contains(outpoint)
            || filter.skip_locked && state.locked_coins.contains_key(outpoint)
            || state.is_spent(outpoint)
            || skip_used && state.is_spent_key(&coin.script_pubkey)
        {
            continue;
        }
        let (input_bytes, kind) = solutions.of(coin, state);
        let Some(kind) = kind else { continue };
        let found = SpendableCoin {
            outpoint: *outpoint,
            out: coin.clone(),
            kind,
            depth,
            input_bytes,
            safe,
            from_me: state.is_from_me(&wtx.tx),
        };
        if wtx.tx.version == TRUC_VERSION && depth == 0 && filter.version.is_some() {
            truc.push(found);
        } else {
            sum += coin.value.0;
            out.push(found);
        }
        if filter.min_sum.is_some_and(|min| sum >= min)
            || filter.max_count > 0 && out.len() >= filter.max_count
        {
            return out;
        }
    }
    // Coins of only one unconfirmed version 3 transaction can be spent together: the one worth most.
    let mut worth: BTreeMap<Txid, i64> = BTreeMap::new();
    for coin in &truc {
        *worth.entry(coin.outpoint.txid).or_default() += coin.out.value.0;
    }
    if let Some((best, _)) = worth.into_iter().max_by_key(|(_, value)| *value) {
        out.extend(truc.into_iter().filter(|coin| coin.outpoint.txid == best));
    }
    out
}
