//! Which transactions to ask of whom, which not to ask for again, and which wait for parents. Reference:
//! `txrequest.cpp`, `node/txdownloadman_impl.cpp`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use grs_hashes::{Hash256, Txid, Wtxid};
use grs_log::{Category, debug};
use grs_primitives::{Block, Transaction, TxRef};

use grs_addrman::Rng;

use crate::PeerId;
use crate::options::secs;
use crate::orphanage::Orphanage;
use crate::state::Recent;

const MAX_PEER_TX_REQUEST_IN_FLIGHT: usize = 100;
const MAX_PEER_TX_ANNOUNCEMENTS: usize = 5000;
const TXID_RELAY_DELAY: Duration = secs(2);
const NONPREF_PEER_TX_DELAY: Duration = secs(2);
const OVERLOADED_PEER_TX_DELAY: Duration = secs(2);
const GETDATA_TX_INTERVAL: Duration = secs(60);

/// A transaction by either id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct TxName {
    pub(crate) hash: Hash256,
    pub(crate) is_wtxid: bool,
}

impl TxName {
    pub(crate) fn txid(txid: Txid) -> TxName {
        TxName { hash: Hash256::from_bytes(txid.to_bytes()), is_wtxid: false }
    }

    fn kind(&self) -> &'static str {
        if self.is_wtxid { "wtx" } else { "tx" }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Announcement {
    /// May be asked for from this time on.
    Waiting(Duration),
    /// Asked for; expires then.
    Requested(Duration),
    Completed,
}

/// What matters about a peer here.
#[derive(Clone, Copy, Debug)]
struct PeerInfo {
    preferred: bool,
    relay_permission: bool,
    wtxid_relay: bool,
    announced: usize,
    in_flight: usize,
}

/// What a peer announced of one hash.
#[derive(Clone, Copy, Debug)]
struct Announced {
    number: u64,
    /// The hash is meant as a wtxid; of a transaction without witness both ids are the same hash.
    is_wtxid: bool,
    state: Announcement,
}

/// A parent that was refused for its fee, with a child that may pay for it.
#[derive(Clone, Debug)]
pub(crate) struct OneParentOneChild {
    pub(crate) parent: TxRef,
    pub(crate) child: TxRef,
    pub(crate) sender: PeerId,
}

#[derive(Debug)]
pub(crate) struct TxDownload {
    peers: HashMap<PeerId, PeerInfo>,
    announcements: HashMap<Hash256, BTreeMap<PeerId, Announced>>,
    by_peer: HashMap<PeerId, BTreeMap<u64, Hash256>>,
    next_number: u64,
    pub(crate) orphanage: Orphanage,
    rejects: Recent<Hash256>,
    reconsiderable: Recent<Hash256>,
    confirmed: Recent<Hash256>,
}

fn as_hash(wtxid: &Wtxid) -> Hash256 {
    Hash256::from_bytes(wtxid.to_bytes())
}

fn txid_hash(txid: &Txid) -> Hash256 {
    Hash256::from_bytes(txid.to_bytes())
}

/// Ids of the transactions that one spends from, each once.
pub(crate) fn unique_parents(tx: &Transaction) -> Vec<Txid> {
    let set: BTreeSet<Txid> = tx.inputs.iter().map(|i| i.prevout.txid).collect();
    set.into_iter().collect()
}

impl TxDownload {
    pub(crate) fn new() -> TxDownload {
        TxDownload {
            peers: HashMap::new(),
            announcements: HashMap::new(),
            by_peer: HashMap::new(),
            next_number: 0,
            orphanage: Orphanage::default(),
            rejects: Recent::new(120_000),
            reconsiderable: Recent::new(120_000),
            confirmed: Recent::new(48_000),
        }
    }

    pub(crate) fn connected(
        &mut self,
        id: PeerId,
        preferred: bool,
        relay_permission: bool,
        wtxid_relay: bool,
    ) {
        self.peers
            .insert(id, PeerInfo { preferred, relay_permission, wtxid_relay, announced: 0, in_flight: 0 });
    }

