use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use grs_addrman::{AddrMan, BanMan, Rng, Subnet, read_anchors, write_anchors};
use grs_encoding::hex_encode;
use grs_hashes::SipHasher24;
use grs_log::{Category, debug, error, info};
use grs_peer::{
    ConnectionType, EvictionCandidate, PeerId, PeerManager, Permissions, WhiteList, select_peer_to_evict,
};
use grs_sync::{Interrupt, clock, thread};
use grs_wire::{AddressNetwork, NetAddress, Service, Services, TimedAddress, V2Status};
use tokio::runtime::Runtime;

use crate::info::{AddedNodeInfo, Direction, LocalAddress, NetTotals, NetworkInfo, PeerInfo};
use crate::node::{Node, lock};
use crate::traffic::Traffic;
use crate::{MAX_ADDNODE, SocketOptions};

/// Connections for block relay only that are tried first after a restart.
const MAX_ANCHORS: usize = 2;
/// Threads that serve the sockets.
const NET_THREADS: usize = 2;

/// All connections, and the threads that make, serve and use them. Share it as an `Arc`.
///
/// The caller has to call [`PeerManager::tick`] every 45 seconds and [`ConnectionManager::dump_addresses`] every 15
/// minutes; both belong on the node's scheduler, which tests can drive.
pub struct ConnectionManager {
    pub(crate) options: SocketOptions,
    pub(crate) peers: Arc<PeerManager>,
    pub(crate) bans: Arc<BanMan>,
    pub(crate) addrman: Arc<AddrMan>,
    pub(crate) nodes: Mutex<BTreeMap<PeerId, Arc<Node>>>,
    next_id: AtomicI64,
    active: AtomicBool,
    pub(crate) traffic: Traffic,
    pub(crate) interrupt: Interrupt,
    runtime: Mutex<Option<Runtime>>,
    pub(crate) handle: Mutex<Option<tokio::runtime::Handle>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) work: (Mutex<bool>, Condvar),
    /// Names, and whether to begin with the encrypted transport.
    added: Mutex<Vec<(String, bool)>>,
    pub(crate) addr_fetches: Mutex<VecDeque<String>>,
    pub(crate) anchors: Mutex<Vec<TimedAddress>>,
    pub(crate) bound: Mutex<Vec<Service>>,
    local: Mutex<BTreeMap<NetAddress, LocalAddress>>,
    group_key: (u64, u64),
    started: AtomicBool,
    on_change: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
}

impl ConnectionManager {
    /// Creates it without opening anything.
    pub fn new(
        options: SocketOptions,
        peers: Arc<PeerManager>,
        bans: Arc<BanMan>,
        addrman: Arc<AddrMan>,
    ) -> Arc<ConnectionManager> {
        let mut rng = Rng::new();
        let active = options.network_active;
        info!("SetNetworkActive: {active}");
        peers.set_network_active(active);
        peers.set_reachable(options.reachable.clone());
        let v2 = peers.options().services.has(Services::P2P_V2);
        let added = options.added_nodes.iter().map(|name| (name.clone(), v2)).collect();
        let manager = Arc::new(ConnectionManager {
            traffic: Traffic::new(options.max_upload),
            added: Mutex::new(added),
            options,
            peers,
            bans,
            addrman,
            nodes: Mutex::default(),
            next_id: AtomicI64::new(0),
            active: AtomicBool::new(active),
            interrupt: Interrupt::new(),
            runtime: Mutex::default(),
            handle: Mutex::default(),
            threads: Mutex::default(),
            work: (Mutex::new(false), Condvar::new()),
            addr_fetches: Mutex::default(),
            anchors: Mutex::default(),
            bound: Mutex::default(),
            local: Mutex::default(),
            group_key: (rng.u64(), rng.u64()),
            started: AtomicBool::new(false),
            on_change: Mutex::default(),
        });
        let weak = Arc::downgrade(&manager);
        manager.peers.set_wake(Arc::new(move || {
            if let Some(manager) = weak.upgrade() {
                manager.wake();
            }
        }));
        manager
    }

