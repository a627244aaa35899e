//! Traits between node, wallet and GUI, and plain data.
