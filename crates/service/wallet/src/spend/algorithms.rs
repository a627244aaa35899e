//! Choice of coins: branch and bound, coin grinder, single random draw, knapsack. Pure functions over groups.
//! Reference: `src/wallet/coinselection.cpp`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Most steps of a search.
const TOTAL_TRIES: usize = 100_000;
/// Least change that is made on purpose, gro.
pub(crate) const CHANGE_LOWER: i64 = 50_000;
/// Most change that is aimed at, gro.
pub(crate) const CHANGE_UPPER: i64 = 1_000_000;

/// Random numbers for choices that need not be secret. Seeded from the system.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// With a random seed.
    pub(crate) fn new() -> Rng {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).expect("the system gives random bytes");
        Rng::seeded(u64::from_le_bytes(seed))
    }

    /// With a seed, for tests.
    pub(crate) fn seeded(seed: u64) -> Rng {
        Rng(seed)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 when that is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64 }
    }

    fn coin_flip(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// Puts items in random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

/// Coins that are spent together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// Numbers of the coins.
    pub(crate) coins: Vec<usize>,
    /// What counts towards the target, gro: the value, or what is left of it after its fee.
    pub(crate) amount: i64,
    /// Fee for its inputs, gro.
    pub(crate) fee: i64,
    /// The same at the long-term rate.
    pub(crate) long_term_fee: i64,
    /// Weight of its inputs.
    pub(crate) weight: i64,
}

/// No choice was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoChoice {
    /// There is not enough, or no exact match.
    None,
    /// What would do is too heavy.
    TooHeavy,
}

/// Numbers of the chosen groups.
pub(crate) type Choice = Result<Vec<usize>, NoChoice>;

fn none_or_heavy(heavy: bool) -> NoChoice {
    if heavy { NoChoice::TooHeavy } else { NoChoice::None }
}

/// Positions of groups, largest first; of equal ones that which wastes least.
fn descending(pool: &[Group]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pool.len()).collect();
    order.sort_by_key(|&i| (Reverse(pool[i].amount), pool[i].fee - pool[i].long_term_fee));
    order
}

/// Searches for a choice that needs no change: at most `cost_of_change` above the target, with the least waste. All
/// amounts of the pool must be positive.
pub(crate) fn branch_and_bound(pool: &[Group], target: i64, cost_of_change: i64, max_weight: i64) -> Choice {
    let order = descending(pool);
    let at = |i: usize| &pool[order[i]];
    let mut available: i64 = pool.iter().map(|g| g.amount).sum();
    if available < target || pool.is_empty() {
        return Err(NoChoice::None);
    }
    let high_rate = at(0).fee > at(0).long_term_fee;
    let (mut value, mut weight, mut waste) = (0, 0, 0);
    let mut chosen: Vec<usize> = Vec::new();
    let mut best: Option<(Vec<usize>, i64)> = None;
    let mut heavy = false;
    let mut next = 0;
    for _ in 0..TOTAL_TRIES {
        let best_waste = best.as_ref().map_or(i64::MAX, |(_, w)| *w);
        let mut back = false;
        if value + available < target || value > target + cost_of_change || waste > best_waste && high_rate {
            back = true;
        } else if weight > max_weight {
            heavy = true;
            back = true;
        } else if value >= target {
            let total = waste + (value - target);
            if total <= best_waste {
                best = Some((chosen.clone(), total));
            }
            back = true;
        }
        if back {
            let Some(last) = chosen.pop() else { break };
            // What was left out after the last one is available again.
            next -= 1;
            while next > last {
                available += at(next).amount;
                next -= 1;
            }
            value -= at(last).amount;
            waste -= at(last).fee - at(last).long_term_fee;
            weight -= at(last).weight;
        } else {
            let group = at(next);
            available -= group.amount;
            // One like the one just left out would give nothing new.
            let repeat = !chosen.is_empty()
                && chosen.last() != next.checked_sub(1).as_ref()
                && group.amount == at(next - 1).amount
                && group.fee == at(next - 1).fee;
            if !repeat {
                chosen.push(next);
                value += group.amount;
                waste += group.fee - group.long_term_fee;
                weight += group.weight;
            }
        }
        next += 1;
    }
    match best {
        Some((chosen, _)) => Ok(chosen.into_iter().map(|i| order[i]).collect()),
        None => Err(none_or_heavy(heavy)),
    }
}

