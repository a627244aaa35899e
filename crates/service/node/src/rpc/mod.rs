//! The node's RPC methods, one module a subject. [`register`] puts them into a table.

use std::sync::Arc;

use crate::NodeContext;

/// Registers all methods that work on `node`.
pub fn register(node: &Arc<NodeContext>) {
    let _ = node;
}
