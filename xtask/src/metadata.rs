//! What cargo knows of the workspace.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// One package and its normal and build dependencies by name (development dependencies are free to point
/// anywhere).
pub struct Package {
    /// Name.
    pub name: String,
    /// SPDX expression, or nothing.
    pub licence: Option<String>,
    /// Folder of its manifest.
    pub dir: PathBuf,
    /// Names of the packages it links.
    pub dependencies: Vec<String>,
    /// True for a package of this workspace.
    pub member: bool,
    /// True for a member that is built when none is named.
    pub default_member: bool,
    /// Its build script.
    pub build_script: Option<PathBuf>,
    /// Names of its programs.
    pub programs: Vec<String>,
}

/// Where cargo builds.
pub fn target_dir() -> Result<PathBuf, String> {
    Ok(PathBuf::from(text(&query(&["--no-deps"])?["target_directory"])))
}

fn query(more: &[&str]) -> Result<Value, String> {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(more)
        .output()
        .map_err(|e| format!("cargo metadata does not start: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

/// The resolved graph of all packages.
pub fn load() -> Result<HashMap<String, Package>, String> {
    let data = query(&[])?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let members: Vec<Value> = list(&data, "workspace_members");
    let default_members: Vec<Value> = list(&data, "workspace_default_members");
    let mut packages: HashMap<String, Package> = HashMap::new();
    let mut names = HashMap::new();
    for package in list(&data, "packages") {
        names.insert(text(&package["id"]), text(&package["name"]));
    }
    let mut links: HashMap<String, Vec<String>> = HashMap::new();
    for node in list(&data["resolve"], "nodes") {
        let dependencies = list(&node, "deps")
            .iter()
            .filter(|d| list(d, "dep_kinds").iter().any(|k| k["kind"].as_str() != Some("dev")))
            .filter_map(|d| names.get(&text(&d["pkg"])).cloned())
            .collect();
        links.insert(text(&node["id"]), dependencies);
    }
    for package in list(&data, "packages") {
        let id = text(&package["id"]);
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let entry = packages.entry(text(&package["name"])).or_insert_with(|| Package {
            name: text(&package["name"]),
            licence: package["license"].as_str().map(str::to_owned),
            dir: manifest.parent().map(PathBuf::from).unwrap_or_default(),
            dependencies: Vec::new(),
            member: members.iter().any(|m| m.as_str() == Some(&id)),
            default_member: default_members.iter().any(|m| m.as_str() == Some(&id)),
            build_script: target_of_kind(&package, "custom-build")
                .map(|t| PathBuf::from(text(&t["src_path"]))),
            programs: target_of_kind(&package, "bin").map(|t| text(&t["name"])).into_iter().collect(),
        });
        // Two versions of one package count as one: their links are joined.
        entry.dependencies.extend(links.remove(&id).unwrap_or_default());
    }
    Ok(packages)
}

fn target_of_kind(package: &Value, kind: &str) -> Option<Value> {
    let targets = package["targets"].as_array()?;
    targets
        .iter()
        .find(|t| t["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind)))
        .cloned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
