use grs_hashes::{Hash160, Hash256};
use grs_keys::{PublicKey, TapTweak, XOnlyPublicKey};
use grs_primitives::{Amount, MutableTransaction, money_range};
use grs_script::sighash::{SIGHASH_ALL, SIGHASH_DEFAULT};
use grs_script::{
    PrecomputedTxData, ScriptError, ScriptExecutionData, ScriptNum, SigVersion, SignatureChecker,
    TransactionChecker, signature_hash, taproot_signature_hash,
};

use super::musig::{self, KeyTweak};
use super::{SignatureData, SigningProvider};

/// What a MuSig2 signature is for: plain aggregate of the participants, the key in the script (which may be
/// derived and tweaked from it), and the leaf.
#[derive(Debug, Clone, Copy)]
pub struct MuSig2Target<'a> {
    /// Plain aggregate of the participants.
    pub aggregate: &'a PublicKey,
    /// Key that the signature has to fit.
    pub script_key: &'a PublicKey,
    /// Leaf, or `None` for the key path.
    pub leaf_hash: Option<&'a [u8; 32]>,
}

impl MuSig2Target<'_> {
    /// The place of nonces and partial signatures in [`SignatureData`].
    pub fn place(&self) -> (PublicKey, [u8; 32]) {
        (*self.script_key, self.leaf_hash.copied().unwrap_or_default())
    }
}

/// Makes single signatures and checks finished inputs. Reference: `BaseSignatureCreator`.
pub trait SignatureCreator {
    /// What finished scripts are checked with, lock times included.
    fn checker(&self) -> Box<dyn SignatureChecker + '_>;

    /// An ECDSA signature with hash type.
    fn create_signature(
        &self,
        provider: &dyn SigningProvider,
        key_id: &Hash160,
        script_code: &[u8],
        version: SigVersion,
    ) -> Option<Vec<u8>>;

    /// A Schnorr signature, with hash type unless that is the default.
    fn create_schnorr_signature(
        &self,
        provider: &dyn SigningProvider,
        key: &XOnlyPublicKey,
        leaf_hash: Option<&[u8; 32]>,
        tweak: TapTweak<'_>,
        version: SigVersion,
    ) -> Option<Vec<u8>>;

    /// A participant's public nonce; the secret one goes to the provider's store.
    fn create_musig2_nonce(
        &self,
        _provider: &dyn SigningProvider,
        _target: &MuSig2Target<'_>,
        _participant: &PublicKey,
        _version: SigVersion,
        _data: &SignatureData,
    ) -> Option<Vec<u8>> {
        None
    }

    /// A participant's partial signature; uses the secret nonce up.
    fn create_musig2_partial_signature(
        &self,
        _provider: &dyn SigningProvider,
        _target: &MuSig2Target<'_>,
        _participant: &PublicKey,
        _tweaks: &[KeyTweak],
        _version: SigVersion,
        _data: &SignatureData,
    ) -> Option<[u8; 32]> {
        None
    }

    /// The signature of all participants, with hash type unless that is the default.
    fn create_musig2_aggregate_signature(
        &self,
        _participants: &[PublicKey],
        _target: &MuSig2Target<'_>,
        _tweaks: &[KeyTweak],
        _version: SigVersion,
        _data: &SignatureData,
    ) -> Option<Vec<u8>> {
        None
    }
}

/// Signs one input of a transaction. Reference: `MutableTransactionSignatureCreator`.
#[derive(Debug, Clone, Copy)]
pub struct TransactionSignatureCreator<'a> {
    tx: &'a MutableTransaction,
    input: usize,
    amount: Amount,
    precomputed: Option<&'a PrecomputedTxData>,
    hash_type: u8,
}

