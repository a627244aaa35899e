//! Wallets over a node in memory: making, loading, receiving, reorganizations, encryption, scanning.

#![allow(clippy::unwrap_used)]

mod common;

use common::Setup;
use grs_primitives::Script;
use serde_json::json;

fn nobody() -> Script {
    Script::from(vec![0x51])
}

#[test]
fn a_wallet_is_made_receives_and_comes_back() {
    let mut setup = Setup::new(&[]);
    assert_eq!(setup.fail("getbalance", json!([])).0, -18);
    assert_eq!(setup.call("createwallet", json!(["w"])), json!({ "name": "w" }));
    assert_eq!(setup.call("listwallets", json!([])), json!(["w"]));
    let address = setup.call("getnewaddress", json!([]));
    assert!(address.as_str().unwrap().starts_with("grsrt1q"), "{address}");
    for (kind, start) in [("legacy", ""), ("p2sh-segwit", "2"), ("bech32", "grsrt1q"), ("bech32m", "grsrt1p")]
    {
        let address = setup.call("getnewaddress", json!(["", kind]));
        assert!(address.as_str().unwrap().starts_with(start), "{kind} {address}");
        let info = setup.call("getaddressinfo", json!([address]));
        assert_eq!(info["ismine"], true);
        assert_eq!(info["ischange"], false);
        assert_eq!(info["labels"], json!([""]));
        assert!(info["parent_desc"].is_string());
    }
    let script = setup.script(address.as_str().unwrap());
    setup.chain.mine(&script, &[]);
    assert_eq!(setup.balance(), "0.00000000");
    assert_eq!(setup.call("getbalances", json!([]))["mine"]["immature"].to_string(), "50.00000000");
    setup.chain.mine_many(119, &nobody());
    assert_eq!(setup.balance(), "0.00000000");
    setup.chain.mine(&nobody(), &[]);
    assert_eq!(setup.balance(), "50.00000000");
    assert_eq!(setup.call("listunspent", json!([]))[0]["confirmations"], 121);
    let info = setup.call("getwalletinfo", json!([]));
    assert_eq!(info["txcount"], 1);
    assert_eq!(info["keypoolsize"], 29);
    assert_eq!(info["lastprocessedblock"]["height"], 121);

    // Blocks that come while no wallet is loaded are found at the next start.
    let next = setup.new_script();
    setup.call("unloadwallet", json!(["w"]));
    setup.chain.mine(&next, &[]);
    setup.chain.mine_many(120, &nobody());
    assert_eq!(setup.call("loadwallet", json!(["w", true])), json!({ "name": "w" }));
    assert_eq!(setup.balance(), "100.00000000");
    assert_eq!(setup.fail("loadwallet", json!(["w"])), (-35, "Wallet \"w\" is already loaded.".into()));

    setup.stop();
    assert!(setup.start());
    assert_eq!(setup.balance(), "100.00000000");
    assert_ne!(setup.call("getnewaddress", json!([])), address);
}

/// A wallet with so many coins of 50 that can be spent.
fn funded(extra: &[&str], coins: usize) -> Setup {
    let setup = Setup::new(extra);
    setup.call("createwallet", json!(["w"]));
    for _ in 0..coins {
        let script = setup.new_script();
        setup.chain.mine(&script, &[]);
    }
    setup.chain.mine_many(120, &nobody());
    setup
}

fn other() -> String {
    let id = grs_hashes::Hash160::from_bytes([9; 20]);
    grs_descriptor::Destination::WitnessV0KeyHash(id).encode(grs_params::Network::Regtest)
}

