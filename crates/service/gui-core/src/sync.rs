//! Progress of the synchronisation: speed, time left. Reference: `src/qt/modaloverlay.cpp`.

use std::collections::VecDeque;

use grs_interfaces::gui::SyncSnapshot;

/// A tip older than this, in seconds, is one to catch up from.
pub const BEHIND_AFTER: i64 = 90 * 60;
/// Samples are kept for so many milliseconds.
const SPAN_MS: i64 = 500_000;
const MOST_SAMPLES: usize = 5000;

/// How fast it goes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SyncRate {
    /// Share of the whole per hour, 0.0 to 1.0; `None` while not known.
    pub per_hour: Option<f64>,
    /// Seconds left; `None` while not known.
    pub seconds_left: Option<i64>,
}

/// Works out the speed from samples of the progress.
#[derive(Debug, Clone, Default)]
pub struct SyncMeter {
    samples: VecDeque<(i64, f64)>,
}

impl SyncMeter {
    /// Takes the progress at a time in Unix milliseconds.
    pub fn add(&mut self, time_ms: i64, progress: f64) -> SyncRate {
        if self.samples.back().is_some_and(|(time, old)| *time >= time_ms || progress < *old) {
            self.samples.clear();
        }
        self.samples.push_back((time_ms, progress));
        while self.samples.len() > MOST_SAMPLES
            || self.samples.len() > 2
                && self.samples.front().is_some_and(|(time, _)| *time < time_ms - SPAN_MS)
        {
            self.samples.pop_front();
        }
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return SyncRate::default();
        };
        let (span, gain) = ((last.0 - first.0) as f64, last.1 - first.1);
        if span < 1000.0 || gain <= 0.0 {
            return SyncRate::default();
        }
        let per_ms = gain / span;
        SyncRate {
            per_hour: Some(per_ms * 3_600_000.0),
            seconds_left: Some(((1.0 - progress).max(0.0) / per_ms / 1000.0) as i64),
        }
    }
}

/// What a node is busy with while it catches up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SyncPhase {
    /// The tip is of now.
    UpToDate,
    /// Waiting for peers.
    Connecting,
    /// First pass over the headers; share done.
    PresyncHeaders(f64),
    /// Headers; share done.
    Headers(f64),
    /// Blocks from peers.
    Blocks,
    /// Blocks from disk.
    Disk,
}

/// The phase at `now` in Unix seconds. `spacing` is the aimed time between two blocks in seconds.
pub fn phase(sync: &SyncSnapshot, peers: u32, spacing: u32, now: i64) -> SyncPhase {
    let spacing = f64::from(spacing.max(1));
    // Blocks that must have been made since a header.
    let share = |height: u32, time: i64| {
        let missing = ((now - time).max(0) as f64) / spacing;
        f64::from(height) / (f64::from(height) + missing).max(1.0)
    };
    if now - sync.tip_time < BEHIND_AFTER {
        return SyncPhase::UpToDate;
    }
    if sync.loading_blocks {
        return SyncPhase::Disk;
    }
    if peers == 0 {
        return SyncPhase::Connecting;
    }
    if let Some(height) = sync.presync_headers.filter(|height| *height > sync.headers) {
        return SyncPhase::PresyncHeaders(share(height, now));
    }
    if now - sync.header_time > 24 * 60 * 60 {
        return SyncPhase::Headers(share(sync.headers, sync.header_time));
    }
    SyncPhase::Blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_and_time_left() {
        let mut meter = SyncMeter::default();
        assert_eq!(meter.add(0, 0.1), SyncRate::default());
        assert_eq!(meter.add(500, 0.1), SyncRate::default());
        let rate = meter.add(3_600_000, 0.55);
        assert!(rate.per_hour.is_some_and(|r| (r - 0.45).abs() < 1e-3));
        assert!(rate.seconds_left.is_some_and(|s| (3599..=3600).contains(&s)));
        // A new chain begins again.
        assert_eq!(meter.add(3_601_000, 0.2), SyncRate::default());
    }

    #[test]
    fn phases_of_catching_up() {
        let now = 2_000_000_000;
        let mut sync = SyncSnapshot { tip_time: now - 60, header_time: now, ..SyncSnapshot::default() };
        assert_eq!(phase(&sync, 0, 60, now), SyncPhase::UpToDate);
        sync.tip_time = now - BEHIND_AFTER;
        assert_eq!(phase(&sync, 0, 60, now), SyncPhase::Connecting);
        assert_eq!(phase(&sync, 1, 60, now), SyncPhase::Blocks);
        sync.headers = 1000;
        sync.header_time = now - 60_000 * 2;
        assert_eq!(phase(&sync, 1, 60, now), SyncPhase::Headers(1000.0 / 3000.0));
        sync.presync_headers = Some(1500);
        assert!(matches!(phase(&sync, 1, 60, now), SyncPhase::PresyncHeaders(_)));
        sync.loading_blocks = true;
        assert_eq!(phase(&sync, 1, 60, now), SyncPhase::Disk);
    }
}
