//! What the other process sends, for fuzzing: decoders alone, and a whole server.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grs_interfaces::{
    BilingualString, BlockCheckOptions, BlockCreateOptions, BlockRef, BlockWaitOptions, CallError,
    CallResult, CoinbaseTx, FeeEstimate, FindBlock, FoundBlock, GlobalArgs, Hello, Init, NotifyOptions,
    RpcCommand, RpcReply, RpcRequest, ScanChunk, ScanNeedles, WalletDirEntry, WalletMigration, WalletOutcome,
};
use grs_ipc_schema::{
    chain_capnp as chain, common_capnp as common, grs_init_capnp as grs_init, handler_capnp as handler,
    mining_capnp as mining, wallet_capnp as wallet,
};

use crate::convert::FromWire;
use crate::event::Event;
use crate::spawn::Ipc;

/// Reads `data` as a message with each of the structs as its root.
pub fn fuzz_wire(data: &[u8]) {
    let mut rest = data;
    let options = capnp::message::ReaderOptions::new();
    let Ok(message) = capnp::serialize::read_message_from_flat_slice(&mut rest, options) else {
        return;
    };
    macro_rules! read {
        ($($wire:ty => $plain:ty),* $(,)?) => {$(
            if let Ok(root) = message.get_root::<$wire>() {
                let _ = <$plain>::from_wire(root);
            }
        )*};
    }
    read! {
        chain::event::Reader<'_> => Event,
        chain::found_block::Reader<'_> => FoundBlock,
        chain::scan_chunk::Reader<'_> => ScanChunk,
        chain::scan_needles::Reader<'_> => ScanNeedles,
        chain::rpc_request::Reader<'_> => RpcRequest,
        chain::rpc_reply::Reader<'_> => Option<RpcReply>,
        chain::rpc_command::Reader<'_> => RpcCommand,
        chain::fee_estimate::Reader<'_> => FeeEstimate,
        chain::find_block::Reader<'_> => FindBlock,
        chain::notify_options::Reader<'_> => NotifyOptions,
        common::block_ref::Reader<'_> => BlockRef,
        grs_init::global_args::Reader<'_> => GlobalArgs,
        grs_init::hello::Reader<'_> => Hello,
        handler::bilingual_string::Reader<'_> => BilingualString,
        mining::block_check_options::Reader<'_> => BlockCheckOptions,
        mining::block_create_options::Reader<'_> => BlockCreateOptions,
        mining::block_wait_options::Reader<'_> => BlockWaitOptions,
        mining::coinbase_tx::Reader<'_> => CoinbaseTx,
        wallet::dir_entry::Reader<'_> => WalletDirEntry,
        wallet::migration::Reader<'_> => Result<WalletMigration, BilingualString>,
        wallet::outcome::Reader<'_> => WalletOutcome,
    }
}

/// How long a server may take for one input.
const PATIENCE: Duration = Duration::from_secs(20);

/// An object without a node behind it: greets, echoes, and refuses the rest.
struct FuzzInit;

impl Init for FuzzInit {
    fn hello(&self, peer: &Hello) -> CallResult<Hello> {
        let own = Hello { network: "regtest".into(), ..Hello::new(grs_interfaces::Role::Node, "fuzz") };
        own.check(peer).map_err(CallError::Remote)?;
        Ok(own)
    }
}

/// Feeds `data` to a server as what a client sends over one connection.
///
/// # Panics
/// If the connection does not end, or ended because handling the input panicked.
pub fn fuzz_server(data: &[u8]) {
    static SERVER: OnceLock<Ipc> = OnceLock::new();
    let server = SERVER.get_or_init(|| Ipc::start("fuzz").expect("a thread can be started"));
    let before = server.stats().panics;
    let (mut near, far) = UnixStream::pair().expect("a socket pair can be made");
    server.serve_stream(far, Arc::new(FuzzInit)).expect("a connected socket can be served");
    // The server may end the connection before it has read everything.
    let _ = near.set_write_timeout(Some(PATIENCE));
    let _ = near.write_all(data);
    let _ = near.shutdown(std::net::Shutdown::Write);
    let _ = near.set_read_timeout(Some(PATIENCE));
    let mut answers = Vec::new();
    if let Err(error) = near.read_to_end(&mut answers) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the connection does not end");
    }
    assert_eq!(server.stats().panics, before, "handling the input panicked");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use grs_interfaces::Role;

    use super::*;

    /// What a real client sends.
    fn recorded() -> Vec<u8> {
        let (server, client) = (Ipc::start("server").unwrap(), Ipc::start("client").unwrap());
        let (near, mut from_client) = UnixStream::pair().unwrap();
        let (mut to_server, far) = UnixStream::pair().unwrap();
        server.serve_stream(far, Arc::new(FuzzInit)).unwrap();
        let (mut back_from, mut back_to) = (to_server.try_clone().unwrap(), from_client.try_clone().unwrap());
        let back = std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = seen.clone();
        let forth = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read) = from_client.read(&mut buffer)
                && read > 0
            {
                note.lock().unwrap().extend_from_slice(&buffer[..read]);
                to_server.write_all(&buffer[..read]).unwrap();
            }
            // The server may have closed its end first.
            let _ = to_server.shutdown(std::net::Shutdown::Both);
        });
        let init = client.connect_stream(near).unwrap();
        let hello = Hello { network: "regtest".into(), ..Hello::new(Role::Wallet, "fuzz") };
        init.hello(&hello).unwrap();
        let echo = init.make_echo().unwrap();
        assert_eq!(echo.echo("recorded").unwrap(), "recorded");
        drop(echo);
        assert!(init.make_mining().is_err() && init.make_chain().is_err() && init.make_rpc().is_err());
        init.connection().close();
        forth.join().unwrap();
        // An error if the client had gone before the last answer.
        let _ = back.join().unwrap();
        seen.lock().unwrap().clone()
    }

    #[test]
    fn server_lives_through_mutations_of_what_a_client_sends() {
        let corpus = recorded();
        assert!(corpus.len() > 500);
        fuzz_server(&corpus);
        fuzz_server(&[]);
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % bound
        };
        for _ in 0..1200 {
            let mut data = corpus.clone();
            for _ in 0..=below(6) {
                let at = below(data.len());
                data[at] = if below(2) == 0 { below(16) as u8 } else { below(256) as u8 };
            }
            if below(4) == 0 {
                data.truncate(below(data.len()));
            }
            fuzz_server(&data);
        }
    }
}