/// Searches for the lightest choice that leaves at least `change_target`. All amounts must be positive.
pub(crate) fn coin_grinder(pool: &[Group], target: i64, change_target: i64, max_weight: i64) -> Choice {
    let mut order: Vec<usize> = (0..pool.len()).collect();
    order.sort_by_key(|&i| (Reverse(pool[i].amount), pool[i].weight));
    let at = |i: usize| &pool[order[i]];
    let mut lookahead = vec![0; pool.len()];
    let mut tail_weight = vec![i64::MAX; pool.len()];
    let (mut total, mut lightest) = (0, i64::MAX);
    for i in (0..pool.len()).rev() {
        lookahead[i] = total;
        tail_weight[i] = lightest;
        total += at(i).amount;
        lightest = lightest.min(at(i).weight);
    }
    let goal = target + change_target;
    if total < goal || pool.is_empty() {
        return Err(NoChoice::None);
    }
    let mut chosen: Vec<usize> = Vec::new();
    let mut best: Vec<usize> = Vec::new();
    let (mut best_weight, mut best_amount) = (max_weight, i64::MAX);
    let (mut amount, mut weight) = (0, 0);
    let mut heavy = false;
    let mut next = 0;
    'search: for _ in 0..TOTAL_TRIES {
        let (mut shift, mut cut) = (false, false);
        let tail = next;
        amount += at(tail).amount;
        weight += at(tail).weight;
        chosen.push(tail);
        next += 1;
        let useless = |cut: &mut bool, shift: &mut bool| match at(tail).weight <= tail_weight[tail] {
            true => *cut = true,
            false => *shift = true,
        };
        if amount + lookahead[tail] < goal {
            cut = true;
        } else if weight > best_weight {
            heavy |= weight > max_weight;
            useless(&mut cut, &mut shift);
        } else if amount >= goal {
            shift = true;
            if weight < best_weight || weight == best_weight && amount < best_amount {
                best = chosen.clone();
                best_weight = weight;
                best_amount = amount;
            }
        } else if !best.is_empty() {
            let more = (goal - amount + at(tail).amount - 1) / at(tail).amount;
            if weight.saturating_add(tail_weight[tail].saturating_mul(more)) > best_weight {
                useless(&mut cut, &mut shift);
            }
        }
        if next == pool.len() {
            cut = true;
        }
        let mut drop_last = |chosen: &mut Vec<usize>| {
            let last = chosen.pop()?;
            amount -= at(last).amount;
            weight -= at(last).weight;
            Some(last)
        };
        if cut {
            drop_last(&mut chosen);
            shift = true;
        }
        while shift {
            let Some(last) = drop_last(&mut chosen) else { break 'search };
            next = last + 1;
            shift = false;
            while at(next - 1).amount == at(next).amount {
                if next >= pool.len() - 1 {
                    shift = true;
                    break;
                }
                next += 1;
            }
        }
    }
    if best.is_empty() {
        return Err(none_or_heavy(heavy));
    }
    Ok(best.into_iter().map(|i| order[i]).collect())
}

/// Takes groups at random until there is enough for the target and some change. All amounts must be positive.
pub(crate) fn single_random_draw(
    pool: &[Group],
    target: i64,
    change_fee: i64,
    max_weight: i64,
    rng: &mut Rng,
) -> Choice {
    let goal = target + CHANGE_LOWER + change_fee;
    let mut order: Vec<usize> = (0..pool.len()).collect();
    rng.shuffle(&mut order);
    let mut heap: BinaryHeap<(Reverse<i64>, usize)> = BinaryHeap::new();
    let (mut amount, mut weight, mut heavy) = (0, 0, false);
    for i in order {
        heap.push((Reverse(pool[i].amount), i));
        amount += pool[i].amount;
        weight += pool[i].weight;
        while weight > max_weight {
            heavy = true;
            // The least valuable one goes first.
            let Some((_, least)) = heap.pop() else { break };
            amount -= pool[least].amount;
            weight -= pool[least].weight;
        }
        if amount >= goal {
            return Ok(heap.into_iter().map(|(_, i)| i).collect());
        }
    }
    Err(none_or_heavy(heavy))
}

