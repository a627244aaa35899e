//! The mempool's view of transactions as fee, size and dependencies: clusters of connected transactions, each kept in
//! an order that is best for miners, and everything that follows from that order (chunks, eviction, block building,
//! comparing mempools before and after a replacement). It knows no transaction.
//!
//! Reference: `src/txgraph.{h,cpp}`, `src/cluster_linearize.h`.

mod builder;
mod depgraph;
mod diagram;
mod feefrac;
mod graph;
mod linearize;
mod trim;

pub use builder::BlockBuilder;
pub use depgraph::{DepGraph, MAX_CLUSTER_COUNT, Set};
pub use diagram::{compare_chunks, diagram_points};
pub use feefrac::FeeSize;
pub use graph::{Evaluation, LimitExceeded, NewTx, Parent, TieBreak, TxGraph, TxId};
pub use linearize::{chunk_linearization, linearize};