#[test]
fn payments_have_the_right_fee_and_change() {
    let setup = funded(&[], 3);
    assert_eq!(setup.balance(), "150.00000000");
    let txid = setup.call("sendtoaddress", json!([other(), 1.5, "rent", "landlord"]));
    let tx = setup.call("gettransaction", json!([txid, null, true]));
    let decoded = &tx["decoded"];
    // The fallback rate is 20 gro/vB.
    let vsize = decoded["vsize"].as_u64().unwrap();
    let fee = (tx["fee"].to_string().parse::<f64>().unwrap() * 1e8).round() as i64;
    assert!((20 * vsize as i64..=20 * (vsize as i64 + 2)).contains(&-fee), "fee {fee} for {vsize}");
    assert_eq!(tx["amount"].to_string(), "-1.50000000");
    assert_eq!(tx["comment"], "rent");
    assert_eq!(tx["to"], "landlord");
    assert_eq!(tx["details"].as_array().unwrap().len(), 1);
    assert_eq!(tx["confirmations"], 0);
    assert_eq!(tx["trusted"], true);
    assert_eq!(tx["bip125-replaceable"], "yes");
    assert_eq!(decoded["vout"].as_array().unwrap().len(), 2);
    assert_eq!(decoded["vin"][0]["sequence"], 0xffff_fffd_u32);
    // The change can be spent again at once, unconfirmed as it is.
    let spent = 150_0000_0000 - 1_5000_0000 + fee;
    assert_eq!(setup.balance(), format!("{}.{:08}", spent / 1_0000_0000, spent % 1_0000_0000));
    assert_eq!(setup.chain.inner().mempool.len(), 1);
    setup.chain.confirm();
    assert_eq!(setup.call("gettransaction", json!([txid]))["confirmations"], 1);
    let listed = setup.call("listtransactions", json!([]));
    assert_eq!(listed.as_array().unwrap().last().unwrap()["category"], "send");
    let since = setup.call("listsinceblock", json!([]));
    assert_eq!(since["transactions"].as_array().unwrap().len(), 4);

    // The recipient pays the fee; nothing is left.
    let all = setup.balance();
    let txid = setup.call("sendtoaddress", json!([other(), all, "", "", true, null, null, "unset", null, 5]));
    let tx = setup.call("gettransaction", json!([txid, null, true]));
    assert_eq!(tx["decoded"]["vout"].as_array().unwrap().len(), 1);
    assert_eq!(setup.balance(), "0.00000000");
    let fee = (tx["fee"].to_string().parse::<f64>().unwrap() * -1e8).round() as u64;
    let vsize = tx["decoded"]["vsize"].as_u64().unwrap();
    assert!((5 * vsize..=5 * (vsize + 3)).contains(&fee), "fee {fee} for {vsize}");
}

#[test]
fn payments_are_refused_with_the_reference_texts() {
    let setup = funded(&[], 1);
    let send = |params: serde_json::Value| setup.fail("sendtoaddress", params);
    assert_eq!(send(json!([other(), 100])), (-6, "Insufficient funds".into()));
    assert_eq!(send(json!([other(), 0.00000001])), (-6, "Transaction amount too small".into()));
    assert_eq!(send(json!(["x", 1])), (-5, "Invalid Groestlcoin address: x".into()));
    let (code, text) = send(json!([other(), 50]));
    assert_eq!(code, -6);
    assert!(text.starts_with("The total exceeds your balance when the 0."), "{text}");
    assert_eq!(send(json!([other(), 1, "", "", false, null, 6, "unset", null, 5])).0, -8);
    assert_eq!(send(json!([other(), -1])), (-3, "Amount out of range".into()));
    // Without node there is no payment, but the coins stay spent until it is given up.
    setup.chain.inner().reject = true;
    let txid = setup.call("sendtoaddress", json!([other(), 1]));
    assert_eq!(setup.balance(), "0.00000000");
    setup.call("abandontransaction", json!([txid]));
    assert_eq!(setup.balance(), "50.00000000");
    assert_eq!(setup.call("gettransaction", json!([txid]))["details"][0]["abandoned"], true);
}

#[test]
fn many_are_paid_at_once_and_locked_coins_are_left_alone() {
    let setup = funded(&["-addresstype=bech32m"], 3);
    let coins = setup.call("listunspent", json!([]));
    let locked = json!([{ "txid": coins[0]["txid"], "vout": coins[0]["vout"] }]);
    assert_eq!(setup.call("lockunspent", json!([false, locked, true])), true);
    assert_eq!(setup.call("listlockunspent", json!([])), locked);
    assert_eq!(setup.call("listunspent", json!([])).as_array().unwrap().len(), 2);
    let mine = setup.call("getnewaddress", json!(["friend", "legacy"]));
    let amounts = json!({ other(): 60, (mine.as_str().unwrap()): 20 });
    let txid = setup.call("sendmany", json!(["", amounts, null, "two", [mine]]));
    let tx = setup.call("gettransaction", json!([txid, null, true]));
    assert!(tx["decoded"]["vin"].as_array().unwrap().iter().all(|i| i["txid"] != coins[0]["txid"]));
    let received = setup.call("getreceivedbyaddress", json!([mine, 0]));
    let received: f64 = received.to_string().parse().unwrap();
    assert!(received < 20.0 && received > 19.99);
    assert_eq!(
        setup.call("getaddressesbylabel", json!(["friend"]))[mine.as_str().unwrap()]["purpose"],
        "receive"
    );
    assert_eq!(setup.call("lockunspent", json!([true])), true);
    assert_eq!(setup.call("listlockunspent", json!([])), json!([]));
}

