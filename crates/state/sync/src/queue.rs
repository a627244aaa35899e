//! A channel bounded by the size of what is in it, for blocks and messages whose sizes differ by a factor of a million.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The queue was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("queue closed")]
pub struct QueueClosed;

struct State<T> {
    items: VecDeque<(T, usize)>,
    size: usize,
    closed: bool,
}

struct Inner<T> {
    limit: usize,
    state: Mutex<State<T>>,
    not_full: Condvar,
    not_empty: Condvar,
}

/// First in, first out; blocks senders while the sizes add up to the limit. Clones are the same queue.
pub struct SizedQueue<T> {
    inner: Arc<Inner<T>>,
}

impl<T> Clone for SizedQueue<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> SizedQueue<T> {
    /// A queue for items of `limit` in all, in whatever unit the sender counts. One item always fits.
    pub fn new(limit: usize) -> Self {
        let state = State { items: VecDeque::new(), size: 0, closed: false };
        let inner =
            Inner { limit, state: Mutex::new(state), not_full: Condvar::new(), not_empty: Condvar::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Waits for room and appends.
    ///
    /// # Errors
    /// If the queue is or gets closed.
    pub fn push(&self, item: T, size: usize) -> Result<(), QueueClosed> {
        let mut state = self.lock();
        while !state.closed && !state.items.is_empty() && state.size.saturating_add(size) > self.inner.limit {
            state = self.inner.not_full.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Err(QueueClosed);
        }
        state.size = state.size.saturating_add(size);
        state.items.push_back((item, size));
        drop(state);
        self.inner.not_empty.notify_one();
        Ok(())
    }

    /// Appends if there is room; gives the item back otherwise.
    ///
    /// # Errors
    /// The item, if the queue is full or closed.
    pub fn try_push(&self, item: T, size: usize) -> Result<(), T> {
        let mut state = self.lock();
        let full = !state.items.is_empty() && state.size.saturating_add(size) > self.inner.limit;
        if state.closed || full {
            return Err(item);
        }
        state.size = state.size.saturating_add(size);
        state.items.push_back((item, size));
        drop(state);
        self.inner.not_empty.notify_one();
        Ok(())
    }

    /// Waits for an item.
    ///
    /// # Errors
    /// If the queue is closed and empty.
    pub fn pop(&self) -> Result<T, QueueClosed> {
        let mut state = self.lock();
        loop {
            if let Some(item) = self.take(&mut state) {
                return Ok(item);
            }
            if state.closed {
                return Err(QueueClosed);
            }
            state = self.inner.not_empty.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for an item for a time; `None` if none came.
    ///
    /// # Errors
    /// If the queue is closed and empty.
    pub fn pop_timeout(&self, limit: Duration) -> Result<Option<T>, QueueClosed> {
        let end = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(item) = self.take(&mut state) {
                return Ok(Some(item));
            }
            if state.closed {
                return Err(QueueClosed);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let wait = self.inner.not_empty.wait_timeout(state, left);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes all that is there, possibly nothing, in order.
    pub fn drain(&self) -> Vec<T> {
        let mut state = self.lock();
        state.size = 0;
        let items = state.items.drain(..).map(|(item, _)| item).collect();
        drop(state);
        self.inner.not_full.notify_all();
        items
    }

    /// Refuses further items; what is in the queue can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.inner.not_full.notify_all();
        self.inner.not_empty.notify_all();
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the sizes.
    pub fn size(&self) -> usize {
        self.lock().size
    }

    fn take(&self, state: &mut State<T>) -> Option<T> {
        let (item, size) = state.items.pop_front()?;
        state.size -= size.min(state.size);
        self.inner.not_full.notify_all();
        Some(item)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_by_size_but_one_item_always_fits() {
        let queue = SizedQueue::new(10);
        assert_eq!(queue.try_push('a', 100), Ok(()));
        assert_eq!(queue.try_push('b', 1), Err('b'));
        assert_eq!(queue.pop(), Ok('a'));
        assert_eq!(queue.try_push('c', 5), Ok(()));
        assert_eq!(queue.try_push('d', 5), Ok(()));
        assert_eq!(queue.try_push('e', 1), Err('e'));
        assert_eq!((queue.len(), queue.size()), (2, 10));
        assert_eq!(queue.drain(), ['c', 'd']);
        assert!(queue.is_empty());
        assert_eq!(queue.size(), 0);
        assert_eq!(queue.pop_timeout(Duration::from_millis(1)), Ok(None));
    }

    #[test]
    fn senders_wait_and_order_is_kept() {
        let queue = SizedQueue::new(8);
        let sender = queue.clone();
        let thread = std::thread::spawn(move || {
            for n in 0..100u32 {
                sender.push(n, 3).unwrap();
            }
            sender.close();
            sender.push(0, 1)
        });
        let mut seen = Vec::new();
        while let Ok(n) = queue.pop() {
            assert!(queue.size() <= 8);
            seen.push(n);
        }
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
        assert_eq!(thread.join().unwrap(), Err(QueueClosed));
        assert_eq!(queue.pop_timeout(Duration::from_secs(5)), Err(QueueClosed));
    }
}
