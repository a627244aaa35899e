//! Blocks connected many at a time: from memory, from files, with a bad one among them; stopping at a height; the
//! mempool's calls.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use common::{mine, muhash, open, options};
use grs_chainstate::{
    Chainstate, ChainstateManager, ChainstateOptions, MempoolHook, MempoolSession, MempoolUsage, VerifyResult,
};
use grs_encoding::encode_to_vec;
use grs_fs::{FileEnv, MemEnv};
use grs_params::Network;
use grs_primitives::{Amount, Block, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut};

const COUNT: i32 = 400;

/// 400 blocks, with a spend in most. Block 300 pays too much, or spends with a failing script.
fn blocks(bad_script: bool) -> Vec<Arc<Block>> {
    let mut chain = vec![options(&MemEnv::new(), Network::Regtest).params.genesis.clone()];
    for height in 1..=COUNT {
        let mut txs = Vec::new();
        if height > 125 {
            let from = OutPoint::new(chain[height as usize - 122].txs[0].txid(), 0);
            let spend = |from, script: u8| {
                Arc::new(Transaction::from(MutableTransaction {
                    version: 2,
                    inputs: vec![TxIn::new(from, u32::MAX)],
                    outputs: vec![TxOut::new(Amount(500), Script::from(vec![script]))],
                    lock_time: 0,
                }))
            };
            let bad = bad_script && height == 300;
            let first = spend(from, if bad { 0x00 } else { 0x51 });
            let second = spend(OutPoint::new(first.txid(), 0), 0x51);
            txs.extend([first, second]);
        }
        let pay = if height == 300 && !bad_script { 1 << 52 } else { 1000 };
        chain.push(mine(&chain[height as usize - 1], height, 0, pay, txs));
    }
    chain.into_iter().skip(1).map(Arc::new).collect()
}

fn import_file(env: &MemEnv, blocks: &[Arc<Block>]) -> PathBuf {
    let magic = options(env, Network::Regtest).params.magic;
    let mut file = Vec::new();
    for block in blocks {
        let data = encode_to_vec(&**block);
        file.extend([&magic[..], &(data.len() as u32).to_le_bytes(), &data].concat());
    }
    env.write_synced(Path::new("/bootstrap.dat"), &file).unwrap();
    PathBuf::from("/bootstrap.dat")
}

fn settings(env: &MemEnv, workers: usize) -> ChainstateOptions {
    let mut options = options(env, Network::Regtest);
    options.script_workers = workers;
    options
}

#[test]
fn a_bad_block_in_a_run_is_found() {
    for (bad_script, workers) in [(false, 0), (true, 2)] {
        let blocks = blocks(bad_script);
        // One at a time: what has to come out.
        let manager = open(settings(&MemEnv::new(), 0));
        for block in &blocks[..299] {
            assert!(manager.process_new_block(block.clone(), true, true).accepted);
        }
        let expected = (blocks[298].hash(), muhash(&manager));
        let check = |manager: &ChainstateManager| {
            assert_eq!((manager.view().tip_hash(), muhash(manager)), expected);
            assert_eq!(manager.view().height(), 299);
            for n in [299, 300, 399] {
                let id = manager.index().lookup(&blocks[n].hash());
                assert!(id.is_none_or(|id| manager.index().status(id).failed()), "block {}", n + 1);
            }
            assert_eq!(manager.verify(4, 0), VerifyResult::Success);
        };
        let manager = open(settings(&MemEnv::new(), workers));
        let headers: Vec<_> = blocks.iter().map(|b| b.header).collect();
        manager.process_new_headers(&headers, true).unwrap();
        for group in blocks.chunks(60) {
            let mut group = group.to_vec();
            // They need not come in order.
            group.reverse();
            manager.process_new_blocks(&group, true, true);
        }
        check(&manager);
        // The same from a file, and from the blocks stored by that.
        let env = MemEnv::new();
        let manager = ChainstateManager::open(settings(&env, workers)).unwrap();
        manager.import_blocks(&[import_file(&env, &blocks)]).unwrap();
        check(&manager);
        manager.shutdown();
        drop(manager);
        for reindex in [false, true] {
            let mut options = settings(&env, workers);
            (options.reindex, options.reindex_chainstate) = (reindex, true);
            let manager = open(options);
            assert_eq!((manager.view().tip_hash(), muhash(&manager)), expected);
            manager.shutdown();
        }
    }
}

#[test]
fn stops_at_the_height() {
    let blocks = blocks(true);
    for stop in [1, 17, 200] {
        let env = MemEnv::new();
        let mut options = settings(&env, 1);
        options.stop_at_height = stop;
        let file = import_file(&env, &blocks[..299]);
        let manager = ChainstateManager::open(options).unwrap();
        manager.import_blocks(std::slice::from_ref(&file)).unwrap();
        assert_eq!(manager.view().height(), stop as i32);
        assert!(manager.interrupt().is_interrupted());
        manager.shutdown();
        drop(manager);
        let manager = open(settings(&env, 1));
        assert_eq!(manager.view().height(), 299);
    }
}

#[derive(Default)]
struct Calls(Mutex<Vec<String>>);

struct CallSession<'a>(std::sync::MutexGuard<'a, Vec<String>>);

impl MempoolHook for Calls {
    fn begin(&self) -> Box<dyn MempoolSession + '_> {
        Box::new(CallSession(self.0.lock().unwrap()))
    }
    fn usage(&self) -> MempoolUsage {
        MempoolUsage { used: 0, max: 1 << 20 }
    }
}

impl MempoolSession for CallSession<'_> {
    fn block_connected(&mut self, _block: &Arc<Block>, height: u32) {
        self.0.push(format!("connected {height}"));
    }
    fn block_disconnected(&mut self, block: &Arc<Block>) {
        self.0.push(format!("disconnected {} txs", block.txs.len()));
    }
    fn reorg_finished(&mut self, chainstate: &mut Chainstate, add_back: bool) {
        self.0.push(format!("finished at {} {add_back}", chainstate.height()));
    }
    fn tip_updated(&mut self, chainstate: &mut Chainstate) {
        // The coins are those of the tip the mempool is told of.
        let best = chainstate.coins().best_block();
        assert_eq!(best, chainstate.view().tip_hash());
    }
}

#[test]
fn the_mempool_is_told_in_order() {
    let blocks = blocks(true);
    let manager = open(settings(&MemEnv::new(), 0));
    manager.process_new_blocks(&blocks[..130], true, true);
    let calls = Arc::new(Calls::default());
    manager.set_mempool(calls.clone());
    let side = mine(&blocks[127], 129, 9, 1, Vec::new());
    let side2 = mine(&side, 130, 9, 1, Vec::new());
    let side3 = mine(&side2, 131, 9, 1, Vec::new());
    for block in [side, side2, side3] {
        assert!(manager.process_new_block(Arc::new(block), true, true).accepted);
    }
    let told = std::mem::take(&mut *calls.0.lock().unwrap());
    let expected = [
        "disconnected 3 txs",
        "disconnected 3 txs",
        "connected 129",
        "connected 130",
        "connected 131",
        "finished at 131 true",
    ];
    assert_eq!(told, expected);
    let fork = manager.view().at(129).unwrap();
    manager.invalidate_block(fork).unwrap();
    assert_eq!(calls.0.lock().unwrap().last().unwrap(), "finished at 128 true");
}