impl<'a> TransactionSignatureCreator<'a> {
    /// For input number `input` (which must exist) spending `amount`. Taproot needs `precomputed` with all spent
    /// outputs. `hash_type` [`SIGHASH_DEFAULT`] means all outputs where there is no default.
    pub fn new(
        tx: &'a MutableTransaction,
        input: usize,
        amount: Amount,
        precomputed: Option<&'a PrecomputedTxData>,
        hash_type: u8,
    ) -> TransactionSignatureCreator<'a> {
        TransactionSignatureCreator { tx, input, amount, precomputed, hash_type }
    }

    fn schnorr_hash(&self, leaf_hash: Option<&[u8; 32]>, version: SigVersion) -> Option<Hash256> {
        let precomputed = self.precomputed.filter(|p| p.spent_outputs_ready())?;
        let mut exec = ScriptExecutionData::default();
        if version == SigVersion::Tapscript {
            exec.tapleaf_hash = *leaf_hash?;
        }
        taproot_signature_hash(&mut exec, self.tx, self.input, self.hash_type, version, precomputed)
    }

    fn with_hash_type(&self, signature: &[u8]) -> Vec<u8> {
        let mut out = signature.to_vec();
        if self.hash_type != SIGHASH_DEFAULT {
            out.push(self.hash_type);
        }
        out
    }
}

impl SignatureCreator for TransactionSignatureCreator<'_> {
    fn checker(&self) -> Box<dyn SignatureChecker + '_> {
        Box::new(TransactionChecker::new(self.tx, self.input, self.amount, self.precomputed))
    }

    fn create_signature(
        &self,
        provider: &dyn SigningProvider,
        key_id: &Hash160,
        script_code: &[u8],
        version: SigVersion,
    ) -> Option<Vec<u8>> {
        let key = provider.secret_key(key_id)?;
        // Witness scripts allow no uncompressed keys, and their signatures commit to the amount.
        if version == SigVersion::WitnessV0 && (!key.is_compressed() || !money_range(self.amount)) {
            return None;
        }
        let hash_type = if self.hash_type == SIGHASH_DEFAULT { SIGHASH_ALL } else { self.hash_type };
        let hash = signature_hash(
            script_code,
            self.tx,
            self.input,
            i32::from(hash_type),
            self.amount,
            version,
            self.precomputed,
            None,
        );
        let mut out = key.sign(hash.as_bytes(), true);
        out.push(hash_type);
        Some(out)
    }

    fn create_schnorr_signature(
        &self,
        provider: &dyn SigningProvider,
        key: &XOnlyPublicKey,
        leaf_hash: Option<&[u8; 32]>,
        tweak: TapTweak<'_>,
        version: SigVersion,
    ) -> Option<Vec<u8>> {
        let key = provider.secret_key_by_x_only(key)?;
        let hash = self.schnorr_hash(leaf_hash, version)?;
        Some(self.with_hash_type(&key.sign_schnorr(hash.as_bytes(), tweak, &[0; 32])?))
    }

    fn create_musig2_nonce(
        &self,
        provider: &dyn SigningProvider,
        target: &MuSig2Target<'_>,
        participant: &PublicKey,
        version: SigVersion,
        data: &SignatureData,
    ) -> Option<Vec<u8>> {
        let key = provider.secret_key(&participant.key_id())?;
        let participants = data.musig2_public_keys.get(target.aggregate)?;
        let hash = self.schnorr_hash(target.leaf_hash, version)?;
        let store = provider.musig2_secret_nonces()?;
        musig::create_nonce(store, &key, participants, target, participant, hash.as_bytes())
    }

    fn create_musig2_partial_signature(
        &self,
        provider: &dyn SigningProvider,
        target: &MuSig2Target<'_>,
        participant: &PublicKey,
        tweaks: &[KeyTweak],
        version: SigVersion,
        data: &SignatureData,
    ) -> Option<[u8; 32]> {
        let key = provider.secret_key(&participant.key_id())?;
        let participants = data.musig2_public_keys.get(target.aggregate)?;
        let nonces = data.musig2_public_nonces.get(&target.place())?;
        let hash = self.schnorr_hash(target.leaf_hash, version)?;
        let store = provider.musig2_secret_nonces()?;
        musig::create_partial_signature(
            store,
            &key,
            participants,
            nonces,
            target,
            participant,
            tweaks,
            hash.as_bytes(),
        )
    }

    fn create_musig2_aggregate_signature(
        &self,
        participants: &[PublicKey],
        target: &MuSig2Target<'_>,
        tweaks: &[KeyTweak],
        version: SigVersion,
        data: &SignatureData,
    ) -> Option<Vec<u8>> {
        let nonces = data.musig2_public_nonces.get(&target.place())?;
        let partial = data.musig2_partial_signatures.get(&target.place())?;
        let hash = self.schnorr_hash(target.leaf_hash, version)?;
        let signature = musig::aggregate_signature(
            participants,
            target.aggregate,
            nonces,
            partial,
            tweaks,
            hash.as_bytes(),
        )?;
        Some(self.with_hash_type(&signature))
    }
}

