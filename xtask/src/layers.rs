//! The order of layers and crates, banned dependencies, licences.

use std::collections::{HashMap, HashSet};

use crate::Findings;
use crate::metadata::Package;

/// Third-party packages that only the named crates may use directly.
const BANS: &[(&str, &[&str])] = &[
    ("tokio", &["grs-socket", "grs-rpc", "grs-mp", "grs-tls", "grs-ipc", "grs-node", "bare-client"]),
    ("hyper", &["grs-rpc"]),
    ("capnp", &["grs-mp-schema", "grs-mp", "grs-mpgen", "grs-ipc", "grs-ipc-schema", "bare-client"]),
    ("capnp-rpc", &["grs-mp", "grs-ipc", "grs-ipc-schema", "bare-client"]),
    ("capnpc", &["grs-mpgen"]),
    ("rusqlite", &["grs-wallet"]),
    ("rustls", &["grs-tls"]),
    ("rcgen", &["grs-tls"]),
    ("openssl", &[]),
    ("openssl-sys", &[]),
];

/// Programs that must not link the wallet, however indirectly.
const WALLET_FREE: &[&str] = &["groestlcoin-node", "groestlcoin-gui", "groestlcoin", "groestlcoin-cli"];

/// What the example of a client with nothing but schemas may link of ours.
const SCHEMAS: &[&str] = &["grs-ipc-schema", "grs-mp-schema"];

/// Licences that fit with MIT. An expression passes when one of its alternatives consists of these.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
    "Unicode-3.0",
    "BSL-1.0",
    "MIT-0",
];

/// Order of the crates as `layers.toml` lists them.
fn listed() -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string("layers.toml").map_err(|e| format!("layers.toml: {e}"))?;
    Ok(text
        .lines()
        .filter_map(|l| l.trim().strip_prefix('"')?.strip_suffix("\",").map(str::to_owned))
        .collect())
}

/// Every crate is listed, and depends only on crates listed before it.
pub fn order(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let position: HashMap<String, usize> = listed()?.into_iter().enumerate().map(|(i, n)| (n, i)).collect();
    let mut findings = Vec::new();
    for package in packages.values().filter(|p| p.member && p.name.starts_with("grs-")) {
        let Some(mine) = position.get(&package.name) else {
            findings.push(format!("{} is not in layers.toml", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.starts_with("grs-")) {
            match position.get(dependency) {
                Some(theirs) if theirs < mine => {}
                _ => findings.push(format!("{} depends upwards on {dependency}", package.name)),
            }
        }
        if package.dependencies.iter().any(|d| d == "grs-testkit") {
            findings.push(format!("{} links grs-testkit outside its tests", package.name));
        }
    }
    for name in position.keys().filter(|n| !packages.contains_key(*n)) {
        findings.push(format!("layers.toml lists {name}, which does not exist"));
    }
    findings.sort();
    Ok(findings)
}

/// Heavy or narrow dependencies stay in the crates that own them; the node never links the wallet.
pub fn bans(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let mut findings = Vec::new();
    for package in packages.values().filter(|p| p.member) {
        for (banned, allowed) in BANS {
            if package.dependencies.iter().any(|d| d == banned) && !allowed.contains(&package.name.as_str()) {
                findings.push(format!("{} may not depend on {banned}", package.name));
            }
        }
    }
    for program in WALLET_FREE {
        let (mut seen, mut open) = (HashSet::new(), vec![(*program).to_owned()]);
        while let Some(name) = open.pop() {
            if name == "grs-wallet" || name == "rusqlite" {
                findings.push(format!("{program} links {name}"));
            }
            if seen.insert(name.clone())
                && let Some(package) = packages.get(&name)
            {
                open.extend(package.dependencies.iter().cloned());
            }
        }
    }
    let bare = packages.get("bare-client").into_iter().chain(packages.get("grs-ipc-schema"));
    for dependency in bare.flat_map(|package| &package.dependencies) {
        if dependency.starts_with("grs-") && !SCHEMAS.contains(&dependency.as_str()) {
            findings.push(format!("the schemas cannot be used alone: {dependency} is linked with them"));
        }
    }
    findings.sort();
    Ok(findings)
}

fn alternative_fits(alternative: &str) -> bool {
    alternative.split(" AND ").all(|part| {
        let name = part.trim_matches(['(', ')', ' ']);
        let name = name.split(" WITH ").next().unwrap_or(name);
        LICENCES.contains(&name)
    })
}

/// Every dependency has a licence that fits.
pub fn licences(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let mut findings: Findings = packages
        .values()
        .filter_map(|p| match &p.licence {
            Some(l) if l.replace('/', " OR ").split(" OR ").any(|a| alternative_fits(a.trim())) => None,
            Some(l) => Some(format!("{} has licence {l}", p.name)),
            None => Some(format!("{} states no licence", p.name)),
        })
        .collect();
    findings.sort();
    Ok(findings)
}
