//! Objects with simple answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_interfaces::*;
use grs_primitives::{Amount, Block, BlockLocator, HEADER_LEN, OutPoint, Script, TxOut, TxRef};
use serde_json::Value;

/// A chain of a few blocks.
pub struct FakeChain {
    pub blocks: Vec<Block>,
    pub mempool: Vec<TxRef>,
    pub settings: Mutex<BTreeMap<String, Value>>,
    pub subscribers: Arc<Mutex<Vec<(u32, Arc<dyn ChainNotifications>)>>>,
    pub commands: Arc<Mutex<BTreeMap<String, Arc<dyn RpcActor>>>>,
    pub messages: Mutex<Vec<String>>,
    next: AtomicU32,
}

impl FakeChain {
    pub fn new() -> Arc<FakeChain> {
        let mempool_tx = super::transaction(OutPoint::new(super::unknown_txid(), 3), b"mempool", 1000);
        Arc::new(FakeChain {
            blocks: super::blocks(20),
            mempool: vec![Arc::new(mempool_tx)],
            settings: Mutex::default(),
            subscribers: Arc::default(),
            commands: Arc::default(),
            messages: Mutex::default(),
            next: AtomicU32::new(0),
        })
    }

    pub fn hash(&self, height: u32) -> BlockHash {
        self.blocks[height as usize].hash()
    }

    fn height_of(&self, hash: BlockHash) -> Option<u32> {
        self.blocks.iter().position(|block| block.hash() == hash).map(|n| n as u32)
    }

    fn found(&self, height: u32, want: FindBlock) -> FoundBlock {
        let block = &self.blocks[height as usize];
        let time = i64::from(block.header.time);
        FoundBlock {
            hash: block.hash(),
            height,
            time,
            max_time: time + 1,
            mtp_time: time - 1,
            in_active_chain: true,
            locator: want.locator.then(|| BlockLocator { hashes: vec![block.hash(), self.hash(0)] }),
            next: (want.next && (height as usize) + 1 < self.blocks.len()).then(|| {
                Box::new(self.found(height + 1, FindBlock { data: want.next_data, ..FindBlock::default() }))
            }),
            data: want.data.then(|| BlockBytes(grs_encoding::encode_to_vec(block))),
        }
    }

    pub fn notify(&self, send: impl Fn(&dyn ChainNotifications) -> CallResult<()>) -> CallResult<()> {
        let subscribers = self.subscribers.lock().unwrap().clone();
        for (_, subscriber) in subscribers {
            send(&*subscriber)?;
        }
        Ok(())
    }

    pub fn info(&self, height: u32) -> BlockInfo {
        BlockInfo {
            hash: self.hash(height),
            prev_hash: (height > 0).then(|| self.hash(height - 1)),
            height,
            chain_time_max: 99,
            data: Some(Arc::new(self.blocks[height as usize].clone())),
            undo_data: Some(vec![1, 2, 3]),
        }
    }

    pub fn run_rpc(&self, request: RpcRequest) -> CallResult<Option<RpcReply>> {
        let actor = self.commands.lock().unwrap().get(&request.method).cloned();
        match actor {
            Some(actor) => actor.call(request, true),
            None => Ok(None),
        }
    }
}

