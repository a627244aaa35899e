//! `fee_estimates.dat`.

use grs_encoding::{DecodeError, Encode, Reader, write_compact_size};
use thiserror::Error;

use super::BlockPolicyEstimator;
use super::stats::TxConfirmStats;

/// The format.
const VERSION: i32 = 309_900;
/// Most buckets that a file may have.
const MAX_BUCKETS: usize = 1000;
/// Most blocks that a file may track: a week.
const MAX_CONFIRMS: u64 = 6 * 24 * 7;

/// Why a file could not be used.
#[derive(Debug, Error)]
pub enum FeeFileError {
    /// Written by a later version.
    #[error("File version ({0}) too high to be read.")]
    Version(i32),
    /// Written by an earlier version.
    #[error("Incompatible old fee estimation data (non-fatal). Version: {0}")]
    Old(i32),
    /// Damaged.
    #[error("Corrupt estimates file. {0}")]
    Corrupt(&'static str),
    /// Too short.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

fn write_list(out: &mut Vec<u8>, list: &[f64]) {
    write_compact_size(out, list.len() as u64);
    list.iter().for_each(|v| v.to_bits().encode(out));
}

fn write_rows(out: &mut Vec<u8>, rows: &[Vec<f64>]) {
    write_compact_size(out, rows.len() as u64);
    rows.iter().for_each(|row| write_list(out, row));
}

fn write_stats(out: &mut Vec<u8>, stats: &TxConfirmStats) {
    stats.decay.to_bits().encode(out);
    stats.scale.encode(out);
    write_list(out, &stats.fee_rate);
    write_list(out, &stats.tx_count);
    write_rows(out, &stats.confirmed);
    write_rows(out, &stats.failed);
}

fn read_list(reader: &mut Reader<'_>) -> Result<Vec<f64>, DecodeError> {
    let mut list = Vec::new();
    for _ in 0..reader.compact_size()? {
        list.push(f64::from_bits(reader.u64_le()?));
    }
    Ok(list)
}

fn read_list_of(reader: &mut Reader<'_>, len: usize, what: &'static str) -> Result<Vec<f64>, FeeFileError> {
    let list = read_list(reader)?;
    if list.len() == len { Ok(list) } else { Err(FeeFileError::Corrupt(what)) }
}

fn read_rows(reader: &mut Reader<'_>, len: usize, what: &'static str) -> Result<Vec<Vec<f64>>, FeeFileError> {
    let mut rows = Vec::new();
    for _ in 0..reader.compact_size()? {
        rows.push(read_list_of(reader, len, what)?);
    }
    Ok(rows)
}

fn read_stats(reader: &mut Reader<'_>, buckets: usize) -> Result<TxConfirmStats, FeeFileError> {
    let decay = f64::from_bits(reader.u64_le()?);
    if !(decay > 0.0 && decay < 1.0) {
        return Err(FeeFileError::Corrupt("Decay must be between 0 and 1 (non-inclusive)"));
    }
    let scale = reader.u32_le()?;
    if scale == 0 {
        return Err(FeeFileError::Corrupt("Scale must be non-zero"));
    }
    let fee_rate = read_list_of(reader, buckets, "Mismatch in feerate average bucket count")?;
    let tx_count = read_list_of(reader, buckets, "Mismatch in tx count bucket count")?;
    let confirmed = read_rows(reader, buckets, "Mismatch in feerate conf average bucket count")?;
    if !(1..=MAX_CONFIRMS).contains(&(u64::from(scale) * confirmed.len() as u64)) {
        let what = "Must maintain estimates for between 1 and 1008 (one week) confirms";
        return Err(FeeFileError::Corrupt(what));
    }
    let failed = read_rows(reader, buckets, "Mismatch in one of failure average bucket counts")?;
    if failed.len() != confirmed.len() {
        return Err(FeeFileError::Corrupt("Mismatch in confirms tracked for failures"));
    }
    Ok(TxConfirmStats::from_parts(decay, scale, [fee_rate, tx_count], [confirmed, failed]))
}

impl BlockPolicyEstimator {
    /// The bytes of a file of the present state; transactions in the mempool are not part of it.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        [&mut self.medium, &mut self.short, &mut self.long].into_iter().for_each(TxConfirmStats::settle);
        let mut out = Vec::new();
        VERSION.encode(&mut out);
        self.best_height.encode(&mut out);
        let (first, best) = self.recorded_range();
        first.encode(&mut out);
        best.encode(&mut out);
        write_list(&mut out, &self.buckets);
        [&self.medium, &self.short, &self.long].into_iter().for_each(|s| write_stats(&mut out, s));
        out
    }

    /// Reads a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<BlockPolicyEstimator, FeeFileError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u32_le()? as i32;
        if version > VERSION {
            return Err(FeeFileError::Version(version));
        }
        let best_height = reader.u32_le()?;
        if version < VERSION {
            return Err(FeeFileError::Old(version));
        }
        let (historical_first, historical_best) = (reader.u32_le()?, reader.u32_le()?);
        if historical_first > historical_best || historical_best > best_height {
            return Err(FeeFileError::Corrupt("Historical block range for estimates is invalid"));
        }
        let buckets = read_list(&mut reader)?;
        if !(2..=MAX_BUCKETS).contains(&buckets.len()) {
            return Err(FeeFileError::Corrupt("Must have between 2 and 1000 feerate buckets"));
        }
        let n = buckets.len();
        let (medium, short) = (read_stats(&mut reader, n)?, read_stats(&mut reader, n)?);
        let long = read_stats(&mut reader, n)?;
        let mut estimator = BlockPolicyEstimator::new();
        estimator.best_height = best_height;
        (estimator.historical_first, estimator.historical_best) = (historical_first, historical_best);
        estimator.buckets = buckets;
        (estimator.short, estimator.medium, estimator.long) = (short, medium, long);
        Ok(estimator)
    }
}
