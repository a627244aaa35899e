//! A regtest node without disk and network: chain, mempool, and a key that owns every coinbase.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use grs_chainstate::{ChainstateManager, ChainstateOptions};
use grs_consensus::{COINBASE_MATURITY, generate_coinbase_commitment};
use grs_fs::{FileEnv, MemEnv};
use grs_keys::SecretKey;
use grs_mempool::{
    AcceptOptions, AcceptResult, Mempool, MempoolInterface, MempoolOptions, NewMempoolTx, PackageResult,
    RemovalReason, RemovedMempoolTx,
};
use grs_params::{ChainParams, Network};
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    TxRef, block_merkle_root,
};
use grs_script::{SigVersion, script_for_pubkey_hash, script_for_witness_pubkey_hash, signature_hash};

/// What each coinbase pays, in gro.
pub const REWARD: i64 = 1_000_000;
/// Sequence of inputs, unless a test wants another one.
pub const SEQUENCE: u32 = 0xffff_fffd;

/// A node.
pub struct Node {
    pub manager: Arc<ChainstateManager>,
    pub pool: Arc<Mempool>,
    pub events: Arc<Recorder>,
    pub key: SecretKey,
    pub tip: Arc<Block>,
    pub height: i32,
    /// Mature coinbases that no test has taken yet.
    pub coins: Vec<Coin>,
    /// Coinbases that are not mature, the oldest first.
    pub young: Vec<Coin>,
    tag: u8,
}

/// An output of the node's key.
#[derive(Clone, Copy, Debug)]
pub struct Coin {
    pub outpoint: OutPoint,
    pub value: i64,
}

/// Writes down the mempool's events.
#[derive(Default)]
pub struct Recorder(pub Mutex<Vec<String>>);

impl MempoolInterface for Recorder {
    fn transaction_added(&self, tx: &NewMempoolTx) {
        self.0.lock().unwrap().push(format!("+{} {}", &tx.tx.txid().to_string()[..8], tx.sequence));
    }
    fn transaction_removed(&self, tx: &TxRef, reason: RemovalReason, sequence: u64) {
        let text = format!("-{} {sequence} {}", &tx.txid().to_string()[..8], reason.name());
        self.0.lock().unwrap().push(text);
    }
    fn removed_for_block(&self, removed: &[RemovedMempoolTx], height: u32) {
        self.0.lock().unwrap().push(format!("block {height} {}", removed.len()));
    }
}

/// First characters of a txid, as events name it.
pub fn short(tx: &Transaction) -> String {
    tx.txid().to_string()[..8].to_owned()
}

impl Node {
    /// With `coins` mature coinbases.
    pub fn new(coins: usize) -> Node {
        Node::with(coins, MempoolOptions { check_ratio: 1, ..MempoolOptions::default() })
    }

    /// The same with options for the mempool.
    pub fn with(coins: usize, options: MempoolOptions) -> Node {
        let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
        let params = Arc::new(ChainParams::for_network(Network::Regtest));
        let mut settings = ChainstateOptions::new(env, params.clone(), "/node");
        settings.coins_cache_bytes = 16 << 20;
        let manager = ChainstateManager::open(settings).unwrap();
        manager.import_blocks(&[]).unwrap();
        let pool = Mempool::new(options, manager.signals().clone());
        manager.set_mempool(pool.clone());
        let events = Arc::new(Recorder::default());
        let mut node = Node {
            manager,
            pool,
            events: events.clone(),
            key: SecretKey::from_slice(&[0x11; 32], true).unwrap(),
            tip: Arc::new(params.genesis.clone()),
            height: 0,
            coins: Vec::new(),
            young: Vec::new(),
            tag: 0,
        };
        let mut all = Vec::new();
        for _ in 0..coins + COINBASE_MATURITY as usize {
            let block = node.mine(vec![]);
            all.push(Coin { outpoint: OutPoint::new(block.txs[0].txid(), 0), value: REWARD });
        }
        // One more block has to come before the next one is mature.
        node.young = all.split_off(coins + 1);
        all.truncate(coins);
        all.reverse();
        node.coins = all;
        node.pool.subscribe(events);
        node
    }

    /// P2WPKH of the node's key.
    pub fn script(&self) -> Script {
        script_for_witness_pubkey_hash(&self.key.public_key().key_id())
    }

    /// A coinbase that no other test transaction spends.
    pub fn coin(&mut self) -> Coin {
        self.coins.pop().unwrap()
    }

