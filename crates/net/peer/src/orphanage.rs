//! Transactions that wait for their parents, with bounds that no peer can use against another.
//!
//! Every announcement (a transaction and a peer that has it) is counted for its peer: its weight, and a latency score of
//! one and a tenth of its inputs. Only when all of them together exceed the bounds is something thrown away: the oldest
//! announcements of the peer that exceeds its own share the most, those first that are not about to be tried again. A
//! transaction stays as long as one announcer is left. Reference: `node/txorphanage.cpp`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use grs_addrman::Rng;
use grs_hashes::{Txid, Wtxid};
use grs_log::{Category, debug};
use grs_primitives::{Block, OutPoint, Transaction, TxRef};

use crate::{OrphanInfo, PeerId};

/// Weight of a transaction above which it is not kept; the bound of standard transactions.
const MAX_STANDARD_TX_WEIGHT: u64 = 400_000;

/// The bounds of an orphanage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrphanageLimits {
    /// Latency score of all transactions together.
    pub(crate) latency_score: u64,
    /// Weight that each peer may use; the bound for all is this times the number of peers with orphans.
    pub(crate) weight_per_peer: u64,
}

impl Default for OrphanageLimits {
    fn default() -> Self {
        OrphanageLimits { latency_score: 3_000, weight_per_peer: 404_000 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Announcement {
    sequence: u64,
    reconsider: bool,
}

#[derive(Debug)]
struct Orphan {
    tx: TxRef,
    weight: u64,
    announcers: BTreeMap<PeerId, Announcement>,
}

impl Orphan {
    /// What the transaction adds to the time of a search, beside its announcements.
    fn input_score(&self) -> u64 {
        self.tx.inputs.len() as u64 / 10
    }
}

/// What one peer uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    weight: u64,
    announcements: u64,
    latency_score: u64,
}

/// A ratio of use to allowance, greatest first in a heap; among equal ones the smaller allowance, then the higher peer.
#[derive(Clone, Copy, Debug)]
struct DosScore {
    used: u64,
    allowed: u64,
}

impl DosScore {
    const FULL: DosScore = DosScore { used: 1, allowed: 1 };

    fn ratio(&self, other: &DosScore) -> Ordering {
        let left = u128::from(self.used) * u128::from(other.allowed);
        left.cmp(&(u128::from(other.used) * u128::from(self.allowed)))
    }
}

impl Ord for DosScore {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ratio(other).then(other.allowed.cmp(&self.allowed))
    }
}

impl PartialOrd for DosScore {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for DosScore {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for DosScore {}

/// All transactions that wait for parents.
#[derive(Debug, Default)]
pub(crate) struct Orphanage {
    limits: OrphanageLimits,
    /// By wtxid, as several transactions may share a txid.
    orphans: BTreeMap<Wtxid, Orphan>,
    /// Announcements of each peer: those to be tried again last, and the oldest first.
    by_peer: BTreeMap<PeerId, BTreeMap<(bool, u64), Wtxid>>,
    usage: BTreeMap<PeerId, Usage>,
    spenders: HashMap<OutPoint, BTreeSet<Wtxid>>,
    /// Transactions one announcement of which is to be tried again.
    reconsiderable: BTreeSet<Wtxid>,
    announcements: u64,
    weight: u64,
    input_score: u64,
    sequence: u64,
}

impl Orphanage {
    #[cfg(test)]
    pub(crate) fn with_limits(limits: OrphanageLimits) -> Orphanage {
        Orphanage { limits, ..Orphanage::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.orphans.is_empty()
    }

    /// The transaction with this wtxid.
    pub(crate) fn get(&self, wtxid: &Wtxid) -> Option<&TxRef> {
        self.orphans.get(wtxid).map(|orphan| &orphan.tx)
    }

    pub(crate) fn contains(&self, wtxid: &Wtxid) -> bool {
        self.orphans.contains_key(wtxid)
    }

    pub(crate) fn has_from_peer(&self, wtxid: &Wtxid, id: PeerId) -> bool {
        self.orphans.get(wtxid).is_some_and(|orphan| orphan.announcers.contains_key(&id))
    }

    /// Keeps a transaction that a peer has; true if it is new.
    pub(crate) fn add(&mut self, tx: &TxRef, id: PeerId) -> bool {
        let (txid, wtxid, weight) = (tx.txid(), tx.wtxid(), tx.weight() as u64);
        if weight > MAX_STANDARD_TX_WEIGHT {
            debug!(
                Category::TxPackages,
                "ignoring large orphan tx (size: {weight}, txid: {txid}, wtxid: {wtxid})"
            );
            return false;
        }
        let brand_new = !self.contains(&wtxid);
        if brand_new {
            let orphan = Orphan { tx: tx.clone(), weight, announcers: BTreeMap::new() };
            self.weight += weight;
            self.input_score += orphan.input_score();
            for input in &tx.inputs {
                self.spenders.entry(input.prevout).or_default().insert(wtxid);
            }
            self.orphans.insert(wtxid, orphan);
        }
        if self.announce(&wtxid, id) {
            if brand_new {
                debug!(
                    Category::TxPackages,
                    "stored orphan tx {txid} (wtxid={wtxid}), weight: {weight} (mapsz {} outsz {})",
                    self.announcements,
                    self.spenders.len()
                );
            } else {
                debug!(
                    Category::TxPackages,
                    "added peer={id} as announcer of orphan tx {txid} (wtxid={wtxid})"
                );
            }
            self.trim();
        }
        brand_new
    }

    /// Notes that another peer has a transaction that waits; false if it does not wait or the peer is known for it.
    pub(crate) fn add_announcer(&mut self, wtxid: &Wtxid, id: PeerId) -> bool {
        let Some(txid) = self.get(wtxid).map(|tx| tx.txid()) else { return false };
        let added = self.announce(wtxid, id);
        if added {
            debug!(Category::TxPackages, "added peer={id} as announcer of orphan tx {txid} (wtxid={wtxid})");
            self.trim();
        }
        added
    }

    fn announce(&mut self, wtxid: &Wtxid, id: PeerId) -> bool {
        let Some(orphan) = self.orphans.get_mut(wtxid) else { return false };
        if orphan.announcers.contains_key(&id) {
            return false;
        }
        let sequence = self.sequence;
        self.sequence += 1;
        orphan.announcers.insert(id, Announcement { sequence, reconsider: false });
        self.by_peer.entry(id).or_default().insert((false, sequence), *wtxid);
        let usage = self.usage.entry(id).or_default();
        usage.weight += orphan.weight;
        usage.announcements += 1;
        usage.latency_score += 1 + orphan.input_score();
        self.announcements += 1;
        true
    }

    /// Takes one announcement away, and the transaction with the last one.
    fn retract(&mut self, wtxid: &Wtxid, id: PeerId) {
        let Some(orphan) = self.orphans.get_mut(wtxid) else { return };
        let Some(announcement) = orphan.announcers.remove(&id) else { return };
        self.announcements -= 1;
        if let Some(list) = self.by_peer.get_mut(&id) {
            list.remove(&(announcement.reconsider, announcement.sequence));
            if list.is_empty() {
                self.by_peer.remove(&id);
            }
        }
        if let Some(usage) = self.usage.get_mut(&id) {
            usage.weight -= orphan.weight;
            usage.announcements -= 1;
            usage.latency_score -= 1 + orphan.input_score();
            if usage.announcements == 0 {
                self.usage.remove(&id);
            }
        }
        if announcement.reconsider {
            self.reconsiderable.remove(wtxid);
        }
        if !orphan.announcers.is_empty() {
            return;
        }
        let Some(orphan) = self.orphans.remove(wtxid) else { return };
        self.weight -= orphan.weight;
        self.input_score -= orphan.input_score();
        for input in &orphan.tx.inputs {
            if let Some(list) = self.spenders.get_mut(&input.prevout) {
                list.remove(wtxid);
                if list.is_empty() {
                    self.spenders.remove(&input.prevout);
                }
            }
        }
    }

    fn erase_untrimmed(&mut self, wtxid: &Wtxid) -> bool {
        let Some(orphan) = self.orphans.get(wtxid) else { return false };
        let txid = orphan.tx.txid();
        let announcers: Vec<PeerId> = orphan.announcers.keys().copied().collect();
        announcers.iter().for_each(|id| self.retract(wtxid, *id));
        debug!(
            Category::TxPackages,
            "removed orphan tx {txid} (wtxid={wtxid}) ({} announcements)",
            announcers.len()
        );
        true
    }

    /// Drops a transaction whoever announced it; true if it was there.
    pub(crate) fn erase(&mut self, wtxid: &Wtxid) -> bool {
        let erased = self.erase_untrimmed(wtxid);
        // Fewer peers mean a lower bound for all.
        self.trim();
        erased
    }

    /// Drops what only this peer announced.
    pub(crate) fn erase_for_peer(&mut self, id: PeerId) {
        let Some(list) = self.by_peer.get(&id) else { return };
        let wtxids: Vec<Wtxid> = list.values().copied().collect();
        wtxids.iter().for_each(|wtxid| self.retract(wtxid, id));
        debug!(Category::TxPackages, "Erased {} orphan transaction(s) from peer={id}", wtxids.len());
        self.trim();
    }

    /// Drops what a block contains or makes invalid.
    pub(crate) fn erase_for_block(&mut self, block: &Block) {
        if self.is_empty() {
            return;
        }
        let gone: BTreeSet<Wtxid> = block
            .txs
            .iter()
            .flat_map(|tx| tx.inputs.iter())
            .filter_map(|input| self.spenders.get(&input.prevout))
            .flatten()
            .copied()
            .collect();
        gone.iter().for_each(|wtxid| {
            self.erase_untrimmed(wtxid);
        });
        if !gone.is_empty() {
            debug!(
                Category::TxPackages,
                "Erased {} orphan transaction(s) included or conflicted by block",
                gone.len()
            );
        }
        self.trim();
    }

    /// The children of a transaction that came in are to be tried again, each by one of its announcers, chosen at random
    /// so that no peer can reserve that for itself.
    pub(crate) fn add_children_to_work(&mut self, tx: &Transaction, rng: &mut Rng) {
        let txid = tx.txid();
        let children: Vec<Wtxid> = (0..tx.outputs.len() as u32)
            .filter_map(|vout| self.spenders.get(&OutPoint { txid, vout }))
            .flatten()
            .copied()
            .collect();
        for wtxid in children {
            let Some(orphan) = self.orphans.get_mut(&wtxid) else { continue };
            if !self.reconsiderable.insert(wtxid) {
                continue;
            }
            let chosen = rng.below(orphan.announcers.len() as u64) as usize;
            let Some((id, announcement)) = orphan.announcers.iter_mut().nth(chosen) else { continue };
            announcement.reconsider = true;
            if let Some(list) = self.by_peer.get_mut(id) {
                list.remove(&(false, announcement.sequence));
                list.insert((true, announcement.sequence), wtxid);
            }
            debug!(Category::TxPackages, "added {} (wtxid={wtxid}) to peer {id} workset", orphan.tx.txid());
        }
    }

    fn first_to_reconsider(&self, id: PeerId) -> Option<(u64, Wtxid)> {
        let (key, wtxid) = self.by_peer.get(&id)?.range((true, 0)..).next()?;
        Some((key.1, *wtxid))
    }

    pub(crate) fn has_work(&self, id: PeerId) -> bool {
        self.first_to_reconsider(id).is_some()
    }

    /// The next transaction that this peer's turn tries again. It stays here until there is a verdict.
    pub(crate) fn next_to_reconsider(&mut self, id: PeerId) -> Option<TxRef> {
        let (sequence, wtxid) = self.first_to_reconsider(id)?;
        self.reconsiderable.remove(&wtxid);
        let list = self.by_peer.get_mut(&id)?;
        list.remove(&(true, sequence));
        list.insert((false, sequence), wtxid);
        let orphan = self.orphans.get_mut(&wtxid)?;
        orphan.announcers.get_mut(&id)?.reconsider = false;
        Some(orphan.tx.clone())
    }

    /// Children of a transaction that this peer announced: those to be tried again first, then the newest first.
    pub(crate) fn children_from_peer(&self, parent: &Txid, id: PeerId) -> impl Iterator<Item = &TxRef> {
        self.by_peer
            .get(&id)
            .into_iter()
            .flat_map(|list| list.values().rev())
            .filter_map(|wtxid| self.get(wtxid))
            .filter(move |tx| tx.inputs.iter().any(|input| input.prevout.txid == *parent))
    }

    /// All of them, in the order of their wtxids.
    pub(crate) fn list(&self) -> Vec<OrphanInfo> {
        let info = |orphan: &Orphan| OrphanInfo {
            tx: orphan.tx.clone(),
            announcers: orphan.announcers.keys().copied().collect(),
        };
        self.orphans.values().map(info).collect()
    }

    fn peers(&self) -> u64 {
        self.usage.len().max(1) as u64
    }

    fn needs_trim(&self) -> bool {
        self.announcements + self.input_score > self.limits.latency_score
            || self.weight > self.limits.weight_per_peer * self.peers()
    }

    /// Throws announcements away until the bounds hold.
    fn trim(&mut self) {
        if !self.needs_trim() {
            return;
        }
        let orphans_before = self.orphans.len();
        let mut erased = 0;
        let weight_allowed = self.limits.weight_per_peer;
        let latency_allowed = (self.limits.latency_score / self.peers()).max(1);
        let score = move |usage: &Usage| {
            let latency = DosScore { used: usage.latency_score, allowed: latency_allowed };
            latency.max(DosScore { used: usage.weight, allowed: weight_allowed })
        };
        let mut worst_first: BinaryHeap<(DosScore, PeerId)> = self
            .usage
            .iter()
            .map(|(id, usage)| (score(usage), *id))
            .filter(|(score, _)| score.ratio(&DosScore::FULL) == Ordering::Greater)
            .collect();
        while let Some((_, worst)) = worst_first.pop() {
            let next = worst_first.peek().map_or(DosScore::FULL, |(score, _)| *score);
            let had = self.usage.get(&worst).map_or(0, |usage| usage.announcements);
            while self.needs_trim() {
                let oldest = self.by_peer.get(&worst).and_then(|list| list.values().next().copied());
                let Some(wtxid) = oldest else { break };
                self.retract(&wtxid, worst);
                erased += 1;
                if self.usage.get(&worst).is_none_or(|usage| score(usage) <= next) {
                    break;
                }
            }
            let has = self.usage.get(&worst).map_or(0, |usage| usage.announcements);
            debug!(
                Category::TxPackages,
                "peer={worst} orphanage overflow, removed {} of {had} announcements",
                had - has
            );
            if !self.needs_trim() {
                break;
            }
            if let Some(usage) = self.usage.get(&worst) {
                worst_first.push((score(usage), worst));
            }
        }
        debug!(
            Category::TxPackages,
            "orphanage overflow, removed {} tx ({erased} announcements)",
            orphans_before - self.orphans.len()
        );
    }
}

#[cfg(test)]
#[path = "tests/orphanage.rs"]
mod tests;
