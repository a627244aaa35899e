//! Numbers, builder, iterator, classes and texts.

#![allow(clippy::unwrap_used, reason = "tests")]

use grs_keys::{PublicKey, SecretKey, XOnlyPublicKey};
use grs_script::opcodes::*;
use grs_script::{
    NoChecker, ParseScriptError, ScriptBuilder, ScriptClass, ScriptError, ScriptExt, ScriptFlags, ScriptNum,
    ScriptNumError, SigVersion, cast_to_bool, check_minimal_push, eval_script, format_script, match_multi_a,
    parse_script, script_for_anchor, script_for_multisig, script_for_null_data, script_for_pubkey,
    script_for_pubkey_hash, script_for_script_hash, script_for_taproot, script_for_witness_program,
    script_for_witness_pubkey_hash, script_for_witness_script_hash, script_to_asm, sighash_from_str,
    sighash_to_str, solver,
};
use proptest::prelude::*;

fn keys(n: u8) -> Vec<PublicKey> {
    (1..=n).map(|i| SecretKey::from_slice(&[i; 32], i % 2 == 0).unwrap().public_key()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn numbers_round_trip(n in any::<i64>(), shift in 0..63_u32) {
        let n = ScriptNum((n >> shift).max(-i64::MAX));
        let bytes = n.to_bytes();
        prop_assert!(bytes.len() <= 9);
        if bytes.len() <= 8 {
            prop_assert_eq!(ScriptNum::from_bytes(&bytes, true, 8), Ok(n));
        }
        prop_assert_eq!(cast_to_bool(&bytes), n.0 != 0);
    }

    #[test]
    fn minimal_numbers_are_those_that_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..6)) {
        match ScriptNum::from_bytes(&bytes, true, 4) {
            Ok(n) => prop_assert_eq!(n.to_bytes(), bytes),
            Err(ScriptNumError::Overflow) => prop_assert!(bytes.len() > 4),
            Err(ScriptNumError::NonMinimal) => {
                let n = ScriptNum::from_bytes(&bytes, false, 4).unwrap();
                prop_assert!(n.to_bytes().len() < bytes.len());
            }
        }
    }

    #[test]
    fn pushes_come_back_from_the_iterator(data in proptest::collection::vec(any::<u8>(), 0..700), n in any::<i32>()) {
        let script = ScriptBuilder::new().data(&data).int(i64::from(n)).opcode(OP_CHECKSIG).into_script();
        let mut it = script.instructions();
        let first = it.next().unwrap().unwrap();
        prop_assert_eq!(first.data, &data[..]);
        let is_small = matches!(data.as_slice(), [1..=16] | [0x81]);
        prop_assert_eq!(check_minimal_push(&data, first.opcode), !is_small);
        it.next().unwrap().unwrap();
        prop_assert_eq!(it.next().unwrap().unwrap().opcode, OP_CHECKSIG);
        prop_assert!(it.next().is_none());
        // The number is on the stack afterwards.
        let mut stack = Vec::new();
        let script = ScriptBuilder::new().int(i64::from(n)).into_script();
        eval_script(&mut stack, &script, ScriptFlags::MINIMALDATA, &mut NoChecker, SigVersion::Base).unwrap();
        prop_assert_eq!(&stack[0], &ScriptNum(i64::from(n)).to_bytes());
    }

    #[test]
    fn sums_agree_with_integers(a in any::<i32>(), b in any::<i32>()) {
        let run = |op: u8| {
            let script = ScriptBuilder::new().int(i64::from(a)).int(i64::from(b)).opcode(op).into_script();
            let mut stack = Vec::new();
            eval_script(&mut stack, &script, ScriptFlags::NONE, &mut NoChecker, SigVersion::Base).map(|()| {
                ScriptNum::from_bytes(&stack[0], true, 5).unwrap().0
            })
        };
        let (x, y) = (i64::from(a), i64::from(b));
        // The least 32-bit number has five bytes.
        let fits = a != i32::MIN && b != i32::MIN;
        let wanted = |n: i64| if fits { Ok(n) } else { Err(ScriptError::ScriptNum) };
        prop_assert_eq!(run(OP_ADD), wanted(x + y));
        prop_assert_eq!(run(OP_SUB), wanted(x - y));
        prop_assert_eq!(run(OP_MIN), wanted(x.min(y)));
        prop_assert_eq!(run(OP_LESSTHAN), wanted(i64::from(x < y)));
    }

    #[test]
    fn texts_parse_back(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let text = format_script(&bytes);
        if bytes.has_valid_ops() {
            prop_assert_eq!(parse_script(&text).unwrap().into_bytes(), bytes);
        }
    }
}

