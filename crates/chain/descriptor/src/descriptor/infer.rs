use grs_hashes::Hash160;
use grs_hashes::purpose::ripemd160;
use grs_keys::{PublicKey, XOnlyPublicKey};
use grs_params::Network;
use grs_primitives::Script;
use grs_script::opcodes::OP_CHECKSIG;
use grs_script::{ScriptClass, TAPROOT_LEAF_TAPSCRIPT, match_multi_a, solver};

use super::key::{KeyExpression, KeyKind};
use super::parse::Context;
use super::parse_script::identity;
use super::{Body, Descriptor};
use crate::address::script_for_destination;
use crate::miniscript::{Miniscript, MiniscriptContext, ScriptKeys};
use crate::{KeyOrigin, SigningProvider, extract_destination, infer_taproot_tree};

/// A descriptor that gives exactly this script, as telling as `provider` allows: with keys and origins when all
/// scripts and keys are known, else `addr` or `raw`. Reference: `InferDescriptor`.
pub fn infer_descriptor(script: &[u8], provider: &dyn SigningProvider, network: Network) -> Descriptor {
    let inferrer = Inferrer { provider };
    let body = inferrer.script(script, Context::Top).unwrap_or_else(|| {
        let destination = extract_destination(script);
        if destination.is_valid() && script_for_destination(&destination)[..] == *script {
            Body::Address(destination)
        } else {
            Body::Raw(Script::from(script))
        }
    });
    Descriptor { network, body }
}

#[derive(Clone, Copy)]
struct Inferrer<'a> {
    provider: &'a dyn SigningProvider,
}

fn with_origin(key: PublicKey, x_only: bool, origin: Option<KeyOrigin>) -> KeyExpression {
    let key = KeyExpression { place: 0, kind: KeyKind::Single { key, x_only } };
    match origin {
        Some(origin) => KeyExpression {
            place: 0,
            kind: KeyKind::Origin { origin, apostrophe: false, key: Box::new(key) },
        },
        None => key,
    }
}

