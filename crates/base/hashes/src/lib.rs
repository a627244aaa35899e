//! Hashes by purpose.
//!
//! Groestlcoin differs from Bitcoin in which hash is used where, and nothing but the purpose tells which one
//! is right. So there is no "double hash" here: each use has a function or hasher of its own
//! ([`purpose`]), and each kind of hash a type of its own ([`types`]).

mod muhash;
pub mod purpose;
mod siphash;
pub mod types;

pub use muhash::MuHash3072;
pub use siphash::{SipHasher13Outpoint, SipHasher24, sip_hash_uint256, sip_hash_uint256_extra};
pub use types::{BlockHash, FilterHash, FilterHeader, Hash160, Hash256, MerkleRoot, Txid, Wtxid};