impl Chain for FakeChain {
    fn get_height(&self) -> CallResult<Option<u32>> {
        Ok(Some(self.blocks.len() as u32 - 1))
    }
    fn get_block_hash(&self, height: u32) -> CallResult<BlockHash> {
        self.blocks
            .get(height as usize)
            .map(Block::hash)
            .ok_or_else(|| CallError::remote("height out of range"))
    }
    fn have_block_on_disk(&self, height: u32) -> CallResult<bool> {
        Ok(height >= 2)
    }
    fn find_locator_fork(&self, locator: &BlockLocator) -> CallResult<Option<u32>> {
        Ok(locator.hashes.iter().find_map(|hash| self.height_of(*hash)))
    }
    fn has_block_filter_index(&self) -> CallResult<bool> {
        Ok(true)
    }
    fn block_filter_matches_any(&self, block: BlockHash, scripts: &[Script]) -> CallResult<Option<bool>> {
        Ok(self.height_of(block).map(|height| scripts.iter().any(|script| **script == [height as u8])))
    }
    fn find_block(&self, hash: BlockHash, want: FindBlock) -> CallResult<Option<FoundBlock>> {
        Ok(self.height_of(hash).map(|height| self.found(height, want)))
    }
    fn find_first_block_with_time_and_height(
        &self,
        min_time: i64,
        min_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        let mut heights = min_height..self.blocks.len() as u32;
        let found = heights.find(|height| i64::from(self.blocks[*height as usize].header.time) >= min_time);
        Ok(found.map(|height| self.found(height, want)))
    }
    fn find_ancestor_by_height(
        &self,
        block: BlockHash,
        ancestor_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        let height = self.height_of(block);
        Ok(height.filter(|height| *height >= ancestor_height).map(|_| self.found(ancestor_height, want)))
    }
    fn find_ancestor_by_hash(
        &self,
        block: BlockHash,
        ancestor: BlockHash,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        let (block, ancestor) = (self.height_of(block), self.height_of(ancestor));
        Ok(block.zip(ancestor).filter(|(b, a)| a <= b).map(|(_, a)| self.found(a, want)))
    }
    fn find_common_ancestor(
        &self,
        block1: BlockHash,
        block2: BlockHash,
        want: FindBlock,
    ) -> CallResult<FoundCommonAncestor> {
        let (one, two) = (self.height_of(block1), self.height_of(block2));
        Ok(FoundCommonAncestor {
            ancestor: one.zip(two).map(|(a, b)| self.found(a.min(b), want)),
            block1: one.map(|height| self.found(height, want)),
            block2: two.map(|height| self.found(height, want)),
        })
    }
    fn find_coins(&self, outpoints: &[OutPoint]) -> CallResult<Vec<Option<Coin>>> {
        let coin = |outpoint: &OutPoint| {
            let height = self.blocks.iter().position(|block| block.txs[0].txid() == outpoint.txid)?;
            let out: TxOut = self.blocks[height].txs[0].outputs[outpoint.vout as usize].clone();
            Some(Coin { out, height: height as u32, coinbase: true })
        };
        Ok(outpoints.iter().map(coin).collect())
    }
    fn guess_verification_progress(&self, block: BlockHash) -> CallResult<f64> {
        Ok(self.height_of(block).map_or(0.0, |height| f64::from(height) / 16.0))
    }
    fn has_blocks(&self, block: BlockHash, min_height: u32, max_height: Option<u32>) -> CallResult<bool> {
        Ok(self
            .height_of(block)
            .is_some_and(|height| min_height >= 2 && max_height.is_none_or(|max| max <= height)))
    }
    fn scan_blocks(&self, needles: ScanNeedles, stop_height: Option<u32>) -> CallResult<Arc<dyn BlockScan>> {
        let mut set = NeedleSet::new();
        set.add(needles);
        Ok(Arc::new(FakeScan { blocks: self.blocks.clone(), set: Mutex::new(set), stop_height }))
    }
    fn is_rbf_opt_in(&self, tx: TxRef) -> CallResult<RbfState> {
        Ok(match tx.inputs[0].sequence {
            0xffff_fffe => RbfState::Final,
            0 => RbfState::ReplaceableBip125,
            _ => RbfState::Unknown,
        })
    }
    fn is_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        Ok(self.mempool.iter().any(|tx| tx.txid() == txid))
    }
    fn has_descendants_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        Ok(txid == super::unknown_txid())
    }
    fn broadcast_transaction(
        &self,
        tx: TxRef,
        max_fee: Amount,
        method: TxBroadcast,
    ) -> CallResult<Broadcast> {
        if method == TxBroadcast::NoMempoolPrivateBroadcast {
            return Err(CallError::remote("private broadcast is off"));
        }
        Ok(if max_fee < Amount(10) { Err(format!("{} pays too much", tx.txid())) } else { Ok(()) })
    }
    fn get_transaction_ancestry(&self, txids: &[Txid]) -> CallResult<Vec<TransactionAncestry>> {
        let ancestry = |txid: &Txid| {
            let known = u64::from(self.is_in_mempool(*txid)?);
            Ok(TransactionAncestry {
                ancestors: known,
                cluster_count: 2 * known,
                ancestor_size: 3 * known,
                ancestor_fees: Amount(4 * known as i64),
            })
        };
        txids.iter().map(ancestry).collect()
    }
    fn calculate_individual_bump_fees(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Vec<Amount>> {
        Ok(outpoints.iter().map(|outpoint| Amount(i64::from(outpoint.vout) + feerate.0)).collect())
    }
    fn calculate_combined_bump_fee(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Option<Amount>> {
        Ok((!outpoints.is_empty()).then_some(feerate))
    }
    fn get_package_limits(&self) -> CallResult<PackageLimits> {
        Ok(PackageLimits { ancestors: 25, descendants: 26 })
    }
    fn check_chain_limits(&self, tx: TxRef) -> CallResult<Result<(), BilingualString>> {
        Ok(if tx.lock_time == 7 {
            Ok(())
        } else {
            Err(BilingualString { original: "too long".into(), translated: "zu lang".into() })
        })
    }
    fn estimate_smart_fee(&self, num_blocks: u32, conservative: bool) -> CallResult<FeeEstimate> {
        Ok(FeeEstimate {
            feerate: Amount(1234),
            reason: if conservative { FeeReason::Conservative } else { FeeReason::HalfEstimate },
            desired_target: num_blocks,
            returned_target: num_blocks + 1,
            best_height: 9,
        })
    }
    fn estimate_max_blocks(&self) -> CallResult<u32> {
        Ok(1008)
    }
    fn mempool_min_fee(&self) -> CallResult<Amount> {
        Ok(Amount(1))
    }
    fn relay_min_fee(&self) -> CallResult<Amount> {
        Ok(Amount(2))
    }
    fn relay_incremental_fee(&self) -> CallResult<Amount> {
        Ok(Amount(3))
    }
    fn relay_dust_fee(&self) -> CallResult<Amount> {
        Ok(Amount(4))
    }
    fn have_pruned(&self) -> CallResult<bool> {
        Ok(true)
    }
    fn get_prune_height(&self) -> CallResult<Option<u32>> {
        Ok(Some(1))
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
        Ok(true)
    }
    fn init_message(&self, message: &str) -> CallResult<()> {
        self.messages.lock().unwrap().push(format!("message {message}"));
        Ok(())
    }
    fn init_warning(&self, message: &BilingualString) -> CallResult<()> {
        self.messages.lock().unwrap().push(format!("warning {}/{}", message.original, message.translated));
        Ok(())
    }
    fn init_error(&self, message: &BilingualString) -> CallResult<()> {
        self.messages.lock().unwrap().push(format!("error {}/{}", message.original, message.translated));
        Ok(())
    }
    fn show_progress(&self, title: &str, progress: i32, resume_possible: bool) -> CallResult<()> {
        self.messages.lock().unwrap().push(format!("progress {title} {progress} {resume_possible}"));
        Ok(())
    }
    fn handle_notifications(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<Arc<dyn Handler>> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.subscribers.lock().unwrap().push((id, notifications));
        let list = self.subscribers.clone();
        Ok(HandlerFn::new(move || list.lock().unwrap().retain(|(other, _)| *other != id)))
    }
    fn wait_for_notifications_if_tip_changed(&self, _: BlockHash) -> CallResult<()> {
        Ok(())
    }
    fn wait_for_notifications(&self) -> CallResult<()> {
        Ok(())
    }
    fn request_mempool_transactions(&self, notifications: Arc<dyn ChainNotifications>) -> CallResult<()> {
        for tx in &self.mempool {
            notifications.transaction_added_to_mempool(tx.clone())?;
        }
        Ok(())
    }
    fn handle_rpc(&self, command: RpcCommand, actor: Arc<dyn RpcActor>) -> CallResult<Arc<dyn Handler>> {
        assert_eq!(command.category, "wallet");
        assert_eq!(command.arg_names[0], RpcArgName { name: "a|b".into(), named_only: true });
        self.commands.lock().unwrap().insert(command.name.clone(), actor);
        let list = self.commands.clone();
        Ok(HandlerFn::new(move || {
            list.lock().unwrap().remove(&command.name);
        }))
    }
    fn rpc_enable_deprecated(&self, method: &str) -> CallResult<bool> {
        Ok(method == "old")
    }
    fn get_setting(&self, name: &str) -> CallResult<Value> {
        Ok(Value::from(format!("value of {name}")))
    }
    fn get_settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        Ok(vec![Value::from(name), Value::from(2), Value::Null])
    }
    fn get_rw_setting(&self, name: &str) -> CallResult<Value> {
        Ok(self.settings.lock().unwrap().get(name).cloned().unwrap_or_default())
    }
    fn update_rw_setting(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        let before = self.get_rw_setting(name)?;
        match update.update(before)? {
            Some((value, action)) => self.overwrite_rw_setting(name, value, action),
            None => Ok(true),
        }
    }
    fn overwrite_rw_setting(&self, name: &str, value: Value, _: SettingsAction) -> CallResult<bool> {
        self.settings.lock().unwrap().insert(name.to_owned(), value);
        Ok(true)
    }
    fn delete_rw_settings(&self, name: &str, _: SettingsAction) -> CallResult<bool> {
        Ok(self.settings.lock().unwrap().remove(name).is_some())
    }
}

