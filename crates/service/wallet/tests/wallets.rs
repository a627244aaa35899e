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
    for (kind, start) in [("legacy", ""), ("p2sh-segwit", "2"), ("bech32", "grsrt1q"), ("bech32m", "grsrt1p")] {
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
