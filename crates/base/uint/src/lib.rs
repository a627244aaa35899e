//! 256-bit integers, compact targets, chain work.
