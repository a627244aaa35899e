//! Which blocks are asked for from whom, and how many may be at once.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use grs_blockstore::BlockId;

use crate::PeerId;
use crate::options::{
    BLOCK_DOWNLOAD_WINDOW, BLOCK_STALLING_TIMEOUT, BULK_BYTES_IN_TRANSIT, BULK_WINDOW_BYTES,
    MAX_BLOCKS_IN_TRANSIT, MAX_BULK_IN_TRANSIT, MAX_BULK_WINDOW,
};
use crate::state::Peer;

/// Blocks in flight.
#[derive(Debug)]
pub(crate) struct Downloads {
    in_flight: HashMap<BlockId, PeerId>,
    /// Peers with at least one block in flight.
    pub(crate) peers: usize,
    pub(crate) stalling_timeout: Duration,
    /// Moving average of the size of received blocks. Starts so high that the reference's numbers result.
    average_size: f64,
}

impl Downloads {
    pub(crate) fn new() -> Downloads {
        Downloads {
            in_flight: HashMap::new(),
            peers: 0,
            stalling_timeout: BLOCK_STALLING_TIMEOUT,
            average_size: (BULK_BYTES_IN_TRANSIT / MAX_BLOCKS_IN_TRANSIT) as f64,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.in_flight.len()
    }

    pub(crate) fn requester(&self, id: BlockId) -> Option<PeerId> {
        self.in_flight.get(&id).copied()
    }

    /// Notes a received block's size.
    pub(crate) fn received(&mut self, size: usize) {
        // Growth counts at once, so that large blocks after small ones do not pile up.
        let size = size as f64;
        self.average_size =
            if size > self.average_size { size } else { 0.98 * self.average_size + 0.02 * size };
    }

    fn fitting(&self, bytes: usize) -> usize {
        (bytes as f64 / self.average_size.max(200.0)) as usize
    }

    /// How many blocks may be in flight from one peer.
    pub(crate) fn per_peer(&self, bulk: bool) -> usize {
        if bulk {
            self.fitting(BULK_BYTES_IN_TRANSIT).clamp(MAX_BLOCKS_IN_TRANSIT, MAX_BULK_IN_TRANSIT)
        } else {
            MAX_BLOCKS_IN_TRANSIT
        }
    }

    /// How far beyond the last block that all ancestors of are there.
    pub(crate) fn window(&self, bulk: bool) -> u32 {
        if bulk {
            (self.fitting(BULK_WINDOW_BYTES) as u32).clamp(BLOCK_DOWNLOAD_WINDOW, MAX_BULK_WINDOW)
        } else {
            BLOCK_DOWNLOAD_WINDOW
        }
    }

    /// Notes a request; false if this peer has it already. An older request to another peer is forgotten by
    /// [`Downloads::remove`] first.
    pub(crate) fn request(&mut self, peer: &mut Peer, block: BlockId, now: Duration) -> bool {
        if self.in_flight.contains_key(&block) {
            return false;
        }
        peer.in_flight.push_back(block);
        if peer.in_flight.len() == 1 {
            peer.downloading_since = now;
            self.peers += 1;
        }
        self.in_flight.insert(block, peer.id());
        true
    }

    /// Forgets a request, of `from` only if given.
    pub(crate) fn remove(
        &mut self,
        peers: &mut BTreeMap<PeerId, Peer>,
        block: BlockId,
        from: Option<PeerId>,
        now: Duration,
    ) {
        let Some(owner) = self.requester(block).filter(|owner| from.is_none_or(|from| from == *owner)) else {
            return;
        };
        self.in_flight.remove(&block);
        let Some(peer) = peers.get_mut(&owner) else { return };
        if let Some(at) = peer.in_flight.iter().position(|b| *b == block) {
            if at == 0 {
                peer.downloading_since = peer.downloading_since.max(now);
            }
            peer.in_flight.remove(at);
            if peer.in_flight.is_empty() {
                self.peers -= 1;
            }
        }
        peer.stalling_since = None;
    }

    /// Forgets all requests of a peer that is gone.
    pub(crate) fn forget_peer(&mut self, peer: &Peer) {
        peer.in_flight.iter().for_each(|block| {
            self.in_flight.remove(block);
        });
        self.peers -= usize::from(!peer.in_flight.is_empty());
    }
}
