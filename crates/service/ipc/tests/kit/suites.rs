//! One suite per interface. Each gets the interface, wherever the object is, and the object for what only it can do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_hashes::BlockHash;
use grs_interfaces::*;
use grs_primitives::{Amount, BlockLocator, OutPoint, Script, Transaction};
use serde_json::{Value, json};

use super::{FakeChain, Recorder, transaction, unknown_txid};

fn tx() -> Arc<Transaction> {
    Arc::new(transaction(OutPoint::new(unknown_txid(), 1), b"script", 42))
}

/// All of `Chain` but notifications, RPC and settings.
pub fn chain_suite(chain: &dyn Chain, fake: &FakeChain) {
    assert_eq!(chain.get_height(), Ok(Some(19)));
    assert_eq!(chain.get_block_hash(4), Ok(fake.hash(4)));
    assert_eq!(chain.get_block_hash(20), Err(CallError::Remote("height out of range".into())));
    assert_eq!(chain.have_block_on_disk(1), Ok(false));
    assert_eq!(chain.have_block_on_disk(2), Ok(true));
    let unknown = BlockHash::from_bytes([9; 32]);
    let locator = BlockLocator { hashes: vec![unknown, fake.hash(7), fake.hash(1)] };
    assert_eq!(chain.find_locator_fork(&locator), Ok(Some(7)));
    assert_eq!(chain.find_locator_fork(&BlockLocator::default()), Ok(None));
    assert_eq!(chain.has_block_filter_index(), Ok(true));
    let scripts = [Script::from(&[3][..]), Script::from(&[4][..])];
    assert_eq!(chain.block_filter_matches_any(fake.hash(4), &scripts), Ok(Some(true)));
    assert_eq!(chain.block_filter_matches_any(fake.hash(5), &scripts), Ok(Some(false)));
    assert_eq!(chain.block_filter_matches_any(unknown, &scripts), Ok(None));

    let all = FindBlock { data: true, locator: true, next: true, next_data: true };
    let none = FindBlock::default();
    for want in [none, all] {
        assert_eq!(chain.find_block(fake.hash(3), want), fake.find_block(fake.hash(3), want));
        assert_eq!(chain.find_block(unknown, want), Ok(None));
        let late = chain.find_first_block_with_time_and_height(1_400_000_090, 1, want);
        assert_eq!(late, fake.find_first_block_with_time_and_height(1_400_000_090, 1, want));
        assert_eq!(late.unwrap().unwrap().height, 2);
        assert_eq!(chain.find_first_block_with_time_and_height(i64::MAX, 0, want), Ok(None));
        let ancestor = chain.find_ancestor_by_height(fake.hash(9), 3, want).unwrap().unwrap();
        assert_eq!(ancestor.hash, fake.hash(3));
        assert_eq!(chain.find_ancestor_by_height(fake.hash(3), 9, want), Ok(None));
        let ancestor = chain.find_ancestor_by_hash(fake.hash(9), fake.hash(2), want).unwrap().unwrap();
        assert_eq!(ancestor.height, 2);
        assert_eq!(chain.find_ancestor_by_hash(fake.hash(2), fake.hash(9), want), Ok(None));
        let common = chain.find_common_ancestor(fake.hash(5), fake.hash(6), want);
        assert_eq!(common, fake.find_common_ancestor(fake.hash(5), fake.hash(6), want));
        let common = chain.find_common_ancestor(unknown, fake.hash(6), want).unwrap();
        assert!(common.ancestor.is_none() && common.block1.is_none() && common.block2.is_some());
    }
    let whole = chain.find_block(fake.hash(19), all).unwrap().unwrap();
    assert_eq!(whole.data.unwrap().decode().unwrap(), fake.blocks[19]);
    assert!(whole.next.is_none());

    let first = OutPoint::new(fake.blocks[0].txs[0].txid(), 0);
    let outpoints = [OutPoint::new(unknown_txid(), 7), first];
    let coins = chain.find_coins(&outpoints).unwrap();
    assert_eq!(coins, fake.find_coins(&outpoints).unwrap());
    assert!(coins[0].is_none() && coins[1].is_some());
    assert_eq!(chain.guess_verification_progress(fake.hash(8)), Ok(0.5));
    assert_eq!(chain.has_blocks(fake.hash(8), 2, Some(9)), Ok(false));
    assert_eq!(chain.has_blocks(fake.hash(8), 2, None), Ok(true));
    assert_eq!(chain.has_blocks(fake.hash(8), 0, Some(0)), Ok(false));
    scan(chain, fake);

    assert_eq!(chain.is_rbf_opt_in(tx()), Ok(RbfState::Final));
    assert_eq!(chain.is_in_mempool(fake.mempool[0].txid()), Ok(true));
    assert_eq!(chain.is_in_mempool(unknown_txid()), Ok(false));
    assert_eq!(chain.has_descendants_in_mempool(unknown_txid()), Ok(true));
    let all = TxBroadcast::MempoolAndBroadcastToAll;
    assert_eq!(chain.broadcast_transaction(tx(), Amount(10), all), Ok(Ok(())));
    let refused = format!("{} pays too much", tx().txid());
    assert_eq!(
        chain.broadcast_transaction(tx(), Amount(9), TxBroadcast::MempoolNoBroadcast),
        Ok(Err(refused))
    );
    assert_eq!(
        chain.broadcast_transaction(tx(), Amount(9), TxBroadcast::NoMempoolPrivateBroadcast),
        Err(CallError::Remote("private broadcast is off".into()))
    );
    let asked = [super::unknown_txid(), fake.mempool[0].txid()];
    let [unknown, ancestry] = chain.get_transaction_ancestry(&asked).unwrap()[..] else {
        panic!("two answers")
    };
    assert_eq!(unknown, TransactionAncestry::default());
    assert_eq!((ancestry.ancestors, ancestry.cluster_count, ancestry.ancestor_size), (1, 2, 3));
    assert_eq!(ancestry.ancestor_fees, Amount(4));
    assert_eq!(chain.calculate_individual_bump_fees(&outpoints, Amount(5)), Ok(vec![Amount(12), Amount(5)]));
    assert_eq!(chain.calculate_combined_bump_fee(&outpoints, Amount(5)), Ok(Some(Amount(5))));
    assert_eq!(chain.calculate_combined_bump_fee(&[], Amount(5)), Ok(None));
    assert_eq!(chain.get_package_limits(), Ok(PackageLimits { ancestors: 25, descendants: 26 }));
    assert_eq!(chain.check_chain_limits(tx()), Ok(Ok(())));
    let mut long = tx().to_mutable();
    long.lock_time = 8;
    let error = chain.check_chain_limits(Arc::new(long.into())).unwrap().unwrap_err();
    assert_eq!(error, BilingualString { original: "too long".into(), translated: "zu lang".into() });

    assert_eq!(chain.estimate_smart_fee(6, true), fake.estimate_smart_fee(6, true));
    assert_eq!(chain.estimate_smart_fee(6, false), fake.estimate_smart_fee(6, false));
    assert_eq!(chain.estimate_max_blocks(), Ok(1008));
    let fees = [
        chain.mempool_min_fee(),
        chain.relay_min_fee(),
        chain.relay_incremental_fee(),
        chain.relay_dust_fee(),
    ];
    assert_eq!(fees, [1, 2, 3, 4].map(|fee| Ok(Amount(fee))));
    assert_eq!(chain.have_pruned(), Ok(true));
    assert_eq!(chain.get_prune_height(), Ok(Some(1)));
    assert_eq!(chain.is_ready_to_broadcast(), Ok(true));
    assert_eq!(chain.is_initial_block_download(), Ok(false));
    assert_eq!(chain.shutdown_requested(), Ok(false));
    assert_eq!(chain.has_assumed_valid_chain(), Ok(true));

    fake.messages.lock().unwrap().clear();
    let both = BilingualString { original: "o".into(), translated: "ü".into() };
    chain.init_message("Loading…").unwrap();
    chain.init_warning(&both).unwrap();
    chain.init_error(&both).unwrap();
    chain.show_progress("Rescanning", 50, true).unwrap();
    assert_eq!(
        *fake.messages.lock().unwrap(),
        ["message Loading…", "warning o/ü", "error o/ü", "progress Rescanning 50 true"]
    );
}

