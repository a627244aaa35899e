//! Moving averages of one horizon. Reference: `TxConfirmStats`.

use grs_log::{Category, debug};

use super::{EstimationResult, EstimatorBucket};

/// Factors up to this many blocks are multiplied one after the other, as the reference does, so that results are the
/// same to the last bit.
const EXACT_BLOCKS: u32 = 4096;

/// Counts by bucket of fee rates and by time to confirmation.
#[derive(Clone, Debug)]
pub(super) struct TxConfirmStats {
    pub(super) buckets: usize,
    /// Transactions of each bucket.
    pub(super) tx_count: Vec<f64>,
    /// Sum of their rates.
    pub(super) fee_rate: Vec<f64>,
    /// Confirmed within so many periods, by period and bucket.
    pub(super) confirmed: Vec<Vec<f64>>,
    /// Left without confirmation after so many periods.
    pub(super) failed: Vec<Vec<f64>>,
    pub(super) decay: f64,
    /// Blocks of a period.
    pub(super) scale: u32,
    /// In the mempool, by height of entry (modulo) and bucket.
    unconfirmed: Vec<Vec<i32>>,
    /// In the mempool for longer than is tracked.
    old_unconfirmed: Vec<i32>,
    /// Sum of the two.
    waiting: u64,
    /// Blocks whose decay is not applied yet.
    pending: u32,
    /// All averages are zero, so that decay changes nothing.
    blank: bool,
}

impl TxConfirmStats {
    pub(super) fn new(buckets: usize, periods: usize, decay: f64, scale: u32) -> TxConfirmStats {
        let rows = || vec![vec![0.0; buckets]; periods];
        TxConfirmStats::from_parts(decay, scale, [vec![0.0; buckets], vec![0.0; buckets]], [rows(), rows()])
    }

    /// From what a file holds; all rows have as many buckets as the first.
    pub(super) fn from_parts(
        decay: f64,
        scale: u32,
        [fee_rate, tx_count]: [Vec<f64>; 2],
        [confirmed, failed]: [Vec<Vec<f64>>; 2],
    ) -> TxConfirmStats {
        let buckets = tx_count.len();
        let blocks = scale as usize * confirmed.len();
        let averages = || confirmed.iter().chain(&failed).flatten().chain(&fee_rate).chain(&tx_count);
        let blank = averages().all(|v| *v == 0.0);
        TxConfirmStats {
            buckets,
            tx_count,
            fee_rate,
            confirmed,
            failed,
            decay,
            scale,
            unconfirmed: vec![vec![0; buckets]; blocks],
            old_unconfirmed: vec![0; buckets],
            waiting: 0,
            pending: 0,
            blank,
        }
    }

    /// Blocks that are tracked.
    pub(super) fn max_confirms(&self) -> u32 {
        self.scale * self.confirmed.len() as u32
    }

    /// A block came: what waits is a block older, averages weigh less.
    pub(super) fn block(&mut self, height: u32) {
        if self.waiting > 0 {
            let slot = height as usize % self.unconfirmed.len();
            for (old, new) in self.old_unconfirmed.iter_mut().zip(&mut self.unconfirmed[slot]) {
                *old += std::mem::take(new);
            }
        }
        if !self.blank {
            self.pending = self.pending.saturating_add(1);
        }
    }

    /// Applies the decay that was put off.
    pub(super) fn settle(&mut self) {
        let blocks = std::mem::take(&mut self.pending);
        if blocks == 0 {
            return;
        }
        let decay = self.decay;
        let rows = self.confirmed.iter_mut().chain(&mut self.failed);
        let all = rows.chain([&mut self.fee_rate, &mut self.tx_count]).flatten();
        for value in all.filter(|v| **v != 0.0) {
            if blocks > EXACT_BLOCKS {
                *value *= decay.powf(f64::from(blocks));
            } else {
                (0..blocks).for_each(|_| *value *= decay);
            }
        }
    }

    /// A transaction was confirmed `blocks` after it came.
    pub(super) fn record(&mut self, blocks: u32, bucket: usize, rate: f64) {
        if blocks < 1 {
            return;
        }
        self.settle();
        self.blank = false;
        let periods = blocks.div_ceil(self.scale) as usize;
        self.confirmed.iter_mut().skip(periods - 1).for_each(|row| row[bucket] += 1.0);
        self.tx_count[bucket] += 1.0;
        self.fee_rate[bucket] += rate;
    }

    pub(super) fn add_tx(&mut self, height: u32, bucket: usize) {
        let slot = height as usize % self.unconfirmed.len();
        self.unconfirmed[slot][bucket] += 1;
        self.waiting += 1;
    }

