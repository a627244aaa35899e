use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grs_log::{Category, debug, info, warn};
use grs_policy::FeeRate;
use grs_primitives::TxRef;

use super::{BlockPolicyEstimator, EstimationResult, FeeEstimateHorizon, FeeFileError, SmartEstimate};
use crate::{MempoolInterface, NewMempoolTx, RemovalReason, RemovedMempoolTx};

/// Between two writings of the file.
pub const FEE_FLUSH_INTERVAL: Duration = Duration::from_secs(3600);
/// A file older than this is not used, unless asked for.
pub const MAX_FILE_AGE: Duration = Duration::from_secs(60 * 3600);

/// The shared estimator with its file.
#[derive(Debug)]
pub struct FeeEstimator {
    state: Mutex<BlockPolicyEstimator>,
    path: PathBuf,
}

impl FeeEstimator {
    /// Reads the file at `path`, if there is one that is new enough or `accept_stale`; the log says what came of it.
    pub fn load(path: &Path, accept_stale: bool) -> Arc<FeeEstimator> {
        let state = read(path, accept_stale).unwrap_or_default();
        Arc::new(FeeEstimator { state: Mutex::new(state), path: path.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, BlockPolicyEstimator> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`BlockPolicyEstimator::estimate_smart_fee`].
    pub fn estimate_smart_fee(&self, target: i32, conservative: bool) -> SmartEstimate {
        self.lock().estimate_smart_fee(target, conservative)
    }

    /// See [`BlockPolicyEstimator::estimate_raw_fee`].
    pub fn estimate_raw_fee(
        &self,
        target: i32,
        success: f64,
        horizon: FeeEstimateHorizon,
    ) -> Option<(FeeRate, EstimationResult)> {
        self.lock().estimate_raw_fee(target, success, horizon)
    }

    /// Most blocks that a horizon knows about.
    pub fn highest_target_tracked(&self, horizon: FeeEstimateHorizon) -> u32 {
        self.lock().highest_target_tracked(horizon)
    }

    /// Most blocks that can be asked for.
    pub fn max_target(&self) -> u32 {
        self.highest_target_tracked(FeeEstimateHorizon::Long)
    }

    /// Writes the file; every [`FEE_FLUSH_INTERVAL`], and by [`FeeEstimator::flush`].
    pub fn flush_estimates(&self) {
        let bytes = self.lock().to_bytes();
        match std::fs::write(&self.path, bytes) {
            Ok(()) => {
                debug!(Category::EstimateFee, "Flushed fee estimates to {}.", self.path.display());
            }
            Err(_) => {
                warn!("Failed to write fee estimates to {}. Continue anyway.", self.path.display());
            }
        }
    }

    /// Counts what is in the mempool as unconfirmed and writes the file, before stopping.
    pub fn flush(&self) {
        let start = Instant::now();
        let count = self.lock().flush_unconfirmed();
        debug!(
            Category::EstimateFee,
            "Recorded {count} unconfirmed txs from mempool in {:.3}s",
            start.elapsed().as_secs_f64()
        );
        self.flush_estimates();
    }
}

fn read(path: &Path, accept_stale: bool) -> Option<BlockPolicyEstimator> {
    let name = path.display();
    let Ok(bytes) = std::fs::read(path) else {
        info!("{name} is not found. Continue anyway.");
        return None;
    };
    let modified = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let age = modified.and_then(|m| m.elapsed().ok()).unwrap_or_default();
    // Full hours count.
    let hours = |d: Duration| d.as_secs() / 3600;
    if hours(age) > hours(MAX_FILE_AGE) && !accept_stale {
        warn!(
            "Fee estimation file {name} too old (age={} > {} hours) and will not be used to avoid serving stale \
             estimates.",
            hours(age),
            hours(MAX_FILE_AGE)
        );
        return None;
    }
    match BlockPolicyEstimator::from_bytes(&bytes) {
        Ok(state) => Some(state),
        Err(old @ FeeFileError::Old(_)) => {
            warn!("{old}");
            None
        }
        Err(e) => {
            warn!("Unable to read policy estimator data (non-fatal): {e}");
            warn!("Failed to read fee estimates from {name}. Continue anyway.");
            None
        }
    }
}

impl MempoolInterface for FeeEstimator {
    fn transaction_added(&self, tx: &NewMempoolTx) {
        self.lock().process_transaction(tx);
    }
    fn transaction_removed(&self, tx: &TxRef, _reason: RemovalReason, _sequence: u64) {
        self.lock().remove_tx(&tx.txid());
    }
    fn removed_for_block(&self, removed: &[RemovedMempoolTx], height: u32) {
        self.lock().process_block(removed, height);
    }
}
