use grs_encoding::{Encode, encode_to_vec, write_var_bytes};
use grs_hashes::purpose::signature_part_hash;
use grs_primitives::{Amount, MutableTransaction};

use super::HashType;
use super::precomputed::{PrecomputedTxData, outputs_hash, prevouts_hash, sequences_hash};

/// What BIP143 hashes, without the hash type.
pub(super) fn preimage(
    script_code: &[u8],
    tx: &MutableTransaction,
    input: usize,
    t: HashType,
    amount: Amount,
    precomputed: Option<&PrecomputedTxData>,
) -> Vec<u8> {
    let shared = precomputed.filter(|p| p.bip143_ready).and_then(|p| p.shared);
    let mut out = Vec::with_capacity(160 + script_code.len());
    tx.version.encode(&mut out);
    out.extend_from_slice(&match shared {
        _ if t.anyone_can_pay => [0; 32],
        Some(s) => s.prevouts,
        None => prevouts_hash(tx),
    });
    out.extend_from_slice(&match shared {
        _ if t.anyone_can_pay || t.single || t.none => [0; 32],
        Some(s) => s.sequences,
        None => sequences_hash(tx),
    });
    let spender = &tx.inputs[input];
    spender.prevout.encode(&mut out);
    write_var_bytes(&mut out, script_code);
    amount.0.encode(&mut out);
    spender.sequence.encode(&mut out);
    out.extend_from_slice(&match shared {
        _ if t.single => tx.outputs.get(input).map_or([0; 32], |o| signature_part_hash(&encode_to_vec(o))),
        _ if t.none => [0; 32],
        Some(s) => s.outputs,
        None => outputs_hash(tx),
    });
    tx.lock_time.encode(&mut out);
    out
}
