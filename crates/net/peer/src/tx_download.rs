//! Which transactions to ask of whom, which not to ask for again, and which wait for parents. Reference:
//! `txrequest.cpp`, `node/txdownloadman_impl.cpp`, `node/txorphanage.cpp`; the orphanage here is simpler: bounded by
//! number and weight, the oldest announcement of the peer with most goes first.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use grs_hashes::{Hash256, Txid, Wtxid};
use grs_log::{Category, debug};
use grs_primitives::{Block, Transaction, TxRef};

use crate::options::secs;
use crate::state::Recent;
use crate::{OrphanInfo, PeerId};

const MAX_PEER_TX_REQUEST_IN_FLIGHT: usize = 100;
const MAX_PEER_TX_ANNOUNCEMENTS: usize = 5000;
const TXID_RELAY_DELAY: Duration = secs(2);
const NONPREF_PEER_TX_DELAY: Duration = secs(2);
const OVERLOADED_PEER_TX_DELAY: Duration = secs(2);
const GETDATA_TX_INTERVAL: Duration = secs(60);
const MAX_ORPHANS: usize = 100;
const MAX_ORPHAN_WEIGHT: usize = 400_000;
const MAX_ORPHANAGE_WEIGHT: usize = 4 * 1024 * 1024;

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

#[derive(Debug)]
struct Orphan {
    tx: TxRef,
    announcers: BTreeSet<PeerId>,
    parents: Vec<Txid>,
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
    /// Per hash: whether a wtxid, and the state of each peer's announcement with its number.
    announcements: HashMap<Hash256, (bool, BTreeMap<PeerId, (u64, Announcement)>)>,
    by_peer: HashMap<PeerId, BTreeMap<u64, Hash256>>,
    next_number: u64,
    orphans: HashMap<Wtxid, Orphan>,
    orphan_order: VecDeque<Wtxid>,
    orphan_weight: usize,
    work: HashMap<PeerId, VecDeque<Wtxid>>,
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
            orphans: HashMap::new(),
            orphan_order: VecDeque::new(),
            orphan_weight: 0,
            work: HashMap::new(),
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
            if let Some((_, list)) = self.announcements.get_mut(&hash) {
                list.remove(&id);
                if list.is_empty() {
                    self.announcements.remove(&hash);
                }
            }
        }
        self.peers.remove(&id);
        self.work.remove(&id);
        let gone: Vec<Wtxid> = self
            .orphans
            .iter_mut()
            .filter_map(|(wtxid, orphan)| {
                (orphan.announcers.remove(&id) && orphan.announcers.is_empty()).then_some(*wtxid)
            })
            .collect();
        gone.iter().for_each(|wtxid| self.erase_orphan(wtxid));
    }

    /// Known as waiting, refused or confirmed; whether it is in the mempool is the caller's to ask.
    pub(crate) fn knows(&self, hash: &Hash256, include_reconsiderable: bool) -> bool {
        self.orphans.contains_key(&Wtxid::from_bytes(hash.to_bytes()))
            || (include_reconsiderable && self.reconsiderable.contains(hash))
            || self.confirmed.contains(hash)
            || self.rejects.contains(hash)
    }

    pub(crate) fn is_reconsiderable(&self, hash: &Hash256) -> bool {
        self.reconsiderable.contains(hash)
    }

    /// A peer has a transaction that we do not know.
    pub(crate) fn announced(&mut self, id: PeerId, name: TxName, now: Duration) {
        let others_by_wtxid = self.peers.values().any(|p| p.wtxid_relay);
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if !peer.relay_permission && peer.announced >= MAX_PEER_TX_ANNOUNCEMENTS {
            return;
        }
        let mut at = now;
        if !peer.preferred {
            at += NONPREF_PEER_TX_DELAY;
        }
        if !name.is_wtxid && others_by_wtxid {
            at += TXID_RELAY_DELAY;
        }
        if !peer.relay_permission && peer.in_flight >= MAX_PEER_TX_REQUEST_IN_FLIGHT {
            at += OVERLOADED_PEER_TX_DELAY;
        }
        let (_, list) =
            self.announcements.entry(name.hash).or_insert_with(|| (name.is_wtxid, BTreeMap::new()));
        if list.contains_key(&id) {
            return;
        }
        list.insert(id, (self.next_number, Announcement::Waiting(at)));
        self.by_peer.entry(id).or_default().insert(self.next_number, name.hash);
        peer.announced += 1;
        self.next_number += 1;
    }

    /// Removes all announcements of a hash.
    pub(crate) fn forget(&mut self, hash: &Hash256) {
        let Some((_, list)) = self.announcements.remove(hash) else { return };
        for (id, (number, state)) in list {
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
        let Some((_, list)) = self.announcements.get_mut(hash) else { return };
        let Some((_, state)) = list.get_mut(&id) else { return };
        let was = std::mem::replace(state, to);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.in_flight -= usize::from(matches!(was, Announcement::Requested(_)));
            peer.in_flight += usize::from(matches!(to, Announcement::Requested(_)));
        }
        // Once nobody is left to ask, the transaction is forgotten.
        if list.values().all(|(_, state)| *state == Announcement::Completed) {
            self.forget(hash);
        }
    }

    /// The peer answered a request, with the transaction or without.
    pub(crate) fn responded(&mut self, id: PeerId, hash: &Hash256) {
        self.set(id, hash, Announcement::Completed);
    }

    /// Peers that announced a transaction and were not found wanting.
    fn candidates(&self, hash: &Hash256) -> Vec<PeerId> {
        let Some((_, list)) = self.announcements.get(hash) else { return Vec::new() };
        list.iter().filter(|(_, (_, state))| *state != Announcement::Completed).map(|(id, _)| *id).collect()
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
            let Some((is_wtxid, list)) = self.announcements.get(&hash) else { continue };
            let is_wtxid = *is_wtxid;
            let expired: Vec<PeerId> = list
                .iter()
                .filter(|(_, (_, state))| matches!(state, Announcement::Requested(until) if *until <= now))
                .map(|(id, _)| *id)
                .collect();
            let name = TxName { hash, is_wtxid };
            for other in expired {
                debug!(Category::Net, "timeout of inflight {} {hash} from peer={other}", name.kind());
                self.set(other, &hash, Announcement::Completed);
            }
            let Some((_, list)) = self.announcements.get(&hash) else { continue };
            if list.values().any(|(_, state)| matches!(state, Announcement::Requested(_))) {
                continue;
            }
            let best = list
                .iter()
                .filter(|(_, (_, state))| matches!(state, Announcement::Waiting(at) if *at <= now))
                .min_by_key(|(id, (number, _))| (!self.peers.get(id).is_some_and(|p| p.preferred), *number))
                .map(|(id, _)| *id);
            if best == Some(id) {
                out.push(name);
            }
        }
        out
    }

    pub(crate) fn requested(&mut self, id: PeerId, name: &TxName, now: Duration) {
        debug!(Category::Net, "Requesting {} {} peer={id}", name.kind(), name.hash);
        self.set(id, &name.hash, Announcement::Requested(now + GETDATA_TX_INTERVAL));
    }

    // Orphans.

    pub(crate) fn orphan(&self, wtxid: &Wtxid) -> Option<&TxRef> {
        self.orphans.get(wtxid).map(|o| &o.tx)
    }

    pub(crate) fn add_announcer(&mut self, wtxid: &Wtxid, id: PeerId) -> bool {
        self.orphans.get_mut(wtxid).is_some_and(|orphan| orphan.announcers.insert(id))
    }

    /// Keeps a transaction until its parents come.
    pub(crate) fn add_orphan(&mut self, tx: &TxRef, id: PeerId, missing: &[Txid], now: Duration) {
        let wtxid = tx.wtxid();
        let weight = tx.weight();
        if !self.peers.contains_key(&id) {
            return;
        }
        if weight > MAX_ORPHAN_WEIGHT {
            debug!(
                Category::TxPackages,
                "ignoring large orphan tx (size: {weight}, txid: {}, wtxid: {wtxid})",
                tx.txid()
            );
            return;
        }
        let mut announcers = vec![id];
        announcers.extend(self.candidates(&txid_hash(&tx.txid())));
        announcers.extend(self.candidates(&as_hash(&wtxid)));
        let orphan = self.orphans.entry(wtxid).or_insert_with(|| {
            self.orphan_order.push_back(wtxid);
            self.orphan_weight += weight;
            Orphan { tx: tx.clone(), announcers: BTreeSet::new(), parents: unique_parents(tx) }
        });
        let fresh: Vec<PeerId> = announcers.into_iter().filter(|a| orphan.announcers.insert(*a)).collect();
        for announcer in fresh {
            for parent in missing {
                self.announced(announcer, TxName::txid(*parent), now);
            }
            debug!(
                Category::TxPackages,
                "added peer={announcer} as a candidate for resolving orphan {wtxid}"
            );
        }
        self.forget(&txid_hash(&tx.txid()));
        self.forget(&as_hash(&wtxid));
        while self.orphans.len() > MAX_ORPHANS || self.orphan_weight > MAX_ORPHANAGE_WEIGHT {
            // The peer with the most orphans loses its oldest.
            let mut counts: BTreeMap<PeerId, usize> = BTreeMap::new();
            for orphan in self.orphans.values() {
                orphan.announcers.iter().for_each(|a| *counts.entry(*a).or_default() += 1);
            }
            let worst = counts.iter().max_by_key(|(_, n)| **n).map(|(id, _)| *id);
            let oldest = self
                .orphan_order
                .iter()
                .find(|w| {
                    self.orphans.get(w).is_some_and(|o| worst.is_none_or(|p| o.announcers.contains(&p)))
                })
                .copied();
            match oldest {
                Some(oldest) => self.erase_orphan(&oldest),
                None => break,
            }
        }
    }

    pub(crate) fn erase_orphan(&mut self, wtxid: &Wtxid) {
        if let Some(orphan) = self.orphans.remove(wtxid) {
            self.orphan_weight -= orphan.tx.weight();
            self.orphan_order.retain(|w| w != wtxid);
            debug!(Category::TxPackages, "   removed orphan tx {} (wtxid={wtxid})", orphan.tx.txid());
        }
    }

    /// Orphans that spend from a transaction which came in get another chance.
    fn add_children_to_work(&mut self, tx: &Transaction) {
        let txid = tx.txid();
        for (wtxid, orphan) in &self.orphans {
            if orphan.parents.contains(&txid)
                && let Some(id) = orphan.announcers.first()
            {
                let list = self.work.entry(*id).or_default();
                if !list.contains(wtxid) {
                    list.push_back(*wtxid);
                }
                debug!(
                    Category::TxPackages,
                    "added {} (wtxid={wtxid}) to peer {id} workset",
                    orphan.tx.txid()
                );
            }
        }
    }

    pub(crate) fn next_orphan(&mut self, id: PeerId) -> Option<TxRef> {
        let list = self.work.get_mut(&id)?;
        while let Some(wtxid) = list.pop_front() {
            if let Some(orphan) = self.orphans.get(&wtxid) {
                return Some(orphan.tx.clone());
            }
        }
        None
    }

    pub(crate) fn has_work(&self, id: PeerId) -> bool {
        self.work.get(&id).is_some_and(|list| !list.is_empty())
    }

    pub(crate) fn orphans(&self) -> Vec<OrphanInfo> {
        self.orphan_order
            .iter()
            .filter_map(|w| self.orphans.get(w))
            .map(|o| OrphanInfo { tx: o.tx.clone(), announcers: o.announcers.iter().copied().collect() })
            .collect()
    }

    /// A child of the same peer that may pay for its refused parent; the newest one.
    pub(crate) fn one_parent_one_child(&self, parent: &TxRef, id: PeerId) -> Option<OneParentOneChild> {
        let txid = parent.txid();
        self.orphan_order.iter().rev().filter_map(|w| self.orphans.get(w)).find_map(|orphan| {
            let child = &orphan.tx;
            let package = grs_mempool::package_hash(&[parent.clone(), child.clone()]);
            let fits = orphan.announcers.contains(&id)
                && orphan.parents.contains(&txid)
                && !self.reconsiderable.contains(&package)
                && !self.rejects.contains(&txid_hash(&child.txid()));
            fits.then(|| OneParentOneChild { parent: parent.clone(), child: child.clone(), sender: id })
        })
    }

    // Verdicts.

    pub(crate) fn accepted(&mut self, tx: &Transaction) {
        self.forget(&txid_hash(&tx.txid()));
        self.forget(&as_hash(&tx.wtxid()));
        self.add_children_to_work(tx);
        self.erase_orphan(&tx.wtxid());
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
        if !self.orphans.is_empty() {
            let spent: HashSet<_> =
                block.txs.iter().flat_map(|t| t.inputs.iter().map(|i| i.prevout)).collect();
            let gone: Vec<Wtxid> = self
                .orphans
                .iter()
                .filter(|(_, o)| o.tx.inputs.iter().any(|i| spent.contains(&i.prevout)))
                .map(|(w, _)| *w)
                .collect();
            if !gone.is_empty() {
                debug!(
                    Category::TxPackages,
                    "Erased {} orphan transaction(s) included or conflicted by block",
                    gone.len()
                );
            }
            gone.iter().for_each(|w| self.erase_orphan(w));
        }
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
