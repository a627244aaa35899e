//! What the example says when it cannot work. The tests of `chain-client` run it against a node.

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bare-client")).args(args).output().expect("it was built with this test")
}

#[test]
fn errors_say_what_is_wrong() {
    let output = run(&[]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage: bare-client SOCKET"));
    let output = run(&["no/such/node.sock"]);
    assert!(!output.status.success() && output.stdout.is_empty());
}