fn scan(chain: &dyn Chain, fake: &FakeChain) {
    let needles = ScanNeedles { scripts: vec![Script::from(&[0][..])], outpoints: vec![] };
    let scan = chain.scan_blocks(needles, None).unwrap();
    let chunk = scan.next_chunk(0, None, ScanNeedles::default()).unwrap();
    assert_eq!(chunk.status, ScanStatus::More);
    assert_eq!(chunk.blocks.len(), 1);
    assert_eq!((chunk.next_height, chunk.tip_height), (8, 19));
    let last = chunk.last.unwrap();
    // The wallet finds out that it also wants block 10.
    let added = ScanNeedles { scripts: vec![Script::from(&[10][..])], outpoints: vec![] };
    let chunk = scan.next_chunk(8, Some(last.hash), added).unwrap();
    assert_eq!(chunk.blocks.iter().map(|block| block.height).collect::<Vec<_>>(), [10]);
    // The spending of the output that was found at the beginning is found without being asked for.
    let chunk = scan.next_chunk(16, Some(fake.hash(15)), ScanNeedles::default()).unwrap();
    assert_eq!(chunk.status, ScanStatus::Done);
    assert_eq!(chunk.blocks[0].data.decode().unwrap(), fake.blocks[19]);
    let chunk = scan.next_chunk(16, Some(fake.hash(2)), ScanNeedles::default()).unwrap();
    assert_eq!((chunk.status, chunk.last), (ScanStatus::Reorganized, None));
}

