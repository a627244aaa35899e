//! Reading and writing the entries of a map: a key, the first number of which is its type, and a value.

use std::collections::{BTreeMap, BTreeSet};

use grs_descriptor::KeyOrigin;
use grs_encoding::{
    Decode, DecodeError, Encode, Reader, compact_size_len, write_compact_size, write_var_bytes,
};
use grs_keys::{PublicKey, XOnlyPublicKey};

use crate::PsbtError;

/// Bytes of a compressed public key.
pub(crate) const COMPRESSED: usize = 33;
/// Type of proprietary entries in every map.
pub(crate) const PROPRIETARY: u64 = 0xfc;

/// An entry that a program keeps for itself, with its whole key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proprietary {
    /// Whose entry it is.
    pub identifier: Vec<u8>,
    /// Type among the owner's entries.
    pub subtype: u64,
    /// Value.
    pub value: Vec<u8>,
}

/// Entries by their whole keys.
pub(crate) type Unknown = BTreeMap<Vec<u8>, Vec<u8>>;

/// An entry as it stands in the file.
pub(crate) struct Entry<'a> {
    /// The whole key.
    pub(crate) key: &'a [u8],
    /// Its first number.
    pub(crate) kind: u64,
    /// What follows that number.
    pub(crate) rest: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The next entry, `None` at the separator; `missing` is the error when the data ends without one.
pub(crate) fn next_entry<'a>(
    reader: &mut Reader<'a>,
    missing: &'static str,
) -> Result<Option<Entry<'a>>, PsbtError> {
    if reader.is_empty() {
        return Err(PsbtError::Format(missing));
    }
    let key = reader.var_bytes()?;
    if key.is_empty() {
        return Ok(None);
    }
    let mut key_reader = Reader::new(key);
    let kind = key_reader.compact_size()?;
    let rest = key_reader.rest();
    Ok(Some(Entry { key, kind, rest, value: reader.var_bytes()? }))
}

impl Entry<'_> {
    /// Checks that the key is nothing but its type, and was not there before.
    pub(crate) fn only(
        &self,
        present: bool,
        duplicate: &'static str,
        too_long: &'static str,
    ) -> Result<(), PsbtError> {
        if present {
            return Err(PsbtError::Format(duplicate));
        }
        if !self.rest.is_empty() {
            return Err(PsbtError::Format(too_long));
        }
        Ok(())
    }

    /// Decodes the value, which must be all of it.
    pub(crate) fn decode<T: Decode>(&self) -> Result<T, PsbtError> {
        self.decode_with(T::decode)
    }

    /// The same with a decoder of its own.
    pub(crate) fn decode_with<T>(
        &self,
        decode: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, PsbtError> {
        let mut reader = Reader::new(self.value);
        let value = decode(&mut reader);
        if matches!(value, Err(DecodeError::EndOfData)) || value.is_ok() && !reader.is_empty() {
            return Err(PsbtError::Format("Size of value was not the stated size"));
        }
        Ok(value?)
    }

    /// Adds this entry to those that nobody here understands.
    pub(crate) fn keep_unknown(&self, unknown: &mut Unknown) -> Result<(), PsbtError> {
        if unknown.insert(self.key.to_vec(), self.value.to_vec()).is_some() {
            return Err(PsbtError::Format("Duplicate Key, key for unknown value already provided"));
        }
        Ok(())
    }

    /// Adds this entry to the proprietary ones.
    pub(crate) fn keep_proprietary(
        &self,
        proprietary: &mut BTreeMap<Vec<u8>, Proprietary>,
    ) -> Result<(), PsbtError> {
        let mut reader = Reader::new(self.rest);
        let identifier = reader.var_bytes()?.to_vec();
        let subtype = reader.compact_size()?;
        let entry = Proprietary { identifier, subtype, value: self.value.to_vec() };
        if proprietary.insert(self.key.to_vec(), entry).is_some() {
            return Err(PsbtError::Format("Duplicate Key, proprietary key already found"));
        }
        Ok(())
    }
}

/// A key that is on the curve.
pub(crate) fn public_key(bytes: &[u8], invalid: &'static str) -> Result<PublicKey, PsbtError> {
    PublicKey::from_slice(bytes).ok().filter(PublicKey::is_fully_valid).ok_or(PsbtError::Format(invalid))
}

pub(crate) fn x_only(bytes: &[u8]) -> Result<XOnlyPublicKey, PsbtError> {
    XOnlyPublicKey::from_slice(bytes).ok_or(PsbtError::Encoding(DecodeError::EndOfData))
}

/// Where a key comes from. Reference: `DeserializeKeyOrigin`.
pub(crate) fn key_origin(bytes: &[u8]) -> Result<KeyOrigin, PsbtError> {
    let (words, rest) = bytes.as_chunks::<4>();
    let Some((fingerprint, path)) = words.split_first().filter(|_| rest.is_empty()) else {
        return Err(PsbtError::Format("Invalid length for HD key path"));
    };
    Ok(KeyOrigin { fingerprint: *fingerprint, path: path.iter().map(|w| u32::from_le_bytes(*w)).collect() })
}

pub(crate) fn write_key_origin(out: &mut Vec<u8>, origin: &KeyOrigin) {
    out.extend_from_slice(&origin.fingerprint);
    origin.path.iter().for_each(|step| step.encode(out));
}