/// Makes signatures of the right size that sign nothing, to learn the size of a finished input.
/// Reference: `DUMMY_SIGNATURE_CREATOR`, `DUMMY_MAXIMUM_SIGNATURE_CREATOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DummySignatureCreator {
    /// ECDSA signatures of 71 bytes, as low-R signing makes them.
    LowR,
    /// ECDSA signatures of 72 bytes.
    Maximum,
}

/// Accepts every signature that is not empty, and all lock times.
struct DummyChecker;

impl SignatureChecker for DummyChecker {
    fn check_ecdsa_signature(&mut self, signature: &[u8], _: &[u8], _: &[u8], _: SigVersion) -> bool {
        !signature.is_empty()
    }
    fn check_schnorr_signature(
        &mut self,
        signature: &[u8],
        _: &[u8; 32],
        _: SigVersion,
        _: &mut ScriptExecutionData,
    ) -> Result<(), ScriptError> {
        if signature.is_empty() { Err(ScriptError::SchnorrSig) } else { Ok(()) }
    }
    fn check_lock_time(&self, _: ScriptNum) -> bool {
        true
    }
    fn check_sequence(&self, _: ScriptNum) -> bool {
        true
    }
}

impl SignatureCreator for DummySignatureCreator {
    fn checker(&self) -> Box<dyn SignatureChecker + '_> {
        Box::new(DummyChecker)
    }

    fn create_signature(
        &self,
        _: &dyn SigningProvider,
        _: &Hash160,
        _: &[u8],
        _: SigVersion,
    ) -> Option<Vec<u8>> {
        let (r, s) = match self {
            DummySignatureCreator::LowR => (32, 32),
            DummySignatureCreator::Maximum => (33, 32),
        };
        // Valid DER all the same.
        let mut out = vec![0; r + s + 7];
        out[..5].copy_from_slice(&[0x30, (r + s + 4) as u8, 2, r as u8, 1]);
        out[4 + r..7 + r].copy_from_slice(&[2, s as u8, 1]);
        out[6 + r + s] = SIGHASH_ALL;
        Some(out)
    }

    fn create_schnorr_signature(
        &self,
        _: &dyn SigningProvider,
        _: &XOnlyPublicKey,
        _: Option<&[u8; 32]>,
        _: TapTweak<'_>,
        _: SigVersion,
    ) -> Option<Vec<u8>> {
        Some(vec![0; 64])
    }

    fn create_musig2_nonce(
        &self,
        _: &dyn SigningProvider,
        _: &MuSig2Target<'_>,
        _: &PublicKey,
        _: SigVersion,
        _: &SignatureData,
    ) -> Option<Vec<u8>> {
        Some(vec![0; musig::PUBLIC_NONCE_SIZE])
    }

    fn create_musig2_partial_signature(
        &self,
        _: &dyn SigningProvider,
        _: &MuSig2Target<'_>,
        _: &PublicKey,
        _: &[KeyTweak],
        _: SigVersion,
        _: &SignatureData,
    ) -> Option<[u8; 32]> {
        let mut one = [0; 32];
        one[0] = 1;
        Some(one)
    }

    fn create_musig2_aggregate_signature(
        &self,
        _: &[PublicKey],
        _: &MuSig2Target<'_>,
        _: &[KeyTweak],
        _: SigVersion,
        _: &SignatureData,
    ) -> Option<Vec<u8>> {
        Some(vec![0; 64])
    }
}
