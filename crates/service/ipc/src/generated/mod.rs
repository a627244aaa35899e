//! Proxies and servers. Written by the generator: do not edit.

mod chain;
pub use chain::*;
mod echo;
pub use echo::*;
mod grs_init;
pub use grs_init::*;
mod handler;
pub use handler::*;
mod mining;
pub use mining::*;
mod rpc;
pub use rpc::*;
mod wallet;
pub use wallet::*;
