//! Encryption of keys with a passphrase. Reference: `src/wallet/crypter.*`, `EncryptMasterKey` of `wallet.cpp`.

use std::time::Instant;

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit, generic_array::GenericArray};
use grs_hashes::purpose;
use grs_keys::{PublicKey, SecretKey};
use zeroize::{Zeroize, Zeroizing};

use crate::records::MasterKey;

/// Bytes of an AES-256 key.
pub(crate) const KEY_SIZE: usize = 32;
/// Bytes of a salt.
pub(crate) const SALT_SIZE: usize = 8;
const IV_SIZE: usize = 16;
const BLOCK: usize = 16;

/// The key that all secret keys of a wallet are encrypted with.
pub(crate) type KeyingMaterial = Zeroizing<[u8; KEY_SIZE]>;

/// AES-256-CBC with PKCS#7 padding.
pub(crate) fn encrypt(key: &[u8; KEY_SIZE], iv: &[u8; IV_SIZE], plain: &[u8]) -> Vec<u8> {
    let cipher = Aes256::new(GenericArray::from_slice(key));
    let pad = BLOCK - plain.len() % BLOCK;
    let mut out = Vec::with_capacity(plain.len() + pad);
    out.extend_from_slice(plain);
    out.resize(plain.len() + pad, pad as u8);
    let mut previous = *iv;
    for block in out.chunks_exact_mut(BLOCK) {
        block.iter_mut().zip(previous).for_each(|(b, p)| *b ^= p);
        cipher.encrypt_block(GenericArray::from_mut_slice(block));
        previous.copy_from_slice(block);
    }
    out
}

/// The reverse of [`encrypt`]; `None` when length or padding is wrong.
pub(crate) fn decrypt(key: &[u8; KEY_SIZE], iv: &[u8; IV_SIZE], secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if secret.is_empty() || !secret.len().is_multiple_of(BLOCK) {
        return None;
    }
    let cipher = Aes256::new(GenericArray::from_slice(key));
    let mut out = Zeroizing::new(secret.to_vec());
    let mut previous = *iv;
    for (block, encrypted) in out.chunks_exact_mut(BLOCK).zip(secret.chunks_exact(BLOCK)) {
        cipher.decrypt_block(GenericArray::from_mut_slice(block));
        block.iter_mut().zip(previous).for_each(|(b, p)| *b ^= p);
        previous.copy_from_slice(encrypted);
    }
    let pad = usize::from(*out.last()?);
    let len = out.len().checked_sub(pad)?;
    if !(1..=BLOCK).contains(&pad) || out[len..].iter().any(|&b| usize::from(b) != pad) {
        return None;
    }
    out.truncate(len);
    Some(out)
}

/// Key and initialization vector of a passphrase: SHA-512 in many rounds, as OpenSSL's `EVP_BytesToKey`.
fn derive(
    passphrase: &[u8],
    salt: &[u8],
    rounds: u32,
) -> Option<(Zeroizing<[u8; KEY_SIZE]>, Zeroizing<[u8; IV_SIZE]>)> {
    if rounds == 0 || salt.len() != SALT_SIZE {
        return None;
    }
    let first = Zeroizing::new([passphrase, salt].concat());
    let mut hash = Zeroizing::new(purpose::sha512(&first));
    for _ in 1..rounds {
        *hash = purpose::sha512(hash.as_slice());
    }
    let mut key = Zeroizing::new([0; KEY_SIZE]);
    let mut iv = Zeroizing::new([0; IV_SIZE]);
    key.copy_from_slice(&hash[..KEY_SIZE]);
    iv.copy_from_slice(&hash[KEY_SIZE..KEY_SIZE + IV_SIZE]);
    Some((key, iv))
}

/// A new random master key.
pub(crate) fn random_key() -> KeyingMaterial {
    let mut key = Zeroizing::new([0; KEY_SIZE]);
    getrandom::fill(key.as_mut_slice()).expect("the system gives random bytes");
    key
}

