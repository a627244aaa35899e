//! The subsidy of every recorded height.

#![allow(clippy::unwrap_used)]

use grs_params::block_subsidy;

#[test]
fn subsidy_vectors() {
    let Some(file) = grs_testkit::json_file("derived/subsidy.json") else { return };
    let rows = file["rows"].as_array().unwrap();
    for row in rows {
        let height = i32::try_from(row[0].as_i64().unwrap()).unwrap();
        assert_eq!(block_subsidy(height).to_gro(), row[1].as_i64().unwrap(), "height {height}");
    }
    grs_testkit::report("derived/subsidy", rows.len());
}
