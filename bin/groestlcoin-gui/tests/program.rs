//! The program finds its node or says why not. Joining a real node is tested with the node.

#![allow(clippy::unwrap_used)]

use std::process::Command;

fn run(more: &[&str]) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_groestlcoin-gui"))
        .args(["-regtest", &format!("-datadir={}", dir.path().display())])
        .args(more)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

#[test]
fn it_says_who_it_is_and_what_is_missing() {
    let (success, text) = run(&["-version"]);
    assert!(success && text.starts_with("Groestlcoin Core version v31.0.0 groestlcoin-gui\n"), "{text}");
    let (success, text) = run(&["-help"]);
    assert!(
        success && text.contains("-ipcconnect=<address>") && text.contains("-resetguisettings"),
        "{text}"
    );
    for without in [&[][..], &["-ipcconnect=auto"], &["-noipcconnect"], &["-min", "-lang=de"]] {
        let (success, text) = run(without);
        assert!(!success && text.contains("The window is not available"), "{without:?}: {text}");
        assert!(text.contains("groestlcoin-node -ipcbind=unix"), "{text}");
    }
    for wanted in [&["-ipcconnect"][..], &["-ipcconnect=unix"], &["-ipcconnect=unix:my.sock"]] {
        let (success, text) = run(wanted);
        assert!(!success && text.contains("there is no such socket"), "{wanted:?}: {text}");
    }
    let (success, text) = run(&["-ipcconnect=smoke"]);
    assert!(!success && text.contains("Unrecognized address 'smoke'"), "{text}");
}
