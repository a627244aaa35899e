use grs_encoding::{Encode, write_compact_size};
use grs_primitives::MutableTransaction;

use super::HashType;
use crate::ScriptExt;
use crate::opcodes::OP_CODESEPARATOR;

/// What is hashed before segwit: the transaction with scripts blanked out, but for the signed input's.
/// Reference: `CTransactionSignatureSerializer`.
pub(super) fn preimage(script_code: &[u8], tx: &MutableTransaction, input: usize, t: HashType) -> Vec<u8> {
    let outputs = if t.none { 0 } else { tx.outputs.len() };
    let mut out = Vec::with_capacity(20 + tx.inputs.len() * 41 + script_code.len() + outputs * 34);
    tx.version.encode(&mut out);
    if t.anyone_can_pay {
        out.push(1);
        encode_signed_input(script_code, tx, input, &mut out);
    } else {
        write_compact_size(&mut out, tx.inputs.len() as u64);
        for (i, other) in tx.inputs.iter().enumerate() {
            if i == input {
                encode_signed_input(script_code, tx, input, &mut out);
                continue;
            }
            other.prevout.encode(&mut out);
            out.push(0);
            // With fewer outputs signed, others may change their sequence.
            let sequence = if t.single || t.none { 0 } else { other.sequence };
            sequence.encode(&mut out);
        }
    }
    if t.none {
        out.push(0);
    } else if t.single {
        write_compact_size(&mut out, input as u64 + 1);
        for _ in 0..input {
            // An empty output: value -1, no script.
            out.extend_from_slice(&[0xff; 8]);
            out.push(0);
        }
        tx.outputs[input].encode(&mut out);
    } else {
        tx.outputs.encode(&mut out);
    }
    tx.lock_time.encode(&mut out);
    out
}

fn encode_signed_input(script_code: &[u8], tx: &MutableTransaction, input: usize, out: &mut Vec<u8>) {
    tx.inputs[input].prevout.encode(out);
    encode_script_code(script_code, out);
    tx.inputs[input].sequence.encode(out);
}

/// The script with its length, without code separators as far as its instructions can be read.
fn encode_script_code(script_code: &[u8], out: &mut Vec<u8>) {
    let is_separator = |i: &Result<crate::Instruction<'_>, _>| i.is_ok_and(|i| i.opcode == OP_CODESEPARATOR);
    if !script_code.contains(&OP_CODESEPARATOR) {
        write_compact_size(out, script_code.len() as u64);
        out.extend_from_slice(script_code);
        return;
    }
    let separators = script_code.instructions().filter(is_separator).count();
    write_compact_size(out, (script_code.len() - separators) as u64);
    let (mut it, mut start) = (script_code.instructions(), 0);
    while let Some(item) = it.next() {
        if is_separator(&item) {
            out.extend_from_slice(&script_code[start..it.position() - 1]);
            start = it.position();
        }
    }
    out.extend_from_slice(&script_code[start..]);
}
