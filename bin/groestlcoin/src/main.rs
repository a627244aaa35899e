//! Wrapper that runs the other programs.

fn main() {}
