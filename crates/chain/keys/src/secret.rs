use std::fmt;

use secp256k1::ecdsa::{self, RecoverableSignature};
use secp256k1::{Keypair, Message, Parity, Scalar, schnorr};
use zeroize::{Zeroize, Zeroizing};

use crate::{COMPACT_SIGNATURE_SIZE, ChainCode, KeyError, PublicKey, XOnlyPublicKey, der};

/// How a Schnorr signing key is tweaked (BIP341). Reference: the `merkle_root` argument of `CKey::SignSchnorr`
/// (absent, null, or given).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapTweak<'a> {
    /// The key itself signs (tapscript keys).
    None,
    /// Tweaked for an output without scripts.
    KeyOnly,
    /// Tweaked for an output with this Merkle root of scripts.
    MerkleRoot(&'a [u8; 32]),
}

/// A secret key with the choice of its public key's form. On the heap, zeroized when dropped, not shown by
/// `Debug`. Reference: `CKey`.
#[derive(Clone)]
pub struct SecretKey {
    bytes: Box<Zeroizing<[u8; 32]>>,
    compressed: bool,
}

impl SecretKey {
    /// From 32 bytes, which must be in the range of the curve's order.
    pub fn from_slice(bytes: &[u8], compressed: bool) -> Result<SecretKey, KeyError> {
        let mut out = Box::new(Zeroizing::new([0; 32]));
        if bytes.len() != 32 {
            return Err(KeyError::SecretKeyRange);
        }
        out.copy_from_slice(bytes);
        let mut checked =
            secp256k1::SecretKey::from_secret_bytes(**out).map_err(|_| KeyError::SecretKeyRange)?;
        checked.non_secure_erase();
        Ok(SecretKey { bytes: out, compressed })
    }

    /// A new key. `fill` writes random bytes; it is called again in the (never seen) case that they are out of
    /// range. Reference: `CKey::MakeNewKey`.
    pub fn generate(compressed: bool, mut fill: impl FnMut(&mut [u8; 32])) -> SecretKey {
        let mut random = Zeroizing::new([0; 32]);
        loop {
            fill(&mut random);
            if let Ok(key) = SecretKey::from_slice(&*random, compressed) {
                return key;
            }
        }
    }

    /// The 32 bytes.
    pub fn secret_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// True when the public key is serialized with 33 bytes.
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Runs `f` with the library's key type and erases the copy.
    fn with<T>(&self, f: impl FnOnce(&secp256k1::SecretKey) -> T) -> T {
        let mut key =
            secp256k1::SecretKey::from_secret_bytes(**self.bytes).expect("checked when the key was made");
        let out = f(&key);
        key.non_secure_erase();
        out
    }