    pub(crate) fn disconnected(&mut self, id: PeerId) {
        for hash in self.by_peer.remove(&id).unwrap_or_default().into_values() {
            if let Some(list) = self.announcements.get_mut(&hash) {
                list.remove(&id);
                if list.is_empty() {
                    self.announcements.remove(&hash);
                }
            }
        }
        self.peers.remove(&id);
        self.orphanage.erase_for_peer(id);
    }

    /// Known as waiting, refused or confirmed; whether it is in the mempool is the caller's to ask.
    pub(crate) fn knows(&self, hash: &Hash256, include_reconsiderable: bool) -> bool {
        self.orphanage.contains(&Wtxid::from_bytes(hash.to_bytes()))
            || (include_reconsiderable && self.reconsiderable.contains(hash))
            || self.confirmed.contains(hash)
            || self.rejects.contains(hash)
    }

    pub(crate) fn is_reconsiderable(&self, hash: &Hash256) -> bool {
        self.reconsiderable.contains(hash)
    }

    /// A peer has a transaction that we do not know.
    pub(crate) fn announced(&mut self, id: PeerId, name: TxName, now: Duration) {
        let by_wtxid = name.is_wtxid;
        let Some(at) = self.request_time(id, by_wtxid, now) else { return };
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if !peer.relay_permission && peer.announced >= MAX_PEER_TX_ANNOUNCEMENTS {
            return;
        }
        let list = self.announcements.entry(name.hash).or_default();
        if list.contains_key(&id) {
            return;
        }
        let state = Announcement::Waiting(at);
        list.insert(id, Announced { number: self.next_number, is_wtxid: by_wtxid, state });
        self.by_peer.entry(id).or_default().insert(self.next_number, name.hash);
        peer.announced += 1;
        self.next_number += 1;
    }

    /// From when on a peer may be asked for something that it announces now; `None` for an unknown peer.
    fn request_time(&self, id: PeerId, by_wtxid: bool, now: Duration) -> Option<Duration> {
        let peer = self.peers.get(&id)?;
        let mut at = now;
        if !peer.preferred {
            at += NONPREF_PEER_TX_DELAY;
        }
        if !by_wtxid && self.peers.values().any(|p| p.wtxid_relay) {
            at += TXID_RELAY_DELAY;
        }
        if !peer.relay_permission && peer.in_flight >= MAX_PEER_TX_REQUEST_IN_FLIGHT {
            at += OVERLOADED_PEER_TX_DELAY;
        }
        Some(at)
    }

    /// Removes all announcements of a hash.
    pub(crate) fn forget(&mut self, hash: &Hash256) {
        let Some(list) = self.announcements.remove(hash) else { return };
        for (id, Announced { number, state, .. }) in list {
            if let Some(numbers) = self.by_peer.get_mut(&id) {
                numbers.remove(&number);
            }
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.announced -= 1;
                peer.in_flight -= usize::from(matches!(state, Announcement::Requested(_)));
            }
        }
    }

