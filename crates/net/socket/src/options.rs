use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use grs_params::ChainParams;
use grs_peer::{WhiteBind, WhiteList};
use grs_wire::{AddressNetwork, Service};

use crate::proxy::Proxy;

/// Ordinary automatic connections.
pub const MAX_OUTBOUND_FULL_RELAY: usize = 8;
/// Block-relay-only connections.
pub const MAX_BLOCK_RELAY_ONLY: usize = 2;
/// Feelers at a time.
pub const MAX_FEELERS: usize = 1;
/// Connections made by `-addnode`.
pub const MAX_ADDNODE: usize = 8;
/// Default of `-maxconnections`.
pub const DEFAULT_MAX_CONNECTIONS: usize = 125;

/// How to connect. [`SocketOptions::new`] has the reference's defaults, and neither listens nor connects by itself.
#[derive(Clone)]
pub struct SocketOptions {
    /// Network.
    pub params: Arc<ChainParams>,
    /// Data directory of the network, for `anchors.dat`; nothing is stored without.
    pub data_dir: Option<PathBuf>,
    /// `-maxconnections`: automatic ones, in and out.
    pub max_connections: usize,
    /// `-maxsendbuffer` in bytes.
    pub max_send_buffer: usize,
    /// `-maxreceivebuffer` in bytes.
    pub max_receive_buffer: usize,
    /// `-maxuploadtarget` in bytes per day; 0 for no limit.
    pub max_upload: u64,
    /// `-peertimeout`.
    pub peer_timeout: Duration,
    /// `-timeout`: how long a connection may take to be made.
    pub connect_timeout: Duration,
    /// `-listen`.
    pub listen: bool,
    /// `-bind` without `=onion`.
    pub binds: Vec<Service>,
    /// `-whitebind`.
    pub white_binds: Vec<WhiteBind>,
    /// `-bind=...=onion`.
    pub onion_binds: Vec<Service>,
    /// Listen on all addresses at `port`: neither `-bind` nor `-whitebind` was given.
    pub bind_on_any: bool,
    /// `-port`.
    pub port: u16,
    /// `-whitelist`.
    pub white_list: Vec<WhiteList>,
    /// `-whitelistrelay`.
    pub whitelist_relay: bool,
    /// `-whitelistforcerelay`.
    pub whitelist_force_relay: bool,
    /// Automatic connections to addresses from the address book: without `-connect`.
    pub use_addrman_outgoing: bool,
    /// `-connect`, without those that say no.
    pub connect: Vec<String>,
    /// `-addnode`.
    pub added_nodes: Vec<String>,
    /// `-seednode`.
    pub seed_nodes: Vec<String>,
    /// `-dnsseed`.
    pub dns_seed: bool,
    /// `-forcednsseed`.
    pub force_dns_seed: bool,
    /// `-fixedseeds`.
    pub fixed_seeds: bool,
    /// `-dns`: names may be looked up.
    pub name_lookup: bool,
    /// `-discover`.
    pub discover: bool,
    /// `-externalip`.
    pub external_addresses: Vec<Service>,
    /// `-onlynet` and what proxies make possible: networks that automatic connections may use.
    pub reachable: Vec<AddressNetwork>,
    /// `-proxy` and `-onion`: by network.
    pub proxies: Vec<(AddressNetwork, Proxy)>,
    /// `-proxy`: for names.
    pub name_proxy: Option<Proxy>,
    /// `-networkactive`.
    pub network_active: bool,
}

impl SocketOptions {
    /// Defaults for a network.
    pub fn new(params: Arc<ChainParams>) -> SocketOptions {
        SocketOptions {
            port: params.default_port,
            params,
            data_dir: None,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            max_send_buffer: 1_000_000,
            max_receive_buffer: 5_000_000,
            max_upload: 0,
            peer_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_millis(5000),
            listen: false,
            binds: Vec::new(),
            white_binds: Vec::new(),
            onion_binds: Vec::new(),
            bind_on_any: false,
            white_list: Vec::new(),
            whitelist_relay: true,
            whitelist_force_relay: false,
            use_addrman_outgoing: false,
            connect: Vec::new(),
            added_nodes: Vec::new(),
            seed_nodes: Vec::new(),
            dns_seed: false,
            force_dns_seed: false,
            fixed_seeds: false,
            name_lookup: true,
            discover: false,
            external_addresses: Vec::new(),
            reachable: vec![AddressNetwork::Ipv4, AddressNetwork::Ipv6],
            proxies: Vec::new(),
            name_proxy: None,
            network_active: true,
        }
    }

    /// Ordinary automatic connections at most.
    pub fn max_outbound_full_relay(&self) -> usize {
        MAX_OUTBOUND_FULL_RELAY.min(self.max_connections)
    }

    /// Block-relay-only connections at most.
    pub fn max_outbound_block_relay(&self) -> usize {
        MAX_BLOCK_RELAY_ONLY.min(self.max_connections - self.max_outbound_full_relay())
    }

    pub(crate) fn max_automatic_outbound(&self) -> usize {
        self.max_outbound_full_relay() + self.max_outbound_block_relay() + MAX_FEELERS
    }

    pub(crate) fn max_inbound(&self) -> usize {
        self.max_connections.saturating_sub(self.max_automatic_outbound())
    }

    /// Port of a host name or address that was given without one: that of I2P is 0.
    pub(crate) fn default_port_of(&self, host: &str) -> u16 {
        if host.to_ascii_lowercase().ends_with(".b32.i2p") { 0 } else { self.params.default_port }
    }

    pub(crate) fn proxy_of(&self, network: AddressNetwork) -> Option<&Proxy> {
        self.proxies.iter().find(|(n, _)| *n == network).map(|(_, proxy)| proxy)
    }

    pub(crate) fn is_reachable(&self, network: AddressNetwork) -> bool {
        self.reachable.contains(&network)
    }
}

/// A socket address for an address that is one.
pub(crate) fn socket_addr(service: &Service) -> Option<SocketAddr> {
    service.to_socket_addr()
}
