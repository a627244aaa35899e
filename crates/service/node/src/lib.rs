//! A node: what is started and stopped in which order, what its parts share ([`NodeContext`]), its RPC methods,
//! and the node's side of the interfaces. Programs call [`init`]; nothing here knows whether the wallet is in the
//! same process.

mod context;
pub mod rpc;

pub use context::NodeContext;
