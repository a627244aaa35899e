//! Example: asks a node for its tip with nothing of ours but the schemas.
//!
//! `cargo run -p bare-client -- ~/.groestlcoin/regtest/node.sock` works with our node and, through the reference's Mining
//! interface, with the reference's `groestlcoin-node`.

use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{RpcSystem, twoparty};
use futures::AsyncReadExt;
use grs_ipc_schema::init_capnp::init;
use tokio_util::compat::TokioAsyncReadCompatExt;

type Failure = Box<dyn std::error::Error>;

async fn tip(path: &str) -> Result<(), Failure> {
    let (reader, writer) = tokio::net::UnixStream::connect(path).await?.compat().split();
    let network =
        twoparty::VatNetwork::new(reader, writer, Side::Client, capnp::message::ReaderOptions::new());
    let mut rpc = RpcSystem::new(Box::new(network), None);
    let init: init::Client = rpc.bootstrap(Side::Server);
    tokio::task::spawn_local(rpc);

    // First call: exchange of thread factories. Nobody calls us back, so we offer none.
    let threads = init.construct_request().send().promise.await?.get()?.get_thread_map()?;
    // A thread of the node for our calls: those that name the same one are executed one after the other.
    let mut request = threads.make_thread_request();
    request.get().set_name("bare-client");
    let thread = request.send().promise.await?.get()?.get_result()?;

    let mut request = init.make_mining_request();
    request.get().init_context().set_thread(thread.clone());
    let mining = request.send().promise.await?.get()?.get_result()?;
    let mut request = mining.get_tip_request();
    request.get().init_context().set_thread(thread);
    let answer = request.send().promise.await?;
    let answer = answer.get()?;
    if !answer.get_has_result() {
        println!("no blocks");
        return Ok(());
    }
    let tip = answer.get_result()?;
    // Hashes travel in memory order; people see them backwards.
    let hash: String = tip.get_hash()?.iter().rev().map(|byte| format!("{byte:02x}")).collect();
    println!("tip {} {hash}", tip.get_height());
    Ok(())
}

fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: bare-client SOCKET")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, tip(&path))
}
