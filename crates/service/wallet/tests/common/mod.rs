//! A node made of memory: a chain without rules, a mempool, settings. It tells its subscribers at once.

#![allow(clippy::unwrap_used, dead_code, missing_docs)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use grs_args::{ArgsManager, ChainType, options};
use grs_hashes::{BlockHash, MerkleRoot, Txid};
use grs_interfaces::{
    BilingualString, BlockBytes, BlockInfo, BlockRef, BlockScan, Broadcast, CallError, CallResult, Chain,
    ChainNotifications, ChainstateRole, Coin, FeeEstimate, FindBlock, FoundBlock, FoundCommonAncestor,
    Handler, HandlerFn, MempoolRemovalReason, NeedleSet, PackageLimits, RbfState, RpcActor, RpcCommand,
    RpcRequest, ScanChunk, ScanNeedles, ScanStatus, ScannedBlock, SettingsAction, SettingsUpdate,
    TransactionAncestry, TxBroadcast, WalletLoader,
};
use grs_primitives::{
    Amount, Block, BlockLocator, HashedHeader, Header, MutableTransaction, OutPoint, Script, TxIn, TxOut,
    TxRef,
};
use serde_json::Value;

pub const START_TIME: u32 = 1_600_000_000;

#[derive(Default)]
pub struct Inner {
    pub active: Vec<Arc<Block>>,
    pub known: HashMap<BlockHash, (Arc<Block>, u32)>,
    pub mempool: BTreeMap<Txid, TxRef>,
    pub settings: BTreeMap<String, Value>,
    pub subscribers: Vec<(u64, Arc<dyn ChainNotifications>)>,
    pub actors: BTreeMap<String, Arc<dyn RpcActor>>,
    pub next_id: u64,
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
    pub reject: bool,
    pub fee_rate: i64,
    pub salt: u64,
}

pub struct FakeChain(Mutex<Inner>);

fn coinbase(height: u32, salt: u64, script: &Script, value: i64) -> TxRef {
    let mut input = TxIn::new(OutPoint::NULL, 0xffff_ffff);
    input.script_sig = Script::from([height.to_le_bytes().as_slice(), &salt.to_le_bytes()].concat());
    let tx = MutableTransaction {
        version: 2,
        inputs: vec![input],
        outputs: vec![TxOut::new(Amount(value), script.clone())],
        lock_time: 0,
    };
    TxRef::new(tx.into())
}

impl FakeChain {
    pub fn new() -> Arc<FakeChain> {
        let chain = Arc::new(FakeChain(Mutex::new(Inner::default())));
        chain.mine(&Script::from(vec![0x51]), &[]);
        chain
    }

    pub fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn subscribers(&self) -> Vec<Arc<dyn ChainNotifications>> {
        self.inner().subscribers.iter().map(|(_, s)| s.clone()).collect()
    }

    /// Adds a block with these transactions.
    pub fn mine(&self, script: &Script, txs: &[TxRef]) -> BlockHash {
        let (block, height, max_time) = {
            let mut inner = self.inner();
            let height = inner.active.len() as u32;
            inner.salt += 1;
            let mut all = vec![coinbase(height, inner.salt, script, 50_0000_0000)];
            all.extend(txs.iter().cloned());
            let header = Header {
                version: 4,
                prev: inner.active.last().map_or(BlockHash::ZERO, |b| b.hash()),
                merkle_root: MerkleRoot::from_bytes(all[0].txid().to_bytes()),
                time: START_TIME + height * 60,
                bits: Default::default(),
                nonce: inner.salt as u32,
            };
            let block = Arc::new(Block::new(HashedHeader::new(header), all));
            inner.known.insert(block.hash(), (block.clone(), height));
            inner.active.push(block.clone());
            for tx in &block.txs {
                inner.mempool.remove(&tx.txid());
            }
            (block, height, i64::from(START_TIME + height * 60))
        };
        for subscriber in self.subscribers() {
            for tx in &block.txs[1..] {
                subscriber.transaction_removed_from_mempool(tx.clone(), MempoolRemovalReason::Block).unwrap();
            }
            subscriber.block_connected(ChainstateRole::NORMAL, &info(&block, height, max_time)).unwrap();
            subscriber.updated_block_tip().unwrap();
        }
        block.hash()
    }

    pub fn mine_many(&self, count: usize, script: &Script) {
        for _ in 0..count {
            self.mine(script, &[]);
        }
    }

    /// Mines what is in the mempool.
    pub fn confirm(&self) -> BlockHash {
        let txs: Vec<TxRef> = self.inner().mempool.values().cloned().collect();
        self.mine(&Script::from(vec![0x51]), &txs)
    }

