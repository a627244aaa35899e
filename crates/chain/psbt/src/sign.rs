//! Signing, finishing and joining. Reference: `src/psbt.cpp`.

use grs_descriptor::{
    DummySignatureCreator, EmptySigningProvider, SignatureData, SigningProvider, TransactionSignatureCreator,
    produce_signature,
};
use grs_primitives::{MutableTransaction, TxOut};
use grs_script::sighash::{SIGHASH_ALL, SIGHASH_ANYONECANPAY, SIGHASH_DEFAULT};
use grs_script::{
    PrecomputedTxData, ScriptExt, ScriptFlags, SignatureChecker, TransactionChecker, TxoutType, solver,
    verify_script,
};

use crate::{Psbt, PsbtInput, SignError};

/// What every signature of the transaction needs. Reference: `PrecomputePSBTData`.
pub fn precompute(psbt: &Psbt) -> PrecomputedTxData {
    let spent: Option<Vec<TxOut>> =
        (0..psbt.inputs.len()).map(|index| psbt.input_utxo(index).cloned()).collect();
    PrecomputedTxData::new(&psbt.tx, spent.unwrap_or_default(), true)
}

/// Whether the final unlocking script and witness of an input are valid. Reference: `PSBTInputSignedAndVerified`.
pub fn input_is_verified(psbt: &Psbt, index: usize, precomputed: Option<&PrecomputedTxData>) -> bool {
    let (Some(utxo), Some(input)) = (psbt.input_utxo(index), psbt.inputs.get(index)) else { return false };
    let mut checker = TransactionChecker::new(&psbt.tx, index, utxo.value, precomputed);
    verify_script(
        &input.final_script_sig,
        &utxo.script_pubkey,
        &input.final_script_witness,
        ScriptFlags::STANDARD,
        &mut checker as &mut dyn SignatureChecker,
    )
    .is_ok()
}

/// How many inputs are not final. Reference: `CountPSBTUnsignedInputs`.
pub fn unsigned_inputs(psbt: &Psbt) -> usize {
    psbt.inputs.iter().filter(|input| !input.is_signed()).count()
}

/// How to sign an input.
#[derive(Debug, Clone, Copy)]
pub struct SignInputOptions<'a> {
    /// From [`precompute`]; without it signatures are made that only have the right size.
    pub precomputed: Option<&'a PrecomputedTxData>,
    /// Signature hash type; without it the usual one of the output.
    pub sighash: Option<i32>,
    /// Make the input final once it is complete.
    pub finalize: bool,
}

/// Signs an input as far as `provider` has the keys. `found` gets what is missing. Reference: `SignPSBTInput`.
pub fn sign_input(
    provider: &dyn SigningProvider,
    psbt: &mut Psbt,
    index: usize,
    options: SignInputOptions<'_>,
    found: Option<&mut SignatureData>,
) -> Result<(), SignError> {
    if input_is_verified(psbt, index, options.precomputed) {
        return Ok(());
    }
    let input = &psbt.inputs[index];
    let mut data = input.signature_data();
    let only_witness = input.non_witness_utxo.is_none();
    let utxo = psbt.input_utxo(index).cloned().ok_or(SignError::MissingInputs)?;
    let taproot = solver(&utxo.script_pubkey).kind() == TxoutType::WitnessV1Taproot;
    let (default, all) = (i32::from(SIGHASH_DEFAULT), i32::from(SIGHASH_ALL));
    let sighash = options.sighash.unwrap_or(if taproot { default } else { all });
    if input.sighash_type.is_some_and(|wanted| wanted != sighash) {
        return Err(SignError::SighashMismatch);
    }
    let unusual = sighash != default && (taproot || sighash != all);
    let input = &mut psbt.inputs[index];
    if unusual {
        // Other signers have to know.
        input.sighash_type = Some(sighash);
    }
    if !signatures_have_type(input, sighash) {
        return Err(SignError::SighashMismatch);
    }
    data.witness = false;
    let complete = match options.precomputed {
        Some(precomputed) => {
            let creator = TransactionSignatureCreator::new(
                &psbt.tx,
                index,
                utxo.value,
                Some(precomputed),
                sighash as u8,
            );
            produce_signature(provider, &creator, &utxo.script_pubkey, &mut data)
        }
        None => produce_signature(provider, &DummySignatureCreator::LowR, &utxo.script_pubkey, &mut data),
    };
    // Without the whole transaction the amount is only certain where the signature covers it.
    if only_witness && !data.witness {
        return Err(SignError::Incomplete);
    }
    if !options.finalize {
        data.complete = false;
    }
    let input = &mut psbt.inputs[index];
    input.take_signature_data(&data);
    if data.witness {
        input.witness_utxo = Some(utxo);
    }
    if let Some(found) = found {
        found.missing_public_keys = data.missing_public_keys;
        found.missing_signatures = data.missing_signatures;
        found.missing_redeem_script = data.missing_redeem_script;
        found.missing_witness_script = data.missing_witness_script;
    }
    if complete { Ok(()) } else { Err(SignError::Incomplete) }
}

