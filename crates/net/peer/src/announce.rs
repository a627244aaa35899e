//! What a peer is sent without having asked: announcements of blocks and transactions, and everything else that is due
//! from time to time.

use std::time::Duration;

use grs_blockstore::BlockId;
use grs_hashes::Wtxid;
use grs_log::{Category, debug};
use grs_policy::DEFAULT_MIN_RELAY_TX_FEE;
use grs_primitives::{HashedHeader, MAX_MONEY};
use grs_wire::{
    CompactBlock, FEEFILTER_VERSION, Inventory, MSG_TX, MSG_WITNESS_TX, MSG_WTX, Message, SENDHEADERS_VERSION,
};

use crate::options::{
    AVG_FEEFILTER_BROADCAST, HEADERS_DOWNLOAD_TIMEOUT_BASE, MAX_BLOCKS_TO_ANNOUNCE,
    MAX_FEEFILTER_CHANGE_DELAY, MAX_GETDATA_SIZE,
};
use crate::state::{Peer, Shared, State};
use crate::tx_download::TxName;
use crate::{Action, ConnectionType, PeerId, PeerManager, Permissions};

/// Seconds after which the tip counts as old when deciding whom to ask for headers.
const DAY: i64 = 24 * 3600;

impl PeerManager {
    /// Queues everything that is due for a peer. To be called after each message from it, when woken, and every
    /// 100 ms.
    pub fn send_messages(&self, id: PeerId) {
        let now = self.now();
        {
            let mut guard = self.state.lock();
            let Some((peer, shared)) = guard.peer(id) else { return };
            if self.discourage_and_disconnect(peer, shared) {
                return;
            }
            if !peer.is_inbound() && !peer.version_sent {
                self.send_version(peer, shared);
            }
            if !peer.successfully_connected || peer.disconnect {
                return;
            }
            if peer.kind() == ConnectionType::AddrFetch
                && now.saturating_sub(peer.info.connected) > 10 * crate::options::AVG_ADDRESS_BROADCAST
            {
                debug!(Category::Net, "addrfetch connection timeout, {}", peer.disconnect_text());
                return shared.disconnect(peer);
            }
            self.maybe_send_ping(peer, shared, now);
            if peer.disconnect {
                return;
            }
            self.maybe_send_addresses(peer, shared);
            self.maybe_send_sendheaders(peer, shared);
        }
        let candidates = self.announcements(id, now);
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        let Some(peer) = peers.get_mut(&id) else { return };

        let sync_from_peer = peer.preferred_download
            || (peer.can_serve_blocks()
                && peer.kind() != ConnectionType::AddrFetch
                && (shared.preferred_download == 0 || shared.downloads.len() == 0));
        self.maybe_start_headers_sync(peer, shared, sync_from_peer, now);
        self.announce_blocks(peer, shared);
        self.send_inventory(peer, shared, candidates);
        if self.check_timeouts(peer, shared, now) {
            return;
        }
        self.consider_eviction(peer, shared, now);
        let mut wanted = Vec::new();
        self.request_blocks(&mut guard, id, sync_from_peer, &mut wanted);
        drop(guard);
        self.request_txs(id, now, &mut wanted);
        self.maybe_send_feefilter(id, now);
    }

    fn discourage_and_disconnect(&self, peer: &mut Peer, shared: &mut Shared) -> bool {
        if !std::mem::take(&mut peer.should_discourage) {
            return false;
        }
        let id = peer.id();
        if peer.has(Permissions::NO_BAN) {
            grs_log::warn!("Not punishing noban peer {id}!");
            return false;
        }
        if peer.kind() == ConnectionType::Manual {
            grs_log::warn!("Not punishing manually connected peer {id}!");
            return false;
        }
        let address = peer.info.address.address;
        if address.is_local() {
            // Discouraging would hit everybody on this machine.
            let what = if peer.info.inbound_onion { "inbound onion" } else { "local" };
            debug!(Category::Net, "Warning: disconnecting but not discouraging {what} peer {id}!");
            shared.disconnect(peer);
            return true;
        }
        debug!(Category::Net, "Disconnecting and discouraging peer {id}!");
        self.bans.discourage(&address);
        shared.disconnect(peer);
        shared.actions.push(Action::DisconnectAddress(address));
        true
    }

    fn maybe_send_sendheaders(&self, peer: &mut Peer, shared: &mut Shared) {
        let index = self.index();
        if !peer.sent_sendheaders
            && peer.common_version >= SENDHEADERS_VERSION
            && peer.best_known.is_some_and(|best| index.work(best) > self.chain.minimum_chain_work())
        {
            peer.sent_sendheaders = true;
            shared.send(peer, Message::SendHeaders);
        }
    }