    /// A tracked transaction left the mempool.
    pub(super) fn remove_tx(&mut self, entry_height: u32, best_height: u32, bucket: usize, in_block: bool) {
        let age = if best_height == 0 { 0 } else { i64::from(best_height) - i64::from(entry_height) };
        if age < 0 {
            debug!(Category::EstimateFee, "Blockpolicy error, blocks ago is negative for mempool tx");
            return;
        }
        let age = age as usize;
        let len = self.unconfirmed.len();
        let counter = if age >= len {
            &mut self.old_unconfirmed[bucket]
        } else {
            &mut self.unconfirmed[entry_height as usize % len][bucket]
        };
        if *counter > 0 {
            *counter -= 1;
            self.waiting -= 1;
        } else {
            debug!(
                Category::EstimateFee,
                "Blockpolicy error, mempool tx removed from bucketIndex={bucket} already"
            );
        }
        if !in_block && age >= self.scale as usize {
            self.settle();
            self.blank = false;
            let periods = age / self.scale as usize;
            self.failed.iter_mut().take(periods).for_each(|row| row[bucket] += 1.0);
        }
    }

    /// The average rate in the bucket with the median transaction of the lowest range of buckets that is confirmed
    /// within `target` blocks (1 up to [`TxConfirmStats::max_confirms`]) often enough; -1 when there is none.
    /// Reference: `EstimateMedianVal`.
    pub(super) fn estimate_median(
        &mut self,
        bounds: &[f64],
        target: u32,
        sufficient: f64,
        success: f64,
        height: u32,
    ) -> (f64, EstimationResult) {
        self.settle();
        let period = target.div_ceil(self.scale) as usize - 1;
        let last = self.buckets - 1;
        let range = |near: usize, far: usize, counts: EstimatorBucket| EstimatorBucket {
            start: if far > 0 { bounds[far - 1] } else { 0.0 },
            end: bounds[near],
            ..counts
        };
        let (mut near, mut best) = (last, (last, last));
        let (mut counts, mut waiting, mut partial) = (EstimatorBucket::default(), 0_i64, 0.0);
        let (mut new_range, mut passing, mut found) = (true, true, false);
        let (mut pass, mut fail) = (EstimatorBucket::default(), EstimatorBucket::default());
        let mut far = last;
        for bucket in (0..=last).rev() {
            if new_range {
                near = bucket;
                new_range = false;
            }
            far = bucket;
            counts.within_target += self.confirmed[period][bucket];
            partial += self.tx_count[bucket];
            counts.total_confirmed += self.tx_count[bucket];
            counts.left_mempool += self.failed[period][bucket];
            waiting += i64::from(self.waiting_since(target, height, bucket));
            counts.in_mempool = waiting as f64;
            if partial < sufficient / (1.0 - self.decay) {
                continue;
            }
            partial = 0.0;
            let all = counts.total_confirmed + counts.left_mempool + counts.in_mempool;
            if counts.within_target / all < success {
                if passing {
                    fail = range(near, far, counts);
                    passing = false;
                }
                continue;
            }
            fail = EstimatorBucket::default();
            (found, passing, new_range) = (true, true, true);
            pass = counts;
            (counts, waiting) = (EstimatorBucket::default(), 0);
            best = (near, far);
        }
        let mut median = -1.0;
        let chosen = best.1..=best.0;
        let mut half: f64 = self.tx_count[chosen.clone()].iter().sum();
        if found && half != 0.0 {
            half /= 2.0;
            for bucket in chosen {
                if self.tx_count[bucket] < half {
                    half -= self.tx_count[bucket];
                } else {
                    median = self.fee_rate[bucket] / self.tx_count[bucket];
                    break;
                }
            }
            pass = range(best.0, best.1, pass);
        }
        if passing && !new_range {
            fail = range(near, far, counts);
        }
        debug!(
            Category::EstimateFee,
            "FeeEst: {target} > {:.0}% decay {:.5}: feerate: {median} from ({} - {}) {:.1}/({:.1} {} mem {:.1} out) \
             Fail: ({} - {}) {:.1}/({:.1} {} mem {:.1} out)",
            100.0 * success,
            self.decay,
            pass.start,
            pass.end,
            pass.within_target,
            pass.total_confirmed,
            pass.in_mempool,
            pass.left_mempool,
            fail.start,
            fail.end,
            fail.within_target,
            fail.total_confirmed,
            fail.in_mempool,
            fail.left_mempool
        );
        (median, EstimationResult { pass, fail, decay: self.decay, scale: self.scale })
    }

    /// Transactions of a bucket that wait for at least `target` blocks.
    fn waiting_since(&self, target: u32, height: u32, bucket: usize) -> i32 {
        if self.waiting == 0 {
            return 0;
        }
        let bins = self.unconfirmed.len() as u32;
        let tracked = (target..self.max_confirms())
            .map(|age| self.unconfirmed[(height.wrapping_sub(age) % bins) as usize][bucket]);
        tracked.sum::<i32>() + self.old_unconfirmed[bucket]
    }
}
