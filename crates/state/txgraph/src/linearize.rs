//! Finding the best order of a cluster: the spanning-forest algorithm.
//!
//! Some dependencies are *active*; transactions connected by active ones form chunks, and the active ones form a tree
//! in each chunk. Two steps are repeated. *Split*: an active dependency whose upper part (towards the parent) has the
//! higher rate is made inactive. *Merge*: a chunk that depends on one with a lower rate (so that the order of rates
//! contradicts the dependency) is joined with it by an active dependency. When no step is possible, the chunks in
//! order of their rates are the best linearization. Reference: `SpanningForestState` in `src/cluster_linearize.h`.

use std::cmp::Ordering;

use crate::{DepGraph, FeeSize, Set, TieBreak};

/// Steps after which the search ends with what it has; clusters met in practice need a few dozen.
const MAX_STEPS: usize = 20_000;

struct Forest<'a> {
    graph: &'a DepGraph,
    /// Reduced parents of each transaction.
    parents: Vec<Set>,
    /// Reduced children of each transaction.
    children: Vec<Set>,
    /// For each child, the parents with which the dependency is active.
    active_parents: Vec<Set>,
    /// For each parent, the children with which the dependency is active.
    active_children: Vec<Set>,
    /// Chunk of each transaction.
    chunk: Vec<Set>,
}

impl Forest<'_> {
    fn new(graph: &DepGraph) -> Forest<'_> {
        let n = graph.len();
        Forest {
            graph,
            parents: (0..n).map(|i| graph.reduced_parents(i)).collect(),
            children: (0..n).map(|i| graph.reduced_children(i)).collect(),
            active_parents: vec![Set::EMPTY; n],
            active_children: vec![Set::EMPTY; n],
            chunk: (0..n).map(Set::one).collect(),
        }
    }

    /// What active dependencies connect with `start`.
    fn component(&self, start: usize) -> Set {
        let (mut found, mut open) = (Set::one(start), Set::one(start));
        while !open.is_empty() {
            let mut next = Set::EMPTY;
            for i in open.iter() {
                next = next.or(self.active_parents[i]).or(self.active_children[i]);
            }
            open = next.minus(found);
            found = found.or(next);
        }
        found
    }

    fn set_chunk(&mut self, members: Set) {
        members.iter().for_each(|i| self.chunk[i] = members);
    }

    fn activate(&mut self, parent: usize, child: usize) {
        self.active_parents[child] = self.active_parents[child].or(Set::one(parent));
        self.active_children[parent] = self.active_children[parent].or(Set::one(child));
        let joined = self.chunk[parent].or(self.chunk[child]);
        self.set_chunk(joined);
    }

    fn deactivate(&mut self, parent: usize, child: usize) {
        self.active_parents[child] = self.active_parents[child].minus(Set::one(parent));
        self.active_children[parent] = self.active_children[parent].minus(Set::one(child));
        let (top, bottom) = (self.component(parent), self.component(child));
        self.set_chunk(top);
        self.set_chunk(bottom);
    }

    /// The worst chunk above (`up`) whose rate is lower than this chunk's, or the best below whose rate is higher,
    /// with a dependency that leads there.
    fn conflict(&self, chunk: Set, up: bool) -> Option<(usize, usize)> {
        let own = self.graph.total(chunk);
        let mut found: Option<(FeeSize, usize, usize)> = None;
        for i in chunk.iter() {
            let neighbours = if up { self.parents[i] } else { self.children[i] }.minus(chunk);
            for j in neighbours.iter() {
                let rate = self.graph.total(self.chunk[j]);
                let bound = found.as_ref().map_or(own, |f| f.0);
                let wanted = if up { Ordering::Less } else { Ordering::Greater };
                if rate.compare_rate(&bound) == wanted {
                    found = Some(if up { (rate, j, i) } else { (rate, i, j) });
                }
            }
        }
        found.map(|(_, parent, child)| (parent, child))
    }

    /// Merges until no dependency of the chunk with `i` contradicts the rates. False when nothing had to be done.
    fn settle(&mut self, i: usize) -> bool {
        let mut changed = false;
        loop {
            let chunk = self.chunk[i];
            let Some((parent, child)) = self.conflict(chunk, true).or_else(|| self.conflict(chunk, false))
            else {
                return changed;
            };
            self.activate(parent, child);
            changed = true;
        }
    }

    /// An active dependency of a chunk whose upper part has the higher rate.
    fn improvement(&self, chunk: Set) -> Option<(usize, usize)> {
        for child in chunk.iter() {
            for parent in self.active_parents[child].iter() {
                let top = self.upper_part(parent, child);
                let bottom = chunk.minus(top);
                if self.graph.total(top).better_than(&self.graph.total(bottom)) {
                    return Some((parent, child));
                }
            }
        }
        None
    }

    /// The part of the chunk that stays with `parent` without its dependency with `child`.
    fn upper_part(&self, parent: usize, child: usize) -> Set {
        let (mut found, mut open) = (Set::one(parent), Set::one(parent));
        while !open.is_empty() {
            let mut next = Set::EMPTY;
            for i in open.iter() {
                let mut reach = self.active_parents[i].or(self.active_children[i]);
                if i == parent {
                    reach = reach.minus(Set::one(child));
                }
                next = next.or(reach);
            }
            open = next.minus(found);
            found = found.or(next);
        }
        found
    }

    fn run(&mut self) {
        for i in 0..self.graph.len() {
            self.settle(i);
        }
        for _ in 0..MAX_STEPS {
            let mut progress = false;
            for i in 0..self.graph.len() {
                let chunk = self.chunk[i];
                if chunk.iter().next() != Some(i) {
                    continue;
                }
                if let Some((parent, child)) = self.improvement(chunk) {
                    self.deactivate(parent, child);
                    self.settle(parent);
                    self.settle(child);
                    progress = true;
                }
            }
            if !progress {
                break;
            }
        }
        // The limit of steps may have left a contradiction; an order must never violate a dependency.
        while (0..self.graph.len()).any(|i| self.settle(i)) {}
    }

    /// Chunks as they may follow each other, best first, and within each its transactions.
    fn order(&self, ties: &[TieBreak]) -> Vec<usize> {
        let graph = self.graph;
        let mut chunks: Vec<Set> = Vec::new();
        for i in graph.all().iter() {
            if self.chunk[i].iter().next() == Some(i) {
                chunks.push(self.chunk[i]);
            }
        }
        let mut order = Vec::with_capacity(graph.len());
        let mut done = Set::EMPTY;
        while !chunks.is_empty() {
            let waits = |c: &Set| {
                c.iter().fold(Set::EMPTY, |all, i| all.or(graph.ancestors(i))).minus(*c).minus(done)
            };
            let rank = |c: &Set| {
                let last = c.iter().max_by(|a, b| compare_ties(ties, *a, *b)).unwrap_or(0);
                (graph.total(*c), last)
            };
            let better = |a: &Set, b: &Set| {
                let ((x, i), (y, j)) = (rank(a), rank(b));
                y.compare_rate(&x).then(x.size.cmp(&y.size)).then(compare_ties(ties, i, j))
            };
            let ready = (0..chunks.len()).filter(|n| waits(&chunks[*n]).is_empty());
            let best = ready.min_by(|a, b| better(&chunks[*a], &chunks[*b]));
            let Some(position) = best else {
                // Chunks of equal rate that wait for each other: they count as one.
                let mut merged =
                    *chunks.iter().min_by(|a, b| better(a, b)).expect("the loop ends without chunks");
                loop {
                    let missing = waits(&merged);
                    if missing.is_empty() {
                        break;
                    }
                    merged = chunks.iter().filter(|c| c.meets(missing)).fold(merged, |all, c| all.or(*c));
                }
                chunks.retain(|c| !c.meets(merged));
                chunks.push(merged);
                continue;
            };
            let chunk = chunks.swap_remove(position);
            order_chunk(graph, chunk, ties, &mut order);
            done = done.or(chunk);
        }
        order
    }
}

