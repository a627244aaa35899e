//! Forms of signatures and keys.

use grs_keys::{COMPRESSED_SIZE, PUBLIC_KEY_SIZE, check_low_s};

use super::SigVersion;
use crate::sighash::{SIGHASH_ALL, SIGHASH_ANYONECANPAY, SIGHASH_SINGLE};
use crate::{ScriptError, ScriptFlags};

/// True for a strict DER signature with a hash type byte: `30 <len> 02 <len> R 02 <len> S <type>`, numbers
/// positive and as short as possible. Consensus since BIP66. Reference: `IsValidSignatureEncoding`.
pub fn is_valid_signature_encoding(signature: &[u8]) -> bool {
    if !(9..=73).contains(&signature.len()) {
        return false;
    }
    let [0x30, len, body @ .., _hash_type] = signature else { return false };
    if usize::from(*len) != body.len() {
        return false;
    }
    let Some((r, rest)) = split_integer(body) else { return false };
    let Some((s, rest)) = split_integer(rest) else { return false };
    rest.is_empty() && is_minimal_positive(r) && is_minimal_positive(s)
}

/// Takes `02 <len> <content>` off.
fn split_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x02, len, rest @ ..] = bytes else { return None };
    rest.split_at_checked(usize::from(*len))
}

fn is_minimal_positive(integer: &[u8]) -> bool {
    match integer {
        [] => false,
        // A zero in front is there only to keep the number positive.
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
    }
}

fn is_defined_hash_type(signature: &[u8]) -> bool {
    signature.last().is_some_and(|t| (SIGHASH_ALL..=SIGHASH_SINGLE).contains(&(t & !SIGHASH_ANYONECANPAY)))
}

/// Checks the form of an ECDSA signature with its hash type. The empty one is allowed: it is the short way to
/// give an invalid signature. Reference: `CheckSignatureEncoding`.
pub fn check_signature_encoding(signature: &[u8], flags: ScriptFlags) -> Result<(), ScriptError> {
    let Some((_, der)) = signature.split_last() else { return Ok(()) };
    let strict = ScriptFlags::DERSIG | ScriptFlags::LOW_S | ScriptFlags::STRICTENC;
    if flags.has(strict) && !is_valid_signature_encoding(signature) {
        return Err(ScriptError::SigDer);
    }
    if flags.has(ScriptFlags::LOW_S) && !check_low_s(der) {
        return Err(ScriptError::SigHighS);
    }
    if flags.has(ScriptFlags::STRICTENC) && !is_defined_hash_type(signature) {
        return Err(ScriptError::SigHashType);
    }
    Ok(())
}

fn is_compressed(key: &[u8]) -> bool {
    matches!(key, [2 | 3, ..] if key.len() == COMPRESSED_SIZE)
}

fn is_uncompressed(key: &[u8]) -> bool {
    matches!(key, [4, ..] if key.len() == PUBLIC_KEY_SIZE)
}

/// Checks the form of a key in an ECDSA check. Reference: `CheckPubKeyEncoding`.
pub(super) fn check_public_key_encoding(
    key: &[u8],
    flags: ScriptFlags,
    version: SigVersion,
) -> Result<(), ScriptError> {
    if flags.has(ScriptFlags::STRICTENC) && !is_compressed(key) && !is_uncompressed(key) {
        return Err(ScriptError::PubkeyType);
    }
    if flags.has(ScriptFlags::WITNESS_PUBKEYTYPE) && version == SigVersion::WitnessV0 && !is_compressed(key) {
        return Err(ScriptError::WitnessPubkeyType);
    }
    Ok(())
}
