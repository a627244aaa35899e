use std::collections::BTreeMap;
use std::fmt;

use grs_hashes::{Hash160, purpose};
use grs_keys::{PublicKey, SecretKey, XOnlyPublicKey};
use grs_primitives::Script;

use super::{TaprootBuilder, TaprootSpendData};
use crate::{Destination, MuSig2SecretNonces, extract_destination};

/// Where a key comes from: fingerprint of a master key and the steps from it. Reference: `KeyOriginInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct KeyOrigin {
    /// First four bytes of the master key's id.
    pub fingerprint: [u8; 4],
    /// Child numbers, hardened ones with the top bit.
    pub path: Vec<u32>,
}

impl Ord for KeyOrigin {
    /// By fingerprint, then shorter paths first, as the reference orders them.
    fn cmp(&self, other: &KeyOrigin) -> std::cmp::Ordering {
        (self.fingerprint, self.path.len(), &self.path).cmp(&(
            other.fingerprint,
            other.path.len(),
            &other.path,
        ))
    }
}

impl PartialOrd for KeyOrigin {
    fn partial_cmp(&self, other: &KeyOrigin) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What signing and solving ask for: scripts, keys and where they come from. The defaults know nothing.
/// Reference: `SigningProvider`.
pub trait SigningProvider {
    /// The script with a Hash160 (redeem scripts, and witness scripts by their Hash160).
    fn script(&self, _id: &Hash160) -> Option<Script> {
        None
    }

    /// The public key with an id.
    fn public_key(&self, _id: &Hash160) -> Option<PublicKey> {
        None
    }

    /// The secret key with an id.
    fn secret_key(&self, _id: &Hash160) -> Option<SecretKey> {
        None
    }

    /// True when there is a secret key with an id.
    fn have_key(&self, id: &Hash160) -> bool {
        self.secret_key(id).is_some()
    }

    /// Where a key comes from.
    fn key_origin(&self, _id: &Hash160) -> Option<KeyOrigin> {
        None
    }

    /// How a Taproot output can be spent.
    fn taproot_spend_data(&self, _output_key: &XOnlyPublicKey) -> Option<TaprootSpendData> {
        None
    }

    /// The tree of a Taproot output.
    fn taproot_builder(&self, _output_key: &XOnlyPublicKey) -> Option<TaprootBuilder> {
        None
    }

    /// Participants of all known MuSig2 aggregates, by plain aggregate key.
    fn musig2_participants(&self) -> BTreeMap<PublicKey, Vec<PublicKey>> {
        BTreeMap::new()
    }

    /// Where secret nonces of MuSig2 sessions are kept between the two rounds, if anywhere.
    fn musig2_secret_nonces(&self) -> Option<&MuSig2SecretNonces> {
        None
    }

    /// The secret key of either key with an x coordinate. Reference: `GetKeyByXOnly`.
    fn secret_key_by_x_only(&self, key: &XOnlyPublicKey) -> Option<SecretKey> {
        key.key_ids().iter().find_map(|id| self.secret_key(id))
    }

    /// Either key with an x coordinate, as it is known. Reference: `GetPubKeyByXOnly`.
    fn public_key_by_x_only(&self, key: &XOnlyPublicKey) -> Option<PublicKey> {
        key.key_ids().iter().find_map(|id| self.public_key(id))
    }

