//! Integer and text encodings against the reference's.

#![allow(clippy::unwrap_used)]

use grs_encoding::*;
use grs_testkit::{hex, json_file, json_lines, report, run_fuzz, text};
use serde_json::Value;

/// Compares a decoding with the recorded result. The reference's texts name the stream class before ours.
fn same(found: Result<u64, DecodeError>, expected: &Value) {
    match found {
        Ok(value) => assert_eq!(expected["value"].as_u64(), Some(value), "{expected}"),
        Err(error) => {
            let recorded = expected["error"].as_str().unwrap_or_else(|| panic!("{error}: {expected}"));
            assert!(recorded.ends_with(&error.to_string()), "{error}: {expected}");
        }
    }
}

#[test]
fn integer_vectors() {
    let Some(cases) = json_lines("oracle/integers.jsonl") else { return };
    let mut count = 0;
    for case in &cases {
        match text(case, "kind") {
            "compact_size" => {
                let value = case["value"].as_u64().unwrap();
                let mut out = Vec::new();
                write_compact_size(&mut out, value);
                assert_eq!(out, hex(case, "hex"));
                assert_eq!(out.len(), compact_size_len(value));
                assert_eq!(Reader::new(&out).compact_size_unchecked(), Ok(value));
            }
            "varint_u64" => {
                let value = case["value"].as_u64().unwrap();
                let mut out = Vec::new();
                write_varint(&mut out, value);
                assert_eq!(out, hex(case, "hex"));
                assert_eq!(out.len(), varint_len(value));
                assert_eq!(Reader::new(&out).varint(), Ok(value));
            }
            "compact_size_decode" => {
                let bytes = hex(case, "hex");
                let mut reader = Reader::new(&bytes);
                let found = if case["range_check"].as_bool().unwrap() {
                    reader.compact_size()
                } else {
                    reader.compact_size_unchecked()
                };
                same(found, &case["result"]);
            }
            "varint_decode" => {
                let bytes = hex(case, "hex");
                same(Reader::new(&bytes).varint(), &case["u64"]);
                same(Reader::new(&bytes).varint_max(u64::from(u32::MAX)), &case["u32"]);
                same(Reader::new(&bytes).varint_max(i32::MAX as u64), &case["i32_nonneg"]);
            }
            // Amount compression belongs to the block store.
            "compress_amount" | "decompress_amount" => continue,
            other => panic!("unknown kind {other}"),
        }
        count += 1;
    }
    report("oracle/integers", count);
}

#[test]
fn base58_vectors() {
    let Some(file) = json_file("core/unit/base58_encode_decode.json") else { return };
    let rows = file.as_array().unwrap();
    for row in rows {
        let bytes = grs_testkit::hex_bytes(row[0].as_str().unwrap());
        let text = row[1].as_str().unwrap();
        assert_eq!(base58_encode(&bytes), text);
        assert_eq!(base58_decode(text, 256).unwrap(), bytes);
        assert_eq!(base58_decode(&format!(" \t{text}\n"), 256).unwrap(), bytes);
        if !bytes.is_empty() {
            assert_eq!(base58_decode(text, bytes.len() - 1), Err(Base58Error::TooLong));
        }
        let checked = base58check_encode(&bytes);
        assert_eq!(base58check_decode(&checked, bytes.len()).unwrap(), bytes);
    }
    report("core/unit/base58_encode_decode", rows.len());
}

#[test]
fn base58check_vectors() {
    let Some(file) = json_file("derived/key_io_valid.json") else { return };
    let rows =
        file.as_array().or_else(|| file["rows"].as_array()).or_else(|| file["cases"].as_array()).unwrap();
    let mut count = 0;
    for row in rows {
        let Some(address) = row.get(0).and_then(Value::as_str) else { continue };
        if address.contains('1') && bech32_decode(address, 90).is_some() {
            let decoded = bech32_decode(address, 90).unwrap();
            assert_eq!(
                bech32_encode(decoded.variant, &decoded.hrp, &decoded.data),
                address.to_ascii_lowercase()
            );
            assert_eq!(bech32_locate_errors(address, 90), ("", vec![]));
        } else {
            let payload = base58check_decode(address, 100).unwrap();
            assert_eq!(base58check_encode(&payload), address);
        }
        count += 1;
    }
    report("derived/key_io_valid: text encodings", count);
}

/// The test texts of BIP173 and BIP350.
#[test]
fn bech32_published_texts() {
    let valid = [
        ("A12UEL5L", Bech32Variant::Bech32),
        ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", Bech32Variant::Bech32),
        ("split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", Bech32Variant::Bech32),
        ("?1ezyfcl", Bech32Variant::Bech32),
        ("A1LQFN3A", Bech32Variant::Bech32m),
        ("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", Bech32Variant::Bech32m),
        ("?1v759aa", Bech32Variant::Bech32m),
    ];
    for (text, variant) in valid {
        let decoded = bech32_decode(text, 90).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(decoded.variant, variant);
        assert_eq!(bech32_encode(variant, &decoded.hrp, &decoded.data), text.to_ascii_lowercase());
    }
    for text in [
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "in1muywd",
    ] {
        assert!(bech32_decode(text, 90).is_none(), "{text}");
    }
}

#[test]
fn base64_published_texts() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
    ] {
        assert_eq!(base64_encode(bytes.as_bytes()), text);
        assert_eq!(base64_decode(text).unwrap(), bytes.as_bytes());
    }
    for bad in ["Zg=", "Zg", "Zh==", "Z===", "Zm9v====", "Zm 9v", "=Zm9"] {
        assert!(base64_decode(bad).is_err(), "{bad}");
    }
}

#[test]
fn decoders_survive_mutations() {
    let texts: Vec<Vec<u8>> = [
        "A12UEL5L",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "3WyEDWjcVB",
        "Zm9vYmE=",
        "00ff",
    ]
    .iter()
    .map(|t| t.as_bytes().to_vec())
    .collect();
    run_fuzz(grs_encoding::fuzz::fuzz_texts, &texts, 2000);
    let bytes =
        vec![vec![0, 0xfd, 0, 1, 1, 2, 0xff, 3, 0x80, 0], (0..=255).collect(), vec![7, 0xfe, 1, 0, 0, 0]];
    run_fuzz(grs_encoding::fuzz::fuzz_reader, &bytes, 4000);
}
