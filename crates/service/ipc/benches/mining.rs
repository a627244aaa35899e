//! What the mining interface of a running node costs a client: this project's node or the reference's.
//!
//! `cargo bench -p grs-ipc --bench mining -- <socket> [<socket>...]`, with the sockets of nodes started with
//! `-ipcbind=unix`. It measures getTip one call at a time and 16 in flight, createNewBlock and getBlock; the nodes should
//! have the same mempool. Several sockets are measured in turns, five rounds, so that a busy machine hits all alike; it
//! prints each node's best round.
//!
//! createNewBlock is measured twice: as clients call it, where this project's node gives out the last template again as
//! long as neither tip nor mempool have changed, and with other options in each call, so that every one is assembled.

#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use capnp::capability::Promise;
use futures::stream::{FuturesUnordered, StreamExt};
use grs_ipc::Ipc;
use grs_ipc_schema::init_capnp::init;
use grs_ipc_schema::mining_capnp::{block_template, mining};
use grs_mp::proxy_capnp::{thread, thread_map};
use grs_mp::{Connection, Remote};

const ROUNDS: usize = 5;
const SINGLE: u32 = 3_000;
const FLIGHT: u32 = 20_000;
const IN_FLIGHT: usize = 16;
const TEMPLATES: u32 = 20;
const BLOCKS: u32 = 40;

thread_local! {
    /// The node's thread map, on the IPC thread.
    static THREADS: RefCell<Option<thread_map::Client>> = const { RefCell::new(None) };
}

/// Microseconds of one call in a round.
#[derive(Clone, Copy)]
struct Round {
    single: f64,
    flight: f64,
    create: f64,
    assemble: f64,
    block: f64,
    bytes: usize,
}

impl Round {
    /// Each figure the better of both.
    fn best(self, other: Round) -> Round {
        Round {
            single: self.single.min(other.single),
            flight: self.flight.min(other.flight),
            create: self.create.min(other.create),
            assemble: self.assemble.min(other.assemble),
            block: self.block.min(other.block),
            bytes: other.bytes,
        }
    }
}

fn connect(ipc: &Ipc, path: &str) -> Remote<init::Client> {
    let stream = UnixStream::connect(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let remote = Connection::connect(&ipc.handle(), stream, |client: &init::Client, threads| {
        let mut request = client.construct_request();
        request.get().set_thread_map(threads);
        let answer = request.send();
        let promise = answer.promise;
        let map = answer.pipeline.get_thread_map();
        THREADS.with(|threads| *threads.borrow_mut() = Some(map.clone()));
        (map, Promise::from_future(async move { promise.await.map(|_| ()) }))
    });
    remote.unwrap()
}

async fn make_thread() -> capnp::Result<thread::Client> {
    let map = THREADS.with(|threads| threads.borrow().clone()).unwrap();
    let mut request = map.make_thread_request();
    request.get().set_name("bench");
    request.send().promise.await?.get()?.get_result()
}

async fn get_tip(mining: &mining::Client, thread: &thread::Client) -> capnp::Result<i32> {
    let mut request = mining.get_tip_request();
    request.get().init_context().set_thread(thread.clone());
    Ok(request.send().promise.await?.get()?.get_result()?.get_height())
}

async fn create(
    mining: &mining::Client,
    thread: &thread::Client,
    sigops: u64,
) -> capnp::Result<block_template::Client> {
    let mut request = mining.create_new_block_request();
    let mut p = request.get();
    p.reborrow().init_context().set_thread(thread.clone());
    p.reborrow().init_options().set_coinbase_output_max_additional_sigops(sigops);
    p.set_cooldown(false);
    request.send().promise.await?.get()?.get_result()
}

async fn destroy(template: block_template::Client, thread: &thread::Client) -> capnp::Result<()> {
    let mut request = template.destroy_request();
    request.get().init_context().set_thread(thread.clone());
    request.send().promise.await.map(|_| ())
}

fn each(begin: Instant, calls: u32) -> f64 {
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

/// Everything runs on the IPC thread, so that the figures are the node's and not those of handing calls over here.
async fn round(init: init::Client) -> capnp::Result<Round> {
    let thread = make_thread().await?;
    let mut request = init.make_mining_request();
    request.get().init_context().set_thread(thread.clone());
    let mining = request.send().promise.await?.get()?.get_result()?;

    let begin = Instant::now();
    for _ in 0..SINGLE {
        get_tip(&mining, &thread).await?;
    }
    let single = each(begin, SINGLE);

    let mut threads = Vec::new();
    for _ in 0..IN_FLIGHT {
        threads.push(make_thread().await?);
    }
    let mut flying: FuturesUnordered<_> = threads
        .iter()
        .map(|thread| async {
            for _ in 0..FLIGHT / IN_FLIGHT as u32 {
                get_tip(&mining, thread).await?;
            }
            capnp::Result::Ok(())
        })
        .collect();
    let begin = Instant::now();
    while let Some(done) = flying.next().await {
        done?;
    }
    let flight = each(begin, FLIGHT);

    let mut times = [0.0; 2];
    for (other_options, time) in [false, true].into_iter().zip(&mut times) {
        let begin = Instant::now();
        for n in 0..TEMPLATES {
            let sigops = if other_options { 400 + u64::from(n % 2) } else { 400 };
            destroy(create(&mining, &thread, sigops).await?, &thread).await?;
        }
        *time = each(begin, TEMPLATES);
    }

    let template = create(&mining, &thread, 400).await?;
    let mut bytes = 0;
    let begin = Instant::now();
    for _ in 0..BLOCKS {
        let mut request = template.get_block_request();
        request.get().init_context().set_thread(thread.clone());
        bytes = request.send().promise.await?.get()?.get_result()?.len();
    }
    let block = each(begin, BLOCKS);
    destroy(template, &thread).await?;
    Ok(Round { single, flight, create: times[0], assemble: times[1], block, bytes })
}

fn main() {
    let sockets: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if sockets.is_empty() {
        println!("skipped: give the sockets of nodes");
        return;
    }
    let mut best: Vec<Option<Round>> = vec![None; sockets.len()];
    for _ in 0..ROUNDS {
        for (socket, best) in sockets.iter().zip(&mut best) {
            let ipc = Ipc::start("bench").unwrap();
            let made = connect(&ipc, socket).call(|init, _| round(init)).unwrap();
            *best = Some(best.map_or(made, |known| known.best(made)));
        }
    }
    println!(
        "{:>14} {:>14} {:>16} {:>16} {:>12} {:>10}  us each",
        "getTip", "16 in flight", "createNewBlock", "other options", "getBlock", "bytes"
    );
    for (socket, best) in sockets.iter().zip(best) {
        let Some(b) = best else { continue };
        println!(
            "{:>14.1} {:>14.1} {:>16.1} {:>16.1} {:>12.1} {:>10}  {socket}",
            b.single, b.flight, b.create, b.assemble, b.block, b.bytes
        );
    }
}
