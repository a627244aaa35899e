//! Cutting would-be clusters down to the limits. Reference: `TxGraphImpl::Trim` in `src/txgraph.cpp`.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use crate::{FeeSize, TxId};

/// A transaction of the clusters that would become one.
pub(crate) struct TrimItem {
    pub(crate) tx: TxId,
    /// Total of its present chunk.
    pub(crate) chunk: FeeSize,
    pub(crate) size: i64,
    /// The one before it in its present cluster's order.
    pub(crate) previous: Option<TxId>,
}

/// A transaction whose dependencies are all included; the greatest is taken first.
struct Ready {
    chunk: FeeSize,
    item: usize,
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.chunk
            .compare_rate(&other.chunk)
            .then(other.chunk.size.cmp(&self.chunk.size))
            .then(other.item.cmp(&self.item))
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ready {}

/// Groups of included transactions, with their number and size at the root.
struct Partitions {
    parent: Vec<usize>,
    totals: Vec<(usize, i64)>,
}

impl Partitions {
    fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }
}

/// Takes transactions from the best chunk rate down, each after its predecessor in its cluster and after its new
/// parents, as long as the clusters that form stay within the limits. What could not be taken is returned.
pub(crate) fn trim(
    items: Vec<TrimItem>,
    dependencies: &[(TxId, TxId)],
    max_count: usize,
    max_size: i64,
) -> Vec<TxId> {
    let places: HashMap<TxId, usize> = items.iter().enumerate().map(|(i, item)| (item.tx, i)).collect();
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); items.len()];
    let mut children = parents.clone();
    let chained = items.iter().filter_map(|item| item.previous.map(|p| (p, item.tx)));
    for (parent, child) in chained.chain(dependencies.iter().copied()) {
        if let (Some(parent), Some(child)) = (places.get(&parent), places.get(&child)) {
            parents[*child].push(*parent);
            children[*parent].push(*child);
        }
    }
    let mut missing: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut taken = vec![false; items.len()];
    let ready = |i: usize| Ready { chunk: items[i].chunk, item: i };
    let mut heap: BinaryHeap<Ready> = (0..items.len()).filter(|i| missing[*i] == 0).map(ready).collect();
    let mut groups = Partitions {
        parent: (0..items.len()).collect(),
        totals: items.iter().map(|item| (1, item.size)).collect(),
    };
    while let Some(Ready { item, .. }) = heap.pop() {
        let mut joined: Vec<usize> = parents[item].iter().map(|p| groups.root(*p)).collect();
        joined.sort_unstable();
        joined.dedup();
        let sum = |(count, size): (usize, i64), root: &usize| {
            (count + groups.totals[*root].0, size.saturating_add(groups.totals[*root].1))
        };
        let total = joined.iter().fold((1, items[item].size), sum);
        if total.0 > max_count || total.1 > max_size {
            continue;
        }
        joined.iter().for_each(|root| groups.parent[*root] = item);
        groups.totals[item] = total;
        taken[item] = true;
        for child in &children[item] {
            missing[*child] -= 1;
            if missing[*child] == 0 {
                heap.push(ready(*child));
            }
        }
    }
    items.iter().zip(taken).filter(|(_, taken)| !taken).map(|(item, _)| item.tx).collect()
}
