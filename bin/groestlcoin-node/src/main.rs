//! Node; the wallet runs as a process of its own.

fn main() {}
