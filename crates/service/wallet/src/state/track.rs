//! Keeping track of transactions in blocks and the mempool. Reference: `wallet.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::{Destination, extract_destination};
use grs_hashes::{BlockHash, Txid};
use grs_interfaces::MempoolRemovalReason;
use grs_policy::TRUC_VERSION;
use grs_primitives::{Block, OutPoint, Transaction, TxRef};

use super::{Purpose, State, TIMESTAMP_WINDOW, TxNotice, wallet_log};
use crate::error::WalletResult;
use crate::flags;
use crate::records::{RecordKey, TxState, WalletTx, name};

/// Times of the block that a transaction comes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockTimes {
    /// Time of the header, Unix seconds.
    pub(crate) time: i64,
    /// Latest time up to it, Unix seconds.
    pub(crate) max_time: i64,
    /// It is an old block that is scanned, not a new one.
    pub(crate) rescanning: bool,
}

/// Whether a state has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxUpdate {
    Unchanged,
    Changed,
}

impl State {
    pub(crate) fn write_order_pos_next(&self) -> WalletResult<()> {
        let key = RecordKey::new(name::ORDER_POS_NEXT);
        Ok(self.db.write(key.bytes(), &self.order_pos_next.to_le_bytes())?)
    }

    /// Remembers outputs that are ours.
    pub(crate) fn add_coins_of(&mut self, tx: &Transaction) {
        for (n, out) in tx.outputs.iter().enumerate() {
            if self.is_mine(&out.script_pubkey) {
                self.coins.insert(OutPoint::new(tx.txid(), n as u32), out.clone());
            }
        }
    }

    /// The same for all transactions, after new descriptors.
    pub(crate) fn refresh_coins(&mut self) {
        self.book_version += 1;
        let txs: Vec<TxRef> = self.txs.values().map(|wtx| wtx.tx.clone()).collect();
        for tx in txs {
            self.add_coins_of(&tx);
        }
    }

    /// Whether a transaction pays us or spends from us.
    pub(crate) fn is_involved(&self, tx: &Transaction) -> bool {
        tx.outputs.iter().any(|out| self.is_mine(&out.script_pubkey)) || self.is_from_me(tx)
    }

    /// Whether a transaction spends an output of ours.
    pub(crate) fn is_from_me(&self, tx: &Transaction) -> bool {
        tx.inputs.iter().any(|input| self.coins.contains_key(&input.prevout))
    }

    /// Adds a transaction or changes the state of one. `fill` may set further data and says whether it did.
    pub(crate) fn add_to_wallet(
        &mut self,
        tx: TxRef,
        tx_state: TxState,
        times: Option<BlockTimes>,
        now: i64,
        fill: impl FnOnce(&mut WalletTx) -> bool,
    ) -> WalletResult<()> {
        self.in_transaction(|state| state.add_to_wallet_inner(tx, tx_state, times, now, fill))
    }

    fn add_to_wallet_inner(
        &mut self,
        tx: TxRef,
        tx_state: TxState,
        times: Option<BlockTimes>,
        now: i64,
        fill: impl FnOnce(&mut WalletTx) -> bool,
    ) -> WalletResult<()> {
        let txid = tx.txid();
        if self.has_flag(flags::AVOID_REUSE) {
            self.mark_inputs_spent(&tx)?;
        }
        let (mut new, mut updated) = (false, false);
        match self.txs.get_mut(&txid) {
            Some(wtx) => {
                updated |= fill(wtx);
                if !wtx.state.same_kind(&tx_state) || wtx.state.serialized() != tx_state.serialized() {
                    wtx.state = tx_state;
                    updated = true;
                }
                // Wallets from before segwit may have stored the transaction without its witness.
                if tx.has_witness() && !wtx.tx.has_witness() {
                    wtx.tx = tx.clone();
                    updated = true;
                }
            }
            None => {
                new = true;
                let mut wtx = WalletTx::new(tx.clone(), tx_state);
                fill(&mut wtx);
                wtx.time_received = now as u32;
                wtx.order_pos = self.order_pos_next;
                self.order_pos_next += 1;
                self.write_order_pos_next()?;
                wtx.time_smart = self.smart_time(&wtx, times);
                self.note_birth_time(wtx.time());
                self.ordered.insert((wtx.order_pos, txid));
                self.txs.insert(txid, wtx);
                // Lists that took a later transaction for another's have to look again.
                if (0..tx.outputs.len()).any(|n| self.spends.contains_key(&OutPoint::new(txid, n as u32))) {
                    self.book_version += 1;
                }
                if !tx.is_coinbase() {
                    for input in &tx.inputs {
                        self.add_spend(input.prevout, txid)?;
                    }
                }
            }
        }
        let wtx = &self.txs[&txid];
        let orphan = wtx.is_coinbase() && matches!(wtx.state, TxState::Inactive { .. });
        wallet_log!(
            self,
            "AddToWallet {txid}  {}{} {tx_state}",
            if new { "new" } else { "" },
            if updated { "update" } else { "" }
        );
        if new || updated {
            self.write_tx(wtx)?;
        }
        if orphan {
            // A coinbase without its block can never count, nor can what spends it.
            self.update_states(txid, true, |_, wtx| {
                if wtx.is_abandoned() && wtx.txid() != txid {
                    return TxUpdate::Unchanged;
                }
                wtx.state = TxState::Inactive { abandoned: true };
                TxUpdate::Changed
            })?;
        }
        self.add_coins_of(&tx);
        let block = match tx_state {
            TxState::Confirmed { block, height, .. } => Some((block, height)),
            _ => None,
        };
        self.notices.push(TxNotice { txid, block });
        Ok(())
    }

