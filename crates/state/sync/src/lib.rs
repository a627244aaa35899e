//! Locks, clock with mock time, interrupt token, named threads, worker pool, scheduler.
//!
//! # Lock map
//!
//! Locks are taken in this order and never backwards. A thread that holds a lock of one rank may take only locks
//! of a higher rank; two locks of the same rank are never held together. [`OrderedMutex`] and [`OrderedRwLock`]
//! check it in debug and test builds and panic with both names at the first violation.
//!
//! | Rank | Guards | Reference's counterpart |
//! |---|---|---|
//! | [`LockRank::ChainState`] | block index, active chain, coins cache | `cs_main` |
//! | [`LockRank::Mempool`] | mempool, cluster graph, orphans | `CTxMemPool::cs` |
//! | [`LockRank::PeerState`] | message handling state, node list | `m_nodes_mutex`, `m_peer_mutex` |
//! | [`LockRank::AddrMan`] | address book, ban list | `AddrMan::cs` |
//! | [`LockRank::Leaf`] | anything else; nothing is taken while holding it | |
//!
//! Further rules: no lock is held across a call of an inter-process interface; readers of the chain use published
//! snapshots rather than the chain lock; callbacks run without locks.
//!
//! # Threads
//!
//! Every thread is started by [`thread::spawn`] or [`thread::spawn_critical`], which give it the reference's name
//! (system level with prefix `g-`), report start and exit to the log, and turn a panic into an orderly abort when the
//! thread is critical.

pub mod clock;
pub mod interrupt;
pub mod lock;
pub mod pool;
pub mod queue;
pub mod scheduler;
pub mod thread;

pub use interrupt::Interrupt;
pub use lock::{LockRank, OrderedMutex, OrderedMutexGuard, OrderedRwLock};
pub use pool::{Batch, BatchError, Job, WorkerPool};
pub use queue::{QueueClosed, SizedQueue};
pub use scheduler::{Scheduler, SerialRunner};
