//! Bytes sent and received in all, and the upload limit. Reference: `RecordBytesSent`, `OutboundTargetReached`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::NetTotals;
use crate::node::lock;

/// Length of an upload cycle, seconds.
const TIMEFRAME: i64 = 24 * 60 * 60;
/// What a block may take.
const MAX_BLOCK_SIZE: u64 = 4_000_000;

#[derive(Default)]
struct Cycle {
    start: i64,
    sent: u64,
}

pub(crate) struct Traffic {
    limit: u64,
    sent: AtomicU64,
    received: AtomicU64,
    cycle: Mutex<Cycle>,
}

impl Traffic {
    pub(crate) fn new(limit: u64) -> Traffic {
        Traffic { limit, sent: AtomicU64::new(0), received: AtomicU64::new(0), cycle: Mutex::default() }
    }

    pub(crate) fn record_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts sent bytes; with a limit, tells whether it is reached for old blocks and for everything.
    pub(crate) fn record_sent(&self, bytes: usize, now: i64) -> Option<(bool, bool)> {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.limit == 0 {
            return None;
        }
        {
            let mut cycle = lock(&self.cycle);
            if cycle.start + TIMEFRAME < now {
                *cycle = Cycle { start: now, sent: 0 };
            }
            cycle.sent += bytes as u64;
        }
        Some(self.reached(now))
    }

    fn reached(&self, now: i64) -> (bool, bool) {
        if self.limit == 0 {
            return (false, false);
        }
        let sent = lock(&self.cycle).sent;
        // Room to relay each block once more in what is left of the cycle.
        let buffer = self.time_left(now) / 600 * MAX_BLOCK_SIZE;
        let historical = buffer >= self.limit || sent >= self.limit - buffer;
        (historical, sent >= self.limit)
    }

    fn time_left(&self, now: i64) -> u64 {
        let start = lock(&self.cycle).start;
        if self.limit == 0 {
            0
        } else if start == 0 {
            TIMEFRAME as u64
        } else {
            (start + TIMEFRAME - now).max(0) as u64
        }
    }

    pub(crate) fn totals(&self, now: i64) -> NetTotals {
        let (historical, all) = self.reached(now);
        let used = lock(&self.cycle).sent;
        NetTotals {
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            timeframe: TIMEFRAME as u64,
            target: self.limit,
            target_reached: all,
            serve_historical: !historical,
            bytes_left: self.limit.saturating_sub(used),
            time_left: self.time_left(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_by_cycle() {
        let traffic = Traffic::new(800_000_000);
        let now = 1_700_000_000;
        assert_eq!(traffic.record_sent(1000, now), Some((false, false)));
        // 144 blocks are reserved.
        assert_eq!(traffic.record_sent(230_000_000, now), Some((true, false)));
        assert_eq!(traffic.record_sent(600_000_000, now), Some((true, true)));
        let totals = traffic.totals(now);
        assert_eq!((totals.bytes_left, totals.target_reached, totals.serve_historical), (0, true, false));
        assert_eq!(traffic.record_sent(1, now + TIMEFRAME + 1), Some((false, false)));
        let unlimited = Traffic::new(0);
        assert_eq!(unlimited.record_sent(5, now), None);
        assert_eq!(unlimited.totals(now).time_left, 0);
        assert_eq!(unlimited.totals(now).sent, 5);
    }
}