    fn maybe_start_headers_sync(
        &self,
        peer: &mut Peer,
        shared: &mut Shared,
        sync_from_peer: bool,
        now: Duration,
    ) {
        if peer.sync_started || !peer.can_serve_blocks() || self.chain.store().loading_blocks() {
            return;
        }
        let index = self.index();
        let Some(best) = self.chain.best_header().or(self.view().tip()) else { return };
        let age = self.now_secs() - i64::from(index.time(best));
        if !((shared.sync_started == 0 && sync_from_peer) || age < DAY) {
            return;
        }
        // One before the best, so that the answer is never empty and shows what the peer has.
        let start = index.prev(best).unwrap_or(best);
        if shared.maybe_send_getheaders(peer, index.locator(start), now) {
            debug!(
                Category::Net,
                "initial getheaders ({}) to peer={} (startheight:{})",
                index.height(start),
                peer.id(),
                peer.starting_height
            );
            peer.sync_started = true;
            let expected = age.max(0) / self.options.params.consensus.pow_target_spacing;
            peer.headers_sync_timeout =
                now + HEADERS_DOWNLOAD_TIMEOUT_BASE + Duration::from_millis(expected as u64);
            shared.sync_started += 1;
        }
    }

    fn peer_has_header(&self, peer: &Peer, block: BlockId) -> bool {
        let index = self.index();
        let height = index.height(block);
        [peer.best_known, peer.best_header_sent]
            .into_iter()
            .flatten()
            .any(|known| index.ancestor(known, height) == Some(block))
    }

    /// Announces new blocks: by headers if the peer wants them and they connect to what it has, else by `inv`.
    fn announce_blocks(&self, peer: &mut Peer, shared: &mut Shared) {
        let list = std::mem::take(&mut peer.blocks_for_headers);
        let (index, id) = (self.index(), peer.id());
        self.process_availability(peer);
        let Some(newest) = list.last().copied() else { return };
        let view = self.view();
        let mut revert = (!peer.prefers_headers && (!peer.requested_high_bandwidth || list.len() > 1))
            || list.len() > MAX_BLOCKS_TO_ANNOUNCE;
        let mut headers: Vec<HashedHeader> = Vec::new();
        let mut best = None;
        for block in list.iter().copied().filter(|_| !revert) {
            let prev = index.prev(block);
            if !view.contains(block) || (best.is_some() && prev != best) {
                revert = true;
                break;
            }
            best = Some(block);
            if !headers.is_empty() {
                headers.push(index.header(block));
            } else if self.peer_has_header(peer, block) {
                continue;
            } else if prev.is_none_or(|prev| self.peer_has_header(peer, prev)) {
                headers.push(index.header(block));
            } else {
                revert = true;
                break;
            }
        }
        if !revert && !headers.is_empty() {
            let (first, last) = (headers[0].hash(), headers[headers.len() - 1].hash());
            let recent = shared.recent_block.clone().filter(|b| b.hash() == last);
            if headers.len() == 1 && peer.requested_high_bandwidth && recent.is_some() {
                debug!(Category::Net, "SendMessages sending header-and-ids {first} to peer={id}");
                let nonce = shared.rng.u64();
                if let Some(block) = recent {
                    let compact = CompactBlock::new(&block, nonce, |_, _| false);
                    shared.send(peer, Message::CompactBlock(Box::new(compact)));
                }
                peer.best_header_sent = best;
            } else if peer.prefers_headers {
                if headers.len() > 1 {
                    debug!(
                        Category::Net,
                        "SendMessages: {} headers, range ({first}, {last}), to peer={id}",
                        headers.len()
                    );
                } else {
                    debug!(Category::Net, "SendMessages: sending header {first} to peer={id}");
                }
                shared.send(peer, Message::Headers(headers));
                peer.best_header_sent = best;
            } else {
                revert = true;
            }
        }
        if revert {
            let hash = index.hash(newest);
            if !view.contains(newest) {
                debug!(Category::Net, "Announcing block {hash} not on main chain (tip={})", view.tip_hash());
            }
            if !self.peer_has_header(peer, newest) {
                peer.blocks_for_inv.push(hash);
                debug!(Category::Net, "SendMessages: sending inv peer={id} hash={hash}");
            }
        }
    }

