//! Wallet processes that are started by themselves and attach to a running node.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Stdio};

use common::{Attached, Node, program, tail, until};
use grs_interfaces::{Hello, Role};
use grs_ipc::{Ipc, IpcAddress};
use serde_json::{Value, json};

const WALLET_NOT_FOUND: i64 = -18;
const WALLET_NOT_SPECIFIED: i64 = -19;
const WALLET_ALREADY_LOADED: i64 = -35;
const METHOD_NOT_FOUND: i64 = -32601;

#[test]
fn a_wallet_process_attaches_and_detaches() {
    let mut node = Node::new("attach");
    node.start(&["-ipcbind=unix", "-nowalletprocess"]);
    assert_eq!(node.own_wallet_pid(), None);
    let without = node.call("/", "getbalance", json!([])).unwrap_err();
    assert_eq!(without, (METHOD_NOT_FOUND, "Method not found".into()));

    let wallet = Attached::start(&node, "w1.log", &["-ipcconnect"]);
    assert_eq!(node.call("/", "getbalance", json!([])).unwrap_err().0, WALLET_NOT_FOUND);
    node.ok("/", "createwallet", json!(["alice"]));
    let mine = node.text("/wallet/alice", "getnewaddress", json!([]));
    node.mine(125, &mine);
    let balance = node.ok("/", "getbalance", json!([]));
    assert!(balance.as_f64().unwrap() > 0.0);
    assert!(node.text("/", "help", json!(["getbalance"])).starts_with("getbalance"));

    // An orderly end: the node takes the commands away, and that is no loss.
    wallet.end();
    let without = node.call("/", "getbalance", json!([])).unwrap_err();
    assert_eq!(without, (METHOD_NOT_FOUND, "Method not found".into()));
    assert!(node.log().contains("A wallet process has detached"));

    // Blocks that it misses are caught up with; the command line says which wallet.
    node.mine(3, &mine);
    let wallet = Attached::start(&node, "w2.log", &["-ipcconnect=unix", "-wallet=alice"]);
    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice"]));
    let info = node.ok("/", "getwalletinfo", json!([]));
    assert_eq!(info["lastprocessedblock"]["height"], 128);
    assert!(node.ok("/", "getbalance", json!([])).as_f64() > balance.as_f64());

    // A killed one is named by later calls.
    let pid = wallet.pid();
    wallet.kill();
    let text = until("the loss", || {
        node.call("/", "getbalance", json!([])).err().filter(|(code, _)| *code == METHOD_NOT_FOUND)
    });
    assert!(text.1.contains(&format!("Process {pid} has closed the connection.")), "{text:?}");
    node.stop();
    assert!(!node.socket().exists());
}

#[test]
fn mock_time_reaches_all_wallet_processes() {
    let mut node = Node::new("mocktime");
    node.start(&["-ipcbind=unix", "-fallbackfee=0.001"]);
    for wallet in ["own", "a", "b"] {
        node.ok("/", "createwallet", json!([wallet]));
    }
    for wallet in ["a", "b"] {
        node.ok("/", "unloadwallet", json!([wallet]));
    }
    let mine = node.text("/wallet/own", "getnewaddress", json!([]));
    node.mine(125, &mine);
    let hash = node.text("/", "getbestblockhash", json!([]));
    let time = node.ok("/", "getblockheader", json!([hash]))["time"].as_i64().unwrap() + 100_000;
    // One is attached already, the other one attaches later.
    let _a = Attached::start(&node, "a.log", &["-ipcconnect", "-wallet=a"]);
    node.ok("/", "setmocktime", json!([time]));
    let _b = Attached::start(&node, "b.log", &["-ipcconnect", "-wallet=b"]);
    for wallet in ["a", "b"] {
        let target = node.text(&format!("/wallet/{wallet}"), "getnewaddress", json!([]));
        let txid = node.text("/wallet/own", "sendtoaddress", json!([target, 7]));
        for wallet in ["own", wallet] {
            let received = until("the transaction", || {
                node.call(&format!("/wallet/{wallet}"), "gettransaction", json!([txid])).ok()
            });
            assert_eq!(received["timereceived"], time, "{wallet}");
        }
    }
    node.stop();
}

