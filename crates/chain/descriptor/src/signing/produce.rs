//! From what is known about an input to its unlocking script and witness. Reference: `ProduceSignature`.

use grs_hashes::Hash160;
use grs_hashes::purpose::{hash160, ripemd160};
use grs_keys::{PublicKey, TapTweak, XOnlyPublicKey};
use grs_primitives::{Script, Witness};
use grs_script::{
    ScriptBuilder, ScriptClass, ScriptExt, ScriptFlags, ScriptNum, SigVersion, TAPROOT_LEAF_TAPSCRIPT,
    TxoutType, script_for_pubkey_hash, solver, tapleaf_hash, verify_script,
};

use super::{SignatureCreator, SignatureData, SigningProvider, musig};
use crate::miniscript::{Miniscript, MiniscriptContext, Preimage, Satisfier, ScriptKeys};

type Stack = Vec<Vec<u8>>;

/// Makes unlocking script and witness for an output, as far as keys and scripts are known; partial multisig
/// signatures are kept. True when the result satisfies the standard rules (then `data.complete`). What is
/// missing is noted in `data`.
pub fn produce_signature(
    provider: &dyn SigningProvider,
    creator: &dyn SignatureCreator,
    script_pubkey: &[u8],
    data: &mut SignatureData,
) -> bool {
    if data.complete {
        return true;
    }
    let mut signer = Signer { provider, creator, data };
    let (mut solved, mut kind, mut result) = signer.step(script_pubkey, SigVersion::Base);
    let mut redeem_script = None;
    if solved && kind == TxoutType::ScriptHash {
        let script = Script::from(result.pop().unwrap_or_default());
        signer.data.redeem_script = script.clone();
        (solved, kind, result) = signer.step(&script, SigVersion::Base);
        solved &= kind != TxoutType::ScriptHash;
        redeem_script = Some(script);
    }
    match kind {
        TxoutType::WitnessV0KeyHash if solved => {
            let id = Hash160::from_slice(&result[0]).unwrap_or_default();
            let (ok, _, stack) = signer.step(&script_for_pubkey_hash(&id), SigVersion::WitnessV0);
            solved = ok;
            signer.data.script_witness = Witness(stack);
            signer.data.witness = true;
            result = Vec::new();
        }
        TxoutType::WitnessV0ScriptHash if solved => {
            let script = Script::from(result.pop().unwrap_or_default());
            signer.data.witness_script = script.clone();
            (solved, result) = signer.witness_script(&script);
            result.push(script.into_bytes());
            signer.data.script_witness = Witness(std::mem::take(&mut result));
            signer.data.witness = true;
        }
        TxoutType::WitnessV1Taproot if redeem_script.is_none() => {
            signer.data.witness = true;
            let stack = std::mem::take(&mut result);
            if solved {
                signer.data.script_witness = Witness(stack);
            }
        }
        _ => {}
    }
    if !data.witness {
        data.script_witness = Witness::new();
    }
    if let Some(script) = redeem_script {
        result.push(script.into_bytes());
    }
    data.script_sig = push_all(&result);
    data.complete = solved
        && verify_script(
            &data.script_sig,
            script_pubkey,
            &data.script_witness,
            ScriptFlags::STANDARD,
            &mut *creator.checker(),
        )
        .is_ok();
    data.complete
}

/// Pushes of stack elements, numbers as opcodes.
fn push_all(stack: &[Vec<u8>]) -> Script {
    let push = |out: ScriptBuilder, element: &Vec<u8>| match element.as_slice() {
        [] => out.int(0),
        [n @ 1..=16] => out.int(i64::from(*n)),
        [0x81] => out.int(-1),
        data => out.data(data),
    };
    stack.iter().fold(ScriptBuilder::new(), push).into_script()
}

struct Signer<'a> {
    provider: &'a dyn SigningProvider,
    creator: &'a dyn SignatureCreator,
    data: &'a mut SignatureData,
}

