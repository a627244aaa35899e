//! Wallet process and offline wallet tool.

fn main() {}
