//! Name and version of the software, as programs show them.

/// Name of the software that clients of the network know.
pub const CLIENT_NAME: &str = "Groestlcoin Core";
/// Version, with the letter that is written before it.
pub const FULL_VERSION: &str = "v31.0.0";

/// Who may copy this, for `-version`.
pub const LICENSE: &str = "\
This is an implementation of Groestlcoin in Rust, compatible with the version above.

It is experimental software, distributed under the MIT licence; see the file
LICENSE that comes with it, or <https://opensource.org/license/MIT>.
";
