//! Rules that a transaction has to meet in the next block on the tip.

use std::sync::Arc;

use grs_chainstate::{Chainstate, block_script_flags};
use grs_consensus::{
    HeaderView, TxValidationError, TxValidationResult, calculate_sequence_locks, evaluate_sequence_locks,
    is_final_tx,
};
use grs_hashes::BlockHash;
use grs_primitives::{Transaction, TxRef};
use grs_script::{PrecomputedTxData, ScriptCheck, ScriptFlags};

use crate::MEMPOOL_HEIGHT;

/// Seconds that the tip may be old for transactions to count when fees are estimated.
const MAX_FEE_ESTIMATION_TIP_AGE: i64 = 3 * 3600;

/// Questions about the next block.
pub(crate) trait NextBlock {
    /// Absolute lock time (reference: `CheckFinalTxAtTip`).
    fn is_final_at_tip(&self, tx: &Transaction) -> bool;
    /// Relative lock times, with the heights of the spent outputs (reference: `CheckSequenceLocksAtTip`).
    fn sequence_locks_at_tip(&self, tx: &Transaction, heights: &[u32]) -> bool;
    /// Script rules of the tip, which the next block will have too.
    fn next_block_script_flags(&self) -> ScriptFlags;
    /// Runs all scripts of a transaction, or finds them in the cache (reference: `CheckInputScripts`). With
    /// `remember`, the verdict of the whole transaction goes to the cache.
    fn check_input_scripts(
        &self,
        tx: &TxRef,
        data: &Arc<PrecomputedTxData>,
        flags: ScriptFlags,
        remember: bool,
    ) -> Result<(), TxValidationError>;
    /// Whether the chain is recent enough to learn fees from (reference: `IsCurrentForFeeEstimation`).
    fn is_current_for_fee_estimation(&self) -> bool;
}

impl NextBlock for Chainstate {
    fn is_final_at_tip(&self, tx: &Transaction) -> bool {
        self.tip_view().is_none_or(|tip| is_final_tx(tx, tip.height() + 1, tip.median_time_past()))
    }

    fn sequence_locks_at_tip(&self, tx: &Transaction, heights: &[u32]) -> bool {
        let Some(tip) = self.tip_view() else { return true };
        let next = tip.height() + 1;
        // Coins of the mempool count as confirmed in the next block.
        let mut heights: Vec<i32> =
            heights.iter().map(|h| if *h == MEMPOOL_HEIGHT { next } else { *h as i32 }).collect();
        let lock = calculate_sequence_locks(tx, true, &mut heights, tip);
        evaluate_sequence_locks(lock, tip)
    }

    fn next_block_script_flags(&self) -> ScriptFlags {
        let (hash, height) =
            self.tip_view().map_or((BlockHash::ZERO, 0), |tip| (tip.hash(), tip.height().max(0) as u32));
        block_script_flags(&hash, height, &self.params().consensus)
    }

    fn check_input_scripts(
        &self,
        tx: &TxRef,
        data: &Arc<PrecomputedTxData>,
        flags: ScriptFlags,
        remember: bool,
    ) -> Result<(), TxValidationError> {
        let cache = self.validation_cache();
        let whole = cache.script_executions.entry(&tx.wtxid(), flags);
        if cache.script_executions.contains(&whole, false) {
            return Ok(());
        }
        for input in 0..tx.inputs.len() {
            let signatures = Some(cache.signatures.clone());
            let check = ScriptCheck::new(tx.clone(), input, flags, data.clone(), signatures, true);
            check.run().map_err(|e| {
                let policy = !(flags & ScriptFlags::STANDARD_NOT_MANDATORY).is_empty();
                let (result, kind) = if policy {
                    (TxValidationResult::NotStandard, "mempool")
                } else {
                    (TxValidationResult::Consensus, "block")
                };
                let reason = format!("{kind}-script-verify-flag-failed ({e})");
                TxValidationError::with_debug(result, reason, check.describe())
            })?;
        }
        if remember {
            cache.script_executions.insert(&whole);
        }
        Ok(())
    }

    fn is_current_for_fee_estimation(&self) -> bool {
        if self.is_initial_block_download() {
            return false;
        }
        let Some(tip) = self.tip_view() else { return false };
        let recent = i64::from(tip.time()) >= grs_sync::clock::now_secs() - MAX_FEE_ESTIMATION_TIP_AGE;
        let best = self.best_header().map_or(0, |id| self.index().height(id) as i32);
        recent && tip.height() >= best - 1
    }
}
