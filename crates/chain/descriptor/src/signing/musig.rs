//! The signing half of MuSig2 (BIP327). Reference: `src/musig.cpp`, `CKey::CreateMuSig2Nonce` and
//! `CreateMuSig2PartialSig`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use grs_hashes::purpose::sha256;
use grs_keys::{PublicKey, SecretKey, XOnlyPublicKey};
use grs_script::SigVersion;
use secp256k1::musig::{
    AggregatedNonce, KeyAggCache, PartialSignature, PublicNonce, SecretNonce, Session, SessionSecretRand,
    new_nonce_pair,
};
use secp256k1::{Keypair, Scalar};
use zeroize::Zeroizing;

use super::{MuSig2Target, SignatureCreator, SignatureData, SigningProvider};

/// Bytes of a public nonce.
pub const PUBLIC_NONCE_SIZE: usize = 66;

/// A tweak of an aggregate key on the way to the key in the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTweak {
    /// What is added, times the generator.
    pub tweak: [u8; 32],
    /// Added to the x-only key (Taproot) instead of the plain one (BIP32).
    pub x_only: bool,
}

/// Erased when dropped, unless it was taken out.
struct HeldNonce(Option<SecretNonce>);

impl Drop for HeldNonce {
    fn drop(&mut self) {
        if let Some(nonce) = &mut self.0 {
            nonce.non_secure_erase();
        }
    }
}

/// Secret nonces of MuSig2 sessions between the two rounds. Clones share one store. A nonce can be taken out
/// once only; using one twice would give the key away.
#[derive(Clone, Default)]
pub struct MuSig2SecretNonces(Arc<Mutex<BTreeMap<[u8; 32], HeldNonce>>>);

impl MuSig2SecretNonces {
    /// Empty.
    pub fn new() -> MuSig2SecretNonces {
        MuSig2SecretNonces::default()
    }

    /// Keeps a nonce unless the session has one. False when it has.
    fn put(&self, session: [u8; 32], nonce: SecretNonce) -> bool {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = HeldNonce(Some(nonce));
        if map.contains_key(&session) {
            return false;
        }
        map.insert(session, held);
        true
    }

    fn contains(&self, session: &[u8; 32]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(session)
    }

    fn take(&self, session: &[u8; 32]) -> Option<SecretNonce> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(session)?.0.take()
    }
}

impl fmt::Debug for MuSig2SecretNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MuSig2SecretNonces(..)")
    }
}

/// Names a session. Reference: `MuSig2SessionID`.
fn session_id(script_key: &PublicKey, participant: &PublicKey, hash: &[u8; 32]) -> [u8; 32] {
    let mut data = Vec::with_capacity(100);
    for key in [script_key, participant] {
        grs_encoding::write_var_bytes(&mut data, key.as_bytes());
    }
    data.extend_from_slice(hash);
    sha256(&data)
}

fn point(key: &PublicKey) -> Option<secp256k1::PublicKey> {
    secp256k1::PublicKey::from_slice(key.as_bytes()).ok()
}

/// The aggregate of participants; `None` unless it is the expected one.
fn aggregate(participants: &[PublicKey], expected: &PublicKey) -> Option<KeyAggCache> {
    if participants.is_empty() {
        return None;
    }
    let points = participants.iter().map(point).collect::<Option<Vec<_>>>()?;
    let cache = KeyAggCache::new(&points.iter().collect::<Vec<_>>());
    (cache.agg_pk_full().serialize()[..] == *expected.as_bytes()).then_some(cache)
}

fn apply_tweaks(cache: &mut KeyAggCache, tweaks: &[KeyTweak]) -> Option<()> {
    for t in tweaks {
        let scalar = Scalar::from_be_bytes(t.tweak).ok()?;
        if t.x_only {
            cache.pubkey_xonly_tweak_add(&scalar).ok()?;
        } else {
            cache.pubkey_ec_tweak_add(&scalar).ok()?;
        }
    }
    Some(())
}