/// Subscriptions.
pub fn notifications_suite(chain: &dyn Chain, fake: &FakeChain) {
    let recorder = Arc::new(Recorder { delay: Some(Duration::from_millis(1)), ..Recorder::default() });
    let handler = chain.handle_notifications(recorder.clone()).unwrap();
    let pool = fake.mempool[0].clone();
    fake.notify(|to| to.transaction_added_to_mempool(pool.clone())).unwrap();
    fake.notify(|to| to.transaction_removed_from_mempool(pool.clone(), MempoolRemovalReason::Replaced))
        .unwrap();
    for height in 0..fake.blocks.len() as u32 {
        fake.notify(|to| to.block_connected(ChainstateRole::NORMAL, &fake.info(height))).unwrap();
    }
    fake.notify(|to| to.updated_block_tip()).unwrap();
    let genesis_undone = fake.info(0);
    fake.notify(|to| to.block_disconnected(&genesis_undone)).unwrap();
    let locator = BlockLocator { hashes: vec![fake.hash(1), fake.hash(0)] };
    let role = ChainstateRole { validated: false, historical: true };
    fake.notify(|to| to.chain_state_flushed(role, &locator)).unwrap();
    chain.wait_for_notifications().unwrap();
    let events = recorder.take();
    let id = pool.txid();
    let mut expected = vec![format!("added {id}"), format!("removed {id} Replaced")];
    expected.extend((0..fake.blocks.len()).map(|height| format!("connected {height} 3 true")));
    expected.extend(["tip", "disconnected 0 None", "flushed true 2"].map(String::from));
    assert_eq!(events, expected);

    chain.request_mempool_transactions(recorder.clone()).unwrap();
    assert_eq!(recorder.take(), [format!("added {id}")]);
    chain.wait_for_notifications_if_tip_changed(fake.hash(1)).unwrap();

    handler.disconnect().unwrap();
    assert!(fake.subscribers.lock().unwrap().is_empty());
    // Dropping the handler ends a subscription too.
    let handler = chain.handle_notifications(recorder.clone()).unwrap();
    assert_eq!(fake.subscribers.lock().unwrap().len(), 1);
    drop(handler);
    wait_until(|| fake.subscribers.lock().unwrap().is_empty());
}

/// Waits for something that happens soon.
pub fn wait_until(mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(10), "it did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Append(&'static str);

impl SettingsUpdate for Append {
    fn update(&self, value: Value) -> CallResult<Option<(Value, SettingsAction)>> {
        let Value::Array(mut list) = value else {
            return Ok(None);
        };
        list.push(self.0.into());
        Ok(Some((list.into(), SettingsAction::Write)))
    }
}

/// Settings, with a callback.
pub fn settings_suite(chain: &dyn Chain) {
    assert_eq!(chain.get_setting("datadir"), Ok(json!("value of datadir")));
    assert_eq!(chain.get_settings_list("x"), Ok(vec![json!("x"), json!(2), Value::Null]));
    assert_eq!(chain.get_rw_setting("wallet"), Ok(Value::Null));
    assert_eq!(chain.update_rw_setting("wallet", Arc::new(Append("a"))), Ok(true));
    assert_eq!(chain.get_rw_setting("wallet"), Ok(Value::Null));
    assert_eq!(chain.overwrite_rw_setting("wallet", json!(["ü"]), SettingsAction::SkipWrite), Ok(true));
    assert_eq!(chain.update_rw_setting("wallet", Arc::new(Append("b"))), Ok(true));
    assert_eq!(chain.get_rw_setting("wallet"), Ok(json!(["ü", "b"])));
    assert_eq!(chain.delete_rw_settings("wallet", SettingsAction::Write), Ok(true));
    assert_eq!(chain.delete_rw_settings("wallet", SettingsAction::Write), Ok(false));
    assert_eq!(chain.rpc_enable_deprecated("old"), Ok(true));
    assert_eq!(chain.rpc_enable_deprecated("new"), Ok(false));
}

/// A request as the node makes it.
pub fn request(method: &str, params: &str) -> RpcRequest {
    RpcRequest {
        method: method.into(),
        params: params.into(),
        uri: "/wallet/w".into(),
        ..RpcRequest::default()
    }
}

/// Forwarding of RPC requests to a loader that has registered its commands.
pub fn rpc_suite(fake: &FakeChain) {
    let run = |method: &str, params: &str| fake.run_rpc(request(method, params)).unwrap();
    assert_eq!(run("getbalance", "[1, \"ü\"]"), Some(Ok("[1, \"ü\"]".into())));
    assert_eq!(run("sendall", "[\"height\"]"), Some(Ok("19".into())));
    assert_eq!(run("sendall", "[\"fee\"]"), Some(Ok("1".into())));
    assert_eq!(run("sendall", "[\"fail\"]"), Some(Err(RpcError { code: -4, message: "/wallet/w".into() })));
    assert_eq!(run("other", "[]"), None);
    let help = RpcRequest { mode: RpcMode::GetHelp, ..request("sendall", "[]") };
    assert_eq!(fake.run_rpc(help).unwrap(), Some(Ok("\"help text\"".into())));
    // Several threads at once, each with callbacks.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(run("sendall", "[\"fee\"]"), Some(Ok("1".into())));
                }
            });
        }
    });
}

