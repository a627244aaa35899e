use std::collections::BTreeMap;
use std::time::Duration;

use grs_peer::{ConnectionType, PeerId, PeerStats, Permissions};
use grs_wire::{AddressNetwork, Service};

/// Which connections are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Made by others.
    In,
    /// Made by us.
    Out,
    /// All.
    Both,
}

/// A connection, for `getpeerinfo`. Times are since 1970.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Number.
    pub id: PeerId,
    /// Address, or the name it was connected by.
    pub name: String,
    /// Address.
    pub address: Service,
    /// Our end.
    pub bind: Option<Service>,
    /// Network it is connected through.
    pub network: AddressNetwork,
    /// When anything was sent last, seconds.
    pub last_send: i64,
    /// When anything was received last, seconds.
    pub last_receive: i64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes sent by message type; types that nobody knows are `*other*`.
    pub sent_per_type: BTreeMap<&'static str, u64>,
    /// Bytes received by message type.
    pub received_per_type: BTreeMap<&'static str, u64>,
    /// When it was made.
    pub connected: Duration,
    /// Permissions.
    pub permissions: Permissions,
    /// Why it exists.
    pub connection_type: ConnectionType,
    /// `v1`, `v2` or `detecting`.
    pub transport: &'static str,
    /// Session of the encrypted transport, or empty.
    pub session_id: String,
    /// What message handling knows; `None` in the moments of coming and going.
    pub stats: Option<PeerStats>,
}

/// A node of `-addnode` or `addnode add`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddedNodeInfo {
    /// As it was given.
    pub name: String,
    /// Whether to begin with the encrypted transport.
    pub v2: bool,
    /// Its address, if it is connected.
    pub address: Option<Service>,
    /// Whether it is connected, and whether that connection is inbound.
    pub connected: Option<bool>,
}

/// For `getnettotals`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NetTotals {
    /// Bytes received since start.
    pub received: u64,
    /// Bytes sent since start.
    pub sent: u64,
    /// Length of the upload cycle, seconds.
    pub timeframe: u64,
    /// Limit for a cycle; 0 for none.
    pub target: u64,
    /// The limit is reached.
    pub target_reached: bool,
    /// Old blocks are still served.
    pub serve_historical: bool,
    /// Bytes left in the cycle.
    pub bytes_left: u64,
    /// Seconds left in the cycle.
    pub time_left: u64,
}

/// An address of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalAddress {
    /// Where.
    pub service: Service,
    /// How sure we are.
    pub score: i32,
}

/// For `getnetworkinfo`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkInfo {
    /// Which.
    pub network: AddressNetwork,
    /// `-onlynet` excludes it, or it needs a proxy that there is not.
    pub limited: bool,
    /// Usable.
    pub reachable: bool,
    /// Its proxy, or empty.
    pub proxy: String,
    /// `-proxyrandomize` for it.
    pub proxy_randomize: bool,
}
