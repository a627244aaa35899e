use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use grs_hashes::Wtxid;
use grs_primitives::TxRef;
use grs_wire::{AddressNetwork, Message, MessageError, NetAddress, Service, Services};

use crate::Permissions;

/// Number of a connection, ascending, never used twice.
pub type PeerId = i64;

/// Why a connection exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConnectionType {
    /// The peer connected to us.
    Inbound,
    /// An ordinary automatic connection.
    OutboundFullRelay,
    /// Asked for by the user.
    Manual,
    /// Tests whether an address works, then ends.
    Feeler,
    /// Relays blocks only, and no addresses.
    BlockRelay,
    /// Asks for addresses, then ends.
    AddrFetch,
}

impl ConnectionType {
    /// Name as in logs and RPC results.
    pub const fn name(self) -> &'static str {
        match self {
            ConnectionType::Inbound => "inbound",
            ConnectionType::OutboundFullRelay => "outbound-full-relay",
            ConnectionType::Manual => "manual",
            ConnectionType::Feeler => "feeler",
            ConnectionType::BlockRelay => "block-relay-only",
            ConnectionType::AddrFetch => "addr-fetch",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<ConnectionType> {
        use ConnectionType::{AddrFetch, BlockRelay, Feeler, Inbound, Manual, OutboundFullRelay};
        [Inbound, OutboundFullRelay, Manual, Feeler, BlockRelay, AddrFetch]
            .into_iter()
            .find(|t| t.name() == name)
    }

    /// Automatic connections that stay (reference: `IsOutboundOrBlockRelayConn`).
    pub const fn is_outbound_or_block_relay(self) -> bool {
        matches!(self, ConnectionType::OutboundFullRelay | ConnectionType::BlockRelay)
    }

    /// Connections whose partner must offer the desirable services.
    pub const fn expects_services(self) -> bool {
        matches!(
            self,
            ConnectionType::OutboundFullRelay | ConnectionType::BlockRelay | ConnectionType::AddrFetch
        )
    }
}

impl fmt::Display for ConnectionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A connection as the edge announces it.
#[derive(Clone, Debug)]
pub struct NewPeer {
    /// Number.
    pub id: PeerId,
    /// Why it exists.
    pub connection_type: ConnectionType,
    /// The other end.
    pub address: Service,
    /// Services that the address book knows of it.
    pub address_services: Services,
    /// Granted by options.
    pub permissions: Permissions,
    /// Came in through Tor.
    pub inbound_onion: bool,
    /// Our end of the connection.
    pub bind: Option<Service>,
    /// When it was made, since 1970.
    pub connected: Duration,
    /// The edge sets it once the transport turns out to be the encrypted one (BIP324).
    pub encrypted: Arc<AtomicBool>,
    /// Goes through a proxy, so that its address says nothing.
    pub proxied: bool,
    /// True while the send buffer is full: the edge sets it, the machine then stops serving.
    pub pause_send: Arc<AtomicBool>,
}

impl NewPeer {
    /// A plain connection, for tests and simple callers.
    pub fn new(
        id: PeerId,
        connection_type: ConnectionType,
        address: Service,
        connected: Duration,
    ) -> NewPeer {
        NewPeer {
            id,
            connection_type,
            address,
            address_services: Services::NONE,
            permissions: Permissions::NONE,
            inbound_onion: false,
            bind: None,
            connected,
            encrypted: Arc::default(),
            proxied: false,
            pause_send: Arc::default(),
        }
    }

    /// Network for statistics and eviction (reference: `ConnectedThroughNetwork`).
    pub fn network(&self) -> AddressNetwork {
        if self.inbound_onion { AddressNetwork::Onion } else { self.address.address.net_class() }
    }
}

/// A message as the edge received it, decoded there.
#[derive(Debug)]
pub struct Incoming {
    /// Type as it came.
    pub message_type: String,
    /// Bytes of the payload.
    pub size: usize,
    /// When it was complete, since 1970.
    pub received: Duration,
    /// What it says.
    pub content: Result<Message, MessageError>,
}

impl Incoming {
    /// Decodes a payload.
    pub fn decode(message_type: String, payload: &[u8], received: Duration) -> Incoming {
        let content = Message::decode(&message_type, payload);
        Incoming { message_type, size: payload.len(), received, content }
    }

    /// From a message that was never encoded, for tests and simulations.
    pub fn from_message(message: Message, received: Duration) -> Incoming {
        let mut payload = Vec::new();
        message.encode_payload(&mut payload);
        Incoming::decode(message.message_type().to_owned(), &payload, received)
    }
}

/// What the machine wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Send a message.
    Send(PeerId, Message),
    /// End a connection; the reason is logged already.
    Disconnect(PeerId),
    /// End all connections with an address.
    DisconnectAddress(NetAddress),
}

/// Statistics of a peer that the machine keeps. Times are since 1970; zero means never.
#[derive(Clone, Debug, Default)]
pub struct PeerStats {
    /// Protocol version; 0 before its `version` message.
    pub version: i32,
    /// User agent, sanitized.
    pub user_agent: String,
    /// Services it offers.
    pub services: Services,
    /// Our address as it sees it.
    pub address_local: Option<Service>,
    /// Handshake done.
    pub successfully_connected: bool,
    /// Whether it gets transaction announcements.
    pub relay_txs: bool,
    /// It loaded a bloom filter.
    pub bloom_filter_loaded: bool,
    /// Mempool sequence of the last announcement.
    pub last_inv_sequence: u64,
    /// Transactions waiting to be announced.
    pub inv_to_send: usize,
    /// Last valid transaction that it sent.
    pub last_tx_time: Duration,
    /// Last new block that it sent.
    pub last_block_time: Duration,
    /// Its clock minus ours, seconds.
    pub time_offset: i64,
    /// Last ping time.
    pub ping_time: Option<Duration>,
    /// Least ping time.
    pub min_ping_time: Option<Duration>,
    /// Time since an unanswered ping.
    pub ping_wait: Option<Duration>,
    /// We asked it to announce by compact blocks.
    pub high_bandwidth_to: bool,
    /// It asked us to announce by compact blocks.
    pub high_bandwidth_from: bool,
    /// Height it claimed at the start.
    pub starting_height: i32,
    /// Height of the headers presync, -1 without.
    pub presync_height: i64,
    /// Height of its best header that we know, -1 without.
    pub sync_height: i32,
    /// Height of the last block in common, -1 without.
    pub common_height: i32,
    /// Heights of blocks requested from it.
    pub in_flight: Vec<u32>,
    /// Whether addresses are relayed.
    pub addr_relay_enabled: bool,
    /// Addresses taken.
    pub addr_processed: u64,
    /// Addresses dropped by the rate limit.
    pub addr_rate_limited: u64,
    /// Least fee rate it wants announced, gro per 1,000 virtual bytes.
    pub fee_filter: i64,
}

/// What RPC asks about the machine as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerManagerInfo {
    /// Median of the outbound peers' time offsets, seconds.
    pub time_offset: i64,
    /// `-blocksonly`.
    pub ignores_incoming_txs: bool,
}

/// A transaction that waits for its parents.
#[derive(Clone, Debug)]
pub struct OrphanInfo {
    /// The transaction.
    pub tx: TxRef,
    /// Peers that announced it.
    pub announcers: Vec<PeerId>,
}

impl OrphanInfo {
    /// Its witness id.
    pub fn wtxid(&self) -> Wtxid {
        self.tx.wtxid()
    }
}