impl Signer<'_> {
    fn script(&self, id: &Hash160) -> Option<Script> {
        self.provider.script(id).or_else(|| {
            let own = [&self.data.redeem_script, &self.data.witness_script];
            own.into_iter().find(|script| hash160(script) == *id).cloned()
        })
    }

    fn public_key(&self, id: &Hash160) -> Option<PublicKey> {
        let data = &self.data;
        if let Some((key, _)) = data.signatures.get(id) {
            return Some(*key);
        }
        if let Some((key, _)) = data.misc_public_keys.get(id) {
            return Some(*key);
        }
        if let Some(key) = data.taproot_public_keys.get(id) {
            return Some(key.even_public_key());
        }
        self.provider.public_key(id)
    }

    /// A signature that is there already, or a new one. Reference: `CreateSig`.
    fn sign(&mut self, key: &PublicKey, script_code: &[u8], version: SigVersion) -> Option<Vec<u8>> {
        let id = key.key_id();
        if let Some((_, signature)) = self.data.signatures.get(&id) {
            return Some(signature.clone());
        }
        if let Some(origin) = self.provider.key_origin(&id) {
            self.data.misc_public_keys.entry(id).or_insert((*key, origin));
        }
        match self.creator.create_signature(self.provider, &id, script_code, version) {
            Some(signature) => {
                self.data.signatures.insert(id, (*key, signature.clone()));
                Some(signature)
            }
            None => {
                self.data.missing_signatures.push(id);
                None
            }
        }
    }

    /// Solves one script: whether it is, what kind it is, and the elements for it (for script hashes, the
    /// script). Reference: `SignStep`.
    fn step(&mut self, script: &[u8], version: SigVersion) -> (bool, TxoutType, Stack) {
        let class = solver(script);
        let kind = class.kind();
        let result = match class {
            ScriptClass::NonStandard | ScriptClass::NullData | ScriptClass::WitnessUnknown { .. } => None,
            ScriptClass::Anchor => Some(Vec::new()),
            ScriptClass::PubKey(key) => PublicKey::from_slice(key)
                .ok()
                .and_then(|key| self.sign(&key, script, version))
                .map(|signature| vec![signature]),
            ScriptClass::PubKeyHash(id) => self.pubkey_hash(&id, script, version),
            ScriptClass::ScriptHash(id) => {
                let found = self.script(&id);
                if found.is_none() {
                    self.data.missing_redeem_script = Some(id);
                }
                found.map(|script| vec![script.into_bytes()])
            }
            ScriptClass::WitnessV0KeyHash(id) => Some(vec![id.as_bytes().to_vec()]),
            ScriptClass::WitnessV0ScriptHash(hash) => {
                let found = self.script(&Hash160::from_bytes(ripemd160(&hash)));
                if found.is_none() {
                    self.data.missing_witness_script = Some(hash);
                }
                found.map(|script| vec![script.into_bytes()])
            }
            ScriptClass::Multisig { required, keys } => {
                let (ok, stack) = self.multisig(usize::from(required), &keys, script, version);
                return (ok, kind, stack);
            }
            ScriptClass::WitnessV1Taproot(output) => self.taproot(&output),
        };
        (result.is_some(), kind, result.unwrap_or_default())
    }

    fn pubkey_hash(&mut self, id: &Hash160, script: &[u8], version: SigVersion) -> Option<Stack> {
        let Some(key) = self.public_key(id) else {
            self.data.missing_public_keys.push(*id);
            return None;
        };
        let signature = self.sign(&key, script, version)?;
        Some(vec![signature, key.as_bytes().to_vec()])
    }

    /// Also gives a partial solution, with empty elements for missing signatures.
    fn multisig(
        &mut self,
        required: usize,
        keys: &[&[u8]],
        script: &[u8],
        version: SigVersion,
    ) -> (bool, Stack) {
        // One element more is popped than there are signatures.
        let mut stack = vec![Vec::new()];
        for key in keys {
            // All signatures are made, even those that are not needed: partially signed transactions carry them.
            let signature = PublicKey::from_slice(key).ok().and_then(|key| self.sign(&key, script, version));
            if let Some(signature) = signature
                && stack.len() <= required
            {
                stack.push(signature);
            }
        }
        let ok = stack.len() == required + 1;
        stack.resize(required + 1, Vec::new());
        (ok, stack)
    }

    fn witness_script(&mut self, script: &Script) -> (bool, Stack) {
        let (solved, kind, stack) = self.step(script, SigVersion::WitnessV0);
        let nested = [TxoutType::ScriptHash, TxoutType::WitnessV0ScriptHash, TxoutType::WitnessV0KeyHash];
        if solved && !nested.contains(&kind) {
            return (true, stack);
        }
        // A partial multisig stays.
        if !stack.is_empty() {
            return (false, stack);
        }
        let mut satisfier = WitnessSatisfier { signer: self, script };
        let solution = Miniscript::from_script(script, MiniscriptContext::P2wsh, &mut satisfier)
            .and_then(|ms| ms.satisfy(&mut satisfier));
        (solution.is_some(), solution.unwrap_or_default())
    }

    /// Notes an origin of a Taproot key, and the leaf it is in.
    fn note_taproot_key(&mut self, key: &XOnlyPublicKey, leaf: Option<&[u8; 32]>) {
        if let Some(origin) = self.provider.key_origin_by_x_only(key) {
            let entry = self.data.taproot_misc_public_keys.entry(*key);
            entry.or_insert_with(|| (Default::default(), origin)).0.extend(leaf);
        }
    }

    /// Reference: `SignTaproot`.
    fn taproot(&mut self, output: &XOnlyPublicKey) -> Option<Stack> {
        if let Some(spend_data) = self.provider.taproot_spend_data(output) {
            self.data.taproot_spend_data.merge(spend_data);
        }
        if let Some(builder) = self.provider.taproot_builder(output) {
            self.data.taproot_builder = Some(builder);
        }
        for (aggregate, participants) in self.provider.musig2_participants() {
            self.data.musig2_public_keys.entry(aggregate).or_insert(participants);
        }
        let internal = self.data.taproot_spend_data.internal_key;
        let root = self.data.taproot_spend_data.merkle_root;
        if let Some(key) = &internal {
            self.note_taproot_key(key, None);
        }
        self.note_taproot_key(output, None);
        if self.data.taproot_key_path_signature.is_empty()
            && let Some(key) = &internal
        {
            self.key_path(key, Some(root.as_ref()));
        }
        if self.data.taproot_key_path_signature.is_empty() {
            self.key_path(output, None);
        }
        if !self.data.taproot_key_path_signature.is_empty() {
            return Some(vec![self.data.taproot_key_path_signature.clone()]);
        }
        let leaves: Vec<_> = self.data.taproot_spend_data.scripts.clone().into_iter().collect();
        let mut best: Option<Stack> = None;
        for ((script, version), blocks) in leaves {
            let Some(block) = blocks.first() else { continue };
            let Some(mut stack) = self.leaf(&script, version) else { continue };
            stack.push(script);
            stack.push(block.0.clone());
            let size = |stack: &Stack| Witness(stack.clone()).encoded_len();
            if best.as_ref().is_none_or(|b| size(&stack) < size(b)) {
                best = Some(stack);
            }
        }
        best
    }

    /// Signs the key path with a key; `tweak` holds the Merkle root (none without scripts) for an internal key.
    fn key_path(&mut self, key: &XOnlyPublicKey, tweak: Option<Option<&[u8; 32]>>) {
        let version = SigVersion::Taproot;
        let tap_tweak = match tweak {
            None => TapTweak::None,
            Some(None) => TapTweak::KeyOnly,
            Some(Some(root)) => TapTweak::MerkleRoot(root),
        };
        match self.creator.create_schnorr_signature(self.provider, key, None, tap_tweak, version) {
            Some(signature) => self.data.taproot_key_path_signature = signature,
            None => {
                let _ = musig::sign(self.creator, self.data, self.provider, key, tweak, None, version);
            }
        }
    }

    /// Reference: `SignTaprootScript`.
    fn leaf(&mut self, script: &[u8], version: u8) -> Option<Stack> {
        if version != TAPROOT_LEAF_TAPSCRIPT {
            return None;
        }
        let leaf_hash = tapleaf_hash(version, script);
        let mut satisfier = LeafSatisfier { signer: self, leaf_hash };
        Miniscript::from_script(script, MiniscriptContext::Tapscript, &mut satisfier)?.satisfy(&mut satisfier)
    }

    /// Reference: `CreateTaprootScriptSig`.
    fn sign_leaf(&mut self, key: &XOnlyPublicKey, leaf_hash: &[u8; 32]) -> Option<Vec<u8>> {
        self.note_taproot_key(key, Some(leaf_hash));
        let place = (*key, *leaf_hash);
        if let Some(signature) = self.data.taproot_script_signatures.get(&place) {
            return Some(signature.clone());
        }
        let (version, leaf) = (SigVersion::Tapscript, Some(leaf_hash));
        match self.creator.create_schnorr_signature(self.provider, key, leaf, TapTweak::None, version) {
            Some(signature) => {
                self.data.taproot_script_signatures.insert(place, signature);
            }
            None => musig::sign(self.creator, self.data, self.provider, key, None, leaf, version)?,
        }
        self.data.taproot_script_signatures.get(&place).cloned()
    }

    fn key_with_hash(&mut self, hash: &[u8; 20]) -> Option<PublicKey> {
        let id = Hash160::from_bytes(*hash);
        let key = self.public_key(&id);
        if key.is_none() {
            self.data.missing_public_keys.push(id);
        }
        key
    }

    fn preimage(&self, kind: Preimage, hash: &[u8]) -> Option<Vec<u8>> {
        let map = match kind {
            Preimage::Sha256 => &self.data.sha256_preimages,
            Preimage::Hash256 => &self.data.hash256_preimages,
            Preimage::Ripemd160 => &self.data.ripemd160_preimages,
            Preimage::Hash160 => &self.data.hash160_preimages,
        };
        map.get(hash).cloned()
    }

    fn check_after(&self, n: u32) -> bool {
        self.creator.checker().check_lock_time(ScriptNum(i64::from(n)))
    }

    fn check_older(&self, n: u32) -> bool {
        self.creator.checker().check_sequence(ScriptNum(i64::from(n)))
    }
}

