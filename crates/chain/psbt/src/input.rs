//! What is known about an input.

use std::collections::{BTreeMap, BTreeSet};

use grs_descriptor::{ControlBlock, KeyOrigin, SignatureData};
use grs_encoding::Reader;
use grs_hashes::{Hash160, purpose};
use grs_keys::{PublicKey, XOnlyPublicKey};
use grs_primitives::{Script, Transaction, TxOut, TxRef, Witness};
use grs_script::{ScriptFlags, check_signature_encoding};

use crate::PsbtError;
use crate::entry::{
    self, COMPRESSED, Entry, PROPRIETARY, Proprietary, TaprootPaths, Unknown, Writer, next_entry, public_key,
};

const NON_WITNESS_UTXO: u8 = 0x00;
const WITNESS_UTXO: u8 = 0x01;
const PARTIAL_SIG: u8 = 0x02;
const SIGHASH: u8 = 0x03;
const REDEEM_SCRIPT: u8 = 0x04;
const WITNESS_SCRIPT: u8 = 0x05;
const BIP32_DERIVATION: u8 = 0x06;
const SCRIPT_SIG: u8 = 0x07;
const SCRIPT_WITNESS: u8 = 0x08;
const RIPEMD160: u8 = 0x0a;
const SHA256: u8 = 0x0b;
const HASH160: u8 = 0x0c;
const HASH256: u8 = 0x0d;
const TAP_KEY_SIG: u8 = 0x13;
const TAP_SCRIPT_SIG: u8 = 0x14;
const TAP_LEAF_SCRIPT: u8 = 0x15;
const TAP_BIP32_DERIVATION: u8 = 0x16;
const TAP_INTERNAL_KEY: u8 = 0x17;
const TAP_MERKLE_ROOT: u8 = 0x18;
const MUSIG2_PARTICIPANT_PUBKEYS: u8 = 0x1a;
const MUSIG2_PUB_NONCE: u8 = 0x1b;
const MUSIG2_PARTIAL_SIG: u8 = 0x1c;

const MUSIG2_PUBLIC_NONCE_SIZE: usize = 66;

/// The map of an input. Reference: `PSBTInput`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PsbtInput {
    /// The whole transaction that is spent from.
    pub non_witness_utxo: Option<TxRef>,
    /// The output that is spent.
    pub witness_utxo: Option<TxOut>,
    /// P2SH redeem script; empty when there is none.
    pub redeem_script: Script,
    /// P2WSH witness script; empty when there is none.
    pub witness_script: Script,
    /// Final unlocking script.
    pub final_script_sig: Script,
    /// Final witness.
    pub final_script_witness: Witness,
    /// Where keys come from.
    pub hd_keypaths: BTreeMap<PublicKey, KeyOrigin>,
    /// ECDSA signatures with hash type, by key id.
    pub partial_sigs: BTreeMap<Hash160, (PublicKey, Vec<u8>)>,
    /// Preimages by hash.
    pub ripemd160_preimages: BTreeMap<[u8; 20], Vec<u8>>,
    /// Preimages by hash.
    pub sha256_preimages: BTreeMap<[u8; 32], Vec<u8>>,
    /// Preimages by hash.
    pub hash160_preimages: BTreeMap<[u8; 20], Vec<u8>>,
    /// Preimages by hash (of `OP_HASH256`, which is Groestl on this chain).
    pub hash256_preimages: BTreeMap<[u8; 32], Vec<u8>>,
    /// Schnorr signature for the key path, 64 or 65 bytes; empty when there is none.
    pub tap_key_sig: Vec<u8>,
    /// Schnorr signatures for script paths, by key and leaf hash.
    pub tap_script_sigs: BTreeMap<(XOnlyPublicKey, [u8; 32]), Vec<u8>>,
    /// Leaf scripts with their versions, and control blocks of each.
    pub tap_scripts: BTreeMap<(Vec<u8>, u8), BTreeSet<ControlBlock>>,
    /// Taproot keys, the leaves they are in and where they come from.
    pub tap_bip32_paths: TaprootPaths,
    /// Taproot internal key.
    pub tap_internal_key: Option<XOnlyPublicKey>,
    /// Root of the Taproot scripts.
    pub tap_merkle_root: Option<[u8; 32]>,
    /// MuSig2 participants by plain aggregate key.
    pub musig2_participants: BTreeMap<PublicKey, Vec<PublicKey>>,
    /// MuSig2 public nonces by participant, for each script key and leaf hash (zeros for the key path).
    pub musig2_public_nonces: BTreeMap<(PublicKey, [u8; 32]), BTreeMap<PublicKey, Vec<u8>>>,
    /// MuSig2 partial signatures by participant, for each script key and leaf hash (zeros for the key path).
    pub musig2_partial_sigs: BTreeMap<(PublicKey, [u8; 32]), BTreeMap<PublicKey, [u8; 32]>>,
    /// Entries of other types.
    pub unknown: Unknown,
    /// Entries of particular programs, by whole key.
    pub proprietary: BTreeMap<Vec<u8>, Proprietary>,
    /// Signature hash type to be used.
    pub sighash_type: Option<i32>,
}