    /// Takes the last block off; its transactions go back to the mempool.
    pub fn disconnect_tip(&self) -> Arc<Block> {
        let (block, height) = {
            let mut inner = self.inner();
            let block = inner.active.pop().unwrap();
            (block, inner.active.len() as u32)
        };
        let max_time = i64::from(START_TIME + height * 60);
        for subscriber in self.subscribers() {
            subscriber.block_disconnected(&info(&block, height, max_time)).unwrap();
        }
        block
    }

    /// Puts a transaction into the mempool.
    pub fn add_to_mempool(&self, tx: &TxRef) {
        self.inner().mempool.insert(tx.txid(), tx.clone());
        for subscriber in self.subscribers() {
            subscriber.transaction_added_to_mempool(tx.clone()).unwrap();
        }
    }

    pub fn remove_from_mempool(&self, txid: &Txid, reason: MempoolRemovalReason) {
        let tx = self.inner().mempool.remove(txid).unwrap();
        for subscriber in self.subscribers() {
            subscriber.transaction_removed_from_mempool(tx.clone(), reason).unwrap();
        }
    }

    fn output(&self, outpoint: &OutPoint) -> Option<(TxOut, u32, bool)> {
        let inner = self.inner();
        if let Some(tx) = inner.mempool.get(&outpoint.txid) {
            return Some((tx.outputs.get(outpoint.vout as usize)?.clone(), 0x7fff_ffff, false));
        }
        inner.active.iter().enumerate().find_map(|(height, block)| {
            let (n, tx) = block.txs.iter().enumerate().find(|(_, tx)| tx.txid() == outpoint.txid)?;
            Some((tx.outputs.get(outpoint.vout as usize)?.clone(), height as u32, n == 0))
        })
    }

    /// Calls a wallet method; `wallet` may be empty for no path.
    pub fn rpc(&self, wallet: &str, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let actor = self.inner().actors.get(method).cloned().unwrap_or_else(|| panic!("no method {method}"));
        let request = RpcRequest {
            method: method.into(),
            params: params.to_string(),
            uri: if wallet.is_empty() { "/".into() } else { format!("/wallet/{wallet}") },
            ..RpcRequest::default()
        };
        match actor.call(request, true).unwrap().expect("last callback answers") {
            Ok(text) => Ok(serde_json::from_str(&text).unwrap()),
            Err(e) => Err((e.code, e.message)),
        }
    }
}

fn info(block: &Arc<Block>, height: u32, max_time: i64) -> BlockInfo {
    BlockInfo {
        hash: block.hash(),
        prev_hash: Some(block.header.prev),
        height,
        chain_time_max: max_time,
        data: Some(block.clone()),
        undo_data: None,
    }
}

fn found(inner: &Inner, hash: BlockHash, want: FindBlock) -> Option<FoundBlock> {
    let (block, height) = inner.known.get(&hash)?;
    let active = inner.active.get(*height as usize).is_some_and(|b| b.hash() == hash);
    let time = i64::from(block.header.time);
    let mut hashes: Vec<BlockHash> =
        inner.active.iter().take(*height as usize + 1).map(|b| b.hash()).collect();
    hashes.reverse();
    let next = inner.active.get(*height as usize + 1).filter(|_| active && want.next);
    Some(FoundBlock {
        hash,
        height: *height,
        time,
        max_time: time,
        mtp_time: time,
        in_active_chain: active,
        locator: (want.locator && active).then_some(BlockLocator { hashes }),
        next: next.and_then(|b| found(inner, b.hash(), FindBlock::default())).map(Box::new),
        data: want.data.then(|| BlockBytes(grs_encoding::encode_to_vec(block.as_ref()))),
    })
}

struct FakeScan(Arc<FakeChainRef>, Mutex<NeedleSet>, Option<u32>);

/// Blocks as they were when the scan began.
struct FakeChainRef(Vec<Arc<Block>>);

impl BlockScan for FakeScan {
    fn next_chunk(
        &self,
        from_height: u32,
        _expected_prev: Option<BlockHash>,
        added: ScanNeedles,
    ) -> CallResult<ScanChunk> {
        let mut needles = self.1.lock().unwrap();
        needles.add(added);
        let tip = self.0.0.len() as u32 - 1;
        let stop = self.2.unwrap_or(tip).min(tip);
        let end = stop.min(from_height + 9);
        let mut chunk = ScanChunk {
            blocks: Vec::new(),
            last: None,
            next_height: end + 1,
            tip_height: tip,
            progress: f64::from(end) / f64::from(tip.max(1)),
            status: if end >= stop { ScanStatus::Done } else { ScanStatus::More },
        };
        for height in from_height..=end {
            let block = &self.0.0[height as usize];
            chunk.last = Some(BlockRef { hash: block.hash(), height });
            if needles.matches(block) {
                chunk.blocks.push(ScannedBlock {
                    hash: block.hash(),
                    height,
                    max_time: i64::from(block.header.time),
                    data: BlockBytes(grs_encoding::encode_to_vec(block.as_ref())),
                });
            }
        }
        Ok(chunk)
    }
}