/// The participants' nonces in order; all must be there.
fn parse_nonces(
    participants: &[PublicKey],
    nonces: &BTreeMap<PublicKey, Vec<u8>>,
) -> Option<Vec<PublicNonce>> {
    if participants.is_empty() || nonces.len() != participants.len() {
        return None;
    }
    let parse = |key| {
        let bytes: &[u8; PUBLIC_NONCE_SIZE] = nonces.get(key)?.as_slice().try_into().ok()?;
        PublicNonce::from_byte_array(bytes).ok()
    };
    participants.iter().map(parse).collect()
}

fn library_key(key: &SecretKey) -> secp256k1::SecretKey {
    secp256k1::SecretKey::from_secret_bytes(*key.secret_bytes()).expect("secret keys are in range")
}

/// First round: a public nonce; the secret one goes to `store`. `None` when the session has one already.
pub(super) fn create_nonce(
    store: &MuSig2SecretNonces,
    key: &SecretKey,
    participants: &[PublicKey],
    target: &MuSig2Target<'_>,
    participant: &PublicKey,
    hash: &[u8; 32],
) -> Option<Vec<u8>> {
    if !participants.contains(participant) || key.public_key() != *participant {
        return None;
    }
    let session = session_id(target.script_key, participant, hash);
    if store.contains(&session) {
        return None;
    }
    let cache = aggregate(participants, target.aggregate)?;
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random).ok()?;
    if *random == [0; 32] {
        return None;
    }
    let mut secret = library_key(key);
    let (secret_nonce, public_nonce) = new_nonce_pair(
        SessionSecretRand::assume_uniformly_random(*random),
        Some(&cache),
        Some(secret),
        point(participant)?,
        Some(hash),
        None,
    );
    secret.non_secure_erase();
    store.put(session, secret_nonce).then(|| public_nonce.serialize().to_vec())
}

/// Second round: a partial signature. Takes the secret nonce out of `store`.
pub(super) fn create_partial_signature(
    store: &MuSig2SecretNonces,
    key: &SecretKey,
    participants: &[PublicKey],
    nonces: &BTreeMap<PublicKey, Vec<u8>>,
    target: &MuSig2Target<'_>,
    participant: &PublicKey,
    tweaks: &[KeyTweak],
    hash: &[u8; 32],
) -> Option<[u8; 32]> {
    if !participants.contains(participant) || key.public_key() != *participant {
        return None;
    }
    let mut cache = aggregate(participants, target.aggregate)?;
    let public_nonces = parse_nonces(participants, nonces)?;
    apply_tweaks(&mut cache, tweaks)?;
    let nonce = store.take(&session_id(target.script_key, participant, hash))?;
    let aggregated = AggregatedNonce::new(&public_nonces.iter().collect::<Vec<_>>());
    let session = Session::new(&cache, aggregated, hash);
    let mut secret = library_key(key);
    let mut pair = Keypair::from_secret_key(&secret);
    secret.non_secure_erase();
    let signature = session.partial_sign(nonce, &pair, &cache);
    pair.non_secure_erase();
    let own = participants.iter().position(|p| p == participant)?;
    let verified = session.partial_verify(&cache, &signature, &public_nonces[own], point(participant)?);
    verified.then(|| signature.serialize())
}

/// Puts the partial signatures together. `None` when one is missing or wrong.
pub(super) fn aggregate_signature(
    participants: &[PublicKey],
    expected: &PublicKey,
    nonces: &BTreeMap<PublicKey, Vec<u8>>,
    partial: &BTreeMap<PublicKey, [u8; 32]>,
    tweaks: &[KeyTweak],
    hash: &[u8; 32],
) -> Option<[u8; 64]> {
    let mut cache = aggregate(participants, expected)?;
    if partial.len() != participants.len() {
        return None;
    }
    let public_nonces = parse_nonces(participants, nonces)?;
    let signatures = participants
        .iter()
        .map(|p| PartialSignature::from_byte_array(partial.get(p)?).ok())
        .collect::<Option<Vec<_>>>()?;
    apply_tweaks(&mut cache, tweaks)?;
    let aggregated = AggregatedNonce::new(&public_nonces.iter().collect::<Vec<_>>());
    let session = Session::new(&cache, aggregated, hash);
    for ((participant, nonce), signature) in participants.iter().zip(&public_nonces).zip(&signatures) {
        if !session.partial_verify(&cache, signature, nonce, point(participant)?) {
            return None;
        }
    }
    let signature = session.partial_sig_agg(&signatures.iter().collect::<Vec<_>>());
    Some(signature.assume_valid().to_byte_array())
}

