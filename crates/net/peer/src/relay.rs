//! Transactions: announcements from peers, their contents, orphans, packages of two.

use grs_hashes::Hash256;
use grs_log::{Category, debug, info};
use grs_mempool::{AcceptOptions, AcceptResult};
use grs_policy::FeeRate;
use grs_primitives::{Amount, TxRef, money_range};
use grs_wire::{Inventory, MSG_BLOCK, MSG_TX, MSG_WTX, Services};

use grs_consensus::{TxValidationError, TxValidationResult};
use grs_hashes::{Txid, Wtxid};

use crate::state::{Peer, State};
use crate::tx_download::{OneParentOneChild, TxName, unique_parents};
use crate::{OrphanInfo, PeerId, PeerManager, Permissions};

/// Entries of a `notfound` that are looked at.
const MAX_NOTFOUND: usize = 5016;

fn wtxid_hash(wtxid: &Wtxid) -> Hash256 {
    Hash256::from_bytes(wtxid.to_bytes())
}

fn txid_hash(txid: &Txid) -> Hash256 {
    Hash256::from_bytes(txid.to_bytes())
}

fn add_known(peer: &mut Peer, hash: Hash256) {
    if let Some(relay) = &mut peer.tx_relay {
        relay.known.insert(hash);
    }
}

impl PeerManager {
    /// In the mempool, waiting for parents, or known to be of no use. Takes the mempool's lock.
    fn in_mempool(&self, name: &TxName) -> bool {
        let pool = self.mempool.lock();
        if name.is_wtxid {
            pool.contains_wtxid(&Wtxid::from_bytes(name.hash.to_bytes()))
        } else {
            pool.contains(&Txid::from_bytes(name.hash.to_bytes()))
        }
    }

    pub(crate) fn on_inv(&self, id: PeerId, list: Vec<Inventory>) {
        let (index, now) = (self.index(), self.now());
        let initial = self.chain.is_initial_block_download();
        let mut best_block = None;
        // The mempool's lock comes before ours.
        let in_mempool: Vec<bool> = if initial {
            Vec::new()
        } else {
            let pool = self.mempool.lock();
            list.iter()
                .map(|inv| match inv.kind {
                    MSG_WTX => pool.contains_wtxid(&Wtxid::from_bytes(inv.hash.to_bytes())),
                    _ if inv.is_transaction() => pool.contains(&Txid::from_bytes(inv.hash.to_bytes())),
                    _ => false,
                })
                .collect()
        };
        let missing_parents = self.missing_parents_of_orphans(&list);
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        let Some(peer) = peers.get_mut(&id) else { return };
        let reject_txs = self.rejects_incoming_txs(peer);
        for (n, inv) in list.iter().enumerate() {
            // Announcements by the other kind of id than agreed are ignored.
            if inv.kind == if peer.wtxid_relay { MSG_TX } else { MSG_WTX } {
                continue;
            }
            if inv.kind == MSG_BLOCK {
                let hash = inv.block_hash();
                let known = index.lookup(&hash);
                debug!(
                    Category::Net,
                    "got inv: {inv}  {} peer={id}",
                    if known.is_some() { "have" } else { "new" }
                );
                self.update_availability(peer, &hash);
                if known.is_none() && !self.chain.store().loading_blocks() {
                    best_block = Some(hash);
                }
            } else if inv.is_transaction() {
                if reject_txs {
                    debug!(
                        Category::Net,
                        "transaction ({}) inv sent in violation of protocol, {}",
                        inv.hash,
                        peer.disconnect_text()
                    );
                    return shared.disconnect(peer);
                }
                add_known(peer, inv.hash);
                if initial {
                    continue;
                }
                let name = TxName { hash: inv.hash, is_wtxid: inv.kind == MSG_WTX };
                let parents = missing_parents.iter().find(|(hash, _)| *hash == inv.hash);
                let have = in_mempool.get(n).copied().unwrap_or(false) || shared.tx.knows(&inv.hash, true);
                if let Some((_, parents)) = parents {
                    let wtxid = Wtxid::from_bytes(inv.hash.to_bytes());
                    // Without a missing parent it is about to be tried again.
                    if !parents.is_empty() && shared.tx.add_resolution_candidate(id, &wtxid, parents, now) {
                        shared.tx.orphanage.add_announcer(&wtxid, id);
                    }
                } else if !have {
                    shared.tx.announced(id, name, now);
                }
                debug!(Category::Net, "got inv: {inv}  {} peer={id}", if have { "have" } else { "new" });
            } else {
                debug!(Category::Net, "Unknown inv type \"{inv}\" received from peer={id}");
            }
        }
        let Some(hash) = best_block else { return };
        if peer.sync_started || (!peer.inv_triggered_getheaders && shared.last_inv_block != Some(hash)) {
            if let Some(best) = self.chain.best_header()
                && shared.maybe_send_getheaders(peer, index.locator(best), now)
            {
                debug!(Category::Net, "getheaders ({}) {hash} to peer={id}", index.height(best));
            }
            if !peer.sync_started {
                peer.inv_triggered_getheaders = true;
                shared.last_inv_block = Some(hash);
            }
        }
    }

