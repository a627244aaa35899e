use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use grs_args::{ArgsManager, ChainType, options};
use grs_params::{ChainParams, Network, ParamsOptions};

use super::*;

fn node(dir: &std::path::Path) -> Arc<NodeContext> {
    let args = ArgsManager::new().declare(&options::node(false));
    args.parse_parameters(&["-regtest".to_owned(), format!("-datadir={}", dir.display())]).unwrap();
    args.select_config_network(ChainType::Regtest);
    let params = Arc::new(ChainParams::new(Network::Regtest, &ParamsOptions::default()));
    let node = NodeContext::new(Arc::new(args), params);
    crate::rpc::register(&node);
    node
}

struct Told(Mutex<Sender<NodeSnapshot>>);

impl NodeSubscriber for Told {
    fn update(&self, snapshot: NodeSnapshot) -> CallResult<()> {
        self.0.lock().unwrap().send(snapshot).map_err(|_| CallError::Cancelled)
    }
}

#[test]
fn a_node_that_has_not_loaded_yet_can_be_watched() {
    let dir = tempfile::tempdir().unwrap();
    let node = node(dir.path());
    let gui = NodeGui::for_node(&node);
    assert_eq!(gui.info().unwrap().network, "regtest");
    assert!(gui.info().unwrap().block_spacing > 0);
    assert!(!gui.info().unwrap().wallet_enabled);
    assert!(gui.wallets().unwrap().is_none());
    assert!(gui.rpc_methods().unwrap().iter().any(|m| m == "getblockcount"));
    assert!(gui.disconnect_peer(0).is_err());
    assert_eq!(gui.bans().unwrap(), []);

    let (tell, told) = channel();
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
    let wanted = NodeSubscription { interval_ms: 0, peers: true };
    let _news = gui.subscribe(wanted, Arc::new(Told(Mutex::new(tell)))).unwrap();
    let first = next();
    assert_eq!((first.phase, first.peers.as_deref()), (NodePhase::Starting, Some([].as_slice())));
    assert_eq!(gui.execute_rpc("validateaddress", "[\"x\"]", None).unwrap().unwrap_err().code, -28);
    node.set_warning("x", "Something is odd");
    assert_eq!(next().warnings, ["Something is odd"]);
    node.gui.set_progress("Rescanning…", 40);
    assert_eq!(next().progress.unwrap().percent, Some(40));
    node.rpc.set_warmup_finished();
    assert_eq!(next().phase, NodePhase::Running);
    let answer = gui.execute_rpc("validateaddress", "[\"x\"]", Some("a/b".into())).unwrap().unwrap();
    assert!(answer.contains("\"isvalid\":false"), "{answer}");
    assert_eq!(gui.execute_rpc("nosuch", "[]", None).unwrap().unwrap_err().code, -32601);
    assert!(gui.execute_rpc("validateaddress", "7", None).is_err());
    gui.request_shutdown().unwrap();
    assert_eq!(next().phase, NodePhase::Stopping);
    // Nothing follows, and the thread is gone.
    assert!(told.recv_timeout(Duration::from_secs(20)).is_err());
    drop(node);
    assert_eq!(gui.snapshot(), Err(CallError::disconnected(STOPPED)));
}
