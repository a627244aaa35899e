use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::trim::TrimItem;
use crate::{DepGraph, FeeSize, Set, chunk_linearization, linearize};

/// Names a transaction of a [`TxGraph`]; never used twice by one graph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxId(pub u64);

/// Decides the order of transactions (and of chunks, by their last transaction) that nothing else tells apart: the
/// mempool gives the txid.
pub type TieBreak = [u8; 32];

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

#[derive(Clone, Debug, Default)]
struct Cluster {
    txs: Vec<TxId>,
    ties: Vec<TieBreak>,
    deps: DepGraph,
    /// Positions in mining order.
    order: Vec<usize>,
    /// End in `order`, and total, of each chunk.
    chunks: Vec<(usize, FeeSize)>,
    size: i64,
}

impl Cluster {
    /// Transactions in mining order, as trimming looks at them.
    fn trim_items(&self) -> Vec<TrimItem> {
        let mut previous = None;
        let items = self.order.iter().enumerate().map(|(at, i)| {
            let chunk = self.chunks.partition_point(|(end, _)| *end <= at);
            let tx = self.txs[*i];
            TrimItem {
                tx,
                chunk: self.chunks[chunk].1,
                size: self.deps.fee_size(*i).size,
                previous: previous.replace(tx),
            }
        });
        items.collect()
    }

    /// Keys of the chunks, best first.
    fn chunk_keys(&self, cluster: u64) -> Vec<ChunkKey> {
        let (mut start, mut prefix) = (0, FeeSize::EMPTY);
        let mut keys = Vec::with_capacity(self.chunks.len());
        for (chunk, (end, rate)) in self.chunks.iter().enumerate() {
            prefix = if chunk > 0 && rate.compare_rate(&prefix) == Ordering::Equal {
                prefix + *rate
            } else {
                *rate
            };
            let last = self.order[start..*end].iter().map(|i| self.ties[*i]).max().unwrap_or_default();
            keys.push(ChunkKey { rate: *rate, prefix: prefix.size, last, cluster, chunk });
            start = *end;
        }
        keys
    }

    fn refresh(&mut self) {
        self.order = linearize(&self.deps, &self.ties);
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
    /// Size of this chunk with those before it in its cluster that have the same rate.
    prefix: i64,
    /// Greatest tie-breaker in the chunk.
    last: TieBreak,
    pub(crate) cluster: u64,
    pub(crate) chunk: usize,
}

impl Ord for ChunkKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Among equal rates the shorter run is better, then the lower tie-breaker.
        self.rate
            .compare_rate(&other.rate)
            .then(other.prefix.cmp(&self.prefix))
            .then(other.last.cmp(&self.last))
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

    /// Adds a transaction with its parents; unknown ones are ignored.
    ///
    /// # Errors
    /// When its cluster would exceed a limit; nothing changed.
    pub fn add(&mut self, fee_size: FeeSize, tie: TieBreak, parents: &[TxId]) -> Result<TxId, LimitExceeded> {
        let touched = self.clusters_of(parents.iter());
        let count = 1 + touched.iter().map(|c| self.clusters[c].txs.len()).sum::<usize>();
        let size = fee_size.size + touched.iter().map(|c| self.clusters[c].size).sum::<i64>();
        if count > self.max_count || size > self.max_size {
            return Err(LimitExceeded { count, size });
        }
        let id = TxId(self.next);
        self.next += 1;
        let mut joined = self.join(&touched);
        let own = joined.deps.add(fee_size);
        joined.txs.push(id);
        joined.ties.push(tie);
        let position = |tx: &TxId| joined.txs.iter().position(|t| t == tx);
        let above: Vec<usize> = parents.iter().filter_map(position).collect();
        above.into_iter().for_each(|p| joined.deps.add_dependency(p, own));
        self.put_cluster(joined);
        Ok(id)
    }

    /// Takes clusters out and puts them together, without their order.
    fn join(&mut self, clusters: &[u64]) -> Cluster {
        let mut joined = Cluster::default();
        for cluster in clusters {
            let old = self.take_cluster(*cluster);
            append(&mut joined, &old, old.deps.all());
        }
        joined
    }

    /// Makes transactions that are here depend on others that are here: (parent, child). After a reorganisation that
    /// can make clusters too large; what does not fit, with its descendants, is removed and returned.
    /// Reference: `TxGraphImpl::Trim`.
    pub fn link(&mut self, dependencies: &[(TxId, TxId)]) -> Vec<TxId> {
        let mut removed = Vec::new();
        for group in self.groups(dependencies) {
            let count: usize = group.iter().map(|c| self.clusters[c].txs.len()).sum();
            let size: i64 = group.iter().map(|c| self.clusters[c].size).sum();
            if count > self.max_count || size > self.max_size {
                let clusters: Vec<&Cluster> = group.iter().map(|c| &self.clusters[c]).collect();
                let items = clusters.iter().flat_map(|c| c.trim_items()).collect();
                removed.extend(crate::trim::trim(items, dependencies, self.max_count, self.max_size));
            }
        }
        self.remove(&removed);
        for group in self.groups(dependencies) {
            let mut joined = self.join(&group);
            let places: HashMap<TxId, usize> = joined.txs.iter().enumerate().map(|(i, t)| (*t, i)).collect();
            for (parent, child) in dependencies {
                if let (Some(parent), Some(child)) = (places.get(parent), places.get(child)) {
                    joined.deps.add_dependency(*parent, *child);
                }
            }
            self.put_cluster(joined);
        }
        removed
    }

    /// Clusters that dependencies put together.
    fn groups(&self, dependencies: &[(TxId, TxId)]) -> Vec<Vec<u64>> {
        let mut groups: Vec<Vec<u64>> = Vec::new();
        for (parent, child) in dependencies {
            let (Some(a), Some(b)) = (self.places.get(parent), self.places.get(child)) else { continue };
            let (mut own, rest): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|g| g.contains(&a.cluster) || g.contains(&b.cluster));
            let mut joined: Vec<u64> = own.drain(..).flatten().chain([a.cluster, b.cluster]).collect();
            joined.sort_unstable();
            joined.dedup();
            groups = rest;
            groups.push(joined);
        }
        groups
    }

    fn take_cluster(&mut self, id: u64) -> Cluster {
        let cluster = self.clusters.remove(&id).expect("places name clusters that exist");
        for key in cluster.chunk_keys(id) {
            self.chunks.remove(&key);
        }
        cluster
    }

    fn put_cluster(&mut self, mut cluster: Cluster) {
        cluster.refresh();
        let id = self.next_cluster;
        self.next_cluster += 1;
        self.chunks.extend(cluster.chunk_keys(id));
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
                let mut cluster = Cluster::default();
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
        cluster.chunk_keys(cluster_id).into_iter().nth(chunk)
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
            trial.chunks.extend(cluster.chunk_keys(id));
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
            ids.push(trial.add(new.fee_size, TieBreak::default(), &parents)?);
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
        to.ties.push(from.ties[i]);
        for ancestor in from.deps.ancestors(i).and(part).minus(Set::one(i)).iter() {
            if let Some(parent) = moved.get(&ancestor) {
                to.deps.add_dependency(*parent, position);
            }
        }
        moved.insert(i, position);
    }
}
