//! What a call across processes costs, beside what the system charges for waking the other side.
//!
//! `cargo bench -p grs-ipc --bench calls`. The program starts itself as its child with `-ipcfd` and measures with both
//! processes pinned to one core (a wake-up of another, idle core costs more than the whole call) and without. It prints
//! medians and 99th percentiles in microseconds, and rates.

#![allow(clippy::unwrap_used)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::collections::VecDeque;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use capnp::capability::Promise;
use grs_interfaces::{Chain, ChainNotifications, ChainstateRole, Echo, Hello, Init, Role};
use grs_ipc::{Connection, Ipc, IpcAddress, inherited_fd_argument, take_inherited_stream};
use grs_mp::Remote;
use kit::{FakeChain, FakeInit, Recorder, args, request};

/// A part of the sorted times, such as 0.5 for the median, in microseconds.
fn percentile(times: &[Duration], part: f64) -> f64 {
    let at = (times.len() as f64 * part) as usize;
    times[at.min(times.len() - 1)].as_secs_f64() * 1e6
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
    times.sort_unstable();
    println!(
        "  {name:<58} {:>8.1} us {:>8.1} us p99 {:>9.0} calls/s",
        percentile(&times, 0.5),
        percentile(&times, 0.99),
        rounds as f64 / total
    );
}

fn rate(name: &str, rate: f64, unit: &str) {
    println!("  {name:<58} {:>25} {rate:>9.0} {unit}", "");
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
    rate("Chain.getHeight, 16 threads", f64::from(threads * each) / begin.elapsed().as_secs_f64(), "calls/s");
    child.init.connection().close();
}

type Root = grs_ipc_schema::init_capnp::init::Client;

/// A client from the schemas alone, without proxies: what a program of others does.
fn plain_client(ipc: &Ipc, stream: UnixStream) -> Remote<Root> {
    Connection::connect(&ipc.handle(), stream, |client: &Root, threads| {
        let mut request = client.construct_request();
        request.get().set_thread_map(threads);
        let answer = request.send();
        let map = answer.pipeline.get_thread_map();
        let promise = answer.promise;
        (map, Promise::from_future(async move { promise.await.map(|_| ()) }))
    })
    .unwrap()
}

/// Calls/s with so many calls on the way at any time, from one client.
fn in_flight(name: &str, remote: &Remote<Root>, depth: usize, rounds: usize) {
    let elapsed = remote.call(move |client, call| async move {
        let mut request = client.make_echo_request();
        call.context(request.get().init_context())?;
        let echo = call.send(request).await?.get()?.get_result()?;
        let send = || {
            let mut request = echo.echo_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            p.set_echo("0123456789abcdef");
            let answer = call.send(request);
            let answer: Pin<Box<dyn Future<Output = capnp::Result<()>>>> =
                Box::pin(async move { answer.await.map(drop) });
            Ok::<_, capnp::Error>(answer)
        };
        let mut waiting: VecDeque<Pin<Box<dyn Future<Output = capnp::Result<()>>>>> = VecDeque::new();
        let begin = Instant::now();
        for n in 0..rounds + depth {
            if n >= depth
                && let Some(first) = waiting.pop_front()
            {
                first.await?;
            }
            if n < rounds {
                waiting.push_back(send()?);
            }
        }
        Ok(begin.elapsed())
    });
    rate(name, rounds as f64 / elapsed.unwrap().as_secs_f64(), "calls/s");
}

/// Calls and blocks over a stream the other end of which is served by a child of this program.
fn streams() {
    let ipc = Ipc::start("bench").unwrap();
    let (process, stream) = grs_mp::spawn(&std::env::current_exe().unwrap()).unwrap();
    let remote = plain_client(&ipc, stream);
    for depth in [1, 16] {
        in_flight(&format!("socket pair: Echo.echo, {depth} in flight"), &remote, depth, 40_000);
    }
    block_transfer(&remote);
    remote.connection().close();
    process.wait(Duration::from_secs(5)).unwrap();
}

/// Megabytes of text there and back.
fn block_transfer(remote: &Remote<Root>) {
    let rounds = 200;
    let elapsed = remote.call(move |client, call| async move {
        let mut request = client.make_echo_request();
        call.context(request.get().init_context())?;
        let echo = call.send(request).await?.get()?.get_result()?;
        let text = "x".repeat(1 << 20);
        let begin = Instant::now();
        for _ in 0..rounds {
            let mut request = echo.echo_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            p.set_echo(&text);
            call.send(request).await.map(drop)?;
        }
        Ok(begin.elapsed())
    });
    rate(
        "socket pair: 1 MB there and back",
        2.0 * f64::from(rounds) / elapsed.unwrap().as_secs_f64(),
        "MB/s",
    );
}

/// The same calls in this process, and over a socket with a path.
fn bound() {
    let folder = tempfile::tempdir().unwrap();
    let init: Arc<dyn Init> = Arc::new(FakeInit { chain: FakeChain::new(), role: Role::Node });
    let chain = init.make_chain().unwrap();
    measure("in process: Chain.getHeight", 20_000, || {
        black_box(chain.get_height().unwrap());
    });
    let address = IpcAddress::parse("unix:s", folder.path()).unwrap();
    let server = Ipc::start("server").unwrap();
    let _bound = server.bind(&address, init).unwrap();
    let client = Ipc::start("client").unwrap();
    let remote = client.connect(&address).unwrap();
    kit::greet(&remote);
    let chain = remote.make_chain().unwrap();
    measure("bound socket: Chain.getHeight", 20_000, || {
        black_box(chain.get_height().unwrap());
    });
    let remote = plain_client(&client, UnixStream::connect(folder.path().join("s")).unwrap());
    in_flight("bound socket: Echo.echo, 16 in flight", &remote, 16, 40_000);
}

fn notifications() {
    let fake = FakeChain::new();
    let (server, client) = (Ipc::start("node").unwrap(), Ipc::start("wallet").unwrap());
    let (near, far) = UnixStream::pair().unwrap();
    server.serve_stream(far, Arc::new(FakeInit { chain: fake.clone(), role: Role::Node })).unwrap();
    let init = client.connect_stream(near).unwrap();
    kit::greet(&init);
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
    self::rate("blockConnected of one-transaction blocks, to the wallet", rate, "blocks/s");
}

fn main() {
    let list: Vec<_> = std::env::args_os().collect();
    if list.get(1).is_some_and(|arg| arg == "-bare") {
        return bare_child();
    }
    if let Some(fd) = inherited_fd_argument(&list) {
        let stream = take_inherited_stream(fd.unwrap()).unwrap();
        let init = FakeInit { chain: FakeChain::new(), role: Role::Wallet };
        let ipc = Ipc::start("groestlcoin-wallet").unwrap();
        return ipc.serve_until_closed(stream, Arc::new(init)).unwrap();
    }
    for (name, core) in [("both processes on one core", Some(0)), ("on all cores", None)] {
        println!("{name}:");
        pin(core);
        bare_socket();
        bound();
        streams();
        calls();
        notifications();
    }
}
