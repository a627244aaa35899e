//! What a bad client can do, and what it gets: an error that names the limit, and nothing of it stays.
//!
//! The tests of this program look at the whole process (memory, descriptors), so they run one at a time.

#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grs_mp::{EventLoop, Limit, Limits, Listener};
// The generated code names it from here.
use grs_mp::proxy_capnp;

#[path = "../contract/contract_capnp.rs"]
#[allow(clippy::all, clippy::unwrap_used, clippy::unimplemented, unused)]
#[rustfmt::skip]
mod contract_capnp;
mod mutation;
mod raw;
#[path = "../contract/support.rs"]
#[allow(dead_code, reason = "shared with the contract tests, which use more of it")]
mod support;

use raw::*;
use support::{Shared, eventually, hits, root_client, start_server};

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server with a listening socket.
struct Bound {
    folder: tempfile::TempDir,
    server: EventLoop,
    shared: Arc<Shared>,
    _listener: Listener,
    _alone: MutexGuard<'static, ()>,
}

impl Bound {
    fn new(limits: Limits) -> Bound {
        let alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixListener::bind(folder.path().join("s")).unwrap();
        let server = start_server(Limits::default());
        let shared = Arc::new(Shared::default());
        let served = shared.clone();
        let listener = Listener::start(&server.handle(), socket, limits, move |session| {
            root_client(session, served.clone())
        })
        .unwrap();
        Bound { folder, server, shared, _listener: listener, _alone: alone }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("s")).unwrap()
    }

    fn hits(&self, limit: Limit) -> u64 {
        hits(&self.server.handle().stats(), limit)
    }

    /// Everything that clients had is gone, and a new one is served.
    fn at_rest(&self) {
        eventually("rest", || {
            let stats = self.server.handle().stats();
            (stats.connections, stats.threads, stats.objects, stats.calls) == (0, 0, 0, 0)
        });
        assert_eq!(self.server.handle().stats().panics, 0);
        // The socket may still have connections to accept of which the client has gone; they take places.
        eventually("service", || self.serves_a_good_client());
        eventually("end of the good client", || self.server.handle().stats().connections == 0);
    }

    fn serves_a_good_client(&self) -> bool {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write(&mut stream, &[greeting(), echo(3, 0, Some(Cap::Answer(2)), "good client")].concat());
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !seen.windows(11).any(|text| text == b"good client") {
            match stream.read(&mut buffer) {
                Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
                _ => return false,
            }
        }
        true
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Memory of the process in use, in bytes.
fn memory() -> u64 {
    let pages: u64 =
        std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn a_thousand_connects_and_disconnects() {
    let bound = Bound::new(Limits::default());
    bound.at_rest();
    let before = descriptors();
    for n in 0..1000 {
        let mut stream = bound.connect();
        let data = greeting();
        // Silent, cut somewhere, or complete.
        write(&mut stream, &data[..[0, 4, 17, data.len() / 2, data.len()][n % 5]]);
    }
    bound.at_rest();
    eventually("descriptors", || descriptors() <= before);
    assert!(bound.server.handle().stats().connections_total > 500);
}

#[test]
fn three_hundred_threads_on_one_connection() {
    let bound = Bound::new(Limits::default());
    let mut stream = bound.connect();
    let mut data = [bootstrap(0), construct(1, 0)].concat();
    for n in 0..300 {
        data.extend(make_thread(10 + n, 1, &format!("thread {n}")));
        data.extend(work(1000 + n, 0, 10 + n, n, 10));
    }
    assert!(write(&mut stream, &data));
    eventually("execution", || bound.shared.started.lock().unwrap().len() == 300);
    assert_eq!(bound.server.handle().stats().threads, 300);
    drop(stream);
    bound.at_rest();
}

#[test]
fn more_threads_than_allowed_are_refused() {
    let bound = Bound::new(Limits { max_threads: 10, ..Limits::default() });
    let mut stream = bound.connect();
    let mut data = [bootstrap(0), construct(1, 0)].concat();
    (0..50).for_each(|n| data.extend(make_thread(10 + n, 1, "x")));
    assert!(write(&mut stream, &data));
    eventually("refusals", || bound.hits(Limit::Threads) == 40);
    assert_eq!(bound.server.handle().stats().threads, 10);
    drop(stream);
    bound.at_rest();
}

#[test]
fn ten_thousand_abandoned_calls() {
    let bound = Bound::new(Limits::default());
    let mut stream = bound.connect();
    assert!(write(&mut stream, &greeting()));
    // The first keeps the thread busy; the others wait for it and are given up.
    assert!(write(&mut stream, &work(3, 0, 2, 0, 300)));
    let before = memory();
    for n in 0..10_000 {
        assert!(write(&mut stream, &[work(10 + n, 0, 2, 1 + n, 0), finish(10 + n)].concat()));
    }
    eventually("all calls", || bound.server.handle().stats().calls_total >= 10_001);
    eventually("end of all calls", || bound.server.handle().stats().calls == 0);
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for calls that are no more");
    assert!(bound.server.handle().stats().calls_cancelled > 0);
    drop(stream);
    bound.at_rest();
    // Those of which the end was known before they were executed were not.
    assert!(bound.shared.started.lock().unwrap().len() < 10_000);
}

#[test]
fn announcing_much_and_sending_little() {
    let bound = Bound::new(Limits { message_time: Duration::from_millis(400), ..Limits::default() });
    let before = memory();
    let mut streams: Vec<UnixStream> = (0..10).map(|_| bound.connect()).collect();
    for stream in &mut streams {
        // 64 MiB in one segment, and then a tenth of a MiB.
        let mut data = vec![0, 0, 0, 0, 0, 0, 0x80, 0];
        data.resize(100 << 10, 1);
        write(stream, &data);
    }
    eventually("connections", || bound.server.handle().stats().connections == 10);
    let grown = memory().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes for promises");
    for stream in &mut streams {
        assert_eq!(read_abort(stream).as_deref(), Some(Limit::MessageTime.text()));
    }
    assert_eq!(bound.hits(Limit::MessageTime), 10);
    bound.at_rest();
}

#[test]
fn silence() {
    let bound = Bound::new(Limits { construct_time: Duration::from_millis(300), ..Limits::default() });
    let (mut silent, mut half, mut whole) = (bound.connect(), bound.connect(), bound.connect());
    write(&mut half, &bootstrap(0));
    write(&mut whole, &greeting());
    assert_eq!(read_abort(&mut silent).as_deref(), Some(Limit::Construct.text()));
    assert_eq!(read_abort(&mut half).as_deref(), Some(Limit::Construct.text()));
    // Who has said what is needed may be silent.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(bound.server.handle().stats().connections, 1);
    drop(whole);
    bound.at_rest();
}

#[test]
fn more_connections_than_allowed_are_told_so() {
    let bound = Bound::new(Limits { max_connections: 3, ..Limits::default() });
    let mut streams: Vec<UnixStream> = (0..3).map(|_| bound.connect()).collect();
    eventually("connections", || bound.server.handle().stats().connections == 3);
    for _ in 0..5 {
        assert_eq!(read_abort(&mut bound.connect()).as_deref(), Some(Limit::Connections.text()));
    }
    assert_eq!(bound.hits(Limit::Connections), 5);
    streams.pop();
    eventually("a free place", || bound.server.handle().stats().connections == 2);
    streams.clear();
    bound.at_rest();
}

#[test]
fn answers_that_nobody_reads() {
    let limits = Limits { max_unread: 1 << 20, write_time: Duration::from_millis(700), ..Limits::default() };
    let bound = Bound::new(limits);
    let before = memory();
    let mut stream = bound.connect();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    use std::io::Write;
    stream.write_all(&greeting()).unwrap();
    // A gigabyte of answers.
    for n in 0..16_384 {
        if stream.write_all(&bytes(10 + n, 0, 2, 1 << 16)).is_err() {
            break;
        }
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for answers");
    eventually("end of patience", || bound.hits(Limit::WriteTime) == 1);
    assert!(bound.hits(Limit::Unread) > 0);
    drop(stream);
    bound.at_rest();
}

#[test]
fn a_slow_reader_gets_everything() {
    let limits = Limits { max_unread: 1 << 18, ..Limits::default() };
    let bound = Bound::new(limits);
    let mut stream = bound.connect();
    let mut writer = stream.try_clone().unwrap();
    let asking = std::thread::spawn(move || {
        assert!(write(&mut writer, &greeting()));
        (0..200).for_each(|n| assert!(write(&mut writer, &bytes(10 + n, 0, 2, 1 << 16))));
    });
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut got = 0;
    let mut buffer = vec![0; 1 << 16];
    while got < 200 << 16 {
        got += stream.read(&mut buffer).unwrap();
        std::thread::sleep(Duration::from_micros(200));
    }
    asking.join().unwrap();
    drop(stream);
    bound.at_rest();
}

#[test]
fn malformed_messages() {
    let bound = Bound::new(Limits { max_message: 1 << 20, ..Limits::default() });
    let mut segments = 511_u32.to_le_bytes().to_vec();
    segments.resize(4 + 512 * 4 + 4, 0);
    let abort = |data: &[u8]| {
        let mut stream = bound.connect();
        write(&mut stream, data);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        read_abort(&mut stream)
    };
    assert_eq!(abort(&segments).as_deref(), Some(Limit::Segments.text()));
    assert_eq!(abort(&[0xff; 64]).as_deref(), Some(Limit::Segments.text()));
    assert_eq!(abort(&[0, 0, 0, 0, 1, 0, 2, 0]).as_deref(), Some(Limit::Message.text()));
    assert!(abort(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").is_some());
    assert!(abort(&finish(7)).is_none_or(|text| !text.is_empty()));
    // A call of a question that is not there, twice the same question, and an answer that nobody asked for.
    assert!(abort(&[bootstrap(0), echo(1, 9, None, "x"), echo(1, 9, None, "x")].concat()).is_some());
    assert!(abort(&encode(|message| message.init_return().set_answer_id(3))).is_some());
    bound.at_rest();
}

#[test]
fn calls_that_are_never_finished() {
    let bound = Bound::new(Limits { max_unfinished: 20, ..Limits::default() });
    let mut stream = bound.connect();
    let data: Vec<u8> = (10..40).flat_map(|n| make_object(n, 0)).collect();
    assert!(write(&mut stream, &[greeting(), data].concat()));
    assert_eq!(read_abort(&mut stream).as_deref(), Some(Limit::Unfinished.text()));
    bound.at_rest();
}

#[test]
fn much_data_in_calls_that_wait() {
    let bound = Bound::new(Limits { max_held: 1 << 20, ..Limits::default() });
    let mut stream = bound.connect();
    assert!(write(&mut stream, &[greeting(), work(3, 0, 2, 1, 500)].concat()));
    let text = "x".repeat(100_000);
    for n in 0..20 {
        if !write(&mut stream, &echo(10 + n, 0, Some(Cap::Answer(2)), &text)) {
            break;
        }
    }
    assert_eq!(read_abort(&mut stream).as_deref(), Some(Limit::Held.text()));
    bound.at_rest();
}

#[test]
fn disconnect_in_every_phase() {
    let bound = Bound::new(Limits::default());
    let before = descriptors();
    let messages = session();
    for count in 0..=messages.len() {
        let whole: Vec<u8> = messages[..count].concat();
        let next = messages.get(count).map_or(0, Vec::len);
        for part in [0, 1, 7, next / 2] {
            let mut stream = bound.connect();
            let data =
                [&whole[..], messages.get(count).map_or(&[][..], |message| &message[..part.min(next)])]
                    .concat();
            assert!(write(&mut stream, &data));
            if part == 7 {
                // Some time for the calls to run.
                std::thread::sleep(Duration::from_millis(3));
            }
        }
        eventually("room", || bound.server.handle().stats().connections < 8);
    }
    bound.at_rest();
    eventually("descriptors", || descriptors() <= before);
    eventually("objects", || bound.shared.objects.load(std::sync::atomic::Ordering::Acquire) == 0);
}

#[test]
fn an_idle_pair_uses_no_processor() {
    let _alone = alone();
    let pair = support::pair();
    support::echo(&pair.root, "x").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    // Times in the state of each thread, in hundredths of a second.
    let ticks = || -> u64 {
        std::fs::read_dir("/proc/self/task")
            .unwrap()
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok())
            .filter(|stat| stat.contains("-capnp-loop"))
            .map(|stat| {
                let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
                fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
            })
            .sum()
    };
    let (before, begin) = (ticks(), Instant::now());
    std::thread::sleep(Duration::from_millis(1500));
    let used = ticks() - before;
    assert!(used <= 2, "{used} ticks in {:?}", begin.elapsed());
}