    fn mark_inputs_spent(&mut self, tx: &Transaction) -> WalletResult<()> {
        for input in &tx.inputs {
            let Some(out) = self.coin(&input.prevout) else { continue };
            let destination = extract_destination(&out.script_pubkey);
            if destination.is_valid() && !self.is_previously_spent(&destination) {
                self.mark_previously_spent(&destination)?;
            }
        }
        Ok(())
    }

    fn add_spend(&mut self, outpoint: OutPoint, txid: Txid) -> WalletResult<()> {
        let spenders = self.spends.entry(outpoint).or_default();
        if !spenders.contains(&txid) {
            spenders.push(txid);
        }
        let spenders = spenders.clone();
        self.unlock_coin(&outpoint)?;
        // Versions of one transaction share comments and times of the first.
        let first =
            spenders.iter().filter_map(|id| self.txs.get(id)).min_by_key(|wtx| wtx.order_pos).cloned();
        if let Some(first) = first {
            for id in spenders {
                if let Some(wtx) = self.txs.get_mut(&id)
                    && id != first.txid()
                    && first.is_equivalent_to(wtx)
                {
                    wtx.values = first.values.clone();
                    wtx.order_form = first.order_form.clone();
                    wtx.time_smart = first.time_smart;
                }
            }
        }
        Ok(())
    }

    /// Time that keeps the list in order. Reference: `ComputeTimeSmart`.
    fn smart_time(&self, wtx: &WalletTx, times: Option<BlockTimes>) -> u32 {
        let Some(times) = times else { return wtx.time_received };
        if times.rescanning {
            return times.max_time as u32;
        }
        let mut latest_now = i64::from(wtx.time_received);
        let mut latest_entry = 0;
        // Times of others count up to five minutes into the future.
        let tolerated = latest_now + 300;
        for (_, other) in self.ordered.iter().rev() {
            let Some(other) = self.txs.get(other) else { continue };
            let time = other.time();
            if time <= tolerated {
                latest_entry = time;
                latest_now = latest_now.max(time);
                break;
            }
        }
        latest_entry.max(times.time.min(latest_now)) as u32
    }

    /// Changes the state of a transaction and of all that spend from it, as long as `update` says that something
    /// has changed.
    pub(crate) fn update_states(
        &mut self,
        txid: Txid,
        write: bool,
        update: impl Fn(i32, &mut WalletTx) -> TxUpdate,
    ) -> WalletResult<()> {
        let mut todo = BTreeSet::from([txid]);
        let mut done = BTreeSet::new();
        while let Some(now) = todo.pop_first() {
            done.insert(now);
            let Some(wtx) = self.txs.get(&now) else { continue };
            let depth = self.depth(wtx);
            let Some(wtx) = self.txs.get_mut(&now) else { continue };
            if update(depth, wtx) == TxUpdate::Unchanged {
                continue;
            }
            if write {
                let wtx = &self.txs[&now];
                self.write_tx(wtx)?;
            }
            todo.extend(self.children(&now).into_iter().filter(|child| !done.contains(child)));
        }
        Ok(())
    }

    /// A block excludes the transaction.
    pub(crate) fn mark_conflicted(&mut self, block: BlockHash, height: i32, txid: Txid) -> WalletResult<()> {
        if self.last_block_height < 0 || height < 0 {
            return Ok(());
        }
        let confirms = -(self.last_block_height - height + 1);
        if confirms >= 0 {
            return Ok(());
        }
        self.update_states(txid, true, |depth, wtx| {
            if confirms >= depth {
                return TxUpdate::Unchanged;
            }
            wtx.state = TxState::BlockConflicted { block, height };
            TxUpdate::Changed
        })
    }

