//! A node: what is started and stopped in which order, what its parts share ([`NodeContext`]), its RPC methods,
//! and the node's side of the interfaces. Programs call [`init`]; nothing here knows whether the wallet is in the
//! same process.

pub mod broadcast;
mod bump;
mod chain_interface;
mod context;
mod gui_interface;
pub mod init;
pub mod mempool_file;
mod mining;
mod notifications;
pub mod params;
mod remote_calls;
pub mod rpc;
mod scan;
mod tip;

pub use chain_interface::NodeChain;
pub use context::NodeContext;
pub use gui_interface::NodeGui;
pub use mining::NodeMining;
pub use tip::TipWatch;
