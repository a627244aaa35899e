//! P2P messages, v1 transport as a byte-in, byte-out machine.
