//! The check of templates, which remembers transactions, against the check that does not.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{mine, muhash, open, options};
use grs_chainstate::ChainstateManager;
use grs_fs::MemEnv;
use grs_params::Network;
use grs_primitives::{Amount, Block, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut, TxRef};

const TRUE: &[u8] = &[0x51];
const FALSE: &[u8] = &[0x00];
/// `OP_RETURN`
const UNSPENDABLE: &[u8] = &[0x6a];

/// Spends the first output of each of `from`.
fn spend(from: &[&Transaction], sequence: u32, lock_time: u32, outputs: &[(i64, &[u8])]) -> TxRef {
    Arc::new(Transaction::from(MutableTransaction {
        version: 2,
        inputs: from.iter().map(|tx| TxIn::new(OutPoint::new(tx.txid(), 0), sequence)).collect(),
        outputs: outputs
            .iter()
            .map(|(value, script)| TxOut::new(Amount(*value), Script::from(*script)))
            .collect(),
        lock_time,
    }))
}

fn chain(manager: &ChainstateManager, count: i32) -> Vec<Block> {
    let mut blocks = vec![manager.params().genesis.clone()];
    for height in 1..=count {
        let block = mine(&blocks[blocks.len() - 1], height, 0, 1_000_000, Vec::new());
        assert!(manager.process_new_block(Arc::new(block.clone()), true, true).accepted);
        blocks.push(block);
    }
    blocks
}

/// Good and bad transactions on the coinbases of a chain of 130 blocks.
fn transactions(blocks: &[Block]) -> Vec<TxRef> {
    let coinbase = |height: usize| &*blocks[height].txs[0];
    let simple = |height| spend(&[coinbase(height)], u32::MAX, 0, &[(900_000, TRUE)]);
    let mut txs = vec![simple(2), simple(3), simple(4)];
    // Children and grandchildren, and a join of two branches.
    txs.push(spend(&[&txs[0]], u32::MAX, 0, &[(800_000, TRUE)]));
    txs.push(spend(&[&txs[3]], u32::MAX, 0, &[(700_000, TRUE)]));
    txs.push(spend(&[&txs[1], &txs[2]], u32::MAX, 0, &[(1_000_000, TRUE)]));
    // Another spender of what the first one spends, and of what its child spends.
    txs.push(spend(&[coinbase(2)], u32::MAX, 0, &[(850_000, TRUE)]));
    txs.push(spend(&[&txs[0]], u32::MAX, 0, &[(750_000, TRUE)]));
    // A script that nobody can fulfil, and who tries; an output that is no coin, and who spends it.
    txs.push(spend(&[coinbase(5)], u32::MAX, 0, &[(900_000, FALSE)]));
    txs.push(spend(&[&txs[8]], u32::MAX, 0, &[(800_000, TRUE)]));
    txs.push(spend(&[coinbase(6)], u32::MAX, 0, &[(900_000, UNSPENDABLE)]));
    txs.push(spend(&[&txs[10]], u32::MAX, 0, &[(800_000, TRUE)]));
    // Too young, worth too little, not final, locked by its input's age in blocks, with a negative output.
    txs.push(simple(60));
    txs.push(spend(&[coinbase(7)], u32::MAX, 0, &[(900_000_000_000_000, TRUE)]));
    txs.push(spend(&[coinbase(8)], 0, 200, &[(900_000, TRUE)]));
    txs.push(spend(&[coinbase(9)], 125, 0, &[(900_000, TRUE)]));
    txs.push(spend(&[&txs[1]], 1, 0, &[(800_000, TRUE)]));
    txs.push(spend(&[coinbase(10)], u32::MAX, 0, &[(-1, TRUE)]));
    // Valid on the tip, with many signature operations.
    let sigops = [0xac; 9_000];
    txs.push(spend(&[coinbase(8)], u32::MAX, 0, &[(900_000, &sigops)]));
    txs.push(spend(&[coinbase(9)], u32::MAX, 0, &[(900_000, &sigops)]));
    txs.push(spend(&[coinbase(10)], u32::MAX, 0, &[(900_000, &sigops)]));
    txs
}