    /// Listens and starts the threads.
    ///
    /// # Errors
    /// The texts for the user, one or more.
    pub fn start(self: &Arc<Self>) -> Result<(), Vec<String>> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(NET_THREADS)
            .thread_name(thread::system_name("net"))
            .on_thread_start(|| thread::set_current_name("net"))
            .enable_all()
            .build()
            .map_err(|e| vec![format!("Cannot start network threads: {e}")])?;
        *lock(&self.handle) = Some(runtime.handle().clone());
        let guard = runtime.enter();
        for service in &self.options.external_addresses {
            self.add_local(*service, LOCAL_MANUAL);
        }
        if self.options.listen {
            self.listen()?;
        }
        drop(guard);
        if self.options.use_addrman_outgoing {
            self.load_anchors();
            if !self.options.connect.is_empty() {
                return Err(vec![
                    "Cannot provide specific connections and have addrman find outgoing connections at the same time."
                        .into(),
                ]);
            }
        }
        let watcher = self.clone();
        runtime.spawn(async move { watcher.watch_inactivity().await });
        *lock(&self.runtime) = Some(runtime);
        self.started.store(true, Ordering::Relaxed);
        let spawn = |name: &str, body: fn(&Arc<ConnectionManager>)| {
            let manager = self.clone();
            match thread::spawn_critical(name, move || body(&manager)) {
                Ok(handle) => lock(&self.threads).push(handle),
                Err(e) => error!("Cannot start thread {name}: {e}"),
            }
        };
        if self.options.dns_seed {
            spawn("dnsseed", ConnectionManager::run_dns_seeds);
        } else {
            info!("DNS seeding disabled");
        }
        spawn("addcon", ConnectionManager::run_added_connections);
        if self.options.use_addrman_outgoing || !self.options.connect.is_empty() {
            spawn("opencon", ConnectionManager::run_open_connections);
        }
        spawn("msghand", ConnectionManager::run_message_handler);
        Ok(())
    }

    /// Asks all threads to end.
    pub fn interrupt(&self) {
        self.interrupt.interrupt();
        self.wake();
    }

    /// Ends all threads and connections and writes addresses down. Nothing happens the second time.
    pub fn stop(&self) {
        self.interrupt();
        for handle in std::mem::take(&mut *lock(&self.threads)) {
            if handle.thread().id() != std::thread::current().id() {
                let _ = handle.join();
            }
        }
        if !self.started.swap(false, Ordering::Relaxed) {
            if let Some(runtime) = lock(&self.runtime).take() {
                runtime.shutdown_background();
            }
            return;
        }
        self.dump_addresses();
        if self.options.use_addrman_outgoing {
            self.dump_anchors();
        }
        let nodes: Vec<Arc<Node>> = lock(&self.nodes).values().cloned().collect();
        for node in nodes {
            debug!(Category::Net, "Stopping node, {}", node.disconnect_text());
            node.disconnect();
        }
        if let Some(runtime) = lock(&self.runtime).take() {
            // Connections have this long to send what is queued and to say good-bye.
            let end = std::time::Instant::now() + Duration::from_secs(2);
            while !lock(&self.nodes).is_empty() && std::time::Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
        *lock(&self.handle) = None;
        let rest: Vec<PeerId> = std::mem::take(&mut *lock(&self.nodes)).into_keys().collect();
        rest.into_iter().for_each(|id| self.peers.disconnected(id));
        self.peers.take_actions();
    }

    /// Sets who is told when the number of connections or the network's activity changes.
    pub fn set_on_change(&self, call: Arc<dyn Fn() + Send + Sync>) {
        *lock(&self.on_change) = Some(call);
    }

    pub(crate) fn changed(&self) {
        let call = lock(&self.on_change).clone();
        if let Some(call) = call {
            call();
        }
    }

    /// Message handling.
    pub fn peer_manager(&self) -> &Arc<PeerManager> {
        &self.peers
    }

    /// Options.
    pub fn options(&self) -> &SocketOptions {
        &self.options
    }

    pub(crate) fn wake(&self) {
        *lock(&self.work.0) = true;
        self.work.1.notify_one();
    }

    /// Whether we speak the encrypted transport (`-v2transport`).
    pub(crate) fn offers_v2(&self) -> bool {
        self.peers.options().services.has(Services::P2P_V2)
    }

    pub(crate) fn new_id(&self) -> PeerId {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether connections are made and accepted.
    pub fn network_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Switches all networking on or off; off ends all connections.
    pub fn set_network_active(&self, active: bool) {
        info!("SetNetworkActive: {active}");
        if self.active.swap(active, Ordering::Relaxed) == active {
            return;
        }
        self.peers.set_network_active(active);
        if !active {
            for node in self.node_list() {
                if node.disconnect() {
                    debug!(Category::Net, "Network not active, {}", node.disconnect_text());
                }
            }
        }
        self.changed();
    }

    pub(crate) fn node_list(&self) -> Vec<Arc<Node>> {
        lock(&self.nodes).values().cloned().collect()
    }

    pub(crate) fn node(&self, id: PeerId) -> Option<Arc<Node>> {
        lock(&self.nodes).get(&id).cloned()
    }

    /// Number of connections.
    pub fn count(&self, direction: Direction) -> usize {
        let nodes = lock(&self.nodes);
        nodes
            .values()
            .filter(|n| match direction {
                Direction::Both => true,
                Direction::In => n.is_inbound(),
                Direction::Out => !n.is_inbound(),
            })
            .count()
    }

    /// All connections with their statistics, by number.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.node_list()
            .into_iter()
            .map(|n| (n.transport_status(), n))
            .map(|(status, n)| PeerInfo {
                id: n.id,
                name: n.name.clone(),
                address: n.address,
                bind: n.bind,
                network: n.network(),
                last_send: n.last_send.load(Ordering::Relaxed),
                last_receive: n.last_receive.load(Ordering::Relaxed),
                bytes_sent: n.bytes_sent.load(Ordering::Relaxed),
                bytes_received: n.bytes_received.load(Ordering::Relaxed),
                sent_per_type: n.sent_per_type(),
                received_per_type: n.received_per_type(),
                connected: n.connected,
                permissions: n.permissions,
                connection_type: n.connection_type,
                transport: match status {
                    V2Status::V1 => "v1",
                    V2Status::V2(_) => "v2",
                    V2Status::Detecting => "detecting",
                },
                session_id: if let V2Status::V2(id) = status { hex_encode(id) } else { String::new() },
                stats: self.peers.stats(n.id),
            })
            .collect()
    }

    /// Bytes sent and received, and the upload limit.
    pub fn totals(&self) -> NetTotals {
        self.traffic.totals(clock::now_secs())
    }

    /// Remembers a node to stay connected to; false if it is there already. `v2`: begin with the encrypted transport.
    pub fn add_node(&self, name: &str, v2: bool) -> bool {
        let resolve = |text: &str| Service::parse(text, self.options.default_port_of(text));
        let resolved = resolve(name);
        let mut added = lock(&self.added);
        if added.iter().any(|(a, _)| a == name || (resolved.is_some() && resolve(a) == resolved)) {
            return false;
        }
        added.push((name.to_owned(), v2));
        true
    }

    /// Forgets a node of [`ConnectionManager::add_node`]; false if there is none. Its connection stays.
    pub fn remove_added_node(&self, name: &str) -> bool {
        let mut added = lock(&self.added);
        let before = added.len();
        added.retain(|(a, _)| a != name);
        added.len() != before
    }

    pub(crate) fn has_added_nodes(&self) -> bool {
        !lock(&self.added).is_empty()
    }

    pub(crate) fn is_added(&self, service: &Service) -> bool {
        let (host, whole) = (service.address.to_string(), service.to_string());
        let added = lock(&self.added);
        added.len() < 24 && added.iter().any(|(a, _)| *a == host || *a == whole)
    }

    /// Nodes of [`ConnectionManager::add_node`] and their connections.
    pub fn added_node_info(&self, include_connected: bool) -> Vec<AddedNodeInfo> {
        let nodes = self.node_list();
        let added = lock(&self.added).clone();
        added
            .into_iter()
            .filter_map(|(name, v2)| {
                let service = Service::parse(&name, self.options.default_port_of(&name));
                let node = nodes.iter().find(|n| match &service {
                    Some(service) => n.address == *service,
                    None => n.name == name,
                });
                if node.is_some() && !include_connected {
                    return None;
                }
                Some(AddedNodeInfo {
                    name,
                    v2,
                    address: node.map(|n| n.address),
                    connected: node.map(|n| n.is_inbound()),
                })
            })
            .collect()
    }

    /// Connections of `-addnode` that may be made at a time.
    pub(crate) fn free_addnode_slots(&self) -> usize {
        let used = self.node_list().iter().filter(|n| n.connection_type == ConnectionType::Manual).count();
        MAX_ADDNODE.saturating_sub(used)
    }

    fn disconnect_where(&self, why: &str, matches: impl Fn(&Node) -> bool, only_first: bool) -> bool {
        let mut found = false;
        for node in self.node_list().into_iter().filter(|n| matches(n)) {
            debug!(Category::Net, "disconnect by {why} match, {}", node.disconnect_text());
            node.disconnect();
            found = true;
            if only_first {
                break;
            }
        }
        found
    }

    /// Ends the connection with this address or name.
    pub fn disconnect_name(&self, name: &str) -> bool {
        let shown = if grs_log::log_ips() { format!("address={name}") } else { "address".into() };
        self.disconnect_where(&shown, |n| n.name == name, true)
    }

    /// Ends all connections with addresses of a range.
    pub fn disconnect_subnet(&self, subnet: &Subnet) -> bool {
        let shown = if grs_log::log_ips() { format!("subnet={subnet}") } else { "subnet".into() };
        self.disconnect_where(&shown, |n| subnet.matches(&n.address.address), false)
    }

    /// Ends all connections with an address.
    pub fn disconnect_address(&self, address: &NetAddress) -> bool {
        Subnet::single(*address).is_some_and(|subnet| self.disconnect_subnet(&subnet))
    }

    /// Ends a connection by its number.
    pub fn disconnect_id(&self, id: PeerId) -> bool {
        let Some(node) = self.node(id) else { return false };
        debug!(Category::Net, "disconnect by id, {}", node.disconnect_text());
        node.disconnect();
        true
    }

    /// Bans a range and ends its connections (`setban add`). Times as for [`BanMan::ban`].
    pub fn ban(&self, subnet: Subnet, offset: i64, since_epoch: bool) {
        self.bans.ban(subnet, offset, since_epoch);
        self.disconnect_subnet(&subnet);
    }

    /// Queues a message for a peer (`sendmsgtopeer`); false if there is none of this number.
    pub fn send_raw(&self, id: PeerId, message_type: &str, payload: Vec<u8>) -> bool {
        self.peers.send_raw(id, message_type, payload)
    }

    /// Keyed hash of an address's neighbourhood.
    pub(crate) fn keyed_group(&self, address: &NetAddress) -> u64 {
        let mut hasher = SipHasher24::new(self.group_key.0, self.group_key.1);
        hasher.write(&grs_addrman::net_group(address));
        hasher.finish()
    }

    pub(crate) fn whitelisted(
        &self,
        mut permissions: Permissions,
        address: Option<&NetAddress>,
        incoming: bool,
    ) -> Permissions {
        if let Some(address) = address {
            permissions =
                permissions | WhiteList::permissions_of(&self.options.white_list, address, incoming);
        }
        if permissions.has(Permissions::IMPLICIT) {
            permissions =
                permissions.without(Permissions::IMPLICIT) | Permissions::MEMPOOL | Permissions::NO_BAN;
            if self.options.whitelist_force_relay {
                permissions = permissions | Permissions::FORCE_RELAY;
            }
            if self.options.whitelist_relay {
                permissions = permissions | Permissions::RELAY;
            }
        }
        permissions
    }

    /// Ends an inbound connection to make room for another; false if none may be ended.
    pub(crate) fn evict(&self) -> bool {
        let candidates = self
            .node_list()
            .into_iter()
            .filter(|n| !n.is_disconnecting())
            .map(|n| {
                let stats = self.peers.stats(n.id).unwrap_or_default();
                let wanted = self.peers.desirable_services(stats.services);
                EvictionCandidate {
                    id: n.id,
                    connected: n.connected,
                    min_ping: stats.min_ping_time.unwrap_or(Duration::MAX),
                    last_block: stats.last_block_time,
                    last_tx: stats.last_tx_time,
                    relevant_services: stats.services.has(wanted),
                    relay_txs: stats.relay_txs,
                    bloom: stats.bloom_filter_loaded,
                    group: n.group,
                    prefer_evict: n.prefer_evict,
                    is_local: n.address.address.is_local(),
                    network: n.network(),
                    no_ban: n.permissions.has(Permissions::NO_BAN),
                    inbound: n.is_inbound(),
                }
            })
            .collect();
        let Some(node) = select_peer_to_evict(candidates).and_then(|id| self.node(id)) else { return false };
        debug!(
            Category::Net,
            "selected {} connection for eviction, {}",
            node.connection_type,
            node.disconnect_text()
        );
        node.disconnect();
        true
    }

    /// Notes an address of ours, if others can reach it.
    pub fn add_local(&self, service: Service, score: i32) -> bool {
        let address = service.address;
        if !address.is_routable()
            || (!self.options.discover && score < LOCAL_MANUAL)
            || !self.options.is_reachable(address.network())
        {
            return false;
        }
        info!("AddLocal({service},{score})");
        let mut local = lock(&self.local);
        let known = local.contains_key(&address);
        let entry = local.entry(address).or_insert(LocalAddress { service, score });
        if known && score >= entry.score {
            *entry = LocalAddress { service, score: score + 1 };
        }
        true
    }

    /// Addresses of ours that are known.
    pub fn local_addresses(&self) -> Vec<LocalAddress> {
        lock(&self.local).values().copied().collect()
    }

    pub(crate) fn is_local(&self, address: &NetAddress) -> bool {
        lock(&self.local).contains_key(address)
    }

    /// Addresses that are listened on.
    pub fn bound_addresses(&self) -> Vec<Service> {
        lock(&self.bound).clone()
    }

    /// Networks for `getnetworkinfo`.
    pub fn networks(&self) -> Vec<NetworkInfo> {
        use AddressNetwork::{Cjdns, I2p, Ipv4, Ipv6, Onion};
        [Ipv4, Ipv6, Onion, I2p, Cjdns]
            .into_iter()
            .map(|network| {
                let proxy = self.options.proxy_of(network);
                let reachable = self.options.is_reachable(network);
                NetworkInfo {
                    network,
                    limited: !reachable,
                    reachable,
                    proxy: proxy.map(|p| p.address.to_string()).unwrap_or_default(),
                    proxy_randomize: proxy.is_some_and(|p| p.randomize),
                }
            })
            .collect()
    }

    /// Writes `peers.dat`.
    pub fn dump_addresses(&self) {
        self.addrman.dump();
    }

    fn anchors_path(&self) -> Option<PathBuf> {
        self.options.data_dir.as_ref().map(|dir| dir.join("anchors.dat"))
    }

    fn load_anchors(&self) {
        let Some(path) = self.anchors_path() else { return };
        let mut list = Vec::new();
        if let Ok(data) = std::fs::read(&path) {
            if let Ok(anchors) = read_anchors(self.options.params.magic, &data) {
                info!("Loaded {} addresses from \"anchors.dat\"", anchors.len());
                list = anchors;
            }
            // Only a clean shutdown leaves the file.
            let _ = std::fs::remove_file(&path);
        }
        list.truncate(MAX_ANCHORS);
        info!("{} block-relay-only anchors will be tried for connections.", list.len());
        *lock(&self.anchors) = list;
    }

    fn dump_anchors(&self) {
        let Some(path) = self.anchors_path() else { return };
        let list: Vec<TimedAddress> = self
            .node_list()
            .iter()
            .filter(|n| n.connection_type == ConnectionType::BlockRelay)
            .take(MAX_ANCHORS)
            .map(|n| TimedAddress {
                service: n.address,
                services: self.peers.stats(n.id).unwrap_or_default().services,
                time: 0,
            })
            .collect();
        let task = format!(
            "DumpAnchors: Flush {} outbound block-relay-only peer addresses to anchors.dat",
            list.len()
        );
        let start = std::time::Instant::now();
        info!("{task} started");
        if let Err(e) = std::fs::write(&path, write_anchors(self.options.params.magic, &list)) {
            error!("Failed to write {}: {e}", path.display());
        }
        info!("{task} completed ({:.2}s)", start.elapsed().as_secs_f64());
    }
}

/// Score of an address given by the user (reference: `LOCAL_MANUAL`).
pub const LOCAL_MANUAL: i32 = 4;
/// Score of an address that is listened on (reference: `LOCAL_BIND`).
pub const LOCAL_BIND: i32 = 2;

impl Drop for ConnectionManager {
    fn drop(&mut self) {
        self.stop();
    }
}
