//! Sockets: listening, connecting, sending and receiving, on a tokio runtime that this crate owns.
//! Reference: `src/net.cpp`.
//!
//! # API (being filled in; signatures are what callers can code against)
//!
//! ```text
//! ConnectionManager::new(SocketOptions, Arc<PeerManager>, Arc<BanMan>, Arc<AddrMan>) -> Arc<ConnectionManager>
//!   // SocketOptions::new(Arc<ChainParams>) has the reference's defaults
//! .start() -> Result<(), String>      // binds, starts threads net, msghand, opencon, addcon, dnsseed; Err: text for the user
//! .interrupt()  .stop()
//! .network_active() .set_network_active(bool)
//! .add_node(&str, v2) -> bool   .remove_added_node(&str) -> bool   .added_node_info(include_connected) -> Vec<AddedNodeInfo>
//! .connect_once(&str, v2)                                   // addnode onetry
//! .add_connection(&str, ConnectionType, v2) -> Result<(), ..> // addconnection (regtest)
//! .disconnect_name(&str) -> bool  .disconnect_subnet(&Subnet) -> bool  .disconnect_address(&NetAddress) -> bool
//! .disconnect_id(PeerId) -> bool
//! .peers() -> Vec<PeerInfo>            // connection statistics + Option<PeerStats> of the machine: all getpeerinfo fields
//! .count(Direction::{In, Out, Both}) -> usize
//! .totals() -> NetTotals               // received, sent, upload target fields
//! .local_services() -> Services        .local_addresses() -> Vec<LocalAddress { service, score }>
//! .networks() -> Vec<NetworkInfo>      // getnetworkinfo
//! .send_raw(PeerId, &str, Vec<u8>) -> bool // sendmsgtopeer
//! ```
