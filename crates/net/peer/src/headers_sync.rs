//! Headers of a chain whose work is not known to be enough: looked through once, with one bit kept of some of them,
//! then downloaded again and stored. Reference: `headerssync.cpp`.

use std::collections::VecDeque;

use grs_addrman::Rng;
use grs_blockstore::{BlockId, BlockIndex};
use grs_consensus::MAX_FUTURE_BLOCK_TIME;
use grs_hashes::{BlockHash, sip_hash_uint256};
use grs_log::{Category, debug};
use grs_params::HeadersSyncParams;
use grs_primitives::{BlockLocator, HashedHeader};
use grs_uint::{U256, block_work};

use crate::PeerId;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Presync,
    Redownload,
    Final,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub(crate) struct Processed {
    /// Headers ready for the index.
    pub(crate) ready: Vec<HashedHeader>,
    pub(crate) success: bool,
    pub(crate) request_more: bool,
}

#[derive(Debug)]
pub(crate) struct HeadersSync {
    peer: PeerId,
    params: HeadersSyncParams,
    offset: usize,
    salt: (u64, u64),
    start_hash: BlockHash,
    start_height: i64,
    start_work: U256,
    start_locator: Vec<BlockHash>,
    minimum_work: U256,
    max_commitments: usize,
    phase: Phase,

    work: U256,
    height: i64,
    last_hash: BlockHash,
    last_time: u32,
    commitments: VecDeque<bool>,

    again: VecDeque<HashedHeader>,
    again_height: i64,
    again_last: BlockHash,
    again_work: U256,
    process_rest: bool,
}

impl HeadersSync {
    pub(crate) fn new(
        peer: PeerId,
        params: HeadersSyncParams,
        index: &BlockIndex,
        start: BlockId,
        minimum_work: U256,
        now: i64,
        rng: &mut Rng,
    ) -> HeadersSync {
        let header = index.header(start);
        let seconds = (now - index.median_time_past(start) + MAX_FUTURE_BLOCK_TIME).max(0) as usize;
        let sync = HeadersSync {
            peer,
            params,
            offset: rng.below(params.commitment_period as u64) as usize,
            salt: (rng.u64(), rng.u64()),
            start_hash: index.hash(start),
            start_height: index.height(start).into(),
            start_work: index.work(start),
            start_locator: index.locator(start).hashes,
            minimum_work,
            max_commitments: 6 * seconds / params.commitment_period,
            phase: Phase::Presync,
            work: index.work(start),
            height: index.height(start).into(),
            last_hash: index.hash(start),
            last_time: header.time,
            commitments: VecDeque::new(),
            again: VecDeque::new(),
            again_height: 0,
            again_last: BlockHash::ZERO,
            again_work: U256::ZERO,
            process_rest: false,
        };
        debug!(
            Category::Net,
            "Initial headers sync started with peer={peer}: height={}, max_commitments={}, min_work={}",
            sync.height,
            sync.max_commitments,
            minimum_work
        );
        sync
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn presync_height(&self) -> i64 {
        self.height
    }

    pub(crate) fn presync_time(&self) -> u32 {
        self.last_time
    }

    pub(crate) fn presync_work(&self) -> U256 {
        self.work
    }

    fn finish(&mut self) {
        self.phase = Phase::Final;
        self.commitments = VecDeque::new();
        self.again = VecDeque::new();
    }

    pub(crate) fn process(&mut self, headers: &[HashedHeader], full: bool) -> Processed {
        let mut out = Processed::default();
        if headers.is_empty() || self.phase == Phase::Final {
            return out;
        }
        if self.phase == Phase::Presync {
            out.success = self.presync(headers);
            if out.success {
                out.request_more = full || self.phase == Phase::Redownload;
                if !out.request_more {
                    self.log(&format!(
                        "incomplete headers message at height={} (presync phase)",
                        self.height
                    ));
                }
            }
        } else {
            out.success = headers.iter().all(|header| self.take_again(header));
            if out.success {
                while self.again.len() > self.params.redownload_buffer_size
                    || (self.process_rest && !self.again.is_empty())
                {
                    out.ready.extend(self.again.pop_front());
                }
                if self.again.is_empty() && self.process_rest {
                    debug!(
                        Category::Net,
                        "Initial headers sync complete with peer={}: releasing all at height={} (redownload phase)",
                        self.peer,
                        self.again_height
                    );
                } else if full {
                    out.request_more = true;
                } else {
                    let height = self.again_height;
                    self.log(&format!("incomplete headers message at height={height} (redownload phase)"));
                }
            }
        }
        if !(out.success && out.request_more) {
            self.finish();
        }
        out
    }

    fn log(&self, why: &str) {
        debug!(Category::Net, "Initial headers sync aborted with peer={}: {why}", self.peer);
    }

    fn bit(&self, hash: &BlockHash) -> bool {
        sip_hash_uint256(self.salt.0, self.salt.1, hash.as_bytes()) & 1 == 1
    }

    fn commits(&self, height: i64) -> bool {
        height as usize % self.params.commitment_period == self.offset
    }

    fn presync(&mut self, headers: &[HashedHeader]) -> bool {
        if headers[0].prev != self.last_hash {
            self.log(&format!("non-continuous headers at height={} (presync phase)", self.height));
            return false;
        }
        for header in headers {
            let height = self.height + 1;
            if self.commits(height) {
                self.commitments.push_back(self.bit(&header.hash()));
                if self.commitments.len() > self.max_commitments {
                    self.log(&format!("exceeded max commitments at height={height} (presync phase)"));
                    return false;
                }
            }
            self.work = self.work.checked_add(block_work(header.bits)).unwrap_or(U256::MAX);
            self.last_hash = header.hash();
            self.last_time = header.time;
            self.height = height;
        }
        if self.work >= self.minimum_work {
            self.again_height = self.start_height;
            self.again_last = self.start_hash;
            self.again_work = self.start_work;
            self.phase = Phase::Redownload;
            debug!(
                Category::Net,
                "Initial headers sync transition with peer={}: reached sufficient work at height={}, redownloading \
                 from height={}",
                self.peer,
                self.height,
                self.start_height
            );
        }
        true
    }

    fn take_again(&mut self, header: &HashedHeader) -> bool {
        let height = self.again_height + 1;
        if header.prev != self.again_last {
            self.log(&format!("non-continuous headers at height={height} (redownload phase)"));
            return false;
        }
        self.again_work = self.again_work.checked_add(block_work(header.bits)).unwrap_or(U256::MAX);
        if self.again_work >= self.minimum_work {
            self.process_rest = true;
        }
        if !self.process_rest && self.commits(height) {
            let Some(expected) = self.commitments.pop_front() else {
                self.log(&format!("commitment overrun at height={height} (redownload phase)"));
                return false;
            };
            if expected != self.bit(&header.hash()) {
                self.log(&format!("commitment mismatch at height={height} (redownload phase)"));
                return false;
            }
        }
        self.again.push_back(*header);
        self.again_height = height;
        self.again_last = header.hash();
        true
    }

    /// From where to ask on.
    pub(crate) fn next_locator(&self) -> BlockLocator {
        let first = if self.phase == Phase::Presync { self.last_hash } else { self.again_last };
        BlockLocator { hashes: std::iter::once(first).chain(self.start_locator.iter().copied()).collect() }
    }
}
