//! Project checks.

fn main() {}
