use std::collections::BTreeMap;

use grs_keys::PublicKey;
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, TxOut};
use grs_script::sighash::{SIGHASH_ANYONECANPAY, SIGHASH_SINGLE};
use grs_script::{
    NoChecker, PrecomputedTxData, ScriptClass, ScriptError, ScriptExecutionData, ScriptFlags, ScriptNum,
    SigVersion, SignatureChecker, TransactionChecker, TxoutType, eval_script, solver, verify_script,
};

use super::{SignatureData, SigningProvider, TransactionSignatureCreator, produce_signature};

/// Why an input is not signed. The texts are the reference's, which RPC shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The spent output is not known.
    #[error("Input not found or already spent")]
    NotFound,
    /// A witness input whose amount is not known (given as the largest amount there is).
    #[error("Missing amount")]
    MissingAmount,
    /// Elements are missing, most likely because a key is.
    #[error("Unable to sign input, invalid stack size (possibly missing key)")]
    MissingKey,
    /// A partial multisig.
    #[error("CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)")]
    MoreSignatures,
    /// The scripts fail otherwise.
    #[error("{0}")]
    Script(ScriptError),
}

/// Remembers the signatures that verify.
struct Extractor<'a> {
    checker: TransactionChecker<'a>,
    data: &'a mut SignatureData,
}

impl SignatureChecker for Extractor<'_> {
    fn check_ecdsa_signature(
        &mut self,
        signature: &[u8],
        public_key: &[u8],
        script_code: &[u8],
        version: SigVersion,
    ) -> bool {
        let ok = self.checker.check_ecdsa_signature(signature, public_key, script_code, version);
        if ok && let Ok(key) = PublicKey::from_slice(public_key) {
            self.data.signatures.entry(key.key_id()).or_insert_with(|| (key, signature.to_vec()));
        }
        ok
    }
    fn check_schnorr_signature(
        &mut self,
        signature: &[u8],
        public_key: &[u8; 32],
        version: SigVersion,
        exec: &mut ScriptExecutionData,
    ) -> Result<(), ScriptError> {
        self.checker.check_schnorr_signature(signature, public_key, version, exec)
    }
    fn check_lock_time(&self, lock_time: ScriptNum) -> bool {
        self.checker.check_lock_time(lock_time)
    }
    fn check_sequence(&self, sequence: ScriptNum) -> bool {
        self.checker.check_sequence(sequence)
    }
}

/// Signatures and scripts in an input that may be signed in part. `input` must exist.
/// Reference: `DataFromTransaction`.
pub fn data_from_transaction(tx: &MutableTransaction, input: usize, spent: &TxOut) -> SignatureData {
    let txin = &tx.inputs[input];
    let mut data = SignatureData {
        script_sig: txin.script_sig.clone(),
        script_witness: txin.witness.clone(),
        ..SignatureData::default()
    };
    let script_sig = txin.script_sig.clone();
    let mut stack = Vec::new();
    // What ran before a failure stays on the stack.
    let _ = eval_script(&mut stack, &script_sig, ScriptFlags::STRICTENC, &mut NoChecker, SigVersion::Base);
    let mut witness = txin.witness.0.clone();

    let checker = TransactionChecker::new(tx, input, spent.value, None);
    let mut extractor = Extractor { checker, data: &mut data };
    let verified = verify_script(
        &script_sig,
        &spent.script_pubkey,
        &txin.witness,
        ScriptFlags::STANDARD,
        &mut extractor,
    );
    if verified.is_ok() {
        data.complete = true;
        return data;
    }

    let mut script = spent.script_pubkey.clone();
    let mut version = SigVersion::Base;
    let not_empty = |stack: &[Vec<u8>]| stack.last().is_some_and(|top| !top.is_empty());
    if solver(&script).kind() == TxoutType::ScriptHash && not_empty(&stack) {
        script = Script::from(stack.pop().unwrap_or_default());
        data.redeem_script = script.clone();
    }
    if solver(&script).kind() == TxoutType::WitnessV0ScriptHash && not_empty(&witness) {
        script = Script::from(witness.pop().unwrap_or_default());
        data.witness_script = script.clone();
        stack = witness;
        version = SigVersion::WitnessV0;
    }
    if let ScriptClass::Multisig { keys, .. } = solver(&script) {
        // Signatures are in the order of their keys.
        let mut next = 0;
        for signature in &stack {
            for (i, key) in keys.iter().enumerate().skip(next) {
                let known =
                    PublicKey::from_slice(key).is_ok_and(|k| data.signatures.contains_key(&k.key_id()));
                let checker = TransactionChecker::new(tx, input, spent.value, None);
                let mut extractor = Extractor { checker, data: &mut data };
                if known || extractor.check_ecdsa_signature(signature, key, &script, version) {
                    next = i + 1;
                    break;
                }
            }
        }
    }
    data
}

/// Signs all inputs as far as `provider` has the keys, keeping signatures that are there. `coins` are the spent
/// outputs. Returns what is wrong with which input; nothing when the transaction is complete.
/// Reference: `SignTransaction`.
pub fn sign_transaction(
    tx: &mut MutableTransaction,
    provider: &dyn SigningProvider,
    coins: &BTreeMap<OutPoint, TxOut>,
    hash_type: u8,
) -> BTreeMap<usize, InputError> {
    let single = hash_type & !SIGHASH_ANYONECANPAY == SIGHASH_SINGLE;
    let spent: Option<Vec<TxOut>> = tx.inputs.iter().map(|i| coins.get(&i.prevout).cloned()).collect();
    // Signature hashes do not cover unlocking scripts and witnesses, so these stay right while signing.
    let precomputed = PrecomputedTxData::new(tx, spent.unwrap_or_default(), true);
    let mut errors = BTreeMap::new();
    for i in 0..tx.inputs.len() {
        let Some(coin) = coins.get(&tx.inputs[i].prevout) else {
            errors.insert(i, InputError::NotFound);
            continue;
        };
        let mut data = data_from_transaction(tx, i, coin);
        // Without matching output, the signature would be for anything.
        if !single || i < tx.outputs.len() {
            let creator = TransactionSignatureCreator::new(tx, i, coin.value, Some(&precomputed), hash_type);
            produce_signature(provider, &creator, &coin.script_pubkey, &mut data);
        }
        data.update_input(&mut tx.inputs[i]);
        if let Some(error) = input_error(tx, i, coin, &precomputed, data.complete) {
            errors.insert(i, error);
        }
    }
    errors
}

fn input_error(
    tx: &MutableTransaction,
    input: usize,
    coin: &TxOut,
    precomputed: &PrecomputedTxData,
    complete: bool,
) -> Option<InputError> {
    let txin = &tx.inputs[input];
    if coin.value == Amount::MAX_MONEY && !txin.witness.is_empty() {
        return Some(InputError::MissingAmount);
    }
    if complete {
        return None;
    }
    let mut checker = TransactionChecker::new(tx, input, coin.value, Some(precomputed));
    let verified = verify_script(
        &txin.script_sig,
        &coin.script_pubkey,
        &txin.witness,
        ScriptFlags::STANDARD,
        &mut checker,
    );
    match verified {
        Ok(()) => None,
        Err(ScriptError::InvalidStackOperation) => Some(InputError::MissingKey),
        Err(ScriptError::SigNullFail) => Some(InputError::MoreSignatures),
        Err(e) => Some(InputError::Script(e)),
    }
}
