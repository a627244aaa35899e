//! The whole: an unsigned transaction and its maps.

use std::collections::{BTreeMap, BTreeSet};

use grs_descriptor::KeyOrigin;
use grs_encoding::{Reader, base64_decode, base64_encode, encode_to_vec};
use grs_keys::ExtendedPublicKey;
use grs_primitives::{MutableTransaction, TxIn, TxOut};

use crate::entry::{
    Entry, PROPRIETARY, Proprietary, Unknown, Writer, key_origin, next_entry, write_key_origin,
};
use crate::{PsbtError, PsbtInput, PsbtOutput};

const MAGIC: &[u8; 5] = b"psbt\xff";
const UNSIGNED_TX: u64 = 0x00;
const XPUB: u64 = 0x01;
const VERSION: u64 = 0xfb;
/// Highest version that is understood.
const HIGHEST_VERSION: u32 = 0;
/// Bytes of an extended key with the prefix that tells the network.
const XPUB_SIZE: usize = 78;

/// An extended public key with its network prefix.
pub(crate) type PrefixedKey = ([u8; 4], ExtendedPublicKey);

/// A partially signed transaction. Reference: `PartiallySignedTransaction`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Psbt {
    /// The transaction, without unlocking scripts and witnesses.
    pub tx: MutableTransaction,
    /// Extended keys (with the prefix that tells the network) by where they come from.
    pub xpubs: BTreeMap<KeyOrigin, BTreeSet<PrefixedKey>>,
    /// One map for each input.
    pub inputs: Vec<PsbtInput>,
    /// One map for each output.
    pub outputs: Vec<PsbtOutput>,
    /// Entries of other types.
    pub unknown: Unknown,
    /// The version, if it was given.
    pub version: Option<u32>,
    /// Entries of particular programs, by whole key.
    pub proprietary: BTreeMap<Vec<u8>, Proprietary>,
}

impl Psbt {
    /// One about which nothing is known yet. Unlocking scripts and witnesses of `tx` are dropped.
    pub fn new(mut tx: MutableTransaction) -> Psbt {
        for input in &mut tx.inputs {
            *input = TxIn::new(input.prevout, input.sequence);
        }
        let inputs = vec![PsbtInput::default(); tx.inputs.len()];
        let outputs = vec![PsbtOutput::default(); tx.outputs.len()];
        Psbt { tx, inputs, outputs, ..Psbt::default() }
    }

    /// Reads base64. Reference: `DecodeBase64PSBT`.
    pub fn from_base64(text: &str) -> Result<Psbt, PsbtError> {
        Psbt::from_bytes(&base64_decode(text).map_err(|_| PsbtError::Base64)?)
    }

    /// As base64.
    pub fn to_base64(&self) -> String {
        base64_encode(&self.to_bytes())
    }

