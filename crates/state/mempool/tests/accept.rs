//! Single transactions: accepted, refused, replaced.

mod common;

use common::{Coin, Node, REWARD, accepted, output, reason, refusal, short};
use grs_consensus::TxValidationResult;
use grs_hashes::Txid;
use grs_mempool::{AcceptResult, MempoolOptions};
use grs_policy::FeeRate;
use grs_primitives::{Amount, OutPoint, Script, TxOut};

#[test]
fn accepted_once_with_all_that_is_told() {
    let mut node = Node::new(3);
    let coin = node.coin();
    let tx = node.spend(&[coin], &[REWARD - 1000]);
    let AcceptResult::Valid { replaced, vsize, base_fee, effective_feerate, effective_includes } =
        node.test(&tx)
    else {
        panic!("not valid")
    };
    assert!(replaced.is_empty() && !node.has(&tx));
    // 110 bytes without a witness of 107 or 108 bytes.
    assert_eq!((vsize, base_fee), (110, Amount(1000)));
    assert_eq!(effective_feerate, FeeRate::of(Amount(1000), vsize));
    assert_eq!(effective_includes, [tx.wtxid()]);
    assert_eq!(node.take_events(), Vec::<String>::new());

    accepted(&node.accept(&tx));
    assert!(node.has(&tx));
    assert_eq!(reason(&node.accept(&tx)), "txn-already-in-mempool");
    let mut other = (**tx).clone();
    other.inputs[0].witness.0[0][10] ^= 1;
    let other = std::sync::Arc::new(grs_primitives::Transaction::from(other));
    assert_eq!(reason(&node.accept(&other)), "txn-same-nonwitness-data-in-mempool");
    assert_eq!(node.take_events(), [format!("+{} 1", short(&tx))]);

    let pool = node.pool.lock();
    let entry = pool.entry(&tx.txid()).unwrap();
    assert_eq!((entry.fee, entry.vsize, entry.sequence), (Amount(1000), vsize, 1));
    assert_eq!((entry.height, entry.spends_coinbase, entry.sigop_cost), (node.height as u32, true, 1));
    let stats = pool.stats();
    assert_eq!((stats.count, stats.vsize, stats.fee), (1, vsize as u64, Amount(1000)));
    assert!((900..1600).contains(&stats.usage), "{}", stats.usage);
    assert_eq!(pool.sequence(), 2);
}

#[test]
fn refusals_come_in_the_reference_s_words() {
    let mut node = Node::new(12);
    let coin = node.coin();
    let nowhere = Coin { outpoint: OutPoint::new(Txid::from_bytes([9; 32]), 0), value: REWARD };
    let tx = node.spend(&[nowhere], &[1000]);
    let result = node.accept(&tx);
    assert_eq!(reason(&result), "bad-txns-inputs-missingorspent");
    assert_eq!(result.failure(), Some(TxValidationResult::MissingInputs));

    let tx = node.spend(&[coin], &[REWARD - 5]);
    let result = node.accept(&tx);
    assert_eq!(refusal(&result), ("min relay fee not met".into(), "5 < 11".into()));
    let AcceptResult::Invalid { fee: Some((rate, includes)), .. } = &result else { panic!("{result:?}") };
    assert_eq!((*rate, includes.as_slice()), (FeeRate::of(Amount(5), 110), [tx.wtxid()].as_slice()));

    let tx = node.build(&[coin], &[REWARD - 1000], |tx| tx.outputs[0].value = Amount(REWARD + 1));
    assert_eq!(reason(&node.accept(&tx)), "bad-txns-in-belowout");
    let tx = node.build(&[coin], &[], |_| {});
    assert_eq!(reason(&node.accept(&tx)), "bad-txns-vout-empty");
    let tx = node.build(&[coin], &[REWARD - 1000], |tx| tx.version = 4);
    assert_eq!(reason(&node.accept(&tx)), "version");
    let tx = node.build(&[coin], &[100], |tx| tx.outputs[0].script_pubkey = Script::from(vec![0x51]));
    assert_eq!(reason(&node.accept(&tx)), "scriptpubkey");
    let tx = node.build(&[coin], &[REWARD - 1000], |tx| tx.lock_time = node.height as u32 + 1);
    assert_eq!(reason(&node.accept(&tx)), "non-final");
    let tx = node.build(&[coin], &[REWARD - 1000], |tx| tx.lock_time = node.height as u32);
    accepted(&node.test(&tx));
    let parent = node.spend(&[coin], &[REWARD - 1000]);
    accepted(&node.accept(&parent));
    let tx = node.build(&[output(&parent, 0)], &[REWARD - 2000], |tx| tx.inputs[0].sequence = 1);
    assert_eq!(reason(&node.accept(&tx)), "non-BIP68-final");
    let tx = node.build(&[output(&parent, 0)], &[REWARD - 2000], |tx| {
        tx.outputs[0].script_pubkey = Script::from(vec![0x6a; 1])
    });
    assert_eq!(reason(&node.accept(&tx)), "tx-size-small");

    let coin = node.coin();
    let mut tx = (**node.spend(&[coin], &[REWARD - 1000])).clone();
    tx.inputs[0].witness.0.clear();
    let result = node.accept(&std::sync::Arc::new(tx.clone().into()));
    assert_eq!(reason(&result), "mempool-script-verify-flag-failed (Witness program hash mismatch)");
    assert_eq!(result.failure(), Some(TxValidationResult::WitnessStripped));
    tx.inputs[0].witness.0 = vec![vec![0x30; 71], node.key.public_key().as_bytes().to_vec()];
    let result = node.accept(&std::sync::Arc::new(tx.into()));
    assert_eq!(reason(&result), "mempool-script-verify-flag-failed (Non-canonical DER signature)");
    assert_eq!(result.failure(), Some(TxValidationResult::NotStandard));

    // A coinbase that is not mature in the next block.
    let tx = node.spend(&[node.young[0]], &[1000]);
    assert_eq!(reason(&node.accept(&tx)), "bad-txns-premature-spend-of-coinbase");
    assert_eq!(reason(&node.accept(&node.tip.txs[0])), "coinbase");

    // Known: its outputs are in the cache of coins, its inputs are gone.
    let coin = node.coin();
    let tx = node.spend(&[coin], &[REWARD - 1000]);
    node.mine(vec![tx.clone()]);
    assert_eq!(reason(&node.accept(&tx)), "txn-already-known");
}

