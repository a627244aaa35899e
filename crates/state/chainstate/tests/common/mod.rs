//! Helpers of the chainstate's tests.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use grs_chainstate::{BlockInfo, ChainstateManager, ChainstateOptions, StatsHash, ValidationInterface};
use grs_consensus::BlockValidationError;
use grs_encoding::decode_exact;
use grs_fs::{FileEnv, MemEnv};
use grs_params::{ChainParams, Network};
use grs_primitives::{
    Amount, Block, BlockLocator, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction,
    TxIn, TxOut, block_merkle_root,
};
use grs_testkit::{hex, json_file, text};

/// Blocks 1.. of the recorded regtest chain; `None` without vectors.
pub fn regtest_chain() -> Option<Vec<Arc<Block>>> {
    let chain = json_file("reference_regtest/chain.json")?;
    let blocks = chain["blocks"].as_array().unwrap();
    Some(blocks[1..].iter().map(|b| Arc::new(decode_exact::<Block>(&hex(b, "raw")).unwrap())).collect())
}

/// Blocks of the JSON array `blocks` of a vector file.
pub fn blocks_of(path: &str) -> Option<Vec<Arc<Block>>> {
    let file = json_file(path)?;
    let blocks = file["blocks"].as_array().unwrap();
    Some(
        blocks
            .iter()
            .map(|b| {
                let field =
                    ["raw", "block", "block_hex", "hex"].into_iter().find(|f| b.get(*f).is_some()).unwrap();
                Arc::new(decode_exact::<Block>(&hex(b, field)).unwrap())
            })
            .collect(),
    )
}

/// Options for a data directory `/node` of an environment.
pub fn options(env: &MemEnv, network: Network) -> ChainstateOptions {
    let env: Arc<dyn FileEnv> = Arc::new(env.clone());
    let mut options = ChainstateOptions::new(env, Arc::new(ChainParams::for_network(network)), "/node");
    options.coins_cache_bytes = 16 << 20;
    options
}

/// Opens a node and connects what is stored.
pub fn open(options: ChainstateOptions) -> Arc<ChainstateManager> {
    let manager = ChainstateManager::open(options).unwrap();
    manager.import_blocks(&[]).unwrap();
    manager
}

/// Muhash of the coins at the tip.
pub fn muhash(manager: &ChainstateManager) -> String {
    manager.compute_utxo_stats(StatsHash::MuHash).unwrap().unwrap().hash.unwrap().to_string()
}

/// Muhash by height as the reference computed it, for some heights.
pub fn reference_muhashes() -> BTreeMap<usize, String> {
    let results = json_file("reference_regtest/rpc_results.json").unwrap();
    let list = results["gettxoutsetinfo_muhash_by_height"].as_array().unwrap();
    list.iter().map(|e| (e["height"].as_u64().unwrap() as usize, text(e, "muhash").to_owned())).collect()
}

/// Writes down events as text.
#[derive(Default)]
pub struct Recorder(pub Mutex<Vec<String>>);

impl Recorder {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
    /// The lines so far.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl ValidationInterface for Recorder {
    fn block_connected(&self, block: &Arc<Block>, info: BlockInfo) {
        assert_eq!(block.hash(), info.hash);
        self.add(format!("connected {}", info.height));
    }
    fn block_disconnected(&self, block: &Arc<Block>, info: BlockInfo) {
        assert_eq!(block.hash(), info.hash);
        self.add(format!("disconnected {}", info.height));
    }
    fn updated_block_tip(&self, new: BlockInfo, fork: Option<grs_blockstore::BlockId>, ibd: bool) {
        self.add(format!("tip {} fork={} ibd={ibd}", new.height, fork.is_some()));
    }
    fn chainstate_flushed(&self, locator: &BlockLocator) {
        self.add(format!("flushed {}", locator.hashes.len()));
    }
    fn block_checked(&self, _block: &Arc<Block>, result: Result<(), &BlockValidationError>) {
        if let Err(error) = result {
            self.add(format!("invalid {}", error.reason));
        }
    }
}

/// A block for regtest on top of `prev` (height, hash, time) with these transactions behind its coinbase, mined.
/// `tag` makes blocks differ; `pay` is what the coinbase takes beyond nothing.
pub fn mine(prev: &Block, height: i32, tag: u8, pay: i64, txs: Vec<Arc<Transaction>>) -> Block {
    let mut script_sig = Vec::new();
    if height <= 16 {
        script_sig.push(0x50 + height as u8);
    } else {
        let mut n = height.to_le_bytes().to_vec();
        while n.last() == Some(&0) {
            n.pop();
        }
        if n.last().is_some_and(|b| b & 0x80 != 0) {
            n.push(0);
        }
        script_sig.push(n.len() as u8);
        script_sig.extend(n);
    }
    script_sig.extend([1, tag]);
    let coinbase = MutableTransaction {
        version: 2,
        inputs: vec![TxIn { script_sig: Script::from(script_sig), ..TxIn::new(OutPoint::NULL, u32::MAX) }],
        outputs: vec![TxOut::new(Amount(pay), Script::from(vec![0x51]))],
        lock_time: 0,
    };
    let mut all = vec![Arc::new(Transaction::from(coinbase))];
    all.extend(txs);
    let header = Header {
        version: 0x2000_0000,
        prev: prev.hash(),
        time: prev.header.time + 100,
        bits: grs_uint::CompactTarget(0x2000_ffff),
        ..Header::default()
    };
    let draft = Block::new(HashedHeader::new(header), all);
    remine(&draft)
}

/// Sets the Merkle root and finds a nonce.
pub fn remine(block: &Block) -> Block {
    let params = ChainParams::for_network(Network::Regtest);
    let mut header = Header { merkle_root: block_merkle_root(block).root, ..*block.header.header() };
    loop {
        let hashed = HashedHeader::new(header);
        if grs_consensus::check_proof_of_work(&hashed.hash(), header.bits, &params.consensus) {
            return Block::new(hashed, block.txs.clone());
        }
        header.nonce += 1;
    }
}
