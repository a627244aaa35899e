use std::fmt;
use std::sync::LazyLock;

use grs_encoding::hex_encode;
use grs_hashes::Hash160;
use grs_hashes::purpose::{Sha256Writer, tagged_hasher};
use secp256k1::{Parity, Scalar, schnorr};

use crate::PublicKey;

/// A point without known discrete logarithm (BIP341), for outputs without a key path.
pub const NUMS_H: XOnlyPublicKey = XOnlyPublicKey([
    0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b, 0x4b, 0x60, 0x35, 0xe9, 0x7a, 0x5e, 0x07,
    0x8a, 0x5a, 0x0f, 0x28, 0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80, 0x3a, 0xc0,
]);

static TAP_TWEAK: LazyLock<Sha256Writer> = LazyLock::new(|| tagged_hasher("TapTweak"));

/// The x coordinate of a public key (BIP340). It may not be on the curve. Reference: `XOnlyPubKey`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct XOnlyPublicKey([u8; 32]);

impl XOnlyPublicKey {
    /// From 32 bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 32]) -> XOnlyPublicKey {
        XOnlyPublicKey(bytes)
    }

    /// From a slice of 32 bytes, unchecked otherwise.
    pub fn from_slice(bytes: &[u8]) -> Option<XOnlyPublicKey> {
        Some(XOnlyPublicKey(bytes.try_into().ok()?))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn to_point(self) -> Option<secp256k1::XOnlyPublicKey> {
        secp256k1::XOnlyPublicKey::from_byte_array(self.0).ok()
    }

    /// True when there is a point with this coordinate.
    pub fn is_fully_valid(&self) -> bool {
        self.to_point().is_some()
    }

    /// The compressed keys with this coordinate, even one first. Reference: `XOnlyPubKey::GetCPubKeys`.
    pub fn public_keys(&self) -> [PublicKey; 2] {
        [2, 3].map(|header| {
            let mut bytes = [header; 33];
            bytes[1..].copy_from_slice(&self.0);
            PublicKey::from_slice(&bytes).expect("33 bytes behind a compressed header")
        })
    }

    /// The key ids of [`XOnlyPublicKey::public_keys`].
    pub fn key_ids(&self) -> [Hash160; 2] {
        self.public_keys().map(|k| k.key_id())
    }

    /// The compressed key with even y coordinate.
    pub fn even_public_key(&self) -> PublicKey {
        self.public_keys()[0]
    }

    /// Checks a BIP340 signature.
    pub fn verify_schnorr(&self, hash: &[u8; 32], signature: &[u8; 64]) -> bool {
        self.to_point().is_some_and(|p| {
            schnorr::verify(&schnorr::Signature::from_byte_array(*signature), hash, &p).is_ok()
        })
    }

    /// BIP341's tweak for an output with or without scripts. Reference: `XOnlyPubKey::ComputeTapTweakHash`.
    pub fn tap_tweak_hash(&self, merkle_root: Option<&[u8; 32]>) -> [u8; 32] {
        let mut w = TAP_TWEAK.clone();
        w.write(&self.0);
        if let Some(root) = merkle_root {
            w.write(root);
        }
        w.finish()
    }

    /// True when this key is `internal` tweaked with `merkle_root` and has the parity.
    /// Reference: `XOnlyPubKey::CheckTapTweak`.
    pub fn check_tap_tweak(&self, internal: &XOnlyPublicKey, merkle_root: &[u8; 32], parity: bool) -> bool {
        internal.tap_tweak(Some(merkle_root)).is_some_and(|(key, odd)| key == *self && odd == parity)
    }

    /// This key tweaked, and whether the result's y coordinate is odd. `None` when the key is not on the curve.
    /// Reference: `XOnlyPubKey::CreateTapTweak`.
    pub fn tap_tweak(&self, merkle_root: Option<&[u8; 32]>) -> Option<(XOnlyPublicKey, bool)> {
        let point = self.to_point()?;
        let tweak = Scalar::from_be_bytes(self.tap_tweak_hash(merkle_root)).ok()?;
        let (key, parity) = point.add_tweak(&tweak).ok()?;
        Some((XOnlyPublicKey(key.to_byte_array()), parity == Parity::Odd))
    }
}

impl AsRef<[u8]> for XOnlyPublicKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&PublicKey> for XOnlyPublicKey {
    fn from(key: &PublicKey) -> XOnlyPublicKey {
        key.x_only()
    }
}

impl fmt::Display for XOnlyPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_encode(self.0))
    }
}

impl fmt::Debug for XOnlyPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XOnlyPublicKey({self})")
    }
}
