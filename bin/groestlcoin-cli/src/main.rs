//! Command-line RPC client.

use std::process::exit;

fn main() {
    let words: Vec<String> = std::env::args_os().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
    exit(grs_rpc_client::run(&words));
}
