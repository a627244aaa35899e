//! Block files out of order, interrupted rebuilding, pruning by height.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{mine, muhash, open, options};
use grs_blockstore::BlockStoreOptions;
use grs_chainstate::{ChainstateManager, ChainstateOptions, LoadError, VerifyResult};
use grs_fs::{FileEnv, MemEnv};
use grs_params::Network;
use grs_primitives::Block;

fn chain(count: i32) -> Vec<Arc<Block>> {
    let mut chain = vec![options(&MemEnv::new(), Network::Regtest).params.genesis.clone()];
    for height in 1..=count {
        chain.push(mine(&chain[height as usize - 1], height, 0, 7, Vec::new()));
    }
    chain.into_iter().skip(1).map(Arc::new).collect()
}

fn settings(env: &MemEnv) -> ChainstateOptions {
    let mut options = options(env, Network::Regtest);
    options.fast_prune = true;
    options
}

#[test]
fn block_files_out_of_order_are_indexed_again() {
    let blocks = chain(900);
    let env = MemEnv::new();
    let manager = open(settings(&env));
    let headers: Vec<_> = blocks.iter().map(|b| b.header).collect();
    manager.process_new_headers(&headers, true).unwrap();
    // Backwards in groups that go backwards: most parents lie behind their children, many in a later file.
    let (low, high) = blocks.split_at(450);
    for part in [high, low] {
        for block in part.iter().rev() {
            manager.process_new_block(block.clone(), true, true);
        }
    }
    let expected = (blocks[899].hash(), muhash(&manager));
    assert_eq!(manager.view().tip_hash(), expected.0);
    manager.shutdown();
    drop(manager);
    assert!(env.exists(Path::new("/node/blocks/blk00001.dat")));

    // Interrupted before it is done, and taken up again.
    let mut options = settings(&env);
    options.reindex = true;
    options.interrupt.interrupt();
    let manager = ChainstateManager::open(options).unwrap();
    manager.import_blocks(&[]).unwrap();
    assert!(!manager.store().blockfiles_indexed());
    manager.shutdown();
    drop(manager);
    let manager = open(settings(&env));
    assert_eq!((manager.view().tip_hash(), muhash(&manager)), expected);
    assert!(manager.store().blockfiles_indexed() && !manager.store().db().read_reindexing().unwrap());
    assert_eq!(manager.verify(4, 0), VerifyResult::Success);
}

#[test]
fn pruned_to_a_height() {
    let blocks = chain(1500);
    let env = MemEnv::new();
    let with_prune = |env: &MemEnv| {
        let mut options = settings(env);
        options.prune_target = BlockStoreOptions::PRUNE_MANUAL;
        options
    };
    let manager = open(with_prune(&env));
    for block in &blocks {
        assert!(manager.process_new_block(block.clone(), true, true).accepted);
    }
    let file = Path::new("/node/blocks/blk00000.dat");
    let last = manager.store().file_info(0).unwrap().height_last;
    assert!(last < 1200);
    manager.prune_to_height(last - 1);
    assert!(env.exists(file));
    // An index that still needs a block keeps it, with a margin.
    manager.lock().update_prune_lock("index", i64::from(last) + 10);
    manager.prune_to_height(last);
    assert!(env.exists(file));
    manager.lock().update_prune_lock("index", i64::from(last) + 11);
    manager.prune_to_height(1500);
    assert!(!env.exists(file));
    let view = manager.view();
    assert!(manager.store().is_block_pruned(view.at(last).unwrap()));
    assert!(manager.store().read_block(view.at(last + 1).unwrap()).is_ok());
    assert_eq!(manager.verify(4, 0), VerifyResult::SkippedMissingBlocks);
    let expected = (view.tip_hash(), muhash(&manager));
    manager.shutdown();
    drop(manager);
    // Without pruning the directory is of no use; with it everything goes on.
    let refused = ChainstateManager::open(settings(&env)).err().unwrap();
    assert!(
        matches!(refused, LoadError::Failure(text) if text.starts_with("You need to rebuild the database"))
    );
    let manager = open(with_prune(&env));
    assert_eq!((manager.view().tip_hash(), muhash(&manager)), expected);
    let next = mine(&blocks[1499], 1501, 0, 7, Vec::new());
    assert!(manager.process_new_block(Arc::new(next), true, true).accepted);
    assert_eq!(manager.view().height(), 1501);
}
