//! The pool against a model that knows only who spends whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grs_hashes::Txid;
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut, TxRef};
use grs_txgraph::TxId;
use proptest::prelude::*;

use crate::{Entry, MempoolOptions, Pool};

const OUTPUTS: u32 = 3;
const LIMIT: usize = 8;

fn entry(tx: TxRef, fee: i64, time: i64) -> Entry {
    let weight = tx.weight() as i64;
    Entry {
        fee: Amount(fee),
        fee_delta: 0,
        time,
        height: 1,
        sequence: 1,
        sigop_cost: 0,
        spends_coinbase: false,
        weight,
        vsize: (weight + 3) / 4,
        id: TxId(u64::MAX),
        tx,
    }
}

#[derive(Default)]
struct Model {
    /// Parents that are here, fee, time.
    txs: BTreeMap<Txid, (BTreeSet<Txid>, i64, i64)>,
    deltas: BTreeMap<Txid, i64>,
}

impl Model {
    fn closure(&self, start: Txid, next: impl Fn(&Txid) -> Vec<Txid>) -> BTreeSet<Txid> {
        let (mut all, mut open) = (BTreeSet::from([start]), vec![start]);
        while let Some(txid) = open.pop() {
            open.extend(next(&txid).into_iter().filter(|t| all.insert(*t)));
        }
        all
    }
    fn parents(&self, txid: &Txid) -> Vec<Txid> {
        self.txs[txid].0.iter().filter(|p| self.txs.contains_key(p)).copied().collect()
    }
    fn children(&self, txid: &Txid) -> Vec<Txid> {
        self.txs.iter().filter(|(_, (parents, ..))| parents.contains(txid)).map(|(t, _)| *t).collect()
    }
    fn ancestors(&self, txid: Txid) -> BTreeSet<Txid> {
        self.closure(txid, |t| self.parents(t))
    }
    fn descendants(&self, txid: Txid) -> BTreeSet<Txid> {
        self.closure(txid, |t| self.children(t))
    }
    fn cluster(&self, txid: Txid) -> BTreeSet<Txid> {
        self.closure(txid, |t| [self.parents(t), self.children(t)].concat())
    }
    fn fee(&self, txid: &Txid) -> i64 {
        self.txs[txid].1 + self.deltas.get(txid).unwrap_or(&0)
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Spends outputs of up to three earlier transactions (or of the chain).
    Add {
        parents: Vec<u8>,
        fee: i64,
        time: i64,
    },
    /// With its descendants.
    Remove(u8),
    /// The best of the mining order.
    Mine(u8),
    Prioritise(u8, i64),
    Expire(i64),
    /// Confirmed in a block that is disconnected at once: leaves alone, comes back, its children are linked again.
    Reorg(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (prop::collection::vec(any::<u8>(), 1..4), 0..5000_i64, 0..100_i64)
            .prop_map(|(parents, fee, time)| Step::Add { parents, fee, time }),
        1 => any::<u8>().prop_map(Step::Remove),
        1 => (0..4_u8).prop_map(Step::Mine),
        1 => (any::<u8>(), -2000..2000_i64).prop_map(|(i, d)| Step::Prioritise(i, d)),
        1 => (0..20_i64).prop_map(Step::Expire),
        1 => any::<u8>().prop_map(Step::Reorg),
    ];
    prop::collection::vec(step, 1..60)
}

struct Run {
    pool: Pool,
    model: Model,
    made: Vec<TxRef>,
    /// Outputs that nothing spends, by transaction; the chain's under the zero id.
    next_output: BTreeMap<Txid, u32>,
}

impl Run {
    fn forget(&mut self, txids: &BTreeSet<Txid>) {
        self.model.txs.retain(|t, _| !txids.contains(t));
    }

