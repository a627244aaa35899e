//! Finding the best order of a cluster: the spanning-forest algorithm.
//!
//! Some dependencies are *active*; transactions connected by active ones form chunks, and the active ones form a tree
//! in each chunk. Two steps are repeated. *Split*: an active dependency whose upper part (towards the parent) has the
//! higher rate is made inactive. *Merge*: a chunk that depends on one with a lower rate (so that the order of rates
//! contradicts the dependency) is joined with it by an active dependency. When no step is possible, the chunks in
//! order of their rates are the best linearization. Reference: `SpanningForestState` in `src/cluster_linearize.h`.

use std::cmp::Ordering;

use crate::{DepGraph, FeeSize, Set};

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

    /// The worst chunk above (`up`) whose rate is not higher than this chunk's, or the best below whose rate is
    /// not lower, with a dependency that leads there.
    fn conflict(&self, chunk: Set, up: bool) -> Option<(usize, usize)> {
        let own = self.graph.total(chunk);
        let mut found: Option<(FeeSize, usize, usize)> = None;
        for i in chunk.iter() {
            let neighbours = if up { self.parents[i] } else { self.children[i] }.minus(chunk);
            for j in neighbours.iter() {
                let rate = self.graph.total(self.chunk[j]);
                let bound = found.as_ref().map_or(own, |f| f.0);
                let wanted = if up { Ordering::Less } else { Ordering::Greater };
                let compared = rate.compare_rate(&bound);
                if compared == wanted
                    || (found.is_none() && up && compared == Ordering::Equal && rate.fee < own.fee)
                {
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

    fn order(&self) -> Vec<usize> {
        let mut chunks: Vec<Set> = Vec::new();
        for i in 0..self.graph.len() {
            if self.chunk[i].iter().next() == Some(i) {
                chunks.push(self.chunk[i]);
            }
        }
        let mut order = Vec::with_capacity(self.graph.len());
        let mut done = Set::EMPTY;
        while !chunks.is_empty() {
            let ready = chunks
                .iter()
                .enumerate()
                .filter(|(_, c)| c.iter().all(|i| self.graph.ancestors(i).minus(**c).minus(done).is_empty()));
            let best = ready.max_by(|(_, a), (_, b)| {
                let (x, y) = (self.graph.total(**a), self.graph.total(**b));
                x.compare_rate(&y)
                    .then(y.size.cmp(&x.size))
                    .then(b.0.trailing_zeros().cmp(&a.0.trailing_zeros()))
            });
            let Some((position, _)) = best else {
                // Chunks that wait for each other cannot be ordered as wholes; fall back to single transactions.
                let rest = self.graph.all().minus(done);
                order.extend(self.graph.topological(rest));
                break;
            };
            let chunk = chunks.remove(position);
            order.extend(self.graph.topological(chunk));
            done = done.or(chunk);
        }
        order
    }
}

/// The best order of a cluster: each transaction after those it depends on, chunks in falling order of rate.
pub fn linearize(graph: &DepGraph) -> Vec<usize> {
    let mut forest = Forest::new(graph);
    forest.run();
    forest.order()
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
