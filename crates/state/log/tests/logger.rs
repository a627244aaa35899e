//! Outputs of loggers: buffer, file, format options, rate limit.
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grs_log::{Category, Level, LogOptions, Logger, Record, Source};

fn record<'a>(category: Option<Category>, level: Level, text: &'a str) -> Record<'a> {
    let source = Source { file: "net.rs", line: 7 };
    Record { category, level, source, function: "connect", text, rate_limit: level >= Level::Info }
}

fn captured(logger: &Logger) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    logger.add_callback(move |line| sink.lock().unwrap().push(line.to_owned()));
    lines
}

fn plain() -> LogOptions {
    LogOptions { timestamps: false, ..LogOptions::default() }
}

#[test]
fn levels_and_categories() {
    let logger = Logger::new();
    let will = |level| logger.will_log(Category::Net, level);
    assert!(will(Level::Info) && will(Level::Error) && !will(Level::Debug) && !will(Level::Trace));
    assert!(logger.default_shrink_debug_file());
    assert!(logger.enable_category("net") && !logger.enable_category("nonsense"));
    assert!(will(Level::Debug) && !will(Level::Trace) && !logger.will_log(Category::Tor, Level::Debug));
    assert!(!logger.default_shrink_debug_file());

    assert!(logger.set_level("trace") && !logger.set_level("error") && !logger.set_level("x"));
    assert!(will(Level::Trace));
    assert!(logger.set_category_level("net", "info"));
    assert!(!will(Level::Debug) && logger.category_enabled(Category::Net));
    assert!(!logger.set_category_level("net", "warning") && !logger.set_category_level("x", "info"));
    assert!(logger.set_category_level("net", "debug"));
    assert!(will(Level::Debug) && !will(Level::Trace));

    assert!(logger.enable_category("1"));
    assert!(logger.categories().iter().all(|(_, active)| *active));
    assert!(logger.will_log(Category::Tor, Level::Trace));
    assert!(logger.disable_category("tor") && !logger.will_log(Category::Tor, Level::Debug));
    assert!(logger.disable_category("all") && logger.default_shrink_debug_file());
}

#[test]
fn parts_of_a_line() {
    let logger = Logger::new();
    let lines = captured(&logger);
    logger.set_options(plain());
    logger.start().unwrap();
    grs_sync::thread::set_current_name("");
    logger.log(&record(None, Level::Info, "one\n"));
    logger.set_options(LogOptions { thread_names: true, ..plain() });
    logger.log(&record(Some(Category::Net), Level::Debug, "two"));
    grs_sync::thread::set_current_name("msghand");
    logger.set_options(LogOptions { thread_names: true, source_locations: true, ..plain() });
    logger.log(&record(Some(Category::Net), Level::Trace, "three\x1b[0m"));
    logger.set_options(LogOptions { always_print_category_level: true, ..plain() });
    logger.log(&record(None, Level::Warning, "four"));
    logger.set_options(LogOptions { time_micros: true, ..LogOptions::default() });
    logger.log(&record(None, Level::Error, "five"));
    let lines = lines.lock().unwrap().clone();
    assert_eq!(
        lines[..4],
        [
            "one\n",
            "[unknown] [net] two\n",
            "[msghand] [net.rs:7] [connect] [net:trace] three\\x1b[0m\n",
            "[all:warning] four\n",
        ]
    );
    let (time, rest) = lines[4].split_once(' ').unwrap();
    assert_eq!(rest, "[error] five\n");
    assert_eq!(time.len(), "2026-01-02T03:04:05.123456Z".len());
    assert!(time.starts_with("20") && time.ends_with('Z') && time.as_bytes()[19] == b'.');
}

