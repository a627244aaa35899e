use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use secp256k1::musig::SecretNonce;

/// Secret nonces of MuSig2 sessions between the two rounds, by session. Clones share one store. A nonce can be
/// taken once only. Reference: `MuSig2SecNonce` maps of wallet and provider.
#[derive(Clone, Default)]
pub struct MuSig2SecretNonces(Arc<Mutex<BTreeMap<[u8; 32], SecretNonce>>>);

impl fmt::Debug for MuSig2SecretNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MuSig2SecretNonces(..)")
    }
}
