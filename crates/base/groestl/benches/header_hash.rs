//! Double hash of headers and long messages: every back end against the `groestl` crate.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use groestl::Digest;
use grs_groestl::{Backend, with_backend};

fn rival(data: &[u8]) -> [u8; 64] {
    groestl::Groestl512::digest(data).into()
}

fn available() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|b| b.is_available())
}

fn headers(count: usize) -> Vec<[u8; 80]> {
    (0..count).map(|i| std::array::from_fn(|j| (i * 31 + j * 7) as u8)).collect()
}

fn single(c: &mut Criterion) {
    let mut group = c.benchmark_group("header");
    let header = headers(1)[0];
    group.bench_function("groestl crate", |b| b.iter(|| rival(&rival(black_box(&header)))));
    for backend in available() {
        group.bench_function(backend.name(), |b| {
            b.iter(|| with_backend::hash_header(backend, black_box(&header)))
        });
    }
    group.bench_function("chosen", |b| b.iter(|| grs_groestl::hash_header(black_box(&header))));
}

fn batch(c: &mut Criterion) {
    let mut group = c.benchmark_group("headers x 2000");
    let headers = headers(2000);
    let mut out = vec![[0; 32]; headers.len()];
    group.throughput(Throughput::Elements(headers.len() as u64));
    group.bench_function("groestl crate", |b| {
        b.iter(|| {
            for (header, hash) in black_box(&headers).iter().zip(&mut out) {
                hash.copy_from_slice(&rival(&rival(header))[..32]);
            }
        })
    });
    for backend in available() {
        group.bench_function(backend.name(), |b| {
            b.iter(|| with_backend::hash_headers(backend, black_box(&headers), &mut out))
        });
    }
}

fn long(c: &mut Criterion) {
    let mut group = c.benchmark_group("1 MB message");
    let data: Vec<u8> = (0..1_000_000u32).map(|i| (i * 7) as u8).collect();
    group.throughput(Throughput::Bytes(data.len() as u64));
    group.bench_function("groestl crate", |b| b.iter(|| rival(black_box(&data))));
    for backend in available() {
        group.bench_function(backend.name(), |b| {
            b.iter(|| with_backend::groestl512(backend, black_box(&data)))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2))
        .sample_size(30);
    targets = single, batch, long
}
criterion_main!(benches);