#[test]
fn early_lines_are_kept_until_the_file_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("debug.log");
    let logger = Logger::new();
    logger.log(&record(None, Level::Info, "early"));
    let missing = dir.path().join("missing/debug.log");
    logger.set_options(LogOptions { print_to_file: true, file_path: missing, ..plain() });
    assert!(logger.start().is_err());
    logger.set_options(LogOptions { print_to_file: true, file_path: path.clone(), ..plain() });
    logger.start().unwrap();
    logger.start().unwrap();
    logger.log(&record(None, Level::Info, "late"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "\n\n\n\n\nearly\nlate\n");

    // Rotation.
    fs::rename(&path, dir.path().join("old")).unwrap();
    logger.log(&record(None, Level::Info, "to the old file"));
    logger.request_reopen();
    logger.log(&record(None, Level::Info, "new"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    assert!(fs::read_to_string(dir.path().join("old")).unwrap().ends_with("late\nto the old file\n"));
}

#[test]
fn an_overflowing_buffer_drops_the_oldest_lines() {
    let logger = Logger::new();
    let lines = captured(&logger);
    logger.set_options(plain());
    let long = "x".repeat(100_000);
    for n in 0..20 {
        logger.log(&record(None, Level::Info, &format!("{n} {long}")));
    }
    logger.start().unwrap();
    let lines = lines.lock().unwrap().clone();
    assert_eq!(
        lines[0],
        format!("Early logging buffer overflowed, {} log lines discarded.\n", 21 - lines.len())
    );
    assert!(lines.len() > 9 && lines.len() < 12);
    assert!(lines.last().unwrap().starts_with("19 x"));
}

#[test]
fn disabled_and_unheard_loggers_write_nothing() {
    let logger = Logger::new();
    logger.log(&record(None, Level::Info, "early"));
    logger.disable();
    logger.log(&record(None, Level::Info, "late"));
    let lines = captured(&logger);
    logger.start().unwrap();
    assert!(lines.lock().unwrap().is_empty());

    let logger = Logger::new();
    let first = Arc::new(Mutex::new(0));
    let count = Arc::clone(&first);
    let id = logger.add_callback(move |_| *count.lock().unwrap() += 1);
    logger.start().unwrap();
    logger.log(&record(None, Level::Info, "one"));
    logger.remove_callback(id);
    logger.log(&record(None, Level::Info, "two"));
    assert_eq!(*first.lock().unwrap(), 1);
}

#[test]
fn excessive_lines_are_kept_off_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("debug.log");
    let logger = Logger::new();
    let console = captured(&logger);
    logger.set_options(LogOptions { print_to_file: true, file_path: path.clone(), ..plain() });
    logger.start().unwrap();
    logger.set_rate_limit(Some((20, Duration::from_secs(3600))));
    for text in ["0123456789", "012345678", "last", "lost", "lost too"] {
        logger.log(&record(None, Level::Info, text));
    }
    // Neither debug lines nor other source lines are limited.
    logger.log(&record(Some(Category::Net), Level::Debug, "debug"));
    logger.reset_rate_limit();
    logger.log(&record(None, Level::Info, "again"));
    let file = fs::read_to_string(&path).unwrap();
    let expected = "0123456789\n\
        [*] [warning] Excessive logging detected from net.rs:7 (connect): >20 bytes logged during the last time \
        window of 3600s. Suppressing logging to disk from this source location until time window resets. Console \
        logging unaffected. Last log entry.\n\
        [*] 012345678\n\
        [*] [net] debug\n\
        [warning] Restarting logging from net.rs:7 (connect): 29 bytes were dropped during the last 3600s.\n\
        again\n";
    assert_eq!(file.trim_start_matches('\n'), expected);
    assert_eq!(console.lock().unwrap().iter().filter(|line| line.starts_with("[*] l")).count(), 3);
}

#[test]
fn a_long_file_is_cut_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("debug.log");
    let logger = Logger::new();
    logger.set_options(LogOptions { print_to_file: true, file_path: path.clone(), ..plain() });
    logger.shrink_debug_file().unwrap();
    fs::write(&path, vec![b'a'; 11_000_000]).unwrap();
    logger.shrink_debug_file().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 11_000_000);
    fs::write(&path, [vec![b'a'; 9_000_000], vec![b'b'; 2_000_001]].concat()).unwrap();
    logger.shrink_debug_file().unwrap();
    let rest = fs::read(&path).unwrap();
    assert_eq!(rest.len(), 10_000_000);
    assert_eq!(rest[7_999_998..8_000_000], *b"ab");
}
