//! Which fee rate it takes to be confirmed within a number of blocks, learned from what entered the mempool and how
//! long it took. Reference: `src/policy/fees/block_policy_estimator.{h,cpp}`.
//!
//! [`BlockPolicyEstimator`] is the state without I/O, [`FeeEstimator`] the shared object with its file
//! (`fee_estimates.dat`): subscribe it to the mempool ([`crate::Mempool::subscribe`]).

mod estimator;
mod file;
mod filter;
mod shared;
mod stats;

pub use estimator::BlockPolicyEstimator;
pub use file::FeeFileError;
pub use filter::FeeFilterRounder;
pub use shared::{FEE_FLUSH_INTERVAL, FeeEstimator, MAX_FILE_AGE};

use grs_policy::FeeRate;

/// Span of time whose data an estimate is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeEstimateHorizon {
    /// Half of the weight on the last 18 blocks; targets up to 12 blocks.
    Short,
    /// Half of the weight on the last 144 blocks; targets up to 48 blocks.
    Medium,
    /// Half of the weight on the last 1,008 blocks; targets up to 1,008 blocks.
    Long,
}

impl FeeEstimateHorizon {
    /// All, as RPC lists them.
    pub const ALL: [FeeEstimateHorizon; 3] =
        [FeeEstimateHorizon::Short, FeeEstimateHorizon::Medium, FeeEstimateHorizon::Long];

    /// The reference's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            FeeEstimateHorizon::Short => "short",
            FeeEstimateHorizon::Medium => "medium",
            FeeEstimateHorizon::Long => "long",
        }
    }
}

/// The rule that gave an estimate. Reference: `FeeReason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EstimateReason {
    /// None did.
    #[default]
    None,
    /// 60 % success at half the target.
    HalfEstimate,
    /// 85 % success at the target.
    FullEstimate,
    /// 95 % success at twice the target.
    DoubleEstimate,
    /// The same over longer horizons.
    Conservative,
}

/// A range of fee rates and what became of its transactions; numbers are moving averages.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EstimatorBucket {
    /// Lower end in gro per 1,000 virtual bytes; -1 when there is no such range.
    pub start: f64,
    /// Upper end.
    pub end: f64,
    /// Confirmed within the target.
    pub within_target: f64,
    /// Confirmed at all.
    pub total_confirmed: f64,
    /// Unconfirmed for at least the target.
    pub in_mempool: f64,
    /// Left unconfirmed after the target.
    pub left_mempool: f64,
}

impl Default for EstimatorBucket {
    fn default() -> Self {
        EstimatorBucket {
            start: -1.0,
            end: -1.0,
            within_target: 0.0,
            total_confirmed: 0.0,
            in_mempool: 0.0,
            left_mempool: 0.0,
        }
    }
}

/// How an estimate came about. Reference: `EstimationResult`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct EstimationResult {
    /// Lowest range that passed.
    pub pass: EstimatorBucket,
    /// Highest range that failed.
    pub fail: EstimatorBucket,
    /// Factor per block.
    pub decay: f64,
    /// Blocks per step of confirmation times.
    pub scale: u32,
}

/// An estimate of `estimatesmartfee`. Reference: `FeeCalculation`.
#[derive(Clone, Copy, Debug)]
pub struct SmartEstimate {
    /// The rate; zero without an estimate.
    pub rate: FeeRate,
    /// How it came about.
    pub estimation: EstimationResult,
    /// Which rule gave it.
    pub reason: EstimateReason,
    /// Blocks asked for.
    pub desired_target: i32,
    /// Blocks that it is good for.
    pub returned_target: i32,
    /// Height up to which blocks were seen.
    pub best_height: u32,
}
