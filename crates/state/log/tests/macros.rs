//! The global logger through macros, tracing and threads. One test: the logger is global.

use std::sync::{Arc, Mutex};

use grs_log::{Category, LogOptions, debug, error, info, logger, trace, warn};

#[test]
fn macros_reach_the_logger() {
    let lines = Arc::new(Mutex::new(Vec::<String>::new()));
    let sink = Arc::clone(&lines);
    logger().add_callback(move |line| sink.lock().unwrap().push(line.to_owned()));
    let taken = || std::mem::take(&mut *lines.lock().unwrap());
    logger().set_options(LogOptions { timestamps: false, ..LogOptions::default() });
    info!("before the start {}", 1);
    assert!(taken().is_empty());
    logger().start().unwrap();
    assert_eq!(taken(), ["before the start 1\n"]);

    let peer = 3;
    warn!("peer={peer} {{}}");
    error!("{:?}", "quoted");
    debug!(Category::Net, "not enabled {}", unreachable());
    assert_eq!(taken(), ["[warning] peer=3 {}\n", "[error] \"quoted\"\n"]);

    logger().enable_category("net");
    debug!(Category::Net, "peer={peer}");
    trace!(Category::Net, "not enabled {}", unreachable());
    logger().set_category_level("net", "trace");
    trace!(Category::Net, "seen");
    debug!(Category::Tor, "not enabled {}", unreachable());
    assert_eq!(taken(), ["[net] peer=3\n", "[net:trace] seen\n"]);

    // Source locations name the function, closures included.
    logger().set_options(LogOptions { timestamps: false, source_locations: true, ..LogOptions::default() });
    let line = line!() + 1;
    let closure = || info!("here");
    closure();
    let expected = format!("[crates/state/log/tests/macros.rs:{line}] [macros_reach_the_logger] here\n");
    assert_eq!(taken(), [expected]);

    // Dependencies: warnings always, debug lines if their category is enabled.
    logger().set_options(LogOptions { timestamps: false, ..LogOptions::default() });
    tracing::warn!(target: "mio::poll", code = 5, "odd");
    tracing::info!(target: "mio::poll", "quiet");
    tracing::debug!(target: "hyper::proto", "quiet");
    logger().enable_category("http");
    tracing::debug!(target: "hyper::proto", bytes = 5, name = "x", "read");
    assert_eq!(taken(), ["[warning] odd code=5\n", "[http] read bytes=5 name=x\n"]);

    grs_sync::thread::spawn("addcon", || info!("working")).unwrap().join().unwrap();
    assert_eq!(taken(), ["addcon thread start\n", "working\n", "addcon thread exit\n"]);
    assert!(grs_sync::thread::spawn("addcon", || panic!("oops")).unwrap().join().is_err());
    assert_eq!(taken(), ["addcon thread start\n", "[error] Panic in addcon thread: oops\n"]);
}

fn unreachable() -> u32 {
    panic!("arguments of disabled lines are not evaluated")
}
