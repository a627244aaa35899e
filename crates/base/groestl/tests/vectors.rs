//! Published known answers and real headers, with every back end this processor has.

#![allow(clippy::unwrap_used)]

use grs_groestl::{Backend, Groestl512, with_backend};
use grs_testkit::{hex, json_file, report, text};
use serde_json::Value;

fn available() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|b| b.is_available())
}

fn rows<'a>(file: &'a Value, field: &str) -> &'a Vec<Value> {
    file[field].as_array().expect("an array of rows")
}

#[test]
fn vectors_known_answers() {
    let Some(file) = json_file("real/groestl512_kat.json") else { return };
    let mut cases = 0;
    for row in rows(&file, "kat") {
        let (message, expected) = (hex(row, "msg"), hex(row, "groestl512"));
        for backend in available() {
            let hash = with_backend::groestl512(backend, &message).unwrap();
            assert_eq!(hash[..], expected, "{backend:?} {row}");
            cases += 1;
        }
    }
    // A gigabyte: too slow for every back end.
    let long = &file["extremely_long"];
    if grs_groestl::backend() != Backend::Portable {
        let times = long["times"].as_u64().unwrap() as usize;
        let chunk = text(long, "repeat").as_bytes().repeat(1024);
        let mut hash = Groestl512::new();
        for _ in 0..times / 1024 {
            hash.update(&chunk);
        }
        assert_eq!(hash.finalize()[..], hex(long, "groestl512"));
        cases += 1;
    }
    report("real/groestl512_kat.json", cases);
}

#[test]
fn vectors_double_hash() {
    let Some(file) = json_file("real/groestl_double_truncated.json") else { return };
    let mut cases = 0;
    for row in rows(&file, "vectors") {
        let (message, expected) = (hex(row, "msg"), hex(row, "groestl_hash256"));
        for backend in available() {
            let hash = with_backend::groestl512d_256(backend, &message).unwrap();
            assert_eq!(hash[..], expected, "{backend:?} {row}");
            cases += 1;
        }
    }
    report("real/groestl_double_truncated.json", cases);
}

#[test]
fn vectors_real_headers() {
    for name in ["real/headers_main.json", "real/headers_test.json", "real/headers_misc.json"] {
        let Some(file) = json_file(name) else { return };
        let headers: Vec<[u8; 80]> =
            rows(&file, "headers").iter().map(|r| hex(r, "header").try_into().unwrap()).collect();
        let expected: Vec<[u8; 32]> = rows(&file, "headers")
            .iter()
            .map(|r| hex(r, "hash").into_iter().rev().collect::<Vec<_>>().try_into().unwrap())
            .collect();
        let mut cases = 0;
        for backend in available() {
            let mut hashes = vec![[0; 32]; headers.len()];
            with_backend::hash_headers(backend, &headers, &mut hashes).unwrap();
            assert!(hashes == expected, "{backend:?} {name}");
            for (header, hash) in headers.iter().zip(&expected) {
                assert_eq!(with_backend::hash_header(backend, header), Some(*hash), "{backend:?} {name}");
            }
            cases += headers.len();
        }
        report(name, cases);
    }
}
