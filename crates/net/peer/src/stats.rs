//! What others ask the machine.

use grs_log::{Category, debug};
use grs_wire::Message;

use crate::state::Shared;
use crate::{Action, PeerId, PeerManager, PeerManagerInfo, PeerStats};

impl PeerManager {
    /// Statistics of a peer.
    pub fn stats(&self, id: PeerId) -> Option<PeerStats> {
        let now = self.now();
        let index = self.index();
        let state = self.state.lock();
        let peer = state.peers.get(&id)?;
        let height = |block: Option<_>| block.map_or(-1, |b| index.height(b) as i32);
        let relay = peer.tx_relay.as_ref();
        Some(PeerStats {
            version: peer.version,
            user_agent: peer.user_agent.clone(),
            services: peer.services,
            address_local: peer.address_local,
            successfully_connected: peer.successfully_connected,
            relay_txs: relay.is_some_and(|r| r.relay),
            bloom_filter_loaded: relay.is_some_and(|r| r.bloom.is_some()),
            last_inv_sequence: relay.map_or(0, |r| r.last_sequence),
            inv_to_send: relay.map_or(0, |r| r.to_send.len()),
            last_tx_time: peer.last_tx_time,
            last_block_time: peer.last_block_time,
            time_offset: peer.time_offset,
            ping_time: peer.ping_time,
            min_ping_time: peer.min_ping,
            ping_wait: (peer.ping_nonce != 0 && !peer.ping_start.is_zero())
                .then(|| now.saturating_sub(peer.ping_start)),
            high_bandwidth_to: false,
            high_bandwidth_from: peer.requested_high_bandwidth,
            starting_height: peer.starting_height,
            presync_height: peer.headers_sync.as_ref().map_or(-1, |s| s.presync_height()),
            sync_height: height(peer.best_known),
            common_height: height(peer.last_common),
            in_flight: peer.in_flight.iter().map(|b| index.height(*b)).collect(),
            addr_relay_enabled: peer.addr_relay,
            addr_processed: peer.addr_processed,
            addr_rate_limited: peer.addr_rate_limited,
            fee_filter: relay.map_or(0, |r| r.fee_filter),
        })
    }

    /// About the machine as a whole.
    pub fn info(&self) -> PeerManagerInfo {
        PeerManagerInfo {
            time_offset: median_offset(&self.state.lock().shared),
            ignores_incoming_txs: self.options.ignore_incoming_txs,
        }
    }

    /// Numbers of the peers whose handshake is over.
    pub fn connected_peers(&self) -> Vec<PeerId> {
        self.state.lock().peers.values().filter(|p| p.successfully_connected).map(|p| p.id()).collect()
    }

    /// An extra outbound peer is wanted, because the tip may be stale.
    pub fn wants_extra_outbound(&self) -> bool {
        self.state.lock().shared.try_new_outbound
    }

    /// Extra block-relay-only peers may be tried now and then.
    pub fn wants_extra_block_relay(&self) -> bool {
        self.state.lock().shared.extra_block_relay
    }

    /// Queues any message for a peer (RPC `sendmsgtopeer`); false if there is none of this number.
    pub fn send_raw(&self, id: PeerId, message_type: &str, payload: Vec<u8>) -> bool {
        let mut state = self.state.lock();
        if state.peers.get(&id).is_none_or(|p| p.disconnect) {
            return false;
        }
        let message = Message::Unknown { message_type: message_type.to_owned(), payload };
        state.shared.actions.push(Action::Send(id, message));
        drop(state);
        self.wake();
        true
    }

    /// Treats a peer as one that misbehaved, for tests.
    pub fn unit_test_misbehaving(&self, id: PeerId) {
        self.with_peer(id, |peer, _| peer.misbehaving(""));
    }

    /// Marks a peer whose connection the edge ends, so that nothing more is processed.
    pub fn mark_disconnecting(&self, id: PeerId) {
        self.with_peer(id, |peer, _| {
            if !peer.disconnect {
                peer.disconnect = true;
                debug!(Category::Net, "peer={id} is being disconnected");
            }
        });
    }

    /// Sets height and time of the best block as told to peers; chain events do it too.
    pub fn set_best_block(&self, height: i32, time: i64) {
        let mut state = self.state.lock();
        state.shared.best_height = height;
        state.shared.best_time = time;
    }
}

fn median_offset(shared: &Shared) -> i64 {
    let mut offsets: Vec<i64> = shared.time_offsets.iter().copied().collect();
    offsets.sort_unstable();
    // Few samples say nothing.
    if offsets.len() < 5 { 0 } else { offsets[offsets.len() / 2] }
}