/// Appends a chunk: parents first, then the higher rate, the smaller size, the lower tie-breaker.
fn order_chunk(graph: &DepGraph, chunk: Set, ties: &[TieBreak], order: &mut Vec<usize>) {
    let mut rest = chunk;
    while !rest.is_empty() {
        let ready = rest.iter().filter(|i| graph.ancestors(*i).and(rest) == Set::one(*i));
        let best = ready.min_by(|a, b| {
            let (x, y) = (graph.fee_size(*a), graph.fee_size(*b));
            y.compare_rate(&x).then(x.size.cmp(&y.size)).then(compare_ties(ties, *a, *b))
        });
        let Some(next) = best else { return };
        order.push(next);
        rest = rest.minus(Set::one(next));
    }
}

/// Order of two positions where nothing else tells them apart.
pub(crate) fn compare_ties(ties: &[TieBreak], a: usize, b: usize) -> Ordering {
    ties.get(a).cmp(&ties.get(b)).then(a.cmp(&b))
}

/// The best order of a cluster: each transaction after those it depends on, chunks in falling order of rate. `ties`
/// holds the tie-breaker of each position, or nothing.
pub fn linearize(graph: &DepGraph, ties: &[TieBreak]) -> Vec<usize> {
    let mut forest = Forest::new(graph);
    forest.run();
    forest.order(ties)
}

/// Cuts an order into chunks: each the prefix of the rest with the highest rate. The position behind each chunk and
/// its fee and size.
pub fn chunk_linearization(graph: &DepGraph, order: &[usize]) -> Vec<(usize, FeeSize)> {
    let mut chunks: Vec<(usize, FeeSize)> = Vec::new();
    for (position, i) in order.iter().enumerate() {
        let mut chunk = graph.fee_size(*i);
        while let Some((_, last)) = chunks.last() {
            if !chunk.better_than(last) {
                break;
            }
            chunk += *last;
            chunks.pop();
        }
        chunks.push((position + 1, chunk));
    }
    chunks
}
