//! From coins to a choice of inputs: grouping, filters in order of trust, the choice with least waste.
//! Reference: `spend.cpp` (`GroupOutputs`, `ChooseSelectionResult`, `AutomaticCoinSelection`).

use std::collections::{BTreeMap, BTreeSet};

use grs_policy::{FeeRate, MAX_STANDARD_TX_WEIGHT};
use grs_primitives::{OutPoint, TxOut};

use super::algorithms::{
    Choice, Group, NoChoice, Rng, branch_and_bound, coin_grinder, knapsack, single_random_draw,
};
use super::available::CoinKind;

/// Most coins of one group.
const GROUP_MAX_COINS: usize = 100;
/// Weight limit of a version 3 transaction (BIP431).
pub(crate) const TRUC_MAX_WEIGHT: i64 = 40_000;
/// Weight limit of a version 3 transaction that spends from an unconfirmed one.
pub(crate) const TRUC_CHILD_MAX_WEIGHT: i64 = 4_000;

/// A coin with its fees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InputCoin {
    pub(crate) outpoint: OutPoint,
    pub(crate) out: TxOut,
    pub(crate) kind: CoinKind,
    pub(crate) depth: i32,
    pub(crate) from_me: bool,
    /// Virtual size of the signed input.
    pub(crate) input_bytes: i64,
    /// Fee for the input and for bumping its ancestors, gro.
    pub(crate) fee: i64,
    /// The same at the long-term rate.
    pub(crate) long_term_fee: i64,
    /// What it takes to bump its unconfirmed ancestors; a part of the fee.
    pub(crate) bump_fee: i64,
    /// Ancestors in the mempool, with its own transaction.
    pub(crate) ancestors: u64,
    /// Transactions in its cluster.
    pub(crate) cluster: u64,
}

impl InputCoin {
    /// Sets what it takes to bump its ancestors. To be called once.
    pub(crate) fn add_bump_fee(&mut self, bump_fee: i64) {
        self.bump_fee = bump_fee;
        self.fee += bump_fee;
    }

    /// Value after fees.
    pub(crate) fn effective_value(&self) -> i64 {
        self.out.value.0 - self.fee
    }

    /// What counts towards the target.
    pub(crate) fn amount(&self, subtract_fee: bool) -> i64 {
        if subtract_fee { self.out.value.0 } else { self.effective_value() }
    }

    /// Weight of the signed input.
    pub(crate) fn weight(&self) -> i64 {
        self.input_bytes.max(0) * 4
    }
}

/// Terms of a choice. Amounts in gro, sizes in virtual bytes.
#[derive(Debug, Clone)]
pub(crate) struct SelectionParams {
    pub(crate) change_output_size: usize,
    pub(crate) min_change_target: i64,
    pub(crate) min_viable_change: i64,
    pub(crate) change_fee: i64,
    pub(crate) cost_of_change: i64,
    pub(crate) effective_rate: FeeRate,
    pub(crate) long_term_rate: FeeRate,
    pub(crate) tx_no_inputs_size: usize,
    pub(crate) subtract_fee: bool,
    pub(crate) avoid_partial_spends: bool,
    pub(crate) include_unsafe: bool,
    pub(crate) max_tx_weight: i64,
    pub(crate) version: u32,
    pub(crate) spend_zero_conf_change: bool,
    pub(crate) reject_long_chains: bool,
    /// The node's limits on ancestors and clusters.
    pub(crate) max_ancestors: u64,
    pub(crate) max_cluster: u64,
}

/// Which algorithm made a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Bnb,
    Knapsack,
    Srd,
    Cg,
    Manual,
}

impl Algorithm {
    /// Name in log lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Bnb => "bnb",
            Algorithm::Knapsack => "knapsack",
            Algorithm::Srd => "srd",
            Algorithm::Cg => "cg",
            Algorithm::Manual => "manual",
        }
    }
}

/// Chosen inputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selection {
    /// Numbers of coins.
    pub(crate) coins: BTreeSet<usize>,
    pub(crate) target: i64,
    pub(crate) algorithm: Algorithm,
    pub(crate) waste: i64,
    /// What bumping ancestors together costs less than one by one.
    pub(crate) bump_discount: i64,
}

impl Selection {
    /// Sum of the values.
    pub(crate) fn value(&self, coins: &[InputCoin]) -> i64 {
        self.coins.iter().map(|&i| coins[i].out.value.0).sum()
    }

