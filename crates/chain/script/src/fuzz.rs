//! Fuzz targets: each takes any bytes and must not panic.

use grs_primitives::{Amount, MutableTransaction, OutPoint, TxIn, TxOut, Witness};

use crate::{
    PrecomputedTxData, ScriptExt, ScriptFlags, TransactionChecker, check_signature_encoding, format_script,
    match_multi_a, parse_script, script_to_asm, solver, verify_script,
};

/// Iterator, classes, counts and texts of a script.
pub fn fuzz_script(data: &[u8]) {
    let mut it = data.instructions();
    while it.next().is_some() {}
    assert!(it.rest().is_empty());
    let _ = (solver(data).kind().name(), match_multi_a(data), data.has_valid_ops());
    assert!(data.sig_op_count(true) <= data.sig_op_count(false));
    let _ = (script_to_asm(data, true), data.sig_op_count_with(data));
    let _ = parse_script(&String::from_utf8_lossy(data));
    if data.has_valid_ops() {
        let text = format_script(data);
        assert_eq!(parse_script(&text).map(|s| s.into_bytes()), Ok(data.to_vec()), "{text}");
    }
}

/// Strict DER.
pub fn fuzz_signature_encoding(data: &[u8]) {
    let _ = check_signature_encoding(data, ScriptFlags::ALL);
}

/// The interpreter: three bytes of flags, then length-prefixed unlocking script, locking script and witness.
pub fn fuzz_interpreter(data: &[u8]) {
    let Some((flags, mut rest)) = data.split_at_checked(3) else { return };
    let mut flags = ScriptFlags::from_bits(
        u64::from(flags[0]) | u64::from(flags[1]) << 8 | u64::from(flags[2] & 31) << 16,
    );
    if flags.has(ScriptFlags::CLEANSTACK) {
        flags |= ScriptFlags::WITNESS;
    }
    if flags.has(ScriptFlags::WITNESS) {
        flags |= ScriptFlags::P2SH;
    }
    let mut parts = Vec::new();
    while let Some((len, tail)) = rest.split_first() {
        let (part, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        parts.push(part.to_vec());
        rest = tail;
    }
    let mut parts = parts.into_iter();
    let (script_sig, script_pubkey) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut input = TxIn::new(OutPoint::default(), 0);
    input.witness = Witness(parts.collect());
    let spent = TxOut::new(Amount(1), script_pubkey.into());
    let tx =
        MutableTransaction { version: 2, inputs: vec![input], outputs: vec![spent.clone()], lock_time: 7 };
    let data = PrecomputedTxData::new(&tx, vec![spent.clone()], true);
    let mut checker = TransactionChecker::new(&tx, 0, spent.value, Some(&data));
    let _ = verify_script(&script_sig, &spent.script_pubkey, &tx.inputs[0].witness, flags, &mut checker);
}
