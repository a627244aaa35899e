//! Locks, clock with mock time, interrupt token, named threads, worker pool, scheduler.