#[test]
fn two_wallet_processes_with_different_wallets() {
    let mut node = Node::new("two");
    node.start(&["-ipcbind=unix"]);
    // The node's own process makes both, and lets go of one.
    node.ok("/", "createwallet", json!(["alice"]));
    node.ok("/", "createwallet", json!(["bob"]));
    node.ok("/", "unloadwallet", json!(["bob"]));
    let mine = node.text("/", "getnewaddress", json!([]));
    node.mine(125, &mine);
    let wallet = Attached::start(&node, "bob.log", &["-ipcconnect", "-wallet=bob"]);

    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice", "bob"]));
    assert_eq!(node.call("/", "getbalance", json!([])).unwrap_err().0, WALLET_NOT_SPECIFIED);
    let target = node.text("/wallet/bob", "getnewaddress", json!([]));
    let txid = node.text("/wallet/alice", "sendtoaddress", json!([target, 7]));
    node.mine(1, &mine);
    let received = node.ok("/wallet/bob", "gettransaction", json!([txid]));
    assert_eq!(received["amount"].as_f64(), Some(7.0));
    assert_eq!(received["confirmations"], 1);
    assert_eq!(node.ok("/wallet/bob", "getbalance", json!([])).as_f64(), Some(7.0));
    // And back.
    let back = node.text("/wallet/alice", "getnewaddress", json!([]));
    let txid = node.text("/wallet/bob", "sendtoaddress", json!([back, 2]));
    node.mine(1, &mine);
    assert_eq!(node.ok("/wallet/alice", "gettransaction", json!([txid]))["confirmations"], 1);

    let (code, text) = node.call("/", "loadwallet", json!(["bob"])).unwrap_err();
    assert_eq!(code, WALLET_ALREADY_LOADED);
    assert!(text.contains("another wallet process"), "{text}");
    let unknown = node.call("/wallet/carol", "getbalance", json!([])).unwrap_err();
    assert_eq!(unknown.0, WALLET_NOT_FOUND);

    // New wallets go to the node's own process, or to that of the wallet in the path.
    node.ok("/", "createwallet", json!(["carol"]));
    node.ok("/wallet/bob", "createwallet", json!(["dave"]));
    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice", "carol", "bob", "dave"]));
    node.ok("/", "unloadwallet", json!(["dave"]));
    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice", "carol", "bob"]));
    node.ok("/wallet/carol", "unloadwallet", json!([]));

    let pid = wallet.pid();
    wallet.kill();
    let (code, text) = until("the loss", || {
        let error = node.call("/wallet/bob", "getbalance", json!([])).unwrap_err();
        (error.0 == WALLET_NOT_FOUND).then_some(error)
    });
    assert!(text.contains(&format!("Process {pid} has closed the connection.")), "{code} {text}");
    // Alone again.
    assert!(node.ok("/", "getbalance", json!([])).as_f64().is_some());
    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice"]));
    node.ok("/", "loadwallet", json!(["bob"]));
    node.stop();
}

