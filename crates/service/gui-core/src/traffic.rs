//! Samples of network traffic. Reference: `src/qt/trafficgraphwidget.cpp`.

use std::collections::VecDeque;

/// Longest span that can be shown, in seconds.
pub const LONGEST: i64 = 24 * 60 * 60;
/// Seconds between two samples.
pub const STEP: i64 = 2;

/// Bytes per second over a span.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrafficSample {
    /// End of the span, Unix seconds.
    pub time: i64,
    /// Received per second.
    pub received: f32,
    /// Sent per second.
    pub sent: f32,
}

/// Samples of the last day.
#[derive(Debug, Clone, Default)]
pub struct TrafficHistory {
    samples: VecDeque<TrafficSample>,
    last: Option<(i64, u64, u64)>,
    base: (u64, u64),
    totals: (u64, u64),
}

impl TrafficHistory {
    /// Takes the totals of a node at a time in Unix seconds. Totals that went down are those of a new process.
    pub fn add(&mut self, time: i64, received: u64, sent: u64) -> bool {
        let Some((before, old_received, old_sent)) = self.last else {
            self.last = Some((time, received, sent));
            self.totals = (received, sent);
            return true;
        };
        if received < old_received || sent < old_sent {
            self.base = (0, 0);
            self.last = Some((time, received, sent));
            self.totals = (received, sent);
            return true;
        }
        let span = time - before;
        if span < STEP {
            return false;
        }
        let rate = |new: u64, old: u64| (new - old) as f32 / span as f32;
        let sample =
            TrafficSample { time, received: rate(received, old_received), sent: rate(sent, old_sent) };
        // A longer pause without traffic is a level line at zero, not a slope.
        if span > 2 * STEP && self.samples.back().is_some() {
            self.samples.push_back(TrafficSample { time: time - STEP, ..sample });
        }
        self.samples.push_back(sample);
        self.last = Some((time, received, sent));
        self.totals = (received, sent);
        while self.samples.front().is_some_and(|s| s.time < time - LONGEST) {
            self.samples.pop_front();
        }
        true
    }

    /// Counts from zero; the samples go.
    pub fn reset(&mut self) {
        self.base = self.totals;
        self.samples.clear();
    }

    /// Bytes received and sent since the start of the node, or since the reset.
    pub fn totals(&self) -> (u64, u64) {
        (self.totals.0.saturating_sub(self.base.0), self.totals.1.saturating_sub(self.base.1))
    }

    /// Samples of the last `span` seconds, thinned out to `most` points, each the mean of its part.
    pub fn points(&self, span: i64, most: usize) -> Vec<TrafficSample> {
        let Some(end) = self.samples.back().map(|s| s.time) else { return Vec::new() };
        let start = self.samples.partition_point(|s| s.time < end - span);
        let count = self.samples.len() - start;
        let width = count.div_ceil(most.max(1)).max(1);
        let samples: Vec<TrafficSample> = self.samples.range(start..).copied().collect();
        samples
            .chunks(width)
            .map(|part| {
                let mean = |f: fn(&TrafficSample) -> f32| part.iter().map(f).sum::<f32>() / part.len() as f32;
                let time = part.last().map_or(end, |s| s.time);
                TrafficSample { time, received: mean(|s| s.received), sent: mean(|s| s.sent) }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_totals_and_restarts() {
        let mut history = TrafficHistory::default();
        assert!(history.add(100, 1000, 500));
        assert!(!history.add(101, 1500, 500));
        assert!(history.add(102, 2000, 600));
        let points = history.points(60, 100);
        assert_eq!(points, [TrafficSample { time: 102, received: 500.0, sent: 50.0 }]);
        assert_eq!(history.totals(), (2000, 600));
        history.reset();
        assert_eq!(history.totals(), (0, 0));
        assert!(history.points(60, 100).is_empty());
        history.add(104, 2100, 600);
        assert_eq!(history.totals(), (100, 0));
        // The node was started again.
        history.add(106, 10, 10);
        assert_eq!(history.totals(), (10, 10));
        history.add(108, 20, 10);
        assert_eq!(history.points(60, 100).last().map(|p| p.received), Some(5.0));
    }

    #[test]
    fn a_day_is_kept_and_thinned_out() {
        let mut history = TrafficHistory::default();
        for n in 0..50_000_i64 {
            history.add(n * 2, n as u64 * 200, n as u64 * 100);
        }
        let all = history.points(LONGEST, 800);
        assert!((400..=800).contains(&all.len()), "{}", all.len());
        assert!(all.iter().all(|p| p.received == 100.0 && p.sent == 50.0));
        assert!(all[0].time >= 100_000 - 2 - LONGEST);
        assert_eq!(history.points(10, 800).len(), 6);
    }
}