/// Random trials for a subset just above the target: which groups, and their sum.
fn approximate_best_subset(
    pool: &[&Group],
    total: i64,
    target: i64,
    max_weight: i64,
    rng: &mut Rng,
) -> (Vec<bool>, i64) {
    let mut best = (vec![true; pool.len()], total);
    for _ in 0..1000 {
        if best.1 == target {
            break;
        }
        let mut included = vec![false; pool.len()];
        let (mut sum, mut weight, mut reached) = (0, 0, false);
        for pass in 0..2 {
            if reached {
                break;
            }
            for i in 0..pool.len() {
                // The second pass adds what the first has left out.
                if !(if pass == 0 { rng.coin_flip() } else { !included[i] }) {
                    continue;
                }
                sum += pool[i].amount;
                weight += pool[i].weight;
                included[i] = true;
                if sum >= target && weight <= max_weight {
                    reached = true;
                    if sum < best.1 {
                        best = (included.clone(), sum);
                    }
                    sum -= pool[i].amount;
                    weight -= pool[i].weight;
                    included[i] = false;
                }
            }
        }
    }
    best
}

/// The old algorithm: an exact match, the smallest larger group, or a subset of the smaller ones.
pub(crate) fn knapsack(
    pool: &[Group],
    target: i64,
    change_target: i64,
    max_weight: i64,
    rng: &mut Rng,
) -> Choice {
    let mut order: Vec<usize> = (0..pool.len()).collect();
    rng.shuffle(&mut order);
    let mut smaller: Vec<usize> = Vec::new();
    let mut lowest_larger: Option<usize> = None;
    let (mut total, mut heavy) = (0, false);
    for i in order {
        let group = &pool[i];
        if group.weight > max_weight {
            heavy = true;
        } else if group.amount == target {
            return Ok(vec![i]);
        } else if group.amount < target + change_target {
            smaller.push(i);
            total += group.amount;
        } else if lowest_larger.is_none_or(|l| group.amount < pool[l].amount) {
            lowest_larger = Some(i);
        }
    }
    let weight = |chosen: &[usize]| chosen.iter().map(|&i| pool[i].weight).sum::<i64>();
    if total == target && !smaller.is_empty() {
        if weight(&smaller) <= max_weight {
            return Ok(smaller);
        }
        heavy = true;
    }
    if total < target {
        return match lowest_larger {
            Some(i) => Ok(vec![i]),
            None => Err(none_or_heavy(heavy)),
        };
    }
    smaller.sort_by_key(|&i| (Reverse(pool[i].amount), pool[i].fee - pool[i].long_term_fee));
    let groups: Vec<&Group> = smaller.iter().map(|&i| &pool[i]).collect();
    let mut best = approximate_best_subset(&groups, total, target, max_weight, rng);
    if best.1 != target && total >= target + change_target {
        best = approximate_best_subset(&groups, total, target + change_target, max_weight, rng);
    }
    if let Some(i) = lowest_larger
        && (best.1 != target && best.1 < target + change_target || pool[i].amount <= best.1)
    {
        return Ok(vec![i]);
    }
    let chosen: Vec<usize> = smaller.iter().zip(&best.0).filter(|(_, on)| **on).map(|(i, _)| *i).collect();
    if weight(&chosen) > max_weight {
        return lowest_larger.map(|i| vec![i]).ok_or(NoChoice::TooHeavy);
    }
    if chosen.is_empty() { Err(NoChoice::None) } else { Ok(chosen) }
}

