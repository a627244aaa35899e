//! Command-line RPC client.

fn main() {}
