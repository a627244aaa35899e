//! The program starts and says who it is.

use std::process::Command;

#[test]
fn version() {
    let dir = std::env::temp_dir().join(format!("groestlcoin-wallet-version-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let data_dir = format!("-datadir={}", dir.display());
    let output = Command::new(env!("CARGO_BIN_EXE_groestlcoin-wallet"))
        .args(["-version", &data_dir])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("Groestlcoin Core"), "{text}");
    assert!(text.contains("v31.0.0"), "{text}");
}