/// Whether all signatures that are there were made with a hash type.
fn signatures_have_type(input: &PsbtInput, sighash: i32) -> bool {
    let mut schnorr = input
        .tap_script_sigs
        .values()
        .chain(Some(&input.tap_key_sig).filter(|signature| !signature.is_empty()));
    if sighash == i32::from(SIGHASH_DEFAULT) {
        return schnorr.all(|signature| signature.len() == 64);
    }
    let is_last = |signature: &Vec<u8>| signature.last().is_some_and(|last| i32::from(*last) == sighash);
    schnorr.all(|signature| signature.len() == 65 && is_last(signature))
        && input.partial_sigs.values().all(|(_, signature)| is_last(signature))
}

/// Fills in what `provider` knows about an output. Reference: `UpdatePSBTOutput`.
pub fn update_output(provider: &dyn SigningProvider, psbt: &mut Psbt, index: usize) {
    let txout = psbt.tx.outputs[index].clone();
    let mut data = psbt.outputs[index].signature_data();
    // Only what solving finds out is of use; the signature would be of no input.
    let tx = if psbt.tx.inputs.is_empty() {
        MutableTransaction { inputs: vec![Default::default()], ..psbt.tx.clone() }
    } else {
        psbt.tx.clone()
    };
    let creator = TransactionSignatureCreator::new(&tx, 0, txout.value, None, SIGHASH_ALL);
    produce_signature(provider, &creator, &txout.script_pubkey, &mut data);
    psbt.outputs[index].take_signature_data(&data);
}

/// Drops whole previous transactions where no input needs one: all spend outputs of witness version 1 and later, whose
/// signatures cover all amounts. Reference: `RemoveUnnecessaryTransactions`.
pub fn remove_unnecessary_transactions(psbt: &mut Psbt) {
    let unnecessary = psbt.inputs.iter().all(|input| {
        let program = input.witness_utxo.as_ref().and_then(|utxo| utxo.script_pubkey.witness_program());
        program.is_some_and(|program| program.version != 0)
            && input.sighash_type.is_none_or(|t| t & 0x80 != i32::from(SIGHASH_ANYONECANPAY))
    });
    if unnecessary {
        psbt.inputs.iter_mut().for_each(|input| input.non_witness_utxo = None);
    }
}

/// Makes every input final that is complete; true if all are. Reference: `FinalizePSBT`.
pub fn finalize(psbt: &mut Psbt) -> bool {
    let precomputed = precompute(psbt);
    let mut complete = true;
    for index in 0..psbt.inputs.len() {
        let sighash = psbt.inputs[index].sighash_type;
        let options = SignInputOptions { precomputed: Some(&precomputed), sighash, finalize: true };
        complete &= sign_input(&EmptySigningProvider, psbt, index, options, None).is_ok();
    }
    complete
}

/// Finishes it and takes the transaction out, if it is complete. Reference: `FinalizeAndExtractPSBT`.
pub fn extract(psbt: &mut Psbt) -> Option<MutableTransaction> {
    if !finalize(psbt) {
        return None;
    }
    let mut tx = psbt.tx.clone();
    for (txin, input) in tx.inputs.iter_mut().zip(&psbt.inputs) {
        txin.script_sig = input.final_script_sig.clone();
        txin.witness = input.final_script_witness.clone();
    }
    Some(tx)
}

/// Joins what several signers did; `None` if they are not all of one transaction, or there is none.
/// Reference: `CombinePSBTs`.
pub fn combine(psbts: &[Psbt]) -> Option<Psbt> {
    let (first, others) = psbts.split_first()?;
    let mut out = first.clone();
    others.iter().all(|other| out.merge(other)).then_some(out)
}
