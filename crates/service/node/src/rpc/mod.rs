//! The node's RPC methods, one module a subject. [`register`] puts them into a table.

mod blockchain;
mod control;
mod descriptors;
mod fees;
mod ipc;
mod mempool;
mod mining;
mod net;
mod psbt;
mod rawtx;
mod script_json;
mod tx_json;
mod txoutproof;
mod util;

#[cfg(test)]
mod filter_tests;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use mining::{assembler_options, submit_block};

use std::ops::Deref;
use std::sync::{Arc, Weak};

use grs_hashes::BlockHash;
use grs_rpc::{Method, Request, Res, RpcError, Text, code, value};
use serde_json::Value;

use crate::NodeContext;

/// What methods keep between calls.
pub(crate) struct Shared {
    templates: mining::TemplateCache,
    scan: blockchain::ScanState,
    filter_scan: blockchain::ScanState,
}

/// The node and what methods keep between calls, for one call.
pub(crate) struct Ctx {
    node: Arc<NodeContext>,
    shared: Arc<Shared>,
}

impl Deref for Ctx {
    type Target = NodeContext;
    fn deref(&self) -> &NodeContext {
        &self.node
    }
}

impl Ctx {
    /// Warnings as results show them: a list, or the last one with `-deprecatedrpc=warnings`.
    fn warnings_value(&self) -> Value {
        let warnings = self.node.warnings();
        if deprecated(&self.node, "warnings") {
            return warnings.last().cloned().unwrap_or_default().into();
        }
        warnings.into()
    }
}

/// Makes methods whose handlers get a [`Ctx`].
pub(crate) struct Maker {
    node: Weak<NodeContext>,
    shared: Arc<Shared>,
    warnings_text: bool,
}

type Handler = fn(&Ctx, &Request<'_>) -> Result<Value, RpcError>;

impl Maker {
    /// A method with a handler.
    fn method(
        &self,
        category: &'static str,
        name: &'static str,
        about: impl Into<Text>,
        handler: Handler,
    ) -> Method {
        // A weak reference: the node owns the table.
        let (node, shared) = (self.node.clone(), self.shared.clone());
        Method::new(category, name, about, move |request| {
            let node = node.upgrade().ok_or_else(|| RpcError::internal("Node context not found"))?;
            handler(&Ctx { node, shared: shared.clone() }, request)
        })
    }

    /// The shape of [`Ctx::warnings_value`].
    fn warnings_shape(&self) -> Res {
        if self.warnings_text {
            return Res::str("warnings", "The latest warning about network and chain (deprecated form)");
        }
        Res::arr(
            "warnings",
            "Warnings about network and chain (one string, the latest, with `-deprecatedrpc=warnings`)",
            [Res::str("", "A warning")],
        )
    }
}

/// Whether a deprecated call or form is allowed.
fn deprecated(node: &NodeContext, name: &str) -> bool {
    node.args.get_list("-deprecatedrpc").iter().any(|v| v == name)
}

/// Reads a block hash argument.
fn block_hash(value: &Value, name: &str) -> Result<BlockHash, RpcError> {
    value::parse_hash(value, name).map(BlockHash::from_bytes)
}

fn not_found() -> RpcError {
    RpcError::new(code::INVALID_ADDRESS_OR_KEY, "Block not found")
}

pub(crate) use ipc::getipcinfo;

/// Registers all methods that work on `node`.
pub fn register(node: &Arc<NodeContext>) {
    let shared = Arc::new(Shared {
        templates: mining::TemplateCache::default(),
        scan: blockchain::ScanState::default(),
        filter_scan: blockchain::ScanState::default(),
    });
    let maker = Maker { node: Arc::downgrade(node), shared, warnings_text: deprecated(node, "warnings") };
    node.rpc.register_all(blockchain::methods(&maker));
    node.rpc.register_all(mining::methods(&maker));
    node.rpc.register_all(mempool::methods(&maker));
    node.rpc.register_all(rawtx::methods(&maker));
    node.rpc.register_all(psbt::methods(&maker));
    node.rpc.register_all(net::methods(&maker));
    node.rpc.register_all(txoutproof::methods(&maker));
    node.rpc.register_all(util::methods(&maker));
    node.rpc.register_all(fees::methods(&maker));
    node.rpc.register_all(control::methods(&maker));
}