#[test]
fn replacement_pays() {
    let mut node = Node::new(4);
    let (a, b) = (node.coin(), node.coin());
    let first = node.spend(&[a], &[REWARD - 1000]);
    accepted(&node.accept(&first));
    let child = node.spend(&[output(&first, 0)], &[REWARD - 3000]);
    accepted(&node.accept(&child));
    node.take_events();

    let cheap = node.spend(&[a], &[REWARD - 2000]);
    let (why, details) = refusal(&node.accept(&cheap));
    assert_eq!(why, "insufficient fee");
    let text =
        format!("rejecting replacement {}, less fees than conflicting txs; 0.00002 < 0.00003", cheap.txid());
    assert_eq!(details, text);

    let same = node.spend(&[a], &[REWARD - 3005]);
    let result = node.accept(&same);
    assert_eq!(result.failure(), Some(TxValidationResult::Reconsiderable));
    let text = format!(
        "rejecting replacement {}, not enough additional fees to relay; 0.00000005 < 0.00000011",
        same.txid()
    );
    assert_eq!(refusal(&result), ("insufficient fee".into(), text));

    // Spends what it would replace.
    let odd = node.spend(&[a, output(&first, 0)], &[2 * REWARD - 50_000]);
    let (why, details) = refusal(&node.accept(&odd));
    assert_eq!(why, "bad-txns-spends-conflicting-tx");
    assert_eq!(details, format!("{} spends conflicting transaction {}", odd.txid(), first.txid()));

    let better = node.spend(&[a, b], &[2 * REWARD - 9000]);
    let AcceptResult::Valid { replaced, .. } = node.test(&better) else { panic!("refused") };
    assert!(replaced.is_empty());
    let AcceptResult::Valid { replaced, .. } = node.accept(&better) else { panic!("refused") };
    let mut expected = [first.txid(), child.txid()];
    expected.sort();
    assert_eq!(replaced.iter().map(|t| t.txid()).collect::<Vec<_>>(), expected);
    assert!(!node.has(&first) && !node.has(&child) && node.has(&better));
    let mut events = node.take_events();
    assert_eq!(events.pop().unwrap(), format!("+{} 5", short(&better)));
    assert!(events.iter().all(|e| e.ends_with("replaced")) && events.len() == 2, "{events:?}");
    assert!(events[0].contains(" 3 ") && events[1].contains(" 4 "));
}

#[test]
fn replacement_improves_the_diagram() {
    let mut node = Node::new(3);
    let coin = node.coin();
    let small = node.spend(&[coin], &[REWARD - 5000]);
    accepted(&node.accept(&small));
    // More fee in all, but at a lower rate.
    let large = node.build(&[coin], &[], |tx| {
        let script = tx.inputs.first().map(|_| node.script()).unwrap();
        tx.outputs = (0..60).map(|_| TxOut::new(Amount((REWARD - 8000) / 60), script.clone())).collect();
    });
    let result = node.accept(&large);
    assert_eq!(
        refusal(&result),
        ("replacement-failed".into(), "insufficient feerate: does not improve feerate diagram".into())
    );
    assert!(matches!(result, AcceptResult::Invalid { fee: Some(_), .. }));
}

#[test]
fn clusters_are_limited() {
    let options = MempoolOptions { cluster_count: 4, check_ratio: 1, ..MempoolOptions::default() };
    let mut node = Node::with(3, options);
    let coin = node.coin();
    let mut tx = node.spend(&[coin], &[REWARD - 1000]);
    for n in 2..6 {
        accepted(&node.accept(&tx));
        tx = node.spend(&[output(&tx, 0)], &[REWARD - 1000 * n]);
    }
    assert_eq!(reason(&node.accept(&tx)), "too-large-cluster");
    assert!(!node.pool.lock().check_policy_limits(&tx));
    let pool = node.pool.lock();
    assert_eq!(pool.cluster(&tx.inputs[0].prevout.txid).len(), 4);
    assert_eq!(pool.ancestor_stats(&tx.inputs[0].prevout.txid).count, 4);
}

#[test]
fn prioritised_fees_count() {
    let mut node = Node::new(2);
    let coin = node.coin();
    let tx = node.spend(&[coin], &[REWARD]);
    assert_eq!(refusal(&node.accept(&tx)), ("min relay fee not met".into(), "0 < 11".into()));
    node.pool.lock().prioritise(tx.txid(), 400);
    node.pool.lock().prioritise(tx.txid(), 600);
    accepted(&node.accept(&tx));
    let mut pool = node.pool.lock();
    let entry = pool.entry(&tx.txid()).unwrap();
    assert_eq!((entry.fee, entry.fee_delta, entry.modified_fee()), (Amount(0), 1000, Amount(1000)));
    assert_eq!(pool.chunk(&tx.txid()).fee, 1000);
    pool.prioritise(tx.txid(), -1000);
    assert!(pool.deltas().is_empty());
    assert_eq!(pool.chunk(&tx.txid()).fee, 0);
    pool.check_consistency().unwrap();
}
