//! Making connections: on request, to added nodes, to addresses from the address book, through seeds.

use std::collections::BTreeSet;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use grs_addrman::{Rng, net_group};
use grs_log::{Category, debug, info};
use grs_peer::{ConnectionType, Permissions};
use grs_sync::clock;
use grs_wire::{AddressNetwork, NetAddress, Service, Services, TimedAddress, split_host_port};

use crate::listen::error_text;
use crate::manager::ConnectionManager;
use crate::node::{NewNode, Node, lock};
use crate::proxy::{self, ProxyError};
use crate::{MAX_ADDNODE, MAX_OUTBOUND_FULL_RELAY};

const FEELER_INTERVAL: Duration = Duration::from_secs(120);
const EXTRA_BLOCK_RELAY_INTERVAL: Duration = Duration::from_secs(300);
const EXTRA_NETWORK_INTERVAL: Duration = Duration::from_secs(300);
const FEELER_SLEEP: Duration = Duration::from_secs(1);
const ADD_NEXT_SEEDNODE: u64 = 10;
/// With so many ordinary outbound peers, no seeds are needed.
pub(crate) const SEED_THRESHOLD: usize = 2;
/// Pause between two looks at what is to be done.
pub(crate) const TURN: Duration = Duration::from_millis(500);

/// Where to connect.
enum Target<'a> {
    Address(TimedAddress),
    Name(&'a str),
}

/// What an automatic connection looks at in those that exist.
struct Outbound {
    full_relay: usize,
    block_relay: usize,
    privacy_peers: usize,
    groups: BTreeSet<Vec<u8>>,
}

impl ConnectionManager {
    /// Connects once (`addnode onetry`). Returns when the attempt is over; true if there is a connection. `v2`: begin
    /// with the encrypted transport; a peer that does not know it is tried again without.
    pub fn connect_once(self: &Arc<Self>, name: &str, v2: bool) -> bool {
        self.open(&Target::Name(name), false, ConnectionType::Manual, v2)
    }

    /// Once more to the other end of a connection, without encryption.
    pub(crate) fn reconnect_v1(self: &Arc<Self>, node: &Node) {
        let address = TimedAddress { service: node.address, services: node.services, time: 0 };
        let target = match node.given_name.as_str() {
            "" => Target::Address(address),
            name => Target::Name(name),
        };
        self.open(&target, false, node.connection_type, false);
    }

    /// Connects as if automatically (RPC `addconnection`); false if there are enough of this type. `v2` is as for
    /// [`ConnectionManager::connect_once`].
    pub fn add_connection(self: &Arc<Self>, name: &str, connection_type: ConnectionType, v2: bool) -> bool {
        let limit = match connection_type {
            ConnectionType::Inbound | ConnectionType::Manual => return false,
            ConnectionType::OutboundFullRelay => self.options.max_outbound_full_relay(),
            ConnectionType::BlockRelay => self.options.max_outbound_block_relay(),
            ConnectionType::AddrFetch | ConnectionType::Feeler => usize::MAX,
        };
        let nodes = self.node_list();
        let count = nodes.iter().filter(|n| n.connection_type == connection_type).count();
        if count >= limit || !self.has_free_slot() {
            return false;
        }
        self.open(&Target::Name(name), false, connection_type, v2);
        true
    }

    /// Whether one more automatic connection may be made.
    fn has_free_slot(&self) -> bool {
        let automatic = |t| !matches!(t, ConnectionType::Inbound | ConnectionType::Manual);
        let used = self.node_list().iter().filter(|n| automatic(n.connection_type)).count();
        used < self.options.max_automatic_outbound().min(self.options.max_connections)
    }

    fn is_connected_to(&self, service: &Service) -> bool {
        self.node_list().iter().any(|n| n.address == *service)
    }

    fn is_connected_to_address(&self, address: &NetAddress) -> bool {
        self.node_list().iter().any(|n| n.address.address == *address)
    }

