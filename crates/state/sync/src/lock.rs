//! Mutex and read-write lock with a rank. The order of ranks is the lock map of the crate's documentation.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{
    Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};
use std::time::Duration;

/// Place of a lock in the lock map; lower ranks are taken first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LockRank {
    /// Block index, active chain, coins.
    ChainState = 10,
    /// Mempool and what hangs on it.
    Mempool = 20,
    /// Message handling and connections.
    PeerState = 30,
    /// Address book and bans.
    AddrMan = 40,
    /// Small locks under which nothing else is taken.
    Leaf = 255,
}

#[cfg(debug_assertions)]
mod held {
    use super::LockRank;
    use std::cell::RefCell;

    thread_local! {
        static HELD: RefCell<Vec<(LockRank, &'static str)>> = const { RefCell::new(Vec::new()) };
    }

    /// Record of one held lock; forgets it on drop.
    pub(super) struct Held(LockRank, &'static str);

    pub(super) fn enter(rank: LockRank, name: &'static str) -> Held {
        HELD.with_borrow_mut(|held| {
            if let Some(&(top, top_name)) = held.iter().max_by_key(|(rank, _)| *rank) {
                assert!(
                    rank > top,
                    "lock order violation: taking {name} ({rank:?}) while holding {top_name} ({top:?})"
                );
            }
            held.push((rank, name));
        });
        Held(rank, name)
    }

    pub(super) fn holds(name: &'static str) -> bool {
        HELD.with_borrow(|held| held.iter().any(|(_, n)| *n == name))
    }

    impl Drop for Held {
        fn drop(&mut self) {
            HELD.with_borrow_mut(|held| {
                if let Some(at) = held.iter().rposition(|entry| *entry == (self.0, self.1)) {
                    held.remove(at);
                }
            });
        }
    }
}

#[cfg(not(debug_assertions))]
mod held {
    use super::LockRank;

    pub(super) struct Held;

    #[inline(always)]
    pub(super) fn enter(_rank: LockRank, _name: &'static str) -> Held {
        Held
    }
}

/// Mutex with a rank. A panic of a holder does not poison it: critical threads abort the process anyway.
pub struct OrderedMutex<T: ?Sized> {
    rank: LockRank,
    name: &'static str,
    inner: Mutex<T>,
}

/// Holds an [`OrderedMutex`].
pub struct OrderedMutexGuard<'a, T: ?Sized> {
    // Order matters: the lock is released before its record goes.
    inner: MutexGuard<'a, T>,
    held: held::Held,
}

impl<T> OrderedMutex<T> {
    /// A mutex; `name` appears in the message of a violation.
    pub const fn new(rank: LockRank, name: &'static str, value: T) -> Self {
        Self { rank, name, inner: Mutex::new(value) }
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> OrderedMutex<T> {
    /// Waits for the lock.
    ///
    /// # Panics
    /// In debug builds, if the order of the lock map is violated.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn lock(&self) -> OrderedMutexGuard<'_, T> {
        let held = held::enter(self.rank, self.name);
        OrderedMutexGuard { inner: self.inner.lock().unwrap_or_else(PoisonError::into_inner), held }
    }

    /// Takes the lock if it is free. Subject to the same order.
    pub fn try_lock(&self) -> Option<OrderedMutexGuard<'_, T>> {
        let inner = match self.inner.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(OrderedMutexGuard { inner, held: held::enter(self.rank, self.name) })
    }

    /// Access without locking, through exclusive ownership.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this thread holds a lock of this name. Always `true` in release builds, so that it can be asserted.
    pub fn is_held(&self) -> bool {
        #[cfg(debug_assertions)]
        return held::holds(self.name);
        #[cfg(not(debug_assertions))]
        true
    }
}

impl<T> OrderedMutexGuard<'_, T> {
    /// Waits on a condition variable, releasing the lock meanwhile.
    pub fn wait(self, condition: &Condvar) -> Self {
        let Self { inner, held } = self;
        Self { inner: condition.wait(inner).unwrap_or_else(PoisonError::into_inner), held }
    }

    /// As [`Self::wait`] with a time limit; the flag tells whether it ran out.
    pub fn wait_timeout(self, condition: &Condvar, limit: Duration) -> (Self, bool) {
        let Self { inner, held } = self;
        let (inner, result) = condition.wait_timeout(inner, limit).unwrap_or_else(PoisonError::into_inner);
        (Self { inner, held }, result.timed_out())
    }
}

