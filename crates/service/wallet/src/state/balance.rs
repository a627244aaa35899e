//! Balances and what transactions mean to the wallet. Reference: `src/wallet/receive.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::{Destination, extract_destination};
use grs_hashes::Txid;
use grs_primitives::Transaction;

use super::State;
use crate::flags;
use crate::records::WalletTx;

/// Sums of coins, in gro.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    /// Confirmed, or unconfirmed change of our own.
    pub(crate) trusted: i64,
    /// In the mempool from others.
    pub(crate) untrusted_pending: i64,
    /// Coinbases that cannot be spent yet.
    pub(crate) immature: i64,
}

/// An output as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TxOutputEntry {
    pub(crate) destination: Destination,
    pub(crate) amount: i64,
    pub(crate) vout: u32,
}

impl State {
    /// Sum of our outputs that a transaction spends.
    pub(crate) fn debit(&self, tx: &Transaction) -> i64 {
        tx.inputs.iter().filter_map(|input| self.coin(&input.prevout)).map(|out| out.value.0).sum()
    }

    /// Sum of outputs to us.
    pub(crate) fn credit(&self, tx: &Transaction) -> i64 {
        tx.outputs.iter().filter(|out| self.is_mine(&out.script_pubkey)).map(|out| out.value.0).sum()
    }

    /// As [`State::credit`]; nothing from a coinbase that cannot be spent yet.
    pub(crate) fn mature_credit(&self, wtx: &WalletTx) -> i64 {
        if self.is_immature(wtx) { 0 } else { self.credit(&wtx.tx) }
    }

    /// Whether coins of a transaction count as ours for good: it is confirmed, or all of it comes from trusted coins
    /// of ours and is in the mempool. `known` collects trusted parents.
    pub(crate) fn is_trusted(&self, wtx: &WalletTx, known: &mut BTreeSet<Txid>) -> bool {
        // A chain of unconfirmed parents may be long, so this keeps its own stack.
        let mut todo = vec![wtx];
        let mut seen = BTreeSet::new();
        while let Some(wtx) = todo.pop() {
            let txid = wtx.txid();
            if known.contains(&txid) || wtx.is_confirmed() || !seen.insert(txid) {
                continue;
            }
            if wtx.is_block_conflicted()
                || !self.spend_zero_conf_change
                || !self.is_from_me(&wtx.tx)
                || !wtx.in_mempool()
            {
                return false;
            }
            for input in &wtx.tx.inputs {
                match self.txs.get(&input.prevout.txid) {
                    Some(parent) if self.coins.contains_key(&input.prevout) => todo.push(parent),
                    _ => return false,
                }
            }
        }
        known.extend(seen);
        true
    }

    /// Sums of unspent coins. `avoid_reuse` leaves out coins on addresses that were spent from, if the wallet keeps
    /// track of them.
    pub(crate) fn balance(&self, min_depth: i32, avoid_reuse: bool) -> Balance {
        let mut out = Balance::default();
        let mut trusted_parents = BTreeSet::new();
        let skip_used = avoid_reuse && self.has_flag(flags::AVOID_REUSE);
        for (outpoint, coin) in &self.coins {
            let Some(wtx) = self.txs.get(&outpoint.txid) else { continue };
            if self.is_spent(outpoint) || skip_used && self.is_spent_key(&coin.script_pubkey) {
                continue;
            }
            let trusted = self.is_trusted(wtx, &mut trusted_parents);
            if self.is_immature(wtx) && wtx.is_confirmed() {
                out.immature += coin.value.0;
            } else if trusted && self.depth(wtx) >= min_depth {
                out.trusted += coin.value.0;
            } else if !trusted && wtx.in_mempool() {
                out.untrusted_pending += coin.value.0;
            }
        }
        out
    }

    /// What a transaction sent and received, and its fee if we made it. Change is left out unless wanted.
    pub(crate) fn amounts(
        &self,
        wtx: &WalletTx,
        include_change: bool,
    ) -> (Vec<TxOutputEntry>, Vec<TxOutputEntry>, i64) {
        let (mut received, mut sent) = (Vec::new(), Vec::new());
        let debit = self.debit(&wtx.tx);
        let fee = match debit {
            1.. => debit - wtx.tx.outputs.iter().map(|o| o.value.0).sum::<i64>(),
            _ => 0,
        };
        for (vout, out) in wtx.tx.outputs.iter().enumerate() {
            let mine = self.is_mine(&out.script_pubkey);
            if debit > 0 {
                if !include_change && self.is_change(&out.script_pubkey) {
                    continue;
                }
            } else if !mine {
                continue;
            }
            let entry = TxOutputEntry {
                destination: extract_destination(&out.script_pubkey),
                amount: out.value.0,
                vout: vout as u32,
            };
            if debit > 0 {
                sent.push(entry.clone());
            }
            if mine {
                received.push(entry);
            }
        }
        (received, sent, fee)
    }
}
