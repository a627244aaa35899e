//! Address gossip.

use std::time::Duration;

use grs_hashes::SipHasher24;
use grs_log::{Category, debug};
use grs_wire::{MAX_ADDR_TO_SEND, Message, TimedAddress};

use crate::options::{
    ADDR_TOKEN_BUCKET, AVG_ADDRESS_BROADCAST, MAX_ADDR_RATE_PER_SECOND, MAX_PCT_ADDR_TO_SEND,
};
use crate::state::{Peer, Shared, State};
use crate::{ConnectionType, PeerId, PeerManager, Permissions};

fn compatible(peer: &Peer, address: &TimedAddress) -> bool {
    peer.wants_addrv2 || address.service.address.is_v1_compatible()
}

/// Queues an address for a peer that does not know it; in place of a random one if there are too many.
fn push_address(peer: &mut Peer, shared: &mut Shared, address: TimedAddress) {
    if !peer.addr_known.contains(&address.service)
        && address.service.address.is_valid()
        && compatible(peer, &address)
    {
        if peer.addrs_to_send.len() >= MAX_ADDR_TO_SEND {
            let at = shared.rng.below(peer.addrs_to_send.len() as u64) as usize;
            peer.addrs_to_send[at] = address;
        } else {
            peer.addrs_to_send.push(address);
        }
    }
}

impl PeerManager {
    /// Turns on relay of addresses when a peer speaks of them first; false if it must not.
    pub(crate) fn setup_address_relay(&self, id: PeerId, message_type: &str) -> bool {
        let mut guard = self.state.lock();
        let Some((peer, _)) = guard.peer(id) else { return false };
        if peer.kind() == ConnectionType::BlockRelay {
            debug!(Category::Net, "ignoring {message_type} message from {} peer={id}", peer.kind());
            return false;
        }
        peer.addr_relay = true;
        true
    }

    pub(crate) fn on_addresses(&self, id: PeerId, mut list: Vec<TimedAddress>) {
        let (now, now_secs) = (self.now(), self.now_secs());
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        let Some(peer) = peers.get_mut(&id) else { return };
        if peer.addr_tokens < ADDR_TOKEN_BUCKET {
            let elapsed = now.saturating_sub(peer.addr_tokens_time).as_secs_f64();
            peer.addr_tokens = (peer.addr_tokens + elapsed * MAX_ADDR_RATE_PER_SECOND).min(ADDR_TOKEN_BUCKET);
        }
        peer.addr_tokens_time = now;
        let rate_limited = !peer.has(Permissions::ADDR);
        let (mut processed, mut limited) = (0, 0);
        let (mut store, mut relay) = (Vec::new(), Vec::new());
        let count = list.len();
        shared.rng.shuffle(&mut list);
        for mut address in list {
            if peer.addr_tokens < 1.0 {
                if rate_limited {
                    limited += 1;
                    continue;
                }
            } else {
                peer.addr_tokens -= 1.0;
            }
            if !address.services.may_have_address_db() {
                continue;
            }
            let time = i64::from(address.time);
            if time <= 100_000_000 || time > now_secs + 600 {
                address.time = (now_secs - 5 * 24 * 3600).max(0) as u32;
            }
            peer.addr_known.insert(address.service);
            let host = &address.service.address;
            if self.bans.is_discouraged(host) || self.bans.is_banned(host) {
                continue;
            }
            processed += 1;
            if i64::from(address.time) > now_secs - 600
                && !peer.getaddr_sent
                && count <= 10
                && host.is_routable()
            {
                relay.push(address);
            }
            // Where nobody can connect to, there is nothing to remember.
            if shared.reachable.contains(&host.network()) {
                store.push(address);
            }
        }
        peer.addr_processed += processed;
        peer.addr_rate_limited += limited;
        debug!(
            Category::Net,
            "Received addr: {count} addresses ({processed} processed, {limited} rate-limited) from peer={id}"
        );
        self.addrman.add(&store, &peer.info.address.address, 2 * 3600);
        if count < MAX_ADDR_TO_SEND {
            peer.getaddr_sent = false;
        }
        if peer.kind() == ConnectionType::AddrFetch && count > 1 {
            debug!(Category::Net, "addrfetch connection completed, {}", peer.disconnect_text());
            shared.disconnect(peer);
        }
        for address in relay {
            relay_address(peers, shared, id, address, now_secs);
        }
    }

