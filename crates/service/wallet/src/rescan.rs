//! Searching old blocks for the wallet's transactions. Reference: `ScanForWalletTransactions`.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use grs_hashes::BlockHash;
use grs_interfaces::{FindBlock, ScanNeedles, ScanStatus, ScannedBlock};
use grs_sync::clock;

use crate::error::{WalletError, WalletResult};
use crate::state::{TIMESTAMP_WINDOW, wallet_log};
use crate::wallet::Wallet;

/// How often progress is logged and saved.
const INTERVAL: Duration = Duration::from_secs(60);

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanEnd {
    /// All blocks were looked at.
    Success,
    /// Some block could not be read.
    Failure,
    /// The user or a shutdown ended it.
    UserAbort,
}

/// What a scan came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScanResult {
    pub(crate) status: ScanEnd,
    /// Last block that was looked at.
    pub(crate) last_scanned: Option<(BlockHash, i32)>,
    /// Height of the last block that could not be read.
    pub(crate) last_failed: Option<u32>,
}

/// The right to scan. Ends when dropped.
pub(crate) struct ScanReserver<'a>(&'a Wallet);

impl Drop for ScanReserver<'_> {
    fn drop(&mut self) {
        self.0.scan.with_passphrase.store(false, Ordering::Release);
        self.0.scan.busy.store(false, Ordering::Release);
    }
}