    /// The origin of either key with an x coordinate. Reference: `GetKeyOriginByXOnly`.
    fn key_origin_by_x_only(&self, key: &XOnlyPublicKey) -> Option<KeyOrigin> {
        key.key_ids().iter().find_map(|id| self.key_origin(id))
    }
}

/// Knows nothing. Reference: `DUMMY_SIGNING_PROVIDER`.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptySigningProvider;

impl SigningProvider for EmptySigningProvider {}

/// A provider made of maps. `Debug` shows no secret keys. Reference: `FlatSigningProvider`.
#[derive(Clone, Default)]
pub struct FlatSigningProvider {
    /// By Hash160.
    pub scripts: BTreeMap<Hash160, Script>,
    /// By key id.
    pub public_keys: BTreeMap<Hash160, PublicKey>,
    /// By key id.
    pub origins: BTreeMap<Hash160, (PublicKey, KeyOrigin)>,
    /// By key id.
    pub keys: BTreeMap<Hash160, SecretKey>,
    /// By output key.
    pub taproot_trees: BTreeMap<XOnlyPublicKey, TaprootBuilder>,
    /// MuSig2 participants by plain aggregate key.
    pub aggregate_keys: BTreeMap<PublicKey, Vec<PublicKey>>,
    /// Secret nonces; shared with whoever keeps them over the rounds of MuSig2.
    pub secret_nonces: Option<MuSig2SecretNonces>,
}

impl FlatSigningProvider {
    /// Empty.
    pub fn new() -> FlatSigningProvider {
        FlatSigningProvider::default()
    }

    /// Adds a script under its Hash160, unless it is there.
    pub fn add_script(&mut self, script: &[u8]) {
        self.scripts.entry(purpose::hash160(script)).or_insert_with(|| Script::from(script));
    }

    /// Adds a public key under its id, unless it is there.
    pub fn add_public_key(&mut self, key: PublicKey) {
        self.public_keys.entry(key.key_id()).or_insert(key);
    }

    /// Adds a secret key and its public key. With a compressed key, the P2WPKH script is added as well, as the
    /// reference's `FillableSigningProvider` does so that P2SH-P2WPKH can be spent.
    pub fn add_key(&mut self, key: SecretKey) {
        let public_key = key.public_key();
        if public_key.is_compressed() {
            self.add_script(&Destination::witness_key_hash(&public_key).script());
        }
        self.add_public_key(public_key);
        self.keys.insert(public_key.key_id(), key);
    }

    /// Takes over what is not known yet. Reference: `FlatSigningProvider::Merge`.
    pub fn merge(&mut self, other: FlatSigningProvider) {
        fn fill<K: Ord, V>(to: &mut BTreeMap<K, V>, from: BTreeMap<K, V>) {
            for (k, v) in from {
                to.entry(k).or_insert(v);
            }
        }
        fill(&mut self.scripts, other.scripts);
        fill(&mut self.public_keys, other.public_keys);
        fill(&mut self.keys, other.keys);
        fill(&mut self.origins, other.origins);
        fill(&mut self.taproot_trees, other.taproot_trees);
        fill(&mut self.aggregate_keys, other.aggregate_keys);
        if self.secret_nonces.is_none() {
            self.secret_nonces = other.secret_nonces;
        }
    }
}

impl SigningProvider for FlatSigningProvider {
    fn script(&self, id: &Hash160) -> Option<Script> {
        self.scripts.get(id).cloned()
    }
    fn public_key(&self, id: &Hash160) -> Option<PublicKey> {
        self.public_keys.get(id).copied()
    }
    fn secret_key(&self, id: &Hash160) -> Option<SecretKey> {
        self.keys.get(id).cloned()
    }
    fn have_key(&self, id: &Hash160) -> bool {
        self.keys.contains_key(id)
    }
    fn key_origin(&self, id: &Hash160) -> Option<KeyOrigin> {
        self.origins.get(id).map(|(_, origin)| origin.clone())
    }
    fn taproot_spend_data(&self, output_key: &XOnlyPublicKey) -> Option<TaprootSpendData> {
        self.taproot_trees.get(output_key)?.spend_data()
    }
    fn taproot_builder(&self, output_key: &XOnlyPublicKey) -> Option<TaprootBuilder> {
        self.taproot_trees.get(output_key).cloned()
    }
    fn musig2_participants(&self) -> BTreeMap<PublicKey, Vec<PublicKey>> {
        self.aggregate_keys.clone()
    }
    fn musig2_secret_nonces(&self) -> Option<&MuSig2SecretNonces> {
        self.secret_nonces.as_ref()
    }
}

impl fmt::Debug for FlatSigningProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatSigningProvider")
            .field("scripts", &self.scripts)
            .field("public_keys", &self.public_keys)
            .field("origins", &self.origins)
            .field("secret_keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// Another provider without its secret keys, its origins, or both. Reference: `HidingSigningProvider`.
#[derive(Clone, Copy)]
pub struct HidingSigningProvider<'a> {
    /// What to ask.
    pub provider: &'a dyn SigningProvider,
    /// Answer no question for secret keys.
    pub hide_secret: bool,
    /// Answer no question for origins.
    pub hide_origin: bool,
}

impl SigningProvider for HidingSigningProvider<'_> {
    fn script(&self, id: &Hash160) -> Option<Script> {
        self.provider.script(id)
    }
    fn public_key(&self, id: &Hash160) -> Option<PublicKey> {
        self.provider.public_key(id)
    }
    fn secret_key(&self, id: &Hash160) -> Option<SecretKey> {
        if self.hide_secret { None } else { self.provider.secret_key(id) }
    }
    fn key_origin(&self, id: &Hash160) -> Option<KeyOrigin> {
        if self.hide_origin { None } else { self.provider.key_origin(id) }
    }
    fn taproot_spend_data(&self, output_key: &XOnlyPublicKey) -> Option<TaprootSpendData> {
        self.provider.taproot_spend_data(output_key)
    }
    fn taproot_builder(&self, output_key: &XOnlyPublicKey) -> Option<TaprootBuilder> {
        self.provider.taproot_builder(output_key)
    }
    fn musig2_participants(&self) -> BTreeMap<PublicKey, Vec<PublicKey>> {
        self.provider.musig2_participants()
    }
    fn musig2_secret_nonces(&self) -> Option<&MuSig2SecretNonces> {
        self.provider.musig2_secret_nonces()
    }
}