struct FakeScan {
    blocks: Vec<Block>,
    set: Mutex<NeedleSet>,
    stop_height: Option<u32>,
}

impl BlockScan for FakeScan {
    fn next_chunk(
        &self,
        from: u32,
        expected_prev: Option<BlockHash>,
        added: ScanNeedles,
    ) -> CallResult<ScanChunk> {
        let mut set = self.set.lock().unwrap();
        set.add(added);
        let tip_height = self.blocks.len() as u32 - 1;
        let stop = self.stop_height.unwrap_or(tip_height);
        let mut chunk = ScanChunk {
            blocks: Vec::new(),
            last: None,
            next_height: from,
            tip_height,
            progress: 0.5,
            status: ScanStatus::More,
        };
        if expected_prev.is_some_and(|prev| self.blocks[from as usize - 1].hash() != prev) {
            chunk.status = ScanStatus::Reorganized;
            return Ok(chunk);
        }
        while chunk.next_height <= stop && chunk.next_height < from + 8 {
            let block = &self.blocks[chunk.next_height as usize];
            chunk.last = Some(BlockRef { hash: block.hash(), height: chunk.next_height });
            if set.matches(block) {
                chunk.blocks.push(ScannedBlock {
                    hash: block.hash(),
                    height: chunk.next_height,
                    max_time: 5,
                    data: BlockBytes(grs_encoding::encode_to_vec(block)),
                });
            }
            chunk.next_height += 1;
        }
        if chunk.next_height > stop {
            chunk.status = ScanStatus::Done;
        }
        Ok(chunk)
    }
}

