//! Listening and accepting.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use grs_log::{Category, debug, error, info};
use grs_peer::{ConnectionType, Permissions};
use grs_wire::{NetAddress, Service, Services, V2Status};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::manager::{ConnectionManager, LOCAL_BIND};
use crate::node::{NewNode, lock};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

impl ConnectionManager {
    /// Listens on all addresses that options name. Within the runtime's context.
    pub(crate) fn listen(self: &Arc<Self>) -> Result<(), Vec<String>> {
        let failed = |error: String| {
            vec![error, "Failed to listen on any port. Use -listen=0 if you want this.".to_owned()]
        };
        for service in &self.options.binds {
            self.bind(*service, Permissions::NONE, true).map_err(failed)?;
        }
        for bind in &self.options.white_binds {
            self.bind(bind.service, bind.permissions, true).map_err(failed)?;
        }
        for service in &self.options.onion_binds {
            self.bind(*service, Permissions::NONE, false).map_err(failed)?;
        }
        if self.options.bind_on_any {
            let any = |address| Service::new(address, self.options.port);
            // The system may have no IPv6.
            let _ = self.bind(any(NetAddress::Ipv6([0; 16])), Permissions::NONE, true);
            self.bind(any(NetAddress::Ipv4([0; 4])), Permissions::NONE, true).map_err(failed)?;
        }
        Ok(())
    }

    fn bind(
        self: &Arc<Self>,
        service: Service,
        permissions: Permissions,
        advertise: bool,
    ) -> Result<(), String> {
        let listener = open_listener(&service).inspect_err(|text| error!("{text}"))?;
        let bound = listener.local_addr().map_or(service, Service::from);
        info!("Bound to {bound}");
        lock(&self.bound).push(bound);
        if bound.address.is_routable()
            && self.options.discover
            && advertise
            && !permissions.has(Permissions::NO_BAN)
        {
            self.add_local(bound, LOCAL_BIND);
        }
        let manager = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let accepted = listener.accept().await;
                let Some(manager) = manager.upgrade() else { return };
                if manager.interrupt.is_interrupted() {
                    return;
                }
                match accepted {
                    Ok((stream, from)) => manager.accept(stream, Service::from(from), permissions),
                    Err(e) => {
                        info!("socket error accept failed: {e}");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Ok(())
    }

    fn accept(self: &Arc<Self>, stream: TcpStream, address: Service, permissions: Permissions) {
        let bind = stream.local_addr().ok().map(Service::from);
        let inbound_onion = bind.is_some_and(|b| self.options.onion_binds.contains(&b));
        let host = &address.address;
        let permissions = self.whitelisted(permissions, (!inbound_onion).then_some(host), true);
        let inbound = self.node_list().iter().filter(|n| n.is_inbound()).count();
        if !self.network_active() {
            debug!(Category::Net, "connection from {address} dropped: not accepting new connections");
            return;
        }
        if stream.set_nodelay(true).is_err() {
            debug!(Category::Net, "connection from {address}: unable to set TCP_NODELAY, continuing anyway");
        }
        let no_ban = permissions.has(Permissions::NO_BAN);
        if !no_ban && self.bans.is_banned(host) {
            debug!(Category::Net, "connection from {address} dropped (banned)");
            return;
        }
        let discouraged = self.bans.is_discouraged(host);
        let max_inbound = self.options.max_inbound();
        if !no_ban && inbound + 1 >= max_inbound && discouraged {
            debug!(Category::Net, "connection from {address} dropped (discouraged)");
            return;
        }
        if inbound >= max_inbound && !self.evict() {
            debug!(Category::Net, "failed to find an eviction candidate - connection dropped (full)");
            return;
        }
        self.add_connection_of(
            stream,
            NewNode {
                id: self.new_id(),
                connection_type: ConnectionType::Inbound,
                address,
                name: String::new(),
                bind,
                permissions,
                inbound_onion,
                connected: grs_sync::clock::now(),
                group: self.keyed_group(host),
                prefer_evict: discouraged,
                services: Services::NONE,
                use_v2: self.offers_v2(),
            },
            false,
        );
        debug!(Category::Net, "connection from {address} accepted");
    }

    /// Looks once a second for connections that have gone silent.
    pub(crate) async fn watch_inactivity(self: Arc<Self>) {
        let manager = Arc::downgrade(&self);
        drop(self);
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            let Some(manager) = manager.upgrade() else { return };
            if manager.interrupt.is_interrupted() {
                return;
            }
            for node in manager.node_list() {
                if !node.is_disconnecting() && manager.is_inactive(&node) {
                    node.disconnect();
                }
            }
        }
    }

    fn is_inactive(&self, node: &crate::node::Node) -> bool {
        let now = grs_sync::clock::now();
        if node.connected + self.options.peer_timeout >= now {
            return false;
        }
        let now = now.as_secs() as i64;
        let limit = grs_peer::TIMEOUT_INTERVAL.as_secs() as i64;
        let (sent, received) =
            (node.last_send.load(Ordering::Relaxed), node.last_receive.load(Ordering::Relaxed));
        if sent == 0 || received == 0 {
            let never_received = if received == 0 { ", never received from peer" } else { "" };
            let never_sent = if sent == 0 { ", never sent to peer" } else { "" };
            debug!(
                Category::Net,
                "socket no message in first {} seconds{never_received}{never_sent}, {}",
                self.options.peer_timeout.as_secs(),
                node.disconnect_text()
            );
            return true;
        }
        if now > sent + limit {
            debug!(Category::Net, "socket sending timeout: {}s, {}", now - sent, node.disconnect_text());
            return true;
        }
        if now > received + limit {
            debug!(Category::Net, "socket receive timeout: {}s, {}", now - received, node.disconnect_text());
            return true;
        }
        if !self.peers.stats(node.id).is_none_or(|s| s.successfully_connected) {
            let what = if node.transport_status() == V2Status::Detecting { "V2" } else { "version" };
            debug!(Category::Net, "{what} handshake timeout, {}", node.disconnect_text());
            return true;
        }
        false
    }
}

/// Opens a listening socket; errors are texts for the user.
fn open_listener(service: &Service) -> Result<TcpListener, String> {
    let Some(address) = crate::options::socket_addr(service) else {
        return Err(format!("Bind address family for {service} not supported"));
    };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|e| {
        let text = error_text(&e);
        format!("Couldn't open socket for incoming connections (socket returned error {text})")
    })?;
    if let Err(e) = socket.set_reuseaddr(true) {
        info!("Error setting SO_REUSEADDR on socket: {}, continuing anyway", error_text(&e));
    }
    if address.is_ipv6()
        && let Err(e) = rustix::net::sockopt::set_ipv6_v6only(&socket, true)
    {
        info!("Error setting IPV6_V6ONLY on socket: {e}, continuing anyway");
    }
    socket.bind(address).map_err(|e| {
        if e.kind() == io::ErrorKind::AddrInUse {
            format!(
                "Unable to bind to {service} on this computer. Groestlcoin Core is probably already running."
            )
        } else {
            let text = error_text(&e);
            format!("Unable to bind to {service} on this computer (bind returned error {text})")
        }
    })?;
    socket.listen(BACKLOG).map_err(|e| {
        let text = error_text(&e);
        format!("Listening for incoming connections failed (listen returned error {text})")
    })
}

/// Text and number of a system error, as the reference shows them.
pub(crate) fn error_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => {
            let text = error.to_string();
            let bare = text.rsplit_once(" (os error").map_or(text.as_str(), |(bare, _)| bare);
            format!("{bare} ({code})")
        }
        None => error.to_string(),
    }
}