    fn set(&mut self, id: PeerId, hash: &Hash256, to: Announcement) {
        let Some(list) = self.announcements.get_mut(hash) else { return };
        let Some(announced) = list.get_mut(&id) else { return };
        let was = std::mem::replace(&mut announced.state, to);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.in_flight -= usize::from(matches!(was, Announcement::Requested(_)));
            peer.in_flight += usize::from(matches!(to, Announcement::Requested(_)));
        }
        // Once nobody is left to ask, the transaction is forgotten.
        if list.values().all(|a| a.state == Announcement::Completed) {
            self.forget(hash);
        }
    }

    /// The peer answered a request, with the transaction or without.
    pub(crate) fn responded(&mut self, id: PeerId, hash: &Hash256) {
        self.set(id, hash, Announcement::Completed);
    }

    /// Peers that announced a transaction and were not found wanting.
    fn candidates(&self, hash: &Hash256) -> Vec<PeerId> {
        let Some(list) = self.announcements.get(hash) else { return Vec::new() };
        list.iter().filter(|(_, a)| a.state != Announcement::Completed).map(|(id, _)| *id).collect()
    }

    /// What to ask a peer for now, in the order in which it announced. Of several peers that could be asked, a
    /// preferred one is, and among equals the one that announced first.
    pub(crate) fn requests(&mut self, id: PeerId, now: Duration, limit: usize) -> Vec<TxName> {
        let hashes: Vec<Hash256> =
            self.by_peer.get(&id).map(|m| m.values().copied().collect()).unwrap_or_default();
        let mut out = Vec::new();
        for hash in hashes {
            if out.len() >= limit {
                break;
            }
            let Some(list) = self.announcements.get(&hash) else { continue };
            let expired: Vec<(PeerId, bool)> = list
                .iter()
                .filter(|(_, a)| matches!(a.state, Announcement::Requested(until) if until <= now))
                .map(|(id, a)| (*id, a.is_wtxid))
                .collect();
            for (other, is_wtxid) in expired {
                let name = TxName { hash, is_wtxid };
                debug!(Category::Net, "timeout of inflight {} {hash} from peer={other}", name.kind());
                self.set(other, &hash, Announcement::Completed);
            }
            let Some(list) = self.announcements.get(&hash) else { continue };
            if list.values().any(|a| matches!(a.state, Announcement::Requested(_))) {
                continue;
            }
            let best = list
                .iter()
                .filter(|(_, a)| matches!(a.state, Announcement::Waiting(at) if at <= now))
                .min_by_key(|(id, a)| (!self.peers.get(id).is_some_and(|p| p.preferred), a.number));
            if let Some((best, announced)) = best
                && *best == id
            {
                out.push(TxName { hash, is_wtxid: announced.is_wtxid });
            }
        }
        out
    }

    pub(crate) fn requested(&mut self, id: PeerId, name: &TxName, now: Duration) {
        debug!(Category::Net, "Requesting {} {} peer={id}", name.kind(), name.hash);
        self.set(id, &name.hash, Announcement::Requested(now + GETDATA_TX_INTERVAL));
    }

    // Orphans.

    /// Takes a peer as one that may have the missing parents of an orphan, which means to treat them as announced by it.
    /// False if it is one already, or if too much is announced by it.
    pub(crate) fn add_resolution_candidate(
        &mut self,
        id: PeerId,
        wtxid: &Wtxid,
        missing: &[Txid],
        now: Duration,
    ) -> bool {
        let Some(peer) = self.peers.get(&id) else { return false };
        let too_many = peer.announced + missing.len() > MAX_PEER_TX_ANNOUNCEMENTS;
        if self.orphanage.has_from_peer(wtxid, id) || (!peer.relay_permission && too_many) {
            return false;
        }
        missing.iter().for_each(|parent| self.announced(id, TxName::txid(*parent), now));
        debug!(Category::TxPackages, "added peer={id} as a candidate for resolving orphan {wtxid}");
        true
    }

    /// Keeps a transaction until its parents come, for the peer that sent it and for all that announced it.
    pub(crate) fn add_orphan(&mut self, tx: &TxRef, id: PeerId, missing: &[Txid], now: Duration) {
        let (txid, wtxid) = (txid_hash(&tx.txid()), as_hash(&tx.wtxid()));
        let mut candidates = BTreeSet::from_iter(self.candidates(&txid));
        if tx.has_witness() {
            candidates.extend(self.candidates(&wtxid));
        }
        candidates.remove(&id);
        for candidate in std::iter::once(id).chain(candidates) {
            if self.add_resolution_candidate(candidate, &tx.wtxid(), missing, now) {
                self.orphanage.add(tx, candidate);
            }
        }
        // From now on it counts as known.
        self.forget(&txid);
        self.forget(&wtxid);
    }

    /// Drops an orphan about which there is a verdict.
    pub(crate) fn erase_orphan(&mut self, tx: &Transaction) {
        if self.orphanage.erase(&tx.wtxid()) {
            debug!(Category::TxPackages, "   removed orphan tx {} (wtxid={})", tx.txid(), tx.wtxid());
        }
    }

    /// A child of the same peer that may pay for its refused parent; the newest one.
    pub(crate) fn one_parent_one_child(&self, parent: &TxRef, id: PeerId) -> Option<OneParentOneChild> {
        let untried = |child: &&TxRef| {
            let package = grs_mempool::package_hash(&[parent.clone(), TxRef::clone(child)]);
            !self.reconsiderable.contains(&package) && !self.rejects.contains(&txid_hash(&child.txid()))
        };
        let child = self.orphanage.children_from_peer(&parent.txid(), id).find(untried)?;
        Some(OneParentOneChild { parent: parent.clone(), child: child.clone(), sender: id })
    }

    // Verdicts.

    pub(crate) fn accepted(&mut self, tx: &Transaction, rng: &mut Rng) {
        self.forget(&txid_hash(&tx.txid()));
        self.forget(&as_hash(&tx.wtxid()));
        self.orphanage.add_children_to_work(tx, rng);
        self.orphanage.erase(&tx.wtxid());
    }

    pub(crate) fn reject(&mut self, hash: Hash256) {
        self.rejects.insert(hash);
        self.forget(&hash);
    }

    pub(crate) fn reject_reconsiderable(&mut self, hash: Hash256) {
        self.reconsiderable.insert(hash);
        self.forget(&hash);
    }

    pub(crate) fn rejects(&self, hash: &Hash256) -> bool {
        self.rejects.contains(hash)
    }

    // Chain events.

    pub(crate) fn tip_changed(&mut self) {
        self.rejects.clear();
        self.reconsiderable.clear();
    }

    pub(crate) fn block_connected(&mut self, block: &Block) {
        self.orphanage.erase_for_block(block);
        for tx in &block.txs {
            let (txid, wtxid) = (txid_hash(&tx.txid()), as_hash(&tx.wtxid()));
            self.confirmed.insert(txid);
            self.forget(&txid);
            if tx.has_witness() {
                self.confirmed.insert(wtxid);
                self.forget(&wtxid);
            }
        }
    }

    pub(crate) fn block_disconnected(&mut self) {
        self.confirmed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u8) -> TxName {
        TxName { hash: Hash256::from_bytes([n; 32]), is_wtxid: true }
    }

    #[test]
    fn preferred_peers_are_asked_first_and_others_after_a_timeout() {
        let mut d = TxDownload::new();
        d.connected(1, false, false, true);
        d.connected(2, true, false, true);
        let now = secs(1000);
        d.announced(1, name(7), now);
        d.announced(2, name(7), now);
        assert!(d.requests(1, now, 10).is_empty());
        assert_eq!(d.requests(2, now, 10), [name(7)]);
        d.requested(2, &name(7), now);
        // In flight with one: not asked of the other, though its delay is over.
        assert!(d.requests(1, now + secs(5), 10).is_empty());
        assert_eq!(d.requests(1, now + secs(61), 10), [name(7)]);
        d.requested(1, &name(7), now + secs(61));
        d.responded(1, &name(7).hash);
        // Both had their turn.
        assert!(d.announcements.is_empty() && d.by_peer[&1].is_empty() && d.by_peer[&2].is_empty());
        assert_eq!((d.peers[&1].announced, d.peers[&1].in_flight), (0, 0));
    }

    #[test]
    fn notfound_turns_to_the_next_peer() {
        let mut d = TxDownload::new();
        d.connected(1, true, false, true);
        d.connected(2, true, false, true);
        let now = secs(1000);
        d.announced(1, name(7), now);
        d.announced(2, name(7), now);
        d.requested(1, &name(7), now);
        d.responded(1, &name(7).hash);
        assert_eq!(d.requests(2, now, 10), [name(7)]);
        d.disconnected(2);
        d.disconnected(1);
        assert!(d.announcements.is_empty() && d.by_peer.is_empty());
    }

    #[test]
    fn announcements_are_bounded() {
        let mut d = TxDownload::new();
        d.connected(1, true, false, true);
        for n in 0..MAX_PEER_TX_ANNOUNCEMENTS as u32 + 10 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            d.announced(1, TxName { hash: Hash256::from_bytes(bytes), is_wtxid: true }, secs(1));
        }
        assert_eq!(d.announcements.len(), MAX_PEER_TX_ANNOUNCEMENTS);
    }
}
