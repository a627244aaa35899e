//! Ratios against the `groestl` crate from interleaved runs: on a busy machine the best of many short runs of each side
//! says more than two medians measured at different times.

use std::hint::black_box;
use std::time::Instant;

use groestl::Digest;
use grs_groestl::{Backend, with_backend};

fn rival(data: &[u8]) -> [u8; 64] {
    groestl::Groestl512::digest(data).into()
}

fn keep<T>(value: T) {
    black_box(value);
}

/// Best time of one call in nanoseconds for each side.
fn best(sides: &mut [(String, Box<dyn FnMut() + '_>)], calls: u32) -> Vec<f64> {
    let mut best = vec![f64::MAX; sides.len()];
    for _ in 0..300 {
        for (best, (_, call)) in best.iter_mut().zip(sides.iter_mut()) {
            let start = Instant::now();
            for _ in 0..calls {
                call();
            }
            *best = best.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
        }
    }
    best
}

fn report(title: &str, unit: f64, calls: u32, mut sides: Vec<(String, Box<dyn FnMut() + '_>)>) {
    let times = best(&mut sides, calls);
    println!("{title}");
    for ((name, _), time) in sides.iter().zip(&times) {
        println!("  {name:14} {:9.2} ns  {:6.2} x", time / unit, times[0] / time);
    }
}

fn main() {
    let backends: Vec<Backend> = Backend::ALL.into_iter().filter(|b| b.is_available()).collect();
    let header: [u8; 80] = std::array::from_fn(|i| i as u8);
    let headers = [header; 64];
    let message = vec![7u8; 128 * 64];

    let mut single: Vec<(String, Box<dyn FnMut()>)> =
        vec![("groestl crate".into(), Box::new(|| keep(rival(&rival(black_box(&header))))))];
    let mut batch: Vec<(String, Box<dyn FnMut()>)> = vec![(
        "groestl crate".into(),
        Box::new(|| headers.iter().for_each(|h| keep(rival(&rival(black_box(h)))))),
    )];
    let mut long: Vec<(String, Box<dyn FnMut()>)> =
        vec![("groestl crate".into(), Box::new(|| keep(rival(black_box(&message)))))];
    for backend in backends {
        let (header, headers, message) = (&header, &headers, &message);
        single.push((
            backend.name().into(),
            Box::new(move || keep(with_backend::hash_header(backend, black_box(header)))),
        ));
        batch.push((
            backend.name().into(),
            Box::new(move || {
                let mut out = [[0; 32]; 64];
                with_backend::hash_headers(backend, black_box(headers), &mut out);
                black_box(&out);
            }),
        ));
        long.push((
            backend.name().into(),
            Box::new(move || keep(with_backend::groestl512(backend, black_box(message)))),
        ));
    }
    let mut four: Vec<(String, Box<dyn FnMut()>)> = vec![(
        "groestl crate".into(),
        Box::new(|| headers[..4].iter().for_each(|h| keep(rival(&rival(black_box(h)))))),
    )];
    four.push((
        grs_groestl::backend_name().into(),
        Box::new(|| {
            let mut out = [[0; 32]; 4];
            grs_groestl::hash_headers(black_box(&headers[..4]), &mut out);
            black_box(&out);
        }),
    ));
    report("one header", 1.0, 20, single);
    report("a header of 4 together", 4.0, 10, four);
    report("a header of 64 together", 64.0, 1, batch);
    report("a byte of 8 kB", message.len() as f64, 1, long);
}
