//! Answering requests for blocks, headers and transactions.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use grs_blockstore::{BlockId, BlockStatus};
use grs_consensus::block_proof_equivalent_time;
use grs_log::{Category, debug, error};
use grs_primitives::{Block, TxRef};
use grs_wire::{
    BlockTransactions, BlockTransactionsRequest, CompactBlock, GetBlocks, Inventory, MAX_LOCATOR_SIZE,
    MSG_BLOCK, MSG_CMPCT_BLOCK, MSG_FILTERED_BLOCK, MSG_TX, MSG_WITNESS_BLOCK, Message, Services,
};

use crate::options::{
    HISTORICAL_BLOCK_AGE, MAX_BLOCKTXN_DEPTH, MAX_CMPCTBLOCK_DEPTH, NETWORK_LIMITED_MIN_BLOCKS,
    STALE_RELAY_AGE_LIMIT,
};
use crate::{PeerId, PeerManager, Permissions};

/// Blocks that a `getblocks` is answered with at most.
const GETBLOCKS_LIMIT: usize = 500;

impl PeerManager {
    pub(crate) fn on_getdata(&self, id: PeerId, list: Vec<Inventory>) {
        debug!(Category::Net, "received getdata ({} invsz) peer={id}", list.len());
        if let Some(first) = list.first() {
            debug!(Category::Net, "received getdata for: {first} peer={id}");
        }
        self.with_peer(id, |peer, _| peer.getdata.extend(list));
        self.process_getdata(id);
    }

    /// Answers all leading requests for transactions and one for a block.
    pub(crate) fn process_getdata(&self, id: PeerId) {
        let (mut txs, mut block) = (Vec::new(), None);
        let (last_sequence, relay);
        {
            let mut guard = self.state.lock();
            let Some((peer, _)) = guard.peer(id) else { return };
            if peer.pauses_sending() || peer.disconnect {
                return;
            }
            while let Some(inv) = peer.getdata.front().copied() {
                if !inv.is_transaction() {
                    break;
                }
                txs.push(inv);
                peer.getdata.pop_front();
            }
            // An unknown kind is dropped, so that the queue always moves.
            if let Some(inv) = peer.getdata.pop_front() {
                block = inv.is_block().then_some(inv);
            }
            relay = peer.tx_relay.is_some();
            last_sequence = peer.tx_relay.as_ref().map_or(0, |r| r.last_sequence);
        }
        let mut missing = Vec::new();
        for inv in txs.into_iter().filter(|_| relay) {
            match self.find_tx(&inv, last_sequence) {
                Some(tx) => {
                    self.mempool.lock().remove_unbroadcast(&tx.txid(), false);
                    let message = if inv.kind == MSG_TX { without_witness(&tx) } else { Message::Tx(tx) };
                    self.with_peer(id, |peer, shared| shared.send(peer, message));
                }
                None => missing.push(inv),
            }
        }
        if let Some(inv) = block {
            self.serve_block(id, &inv);
        }
        if !missing.is_empty() {
            self.with_peer(id, |peer, shared| shared.send(peer, Message::NotFound(missing)));
        }
    }

    /// A transaction that the peer may know we have: announced before, or in the latest block.
    fn find_tx(&self, inv: &Inventory, last_sequence: u64) -> Option<TxRef> {
        {
            let pool = self.mempool.lock();
            let entry = if inv.kind == grs_wire::MSG_WTX {
                pool.entry_by_wtxid(&grs_hashes::Wtxid::from_bytes(inv.hash.to_bytes()))
            } else {
                pool.entry(&grs_hashes::Txid::from_bytes(inv.hash.to_bytes()))
            };
            if let Some(entry) = entry.filter(|e| e.sequence < last_sequence) {
                return Some(entry.tx.clone());
            }
        }
        self.state.lock().shared.recent_txs.get(&inv.hash).cloned()
    }

    /// Blocks off the main chain are served only while they may still matter, so that they do not betray which
    /// chains we saw long ago.
    fn block_request_allowed(&self, block: BlockId) -> bool {
        let index = self.index();
        if self.view().contains(block) {
            return true;
        }
        let Some(best) = self.chain.best_header() else { return false };
        index.status(block).is_valid(BlockStatus::VALID_SCRIPTS)
            && i64::from(index.time(best)) - i64::from(index.time(block)) < STALE_RELAY_AGE_LIMIT
            && block_proof_equivalent_time(
                index.work(best),
                index.work(block),
                index.bits(best),
                &self.options.params.consensus,
            ) < STALE_RELAY_AGE_LIMIT
    }

