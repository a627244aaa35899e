use secp256k1::ellswift::{ElligatorSwift, Party};
use zeroize::Zeroizing;

use crate::{PublicKey, SecretKey};

/// Bytes of an ellswift encoding.
pub const ELLSWIFT_SIZE: usize = 64;

/// A public key in ElligatorSwift encoding (BIP324): looks like random bytes. Reference: `EllSwiftPubKey`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EllSwift(pub [u8; ELLSWIFT_SIZE]);

impl EllSwift {
    /// One of the encodings of a key's public key, chosen by random bytes. Reference: `CKey::EllSwiftCreate`.
    pub fn create(key: &SecretKey, entropy: &[u8; 32]) -> EllSwift {
        EllSwift(key.with_library_key(|k| ElligatorSwift::from_seckey(*k, Some(*entropy)).to_array()))
    }

    /// The public key; every 64 bytes encode one.
    pub fn decode(&self) -> PublicKey {
        let point = secp256k1::PublicKey::from_ellswift(ElligatorSwift::from_array(self.0));
        PublicKey::from_point(&point, true)
    }

    /// BIP324's shared secret. Reference: `CKey::ComputeBIP324ECDHSecret`.
    pub fn bip324_secret(
        key: &SecretKey,
        theirs: &EllSwift,
        ours: &EllSwift,
        initiating: bool,
    ) -> Zeroizing<[u8; 32]> {
        let (a, b, party) =
            if initiating { (ours, theirs, Party::Initiator) } else { (theirs, ours, Party::Responder) };
        let (a, b) = (ElligatorSwift::from_array(a.0), ElligatorSwift::from_array(b.0));
        let mut secret = key.with_library_key(|k| ElligatorSwift::shared_secret(a, b, *k, party));
        let out = Zeroizing::new(secret.to_secret_bytes());
        secret.non_secure_erase();
        out
    }
}
