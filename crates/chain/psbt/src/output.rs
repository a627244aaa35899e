//! What is known about an output.

use std::collections::{BTreeMap, BTreeSet};

use grs_descriptor::{KeyOrigin, SignatureData, TapLeaf, TaprootBuilder};
use grs_encoding::{Reader, write_var_bytes};
use grs_keys::{PublicKey, XOnlyPublicKey};
use grs_primitives::Script;
use grs_script::{TAPROOT_CONTROL_MAX_NODE_COUNT, TAPROOT_LEAF_MASK};

use crate::PsbtError;
use crate::entry::{self, Entry, PROPRIETARY, Proprietary, TaprootPaths, Unknown, Writer, next_entry};
use crate::input::{fill, misc_keys, taproot_keys};

const REDEEM_SCRIPT: u8 = 0x00;
const WITNESS_SCRIPT: u8 = 0x01;
const BIP32_DERIVATION: u8 = 0x02;
const TAP_INTERNAL_KEY: u8 = 0x05;
const TAP_TREE: u8 = 0x06;
const TAP_BIP32_DERIVATION: u8 = 0x07;
const MUSIG2_PARTICIPANT_PUBKEYS: u8 = 0x08;

/// The map of an output. Reference: `PSBTOutput`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PsbtOutput {
    /// P2SH redeem script; empty when there is none.
    pub redeem_script: Script,
    /// P2WSH witness script; empty when there is none.
    pub witness_script: Script,
    /// Where keys come from.
    pub hd_keypaths: BTreeMap<PublicKey, KeyOrigin>,
    /// Taproot internal key.
    pub tap_internal_key: Option<XOnlyPublicKey>,
    /// Leaves of the Taproot tree, depth first.
    pub tap_tree: Vec<TapLeaf>,
    /// Taproot keys, the leaves they are in and where they come from.
    pub tap_bip32_paths: TaprootPaths,
    /// MuSig2 participants by plain aggregate key.
    pub musig2_participants: BTreeMap<PublicKey, Vec<PublicKey>>,
    /// Entries of other types.
    pub unknown: Unknown,
    /// Entries of particular programs, by whole key.
    pub proprietary: BTreeMap<Vec<u8>, Proprietary>,
}

/// The tree that a list of leaves describes.
fn builder(leaves: &[TapLeaf]) -> TaprootBuilder {
    let mut builder = TaprootBuilder::new();
    for leaf in leaves {
        builder.add(usize::from(leaf.depth), &leaf.script, leaf.leaf_version, true);
    }
    builder
}

fn tap_tree(bytes: &[u8]) -> Result<Vec<TapLeaf>, PsbtError> {
    if bytes.is_empty() {
        return Err(PsbtError::Format("Output Taproot tree must not be empty"));
    }
    let mut reader = Reader::new(bytes);
    let mut leaves = Vec::new();
    while !reader.is_empty() {
        let (depth, leaf_version) = (reader.u8()?, reader.u8()?);
        let script = reader.var_bytes()?.to_vec();
        if usize::from(depth) > TAPROOT_CONTROL_MAX_NODE_COUNT {
            return Err(PsbtError::Format(
                "Output Taproot tree has as leaf greater than Taproot maximum depth",
            ));
        }
        if leaf_version & !TAPROOT_LEAF_MASK != 0 {
            return Err(PsbtError::Format("Output Taproot tree has a leaf with an invalid leaf version"));
        }
        leaves.push(TapLeaf { depth, leaf_version, script });
    }
    if !builder(&leaves).is_complete() {
        return Err(PsbtError::Format("Output Taproot tree is malformed"));
    }
    Ok(leaves)
}

impl PsbtOutput {
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<PsbtOutput, PsbtError> {
        let mut output = PsbtOutput::default();
        let mut seen = BTreeSet::new();
        while let Some(entry) = next_entry(reader, "Separator is missing at the end of an output map")? {
            output.take(&entry, !seen.insert(entry.key.to_vec()))?;
        }
        Ok(output)
    }