/// Satisfies a version 0 witness script. Reference: `WshSatisfier`.
struct WitnessSatisfier<'s, 'a> {
    signer: &'s mut Signer<'a>,
    script: &'s [u8],
}

impl ScriptKeys for WitnessSatisfier<'_, '_> {
    type Key = PublicKey;

    fn key_from_bytes(&mut self, bytes: &[u8]) -> Option<PublicKey> {
        PublicKey::from_slice(bytes).ok()
    }
    fn key_from_hash(&mut self, hash: &[u8; 20]) -> Option<PublicKey> {
        self.signer.key_with_hash(hash)
    }
    fn identity(&self, key: &PublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
}

impl Satisfier<PublicKey> for WitnessSatisfier<'_, '_> {
    fn sign(&mut self, key: &PublicKey) -> Option<Vec<u8>> {
        self.signer.sign(key, self.script, SigVersion::WitnessV0)
    }
    fn key_bytes(&self, key: &PublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
    fn check_after(&self, n: u32) -> bool {
        self.signer.check_after(n)
    }
    fn check_older(&self, n: u32) -> bool {
        self.signer.check_older(n)
    }
    fn preimage(&self, kind: Preimage, hash: &[u8]) -> Option<Vec<u8>> {
        self.signer.preimage(kind, hash)
    }
}

/// Satisfies a tapscript leaf. Reference: `TapSatisfier`.
struct LeafSatisfier<'s, 'a> {
    signer: &'s mut Signer<'a>,
    leaf_hash: [u8; 32],
}

impl ScriptKeys for LeafSatisfier<'_, '_> {
    type Key = XOnlyPublicKey;

