//! Sockets: listening, connecting, sending and receiving, on a tokio runtime that this crate owns. Reference:
//! `src/net.cpp`.
//!
//! [`ConnectionManager`] connects a [`grs_peer::PeerManager`] with the world: it tells the machine about connections
//! and carries out its actions on the thread `msghand`. Each connection has one task that reads, decodes and hashes,
//! and one that writes; both buffers are bounded.
//!
//! Not implemented: I2P, the Tor control connection, port mapping, discovery of own
//! addresses from network interfaces, an asmap, capture of messages.

mod connection;
mod encryption;
mod info;
mod listen;
mod manager;
mod msghand;
mod node;
mod opening;
mod options;
mod proxy;
mod seeds;
mod traffic;

pub use grs_peer::{ConnectionType, PeerId, Permissions, WhiteBind, WhiteList};
pub use info::{AddedNodeInfo, Direction, LocalAddress, NetTotals, NetworkInfo, PeerInfo};
pub use manager::{ConnectionManager, LOCAL_BIND, LOCAL_MANUAL};
pub use options::{
    DEFAULT_MAX_CONNECTIONS, MAX_ADDNODE, MAX_BLOCK_RELAY_ONLY, MAX_FEELERS, MAX_OUTBOUND_FULL_RELAY,
    SocketOptions,
};
pub use proxy::Proxy;