    fn serve_block(&self, id: PeerId, inv: &Inventory) {
        let index = self.index();
        let hash = inv.block_hash();
        let Some(block) = index.lookup(&hash) else { return };
        let status = index.status(block);
        if index.chain_tx_count(block) != 0
            && !status.is_valid(BlockStatus::VALID_SCRIPTS)
            && status.is_valid(BlockStatus::VALID_TREE)
        {
            // It may be about to be connected.
            if let Err(error) = self.chain.activate_best_chain(None) {
                debug!(Category::Net, "failed to activate chain ({error})");
            }
        }
        if !self.block_request_allowed(block) {
            debug!(
                Category::Net,
                "ProcessGetBlockData: ignoring request from peer={id} for old block that isn't in the main chain"
            );
            return;
        }
        let Some(tip) = self.view().tip() else { return };
        let (tip_height, height) = (i64::from(index.height(tip)), i64::from(index.height(block)));
        let old = self
            .chain
            .best_header()
            .is_some_and(|b| i64::from(index.time(b)) - i64::from(index.time(block)) > HISTORICAL_BLOCK_AGE);
        let limit_reached = self.upload_limit[0].load(Ordering::Relaxed);
        let mut refused = false;
        self.with_peer(id, |peer, shared| {
            let services = peer.our_services;
            let only_recent = services.has(Services::NETWORK_LIMITED) && !services.has(Services::NETWORK);
            if limit_reached && old && !peer.has(Permissions::DOWNLOAD) {
                debug!(Category::Net, "historical block serving limit reached, {}", peer.disconnect_text());
            } else if !peer.has(Permissions::NO_BAN)
                && only_recent
                && tip_height - height > NETWORK_LIMITED_MIN_BLOCKS + 2
            {
                debug!(
                    Category::Net,
                    "Ignore block request below NODE_NETWORK_LIMITED threshold, {}",
                    peer.disconnect_text()
                );
            } else {
                return;
            }
            refused = true;
            shared.disconnect(peer);
        });
        if refused || !index.status(block).have_data() {
            return;
        }
        let recent = self.state.lock().shared.recent_block.clone().filter(|b| b.hash() == hash);
        let messages = match inv.kind {
            MSG_WITNESS_BLOCK => match recent {
                Some(recent) => Ok(vec![Message::Block(recent)]),
                // As stored: not even decoded.
                None => self.chain.store().read_raw(block).map(|bytes| vec![Message::RawBlock(bytes.into())]),
            },
            MSG_BLOCK => self.read_block(block, recent).map(|b| {
                let mut bytes = Vec::with_capacity(b.base_size());
                b.encode_without_witness(&mut bytes);
                vec![Message::RawBlock(bytes.into())]
            }),
            MSG_FILTERED_BLOCK => self.read_block(block, recent).map(|b| self.filtered_block(id, &b)),
            MSG_CMPCT_BLOCK if self.can_direct_fetch() && height >= tip_height - MAX_CMPCTBLOCK_DEPTH => {
                self.read_block(block, recent).map(|b| {
                    let nonce = self.state.lock().shared.rng.u64();
                    vec![Message::CompactBlock(Box::new(CompactBlock::new(&b, nonce, |_, _| false)))]
                })
            }
            MSG_CMPCT_BLOCK => self.read_block(block, recent).map(|b| vec![Message::Block(b)]),
            _ => return,
        };
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        match messages {
            Ok(messages) => messages.into_iter().for_each(|message| shared.send(peer, message)),
            Err(_) => {
                if self.chain.store().is_block_pruned(block) {
                    debug!(
                        Category::Net,
                        "Block was pruned before it could be read, {}",
                        peer.disconnect_text()
                    );
                } else {
                    error!("Cannot load block from disk, {}", peer.disconnect_text());
                }
                return shared.disconnect(peer);
            }
        }
        if peer.continuation == Some(hash) {
            // Lets the peer ask for the next batch.
            peer.continuation = None;
            shared.send(peer, Message::Inv(vec![Inventory::block(MSG_BLOCK, index.hash(tip))]));
        }
    }

    fn read_block(
        &self,
        block: BlockId,
        recent: Option<Arc<Block>>,
    ) -> Result<Arc<Block>, grs_blockstore::ReadError> {
        match recent {
            Some(recent) => Ok(recent),
            None => self.chain.store().read_block(block).map(Arc::new),
        }
    }

    pub(crate) fn on_getblocktxn(&self, id: PeerId, request: BlockTransactionsRequest) {
        let index = self.index();
        let recent = self.state.lock().shared.recent_block.clone().filter(|b| b.hash() == request.block);
        let block = match recent {
            Some(recent) => recent,
            None => {
                let known = index.lookup(&request.block).filter(|b| index.status(*b).have_data());
                let Some(block) = known else {
                    debug!(Category::Net, "Peer {id} sent us a getblocktxn for a block we don't have");
                    return;
                };
                let depth = i64::from(self.view().height()) - i64::from(index.height(block));
                if depth > MAX_BLOCKTXN_DEPTH {
                    debug!(
                        Category::Net,
                        "Peer {id} sent us a getblocktxn for a block > {MAX_BLOCKTXN_DEPTH} deep"
                    );
                    let inv = Inventory::block(MSG_WITNESS_BLOCK, request.block);
                    return self.with_peer(id, |peer, _| peer.getdata.push_back(inv));
                }
                match self.read_block(block, None) {
                    Ok(block) => block,
                    Err(_) => return,
                }
            }
        };
        let txs: Option<Vec<TxRef>> =
            request.indexes.iter().map(|i| block.txs.get(usize::from(*i)).cloned()).collect();
        self.with_peer(id, |peer, shared| match txs {
            Some(txs) => {
                let answer = BlockTransactions { block: request.block, txs };
                shared.send(peer, Message::BlockTxn(answer));
            }
            None => peer.misbehaving("getblocktxn with out-of-bounds tx indices"),
        });
    }

