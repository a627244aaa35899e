//! Headers from peers.

use grs_blockstore::{BlockId, BlockStatus};
use grs_consensus::{
    BlockValidationError, BlockValidationResult, claimed_headers_work, has_valid_proof_of_work,
};
use grs_hashes::BlockHash;
use grs_log::{Category, debug, info, warn};
use grs_primitives::HashedHeader;
use grs_uint::{U256, block_work};
use grs_wire::CompactBlock;

use crate::headers_sync::{HeadersSync, Phase};
use crate::options::MAX_OUTBOUND_TO_PROTECT;
use crate::state::{Peer, Shared};
use crate::{ConnectionType, PeerId, PeerManager, Permissions};

impl PeerManager {
    /// Least work of a chain whose headers are kept. Reference: `GetAntiDoSWorkThreshold`.
    pub(crate) fn anti_dos_work(&self) -> U256 {
        let index = self.index();
        let near_tip = self.view().tip().map_or(U256::ZERO, |tip| {
            let work = index.work(tip);
            work - (block_work(index.bits(tip)) * 144).min(work)
        });
        near_tip.max(self.chain.minimum_chain_work())
    }

    fn is_ancestor_of_best(&self, id: BlockId) -> bool {
        let index = self.index();
        self.chain.best_header().is_some_and(|best| index.ancestor(best, index.height(id)) == Some(id))
            || self.view().contains(id)
    }

    /// Processes headers that a peer sent, or one that came with a compact block.
    pub(crate) fn on_headers(&self, id: PeerId, mut headers: Vec<HashedHeader>, via_compact: bool) {
        let now = self.now();
        let count = headers.len();
        let full = count == self.options.max_headers_result;
        if count == 0 {
            self.with_peer(id, |peer, shared| {
                if peer.headers_sync.take().is_some() {
                    shared.presync.remove(&id);
                }
                peer.last_getheaders = None;
            });
            return;
        }
        if !has_valid_proof_of_work(&headers, &self.options.params.consensus) {
            return self.with_peer(id, |peer, _| peer.misbehaving("header with invalid proof of work"));
        }
        if !headers.windows(2).all(|pair| pair[1].prev == pair[0].hash()) {
            return self.with_peer(id, |peer, _| peer.misbehaving("non-continuous headers sequence"));
        }
        let index = self.index();
        let mut validated_work;
        let have_headers_sync;
        let last_known;
        {
            let mut guard = self.state.lock();
            let Some((peer, shared)) = guard.peer(id) else { return };
            validated_work = self.continue_low_work_sync(peer, shared, &mut headers);
            if headers.is_empty() {
                return;
            }
            have_headers_sync = peer.headers_sync.is_some();
            let Some(start) = index.lookup(&headers[0].prev) else {
                return self.handle_unconnecting(peer, shared, &headers);
            };
            peer.last_getheaders = None;
            last_known = headers.last().and_then(|h| index.lookup(&h.hash()));
            validated_work = validated_work
                || last_known.is_some_and(|last| self.is_ancestor_of_best(last))
                || peer.has(Permissions::NO_BAN);
            if !validated_work && self.try_low_work_sync(peer, shared, start, &mut headers, full) {
                return;
            }
        }
        // Validation takes the chain's lock, which comes before ours.
        let last = match self.chain.process_new_headers(&headers, true) {
            Ok(Some(last)) => last,
            Ok(None) => return,
            Err(error) => {
                let mut guard = self.state.lock();
                let Some((peer, _)) = guard.peer(id) else { return };
                if !peer.is_inbound() && error.result == BlockValidationResult::CachedInvalid {
                    warn!(
                        "{} (received from peer={id}). If this happens with all peers, consider database corruption \
                         (that -reindex may fix) or a potential consensus incompatibility.",
                        error.debug_message
                    );
                }
                punish_for_block(peer, &error, via_compact, "invalid header received");
                return;
            }
        };
        let received_new = last_known.is_none();
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        if received_new {
            let text = format!(
                "Saw new {}header hash={} height={} peer={id}{}",
                if via_compact { "cmpctblock " } else { "" },
                index.hash(last),
                index.height(last),
                peer.log_ip()
            );
            if self.chain.is_initial_block_download() {
                debug!(Category::Validation, "{text}");
            } else {
                info!("{text}");
            }
        }
        if full && !have_headers_sync && shared.maybe_send_getheaders(peer, index.locator(last), now) {
            debug!(
                Category::Net,
                "more getheaders ({}) to end to peer={id} (startheight:{})",
                index.height(last),
                peer.starting_height
            );
        }
        self.update_for_headers(peer, shared, last, received_new, full);
        drop(guard);
        self.direct_fetch(id, last);
    }