    /// For announced transactions that wait for parents: the parents that are still missing.
    fn missing_parents_of_orphans(&self, list: &[Inventory]) -> Vec<(Hash256, Vec<Txid>)> {
        let orphans: Vec<TxRef> = {
            let state = self.state.lock();
            let wtxid = |inv: &Inventory| Wtxid::from_bytes(inv.hash.to_bytes());
            list.iter()
                .filter(|inv| inv.kind == MSG_WTX)
                .filter_map(|inv| state.shared.tx.orphanage.get(&wtxid(inv)).cloned())
                .collect()
        };
        orphans.iter().map(|tx| (wtxid_hash(&tx.wtxid()), self.missing_parents(tx))).collect()
    }

    /// Parents that are neither in the mempool nor known otherwise.
    fn missing_parents(&self, tx: &TxRef) -> Vec<Txid> {
        let mut parents = unique_parents(tx);
        parents.retain(|txid| !self.in_mempool(&TxName::txid(*txid)));
        let state = self.state.lock();
        parents.retain(|txid| !state.shared.tx.knows(&txid_hash(txid), false));
        parents
    }

    /// Whether a `tx` message is looked at; a peer that must not send one is disconnected.
    pub(crate) fn accepts_tx_message(&self, id: PeerId) -> bool {
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return false };
        if self.rejects_incoming_txs(peer) {
            debug!(Category::Net, "transaction sent in violation of protocol, {}", peer.disconnect_text());
            shared.disconnect(peer);
            return false;
        }
        !self.chain.is_initial_block_download()
    }

    pub(crate) fn on_tx(&self, id: PeerId, tx: TxRef) {
        let (txid, wtxid) = (tx.txid(), tx.wtxid());
        let name = TxName { hash: wtxid_hash(&wtxid), is_wtxid: true };
        let in_pool = self.in_mempool(&name);
        let txid_in_pool = in_pool || self.in_mempool(&TxName::txid(txid));
        let (have, force_relay, package) = {
            let mut guard = self.state.lock();
            let Some((peer, shared)) = guard.peer(id) else { return };
            let force_relay = peer.has(Permissions::FORCE_RELAY);
            add_known(peer, if peer.wtxid_relay { name.hash } else { txid_hash(&txid) });
            shared.tx.responded(id, &txid_hash(&txid));
            if tx.has_witness() {
                shared.tx.responded(id, &name.hash);
            }
            let have = in_pool || shared.tx.knows(&name.hash, false);
            let reconsiderable = shared.tx.is_reconsiderable(&name.hash);
            // A low-fee parent that came again may have a child by now.
            let package =
                if !have && reconsiderable { shared.tx.one_parent_one_child(&tx, id) } else { None };
            (have || reconsiderable, force_relay, package)
        };
        if have {
            if force_relay {
                if txid_in_pool {
                    info!("Force relaying tx {txid} (wtxid={wtxid}) from peer={id}");
                    self.relay_transaction(&txid, &wtxid);
                } else {
                    info!(
                        "Not relaying non-mempool transaction {txid} (wtxid={wtxid}) from forcerelay peer={id}"
                    );
                }
            }
            if let Some(package) = package {
                self.process_package(&package);
            }
            return;
        }
        let result = self.accept(&tx);
        match &result {
            AcceptResult::Valid { .. } => {
                self.process_valid(id, &tx);
                let now = self.now();
                self.with_peer(id, |peer, _| peer.last_tx_time = now);
            }
            AcceptResult::Invalid { error, .. } => {
                if let Some(package) = self.process_invalid(id, &tx, error, true) {
                    self.process_package(&package);
                }
            }
            _ => {}
        }
    }

    fn accept(&self, tx: &TxRef) -> AcceptResult {
        let mut chain = self.chain.lock();
        self.mempool.accept(&mut chain, tx, AcceptOptions::single(self.now_secs()))
    }

    fn process_valid(&self, id: PeerId, tx: &TxRef) {
        let stats = self.mempool.lock().stats();
        {
            let mut guard = self.state.lock();
            let shared = &mut guard.shared;
            shared.tx.accepted(tx, &mut shared.rng);
        }
        debug!(
            Category::Mempool,
            "AcceptToMemoryPool: peer={id}: accepted {} (wtxid={}) (poolsz {} txn, {} kB)",
            tx.txid(),
            tx.wtxid(),
            stats.count,
            stats.usage / 1000
        );
        self.relay_transaction(&tx.txid(), &tx.wtxid());
    }

    /// Remembers a refused transaction; perhaps there is a child that pays for it.
    fn process_invalid(
        &self,
        id: PeerId,
        tx: &TxRef,
        error: &TxValidationError,
        first_time: bool,
    ) -> Option<OneParentOneChild> {
        let (txid, wtxid) = (tx.txid(), tx.wtxid());
        debug!(Category::MempoolRej, "{txid} (wtxid={wtxid}) from peer={id} was not accepted: {error}");
        let missing = if error.result == TxValidationResult::MissingInputs && first_time {
            self.missing_parents(tx)
        } else {
            Vec::new()
        };
        let parents = unique_parents(tx);
        let in_pool: Vec<bool> = parents.iter().map(|p| self.in_mempool(&TxName::txid(*p))).collect();
        let now = self.now();
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        match error.result {
            TxValidationResult::MissingInputs => {
                if !first_time || shared.tx.rejects(&wtxid_hash(&wtxid)) {
                    return None;
                }
                let rejected = parents.iter().any(|p| shared.tx.rejects(&txid_hash(p)));
                let reconsiderable = parents
                    .iter()
                    .zip(in_pool)
                    .filter(|(p, in_pool)| !in_pool && shared.tx.is_reconsiderable(&txid_hash(p)))
                    .count();
                if rejected || reconsiderable > 1 {
                    debug!(
                        Category::Mempool,
                        "not keeping orphan with rejected parents {txid} (wtxid={wtxid})"
                    );
                    shared.tx.reject(txid_hash(&txid));
                    shared.tx.reject(wtxid_hash(&wtxid));
                } else {
                    shared.tx.add_orphan(tx, id, &missing, now);
                    if let Some(peer) = peers.get_mut(&id) {
                        parents.iter().for_each(|p| add_known(peer, txid_hash(p)));
                    }
                }
                return None;
            }
            // Another witness may be valid: neither id says anything.
            TxValidationResult::WitnessStripped => {}
            TxValidationResult::Reconsiderable => {
                shared.tx.reject_reconsiderable(wtxid_hash(&wtxid));
                if first_time {
                    debug!(
                        Category::TxPackages,
                        "tx {txid} (wtxid={wtxid}) failed but reconsiderable, looking for child in orphanage"
                    );
                    return shared.tx.one_parent_one_child(tx, id);
                }
            }
            result => {
                shared.tx.reject(wtxid_hash(&wtxid));
                if result == TxValidationResult::InputsNotStandard && tx.has_witness() {
                    shared.tx.reject(txid_hash(&txid));
                }
            }
        }
        shared.tx.erase_orphan(tx);
        None
    }

    fn process_package(&self, package: &OneParentOneChild) {
        let txs = [package.parent.clone(), package.child.clone()];
        let result = {
            let mut chain = self.chain.lock();
            self.mempool.accept_package(&mut chain, &txs, AcceptOptions::single(self.now_secs()))
        };
        debug!(
            Category::TxPackages,
            "package evaluation for parent {} (wtxid={}, sender={}) + child {} (wtxid={}, sender={}): {}",
            txs[0].txid(),
            txs[0].wtxid(),
            package.sender,
            txs[1].txid(),
            txs[1].wtxid(),
            package.sender,
            if result.error.is_none() { "package accepted" } else { "package rejected" }
        );
        if result.error.is_some() {
            let hash = grs_mempool::package_hash(&txs);
            self.state.lock().shared.tx.reject_reconsiderable(hash);
        }
        for tx in txs.iter().rev() {
            match result.results.get(&tx.wtxid()) {
                Some(AcceptResult::Valid { .. }) => self.process_valid(package.sender, tx),
                Some(AcceptResult::Invalid { error, .. }) => {
                    self.process_invalid(package.sender, tx, error, false);
                }
                _ => {}
            }
        }
    }

    /// Tries one orphan whose parent came in; true if there was one with a verdict.
    pub(crate) fn process_orphan(&self, id: PeerId) -> bool {
        loop {
            let Some(tx) = self.state.lock().shared.tx.orphanage.next_to_reconsider(id) else { return false };
            let (txid, wtxid) = (tx.txid(), tx.wtxid());
            match self.accept(&tx) {
                AcceptResult::Valid { .. } => {
                    debug!(Category::TxPackages, "   accepted orphan tx {txid} (wtxid={wtxid})");
                    self.process_valid(id, &tx);
                    return true;
                }
                AcceptResult::Invalid { error, .. } if error.result != TxValidationResult::MissingInputs => {
                    debug!(
                        Category::TxPackages,
                        "   invalid orphan tx {txid} (wtxid={wtxid}) from peer={id}. {error}"
                    );
                    self.process_invalid(id, &tx, &error, false);
                    return true;
                }
                _ => {}
            }
        }
    }

    pub(crate) fn on_notfound(&self, id: PeerId, list: &[Inventory]) {
        if list.len() <= MAX_NOTFOUND {
            self.with_peer(id, |_, shared| {
                list.iter().filter(|i| i.is_transaction()).for_each(|i| shared.tx.responded(id, &i.hash));
            });
        }
    }

    pub(crate) fn on_mempool(&self, id: PeerId) {
        let full = self.upload_limit[1].load(std::sync::atomic::Ordering::Relaxed);
        self.with_peer(id, |peer, shared| {
            let permitted = peer.has(Permissions::MEMPOOL);
            let refused = if !peer.our_services.has(Services::BLOOM) && !permitted {
                "mempool request with bloom filters disabled"
            } else if full && !permitted {
                "mempool request with bandwidth limit reached"
            } else {
                if let Some(relay) = &mut peer.tx_relay {
                    relay.send_mempool = true;
                }
                return;
            };
            if !peer.has(Permissions::NO_BAN) {
                debug!(Category::Net, "{refused}, {}", peer.disconnect_text());
                shared.disconnect(peer);
            }
        });
    }

    pub(crate) fn on_feefilter(&self, id: PeerId, rate: i64) {
        if !money_range(Amount(rate)) {
            return;
        }
        self.with_peer(id, |peer, _| {
            if let Some(relay) = &mut peer.tx_relay {
                relay.fee_filter = rate;
            }
        });
        debug!(Category::Net, "received: feefilter of {} from peer={id}", FeeRate::per_kvb(rate));
    }

    /// Announces a transaction of the mempool to all peers that want it.
    pub fn relay_transaction(&self, txid: &Txid, wtxid: &Wtxid) {
        let mut state = self.state.lock();
        for peer in state.peers.values_mut() {
            let hash = if peer.wtxid_relay { wtxid_hash(wtxid) } else { txid_hash(txid) };
            // Not before the handshake is over: the time of arrival would show.
            if let Some(relay) = peer.tx_relay.as_mut().filter(|r| r.next_send.is_some())
                && !relay.known.contains(&hash)
            {
                relay.to_send.insert(*wtxid);
            }
        }
        drop(state);
        self.wake();
    }

    /// Transactions that wait for their parents.
    pub fn orphans(&self) -> Vec<OrphanInfo> {
        self.state.lock().shared.tx.orphanage.list()
    }
}