    fn amount(&self, coins: &[InputCoin], params: &SelectionParams) -> i64 {
        let sum: i64 = self.coins.iter().map(|&i| coins[i].amount(params.subtract_fee)).sum();
        if params.subtract_fee { sum } else { sum + self.bump_discount }
    }

    /// Fees for ancestors.
    pub(crate) fn bump_fees(&self, coins: &[InputCoin]) -> i64 {
        self.coins.iter().map(|&i| coins[i].bump_fee).sum::<i64>() - self.bump_discount
    }

    /// Change to make; 0 for none.
    pub(crate) fn change(&self, coins: &[InputCoin], params: &SelectionParams) -> i64 {
        let fee = if params.subtract_fee { 0 } else { params.change_fee };
        let change = self.amount(coins, params) - self.target - fee;
        if change < params.min_viable_change { 0 } else { change }
    }

    /// Weight of the inputs.
    pub(crate) fn weight(&self, coins: &[InputCoin]) -> i64 {
        self.coins.iter().map(|&i| coins[i].weight()).sum()
    }

    /// Sets the waste: fees paid now rather than later, and the change or what is given away.
    pub(crate) fn set_waste(&mut self, coins: &[InputCoin], params: &SelectionParams) {
        let inputs: i64 = self.coins.iter().map(|&i| coins[i].fee - coins[i].long_term_fee).sum();
        let rest = match self.change(coins, params) {
            0 => self.amount(coins, params) - self.target,
            _ => params.cost_of_change,
        };
        self.waste = inputs - self.bump_discount + rest;
    }
}

/// Why no inputs were chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SelectError {
    /// There is not enough.
    Insufficient,
    /// A text for the user.
    Text(String),
}

impl SelectError {
    pub(crate) fn text(text: impl Into<String>) -> SelectError {
        SelectError::Text(text.into())
    }
}

/// What the node says about bumping these coins together; `None` if it cannot say.
pub(crate) type CombinedBumpFee<'a> = &'a dyn Fn(&[OutPoint]) -> Option<i64>;

struct Filter {
    conf_mine: i32,
    conf_theirs: i32,
    max_ancestors: u64,
    max_cluster: u64,
    partial_groups: bool,
    mixed_kinds: bool,
}

/// A group with what filters look at.
struct Candidate {
    group: Group,
    kind: CoinKind,
    depth: i32,
    from_me: bool,
    ancestors: u64,
    cluster: u64,
    /// It is the not full one of several groups of a script.
    partial: bool,
}

impl Candidate {
    fn passes(&self, filter: &Filter) -> bool {
        self.depth >= if self.from_me { filter.conf_mine } else { filter.conf_theirs }
            && self.ancestors <= filter.max_ancestors
            && self.cluster <= filter.max_cluster
            && (!self.partial || filter.partial_groups)
    }
}

fn candidate(members: &[usize], coins: &[InputCoin], params: &SelectionParams, partial: bool) -> Candidate {
    let of = || members.iter().map(|&i| &coins[i]);
    Candidate {
        group: Group {
            coins: members.to_vec(),
            amount: of().map(|c| c.amount(params.subtract_fee)).sum(),
            fee: of().map(|c| c.fee).sum(),
            long_term_fee: of().map(|c| c.long_term_fee).sum(),
            weight: of().map(InputCoin::weight).sum(),
        },
        kind: coins[members[0]].kind,
        depth: of().map(|c| c.depth).min().unwrap_or(0),
        from_me: of().all(|c| c.from_me),
        ancestors: of().map(|c| c.ancestors).sum(),
        cluster: of().map(|c| c.cluster).max().unwrap_or(0),
        partial,
    }
}

/// Groups of coins: one each, or all of a script together. `positive`: only of coins that are worth their fee.
fn candidates(
    pool: &[usize],
    coins: &[InputCoin],
    params: &SelectionParams,
    positive: bool,
) -> Vec<Candidate> {
    if !params.avoid_partial_spends {
        return pool.iter().map(|&i| candidate(&[i], coins, params, false)).collect();
    }
    let mut by_script: BTreeMap<(Vec<u8>, CoinKind), Vec<usize>> = BTreeMap::new();
    for &i in pool {
        if !positive || coins[i].effective_value() > 0 {
            let key = (coins[i].out.script_pubkey.as_bytes().to_vec(), coins[i].kind);
            by_script.entry(key).or_default().push(i);
        }
    }
    let mut out = Vec::new();
    for members in by_script.values() {
        let chunks: Vec<&[usize]> = members.chunks(GROUP_MAX_COINS).collect();
        for (n, chunk) in chunks.iter().enumerate().rev() {
            let partial = chunks.len() > 1 && n + 1 == chunks.len();
            out.push(candidate(chunk, coins, params, partial));
        }
    }
    out
}

