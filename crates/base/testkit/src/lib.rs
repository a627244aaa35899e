//! Helpers for tests; a dev-dependency only.
//!
//! Vector tests read the folder named by `GRS_VECTORS` (default: `../shared/vectors` beside the repository).
//! A test takes the files it needs with [`vectors_dir`], [`json_file`] or [`json_lines`]; when the folder or a
//! file is absent it says "skipped", otherwise it reports its case count through [`report`], which fails when
//! no case ran.

use std::io::{Read, Write};
use std::path::PathBuf;

use serde_json::Value;

/// The vector folder, or `None` (after printing why) when there is none.
pub fn vectors_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("GRS_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/vectors")),
        PathBuf::from,
    );
    if dir.is_dir() {
        return Some(dir);
    }
    record("skipped: no test vectors (set GRS_VECTORS to their folder)");
    None
}

/// Prints a line and, when `GRS_VECTORS_REPORT` names a file, appends it there: the test harness hides the
/// output of tests that pass, and continuous integration wants to see what ran.
fn record(line: &str) {
    println!("{line}");
    let Some(path) = std::env::var_os("GRS_VECTORS_REPORT") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut f| f.write_all(format!("{line}\n").as_bytes()));
    written.expect("the vector report can be written");
}

fn read(path: &str) -> Option<Vec<u8>> {
    let file = vectors_dir()?.join(path);
    let Ok(raw) = std::fs::read(&file) else {
        record(&format!("skipped: no vector file {path}"));
        return None;
    };
    if !path.ends_with(".gz") {
        return Some(raw);
    }
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(raw.as_slice()).read_to_end(&mut out).expect("vector files are valid gzip");
    Some(out)
}

/// A whole vector file as bytes, unpacked when its name ends in `.gz`.
pub fn binary_file(path: &str) -> Option<Vec<u8>> {
    read(path)
}

/// A JSON file, by its path below the vector folder.
pub fn json_file(path: &str) -> Option<Value> {
    Some(serde_json::from_slice(&read(path)?).expect("vector files are valid JSON"))
}

/// The lines of a JSON Lines file (`.jsonl` or `.jsonl.gz`).
pub fn json_lines(path: &str) -> Option<Vec<Value>> {
    let text = String::from_utf8(read(path)?).expect("vector files are UTF-8");
    Some(
        text.lines()
            .filter(|l| !l.trim().is_empty())
            .map(|l| serde_json::from_str(l).expect("vector lines are valid JSON"))
            .collect(),
    )
}

/// Prints how many cases ran; fails when none did.
pub fn report(name: &str, cases: usize) {
    record(&format!("vectors: {name}: {cases} cases"));
    assert!(cases > 0, "vector file {name} is there but no case ran");
}

/// Text of a field, or a failure that names it.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no text field {field} in {value}"))
}

/// Bytes of a field that holds hexadecimal text.
pub fn hex(value: &Value, field: &str) -> Vec<u8> {
    hex_bytes(text(value, field))
}

/// Bytes of hexadecimal text.
pub fn hex_bytes(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hexadecimal text {text}");
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("vector files hold valid hex"))
        .collect()
}

/// A small deterministic random generator (SplitMix64) for mutations; not for anything secret.
#[derive(Debug, Clone)]
pub struct Rng(pub u64);

impl Rng {
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n` (0 when `n` is 0).
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next_u64() % n as u64) as usize }
    }
}

/// Runs a fuzz target on every corpus entry and on `rounds` mutations of each.
pub fn run_fuzz(target: fn(&[u8]), corpus: &[Vec<u8>], rounds: usize) {
    let mut rng = Rng(0x6772_735f_6675_7a7a);
    for seed in corpus {
        target(seed);
        for _ in 0..rounds {
            let mut data = seed.clone();
            for _ in 0..=rng.below(4) {
                mutate(&mut data, &mut rng);
            }
            target(&data);
        }
    }
}

fn mutate(data: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.below(data.len());
    match rng.below(7) {
        _ if data.is_empty() => data.push(rng.next_u64() as u8),
        0 => data[at] ^= 1 << rng.below(8),
        1 => data[at] = rng.next_u64() as u8,
        2 => data.truncate(at),
        3 => data.insert(at, rng.next_u64() as u8),
        4 => {
            data.remove(at);
        }
        5 => data[at] = [0, 1, 0x7f, 0x80, 0xfd, 0xfe, 0xff][rng.below(7)],
        _ => {
            let end = (at + rng.below(32)).min(data.len());
            let piece = data[at..end].to_vec();
            let to = rng.below(data.len());
            data.splice(to..to, piece);
        }
    }
}
