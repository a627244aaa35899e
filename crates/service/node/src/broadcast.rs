//! Handing a transaction of our own to mempool and peers. Reference: `src/node/transaction.cpp`.

use std::sync::Arc;

use grs_consensus::TxValidationResult;
use grs_mempool::{AcceptOptions, AcceptResult};
use grs_primitives::{Amount, OutPoint, TxRef};
use thiserror::Error;

use crate::NodeContext;

/// Why a transaction was not broadcast.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BroadcastError {
    /// What it spends is not known. Carries the mempool's reason.
    #[error("{0}")]
    MissingInputs(String),
    /// It is in the chain already.
    #[error("Transaction outputs already in utxo set")]
    AlreadyInUtxoSet,
    /// The mempool refused it. Carries the reason.
    #[error("{0}")]
    Rejected(String),
    /// Its fee is above the limit that the caller set.
    #[error("Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)")]
    MaxFeeExceeded,
    /// Chain or mempool are not there.
    #[error("{0}")]
    NotReady(String),
}

/// Puts a transaction into the mempool, if it is not there, and announces it to peers if `relay`. Returns when all
/// subscribers have heard of it.
pub fn broadcast(
    node: &Arc<NodeContext>,
    tx: &TxRef,
    max_fee: Option<Amount>,
    relay: bool,
) -> Result<(), BroadcastError> {
    let not_ready = |e: grs_rpc::RpcError| BroadcastError::NotReady(e.message);
    let (chainman, mempool) = (node.chainman().map_err(not_ready)?, node.mempool().map_err(not_ready)?);
    let txid = tx.txid();
    let known = mempool.get(&txid).map(|t| t.wtxid());
    let wtxid = match known {
        // One with another witness may be there: that one is announced again.
        Some(wtxid) => wtxid,
        None => {
            let mut chain = chainman.lock();
            let spent = (0..tx.outputs.len() as u32)
                .any(|n| chain.coins().have(&OutPoint::new(txid, n)).unwrap_or(false));
            if spent {
                return Err(BroadcastError::AlreadyInUtxoSet);
            }
            let now = grs_sync::clock::now_secs();
            if let Some(max) = max_fee.filter(|m| *m > Amount::ZERO) {
                let tested = mempool.accept(&mut chain, tx, AcceptOptions::test(now));
                refuse(&tested)?;
                if matches!(tested, AcceptResult::Valid { base_fee, .. } if base_fee > max) {
                    return Err(BroadcastError::MaxFeeExceeded);
                }
            }
            refuse(&mempool.accept(&mut chain, tx, AcceptOptions::single(now)))?;
            if relay {
                // Only what is new: one that was there may have been asked for already.
                mempool.lock().add_unbroadcast(txid);
            }
            tx.wtxid()
        }
    };
    // So that a wallet call that follows sees the transaction.
    chainman.signals().sync();
    if relay {
        crate::init::relay_transaction(node, txid, wtxid);
    }
    Ok(())
}

fn refuse(result: &AcceptResult) -> Result<(), BroadcastError> {
    match result.error() {
        None => Ok(()),
        Some(e) if e.result == TxValidationResult::MissingInputs => {
            Err(BroadcastError::MissingInputs(e.to_string()))
        }
        Some(e) => Err(BroadcastError::Rejected(e.to_string())),
    }
}
