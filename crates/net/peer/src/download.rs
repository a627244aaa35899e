//! Asking for blocks and taking them in.

use std::sync::Arc;

use grs_blockstore::{BlockId, BlockStatus};
use grs_chainstate::is_block_mutated;
use grs_log::{Category, debug};
use grs_params::BuriedDeployment;
use grs_primitives::Block;
use grs_uint::{U256, block_work};
use grs_wire::{Inventory, MSG_BLOCK, MSG_WITNESS_BLOCK, Message};

use crate::options::{MAX_BLOCKS_IN_TRANSIT, NETWORK_LIMITED_MIN_BLOCKS};
use crate::state::{Peer, State};
use crate::{PeerId, PeerManager};

pub(crate) fn block_kind(peer: &Peer) -> u32 {
    if peer.can_serve_witnesses() { MSG_WITNESS_BLOCK } else { MSG_BLOCK }
}

impl PeerManager {
    /// The tip is recent: blocks are asked for as soon as they are announced.
    pub(crate) fn can_direct_fetch(&self) -> bool {
        let spacing = self.options.params.consensus.pow_target_spacing;
        self.view()
            .tip()
            .is_some_and(|tip| i64::from(self.index().time(tip)) > self.now_secs() - spacing * 20)
    }

    pub(crate) fn segwit_active_at(&self, height: u32) -> bool {
        self.options.params.consensus.is_active_at(BuriedDeployment::Segwit, height as i32)
    }

    fn bulk(&self) -> bool {
        self.options.bulk_download && self.chain.is_initial_block_download()
    }

    /// Asks for the blocks up to a header that a peer sent, if the tip is recent and it would be an improvement.
    pub(crate) fn direct_fetch(&self, id: PeerId, last: BlockId) {
        let (index, view, now) = (self.index(), self.view(), self.now());
        let Some(tip) = view.tip() else { return };
        if !self.can_direct_fetch()
            || !index.status(last).is_valid(BlockStatus::VALID_TREE)
            || index.work(tip) > index.work(last)
        {
            return;
        }
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        let mut fetch = Vec::new();
        let mut walk = Some(last);
        while let Some(block) = walk.filter(|b| !view.contains(*b) && fetch.len() <= MAX_BLOCKS_IN_TRANSIT) {
            if !index.status(block).have_data()
                && shared.downloads.requester(block).is_none()
                && (!self.segwit_active_at(index.height(block)) || peer.can_serve_witnesses())
            {
                fetch.push(block);
            }
            walk = index.prev(block);
        }
        if walk.is_some_and(|b| !view.contains(b)) {
            debug!(
                Category::Net,
                "Large reorg, won't direct fetch to {} ({})",
                index.hash(last),
                index.height(last)
            );
            return;
        }
        let mut wanted = Vec::new();
        for block in fetch.into_iter().rev() {
            if peer.in_flight.len() >= MAX_BLOCKS_IN_TRANSIT {
                break;
            }
            wanted.push(Inventory::block(block_kind(peer), index.hash(block)));
            shared.downloads.request(peer, block, now);
            debug!(Category::Net, "Requesting block {} from  peer={id}", index.hash(block));
        }
        if wanted.len() > 1 {
            debug!(
                Category::Net,
                "Downloading blocks toward {} ({}) via headers direct fetch",
                index.hash(last),
                index.height(last)
            );
        }
        if !wanted.is_empty() {
            shared.send(peer, Message::GetData(wanted));
        }
    }

    pub(crate) fn on_block(&self, id: PeerId, block: Arc<Block>, size: usize) {
        let (index, hash) = (self.index(), block.hash());
        debug!(Category::Net, "received block {hash} peer={id}");
        let parent = index.lookup(&block.header.prev);
        let mutated =
            parent.is_some_and(|p| is_block_mutated(&block, self.segwit_active_at(index.height(p) + 1)));
        let known = index.lookup(&hash);
        let mut force = false;
        {
            let mut guard = self.state.lock();
            let State { peers, shared } = &mut *guard;
            if !peers.contains_key(&id) {
                return;
            }
            let now = self.now();
            if mutated {
                debug!(Category::Net, "Received mutated block from peer={id}");
                if let Some(peer) = peers.get_mut(&id) {
                    peer.misbehaving("mutated block");
                }
            }
            if let Some(known) = known {
                force = shared.downloads.requester(known).is_some();
                shared.downloads.remove(peers, known, Some(id), now);
            }
            if mutated {
                return;
            }
            if force {
                shared.downloads.received(size);
            }
            shared.block_sources.entry(hash).or_insert((id, true));
        }
        let enough_work = parent.is_some_and(|p| {
            let work = index.work(p).checked_add(block_work(block.header.bits)).unwrap_or(U256::MAX);
            work >= self.anti_dos_work()
        });
        // Validation, without our lock.
        let result = self.chain.process_new_block(block, force, enough_work);
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        if result.new_block {
            let now = self.now();
            if let Some(peer) = peers.get_mut(&id) {
                peer.last_block_time = now;
            }
            if let Some(known) = index.lookup(&hash) {
                shared.downloads.remove(peers, known, None, now);
            }
        } else {
            shared.block_sources.remove(&hash);
        }
    }

