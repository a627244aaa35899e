use std::sync::LazyLock;

use grs_encoding::{Encode, encode_to_vec, write_compact_size, write_var_bytes};
use grs_hashes::Hash256;
use grs_hashes::purpose::{Sha256Writer, signature_part_hash, tagged_hasher};
use grs_primitives::MutableTransaction;

use super::{
    PrecomputedTxData, SIGHASH_ALL, SIGHASH_ANYONECANPAY, SIGHASH_DEFAULT, SIGHASH_INPUT_MASK,
    SIGHASH_OUTPUT_MASK, SIGHASH_SINGLE,
};
use crate::{ScriptExecutionData, SigVersion, TAPROOT_CONTROL_BASE_SIZE, TAPROOT_CONTROL_NODE_SIZE};

static TAP_SIGHASH: LazyLock<Sha256Writer> = LazyLock::new(|| tagged_hasher("TapSighash"));
static TAP_LEAF: LazyLock<Sha256Writer> = LazyLock::new(|| tagged_hasher("TapLeaf"));
static TAP_BRANCH: LazyLock<Sha256Writer> = LazyLock::new(|| tagged_hasher("TapBranch"));

/// Digest that a Schnorr signature signs, for [`SigVersion::Taproot`] and [`SigVersion::Tapscript`].
///
/// `None` for an undefined hash type, `SIGHASH_SINGLE` without matching output, another version, or when
/// `precomputed` lacks the spent outputs. `exec` gives annex, leaf and code separator and keeps the hash of a
/// single output. Reference: `SignatureHashSchnorr`.
pub fn taproot_signature_hash(
    exec: &mut ScriptExecutionData,
    tx: &MutableTransaction,
    input: usize,
    hash_type: u8,
    version: SigVersion,
    precomputed: &PrecomputedTxData,
) -> Option<Hash256> {
    let extension: u8 = match version {
        SigVersion::Taproot => 0,
        SigVersion::Tapscript => 1,
        SigVersion::Base | SigVersion::WitnessV0 => return None,
    };
    let (shared, spent) = (precomputed.shared?, precomputed.taproot?);
    if !matches!(hash_type, 0..=3 | 0x81..=0x83) {
        return None;
    }
    let output_type =
        if hash_type == SIGHASH_DEFAULT { SIGHASH_ALL } else { hash_type & SIGHASH_OUTPUT_MASK };
    let anyone_can_pay = hash_type & SIGHASH_INPUT_MASK == SIGHASH_ANYONECANPAY;

    // At most 206 bytes, but for a long script with ANYONECANPAY.
    let mut out = Vec::with_capacity(208);
    out.extend_from_slice(&[0, hash_type]);
    tx.version.encode(&mut out);
    tx.lock_time.encode(&mut out);
    if !anyone_can_pay {
        out.extend_from_slice(&shared.prevouts);
        out.extend_from_slice(&spent.amounts);
        out.extend_from_slice(&spent.scripts);
        out.extend_from_slice(&shared.sequences);
    }
    if output_type == SIGHASH_ALL {
        out.extend_from_slice(&shared.outputs);
    }
    out.push((extension << 1) + u8::from(exec.annex_hash.is_some()));
    if anyone_can_pay {
        tx.inputs[input].prevout.encode(&mut out);
        precomputed.spent_outputs()[input].encode(&mut out);
        tx.inputs[input].sequence.encode(&mut out);
    } else {
        (input as u32).encode(&mut out);
    }
    if let Some(annex) = &exec.annex_hash {
        out.extend_from_slice(annex);
    }
    if output_type == SIGHASH_SINGLE {
        let output = tx.outputs.get(input)?;
        let hash = exec.output_hash.get_or_insert_with(|| signature_part_hash(&encode_to_vec(output)));
        out.extend_from_slice(hash);
    }
    if version == SigVersion::Tapscript {
        out.extend_from_slice(&exec.tapleaf_hash);
        // Version of 32-byte keys.
        out.push(0);
        exec.code_separator_pos.encode(&mut out);
    }
    let mut hasher = TAP_SIGHASH.clone();
    hasher.write(&out);
    Some(Hash256::from_bytes(hasher.finish()))
}

/// Hash of an annex with its length, as signatures commit to it.
pub fn annex_hash(annex: &[u8]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(annex.len() + 5);
    write_var_bytes(&mut bytes, annex);
    signature_part_hash(&bytes)
}

/// Hash of a script leaf. Reference: `ComputeTapleafHash`.
pub fn tapleaf_hash(leaf_version: u8, script: &[u8]) -> [u8; 32] {
    let mut head = Vec::with_capacity(10);
    head.push(leaf_version);
    write_compact_size(&mut head, script.len() as u64);
    let mut hasher = TAP_LEAF.clone();
    hasher.write(&head).write(script);
    hasher.finish()
}

/// Hash of an inner node; the order of the children does not matter. Reference: `ComputeTapbranchHash`.
pub fn tapbranch_hash(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut hasher = TAP_BRANCH.clone();
    if a < b {
        hasher.write(a).write(b);
    } else {
        hasher.write(b).write(a);
    }
    hasher.finish()
}

/// Merkle root of a leaf and the path in a control block, whose length the caller has checked.
/// Reference: `ComputeTaprootMerkleRoot`.
pub fn taproot_merkle_root(control: &[u8], leaf: &[u8; 32]) -> [u8; 32] {
    let path = control.get(TAPROOT_CONTROL_BASE_SIZE..).unwrap_or_default();
    path.chunks_exact(TAPROOT_CONTROL_NODE_SIZE)
        .fold(*leaf, |node, sibling| tapbranch_hash(&node, sibling.try_into().expect("chunks of 32 bytes")))
}
