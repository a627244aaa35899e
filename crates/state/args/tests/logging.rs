//! Options of the log, and arguments in the log. One test: the logger is global.
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::fs;

use grs_args::{
    ArgsManager, init_config, log_package_version, options, set_logging_categories, set_logging_level,
    set_logging_options, start_logging,
};
use grs_log::{Category, Level, logger};

fn args(argv: &[&str]) -> ArgsManager {
    let args = ArgsManager::new().declare(&options::node(false));
    args.parse_parameters(argv).unwrap();
    args
}

#[test]
fn logging_options() {
    assert_eq!(
        set_logging_level(&args(&["-loglevel=x"])),
        Err("Unsupported global logging level -loglevel=x. Valid values: info, debug, trace.".into())
    );
    let error = set_logging_level(&args(&["-loglevel=net:warning"])).unwrap_err();
    assert!(error.starts_with(
        "Unsupported category-specific logging level -loglevel=net:warning. Expected \
         -loglevel=<category>:<loglevel>. Valid categories: addrman, bench, "
    ));
    assert!(error.ends_with(", zmq. Valid loglevels: info, debug, trace."));
    assert!(set_logging_level(&args(&["-loglevel=net:debug:x"])).is_err());
    assert_eq!(
        set_logging_categories(&args(&["-debug=abc"])),
        Err("Unsupported logging category -debug=abc.".into())
    );
    assert_eq!(
        set_logging_categories(&args(&["-debugexclude=abc"])),
        Err("Unsupported logging category -debugexclude=abc.".into())
    );

    let dir = tempfile::tempdir().unwrap();
    let conf = "regtest=1\nrpcpassword=hidden1\n[regtest]\nserver=1\nfoo=1\n";
    fs::write(dir.path().join("groestlcoin.conf"), conf).unwrap();
    fs::create_dir(dir.path().join("regtest")).unwrap();
    fs::write(dir.path().join("regtest/settings.json"), r#"{"num": 5, "rpcuser": "hidden2", "prune": "1"}"#)
        .unwrap();
    let datadir = format!("-datadir={}", dir.path().display());
    let args = args(&[
        &datadir,
        "-noprinttoconsole",
        "-debug=tor",
        "-debug=none",
        "-debug",
        "-debugexclude=zmq",
        "-loglevel=trace",
        "-loglevel=net:debug",
        "-addnode=some.node",
        "-rpcauth=hidden3",
        "-torpassword=",
        "-nolisten=0",
        "-nosplash",
        "-logtimestamps=0",
    ]);
    init_config(&args, None).unwrap();
    set_logging_options(&args);
    set_logging_level(&args).unwrap();
    set_logging_categories(&args).unwrap();
    assert!(
        logger().will_log(Category::Tor, Level::Trace) && !logger().will_log(Category::Net, Level::Trace)
    );
    assert!(!logger().will_log(Category::Zmq, Level::Debug));
    assert_eq!(start_logging(&args), Ok(None));
    log_package_version("v31.0.0");
    let path = dir.path().join("regtest/debug.log");
    let text = fs::read_to_string(path).unwrap();
    for line in [
        "[warning] Parsed potentially confusing double-negative -listen=0\n",
        "[warning] Ignoring unknown configuration value regtest.foo\n",
        "[warning] Ignoring unknown rw_settings value num\n",
        "Log output may contain privacy-sensitive information. Be cautious when sharing logs.\n",
        "Config file arg: regtest=\"1\"\n",
        "Config file arg: rpcpassword=****\n",
        "Config file arg: [regtest] server=\"1\"\n",
        "Setting file arg: num = 5\n",
        "Command-line arg: addnode=\"some.node\"\n",
        "Command-line arg: rpcauth=****\n",
        "Command-line arg: torpassword=****\n",
        "Command-line arg: listen=true\n",
        "Command-line arg: splash=false\n",
        "Startup time: 20",
        "Groestlcoin Core version v31.0.0 (",
    ] {
        assert!(text.contains(line), "{line}\nnot in\n{text}");
    }
    let config = dir.path().join("groestlcoin.conf");
    assert!(text.contains(&format!("\nConfig file: {}\n", config.display())));
    assert!(text.contains(&format!("\nUsing data directory {}\n", dir.path().join("regtest").display())));
    assert!(!text.contains("hidden"));
}