/// Groups for the algorithms: those worth something, and all.
#[derive(Default)]
struct Pools {
    positive: Vec<Group>,
    mixed: Vec<Group>,
}

/// The best choice of all algorithms. Reference: `ChooseSelectionResult`.
fn choose(
    target: i64,
    pools: &Pools,
    coins: &[InputCoin],
    params: &SelectionParams,
    combined: CombinedBumpFee<'_>,
    rng: &mut Rng,
) -> Result<Selection, SelectError> {
    let mut max_weight = params.max_tx_weight - params.tx_no_inputs_size as i64 * 4;
    if max_weight <= 0 {
        return Err(SelectError::text(
            "Maximum transaction weight is less than transaction weight without inputs",
        ));
    }
    let mut found: Vec<(Algorithm, Vec<usize>, bool)> = Vec::new();
    let mut heavy = false;
    let mut take = |algorithm, choice: Choice, positive: bool| match choice {
        Ok(groups) => found.push((algorithm, groups, positive)),
        Err(e) => heavy |= e == NoChoice::TooHeavy,
    };
    if !params.subtract_fee {
        let choice = branch_and_bound(&pools.positive, target, params.cost_of_change, max_weight);
        take(Algorithm::Bnb, choice, true);
    }
    max_weight -= params.change_output_size as i64 * 4;
    let min_change = params.min_change_target;
    take(Algorithm::Knapsack, knapsack(&pools.mixed, target, min_change, max_weight, rng), false);
    let thrice = FeeRate::per_kvb(params.long_term_rate.fee_per_kvb().0.saturating_mul(3));
    if params.effective_rate > thrice {
        take(Algorithm::Cg, coin_grinder(&pools.positive, target, min_change, max_weight), true);
    }
    let draw = single_random_draw(&pools.positive, target, params.change_fee, max_weight, rng);
    take(Algorithm::Srd, draw, true);
    if max_weight < 0 && found.is_empty() {
        return Err(SelectError::text(
            "Maximum transaction weight is too low, can not accommodate change output",
        ));
    }
    let mut best: Option<Selection> = None;
    for (algorithm, groups, positive) in found {
        let pool = if positive { &pools.positive } else { &pools.mixed };
        let chosen = groups.iter().flat_map(|&g| pool[g].coins.iter().copied()).collect();
        let mut selection = Selection { coins: chosen, target, algorithm, waste: 0, bump_discount: 0 };
        let unconfirmed: Vec<OutPoint> =
            selection.coins.iter().filter(|&&i| coins[i].depth == 0).map(|&i| coins[i].outpoint).collect();
        if !unconfirmed.is_empty() {
            let Some(together) = combined(&unconfirmed) else {
                return Err(SelectError::text(
                    "Failed to calculate bump fees, because unconfirmed UTXOs depend on an enormous cluster of \
                     unconfirmed transactions.",
                ));
            };
            let single = selection.bump_fees(coins);
            selection.bump_discount = (single - together).max(0);
        }
        selection.set_waste(coins, params);
        // With equal waste, more inputs are better: coins get fewer.
        let better = best.as_ref().is_none_or(|b| {
            selection.waste < b.waste || selection.waste == b.waste && selection.coins.len() > b.coins.len()
        });
        if better {
            best = Some(selection);
        }
    }
    best.ok_or_else(|| match heavy {
        true => SelectError::text(
            "The inputs size exceeds the maximum weight. Please try sending a smaller amount or manually consolidating \
             your wallet's UTXOs",
        ),
        false => SelectError::Insufficient,
    })
}