    /// Takes a transaction in if it is ours. `update`: also if it is known already.
    pub(crate) fn sync_transaction(
        &mut self,
        tx: &TxRef,
        tx_state: TxState,
        update: bool,
        times: Option<BlockTimes>,
        now: i64,
    ) -> WalletResult<bool> {
        let txid = tx.txid();
        if let TxState::Confirmed { block, height, .. } = tx_state {
            for input in &tx.inputs {
                let others: Vec<Txid> = self.spends.get(&input.prevout).cloned().unwrap_or_default();
                for other in others.into_iter().filter(|other| *other != txid) {
                    wallet_log!(
                        self,
                        "Transaction {txid} (in block {block}) conflicts with wallet transaction {other} (both spend {}:{})",
                        input.prevout.txid,
                        input.prevout.vout
                    );
                    self.mark_conflicted(block, height, other)?;
                }
            }
        }
        let known = self.txs.contains_key(&txid);
        if known && !update || !known && !self.is_involved(tx) {
            return Ok(false);
        }
        self.in_transaction(|state| {
            state.mark_used(tx)?;
            state.add_to_wallet_inner(tx.clone(), tx_state, times, now, |_| false)
        })?;
        Ok(true)
    }

    /// Addresses up to those that the transaction pays count as used; more are derived after them.
    fn mark_used(&mut self, tx: &Transaction) -> WalletResult<()> {
        for out in &tx.outputs {
            let Some(ids) = self.scripts.get(&out.script_pubkey).cloned() else { continue };
            for id in ids {
                let mut used: Vec<Destination> = Vec::new();
                let Some(manager) = self.managers.get_mut(&id) else { continue };
                let Some(index) = manager.index_of(&out.script_pubkey) else { continue };
                if index >= manager.next_index {
                    for i in manager.next_index..=index {
                        used.extend(manager.destination_at(i));
                    }
                    manager.next_index = index + 1;
                    manager.write(&self.db)?;
                    wallet_log!(
                        self,
                        "MarkUnusedAddresses: Detected a used keypool item at index {index}, mark all keypool items up \
                         to this item as used"
                    );
                }
                let size = self.keypool_size;
                if !self.top_up(id, size)? {
                    wallet_log!(self, "MarkUnusedAddresses: Topping up keypool failed (locked wallet)");
                }
                if self.is_internal(&id) == Some(false) {
                    for destination in used {
                        if self.address_entry(&destination).is_none() {
                            self.set_address_book(&destination, "", Some(Purpose::Receive))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A transaction has entered the mempool.
    pub(crate) fn added_to_mempool(&mut self, tx: &TxRef, now: i64) -> WalletResult<()> {
        let confirmed = self.txs.get(&tx.txid()).is_some_and(WalletTx::is_confirmed);
        if !confirmed {
            self.sync_transaction(tx, TxState::InMempool, true, None, now)?;
        }
        let txid = tx.txid();
        self.exclude_rivals(tx, true)?;
        if tx.version == TRUC_VERSION {
            for input in &tx.inputs {
                let parent = input.prevout.txid;
                let Some(wtx) = self.txs.get_mut(&parent) else { continue };
                if wtx.is_unconfirmed() {
                    wtx.truc_child = Some(txid);
                    self.exclude_siblings(&parent, &txid, true)?;
                }
            }
        }
        Ok(())
    }

    /// A transaction has left the mempool, or is in a block.
    pub(crate) fn removed_from_mempool(
        &mut self,
        tx: &TxRef,
        reason: MempoolRemovalReason,
        still_there: bool,
        now: i64,
    ) -> WalletResult<()> {
        let txid = tx.txid();
        if let Some(wtx) = self.txs.get_mut(&txid)
            && wtx.in_mempool()
            && !still_there
        {
            wtx.state = TxState::Inactive { abandoned: false };
        }
        if reason == MempoolRemovalReason::Conflict {
            self.sync_transaction(tx, TxState::Inactive { abandoned: false }, true, None, now)?;
        }
        self.exclude_rivals(tx, false)?;
        if tx.version == TRUC_VERSION {
            for input in &tx.inputs {
                let parent = input.prevout.txid;
                if let Some(wtx) = self.txs.get_mut(&parent)
                    && wtx.truc_child == Some(txid)
                {
                    wtx.truc_child = None;
                    self.exclude_siblings(&parent, &txid, false)?;
                }
            }
        }
        Ok(())
    }

    fn set_mempool_conflict(&mut self, of: Txid, by: Txid, on: bool) -> WalletResult<()> {
        self.update_states(of, false, |_, wtx| {
            let changed =
                if on { wtx.mempool_conflicts.insert(by) } else { wtx.mempool_conflicts.remove(&by) };
            if changed { TxUpdate::Changed } else { TxUpdate::Unchanged }
        })
    }

    /// Transactions of ours that spend the same outputs are excluded, or no longer.
    fn exclude_rivals(&mut self, tx: &Transaction, on: bool) -> WalletResult<()> {
        let txid = tx.txid();
        for input in &tx.inputs {
            for rival in self.spends.get(&input.prevout).cloned().unwrap_or_default() {
                if rival != txid || !on {
                    self.set_mempool_conflict(rival, txid, on)?;
                }
            }
        }
        Ok(())
    }

    /// A version 3 transaction has one child at most.
    fn exclude_siblings(&mut self, parent: &Txid, child: &Txid, on: bool) -> WalletResult<()> {
        for sibling in self.children(parent) {
            if sibling != *child {
                self.set_mempool_conflict(sibling, *child, on)?;
            }
        }
        Ok(())
    }

    /// A block has been connected; true if it changed anything here.
    pub(crate) fn block_connected(
        &mut self,
        block: &Block,
        hash: BlockHash,
        height: i32,
        max_time: i64,
        now: i64,
    ) -> WalletResult<bool> {
        self.last_block = hash;
        self.last_block_height = height;
        if max_time < self.birth_time.saturating_sub(2 * TIMESTAMP_WINDOW) {
            return Ok(false);
        }
        let times = BlockTimes { time: i64::from(block.header.time), max_time, rescanning: false };
        self.in_transaction(|state| {
            let mut updated = false;
            for (position, tx) in block.txs.iter().enumerate() {
                let tx_state = TxState::Confirmed { block: hash, height, position: position as i32 };
                updated |= state.sync_transaction(tx, tx_state, true, Some(times), now)?;
                state.removed_from_mempool(tx, MempoolRemovalReason::Block, false, now)?;
            }
            Ok(updated)
        })
    }

    /// Takes in the transactions of an old block.
    pub(crate) fn scan_block(
        &mut self,
        block: &Block,
        hash: BlockHash,
        height: i32,
        max_time: i64,
        update: bool,
        now: i64,
    ) -> WalletResult<bool> {
        let times = BlockTimes { time: i64::from(block.header.time), max_time, rescanning: true };
        let mut updated = false;
        for (position, tx) in block.txs.iter().enumerate() {
            let tx_state = TxState::Confirmed { block: hash, height, position: position as i32 };
            updated |= self.sync_transaction(tx, tx_state, update, Some(times), now)?;
        }
        Ok(updated)
    }

    /// A block has been taken off the chain.
    pub(crate) fn block_disconnected(
        &mut self,
        block: &Block,
        height: i32,
        previous: BlockHash,
        now: i64,
    ) -> WalletResult<()> {
        self.in_transaction(|state| {
            for (position, tx) in block.txs.iter().enumerate() {
                let tx_state = TxState::Inactive { abandoned: position == 0 };
                state.sync_transaction(tx, tx_state, true, None, now)?;
                for input in &tx.inputs {
                    for rival in state.spends.get(&input.prevout).cloned().unwrap_or_default() {
                        state.update_states(rival, true, |_, wtx| match wtx.state {
                            TxState::BlockConflicted { height: at, .. } if at >= height => {
                                wtx.state = TxState::Inactive { abandoned: false };
                                TxUpdate::Changed
                            }
                            _ => TxUpdate::Unchanged,
                        })?;
                    }
                }
            }
            Ok(())
        })?;
        self.last_block = previous;
        self.last_block_height = height - 1;
        Ok(())
    }

    /// Notes that a transaction has been replaced by another.
    pub(crate) fn mark_replaced(&mut self, txid: &Txid, by: &Txid) -> WalletResult<()> {
        let Some(wtx) = self.txs.get_mut(txid) else { return Ok(()) };
        wtx.values.insert("replaced_by_txid".into(), by.to_string());
        let wtx = &self.txs[txid];
        Ok(self.write_tx(wtx)?)
    }

    /// Transactions of ours that exclude this one.
    pub(crate) fn conflicts(&self, wtx: &WalletTx) -> BTreeSet<Txid> {
        let txid = wtx.txid();
        wtx.tx
            .inputs
            .iter()
            .filter_map(|input| self.spends.get(&input.prevout))
            .flatten()
            .copied()
            .filter(|other| *other != txid)
            .collect()
    }
}
