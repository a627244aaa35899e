//! From the connection to `verack`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use grs_log::{Category, debug, info};
use grs_wire::{
    MIN_PEER_PROTO_VERSION, Message, PROTOCOL_VERSION, SHORT_IDS_BLOCKS_VERSION, SendCompact, Service,
    Services, TimedAddress, Version, WTXID_RELAY_VERSION,
};

use crate::options::{CMPCTBLOCKS_VERSION, NETWORK_LIMITED_ALLOW_CONN_BLOCKS};
use crate::state::{Peer, Recent, Shared, State, TxRelay};
use crate::{ConnectionType, PeerId, PeerManager, Permissions};

/// Time offsets of outbound peers that count.
const MAX_TIME_OFFSETS: usize = 50;

impl PeerManager {
    /// Transactions from this peer are a violation.
    pub(crate) fn rejects_incoming_txs(&self, peer: &Peer) -> bool {
        matches!(peer.kind(), ConnectionType::BlockRelay | ConnectionType::Feeler)
            || (self.options.ignore_incoming_txs && !peer.has(Permissions::RELAY))
    }

    /// Services that an automatic connection has to offer. Reference: `GetDesirableServiceFlags`.
    pub fn desirable_services(&self, offered: Services) -> Services {
        let state = self.state.lock();
        self.desirable(&state.shared, offered)
    }

    fn desirable(&self, shared: &Shared, offered: Services) -> Services {
        let depth = (self.now_secs() - shared.best_time) / self.options.params.consensus.pow_target_spacing;
        let base = if offered.has(Services::NETWORK_LIMITED) && depth < NETWORK_LIMITED_ALLOW_CONN_BLOCKS {
            Services::NETWORK_LIMITED
        } else {
            Services::NETWORK
        };
        base.with(Services::WITNESS)
    }

    pub(crate) fn send_version(&self, peer: &mut Peer, shared: &mut Shared) {
        let address = &peer.info.address;
        let usable =
            address.address.is_routable() && !peer.info.proxied && address.address.is_v1_compatible();
        let receiver = if usable { *address } else { Service::default() };
        let relay = !self.rejects_incoming_txs(peer);
        let (height, id) = (shared.best_height, peer.id());
        shared.send(
            peer,
            Message::Version(Box::new(Version {
                version: PROTOCOL_VERSION,
                services: peer.our_services,
                time: self.now_secs(),
                receiver: TimedAddress { service: receiver, services: peer.info.address_services, time: 0 },
                sender: TimedAddress { services: peer.our_services, ..TimedAddress::default() },
                nonce: peer.local_nonce,
                user_agent: self.options.user_agent.clone(),
                start_height: height,
                relay,
            })),
        );
        peer.version_sent = true;
        let them = if grs_log::log_ips() { format!(", them={receiver}") } else { String::new() };
        debug!(
            Category::Net,
            "send version message: version={PROTOCOL_VERSION}, blocks={height}{them}, txrelay={}, peer={id}",
            u8::from(relay)
        );
    }

    pub(crate) fn on_version(&self, id: PeerId, version: Version) {
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        let connected_to_self = peers
            .values()
            .any(|p| !p.is_inbound() && !p.successfully_connected && p.local_nonce == version.nonce);
        let Some(peer) = peers.get_mut(&id) else { return };
        let inbound = peer.is_inbound();
        if !inbound {
            self.addrman.set_services(&peer.info.address, version.services);
        }
        let desirable = self.desirable(shared, version.services);
        if peer.kind().expects_services() && !version.services.has(desirable) {
            debug!(
                Category::Net,
                "peer does not offer the expected services ({:08x} offered, {:08x} expected), {}",
                version.services.0,
                desirable.0,
                peer.disconnect_text()
            );
            return shared.disconnect(peer);
        }
        if version.version < MIN_PEER_PROTO_VERSION {
            debug!(
                Category::Net,
                "peer using obsolete version {}, {}",
                version.version,
                peer.disconnect_text()
            );
            return shared.disconnect(peer);
        }
        if inbound && connected_to_self {
            info!("connected to self at {}, disconnecting", peer.info.address);
            return shared.disconnect(peer);
        }
        if inbound {
            self.send_version(peer, shared);
        }
        peer.common_version = version.version.min(PROTOCOL_VERSION);
        peer.version = version.version;
        peer.services = version.services;
        let seen_as = version.receiver.service;
        if peer.address_local.is_none() && seen_as.address.is_valid() {
            peer.address_local = Some(seen_as);
        }
        peer.user_agent = version.user_agent;
        peer.starting_height = version.start_height;
        let offers_bloom = peer.our_services.has(Services::BLOOM);
        if !matches!(peer.kind(), ConnectionType::BlockRelay | ConnectionType::Feeler)
            && (version.relay || offers_bloom)
        {
            peer.tx_relay = Some(TxRelay {
                relay: version.relay,
                bloom: None,
                known: Recent::new(50_000),
                to_send: Default::default(),
                send_mempool: false,
                next_send: None,
                last_sequence: 1,
                fee_filter: 0,
            });
        }
        debug!(
            Category::Net,
            "receive version message: {}: version {}, blocks={}, us={seen_as}, txrelay={}, peer={id}{}",
            peer.user_agent,
            peer.version,
            peer.starting_height,
            u8::from(version.relay),
            peer.log_ip()
        );
        if peer.common_version >= WTXID_RELAY_VERSION {
            shared.send(peer, Message::WtxidRelay);
        }
        if peer.common_version >= 70016 {
            shared.send(peer, Message::SendAddrV2);
        }
        shared.send(peer, Message::Verack);

        peer.preferred_download = (!inbound || peer.has(Permissions::NO_BAN))
            && peer.kind() != ConnectionType::AddrFetch
            && peer.can_serve_blocks();
        shared.preferred_download += usize::from(peer.preferred_download);

        if !inbound && peer.kind() != ConnectionType::BlockRelay {
            peer.addr_relay = true;
            shared.send(peer, Message::GetAddr);
            peer.getaddr_sent = true;
            peer.addr_tokens += grs_wire::MAX_ADDR_TO_SEND as f64;
        }
        if !inbound {
            self.addrman.good(&peer.info.address);
        }
        peer.time_offset = version.time.max(0).saturating_sub(self.now_secs());
        if !inbound {
            if shared.time_offsets.len() >= MAX_TIME_OFFSETS {
                shared.time_offsets.pop_front();
            }
            shared.time_offsets.push_back(peer.time_offset);
        }
        if peer.kind() == ConnectionType::Feeler {
            debug!(Category::Net, "feeler connection completed, {}", peer.disconnect_text());
            shared.disconnect(peer);
        }
    }

