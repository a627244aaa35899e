//! Power cuts at any write: what is left opens, its tip is one that was, and the chain can go on from there.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{mine, muhash, options};
use grs_chainstate::{ChainstateManager, ChainstateOptions, FlushMode, VerifyResult};
use grs_fs::{CrashMode, MemEnv};
use grs_params::Network;
use grs_primitives::{Amount, Block, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut};
use grs_testkit::Rng;

/// A chain of 150 blocks with spends, and a branch from 140 that wins in the end.
fn blocks() -> Vec<Arc<Block>> {
    let genesis = options(&MemEnv::new(), Network::Regtest).params.genesis.clone();
    let mut main = vec![genesis];
    for height in 1..=150 {
        let mut txs = Vec::new();
        if height > 121 {
            // Splits the coinbase that has just become mature.
            let from = OutPoint::new(main[height as usize - 121].txs[0].txid(), 0);
            let outputs = (0..5).map(|n| TxOut::new(Amount(1000 + n), Script::from(vec![0x51]))).collect();
            let tx = MutableTransaction {
                version: 2,
                inputs: vec![TxIn::new(from, u32::MAX)],
                outputs,
                lock_time: 0,
            };
            txs.push(Arc::new(Transaction::from(tx)));
        }
        main.push(mine(&main[height as usize - 1], height, 0, 100_000, txs));
    }
    let mut branch = vec![main[140].clone()];
    for height in 141..=155 {
        branch.push(mine(&branch[height as usize - 141], height, 1, 100_000, Vec::new()));
    }
    main.into_iter().skip(1).chain(branch.into_iter().skip(1)).map(Arc::new).collect()
}

fn small(env: &MemEnv) -> ChainstateOptions {
    let mut options = options(env, Network::Regtest);
    // Flushes of many batches, so that cuts fall between them.
    options.batch_write_bytes = 600;
    options.fast_prune = true;
    options
}

/// Gives blocks with flushes in between; ends early where the disk fails.
fn run(manager: &ChainstateManager, blocks: &[Arc<Block>], rng: &mut Rng) {
    for block in blocks {
        if !manager.process_new_block(block.clone(), true, true).accepted {
            return;
        }
        let mode = match rng.below(12) {
            0 => FlushMode::ForceFlush,
            1..=2 => FlushMode::ForceSync,
            _ => continue,
        };
        if manager.lock().flush_state(mode, None).is_err() {
            return;
        }
    }
    let _ = manager.lock().flush_state(FlushMode::ForceFlush, None);
}

#[test]
fn every_cut_leaves_a_chain_that_goes_on() {
    let blocks = blocks();
    // Without a cut: how many writes there are, and what comes out.
    let env = MemEnv::new();
    let manager = ChainstateManager::open(small(&env)).unwrap();
    manager.import_blocks(&[]).unwrap();
    let start = env.operations();
    run(&manager, &blocks, &mut Rng(1));
    let writes = env.operations() - start;
    let (tip, expected) = (manager.view().tip_hash(), muhash(&manager));
    assert_eq!((tip, manager.view().height()), (blocks.last().unwrap().hash(), 155));
    drop(manager);

    let (mut rng, mut rounds, mut lost, mut rebuilt) = (Rng(7), 0, 0, 0);
    for round in 0..60 {
        let env = MemEnv::new();
        let manager = ChainstateManager::open(small(&env)).unwrap();
        manager.import_blocks(&[]).unwrap();
        env.cut_after(Some(rng.below(writes as usize + 20) as u64));
        run(&manager, &blocks, &mut Rng(round));
        drop(manager);
        let modes = [CrashMode::KeepAll, CrashMode::DropUnsynced, CrashMode::Prefix, CrashMode::Reorder];
        let mode = modes[round as usize % 4];
        let after = env.crash(mode, rng.next_u64());
        let manager = match ChainstateManager::open(small(&after)) {
            Ok(manager) => manager,
            // With holes in what was not synced the coins may be refused, as the reference refuses them (paranoid
            // checks): they are rebuilt from the blocks, whose index was synced.
            Err(error) if mode == CrashMode::Reorder => {
                assert_eq!(error.to_string(), "Error opening coins database");
                rebuilt += 1;
                let mut options = small(&after);
                options.reindex_chainstate = true;
                ChainstateManager::open(options).unwrap_or_else(|e| panic!("round {round}: {e}"))
            }
            Err(error) => panic!("round {round}: {error}"),
        };
        manager.import_blocks(&[]).unwrap();
        let height = manager.view().height();
        let known = manager.view().tip_hash();
        assert!(height == 0 || blocks.iter().any(|b| b.hash() == known), "round {round}");
        lost += usize::from(height < 155);
        assert_eq!(manager.verify(4, 0), VerifyResult::Success, "round {round} height {height}");
        run(&manager, &blocks, &mut Rng(round + 1000));
        assert_eq!((manager.view().tip_hash(), muhash(&manager)), (tip, expected.clone()), "round {round}");
        assert_eq!(manager.verify(4, 0), VerifyResult::Success, "round {round}");
        rounds += 1;
    }
    assert!(
        rounds == 60 && lost > 20 && rebuilt < 15,
        "{rounds} rounds, {lost} lost something, {rebuilt} rebuilt"
    );
}