/// Goes as far as possible for all aggregates that may be behind a key: full signature, partial signatures, or
/// nonces. A full signature is stored in `data`. Reference: `SignMuSig2`.
pub(super) fn sign(
    creator: &dyn SignatureCreator,
    data: &mut SignatureData,
    provider: &dyn SigningProvider,
    key: &XOnlyPublicKey,
    merkle_root: Option<Option<&[u8; 32]>>,
    leaf_hash: Option<&[u8; 32]>,
    version: SigVersion,
) -> Option<()> {
    let origin = data.taproot_misc_public_keys.get(key).map(|(_, origin)| origin.clone()).unwrap_or_default();
    for (aggregate, participants) in data.musig2_public_keys.clone() {
        if participants.is_empty() {
            continue;
        }
        for participant in &participants {
            if let Some(info) = provider.key_origin(&participant.key_id()) {
                let entry = data.taproot_misc_public_keys.entry(participant.x_only());
                let (leaves, _) = entry.or_insert_with(|| (Default::default(), info));
                leaves.extend(leaf_hash);
            }
        }
        let mut tweaks = Vec::new();
        let mut script_key = aggregate;
        if aggregate.x_only() != *key {
            // Maybe derived from the aggregate.
            if origin.path.is_empty() || origin.fingerprint != aggregate.fingerprint() {
                continue;
            }
            let mut extended = grs_keys::musig2_synthetic_xpub(aggregate);
            for child in &origin.path {
                let (next, tweak) = extended.derive_with_tweak(*child).ok()?;
                tweaks.push(KeyTweak { tweak, x_only: false });
                extended = next;
            }
            if extended.public_key.x_only() != *key {
                continue;
            }
            script_key = extended.public_key;
        }
        if let (SigVersion::Taproot, Some(root)) = (version, merkle_root) {
            tweaks.push(KeyTweak { tweak: key.tap_tweak_hash(root), x_only: true });
            let (output, odd) = key.tap_tweak(root)?;
            script_key = output.public_keys()[usize::from(odd)];
        }
        let target = MuSig2Target { aggregate: &aggregate, script_key: &script_key, leaf_hash };
        sign_for(creator, data, provider, key, &participants, &target, &tweaks, version);
    }
    Some(())
}

fn sign_for(
    creator: &dyn SignatureCreator,
    data: &mut SignatureData,
    provider: &dyn SigningProvider,
    key: &XOnlyPublicKey,
    participants: &[PublicKey],
    target: &MuSig2Target<'_>,
    tweaks: &[KeyTweak],
    version: SigVersion,
) {
    let full = creator.create_musig2_aggregate_signature(participants, target, tweaks, version, data);
    if let Some(signature) = full {
        if version == SigVersion::Taproot {
            data.taproot_key_path_signature = signature;
        } else {
            let place = (*key, target.leaf_hash.copied().unwrap_or_default());
            data.taproot_script_signatures.insert(place, signature);
        }
        return;
    }
    for participant in participants {
        let partial =
            creator.create_musig2_partial_signature(provider, target, participant, tweaks, version, data);
        if let Some(partial) = partial {
            let place = data.musig2_partial_signatures.entry(target.place()).or_default();
            place.entry(*participant).or_insert(partial);
        }
    }
    if data.musig2_partial_signatures.get(&target.place()).is_some_and(|p| !p.is_empty()) {
        return;
    }
    for participant in participants {
        let known = data.musig2_public_nonces.entry(target.place()).or_default();
        if known.contains_key(participant) {
            continue;
        }
        if let Some(nonce) = creator.create_musig2_nonce(provider, target, participant, version, data) {
            data.musig2_public_nonces.entry(target.place()).or_default().insert(*participant, nonce);
        }
    }
}
