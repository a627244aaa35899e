//! Addresses, output descriptors, miniscript, signing.