impl<T: ?Sized> Deref for OrderedMutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for OrderedMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> fmt::Debug for OrderedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderedMutex({}, {:?})", self.name, self.rank)
    }
}

/// Read-write lock with a rank; readers count as holders like writers.
pub struct OrderedRwLock<T: ?Sized> {
    rank: LockRank,
    name: &'static str,
    inner: RwLock<T>,
}

/// Reader of an [`OrderedRwLock`].
pub struct OrderedReadGuard<'a, T: ?Sized> {
    inner: RwLockReadGuard<'a, T>,
    _held: held::Held,
}

/// Writer of an [`OrderedRwLock`].
pub struct OrderedWriteGuard<'a, T: ?Sized> {
    inner: RwLockWriteGuard<'a, T>,
    _held: held::Held,
}

impl<T> OrderedRwLock<T> {
    /// A lock; `name` appears in the message of a violation.
    pub const fn new(rank: LockRank, name: &'static str, value: T) -> Self {
        Self { rank, name, inner: RwLock::new(value) }
    }
}

impl<T: ?Sized> OrderedRwLock<T> {
    /// Waits for shared access.
    ///
    /// # Panics
    /// In debug builds, if the order of the lock map is violated.
    pub fn read(&self) -> OrderedReadGuard<'_, T> {
        let held = held::enter(self.rank, self.name);
        OrderedReadGuard { inner: self.inner.read().unwrap_or_else(PoisonError::into_inner), _held: held }
    }

    /// Waits for exclusive access.
    ///
    /// # Panics
    /// In debug builds, if the order of the lock map is violated.
    pub fn write(&self) -> OrderedWriteGuard<'_, T> {
        let held = held::enter(self.rank, self.name);
        OrderedWriteGuard { inner: self.inner.write().unwrap_or_else(PoisonError::into_inner), _held: held }
    }
}

impl<T: ?Sized> Deref for OrderedReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for OrderedWriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for OrderedWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> fmt::Debug for OrderedRwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderedRwLock({}, {:?})", self.name, self.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn order_of_the_map_is_accepted_and_release_forgets() {
        let chain = OrderedMutex::new(LockRank::ChainState, "chain", 1);
        let pool = OrderedRwLock::new(LockRank::Mempool, "pool", 2);
        {
            let mut a = chain.lock();
            let b = pool.read();
            *a += *b;
        }
        // Released in another order than taken.
        let a = chain.lock();
        let b = pool.write();
        drop(a);
        drop(b);
        assert!(!cfg!(debug_assertions) || !chain.is_held());
        assert_eq!(*chain.lock(), 3);
        assert_eq!(chain.into_inner(), 3);
    }

    #[test]
    #[cfg(debug_assertions)]
    fn violations_panic_with_both_names() {
        use std::panic::{AssertUnwindSafe, catch_unwind};

        let chain = OrderedMutex::new(LockRank::ChainState, "chain", ());
        let pool = OrderedMutex::new(LockRank::Mempool, "pool", ());
        let leaf = OrderedRwLock::new(LockRank::Leaf, "leaf", ());
        let message =
            |f: &dyn Fn()| *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<String>().unwrap();
        let text = message(&|| {
            let _b = pool.lock();
            let _a = chain.lock();
        });
        assert_eq!(text, "lock order violation: taking chain (ChainState) while holding pool (Mempool)");
        message(&|| {
            let _a = leaf.read();
            let _b = leaf.read();
        });
        message(&|| {
            let _a = leaf.write();
            let _b = pool.try_lock();
        });
        // The panics above left nothing behind.
        let _a = chain.lock();
        assert!(chain.is_held());
        let _b = pool.lock();
        let _c = leaf.read();
    }

    #[test]
    fn condition_variables_and_try_lock() {
        let shared = Arc::new((OrderedMutex::new(LockRank::Leaf, "flag", false), Condvar::new()));
        let other = Arc::clone(&shared);
        let guard = shared.0.lock();
        assert!(std::thread::scope(|s| s.spawn(|| shared.0.try_lock().is_none()).join().unwrap()));
        let thread = std::thread::spawn(move || {
            *other.0.lock() = true;
            other.1.notify_all();
        });
        let mut guard = guard;
        while !*guard {
            guard = guard.wait(&shared.1);
        }
        let (guard, timed_out) = guard.wait_timeout(&shared.1, Duration::from_millis(1));
        assert!(*guard && timed_out);
        thread.join().unwrap();
    }
}
