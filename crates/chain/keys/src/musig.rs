//! MuSig2 (BIP327): aggregation of keys, the synthetic extended key of an aggregate (BIP328), and signing.
//! Reference: `src/musig.cpp`, and `CKey::CreateMuSig2Nonce` and `CKey::CreateMuSig2PartialSig`.

use std::collections::BTreeMap;
use std::fmt;

use grs_encoding::write_var_bytes;
use grs_hashes::purpose::sha256;
use secp256k1::musig::{
    AggregatedNonce, KeyAggCache, PartialSignature, PublicNonce, SecretNonce, Session, SessionSecretRand,
    new_nonce_pair,
};
use secp256k1::{Keypair, Scalar};

use crate::{ChainCode, ExtendedPublicKey, PublicKey, SecretKey};

/// Chain code of the synthetic extended key (BIP328).
pub const MUSIG_CHAIN_CODE: ChainCode = [
    0x86, 0x80, 0x87, 0xca, 0x02, 0xa6, 0xf9, 0x74, 0xc4, 0x59, 0x89, 0x24, 0xc3, 0x6b, 0x57, 0x76, 0x2d,
    0x32, 0xcb, 0x45, 0x71, 0x71, 0x67, 0xe3, 0x00, 0x62, 0x2c, 0x71, 0x67, 0xe3, 0x89, 0x65,
];
/// Bytes of a public nonce.
pub const MUSIG2_PUBNONCE_SIZE: usize = 66;

/// A public nonce as participants exchange it.
pub type MuSig2PublicNonce = [u8; MUSIG2_PUBNONCE_SIZE];
/// A number added to the aggregate key: 32 bytes, and true for an x-only (Taproot) tweak, false for a plain
/// (BIP32) one.
pub type MuSig2Tweak = ([u8; 32], bool);

/// A nonce that must be used once and kept secret; used up by [`musig2_partial_sign`].
pub struct MuSig2SecretNonce {
    nonce: SecretNonce,
    owner: PublicKey,
}

impl fmt::Debug for MuSig2SecretNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MuSig2SecretNonce(..)")
    }
}

impl Drop for MuSig2SecretNonce {
    fn drop(&mut self) {
        self.nonce.non_secure_erase();
    }
}

fn key_agg_cache(keys: &[PublicKey]) -> Option<KeyAggCache> {
    if keys.is_empty() {
        return None;
    }
    let points = keys.iter().map(|k| k.to_point()).collect::<Option<Vec<_>>>()?;
    Some(KeyAggCache::new(&points.iter().collect::<Vec<_>>()))
}

/// The cache of participants whose aggregate is the expected one.
fn checked_cache(keys: &[PublicKey], aggregate: &PublicKey) -> Option<KeyAggCache> {
    key_agg_cache(keys).filter(|c| PublicKey::from_point(&c.agg_pk_full(), true) == *aggregate)
}

/// The plain aggregate (compressed) of participants in this order; `None` without participants or when one is
/// not on the curve.
pub fn musig2_aggregate(keys: &[PublicKey]) -> Option<PublicKey> {
    Some(PublicKey::from_point(&key_agg_cache(keys)?.agg_pk_full(), true))
}

/// The extended key from which children of an aggregate are derived (BIP328).
pub fn musig2_synthetic_xpub(aggregate: PublicKey) -> ExtendedPublicKey {
    ExtendedPublicKey {
        depth: 0,
        parent_fingerprint: [0; 4],
        child: 0,
        chain_code: MUSIG_CHAIN_CODE,
        public_key: aggregate,
    }
}

/// Names a signing session: the key in the script, the participant, and what is signed.
/// Reference: `MuSig2SessionID`.
pub fn musig2_session_id(script_key: &PublicKey, participant: &PublicKey, hash: &[u8; 32]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(104);
    write_var_bytes(&mut bytes, script_key.as_bytes());
    write_var_bytes(&mut bytes, participant.as_bytes());
    bytes.extend_from_slice(hash);
    sha256(&bytes)
}