/// Settings for a loader.
pub fn args() -> GlobalArgs {
    GlobalArgs {
        forced_settings: BTreeMap::from([("server".into(), json!(true))]),
        command_line_options: BTreeMap::from([("wallet".into(), vec![json!("w")])]),
        rw_settings: BTreeMap::from([("wallet".into(), json!(["a"]))]),
        ro_config: BTreeMap::from([(
            "regtest".into(),
            BTreeMap::from([("addnode".into(), vec![json!("x"), json!(false)])]),
        )]),
        config_path: "/c.conf".into(),
        network: "regtest".into(),
        net_data_dir: "/data/regtest".into(),
    }
}

#[derive(Default)]
struct Loaded(std::sync::Mutex<Vec<String>>);

impl LoadWalletCallback for Loaded {
    fn loaded(&self, name: &str) -> CallResult<()> {
        self.0.lock().unwrap().push(name.to_owned());
        Ok(())
    }
}

/// The wallet process's face, made for `fake`.
pub fn loader_suite(init: &dyn Init, fake: &Arc<FakeChain>) {
    let loader = init.make_wallet_loader(args(), fake.clone()).unwrap();
    assert_eq!(loader.verify(), Ok(true));
    assert_eq!(loader.load(), Ok(true));
    loader.register_rpcs().unwrap();
    loader.start().unwrap();
    rpc_suite(fake);
    loader.set_mock_time(100).unwrap();
    loader.scheduler_mock_forward(-5).unwrap();
    assert_eq!(loader.get_wallets(), Ok(vec![String::new(), "95".into()]));
    assert_eq!(loader.get_wallet_dir(), Ok("/data/regtest".into()));
    assert_eq!(loader.list_wallet_dir().unwrap()[0].format, "sqlite");
    assert_eq!(loader.is_encrypted("locked"), Ok(true));
    let loaded = Arc::new(Loaded::default());
    let handler = loader.handle_load_wallet(loaded.clone()).unwrap();
    let made = loader.create_wallet("new", "secret".into(), 1 << 34).unwrap();
    assert_eq!(made, WalletOutcome { result: Ok("new".into()), warnings: vec!["6 17179869184".into()] });
    assert_eq!(*loaded.0.lock().unwrap(), ["new"]);
    handler.disconnect().unwrap();
    let missing = loader.load_wallet("x").unwrap();
    assert_eq!(missing, WalletOutcome { result: Err("no x".into()), warnings: vec![] });
    assert_eq!(loader.restore_wallet("/f", "n", true).unwrap().result, Ok("/f n true".into()));
    assert_eq!(loader.migrate_wallet("n", "".into()), Ok(Err("passphrase needed".into())));
    let done = loader.migrate_wallet("n", "p".into()).unwrap().unwrap();
    assert_eq!((done.watch_only, done.solvables), (Some("watch".into()), None));
    loader.stop().unwrap();
    assert!(fake.commands.lock().unwrap().is_empty());
    drop(loader);
}