fn filters(params: &SelectionParams) -> Vec<Filter> {
    let filter = |conf_mine, conf_theirs, max_ancestors, max_cluster, partial_groups| Filter {
        conf_mine,
        conf_theirs,
        max_ancestors,
        max_cluster,
        partial_groups,
        mixed_kinds: true,
    };
    let (ancestors, cluster) = (params.max_ancestors.max(1), params.max_cluster.max(1));
    // Confirmed coins of one kind first, long unconfirmed chains last.
    let mut out = vec![Filter { mixed_kinds: false, ..filter(1, 6, 0, 0, false) }, filter(1, 1, 0, 0, false)];
    if params.spend_zero_conf_change {
        out.push(filter(0, 1, 2, 2, false));
        out.push(filter(0, 1, (ancestors / 3).min(4), (cluster / 3).min(4), false));
        out.push(filter(0, 1, ancestors / 2, cluster / 2, false));
        out.push(filter(0, 1, ancestors - 1, cluster - 1, true));
        if params.include_unsafe {
            out.push(filter(0, 0, ancestors - 1, cluster - 1, true));
        }
        if !params.reject_long_chains {
            out.push(filter(0, 1, u64::MAX, u64::MAX, true));
        }
    }
    out
}

/// Chooses among `pool` (numbers of coins) for a target. Reference: `AutomaticCoinSelection`.
pub(crate) fn select(
    target: i64,
    pool: &[usize],
    coins: &[InputCoin],
    params: &SelectionParams,
    combined: CombinedBumpFee<'_>,
    rng: &mut Rng,
) -> Result<Selection, SelectError> {
    let mut pool = pool.to_vec();
    if params.avoid_partial_spends && pool.len() > GROUP_MAX_COINS {
        rng.shuffle(&mut pool);
    }
    let mixed = candidates(&pool, coins, params, false);
    let positive = match params.avoid_partial_spends {
        true => candidates(&pool, coins, params, true),
        false => Vec::new(),
    };
    let filters = filters(params);
    let (mut usable, mut long_chain) = (0, 0);
    for c in &mixed {
        if filters.iter().any(|f| c.passes(f)) {
            usable += c.group.coins.iter().map(|&i| coins[i].out.value.0).sum::<i64>();
        } else if c.ancestors >= params.max_ancestors || c.cluster >= params.max_cluster {
            long_chain += c.group.amount;
        }
    }
    if usable < target {
        return Err(if usable + long_chain > target {
            SelectError::text(
                "Unconfirmed UTXOs are available, but spending them creates a chain of transactions that will be rejected \
                 by the mempool",
            )
        } else {
            SelectError::Insufficient
        });
    }
    let mut first_error = None;
    let mut params = params.clone();
    for filter in &filters {
        let mut by_kind: BTreeMap<CoinKind, Pools> = BTreeMap::new();
        let mut all = Pools::default();
        for c in mixed.iter().filter(|c| c.passes(filter)) {
            by_kind.entry(c.kind).or_default().mixed.push(c.group.clone());
            all.mixed.push(c.group.clone());
        }
        let worth = if params.avoid_partial_spends { &positive } else { &mixed };
        for c in worth.iter().filter(|c| c.passes(filter) && c.group.amount > 0) {
            by_kind.entry(c.kind).or_default().positive.push(c.group.clone());
            all.positive.push(c.group.clone());
        }
        if by_kind.is_empty() {
            continue;
        }
        if params.version == grs_policy::TRUC_VERSION && (filter.conf_mine == 0 || filter.conf_theirs == 0) {
            params.max_tx_weight = params.max_tx_weight.min(TRUC_CHILD_MAX_WEIGHT);
        }
        let mut best: Option<Selection> = None;
        let mut error = None;
        for pools in by_kind.values() {
            match choose(target, pools, coins, &params, combined, rng) {
                Ok(found) if best.as_ref().is_none_or(|b| found.waste < b.waste) => best = Some(found),
                Ok(_) | Err(SelectError::Insufficient) => {}
                Err(e) => {
                    error = Some(e);
                    break;
                }
            }
        }
        if let (Some(best), None) = (best, &error) {
            return Ok(best);
        }
        if error.is_none() && filter.mixed_kinds && by_kind.len() > 1 {
            match choose(target, &all, coins, &params, combined, rng) {
                Ok(found) => return Ok(found),
                Err(e) => error = Some(e),
            }
        }
        if let Some(e @ SelectError::Text(_)) = error {
            first_error.get_or_insert(e);
        }
    }
    Err(first_error.unwrap_or(SelectError::Insufficient))
}

/// The usual weight limit.
pub(crate) const DEFAULT_MAX_TX_WEIGHT: i64 = MAX_STANDARD_TX_WEIGHT as i64;