    /// A block on a chosen one, not yet processed.
    pub fn block_on(&mut self, prev: &Block, height: i32, txs: Vec<TxRef>) -> Arc<Block> {
        self.tag = self.tag.wrapping_add(1);
        let mut script_sig = vec![4];
        script_sig[0] = 2;
        script_sig.extend_from_slice(&(height as u16).to_le_bytes());
        if height <= 16 {
            script_sig = vec![0x50 + height as u8];
        } else if height < 128 {
            script_sig = vec![1, height as u8];
        }
        script_sig.extend([1, self.tag]);
        let coinbase = MutableTransaction {
            version: 2,
            inputs: vec![TxIn { script_sig: script_sig.into(), ..TxIn::new(OutPoint::NULL, u32::MAX) }],
            outputs: vec![TxOut::new(Amount(REWARD), self.script())],
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
        let mut block = Block::new(HashedHeader::new(header), all);
        generate_coinbase_commitment(&mut block, true);
        let params = ChainParams::for_network(Network::Regtest);
        let mut header = Header { merkle_root: block_merkle_root(&block).root, ..*block.header.header() };
        loop {
            let hashed = HashedHeader::new(header);
            if grs_consensus::check_proof_of_work(&hashed.hash(), header.bits, &params.consensus) {
                return Arc::new(Block::new(hashed, block.txs.clone()));
            }
            header.nonce += 1;
        }
    }

    /// Mines a block with these transactions on the tip.
    pub fn mine(&mut self, txs: Vec<TxRef>) -> Arc<Block> {
        let (prev, height) = (self.tip.clone(), self.height + 1);
        let block = self.block_on(&prev, height, txs);
        let done = self.manager.process_new_block(block.clone(), true, true);
        assert!(done.accepted, "block {height} refused");
        assert_eq!(self.manager.view().tip_hash(), block.hash(), "block {height} is not the tip");
        self.tip = block.clone();
        self.height = height;
        block
    }

    /// A signed transaction: coins to outputs of the node's key.
    pub fn spend(&self, coins: &[Coin], values: &[i64]) -> TxRef {
        self.build(coins, values, |_| {})
    }

    /// The same, changed before it is signed.
    pub fn build(
        &self,
        coins: &[Coin],
        values: &[i64],
        change: impl FnOnce(&mut MutableTransaction),
    ) -> TxRef {
        let mut tx = MutableTransaction {
            version: 2,
            inputs: coins.iter().map(|c| TxIn::new(c.outpoint, SEQUENCE)).collect(),
            outputs: values.iter().map(|v| TxOut::new(Amount(*v), self.script())).collect(),
            lock_time: 0,
        };
        change(&mut tx);
        self.sign(&mut tx, coins);
        Arc::new(Transaction::from(tx))
    }

    /// Signs all inputs, which spend outputs of the node's key.
    pub fn sign(&self, tx: &mut MutableTransaction, coins: &[Coin]) {
        let public = self.key.public_key();
        let code = script_for_pubkey_hash(&public.key_id());
        for (input, coin) in coins.iter().enumerate() {
            let amount = Amount(coin.value);
            let hash =
                signature_hash(code.as_bytes(), tx, input, 1, amount, SigVersion::WitnessV0, None, None);
            let mut signature = self.key.sign(&hash.to_bytes(), true);
            signature.push(1);
            tx.inputs[input].witness.0 = vec![signature, public.as_bytes().to_vec()];
        }
    }

    /// Submits a transaction.
    pub fn accept(&self, tx: &TxRef) -> AcceptResult {
        let time = grs_sync::clock::now_secs();
        self.pool.accept(&mut self.manager.lock(), tx, AcceptOptions::single(time))
    }

    /// Asks whether a transaction would be accepted.
    pub fn test(&self, tx: &TxRef) -> AcceptResult {
        let time = grs_sync::clock::now_secs();
        self.pool.accept(&mut self.manager.lock(), tx, AcceptOptions::test(time))
    }

    /// Submits a package.
    pub fn package(&self, txs: &[TxRef]) -> PackageResult {
        let options = AcceptOptions::single(grs_sync::clock::now_secs());
        self.pool.accept_package(&mut self.manager.lock(), txs, options)
    }

    /// Tests several transactions.
    pub fn test_package(&self, txs: &[TxRef]) -> PackageResult {
        let options = AcceptOptions::test(grs_sync::clock::now_secs());
        self.pool.accept_package(&mut self.manager.lock(), txs, options)
    }

    /// Whether the mempool has it.
    pub fn has(&self, tx: &TxRef) -> bool {
        self.pool.lock().contains(&tx.txid())
    }

    /// The events since the last call.
    pub fn take_events(&self) -> Vec<String> {
        self.manager.signals().sync();
        std::mem::take(&mut *self.events.0.lock().unwrap())
    }
}

/// Output `n` of a transaction as a coin.
pub fn output(tx: &TxRef, n: u32) -> Coin {
    Coin { outpoint: OutPoint::new(tx.txid(), n), value: tx.outputs[n as usize].value.0 }
}

/// Reason and details of a refusal.
#[track_caller]
pub fn refusal(result: &AcceptResult) -> (String, String) {
    let error = result.error().unwrap_or_else(|| panic!("{result:?}"));
    (error.reason.to_string(), error.debug_message.clone())
}

/// Reason of a refusal.
#[track_caller]
pub fn reason(result: &AcceptResult) -> String {
    refusal(result).0
}

/// That it was accepted.
#[track_caller]
pub fn accepted(result: &AcceptResult) {
    assert!(result.is_valid(), "{result:?}");
}
