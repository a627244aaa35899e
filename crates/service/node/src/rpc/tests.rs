//! Methods called on a chain in memory, with the check of results against their shapes.

use std::sync::Arc;

use grs_args::ArgsManager;
use grs_chainstate::{ChainstateManager, ChainstateOptions};
use grs_fs::{FileEnv, MemEnv};
use grs_mempool::{Mempool, MempoolOptions};
use grs_params::{ChainParams, Network};
use grs_rpc::{CallInfo, Params, RpcError, code};
use serde_json::{Value, json};

use crate::NodeContext;
use crate::notifications::NodeNotifications;

/// P2WPKH of key 1.
pub(crate) const DESCRIPTOR: &str =
    "wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)";

/// Key 1 as a text.
fn key() -> String {
    let mut bytes = [0; 32];
    bytes[31] = 1;
    let key = grs_keys::SecretKey::from_slice(&bytes, true).unwrap();
    grs_descriptor::encode_secret_key(&key, Network::Regtest).to_string()
}

/// A node with a chain and a mempool in memory.
pub(crate) struct Node(pub(crate) Arc<NodeContext>);

impl Node {
    pub(crate) fn new() -> Node {
        let params = Arc::new(ChainParams::for_network(Network::Regtest));
        let args = Arc::new(ArgsManager::new().declare(&grs_args::options::node(false)));
        let node = NodeContext::new(args, params.clone());
        let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
        let mut options = ChainstateOptions::new(env, params, "/node");
        options.coins_cache_bytes = 16 << 20;
        options.interrupt = node.shutdown.clone();
        options.notifications = NodeNotifications::new(&node);
        let chainman = ChainstateManager::open(options).unwrap();
        chainman.import_blocks(&[]).unwrap();
        let mempool = Mempool::new(MempoolOptions::default(), chainman.signals().clone());
        chainman.set_mempool(mempool.clone());
        node.tip.set(chainman.view().tip_hash(), 0);
        assert!(node.chainman.set(chainman).is_ok() && node.mempool.set(mempool).is_ok());
        node.rpc.set_doc_check(true);
        super::register(&node);
        node.rpc.start();
        node.rpc.set_warmup_finished();
        Node(node)
    }

    fn try_call(&self, name: &str, args: Value) -> Result<Value, RpcError> {
        let info = CallInfo::new(self.0.clone());
        let params = match args {
            Value::Object(map) => Params::from(map),
            Value::Array(list) => Params::from(list),
            other => panic!("arguments {other}"),
        };
        self.0.rpc.execute(&info, name, params)?.into_value()
    }

    pub(crate) fn call(&self, name: &str, args: Value) -> Value {
        self.try_call(name, args).unwrap_or_else(|e| panic!("{name}: {} {}", e.code, e.message))
    }

    pub(crate) fn fail(&self, name: &str, args: Value) -> (i32, String) {
        let error = self.try_call(name, args).expect_err(name);
        (error.code, error.message)
    }

    pub(crate) fn mine(&self, blocks: u32) -> Vec<Value> {
        let hashes = self.call("generatetodescriptor", json!([blocks, DESCRIPTOR]));
        hashes.as_array().unwrap().clone()
    }

    pub(crate) fn spend(&self, block: &Value) -> String {
        let block = self.call("getblock", json!([block]));
        let txid = &block["tx"][0];
        let address = self.address();
        let tx = self.call(
            "createrawtransaction",
            json!([[{ "txid": txid, "vout": 0 }], [{ address: 1 }, { "data": "00ff" }]]),
        );
        let signed = self.call("signrawtransactionwithkey", json!([tx, [key()]]));
        assert_eq!(signed["complete"], true, "{signed}");
        signed["hex"].as_str().unwrap().to_owned()
    }

    pub(crate) fn address(&self) -> String {
        let info = self.call("getdescriptorinfo", json!([DESCRIPTOR]));
        self.call("deriveaddresses", json!([info["descriptor"]]))[0].as_str().unwrap().to_owned()
    }
}

