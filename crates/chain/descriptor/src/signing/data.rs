use std::collections::{BTreeMap, BTreeSet};

use grs_hashes::Hash160;
use grs_keys::{PublicKey, XOnlyPublicKey};
use grs_primitives::{Script, TxIn, Witness};

use super::{KeyOrigin, TaprootBuilder, TaprootSpendData};

/// What is known about one input, and the signatures it has got: input and output of
/// [`produce_signature`](super::produce_signature). Reference: `SignatureData`.
#[derive(Debug, Clone, Default)]
pub struct SignatureData {
    /// Unlocking script and witness are final.
    pub complete: bool,
    /// The input is spent with a witness.
    pub witness: bool,
    /// Unlocking script, final or with partial multisig.
    pub script_sig: Script,
    /// P2SH redeem script; empty when there is none.
    pub redeem_script: Script,
    /// P2WSH witness script; empty when there is none.
    pub witness_script: Script,
    /// Witness, final or with partial multisig.
    pub script_witness: Witness,
    /// How a Taproot output can be spent.
    pub taproot_spend_data: TaprootSpendData,
    /// Its tree.
    pub taproot_builder: Option<TaprootBuilder>,
    /// ECDSA signatures with hash type, by key id.
    pub signatures: BTreeMap<Hash160, (PublicKey, Vec<u8>)>,
    /// Keys that take part and where they come from, by key id.
    pub misc_public_keys: BTreeMap<Hash160, (PublicKey, KeyOrigin)>,
    /// Schnorr signature for the key path; empty when there is none.
    pub taproot_key_path_signature: Vec<u8>,
    /// Schnorr signatures for script paths, by key and leaf hash.
    pub taproot_script_signatures: BTreeMap<(XOnlyPublicKey, [u8; 32]), Vec<u8>>,
    /// Keys that take part in Taproot spending, with the leaves they are in and where they come from.
    pub taproot_misc_public_keys: BTreeMap<XOnlyPublicKey, (BTreeSet<[u8; 32]>, KeyOrigin)>,
    /// Taproot keys by Hash160 of the x coordinate.
    pub taproot_public_keys: BTreeMap<Hash160, XOnlyPublicKey>,
    /// Ids of public keys that could not be found.
    pub missing_public_keys: Vec<Hash160>,
    /// Ids of keys whose signature is missing.
    pub missing_signatures: Vec<Hash160>,
    /// Hash of a redeem script that could not be found.
    pub missing_redeem_script: Option<Hash160>,
    /// SHA-256 of a witness script that could not be found.
    pub missing_witness_script: Option<[u8; 32]>,
    /// Preimages by hash.
    pub sha256_preimages: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Preimages by hash (of `OP_HASH256`, which is Groestl on this chain).
    pub hash256_preimages: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Preimages by hash.
    pub ripemd160_preimages: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Preimages by hash.
    pub hash160_preimages: BTreeMap<Vec<u8>, Vec<u8>>,
    /// MuSig2 participants by plain aggregate key.
    pub musig2_public_keys: BTreeMap<PublicKey, Vec<PublicKey>>,
    /// MuSig2 public nonces by participant, for each script key and leaf hash (zeros for the key path).
    pub musig2_public_nonces: BTreeMap<(PublicKey, [u8; 32]), BTreeMap<PublicKey, Vec<u8>>>,
    /// MuSig2 partial signatures by participant, for each script key and leaf hash (zeros for the key path).
    pub musig2_partial_signatures: BTreeMap<(PublicKey, [u8; 32]), BTreeMap<PublicKey, [u8; 32]>>,
}

impl SignatureData {
    /// Starts from an unlocking script.
    pub fn with_script_sig(script_sig: Script) -> SignatureData {
        SignatureData { script_sig, ..SignatureData::default() }
    }

    /// Takes over what another signer has found out about the same input. Reference: `MergeSignatureData`.
    pub fn merge(&mut self, other: SignatureData) {
        if self.complete {
            return;
        }
        if other.complete {
            *self = other;
            return;
        }
        if self.redeem_script.is_empty() {
            self.redeem_script = other.redeem_script;
        }
        if self.witness_script.is_empty() {
            self.witness_script = other.witness_script;
        }
        for (id, pair) in other.signatures {
            self.signatures.entry(id).or_insert(pair);
        }
    }

    /// Writes unlocking script and witness into an input. Reference: `UpdateInput`.
    pub fn update_input(&self, input: &mut TxIn) {
        input.script_sig = self.script_sig.clone();
        input.witness = self.script_witness.clone();
    }
}