#[test]
fn the_wallet_process_comes_back_with_the_node_and_catches_up() {
    let mut node = Node::new("return");
    let with = ["-ipcbind=unix", "-nowalletprocess"];
    node.start(&with);
    let wallet = Attached::start(&node, "w.log", &["-ipcconnect"]);
    node.ok("/", "createwallet", json!(["alice"]));
    node.ok("/", "createwallet", json!(["far"]));
    let mine = node.text("/wallet/alice", "getnewaddress", json!([]));
    let far = node.text("/wallet/far", "getnewaddress", json!([]));
    node.mine(125, &mine);
    let known = node.text("/wallet/alice", "sendtoaddress", json!([far, 5]));
    node.mine(1, &mine);
    let last = node.text("/", "getbestblockhash", json!([]));

    // While it is away the last block goes, and others come in its place. First after an orderly stop.
    node.stop();
    until("the notice", || wallet.log_text().contains("Lost the node").then_some(()));
    node.start(&["-ipcbind=unix:elsewhere.sock", "-nowalletprocess"]);
    assert_eq!(node.call("/", "getbalance", json!([])).unwrap_err().0, METHOD_NOT_FOUND);
    node.ok("/", "invalidateblock", json!([last]));
    node.mine(4, &far);
    let tip = node.text("/", "getbestblockhash", json!([]));
    node.stop();
    let count = wallet.count();
    node.start(&with);
    until("the return", || (wallet.count() > count).then_some(()));
    let info = node.ok("/wallet/alice", "getwalletinfo", json!([]));
    assert_eq!(info["lastprocessedblock"]["hash"], json!(tip), "{}", tail(&wallet.log));
    // The payment is in another block now, if anywhere; its old block counts no more.
    let payment = node.ok("/wallet/alice", "gettransaction", json!([known]));
    assert_ne!(payment["blockhash"], json!(last));
    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice", "far"]));

    // Then after a crash of the node, in the middle of its work.
    let count = wallet.count();
    node.kill();
    node.start(&with);
    until("the second return", || (wallet.count() > count).then_some(()));
    node.mine(1, &mine);
    let height = node.ok("/", "getblockcount", json!([]));
    let info = node.ok("/wallet/far", "getwalletinfo", json!([]));
    assert_eq!(info["lastprocessedblock"]["height"], height);
    wallet.end();
    node.stop();
}

#[test]
fn refusals_say_why() {
    let mut node = Node::new("refuse");
    let (code, text) = Attached::refused(&node, &["-ipcconnect"]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("there is no such socket") && text.contains("-chain=regtest -ipcbind=unix"),
        "{text}"
    );
    let (code, text) = Attached::refused(&node, &["-ipcconnect=tcp:1"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("tcp:1"), "{text}");

    node.start(&["-ipcbind=unix"]);
    node.ok("/", "createwallet", json!(["alice"]));
    let (code, text) = Attached::refused(&node, &["-ipcconnect", "-wallet=alice"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("Unable to obtain an exclusive lock"), "{text}");
    assert!(text.contains("Another process has this wallet open"), "{text}");

    let socket = format!("-ipcconnect=unix:{}", node.socket().display());
    let other = Command::new(program("groestlcoin-wallet"))
        .args(["-testnet4", &node.datadir(), &socket])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&other.stderr);
    assert_eq!(other.status.code(), Some(1));
    assert!(text.contains("Network mismatch") && text.contains("'regtest'"), "{text}");

    // A later release with other interfaces.
    let ipc = Ipc::start("groestlcoin-wallet").unwrap();
    let address = IpcAddress::parse("unix", &node.dir.join("regtest")).unwrap();
    let mut hello = Hello::new(Role::Wallet, "v99.0.0");
    hello.schema_major += 1;
    let refused = ipc.join(&address, &hello, |_| {}).err().unwrap().to_string();
    assert!(refused.contains("version mismatch") && refused.contains("v99.0.0"), "{refused}");
    assert!(node.log().contains("was refused: Interface version mismatch"));

    // Somebody who says nothing that a node would say.
    let path = node.dir.join("regtest/nobody.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let closes = std::thread::spawn(move || drop(listener.accept()));
    let (code, text) = Attached::refused(&node, &["-ipcconnect=unix:nobody.sock"]);
    closes.join().unwrap();
    assert_eq!(code, Some(1));
    assert!(text.contains("in the hand-shake"), "{text}");
    node.stop();
}

#[test]
fn wallets_of_the_settings_that_are_open_elsewhere_are_left_out() {
    let mut node = Node::new("settings");
    node.start(&["-ipcbind=unix"]);
    node.ok("/", "createwallet", json!(["alice", false, false, "", false, true, true]));
    // Both processes read the same settings file.
    let wallet = Attached::start(&node, "w.log", &["-ipcconnect"]);
    assert!(wallet.log_text().contains("Wallet \"alice\" is not loaded."), "{}", tail(&wallet.log));
    assert_eq!(node.ok("/", "listwallets", json!([])), json!(["alice"]));
    let listed: Value = node.ok("/", "listwalletdir", json!([]));
    assert_eq!(listed["wallets"][0]["name"], "alice");
    wallet.end();
    node.stop();
}
