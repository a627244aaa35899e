use grs_hashes::purpose::hash160;
use grs_keys::PublicKey;
use grs_primitives::Script;
use grs_script::opcodes::{OP_CHECKSIG, OP_CHECKSIGADD, OP_NUMEQUAL};
use grs_script::{
    ScriptBuilder, TAPROOT_LEAF_TAPSCRIPT, script_for_multisig, script_for_pubkey, script_for_taproot,
};

use super::key::KeyExpression;
use super::{Body, DescriptorCache};
use crate::miniscript::{MiniscriptContext, ScriptBytes};
use crate::{Destination, EmptySigningProvider, FlatSigningProvider, SigningProvider, TaprootBuilder};

/// Where keys come from and go to besides the provider.
pub(super) enum Caching<'a> {
    /// Only from a cache.
    Read(&'a DescriptorCache),
    /// Derived, and maybe written to a cache.
    Write(Option<&'a mut DescriptorCache>),
}

/// Keys of a miniscript expression are numbers in a list of evaluated keys.
struct EvaluatedKeys<'a> {
    keys: &'a [PublicKey],
    context: MiniscriptContext,
}

impl ScriptBytes<u32> for EvaluatedKeys<'_> {
    fn key_bytes(&self, key: &u32) -> Vec<u8> {
        let key = &self.keys[*key as usize];
        match self.context {
            MiniscriptContext::P2wsh => key.as_bytes().to_vec(),
            MiniscriptContext::Tapscript => key.x_only().as_bytes().to_vec(),
        }
    }

    fn key_hash(&self, key: &u32) -> [u8; 20] {
        hash160(&self.key_bytes(key)).to_bytes()
    }
}

impl KeyExpression {
    /// The key at index 0 without any secret key.
    pub(super) fn plain_public_key(&self) -> Option<PublicKey> {
        let mut out = FlatSigningProvider::new();
        self.public_key(0, &EmptySigningProvider, &mut out, &mut Caching::Write(None))
    }
}

impl Body {
    /// Reference: `ExpandHelper`. Nothing is put out on failure.
    pub(super) fn expand(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        mut caching: Caching<'_>,
    ) -> Option<Vec<Script>> {
        self.expand_with(index, provider, out, &mut caching)
    }

    fn expand_with(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        caching: &mut Caching<'_>,
    ) -> Option<Vec<Script>> {
        let mut found = FlatSigningProvider::new();
        let mut keys = Vec::new();
        for key in self.keys() {
            keys.push(key.public_key(index, provider, &mut found, caching)?);
        }
        let mut subscripts = Vec::new();
        for sub in self.subs() {
            let mut scripts = sub.expand_with(index, provider, &mut found, caching)?;
            subscripts.push(scripts.pop()?);
        }
        out.merge(found);
        self.make_scripts(&keys, subscripts, out)
    }

    /// Scripts from evaluated keys and subscripts. `Some` of none when a key cannot make a Taproot output.
    fn make_scripts(
        &self,
        keys: &[PublicKey],
        mut subscripts: Vec<Script>,
        out: &mut FlatSigningProvider,
    ) -> Option<Vec<Script>> {
        let script = match self {
            Body::Address(destination) => destination.script(),
            Body::Raw(script) => script.clone(),
            Body::Pk { x_only: true, .. } => {
                ScriptBuilder::new().data(keys[0].x_only().as_bytes()).opcode(OP_CHECKSIG).into_script()
            }
            Body::Pk { .. } => script_for_pubkey(&keys[0]),
            Body::Pkh(_) => Destination::pubkey_hash(&keys[0]).script(),
            Body::Wpkh(_) => Destination::witness_key_hash(&keys[0]).script(),
            Body::Combo(_) => return Some(combo_scripts(&keys[0], out)),
            Body::Multi { threshold, sorted, .. } => {
                let mut keys = keys.to_vec();
                if *sorted {
                    keys.sort();
                }
                script_for_multisig(*threshold, &keys)
            }
            Body::MultiA { threshold, sorted, .. } => multi_a_script(*threshold, keys, *sorted),
            Body::Sh(_) => {
                let script = subscripts.pop()?;
                out.add_script(&script);
                Destination::script_hash(&script).script()
            }
            Body::Wsh(_) => {
                let script = subscripts.pop()?;
                out.add_script(&script);
                Destination::witness_script_hash(&script).script()
            }
            Body::Tr { leaves, .. } => {
                let mut builder = TaprootBuilder::new();
                for ((depth, _), script) in leaves.iter().zip(&subscripts) {
                    builder.add(*depth, script, TAPROOT_LEAF_TAPSCRIPT, true);
                }
                let internal = keys[0].x_only();
                if !builder.finalize(internal) {
                    return Some(Vec::new());
                }
                let output = builder.output_key()?;
                out.taproot_trees.insert(output, builder);
                script_for_taproot(&output)
            }
            Body::RawTr(_) => {
                let output = keys[0].x_only();
                if !output.is_fully_valid() {
                    return Some(Vec::new());
                }
                script_for_taproot(&output)
            }
            Body::Miniscript { script, .. } => {
                let evaluated = EvaluatedKeys { keys, context: script.context() };
                for (i, key) in keys.iter().enumerate() {
                    let id = grs_hashes::Hash160::from_bytes(evaluated.key_hash(&(i as u32)));
                    out.public_keys.entry(id).or_insert(*key);
                }
                script.to_script(&evaluated)
            }
        };
        Some(vec![script])
    }

    pub(super) fn expand_private(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
    ) {
        self.keys().iter().for_each(|key| key.secret_keys(index, provider, out));
        self.subs().iter().for_each(|sub| sub.expand_private(index, provider, out));
    }
}

fn combo_scripts(key: &PublicKey, out: &mut FlatSigningProvider) -> Vec<Script> {
    let mut scripts = vec![script_for_pubkey(key), Destination::pubkey_hash(key).script()];
    if key.is_compressed() {
        let program = Destination::witness_key_hash(key).script();
        out.add_script(&program);
        let nested = Destination::script_hash(&program).script();
        scripts.extend([program, nested]);
    }
    scripts
}

fn multi_a_script(threshold: usize, keys: &[PublicKey], sorted: bool) -> Script {
    let mut keys: Vec<_> = keys.iter().map(PublicKey::x_only).collect();
    if sorted {
        keys.sort();
    }
    let keys = keys.iter().enumerate().fold(ScriptBuilder::new(), |out, (i, key)| {
        out.data(key.as_bytes()).opcode(if i == 0 { OP_CHECKSIG } else { OP_CHECKSIGADD })
    });
    keys.int(threshold as i64).opcode(OP_NUMEQUAL).into_script()
}
