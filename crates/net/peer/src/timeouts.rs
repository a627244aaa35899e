//! Pings, stalls, and outbound peers that are of no use.

use std::sync::atomic::Ordering;
use std::time::Duration;

use grs_log::{Category, debug, info};
use grs_uint::U256;
use grs_wire::{BIP0031_VERSION, Message};

use crate::options::{
    BLOCK_STALLING_TIMEOUT_MAX, CHAIN_SYNC_TIMEOUT, HEADERS_RESPONSE_TIME, MINIMUM_CONNECT_TIME,
    PING_INTERVAL, STALE_CHECK_INTERVAL, TIMEOUT_INTERVAL,
};
use crate::state::{Peer, Shared, State};
use crate::{ConnectionType, PeerId, PeerManager, Permissions};

impl PeerManager {
    pub(crate) fn maybe_send_ping(&self, peer: &mut Peer, shared: &mut Shared, now: Duration) {
        let checks_run = peer.info.connected + self.options.peer_timeout < now;
        if checks_run && peer.ping_nonce != 0 && now > peer.ping_start + TIMEOUT_INTERVAL {
            let waited = (now - peer.ping_start).as_secs_f64();
            debug!(Category::Net, "ping timeout: {waited:.6}s, {}", peer.disconnect_text());
            return shared.disconnect(peer);
        }
        let due = peer.ping_nonce == 0 && now > peer.ping_start + PING_INTERVAL;
        if !peer.ping_queued && !due {
            return;
        }
        peer.ping_queued = false;
        peer.ping_start = now;
        if peer.common_version > BIP0031_VERSION {
            peer.ping_nonce = shared.rng.u64().max(1);
            shared.send(peer, Message::Ping(Some(peer.ping_nonce)));
        } else {
            peer.ping_nonce = 0;
            shared.send(peer, Message::Ping(None));
        }
    }

    /// Sends a ping to everyone (RPC `ping`).
    pub fn ping_all(&self) {
        self.state.lock().peers.values_mut().for_each(|peer| peer.ping_queued = true);
        self.wake();
    }

    /// Ends a connection that holds up the download; true if so.
    pub(crate) fn check_timeouts(&self, peer: &mut Peer, shared: &mut Shared, now: Duration) -> bool {
        let stalling = shared.downloads.stalling_timeout;
        if peer.stalling_since.is_some_and(|since| since + stalling < now) {
            info!("Peer is stalling block download, {}", peer.disconnect_text());
            shared.disconnect(peer);
            // Perhaps it is our own line that is slow: the next peer gets more time.
            let longer = (2 * stalling).min(BLOCK_STALLING_TIMEOUT_MAX);
            if longer != stalling {
                shared.downloads.stalling_timeout = longer;
                debug!(
                    Category::Net,
                    "Increased stalling timeout temporarily to {} seconds",
                    longer.as_secs()
                );
            }
            return true;
        }
        if let Some(first) = peer.in_flight.front() {
            let others = shared.downloads.peers.saturating_sub(1);
            let spacing = self.options.params.consensus.pow_target_spacing as u64;
            let limit = Duration::from_secs(spacing).mul_f64(1.0 + 0.5 * others as f64);
            if now > peer.downloading_since + limit {
                info!("Timeout downloading block {}, {}", self.index().hash(*first), peer.disconnect_text());
                shared.disconnect(peer);
                return true;
            }
        }
        if peer.sync_started && peer.headers_sync_timeout < Duration::MAX {
            let best_time = self.chain.best_header().map_or(0, |b| i64::from(self.index().time(b)));
            if best_time > self.now_secs() - 24 * 3600 {
                // Caught up once: this timeout has done its duty.
                peer.headers_sync_timeout = Duration::MAX;
            } else if now > peer.headers_sync_timeout
                && shared.sync_started == 1
                && shared.preferred_download - usize::from(peer.preferred_download) >= 1
            {
                if !peer.has(Permissions::NO_BAN) {
                    info!("Timeout downloading headers, {}", peer.disconnect_text());
                    shared.disconnect(peer);
                    return true;
                }
                info!("Timeout downloading headers from noban peer, not {}", peer.disconnect_text());
                peer.sync_started = false;
                shared.sync_started -= 1;
                peer.headers_sync_timeout = Duration::ZERO;
            }
        }
        false
    }

