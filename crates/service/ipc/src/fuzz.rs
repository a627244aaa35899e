//! Decoders of what the other process sends, for fuzzing.

use grs_interfaces::{FoundBlock, GlobalArgs, RpcReply, RpcRequest, ScanChunk, ScanNeedles, WalletOutcome};
use grs_ipc_schema::{chain_capnp as chain, grs_init_capnp as grs_init, wallet_capnp as wallet};

use crate::convert::FromWire;
use crate::event::Event;

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
        grs_init::global_args::Reader<'_> => GlobalArgs,
        wallet::outcome::Reader<'_> => WalletOutcome,
    }
}
