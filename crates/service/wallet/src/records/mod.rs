//! Keys and values of the wallet file. Reference: `src/wallet/walletdb.*`, `transaction.h`, `walletutil.h`.

mod tx;

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_compact_size, write_var_bytes};
use grs_hashes::{Hash256, Txid, purpose};
use grs_keys::{BIP32_EXTKEY_SIZE, ExtendedPublicKey, PublicKey, SecretKey};
use grs_primitives::OutPoint;

pub(crate) use tx::{TxState, WalletTx};

/// Names of record types: the first string of a key.
pub(crate) mod name {
    pub(crate) const ACTIVE_EXTERNAL: &str = "activeexternalspk";
    pub(crate) const ACTIVE_INTERNAL: &str = "activeinternalspk";
    pub(crate) const BEST_BLOCK: &str = "bestblock";
    pub(crate) const BEST_BLOCK_NO_MERKLE: &str = "bestblock_nomerkle";
    pub(crate) const DESTINATION_DATA: &str = "destdata";
    pub(crate) const FLAGS: &str = "flags";
    pub(crate) const LOCKED_UTXO: &str = "lockedutxo";
    pub(crate) const MASTER_KEY: &str = "mkey";
    pub(crate) const NAME: &str = "name";
    pub(crate) const ORDER_POS_NEXT: &str = "orderposnext";
    pub(crate) const PURPOSE: &str = "purpose";
    pub(crate) const TX: &str = "tx";
    pub(crate) const VERSION: &str = "version";
    pub(crate) const DESCRIPTOR: &str = "walletdescriptor";
    pub(crate) const DESCRIPTOR_CACHE: &str = "walletdescriptorcache";
    pub(crate) const DESCRIPTOR_LH_CACHE: &str = "walletdescriptorlhcache";
    pub(crate) const DESCRIPTOR_ENCRYPTED_KEY: &str = "walletdescriptorckey";
    pub(crate) const DESCRIPTOR_KEY: &str = "walletdescriptorkey";
    /// Types that only wallets before descriptors have.
    pub(crate) const LEGACY: [&str; 10] =
        ["ckey", "cscript", "defaultkey", "hdchain", "keymeta", "key", "wkey", "pool", "watchmeta", "watchs"];
}

/// A key under construction.
#[derive(Debug, Clone)]
pub(crate) struct RecordKey(Vec<u8>);

impl RecordKey {
    /// Begins with the type's name.
    pub(crate) fn new(name: &str) -> RecordKey {
        RecordKey(Vec::new()).text(name)
    }

    /// Appends a string.
    pub(crate) fn text(mut self, text: &str) -> RecordKey {
        write_var_bytes(&mut self.0, text.as_bytes());
        self
    }

    /// Appends a value.
    pub(crate) fn with(mut self, value: &impl Encode) -> RecordKey {
        value.encode(&mut self.0);
        self
    }

    /// Appends a public key.
    pub(crate) fn public_key(mut self, key: &PublicKey) -> RecordKey {
        write_var_bytes(&mut self.0, key.as_bytes());
        self
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Key of a transaction.
pub(crate) fn tx_key(txid: &Txid) -> RecordKey {
    RecordKey::new(name::TX).with(txid.as_bytes())
}

/// Key of a locked output.
pub(crate) fn locked_utxo_key(outpoint: &OutPoint) -> RecordKey {
    RecordKey::new(name::LOCKED_UTXO).with(outpoint)
}

/// Key of a descriptor.
pub(crate) fn descriptor_key(id: &Hash256) -> RecordKey {
    RecordKey::new(name::DESCRIPTOR).with(id.as_bytes())
}

/// A string with its length.
pub(crate) fn encode_text(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_var_bytes(&mut out, text.as_bytes());
    out
}

/// Reads a string with its length; bytes that are not UTF-8 are replaced.
pub(crate) fn read_text(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    Ok(String::from_utf8_lossy(reader.var_bytes()?).into_owned())
}

/// Reads a public key.
pub(crate) fn read_public_key(reader: &mut Reader<'_>) -> Result<Option<PublicKey>, DecodeError> {
    Ok(PublicKey::from_slice(reader.var_bytes()?).ok())
}

/// The rest of a key after its type's name.
pub(crate) fn key_rest<'a>(key: &'a [u8], name: &str) -> Reader<'a> {
    let head = encode_text(name).len().min(key.len());
    Reader::new(&key[head..])
}

/// The `mkey` record: the wallet's key, encrypted with a passphrase. Reference: `CMasterKey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MasterKey {
    /// The encrypted key.
    pub(crate) encrypted: Vec<u8>,
    /// Salt of the passphrase.
    pub(crate) salt: Vec<u8>,
    /// How the passphrase becomes a key; 0 is SHA-512 in rounds.
    pub(crate) method: u32,
    /// Rounds.
    pub(crate) rounds: u32,
    /// Unused.
    pub(crate) other: Vec<u8>,
}