    /// Gives an outbound peer whose chain is behind ours a limited time to catch up.
    pub(crate) fn consider_eviction(&self, peer: &mut Peer, shared: &mut Shared, now: Duration) {
        if peer.chain_sync.protect || !peer.kind().is_outbound_or_block_relay() || !peer.sync_started {
            return;
        }
        let (index, id) = (self.index(), peer.id());
        let Some(tip) = self.view().tip() else { return };
        let best_work = peer.best_known.map(|best| index.work(best));
        let reaches = |work: U256| best_work.is_some_and(|best| best >= work);
        let best_text = || peer.best_known.map_or("<none>".to_owned(), |b| index.hash(b).to_string());
        let caught_up = peer.chain_sync.work_header.is_some_and(|header| reaches(index.work(header)));
        if reaches(index.work(tip)) {
            peer.chain_sync.timeout = None;
            peer.chain_sync.work_header = None;
            peer.chain_sync.sent_getheaders = false;
            return;
        }
        match (peer.chain_sync.timeout, peer.chain_sync.work_header) {
            (Some(timeout), Some(header)) if !caught_up => {
                if now <= timeout {
                    return;
                }
                if peer.chain_sync.sent_getheaders {
                    info!(
                        "Outbound peer has old chain, best known block = {}, {}",
                        best_text(),
                        peer.disconnect_text()
                    );
                    return shared.disconnect(peer);
                }
                let best = best_text();
                let from = index.prev(header).unwrap_or(header);
                shared.maybe_send_getheaders(peer, index.locator(from), now);
                debug!(
                    Category::Net,
                    "sending getheaders to outbound peer={id} to verify chain work (current best known block:{best}, \
                     benchmark blockhash: {})",
                    index.hash(header)
                );
                peer.chain_sync.sent_getheaders = true;
                peer.chain_sync.timeout = Some(now + HEADERS_RESPONSE_TIME);
            }
            _ => {
                peer.chain_sync.timeout = Some(now + CHAIN_SYNC_TIMEOUT);
                peer.chain_sync.work_header = Some(tip);
                peer.chain_sync.sent_getheaders = false;
            }
        }
    }

    /// Looks for a stale tip and for superfluous outbound peers. To be called every 45 seconds.
    pub fn tick(&self) {
        let now = self.now();
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        self.evict_extra_block_relay(peers, shared, now);
        self.evict_extra_outbound(peers, shared, now);
        if now > shared.stale_check {
            let now_secs = self.now_secs();
            if shared.last_tip_update == 0 {
                shared.last_tip_update = now_secs;
            }
            let spacing = self.options.params.consensus.pow_target_spacing;
            let stale = shared.last_tip_update < now_secs - spacing * 3 && shared.downloads.len() == 0;
            if stale
                && !self.chain.store().loading_blocks()
                && self.network_active.load(Ordering::Relaxed)
                && self.options.use_addrman_outgoing
            {
                info!(
                    "Potential stale tip detected, will try using extra outbound peer (last tip update: {} seconds ago)",
                    now_secs - shared.last_tip_update
                );
                set_try_new(shared, true);
            } else if shared.try_new_outbound {
                set_try_new(shared, false);
            }
            shared.stale_check = now + STALE_CHECK_INTERVAL;
        }
        if !shared.initial_sync_finished && self.can_direct_fetch() {
            debug!(Category::Net, "enabling extra block-relay-only peers");
            shared.extra_block_relay = true;
            shared.initial_sync_finished = true;
        }
    }

    /// How long to wait before [`PeerManager::rebroadcast`] is due: 10 to 15 minutes.
    pub fn rebroadcast_delay(&self) -> Duration {
        Duration::from_secs(600).mul_f64(1.0 + 0.5 * self.state.lock().shared.rng.unit())
    }