/// How much change to aim at, so that change does not look like change. Reference: `GenerateChangeTarget`.
pub(crate) fn change_target(payment: i64, change_fee: i64, rng: &mut Rng) -> i64 {
    if payment <= CHANGE_LOWER / 2 {
        return change_fee + CHANGE_LOWER;
    }
    let upper = (payment.saturating_mul(2)).min(CHANGE_UPPER);
    change_fee + rng.below((upper - CHANGE_LOWER).max(0) as u64) as i64 + CHANGE_LOWER
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Rng;
    use super::*;

    fn groups(amounts: &[i64]) -> Vec<Group> {
        let group = |(i, &amount): (usize, &i64)| Group {
            coins: vec![i],
            amount,
            fee: 100,
            long_term_fee: 50,
            weight: 272,
        };
        amounts.iter().enumerate().map(group).collect()
    }

    fn sum(pool: &[Group], choice: &[usize]) -> i64 {
        choice.iter().map(|&i| pool[i].amount).sum()
    }

    #[test]
    fn exact_matches_are_found() {
        let pool = groups(&[1_000_000, 2_000_000, 3_000_000, 4_000_000]);
        let choose = |target| branch_and_bound(&pool, target, 0, 400_000).map(|c| sum(&pool, &c));
        for target in [1_000_000, 5_000_000, 6_000_000, 10_000_000] {
            assert_eq!(choose(target), Ok(target));
        }
        assert_eq!(choose(500_000), Err(NoChoice::None));
        assert_eq!(choose(11_000_000), Err(NoChoice::None));
        // Of equal sums, the one with fewer inputs wastes less.
        assert_eq!(branch_and_bound(&pool, 4_000_000, 0, 400_000).unwrap().len(), 1);
        assert_eq!(branch_and_bound(&pool, 10_000_000, 0, 3 * 272), Err(NoChoice::TooHeavy));
    }

    #[test]
    fn the_lightest_choice_is_found() {
        let mut pool = groups(&[900_000, 500_000, 450_000]);
        pool[0].weight = 2_000;
        let choice = coin_grinder(&pool, 850_000, 50_000, 400_000).unwrap();
        assert_eq!(sum(&pool, &choice), 950_000);
        assert_eq!(coin_grinder(&pool, 1_900_000, 0, 400_000), Err(NoChoice::None));
        assert_eq!(coin_grinder(&pool, 1_800_000, 0, 2_000), Err(NoChoice::TooHeavy));
    }

    proptest! {
        #[test]
        fn every_choice_reaches_its_target(
            amounts in prop::collection::vec(1i64..5_000_000, 1..40), share in 1i64..120, seed in any::<u64>(),
        ) {
            let pool = groups(&amounts);
            let total: i64 = amounts.iter().sum();
            let target = (total / 100 * share).max(1);
            let mut rng = Rng::seeded(seed);
            let no_repeats = |c: &[usize]| {
                let set: std::collections::BTreeSet<_> = c.iter().collect();
                set.len() == c.len()
            };
            if let Ok(c) = branch_and_bound(&pool, target, 3_000, 400_000) {
                prop_assert!((target..=target + 3_000).contains(&sum(&pool, &c)) && no_repeats(&c));
            }
            match coin_grinder(&pool, target, CHANGE_LOWER, 400_000) {
                Ok(c) => prop_assert!(sum(&pool, &c) >= target + CHANGE_LOWER && no_repeats(&c)),
                Err(e) => prop_assert!(total < target + CHANGE_LOWER, "{:?}", e),
            }
            match single_random_draw(&pool, target, 300, 400_000, &mut rng) {
                Ok(c) => prop_assert!(sum(&pool, &c) >= target + CHANGE_LOWER + 300 && no_repeats(&c)),
                Err(_) => prop_assert!(total < target + CHANGE_LOWER + 300),
            }
            match knapsack(&pool, target, CHANGE_LOWER, 400_000, &mut rng) {
                Ok(c) => prop_assert!(sum(&pool, &c) >= target && no_repeats(&c)),
                Err(_) => prop_assert!(total < target),
            }
        }

        #[test]
        fn small_pools_are_searched_completely(
            amounts in prop::collection::vec(1i64..2_000, 1..9), target in 1i64..6_000,
        ) {
            let pool = groups(&amounts);
            let exact = (1u32..1 << amounts.len()).any(|mask| {
                (0..amounts.len()).filter(|i| mask >> i & 1 == 1).map(|i| amounts[i]).sum::<i64>() == target
            });
            prop_assert_eq!(branch_and_bound(&pool, target, 0, 400_000).is_ok(), exact);
        }

        #[test]
        fn change_targets_stay_in_range(payment in 0i64..10_000_000_000, fee in 0i64..1000, seed in any::<u64>()) {
            let target = change_target(payment, fee, &mut Rng::seeded(seed));
            prop_assert!((fee + CHANGE_LOWER..=fee + CHANGE_UPPER).contains(&target));
        }
    }
}