    fn add(&mut self, parents: &[u8], fee: i64, time: i64) {
        let mut inputs = BTreeSet::new();
        for p in parents {
            let here: Vec<Txid> = self.model.txs.keys().copied().collect();
            let choice = usize::from(*p) % (here.len() + 2);
            let parent = here.get(choice).copied().unwrap_or(Txid::ZERO);
            let next = self.next_output.entry(parent).or_default();
            if parent == Txid::ZERO || *next < OUTPUTS {
                inputs.insert(OutPoint::new(parent, *next));
                *next += 1;
            }
        }
        let Some(_) = inputs.first() else { return };
        let tx = Arc::new(Transaction::from(MutableTransaction {
            version: 2,
            inputs: inputs.iter().map(|o| TxIn::new(*o, 0)).collect(),
            outputs: (0..OUTPUTS)
                .map(|n| TxOut::new(Amount(i64::from(n)), Script::from(vec![0x51])))
                .collect(),
            lock_time: self.made.len() as u32,
        }));
        let direct: BTreeSet<Txid> =
            inputs.iter().map(|o| o.txid).filter(|t| self.model.txs.contains_key(t)).collect();
        let cluster: BTreeSet<Txid> = direct.iter().flat_map(|t| self.model.cluster(*t)).collect();
        let fits = cluster.len() < LIMIT;
        assert_eq!(self.pool.check_policy_limits(&tx), fits);
        assert_eq!(self.pool.insert(entry(tx.clone(), fee, time)), fits);
        if fits {
            self.model.txs.insert(tx.txid(), (direct, fee, time));
        }
        self.made.push(tx);
    }

