//! Keys on secp256k1: ECDSA with the reference's lax DER parsing, Schnorr (BIP340) and Taproot tweaks, BIP32,
//! signed messages, ellswift, MuSig2 key aggregation.
//!
//! Entry points:
//! - [`PublicKey`]: a serialized key of right size (compressed, uncompressed or hybrid), maybe not on the curve;
//!   [`PublicKey::verify`], [`verify_ecdsa`] from raw bytes, [`check_low_s`], [`PublicKey::recover_compact`].
//! - [`XOnlyPublicKey`]: [`XOnlyPublicKey::verify_schnorr`], [`XOnlyPublicKey::check_tap_tweak`].
//! - [`SecretKey`]: zeroized, never shown; signing with low R, Schnorr with [`TapTweak`], compact recoverable.
//! - [`ExtendedPublicKey`], [`ExtendedSecretKey`]: BIP32, 74 bytes without version prefix.
//! - [`sign_message`], [`recover_message`], [`verify_message`]: signed messages.
//! - [`EllSwift`]: BIP324 key exchange.
//! - `musig2_*`: key aggregation, nonces, partial and final signatures (BIP327, BIP328).
//!
//! Hashes are taken as 32 bytes in memory order (`Hash256::as_bytes`). Nothing here reads a random source:
//! functions that need randomness take it as an argument.

mod bip32;
mod der;
mod ellswift;
mod message;
mod musig;
mod public;
mod secret;
mod xonly;

#[doc(hidden)]
pub mod fuzz;

pub use bip32::{BIP32_EXTKEY_SIZE, ChainCode, ExtendedPublicKey, ExtendedSecretKey, HARDENED};
pub use der::{PRIVATE_KEY_DER_COMPRESSED_SIZE, PRIVATE_KEY_DER_SIZE};
pub use ellswift::{ELLSWIFT_SIZE, EllSwift};
pub use message::{recover_message, sign_message, verify_message};
pub use musig::{
    MUSIG_CHAIN_CODE, MUSIG2_PUBNONCE_SIZE, MuSig2PublicNonce, MuSig2SecretNonce, MuSig2Tweak,
    musig2_aggregate, musig2_aggregate_signature, musig2_nonce, musig2_partial_sign, musig2_session_id,
    musig2_synthetic_xpub,
};
pub use public::{
    COMPACT_SIGNATURE_SIZE, COMPRESSED_SIZE, PUBLIC_KEY_SIZE, PublicKey, check_low_s, is_valid_key_size,
    verify_ecdsa,
};
pub use secret::{SecretKey, TapTweak};
pub use xonly::{NUMS_H, XOnlyPublicKey};

/// Why bytes are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The first byte and the length do not belong together.
    #[error("public key has a wrong size or prefix")]
    PublicKeySize,
    /// Zero, or not below the order of the curve.
    #[error("secret key is not in the valid range")]
    SecretKeyRange,
    /// The text form's bytes do not follow its format (prefix, length, flags).
    #[error("key encoding is not valid")]
    Encoding,
    /// The point is not on the curve.
    #[error("public key is not a point of the curve")]
    NotOnCurve,
    /// Derivation is not possible: depth 255 reached, hardened child of a public key, or (never seen) an
    /// out-of-range intermediate number.
    #[error("child key cannot be derived")]
    Derivation,
}
