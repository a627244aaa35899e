//! The node's clock. `setmocktime` and `-mocktime` replace wall time; timers that must not jump use steady time.
//!
//! All state is global, as in the reference (`util/time.h`: `NodeClock`, `MockableSteadyClock`).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Mocked wall time in seconds; 0 means real time.
static MOCK_TIME: AtomicI64 = AtomicI64::new(0);
/// Mocked steady time in microseconds; 0 means real time.
static MOCK_STEADY: AtomicU64 = AtomicU64::new(0);
static STEADY_START: OnceLock<Instant> = OnceLock::new();

/// Wall time since 1970 (reference: `NodeClock::now`); the mock time while one is set.
pub fn now() -> Duration {
    match MOCK_TIME.load(Ordering::Relaxed) {
        0 => system_now(),
        secs => Duration::from_secs(secs.unsigned_abs()),
    }
}

/// [`now`] in whole seconds (reference: `GetTime`).
pub fn now_secs() -> i64 {
    now().as_secs() as i64
}

/// Wall time since 1970, never mocked. For log lines and measurements that must be true.
pub fn system_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Time that never goes back, from an arbitrary start (reference: `MockableSteadyClock::now`).
/// Wall mock time does not change it; only [`set_mock_steady`] does.
pub fn steady_now() -> Duration {
    match MOCK_STEADY.load(Ordering::Relaxed) {
        0 => {
            // One second ahead, so that the result is never zero and callers may use zero for "never".
            STEADY_START.get_or_init(Instant::now).elapsed() + Duration::from_secs(1)
        }
        micros => Duration::from_micros(micros),
    }
}

/// Sets mock time in seconds since 1970 (`setmocktime`); 0 or less returns to real time.
pub fn set_mock_time(secs: i64) {
    MOCK_TIME.store(secs.max(0), Ordering::Relaxed);
}

/// The mock time in seconds, `None` while real time is used.
pub fn mock_time() -> Option<i64> {
    Some(MOCK_TIME.load(Ordering::Relaxed)).filter(|&t| t != 0)
}

/// Sets steady time, for tests; `None` returns to real time.
pub fn set_mock_steady(time: Option<Duration>) {
    let micros = time.map_or(0, |t| u64::try_from(t.as_micros()).unwrap_or(u64::MAX).max(1));
    MOCK_STEADY.store(micros, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test, because the state is global and tests run at the same time.
    #[test]
    fn mock_time_replaces_wall_time_only() {
        assert_eq!(mock_time(), None);
        assert!(now_secs() > 1_700_000_000);
        let steady = steady_now();
        set_mock_time(1_000_000);
        assert_eq!(now(), Duration::from_secs(1_000_000));
        assert_eq!(now_secs(), 1_000_000);
        assert_eq!(mock_time(), Some(1_000_000));
        assert!(system_now().as_secs() > 1_700_000_000);
        assert!(steady_now() >= steady && steady_now() < steady + Duration::from_secs(100));
        set_mock_time(-5);
        assert_eq!(mock_time(), None);
        set_mock_time(7);
        set_mock_time(0);
        assert!(now_secs() > 1_700_000_000);

        set_mock_steady(Some(Duration::from_micros(77)));
        assert_eq!(steady_now(), Duration::from_micros(77));
        set_mock_steady(None);
        assert!(steady_now() >= steady);
    }
}
