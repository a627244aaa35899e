//! What a running node offers to other processes.

use std::sync::{Arc, Weak};

use grs_interfaces::gui::Node;
use grs_interfaces::{CallError, CallResult, Chain, Hello, Init, Mining, Role, Rpc};
use grs_node::init::{VERSION, make_rpc};
use grs_node::{NodeChain, NodeContext, NodeGui, NodeMining};

/// The first interface of a connection to a running node.
pub(crate) struct NodeInit(Weak<NodeContext>);

impl NodeInit {
    pub(crate) fn new(node: &Arc<NodeContext>) -> Arc<NodeInit> {
        Arc::new(NodeInit(Arc::downgrade(node)))
    }
}

/// Who this node is.
pub(crate) fn greeting(node: &NodeContext) -> Hello {
    let mut hello = Hello::new(Role::Node, VERSION);
    hello.network = node.params.network.name().to_owned();
    hello.data_dir = node.args.data_dir_net().display().to_string();
    hello
}

impl Init for NodeInit {
    fn hello(&self, peer: &Hello) -> CallResult<Hello> {
        let node = self.0.upgrade().ok_or_else(|| CallError::disconnected("The node has stopped."))?;
        if node.shutdown.is_interrupted() {
            return Err(CallError::remote("The node is shutting down."));
        }
        let own = greeting(&node);
        own.check(peer).map_err(|text| {
            grs_log::info!("A process ({:?}, {}) was refused: {text}", peer.role, peer.program_version);
            CallError::Remote(text)
        })?;
        if peer.role == Role::Wallet {
            grs_log::info!("A wallet process ({}) attaches", peer.program_version);
        }
        Ok(own)
    }

    fn make_mining(&self) -> CallResult<Option<Arc<dyn Mining>>> {
        NodeMining::make(&self.0)
    }

    fn make_rpc(&self) -> CallResult<Arc<dyn Rpc>> {
        let node = self.0.upgrade().ok_or_else(|| CallError::disconnected("The node has stopped."))?;
        Ok(make_rpc(&node))
    }

    fn make_node(&self) -> CallResult<Arc<dyn Node>> {
        let node = self.0.upgrade().ok_or_else(|| CallError::disconnected("The node has stopped."))?;
        Ok(NodeGui::for_node(&node))
    }

    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        let node = self.0.upgrade().ok_or_else(|| CallError::disconnected("The node has stopped."))?;
        // Until the chain is there, a wallet could do nothing with it.
        node.tip.wait(None, |_, _| true);
        if node.shutdown.is_interrupted() {
            return Err(CallError::disconnected("The node is shutting down."));
        }
        Ok(NodeChain::for_node(&node))
    }
}