impl Inferrer<'_> {
    /// Reference: `InferPubkey`.
    fn key(&self, key: PublicKey, context: Context) -> Option<KeyExpression> {
        let hybrid = matches!(key.as_bytes()[0], 6 | 7);
        let allow_uncompressed = matches!(context, Context::Top | Context::P2sh);
        if hybrid || (!allow_uncompressed && !key.is_compressed()) {
            return None;
        }
        Some(with_origin(key, false, self.provider.key_origin(&key.key_id())))
    }

    fn key_bytes(&self, bytes: &[u8], context: Context) -> Option<KeyExpression> {
        self.key(PublicKey::from_slice(bytes).ok()?, context)
    }

    /// Reference: `InferXOnlyPubkey`.
    fn x_only_key(&self, key: &XOnlyPublicKey) -> KeyExpression {
        with_origin(key.even_public_key(), true, self.provider.key_origin_by_x_only(key))
    }

    fn key_with_id(&self, id: &Hash160, context: Context) -> Option<KeyExpression> {
        self.key(self.provider.public_key(id)?, context)
    }

    /// Reference: `InferScript`, without its top-level fallbacks.
    fn script(&self, script: &[u8], context: Context) -> Option<Body> {
        if context == Context::P2tr {
            return self.leaf(script);
        }
        self.known_class(script, context).or_else(|| match context {
            Context::P2wsh => self.miniscript(script, MiniscriptContext::P2wsh, context),
            _ => None,
        })
    }

    fn leaf(&self, script: &[u8]) -> Option<Body> {
        if let [32, key @ .., OP_CHECKSIG] = script
            && let Some(key) = XOnlyPublicKey::from_slice(key)
        {
            return Some(Body::Pk { key: self.x_only_key(&key), x_only: true });
        }
        if let Some((threshold, keys)) = match_multi_a(script) {
            let keys = keys.iter().map(|key| self.x_only_key(key)).collect();
            return Some(Body::MultiA { threshold, keys, sorted: false });
        }
        self.miniscript(script, MiniscriptContext::Tapscript, Context::P2tr)
    }

    fn known_class(&self, script: &[u8], context: Context) -> Option<Body> {
        let outer = matches!(context, Context::Top | Context::P2sh);
        match solver(script) {
            ScriptClass::PubKey(key) => Some(Body::Pk { key: self.key_bytes(key, context)?, x_only: false }),
            ScriptClass::PubKeyHash(id) => Some(Body::Pkh(self.key_with_id(&id, context)?)),
            ScriptClass::WitnessV0KeyHash(id) if outer => {
                Some(Body::Wpkh(self.key_with_id(&id, Context::P2wpkh)?))
            }
            ScriptClass::Multisig { required, keys } => {
                let keys: Option<Vec<_>> = keys.iter().map(|key| self.key_bytes(key, context)).collect();
                Some(Body::Multi { threshold: usize::from(required), keys: keys?, sorted: false })
            }
            ScriptClass::ScriptHash(id) if context == Context::Top => {
                let sub = self.script(&self.provider.script(&id)?, Context::P2sh)?;
                Some(Body::Sh(Box::new(sub)))
            }
            ScriptClass::WitnessV0ScriptHash(hash) if outer => {
                let id = Hash160::from_bytes(ripemd160(&hash));
                let sub = self.script(&self.provider.script(&id)?, Context::P2wsh)?;
                Some(Body::Wsh(Box::new(sub)))
            }
            ScriptClass::WitnessV1Taproot(output) if context == Context::Top => self
                .taproot(&output)
                .or_else(|| output.is_fully_valid().then(|| Body::RawTr(self.x_only_key(&output)))),
            _ => None,
        }
    }

    fn taproot(&self, output: &XOnlyPublicKey) -> Option<Body> {
        let data = self.provider.taproot_spend_data(output)?;
        let mut leaves = Vec::new();
        for leaf in infer_taproot_tree(&data, output)? {
            if leaf.leaf_version != TAPROOT_LEAF_TAPSCRIPT {
                return None;
            }
            leaves.push((usize::from(leaf.depth), self.script(&leaf.script, Context::P2tr)?));
        }
        Some(Body::Tr { internal: self.x_only_key(&data.internal_key?), leaves })
    }

    fn miniscript(&self, script: &[u8], script_context: MiniscriptContext, context: Context) -> Option<Body> {
        let mut reader = KeyFinder { inferrer: *self, context, keys: Vec::new() };
        let script = Miniscript::from_script(script, script_context, &mut reader)?;
        script.is_sane().then_some(Body::Miniscript { keys: reader.keys, script })
    }
}

/// Finds keys for the miniscript decoder; a key is a number in `keys`.
struct KeyFinder<'a> {
    inferrer: Inferrer<'a>,
    context: Context,
    keys: Vec<KeyExpression>,
}

impl KeyFinder<'_> {
    fn add(&mut self, key: Option<KeyExpression>) -> Option<u32> {
        self.keys.push(key?);
        Some(self.keys.len() as u32 - 1)
    }
}

impl ScriptKeys for KeyFinder<'_> {
    type Key = u32;

    fn key_from_bytes(&mut self, bytes: &[u8]) -> Option<u32> {
        let key = match self.context {
            Context::P2tr => Some(self.inferrer.x_only_key(&XOnlyPublicKey::from_slice(bytes)?)),
            context => self.inferrer.key_bytes(bytes, context),
        };
        self.add(key)
    }

    fn key_from_hash(&mut self, hash: &[u8; 20]) -> Option<u32> {
        let key = self.inferrer.key_with_id(&Hash160::from_bytes(*hash), self.context);
        self.add(key)
    }

    fn identity(&self, key: &u32) -> Vec<u8> {
        identity(&self.keys[*key as usize])
    }
}
