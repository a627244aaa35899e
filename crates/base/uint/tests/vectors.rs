//! Targets and work of real headers.

#![allow(clippy::unwrap_used)]

use grs_testkit::{json_file, report, text};
use grs_uint::{CompactTarget, U256, block_work};

#[test]
fn target_and_work_vectors() {
    let mut count = 0;
    for name in ["real/headers_main.json", "real/headers_test.json"] {
        let Some(file) = json_file(name) else { return };
        let mut previous = U256::ZERO;
        for row in file["headers"].as_array().unwrap() {
            let bits = CompactTarget(u32::from_str_radix(text(row, "bits"), 16).unwrap());
            let (target, flags) = bits.expand();
            assert!(!flags.negative && !flags.overflow);
            assert_eq!(CompactTarget::from_target(target), bits);
            let hash = U256::from_hex(text(row, "hash")).unwrap();
            assert!(hash <= target, "proof of work of {row}");
            let work = U256::from_hex(text(row, "chainwork")).unwrap();
            // The blocks since the last sample did some work, at least this one's own.
            assert!(work >= previous + block_work(bits), "work of {row}");
            previous = work;
            count += 1;
        }
    }
    report("real/headers: work", count);
}

#[test]
fn reference_target_vectors() {
    let Some(file) = json_file("reference_regtest/rpc_results.json") else { return };
    let rows = file["blockheaders_verbose"].as_array().unwrap();
    for row in rows {
        let bits = CompactTarget(u32::from_str_radix(text(row, "bits"), 16).unwrap());
        assert_eq!(bits.target().to_string(), text(row, "target"));
    }
    report("reference_regtest/rpc_results: targets", rows.len());
}
