//! Signed messages as texts. Reference: `src/common/signmessage.cpp`.

use grs_encoding::{base64_decode, base64_encode};
use grs_keys::{SecretKey, recover_message, sign_message};
use grs_params::Network;

use crate::{Destination, decode_destination};

/// Why a message does not verify. RPC shows the texts of the first three; the others mean "not verified".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The address is not one of this network.
    #[error("Invalid address")]
    InvalidAddress,
    /// The address is not P2PKH.
    #[error("Address does not refer to key")]
    AddressNoKey,
    /// The signature is not Base64.
    #[error("Malformed base64 encoding")]
    MalformedSignature,
    /// No key can have made the signature.
    #[error("public key cannot be recovered from the signature")]
    KeyNotRecovered,
    /// Another key made the signature, or it is for another message.
    #[error("signature is not of the address's key")]
    NotSigned,
}

/// The Base64 signature of a message. Reference: `MessageSign`.
pub fn sign_message_text(key: &SecretKey, message: &str) -> String {
    base64_encode(&sign_message(key, message.as_bytes()))
}

/// Checks that the owner of a P2PKH address signed a message. Reference: `MessageVerify`.
pub fn verify_message_text(
    address: &str,
    signature: &str,
    message: &str,
    network: Network,
) -> Result<(), MessageError> {
    let destination = decode_destination(address, network).map_err(|_| MessageError::InvalidAddress)?;
    let Destination::PubKeyHash(id) = destination else { return Err(MessageError::AddressNoKey) };
    let signature = base64_decode(signature).map_err(|_| MessageError::MalformedSignature)?;
    let key = recover_message(message.as_bytes(), &signature).ok_or(MessageError::KeyNotRecovered)?;
    if key.key_id() == id { Ok(()) } else { Err(MessageError::NotSigned) }
}
