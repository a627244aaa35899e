//! Every fuzz target is run by a test.

use std::collections::HashMap;
use std::path::Path;

use crate::Findings;
use crate::metadata::Package;

fn rust_files(dir: &Path, out: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            out.push(text);
        }
    }
}

/// Each `pub fn fuzz_…` of a crate's `src/fuzz.rs` is used somewhere else in that crate, in a test.
pub fn coverage(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let mut findings = Vec::new();
    let mut targets = 0;
    for package in packages.values().filter(|p| p.member) {
        let Ok(source) = std::fs::read_to_string(package.dir.join("src/fuzz.rs")) else { continue };
        let mut files = Vec::new();
        rust_files(&package.dir.join("src"), &mut files);
        rust_files(&package.dir.join("tests"), &mut files);
        let code = files.join("\n");
        for line in source.lines() {
            let Some(rest) = line.trim().strip_prefix("pub fn fuzz_") else { continue };
            let name = format!("fuzz_{}", rest.split(['(', '<']).next().unwrap_or(rest));
            targets += 1;
            let uses =
                code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| *w == name).count();
            if uses < 2 {
                findings.push(format!("{}: no test runs {name}", package.name));
            }
        }
    }
    if targets == 0 {
        findings.push("no fuzz target found at all".into());
    }
    findings.sort();
    Ok(findings)
}