    pub(crate) fn on_verack(&self, id: PeerId) {
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        if peer.successfully_connected {
            debug!(Category::Net, "ignoring redundant verack message from peer={id}");
            return;
        }
        let text = format!(
            "New {} peer connected: transport: {}, version: {}, blocks={} peer={id}{}",
            peer.kind(),
            if peer.info.encrypted.load(Ordering::Relaxed) { "v2" } else { "v1" },
            peer.version,
            peer.starting_height,
            peer.log_ip()
        );
        if peer.is_inbound() {
            debug!(Category::Net, "{text}");
        } else {
            info!("{text}");
        }
        if peer.common_version >= SHORT_IDS_BLOCKS_VERSION {
            let message = SendCompact { high_bandwidth: false, version: CMPCTBLOCKS_VERSION };
            shared.send(peer, Message::SendCompact(message));
        }
        let relay_permission = peer.has(Permissions::RELAY);
        shared.tx.connected(id, peer.preferred_download, relay_permission, peer.wtxid_relay);
        peer.successfully_connected = true;
    }

    pub(crate) fn on_sendcmpct(&self, id: PeerId, message: SendCompact) {
        if message.version == CMPCTBLOCKS_VERSION {
            self.with_peer(id, |peer, _| {
                peer.provides_compact = true;
                peer.requested_high_bandwidth = message.high_bandwidth;
            });
        }
    }

    pub(crate) fn on_wtxidrelay(&self, id: PeerId) {
        self.with_peer(id, |peer, shared| {
            if peer.successfully_connected {
                debug!(Category::Net, "wtxidrelay received after verack, {}", peer.disconnect_text());
                shared.disconnect(peer);
            } else if peer.common_version < WTXID_RELAY_VERSION {
                debug!(
                    Category::Net,
                    "ignoring wtxidrelay due to old common version={} from peer={id}", peer.common_version
                );
            } else if peer.wtxid_relay {
                debug!(Category::Net, "ignoring duplicate wtxidrelay from peer={id}");
            } else {
                peer.wtxid_relay = true;
            }
        });
    }

    pub(crate) fn on_sendaddrv2(&self, id: PeerId) {
        self.with_peer(id, |peer, shared| {
            if peer.successfully_connected {
                debug!(Category::Net, "sendaddrv2 received after verack, {}", peer.disconnect_text());
                shared.disconnect(peer);
            } else {
                peer.wants_addrv2 = true;
            }
        });
    }

    pub(crate) fn on_pong(&self, id: PeerId, payload: &[u8], received: Duration) {
        let mut guard = self.state.lock();
        let Some((peer, _)) = guard.peer(id) else { return };
        let nonce = payload.first_chunk::<8>().map(|b| u64::from_le_bytes(*b));
        let (problem, finished) = match nonce {
            None => ("Short payload", true),
            Some(_) if peer.ping_nonce == 0 => ("Unsolicited pong without ping", false),
            Some(nonce) if nonce == peer.ping_nonce => match received.checked_sub(peer.ping_start) {
                Some(time) => {
                    peer.ping_time = Some(time);
                    peer.min_ping = Some(peer.min_ping.map_or(time, |min| min.min(time)));
                    ("", true)
                }
                None => ("Timing mishap", true),
            },
            Some(0) => ("Nonce zero", true),
            Some(_) => ("Nonce mismatch", false),
        };
        if !problem.is_empty() {
            debug!(
                Category::Net,
                "pong peer={id}: {problem}, {:x} expected, {:x} received, {} bytes",
                peer.ping_nonce,
                nonce.unwrap_or(0),
                payload.len()
            );
        }
        if finished {
            peer.ping_nonce = 0;
        }
    }
}