    /// Announces again what nobody asked for yet. Reference: `PeerManagerImpl::ReattemptInitialBroadcast`.
    pub fn rebroadcast(&self) {
        let list: Vec<_> = {
            let mut pool = self.mempool.lock();
            let names: Vec<_> = pool.unbroadcast().iter().copied().collect();
            names
                .into_iter()
                .filter_map(|txid| match pool.entry(&txid).map(|e| e.tx.wtxid()) {
                    Some(wtxid) => Some((txid, wtxid)),
                    None => {
                        pool.remove_unbroadcast(&txid, true);
                        None
                    }
                })
                .collect()
        };
        list.iter().for_each(|(txid, wtxid)| self.relay_transaction(txid, wtxid));
    }

    fn evict_extra_block_relay(
        &self,
        peers: &mut std::collections::BTreeMap<PeerId, Peer>,
        shared: &mut Shared,
        now: Duration,
    ) {
        let live = |p: &&Peer| p.kind() == ConnectionType::BlockRelay && !p.disconnect;
        let connected = peers.values().filter(live).filter(|p| p.successfully_connected).count();
        if connected <= self.options.max_outbound_block_relay {
            return;
        }
        let mut young = peers.values().filter(live).map(|p| (p.id(), p.last_block_time)).rev();
        let (Some(youngest), Some(second)) = (young.next(), young.next()) else { return };
        // The youngest was connected to look for news; the one of both with less news goes.
        let chosen = if youngest.1 > second.1 { second.0 } else { youngest.0 };
        let Some(peer) = peers.get_mut(&chosen) else { return };
        if now.saturating_sub(peer.info.connected) >= MINIMUM_CONNECT_TIME && peer.in_flight.is_empty() {
            debug!(
                Category::Net,
                "disconnecting extra block-relay-only peer={chosen} (last block received at time {})",
                peer.last_block_time.as_secs()
            );
            shared.disconnect(peer);
        } else {
            debug!(
                Category::Net,
                "keeping block-relay-only peer={chosen} chosen for eviction (connect time: {}, blocks_in_flight: {})",
                peer.info.connected.as_secs(),
                peer.in_flight.len()
            );
        }
    }

    fn evict_extra_outbound(
        &self,
        peers: &mut std::collections::BTreeMap<PeerId, Peer>,
        shared: &mut Shared,
        now: Duration,
    ) {
        let full = |p: &Peer| p.kind() == ConnectionType::OutboundFullRelay && !p.disconnect;
        let connected = peers.values().filter(|p| full(p) && p.successfully_connected).count();
        if connected <= self.options.max_outbound_full_relay {
            return;
        }
        let in_network = |network| {
            peers
                .values()
                .filter(|p| matches!(p.kind(), ConnectionType::OutboundFullRelay | ConnectionType::Manual))
                .filter(|p| p.successfully_connected && !p.disconnect && p.info.network() == network)
                .count()
        };
        let worst = peers
            .values()
            .filter(|p| full(p) && !p.chain_sync.protect && in_network(p.info.network()) > 1)
            .min_by_key(|p| (p.last_block_announcement, std::cmp::Reverse(p.id())))
            .map(|p| (p.id(), p.last_block_announcement));
        let Some((id, announced)) = worst else { return };
        let Some(peer) = peers.get_mut(&id) else { return };
        if now.saturating_sub(peer.info.connected) > MINIMUM_CONNECT_TIME && peer.in_flight.is_empty() {
            debug!(
                Category::Net,
                "disconnecting extra outbound peer={id} (last block announcement received at time {announced})"
            );
            shared.disconnect(peer);
            set_try_new(shared, false);
        } else {
            debug!(
                Category::Net,
                "keeping outbound peer={id} chosen for eviction (connect time: {}, blocks_in_flight: {})",
                peer.info.connected.as_secs(),
                peer.in_flight.len()
            );
        }
    }
}

fn set_try_new(shared: &mut Shared, on: bool) {
    shared.try_new_outbound = on;
    debug!(Category::Net, "setting try another outbound peer={on}");
}
