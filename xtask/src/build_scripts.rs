//! What building needs: no program beside the compilers, nothing outside the crates.

use std::collections::HashMap;
use std::process::Command;

use crate::Findings;
use crate::metadata::Package;

/// Words in a build script by which it would run a program or leave its crate. Coarse on purpose: a script that needs one
/// of them is discussed first.
const FORBIDDEN: &[&str] = &["Command", "process", "libc", "extern", "..", "capnpc", "HOME", "/usr", "/opt"];

/// Programs that are of use without other processes, and must build without Cap'n Proto when told so.
const WITHOUT_IPC: &[&str] = &["groestlcoin", "groestlcoind", "groestlcoin-cli", "groestlcoin-wallet"];

/// Build scripts of ours neither run programs nor read outside their crates. (Those of others that compile C run the C
/// compiler; `docs/build.md` lists them.)
pub fn scripts(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let mut findings = Vec::new();
    for package in packages.values().filter(|p| p.member) {
        let Some(script) = &package.build_script else { continue };
        let text = std::fs::read_to_string(script).map_err(|e| format!("{}: {e}", script.display()))?;
        for word in FORBIDDEN.iter().filter(|word| text.contains(**word)) {
            findings.push(format!("the build script of {} has '{word}' in it", package.name));
        }
    }
    findings.sort();
    Ok(findings)
}

/// Without the feature `ipc` no program of the list links Cap'n Proto.
pub fn without_ipc() -> Result<Findings, String> {
    let mut findings = Vec::new();
    for program in WITHOUT_IPC {
        let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
            .args([
                "tree",
                "--locked",
                "--no-default-features",
                "-e",
                "normal,build",
                "--prefix",
                "none",
                "-p",
                program,
            ])
            .output()
            .map_err(|e| format!("cargo tree does not start: {e}"))?;
        if !output.status.success() {
            return Err(format!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        for line in tree.lines().filter(|l| l.starts_with("capnp")) {
            findings.push(format!("{program} without its features links {line}"));
        }
    }
    Ok(findings)
}