#[test]
fn blocks_headers_and_statistics() {
    let node = Node::new();
    let genesis = node.call("getblockhash", json!([0]));
    assert_eq!(node.call("getblockchaininfo", json!([]))["blocks"], 0);
    assert_eq!(node.call("getblockstats", json!([0]))["utxo_increase_actual"], 0);
    let hashes = node.mine(3);
    assert_eq!(node.call("getblockcount", json!([])), 3);
    assert_eq!(node.call("getbestblockhash", json!([])), hashes[2]);
    let header = node.call("getblockheader", json!([hashes[0]]));
    assert_eq!(header["previousblockhash"], genesis);
    assert_eq!(header["nextblockhash"], hashes[1]);
    assert_eq!(header["confirmations"], 3);
    assert_eq!(node.call("getblockheader", json!([hashes[0], false])).as_str().unwrap().len(), 160);
    for verbosity in 0..=3 {
        node.call("getblock", json!([hashes[1], verbosity]));
    }
    assert_eq!(node.call("getblock", json!([hashes[0]]))["coinbase_tx"]["coinbase"], "5100");
    assert_eq!(
        node.call("getblockstats", json!([3, ["height", "subsidy"]])),
        json!({
            "height": 3, "subsidy": 51_200_000_000_u64
        })
    );
    assert_eq!(
        node.fail("getblockhash", json!([4])),
        (code::INVALID_PARAMETER, "Block height out of range".into())
    );
    assert_eq!(
        node.fail("getblockstats", json!([4])),
        (code::INVALID_PARAMETER, "Target block height 4 after current tip 3".into())
    );
    assert_eq!(node.fail("getblock", json!(["00".repeat(32)])).1, "Block not found");
    node.call("getchaintxstats", json!([]));
    node.call("getdeploymentinfo", json!([]));
    node.call("getchainstates", json!([]));
    assert_eq!(node.call("verifychain", json!([4, 0])), true);
    assert_eq!(
        node.call("getdifficulty", json!([])),
        node.call("getblockchaininfo", json!([]))["difficulty"]
    );
    for kind in ["hash_serialized_3", "muhash", "none"] {
        assert_eq!(node.call("gettxoutsetinfo", json!([kind]))["txouts"], 3);
    }
    node.call("syncwithvalidationinterfacequeue", json!([]));
}

#[test]
fn branches() {
    let node = Node::new();
    let hashes = node.mine(4);
    node.call("invalidateblock", json!([hashes[2]]));
    assert_eq!(node.call("getblockcount", json!([])), 2);
    let tips = node.call("getchaintips", json!([]));
    assert_eq!(tips[0]["status"], "invalid");
    assert_eq!(tips[0]["branchlen"], 2);
    assert_eq!(tips[1]["status"], "active");
    node.call("reconsiderblock", json!([hashes[2]]));
    assert_eq!(node.call("getbestblockhash", json!([])), hashes[3]);
    node.call("preciousblock", json!([hashes[3]]));
    let stale = node.call("generateblock", json!([DESCRIPTOR, [], false]));
    assert!(node.call("submitheader", json!([&stale["hex"].as_str().unwrap()[..160]])).is_null());
    assert_eq!(node.call("getchaintips", json!([]))[0]["status"], "headers-only");
    assert!(node.call("submitblock", json!([stale["hex"]])).is_null());
    assert_eq!(node.call("submitblock", json!([stale["hex"]])), "duplicate");
    assert_eq!(node.call("getbestblockhash", json!([])), stale["hash"]);
}

#[test]
fn a_person_mines_many_blocks_quickly() {
    let node = Node::new();
    let start = std::time::Instant::now();
    assert_eq!(node.mine(125).len(), 125);
    println!("125 blocks in {:?}", start.elapsed());
    assert!(start.elapsed().as_secs() < 20);
    let info = node.call("getmininginfo", json!([]));
    assert_eq!(info["currentblocktx"], 0);
    assert_eq!(info["next"]["height"], 126);
    assert!(node.fail("generate", json!([])).1.contains("-generate"));
}

#[test]
fn templates() {
    let node = Node::new();
    node.mine(1);
    let rules = json!([{ "rules": ["segwit"] }]);
    let template = node.call("getblocktemplate", rules.clone());
    assert_eq!(template["height"], 2);
    assert_eq!(template["coinbasevalue"], 51_200_000_000_u64);
    assert_eq!(template["rules"], json!(["csv", "!segwit", "taproot"]));
    assert_eq!(node.call("getblocktemplate", rules), template);
    assert_eq!(
        node.fail("getblocktemplate", json!([{ "rules": [] }])).1,
        "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})"
    );
    let block = node.call("generateblock", json!([DESCRIPTOR, [], false]));
    let proposal = json!([{ "mode": "proposal", "data": block["hex"], "rules": ["segwit"] }]);
    assert!(node.call("getblocktemplate", proposal.clone()).is_null());
    node.call("submitblock", json!([block["hex"]]));
    assert_eq!(node.call("getblocktemplate", proposal), "duplicate");
}