    /// Asks a peer for a block on behalf of the user (`getblockfrompeer`).
    ///
    /// # Errors
    /// The reason, as the user sees it.
    pub fn fetch_block(&self, id: PeerId, block: BlockId) -> Result<(), String> {
        if self.chain.store().loading_blocks() {
            return Err("Loading blocks ...".into());
        }
        let now = self.now();
        let hash = self.index().hash(block);
        {
            let mut guard = self.state.lock();
            let State { peers, shared } = &mut *guard;
            let peer = peers.get(&id).filter(|p| !p.disconnect).ok_or("Peer does not exist")?;
            if !peer.can_serve_witnesses() {
                return Err("Pre-SegWit peer".into());
            }
            if shared.downloads.requester(block) == Some(id) {
                return Err("Already requested from this peer".into());
            }
            shared.downloads.remove(peers, block, None, now);
            let peer = peers.get_mut(&id).ok_or("Peer does not exist")?;
            shared.downloads.request(peer, block, now);
            shared.send(peer, Message::GetData(vec![Inventory::block(MSG_WITNESS_BLOCK, hash)]));
        }
        debug!(Category::Net, "Requesting block {hash} from peer={id}");
        self.wake();
        Ok(())
    }

    /// Adds requests for blocks to `out`, if it is this peer's turn; see the reference's `SendMessages` and
    /// `FindNextBlocksToDownload`.
    pub(crate) fn request_blocks(
        &self,
        state: &mut State,
        id: PeerId,
        sync_from_peer: bool,
        out: &mut Vec<Inventory>,
    ) {
        let State { peers, shared } = state;
        let bulk = self.bulk();
        let budget = shared.downloads.per_peer(bulk);
        let Some(peer) = peers.get_mut(&id) else { return };
        let eligible = peer.can_serve_blocks()
            && ((sync_from_peer && !peer.is_limited()) || !self.chain.is_initial_block_download());
        // Looking for blocks costs a walk through the window: with a large budget, half of it at a time.
        let refill_at = if budget > MAX_BLOCKS_IN_TRANSIT { budget / 2 } else { budget };
        if !eligible || peer.in_flight.len() >= refill_at {
            return;
        }
        let count = budget - peer.in_flight.len();
        let window = shared.downloads.window(bulk);
        let (found, staller) = self.next_blocks(peer, |b| shared.downloads.requester(b), count, window);
        let (index, now) = (self.index(), self.now());
        for block in found {
            out.push(Inventory::block(block_kind(peer), index.hash(block)));
            shared.downloads.request(peer, block, now);
            debug!(
                Category::Net,
                "Requesting block {} ({}) peer={id}",
                index.hash(block),
                index.height(block)
            );
        }
        if peer.in_flight.is_empty()
            && let Some(staller) =
                staller.and_then(|s| peers.get_mut(&s)).filter(|p| p.stalling_since.is_none())
        {
            staller.stalling_since = Some(now);
            debug!(Category::Net, "Stall started peer={}", staller.id());
        }
    }

    fn next_blocks(
        &self,
        peer: &mut Peer,
        requester: impl Fn(BlockId) -> Option<PeerId>,
        count: usize,
        window: u32,
    ) -> (Vec<BlockId>, Option<PeerId>) {
        let (index, view) = (self.index(), self.view());
        let mut out = Vec::new();
        self.process_availability(peer);
        let (Some(best), Some(tip)) = (peer.best_known, view.tip()) else { return (out, None) };
        let work = index.work(best);
        if count == 0 || work < index.work(tip) || work < self.chain.minimum_chain_work() {
            return (out, None);
        }
        let Some(fork) = index.last_common_ancestor(best, tip) else { return (out, None) };
        let keep = peer.last_common.filter(|last| {
            index.work(fork) <= index.work(*last) && index.ancestor(best, index.height(*last)) == Some(*last)
        });
        let mut walk = keep.unwrap_or(fork);
        peer.last_common = Some(walk);
        if walk == best {
            return (out, None);
        }
        let window_end = index.height(walk) + window;
        let best_height = index.height(best);
        let max_height = best_height.min(window_end + 1);
        let limited = peer.is_limited();
        let mut waiting_for = None;
        while index.height(walk) < max_height {
            let from = index.height(walk);
            let batch = (max_height - from).min((count - out.len()).max(128) as u32);
            let Some(top) = index.ancestor(best, from + batch) else { break };
            walk = top;
            let mut list = vec![top];
            while list.len() < batch as usize
                && let Some(prev) = index.prev(list[list.len() - 1])
            {
                list.push(prev);
            }
            for block in list.into_iter().rev() {
                let status = index.status(block);
                let height = index.height(block);
                if !status.is_valid(BlockStatus::VALID_TREE)
                    || (!peer.can_serve_witnesses() && self.segwit_active_at(height))
                {
                    return (out, None);
                }
                if status.have_data() || view.contains(block) {
                    if index.chain_tx_count(block) != 0 {
                        peer.last_common = Some(block);
                    }
                    continue;
                }
                if let Some(owner) = requester(block) {
                    waiting_for.get_or_insert(owner);
                    continue;
                }
                if height > window_end {
                    let stalled = out.is_empty() && waiting_for != Some(peer.id());
                    return (out, waiting_for.filter(|_| stalled));
                }
                if limited && i64::from(best_height - height) >= NETWORK_LIMITED_MIN_BLOCKS - 2 {
                    continue;
                }
                out.push(block);
                if out.len() == count {
                    return (out, None);
                }
            }
        }
        (out, None)
    }
}
