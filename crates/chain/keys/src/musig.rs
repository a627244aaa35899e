//! MuSig2 (BIP327): aggregation of keys, and the synthetic extended key of an aggregate (BIP328).
//! Reference: `src/musig.cpp`.

use secp256k1::musig::KeyAggCache;

use crate::{ChainCode, ExtendedPublicKey, PublicKey};

/// Chain code of the synthetic extended key (BIP328).
pub const MUSIG_CHAIN_CODE: ChainCode = [
    0x86, 0x80, 0x87, 0xca, 0x02, 0xa6, 0xf9, 0x74, 0xc4, 0x59, 0x89, 0x24, 0xc3, 0x6b, 0x57, 0x76, 0x2d,
    0x32, 0xcb, 0x45, 0x71, 0x71, 0x67, 0xe3, 0x00, 0x62, 0x2c, 0x71, 0x67, 0xe3, 0x89, 0x65,
];

/// The plain aggregate (compressed) of participants in this order; `None` without participants or when one is
/// not on the curve.
pub fn musig2_aggregate(keys: &[PublicKey]) -> Option<PublicKey> {
    if keys.is_empty() {
        return None;
    }
    let points = keys.iter().map(|k| k.to_point()).collect::<Option<Vec<_>>>()?;
    let cache = KeyAggCache::new(&points.iter().collect::<Vec<_>>());
    Some(PublicKey::from_point(&cache.agg_pk_full(), true))
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