    pub(crate) fn on_getaddr(&self, id: PeerId) {
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        if !peer.is_inbound() {
            debug!(Category::Net, "Ignoring \"getaddr\" from {} connection. peer={id}", peer.kind());
            return;
        }
        peer.addr_relay = true;
        if peer.getaddr_received {
            debug!(Category::Net, "Ignoring repeated \"getaddr\". peer={id}");
            return;
        }
        peer.getaddr_received = true;
        peer.addrs_to_send.clear();
        let fresh = || {
            let mut list = self.addrman.addresses(MAX_ADDR_TO_SEND, MAX_PCT_ADDR_TO_SEND, None, true);
            list.retain(|a| {
                let host = &a.service.address;
                !self.bans.is_discouraged(host) && !self.bans.is_banned(host)
            });
            list
        };
        let list = if peer.has(Permissions::ADDR) {
            fresh()
        } else {
            // The same answer for a day, so that asking often does not show all addresses, or when they change.
            let (now, key) = (self.now(), (peer.info.network(), peer.info.bind));
            let lifetime = Duration::from_secs(21 * 3600 + shared.rng.below(6 * 3600));
            let answer = shared.address_answers.entry(key).or_default();
            if answer.0 < now {
                *answer = (now + lifetime, fresh());
            }
            answer.1.clone()
        };
        for address in list {
            push_address(peer, shared, address);
        }
    }

    pub(crate) fn maybe_send_addresses(&self, peer: &mut Peer, shared: &mut Shared) {
        let now = self.now();
        if !peer.addr_relay || now <= peer.next_addr_send {
            return;
        }
        peer.next_addr_send = now + shared.rng.exp_duration(AVG_ADDRESS_BROADCAST);
        let mut list = std::mem::take(&mut peer.addrs_to_send);
        list.retain(|address| {
            let known = peer.addr_known.contains(&address.service);
            if !known {
                peer.addr_known.insert(address.service);
            }
            !known
        });
        if list.is_empty() {
            return;
        }
        let message = if peer.wants_addrv2 { Message::AddrV2(list) } else { Message::Addr(list) };
        shared.send(peer, message);
    }
}

/// Passes a fresh address on to two peers, the same ones for a day.
fn relay_address(
    peers: &mut std::collections::BTreeMap<PeerId, Peer>,
    shared: &mut Shared,
    from: PeerId,
    address: TimedAddress,
    now: i64,
) {
    let host = &address.service.address;
    let reachable = shared.reachable.contains(&host.network());
    if !reachable && !host.is_relayable() {
        return;
    }
    let mut seed = SipHasher24::new(0x3cac_0035_b586_6b90, 0);
    seed.write(&address.service.key());
    let address_hash = seed.finish();
    let day = (now as u64).wrapping_add(address_hash) / (24 * 3600);
    let mut ranked: Vec<(u64, PeerId)> = peers
        .values()
        .filter(|p| p.id() != from && p.addr_relay && compatible(p, &address))
        .map(|p| {
            let mut hasher = SipHasher24::new(address_hash, day);
            hasher.write_u64(p.id() as u64);
            (hasher.finish(), p.id())
        })
        .collect();
    ranked.sort_by(|a, b| b.cmp(a));
    for (_, id) in ranked.into_iter().take(if reachable || address_hash & 1 == 1 { 2 } else { 1 }) {
        if let Some(peer) = peers.get_mut(&id) {
            push_address(peer, shared, address);
        }
    }
}