#[test]
fn reorganizations_take_payments_back() {
    let setup = funded(&[], 1);
    let script = setup.new_script();
    setup.chain.mine(&script, &[]);
    let txid = setup.call("sendtoaddress", json!([other(), 1]));
    setup.chain.confirm();
    let before = setup.call("getbalances", json!([]));
    assert_eq!(setup.call("gettransaction", json!([txid]))["confirmations"], 1);
    // The payment goes back to where it was before its block.
    let block = setup.chain.disconnect_tip();
    assert_eq!(setup.call("gettransaction", json!([txid]))["confirmations"], 0);
    assert_eq!(setup.call("getbalances", json!([]))["mine"]["trusted"].to_string(), "0.00000000");
    setup.chain.add_to_mempool(&block.txs[1]);
    assert_eq!(setup.call("getbalances", json!([]))["mine"], before["mine"]);
    // A coinbase whose block is gone is abandoned.
    setup.chain.disconnect_tip();
    let orphans = setup.call("listtransactions", json!(["*", 10]));
    let orphans: Vec<_> = orphans.as_array().unwrap().iter().filter(|t| t["category"] == "orphan").collect();
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0]["abandoned"], true);
    assert_eq!(setup.call("getwalletinfo", json!([]))["lastprocessedblock"]["height"], 121);
    // In a block that conflicts with it, it is lost.
    let tx = block.txs[1].clone();
    let rival = grs_primitives::MutableTransaction {
        version: 2,
        inputs: tx.inputs.clone(),
        outputs: vec![grs_primitives::TxOut::new(grs_primitives::Amount(1000), nobody())],
        lock_time: 1,
    };
    setup.chain.remove_from_mempool(&tx.txid(), grs_interfaces::MempoolRemovalReason::Conflict);
    setup.chain.mine(&nobody(), &[grs_primitives::TxRef::new(rival.into())]);
    assert_eq!(setup.call("gettransaction", json!([txid]))["confirmations"], -1);
    assert_eq!(setup.balance(), "0.00000000");
    setup.chain.disconnect_tip();
    assert_eq!(setup.call("gettransaction", json!([txid]))["confirmations"], 0);
}

#[test]
fn encrypted_wallets_keep_their_keys_to_themselves() {
    let mut setup = Setup::new(&[]);
    setup.call("createwallet", json!(["w"]));
    let file = setup.dir.path().join("regtest/wallets/w/wallet.dat");
    let private = setup.call("listdescriptors", json!([true]));
    let text = setup.call("encryptwallet", json!(["secret"]));
    assert!(text.as_str().unwrap().starts_with("wallet encrypted; "));
    assert_eq!(setup.fail("listdescriptors", json!([true])).0, -13);
    assert_eq!(setup.call("getwalletinfo", json!([]))["unlocked_until"], 0);
    assert_eq!(setup.fail("walletpassphrase", json!(["wrong", 10])).0, -14);
    assert_eq!(setup.fail("encryptwallet", json!(["again"])).0, -15);
    let script = setup.new_script();
    setup.chain.mine(&script, &[]);
    setup.chain.mine_many(120, &nobody());
    assert_eq!(
        setup.fail("sendtoaddress", json!([other(), 1])),
        (-13, "Error: Please enter the wallet passphrase with walletpassphrase first.".into())
    );
    setup.call("walletpassphrase", json!(["secret", 100]));
    setup.call("sendtoaddress", json!([other(), 1]));
    setup.call("walletpassphrasechange", json!(["secret", "other"]));
    setup.call("walletlock", json!([]));
    assert_eq!(setup.fail("walletpassphrase", json!(["secret", 10])).0, -14);
    setup.stop();
    // No unencrypted key is left in the file.
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(19).any(|w| w == b"walletdescriptorkey"));
    assert!(bytes.windows(20).any(|w| w == b"walletdescriptorckey"));
    setup.chain.inner().settings.insert("wallet".into(), json!(["w"]));
    assert!(setup.start());
    setup.call("walletpassphrase", json!(["other", 100]));
    let after = setup.call("listdescriptors", json!([true]));
    let old = private["descriptors"].as_array().unwrap();
    let all = after["descriptors"].as_array().unwrap();
    // The old descriptors stay, with new ones from a new seed.
    assert_eq!(all.len(), 2 * old.len());
    assert!(old.iter().all(|d| all.iter().any(|a| a["desc"] == d["desc"])));
}

