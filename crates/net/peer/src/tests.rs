//! Nodes in one process on fake time.

mod rules;
mod sim;
mod sync;
