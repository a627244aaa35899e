//! Fuzz target: any sequence of messages, no panic.