    /// Refuses locators of more than the allowed length.
    fn refuse_locator(&self, id: PeerId, what: &str, message: &GetBlocks) -> bool {
        let len = message.locator.hashes.len();
        if len > MAX_LOCATOR_SIZE {
            self.with_peer(id, |peer, shared| {
                debug!(
                    Category::Net,
                    "{what} locator size {len} > {MAX_LOCATOR_SIZE}, {}",
                    peer.disconnect_text()
                );
                shared.disconnect(peer);
            });
        }
        len > MAX_LOCATOR_SIZE
    }

    pub(crate) fn on_getblocks(&self, id: PeerId, message: GetBlocks) {
        if self.refuse_locator(id, "getblocks", &message) {
            return;
        }
        let recent = self.state.lock().shared.recent_block.clone();
        if let Err(error) = self.chain.activate_best_chain(recent) {
            debug!(Category::Net, "failed to activate chain ({error})");
        }
        let (index, view) = (self.index(), self.view());
        let mut next = view.find_locator_fork(&message.locator).and_then(|fork| view.next(fork));
        debug!(
            Category::Net,
            "getblocks {} to {} limit {GETBLOCKS_LIMIT} from peer={id}",
            next.map_or(-1, |b| i64::from(index.height(b))),
            stop_text(&message)
        );
        let store = self.chain.store();
        let spacing = self.options.params.consensus.pow_target_spacing;
        let likely = NETWORK_LIMITED_MIN_BLOCKS - 3600 / spacing;
        let mut guard = self.state.lock();
        let Some((peer, _)) = guard.peer(id) else { return };
        let mut count = 0;
        while let Some(block) = next {
            let (hash, height) = (index.hash(block), index.height(block));
            if hash == message.stop {
                debug!(Category::Net, "  getblocks stopping at {height} {hash}");
                break;
            }
            if store.is_prune_mode()
                && (!index.status(block).have_data()
                    || i64::from(height) <= i64::from(view.height()) - likely)
            {
                debug!(Category::Net, " getblocks stopping, pruned or too old block at {height} {hash}");
                break;
            }
            peer.blocks_for_inv.push(hash);
            count += 1;
            if count == GETBLOCKS_LIMIT {
                debug!(Category::Net, "  getblocks stopping at limit {height} {hash}");
                peer.continuation = Some(hash);
                break;
            }
            next = view.next(block);
        }
    }

    pub(crate) fn on_getheaders(&self, id: PeerId, message: GetBlocks) {
        if self.refuse_locator(id, "getheaders", &message) {
            return;
        }
        if self.chain.store().loading_blocks() {
            debug!(Category::Net, "Ignoring getheaders from peer={id} while importing/reindexing");
            return;
        }
        let (index, view) = (self.index(), self.view());
        let enough = view.tip().is_some_and(|tip| index.work(tip) >= self.chain.minimum_chain_work());
        let mut guard = self.state.lock();
        let Some((peer, shared)) = guard.peer(id) else { return };
        if view.tip().is_none() || (!enough && !peer.has(Permissions::DOWNLOAD)) {
            debug!(
                Category::Net,
                "Ignoring getheaders from peer={id} because active chain has too little work; sending empty response"
            );
            return shared.send(peer, Message::Headers(Vec::new()));
        }
        let mut next = if message.locator.is_null() {
            let Some(block) = index.lookup(&message.stop) else { return };
            if !self.block_request_allowed(block) {
                debug!(
                    Category::Net,
                    "ProcessMessage: ignoring request from peer={id} for old block header that isn't in the main chain"
                );
                return;
            }
            Some(block)
        } else {
            view.find_locator_fork(&message.locator).and_then(|fork| view.next(fork))
        };
        debug!(
            Category::Net,
            "getheaders {} to {} from peer={id}",
            next.map_or(-1, |b| i64::from(index.height(b))),
            stop_text(&message)
        );
        let mut headers = Vec::new();
        while let Some(block) = next {
            headers.push(index.header(block));
            if headers.len() >= self.options.max_headers_result || index.hash(block) == message.stop {
                break;
            }
            next = view.next(block);
        }
        peer.best_header_sent = next.or(view.tip());
        shared.send(peer, Message::Headers(headers));
    }
}

fn stop_text(message: &GetBlocks) -> String {
    if message.stop.is_zero() { "end".to_owned() } else { message.stop.to_string() }
}

/// A transaction for a peer that asked without witnesses.
pub(crate) fn without_witness(tx: &TxRef) -> Message {
    if !tx.has_witness() {
        return Message::Tx(tx.clone());
    }
    let mut payload = Vec::with_capacity(tx.base_size());
    tx.data().encode_without_witness(&mut payload);
    Message::Unknown { message_type: "tx".to_owned(), payload }
}