    fn step(&mut self, step: Step) {
        let here: Vec<Txid> = self.model.txs.keys().copied().collect();
        let pick = |i: u8| here.get(usize::from(i) % here.len().max(1)).copied();
        match step {
            Step::Add { parents, fee, time } => self.add(&parents, fee, time),
            Step::Remove(i) => {
                let Some(txid) = pick(i) else { return };
                let gone = self.model.descendants(txid);
                let tx = self.pool.entry(&txid).map(|e| e.tx.clone()).unwrap();
                let all = self.pool.with_descendants(&tx);
                assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), gone);
                assert_eq!(self.pool.take(&all).len(), gone.len());
                self.forget(&gone);
            }
            Step::Mine(count) => {
                let order = self.pool.in_mining_order();
                let txids: Vec<Txid> = order.iter().take(count.into()).map(|e| e.tx.txid()).collect();
                for txid in txids {
                    assert_eq!(self.model.parents(&txid), []);
                    self.pool.take(&[txid]);
                    self.pool.clear_prioritisation(&txid);
                    self.model.deltas.remove(&txid);
                    self.forget(&BTreeSet::from([txid]));
                }
            }
            Step::Prioritise(i, delta) => {
                let txid = if i < 20 { Txid::from_bytes([i; 32]) } else { pick(i).unwrap_or(Txid::ZERO) };
                self.pool.prioritise(txid, delta);
                let sum = self.model.deltas.entry(txid).or_default();
                *sum += delta;
                if *sum == 0 {
                    self.model.deltas.remove(&txid);
                }
            }
            Step::Expire(time) => {
                let old = self.model.txs.iter().filter(|(_, (.., t))| *t < time).map(|(t, _)| *t);
                let gone: BTreeSet<Txid> = old.flat_map(|t| self.model.descendants(t)).collect();
                let expired = self.pool.expired(time);
                assert_eq!(expired.iter().copied().collect::<BTreeSet<_>>(), gone);
                self.pool.take(&expired);
                self.forget(&gone);
            }
            Step::Reorg(i) => {
                let Some(txid) = pick(i).filter(|t| self.model.parents(t).is_empty()) else { return };
                let back = self.pool.take(&[txid]).remove(0);
                assert!(self.pool.insert(Entry { sequence: 0, ..back }));
                assert!(self.pool.link_children(&[txid]).is_empty());
            }
        }
    }

    fn compare(&self) {
        let (pool, model) = (&self.pool, &self.model);
        pool.check_consistency().unwrap();
        assert_eq!(pool.len(), model.txs.len());
        assert_eq!(pool.deltas().iter().map(|(t, d)| (*t, *d)).collect::<BTreeMap<_, _>>(), model.deltas);
        assert_eq!(pool.stats().fee.0, model.txs.values().map(|t| t.1).sum::<i64>());
        let shared = pool.shared_usage().load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(shared, pool.usage());
        let names = |list: Vec<&Entry>| list.iter().map(|e| e.tx.txid()).collect::<BTreeSet<_>>();
        for txid in model.txs.keys() {
            let (ancestors, descendants) = (model.ancestors(*txid), model.descendants(*txid));
            let stats = pool.ancestor_stats(txid);
            assert_eq!(stats.fees.0, ancestors.iter().map(|t| model.fee(t)).sum::<i64>());
            assert_eq!(pool.descendant_stats(txid).count, descendants.len());
            assert_eq!(names(pool.ancestors(txid)), ancestors);
            assert_eq!(names(pool.descendants(txid)), descendants);
            assert_eq!(names(pool.cluster(txid)), model.cluster(*txid));
            let tx = &pool.entry(txid).unwrap().tx;
            assert_eq!(pool.parents(tx).iter().map(|e| e.tx.txid()).collect::<Vec<_>>(), model.parents(txid));
            assert_eq!(
                pool.children(tx).iter().map(|e| e.tx.txid()).collect::<Vec<_>>(),
                model.children(txid)
            );
        }
        let mut done = BTreeSet::new();
        for entry in pool.in_mining_order() {
            assert!(model.parents(&entry.tx.txid()).iter().all(|p| done.contains(p)));
            done.insert(entry.tx.txid());
        }
        assert_eq!(done.len(), pool.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pool_agrees_with_a_model(steps in steps()) {
        let options = MempoolOptions { cluster_count: LIMIT, ..MempoolOptions::default() };
        let mut run = Run {
            pool: Pool::new(Arc::new(options)),
            model: Model::default(),
            made: Vec::new(),
            next_output: BTreeMap::new(),
        };
        for step in steps {
            run.step(step);
            run.compare();
        }
    }
}

#[test]
fn the_minimum_rate_decays() {
    let options = MempoolOptions { max_size_bytes: 3000, ..MempoolOptions::default() };
    let mut pool = Pool::new(Arc::new(options));
    for n in 0..6_u32 {
        let tx = Arc::new(Transaction::from(MutableTransaction {
            version: 2,
            inputs: vec![TxIn::new(OutPoint::new(Txid::ZERO, n), 0)],
            outputs: vec![TxOut::new(Amount(1), Script::from(vec![0x51]))],
            lock_time: 0,
        }));
        assert!(pool.insert(entry(tx, 1000 * i64::from(n + 1), 0)));
    }
    let removed = pool.trim();
    let rates: Vec<i64> = removed.iter().map(|e| e.fee.0).collect();
    assert!(rates.windows(2).all(|w| w[0] < w[1]) && rates[0] == 1000 && pool.usage() <= 3000);
    let worst = removed.last().unwrap();
    let bumped = worst.fee.0 * 1000 / worst.vsize + 100;
    let rate = |pool: &mut Pool| pool.min_fee_rate().fee_per_kvb().0;
    let start = grs_sync::clock::now_secs();
    let at = |secs: i64| grs_sync::clock::set_mock_time(start + secs);
    // Nothing happens until a block has come.
    at(50_000);
    assert_eq!(rate(&mut pool), bumped);
    pool.block_seen();
    at(50_010);
    assert_eq!(rate(&mut pool), bumped);
    // A full half-life while the pool is at least half full, a quarter of it when it is nearly empty.
    at(50_000 + 12 * 3600);
    assert_eq!(rate(&mut pool), (bumped as f64 / 2.0).round() as i64);
    let all: Vec<Txid> = pool.entries().map(|e| e.tx.txid()).collect();
    pool.take(&all);
    at(50_000 + 15 * 3600);
    assert_eq!(rate(&mut pool), (bumped as f64 / 4.0).round() as i64);
    // Below half of the increment it is gone; until then it is not less than the increment.
    at(50_000 + 200 * 3600);
    assert_eq!(rate(&mut pool), 0);
    grs_sync::clock::set_mock_time(0);
}
