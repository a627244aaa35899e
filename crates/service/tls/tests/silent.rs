//! Peers that say nothing do not hold a place for long.

#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use grs_mp::{EventLoop, Limits, Listener, LoopOptions};
use grs_tls::{KeyFolder, TlsAcceptor};

#[test]
fn silent_peers_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let keys = KeyFolder::at(dir.path());
    keys.create().unwrap();
    let event_loop = EventLoop::start(LoopOptions::new("test")).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let open = move || Ok(TlsAcceptor::new(socket, keys)?.with_handshake_timeout(Duration::from_millis(200)));
    let options = Limits { max_connections: 1, ..Limits::default() };
    let bootstrap = |_: &_| unreachable!("nobody gets through the hand-shake");
    let _listener = Listener::start_over(&event_loop.handle(), open, options, bootstrap).unwrap();
    let begin = Instant::now();
    let ends = |mut socket: TcpStream| {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut rest = Vec::new();
        matches!(socket.read_to_end(&mut rest), Ok(0) | Err(_)) && begin.elapsed() < Duration::from_secs(15)
    };
    let first = TcpStream::connect(address).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    // A hand-shake takes one of the places already: the second is turned away at once.
    let second = TcpStream::connect(address).unwrap();
    assert!(ends(second));
    assert!(ends(first));
}
