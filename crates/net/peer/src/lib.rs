//! All message handling as an I/O-free machine. Reference: `src/net_processing.cpp`.
//!
//! [`PeerManager`] is told about connections ([`PeerManager::connected`]) and given their messages
//! ([`PeerManager::process_messages`]); it answers with [`Action`]s. It opens no socket and starts no thread; time and
//! randomness come through [`PeerOptions`]. Blocks and transactions are validated on the calling thread, without the
//! machine's lock, so that statistics, announcements and other callers do not wait.
//!
//! Not implemented, and not advertised: block filters, transaction reconciliation, reconstruction of
//! received compact blocks (they are answered by asking for the whole block; compact blocks are served), private
//! broadcast, self-announcement of local addresses.

mod addresses;
mod announce;
mod bloom;
mod download;
mod download_queue;
mod events;
mod eviction;
mod handshake;
mod headers;
mod headers_sync;
mod inventory;
mod manager;
mod options;
mod orphanage;
mod permissions;
mod relay;
mod serve;
mod state;
mod stats;
mod timeouts;
mod tx_download;
mod types;

#[doc(hidden)]
pub mod fuzz;

#[cfg(test)]
mod tests;

pub use eviction::{EvictionCandidate, select_peer_to_evict};
pub use manager::PeerManager;
pub use options::{PeerOptions, TIMEOUT_INTERVAL};
pub use permissions::{Permissions, WhiteBind, WhiteList};
pub use types::{Action, ConnectionType, Incoming, NewPeer, OrphanInfo, PeerId, PeerManagerInfo, PeerStats};