    fn request_txs(&self, id: PeerId, now: Duration, wanted: &mut Vec<Inventory>) {
        let names: Vec<TxName> = self.state.lock().shared.tx.requests(id, now, MAX_GETDATA_SIZE);
        let in_pool: Vec<bool> = {
            let pool = if names.is_empty() { None } else { Some(self.mempool.lock()) };
            names
                .iter()
                .map(|n| {
                    let bytes = n.hash.to_bytes();
                    pool.as_ref().is_some_and(|pool| match n.is_wtxid {
                        true => pool.contains_wtxid(&Wtxid::from_bytes(bytes)),
                        false => pool.contains(&grs_hashes::Txid::from_bytes(bytes)),
                    })
                })
                .collect()
        };
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        for (name, in_pool) in names.into_iter().zip(in_pool) {
            if in_pool || shared.tx.knows(&name.hash, false) {
                shared.tx.forget(&name.hash);
                continue;
            }
            shared.tx.requested(id, &name, now);
            let kind = match name.is_wtxid {
                true => MSG_WTX,
                false if peer.can_serve_witnesses() => MSG_WITNESS_TX,
                false => MSG_TX,
            };
            wanted.push(Inventory { kind, hash: name.hash });
            if wanted.len() >= MAX_GETDATA_SIZE {
                shared.send(peer, Message::GetData(std::mem::take(wanted)));
            }
        }
        if !wanted.is_empty() {
            shared.send(peer, Message::GetData(std::mem::take(wanted)));
        }
    }

    fn maybe_send_feefilter(&self, id: PeerId, now: Duration) {
        let initial = self.chain.is_initial_block_download();
        {
            let mut guard = self.state.lock();
            let Some((peer, _)) = guard.peer(id) else { return };
            if self.options.ignore_incoming_txs
                || peer.common_version < FEEFILTER_VERSION
                || peer.has(Permissions::FORCE_RELAY)
                || peer.kind() == ConnectionType::BlockRelay
            {
                return;
            }
            if !initial && peer.fee_filter_sent == largest_filter() {
                peer.next_fee_filter = Duration::ZERO;
            }
            let changing = now + MAX_FEEFILTER_CHANGE_DELAY < peer.next_fee_filter;
            if now <= peer.next_fee_filter && !changing {
                return;
            }
        }
        let (current, least) = {
            let mut pool = self.mempool.lock();
            let current = if initial { MAX_MONEY } else { pool.min_fee_rate().fee_per_kvb().0 };
            (current, pool.options().min_relay_rate.fee_per_kvb().0)
        };
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        if now > peer.next_fee_filter {
            let rate = round_filter(current, shared.rng.below(3) != 0).max(least);
            if rate != peer.fee_filter_sent {
                shared.send(peer, Message::FeeFilter(rate));
                peer.fee_filter_sent = rate;
            }
            peer.next_fee_filter = now + shared.rng.exp_duration(AVG_FEEFILTER_BROADCAST);
        } else if current < 3 * peer.fee_filter_sent / 4 || current > 4 * peer.fee_filter_sent / 3 {
            let delay = MAX_FEEFILTER_CHANGE_DELAY.mul_f64(shared.rng.unit());
            peer.next_fee_filter = now + delay;
        }
    }
}

/// Rates that filters are rounded to, ascending.
fn filter_steps() -> impl Iterator<Item = f64> {
    let first = (DEFAULT_MIN_RELAY_TX_FEE / 2).max(1) as f64;
    std::iter::once(0.0)
        .chain(std::iter::successors(Some(first), |step| Some(step * 1.1)).take_while(|s| *s <= 1e7))
}

fn largest_filter() -> i64 {
    filter_steps().last().map_or(0, |s| s as i64)
}

/// Rounds up to a step or, mostly, down, so that a filter does not identify a node.
fn round_filter(rate: i64, down: bool) -> i64 {
    let mut below = 0.0;
    for step in filter_steps() {
        if step >= rate as f64 {
            return if down && step > 0.0 { below as i64 } else { step as i64 };
        }
        below = step;
    }
    below as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_rounded() {
        assert_eq!(round_filter(0, true), 0);
        assert_eq!(round_filter(MAX_MONEY, true), largest_filter());
        assert_eq!(round_filter(MAX_MONEY, false), largest_filter());
        assert!(largest_filter() > 9_000_000 && largest_filter() <= 10_000_000);
        let (down, up) = (round_filter(5000, true), round_filter(5000, false));
        assert!((4500..5000).contains(&down) && (5000..5600).contains(&up), "{down} {up}");
    }
}
