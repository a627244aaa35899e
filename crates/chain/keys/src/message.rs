//! Signed messages. Reference: `src/common/signmessage.cpp`.

use grs_hashes::Hash160;
use grs_hashes::purpose::signed_message_hash;

use crate::{COMPACT_SIGNATURE_SIZE, PublicKey, SecretKey};

/// Signs a message text (without its magic). The result is shown as Base64.
pub fn sign_message(key: &SecretKey, message: &[u8]) -> [u8; COMPACT_SIGNATURE_SIZE] {
    key.sign_compact(signed_message_hash(message).as_bytes())
}

/// The public key that signed a message; `None` when the signature gives none.
pub fn recover_message(message: &[u8], signature: &[u8]) -> Option<PublicKey> {
    PublicKey::recover_compact(signed_message_hash(message).as_bytes(), signature)
}

/// True when the owner of a key hash signed the message.
pub fn verify_message(key_id: &Hash160, message: &[u8], signature: &[u8]) -> bool {
    recover_message(message, signature).is_some_and(|key| key.key_id() == *key_id)
}
