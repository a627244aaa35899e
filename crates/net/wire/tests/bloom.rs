//! Bloom filters against the published values of BIP37's implementations, and their promises.

#![allow(clippy::unwrap_used)]

use grs_encoding::{encode_to_vec, hex_encode};
use grs_primitives::*;
use grs_script::{script_for_multisig, script_for_pubkey_hash};
use grs_testkit::hex_bytes;
use grs_wire::*;

#[test]
fn murmur_values() {
    for (expected, seed, data) in [
        (0, 0, ""),
        (0x6a39_6f08, 0xfba4_c795, ""),
        (0x81f1_6f39, 0xffff_ffff, ""),
        (0x514e_28b7, 0, "00"),
        (0xea3f_0b17, 0xfba4_c795, "00"),
        (0x16c6_b7ab, 0, "0011"),
        (0x8eb5_1c3d, 0, "001122"),
        (0xb447_1bf8, 0, "00112233"),
        (0xe230_1fa8, 0, "0011223344"),
        (0xb469_8def, 0, "001122334455667788"),
    ] {
        assert_eq!(murmur_hash3(seed, &hex_bytes(data)), expected, "{data}");
    }
}

#[test]
fn filter_bytes() {
    for (tweak, expected) in [(0, "03614e9b050000000000000001"), (0x8000_0001, "03ce4299050000000100008001")]
    {
        let mut filter = BloomFilter::new(3, 0.01, tweak, 1);
        let elements = [
            "99108ad8ed9bb6274d3980bab5a85c048f0950c8",
            "b5a2c786d9ef4658287ced5914b37a1b4aa32eee",
            "b9300670b4c5366e95b2699e8b18bc75e5f729c5",
        ];
        for element in elements {
            let bytes = hex_bytes(element);
            assert!(!filter.contains(&bytes));
            filter.insert(&bytes);
            assert!(filter.contains(&bytes));
        }
        assert!(!filter.contains(&hex_bytes("19108ad8ed9bb6274d3980bab5a85c048f0950c8")));
        let mut payload = Vec::new();
        Message::FilterLoad(filter.message().clone()).encode_payload(&mut payload);
        assert_eq!(hex_encode(payload), expected);
        assert!(filter.is_within_size_constraints());
    }
    let largest = BloomFilter::new(u32::MAX, 1e-9, 0, 0);
    assert_eq!(largest.message().data.len(), MAX_BLOOM_FILTER_SIZE);
    let too_many = FilterLoad { data: vec![1], hash_functions: 51, tweak: 0, flags: 0 };
    assert!(!BloomFilter::from(too_many).is_within_size_constraints());
    let empty = FilterLoad { data: vec![], hash_functions: 5, tweak: 0, flags: 0 };
    let mut empty = BloomFilter::from(empty);
    empty.insert(b"x");
    assert!(empty.contains(b"anything"));
}

fn transaction() -> Transaction {
    let mut input = TxIn::new(OutPoint::new(grs_hashes::Txid::from_bytes([3; 32]), 7), 0);
    input.script_sig = Script::from([&[20_u8][..], &[0xaa; 20]].concat());
    let key = [&[2_u8][..], &[0x11; 32]].concat();
    let key = grs_keys::PublicKey::from_slice(&key).unwrap();
    Transaction::from(MutableTransaction {
        version: 1,
        inputs: vec![input],
        outputs: vec![
            TxOut::new(Amount(1), script_for_pubkey_hash(&grs_hashes::Hash160::from_bytes([0xbb; 20]))),
            TxOut::new(Amount(2), script_for_multisig(1, &[key])),
        ],
        lock_time: 0,
    })
}

#[test]
fn what_concerns_a_client() {
    let tx = transaction();
    let key = [&[2_u8][..], &[0x11; 32]].concat();
    let outpoint = |vout| encode_to_vec(&OutPoint::new(tx.txid(), vout));
    let run = |flags: u8, element: &[u8]| {
        let mut filter = BloomFilter::new(10, 1e-6, 0, flags);
        filter.insert(element);
        let found = filter.is_relevant_and_update(&tx);
        (found, filter.contains(&outpoint(0)), filter.contains(&outpoint(1)))
    };
    assert_eq!(run(1, tx.txid().as_bytes()), (true, false, false));
    assert_eq!(run(1, &encode_to_vec(&tx.inputs[0].prevout)), (true, false, false));
    assert_eq!(run(1, &[0xaa; 20]), (true, false, false));
    assert_eq!(run(1, &[0xcc; 20]), (false, false, false));
    // A matching output is added always, never, or when it is locked by keys themselves.
    assert_eq!(run(1, &[0xbb; 20]), (true, true, false));
    assert_eq!(run(0, &[0xbb; 20]), (true, false, false));
    assert_eq!(run(2, &[0xbb; 20]), (true, false, false));
    assert_eq!(run(2, &key), (true, false, true));
    assert_eq!(run(1, &key), (true, false, true));
    assert_eq!(run(0, &key), (true, false, false));
}

#[test]
fn rolling_filter_remembers_and_forgets() {
    let element = |i: u32| grs_hashes::purpose::sha256(&i.to_le_bytes());
    let mut filter = RollingBloomFilter::new(100, 0.01, 7);
    for i in 0..400 {
        filter.insert(&element(i));
        for back in 0..100.min(i + 1) {
            assert!(filter.contains(&element(i - back)), "{i} {back}");
        }
    }
    // Of what was never added, about one in a hundred matches; of what is long gone, hardly more.
    let hits = |range: std::ops::Range<u32>| range.filter(|i| filter.contains(&element(*i))).count();
    assert!(hits(1000..11_000) < 200);
    assert!(hits(0..200) < 20);
    filter.reset(8);
    assert!(!filter.contains(&element(399)));
}
