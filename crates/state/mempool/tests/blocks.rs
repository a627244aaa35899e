//! What blocks, reorganisations, time and limits do to the mempool; its file.

mod common;

use std::time::Duration;

use common::{Node, REWARD, accepted, output, reason, short};
use grs_mempool::{AcceptOptions, MempoolOptions, SavedMempool};
use grs_policy::FeeRate;
use grs_primitives::{Amount, TxOut, TxRef};

#[test]
fn blocks_confirm_and_conflict() {
    let mut node = Node::new(4);
    let (a, b) = (node.coin(), node.coin());
    let parent = node.spend(&[a], &[REWARD - 1000]);
    let child = node.spend(&[output(&parent, 0)], &[REWARD - 2000]);
    let rival = node.spend(&[b], &[REWARD - 1000]);
    let heir = node.spend(&[output(&rival, 0)], &[REWARD - 2000]);
    for tx in [&parent, &child, &rival, &heir] {
        accepted(&node.accept(tx));
    }
    node.pool.lock().prioritise(rival.txid(), 5);
    node.pool.lock().prioritise(heir.txid(), 6);
    node.pool.lock().prioritise(parent.txid(), 7);
    node.pool.lock().add_unbroadcast(parent.txid());
    let updates = node.pool.lock().transactions_updated();
    node.take_events();
    let mined = node.spend(&[b], &[REWARD - 7777]);
    node.mine(vec![parent.clone(), mined]);
    // One for the confirmed, two conflicts.
    let height = node.height;
    let mut events = node.take_events();
    assert_eq!(events.pop().unwrap(), format!("block {height} 1"));
    assert_eq!(events.len(), 2);
    assert!(events.contains(&format!("-{} 6 conflict", short(&rival))), "{events:?}");
    assert!(events.contains(&format!("-{} 7 conflict", short(&heir))), "{events:?}");
    let pool = node.pool.lock();
    assert_eq!((pool.len(), pool.sequence()), (1, 8));
    assert!(pool.contains(&child.txid()) && pool.unbroadcast().is_empty());
    // The confirmed one and the direct conflict lose their deltas, the descendant keeps its own.
    assert_eq!(pool.deltas().iter().map(|(t, d)| (*t, *d)).collect::<Vec<_>>(), [(heir.txid(), 6)]);
    assert_eq!(pool.transactions_updated(), updates + 4);
    assert_eq!(pool.ancestor_stats(&child.txid()).count, 1);
}

#[test]
fn reorganisations_bring_back() {
    let mut node = Node::new(4);
    let (a, b) = (node.coin(), node.coin());
    let start = node.tip.clone();
    let height = node.height;
    let parent = node.spend(&[a], &[REWARD - 1000]);
    let lost = node.spend(&[b], &[REWARD - 1000]);
    // Below the relay fee: limits do not apply to what comes back.
    let free = node.spend(&[output(&parent, 0)], &[REWARD - 1000]);
    node.mine(vec![parent.clone(), lost.clone(), free.clone()]);
    let child = node.spend(&[output(&free, 0)], &[REWARD - 5000]);
    let heir = node.spend(&[output(&lost, 0)], &[REWARD - 5000]);
    // Immature once the chain is shorter.
    let young = node.spend(&[node.young[0]], &[REWARD - 1000]);
    for tx in [&child, &heir, &young] {
        accepted(&node.accept(tx));
    }
    node.take_events();
    let block = node.tip.clone();
    let id = node.manager.view().at(height as u32 + 1).unwrap();
    node.manager.invalidate_block(id).unwrap();
    assert!(node.has(&parent) && node.has(&free) && node.has(&lost) && node.has(&child) && node.has(&heir));
    assert!(!node.has(&young));
    {
        let pool = node.pool.lock();
        assert_eq!(pool.entry(&parent.txid()).unwrap().sequence, 0);
        assert_eq!(pool.ancestor_stats(&child.txid()).count, 3);
        assert_eq!(pool.descendant_stats(&parent.txid()).count, 3);
    }
    let events = node.take_events();
    assert!(events.last().unwrap().starts_with(&format!("-{}", short(&young))), "{events:?}");
    assert!(events.last().unwrap().ends_with("reorg"));

    // Another chain confirms a rival of `lost`.
    let rival = node.spend(&[b], &[REWARD - 6666]);
    let one = node.block_on(&start, height + 1, vec![rival]);
    assert!(node.manager.process_new_block(one.clone(), true, true).accepted);
    assert_eq!(node.manager.view().tip_hash(), one.hash());
    assert!(!node.has(&lost) && !node.has(&heir) && node.has(&parent) && node.has(&child));

    // Back to the first chain by work: its block returns, the rival cannot come back.
    node.manager.reconsider_block(id).unwrap();
    let two = node.block_on(&block, height + 2, vec![]);
    assert!(node.manager.process_new_block(two.clone(), true, true).accepted);
    assert_eq!(node.manager.view().tip_hash(), two.hash());
    let pool = node.pool.lock();
    assert_eq!(pool.len(), 1, "{:?}", pool.entries().map(|e| e.tx.txid()).collect::<Vec<_>>());
    assert!(pool.contains(&child.txid()));
}