/// Reads a BIP32 derivation entry.
pub(crate) fn derivation(
    entry: &Entry<'_>,
    paths: &mut BTreeMap<PublicKey, KeyOrigin>,
) -> Result<(), PsbtError> {
    if entry.rest.len() != 65 && entry.rest.len() != COMPRESSED {
        return Err(PsbtError::Format("Size of key was not the expected size for the type BIP32 keypath"));
    }
    let key = public_key(entry.rest, "Invalid pubkey")?;
    if paths.contains_key(&key) {
        return Err(PsbtError::Format("Duplicate Key, pubkey derivation path already provided"));
    }
    paths.insert(key, key_origin(entry.value)?);
    Ok(())
}

/// Keys of Taproot with the leaves they are in and where they come from.
pub(crate) type TaprootPaths = BTreeMap<XOnlyPublicKey, (BTreeSet<[u8; 32]>, KeyOrigin)>;

/// Reads a Taproot BIP32 derivation entry; `side` is `Input` or `Output`.
pub(crate) fn taproot_derivation(
    entry: &Entry<'_>,
    paths: &mut TaprootPaths,
    side: &'static str,
) -> Result<(), PsbtError> {
    let of = |text| PsbtError::FormatOf(side, text);
    if entry.rest.len() != 32 {
        return Err(of("Taproot BIP32 keypath key is not at 33 bytes"));
    }
    let key = x_only(entry.rest)?;
    if paths.contains_key(&key) {
        return Err(PsbtError::Format(match side {
            "Input" => "Duplicate Key, input Taproot BIP32 keypath already provided",
            _ => "Duplicate Key, output Taproot BIP32 keypath already provided",
        }));
    }
    let mut reader = Reader::new(entry.value);
    let leaves = Vec::<[u8; 32]>::decode(&mut reader)
        .map_err(|_| of("Taproot BIP32 keypath has an invalid length"))?
        .into_iter()
        .collect();
    let origin = key_origin(reader.rest())?;
    paths.insert(key, (leaves, origin));
    Ok(())
}

/// Reads the participants of a MuSig2 aggregate key.
pub(crate) fn musig2_participants(
    entry: &Entry<'_>,
    participants: &mut BTreeMap<PublicKey, Vec<PublicKey>>,
    side: &'static str,
) -> Result<(), PsbtError> {
    let of = |text| PsbtError::FormatOf(side, text);
    if entry.rest.len() != COMPRESSED {
        return Err(of("musig2 participants pubkeys aggregate key is not 34 bytes"));
    }
    let aggregate = public_key(entry.rest, "").map_err(|_| of("musig2 aggregate pubkey is invalid"))?;
    if participants.contains_key(&aggregate) {
        return Err(PsbtError::Format(match side {
            "Input" => "Duplicate Key, input participant pubkeys for an aggregate key already provided",
            _ => "Duplicate Key, output participant pubkeys for an aggregate key already provided",
        }));
    }
    let (keys, rest) = entry.value.as_chunks::<COMPRESSED>();
    let keys: Result<Vec<PublicKey>, PsbtError> = keys
        .iter()
        .map(|key| public_key(key, "").map_err(|_| of("musig2 participant pubkey is invalid")))
        .collect();
    let keys = keys?;
    if !rest.is_empty() {
        return Err(of("musig2 participants pubkeys value size is not a multiple of 33"));
    }
    participants.insert(aggregate, keys);
    Ok(())
}

/// Writes entries one after the other.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    /// An entry with a key of a type and parts.
    pub(crate) fn entry(&mut self, kind: u8, key: &[&[u8]], value: &[u8]) {
        let len: usize = key.iter().map(|part| part.len()).sum();
        write_compact_size(self.0, (compact_size_len(u64::from(kind)) + len) as u64);
        write_compact_size(self.0, u64::from(kind));
        key.iter().for_each(|part| self.0.extend_from_slice(part));
        write_var_bytes(self.0, value);
    }

    pub(crate) fn encoded<T: Encode + ?Sized>(&mut self, kind: u8, key: &[&[u8]], value: &T) {
        self.entry(kind, key, &grs_encoding::encode_to_vec(value));
    }

    pub(crate) fn derivations(&mut self, kind: u8, paths: &BTreeMap<PublicKey, KeyOrigin>) {
        for (key, origin) in paths {
            let mut value = Vec::new();
            write_key_origin(&mut value, origin);
            self.entry(kind, &[key.as_bytes()], &value);
        }
    }

    pub(crate) fn taproot_derivations(&mut self, kind: u8, paths: &TaprootPaths) {
        for (key, (leaves, origin)) in paths {
            let mut value = Vec::new();
            write_compact_size(&mut value, leaves.len() as u64);
            leaves.iter().for_each(|leaf| value.extend_from_slice(leaf));
            write_key_origin(&mut value, origin);
            self.entry(kind, &[key.as_bytes()], &value);
        }
    }

    pub(crate) fn musig2_participants(&mut self, kind: u8, keys: &BTreeMap<PublicKey, Vec<PublicKey>>) {
        for (aggregate, participants) in keys {
            let value: Vec<u8> = participants.iter().flat_map(|key| key.as_bytes()).copied().collect();
            self.entry(kind, &[aggregate.as_bytes()], &value);
        }
    }

    pub(crate) fn proprietary(&mut self, entries: &BTreeMap<Vec<u8>, Proprietary>) {
        for (key, entry) in entries {
            write_var_bytes(self.0, key);
            write_var_bytes(self.0, &entry.value);
        }
    }

    pub(crate) fn unknown(&mut self, entries: &Unknown) {
        for (key, value) in entries {
            write_var_bytes(self.0, key);
            write_var_bytes(self.0, value);
        }
    }

    pub(crate) fn end(&mut self) {
        self.0.push(0);
    }
}