    fn take(&mut self, entry: &Entry<'_>, seen: bool) -> Result<(), PsbtError> {
        let Ok(kind) = u8::try_from(entry.kind) else { return entry.keep_unknown(&mut self.unknown) };
        match kind {
            REDEEM_SCRIPT => {
                entry.only(
                    seen,
                    "Duplicate Key, output redeemScript already provided",
                    "Output redeemScript key is more than one byte type",
                )?;
                self.redeem_script = Script::from(entry.value.to_vec());
            }
            WITNESS_SCRIPT => {
                entry.only(
                    seen,
                    "Duplicate Key, output witnessScript already provided",
                    "Output witnessScript key is more than one byte type",
                )?;
                self.witness_script = Script::from(entry.value.to_vec());
            }
            BIP32_DERIVATION => entry::derivation(entry, &mut self.hd_keypaths)?,
            TAP_INTERNAL_KEY => {
                entry.only(
                    seen,
                    "Duplicate Key, output Taproot internal key already provided",
                    "Output Taproot internal key key is more than one byte type",
                )?;
                self.tap_internal_key = Some(entry::x_only(&entry.decode::<[u8; 32]>()?)?);
            }
            TAP_TREE => {
                entry.only(
                    seen,
                    "Duplicate Key, output Taproot tree already provided",
                    "Output Taproot tree key is more than one byte type",
                )?;
                self.tap_tree = tap_tree(entry.value)?;
            }
            TAP_BIP32_DERIVATION => entry::taproot_derivation(entry, &mut self.tap_bip32_paths, "Output")?,
            MUSIG2_PARTICIPANT_PUBKEYS => {
                entry::musig2_participants(entry, &mut self.musig2_participants, "Output")?;
            }
            _ if entry.kind == PROPRIETARY => entry.keep_proprietary(&mut self.proprietary)?,
            _ => entry.keep_unknown(&mut self.unknown)?,
        }
        Ok(())
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut w = Writer(out);
        if !self.redeem_script.is_empty() {
            w.entry(REDEEM_SCRIPT, &[], self.redeem_script.as_bytes());
        }
        if !self.witness_script.is_empty() {
            w.entry(WITNESS_SCRIPT, &[], self.witness_script.as_bytes());
        }
        w.derivations(BIP32_DERIVATION, &self.hd_keypaths);
        w.proprietary(&self.proprietary);
        if let Some(key) = &self.tap_internal_key {
            w.entry(TAP_INTERNAL_KEY, &[], key.as_bytes());
        }
        if !self.tap_tree.is_empty() {
            let mut value = Vec::new();
            for leaf in &self.tap_tree {
                value.extend_from_slice(&[leaf.depth, leaf.leaf_version]);
                write_var_bytes(&mut value, &leaf.script);
            }
            w.entry(TAP_TREE, &[], &value);
        }
        w.taproot_derivations(TAP_BIP32_DERIVATION, &self.tap_bip32_paths);
        w.musig2_participants(MUSIG2_PARTICIPANT_PUBKEYS, &self.musig2_participants);
        w.unknown(&self.unknown);
        w.end();
    }

    /// What signing can use. Reference: `PSBTOutput::FillSignatureData`.
    pub fn signature_data(&self) -> SignatureData {
        let mut data = SignatureData {
            redeem_script: self.redeem_script.clone(),
            witness_script: self.witness_script.clone(),
            misc_public_keys: misc_keys(&self.hd_keypaths),
            taproot_misc_public_keys: self.tap_bip32_paths.clone(),
            taproot_public_keys: taproot_keys(&self.tap_bip32_paths),
            musig2_public_keys: self.musig2_participants.clone(),
            ..SignatureData::default()
        };
        if let Some(key) =
            self.tap_internal_key.filter(|key| key.is_fully_valid() && !self.tap_tree.is_empty())
        {
            let mut builder = builder(&self.tap_tree);
            builder.finalize(key);
            data.taproot_spend_data.internal_key = Some(key);
            if let Some(spend_data) = builder.spend_data() {
                data.taproot_spend_data.merge(spend_data);
            }
        }
        data
    }

    /// Takes over what solving the output has found out. Reference: `PSBTOutput::FromSignatureData`.
    pub fn take_signature_data(&mut self, data: &SignatureData) {
        if self.redeem_script.is_empty() {
            self.redeem_script.clone_from(&data.redeem_script);
        }
        if self.witness_script.is_empty() {
            self.witness_script.clone_from(&data.witness_script);
        }
        for (key, origin) in data.misc_public_keys.values() {
            self.hd_keypaths.entry(*key).or_insert_with(|| origin.clone());
        }
        self.tap_internal_key = data.taproot_spend_data.internal_key.or(self.tap_internal_key);
        if let Some(builder) = data.taproot_builder.as_ref().filter(|b| b.has_scripts()) {
            self.tap_tree = builder.leaves();
        }
        for (key, leaves) in &data.taproot_misc_public_keys {
            self.tap_bip32_paths.entry(*key).or_insert_with(|| leaves.clone());
        }
        for (aggregate, participants) in &data.musig2_public_keys {
            self.musig2_participants.entry(*aggregate).or_insert_with(|| participants.clone());
        }
    }

    /// Takes over what another one knows about the same output. Reference: `PSBTOutput::Merge`.
    pub fn merge(&mut self, other: &PsbtOutput) {
        fill(&mut self.hd_keypaths, &other.hd_keypaths);
        fill(&mut self.unknown, &other.unknown);
        fill(&mut self.tap_bip32_paths, &other.tap_bip32_paths);
        fill(&mut self.musig2_participants, &other.musig2_participants);
        if self.redeem_script.is_empty() {
            self.redeem_script.clone_from(&other.redeem_script);
        }
        if self.witness_script.is_empty() {
            self.witness_script.clone_from(&other.witness_script);
        }
        self.tap_internal_key = self.tap_internal_key.or(other.tap_internal_key);
        if self.tap_tree.is_empty() {
            self.tap_tree.clone_from(&other.tap_tree);
        }
    }
}