/// A chain object that the wallet can hold: it needs a handle on itself for subscriptions.
pub struct ChainHandle(pub Arc<FakeChain>);

impl Chain for ChainHandle {
    fn get_height(&self) -> CallResult<Option<u32>> {
        Ok((self.0.inner().active.len() as u32).checked_sub(1))
    }
    fn get_block_hash(&self, height: u32) -> CallResult<BlockHash> {
        let inner = self.0.inner();
        inner.active.get(height as usize).map(|b| b.hash()).ok_or_else(|| CallError::remote("no such block"))
    }
    fn have_block_on_disk(&self, _height: u32) -> CallResult<bool> {
        Ok(true)
    }
    fn find_locator_fork(&self, locator: &BlockLocator) -> CallResult<Option<u32>> {
        let inner = self.0.inner();
        Ok(locator.hashes.iter().find_map(|hash| {
            found(&inner, *hash, FindBlock::default()).filter(|b| b.in_active_chain).map(|b| b.height)
        }))
    }
    fn has_block_filter_index(&self) -> CallResult<bool> {
        Ok(false)
    }
    fn block_filter_matches_any(&self, _block: BlockHash, _scripts: &[Script]) -> CallResult<Option<bool>> {
        Ok(None)
    }
    fn find_block(&self, hash: BlockHash, want: FindBlock) -> CallResult<Option<FoundBlock>> {
        Ok(found(&self.0.inner(), hash, want))
    }
    fn find_first_block_with_time_and_height(
        &self,
        min_time: i64,
        min_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        let inner = self.0.inner();
        let first =
            inner.active.iter().enumerate().find(|(height, block)| {
                *height as u32 >= min_height && i64::from(block.header.time) >= min_time
            });
        Ok(first.and_then(|(_, block)| found(&inner, block.hash(), want)))
    }
    fn find_ancestor_by_height(
        &self,
        _block: BlockHash,
        height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        let inner = self.0.inner();
        Ok(inner.active.get(height as usize).and_then(|b| found(&inner, b.hash(), want)))
    }
    fn find_ancestor_by_hash(
        &self,
        _block: BlockHash,
        ancestor: BlockHash,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        Ok(found(&self.0.inner(), ancestor, want).filter(|b| b.in_active_chain))
    }
    fn find_common_ancestor(
        &self,
        _block1: BlockHash,
        _block2: BlockHash,
        _want: FindBlock,
    ) -> CallResult<FoundCommonAncestor> {
        Ok(FoundCommonAncestor::default())
    }
    fn find_coins(&self, outpoints: &[OutPoint]) -> CallResult<Vec<Option<Coin>>> {
        Ok(outpoints
            .iter()
            .map(|o| self.0.output(o).map(|(out, height, coinbase)| Coin { out, height, coinbase }))
            .collect())
    }
    fn guess_verification_progress(&self, block: BlockHash) -> CallResult<f64> {
        let inner = self.0.inner();
        Ok(inner.known.get(&block).map_or(0.0, |(_, height)| f64::from(*height) / inner.active.len() as f64))
    }
    fn has_blocks(&self, _block: BlockHash, _min: u32, _max: Option<u32>) -> CallResult<bool> {
        Ok(true)
    }
    fn scan_blocks(&self, needles: ScanNeedles, stop: Option<u32>) -> CallResult<Arc<dyn BlockScan>> {
        let mut set = NeedleSet::new();
        set.add(needles);
        let blocks = self.0.inner().active.clone();
        Ok(Arc::new(FakeScan(Arc::new(FakeChainRef(blocks)), Mutex::new(set), stop)))
    }
    fn is_rbf_opt_in(&self, tx: TxRef) -> CallResult<RbfState> {
        if !self.0.inner().mempool.contains_key(&tx.txid()) {
            return Ok(RbfState::Unknown);
        }
        let signals = tx.inputs.iter().any(|i| i.sequence < 0xffff_fffe);
        Ok(if signals { RbfState::ReplaceableBip125 } else { RbfState::Final })
    }
    fn is_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        Ok(self.0.inner().mempool.contains_key(&txid))
    }
    fn has_descendants_in_mempool(&self, _txid: Txid) -> CallResult<bool> {
        Ok(false)
    }
    fn broadcast_transaction(&self, tx: TxRef, _max_fee: Amount, _how: TxBroadcast) -> CallResult<Broadcast> {
        if self.0.inner().reject {
            return Ok(Err("rejected".into()));
        }
        if !self.0.inner().mempool.contains_key(&tx.txid()) {
            self.0.add_to_mempool(&tx);
        }
        Ok(Ok(()))
    }
    fn get_transaction_ancestry(&self, txids: &[Txid]) -> CallResult<Vec<TransactionAncestry>> {
        let inner = self.0.inner();
        let ancestry = |txid| {
            let Some(tx) = inner.mempool.get(txid) else { return TransactionAncestry::default() };
            let in_mempool = |input: &&TxIn| inner.mempool.contains_key(&input.prevout.txid);
            let count = 1 + tx.inputs.iter().filter(in_mempool).count() as u64;
            TransactionAncestry { ancestors: count, cluster_count: count, ..Default::default() }
        };
        Ok(txids.iter().map(ancestry).collect())
    }
    fn calculate_individual_bump_fees(
        &self,
        outpoints: &[OutPoint],
        _rate: Amount,
    ) -> CallResult<Vec<Amount>> {
        Ok(vec![Amount::ZERO; outpoints.len()])
    }
    fn calculate_combined_bump_fee(&self, _o: &[OutPoint], _rate: Amount) -> CallResult<Option<Amount>> {
        Ok(Some(Amount::ZERO))
    }
    fn get_package_limits(&self) -> CallResult<PackageLimits> {
        Ok(PackageLimits { ancestors: 25, descendants: 25 })
    }
    fn check_chain_limits(&self, _tx: TxRef) -> CallResult<Result<(), BilingualString>> {
        Ok(Ok(()))
    }
    fn estimate_smart_fee(&self, num_blocks: u32, _conservative: bool) -> CallResult<FeeEstimate> {
        let feerate = Amount(self.0.inner().fee_rate);
        Ok(FeeEstimate {
            feerate,
            desired_target: num_blocks,
            returned_target: num_blocks,
            ..Default::default()
        })
    }
    fn estimate_max_blocks(&self) -> CallResult<u32> {
        Ok(1008)
    }
    fn mempool_min_fee(&self) -> CallResult<Amount> {
        Ok(Amount(100))
    }
    fn relay_min_fee(&self) -> CallResult<Amount> {
        Ok(Amount(100))
    }
    fn relay_incremental_fee(&self) -> CallResult<Amount> {
        Ok(Amount(100))
    }
    fn relay_dust_fee(&self) -> CallResult<Amount> {
        Ok(Amount(3000))
    }
    fn have_pruned(&self) -> CallResult<bool> {
        Ok(false)
    }
    fn get_prune_height(&self) -> CallResult<Option<u32>> {
        Ok(None)
    }
    fn is_ready_to_broadcast(&self) -> CallResult<bool> {
        Ok(true)
    }
    fn is_initial_block_download(&self) -> CallResult<bool> {
        Ok(false)
    }
    fn shutdown_requested(&self) -> CallResult<bool> {
        Ok(false)
    }
    fn has_assumed_valid_chain(&self) -> CallResult<bool> {
        Ok(false)
    }
    fn init_message(&self, _message: &str) -> CallResult<()> {
        Ok(())
    }
    fn init_warning(&self, message: &BilingualString) -> CallResult<()> {
        self.0.inner().warnings.push(message.original.clone());
        Ok(())
    }
    fn init_error(&self, message: &BilingualString) -> CallResult<()> {
        self.0.inner().errors.push(message.original.clone());
        Ok(())
    }
    fn show_progress(&self, _title: &str, _progress: i32, _resume: bool) -> CallResult<()> {
        Ok(())
    }
    fn handle_notifications(&self, to: Arc<dyn ChainNotifications>) -> CallResult<Arc<dyn Handler>> {
        let mut inner = self.0.inner();
        inner.next_id += 1;
        let id = inner.next_id;
        inner.subscribers.push((id, to));
        let chain = self.0.clone();
        Ok(HandlerFn::new(move || chain.inner().subscribers.retain(|(other, _)| *other != id)))
    }
    fn wait_for_notifications_if_tip_changed(&self, _old_tip: BlockHash) -> CallResult<()> {
        Ok(())
    }
    fn wait_for_notifications(&self) -> CallResult<()> {
        Ok(())
    }
    fn request_mempool_transactions(&self, to: Arc<dyn ChainNotifications>) -> CallResult<()> {
        let txs: Vec<TxRef> = self.0.inner().mempool.values().cloned().collect();
        txs.into_iter().try_for_each(|tx| to.transaction_added_to_mempool(tx))
    }
    fn handle_rpc(&self, command: RpcCommand, actor: Arc<dyn RpcActor>) -> CallResult<Arc<dyn Handler>> {
        self.0.inner().actors.insert(command.name.clone(), actor);
        let chain = self.0.clone();
        Ok(HandlerFn::new(move || {
            chain.inner().actors.remove(&command.name);
        }))
    }
    fn rpc_enable_deprecated(&self, _method: &str) -> CallResult<bool> {
        Ok(false)
    }
    fn get_setting(&self, name: &str) -> CallResult<Value> {
        Ok(self.0.inner().settings.get(name).cloned().unwrap_or_default())
    }
    fn get_settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        Ok(match self.get_setting(name)? {
            Value::Null => Vec::new(),
            Value::Array(list) => list,
            value => vec![value],
        })
    }
    fn get_rw_setting(&self, name: &str) -> CallResult<Value> {
        self.get_setting(name)
    }
    fn update_rw_setting(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        if let Some((value, action)) = update.update(self.get_setting(name)?)? {
            return self.overwrite_rw_setting(name, value, action);
        }
        Ok(true)
    }
    fn overwrite_rw_setting(&self, name: &str, value: Value, _action: SettingsAction) -> CallResult<bool> {
        self.0.inner().settings.insert(name.into(), value);
        Ok(true)
    }
    fn delete_rw_settings(&self, name: &str, _action: SettingsAction) -> CallResult<bool> {
        self.0.inner().settings.remove(name);
        Ok(true)
    }
}