#[test]
fn classes_of_built_scripts() {
    let keys = keys(3);
    let hash = keys[0].key_id();
    let x = keys[1].x_only();
    let cases = [
        (script_for_pubkey(&keys[0]), ScriptClass::PubKey(keys[0].as_bytes()), "pubkey"),
        (script_for_pubkey(&keys[1]), ScriptClass::PubKey(keys[1].as_bytes()), "pubkey"),
        (script_for_pubkey_hash(&hash), ScriptClass::PubKeyHash(hash), "pubkeyhash"),
        (script_for_script_hash(&hash), ScriptClass::ScriptHash(hash), "scripthash"),
        (
            script_for_multisig(2, &keys),
            ScriptClass::Multisig { required: 2, keys: keys.iter().map(|k| k.as_bytes()).collect() },
            "multisig",
        ),
        (script_for_null_data(b"abc"), ScriptClass::NullData, "nulldata"),
        (script_for_witness_pubkey_hash(&hash), ScriptClass::WitnessV0KeyHash(hash), "witness_v0_keyhash"),
        (
            script_for_witness_script_hash(&[]),
            ScriptClass::WitnessV0ScriptHash(grs_hashes::purpose::sha256(&[])),
            "witness_v0_scripthash",
        ),
        (script_for_taproot(&x), ScriptClass::WitnessV1Taproot(x), "witness_v1_taproot"),
        (script_for_anchor(), ScriptClass::Anchor, "anchor"),
        (
            script_for_witness_program(2, &[7; 5]),
            ScriptClass::WitnessUnknown { version: 2, program: &[7; 5] },
            "witness_unknown",
        ),
        (script_for_witness_program(0, &[7; 5]), ScriptClass::NonStandard, "nonstandard"),
        (script_for_multisig(4, &keys), ScriptClass::NonStandard, "nonstandard"),
        (
            ScriptBuilder::new().opcode(OP_RETURN).opcode(OP_DUP).into_script(),
            ScriptClass::NonStandard,
            "nonstandard",
        ),
        (Vec::new().into(), ScriptClass::NonStandard, "nonstandard"),
    ];
    for (script, class, name) in &cases {
        assert_eq!(solver(script), *class);
        assert_eq!(class.kind().name(), *name);
    }
    // More than 16 keys need pushed numbers.
    let many = vec![keys[1]; 20];
    let script = script_for_multisig(17, &many);
    assert!(matches!(solver(&script), ScriptClass::Multisig { required: 17, .. }));
    assert_eq!(script.sig_op_count(true), 20);
    assert_eq!(script_for_multisig(2, &keys).sig_op_count(true), 3);
    assert_eq!(script_for_multisig(2, &keys).sig_op_count(false), 20);
}

#[test]
fn multi_a_scripts() {
    let keys: Vec<XOnlyPublicKey> = keys(3).iter().map(|k| k.x_only()).collect();
    let script = |threshold: i64, last: u8| {
        let mut s = ScriptBuilder::new().data(keys[0].as_bytes()).opcode(OP_CHECKSIG);
        for key in &keys[1..] {
            s = s.data(key.as_bytes()).opcode(OP_CHECKSIGADD);
        }
        s.int(threshold).opcode(last).into_script()
    };
    assert_eq!(match_multi_a(&script(2, OP_NUMEQUAL)), Some((2, keys.clone())));
    assert_eq!(match_multi_a(&script(4, OP_NUMEQUAL)), None);
    assert_eq!(match_multi_a(&script(0, OP_NUMEQUAL)), None);
    assert_eq!(match_multi_a(&script(2, OP_EQUAL)), None);
    assert_eq!(match_multi_a(&[OP_NUMEQUAL]), None);
}

