//! What the wallet adds to a partially signed transaction. Reference: `CWallet::FillPSBT`,
//! `DescriptorScriptPubKeyMan::FillPSBT`.

use grs_descriptor::{FlatSigningProvider, HidingSigningProvider};
use grs_keys::PublicKey;
use grs_primitives::Script;
use grs_psbt::{
    Psbt, PsbtInput, SignError, SignInputOptions, input_is_verified, precompute,
    remove_unnecessary_transactions, sign_input, update_output,
};
use grs_script::{PrecomputedTxData, ScriptClass, solver};

use super::State;
use crate::keyman::DescriptorManager;

/// What to add.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FillOptions {
    /// Signature hash type; without it the usual one.
    pub(crate) sighash: Option<i32>,
    /// Sign, not only describe.
    pub(crate) sign: bool,
    /// Where keys come from.
    pub(crate) derivations: bool,
    /// Finish inputs that are complete.
    pub(crate) finalize: bool,
}

/// Public keys by which the keys for an input may be found where its script is not known.
fn listed_keys(input: &PsbtInput, script: &Script) -> Vec<PublicKey> {
    let mut keys: Vec<PublicKey> = input.hd_keypaths.keys().copied().collect();
    if let ScriptClass::WitnessV1Taproot(key) = solver(script) {
        keys.extend(key.public_keys());
    }
    keys.extend(input.tap_bip32_paths.keys().flat_map(|key| key.public_keys()));
    keys
}

impl State {
    /// Adds what the wallet knows and signs as asked; true if all inputs are final and valid then.
    pub(crate) fn fill_psbt(&self, psbt: &mut Psbt, options: FillOptions) -> Result<bool, SignError> {
        for (input, txin) in psbt.inputs.iter_mut().zip(&psbt.tx.inputs) {
            if !input.is_signed() && input.non_witness_utxo.is_none() {
                input.non_witness_utxo = self.txs.get(&txin.prevout.txid).map(|wtx| wtx.tx.clone());
            }
        }
        let precomputed = precompute(psbt);
        for manager in self.managers.values() {
            self.fill_psbt_from(manager, psbt, &precomputed, options)?;
        }
        remove_unnecessary_transactions(psbt);
        Ok((0..psbt.inputs.len()).all(|index| input_is_verified(psbt, index, Some(&precomputed))))
    }

    fn fill_psbt_from(
        &self,
        manager: &DescriptorManager,
        psbt: &mut Psbt,
        precomputed: &PrecomputedTxData,
        options: FillOptions,
    ) -> Result<(), SignError> {
        let master = self.master_key.as_ref();
        for index in 0..psbt.inputs.len() {
            let input = &psbt.inputs[index];
            if input.is_signed() {
                continue;
            }
            let script = match (&input.witness_utxo, &input.non_witness_utxo) {
                (Some(utxo), _) => utxo.script_pubkey.clone(),
                (None, Some(tx)) => {
                    let vout = psbt.tx.inputs[index].prevout.vout as usize;
                    tx.outputs.get(vout).ok_or(SignError::MissingInputs)?.script_pubkey.clone()
                }
                (None, None) => continue,
            };
            let keys = manager.signing_provider(&script, options.sign, master).unwrap_or_else(|| {
                let mut keys = FlatSigningProvider::new();
                for key in listed_keys(input, &script) {
                    if let Some(more) = manager.signing_provider_by_key(&key, master) {
                        keys.merge(more);
                    }
                }
                keys
            });
            let provider = HidingSigningProvider {
                provider: &keys,
                hide_secret: !options.sign,
                hide_origin: !options.derivations,
            };
            let how = SignInputOptions {
                precomputed: Some(precomputed),
                sighash: options.sighash,
                finalize: options.finalize,
            };
            match sign_input(&provider, psbt, index, how, None) {
                Ok(()) | Err(SignError::Incomplete) => {}
                Err(error) => return Err(error),
            }
        }
        // So that a signing device can tell change.
        for index in 0..psbt.outputs.len() {
            let Some(keys) = manager.signing_provider(&psbt.tx.outputs[index].script_pubkey, false, None)
            else {
                continue;
            };
            let provider = HidingSigningProvider {
                provider: &keys,
                hide_secret: true,
                hide_origin: !options.derivations,
            };
            update_output(&provider, psbt, index);
        }
        Ok(())
    }
}