/// A chain, a folder, and a wallet process over them.
pub struct Setup {
    pub chain: Arc<FakeChain>,
    pub dir: tempfile::TempDir,
    pub loader: Option<Arc<dyn WalletLoader>>,
    extra: Vec<String>,
}

impl Setup {
    pub fn new(extra: &[&str]) -> Setup {
        // Keys are as old as the chain, so that no block is skipped.
        grs_sync::clock::set_mock_time(i64::from(START_TIME));
        let mut setup = Setup {
            chain: FakeChain::new(),
            dir: tempfile::tempdir().unwrap(),
            loader: None,
            extra: extra.iter().map(|s| (*s).to_owned()).collect(),
        };
        std::fs::create_dir_all(setup.dir.path().join("regtest/wallets")).unwrap();
        assert!(setup.start());
        setup
    }

    /// Starts the wallet process; false if it refuses.
    pub fn start(&mut self) -> bool {
        let mut argv = vec![
            "-regtest".to_owned(),
            format!("-datadir={}", self.dir.path().display()),
            "-keypool=8".to_owned(),
            "-unsafesqlitesync=1".to_owned(),
            "-rpcdoccheck=1".to_owned(),
        ];
        argv.extend(self.extra.iter().cloned());
        let args = ArgsManager::new().declare(&options::node(true));
        args.parse_parameters(&argv).unwrap();
        args.select_config_network(ChainType::Regtest);
        let handle = Arc::new(ChainHandle(self.chain.clone()));
        let loader = grs_wallet::make_wallet_loader(Arc::new(args), handle);
        loader.register_rpcs().unwrap();
        if !loader.verify().unwrap() || !loader.load().unwrap() {
            return false;
        }
        loader.start().unwrap();
        self.loader = Some(loader);
        true
    }

    pub fn stop(&mut self) {
        if let Some(loader) = self.loader.take() {
            loader.stop().unwrap();
        }
    }

    pub fn call(&self, method: &str, params: Value) -> Value {
        self.chain.rpc("", method, params).unwrap_or_else(|e| panic!("{method}: {e:?}"))
    }

    pub fn fail(&self, method: &str, params: Value) -> (i32, String) {
        self.chain.rpc("", method, params).expect_err(method)
    }

    /// The script of an address.
    pub fn script(&self, address: &str) -> Script {
        grs_descriptor::decode_destination(address, grs_params::Network::Regtest).unwrap().script()
    }

    pub fn new_script(&self) -> Script {
        let address = self.call("getnewaddress", Value::Array(vec![]));
        self.script(address.as_str().unwrap())
    }

    pub fn balance(&self) -> String {
        self.call("getbalance", Value::Array(vec![])).to_string()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.stop();
    }
}