#[test]
fn cut_scripts_end_with_an_error() {
    for script in
        [&[OP_1, 2, 1][..], &[OP_PUSHDATA1], &[OP_PUSHDATA2, 1], &[OP_PUSHDATA4, 255, 255, 255, 255]]
    {
        let items: Vec<_> = script.instructions().collect();
        assert_eq!(items.last(), Some(&Err(ScriptError::BadOpcode)));
        assert!(!script.is_push_only() && !script.has_valid_ops());
        assert!(script_to_asm(script, false).ends_with("[error]"));
    }
}

#[test]
fn assembly_texts() {
    let text = |s: &[u8]| script_to_asm(s, true);
    assert_eq!(
        text(&[OP_0, OP_1NEGATE, OP_16, OP_NOP2, OP_CHECKSIGADD, 0xbb]),
        "0 -1 16 OP_CHECKLOCKTIMEVERIFY OP_CHECKSIGADD OP_UNKNOWN"
    );
    assert_eq!(text(&[1, 0x81, 4, 0, 0, 0, 0x80, 5, 1, 2, 3, 4, 5]), "-1 0 0102030405");
    // A signature shows its hash type, but not in data.
    let mut signature = vec![0x30, 6, 2, 1, 1, 2, 1, 1];
    signature.push(0x83);
    let script = ScriptBuilder::new().data(&signature).into_bytes();
    assert_eq!(text(&script), "3006020101020101[SINGLE|ANYONECANPAY]");
    assert_eq!(script_to_asm(&script, false), "300602010102010183");
    let data = [&[OP_RETURN][..], &script].concat();
    assert_eq!(text(&data), "OP_RETURN 300602010102010183");
    for name in ["ALL", "NONE", "SINGLE", "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"] {
        assert_eq!(sighash_to_str(sighash_from_str(name).unwrap()), name);
    }
    assert_eq!(sighash_from_str("DEFAULT"), Some(0));
    assert_eq!((sighash_from_str("all"), sighash_to_str(0)), (None, ""));
}

#[test]
fn script_texts() {
    let parse = |text: &str| parse_script(text).map(|s| s.into_bytes());
    assert_eq!(
        parse(" DUP\tOP_HASH160 0x02 0x0102\n'ab' -1 17 "),
        Ok(vec![OP_DUP, OP_HASH160, 2, 1, 2, 2, b'a', b'b', OP_1NEGATE, 1, 17])
    );
    assert_eq!(parse("4294967296"), Err(ParseScriptError::NumberRange));
    assert_eq!(parse("99999999999999999999"), Err(ParseScriptError::NumberRange));
    for bad in ["OP_1", "PUSHDATA1", "0x1", "dup", "CHECKSIGADD", "'", "-"] {
        assert_eq!(parse(bad), Err(ParseScriptError::UnknownOpcode), "{bad}");
    }
    assert_eq!(parse("RESERVED").unwrap(), [OP_RESERVED]);
    assert_eq!(
        format_script(&[OP_0, OP_1NEGATE, OP_16, OP_NOP2, 2, 1, 2, 0xff]),
        "0 -1 16 CHECKLOCKTIMEVERIFY 0x02 0x0102 0xff"
    );
}

#[test]
fn flag_names() {
    for (name, flag) in ScriptFlags::NAMED {
        assert_eq!(ScriptFlags::from_name(name), Some(*flag));
    }
    assert_eq!(ScriptFlags::NAMED.len(), 21);
    assert_eq!(ScriptFlags::MANDATORY.bits(), 134_677);
    assert_eq!(ScriptFlags::STANDARD.bits(), 2_097_119);
    let some = ScriptFlags::from_names("WITNESS,CLEANSTACK,P2SH").unwrap();
    assert_eq!(some.names(), ["CLEANSTACK", "P2SH", "WITNESS"]);
    assert_eq!(ScriptFlags::from_bits(1 << 40).names(), ["0x10000000000"]);
    assert_eq!(ScriptFlags::from_names("NOSUCH"), None);
}
