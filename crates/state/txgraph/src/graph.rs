use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{DepGraph, FeeSize, Set, chunk_linearization, linearize};

/// Names a transaction of a [`TxGraph`]; never used twice by one graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxId(pub u64);

/// A cluster would exceed a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitExceeded {
    /// Transactions that the cluster would have.
    pub count: usize,
    /// Size that it would have.
    pub size: i64,
}

/// A parent of a transaction that is only considered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parent {
    /// One of the graph.
    Existing(TxId),
    /// Another new one, by its position in the list.
    New(usize),
}

/// A transaction that is only considered.
#[derive(Clone, Debug)]
pub struct NewTx {
    /// Fee and size.
    pub fee_size: FeeSize,
    /// What it spends from.
    pub parents: Vec<Parent>,
}

/// What a change would do to the clusters that it touches.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Chunks of the touched clusters as they are.
    pub old: Vec<FeeSize>,
    /// Chunks as they would be.
    pub new: Vec<FeeSize>,
    /// Chunk that each new transaction would be in.
    pub new_tx_chunks: Vec<FeeSize>,
}

#[derive(Clone, Debug)]
struct Cluster {
    txs: Vec<TxId>,
    deps: DepGraph,
    /// Positions in mining order.
    order: Vec<usize>,
    /// End in `order`, and total, of each chunk.
    chunks: Vec<(usize, FeeSize)>,
    size: i64,
}

impl Cluster {
    fn refresh(&mut self) {
        self.order = linearize(&self.deps);
        self.chunks = chunk_linearization(&self.deps, &self.order);
        self.size = self.deps.total(self.deps.all()).size;
    }
}

#[derive(Clone, Copy, Debug)]
struct Place {
    cluster: u64,
    position: usize,
}

/// Key of a chunk in the order of all chunks: worst first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ChunkKey {
    pub(crate) rate: FeeSize,
    pub(crate) cluster: u64,
    pub(crate) chunk: usize,
}

impl Ord for ChunkKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Among equal rates the older cluster is better, and of one cluster the earlier chunk.
        self.rate
            .compare_rate(&other.rate)
            .then(other.cluster.cmp(&self.cluster))
            .then(other.chunk.cmp(&self.chunk))
    }
}

impl PartialOrd for ChunkKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Transactions in clusters, each in its best order.
#[derive(Clone, Debug)]
pub struct TxGraph {
    max_count: usize,
    max_size: i64,
    next: u64,
    next_cluster: u64,
    places: HashMap<TxId, Place>,
    clusters: HashMap<u64, Cluster>,
    chunks: BTreeSet<ChunkKey>,
}