/// A participant's nonce for one signature. `random` is fresh from the system's source and used nowhere else;
/// all zeros are refused. `None` also when the participants do not have this aggregate.
pub fn musig2_nonce(
    key: &SecretKey,
    hash: &[u8; 32],
    aggregate: &PublicKey,
    participants: &[PublicKey],
    random: [u8; 32],
) -> Option<(MuSig2SecretNonce, MuSig2PublicNonce)> {
    let cache = checked_cache(participants, aggregate)?;
    if random == [0; 32] {
        return None;
    }
    let owner = key.public_key();
    let point = owner.to_point()?;
    let (nonce, public) = key.with_library_key(|k| {
        let secret = SessionSecretRand::assume_unique_per_nonce_gen(random, k);
        new_nonce_pair(secret, Some(&cache), Some(*k), point, Some(hash), None)
    });
    Some((MuSig2SecretNonce { nonce, owner }, public.serialize()))
}

/// What all participants compute alike: the tweaked aggregate, the session, and their nonces in order.
struct Round {
    cache: KeyAggCache,
    session: Session,
    nonces: Vec<PublicNonce>,
}

fn round(
    hash: &[u8; 32],
    aggregate: &PublicKey,
    participants: &[PublicKey],
    nonces: &BTreeMap<PublicKey, MuSig2PublicNonce>,
    tweaks: &[MuSig2Tweak],
) -> Option<Round> {
    let mut cache = checked_cache(participants, aggregate)?;
    if nonces.len() != participants.len() {
        return None;
    }
    let nonces = participants
        .iter()
        .map(|k| PublicNonce::from_byte_array(nonces.get(k)?).ok())
        .collect::<Option<Vec<_>>>()?;
    let sum = AggregatedNonce::new(&nonces.iter().collect::<Vec<_>>());
    for (tweak, x_only) in tweaks {
        let tweak = Scalar::from_be_bytes(*tweak).ok()?;
        if *x_only {
            cache.pubkey_xonly_tweak_add(&tweak).ok()?;
        } else {
            cache.pubkey_ec_tweak_add(&tweak).ok()?;
        }
    }
    let session = Session::new(&cache, sum, hash);
    Some(Round { cache, session, nonces })
}

/// A participant's part of the signature. Uses the nonce up. `None` when the data do not belong together.
pub fn musig2_partial_sign(
    key: &SecretKey,
    hash: &[u8; 32],
    aggregate: &PublicKey,
    participants: &[PublicKey],
    nonces: &BTreeMap<PublicKey, MuSig2PublicNonce>,
    nonce: MuSig2SecretNonce,
    tweaks: &[MuSig2Tweak],
) -> Option<[u8; 32]> {
    let owner = key.public_key();
    let round = round(hash, aggregate, participants, nonces, tweaks)?;
    let place = participants.iter().position(|k| *k == owner).filter(|_| nonce.owner == owner)?;
    // The library's nonce cannot be copied; its bytes can, and the original is erased when dropped here.
    let secret = SecretNonce::dangerous_from_bytes(take_bytes(nonce));
    let mut pair = key.with_library_key(Keypair::from_secret_key);
    let part = round.session.partial_sign(secret, &pair, &round.cache);
    pair.non_secure_erase();
    let ok = round.session.partial_verify(&round.cache, &part, &round.nonces[place], owner.to_point()?);
    ok.then(|| part.serialize())
}

/// Moves the nonce out of its erasing wrapper.
fn take_bytes(mut nonce: MuSig2SecretNonce) -> [u8; 132] {
    let erased = SecretNonce::dangerous_from_bytes([0; 132]);
    std::mem::replace(&mut nonce.nonce, erased).dangerous_into_bytes()
}

/// The Schnorr signature of all parts, each of which is checked. Reference: `CreateMuSig2AggregateSig`.
pub fn musig2_aggregate_signature(
    hash: &[u8; 32],
    aggregate: &PublicKey,
    participants: &[PublicKey],
    nonces: &BTreeMap<PublicKey, MuSig2PublicNonce>,
    parts: &BTreeMap<PublicKey, [u8; 32]>,
    tweaks: &[MuSig2Tweak],
) -> Option<[u8; 64]> {
    let round = round(hash, aggregate, participants, nonces, tweaks)?;
    if parts.len() != participants.len() {
        return None;
    }
    let mut all = Vec::with_capacity(parts.len());
    for (key, nonce) in participants.iter().zip(&round.nonces) {
        let part = PartialSignature::from_byte_array(parts.get(key)?).ok()?;
        if !round.session.partial_verify(&round.cache, &part, nonce, key.to_point()?) {
            return None;
        }
        all.push(part);
    }
    let signature = round.session.partial_sig_agg(&all.iter().collect::<Vec<_>>());
    Some(signature.assume_valid().to_byte_array())
}
