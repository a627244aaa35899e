use std::collections::BTreeMap;

use grs_hashes::Txid;
use grs_log::{Category, debug};
use grs_policy::FeeRate;

use super::stats::TxConfirmStats;
use super::{EstimateReason, EstimationResult, FeeEstimateHorizon, SmartEstimate};
use crate::{NewMempoolTx, RemovedMempoolTx};

/// Lowest bound of the buckets, in gro per 1,000 virtual bytes.
const MIN_BUCKET: f64 = 100.0;
/// Highest finite bound is not above this.
const MAX_BUCKET: f64 = 1e7;
/// Factor between bounds.
const SPACING: f64 = 1.05;
/// Bound of the last bucket.
const INFINITE_RATE: f64 = 1e99;
/// Blocks after which what a file says about the past counts no more.
const OLDEST_HISTORY: u32 = 6 * 1008;
/// Share of transactions that has to be confirmed within half of the target.
const HALF_SUCCESS: f64 = 0.6;
/// Within the target.
const SUCCESS: f64 = 0.85;
/// Within twice the target.
const DOUBLE_SUCCESS: f64 = 0.95;
/// Transactions that a range of buckets needs per block.
const SUFFICIENT_TXS: f64 = 0.1;
/// The same for the short horizon.
const SUFFICIENT_TXS_SHORT: f64 = 0.5;

#[derive(Clone, Copy, Debug)]
struct Tracked {
    height: u32,
    bucket: usize,
}

/// The estimator's state. Methods that only ask take `&mut self` too, since decay is applied when it is needed.
#[derive(Clone, Debug)]
pub struct BlockPolicyEstimator {
    pub(super) best_height: u32,
    first_recorded: u32,
    pub(super) historical_first: u32,
    pub(super) historical_best: u32,
    tracked: BTreeMap<Txid, Tracked>,
    /// Upper bounds.
    pub(super) buckets: Vec<f64>,
    pub(super) short: TxConfirmStats,
    pub(super) medium: TxConfirmStats,
    pub(super) long: TxConfirmStats,
    tracked_since_block: u32,
    untracked_since_block: u32,
}

impl Default for BlockPolicyEstimator {
    fn default() -> Self {
        let mut buckets = Vec::new();
        let mut bound = MIN_BUCKET;
        while bound <= MAX_BUCKET {
            buckets.push(bound);
            bound *= SPACING;
        }
        buckets.push(INFINITE_RATE);
        let n = buckets.len();
        BlockPolicyEstimator {
            best_height: 0,
            first_recorded: 0,
            historical_first: 0,
            historical_best: 0,
            tracked: BTreeMap::new(),
            buckets,
            short: TxConfirmStats::new(n, 12, 0.962, 1),
            medium: TxConfirmStats::new(n, 24, 0.9952, 2),
            long: TxConfirmStats::new(n, 42, 0.99931, 24),
            tracked_since_block: 0,
            untracked_since_block: 0,
        }
    }
}

impl BlockPolicyEstimator {
    /// Without any data.
    pub fn new() -> BlockPolicyEstimator {
        BlockPolicyEstimator::default()
    }

    fn stats(&mut self) -> [&mut TxConfirmStats; 3] {
        [&mut self.medium, &mut self.short, &mut self.long]
    }

    fn horizon(&mut self, horizon: FeeEstimateHorizon) -> &mut TxConfirmStats {
        match horizon {
            FeeEstimateHorizon::Short => &mut self.short,
            FeeEstimateHorizon::Medium => &mut self.medium,
            FeeEstimateHorizon::Long => &mut self.long,
        }
    }

    fn bucket(&self, rate: f64) -> usize {
        self.buckets.partition_point(|bound| *bound < rate).min(self.buckets.len() - 1)
    }

    /// A transaction entered the mempool.
    pub fn process_transaction(&mut self, tx: &NewMempoolTx) {
        let txid = tx.tx.txid();
        if self.tracked.contains_key(&txid) {
            debug!(Category::EstimateFee, "Blockpolicy error mempool tx {txid} already being tracked");
            return;
        }
        if tx.height != self.best_height {
            // Side chains and reorganisations are assumed to be random. Also while not in step with the chain.
            return;
        }
        if tx.bypassed_limits || tx.in_package || !tx.chain_is_current || !tx.no_parents {
            self.untracked_since_block += 1;
            return;
        }
        self.tracked_since_block += 1;
        let rate = FeeRate::of(tx.fee, tx.vsize).fee_per_kvb().0 as f64;
        let bucket = self.bucket(rate);
        self.tracked.insert(txid, Tracked { height: tx.height, bucket });
        self.stats().into_iter().for_each(|s| s.add_tx(tx.height, bucket));
    }