    /// Reads bytes, all of them. Reference: `DecodeRawPSBT`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Psbt, PsbtError> {
        let mut reader = Reader::new(bytes);
        let psbt = Psbt::decode(&mut reader)?;
        if !reader.is_empty() {
            return Err(PsbtError::ExtraData);
        }
        Ok(psbt)
    }

    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let mut tx = Vec::new();
        self.tx.encode_without_witness(&mut tx);
        let mut w = Writer(&mut out);
        w.entry(UNSIGNED_TX as u8, &[], &tx);
        for (origin, keys) in &self.xpubs {
            let mut value = Vec::new();
            write_key_origin(&mut value, origin);
            for (prefix, key) in keys {
                w.entry(XPUB as u8, &[prefix, &key.encode()], &value);
            }
        }
        if self.version.unwrap_or(0) > 0 {
            w.encoded(VERSION as u8, &[], &self.version.unwrap_or(0));
        }
        w.proprietary(&self.proprietary);
        w.unknown(&self.unknown);
        w.end();
        self.inputs.iter().for_each(|input| input.encode(&mut out));
        self.outputs.iter().for_each(|output| output.encode(&mut out));
        out
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Psbt, PsbtError> {
        if reader.array()? != *MAGIC {
            return Err(PsbtError::Format("Invalid PSBT magic bytes"));
        }
        let mut psbt = Psbt::default();
        let mut tx = None;
        while let Some(entry) = next_entry(reader, "Separator is missing at the end of the global map")? {
            psbt.take(&entry, &mut tx)?;
        }
        psbt.tx = tx.ok_or(PsbtError::Format("No unsigned transaction was provided"))?;
        while !reader.is_empty() && psbt.inputs.len() < psbt.tx.inputs.len() {
            let input = PsbtInput::decode(reader)?;
            let prevout = &psbt.tx.inputs[psbt.inputs.len()].prevout;
            if let Some(tx) = &input.non_witness_utxo {
                if tx.txid() != prevout.txid {
                    return Err(PsbtError::Format("Non-witness UTXO does not match outpoint hash"));
                }
                if prevout.vout as usize >= tx.outputs.len() {
                    return Err(PsbtError::Format("Input specifies output index that does not exist"));
                }
            }
            psbt.inputs.push(input);
        }
        if psbt.inputs.len() != psbt.tx.inputs.len() {
            return Err(PsbtError::Format(
                "Inputs provided does not match the number of inputs in transaction.",
            ));
        }
        while !reader.is_empty() && psbt.outputs.len() < psbt.tx.outputs.len() {
            psbt.outputs.push(PsbtOutput::decode(reader)?);
        }
        if psbt.outputs.len() != psbt.tx.outputs.len() {
            return Err(PsbtError::Format(
                "Outputs provided does not match the number of outputs in transaction.",
            ));
        }
        Ok(psbt)
    }

    fn take(&mut self, entry: &Entry<'_>, tx: &mut Option<MutableTransaction>) -> Result<(), PsbtError> {
        match entry.kind {
            UNSIGNED_TX => {
                entry.only(
                    tx.is_some(),
                    "Duplicate Key, unsigned tx already provided",
                    "Global unsigned tx key is more than one byte type",
                )?;
                let unsigned = entry.decode_with(|reader| MutableTransaction::decode_with(reader, false))?;
                if unsigned.inputs.iter().any(|input| !input.script_sig.is_empty()) {
                    return Err(PsbtError::Format(
                        "Unsigned tx does not have empty scriptSigs and scriptWitnesses.",
                    ));
                }
                *tx = Some(unsigned);
            }
            XPUB => {
                if entry.rest.len() != XPUB_SIZE {
                    return Err(PsbtError::Format(
                        "Size of key was not the expected size for the type global xpub",
                    ));
                }
                let mut reader = Reader::new(entry.rest);
                let prefix = reader.array()?;
                let key = ExtendedPublicKey::decode(&reader.array()?)
                    .ok()
                    .filter(|key| key.public_key.is_fully_valid())
                    .ok_or(PsbtError::Format("Invalid pubkey"))?;
                if self.xpubs.values().any(|keys| keys.contains(&(prefix, key))) {
                    return Err(PsbtError::Format("Duplicate key, global xpub already provided"));
                }
                self.xpubs.entry(key_origin(entry.value)?).or_default().insert((prefix, key));
            }
            VERSION => {
                entry.only(
                    self.version.is_some(),
                    "Duplicate Key, version already provided",
                    "Global version key is more than one byte type",
                )?;
                let version = entry.decode()?;
                if version > HIGHEST_VERSION {
                    return Err(PsbtError::Format("Unsupported version number"));
                }
                self.version = Some(version);
            }
            PROPRIETARY => entry.keep_proprietary(&mut self.proprietary)?,
            _ => entry.keep_unknown(&mut self.unknown)?,
        }
        Ok(())
    }

    /// The output that an input spends, if it is known and the right one. Reference: `GetInputUTXO`.
    pub fn input_utxo(&self, index: usize) -> Option<&TxOut> {
        let (input, prevout) = (self.inputs.get(index)?, self.tx.inputs.get(index)?.prevout);
        match &input.non_witness_utxo {
            Some(tx) => tx.outputs.get(prevout.vout as usize).filter(|_| tx.txid() == prevout.txid),
            None => input.witness_utxo.as_ref(),
        }
    }

    /// Takes over what another one of the same transaction knows; false if it is of another transaction.
    /// Reference: `PartiallySignedTransaction::Merge`.
    #[must_use]
    pub fn merge(&mut self, other: &Psbt) -> bool {
        if encode_to_vec(&self.tx) != encode_to_vec(&other.tx) {
            return false;
        }
        self.inputs.iter_mut().zip(&other.inputs).for_each(|(own, other)| own.merge(other));
        self.outputs.iter_mut().zip(&other.outputs).for_each(|(own, other)| own.merge(other));
        for (origin, keys) in &other.xpubs {
            self.xpubs.entry(origin.clone()).or_default().extend(keys.iter().copied());
        }
        for (key, value) in &other.unknown {
            self.unknown.entry(key.clone()).or_insert_with(|| value.clone());
        }
        true
    }

    /// Adds an input and what is known about it, but for signatures; false if it is there already.
    /// Reference: `PartiallySignedTransaction::AddInput`.
    #[must_use]
    pub fn add_input(&mut self, txin: TxIn, mut input: PsbtInput) -> bool {
        if self.tx.inputs.contains(&txin) {
            return false;
        }
        input.partial_sigs.clear();
        input.final_script_sig = Default::default();
        input.final_script_witness = Default::default();
        self.tx.inputs.push(txin);
        self.inputs.push(input);
        true
    }

    /// Adds an output and what is known about it.
    pub fn add_output(&mut self, txout: TxOut, output: PsbtOutput) {
        self.tx.outputs.push(txout);
        self.outputs.push(output);
    }
}
