//! Proxies and servers. Written by the generator: do not edit.

mod chain;
pub use chain::*;
mod echo;
pub use echo::*;
mod grs_init;
pub use grs_init::*;
mod gui_wallet;
pub use gui_wallet::*;
mod handler;
pub use handler::*;
mod mining;
pub use mining::*;
mod node;
pub use node::*;
mod rpc;
pub use rpc::*;
mod wallet;
pub use wallet::*;
