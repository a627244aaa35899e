use grs_keys::{XOnlyPublicKey, is_valid_key_size, verify_ecdsa};
use grs_primitives::{
    Amount, LOCKTIME_THRESHOLD, MutableTransaction, SEQUENCE_FINAL, SEQUENCE_LOCKTIME_DISABLE_FLAG,
    SEQUENCE_LOCKTIME_MASK, SEQUENCE_LOCKTIME_TYPE_FLAG,
};

use crate::sighash::SIGHASH_DEFAULT;
use crate::{
    PrecomputedTxData, ScriptError, ScriptExecutionData, ScriptNum, SigHashCache, SigVersion, SignatureCache,
    signature_hash, taproot_signature_hash,
};

/// What scripts ask about the transaction they run for. The defaults refuse everything.
/// Reference: `BaseSignatureChecker`.
pub trait SignatureChecker {
    /// Checks an ECDSA signature with its hash type byte, for [`SigVersion::Base`] and [`SigVersion::WitnessV0`].
    fn check_ecdsa_signature(
        &mut self,
        _signature: &[u8],
        _public_key: &[u8],
        _script_code: &[u8],
        _version: SigVersion,
    ) -> bool {
        false
    }

    /// Checks a Schnorr signature with its optional hash type byte, for [`SigVersion::Taproot`] and
    /// [`SigVersion::Tapscript`].
    fn check_schnorr_signature(
        &mut self,
        _signature: &[u8],
        _public_key: &[u8; 32],
        _version: SigVersion,
        _exec: &mut ScriptExecutionData,
    ) -> Result<(), ScriptError> {
        Err(ScriptError::UnknownError)
    }

    /// True when the transaction's lock time satisfies `OP_CHECKLOCKTIMEVERIFY`.
    fn check_lock_time(&self, _lock_time: ScriptNum) -> bool {
        false
    }

    /// True when the input's sequence satisfies `OP_CHECKSEQUENCEVERIFY`.
    fn check_sequence(&self, _sequence: ScriptNum) -> bool {
        false
    }
}

/// Refuses everything: for scripts without signatures.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoChecker;

impl SignatureChecker for NoChecker {}

/// Checks against one input of a transaction, optionally through a cache of verified signatures.
/// Reference: `GenericTransactionSignatureChecker`, `CachingTransactionSignatureChecker`.
///
/// Without the data a check needs, the check fails.
#[derive(Debug)]
pub struct TransactionChecker<'a> {
    tx: &'a MutableTransaction,
    input: usize,
    amount: Amount,
    precomputed: Option<&'a PrecomputedTxData>,
    cache: Option<(&'a SignatureCache, bool)>,
    sighashes: SigHashCache,
}

impl<'a> TransactionChecker<'a> {
    /// For input number `input` (which must exist), spending `amount`. Taproot needs `precomputed` with the
    /// spent outputs.
    pub fn new(
        tx: &'a MutableTransaction,
        input: usize,
        amount: Amount,
        precomputed: Option<&'a PrecomputedTxData>,
    ) -> TransactionChecker<'a> {
        TransactionChecker { tx, input, amount, precomputed, cache: None, sighashes: SigHashCache::new() }
    }

    /// Looks verified signatures up in `cache`. With `store`, adds new ones; without, found ones may be
    /// overwritten afterwards (they are in a block now).
    #[must_use]
    pub fn with_cache(mut self, cache: &'a SignatureCache, store: bool) -> TransactionChecker<'a> {
        self.cache = Some((cache, store));
        self
    }

    fn cached(&self, entry: impl FnOnce(&SignatureCache) -> [u8; 32], verify: impl FnOnce() -> bool) -> bool {
        let Some((cache, store)) = self.cache else { return verify() };
        let entry = entry(cache);
        if cache.contains(&entry, !store) {
            return true;
        }
        let ok = verify();
        if ok && store {
            cache.insert(&entry);
        }
        ok
    }
}

impl SignatureChecker for TransactionChecker<'_> {
    fn check_ecdsa_signature(
        &mut self,
        signature: &[u8],
        public_key: &[u8],
        script_code: &[u8],
        version: SigVersion,
    ) -> bool {
        let Some((hash_type, der)) = signature.split_last() else { return false };
        if !is_valid_key_size(public_key) || (version == SigVersion::WitnessV0 && self.amount.0 < 0) {
            return false;
        }
        let hash = signature_hash(
            script_code,
            self.tx,
            self.input,
            i32::from(*hash_type),
            self.amount,
            version,
            self.precomputed,
            Some(&mut self.sighashes),
        );
        let hash = hash.as_bytes();
        self.cached(|cache| cache.ecdsa_entry(hash, public_key, der), || verify_ecdsa(public_key, hash, der))
    }

    fn check_schnorr_signature(
        &mut self,
        signature: &[u8],
        public_key: &[u8; 32],
        version: SigVersion,
        exec: &mut ScriptExecutionData,
    ) -> Result<(), ScriptError> {
        let (bytes, hash_type) = match signature {
            [bytes @ .., hash_type] if bytes.len() == 64 => {
                if *hash_type == SIGHASH_DEFAULT {
                    return Err(ScriptError::SchnorrSigHashType);
                }
                (bytes, *hash_type)
            }
            bytes => (bytes, SIGHASH_DEFAULT),
        };
        let bytes: &[u8; 64] = bytes.try_into().map_err(|_| ScriptError::SchnorrSigSize)?;
        let precomputed = self.precomputed.ok_or(ScriptError::UnknownError)?;
        let hash = taproot_signature_hash(exec, self.tx, self.input, hash_type, version, precomputed)
            .ok_or(ScriptError::SchnorrSigHashType)?;
        let hash = hash.as_bytes();
        let ok = self.cached(
            |cache| cache.schnorr_entry(hash, public_key, bytes),
            || XOnlyPublicKey::from_bytes(*public_key).verify_schnorr(hash, bytes),
        );
        if ok { Ok(()) } else { Err(ScriptError::SchnorrSig) }
    }

    fn check_lock_time(&self, lock_time: ScriptNum) -> bool {
        let (wanted, threshold) = (lock_time.0, i64::from(LOCKTIME_THRESHOLD));
        let has = i64::from(self.tx.lock_time);
        // Heights compare with heights, times with times; a final input would switch the lock time off.
        (wanted < threshold) == (has < threshold)
            && wanted <= has
            && self.tx.inputs[self.input].sequence != SEQUENCE_FINAL
    }

    fn check_sequence(&self, sequence: ScriptNum) -> bool {
        let has = self.tx.inputs[self.input].sequence;
        if self.tx.version < 2 || has & SEQUENCE_LOCKTIME_DISABLE_FLAG != 0 {
            return false;
        }
        let mask = i64::from(SEQUENCE_LOCKTIME_TYPE_FLAG | SEQUENCE_LOCKTIME_MASK);
        let (wanted, has) = (sequence.0 & mask, i64::from(has) & mask);
        let kind = i64::from(SEQUENCE_LOCKTIME_TYPE_FLAG);
        (wanted < kind) == (has < kind) && wanted <= has
    }
}