/// Encrypts the wallet's key with a passphrase, in so many rounds that it takes a tenth of a second.
pub(crate) fn encrypt_master_key(passphrase: &[u8], plain: &KeyingMaterial, record: &mut MasterKey) {
    let measured = |rounds: u32, salt: &[u8]| {
        let start = Instant::now();
        let _ = derive(passphrase, salt, rounds);
        let took = start.elapsed().as_secs_f64().max(1e-6);
        (f64::from(rounds) * 0.1 / took).min(f64::from(u32::MAX / 2)) as u32
    };
    let first = measured(MasterKey::DEFAULT_ROUNDS, &record.salt).max(1);
    let second = measured(first, &record.salt);
    record.rounds = (first / 2 + second / 2).max(MasterKey::DEFAULT_ROUNDS);
    let (key, iv) =
        derive(passphrase, &record.salt, record.rounds).expect("salt and rounds were chosen to be valid");
    record.encrypted = encrypt(&key, &iv, plain.as_slice());
}

/// A record for a new passphrase.
pub(crate) fn new_master_key(passphrase: &[u8], plain: &KeyingMaterial) -> MasterKey {
    let mut salt = vec![0; SALT_SIZE];
    getrandom::fill(&mut salt).expect("the system gives random bytes");
    let mut record = MasterKey { salt, ..MasterKey::default() };
    encrypt_master_key(passphrase, plain, &mut record);
    record
}

/// The wallet's key, if the passphrase seems to be right.
pub(crate) fn decrypt_master_key(passphrase: &[u8], record: &MasterKey) -> Option<KeyingMaterial> {
    if record.method != 0 {
        return None;
    }
    let (key, iv) = derive(passphrase, &record.salt, record.rounds)?;
    let plain = decrypt(&key, &iv, &record.encrypted)?;
    let mut out = Zeroizing::new([0; KEY_SIZE]);
    if plain.len() != KEY_SIZE {
        return None;
    }
    out.copy_from_slice(&plain);
    Some(out)
}

fn key_iv(public_key: &PublicKey) -> [u8; IV_SIZE] {
    let hash = public_key.iv_hash();
    let mut iv = [0; IV_SIZE];
    iv.copy_from_slice(&hash.as_bytes()[..IV_SIZE]);
    iv
}

/// Encrypts a secret key; its public key gives the initialization vector.
pub(crate) fn encrypt_key(master: &KeyingMaterial, key: &SecretKey, public_key: &PublicKey) -> Vec<u8> {
    encrypt(master, &key_iv(public_key), key.secret_bytes())
}

/// Decrypts a secret key; `None` unless it belongs to the public key.
pub(crate) fn decrypt_key(
    master: &KeyingMaterial,
    secret: &[u8],
    public_key: &PublicKey,
) -> Option<SecretKey> {
    let plain = decrypt(master, &key_iv(public_key), secret)?;
    let key = SecretKey::from_slice(&plain, public_key.is_compressed()).ok()?;
    key.verify_public_key(public_key).then_some(key)
}

/// Overwrites a key that is no longer needed.
pub(crate) fn forget(key: &mut Option<KeyingMaterial>) {
    if let Some(mut key) = key.take() {
        key.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_encoding::{hex_decode, hex_decode_array};

    #[test]
    fn cbc_gives_the_published_bytes() {
        // NIST SP 800-38A, F.2.5 (the padding block is ours).
        let key =
            hex_decode_array("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").unwrap();
        let iv = hex_decode_array("000102030405060708090a0b0c0d0e0f").unwrap();
        let plain = hex_decode("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51").unwrap();
        let secret = encrypt(&key, &iv, &plain);
        assert_eq!(
            secret[..32],
            hex_decode("f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d").unwrap()
        );
        assert_eq!(secret.len(), 48);
        assert_eq!(decrypt(&key, &iv, &secret).unwrap().as_slice(), plain);
        assert!(decrypt(&key, &iv, &secret[..47]).is_none());
        assert!(decrypt(&key, &iv, &[]).is_none());
    }

    #[test]
    fn passphrases_open_their_own_record_only() {
        let plain = random_key();
        let record = new_master_key(b"correct", &plain);
        assert!(record.rounds >= MasterKey::DEFAULT_ROUNDS);
        assert_eq!(decrypt_master_key(b"correct", &record).unwrap(), plain);
        assert!(decrypt_master_key(b"wrong", &record).is_none_or(|k| k != plain));
        let key = SecretKey::generate(true, |b| b.fill(7));
        let public_key = key.public_key();
        let secret = encrypt_key(&plain, &key, &public_key);
        assert_eq!(decrypt_key(&plain, &secret, &public_key), Some(key));
        assert!(decrypt_key(&random_key(), &secret, &public_key).is_none());
    }
}