#[test]
fn reorganisations_respect_cluster_limits() {
    let options = MempoolOptions { cluster_count: 5, check_ratio: 1, ..MempoolOptions::default() };
    let mut node = Node::with(2, options);
    let coin = node.coin();
    let fan = node.build(&[coin], &[], |tx| {
        tx.outputs = (0..8).map(|_| TxOut::new(Amount(REWARD / 8 - 100), node.script())).collect();
    });
    node.mine(vec![fan.clone()]);
    let children: Vec<TxRef> =
        (0..8).map(|n| node.spend(&[output(&fan, n)], &[REWARD / 8 - 1000 * (1 + i64::from(n))])).collect();
    children.iter().for_each(|tx| accepted(&node.accept(tx)));
    node.take_events();
    let id = node.manager.view().tip().unwrap();
    node.manager.invalidate_block(id).unwrap();
    let pool = node.pool.lock();
    assert!(pool.contains(&fan.txid()));
    assert_eq!(pool.cluster(&fan.txid()).len(), 5);
    // Those that pay best stay.
    assert_eq!(
        children.iter().map(|t| pool.contains(&t.txid())).collect::<Vec<_>>(),
        [false, false, false, false, true, true, true, true]
    );
    assert_eq!(pool.len(), 5);
    drop(pool);
    let events = node.take_events();
    assert_eq!(events.iter().filter(|e| e.ends_with("sizelimit")).count(), 4, "{events:?}");
}

#[test]
fn a_full_pool_evicts_the_worst() {
    let size = 20_000;
    let options = MempoolOptions { max_size_bytes: size, check_ratio: 1, ..MempoolOptions::default() };
    let mut node = Node::with(40, options);
    let mut first = None;
    let mut refused = None;
    for n in 0..39 {
        let coin = node.coin();
        let tx = node.spend(&[coin], &[REWARD - 2000 - 100 * n]);
        accepted(&node.accept(&tx));
        if !node.has(first.get_or_insert(tx)) {
            refused = Some(node.coin());
            break;
        }
    }
    let coin = refused.expect("the pool fills up");
    let pool = node.pool.lock();
    assert!(pool.usage() <= size && pool.len() >= 10, "{} transactions", pool.len());
    drop(pool);
    // The rate of what was evicted and the increment.
    let mut expected = FeeRate::of(Amount(2000), 110);
    expected += MempoolOptions::default().incremental_relay_rate;
    assert_eq!(node.pool.min_fee_rate(), expected);
    let wanted = expected.fee(110).0;
    let tx = node.spend(&[coin], &[REWARD - wanted + 1]);
    let (why, details) = common::refusal(&node.accept(&tx));
    assert_eq!((why.as_str(), details), ("mempool min fee not met", format!("{} < {wanted}", wanted - 1)));
    // Just enough to be looked at, but the worst of all.
    let tx = node.spend(&[coin], &[REWARD - wanted]);
    let result = node.accept(&tx);
    assert_eq!(reason(&result), "mempool full");
    assert!(node.take_events().last().unwrap().ends_with("sizelimit"));
    let wanted = node.pool.min_fee_rate().fee(110).0;
    let tx = node.spend(&[coin], &[REWARD - wanted]);
    let result = node.package(std::slice::from_ref(&tx));
    assert_eq!(result.error.unwrap().reason, "transaction failed");
    assert_eq!(common::refusal(&result.results[&tx.wtxid()]), ("mempool full".into(), String::new()));
}

