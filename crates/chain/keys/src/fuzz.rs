//! Fuzz targets: each takes any bytes and must not panic.

use crate::{ExtendedPublicKey, ExtendedSecretKey, PublicKey, SecretKey, check_low_s, verify_ecdsa};

/// Lax DER signatures against a fixed key.
pub fn fuzz_der_signature(data: &[u8]) {
    let key = SecretKey::from_slice(&[1; 32], true).expect("in range").public_key();
    let _ = check_low_s(data);
    let _ = verify_ecdsa(key.as_bytes(), &[7; 32], data);
}

/// Key encodings of all kinds.
pub fn fuzz_keys(data: &[u8]) {
    if let Ok(key) = PublicKey::from_slice(data) {
        let _ = (key.is_fully_valid(), key.decompress(), key.x_only().is_fully_valid());
    }
    let _ = PublicKey::recover_compact(&[9; 32], data);
    let _ = SecretKey::from_wif_payload(data, 128);
    if let Ok(bytes) = data.try_into() {
        if let Ok(key) = ExtendedPublicKey::decode(bytes) {
            assert_eq!(key.encode(), *bytes);
            let _ = key.derive(u32::from(data[0]));
        }
        if let Ok(key) = ExtendedSecretKey::decode(bytes) {
            assert_eq!(*key.encode(), *bytes);
        }
    }
    let _ = crate::der::import(data);
}
