//! The recorded regtest chain: connected, taken back, connected again, reopened, reindexed.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Recorder, blocks_of, muhash, open, options, reference_muhashes, regtest_chain};
use grs_chainstate::{ChainstateManager, StatsHash, VerifyResult};
use grs_fs::{FileEnv, MemEnv};
use grs_params::Network;
use grs_testkit::{json_file, report, text};

#[test]
fn regtest_chain_vectors() {
    let Some(blocks) = regtest_chain() else { return };
    let expected = reference_muhashes();
    let env = MemEnv::new();
    let manager = open(options(&env, Network::Regtest));
    let recorder = Arc::new(Recorder::default());
    manager.signals().register(recorder.clone());
    assert_eq!(manager.view().height(), 0);
    assert_eq!(muhash(&manager), expected[&0]);
    manager.signals().sync();
    recorder.take();
    let mut cases = 1;
    for (n, block) in blocks.iter().enumerate() {
        let done = manager.process_new_block(block.clone(), true, true);
        assert!(done.accepted && done.new_block, "block {}", n + 1);
        assert_eq!(manager.view().tip_hash(), block.hash());
        assert_eq!(manager.view().height(), n as i32 + 1);
        if let Some(expected) = expected.get(&(n + 1)) {
            assert_eq!(muhash(&manager), *expected, "height {}", n + 1);
            cases += 1;
        }
    }
    manager.signals().sync();
    let events = recorder.take();
    assert_eq!(events.iter().filter(|e| e.starts_with("connected")).count(), blocks.len());
    assert_eq!(events[..3], ["connected 1", "tip 1 fork=true ibd=true", "flushed 2"]);
    check_results(&manager);
    report("reference_regtest muhash by height", cases);

    // The snapshot file is the reference's to the last byte.
    let path = std::path::Path::new("/snapshot.dat");
    let info = manager.dump_utxo_snapshot(path).unwrap();
    let told = &json_file("reference_regtest/rpc_results.json").unwrap()["dumptxoutset"];
    assert_eq!(info.coins, told["coins_written"].as_u64().unwrap());
    assert_eq!(info.txoutset_hash.to_string(), text(told, "txoutset_hash"));
    assert_eq!(info.chain_tx_count, told["nchaintx"].as_u64().unwrap());
    let file = grs_testkit::binary_file("reference_regtest/utxo_snapshot_265.dat").unwrap();
    assert!(env.read(path).unwrap() == file);

    // The same block again is known; it is no new one.
    let again = manager.process_new_block(blocks[9].clone(), true, true);
    assert!(again.accepted && !again.new_block);
    assert_eq!(manager.verify(4, 0), VerifyResult::Success);

    // Down to the genesis block and up again.
    let first = manager.view().at(1).unwrap();
    manager.invalidate_block(first).unwrap();
    assert_eq!(manager.view().height(), 0);
    assert_eq!(muhash(&manager), expected[&0]);
    let refused = manager.process_new_block(blocks[0].clone(), true, true);
    assert!(!refused.accepted);
    manager.signals().sync();
    let events = recorder.take();
    assert_eq!(events.iter().filter(|e| e.starts_with("disconnected")).count(), blocks.len());
    assert_eq!(events.last().unwrap(), "invalid duplicate-invalid");
    manager.reconsider_block(first).unwrap();
    assert_eq!(manager.view().height(), blocks.len() as i32);
    assert_eq!(muhash(&manager), expected[&blocks.len()]);
    check_results(&manager);

    // Closed and opened.
    let tip = manager.view().tip_hash();
    manager.shutdown();
    drop(manager);
    let manager = open(options(&env, Network::Regtest));
    assert_eq!(manager.view().tip_hash(), tip);
    assert_eq!(manager.verify(4, 0), VerifyResult::Success);
    check_results(&manager);
    drop(manager);

    // Coins from blocks, and everything from block files.
    for (reindex, reindex_chainstate) in [(false, true), (true, false)] {
        let mut options = options(&env, Network::Regtest);
        (options.reindex, options.reindex_chainstate) = (reindex, reindex_chainstate);
        options.script_workers = 1;
        let manager = open(options);
        assert_eq!(manager.view().tip_hash(), tip, "reindex {reindex}");
        check_results(&manager);
        manager.shutdown();
    }
}

fn check_results(manager: &ChainstateManager) {
    let results = json_file("reference_regtest/rpc_results.json").unwrap();
    for (name, field, hash) in [
        ("gettxoutsetinfo_hash_serialized_3", "hash_serialized_3", StatsHash::Serialized),
        ("gettxoutsetinfo_muhash", "muhash", StatsHash::MuHash),
    ] {
        let expected = &results[name];
        let stats = manager.compute_utxo_stats(hash).unwrap().unwrap();
        assert_eq!(stats.hash.unwrap().to_string(), text(expected, field));
        assert_eq!(stats.best_block.to_string(), text(expected, "bestblock"));
        assert_eq!(u64::from(stats.height), expected["height"].as_u64().unwrap());
        assert_eq!(stats.outputs, expected["txouts"].as_u64().unwrap());
        assert_eq!(stats.bogo_size, expected["bogosize"].as_u64().unwrap());
        let total = expected["total_amount"].to_string();
        assert_eq!(
            stats.total_amount.unwrap().to_decimal().trim_end_matches('0'),
            total.trim_end_matches('0')
        );
        if let Some(transactions) = expected["transactions"].as_u64() {
            assert_eq!(stats.transactions, transactions);
        }
    }
    assert_eq!(manager.index().chain_tx_count(manager.view().tip().unwrap()), 268);
}

#[test]
fn mainnet_blocks_and_side_branch_vectors() {
    let Some(blocks) = blocks_of("real/mainnet_blocks_0001_0180.json") else { return };
    let side = blocks_of("real/mainnet_fork_blocks_btcd.json").unwrap();
    let env = MemEnv::new();
    let mut settings = options(&env, Network::Main);
    settings.minimum_chain_work = Some(grs_uint::U256::ZERO);
    let manager = open(settings);
    let process = |block: &Arc<grs_primitives::Block>| manager.process_new_block(block.clone(), true, true);
    assert!(blocks[..4].iter().all(|b| process(b).accepted));
    assert_eq!(manager.view().tip_hash(), blocks[3].hash());
    let at_four = muhash(&manager);
    let accepted: Vec<bool> = side.iter().map(|b| process(b).accepted).collect();
    assert_eq!(accepted, [true; 3]);
    // Blocks 3A, 4A and 5A are one more than 3 and 4.
    assert_eq!(manager.view().tip_hash(), side[2].hash());
    assert_eq!(manager.view().height(), 5);
    assert_eq!(manager.view().hash_at(2).unwrap(), blocks[1].hash());
    assert_ne!(muhash(&manager), at_four);
    assert!(blocks[4..].iter().all(|b| process(b).accepted));
    assert_eq!(manager.view().tip_hash(), blocks[179].hash());
    assert_eq!(manager.view().height(), 180);
    assert_eq!(manager.verify(4, 0), VerifyResult::Success);
    report("mainnet blocks 1 to 180 and side branch", blocks.len() + side.len());
}