#[test]
fn old_transactions_expire() {
    let options =
        MempoolOptions { expiry: Duration::from_secs(1000), check_ratio: 1, ..MempoolOptions::default() };
    let mut node = Node::with(3, options);
    let now = grs_sync::clock::now_secs();
    let (a, b) = (node.coin(), node.coin());
    let old = node.spend(&[a], &[REWARD - 1000]);
    let options = AcceptOptions::single(now - 990);
    accepted(&node.pool.accept(&mut node.manager.lock(), &old, options));
    let child = node.spend(&[output(&old, 0)], &[REWARD - 2000]);
    accepted(&node.accept(&child));
    node.take_events();
    // Nothing looks at the clock until something comes in.
    let older = node.spend(&[b], &[REWARD - 1000]);
    let options = AcceptOptions::single(now - 5000);
    let result = node.pool.accept(&mut node.manager.lock(), &older, options);
    assert_eq!(reason(&result), "mempool full");
    assert_eq!(node.take_events(), [format!("-{} 3 expiry", short(&older))]);
    assert!(node.has(&old) && node.has(&child));
}

#[test]
fn the_file_restores_everything() {
    let mut node = Node::new(5);
    let (a, b) = (node.coin(), node.coin());
    let parent = node.spend(&[a], &[REWARD - 100]);
    let child = node.spend(&[output(&parent, 0)], &[REWARD - 5000]);
    let other = node.spend(&[b], &[REWARD - 1500]);
    for tx in [&parent, &child, &other] {
        accepted(&node.accept(tx));
    }
    let absent = node.spend(&[output(&other, 0)], &[1000]).txid();
    {
        let mut pool = node.pool.lock();
        pool.prioritise(other.txid(), 77);
        pool.prioritise(absent, -5);
        pool.add_unbroadcast(child.txid());
        pool.add_unbroadcast(absent);
    }
    let saved = node.pool.save();
    assert_eq!(saved.txs.len(), 3);
    assert_eq!(saved.deltas.iter().collect::<Vec<_>>(), [(&absent, &-5)]);
    assert_eq!(saved.unbroadcast.iter().collect::<Vec<_>>(), [&child.txid()]);
    for key in [None, Some([1, 2, 3, 4, 5, 6, 7, 8])] {
        let bytes = saved.to_bytes(key);
        assert_eq!(bytes[0], if key.is_some() { 2 } else { 1 });
        let back = SavedMempool::from_bytes(&bytes).unwrap();
        assert_eq!(back.to_bytes(None), saved.to_bytes(None));
        assert!(SavedMempool::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        // What comes before the damage is there.
        let (part, error) = SavedMempool::read(&bytes[..bytes.len() - 1]);
        assert!(
            error.is_some() && part.txs.len() == 3 && part.deltas.len() == 1 && part.unbroadcast.is_empty()
        );
        // Each enters again on its own, in the order of the file.
        let fresh = grs_mempool::Mempool::new(MempoolOptions::default(), node.manager.signals().clone());
        for saved in &back.txs {
            let result = fresh.accept(&mut node.manager.lock(), &saved.tx, AcceptOptions::single(saved.time));
            accepted(&result);
        }
        let restored = fresh.lock().fingerprint();
        assert_eq!(restored, node.pool.lock().fingerprint());
    }
    assert!(SavedMempool::from_bytes(&3_u64.to_le_bytes()).is_err());
}

#[test]
fn fuzz_mempool_file() {
    let mut node = Node::new(2);
    let coin = node.coin();
    let tx = node.spend(&[coin], &[REWARD - 1000]);
    accepted(&node.accept(&tx));
    node.pool.lock().add_unbroadcast(tx.txid());
    node.pool.lock().prioritise(tx.inputs[0].prevout.txid, 3);
    let saved = node.pool.save();
    let corpus = [saved.to_bytes(None), saved.to_bytes(Some([9; 8])), SavedMempool::default().to_bytes(None)];
    grs_testkit::run_fuzz(grs_mempool::fuzz::fuzz_mempool_file, &corpus, 3000);
}