/// `Init`, `Echo` and `Rpc`.
pub fn init_suite(init: &dyn Init) {
    let mut hello = Hello::new(Role::Other, "v1");
    assert_eq!(init.hello(&hello).unwrap().network, "regtest");
    hello.network = "main".into();
    assert!(matches!(init.hello(&hello), Err(CallError::Remote(text)) if text.contains("Network mismatch")));
    hello.network.clear();
    hello.schema_major += 1;
    assert!(matches!(init.hello(&hello), Err(CallError::Remote(text)) if text.contains("version mismatch")));
    let echo = init.make_echo().unwrap();
    assert_eq!(echo.echo("groß\0"), Ok("groß\0".into()));
    let long = "x".repeat(1 << 20);
    assert_eq!(echo.echo(&long), Ok(long.clone()));
    assert_eq!(init.make_rpc().unwrap().execute_rpc("{}", "/", "u"), Ok("{}/u".into()));
}

/// `Mining` and `BlockTemplate`.
pub fn mining_suite(init: &dyn Init, fake: &FakeChain) {
    let mining = init.make_mining().unwrap().unwrap();
    assert_eq!(mining.is_test_chain(), Ok(true));
    assert_eq!(mining.is_initial_block_download(), Ok(false));
    let tip = mining.get_tip().unwrap().unwrap();
    assert_eq!(tip, BlockRef { hash: fake.hash(19), height: 19 });
    assert_eq!(mining.wait_tip_changed(BlockHash::ZERO, TIMEOUT_FOREVER), Ok(Some(tip)));
    assert_eq!(mining.wait_tip_changed(tip.hash, Duration::from_millis(5)), Ok(Some(tip)));
    // Sticky, and it overtakes a wait that is under way.
    mining.interrupt().unwrap();
    assert_eq!(mining.wait_tip_changed(tip.hash, TIMEOUT_FOREVER), Ok(None));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| mining.wait_tip_changed(tip.hash, TIMEOUT_FOREVER));
        std::thread::sleep(Duration::from_millis(20));
        mining.interrupt().unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(None));
    });

    let options = BlockCreateOptions::default();
    assert!(mining.create_new_block(options, true).unwrap().is_none());
    let light = BlockCreateOptions { block_reserved_weight: 1, ..options };
    assert_eq!(
        mining.create_new_block(light, false).err(),
        Some(CallError::Remote("block_reserved_weight (1) must be at least 2000 weight units".into()))
    );
    let template = mining.create_new_block(options, false).unwrap().unwrap();
    let block = &fake.blocks[3];
    assert_eq!(template.get_block_header(), Ok(block.header.to_bytes()));
    assert_eq!(template.get_block().unwrap().decode().unwrap(), *block);
    assert_eq!(template.get_tx_fees(), Ok(vec![Amount(5), Amount(6)]));
    assert_eq!(template.get_tx_sigops(), Ok(vec![4, 8]));
    let coinbase = template.get_coinbase_tx().unwrap();
    assert_eq!((coinbase.witness, coinbase.lock_time), (Some([0; 32]), 16));
    assert_eq!(coinbase.required_outputs[0].script_pubkey.as_bytes(), [0x6a, 1]);
    assert_eq!(template.get_coinbase_merkle_path(), Ok(vec![[1; 32], [2; 32]]));
    assert_eq!(template.submit_solution(1, 2, 3, block.txs[0].clone()), Ok(true));
    assert_eq!(template.submit_solution(1, 2, 4, block.txs[0].clone()), Ok(false));
    let wait = BlockWaitOptions { timeout: Duration::from_millis(5), fee_threshold: Amount::MAX_MONEY };
    assert!(template.wait_next(wait).unwrap().is_none());
    template.interrupt_wait().unwrap();
    assert!(template.wait_next(BlockWaitOptions { timeout: TIMEOUT_FOREVER, ..wait }).unwrap().is_none());
    let next = template.wait_next(BlockWaitOptions { fee_threshold: Amount(0), ..wait }).unwrap().unwrap();
    assert_eq!(next.get_block_header(), Ok(block.header.to_bytes()));

    let bytes = template.get_block().unwrap();
    let bad = mining.check_block(&bytes, BlockCheckOptions::default()).unwrap();
    assert_eq!((bad.valid, bad.reason.as_str(), bad.debug.as_str()), (false, "high-hash", "pow"));
    let good =
        mining.check_block(&bytes, BlockCheckOptions { check_pow: false, check_merkle_root: true }).unwrap();
    assert_eq!(good, BlockCheck { valid: true, ..BlockCheck::default() });
    assert_eq!(mining.submit_block(&bytes).unwrap().reason, bytes.0.len().to_string());
    let pool = fake.mempool[0].clone();
    assert_eq!(
        mining.get_transactions_by_txid(&[unknown_txid(), pool.txid()]),
        Ok(vec![None, Some(pool.clone())])
    );
    assert_eq!(mining.get_transactions_by_witness_id(&[pool.wtxid()]), Ok(vec![Some(pool)]));
}