#[test]
fn imported_descriptors_find_their_history() {
    let setup = funded(&[], 2);
    setup.call("sendtoaddress", json!([other(), 3]));
    setup.chain.confirm();
    let balance = setup.balance();
    let private = setup.call("listdescriptors", json!([true]));
    let public = setup.call("listdescriptors", json!([]));
    let requests = |listed: &serde_json::Value| {
        let list = listed["descriptors"].as_array().unwrap().iter().map(|d| {
            json!({ "desc": d["desc"], "timestamp": 0, "active": true, "internal": d["internal"], "range": [0, 20] })
        });
        serde_json::Value::Array(list.collect())
    };
    let call = |wallet: &str, method: &str, params| setup.chain.rpc(wallet, method, params).unwrap();
    call("w", "createwallet", json!(["copy", false, true]));
    call("w", "createwallet", json!(["watch", true]));
    assert_eq!(setup.fail("getbalance", json!([])).0, -19);
    for (wallet, listed) in [("copy", &private), ("watch", &public)] {
        let done = call(wallet, "importdescriptors", json!([requests(listed)]));
        assert!(done.as_array().unwrap().iter().all(|r| r["success"] == true), "{done}");
        assert_eq!(call(wallet, "getbalance", json!([])).to_string(), balance);
        let count = call(wallet, "getwalletinfo", json!([]))["txcount"].clone();
        assert_eq!(count, call("w", "getwalletinfo", json!([]))["txcount"]);
    }
    let refused = call("watch", "importdescriptors", json!([requests(&private)]));
    assert_eq!(
        refused[0]["error"]["message"],
        "Cannot import private keys to a wallet with private keys disabled"
    );
    let error = setup.chain.rpc("watch", "sendtoaddress", json!([other(), 1])).unwrap_err();
    assert_eq!(error, (-4, "Error: Private keys are disabled for this wallet".into()));
    // Scanning again changes nothing.
    let scanned = call("copy", "rescanblockchain", json!([0]));
    assert_eq!(scanned, json!({ "start_height": 0, "stop_height": 123 }));
    assert_eq!(call("copy", "getbalance", json!([])).to_string(), balance);
    assert_eq!(call("copy", "abortrescan", json!([])), false);
}

#[test]
fn addresses_beyond_the_gap_are_found_one_after_the_other() {
    let mut setup = Setup::new(&[]);
    setup.call("createwallet", json!(["w"]));
    // More addresses than are derived ahead, each paid in its own block, then the wallet before that comes back.
    let backup = setup.dir.path().join("backup.dat");
    setup.call("backupwallet", json!([backup.to_str().unwrap()]));
    for _ in 0..30 {
        let script = setup.new_script();
        setup.chain.mine(&script, &[]);
    }
    setup.chain.mine_many(120, &nobody());
    assert_eq!(setup.balance(), "1500.00000000");
    setup.call("unloadwallet", json!(["w"]));
    let restored = setup.call("restorewallet", json!(["r", backup.to_str().unwrap()]));
    assert_eq!(restored["name"], "r");
    assert_eq!(setup.balance(), "1500.00000000");
    setup.stop();
}

