//! Schemas and the code that is generated from them, checked in both, with a manifest of their hashes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use bitcoin_hashes::sha256;

use crate::Findings;

const MANIFEST: &str = "crates/service/ipc-schema/generated.sha256";
/// Where `/mp/proxy.capnp` and `/generator.capnp` are found.
const IMPORTS: [&str; 2] = ["crates/service/mp-schema/schema", "crates/service/mpgen/schema"];
/// Folders of schemas and where the types generated from them go.
const TYPES: [(&str, &str); 4] = [
    ("crates/service/mp-schema/schema/mp", "crates/service/mp-schema/src"),
    ("crates/service/mp/schema/test", "crates/service/mp/tests/contract"),
    ("crates/service/mp/schema/example", "crates/service/mp/examples/calculator"),
    ("crates/service/ipc-schema/schema", "crates/service/ipc-schema/src/generated"),
];
/// Schemas the annotations of which only the generator reads: no types.
const ANNOTATIONS: &str = "crates/service/mpgen/schema";
/// The folder of schemas from which proxies are generated, where the traits are, and where the proxies go.
const PROXIES: [&str; 3] =
    ["crates/service/ipc-schema/schema", "crates/service/interfaces/src", "crates/service/ipc/src/generated"];

/// The wire contract of the schemas from which proxies are generated, and of what they import, as text.
const CONTRACT: &str = "crates/service/ipc-schema/contract.txt";

fn files(folder: &str, ending: &str) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{folder}: {error}"))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>();
    let mut names: Vec<String> = paths
        .map_err(|error| format!("{folder}: {error}"))?
        .iter()
        .filter_map(|path| path.to_str())
        .filter(|path| path.ends_with(ending))
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}

/// Every schema and every file generated from one.
fn all() -> Result<Vec<String>, String> {
    let mut names = files(ANNOTATIONS, ".capnp")?;
    for (schemas, types) in TYPES {
        names.extend(files(schemas, ".capnp")?);
        names.extend(files(types, "_capnp.rs")?);
    }
    names.extend(files(PROXIES[2], ".rs")?);
    names.push(CONTRACT.to_owned());
    Ok(names)
}

fn hash(name: &str) -> Result<String, String> {
    let data = std::fs::read(name).map_err(|error| format!("{name}: {error}"))?;
    let bytes = sha256::Hash::hash(&data).to_byte_array();
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Compares the files with the manifest. Needs no schema compiler.
pub fn check() -> Result<Findings, String> {
    let manifest = std::fs::read_to_string(MANIFEST).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let mut listed: BTreeMap<&str, &str> = manifest
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once("  "))
        .map(|(hash, name)| (name, hash))
        .collect();
    let mut findings = Vec::new();
    for name in all()? {
        match listed.remove(name.as_str()) {
            None => {
                findings.push(format!("{name} is not in the manifest; run `cargo run -p xtask -- schemas`"))
            }
            Some(expected) if expected != hash(&name)? => {
                findings.push(format!("{name} has changed; run `cargo run -p xtask -- schemas`"));
            }
            Some(_) => {}
        }
    }
    findings.extend(listed.keys().map(|name| format!("{name} is in the manifest but not there")));
    Ok(findings)
}

fn generate(what: &str, prefix: &str, out: &str, more: &[String]) -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "-p", "grs-mpgen", "--", what, "--prefix", prefix, "--out", out]);
    command.args(IMPORTS.iter().flat_map(|folder| ["-I", folder])).args(more);
    let status = command.args(files(prefix, ".capnp")?).status();
    match status.map_err(|error| format!("cannot run cargo: {error}"))? {
        status if status.success() => Ok(()),
        status => Err(format!("grs-mpgen for {prefix}: {status}")),
    }
}

/// Generates everything anew and writes the manifest. Needs the programs `capnp` and `rustfmt`.
pub fn regenerate() -> Result<Findings, String> {
    for (schemas, types) in TYPES {
        generate("types", schemas, types, &[])?;
    }
    let [schemas, traits, out] = PROXIES;
    let more = ["--traits", &format!("grs_interfaces={traits}"), "--schemas", "grs_ipc_schema"];
    generate("proxies", schemas, out, &more.map(str::to_owned))?;
    generate("describe", schemas, CONTRACT, &[])?;
    let mut manifest = String::from(
        "# SHA-256 of each schema and of the code generated from it; `cargo run -p xtask -- check` compares.\n",
    );
    for name in all()? {
        manifest += &format!("{}  {name}\n", hash(&name)?);
    }
    std::fs::write(MANIFEST, manifest).map_err(|error| format!("{MANIFEST}: {error}"))?;
    Ok(Vec::new())
}
