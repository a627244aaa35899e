//! Name and version of the software, as programs show them.

/// Name of the software that clients of the network know.
pub const CLIENT_NAME: &str = "Groestlcoin Core";
/// Version, with the letter that is written before it.
pub const FULL_VERSION: &str = "v31.0.0";