#[test]
fn raw_transactions_and_messages_are_signed() {
    let setup = funded(&[], 1);
    let coin = setup.call("listunspent", json!([]))[0].clone();
    let txid: grs_hashes::Txid = coin["txid"].as_str().unwrap().parse().unwrap();
    let tx = grs_primitives::MutableTransaction {
        version: 2,
        inputs: vec![grs_primitives::TxIn::new(grs_primitives::OutPoint::new(txid, 0), 0xffff_ffff)],
        outputs: vec![grs_primitives::TxOut::new(grs_primitives::Amount(49_0000_0000), nobody())],
        lock_time: 0,
    };
    let hex = grs_encoding::hex_encode(grs_encoding::encode_to_vec(&tx));
    let signed = setup.call("signrawtransactionwithwallet", json!([hex]));
    assert_eq!(signed["complete"], true);
    assert_ne!(signed["hex"], json!(hex));
    let mut unknown = tx;
    unknown.inputs[0].prevout.vout = 7;
    let hex = grs_encoding::hex_encode(grs_encoding::encode_to_vec(&unknown));
    let failed = setup.call("signrawtransactionwithwallet", json!([hex]));
    assert_eq!(failed["complete"], false);
    assert_eq!(failed["errors"][0]["error"], "Input not found or already spent");

    let address = setup.call("getnewaddress", json!(["", "legacy"]));
    let signature = setup.call("signmessage", json!([address, "hello"]));
    let bytes = grs_encoding::base64_decode(signature.as_str().unwrap()).unwrap();
    let grs_descriptor::Destination::PubKeyHash(id) =
        grs_descriptor::decode_destination(address.as_str().unwrap(), grs_params::Network::Regtest).unwrap()
    else {
        panic!("not a key");
    };
    assert!(grs_keys::verify_message(&id, b"hello", &bytes));
    let segwit = setup.call("getnewaddress", json!([]));
    assert_eq!(setup.fail("signmessage", json!([segwit, "x"])), (-3, "Address does not refer to key".into()));
}

#[test]
fn paths_and_formats_are_refused_with_the_reference_texts() {
    let mut setup = Setup::new(&[]);
    let dir = setup.dir.path().join("regtest/wallets");
    let (code, text) = setup.fail("loadwallet", json!(["none"]));
    assert_eq!(code, -18);
    assert_eq!(
        text,
        format!(
            "Wallet file verification failed. Failed to load database path '{}'. Path does not exist.",
            dir.join("none").display()
        )
    );
    setup.call("createwallet", json!(["w", false, false, "", false, true, true]));
    assert_eq!(setup.chain.inner().settings["wallet"], json!(["w"]));
    let (code, text) = setup.fail("createwallet", json!(["w"]));
    assert_eq!(code, -4);
    assert!(text.ends_with("Database already exists."), "{text}");
    assert_eq!(setup.fail("createwallet", json!([""])), (-8, "Wallet name cannot be empty".into()));
    let mut legacy = vec![0; 4096];
    legacy[12..16].copy_from_slice(&0x0005_3162_u32.to_le_bytes());
    std::fs::create_dir(dir.join("old")).unwrap();
    std::fs::write(dir.join("old/wallet.dat"), legacy).unwrap();
    let (code, text) = setup.fail("loadwallet", json!(["old"]));
    assert_eq!(code, -18);
    assert!(text.contains("The wallet appears to be a Legacy wallet, please use the wallet migration tool"));
    let listed = setup.call("listwalletdir", json!([]));
    assert_eq!(listed["wallets"].as_array().unwrap().len(), 2);

    // A file without its flags' meaning, then one with damage, keep the start from going on.
    setup.stop();
    {
        let db =
            grs_wallet::WalletDb::open(&dir.join("w/wallet.dat"), [0xfa, 0xbf, 0xb5, 0xda], true).unwrap();
        db.write(b"\x05flags", &(1_u64 << 40 | 1 << 34).to_le_bytes()).unwrap();
    }
    assert!(!setup.start());
    let errors = setup.chain.inner().errors.clone();
    assert!(errors[0].ends_with("Wallet requires newer version of Groestlcoin Core"), "{errors:?}");
    std::fs::write(dir.join("w/wallet.dat"), b"SQLite format 3\0 but not really").unwrap();
    assert!(!setup.start());
    let errors = setup.chain.inner().errors.clone();
    assert!(errors[1].ends_with("Data is not in recognized format."), "{errors:?}");
}