/// Writes down what it is told.
#[derive(Default)]
pub struct Recorder {
    pub events: Mutex<Vec<String>>,
    pub delay: Option<Duration>,
    pub fail: AtomicBool,
}

impl Recorder {
    fn note(&self, text: String) -> CallResult<()> {
        if let Some(delay) = self.delay {
            std::thread::sleep(delay);
        }
        if self.fail.load(Ordering::Relaxed) {
            return Err(CallError::remote("recorder is full"));
        }
        self.events.lock().unwrap().push(text);
        Ok(())
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

impl ChainNotifications for Recorder {
    fn options(&self) -> NotifyOptions {
        NotifyOptions { connect_undo_data: true, disconnect_data: true, disconnect_undo_data: false }
    }
    fn transaction_added_to_mempool(&self, tx: TxRef) -> CallResult<()> {
        self.note(format!("added {}", tx.txid()))
    }
    fn transaction_removed_from_mempool(&self, tx: TxRef, reason: MempoolRemovalReason) -> CallResult<()> {
        self.note(format!("removed {} {reason:?}", tx.txid()))
    }
    fn block_connected(&self, role: ChainstateRole, block: &BlockInfo) -> CallResult<()> {
        let undo = block.undo_data.as_ref().map_or(0, Vec::len);
        let data = block.data.as_ref().map(|data| data.hash());
        assert_eq!(data, Some(block.hash));
        self.note(format!("connected {} {undo} {}", block.height, role.validated))
    }
    fn block_disconnected(&self, block: &BlockInfo) -> CallResult<()> {
        self.note(format!("disconnected {} {:?}", block.height, block.prev_hash))
    }
    fn updated_block_tip(&self) -> CallResult<()> {
        self.note("tip".into())
    }
    fn chain_state_flushed(&self, role: ChainstateRole, locator: &BlockLocator) -> CallResult<()> {
        self.note(format!("flushed {} {}", role.historical, locator.hashes.len()))
    }
}

/// Everything that a process can offer.
pub struct FakeInit {
    pub chain: Arc<FakeChain>,
    pub role: Role,
}

impl Init for FakeInit {
    fn hello(&self, peer: &Hello) -> CallResult<Hello> {
        let mut own = Hello::new(self.role, "v31.0.0-test");
        own.network = "regtest".into();
        own.check(peer).map_err(CallError::Remote)?;
        Ok(own)
    }
    fn make_mining(&self) -> CallResult<Option<Arc<dyn Mining>>> {
        Ok(Some(Arc::new(FakeMining { chain: self.chain.clone(), waits: Arc::default() })))
    }
    fn make_node(&self) -> CallResult<Arc<dyn Node>> {
        Ok(Arc::new(super::KitNode))
    }
    fn make_rpc(&self) -> CallResult<Arc<dyn Rpc>> {
        Ok(Arc::new(FakeRpc))
    }
    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        Ok(self.chain.clone())
    }
    fn make_wallet_loader(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        Ok(Arc::new(FakeLoader { args, chain, ..FakeLoader::default_with() }))
    }
}

struct FakeRpc;

impl Rpc for FakeRpc {
    fn execute_rpc(&self, request: &str, uri: &str, user: &str) -> CallResult<String> {
        Ok(format!("{request}{uri}{user}"))
    }
}

/// A wallet process with one RPC command.
pub struct FakeLoader {
    pub args: GlobalArgs,
    pub chain: Arc<dyn Chain>,
    pub handlers: Mutex<Vec<Arc<dyn Handler>>>,
    pub time: AtomicI64,
    pub callbacks: Arc<Mutex<Vec<Arc<dyn LoadWalletCallback>>>>,
}

impl FakeLoader {
    fn default_with() -> FakeLoader {
        FakeLoader {
            args: GlobalArgs::default(),
            chain: FakeChain::new(),
            handlers: Mutex::default(),
            time: AtomicI64::new(0),
            callbacks: Arc::default(),
        }
    }
}

struct Commands(Arc<dyn Chain>);

impl RpcActor for Commands {
    fn call(&self, request: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>> {
        Ok(match (request.mode, request.params.as_str()) {
            (RpcMode::GetHelp, _) => Some(Ok("\"help text\"".into())),
            // Calls back into the node from within its own call.
            (_, "[\"height\"]") => Some(Ok(self.0.get_height()?.unwrap_or(0).to_string())),
            (_, "[\"fee\"]") => Some(Ok(self.0.mempool_min_fee()?.0.to_string())),
            (_, "[\"exit\"]") => std::process::exit(3),
            (_, "[\"sleep\"]") => {
                std::thread::sleep(Duration::from_secs(60));
                None
            }
            (_, "[\"fail\"]") => Some(Err(RpcError { code: -4, message: request.uri })),
            _ if last_callback => Some(Ok(request.params)),
            _ => None,
        })
    }
}

impl ChainClient for FakeLoader {
    fn register_rpcs(&self) -> CallResult<()> {
        let command = |name: &str| RpcCommand {
            category: "wallet".into(),
            name: name.into(),
            arg_names: vec![RpcArgName { name: "a|b".into(), named_only: true }],
            unique_id: 5,
        };
        let commands = vec![command("getbalance"), command("sendall")];
        let handler = self.chain.handle_rpcs(commands, Arc::new(Commands(self.chain.clone())))?;
        self.handlers.lock().unwrap().push(handler);
        Ok(())
    }
    fn verify(&self) -> CallResult<bool> {
        Ok(self.args.network == "regtest")
    }
    fn load(&self) -> CallResult<bool> {
        Ok(self.args.command_line_options["wallet"] == [Value::from("w")])
    }
    fn start(&self) -> CallResult<()> {
        Ok(())
    }
    fn stop(&self) -> CallResult<()> {
        let handlers = std::mem::take(&mut *self.handlers.lock().unwrap());
        handlers.iter().try_for_each(|handler| handler.disconnect())
    }
    fn set_mock_time(&self, time: i64) -> CallResult<()> {
        self.time.store(time, Ordering::Relaxed);
        Ok(())
    }
    fn scheduler_mock_forward(&self, seconds: i64) -> CallResult<()> {
        self.time.fetch_add(seconds, Ordering::Relaxed);
        Ok(())
    }
}

impl WalletLoader for FakeLoader {
    fn gui_wallets(&self) -> CallResult<Arc<dyn Wallets>> {
        Ok(Arc::new(super::KitWallets))
    }
    fn create_wallet(&self, name: &str, passphrase: SecureString, flags: u64) -> CallResult<WalletOutcome> {
        for callback in self.callbacks.lock().unwrap().iter() {
            callback.loaded(name)?;
        }
        let warning = format!("{} {}", passphrase.as_bytes().len(), flags);
        Ok(WalletOutcome { result: Ok(name.into()), warnings: vec![warning.into()] })
    }
    fn load_wallet(&self, name: &str) -> CallResult<WalletOutcome> {
        Ok(WalletOutcome { result: Err(format!("no {name}").into()), warnings: vec![] })
    }
    fn restore_wallet(&self, backup_file: &str, name: &str, load: bool) -> CallResult<WalletOutcome> {
        Ok(WalletOutcome { result: Ok(format!("{backup_file} {name} {load}")), warnings: vec![] })
    }
    fn migrate_wallet(
        &self,
        name: &str,
        passphrase: SecureString,
    ) -> CallResult<Result<WalletMigration, BilingualString>> {
        Ok(if passphrase.is_empty() {
            Err("passphrase needed".into())
        } else {
            Ok(WalletMigration {
                wallet: name.into(),
                watch_only: Some("watch".into()),
                solvables: None,
                backup_path: "/b".into(),
            })
        })
    }
    fn is_encrypted(&self, name: &str) -> CallResult<bool> {
        Ok(name == "locked")
    }
    fn get_wallet_dir(&self) -> CallResult<String> {
        Ok(self.args.net_data_dir.clone())
    }
    fn list_wallet_dir(&self) -> CallResult<Vec<WalletDirEntry>> {
        Ok(vec![WalletDirEntry { name: "w".into(), format: "sqlite".into() }])
    }
    fn get_wallets(&self) -> CallResult<Vec<String>> {
        Ok(vec![String::new(), self.time.load(Ordering::Relaxed).to_string()])
    }
    fn handle_load_wallet(&self, callback: Arc<dyn LoadWalletCallback>) -> CallResult<Arc<dyn Handler>> {
        self.callbacks.lock().unwrap().push(callback);
        let list = self.callbacks.clone();
        Ok(HandlerFn::new(move || list.lock().unwrap().clear()))
    }
}

#[derive(Default)]
struct Waits {
    interrupted: Mutex<bool>,
    cond: Condvar,
}

impl Waits {
    /// True at timeout, false at interrupt.
    fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout.min(Duration::from_secs(30));
        let mut interrupted = self.interrupted.lock().unwrap();
        loop {
            if std::mem::take(&mut *interrupted) {
                return false;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return true };
            interrupted = self.cond.wait_timeout(interrupted, left).unwrap().0;
        }
    }