    /// A transaction left the mempool for another reason than a block. True if it was tracked.
    pub fn remove_tx(&mut self, txid: &Txid) -> bool {
        self.remove(txid, false)
    }

    fn remove(&mut self, txid: &Txid, in_block: bool) -> bool {
        let Some(Tracked { height, bucket }) = self.tracked.remove(txid) else { return false };
        let best = self.best_height;
        self.stats().into_iter().for_each(|s| s.remove_tx(height, best, bucket, in_block));
        true
    }

    /// A block was connected and took these out. Costs next to nothing while there is nothing to learn.
    pub fn process_block(&mut self, removed: &[RemovedMempoolTx], height: u32) {
        if height <= self.best_height {
            // Side chains and reorganisations, as above.
            return;
        }
        self.best_height = height;
        self.stats().into_iter().for_each(|s| s.block(height));
        let counted = removed.iter().filter(|tx| self.process_block_tx(height, tx)).count();
        if self.first_recorded == 0 && counted > 0 {
            self.first_recorded = height;
            debug!(Category::EstimateFee, "Blockpolicy first recorded height {height}");
        }
        debug!(
            Category::EstimateFee,
            "Blockpolicy estimates updated by {counted} of {} block txs, since last block {} of {} tracked, \
             mempool map size {}, max target {} from {}",
            removed.len(),
            self.tracked_since_block,
            self.tracked_since_block + self.untracked_since_block,
            self.tracked.len(),
            self.max_usable_estimate(),
            if self.historical_span() > self.block_span() { "historical" } else { "current" }
        );
        (self.tracked_since_block, self.untracked_since_block) = (0, 0);
    }

    fn process_block_tx(&mut self, height: u32, tx: &RemovedMempoolTx) -> bool {
        if !self.remove(&tx.tx.txid(), true) {
            return false;
        }
        let Some(blocks) = height.checked_sub(tx.height).filter(|b| *b > 0) else {
            debug!(Category::EstimateFee, "Blockpolicy error Transaction had negative blocksToConfirm");
            return false;
        };
        let rate = FeeRate::of(tx.fee, tx.vsize).fee_per_kvb().0 as f64;
        let bucket = self.bucket(rate);
        self.stats().into_iter().for_each(|s| s.record(blocks, bucket, rate));
        true
    }

    /// Counts what is still in the mempool as not confirmed, before stopping. How many that were.
    pub fn flush_unconfirmed(&mut self) -> usize {
        let txids: Vec<Txid> = self.tracked.keys().copied().collect();
        txids.iter().filter(|t| self.remove(t, false)).count()
    }

    /// Most blocks that a horizon knows about.
    pub fn highest_target_tracked(&self, horizon: FeeEstimateHorizon) -> u32 {
        match horizon {
            FeeEstimateHorizon::Short => self.short.max_confirms(),
            FeeEstimateHorizon::Medium => self.medium.max_confirms(),
            FeeEstimateHorizon::Long => self.long.max_confirms(),
        }
    }

    /// Heights that the file written now describes.
    pub(super) fn recorded_range(&self) -> (u32, u32) {
        if self.block_span() > self.historical_span() / 2 {
            (self.first_recorded, self.best_height)
        } else {
            (self.historical_first, self.historical_best)
        }
    }

    fn block_span(&self) -> u32 {
        if self.first_recorded == 0 { 0 } else { self.best_height - self.first_recorded }
    }

    fn historical_span(&self) -> u32 {
        if self.historical_first == 0 || self.best_height - self.historical_best > OLDEST_HISTORY {
            return 0;
        }
        self.historical_best - self.historical_first
    }

    fn max_usable_estimate(&self) -> u32 {
        // Half of what was seen, so that there was time to fail.
        self.long.max_confirms().min(self.block_span().max(self.historical_span()) / 2)
    }

    /// The estimate of one horizon for a target and a share of success: `None` when the target is not tracked (0 or
    /// too large) or the share is above 1; otherwise the rate, zero when there is none, and how it came about.
    pub fn estimate_raw_fee(
        &mut self,
        target: i32,
        success: f64,
        horizon: FeeEstimateHorizon,
    ) -> Option<(FeeRate, EstimationResult)> {
        let target = u32::try_from(target).ok().filter(|t| *t > 0)?;
        if target > self.highest_target_tracked(horizon) || success > 1.0 {
            return None;
        }
        let (median, result) = self.median(horizon, target, success);
        Some((rate_of(median), result))
    }

