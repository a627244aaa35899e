//! The program without a display: what it prints, what it refuses, and that it starts no node it could not show.

#![allow(clippy::unwrap_used)]

use std::process::Command;

fn run(more: &[&str]) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_groestlcoin-gui"))
        .args(["-regtest", &format!("-datadir={}", dir.path().display())])
        .args(more)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(!dir.path().join("regtest/blocks").exists(), "a node was started: {text}");
    (output.status.success(), text)
}

#[test]
fn it_says_who_it_is() {
    let (success, text) = run(&["-version"]);
    assert!(success && text.starts_with("Groestlcoin Core version v31.0.0 groestlcoin-gui\n"), "{text}");
    let (success, text) = run(&["-help"]);
    assert!(success && text.contains("-resetguisettings") && text.contains("-choosedatadir"), "{text}");
    assert!(text.contains("-ipcconnect=<address>"), "{text}");
}

#[test]
fn it_refuses_what_makes_no_sense_and_says_that_there_is_no_display() {
    for (wrong, told) in [
        (&["-nonsense"][..], "Error parsing command line arguments: Invalid parameter -nonsense"),
        (&["groestlcoin:x", "-min"], "-min"),
        (&["nonsense"], "nonsense"),
        (&["-ipcconnect=smoke"], "Invalid -ipcconnect address 'smoke'"),
    ] {
        let (success, text) = run(wrong);
        assert!(!success && text.starts_with("Error: ") && text.contains(told), "{wrong:?}: {text}");
    }
    for fine in [&[][..], &["-min", "-lang=de", "-splash=0"], &["groestlcoin:grsrt1q"]] {
        let (success, text) = run(fine);
        assert!(!success && text.contains("The window could not be opened."), "{fine:?}: {text}");
    }
}
