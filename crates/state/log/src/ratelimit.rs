//! Limit of bytes each source line may log unconditionally in a time window, against filled disks.
//! Reference: `BCLog::LogRateLimiter`.

use std::collections::HashMap;
use std::time::Duration;

use crate::Source;

/// Bytes a source line may log to disk in one window.
pub const RATELIMIT_MAX_BYTES: u64 = 1024 * 1024;
/// Length of the window.
pub const RATELIMIT_WINDOW: Duration = Duration::from_secs(3600);

struct Stats {
    function: String,
    available: u64,
    dropped: u64,
}

pub(crate) struct RateLimiter {
    pub(crate) max_bytes: u64,
    pub(crate) window: Duration,
    sources: HashMap<Source, Stats>,
    suppressing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Fits.
    Unsuppressed,
    /// The first line that does not fit. It is still written.
    NewlySuppressed,
    /// A later one.
    StillSuppressed,
}

/// A source line that dropped something in the window that ended.
pub(crate) struct Dropped {
    pub(crate) source: Source,
    pub(crate) function: String,
    pub(crate) bytes: u64,
}

impl RateLimiter {
    pub(crate) fn new(max_bytes: u64, window: Duration) -> Self {
        Self { max_bytes, window, sources: HashMap::new(), suppressing: false }
    }

    pub(crate) fn consume(&mut self, source: Source, function: &str, bytes: u64) -> Status {
        let max = self.max_bytes;
        let fresh = || Stats { function: function.to_owned(), available: max, dropped: 0 };
        let stats = self.sources.entry(source).or_insert_with(fresh);
        let suppressed = stats.dropped > 0;
        if bytes <= stats.available {
            stats.available -= bytes;
        } else {
            stats.dropped += bytes;
            stats.available = 0;
            if !suppressed {
                self.suppressing = true;
                return Status::NewlySuppressed;
            }
        }
        if suppressed { Status::StillSuppressed } else { Status::Unsuppressed }
    }

    /// Whether anything is suppressed at the moment.
    pub(crate) fn suppressing(&self) -> bool {
        self.suppressing
    }

    /// Starts a new window.
    pub(crate) fn reset(&mut self) -> Vec<Dropped> {
        self.suppressing = false;
        let mut dropped: Vec<_> = self
            .sources
            .drain()
            .filter(|(_, stats)| stats.dropped > 0)
            .map(|(source, stats)| Dropped { source, function: stats.function, bytes: stats.dropped })
            .collect();
        dropped.sort_by_key(|d| d.source);
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_own_window() {
        let mut limiter = RateLimiter::new(100, Duration::from_secs(20));
        let a = Source { file: "a.rs", line: 1 };
        let b = Source { file: "a.rs", line: 2 };
        assert_eq!(limiter.consume(a, "f", 60), Status::Unsuppressed);
        assert_eq!(limiter.consume(b, "f", 100), Status::Unsuppressed);
        assert!(!limiter.suppressing());
        assert_eq!(limiter.consume(a, "f", 50), Status::NewlySuppressed);
        assert_eq!(limiter.consume(a, "f", 1), Status::StillSuppressed);
        assert!(limiter.suppressing());
        let dropped = limiter.reset();
        assert_eq!(dropped.len(), 1);
        assert_eq!((dropped[0].source, dropped[0].bytes), (a, 51));
        assert!(!limiter.suppressing());
        assert_eq!(limiter.consume(a, "f", 100), Status::Unsuppressed);
    }
}
