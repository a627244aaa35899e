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

/// What makes a program one with a window: large, and not built unless asked for.
const WINDOW_TOOLKIT: &str = "eframe";

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

/// Everything that a package links, itself included.
fn links(packages: &HashMap<String, Package>, program: &str) -> HashSet<String> {
    let (mut seen, mut open) = (HashSet::new(), vec![program.to_owned()]);
    while let Some(name) = open.pop() {
        if seen.insert(name.clone())
            && let Some(package) = packages.get(&name)
        {
            open.extend(package.dependencies.iter().cloned());
        }
    }
    seen
}

/// What is built when no package is named: all but what needs the toolkit of the window.
pub fn defaults(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let mut findings: Findings = packages
        .values()
        .filter(|p| p.member)
        .filter_map(|p| match (p.default_member, links(packages, &p.name).contains(WINDOW_TOOLKIT)) {
            (true, true) => Some(format!("{} needs {WINDOW_TOOLKIT} and is a default member", p.name)),
            (false, false) => Some(format!("{} is missing in default-members", p.name)),
            _ => None,
        })
        .collect();
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
        let linked = links(packages, program);
        for name in ["grs-wallet", "rusqlite"].into_iter().filter(|name| linked.contains(*name)) {
            findings.push(format!("{program} links {name}"));
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

/// Licences of fonts. A font that is carried along keeps its licence and asks nothing of the program around it.
const FONT_LICENCES: &[&str] = &["OFL-1.1", "Ubuntu-font-1.0"];

/// Whether an SPDX expression can be met: one of what stands between `OR`s, all of what stands between `AND`s.
fn fits(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    alternatives(&words, &mut at) && at == words.len()
}

fn alternatives(words: &[&str], at: &mut usize) -> bool {
    let mut met = conditions(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= conditions(words, at);
    }
    met
}

fn conditions(words: &[&str], at: &mut usize) -> bool {
    let mut met = condition(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= condition(words, at);
    }
    met
}

fn condition(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = alternatives(words, at);
        let closed = words.get(*at) == Some(&")");
        *at += usize::from(closed);
        return met && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        // An exception allows more, never less.
        *at += 2;
    }
    LICENCES.contains(word) || FONT_LICENCES.contains(word)
}

/// Every dependency has a licence that fits.
pub fn licences(packages: &HashMap<String, Package>) -> Result<Findings, String> {
    let mut findings: Findings = packages
        .values()
        .filter_map(|p| match &p.licence {
            Some(licence) if fits(licence) => None,
            Some(licence) => Some(format!("{} has licence {licence}", p.name)),
            None => Some(format!("{} states no licence", p.name)),
        })
        .collect();
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_licences_are_understood() {
        for good in [
            "MIT",
            "MIT/GPL-3.0",
            "GPL-3.0 OR (MIT AND ISC)",
            "(MIT OR Apache-2.0) AND OFL-1.1 AND Ubuntu-font-1.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "(MIT OR Apache-2.0) AND GPL-3.0",
            "MIT AND MPL-2.0",
            "(MIT",
            "MIT)",
            "MIT MIT",
            "OR MIT",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