    fn key_from_bytes(&mut self, bytes: &[u8]) -> Option<XOnlyPublicKey> {
        XOnlyPublicKey::from_slice(bytes)
    }
    fn key_from_hash(&mut self, hash: &[u8; 20]) -> Option<XOnlyPublicKey> {
        self.signer.key_with_hash(hash).map(|key| key.x_only())
    }
    fn identity(&self, key: &XOnlyPublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
}

impl Satisfier<XOnlyPublicKey> for LeafSatisfier<'_, '_> {
    fn sign(&mut self, key: &XOnlyPublicKey) -> Option<Vec<u8>> {
        self.signer.sign_leaf(key, &self.leaf_hash)
    }
    fn key_bytes(&self, key: &XOnlyPublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
    fn check_after(&self, n: u32) -> bool {
        self.signer.check_after(n)
    }
    fn check_older(&self, n: u32) -> bool {
        self.signer.check_older(n)
    }
    fn preimage(&self, kind: Preimage, hash: &[u8]) -> Option<Vec<u8>> {
        self.signer.preimage(kind, hash)
    }
}

/// True for witness programs, and for P2SH of a witness program whose script is known.
/// Reference: `IsSegWitOutput`.
pub fn is_segwit_output(provider: &dyn SigningProvider, script: &[u8]) -> bool {
    if script.witness_program().is_some() {
        return true;
    }
    match solver(script) {
        ScriptClass::ScriptHash(id) => {
            provider.script(&id).is_some_and(|script| script.witness_program().is_some())
        }
        _ => false,
    }
}