    fn interrupt(&self) {
        *self.interrupted.lock().unwrap() = true;
        self.cond.notify_all();
    }
}

struct FakeMining {
    chain: Arc<FakeChain>,
    waits: Arc<Waits>,
}

impl Mining for FakeMining {
    fn is_test_chain(&self) -> CallResult<bool> {
        Ok(true)
    }
    fn is_initial_block_download(&self) -> CallResult<bool> {
        Ok(false)
    }
    fn get_tip(&self) -> CallResult<Option<BlockRef>> {
        let height = self.chain.blocks.len() as u32 - 1;
        Ok(Some(BlockRef { hash: self.chain.hash(height), height }))
    }
    fn wait_tip_changed(&self, current_tip: BlockHash, timeout: Duration) -> CallResult<Option<BlockRef>> {
        let tip = self.get_tip()?;
        if tip.is_some_and(|tip| tip.hash != current_tip) {
            return Ok(tip);
        }
        Ok(if self.waits.wait(timeout) { tip } else { None })
    }
    fn create_new_block(
        &self,
        options: BlockCreateOptions,
        cooldown: bool,
    ) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        if options.block_reserved_weight < 2000 {
            return Err(CallError::remote("block_reserved_weight (1) must be at least 2000 weight units"));
        }
        if cooldown {
            return Ok(None);
        }
        Ok(Some(Arc::new(FakeTemplate { block: self.chain.blocks[3].clone(), waits: Arc::default() })))
    }
    fn check_block(&self, block: &BlockBytes, options: BlockCheckOptions) -> CallResult<BlockCheck> {
        if options.check_pow {
            return Ok(BlockCheck { valid: false, reason: "high-hash".into(), debug: "pow".into() });
        }
        Ok(BlockCheck { valid: block.decode().is_ok(), ..BlockCheck::default() })
    }
    fn interrupt(&self) -> CallResult<()> {
        self.waits.interrupt();
        Ok(())
    }
    fn submit_block(&self, block: &BlockBytes) -> CallResult<BlockCheck> {
        Ok(BlockCheck { valid: true, reason: block.0.len().to_string(), ..BlockCheck::default() })
    }
    fn get_transactions_by_txid(&self, txids: &[Txid]) -> CallResult<Vec<Option<TxRef>>> {
        let find = |id: &Txid| self.chain.mempool.iter().find(|tx| tx.txid() == *id).cloned();
        Ok(txids.iter().map(find).collect())
    }
    fn get_transactions_by_witness_id(&self, wtxids: &[Wtxid]) -> CallResult<Vec<Option<TxRef>>> {
        let find = |id: &Wtxid| self.chain.mempool.iter().find(|tx| tx.wtxid() == *id).cloned();
        Ok(wtxids.iter().map(find).collect())
    }
}