    fn open(
        self: &Arc<Self>,
        target: &Target<'_>,
        count_failure: bool,
        connection_type: ConnectionType,
        v2: bool,
    ) -> bool {
        if self.interrupt.is_interrupted() || !self.network_active() {
            return false;
        }
        match target {
            Target::Address(address) => {
                let host = &address.service.address;
                if self.is_local(host)
                    || self.bans.is_discouraged(host)
                    || self.bans.is_banned(host)
                    || self.is_connected_to_address(host)
                {
                    return false;
                }
            }
            Target::Name(name) => {
                if self.node_list().iter().any(|n| n.name == *name) {
                    return false;
                }
            }
        }
        let (shown, age) = match target {
            Target::Address(a) => {
                (a.service.to_string(), (clock::now_secs() - i64::from(a.time)) as f64 / 3600.0)
            }
            Target::Name(name) => ((*name).to_owned(), 0.0),
        };
        let transport = if v2 { "v2" } else { "v1" };
        debug!(
            Category::Net,
            "trying {transport} connection ({connection_type}) to {shown}, lastseen={age:.1}hrs"
        );
        let (services, candidates) = match target {
            Target::Address(a) => (a.services, vec![a.service]),
            Target::Name(name) => (Services::NONE, self.resolve(name)),
        };
        if let Target::Name(name) = target {
            if candidates.iter().any(|c| self.is_connected_to(c)) {
                info!("Not opening a connection to {name}, already connected to {}", candidates[0]);
                return false;
            }
            if candidates.is_empty() {
                return self.open_by_name_proxy(name, connection_type, v2);
            }
        }
        for service in candidates {
            let proxy = self.options.proxy_of(service.address.network());
            let stream = match proxy {
                Some(proxy) => {
                    debug!(Category::Proxy, "Using proxy: {} to connect to {service}", proxy.address);
                    let (host, timeout) = (service.address.to_string(), self.options.connect_timeout);
                    proxy::connect(proxy, &host, service.port, timeout)
                }
                None => self
                    .connect_directly(&service, connection_type)
                    .map_err(|e| ProxyError::Target(e.to_string())),
            };
            match stream {
                Ok(stream) => {
                    self.addrman.attempt(&service, count_failure);
                    let name =
                        if let Target::Name(name) = target { (*name).to_owned() } else { String::new() };
                    return self.adopt(stream, service, name, connection_type, proxy.is_some(), services, v2);
                }
                Err(ProxyError::Target(text)) => {
                    if proxy.is_some() {
                        debug!(Category::Proxy, "No connection to {service} through the proxy: {text}");
                    }
                    self.addrman.attempt(&service, count_failure);
                }
                Err(ProxyError::Proxy(e)) => {
                    debug!(Category::Proxy, "Cannot connect to proxy: {}", error_text(&e));
                }
            }
        }
        false
    }

    fn open_by_name_proxy(self: &Arc<Self>, name: &str, connection_type: ConnectionType, v2: bool) -> bool {
        let Some(proxy) = &self.options.name_proxy else { return false };
        let Some((host, port)) = split_host_port(name, self.options.default_port_of(name)) else {
            return false;
        };
        match proxy::connect(proxy, &host, port, self.options.connect_timeout) {
            Ok(stream) => {
                let unknown = Service::default();
                self.adopt(stream, unknown, name.to_owned(), connection_type, true, Services::NONE, v2)
            }
            Err(_) => false,
        }
    }

    fn connect_directly(&self, service: &Service, connection_type: ConnectionType) -> io::Result<TcpStream> {
        let address = crate::options::socket_addr(service).ok_or_else(|| {
            io::Error::other(format!("Cannot create socket for {service}: unsupported network"))
        })?;
        TcpStream::connect_timeout(&address, self.options.connect_timeout).inspect_err(|e| {
            let text = format!("connect() to {service} failed: {}", error_text(e));
            if connection_type == ConnectionType::Manual {
                info!("{text}");
            } else {
                debug!(Category::Net, "{text}");
            }
        })
    }

