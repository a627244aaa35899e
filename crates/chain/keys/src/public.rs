use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use grs_encoding::hex_encode;
use grs_hashes::purpose;
use grs_hashes::{Hash160, Hash256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::{Message, Scalar};

use crate::{ChainCode, KeyError, XOnlyPublicKey};

/// Bytes of an uncompressed or hybrid public key.
pub const PUBLIC_KEY_SIZE: usize = 65;
/// Bytes of a compressed public key.
pub const COMPRESSED_SIZE: usize = 33;
/// Bytes of a compact recoverable signature.
pub const COMPACT_SIGNATURE_SIZE: usize = 65;

/// Length that a first byte announces; 0 for none. Reference: `CPubKey::GetLen`.
const fn len_of_header(header: u8) -> usize {
    match header {
        2 | 3 => COMPRESSED_SIZE,
        4 | 6 | 7 => PUBLIC_KEY_SIZE,
        _ => 0,
    }
}

/// True when the length fits the first byte. Reference: `CPubKey::ValidSize`.
pub fn is_valid_key_size(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|h| len_of_header(*h) == bytes.len())
}

/// A serialized public key of a length that fits its first byte. It may still not be a point of the curve; see
/// [`PublicKey::is_fully_valid`]. Reference: `CPubKey`.
#[derive(Clone, Copy)]
pub struct PublicKey([u8; PUBLIC_KEY_SIZE]);

impl PublicKey {
    /// Takes bytes whose length fits the first byte.
    pub fn from_slice(bytes: &[u8]) -> Result<PublicKey, KeyError> {
        if !is_valid_key_size(bytes) {
            return Err(KeyError::PublicKeySize);
        }
        let mut out = [0; PUBLIC_KEY_SIZE];
        out[..bytes.len()].copy_from_slice(bytes);
        Ok(PublicKey(out))
    }

    pub(crate) fn from_point(point: &secp256k1::PublicKey, compressed: bool) -> PublicKey {
        let mut out = [0; PUBLIC_KEY_SIZE];
        if compressed {
            out[..COMPRESSED_SIZE].copy_from_slice(&point.serialize());
        } else {
            out = point.serialize_uncompressed();
        }
        PublicKey(out)
    }

    pub(crate) fn to_point(self) -> Option<secp256k1::PublicKey> {
        secp256k1::PublicKey::from_slice(self.as_bytes()).ok()
    }

    /// The serialized key, 33 or 65 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..len_of_header(self.0[0])]
    }

    /// True for 33 bytes.
    pub fn is_compressed(&self) -> bool {
        self.as_bytes().len() == COMPRESSED_SIZE
    }

    /// True for a point of the curve. Reference: `CPubKey::IsFullyValid`.
    pub fn is_fully_valid(&self) -> bool {
        self.to_point().is_some()
    }

    /// Hash160 of the serialized key. Reference: `CPubKey::GetID`.
    pub fn key_id(&self) -> Hash160 {
        purpose::hash160(self.as_bytes())
    }

    /// The hash that gives encrypted wallet keys their initialization vector. Reference: `CPubKey::GetHash`.
    pub fn iv_hash(&self) -> Hash256 {
        purpose::public_key_hash(self.as_bytes())
    }

    /// First four bytes of [`PublicKey::key_id`], as BIP32 and key origins show it.
    pub fn fingerprint(&self) -> [u8; 4] {
        let id = self.key_id().to_bytes();
        [id[0], id[1], id[2], id[3]]
    }

    /// The x coordinate of a compressed key (or the first half of an uncompressed one's point).
    pub fn x_only(&self) -> XOnlyPublicKey {
        let mut x = [0; 32];
        x.copy_from_slice(&self.0[1..33]);
        XOnlyPublicKey::from_bytes(x)
    }

    /// The same point with 65 bytes; `None` when not on the curve. Reference: `CPubKey::Decompress`.
    pub fn decompress(&self) -> Option<PublicKey> {
        Some(PublicKey::from_point(&self.to_point()?, false))
    }

    /// The same point with 33 bytes; `None` when not on the curve.
    pub fn compress(&self) -> Option<PublicKey> {
        Some(PublicKey::from_point(&self.to_point()?, true))
    }

    /// Checks an ECDSA signature in (lax) DER, high or low S. Reference: `CPubKey::Verify`.
    pub fn verify(&self, hash: &[u8; 32], der: &[u8]) -> bool {
        verify_ecdsa(self.as_bytes(), hash, der)
    }

    /// The key that made a compact signature (65 bytes: header, R, S). Reference: `CPubKey::RecoverCompact`.
    pub fn recover_compact(hash: &[u8; 32], signature: &[u8]) -> Option<PublicKey> {
        if signature.len() != COMPACT_SIGNATURE_SIZE {
            return None;
        }
        let header = signature[0].wrapping_sub(27);
        let id = RecoveryId::from_u8_masked(header);
        let parsed = RecoverableSignature::from_compact(&signature[1..], id).ok()?;
        let point = parsed.recover(Message::from_digest(*hash)).ok()?;
        Some(PublicKey::from_point(&point, header & 4 != 0))
    }

    /// BIP32 child (not hardened) with its chain code and the tweak that was added. `None` when the key is not
    /// compressed, not on the curve, or the number is hardened. Reference: `CPubKey::Derive`.
    pub fn derive(&self, chain_code: &ChainCode, child: u32) -> Option<(PublicKey, ChainCode, [u8; 32])> {
        if !self.is_compressed() || child >> 31 != 0 {
            return None;
        }
        let out = crate::bip32::bip32_hash(chain_code, child, self.0[0], &self.0[1..33]);
        let (mut tweak, mut code) = ([0; 32], [0; 32]);
        tweak.copy_from_slice(&out[..32]);
        code.copy_from_slice(&out[32..]);
        let scalar = Scalar::from_be_bytes(tweak).ok()?;
        let point = self.to_point()?.add_exp_tweak(&scalar).ok()?;
        Some((PublicKey::from_point(&point, true), code, tweak))
    }
}

/// Checks an ECDSA signature with a key and a signature as they stand in a script, without the hash type byte.
/// The key may be compressed, uncompressed or hybrid; the signature lax DER with high or low S.
/// Reference: `CPubKey::Verify`.
pub fn verify_ecdsa(public_key: &[u8], hash: &[u8; 32], der: &[u8]) -> bool {
    if !is_valid_key_size(public_key) {
        return false;
    }
    let Ok(point) = secp256k1::PublicKey::from_slice(public_key) else { return false };
    let Ok(mut signature) = Signature::from_der_lax(der) else { return false };
    // libsecp256k1 refuses high S, which was never a consensus rule.
    signature.normalize_s();
    signature.verify(Message::from_digest(*hash), &point).is_ok()
}

/// True when a (lax) DER signature without hash type parses and its S is in the lower half.
/// Reference: `CPubKey::CheckLowS`.
pub fn check_low_s(der: &[u8]) -> bool {
    let Ok(signature) = Signature::from_der_lax(der) else { return false };
    let mut normalized = signature;
    normalized.normalize_s();
    normalized == signature
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

/// By serialized bytes; the first byte decides the length.
impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl AsRef<[u8]> for PublicKey {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}
