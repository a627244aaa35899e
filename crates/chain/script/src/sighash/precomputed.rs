use grs_encoding::Encode;
use grs_hashes::purpose::signature_part_hash;
use grs_primitives::{MutableTransaction, TxOut};

use crate::opcodes::OP_1;

/// Hashes over a whole transaction that many signatures share. Reference: `PrecomputedTransactionData`.
#[derive(Debug, Clone, Default)]
pub struct PrecomputedTxData {
    /// Prevouts, sequences and outputs; the same bytes serve BIP143 and BIP341 on this chain.
    pub(crate) shared: Option<SharedHashes>,
    pub(crate) bip143_ready: bool,
    /// Amounts and scripts of the spent outputs.
    pub(crate) taproot: Option<TaprootHashes>,
    spent_outputs: Vec<TxOut>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedHashes {
    pub(crate) prevouts: [u8; 32],
    pub(crate) sequences: [u8; 32],
    pub(crate) outputs: [u8; 32],
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct TaprootHashes {
    pub(crate) amounts: [u8; 32],
    pub(crate) scripts: [u8; 32],
}

impl PrecomputedTxData {
    /// Computes what the transaction's inputs will need, from their witnesses. `spent_outputs` are those of all
    /// inputs in order, or empty when not known; a list of another length counts as not known. With `force`,
    /// computes everything (for signing, when the witnesses are not there yet).
    pub fn new(tx: &MutableTransaction, spent_outputs: Vec<TxOut>, force: bool) -> PrecomputedTxData {
        let spent_outputs = if spent_outputs.len() == tx.inputs.len() { spent_outputs } else { Vec::new() };
        let (mut bip143, mut bip341) = (force, force);
        for (i, input) in tx.inputs.iter().enumerate() {
            if bip143 && bip341 {
                break;
            }
            if !input.witness.is_empty() {
                let script = spent_outputs.get(i).map(|o| o.script_pubkey.as_bytes());
                // Anything else with a witness may be version 0 inside P2SH.
                if script.is_some_and(|s| s.len() == 34 && s[0] == OP_1) {
                    bip341 = true;
                } else {
                    bip143 = true;
                }
            }
        }
        let shared = (bip143 || bip341).then(|| SharedHashes {
            prevouts: prevouts_hash(tx),
            sequences: sequences_hash(tx),
            outputs: outputs_hash(tx),
        });
        let taproot = (bip341 && !spent_outputs.is_empty()).then(|| TaprootHashes {
            amounts: amounts_hash(&spent_outputs),
            scripts: scripts_hash(&spent_outputs),
        });
        PrecomputedTxData { shared, bip143_ready: bip143, taproot, spent_outputs }
    }

    /// The spent outputs in the order of the inputs; empty when not known.
    pub fn spent_outputs(&self) -> &[TxOut] {
        &self.spent_outputs
    }

    /// True when the spent outputs are known.
    pub fn spent_outputs_ready(&self) -> bool {
        !self.spent_outputs.is_empty()
    }
}

/// SHA-256 once over a concatenation of `size` bytes.
fn hash_concatenation(size: usize, write: impl FnOnce(&mut Vec<u8>)) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(size);
    write(&mut bytes);
    signature_part_hash(&bytes)
}

fn amounts_hash(spent: &[TxOut]) -> [u8; 32] {
    hash_concatenation(spent.len() * 8, |out| spent.iter().for_each(|o| o.value.0.encode(out)))
}

fn scripts_hash(spent: &[TxOut]) -> [u8; 32] {
    let size = spent.iter().map(|o| o.script_pubkey.encoded_len()).sum();
    hash_concatenation(size, |out| spent.iter().for_each(|o| o.script_pubkey.encode(out)))
}

pub(super) fn prevouts_hash(tx: &MutableTransaction) -> [u8; 32] {
    hash_concatenation(tx.inputs.len() * 36, |out| tx.inputs.iter().for_each(|i| i.prevout.encode(out)))
}

pub(super) fn sequences_hash(tx: &MutableTransaction) -> [u8; 32] {
    hash_concatenation(tx.inputs.len() * 4, |out| tx.inputs.iter().for_each(|i| i.sequence.encode(out)))
}

pub(super) fn outputs_hash(tx: &MutableTransaction) -> [u8; 32] {
    let size = tx.outputs.iter().map(TxOut::encoded_len).sum();
    hash_concatenation(size, |out| tx.outputs.iter().for_each(|o| o.encode(out)))
}
