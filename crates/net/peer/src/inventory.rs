//! Announcing transactions of the mempool: when, to whom, in which order, and through the peer's bloom filter.

use std::collections::HashSet;
use std::time::Duration;

use grs_hashes::Wtxid;
use grs_policy::FeeRate;
use grs_primitives::TxRef;
use grs_wire::{Inventory, MAX_INV_SIZE, MSG_BLOCK, MSG_TX, Message};

use crate::options::{
    INBOUND_INVENTORY_INTERVAL, INVENTORY_BROADCAST_MAX, INVENTORY_BROADCAST_TARGET,
    OUTBOUND_INVENTORY_INTERVAL,
};
use crate::state::{Peer, Shared, TxRelay};
use crate::{PeerId, PeerManager, Permissions};

/// A mempool transaction that may be announced.
struct Candidate {
    tx: TxRef,
    fee: i64,
    vsize: i64,
}

impl From<&grs_mempool::Entry> for Candidate {
    fn from(entry: &grs_mempool::Entry) -> Candidate {
        Candidate { tx: entry.tx.clone(), fee: entry.fee.0, vsize: entry.vsize }
    }
}

/// What the mempool holds when it is time to announce.
pub(crate) struct Announcements {
    /// All of it, for a peer that asked with `mempool`.
    whole_pool: Option<Vec<Candidate>>,
    /// What waits to be announced: best first, parents before children.
    waiting: Vec<Candidate>,
    /// The mempool's sequence number at that moment.
    sequence: u64,
}

impl TxRelay {
    /// Whether the peer wants to hear of a transaction: its fee filter, and its bloom filter, which learns from it.
    fn wants(&mut self, candidate: &Candidate) -> bool {
        let least = FeeRate::per_kvb(self.fee_filter).fee(candidate.vsize.max(0) as usize).0;
        candidate.fee >= least
            && self.bloom.as_mut().is_none_or(|filter| filter.is_relevant_and_update(&candidate.tx))
    }

    /// Transactions to announce now.
    fn choose(&mut self, found: &Announcements, wtxid_relay: bool) -> Vec<Inventory> {
        let inventory = |candidate: &Candidate| match wtxid_relay {
            true => Inventory::wtxid(candidate.tx.wtxid()),
            false => Inventory::txid(MSG_TX, candidate.tx.txid()),
        };
        let mut list = Vec::new();
        for candidate in found.whole_pool.iter().flatten() {
            self.to_send.remove(&candidate.tx.wtxid());
            if self.wants(candidate) {
                let inv = inventory(candidate);
                self.known.insert(inv.hash);
                list.push(inv);
            }
        }
        let limit = (INVENTORY_BROADCAST_TARGET + self.to_send.len() / 1000 * 5).min(INVENTORY_BROADCAST_MAX);
        let mut sent = 0;
        for candidate in &found.waiting {
            if sent >= limit {
                // The rest waits for its turn.
                return list;
            }
            self.to_send.remove(&candidate.tx.wtxid());
            let inv = inventory(candidate);
            if self.known.contains(&inv.hash) || !self.wants(candidate) {
                continue;
            }
            self.known.insert(inv.hash);
            list.push(inv);
            sent += 1;
        }
        // What is no longer in the mempool need not be announced.
        self.to_send.clear();
        list
    }
}

impl PeerManager {
    /// What may be announced to a peer now; `None` if it is not time. The mempool's lock comes before ours, hence this
    /// and [`PeerManager::send_inventory`] are two steps.
    pub(crate) fn announcements(&self, id: PeerId, now: Duration) -> Option<Announcements> {
        let (names, whole_pool) = {
            let mut guard = self.state.lock();
            let (peer, shared) = guard.peer(id)?;
            let (no_ban, inbound) = (peer.has(Permissions::NO_BAN), peer.is_inbound());
            let relay = peer.tx_relay.as_mut()?;
            let due = relay.next_send.is_none_or(|at| at < now);
            if due {
                let next = if inbound {
                    // One time for all inbound peers, so that connecting often tells nothing.
                    if shared.next_inv_inbound < now {
                        shared.next_inv_inbound = now + shared.rng.exp_duration(INBOUND_INVENTORY_INTERVAL);
                    }
                    shared.next_inv_inbound
                } else {
                    now + shared.rng.exp_duration(OUTBOUND_INVENTORY_INTERVAL)
                };
                relay.next_send = Some(next);
            }
            if !due && !no_ban {
                return None;
            }
            if !relay.relay {
                relay.to_send.clear();
            }
            let whole = std::mem::take(&mut relay.send_mempool);
            (relay.to_send.iter().copied().collect::<Vec<Wtxid>>(), whole)
        };
        let pool = self.mempool.lock();
        let waiting = match names.as_slice() {
            [] => Vec::new(),
            _ if whole_pool => Vec::new(),
            [one] => pool.entry_by_wtxid(one).map(Candidate::from).into_iter().collect(),
            _ => {
                let wanted: HashSet<&Wtxid> = names.iter().collect();
                let order = pool.in_mining_order().into_iter();
                order.filter(|e| wanted.contains(&e.tx.wtxid())).map(Candidate::from).collect()
            }
        };
        let all = || pool.in_mining_order().into_iter().map(Candidate::from).collect();
        Some(Announcements { whole_pool: whole_pool.then(all), waiting, sequence: pool.sequence() })
    }

    /// Sends what there is to announce, blocks first.
    pub(crate) fn send_inventory(&self, peer: &mut Peer, shared: &mut Shared, found: Option<Announcements>) {
        let blocks = std::mem::take(&mut peer.blocks_for_inv);
        let mut list: Vec<Inventory> =
            blocks.into_iter().map(|hash| Inventory::block(MSG_BLOCK, hash)).collect();
        let wtxid_relay = peer.wtxid_relay;
        if let (Some(found), Some(relay)) = (found, peer.tx_relay.as_mut()) {
            list.extend(relay.choose(&found, wtxid_relay));
            // What was in the mempool by now may be asked for.
            relay.last_sequence = found.sequence;
        }
        for part in list.chunks(MAX_INV_SIZE) {
            shared.send(peer, Message::Inv(part.to_vec()));
        }
    }
}