impl fmt::Debug for HidingSigningProvider<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HidingSigningProvider(..)")
    }
}

/// Several providers, asked in turn. Reference: `MultiSigningProvider`.
#[derive(Default)]
pub struct MultiSigningProvider<'a>(pub Vec<&'a dyn SigningProvider>);

impl SigningProvider for MultiSigningProvider<'_> {
    fn script(&self, id: &Hash160) -> Option<Script> {
        self.0.iter().find_map(|p| p.script(id))
    }
    fn public_key(&self, id: &Hash160) -> Option<PublicKey> {
        self.0.iter().find_map(|p| p.public_key(id))
    }
    fn secret_key(&self, id: &Hash160) -> Option<SecretKey> {
        self.0.iter().find_map(|p| p.secret_key(id))
    }
    fn key_origin(&self, id: &Hash160) -> Option<KeyOrigin> {
        self.0.iter().find_map(|p| p.key_origin(id))
    }
    fn taproot_spend_data(&self, output_key: &XOnlyPublicKey) -> Option<TaprootSpendData> {
        self.0.iter().find_map(|p| p.taproot_spend_data(output_key))
    }
    fn taproot_builder(&self, output_key: &XOnlyPublicKey) -> Option<TaprootBuilder> {
        self.0.iter().find_map(|p| p.taproot_builder(output_key))
    }
}

impl fmt::Debug for MultiSigningProvider<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MultiSigningProvider({})", self.0.len())
    }
}

/// The id of the one key behind a destination (P2PKH, P2WPKH, P2SH-P2WPKH, Taproot without scripts).
/// Reference: `GetKeyForDestination`.
pub fn key_for_destination(provider: &dyn SigningProvider, destination: &Destination) -> Option<Hash160> {
    match destination {
        Destination::PubKeyHash(id) | Destination::WitnessV0KeyHash(id) => Some(*id),
        Destination::ScriptHash(id) => match extract_destination(&provider.script(id)?) {
            Destination::WitnessV0KeyHash(id) => Some(id),
            _ => None,
        },
        Destination::WitnessV1Taproot(output) => {
            let data = provider.taproot_spend_data(output)?;
            if data.merkle_root.is_some() {
                return None;
            }
            Some(provider.public_key_by_x_only(&data.internal_key?)?.key_id())
        }
        _ => None,
    }
}
