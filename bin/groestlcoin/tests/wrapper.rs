//! The wrapper finds and runs programs.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file is busy, and cannot be run, while a child that another test just forked still holds it open for writing.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A tree with the wrapper in `bin`, and scripts that print their own path and arguments.
struct Tree(tempfile::TempDir, #[allow(dead_code, reason = "held, not read")] MutexGuard<'static, ()>);

impl Tree {
    fn new() -> Self {
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = tempfile::tempdir().unwrap();
        for part in ["bin", "libexec", "data"] {
            std::fs::create_dir(dir.path().join(part)).unwrap();
        }
        let tree = Self(dir, guard);
        std::fs::copy(env!("CARGO_BIN_EXE_groestlcoin"), tree.path("bin/groestlcoin")).unwrap();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, name: &str) {
        let path = self.path(name);
        std::fs::write(&path, format!("#!/bin/sh\necho {name} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, wrapper: &Path, words: &[&str]) -> Output {
        Command::new(wrapper).args(words).env("HOME", self.path("data")).output().unwrap()
    }

    fn stdout(&self, words: &[&str]) -> String {
        let output = self.run(&self.path("bin/groestlcoin"), words);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn programs_are_found_beside_and_in_libexec() {
    let tree = Tree::new();
    for name in
        ["bin/groestlcoind", "bin/groestlcoin-node", "bin/groestlcoin-cli", "libexec/groestlcoin-node"]
    {
        tree.script(name);
    }
    assert_eq!(tree.stdout(&["node", "-regtest", "-x=1"]), "bin/groestlcoind -regtest -x=1\n");
    assert_eq!(tree.stdout(&["-m", "node", "-regtest"]), "libexec/groestlcoin-node -regtest\n");
    assert_eq!(tree.stdout(&["node", "-ipcbind=unix"]), "libexec/groestlcoin-node -ipcbind=unix\n");
    assert_eq!(tree.stdout(&["-M", "node", "-ipcbind=unix"]), "bin/groestlcoind -ipcbind=unix\n");
    assert_eq!(tree.stdout(&["rpc", "help"]), "bin/groestlcoin-cli -named help\n");
    let link = tree.path("data/grs");
    std::os::unix::fs::symlink(tree.path("bin/groestlcoin"), &link).unwrap();
    assert_eq!(tree.run(&link, &["node"]).stdout, b"bin/groestlcoind\n");
}

#[test]
fn failures_are_told() {
    let tree = Tree::new();
    let wrapper = tree.path("bin/groestlcoin");
    let error = |words: &[&str]| {
        let output = tree.run(&wrapper, words);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        let hint =
            format!("\nTry '{}' for more information.\n", format_args!("{} --help", wrapper.display()));
        text.strip_suffix(hint.as_str()).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(error(&["-x"]), "Error: Unknown option: -x");
    assert_eq!(error(&["nope"]), "Error: Unrecognized command: 'nope'");
    let missing = tree.path("bin/groestlcoin-tx");
    assert_eq!(
        error(&["tx"]),
        format!("Error: execvp failed to execute '{}': No such file or directory", missing.display())
    );
}

#[test]
fn help_and_version_are_shown() {
    let tree = Tree::new();
    assert!(tree.stdout(&["-v"]).starts_with("Groestlcoin Core version v31.0.0\n"));
    let help = tree.stdout(&["help"]);
    assert!(
        help.starts_with("Usage: groestlcoin [OPTIONS] COMMAND...\n") && help.contains("chainstate"),
        "{help}"
    );
    let bare = tree.run(&tree.path("bin/groestlcoin"), &[]);
    let text = String::from_utf8(bare.stdout).unwrap();
    assert_eq!(bare.status.code(), Some(1));
    assert!(
        text.ends_with("\nRun 'groestlcoin help' to see all commands.\n") && !text.contains("chainstate"),
        "{text}"
    );
}