/// Adds what is not known yet.
pub(crate) fn fill<K: Ord + Clone, V: Clone>(to: &mut BTreeMap<K, V>, from: &BTreeMap<K, V>) {
    for (key, value) in from {
        to.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

fn fill_script(to: &mut Script, from: &Script) {
    if to.is_empty() {
        to.clone_from(from);
    }
}

fn preimage<const N: usize>(
    entry: &Entry<'_>,
    preimages: &mut BTreeMap<[u8; N], Vec<u8>>,
    size: &'static str,
    duplicate: &'static str,
) -> Result<(), PsbtError> {
    let hash: [u8; N] = entry.rest.try_into().map_err(|_| PsbtError::Format(size))?;
    if preimages.insert(hash, entry.value.to_vec()).is_some() {
        return Err(PsbtError::Format(duplicate));
    }
    Ok(())
}

/// Participant, aggregate key and leaf hash in the key of a MuSig2 entry.
fn musig2_place(rest: &[u8], size: &'static str) -> Result<(PublicKey, (PublicKey, [u8; 32])), PsbtError> {
    if rest.len() != 2 * COMPRESSED && rest.len() != 2 * COMPRESSED + 32 {
        return Err(PsbtError::Format(size));
    }
    let mut reader = Reader::new(rest);
    let participant = reader.bytes(COMPRESSED)?;
    let aggregate = public_key(reader.bytes(COMPRESSED)?, "musig2 aggregate pubkey is invalid")?;
    let participant = public_key(participant, "musig2 participant pubkey is invalid")?;
    let leaf = if reader.is_empty() { [0; 32] } else { reader.array()? };
    Ok((participant, (aggregate, leaf)))
}

impl PsbtInput {
    /// There is a final unlocking script or witness. Reference: `PSBTInputSigned`.
    pub fn is_signed(&self) -> bool {
        !self.final_script_sig.is_empty() || !self.final_script_witness.is_empty()
    }

    /// Nothing is known. Reference: `PSBTInput::IsNull`.
    pub fn is_null(&self) -> bool {
        self.non_witness_utxo.is_none()
            && self.witness_utxo.is_none()
            && self.partial_sigs.is_empty()
            && self.unknown.is_empty()
            && self.hd_keypaths.is_empty()
            && self.redeem_script.is_empty()
            && self.witness_script.is_empty()
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<PsbtInput, PsbtError> {
        let mut input = PsbtInput::default();
        // Types whose value may be empty or null are remembered here.
        let mut seen = BTreeSet::new();
        while let Some(entry) = next_entry(reader, "Separator is missing at the end of an input map")? {
            input.take(&entry, !seen.insert(entry.key.to_vec()))?;
        }
        Ok(input)
    }

    fn take(&mut self, entry: &Entry<'_>, seen: bool) -> Result<(), PsbtError> {
        let format = |text| Err(PsbtError::Format(text));
        let Ok(kind) = u8::try_from(entry.kind) else { return entry.keep_unknown(&mut self.unknown) };
        match kind {
            NON_WITNESS_UTXO => {
                entry.only(
                    seen,
                    "Duplicate Key, input non-witness utxo already provided",
                    "Non-witness utxo key is more than one byte type",
                )?;
                self.non_witness_utxo = Some(TxRef::new(entry.decode::<Transaction>()?));
            }
            WITNESS_UTXO => {
                entry.only(
                    seen,
                    "Duplicate Key, input witness utxo already provided",
                    "Witness utxo key is more than one byte type",
                )?;
                // An amount of -1 stands for no output at all.
                self.witness_utxo = Some(entry.decode::<TxOut>()?).filter(|out| out.value.0 != -1);
            }
            PARTIAL_SIG => self.take_partial_sig(entry)?,
            SIGHASH => {
                entry.only(
                    seen,
                    "Duplicate Key, input sighash type already provided",
                    "Sighash type key is more than one byte type",
                )?;
                self.sighash_type = Some(entry.decode()?);
            }
            REDEEM_SCRIPT => {
                entry.only(
                    seen,
                    "Duplicate Key, input redeemScript already provided",
                    "Input redeemScript key is more than one byte type",
                )?;
                self.redeem_script = Script::from(entry.value.to_vec());
            }
            WITNESS_SCRIPT => {
                entry.only(
                    seen,
                    "Duplicate Key, input witnessScript already provided",
                    "Input witnessScript key is more than one byte type",
                )?;
                self.witness_script = Script::from(entry.value.to_vec());
            }
            BIP32_DERIVATION => entry::derivation(entry, &mut self.hd_keypaths)?,
            SCRIPT_SIG => {
                entry.only(
                    seen,
                    "Duplicate Key, input final scriptSig already provided",
                    "Final scriptSig key is more than one byte type",
                )?;
                self.final_script_sig = Script::from(entry.value.to_vec());
            }
            SCRIPT_WITNESS => {
                entry.only(
                    seen,
                    "Duplicate Key, input final scriptWitness already provided",
                    "Final scriptWitness key is more than one byte type",
                )?;
                self.final_script_witness = entry.decode()?;
            }
            RIPEMD160 => preimage(
                entry,
                &mut self.ripemd160_preimages,
                "Size of key was not the expected size for the type ripemd160 preimage",
                "Duplicate Key, input ripemd160 preimage already provided",
            )?,
            SHA256 => preimage(
                entry,
                &mut self.sha256_preimages,
                "Size of key was not the expected size for the type sha256 preimage",
                "Duplicate Key, input sha256 preimage already provided",
            )?,
            HASH160 => preimage(
                entry,
                &mut self.hash160_preimages,
                "Size of key was not the expected size for the type hash160 preimage",
                "Duplicate Key, input hash160 preimage already provided",
            )?,
            HASH256 => preimage(
                entry,
                &mut self.hash256_preimages,
                "Size of key was not the expected size for the type hash256 preimage",
                "Duplicate Key, input hash256 preimage already provided",
            )?,
            TAP_KEY_SIG => {
                entry.only(
                    seen,
                    "Duplicate Key, input Taproot key signature already provided",
                    "Input Taproot key signature key is more than one byte type",
                )?;
                match entry.value.len() {
                    ..64 => return format("Input Taproot key path signature is shorter than 64 bytes"),
                    66.. => return format("Input Taproot key path signature is longer than 65 bytes"),
                    _ => self.tap_key_sig = entry.value.to_vec(),
                }
            }
            TAP_SCRIPT_SIG => {
                if seen {
                    return format("Duplicate Key, input Taproot script signature already provided");
                }
                if entry.rest.len() != 64 {
                    return format("Input Taproot script signature key is not 65 bytes");
                }
                let mut reader = Reader::new(entry.rest);
                let place = (entry::x_only(reader.bytes(32)?)?, reader.array()?);
                match entry.value.len() {
                    ..64 => return format("Input Taproot script path signature is shorter than 64 bytes"),
                    66.. => return format("Input Taproot script path signature is longer than 65 bytes"),
                    _ => self.tap_script_sigs.insert(place, entry.value.to_vec()),
                };
            }
            TAP_LEAF_SCRIPT => {
                if seen {
                    return format("Duplicate Key, input Taproot leaf script already provided");
                }
                if entry.rest.len() < 33 {
                    return format("Taproot leaf script key is not at least 34 bytes");
                }
                if !(entry.rest.len() - 1).is_multiple_of(32) {
                    return format("Input Taproot leaf script key's control block size is not valid");
                }
                let Some((version, script)) = entry.value.split_last() else {
                    return format("Input Taproot leaf script must be at least 1 byte");
                };
                let blocks = self.tap_scripts.entry((script.to_vec(), *version)).or_default();
                blocks.insert(ControlBlock(entry.rest.to_vec()));
            }
            TAP_BIP32_DERIVATION => entry::taproot_derivation(entry, &mut self.tap_bip32_paths, "Input")?,
            TAP_INTERNAL_KEY => {
                entry.only(
                    seen,
                    "Duplicate Key, input Taproot internal key already provided",
                    "Input Taproot internal key key is more than one byte type",
                )?;
                self.tap_internal_key = Some(entry::x_only(&entry.decode::<[u8; 32]>()?)?);
            }
            TAP_MERKLE_ROOT => {
                entry.only(
                    seen,
                    "Duplicate Key, input Taproot merkle root already provided",
                    "Input Taproot merkle root key is more than one byte type",
                )?;
                self.tap_merkle_root = Some(entry.decode::<[u8; 32]>()?).filter(|root| *root != [0; 32]);
            }
            MUSIG2_PARTICIPANT_PUBKEYS => {
                entry::musig2_participants(entry, &mut self.musig2_participants, "Input")?;
            }
            MUSIG2_PUB_NONCE => {
                if seen {
                    return format("Duplicate Key, input musig2 pubnonce already provided");
                }
                let size = "Input musig2 pubnonce key is not expected size of 67 or 99 bytes";
                let (participant, place) = musig2_place(entry.rest, size)?;
                if entry.value.len() != MUSIG2_PUBLIC_NONCE_SIZE {
                    return format("Input musig2 pubnonce value is not 66 bytes");
                }
                let nonces = self.musig2_public_nonces.entry(place).or_default();
                nonces.insert(participant, entry.value.to_vec());
            }
            MUSIG2_PARTIAL_SIG => {
                if seen {
                    return format("Duplicate Key, input musig2 partial sig already provided");
                }
                let size = "Input musig2 partial sig key is not expected size of 67 or 99 bytes";
                let (participant, place) = musig2_place(entry.rest, size)?;
                let signature = entry.decode()?;
                self.musig2_partial_sigs.entry(place).or_default().insert(participant, signature);
            }
            _ if entry.kind == PROPRIETARY => entry.keep_proprietary(&mut self.proprietary)?,
            _ => entry.keep_unknown(&mut self.unknown)?,
        }
        Ok(())
    }

    fn take_partial_sig(&mut self, entry: &Entry<'_>) -> Result<(), PsbtError> {
        if entry.rest.len() != 65 && entry.rest.len() != COMPRESSED {
            return Err(PsbtError::Format(
                "Size of key was not the expected size for the type partial signature pubkey",
            ));
        }
        let key = public_key(entry.rest, "Invalid pubkey")?;
        let id = key.key_id();
        if self.partial_sigs.contains_key(&id) {
            return Err(PsbtError::Format(
                "Duplicate Key, input partial signature for pubkey already provided",
            ));
        }
        let flags = ScriptFlags::DERSIG | ScriptFlags::STRICTENC;
        if entry.value.is_empty() || check_signature_encoding(entry.value, flags).is_err() {
            return Err(PsbtError::Format("Signature is not a valid encoding"));
        }
        self.partial_sigs.insert(id, (key, entry.value.to_vec()));
        Ok(())
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut w = Writer(out);
        if let Some(tx) = &self.non_witness_utxo {
            let mut bytes = Vec::with_capacity(tx.base_size());
            tx.data().encode_without_witness(&mut bytes);
            w.entry(NON_WITNESS_UTXO, &[], &bytes);
        }
        if let Some(utxo) = &self.witness_utxo {
            w.encoded(WITNESS_UTXO, &[], utxo);
        }
        if !self.is_signed() {
            self.encode_unsigned(&mut w);
        }
        if !self.final_script_sig.is_empty() {
            w.entry(SCRIPT_SIG, &[], self.final_script_sig.as_bytes());
        }
        if !self.final_script_witness.is_empty() {
            w.encoded(SCRIPT_WITNESS, &[], &self.final_script_witness);
        }
        w.proprietary(&self.proprietary);
        w.unknown(&self.unknown);
        w.end();
    }

    /// What is of use until the input is final.
    fn encode_unsigned(&self, w: &mut Writer<'_>) {
        for (key, signature) in self.partial_sigs.values() {
            w.entry(PARTIAL_SIG, &[key.as_bytes()], signature);
        }
        if let Some(sighash) = self.sighash_type {
            w.encoded(SIGHASH, &[], &sighash);
        }
        if !self.redeem_script.is_empty() {
            w.entry(REDEEM_SCRIPT, &[], self.redeem_script.as_bytes());
        }
        if !self.witness_script.is_empty() {
            w.entry(WITNESS_SCRIPT, &[], self.witness_script.as_bytes());
        }
        w.derivations(BIP32_DERIVATION, &self.hd_keypaths);
        self.ripemd160_preimages.iter().for_each(|(hash, value)| w.entry(RIPEMD160, &[hash], value));
        self.sha256_preimages.iter().for_each(|(hash, value)| w.entry(SHA256, &[hash], value));
        self.hash160_preimages.iter().for_each(|(hash, value)| w.entry(HASH160, &[hash], value));
        self.hash256_preimages.iter().for_each(|(hash, value)| w.entry(HASH256, &[hash], value));
        if !self.tap_key_sig.is_empty() {
            w.entry(TAP_KEY_SIG, &[], &self.tap_key_sig);
        }
        for ((key, leaf), signature) in &self.tap_script_sigs {
            w.entry(TAP_SCRIPT_SIG, &[key.as_bytes(), leaf], signature);
        }
        for ((script, version), blocks) in &self.tap_scripts {
            let mut value = script.clone();
            value.push(*version);
            blocks.iter().for_each(|block| w.entry(TAP_LEAF_SCRIPT, &[&block.0], &value));
        }
        w.taproot_derivations(TAP_BIP32_DERIVATION, &self.tap_bip32_paths);
        if let Some(key) = &self.tap_internal_key {
            w.entry(TAP_INTERNAL_KEY, &[], key.as_bytes());
        }
        if let Some(root) = &self.tap_merkle_root {
            w.entry(TAP_MERKLE_ROOT, &[], root);
        }
        w.musig2_participants(MUSIG2_PARTICIPANT_PUBKEYS, &self.musig2_participants);
        for ((aggregate, leaf), nonces) in &self.musig2_public_nonces {
            let leaf: &[u8] = if *leaf == [0; 32] { &[] } else { leaf };
            for (participant, nonce) in nonces {
                w.entry(MUSIG2_PUB_NONCE, &[participant.as_bytes(), aggregate.as_bytes(), leaf], nonce);
            }
        }
        for ((aggregate, leaf), signatures) in &self.musig2_partial_sigs {
            let leaf: &[u8] = if *leaf == [0; 32] { &[] } else { leaf };
            for (participant, signature) in signatures {
                w.entry(MUSIG2_PARTIAL_SIG, &[participant.as_bytes(), aggregate.as_bytes(), leaf], signature);
            }
        }
    }

    /// What signing can use. Reference: `PSBTInput::FillSignatureData`.
    pub fn signature_data(&self) -> SignatureData {
        if self.is_signed() {
            return SignatureData {
                script_sig: self.final_script_sig.clone(),
                script_witness: self.final_script_witness.clone(),
                complete: true,
                ..SignatureData::default()
            };
        }
        let mut data = SignatureData {
            signatures: self.partial_sigs.clone(),
            redeem_script: self.redeem_script.clone(),
            witness_script: self.witness_script.clone(),
            misc_public_keys: misc_keys(&self.hd_keypaths),
            taproot_key_path_signature: self.tap_key_sig.clone(),
            taproot_script_signatures: self.tap_script_sigs.clone(),
            taproot_misc_public_keys: self.tap_bip32_paths.clone(),
            taproot_public_keys: taproot_keys(&self.tap_bip32_paths),
            ripemd160_preimages: by_bytes(&self.ripemd160_preimages),
            sha256_preimages: by_bytes(&self.sha256_preimages),
            hash160_preimages: by_bytes(&self.hash160_preimages),
            hash256_preimages: by_bytes(&self.hash256_preimages),
            musig2_public_keys: self.musig2_participants.clone(),
            musig2_public_nonces: self.musig2_public_nonces.clone(),
            musig2_partial_signatures: self.musig2_partial_sigs.clone(),
            ..SignatureData::default()
        };
        data.taproot_spend_data.internal_key = self.tap_internal_key;
        data.taproot_spend_data.merkle_root = self.tap_merkle_root;
        data.taproot_spend_data.scripts.clone_from(&self.tap_scripts);
        data
    }

    /// Takes over what signing has found out. Reference: `PSBTInput::FromSignatureData`.
    pub fn take_signature_data(&mut self, data: &SignatureData) {
        if data.complete {
            self.partial_sigs.clear();
            self.hd_keypaths.clear();
            self.redeem_script = Script::new();
            self.witness_script = Script::new();
            if !data.script_sig.is_empty() {
                self.final_script_sig = data.script_sig.clone();
            }
            if !data.script_witness.is_empty() {
                self.final_script_witness = data.script_witness.clone();
            }
            return;
        }
        fill(&mut self.partial_sigs, &data.signatures);
        fill_script(&mut self.redeem_script, &data.redeem_script);
        fill_script(&mut self.witness_script, &data.witness_script);
        for (key, origin) in data.misc_public_keys.values() {
            self.hd_keypaths.entry(*key).or_insert_with(|| origin.clone());
        }
        if !data.taproot_key_path_signature.is_empty() {
            self.tap_key_sig.clone_from(&data.taproot_key_path_signature);
        }
        fill(&mut self.tap_script_sigs, &data.taproot_script_signatures);
        self.tap_internal_key = data.taproot_spend_data.internal_key.or(self.tap_internal_key);
        self.tap_merkle_root = data.taproot_spend_data.merkle_root.or(self.tap_merkle_root);
        fill(&mut self.tap_scripts, &data.taproot_spend_data.scripts);
        fill(&mut self.tap_bip32_paths, &data.taproot_misc_public_keys);
        fill(&mut self.musig2_participants, &data.musig2_public_keys);
        for (place, nonces) in &data.musig2_public_nonces {
            fill(self.musig2_public_nonces.entry(*place).or_default(), nonces);
        }
        for (place, signatures) in &data.musig2_partial_signatures {
            fill(self.musig2_partial_sigs.entry(*place).or_default(), signatures);
        }
    }

    /// Takes over what another one knows about the same input. Reference: `PSBTInput::Merge`.
    pub fn merge(&mut self, other: &PsbtInput) {
        if self.non_witness_utxo.is_none() {
            self.non_witness_utxo.clone_from(&other.non_witness_utxo);
        }
        if self.witness_utxo.is_none() {
            self.witness_utxo.clone_from(&other.witness_utxo);
        }
        fill(&mut self.partial_sigs, &other.partial_sigs);
        fill(&mut self.ripemd160_preimages, &other.ripemd160_preimages);
        fill(&mut self.sha256_preimages, &other.sha256_preimages);
        fill(&mut self.hash160_preimages, &other.hash160_preimages);
        fill(&mut self.hash256_preimages, &other.hash256_preimages);
        fill(&mut self.hd_keypaths, &other.hd_keypaths);
        fill(&mut self.unknown, &other.unknown);
        fill(&mut self.tap_script_sigs, &other.tap_script_sigs);
        fill(&mut self.tap_scripts, &other.tap_scripts);
        fill(&mut self.tap_bip32_paths, &other.tap_bip32_paths);
        fill_script(&mut self.redeem_script, &other.redeem_script);
        fill_script(&mut self.witness_script, &other.witness_script);
        fill_script(&mut self.final_script_sig, &other.final_script_sig);
        if self.final_script_witness.is_empty() {
            self.final_script_witness.clone_from(&other.final_script_witness);
        }
        if self.tap_key_sig.is_empty() {
            self.tap_key_sig.clone_from(&other.tap_key_sig);
        }
        self.tap_internal_key = self.tap_internal_key.or(other.tap_internal_key);
        self.tap_merkle_root = self.tap_merkle_root.or(other.tap_merkle_root);
        fill(&mut self.musig2_participants, &other.musig2_participants);
        for (place, nonces) in &other.musig2_public_nonces {
            fill(self.musig2_public_nonces.entry(*place).or_default(), nonces);
        }
        for (place, signatures) in &other.musig2_partial_sigs {
            fill(self.musig2_partial_sigs.entry(*place).or_default(), signatures);
        }
    }
}

fn by_bytes<const N: usize>(preimages: &BTreeMap<[u8; N], Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    preimages.iter().map(|(hash, value)| (hash.to_vec(), value.clone())).collect()
}

/// Keys with their origins by key id.
pub(crate) fn misc_keys(paths: &BTreeMap<PublicKey, KeyOrigin>) -> BTreeMap<Hash160, (PublicKey, KeyOrigin)> {
    paths.iter().map(|(key, origin)| (key.key_id(), (*key, origin.clone()))).collect()
}

/// Taproot keys by the hash of their x coordinate.
pub(crate) fn taproot_keys(paths: &TaprootPaths) -> BTreeMap<Hash160, XOnlyPublicKey> {
    paths.keys().map(|key| (purpose::hash160(key.as_bytes()), *key)).collect()
}
