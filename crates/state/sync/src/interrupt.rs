//! A flag that ends waits: one for shutdown, others for single subsystems.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Inner {
    flag: AtomicBool,
    hooks: Mutex<Vec<Hook>>,
    changed: Condvar,
}

/// Shared interrupt token (reference: `CThreadInterrupt`, `SignalInterrupt`). Clones are the same token.
#[derive(Clone, Default)]
pub struct Interrupt {
    inner: Arc<Inner>,
}

impl Interrupt {
    /// A token that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the token, wakes all waits and runs the hooks, each once.
    pub fn interrupt(&self) {
        let hooks = {
            let mut hooks = self.lock();
            self.inner.flag.store(true, Ordering::Release);
            std::mem::take(&mut *hooks)
        };
        self.inner.changed.notify_all();
        for hook in hooks {
            hook();
        }
    }

    /// Clears the token for another run. Hooks that ran are gone.
    pub fn reset(&self) {
        self.inner.flag.store(false, Ordering::Release);
    }

    /// Whether the token is set. One atomic load: meant for inner loops.
    #[inline]
    pub fn is_interrupted(&self) -> bool {
        self.inner.flag.load(Ordering::Acquire)
    }

    /// Sleeps; `false` if the token was set before the time was over.
    pub fn sleep_for(&self, time: Duration) -> bool {
        let end = Instant::now().checked_add(time);
        let mut hooks = self.lock();
        loop {
            if self.is_interrupted() {
                return false;
            }
            let left = match end {
                Some(end) => end.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3600),
            };
            if left.is_zero() {
                return true;
            }
            hooks = self.inner.changed.wait_timeout(hooks, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the token is set.
    pub fn wait(&self) {
        let mut hooks = self.lock();
        while !self.is_interrupted() {
            hooks = self.inner.changed.wait(hooks).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs `hook` once when the token is set, at once if it is set already. Used to wake waits of other kinds
    /// (condition variables, async tasks). The hook must not block.
    pub fn on_interrupt(&self, hook: impl FnOnce() + Send + 'static) {
        let mut hooks = self.lock();
        if self.is_interrupted() {
            drop(hooks);
            hook();
        } else {
            hooks.push(Box::new(hook));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Hook>> {
        self.inner.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interrupt").field(&self.is_interrupted()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn sleep_runs_out_or_is_cut_short() {
        let token = Interrupt::new();
        assert!(token.sleep_for(Duration::from_millis(2)));
        let other = token.clone();
        let thread = std::thread::spawn(move || other.sleep_for(Duration::MAX));
        std::thread::sleep(Duration::from_millis(5));
        token.interrupt();
        assert!(!thread.join().unwrap());
        assert!(token.is_interrupted());
        token.wait();
        assert!(!token.sleep_for(Duration::ZERO));
        token.reset();
        assert!(!token.is_interrupted());
        assert!(token.sleep_for(Duration::ZERO));
    }

    #[test]
    fn hooks_run_once_each() {
        let token = Interrupt::new();
        let count = Arc::new(AtomicUsize::new(0));
        let add = |n: usize| {
            let count = Arc::clone(&count);
            move || {
                count.fetch_add(n, Ordering::SeqCst);
            }
        };
        token.on_interrupt(add(1));
        token.on_interrupt(add(10));
        assert_eq!(count.load(Ordering::SeqCst), 0);
        token.interrupt();
        token.interrupt();
        assert_eq!(count.load(Ordering::SeqCst), 11);
        token.on_interrupt(add(100));
        assert_eq!(count.load(Ordering::SeqCst), 111);
    }
}
