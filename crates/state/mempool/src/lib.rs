//! The mempool: transactions that are valid and wait for a block.
//!
//! [`Mempool`] is the shared object; its state, [`Pool`], is behind one lock that is taken after the chainstate's.
//! Transactions enter through [`Mempool::accept`] and [`Mempool::accept_package`], which hold every rule of policy
//! and consensus; blocks take them out and reorganisations bring them back through the chainstate's
//! [`grs_chainstate::MempoolHook`]. What happened is told to [`MempoolInterface`] subscribers in order with the
//! chain's own events. Order, chunks and eviction come from [`grs_txgraph`].
//!
//! Reference: `src/txmempool.{h,cpp}`, `MemPoolAccept` in `src/validation.cpp`, `src/policy/{rbf,truc_policy,
//! ephemeral_policy,packages}.cpp`, `src/node/mempool_persist.cpp`.

mod accept;
mod accept_package;
mod check;
mod coins;
mod disconnected;
mod entry;
pub mod fees;
mod hook;
mod mempool;
mod options;
mod package;
mod persist;
mod pool;
#[cfg(test)]
mod pool_tests;
mod rbf;
mod remove;
mod result;
mod tip;
mod truc;

#[doc(hidden)]
pub mod fuzz;

pub use accept::AcceptOptions;
pub use coins::PoolCoins;
pub use entry::{Entry, MEMPOOL_HEIGHT};
pub use mempool::{Mempool, MempoolInterface, NewMempoolTx, RemovedMempoolTx};
pub use options::MempoolOptions;
pub use package::{
    MAX_PACKAGE_COUNT, MAX_PACKAGE_WEIGHT, check_package, is_child_with_parents, is_child_with_parents_tree,
    package_hash,
};
pub use persist::{ImportOptions, LoadCounts, PersistError, SavedMempool, SavedTx};
pub use pool::{Pool, PoolStats, RelativeStats};
pub use rbf::{RbfState, rbf_state, signals_opt_in_rbf};
pub use remove::RemovalReason;
pub use result::{AcceptResult, PackageError, PackageErrorKind, PackageResult};
