//! What a call across processes costs, beside what the system charges for waking the other side.
//!
//! `cargo bench -p grs-ipc --bench calls`. The program starts itself as its child with `-ipcfd` and measures with both
//! processes pinned to one core (a wake-up of another, idle core costs more than the whole call) and without. It prints
//! medians in microseconds.

#![allow(clippy::unwrap_used)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_interfaces::{Chain, ChainNotifications, ChainstateRole, Echo, Hello, Init, Role};
use grs_ipc::{Ipc, inherited_fd_argument, take_inherited_stream};
use kit::{FakeChain, FakeInit, Recorder, args, request};

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn measure(name: &str, rounds: usize, mut call: impl FnMut()) {
    for _ in 0..rounds / 10 {
        call();
    }
    let mut times = Vec::with_capacity(rounds);
    let begin = Instant::now();
    for _ in 0..rounds {
        let one = Instant::now();
        call();
        times.push(one.elapsed());
    }
    let total = begin.elapsed().as_secs_f64();
    println!("  {name:<58} {:>8.1} us   {:>9.0} calls/s", median(times), rounds as f64 / total);
}

/// Pins this process, and the children it starts from now on.
fn pin(core: Option<usize>) {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    match core {
        Some(core) => set.set(core),
        None => (0..CpuSet::MAX_CPU).for_each(|core| set.set(core)),
    }
    if let Err(error) = sched_setaffinity(None, &set) {
        println!("  cannot pin: {error}");
    }
}

/// A child that only echoes 64-byte messages on its standard input, a socket.
fn bare_socket() {
    let (mut near, far) = UnixStream::pair().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .arg("-bare")
        .stdin(std::process::Stdio::from(std::os::fd::OwnedFd::from(far)))
        .spawn()
        .unwrap();
    let mut buffer = [1_u8; 64];
    measure("bare socket pair, 64 bytes there and back", 20_000, || {
        near.write_all(&buffer).unwrap();
        near.read_exact(&mut buffer).unwrap();
    });
    drop(near);
    child.wait().unwrap();
}

fn bare_child() {
    let mut socket = take_inherited_stream(0).unwrap();
    let mut buffer = [0; 64];
    while socket.read_exact(&mut buffer).is_ok() {
        socket.write_all(&buffer).unwrap();
    }
}

fn calls() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let mut hello = Hello::new(Role::Node, "bench");
    hello.network = "regtest".into();
    let child = ipc.spawn(&std::env::current_exe().unwrap(), &hello).unwrap();
    let fake = FakeChain::new();
    let chain: Arc<dyn Chain> = child.init.make_chain().unwrap();
    let echo: Arc<dyn Echo> = child.init.make_echo().unwrap();
    measure("Chain.getHeight, answered on the IPC thread", 20_000, || {
        black_box(chain.get_height().unwrap());
    });
    measure("Echo.echo, with thread context, on the IPC thread", 20_000, || {
        black_box(echo.echo("0123456789abcdef").unwrap());
    });
    measure("Chain.mempoolMinFee, handed to a worker thread", 20_000, || {
        black_box(chain.mempool_min_fee().unwrap());
    });
    let loader = child.init.make_wallet_loader(args(), fake.clone()).unwrap();
    loader.register_rpcs().unwrap();
    measure("forwarded RPC without callback", 5_000, || {
        black_box(fake.run_rpc(request("sendall", "[]")).unwrap());
    });
    measure("forwarded RPC that calls the node back on the IPC thread", 5_000, || {
        black_box(fake.run_rpc(request("sendall", "[\"height\"]")).unwrap());
    });
    measure("forwarded RPC that calls the node back on its thread", 5_000, || {
        black_box(fake.run_rpc(request("sendall", "[\"fee\"]")).unwrap());
    });
    let begin = Instant::now();
    let (threads, each) = (16, 2_000);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..each).for_each(|_| assert!(black_box(chain.get_height()).is_ok())));
        }
    });
    let rate = f64::from(threads * each) / begin.elapsed().as_secs_f64();
    println!("  {:<58} {:>8} {:>14.0} calls/s", "Chain.getHeight, 16 threads", "", rate);
    child.init.connection().close();
}

fn notifications() {
    let fake = FakeChain::new();
    let (server, client) = (Ipc::start("node").unwrap(), Ipc::start("wallet").unwrap());
    let (near, far) = UnixStream::pair().unwrap();
    server.serve_stream(far, Arc::new(FakeInit { chain: fake.clone(), role: Role::Node })).unwrap();
    let init = client.connect_stream(near).unwrap();
    let chain = init.make_chain().unwrap();
    let recorder: Arc<dyn ChainNotifications> = Arc::new(Recorder::default());
    let _handler = chain.handle_notifications(recorder).unwrap();
    let info = fake.info(1);
    let count = 100_000;
    let begin = Instant::now();
    for _ in 0..count {
        fake.notify(|to| to.block_connected(ChainstateRole::NORMAL, &info)).unwrap();
    }
    chain.wait_for_notifications().unwrap();
    let rate = f64::from(count) / begin.elapsed().as_secs_f64();
    println!(
        "  {:<58} {:>8} {:>14.0} blocks/s",
        "blockConnected of one-transaction blocks, to the wallet", "", rate
    );
}

fn main() {
    let list: Vec<_> = std::env::args_os().collect();
    if list.get(1).is_some_and(|arg| arg == "-bare") {
        return bare_child();
    }
    if let Some(fd) = inherited_fd_argument(&list) {
        let stream = take_inherited_stream(fd.unwrap()).unwrap();
        let init = FakeInit { chain: FakeChain::new(), role: Role::Wallet };
        Ipc::start("groestlcoin-wallet").unwrap().serve_until_closed(stream, Arc::new(init)).unwrap();
        return;
    }
    for (name, core) in [("both processes on one core", Some(0)), ("on all cores", None)] {
        println!("{name}:");
        pin(core);
        bare_socket();
        calls();
        notifications();
    }
}
