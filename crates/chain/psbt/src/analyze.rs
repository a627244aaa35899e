//! What is missing until a partially signed transaction can be sent. Reference: `src/node/psbt.cpp`.

use grs_descriptor::{EmptySigningProvider, SignatureData};
use grs_primitives::{Amount, Transaction, TxOut, money_range};
use grs_script::ScriptExt;

use crate::{Psbt, SignInputOptions, input_is_verified, precompute, sign_input};

/// Whose turn it is, in the order of the turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Role {
    /// Makes it.
    #[default]
    Creator,
    /// Adds what is known about inputs and outputs.
    Updater,
    /// Adds signatures.
    Signer,
    /// Puts signatures together.
    Finalizer,
    /// Takes the transaction out.
    Extractor,
}

impl Role {
    /// Name in RPC results.
    pub fn name(self) -> &'static str {
        match self {
            Role::Creator => "creator",
            Role::Updater => "updater",
            Role::Signer => "signer",
            Role::Finalizer => "finalizer",
            Role::Extractor => "extractor",
        }
    }
}

/// About an input.
#[derive(Debug, Clone, Default)]
pub struct InputAnalysis {
    /// The spent output is known.
    pub has_utxo: bool,
    /// It is final.
    pub is_final: bool,
    /// Whose turn it is.
    pub next: Role,
    /// What is missing.
    pub missing: SignatureData,
}

/// About the whole.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    /// One for each input.
    pub inputs: Vec<InputAnalysis>,
    /// Whose turn it is.
    pub next: Role,
    /// Fee in gro, if all spent outputs are known.
    pub fee: Option<Amount>,
    /// The transaction with signatures of the usual size, and the outputs it spends, if its size can be told.
    pub estimated: Option<(Transaction, Vec<TxOut>)>,
    /// Why it is not valid; then nothing else counts.
    pub error: Option<String>,
}

impl Analysis {
    fn invalid(error: String) -> Analysis {
        Analysis { error: Some(error), next: Role::Creator, ..Analysis::default() }
    }
}

/// Looks through it. Reference: `AnalyzePSBT`.
pub fn analyze(psbt: &Psbt) -> Analysis {
    let mut psbt = psbt.clone();
    let precomputed = precompute(&psbt);
    let mut inputs = Vec::with_capacity(psbt.inputs.len());
    let mut total = Some(0_i64);
    for index in 0..psbt.inputs.len() {
        let mut input = InputAnalysis { next: Role::Extractor, ..InputAnalysis::default() };
        let utxo = psbt.input_utxo(index).cloned();
        match &utxo {
            Some(utxo) => {
                let sum = total.unwrap_or(0).checked_add(utxo.value.0).map(Amount);
                if !money_range(utxo.value) || !sum.is_some_and(money_range) {
                    return Analysis::invalid(format!("PSBT is not valid. Input {index} has invalid value"));
                }
                total = total.map(|total| total + utxo.value.0);
                input.has_utxo = true;
                if utxo.script_pubkey.is_unspendable() {
                    return Analysis::invalid(format!(
                        "PSBT is not valid. Input {index} spends unspendable output"
                    ));
                }
            }
            None => {
                let vout = psbt.tx.inputs[index].prevout.vout as usize;
                if psbt.inputs[index].non_witness_utxo.as_ref().is_some_and(|tx| vout >= tx.outputs.len()) {
                    return Analysis::invalid(format!(
                        "PSBT is not valid. Input {index} specifies invalid prevout"
                    ));
                }
                input.next = Role::Updater;
                total = None;
            }
        }
        if input_is_verified(&psbt, index, Some(&precomputed)) {
            input.is_final = utxo.is_some();
        } else {
            let options = SignInputOptions { precomputed: Some(&precomputed), sighash: None, finalize: true };
            let missing = &mut input.missing;
            let signed = sign_input(&EmptySigningProvider, &mut psbt, index, options, Some(missing));
            let only_signatures = missing.missing_public_keys.is_empty()
                && missing.missing_redeem_script.is_none()
                && missing.missing_witness_script.is_none()
                && !missing.missing_signatures.is_empty();
            input.next = match signed {
                Ok(()) => Role::Finalizer,
                Err(_) if only_signatures => Role::Signer,
                Err(_) => Role::Updater,
            };
        }
        inputs.push(input);
    }
    let next = inputs.iter().map(|input| input.next).min().unwrap_or(Role::Extractor);
    let mut out = Analysis { inputs, next, ..Analysis::default() };
    let Some(total) = total else { return out };
    let paid = psbt.tx.outputs.iter().try_fold(0_i64, |sum, output| {
        let sum = sum.checked_add(output.value.0)?;
        (money_range(output.value) && money_range(Amount(sum))).then_some(sum)
    });
    let Some(paid) = paid else {
        return Analysis::invalid("PSBT is not valid. Output amount invalid".to_owned());
    };
    out.fee = Some(Amount(total - paid));
    out.estimated = estimate(psbt);
    out
}

/// The transaction with signatures that have the usual size.
fn estimate(mut psbt: Psbt) -> Option<(Transaction, Vec<TxOut>)> {
    let mut tx = psbt.tx.clone();
    let mut spent = Vec::with_capacity(psbt.inputs.len());
    for (index, txin) in tx.inputs.iter_mut().enumerate() {
        let options = SignInputOptions { precomputed: None, sighash: None, finalize: true };
        sign_input(&EmptySigningProvider, &mut psbt, index, options, None).ok()?;
        spent.push(psbt.input_utxo(index)?.clone());
        txin.script_sig = psbt.inputs[index].final_script_sig.clone();
        txin.witness = psbt.inputs[index].final_script_witness.clone();
    }
    Some((tx.into(), spent))
}