struct FakeTemplate {
    block: Block,
    waits: Arc<Waits>,
}

impl BlockTemplate for FakeTemplate {
    fn get_block_header(&self) -> CallResult<[u8; HEADER_LEN]> {
        Ok(self.block.header.to_bytes())
    }
    fn get_block(&self) -> CallResult<BlockBytes> {
        Ok(BlockBytes(grs_encoding::encode_to_vec(&self.block)))
    }
    fn get_tx_fees(&self) -> CallResult<Vec<Amount>> {
        Ok(vec![Amount(5), Amount(6)])
    }
    fn get_tx_sigops(&self) -> CallResult<Vec<i64>> {
        Ok(vec![4, 8])
    }
    fn get_coinbase_tx(&self) -> CallResult<CoinbaseTx> {
        Ok(CoinbaseTx {
            version: 2,
            sequence: 0xffff_fffe,
            script_sig_prefix: vec![1, 17],
            witness: Some([0; 32]),
            block_reward_remaining: Amount(500),
            required_outputs: vec![TxOut::new(Amount(0), Script::from(&[0x6a, 1][..]))],
            lock_time: 16,
        })
    }
    fn get_coinbase_merkle_path(&self) -> CallResult<Vec<[u8; 32]>> {
        Ok(vec![[1; 32], [2; 32]])
    }
    fn submit_solution(&self, version: u32, timestamp: u32, nonce: u32, coinbase: TxRef) -> CallResult<bool> {
        Ok((version, timestamp, nonce) == (1, 2, 3) && coinbase.txid() == self.block.txs[0].txid())
    }
    fn wait_next(&self, options: BlockWaitOptions) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        if options.fee_threshold == Amount(0) {
            return Ok(Some(Arc::new(FakeTemplate { block: self.block.clone(), waits: self.waits.clone() })));
        }
        assert_eq!(options.fee_threshold, Amount::MAX_MONEY);
        self.waits.wait(options.timeout);
        Ok(None)
    }
    fn interrupt_wait(&self) -> CallResult<()> {
        self.waits.interrupt();
        Ok(())
    }
}
