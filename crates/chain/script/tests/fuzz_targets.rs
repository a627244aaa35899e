//! The fuzz targets on a small corpus and its mutations.

use grs_script::fuzz::{fuzz_interpreter, fuzz_script, fuzz_signature_encoding};
use grs_script::opcodes::*;
use grs_testkit::run_fuzz;

#[test]
fn scripts() {
    let corpus = vec![
        vec![],
        vec![OP_DUP, OP_HASH160, 2, 1, 2, OP_EQUALVERIFY, OP_CHECKSIG],
        [&[OP_1, 33][..], &[2; 33], &[OP_1, OP_CHECKMULTISIG]].concat(),
        [&[32][..], &[3; 32], &[OP_CHECKSIG, 32], &[4; 32], &[OP_CHECKSIGADD, OP_2, OP_NUMEQUAL]].concat(),
        vec![OP_PUSHDATA1, 3, 1, 2, 3, OP_PUSHDATA2, 1, 0, 9, OP_PUSHDATA4, 1, 0, 0, 0, 7, OP_RETURN],
        b"0x4c 1 -1 'abc' DUP OP_ADD 123456".to_vec(),
    ];
    run_fuzz(fuzz_script, &corpus, 2000);
}

#[test]
fn signature_encodings() {
    let signature = [&[0x30, 0x44, 0x02, 0x20][..], &[0x11; 32], &[0x02, 0x20], &[0x22; 32], &[1]].concat();
    run_fuzz(fuzz_signature_encoding, &[vec![], vec![0x30, 6, 2, 1, 1, 2, 1, 1, 1], signature], 3000);
}

#[test]
fn interpreter() {
    let all = [0xff, 0xff, 0x1f];
    let taproot = [&[1][..], &[9; 64], &[OP_1, 32], &[5; 32], &[OP_TRUE], &[3, 0x50, 1, 1]].concat();
    let case = |flags: [u8; 3], parts: &[&[u8]]| {
        let mut out = flags.to_vec();
        for part in parts {
            out.push(part.len() as u8);
            out.extend_from_slice(part);
        }
        out
    };
    let program = [&[OP_1, 32][..], &[5; 32]].concat();
    let corpus = vec![
        case([0; 3], &[&[OP_1, OP_2], &[OP_ADD, OP_3, OP_EQUAL, OP_IF, OP_1, OP_ELSE, OP_RETURN, OP_ENDIF]]),
        case(all, &[&[], &program, &[7; 64]]),
        case(all, &[&[], &program, &[1], &[OP_TRUE], &[0xc0; 33], &[0x50, 1]]),
        case([1, 0, 0], &[&[1, OP_1], &[OP_HASH160, 20, 1, 2, 3], &[]]),
        case([0; 3], &[&[OP_0, OP_0, OP_1], &[3, 1, 2, 3, OP_1, OP_CHECKMULTISIG, OP_NOT, OP_CODESEPARATOR]]),
        case(
            [0; 3],
            &[&[OP_1, OP_1, OP_1], &[OP_2DUP, OP_3DUP, OP_2ROT, OP_ROLL, OP_PICK, OP_WITHIN, OP_SIZE]],
        ),
        taproot,
    ];
    run_fuzz(fuzz_interpreter, &corpus, 3000);
}