    /// Headers whose parent is not known may be a block announcement: ask for what is between.
    fn handle_unconnecting(&self, peer: &mut Peer, shared: &mut Shared, headers: &[HashedHeader]) {
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return };
        let index = self.index();
        if let Some(best) = self.chain.best_header()
            && shared.maybe_send_getheaders(peer, index.locator(best), self.now())
        {
            debug!(
                Category::Net,
                "received header {}: missing prev block {}, sending getheaders ({}) to end (peer={})",
                first.hash(),
                first.prev,
                index.height(best),
                peer.id()
            );
        }
        self.update_availability(peer, &last.hash());
    }

    fn continue_low_work_sync(
        &self,
        peer: &mut Peer,
        shared: &mut Shared,
        headers: &mut Vec<HashedHeader>,
    ) -> bool {
        let Some(mut sync) = peer.headers_sync.take() else { return false };
        let id = peer.id();
        let result = sync.process(headers, headers.len() == self.options.max_headers_result);
        if result.success {
            peer.last_getheaders = None;
        }
        if result.request_more {
            let locator = sync.next_locator();
            let from = locator.hashes.first().copied().unwrap_or_default();
            shared.maybe_send_getheaders(peer, locator, self.now());
            debug!(Category::Net, "more getheaders (from {from}) to peer={id}");
        }
        if sync.phase() == Phase::Final {
            shared.presync.remove(&id);
        } else {
            let progress =
                (sync.phase() == Phase::Presync).then(|| (sync.presync_height(), sync.presync_time()));
            shared.presync.insert(id, (sync.presync_work(), progress));
            peer.headers_sync = Some(sync);
        }
        if result.success {
            *headers = result.ready;
        }
        result.success
    }

    /// Looks through headers of a chain with little work so far; true if they are dealt with.
    fn try_low_work_sync(
        &self,
        peer: &mut Peer,
        shared: &mut Shared,
        start: BlockId,
        headers: &mut Vec<HashedHeader>,
        full: bool,
    ) -> bool {
        let index = self.index();
        let threshold = self.anti_dos_work();
        let total = index.work(start).checked_add(claimed_headers_work(headers)).unwrap_or(U256::MAX);
        if total >= threshold {
            return false;
        }
        if full {
            let params = self.options.params.headers_sync;
            let now = self.now_secs();
            peer.headers_sync =
                Some(HeadersSync::new(peer.id(), params, index, start, threshold, now, &mut shared.rng));
            self.continue_low_work_sync(peer, shared, headers);
        } else {
            debug!(
                Category::Net,
                "Ignoring low-work chain (height={}) from peer={}",
                index.height(start) as usize + headers.len(),
                peer.id()
            );
        }
        true
    }

    /// Tells how far the best presync is.
    pub(crate) fn report_presync(&self) {
        let best = {
            let state = self.state.lock();
            state.shared.presync.values().max().and_then(|(_, progress)| *progress)
        };
        if let Some((height, time)) = best {
            self.chain.report_headers_presync(height, i64::from(time));
        }
    }

    /// A peer told about a block; it is its best one if it has the most work.
    pub(crate) fn update_availability(&self, peer: &mut Peer, hash: &BlockHash) {
        self.process_availability(peer);
        match self.index().lookup(hash) {
            Some(id) => self.raise_best_known(peer, id),
            None => peer.last_unknown = Some(*hash),
        }
    }

    fn raise_best_known(&self, peer: &mut Peer, id: BlockId) {
        let index = self.index();
        if peer.best_known.is_none_or(|best| index.work(id) >= index.work(best)) {
            peer.best_known = Some(id);
        }
    }

    /// Looks whether a block that was not known when the peer told about it is known now.
    pub(crate) fn process_availability(&self, peer: &mut Peer) {
        if let Some(id) = peer.last_unknown.and_then(|hash| self.index().lookup(&hash)) {
            self.raise_best_known(peer, id);
            peer.last_unknown = None;
        }
    }

    fn update_for_headers(
        &self,
        peer: &mut Peer,
        shared: &mut Shared,
        last: BlockId,
        received_new: bool,
        may_have_more: bool,
    ) {
        let index = self.index();
        let tip_work = self.view().tip().map_or(U256::ZERO, |tip| index.work(tip));
        self.update_availability(peer, &index.hash(last));
        if received_new && index.work(last) > tip_work {
            peer.last_block_announcement = self.now_secs();
        }
        let best_work = peer.best_known.map(|best| index.work(best));
        if self.chain.is_initial_block_download()
            && !may_have_more
            && best_work.is_some_and(|work| work < self.chain.minimum_chain_work())
            && peer.kind().is_outbound_or_block_relay()
        {
            info!("outbound peer headers chain has insufficient work, {}", peer.disconnect_text());
            shared.disconnect(peer);
        }
        if !peer.disconnect
            && peer.kind() == ConnectionType::OutboundFullRelay
            && shared.protected_outbound < MAX_OUTBOUND_TO_PROTECT
            && best_work.is_some_and(|work| work >= tip_work)
            && !peer.chain_sync.protect
        {
            debug!(Category::Net, "Protecting outbound peer={} from eviction", peer.id());
            peer.chain_sync.protect = true;
            shared.protected_outbound += 1;
        }
    }

    /// A compact block: its header counts, the block itself is asked for in full.
    pub(crate) fn on_compact_block(&self, id: PeerId, block: CompactBlock) {
        let index = self.index();
        let hash = block.header.hash();
        let Some(parent) = index.lookup(&block.header.prev) else {
            if !self.chain.is_initial_block_download() {
                self.with_peer(id, |peer, shared| {
                    if let Some(best) = self.chain.best_header() {
                        shared.maybe_send_getheaders(peer, index.locator(best), self.now());
                    }
                });
            }
            return;
        };
        let work = index.work(parent).checked_add(block_work(block.header.bits)).unwrap_or(U256::MAX);
        if work < self.anti_dos_work() {
            debug!(Category::Net, "Ignoring low-work compact block from peer {id}");
            return;
        }
        if index.lookup(&hash).is_some_and(|b| index.status(b).contains(BlockStatus::HAVE_DATA)) {
            return self.with_peer(id, |peer, _| self.update_availability(peer, &hash));
        }
        self.on_headers(id, vec![block.header], true);
    }
}

/// Consequences of an invalid block or header for its sender. Reference: `MaybePunishNodeForBlock`.
pub(crate) fn punish_for_block(
    peer: &mut Peer,
    error: &BlockValidationError,
    via_compact: bool,
    message: &str,
) {
    let punish = match error.result {
        BlockValidationResult::HeaderLowWork | BlockValidationResult::TimeFuture => false,
        BlockValidationResult::Consensus | BlockValidationResult::Mutated => !via_compact,
        BlockValidationResult::CachedInvalid => !via_compact && !peer.is_inbound(),
        BlockValidationResult::InvalidHeader
        | BlockValidationResult::InvalidPrev
        | BlockValidationResult::MissingPrev => true,
    };
    if punish {
        peer.misbehaving(message);
    } else if !message.is_empty() {
        debug!(Category::Net, "peer={}: {message}", peer.id());
    }
}