#[test]
fn raw_transactions_are_funded_and_lists_of_receipts_add_up() {
    let setup = funded(&[], 3);
    let tx = grs_primitives::MutableTransaction {
        version: 2,
        inputs: vec![],
        outputs: vec![
            grs_primitives::TxOut::new(grs_primitives::Amount(60_0000_0000), nobody()),
            grs_primitives::TxOut::new(grs_primitives::Amount(1_0000_0000), setup.script(&other())),
        ],
        lock_time: 0,
    };
    let hex = grs_encoding::hex_encode(grs_encoding::encode_to_vec(&tx));
    let options =
        json!({ "changePosition": 0, "fee_rate": 3, "lockUnspents": true, "change_type": "legacy" });
    let done = setup.call("fundrawtransaction", json!([hex, options]));
    assert_eq!(done["changepos"], 0);
    assert_eq!(setup.call("listlockunspent", json!([])).as_array().unwrap().len(), 2);
    let signed = setup.call("signrawtransactionwithwallet", json!([done["hex"]]));
    assert_eq!(signed["complete"], true);
    let bytes = grs_encoding::hex_decode(signed["hex"].as_str().unwrap()).unwrap();
    let signed: grs_primitives::Transaction = grs_encoding::decode_exact(&bytes).unwrap();
    let out: i64 = signed.outputs.iter().map(|o| o.value.0).sum();
    let fee: f64 = done["fee"].to_string().parse().unwrap();
    assert_eq!(100_0000_0000 - out, (fee * 1e8).round() as i64);
    let vsize = signed.weight().div_ceil(4) as i64;
    assert!((3 * vsize..=3 * (vsize + 4)).contains(&((fee * 1e8).round() as i64)), "{fee} for {vsize}");
    let error = setup.fail("fundrawtransaction", json!([hex, { "add_inputs": false }]));
    assert_eq!(error.0, -4);

    setup.call("lockunspent", json!([true]));
    let named = setup.call("getnewaddress", json!(["friend"]));
    setup.call("sendtoaddress", json!([named, 2]));
    setup.chain.confirm();
    let listed = setup.call("listreceivedbyaddress", json!([1, false, null, named]));
    assert_eq!(listed[0]["amount"].to_string(), "2.00000000");
    assert_eq!(listed[0]["confirmations"], 1);
    let labels = setup.call("listreceivedbylabel", json!([]));
    let friend = labels.as_array().unwrap().iter().find(|l| l["label"] == "friend").unwrap();
    assert_eq!(friend["amount"].to_string(), "2.00000000");
}

#[test]
fn nothing_handed_out_is_lost_when_the_process_dies() {
    let mut setup = funded(&[], 1);
    let named = setup.call("getnewaddress", json!(["named", "bech32m"]));
    let change = setup.call("getrawchangeaddress", json!([]));
    let txid = setup.call("sendtoaddress", json!([other(), 1, "note"]));
    // The file as a kill at this moment leaves it.
    let dir = setup.dir.path().join("regtest/wallets");
    std::fs::create_dir(dir.join("killed")).unwrap();
    std::fs::copy(dir.join("w/wallet.dat"), dir.join("killed/wallet.dat")).unwrap();
    setup.chain.rpc("w", "unloadwallet", json!([])).unwrap();
    setup.call("loadwallet", json!(["killed"]));
    assert_eq!(setup.call("getaddressinfo", json!([named]))["labels"], json!(["named"]));
    assert_eq!(setup.call("getaddressinfo", json!([change]))["ischange"], true);
    assert_ne!(setup.call("getrawchangeaddress", json!([])), change);
    assert_ne!(setup.call("getnewaddress", json!(["", "bech32m"])), named);
    let tx = setup.call("gettransaction", json!([txid]));
    assert_eq!(tx["comment"], "note");
    assert_eq!(tx["amount"].to_string(), "-1.00000000");
    setup.stop();
}

