use grs_hashes::Hash160;
use grs_keys::{COMPRESSED_SIZE, PUBLIC_KEY_SIZE, PublicKey, XOnlyPublicKey, is_valid_key_size};
use grs_primitives::Script;

use crate::opcodes::*;
use crate::{
    MAX_PUBKEYS_PER_MULTI_A, MAX_PUBKEYS_PER_MULTISIG, ScriptBuilder, ScriptExt, ScriptNum,
    check_minimal_push,
};

/// Kind of a locking script. Reference: `TxoutType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TxoutType {
    /// None of the others.
    NonStandard,
    /// Pay-to-anchor.
    Anchor,
    /// A key and `OP_CHECKSIG`.
    PubKey,
    /// P2PKH.
    PubKeyHash,
    /// P2SH.
    ScriptHash,
    /// Bare multisig.
    Multisig,
    /// `OP_RETURN` and pushes.
    NullData,
    /// P2WSH.
    WitnessV0ScriptHash,
    /// P2WPKH.
    WitnessV0KeyHash,
    /// P2TR.
    WitnessV1Taproot,
    /// A witness program of unknown meaning.
    WitnessUnknown,
}

impl TxoutType {
    /// The name that RPC shows. Reference: `GetTxnOutputType`.
    pub const fn name(self) -> &'static str {
        match self {
            TxoutType::NonStandard => "nonstandard",
            TxoutType::Anchor => "anchor",
            TxoutType::PubKey => "pubkey",
            TxoutType::PubKeyHash => "pubkeyhash",
            TxoutType::ScriptHash => "scripthash",
            TxoutType::Multisig => "multisig",
            TxoutType::NullData => "nulldata",
            TxoutType::WitnessV0ScriptHash => "witness_v0_scripthash",
            TxoutType::WitnessV0KeyHash => "witness_v0_keyhash",
            TxoutType::WitnessV1Taproot => "witness_v1_taproot",
            TxoutType::WitnessUnknown => "witness_unknown",
        }
    }
}

/// A locking script taken apart; borrows from the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptClass<'a> {
    /// None of the others.
    NonStandard,
    /// Pay-to-anchor.
    Anchor,
    /// The serialized key (right size, maybe not on the curve).
    PubKey(&'a [u8]),
    /// P2PKH.
    PubKeyHash(Hash160),
    /// P2SH.
    ScriptHash(Hash160),
    /// Bare multisig.
    Multisig {
        /// Needed signatures, 1 to 20.
        required: u8,
        /// Serialized keys (right size, maybe not on the curve).
        keys: Vec<&'a [u8]>,
    },
    /// `OP_RETURN` and pushes.
    NullData,
    /// P2WSH with its SHA-256.
    WitnessV0ScriptHash([u8; 32]),
    /// P2WPKH.
    WitnessV0KeyHash(Hash160),
    /// P2TR with its output key.
    WitnessV1Taproot(XOnlyPublicKey),
    /// A witness program of unknown meaning.
    WitnessUnknown {
        /// Witness version, 1 to 16.
        version: u8,
        /// 2 to 40 bytes.
        program: &'a [u8],
    },
}

impl ScriptClass<'_> {
    /// The kind without its data.
    pub const fn kind(&self) -> TxoutType {
        match self {
            ScriptClass::NonStandard => TxoutType::NonStandard,
            ScriptClass::Anchor => TxoutType::Anchor,
            ScriptClass::PubKey(_) => TxoutType::PubKey,
            ScriptClass::PubKeyHash(_) => TxoutType::PubKeyHash,
            ScriptClass::ScriptHash(_) => TxoutType::ScriptHash,
            ScriptClass::Multisig { .. } => TxoutType::Multisig,
            ScriptClass::NullData => TxoutType::NullData,
            ScriptClass::WitnessV0ScriptHash(_) => TxoutType::WitnessV0ScriptHash,
            ScriptClass::WitnessV0KeyHash(_) => TxoutType::WitnessV0KeyHash,
            ScriptClass::WitnessV1Taproot(_) => TxoutType::WitnessV1Taproot,
            ScriptClass::WitnessUnknown { .. } => TxoutType::WitnessUnknown,
        }
    }
}

/// Takes a locking script apart. Reference: `Solver` in `src/script/solver.cpp`.
pub fn solver(script: &[u8]) -> ScriptClass<'_> {
    if script.is_pay_to_script_hash() {
        return ScriptClass::ScriptHash(hash_at(script, 2));
    }
    if let Some(witness) = script.witness_program() {
        return match (witness.version, witness.program.len()) {
            (0, 20) => ScriptClass::WitnessV0KeyHash(hash_at(script, 2)),
            (0, 32) => ScriptClass::WitnessV0ScriptHash(array(witness.program)),
            (0, _) => ScriptClass::NonStandard,
            (1, 32) => ScriptClass::WitnessV1Taproot(XOnlyPublicKey::from_bytes(array(witness.program))),
            _ if witness.is_anchor() => ScriptClass::Anchor,
            (version, _) => ScriptClass::WitnessUnknown { version, program: witness.program },
        };
    }
    if script.first() == Some(&OP_RETURN) && script[1..].is_push_only() {
        return ScriptClass::NullData;
    }
    if let Some(key) = match_pubkey(script) {
        return ScriptClass::PubKey(key);
    }
    if script.is_pay_to_pubkey_hash() {
        return ScriptClass::PubKeyHash(hash_at(script, 3));
    }
    match_multisig(script).unwrap_or(ScriptClass::NonStandard)
}

fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("length was matched")
}

