//! Bloom filters of light clients (BIP37, BIP111): loading them, and serving blocks through them.

use grs_consensus::MerkleBlock;
use grs_log::{Category, debug};
use grs_primitives::{Block, TxRef};
use grs_wire::{BloomFilter, FilterLoad, Message, Services};

use crate::serve::without_witness;
use crate::{PeerId, PeerManager};

/// Bytes of an element that can be matched: more cannot stand in a script.
const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;

impl PeerManager {
    /// Whether a peer may send filter messages; one that may not is disconnected.
    pub(crate) fn accepts_filter_message(&self, id: PeerId, message_type: &str) -> bool {
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return false };
        if peer.our_services.has(Services::BLOOM) {
            return true;
        }
        debug!(
            Category::Net,
            "{message_type} received despite not offering bloom services, {}",
            peer.disconnect_text()
        );
        shared.disconnect(peer);
        false
    }

    pub(crate) fn on_filterload(&self, id: PeerId, message: FilterLoad) {
        let filter = BloomFilter::from(message);
        self.with_peer(id, |peer, _| {
            if !filter.is_within_size_constraints() {
                peer.misbehaving("too-large bloom filter");
            } else if let Some(relay) = &mut peer.tx_relay {
                relay.bloom = Some(filter);
                relay.relay = true;
            }
        });
    }

    pub(crate) fn on_filteradd(&self, id: PeerId, element: &[u8]) {
        self.with_peer(id, |peer, _| {
            let added = element.len() <= MAX_SCRIPT_ELEMENT_SIZE
                && peer.tx_relay.as_mut().is_none_or(|relay| match &mut relay.bloom {
                    Some(filter) => {
                        filter.insert(element);
                        true
                    }
                    None => false,
                });
            if !added {
                peer.misbehaving("bad filteradd message");
            }
        });
    }

    pub(crate) fn on_filterclear(&self, id: PeerId) {
        self.with_peer(id, |peer, _| {
            if let Some(relay) = &mut peer.tx_relay {
                relay.bloom = None;
                relay.relay = true;
            }
        });
    }

    /// A block through the peer's filter: a proof, then the transactions that match, so that the peer need not ask. Without
    /// a filter there is no answer.
    pub(crate) fn filtered_block(&self, id: PeerId, block: &Block) -> Vec<Message> {
        let mut guard = self.state.lock();
        let filter =
            guard.peer(id).and_then(|(peer, _)| peer.tx_relay.as_mut()).and_then(|r| r.bloom.as_mut());
        let Some(filter) = filter else { return Vec::new() };
        let matches: Vec<bool> = block.txs.iter().map(|tx| filter.is_relevant_and_update(tx)).collect();
        drop(guard);
        let mut next = matches.iter();
        let Some(proof) = MerkleBlock::new(block, |_| next.next().copied().unwrap_or(false)) else {
            return Vec::new();
        };
        let matched: Vec<&TxRef> =
            block.txs.iter().zip(&matches).filter_map(|(tx, matched)| matched.then_some(tx)).collect();
        let mut messages = vec![Message::MerkleBlock(Box::new(proof))];
        messages.extend(matched.into_iter().map(without_witness));
        messages
    }
}
