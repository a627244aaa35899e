//! Node and wallet in one process.

fn main() {}
