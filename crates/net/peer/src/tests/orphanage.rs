//! The orphanage against a slow and simple model of it, and its bounds.

use grs_primitives::{MutableTransaction, TxIn, TxOut};

use super::*;

/// A transaction that spends `inputs` outputs; `n` makes it unique.
fn spender(n: u32, inputs: &[OutPoint]) -> TxRef {
    let input = |prevout: &OutPoint| TxIn { prevout: *prevout, ..TxIn::default() };
    let tx = MutableTransaction {
        version: 2,
        inputs: inputs.iter().map(input).collect(),
        outputs: vec![TxOut::default()],
        lock_time: n,
    };
    TxRef::new(tx.into())
}

fn outpoint(parent: u8, vout: u32) -> OutPoint {
    OutPoint { txid: Txid::from_bytes([parent; 32]), vout }
}

/// Recomputes every sum and index.
fn check(o: &Orphanage) {
    let mut usage: BTreeMap<PeerId, Usage> = BTreeMap::new();
    let (mut announcements, mut weight, mut input_score) = (0, 0, 0);
    let mut outpoints = BTreeSet::new();
    let mut reconsiderable = BTreeSet::new();
    for (wtxid, orphan) in &o.orphans {
        assert!(!orphan.announcers.is_empty());
        weight += orphan.weight;
        input_score += orphan.input_score();
        for input in &orphan.tx.inputs {
            outpoints.insert(input.prevout);
            assert!(o.spenders[&input.prevout].contains(wtxid));
        }
        for (id, announcement) in &orphan.announcers {
            announcements += 1;
            let one = usage.entry(*id).or_default();
            one.weight += orphan.weight;
            one.announcements += 1;
            one.latency_score += 1 + orphan.input_score();
            assert_eq!(o.by_peer[id][&(announcement.reconsider, announcement.sequence)], *wtxid);
            // At most one announcement of a transaction is to be tried again.
            assert!(!announcement.reconsider || reconsiderable.insert(*wtxid));
        }
    }
    assert_eq!(usage, o.usage);
    assert_eq!(o.by_peer.values().map(BTreeMap::len).sum::<usize>() as u64, announcements);
    assert_eq!((announcements, weight, input_score), (o.announcements, o.weight, o.input_score));
    assert_eq!(outpoints.len(), o.spenders.len());
    assert_eq!(reconsiderable, o.reconsiderable);
    assert!(!o.needs_trim());
}

#[test]
fn sums_and_indexes_agree_after_random_operations() {
    let mut rng = Rng::seeded(7);
    let limits = OrphanageLimits { latency_score: 60, weight_per_peer: 6_000 };
    let mut o = Orphanage::with_limits(limits);
    let mut made: Vec<TxRef> = Vec::new();
    let mut trimmed = false;
    for n in 0..6_000_u32 {
        let id = rng.below(6) as PeerId;
        match rng.below(12) {
            0..=5 => {
                let count = 1 + rng.below(24);
                let inputs: Vec<OutPoint> = (0..count)
                    .map(|i| outpoint(rng.below(20) as u8, (i as u32) * 4 + rng.below(3) as u32))
                    .collect();
                let tx = spender(n, &inputs);
                let was = o.orphans.len();
                let new = o.add(&tx, id);
                assert!(new);
                trimmed |= o.orphans.len() <= was;
                made.push(tx);
            }
            6 | 7 => {
                if let Some(tx) = made.get(rng.below(made.len() as u64) as usize) {
                    let known = o.contains(&tx.wtxid()) && !o.has_from_peer(&tx.wtxid(), id);
                    assert_eq!(o.add_announcer(&tx.wtxid(), id), known);
                }
            }
            8 => {
                // Any transaction of ours serves as a parent: its id is among the spent ones only by chance.
                if let Some(tx) = made.last().cloned() {
                    let child = spender(n, &[OutPoint { txid: tx.txid(), vout: 0 }]);
                    o.add(&child, id);
                    o.add_children_to_work(&tx, &mut rng);
                }
            }
            9 => {
                let before = o.has_work(id);
                let next = o.next_to_reconsider(id);
                assert_eq!(before, next.is_some());
                if let Some(tx) = next
                    && rng.below(2) == 0
                {
                    assert!(o.erase(&tx.wtxid()));
                }
            }
            10 => o.erase_for_peer(id),
            _ => {
                if let Some(tx) = made.get(rng.below(made.len() as u64) as usize) {
                    let had = o.contains(&tx.wtxid());
                    assert_eq!(o.erase(&tx.wtxid()), had);
                }
            }
        }
        check(&o);
    }
    assert!(trimmed, "the bounds were never reached");
    (0..6).for_each(|id| o.erase_for_peer(id));
    assert!(o.is_empty() && o.usage.is_empty() && o.spenders.is_empty() && o.by_peer.is_empty());
}

#[test]
fn a_greedy_peer_loses_only_its_own() {
    let mut o = Orphanage::with_limits(OrphanageLimits { latency_score: 20, weight_per_peer: 400_000 });
    let modest: Vec<TxRef> = (0..5).map(|n| spender(n, &[outpoint(1, n)])).collect();
    modest.iter().for_each(|tx| assert!(o.add(tx, 1)));
    let greedy: Vec<TxRef> = (100..130).map(|n| spender(n, &[outpoint(2, n)])).collect();
    greedy.iter().for_each(|tx| assert!(o.add(tx, 2)));
    check(&o);
    assert!(modest.iter().all(|tx| o.has_from_peer(&tx.wtxid(), 1)));
    // The oldest went first.
    let left: Vec<bool> = greedy.iter().map(|tx| o.contains(&tx.wtxid())).collect();
    assert_eq!(left.iter().filter(|left| **left).count(), 15);
    assert!(left[15..].iter().all(|left| *left));
}

#[test]
fn one_of_the_announcers_tries_again_and_children_come_newest_first() {
    let mut o = Orphanage::default();
    let parent = spender(0, &[outpoint(1, 0)]);
    let spent = OutPoint { txid: parent.txid(), vout: 0 };
    let (old, new) = (spender(1, &[spent]), spender(2, &[spent]));
    assert!(o.add(&old, 1) && o.add(&new, 1) && !o.add(&old, 2));
    assert!(!o.add_announcer(&old.wtxid(), 2));
    let children: Vec<_> = o.children_from_peer(&parent.txid(), 1).map(|tx| tx.wtxid()).collect();
    assert_eq!(children, [new.wtxid(), old.wtxid()]);
    o.add_children_to_work(&parent, &mut Rng::seeded(1));
    o.add_children_to_work(&parent, &mut Rng::seeded(2));
    check(&o);
    let mut tried = Vec::new();
    for id in [1, 2] {
        while let Some(tx) = o.next_to_reconsider(id) {
            tried.push(tx.wtxid());
        }
        assert!(!o.has_work(id));
    }
    tried.sort();
    let mut both = [old.wtxid(), new.wtxid()];
    both.sort();
    assert_eq!(tried, both);
    let genesis = grs_params::ChainParams::new(grs_params::Network::Regtest, &Default::default()).genesis;
    o.erase_for_block(&Block { txs: vec![spender(9, &[spent])], ..genesis });
    assert!(o.is_empty());
    check(&o);
}