    fn median(&mut self, horizon: FeeEstimateHorizon, target: u32, success: f64) -> (f64, EstimationResult) {
        let short = horizon == FeeEstimateHorizon::Short;
        let sufficient = if short { SUFFICIENT_TXS_SHORT } else { SUFFICIENT_TXS };
        let height = self.best_height;
        let bounds = std::mem::take(&mut self.buckets);
        let found = self.horizon(horizon).estimate_median(&bounds, target, sufficient, success, height);
        self.buckets = bounds;
        found
    }

    /// From the shortest horizon that tracks the target; with `shorter`, a lower answer of a shorter horizon for its
    /// own longest target is taken instead.
    fn combined(&mut self, target: u32, success: f64, shorter: bool, result: &mut EstimationResult) -> f64 {
        use FeeEstimateHorizon::{Long, Medium, Short};
        if target < 1 || target > self.long.max_confirms() {
            return -1.0;
        }
        let (short, medium) = (self.short.max_confirms(), self.medium.max_confirms());
        let horizon = match target {
            t if t <= short => Short,
            t if t <= medium => Medium,
            _ => Long,
        };
        let (mut estimate, found) = self.median(horizon, target, success);
        *result = found;
        if shorter {
            for (horizon, max) in [(Medium, medium), (Short, short)] {
                if target <= max {
                    continue;
                }
                let (other, found) = self.median(horizon, max, success);
                if other > 0.0 && (estimate == -1.0 || other < estimate) {
                    estimate = other;
                    *result = found;
                }
            }
        }
        estimate
    }

    /// What twice the target takes over longer horizons.
    fn conservative(&mut self, double_target: u32, result: &mut EstimationResult) -> f64 {
        let mut estimate = -1.0;
        if double_target <= self.short.max_confirms() {
            (estimate, *result) = self.median(FeeEstimateHorizon::Medium, double_target, DOUBLE_SUCCESS);
        }
        if double_target <= self.medium.max_confirms() {
            let (long, found) = self.median(FeeEstimateHorizon::Long, double_target, DOUBLE_SUCCESS);
            if long > estimate {
                estimate = long;
                *result = found;
            }
        }
        estimate
    }

    /// The rate for a confirmation within `target` blocks, or within as many as there is data for: the highest of
    /// the rates for half of the target, the target and twice the target; a conservative estimate also holds over
    /// longer horizons. Reference: `estimateSmartFee`.
    pub fn estimate_smart_fee(&mut self, target: i32, conservative: bool) -> SmartEstimate {
        let mut answer = SmartEstimate {
            rate: FeeRate::ZERO,
            estimation: EstimationResult::default(),
            reason: EstimateReason::None,
            desired_target: target,
            returned_target: target,
            best_height: self.best_height,
        };
        let Some(blocks) = u32::try_from(target).ok().filter(|t| (1..=self.long.max_confirms()).contains(t))
        else {
            return answer;
        };
        // One block cannot be estimated for.
        let blocks = blocks.max(2).min(self.max_usable_estimate());
        answer.returned_target = blocks as i32;
        if blocks <= 1 {
            return answer;
        }
        // Where no rule gives a result the last one that was looked at stays, as in the reference.
        let mut result = EstimationResult::default();
        let mut median = self.combined(blocks / 2, HALF_SUCCESS, true, &mut result);
        (answer.estimation, answer.reason) = (result, EstimateReason::HalfEstimate);
        let full = self.combined(blocks, SUCCESS, true, &mut result);
        if full > median {
            median = full;
            (answer.estimation, answer.reason) = (result, EstimateReason::FullEstimate);
        }
        let double = self.combined(2 * blocks, DOUBLE_SUCCESS, !conservative, &mut result);
        if double > median {
            median = double;
            (answer.estimation, answer.reason) = (result, EstimateReason::DoubleEstimate);
        }
        if conservative || median == -1.0 {
            let longer = self.conservative(2 * blocks, &mut result);
            if longer > median {
                median = longer;
                (answer.estimation, answer.reason) = (result, EstimateReason::Conservative);
            }
        }
        answer.rate = rate_of(median);
        answer
    }
}

fn rate_of(median: f64) -> FeeRate {
    if median < 0.0 { FeeRate::ZERO } else { FeeRate::per_kvb(median.round() as i64) }
}