impl Wallet {
    /// Takes the right to scan; `None` while another scan runs.
    pub(crate) fn reserve_scan(&self, with_passphrase: bool) -> Option<ScanReserver<'_>> {
        if self.scan.busy.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.scan.with_passphrase.store(with_passphrase, Ordering::Release);
        self.scan.progress.store(0_f64.to_bits(), Ordering::Release);
        self.scan.abort.store(false, Ordering::Release);
        *self.scan.start.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Some(ScanReserver(self))
    }

    /// Seconds since the scan began and the share that is done, while one runs.
    pub(crate) fn scan_progress(&self) -> Option<(u64, f64)> {
        if !self.scan.busy.load(Ordering::Acquire) {
            return None;
        }
        let start = *self.scan.start.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = f64::from_bits(self.scan.progress.load(Ordering::Acquire));
        Some((start.map_or(0, |s| s.elapsed().as_secs()), progress))
    }

    /// Scans blocks from a height on, to `stop` or the tip. `update` refreshes transactions that are known already;
    /// `save_progress` notes now and then how far it got. Without `stop` the mempool is looked at too.
    pub(crate) fn scan_chain(
        &self,
        _reserver: &ScanReserver<'_>,
        from: u32,
        stop: Option<u32>,
        update: bool,
        save_progress: bool,
    ) -> WalletResult<ScanResult> {
        let start = Instant::now();
        let mut shown = start;
        let first = self.chain.get_block_hash(from)?;
        let fast = self.chain.has_block_filter_index()?;
        wallet_log!(
            self,
            "Rescan started from block {first}... ({})",
            if fast { "fast variant using block filters" } else { "slow variant inspecting all blocks" }
        );
        let title = format!("[{}] Rescanning…", self.display_name());
        self.chain.show_progress(&title, 0, false)?;
        let begin = self.chain.guess_verification_progress(first)?;
        let tip = self.lock().last_block;
        let end_hash = match stop {
            Some(height) => self.chain.get_block_hash(height)?,
            None => tip,
        };
        let end = self.chain.guess_verification_progress(end_hash)?;
        let needles = {
            let mut state = self.lock();
            state.new_scripts.clear();
            ScanNeedles {
                scripts: state.scripts.keys().cloned().collect(),
                outpoints: state.coins.keys().copied().collect(),
            }
        };
        let scan = self.chain.scan_blocks(needles, stop)?;
        let mut result = ScanResult { status: ScanEnd::Success, last_scanned: None, last_failed: None };
        let (mut next, mut previous) = (from, None);
        let mut added = ScanNeedles::default();
        let mut current = begin;
        let mut interrupted = false;
        loop {
            if self.scan.abort.load(Ordering::Acquire) {
                break;
            }
            if self.chain.shutdown_requested()? {
                interrupted = true;
                break;
            }
            let chunk = scan.next_chunk(next, previous, std::mem::take(&mut added))?;
            if let Some((hash, height)) = self.scan_chunk(&chunk.blocks, update, &mut added)? {
                result.last_scanned = Some((hash, height as i32));
                next = height + 1;
                previous = Some(hash);
                if stop.is_some_and(|stop| height >= stop) {
                    break;
                }
                continue;
            }
            if let Some(last) = chunk.last {
                result.last_scanned = Some((last.hash, last.height as i32));
                previous = Some(last.hash);
                current = chunk.progress;
            }
            next = chunk.next_height;
            if end > begin {
                let share = ((current - begin) / (end - begin)).clamp(0.0, 1.0);
                self.scan.progress.store(share.to_bits(), Ordering::Release);
                self.chain.show_progress(&title, ((share * 100.0) as i32).clamp(1, 99), false)?;
            }
            if shown.elapsed() >= INTERVAL {
                shown = Instant::now();
                wallet_log!(self, "Still rescanning. At block {next}. Progress={current:.6}");
                if save_progress && let Some((hash, height)) = result.last_scanned {
                    wallet_log!(self, "Saving scan progress {height}.");
                    let want = FindBlock { locator: true, ..FindBlock::default() };
                    let locator = self.chain.find_block(hash, want)?.and_then(|b| b.locator);
                    if let Some(locator) = locator {
                        self.lock().write_best_block(&locator)?;
                    }
                }
            }
            match chunk.status {
                ScanStatus::More => {}
                // Notifications tell of the blocks of the other branch.
                ScanStatus::Done | ScanStatus::Reorganized => break,
                ScanStatus::Interrupted => {
                    interrupted = true;
                    break;
                }
                ScanStatus::MissingData => {
                    let pruned = self.chain.get_prune_height()?.unwrap_or(0);
                    result.status = ScanEnd::Failure;
                    let mut failed = next.max(pruned);
                    if let Some(stop) = stop {
                        failed = failed.min(stop);
                    }
                    result.last_failed = Some(failed);
                    next = failed + 1;
                    previous = None;
                    if next > stop.unwrap_or(chunk.tip_height) {
                        break;
                    }
                }
            }
        }
        if stop.is_none() {
            wallet_log!(self, "Scanning current mempool transactions.");
            self.request_mempool_transactions()?;
        }
        self.chain.show_progress(&title, 100, false)?;
        if self.scan.abort.load(Ordering::Acquire) {
            wallet_log!(self, "Rescan aborted at block {next}. Progress={current:.6}");
            result.status = ScanEnd::UserAbort;
        } else if interrupted {
            wallet_log!(
                self,
                "Rescan interrupted by shutdown request at block {next}. Progress={current:.6}"
            );
            result.status = ScanEnd::UserAbort;
        } else {
            wallet_log!(self, "Rescan completed in {:15}ms", start.elapsed().as_millis());
        }
        Ok(result)
    }

    /// Takes in matching blocks, all in one write. When a block leads to new scripts, it stops there and gives that
    /// block: those after it may pay the new scripts, which go to `added`.
    fn scan_chunk(
        &self,
        blocks: &[ScannedBlock],
        update: bool,
        added: &mut ScanNeedles,
    ) -> WalletResult<Option<(BlockHash, u32)>> {
        if blocks.is_empty() {
            return Ok(None);
        }
        let now = clock::now_secs();
        let stopped = self.lock().in_transaction(|state| {
            for found in blocks {
                let block = found.data.decode().map_err(|e| WalletError::text(e.to_string()))?;
                state.scan_block(&block, found.hash, found.height as i32, found.max_time, update, now)?;
                let scripts = std::mem::take(&mut state.new_scripts);
                if !scripts.is_empty() {
                    *added = ScanNeedles { scripts, outpoints: Vec::new() };
                    return Ok(Some((found.hash, found.height)));
                }
            }
            Ok(None)
        })?;
        self.run_notices();
        Ok(stopped)
    }

    /// Scans from the first block that may hold payments to keys of a time on. Gives the time from which on the scan
    /// is complete: later than `time` when blocks could not be read.
    pub(crate) fn rescan_from_time(
        &self,
        reserver: &ScanReserver<'_>,
        time: i64,
        update: bool,
    ) -> WalletResult<i64> {
        let first = self.chain.find_first_block_with_time_and_height(
            time.saturating_sub(TIMESTAMP_WINDOW),
            0,
            FindBlock::default(),
        )?;
        let tip = self.lock().last_block_height;
        let count = first.as_ref().map_or(0, |block| i64::from(tip) - i64::from(block.height) + 1);
        wallet_log!(self, "RescanFromTime: Rescanning last {count} blocks");
        let Some(first) = first else { return Ok(time) };
        let result = self.scan_chain(reserver, first.height, None, update, false)?;
        if let (ScanEnd::Failure, Some(failed)) = (result.status, result.last_failed) {
            let hash = self.chain.get_block_hash(failed)?;
            if let Some(block) = self.chain.find_block(hash, FindBlock::default())? {
                return Ok(block.max_time + TIMESTAMP_WINDOW + 1);
            }
        }
        Ok(time)
    }
}