impl MasterKey {
    /// Least number of rounds.
    pub(crate) const DEFAULT_ROUNDS: u32 = 25_000;
}

impl Default for MasterKey {
    fn default() -> Self {
        MasterKey {
            encrypted: Vec::new(),
            salt: Vec::new(),
            method: 0,
            rounds: Self::DEFAULT_ROUNDS,
            other: Vec::new(),
        }
    }
}

impl Encode for MasterKey {
    fn encode(&self, out: &mut Vec<u8>) {
        write_var_bytes(out, &self.encrypted);
        write_var_bytes(out, &self.salt);
        self.method.encode(out);
        self.rounds.encode(out);
        write_var_bytes(out, &self.other);
    }
}

impl Decode for MasterKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(MasterKey {
            encrypted: reader.var_bytes()?.to_vec(),
            salt: reader.var_bytes()?.to_vec(),
            method: reader.u32_le()?,
            rounds: reader.u32_le()?,
            other: reader.var_bytes()?.to_vec(),
        })
    }
}

/// The `walletdescriptor` record. Reference: `WalletDescriptor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescriptorRecord {
    /// The descriptor with its checksum.
    pub(crate) text: String,
    /// Birth time, Unix seconds.
    pub(crate) creation_time: u64,
    /// Index of the next address.
    pub(crate) next_index: i32,
    /// First index.
    pub(crate) range_start: i32,
    /// Index after the last.
    pub(crate) range_end: i32,
}

impl Encode for DescriptorRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        write_var_bytes(out, self.text.as_bytes());
        self.creation_time.encode(out);
        self.next_index.encode(out);
        self.range_start.encode(out);
        self.range_end.encode(out);
    }
}

impl Decode for DescriptorRecord {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(DescriptorRecord {
            text: read_text(reader)?,
            creation_time: reader.u64_le()?,
            next_index: reader.i32_le()?,
            range_start: reader.i32_le()?,
            range_end: reader.i32_le()?,
        })
    }
}

/// Value of a cached extended key: its 74 bytes with their length.
pub(crate) fn encode_extended_key(key: &ExtendedPublicKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(BIP32_EXTKEY_SIZE + 1);
    write_var_bytes(&mut out, &key.encode());
    out
}

/// Reads such a value.
pub(crate) fn decode_extended_key(value: &[u8]) -> Option<ExtendedPublicKey> {
    let bytes = Reader::new(value).var_bytes().ok()?;
    ExtendedPublicKey::decode(bytes.try_into().ok()?).ok()
}

/// Checksum of a key pair: double SHA-256 of public key and DER of the secret key.
fn key_checksum(public_key: &PublicKey, der: &[u8]) -> [u8; 32] {
    let data = zeroize::Zeroizing::new([public_key.as_bytes(), der].concat());
    purpose::wallet_key_checksum(&data)
}

/// Value of a `walletdescriptorkey` record.
pub(crate) fn encode_key(key: &SecretKey, public_key: &PublicKey) -> zeroize::Zeroizing<Vec<u8>> {
    let der = key.to_der();
    // Room for everything at once: growing would leave copies behind.
    let mut out = zeroize::Zeroizing::new(Vec::with_capacity(der.len() + 48));
    write_compact_size(&mut out, der.len() as u64);
    out.extend_from_slice(&der);
    out.extend_from_slice(&key_checksum(public_key, &der));
    out
}

/// Why a key record cannot be used. The texts are the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyRecordError {
    /// It ends too early.
    #[error("end of data")]
    Encoding,
    /// Its checksum is wrong.
    #[error("Error reading wallet database: descriptor unencrypted key CPubKey/CPrivKey corrupt")]
    Checksum,
    /// It is no key.
    #[error("Error reading wallet database: descriptor unencrypted key CPrivKey corrupt")]
    Key,
}

/// Reads the value of a `walletdescriptorkey` record.
pub(crate) fn decode_key(value: &[u8], public_key: &PublicKey) -> Result<SecretKey, KeyRecordError> {
    let mut reader = Reader::new(value);
    let der = reader.var_bytes().map_err(|_| KeyRecordError::Encoding)?;
    let sum: [u8; 32] = reader.array().map_err(|_| KeyRecordError::Encoding)?;
    if sum != key_checksum(public_key, der) {
        return Err(KeyRecordError::Checksum);
    }
    SecretKey::from_der(der, public_key, true).map_err(|_| KeyRecordError::Key)
}

#[cfg(test)]
mod tests;