    fn adopt(
        self: &Arc<Self>,
        stream: TcpStream,
        address: Service,
        name: String,
        connection_type: ConnectionType,
        proxied: bool,
        services: Services,
        use_v2: bool,
    ) -> bool {
        let Some(handle) = lock(&self.handle).clone() else { return false };
        let _context = handle.enter();
        let bind = stream.local_addr().ok().map(Service::from);
        let converted = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_nonblocking(true))
            .and_then(|()| tokio::net::TcpStream::from_std(stream));
        let Ok(stream) = converted else { return false };
        let permissions = if connection_type == ConnectionType::Manual {
            self.whitelisted(Permissions::NONE, Some(&address.address), false)
        } else {
            Permissions::NONE
        };
        let id = self.new_id();
        let new = NewNode {
            id,
            connection_type,
            address,
            name,
            bind,
            permissions,
            inbound_onion: false,
            connected: clock::now(),
            group: self.keyed_group(&address.address),
            prefer_evict: false,
            services,
            use_v2,
        };
        self.add_connection_of(stream, new, proxied);
        true
    }

    /// Addresses of a name, in random order.
    fn resolve(&self, name: &str) -> Vec<Service> {
        let port = self.options.default_port_of(name);
        if let Some(service) = Service::parse(name, port) {
            return vec![service];
        }
        if !self.options.name_lookup || self.options.name_proxy.is_some() {
            return Vec::new();
        }
        let Some((host, port)) = split_host_port(name, port) else { return Vec::new() };
        let mut list: Vec<Service> = (host.as_str(), port)
            .to_socket_addrs()
            .map(|l| l.map(Service::from).collect())
            .unwrap_or_default();
        list.truncate(256);
        Rng::new().shuffle(&mut list);
        list
    }

    /// Keeps connections to added nodes.
    pub(crate) fn run_added_connections(self: &Arc<Self>) {
        loop {
            let mut tried = false;
            for node in self.added_node_info(false) {
                if self.free_addnode_slots() == 0 {
                    break;
                }
                tried = true;
                self.open(&Target::Name(&node.name), false, ConnectionType::Manual, node.v2);
                if !self.interrupt.sleep_for(TURN) {
                    return;
                }
            }
            debug_assert!(self.free_addnode_slots() <= MAX_ADDNODE);
            if !self.interrupt.sleep_for(Duration::from_secs(if tried { 60 } else { 2 })) {
                return;
            }
        }
    }

    /// Makes the connections of `-connect`, or automatic ones.
    pub(crate) fn run_open_connections(self: &Arc<Self>) {
        if self.options.connect.is_empty() {
            return self.run_automatic();
        }
        for turn in 0_u32.. {
            for name in &self.options.connect {
                self.open(&Target::Name(name), false, ConnectionType::Manual, self.offers_v2());
                for _ in 0..turn.min(10) {
                    if !self.interrupt.sleep_for(TURN) {
                        return;
                    }
                }
            }
            if !self.interrupt.sleep_for(TURN) {
                return;
            }
        }
    }

    fn outbound(&self) -> Outbound {
        let mut out = Outbound { full_relay: 0, block_relay: 0, privacy_peers: 0, groups: BTreeSet::new() };
        for node in self.node_list() {
            match node.connection_type {
                ConnectionType::OutboundFullRelay => out.full_relay += 1,
                ConnectionType::BlockRelay => out.block_relay += 1,
                ConnectionType::Manual => {}
                _ => continue,
            }
            let address = &node.address.address;
            if address.is_privacy_network() || address.network() == AddressNetwork::Cjdns {
                out.privacy_peers += 1;
            } else {
                out.groups.insert(net_group(address));
            }
        }
        out
    }

    pub(crate) fn full_relay_connected(&self) -> usize {
        let done = self.peers.connected_peers();
        let full = |n: &&Arc<crate::node::Node>| n.connection_type == ConnectionType::OutboundFullRelay;
        self.node_list().iter().filter(full).filter(|n| done.contains(&n.id)).count()
    }

    fn run_automatic(self: &Arc<Self>) {
        let mut rng = Rng::new();
        let start = clock::now();
        let mut next_feeler = start + rng.exp_duration(FEELER_INTERVAL);
        let mut next_block_relay = start + rng.exp_duration(EXTRA_BLOCK_RELAY_INTERVAL);
        let mut next_network = start + rng.exp_duration(EXTRA_NETWORK_INTERVAL);
        let mut seed_nodes = self.options.seed_nodes.clone();
        rng.shuffle(&mut seed_nodes);
        let mut seed_timer = start;
        let mut fixed_seeds = self.options.fixed_seeds;
        let mut add_seed = self.addrman.size(None, None) == 0 && !seed_nodes.is_empty();
        if !fixed_seeds {
            info!("Fixed seeds are disabled");
        }
        while !self.interrupt.is_interrupted() {
            if std::mem::take(&mut add_seed)
                && let Some(seed) = seed_nodes.pop()
            {
                if self.addrman.size(None, None) == 0 {
                    info!("Empty addrman, adding seednode ({seed}) to addrfetch");
                } else {
                    info!(
                        "Couldn't connect to peers from addrman after {ADD_NEXT_SEEDNODE} seconds. Adding seednode \
                         ({seed}) to addrfetch"
                    );
                }
                lock(&self.addr_fetches).push_back(seed);
            }
            let fetch = lock(&self.addr_fetches).pop_front();
            if let Some(name) = fetch.filter(|_| self.has_free_slot()) {
                self.open(&Target::Name(&name), false, ConnectionType::AddrFetch, self.offers_v2());
            }
            if !self.interrupt.sleep_for(TURN) {
                return;
            }
            if !self.has_free_slot() {
                continue;
            }
            if fixed_seeds && self.add_fixed_seeds(start) {
                fixed_seeds = false;
            }
            let outbound = self.outbound();
            let now = clock::now();
            if !seed_nodes.is_empty()
                && outbound.full_relay < SEED_THRESHOLD
                && now > seed_timer + Duration::from_secs(ADD_NEXT_SEEDNODE)
            {
                seed_timer = now;
                add_seed = true;
            }
            let max_full = self.options.max_outbound_full_relay();
            let max_block = self.options.max_outbound_block_relay();
            let mut preferred = None;
            let anchor = outbound.block_relay < max_block && !lock(&self.anchors).is_empty();
            let connection_type = if anchor {
                ConnectionType::BlockRelay
            } else if outbound.full_relay < max_full {
                ConnectionType::OutboundFullRelay
            } else if outbound.block_relay < max_block {
                ConnectionType::BlockRelay
            } else if self.peers.wants_extra_outbound() {
                ConnectionType::OutboundFullRelay
            } else if now > next_block_relay && self.peers.wants_extra_block_relay() {
                next_block_relay = now + rng.exp_duration(EXTRA_BLOCK_RELAY_INTERVAL);
                ConnectionType::BlockRelay
            } else if now > next_feeler {
                next_feeler = now + rng.exp_duration(FEELER_INTERVAL);
                ConnectionType::Feeler
            } else if max_full == MAX_OUTBOUND_FULL_RELAY && now > next_network {
                preferred = self.network_without_peer(&mut rng);
                if preferred.is_none() {
                    continue;
                }
                next_network = now + rng.exp_duration(EXTRA_NETWORK_INTERVAL);
                ConnectionType::OutboundFullRelay
            } else {
                continue;
            };
            self.addrman.resolve_collisions();
            let Some(address) = self.choose(anchor, connection_type, preferred, &outbound) else { continue };
            if connection_type == ConnectionType::Feeler {
                if !self.interrupt.sleep_for(FEELER_SLEEP.mul_f64(rng.unit())) {
                    return;
                }
                debug!(Category::Net, "Making feeler connection to {}", address.service);
            }
            if let Some(network) = preferred {
                debug!(
                    Category::Net,
                    "Making network specific connection to {} on {}.",
                    address.service,
                    network.name()
                );
            }
            let persistent = outbound.groups.len() + outbound.privacy_peers;
            let count_failure = persistent >= 2.min(self.options.max_connections.saturating_sub(1));
            let v2 = self.offers_v2() && address.services.has(Services::P2P_V2);
            self.open(&Target::Address(address), count_failure, connection_type, v2);
        }
    }

    /// A reachable network with known addresses and without a peer.
    fn network_without_peer(&self, rng: &mut Rng) -> Option<AddressNetwork> {
        let mut networks = self.options.reachable.clone();
        rng.shuffle(&mut networks);
        let nodes = self.node_list();
        let used = |network| {
            nodes.iter().any(|n| {
                matches!(n.connection_type, ConnectionType::OutboundFullRelay | ConnectionType::Manual)
                    && n.address.address.network() == network
            })
        };
        networks.into_iter().find(|n| !used(*n) && self.addrman.size(Some(*n), None) != 0)
    }

    /// An address for an automatic connection.
    fn choose(
        &self,
        anchor: bool,
        connection_type: ConnectionType,
        preferred: Option<AddressNetwork>,
        outbound: &Outbound,
    ) -> Option<TimedAddress> {
        let feeler = connection_type == ConnectionType::Feeler;
        let reachable = &self.options.reachable;
        let taken = |address: &NetAddress| outbound.groups.contains(&net_group(address));
        let offers = |a: &TimedAddress| a.services.has(self.peers.desirable_services(a.services));
        for tries in 1..=100 {
            if self.interrupt.is_interrupted() {
                return None;
            }
            let from_file = if anchor { lock(&self.anchors).pop() } else { None };
            if let Some(address) = from_file {
                let host = &address.service.address;
                if !host.is_valid()
                    || self.is_local(host)
                    || !self.options.is_reachable(host.network())
                    || !offers(&address)
                    || taken(host)
                {
                    continue;
                }
                debug!(Category::Net, "Trying to make an anchor connection to {}", address.service);
                return Some(address);
            }
            let picked = if feeler {
                match self.addrman.select_tried_collision() {
                    Some((old, _)) if self.is_connected_to_address(&old.service.address) => {
                        // We are connected to it: it works.
                        self.addrman.good(&old.service);
                        self.addrman.select(true, reachable)
                    }
                    Some(old) => Some(old),
                    None => self.addrman.select(true, reachable),
                }
            } else {
                match preferred {
                    Some(network) => self.addrman.select(false, &[network]),
                    None => self.addrman.select(false, reachable),
                }
            };
            let (address, last_try) = picked?;
            let host = &address.service.address;
            if !feeler && taken(host) {
                continue;
            }
            if !host.is_valid() || self.is_local(host) {
                return None;
            }
            let too_recent = clock::now_secs() - last_try < 600 && tries < 30;
            let useful = if feeler { address.services.may_have_address_db() } else { offers(&address) };
            let bad_port = tries < 50 && host.to_ip().is_some() && is_bad_port(address.service.port);
            if !self.options.is_reachable(host.network()) || too_recent || !useful || bad_port {
                continue;
            }
            if self.is_added(&address.service) {
                debug!(
                    Category::Net,
                    "Not making automatic {}{connection_type} connection to {} peer selected for manual (addnode) \
                     connection{}",
                    if preferred.is_some() { "network-specific " } else { "" },
                    host.network().name(),
                    if grs_log::log_ips() { format!(": {}", address.service) } else { String::new() }
                );
                continue;
            }
            return Some(address);
        }
        None
    }
}

/// Ports of other services, which an address of a node hardly has (reference: `IsBadPort`).
fn is_bad_port(port: u16) -> bool {
    const BAD: [u16; 77] = [
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
        104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513,
        514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720,
        1723, 2049, 3306, 3389, 3659, 4045, 5060, 5061, 5432, 5900, 6000, 6566,
    ];
    const MORE: [u16; 11] = [6665, 6666, 6667, 6668, 6669, 6697, 8332, 8333, 10080, 18332, 18333];
    BAD.binary_search(&port).is_ok() || MORE.binary_search(&port).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_ports() {
        assert!(is_bad_port(1) && is_bad_port(22) && is_bad_port(6667) && is_bad_port(8333));
        assert!(!is_bad_port(1331) && !is_bad_port(17777));
    }
}
