//! What a running node offers to other processes.

use std::sync::{Arc, Weak};

use grs_interfaces::{CallError, CallResult, Chain, Hello, Init, Role};
use grs_node::init::VERSION;
use grs_node::{NodeChain, NodeContext};

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
        let own = greeting(&node);
        own.check(peer).map_err(CallError::Remote)?;
        Ok(own)
    }

    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        let node = self.0.upgrade().ok_or_else(|| CallError::disconnected("The node has stopped."))?;
        Ok(NodeChain::for_node(&node))
    }
}