impl TxGraph {
    /// An empty graph whose clusters hold at most `max_count` transactions (no more than
    /// [`crate::MAX_CLUSTER_COUNT`]) of `max_size` together.
    pub fn new(max_count: usize, max_size: i64) -> TxGraph {
        TxGraph {
            max_count: max_count.min(crate::MAX_CLUSTER_COUNT),
            max_size,
            next: 0,
            next_cluster: 0,
            places: HashMap::new(),
            clusters: HashMap::new(),
            chunks: BTreeSet::new(),
        }
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True without transactions.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// True when the graph has this transaction.
    pub fn contains(&self, tx: TxId) -> bool {
        self.places.contains_key(&tx)
    }

    fn place(&self, tx: TxId) -> Option<(&Cluster, usize)> {
        let place = self.places.get(&tx)?;
        Some((self.clusters.get(&place.cluster)?, place.position))
    }

    fn clusters_of<'a>(&self, txs: impl Iterator<Item = &'a TxId>) -> Vec<u64> {
        let mut ids: Vec<u64> = txs.filter_map(|t| self.places.get(t)).map(|p| p.cluster).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Adds a transaction with its parents and children (children only when blocks were disconnected).
    /// Unknown relatives are ignored.
    pub fn add(
        &mut self,
        fee_size: FeeSize,
        parents: &[TxId],
        children: &[TxId],
    ) -> Result<TxId, LimitExceeded> {
        let touched = self.clusters_of(parents.iter().chain(children));
        let count = 1 + touched.iter().map(|c| self.clusters[c].txs.len()).sum::<usize>();
        let size = fee_size.size + touched.iter().map(|c| self.clusters[c].size).sum::<i64>();
        if count > self.max_count || size > self.max_size {
            return Err(LimitExceeded { count, size });
        }
        let id = TxId(self.next);
        self.next += 1;
        let mut joined = Cluster {
            txs: Vec::with_capacity(count),
            deps: DepGraph::default(),
            order: Vec::new(),
            chunks: Vec::new(),
            size: 0,
        };
        for cluster in touched {
            let old = self.take_cluster(cluster);
            append(&mut joined, &old, old.deps.all());
        }
        let own = joined.deps.add(fee_size);
        joined.txs.push(id);
        let position = |tx: &TxId| joined.txs.iter().position(|t| t == tx);
        let above: Vec<usize> = parents.iter().filter_map(position).collect();
        let below: Vec<usize> = children.iter().filter_map(position).collect();
        above.into_iter().for_each(|p| joined.deps.add_dependency(p, own));
        below.into_iter().for_each(|c| joined.deps.add_dependency(own, c));
        self.put_cluster(joined);
        Ok(id)
    }

    fn take_cluster(&mut self, id: u64) -> Cluster {
        let cluster = self.clusters.remove(&id).expect("places name clusters that exist");
        for (chunk, (_, rate)) in cluster.chunks.iter().enumerate() {
            self.chunks.remove(&ChunkKey { rate: *rate, cluster: id, chunk });
        }
        cluster
    }

    fn put_cluster(&mut self, mut cluster: Cluster) {
        cluster.refresh();
        let id = self.next_cluster;
        self.next_cluster += 1;
        for (chunk, (_, rate)) in cluster.chunks.iter().enumerate() {
            self.chunks.insert(ChunkKey { rate: *rate, cluster: id, chunk });
        }
        for (position, tx) in cluster.txs.iter().enumerate() {
            self.places.insert(*tx, Place { cluster: id, position });
        }
        self.clusters.insert(id, cluster);
    }

    /// Removes transactions; what is left of a cluster may fall apart. A transaction between two others that stay
    /// takes their dependency with it, as in the reference after a block: callers remove whole ancestor or
    /// descendant sets.
    pub fn remove(&mut self, txs: &[TxId]) {
        let gone: HashSet<TxId> = txs.iter().copied().collect();
        for id in self.clusters_of(txs.iter()) {
            let old = self.take_cluster(id);
            let mut rest = Set::EMPTY;
            for (position, tx) in old.txs.iter().enumerate() {
                if gone.contains(tx) {
                    self.places.remove(tx);
                } else {
                    rest = rest.or(Set::one(position));
                }
            }
            while let Some(start) = rest.iter().next() {
                let part = old.deps.connected(rest, start);
                let mut cluster = Cluster {
                    txs: Vec::new(),
                    deps: DepGraph::default(),
                    order: Vec::new(),
                    chunks: Vec::new(),
                    size: 0,
                };
                append(&mut cluster, &old, part);
                self.put_cluster(cluster);
                rest = rest.minus(part);
            }
        }
    }

    /// Changes a fee (prioritisation).
    pub fn set_fee(&mut self, tx: TxId, fee: i64) {
        let Some(place) = self.places.get(&tx).copied() else { return };
        let mut cluster = self.take_cluster(place.cluster);
        let size = cluster.deps.fee_size(place.position).size;
        cluster.deps.set_fee_size(place.position, FeeSize::new(fee, size));
        self.put_cluster(cluster);
    }

    /// Fee and size of a transaction.
    pub fn fee_size(&self, tx: TxId) -> Option<FeeSize> {
        self.place(tx).map(|(c, p)| c.deps.fee_size(p))
    }

    fn named(cluster: &Cluster, set: Set) -> Vec<TxId> {
        cluster.deps.topological(set).into_iter().map(|i| cluster.txs[i]).collect()
    }

    /// Ancestors with itself, parents before children.
    pub fn ancestors(&self, tx: TxId) -> Vec<TxId> {
        self.place(tx).map_or_else(Vec::new, |(c, p)| Self::named(c, c.deps.ancestors(p)))
    }

    /// Descendants with itself, parents before children.
    pub fn descendants(&self, tx: TxId) -> Vec<TxId> {
        self.place(tx).map_or_else(Vec::new, |(c, p)| Self::named(c, c.deps.descendants(p)))
    }

    /// The cluster of a transaction, in mining order.
    pub fn cluster(&self, tx: TxId) -> Vec<TxId> {
        self.place(tx).map_or_else(Vec::new, |(c, _)| c.order.iter().map(|i| c.txs[*i]).collect())
    }

    /// The chunks of a transaction's cluster, best first, each with its total.
    pub fn cluster_chunks(&self, tx: TxId) -> Vec<(Vec<TxId>, FeeSize)> {
        let Some((cluster, _)) = self.place(tx) else { return Vec::new() };
        let mut start = 0;
        let mut out = Vec::with_capacity(cluster.chunks.len());
        for (end, rate) in &cluster.chunks {
            out.push((cluster.order[start..*end].iter().map(|i| cluster.txs[*i]).collect(), *rate));
            start = *end;
        }
        out
    }

    /// Transactions and size of a transaction's cluster.
    pub fn cluster_count_size(&self, tx: TxId) -> (usize, i64) {
        self.place(tx).map_or((0, 0), |(c, _)| (c.txs.len(), c.size))
    }

    fn chunk_index(cluster: &Cluster, position: usize) -> usize {
        let at = cluster.order.iter().position(|i| *i == position).expect("the order holds every position");
        cluster.chunks.partition_point(|(end, _)| *end <= at)
    }

    /// Total of the chunk that a transaction is mined with.
    pub fn chunk(&self, tx: TxId) -> Option<FeeSize> {
        let (cluster, position) = self.place(tx)?;
        Some(cluster.chunks[Self::chunk_index(cluster, position)].1)
    }

    /// Compares by mining order: less means mined earlier. Unknown ones come last.
    pub fn compare_mining_order(&self, a: TxId, b: TxId) -> Ordering {
        self.mining_key(b).cmp(&self.mining_key(a)).then_with(|| {
            let at = |tx| self.place(tx).and_then(|(c, p)| c.order.iter().position(|i| *i == p));
            at(a).cmp(&at(b))
        })
    }

    fn mining_key(&self, tx: TxId) -> Option<ChunkKey> {
        let cluster_id = self.places.get(&tx)?.cluster;
        let (cluster, position) = self.place(tx)?;
        let chunk = Self::chunk_index(cluster, position);
        Some(ChunkKey { rate: cluster.chunks[chunk].1, cluster: cluster_id, chunk })
    }

    /// The chunk to evict first, last mined first removed: its transactions, parents first, and its total.
    pub fn worst_chunk(&self) -> Option<(Vec<TxId>, FeeSize)> {
        self.chunks.first().map(|key| (self.chunk_txs(key), key.rate))
    }

    pub(crate) fn chunks(&self) -> &BTreeSet<ChunkKey> {
        &self.chunks
    }

    pub(crate) fn chunk_txs(&self, key: &ChunkKey) -> Vec<TxId> {
        let cluster = &self.clusters[&key.cluster];
        let start = key.chunk.checked_sub(1).map_or(0, |c| cluster.chunks[c].0);
        cluster.order[start..cluster.chunks[key.chunk].0].iter().map(|i| cluster.txs[*i]).collect()
    }

    /// All chunks, best first.
    pub fn all_chunks(&self) -> Vec<FeeSize> {
        self.chunks.iter().rev().map(|k| k.rate).collect()
    }

    /// What would become of the touched clusters if `remove` (whole descendant sets) went and `add` came.
    /// New transactions come parents first.
    pub fn evaluate(&self, remove: &[TxId], add: &[NewTx]) -> Result<Evaluation, LimitExceeded> {
        let existing: Vec<TxId> = add
            .iter()
            .flat_map(|n| &n.parents)
            .filter_map(|p| match p {
                Parent::Existing(tx) => Some(*tx),
                Parent::New(_) => None,
            })
            .collect();
        let mut trial = TxGraph::new(self.max_count, self.max_size);
        trial.next = self.next;
        trial.next_cluster = self.next_cluster;
        for id in self.clusters_of(remove.iter().chain(&existing)) {
            let cluster = self.clusters[&id].clone();
            for (chunk, (_, rate)) in cluster.chunks.iter().enumerate() {
                trial.chunks.insert(ChunkKey { rate: *rate, cluster: id, chunk });
            }
            for (position, tx) in cluster.txs.iter().enumerate() {
                trial.places.insert(*tx, Place { cluster: id, position });
            }
            trial.clusters.insert(id, cluster);
        }
        let old = trial.all_chunks();
        trial.remove(remove);
        let mut ids: Vec<TxId> = Vec::with_capacity(add.len());
        for new in add {
            let parents: Vec<TxId> = new
                .parents
                .iter()
                .filter_map(|p| match p {
                    Parent::Existing(tx) => Some(*tx),
                    Parent::New(n) => ids.get(*n).copied(),
                })
                .collect();
            ids.push(trial.add(new.fee_size, &parents, &[])?);
        }
        let new_tx_chunks = ids.iter().filter_map(|id| trial.chunk(*id)).collect();
        Ok(Evaluation { old, new: trial.all_chunks(), new_tx_chunks })
    }
}

/// Copies `part` of `from` to the end of `to`.
fn append(to: &mut Cluster, from: &Cluster, part: Set) {
    let mut moved = HashMap::new();
    for i in from.deps.topological(part) {
        let position = to.deps.add(from.deps.fee_size(i));
        to.txs.push(from.txs[i]);
        for ancestor in from.deps.ancestors(i).and(part).minus(Set::one(i)).iter() {
            if let Some(parent) = moved.get(&ancestor) {
                to.deps.add_dependency(*parent, position);
            }
        }
        moved.insert(i, position);
    }
}
