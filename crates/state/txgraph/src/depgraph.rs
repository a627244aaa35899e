use crate::FeeSize;

/// Most transactions that a cluster can hold: one bit each in a [`Set`].
pub const MAX_CLUSTER_COUNT: usize = 64;

/// A set of positions in a [`DepGraph`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Set(pub u64);

impl Set {
    /// Nothing.
    pub const EMPTY: Set = Set(0);

    /// One position.
    pub const fn one(i: usize) -> Set {
        Set(1 << i)
    }
    /// The first `n` positions.
    pub const fn first(n: usize) -> Set {
        if n >= 64 { Set(u64::MAX) } else { Set((1 << n) - 1) }
    }
    /// Whether `i` is in it.
    pub const fn has(self, i: usize) -> bool {
        self.0 >> i & 1 == 1
    }
    /// In either.
    pub const fn or(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }
    /// In both.
    pub const fn and(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }
    /// In this one only.
    pub const fn minus(self, other: Set) -> Set {
        Set(self.0 & !other.0)
    }
    /// True when nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// How many.
    pub const fn count(self) -> usize {
        self.0.count_ones() as usize
    }
    /// True when the two have something in common.
    pub const fn meets(self, other: Set) -> bool {
        self.0 & other.0 != 0
    }
    /// Positions, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let i = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            Some(i)
        })
    }
}

/// Up to [`MAX_CLUSTER_COUNT`] transactions by position, with the closure of their dependencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepGraph {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    fee_size: FeeSize,
    /// With itself.
    ancestors: Set,
    /// With itself.
    descendants: Set,
}

impl DepGraph {
    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without transactions.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All positions.
    pub fn all(&self) -> Set {
        Set::first(self.len())
    }

    /// Adds a transaction; its position.
    ///
    /// # Panics
    /// With more than [`MAX_CLUSTER_COUNT`]: the owner checks its limit first.
    pub fn add(&mut self, fee_size: FeeSize) -> usize {
        let position = self.len();
        assert!(position < MAX_CLUSTER_COUNT, "the graph checks the cluster limit before it grows a cluster");
        let own = Set::one(position);
        self.entries.push(Entry { fee_size, ancestors: own, descendants: own });
        position
    }

    /// Makes `child` depend on `parent`, and on all that `parent` depends on.
    pub fn add_dependency(&mut self, parent: usize, child: usize) {
        if self.ancestors(child).has(parent) {
            return;
        }
        let (above, below) = (self.ancestors(parent), self.descendants(child));
        for i in above.iter() {
            self.entries[i].descendants = self.entries[i].descendants.or(below);
        }
        for i in below.iter() {
            self.entries[i].ancestors = self.entries[i].ancestors.or(above);
        }
    }

    /// Fee and size of one.
    pub fn fee_size(&self, i: usize) -> FeeSize {
        self.entries[i].fee_size
    }

    /// Changes fee and size of one.
    pub fn set_fee_size(&mut self, i: usize, fee_size: FeeSize) {
        self.entries[i].fee_size = fee_size;
    }

    /// Ancestors with itself.
    pub fn ancestors(&self, i: usize) -> Set {
        self.entries[i].ancestors
    }

    /// Descendants with itself.
    pub fn descendants(&self, i: usize) -> Set {
        self.entries[i].descendants
    }

    /// Ancestors that no other ancestor depends on.
    pub fn reduced_parents(&self, i: usize) -> Set {
        let mut parents = self.ancestors(i).minus(Set::one(i));
        for parent in parents.iter() {
            if parents.has(parent) {
                parents = parents.minus(self.ancestors(parent)).or(Set::one(parent));
            }
        }
        parents
    }

    /// Descendants that depend on no other descendant.
    pub fn reduced_children(&self, i: usize) -> Set {
        let mut children = self.descendants(i).minus(Set::one(i));
        for child in children.iter() {
            if children.has(child) {
                children = children.minus(self.descendants(child)).or(Set::one(child));
            }
        }
        children
    }

    /// Sum over a set.
    pub fn total(&self, set: Set) -> FeeSize {
        set.iter().map(|i| self.fee_size(i)).sum()
    }

    /// The part of `within` that is connected with `start`.
    pub fn connected(&self, within: Set, start: usize) -> Set {
        let mut found = Set::one(start);
        loop {
            let mut next = found;
            for i in found.iter() {
                next = next.or(self.ancestors(i)).or(self.descendants(i));
            }
            next = next.and(within);
            if next == found {
                return found;
            }
            found = next;
        }
    }

    /// A set in an order in which everything comes after what it depends on.
    pub fn topological(&self, set: Set) -> Vec<usize> {
        let mut order: Vec<usize> = set.iter().collect();
        order.sort_by_key(|i| (self.ancestors(*i).count(), *i));
        order
    }
}
