use std::fmt;

use grs_hashes::purpose::hmac_sha512;
use zeroize::Zeroizing;

use crate::{KeyError, PublicKey, SecretKey};

/// Bytes of an extended key without the version prefix.
pub const BIP32_EXTKEY_SIZE: usize = 74;
/// Child numbers from here on are hardened.
pub const HARDENED: u32 = 1 << 31;
/// BIP32 chain code.
pub type ChainCode = [u8; 32];

/// Reference: `BIP32Hash`.
pub(crate) fn bip32_hash(chain_code: &ChainCode, child: u32, header: u8, data: &[u8]) -> [u8; 64] {
    let mut input = Zeroizing::new([0; 37]);
    input[0] = header;
    input[1..33].copy_from_slice(data);
    input[33..].copy_from_slice(&child.to_be_bytes());
    hmac_sha512(chain_code, &input[..])
}

/// An extended public key (BIP32). Reference: `CExtPubKey`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExtendedPublicKey {
    /// Steps from the master key.
    pub depth: u8,
    /// Fingerprint of the parent; zeros for a master key.
    pub parent_fingerprint: [u8; 4],
    /// Which child of the parent this is.
    pub child: u32,
    /// Chain code.
    pub chain_code: ChainCode,
    /// Key, compressed.
    pub public_key: PublicKey,
}

impl ExtendedPublicKey {
    /// The 74 bytes behind the version prefix.
    pub fn encode(&self) -> [u8; BIP32_EXTKEY_SIZE] {
        let mut out = head(self.depth, &self.parent_fingerprint, self.child, &self.chain_code);
        out[41..].copy_from_slice(self.public_key.as_bytes());
        out
    }

    /// Reads the 74 bytes behind the version prefix. Reference: `CExtPubKey::Decode`.
    pub fn decode(bytes: &[u8; BIP32_EXTKEY_SIZE]) -> Result<ExtendedPublicKey, KeyError> {
        let (depth, parent_fingerprint, child, chain_code) = parse_head(bytes)?;
        let public_key = PublicKey::from_slice(&bytes[41..])?;
        if !public_key.is_fully_valid() {
            return Err(KeyError::NotOnCurve);
        }
        Ok(ExtendedPublicKey { depth, parent_fingerprint, child, chain_code, public_key })
    }

    /// A child that is not hardened. Reference: `CExtPubKey::Derive`.
    pub fn derive(&self, child: u32) -> Result<ExtendedPublicKey, KeyError> {
        Ok(self.derive_with_tweak(child)?.0)
    }

    /// A child, and the number that was added to the key (for MuSig2).
    pub fn derive_with_tweak(&self, child: u32) -> Result<(ExtendedPublicKey, [u8; 32]), KeyError> {
        let depth = self.depth.checked_add(1).ok_or(KeyError::Derivation)?;
        let (public_key, chain_code, tweak) =
            self.public_key.derive(&self.chain_code, child).ok_or(KeyError::Derivation)?;
        let parent_fingerprint = self.fingerprint();
        Ok((ExtendedPublicKey { depth, parent_fingerprint, child, chain_code, public_key }, tweak))
    }

    /// Fingerprint of this key.
    pub fn fingerprint(&self) -> [u8; 4] {
        self.public_key.fingerprint()
    }
}

/// An extended secret key (BIP32). Reference: `CExtKey`.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtendedSecretKey {
    /// Steps from the master key.
    pub depth: u8,
    /// Fingerprint of the parent; zeros for a master key.
    pub parent_fingerprint: [u8; 4],
    /// Which child of the parent this is.
    pub child: u32,
    /// Chain code.
    pub chain_code: ChainCode,
    /// Key.
    pub secret_key: SecretKey,
}

impl ExtendedSecretKey {
    /// The master key of a seed. Reference: `CExtKey::SetSeed`.
    pub fn from_seed(seed: &[u8]) -> Result<ExtendedSecretKey, KeyError> {
        let out = Zeroizing::new(hmac_sha512(b"Bitcoin seed", seed));
        let mut chain_code = [0; 32];
        chain_code.copy_from_slice(&out[32..]);
        let secret_key = SecretKey::from_slice(&out[..32], true)?;
        Ok(ExtendedSecretKey { depth: 0, parent_fingerprint: [0; 4], child: 0, chain_code, secret_key })
    }

    /// The 74 bytes behind the version prefix.
    pub fn encode(&self) -> Zeroizing<[u8; BIP32_EXTKEY_SIZE]> {
        let mut out =
            Zeroizing::new(head(self.depth, &self.parent_fingerprint, self.child, &self.chain_code));
        out[42..].copy_from_slice(self.secret_key.secret_bytes());
        out
    }

    /// Reads the 74 bytes behind the version prefix. Reference: `CExtKey::Decode`.
    pub fn decode(bytes: &[u8; BIP32_EXTKEY_SIZE]) -> Result<ExtendedSecretKey, KeyError> {
        let (depth, parent_fingerprint, child, chain_code) = parse_head(bytes)?;
        if bytes[41] != 0 {
            return Err(KeyError::Encoding);
        }
        let secret_key = SecretKey::from_slice(&bytes[42..], true)?;
        Ok(ExtendedSecretKey { depth, parent_fingerprint, child, chain_code, secret_key })
    }

    /// A child, hardened from [`HARDENED`] on. Reference: `CExtKey::Derive`.
    pub fn derive(&self, child: u32) -> Result<ExtendedSecretKey, KeyError> {
        let depth = self.depth.checked_add(1).ok_or(KeyError::Derivation)?;
        let (secret_key, chain_code) =
            self.secret_key.derive(&self.chain_code, child).ok_or(KeyError::Derivation)?;
        let parent_fingerprint = self.fingerprint();
        Ok(ExtendedSecretKey { depth, parent_fingerprint, child, chain_code, secret_key })
    }

    /// The public part. Reference: `CExtKey::Neuter`.
    pub fn neuter(&self) -> ExtendedPublicKey {
        ExtendedPublicKey {
            depth: self.depth,
            parent_fingerprint: self.parent_fingerprint,
            child: self.child,
            chain_code: self.chain_code,
            public_key: self.secret_key.public_key(),
        }
    }

    /// Fingerprint of this key.
    pub fn fingerprint(&self) -> [u8; 4] {
        self.secret_key.public_key().fingerprint()
    }
}

impl fmt::Debug for ExtendedSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedSecretKey(..)")
    }
}

fn head(depth: u8, fingerprint: &[u8; 4], child: u32, chain_code: &ChainCode) -> [u8; BIP32_EXTKEY_SIZE] {
    let mut out = [0; BIP32_EXTKEY_SIZE];
    out[0] = depth;
    out[1..5].copy_from_slice(fingerprint);
    out[5..9].copy_from_slice(&child.to_be_bytes());
    out[9..41].copy_from_slice(chain_code);
    out
}

/// A master key has neither parent nor number.
fn parse_head(bytes: &[u8; BIP32_EXTKEY_SIZE]) -> Result<(u8, [u8; 4], u32, ChainCode), KeyError> {
    let depth = bytes[0];
    let (mut fingerprint, mut child, mut chain_code) = ([0; 4], [0; 4], [0; 32]);
    fingerprint.copy_from_slice(&bytes[1..5]);
    child.copy_from_slice(&bytes[5..9]);
    chain_code.copy_from_slice(&bytes[9..41]);
    let child = u32::from_be_bytes(child);
    if depth == 0 && (child != 0 || fingerprint != [0; 4]) {
        return Err(KeyError::Encoding);
    }
    Ok((depth, fingerprint, child, chain_code))
}
