//! An installation: programs for users in `bin`, what the wrapper and other programs start in `libexec`.
//!
//! `cargo run -p xtask -- dist --prefix DIR [--target TRIPLE] [--no-ipc] [--profile NAME]`

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::metadata::{self, Package};

/// Programs that users do not start themselves, as in the reference's installation. All others go to `bin`.
const INTERNAL: &[&str] = &[
    "groestlcoin-node",
    "groestlcoin-gui",
    "groestlcoin-chainstate",
    "bench_groestlcoin",
    "test_groestlcoin",
    "test_groestlcoin-qt",
];
/// Programs that are nothing without other processes.
const MULTIPROCESS: &[&str] = &["groestlcoin-node", "groestlcoin-gui"];

/// What to make.
#[derive(Debug, PartialEq)]
struct Options {
    prefix: PathBuf,
    target: Option<String>,
    ipc: bool,
    profile: String,
}

fn parse(args: &[String]) -> Result<Options, String> {
    let (mut prefix, mut target, mut ipc, mut profile) = (None, None, true, "release".to_owned());
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--prefix" => prefix = Some(PathBuf::from(value()?)),
            "--target" => target = Some(value()?),
            "--profile" => profile = value()?,
            "--no-ipc" => ipc = false,
            other => return Err(format!("unknown option {other}")),
        }
    }
    let prefix = prefix.ok_or("dist needs --prefix DIR")?;
    Ok(Options { prefix, target, ipc, profile })
}

/// The packages under `bin/` and their programs.
fn programs(packages: &HashMap<String, Package>, ipc: bool) -> Vec<(String, String)> {
    let mut list: Vec<_> = packages
        .values()
        .filter(|p| p.member && p.dir.parent().is_some_and(|dir| dir.ends_with("bin")))
        .flat_map(|p| p.programs.iter().map(|program| (p.name.clone(), program.clone())))
        .filter(|(_, program)| ipc || !MULTIPROCESS.contains(&program.as_str()))
        .collect();
    list.sort();
    list
}

/// Folder of a program in an installation.
fn place(program: &str) -> &'static str {
    if INTERNAL.contains(&program) { "libexec" } else { "bin" }
}

/// Builds everything and lays it out.
pub fn run(args: &[String]) -> Result<(), String> {
    let options = parse(args)?;
    let packages = metadata::load()?;
    let list = programs(&packages, options.ipc);
    let mut build = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    build.args(["build", "--locked", "--profile", &options.profile]);
    for (package, _) in &list {
        build.args(["-p", package]);
    }
    if let Some(target) = &options.target {
        build.args(["--target", target]);
    }
    if !options.ipc {
        build.arg("--no-default-features");
    }
    let status = build.status().map_err(|e| format!("cargo build does not start: {e}"))?;
    if !status.success() {
        return Err("cargo build failed".into());
    }
    let mut built = metadata::target_dir()?;
    if let Some(target) = &options.target {
        built.push(target);
    }
    built.push(if options.profile == "dev" { "debug" } else { &options.profile });
    for (_, program) in &list {
        let to = install(&built.join(program), &options.prefix.join(place(program)))?;
        println!("{}", to.display());
    }
    Ok(())
}

/// Copies a program; a running one keeps its old file.
fn install(program: &Path, folder: &Path) -> Result<PathBuf, String> {
    let name = program.file_name().ok_or("a program has no name")?;
    let (to, new) = (folder.join(name), folder.join(format!(".{}.new", name.to_string_lossy())));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::copy(program, &new))
        .and_then(|_| std::fs::rename(&new, &to))
        .map_err(|e| format!("{}: {e}", program.display()))?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn options_are_parsed() {
        let options = parse(&words("--prefix out --target x86_64-unknown-linux-musl --no-ipc")).unwrap();
        assert_eq!(options.prefix, Path::new("out"));
        assert_eq!(options.target.as_deref(), Some("x86_64-unknown-linux-musl"));
        assert!(!options.ipc);
        assert_eq!(options.profile, "release");
        assert!(parse(&words("--target x")).unwrap_err().contains("--prefix"));
        assert!(parse(&words("--prefix")).unwrap_err().contains("needs a value"));
        assert!(parse(&words("--prefix a b")).is_err());
    }

    #[test]
    fn programs_go_where_the_wrapper_looks() {
        assert_eq!(place("groestlcoin"), "bin");
        assert_eq!(place("groestlcoind"), "bin");
        assert_eq!(place("groestlcoin-wallet"), "bin");
        assert_eq!(place("groestlcoin-node"), "libexec");
        let package = |name: &str, dir: &str| {
            let package = Package {
                name: name.into(),
                licence: None,
                dir: dir.into(),
                dependencies: vec![],
                member: true,
                default_member: true,
                build_script: None,
                programs: vec![name.into()],
            };
            (name.to_owned(), package)
        };
        let packages: HashMap<_, _> = [
            package("groestlcoin-node", "r/bin/groestlcoin-node"),
            package("groestlcoind", "r/bin/groestlcoind"),
            package("xtask", "r/xtask"),
        ]
        .into();
        let names = |ipc| programs(&packages, ipc).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(true), ["groestlcoin-node", "groestlcoind"]);
        assert_eq!(names(false), ["groestlcoind"]);
    }
}
