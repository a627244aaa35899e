//! Every back end against known answers, the portable code and an independent implementation.

use groestl::Digest;
use grs_groestl::{Backend, with_backend};
use proptest::prelude::*;

fn oracle(data: &[u8]) -> [u8; 64] {
    groestl::Groestl512::digest(data).into()
}

fn oracle_d(data: &[u8]) -> [u8; 32] {
    oracle(&oracle(data))[..32].try_into().expect("32 bytes")
}

fn available() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|b| b.is_available())
}

/// Deterministic bytes without structure.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 24) as u8
    };
    std::iter::repeat_with(&mut next).take(len).collect()
}

#[test]
fn every_length_over_four_blocks() {
    for backend in available() {
        for len in 0..520 {
            let data = noise(len as u64, len);
            assert_eq!(with_backend::groestl512(backend, &data), Some(oracle(&data)), "{backend:?} {len}");
            assert_eq!(
                with_backend::groestl512d_256(backend, &data),
                Some(oracle_d(&data)),
                "{backend:?} {len}"
            );
        }
    }
}

#[test]
fn batches_of_every_remainder() {
    for backend in available() {
        for count in 0..23usize {
            let headers: Vec<[u8; 80]> =
                (0..count).map(|i| noise((count * 100 + i) as u64, 80).try_into().unwrap()).collect();
            let mut out = vec![[0; 32]; count];
            with_backend::hash_headers(backend, &headers, &mut out).unwrap();
            for (header, hash) in headers.iter().zip(&out) {
                assert_eq!(*hash, oracle_d(header), "{backend:?} {count}");
                assert_eq!(with_backend::hash_header(backend, header), Some(*hash), "{backend:?}");
            }
        }
    }
}

#[test]
fn chosen_backend_is_the_fastest_available() {
    let best = available().last().unwrap();
    assert_eq!(grs_groestl::backend(), best);
    assert_eq!(grs_groestl::backend_name(), best.name());
    println!("back end: {}", best.name());
    let header: [u8; 80] = noise(7, 80).try_into().unwrap();
    assert_eq!(grs_groestl::hash_header(&header), oracle_d(&header));
    assert_eq!(grs_groestl::groestl512(&header), oracle(&header));
    let mut out = [[0; 32]; 5];
    grs_groestl::hash_headers(&[header; 5], &mut out);
    assert_eq!(out, [oracle_d(&header); 5]);
}

#[test]
#[should_panic(expected = "one hash for each header")]
fn batch_lengths_must_agree() {
    grs_groestl::hash_headers(&[[0; 80]; 3], &mut [[0; 32]; 2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cuts a message at arbitrary places.
    #[test]
    fn streaming_equals_one_shot(data in prop::collection::vec(any::<u8>(), 0..3000), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(data.len() + 1)).collect();
        cuts.extend([0, data.len()]);
        cuts.sort_unstable();
        let expected = oracle(&data);
        for backend in available() {
            let mut hash = with_backend::streaming(backend).unwrap();
            for pair in cuts.windows(2) {
                hash.update(&data[pair[0]..pair[1]]);
            }
            prop_assert_eq!(hash.clone().finalize(), expected, "{:?}", backend);
            prop_assert_eq!(with_backend::groestl512(backend, &data), Some(expected));
        }
    }

    /// Random headers, one by one and together.
    #[test]
    fn random_headers(headers in prop::collection::vec(prop::array::uniform32(any::<[u8; 5]>()), 0..12)) {
        let headers: Vec<[u8; 80]> =
            headers.iter().map(|h| h.as_flattened()[..80].try_into().unwrap()).collect();
        let expected: Vec<[u8; 32]> = headers.iter().map(|h| oracle_d(h)).collect();
        for backend in available() {
            let mut out = vec![[0; 32]; headers.len()];
            with_backend::hash_headers(backend, &headers, &mut out).unwrap();
            prop_assert_eq!(&out, &expected, "{:?}", backend);
        }
    }
}
