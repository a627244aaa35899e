use grs_encoding::{base58check_decode, base58check_encode};
use grs_keys::{BIP32_EXTKEY_SIZE, ExtendedPublicKey, ExtendedSecretKey, SecretKey};
use grs_params::Network;
use zeroize::{Zeroize, Zeroizing};

/// Version bytes of Base58Check texts. All test networks share theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPrefixes {
    /// P2PKH addresses.
    pub pubkey_address: u8,
    /// P2SH addresses.
    pub script_address: u8,
    /// Secret keys (WIF).
    pub secret_key: u8,
    /// Extended public keys.
    pub ext_public_key: [u8; 4],
    /// Extended secret keys.
    pub ext_secret_key: [u8; 4],
}

impl KeyPrefixes {
    /// Those of a network; the same as `ChainParams::base58` without building the parameters.
    pub const fn of(network: Network) -> KeyPrefixes {
        match network {
            Network::Main => KeyPrefixes {
                pubkey_address: 36,
                script_address: 5,
                secret_key: 128,
                ext_public_key: [0x04, 0x88, 0xb2, 0x1e],
                ext_secret_key: [0x04, 0x88, 0xad, 0xe4],
            },
            _ => KeyPrefixes {
                pubkey_address: 111,
                script_address: 196,
                secret_key: 239,
                ext_public_key: [0x04, 0x35, 0x87, 0xcf],
                ext_secret_key: [0x04, 0x35, 0x83, 0x94],
            },
        }
    }
}

/// Reads a secret key in wallet import format. Reference: `DecodeSecret`.
pub fn decode_secret_key(text: &str, network: Network) -> Option<SecretKey> {
    let payload = Zeroizing::new(base58check_decode(text, 34).ok()?);
    SecretKey::from_wif_payload(&payload, KeyPrefixes::of(network).secret_key).ok()
}

/// Wallet import format of a secret key. Reference: `EncodeSecret`.
pub fn encode_secret_key(key: &SecretKey, network: Network) -> Zeroizing<String> {
    let payload = key.to_wif_payload(KeyPrefixes::of(network).secret_key);
    Zeroizing::new(base58check_encode(&payload))
}

fn decode_extended(text: &str, prefix: [u8; 4]) -> Option<Zeroizing<[u8; BIP32_EXTKEY_SIZE]>> {
    let payload = Zeroizing::new(base58check_decode(text, 78).ok()?);
    let bytes: [u8; BIP32_EXTKEY_SIZE] = payload.strip_prefix(&prefix)?.try_into().ok()?;
    Some(Zeroizing::new(bytes))
}

fn encode_extended(bytes: &[u8; BIP32_EXTKEY_SIZE], prefix: [u8; 4]) -> String {
    let mut payload = prefix.to_vec();
    payload.extend_from_slice(bytes);
    let text = base58check_encode(&payload);
    payload.zeroize();
    text
}

/// Reads an `xpub` (main network) or `tpub`. Reference: `DecodeExtPubKey`.
pub fn decode_extended_public_key(text: &str, network: Network) -> Option<ExtendedPublicKey> {
    let bytes = decode_extended(text, KeyPrefixes::of(network).ext_public_key)?;
    ExtendedPublicKey::decode(&bytes).ok()
}

/// The `xpub` or `tpub` text. Reference: `EncodeExtPubKey`.
pub fn encode_extended_public_key(key: &ExtendedPublicKey, network: Network) -> String {
    encode_extended(&key.encode(), KeyPrefixes::of(network).ext_public_key)
}

/// Reads an `xprv` (main network) or `tprv`. Reference: `DecodeExtKey`.
pub fn decode_extended_secret_key(text: &str, network: Network) -> Option<ExtendedSecretKey> {
    let bytes = decode_extended(text, KeyPrefixes::of(network).ext_secret_key)?;
    ExtendedSecretKey::decode(&bytes).ok()
}

/// The `xprv` or `tprv` text. Reference: `EncodeExtKey`.
pub fn encode_extended_secret_key(key: &ExtendedSecretKey, network: Network) -> Zeroizing<String> {
    Zeroizing::new(encode_extended(&key.encode(), KeyPrefixes::of(network).ext_secret_key))
}