fn hash_at(script: &[u8], at: usize) -> Hash160 {
    Hash160::from_slice(&script[at..at + 20]).expect("20 bytes")
}

fn match_pubkey(script: &[u8]) -> Option<&[u8]> {
    let (last, head) = script.split_last()?;
    let (len, key) = head.split_first()?;
    let size_fits =
        matches!(usize::from(*len), PUBLIC_KEY_SIZE | COMPRESSED_SIZE) && key.len() == usize::from(*len);
    (*last == OP_CHECKSIG && size_fits && is_valid_key_size(key)).then_some(key)
}

/// A number in `min..=max`, as small-number opcode or as shortest push.
fn script_number(opcode: u8, data: &[u8], min: usize, max: usize) -> Option<usize> {
    let n = match opcode {
        OP_1..=OP_16 => i64::from(opcode - (OP_1 - 1)),
        1..=OP_PUSHDATA4 => {
            if !check_minimal_push(data, opcode) {
                return None;
            }
            ScriptNum::from_bytes(data, true, ScriptNum::DEFAULT_MAX_SIZE).ok()?.0
        }
        _ => return None,
    };
    usize::try_from(n).ok().filter(|n| (min..=max).contains(n))
}

fn match_multisig(script: &[u8]) -> Option<ScriptClass<'_>> {
    if script.last() != Some(&OP_CHECKMULTISIG) {
        return None;
    }
    let mut it = script.instructions();
    let first = it.next()?.ok()?;
    let required = script_number(first.opcode, first.data, 1, MAX_PUBKEYS_PER_MULTISIG)?;
    let mut keys = Vec::new();
    let count = loop {
        let i = it.next()?.ok()?;
        if !is_valid_key_size(i.data) {
            break i;
        }
        keys.push(i.data);
    };
    let count = script_number(count.opcode, count.data, required, MAX_PUBKEYS_PER_MULTISIG)?;
    if count != keys.len() || it.rest().len() != 1 {
        return None;
    }
    Some(ScriptClass::Multisig { required: required as u8, keys })
}

/// Takes a tapscript multisig apart: threshold and keys of
/// `<key> OP_CHECKSIG (<key> OP_CHECKSIGADD)* <threshold> OP_NUMEQUAL`. Reference: `MatchMultiA`.
pub fn match_multi_a(script: &[u8]) -> Option<(usize, Vec<XOnlyPublicKey>)> {
    let (last, body) = script.split_last()?;
    if *last != OP_NUMEQUAL {
        return None;
    }
    let mut keys = Vec::new();
    let mut rest = body;
    while let Some((group, tail)) = rest.split_at_checked(34) {
        let opcode = if keys.is_empty() { OP_CHECKSIG } else { OP_CHECKSIGADD };
        if group[0] != 32 || group[33] != opcode {
            return None;
        }
        keys.push(XOnlyPublicKey::from_slice(&group[1..33])?);
        rest = tail;
    }
    if keys.is_empty() || keys.len() > MAX_PUBKEYS_PER_MULTI_A {
        return None;
    }
    let mut it = rest.instructions();
    let threshold = it.next()?.ok()?;
    if !it.rest().is_empty() {
        return None;
    }
    Some((script_number(threshold.opcode, threshold.data, 1, keys.len())?, keys))
}

/// `<key> OP_CHECKSIG`.
pub fn script_for_pubkey(key: &PublicKey) -> Script {
    ScriptBuilder::new().data(key.as_bytes()).opcode(OP_CHECKSIG).into_script()
}

/// P2PKH.
pub fn script_for_pubkey_hash(hash: &Hash160) -> Script {
    ScriptBuilder::new()
        .opcode(OP_DUP)
        .opcode(OP_HASH160)
        .data(hash.as_bytes())
        .opcode(OP_EQUALVERIFY)
        .opcode(OP_CHECKSIG)
        .into_script()
}

/// P2SH with a script's hash.
pub fn script_for_script_hash(hash: &Hash160) -> Script {
    ScriptBuilder::new().opcode(OP_HASH160).data(hash.as_bytes()).opcode(OP_EQUAL).into_script()
}

/// Any witness program.
pub fn script_for_witness_program(version: u8, program: &[u8]) -> Script {
    ScriptBuilder::new().opcode(encode_small_int(version)).data(program).into_script()
}

/// P2WPKH.
pub fn script_for_witness_pubkey_hash(hash: &Hash160) -> Script {
    script_for_witness_program(0, hash.as_bytes())
}

/// P2WSH of a witness script.
pub fn script_for_witness_script_hash(witness_script: &[u8]) -> Script {
    script_for_witness_program(0, &grs_hashes::purpose::sha256(witness_script))
}

/// P2TR with an output key (already tweaked).
pub fn script_for_taproot(output_key: &XOnlyPublicKey) -> Script {
    script_for_witness_program(1, output_key.as_bytes())
}

/// Pay-to-anchor.
pub fn script_for_anchor() -> Script {
    script_for_witness_program(1, &[0x4e, 0x73])
}

/// `OP_RETURN` with one push.
pub fn script_for_null_data(data: &[u8]) -> Script {
    ScriptBuilder::new().opcode(OP_RETURN).data(data).into_script()
}

/// Bare multisig. Reference: `GetScriptForMultisig`.
pub fn script_for_multisig(required: usize, keys: &[PublicKey]) -> Script {
    let script = ScriptBuilder::new().int(required as i64);
    keys.iter()
        .fold(script, |s, k| s.data(k.as_bytes()))
        .int(keys.len() as i64)
        .opcode(OP_CHECKMULTISIG)
        .into_script()
}