/// Both verdicts about a block on the tip, which must be the same.
fn verdict(manager: &ChainstateManager, block: &Block) -> Result<(), String> {
    let full = manager.test_block_validity(block, false, false).map_err(|e| e.reason.into_owned());
    let quick = manager.lock().check_template(block).map_err(|e| e.reason.into_owned());
    assert_eq!(quick.is_ok(), full.is_ok(), "{quick:?} {full:?}");
    if block.txs.len() <= 2 {
        // With several faults the two may name different ones.
        assert_eq!(quick, full);
    }
    quick
}

#[test]
fn remembered_transactions_change_no_verdict() {
    let manager = open(options(&MemEnv::new(), Network::Regtest));
    let mut blocks = chain(&manager, 130);
    let txs = transactions(&blocks);
    let mut random = 1_u64;
    let mut next = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let (mut good, mut bad) = (0, 0);
    for round in 0..3 {
        let before = muhash(&manager);
        let (tip, height) = (&blocks[blocks.len() - 1], blocks.len() as i32);
        for tx in &txs {
            let _ = verdict(&manager, &mine(tip, height, 1, 0, vec![tx.clone()]));
        }
        for _ in 0..400 {
            let mut chosen: Vec<TxRef> = (0..1 + next(4)).map(|_| txs[next(txs.len())].clone()).collect();
            if next(2) == 0 {
                // In their order, so that parents come first.
                chosen.sort_by_key(|tx| txs.iter().position(|other| other.txid() == tx.txid()));
            }
            match verdict(&manager, &mine(tip, height, 1, 0, chosen)) {
                Ok(()) => good += 1,
                Err(_) => bad += 1,
            }
        }
        assert_eq!(muhash(&manager), before, "templates leave no trace");
        // On another tip other coins are there.
        let block = mine(tip, height, 2, 0, vec![txs[round].clone()]);
        assert!(manager.process_new_block(Arc::new(block.clone()), true, true).accepted);
        blocks.push(block);
        assert_eq!(manager.view().tip_hash(), blocks[blocks.len() - 1].hash());
    }
    assert!(good > 50 && bad > 200, "{good} good and {bad} bad blocks");
}

#[test]
fn faults_of_known_transactions_are_found() {
    let manager = open(options(&MemEnv::new(), Network::Regtest));
    let blocks = chain(&manager, 130);
    let txs = transactions(&blocks);
    let on_tip = |pay, picks: &[usize]| {
        mine(&blocks[130], 131, 1, pay, picks.iter().map(|n| txs[*n].clone()).collect())
    };
    let fees = 100_000;
    assert_eq!(verdict(&manager, &on_tip(0, &[0, 1, 2, 3, 4, 5, 18])), Ok(()));
    assert_eq!(verdict(&manager, &on_tip(0, &[6, 19, 20])), Ok(()));
    assert_eq!(verdict(&manager, &on_tip(0, &[18, 19, 20])), Err("bad-blk-sigops".into()));
    let missing = Err("bad-txns-inputs-missingorspent".to_owned());
    // A child without its parent, before it, twice; two spenders of a coin.
    for picks in [&[3][..], &[3, 0], &[0, 3, 4, 4], &[0, 0], &[0, 6], &[1, 5], &[4, 0, 3]] {
        assert_eq!(verdict(&manager, &on_tip(0, picks)), missing, "{picks:?}");
    }
    let subsidy = grs_params::block_subsidy(131).0;
    assert_eq!(verdict(&manager, &on_tip(subsidy + 2 * fees, &[0, 3])), Ok(()));
    assert_eq!(verdict(&manager, &on_tip(subsidy + 2 * fees + 1, &[0, 3])), Err("bad-cb-amount".into()));
    let elsewhere = mine(&blocks[129], 130, 7, 0, vec![txs[0].clone()]);
    assert_eq!(verdict(&manager, &elsewhere), Err("inconclusive-not-best-prevblk".into()));
}
