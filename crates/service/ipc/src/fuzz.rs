//! Decoders of what the other process sends, for fuzzing.

use grs_interfaces::{
    BilingualString, BlockCheckOptions, BlockCreateOptions, BlockRef, BlockWaitOptions, CoinbaseTx,
    FeeEstimate, FindBlock, FoundBlock, GlobalArgs, Hello, NotifyOptions, RpcCommand, RpcReply, RpcRequest,
    ScanChunk, ScanNeedles, WalletDirEntry, WalletMigration, WalletOutcome,
};
use grs_ipc_schema::{
    chain_capnp as chain, common_capnp as common, grs_init_capnp as grs_init, handler_capnp as handler,
    mining_capnp as mining, wallet_capnp as wallet,
};

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