#[test]
fn transactions_from_creation_to_block() {
    let node = Node::new();
    let hashes = node.mine(121);
    let hex = node.spend(&hashes[0]);
    let decoded = node.call("decoderawtransaction", json!([hex]));
    assert_eq!(decoded["vout"][1]["scriptPubKey"]["type"], "nulldata");
    let txid = decoded["txid"].clone();
    let test = node.call("testmempoolaccept", json!([[hex], 0]));
    assert_eq!(test[0]["allowed"], true, "{test}");
    assert_eq!(node.fail("sendrawtransaction", json!([hex])).0, code::TRANSACTION_ERROR);
    assert_eq!(node.call("sendrawtransaction", json!([hex, 0])), txid);
    assert_eq!(node.call("getrawmempool", json!([])), json!([txid]));
    assert_eq!(node.call("getrawmempool", json!([true]))[txid.as_str().unwrap()]["ancestorcount"], 1);
    assert_eq!(node.call("getmempoolinfo", json!([]))["size"], 1);
    node.call("getmempoolentry", json!([txid]));
    node.call("getmempoolcluster", json!([txid]));
    node.call("getmempoolfeeratediagram", json!([]));
    assert_eq!(node.call("getmempoolancestors", json!([txid])), json!([]));
    assert_eq!(node.call("getmempooldescendants", json!([txid, true])), json!({}));
    let spent = json!({ "txid": decoded["vin"][0]["txid"], "vout": 0 });
    assert_eq!(node.call("gettxspendingprevout", json!([[spent]]))[0]["spendingtxid"], txid);
    assert!(node.call("gettxout", json!([decoded["vin"][0]["txid"], 0])).is_null());
    assert_eq!(node.call("gettxout", json!([txid, 0]))["confirmations"], 0);
    assert_eq!(node.call("prioritisetransaction", json!([txid, 0, 1000])), true);
    assert_eq!(node.call("getprioritisedtransactions", json!([]))[txid.as_str().unwrap()]["fee_delta"], 1000);
    for verbosity in 0..=2 {
        node.call("getrawtransaction", json!([txid, verbosity]));
    }
    let block = node.mine(1)[0].clone();
    assert_eq!(node.call("getrawmempool", json!([])), json!([]));
    let shown = node.call("getrawtransaction", json!([txid, 2, block]));
    assert_eq!(shown["confirmations"], 1);
    assert_eq!(shown["vin"][0]["prevout"]["generated"], true);
    assert!(node.fail("getrawtransaction", json!([txid])).1.starts_with("No such mempool transaction."));
    assert!(node.call("getblock", json!([block, 3]))["tx"][1]["fee"].is_number());
    assert_eq!(node.call("gettxout", json!([txid, 0]))["confirmations"], 1);
    let proof = node.call("gettxoutproof", json!([[txid]]));
    assert_eq!(node.call("verifytxoutproof", json!([proof])), json!([txid]));
    let scan = node.call("scantxoutset", json!(["start", [DESCRIPTOR]]));
    assert_eq!(scan["success"], true);
    assert_eq!(scan["unspents"].as_array().unwrap().len(), 122);
    assert!(node.call("scantxoutset", json!(["status"])).is_null());
}

#[test]
fn addresses_scripts_and_messages() {
    let node = Node::new();
    let address = node.address();
    assert!(address.starts_with("grsrt1q"), "{address}");
    let valid = node.call("validateaddress", json!([address]));
    assert_eq!((&valid["isvalid"], &valid["witness_version"]), (&json!(true), &json!(0)));
    let invalid = node.call("validateaddress", json!(["grsrt1qqqq"]));
    assert_eq!(invalid["isvalid"], false);
    let keys = json!([
        "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
    ]);
    for kind in ["legacy", "p2sh-segwit", "bech32"] {
        let made = node.call("createmultisig", json!([1, keys, kind]));
        assert!(made.get("warnings").is_none(), "{made}");
        let script = node.call("decodescript", json!([made["redeemScript"]]));
        assert_eq!(script["type"], "multisig");
        if kind == "bech32" {
            assert_eq!(script["segwit"]["address"], made["address"]);
            assert_eq!(script["segwit"]["desc"], made["descriptor"]);
        }
    }
    assert_eq!(node.fail("createmultisig", json!([3, keys])).0, code::INVALID_PARAMETER);
    let signature = node.call("signmessagewithprivkey", json!([key(), "hello"]));
    let info = node.call("getdescriptorinfo", json!([DESCRIPTOR.replace("wpkh", "pkh")]));
    let legacy = node.call("deriveaddresses", json!([info["descriptor"]]))[0].clone();
    assert_eq!(node.call("verifymessage", json!([legacy, signature, "hello"])), true);
    assert_eq!(node.call("verifymessage", json!([legacy, signature, "hullo"])), false);
    assert_eq!(node.fail("verifymessage", json!([address, signature, "hello"])).0, code::TYPE_ERROR);
    assert_eq!(node.fail("estimatesmartfee", json!([6])).1, "Fee estimation disabled");
    assert_eq!(node.call("getindexinfo", json!([])), json!({}));
    node.call("getmemoryinfo", json!([]));
    node.call("logging", json!([]));
    assert!(node.fail("logging", json!([["nonsense"]])).1.contains("unknown logging category nonsense"));
}

#[test]
fn all_methods_have_help() {
    let node = Node::new();
    let info = CallInfo::new(node.0.clone());
    for name in node.0.rpc.list_commands() {
        let text = node.0.rpc.help(&name, &info);
        assert!(text.starts_with(&name), "{name}: {text}");
    }
    assert!(node.0.rpc.list_commands().len() > 60);
}