#[test]
fn fees_are_bumped_by_a_replacement() {
    let setup = funded(&[], 2);
    let txid = setup.call("sendtoaddress", json!([other(), 1, "note"]));
    let error = setup.fail("bumpfee", json!([txid, { "fee_rate": 1 }]));
    assert_eq!(error.0, -8);
    assert!(error.1.starts_with("Insufficient total fee 0."), "{}", error.1);
    // The node drops the old one when it takes the new one.
    let old: grs_hashes::Txid = txid.as_str().unwrap().parse().unwrap();
    let bumped = setup.call("bumpfee", json!([txid]));
    setup.chain.remove_from_mempool(&old, grs_interfaces::MempoolRemovalReason::Replaced);
    let fee = |v: &serde_json::Value| v.to_string().parse::<f64>().unwrap();
    assert!(fee(&bumped["fee"]) > fee(&bumped["origfee"]) + 0.00000500);
    let new = setup.call("gettransaction", json!([bumped["txid"]]));
    assert_eq!(new["replaces_txid"], txid);
    assert_eq!(new["comment"], "note");
    assert_eq!(new["amount"].to_string(), "-1.00000000");
    let replaced = setup.call("gettransaction", json!([txid]));
    assert_eq!(replaced["replaced_by_txid"], bumped["txid"]);
    assert_eq!(replaced["walletconflicts"], json!([bumped["txid"]]));
    let again = setup.fail("bumpfee", json!([txid]));
    assert_eq!(again.0, -4);
    setup.chain.confirm();
    assert_eq!(setup.call("gettransaction", json!([txid]))["confirmations"], -1);
    let left = 100.0 - 1.0 - fee(&bumped["fee"]);
    assert!((setup.balance().parse::<f64>().unwrap() - left).abs() < 1e-9);
}

#[test]
fn everything_is_paid_out() {
    let setup = funded(&[], 3);
    assert_eq!(setup.call("listaddressgroupings", json!([])).as_array().unwrap().len(), 3);
    let rest = setup.call("getnewaddress", json!([]));
    let done = setup.call("sendall", json!([[{ (other()): 10 }, rest], null, null, 2]));
    assert_eq!(done["complete"], true);
    let tx = setup.call("gettransaction", json!([done["txid"], null, true]));
    let decoded = &tx["decoded"];
    assert_eq!(decoded["vin"].as_array().unwrap().len(), 3);
    assert_eq!(decoded["vout"].as_array().unwrap().len(), 2);
    let fee = (tx["fee"].to_string().parse::<f64>().unwrap() * -1e8).round() as u64;
    let vsize = decoded["vsize"].as_u64().unwrap();
    assert!((2 * vsize..=2 * (vsize + 4)).contains(&fee), "fee {fee} for {vsize}");
    assert_eq!(setup.balance(), format!("{}.{:08}", 139, 100_000_000 - fee));
    // The three addresses are now known to belong together; the new one is not change.
    let groups = setup.call("listaddressgroupings", json!([]));
    let sizes: Vec<usize> = groups.as_array().unwrap().iter().map(|g| g.as_array().unwrap().len()).collect();
    assert!(sizes == [1, 3] || sizes == [3, 1], "{sizes:?}");
    assert_eq!(setup.fail("sendall", json!([[{ (other()): 10 }]])).0, -8);
    setup.call("sendall", json!([[other()]]));
    assert_eq!(setup.balance(), "0.00000000");
}

#[test]
fn a_single_key_is_imported_with_all_its_scripts() {
    let setup = Setup::new(&[]);
    setup.call("createwallet", json!(["w"]));
    let key = grs_keys::SecretKey::generate(true, |bytes| bytes.fill(3));
    let public_key = key.public_key();
    let text = grs_descriptor::encode_secret_key(&key, grs_params::Network::Regtest);
    let body = format!("combo({})", text.as_str());
    let checksum = grs_descriptor::descriptor_checksum(&body).unwrap();
    let scripts = [
        grs_script::script_for_pubkey(&public_key),
        grs_descriptor::Destination::pubkey_hash(&public_key).script(),
        grs_descriptor::Destination::witness_key_hash(&public_key).script(),
    ];
    for script in &scripts {
        setup.chain.mine(script, &[]);
    }
    setup.chain.mine_many(120, &nobody());
    let request = json!([{ "desc": format!("{body}#{checksum}"), "timestamp": 0, "label": "coinbase" }]);
    let done = setup.call("importdescriptors", json!([request]));
    assert_eq!(done[0]["success"], true, "{done}");
    assert_eq!(setup.balance(), "150.00000000");
    let labelled = setup.call("getaddressesbylabel", json!(["coinbase"]));
    assert_eq!(labelled.as_object().unwrap().len(), 3);
    // Coins of all three kinds are spent together.
    setup.call("sendtoaddress", json!([other(), 149]));
    setup.chain.confirm();
    assert!(setup.balance().starts_with("0.99"));
    let wrong = setup.call("importdescriptors", json!([[{ "desc": body, "timestamp": "now" }]]));
    assert_eq!(wrong[0]["error"]["code"], -5);
}
