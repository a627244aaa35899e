//! Signature hashes: legacy, BIP143 and BIP341/342.
//!
//! Legacy and BIP143 digests and BIP143's inner hashes are SHA-256 applied once on this chain.
//! Reference: `SignatureHash`, `SignatureHashSchnorr` and `PrecomputedTransactionData` in
//! `src/script/interpreter.cpp`.

mod legacy;
mod precomputed;
mod segwit;
mod taproot;

use grs_hashes::Hash256;
use grs_hashes::purpose::Sha256Writer;
use grs_primitives::{Amount, MutableTransaction};

use crate::SigVersion;

pub use precomputed::PrecomputedTxData;
pub use taproot::{annex_hash, tapbranch_hash, tapleaf_hash, taproot_merkle_root, taproot_signature_hash};

/// Taproot only: as [`SIGHASH_ALL`], without a byte in the signature.
pub const SIGHASH_DEFAULT: u8 = 0;
/// All outputs.
pub const SIGHASH_ALL: u8 = 1;
/// No outputs.
pub const SIGHASH_NONE: u8 = 2;
/// The output with the input's number.
pub const SIGHASH_SINGLE: u8 = 3;
/// Only this input.
pub const SIGHASH_ANYONECANPAY: u8 = 0x80;
/// Taproot: bits that choose the outputs.
pub const SIGHASH_OUTPUT_MASK: u8 = 3;
/// Taproot: bits that choose the inputs.
pub const SIGHASH_INPUT_MASK: u8 = 0x80;

/// A hash type of an ECDSA signature as rules look at it.
#[derive(Clone, Copy)]
struct HashType {
    anyone_can_pay: bool,
    single: bool,
    none: bool,
}

impl HashType {
    fn new(hash_type: i32) -> HashType {
        HashType {
            anyone_can_pay: hash_type & i32::from(SIGHASH_ANYONECANPAY) != 0,
            single: hash_type & 0x1f == i32::from(SIGHASH_SINGLE),
            none: hash_type & 0x1f == i32::from(SIGHASH_NONE),
        }
    }
}

/// Remembers, for one input, the hash state before the hash type is added: several signatures over one script
/// (multisig) then cost one pass over the transaction. Reference: `SigHashCache`.
#[derive(Debug, Default)]
pub struct SigHashCache([Option<(Vec<u8>, Sha256Writer)>; 6]);

impl SigHashCache {
    /// Empty; for one input only.
    pub fn new() -> SigHashCache {
        SigHashCache::default()
    }

    fn index(t: HashType) -> usize {
        3 * usize::from(t.anyone_can_pay) + 2 * usize::from(t.single) + usize::from(t.none)
    }
}

/// Digest that an ECDSA signature signs, for [`SigVersion::Base`] and [`SigVersion::WitnessV0`].
///
/// `hash_type` is the signature's last byte, widened; other bits count, as RPC and tests pass them. In the base
/// version, `SIGHASH_SINGLE` without matching output gives the number 1. `input` must be an input's number.
/// Reference: `SignatureHash`.
pub fn signature_hash(
    script_code: &[u8],
    tx: &MutableTransaction,
    input: usize,
    hash_type: i32,
    amount: Amount,
    version: SigVersion,
    precomputed: Option<&PrecomputedTxData>,
    cache: Option<&mut SigHashCache>,
) -> Hash256 {
    let t = HashType::new(hash_type);
    if version != SigVersion::WitnessV0 && t.single && input >= tx.outputs.len() {
        let mut one = [0; 32];
        one[0] = 1;
        return Hash256::from_bytes(one);
    }
    let slot = cache.map(|c| &mut c.0[SigHashCache::index(t)]);
    if let Some(Some((code, state))) = &slot
        && code == script_code
    {
        return finish(state.clone(), hash_type);
    }
    let preimage = if version == SigVersion::WitnessV0 {
        segwit::preimage(script_code, tx, input, t, amount, precomputed)
    } else {
        legacy::preimage(script_code, tx, input, t)
    };
    let mut state = Sha256Writer::new();
    state.write(&preimage);
    if let Some(slot) = slot {
        *slot = Some((script_code.to_vec(), state.clone()));
    }
    finish(state, hash_type)
}

/// The digest is SHA-256 once (`grs_hashes::purpose::signature_hash`, here with a saved state).
fn finish(mut state: Sha256Writer, hash_type: i32) -> Hash256 {
    state.write(&hash_type.to_le_bytes());
    Hash256::from_bytes(state.finish())
}
