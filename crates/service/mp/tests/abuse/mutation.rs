//! Random and mutated bytes: the same as the fuzz target of `grs-ipc`, for the runtime alone.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use grs_mp::{Connection, EventLoop, Limits};

use crate::raw::*;
use crate::support::{Shared, eventually, root_client, start_server};

/// A small generator of numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

fn feed(server: &EventLoop, data: &[u8]) {
    let (mut near, far) = UnixStream::pair().unwrap();
    Connection::serve(&server.handle(), far, |session| root_client(session, Arc::new(Shared::default())))
        .unwrap();
    write(&mut near, data);
    let _ = near.shutdown(std::net::Shutdown::Write);
    // An answer, an abort, or nothing; but an end.
    let _ = read_abort(&mut near);
}

fn mutate(random: &mut Random, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut messages = messages.to_vec();
    for _ in 0..=random.below(3) {
        let (a, b) = (random.below(messages.len()), random.below(messages.len()));
        match random.below(6) {
            0 => messages.swap(a, b),
            1 => messages.push(messages[a].clone()),
            2 => {
                messages.remove(a);
            }
            _ => {
                let message = &mut messages[a];
                for _ in 0..=random.below(4) {
                    let at = random.below(message.len());
                    // Small numbers are the more interesting ones: tags, sizes, questions.
                    message[at] = match random.below(3) {
                        0 => random.below(256) as u8,
                        1 => random.below(12) as u8,
                        _ => message[at] ^ (1 << random.below(8)),
                    };
                }
            }
        }
        if messages.is_empty() {
            break;
        }
    }
    messages.concat()
}

#[test]
fn random_and_mutated_bytes() {
    let _alone = super::alone();
    let limits =
        Limits { message_time: Duration::from_millis(500), max_message: 1 << 20, ..Limits::default() };
    let server = start_server(limits);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let messages = session();
    for _ in 0..1500 {
        feed(&server, &mutate(&mut random, &messages));
    }
    for _ in 0..300 {
        let noise: Vec<u8> = (0..random.below(600)).map(|_| random.below(256) as u8).collect();
        feed(&server, &noise);
        feed(&server, &[greeting(), noise].concat());
    }
    eventually("rest", || {
        let stats = server.handle().stats();
        (stats.connections, stats.threads, stats.objects, stats.calls) == (0, 0, 0, 0)
    });
    assert_eq!(server.handle().stats().panics, 0);
}