    /// The public key. Reference: `CKey::GetPubKey`.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_point(&self.point(), self.compressed)
    }

    fn point(&self) -> secp256k1::PublicKey {
        self.with(secp256k1::PublicKey::from_secret_key)
    }

    /// True when `public_key` belongs to this key, form included. Reference: `CKey::VerifyPubKey`.
    pub fn verify_public_key(&self, public_key: &PublicKey) -> bool {
        self.public_key() == *public_key
    }

    /// ECDSA signature in DER, without hash type. With `grind`, R is below half the order so that the signature
    /// has at most 70 bytes, found with the reference's counter. Reference: `CKey::Sign`.
    pub fn sign(&self, hash: &[u8; 32], grind: bool) -> Vec<u8> {
        let message = Message::from_digest(*hash);
        let signature =
            self.with(|key| if grind { ecdsa::sign_low_r(message, key) } else { ecdsa::sign(message, key) });
        // A signature that a hardware fault spoiled could give the key away.
        assert!(signature.verify(message, &self.point()).is_ok(), "a fresh signature verifies");
        signature.serialize_der().to_vec()
    }

    /// ECDSA signature with 32 bytes of extra entropy whose first four are `test_case`, without grinding
    /// (reference: `CKey::Sign` with `test_case`).
    pub fn sign_with_counter(&self, hash: &[u8; 32], test_case: u32) -> Vec<u8> {
        if test_case == 0 {
            return self.sign(hash, false);
        }
        let mut extra = [0; 32];
        extra[..4].copy_from_slice(&test_case.to_le_bytes());
        self.with(|key| ecdsa::sign_with_noncedata(Message::from_digest(*hash), key, &extra))
            .serialize_der()
            .to_vec()
    }

    /// Compact signature from which the public key can be recovered: header, R, S.
    /// Reference: `CKey::SignCompact`.
    pub fn sign_compact(&self, hash: &[u8; 32]) -> [u8; COMPACT_SIGNATURE_SIZE] {
        let message = Message::from_digest(*hash);
        let signature = self.with(|key| RecoverableSignature::sign_ecdsa_recoverable(message, key));
        assert!(signature.recover(message) == Ok(self.point()), "a fresh signature gives its key back");
        let (id, compact) = signature.serialize_compact();
        let mut out = [0; COMPACT_SIGNATURE_SIZE];
        out[0] = 27 + id.to_u8() + if self.compressed { 4 } else { 0 };
        out[1..].copy_from_slice(&compact);
        out
    }

    /// BIP340 signature; `aux` is auxiliary randomness (zeros where the reference passes none). `None` when the
    /// tweak is out of range, which no one has seen. Reference: `CKey::SignSchnorr`.
    pub fn sign_schnorr(&self, hash: &[u8; 32], tweak: TapTweak<'_>, aux: &[u8; 32]) -> Option<[u8; 64]> {
        let mut pair = self.key_pair(tweak)?;
        let signature = schnorr::sign_with_aux_rand(hash, &pair, aux);
        let ok = schnorr::verify(&signature, hash, &pair.x_only_public_key().0).is_ok();
        pair.non_secure_erase();
        ok.then(|| signature.to_byte_array())
    }

    fn key_pair(&self, tweak: TapTweak<'_>) -> Option<Keypair> {
        let pair = self.with(Keypair::from_secret_key);
        let x = XOnlyPublicKey::from_bytes(pair.x_only_public_key().0.to_byte_array());
        let tweak = match tweak {
            TapTweak::None => return Some(pair),
            TapTweak::KeyOnly => x.tap_tweak_hash(None),
            TapTweak::MerkleRoot(root) => x.tap_tweak_hash(Some(root)),
        };
        pair.add_xonly_tweak(&Scalar::from_be_bytes(tweak).ok()?).ok()
    }

    /// True when the point's y coordinate is odd.
    pub fn has_odd_y(&self) -> bool {
        self.point().x_only_public_key().1 == Parity::Odd
    }

    /// BIP32 child with its chain code; `None` for an out-of-range intermediate number, which no one has seen.
    /// The key counts as compressed. Reference: `CKey::Derive`.
    pub fn derive(&self, chain_code: &ChainCode, child: u32) -> Option<(SecretKey, ChainCode)> {
        let out = Zeroizing::new(if child >> 31 == 0 {
            let public = self.point().serialize();
            crate::bip32::bip32_hash(chain_code, child, public[0], &public[1..])
        } else {
            crate::bip32::bip32_hash(chain_code, child, 0, &self.bytes[..])
        });
        let mut code = [0; 32];
        code.copy_from_slice(&out[32..]);
        let mut tweak = Zeroizing::new([0; 32]);
        tweak.copy_from_slice(&out[..32]);
        let mut scalar = Scalar::from_be_bytes(*tweak).ok()?;
        let child = self.with(|key| key.add_tweak(&scalar));
        scalar.non_secure_erase();
        let mut child = child.ok()?;
        let mut bytes = child.to_secret_bytes();
        child.non_secure_erase();
        let key = SecretKey::from_slice(&bytes, true);
        bytes.zeroize();
        Some((key.ok()?, code))
    }

    /// Payload of the WIF text (Base58Check is up to the caller): network prefix, key, and 1 for a compressed
    /// public key.
    pub fn to_wif_payload(&self, prefix: u8) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(34));
        out.push(prefix);
        out.extend_from_slice(&self.bytes[..]);
        if self.compressed {
            out.push(1);
        }
        out
    }

    /// Reads the payload of a WIF text. Reference: `DecodeSecret`.
    pub fn from_wif_payload(payload: &[u8], prefix: u8) -> Result<SecretKey, KeyError> {
        let compressed = match payload.len() {
            33 => false,
            34 if payload[33] == 1 => true,
            _ => return Err(KeyError::Encoding),
        };
        if payload[0] != prefix {
            return Err(KeyError::Encoding);
        }
        SecretKey::from_slice(&payload[1..33], compressed)
    }

    /// The DER form in which the reference's wallet stores keys. Reference: `CKey::GetPrivKey`.
    pub fn to_der(&self) -> Zeroizing<Vec<u8>> {
        der::export(self.secret_bytes(), &self.public_key())
    }

    /// Reads the DER form; the public key tells the form, and is checked unless `skip_check`.
    /// Reference: `CKey::Load`.
    pub fn from_der(der: &[u8], public_key: &PublicKey, skip_check: bool) -> Result<SecretKey, KeyError> {
        let bytes = der::import(der).ok_or(KeyError::Encoding)?;
        let key = SecretKey::from_slice(&*bytes, public_key.is_compressed())?;
        if !skip_check && !key.verify_public_key(public_key) {
            return Err(KeyError::Encoding);
        }
        Ok(key)
    }

    pub(crate) fn with_library_key<T>(&self, f: impl FnOnce(&secp256k1::SecretKey) -> T) -> T {
        self.with(f)
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        let differing = self.bytes.iter().zip(other.bytes.iter()).fold(0, |acc, (a, b)| acc | (a ^ b));
        differing == 0 && self.compressed == other.compressed
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}
