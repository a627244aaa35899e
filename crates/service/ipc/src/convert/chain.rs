//! Blocks, coins, fees, scans, notifications and forwarded RPC.

use grs_encoding::encode_to_vec;
use grs_interfaces::{
    BlockBytes, BlockRef, ChainstateRole, Coin, FeeEstimate, FeeReason, FindBlock, FoundBlock, NotifyOptions,
    RpcArgName, RpcCommand, RpcError, RpcMode, RpcReply, RpcRequest, RpcVersion, ScanChunk, ScanNeedles,
    ScanStatus, ScannedBlock,
};
use grs_ipc_schema::chain_capnp as chain;
use grs_primitives::{Amount, Script};

use super::{
    FromWire, ToEnum, ToWire, blobs, block_hash, count, locator, locator_bytes, object, optional_text,
    outpoint_bytes, outpoints, set_blobs, text,
};

impl ToWire<chain::find_block::Builder<'_>> for FindBlock {
    fn to_wire(&self, mut out: chain::find_block::Builder<'_>) {
        out.set_data(self.data);
        out.set_locator(self.locator);
        out.set_next(self.next);
        out.set_next_data(self.next_data);
    }
}

impl FromWire<chain::find_block::Reader<'_>> for FindBlock {
    fn from_wire(from: chain::find_block::Reader<'_>) -> capnp::Result<Self> {
        Ok(FindBlock {
            data: from.get_data(),
            locator: from.get_locator(),
            next: from.get_next(),
            next_data: from.get_next_data(),
        })
    }
}

impl ToWire<chain::found_block::Builder<'_>> for FoundBlock {
    fn to_wire(&self, mut out: chain::found_block::Builder<'_>) {
        out.set_hash(self.hash.as_bytes());
        out.set_height(self.height);
        out.set_time(self.time);
        out.set_max_time(self.max_time);
        out.set_mtp_time(self.mtp_time);
        out.set_in_active_chain(self.in_active_chain);
        if let Some(locator) = &self.locator {
            out.set_locator(&locator_bytes(locator));
        }
        if let Some(next) = &self.next {
            next.to_wire(out.reborrow().init_next());
        }
        if let Some(data) = &self.data {
            out.set_data(&data.0);
        }
    }
}

fn found_block(from: chain::found_block::Reader<'_>, with_next: bool) -> capnp::Result<FoundBlock> {
    Ok(FoundBlock {
        hash: block_hash(from.get_hash())?,
        height: from.get_height(),
        time: from.get_time(),
        max_time: from.get_max_time(),
        mtp_time: from.get_mtp_time(),
        in_active_chain: from.get_in_active_chain(),
        locator: from.has_locator().then(|| locator(from.get_locator())).transpose()?,
        next: match with_next && from.has_next() {
            true => Some(Box::new(found_block(from.get_next()?, false)?)),
            false => None,
        },
        data: from.has_data().then(|| from.get_data().map(|data| BlockBytes(data.to_vec()))).transpose()?,
    })
}

impl FromWire<chain::found_block::Reader<'_>> for FoundBlock {
    fn from_wire(from: chain::found_block::Reader<'_>) -> capnp::Result<Self> {
        found_block(from, true)
    }
}

impl ToWire<chain::found_coin::Builder<'_>> for Option<Coin> {
    fn to_wire(&self, mut out: chain::found_coin::Builder<'_>) {
        if let Some(coin) = self {
            out.set_out(&encode_to_vec(&coin.out));
            out.set_height(coin.height);
            out.set_coinbase(coin.coinbase);
        }
    }
}

impl FromWire<chain::found_coin::Reader<'_>> for Option<Coin> {
    fn from_wire(from: chain::found_coin::Reader<'_>) -> capnp::Result<Self> {
        if !from.has_out() {
            return Ok(None);
        }
        Ok(Some(Coin {
            out: object(from.get_out())?,
            height: from.get_height(),
            coinbase: from.get_coinbase(),
        }))
    }
}

impl ToWire<chain::fee_estimate::Builder<'_>> for FeeEstimate {
    fn to_wire(&self, mut out: chain::fee_estimate::Builder<'_>) {
        out.set_feerate(self.feerate.0);
        out.set_reason(self.reason.to_enum());
        out.set_desired_target(self.desired_target);
        out.set_returned_target(self.returned_target);
        out.set_best_height(self.best_height);
    }
}

impl FromWire<chain::fee_estimate::Reader<'_>> for FeeEstimate {
    fn from_wire(from: chain::fee_estimate::Reader<'_>) -> capnp::Result<Self> {
        Ok(FeeEstimate {
            feerate: Amount(from.get_feerate()),
            reason: FeeReason::from_wire(from.get_reason())?,
            desired_target: from.get_desired_target(),
            returned_target: from.get_returned_target(),
            best_height: from.get_best_height(),
        })
    }
}

impl ToWire<chain::scan_needles::Builder<'_>> for ScanNeedles {
    fn to_wire(&self, mut out: chain::scan_needles::Builder<'_>) {
        set_blobs(out.reborrow().init_scripts(count(self.scripts.len())), &self.scripts);
        out.set_outpoints(&outpoint_bytes(&self.outpoints));
    }
}

impl FromWire<chain::scan_needles::Reader<'_>> for ScanNeedles {
    fn from_wire(from: chain::scan_needles::Reader<'_>) -> capnp::Result<Self> {
        Ok(ScanNeedles {
            scripts: blobs(from.get_scripts()?, |item| Ok(Script::from(item?)))?,
            outpoints: outpoints(from.get_outpoints())?,
        })
    }
}

impl ToWire<chain::scan_chunk::Builder<'_>> for ScanChunk {
    fn to_wire(&self, mut out: chain::scan_chunk::Builder<'_>) {
        let mut list = out.reborrow().init_blocks(count(self.blocks.len()));
        for (n, block) in (0..).zip(&self.blocks) {
            let mut item = list.reborrow().get(n);
            item.set_hash(block.hash.as_bytes());
            item.set_height(block.height);
            item.set_max_time(block.max_time);
            item.set_data(&block.data.0);
        }
        if let Some(last) = &self.last {
            out.set_last_hash(last.hash.as_bytes());
            out.set_last_height(last.height);
        }
        out.set_next_height(self.next_height);
        out.set_tip_height(self.tip_height);
        out.set_progress(self.progress);
        out.set_status(self.status.to_enum());
    }
}

impl FromWire<chain::scan_chunk::Reader<'_>> for ScanChunk {
    fn from_wire(from: chain::scan_chunk::Reader<'_>) -> capnp::Result<Self> {
        let blocks = from
            .get_blocks()?
            .iter()
            .map(|item| {
                Ok(ScannedBlock {
                    hash: block_hash(item.get_hash())?,
                    height: item.get_height(),
                    max_time: item.get_max_time(),
                    data: BlockBytes(item.get_data()?.to_vec()),
                })
            })
            .collect::<capnp::Result<_>>()?;
        Ok(ScanChunk {
            blocks,
            last: match from.has_last_hash() {
                true => {
                    Some(BlockRef { hash: block_hash(from.get_last_hash())?, height: from.get_last_height() })
                }
                false => None,
            },
            next_height: from.get_next_height(),
            tip_height: from.get_tip_height(),
            progress: from.get_progress(),
            status: ScanStatus::from_wire(from.get_status())?,
        })
    }
}

impl ToWire<chain::notify_options::Builder<'_>> for NotifyOptions {
    fn to_wire(&self, mut out: chain::notify_options::Builder<'_>) {
        out.set_connect_undo_data(self.connect_undo_data);
        out.set_disconnect_data(self.disconnect_data);
        out.set_disconnect_undo_data(self.disconnect_undo_data);
    }
}

impl FromWire<chain::notify_options::Reader<'_>> for NotifyOptions {
    fn from_wire(from: chain::notify_options::Reader<'_>) -> capnp::Result<Self> {
        Ok(NotifyOptions {
            connect_undo_data: from.get_connect_undo_data(),
            disconnect_data: from.get_disconnect_data(),
            disconnect_undo_data: from.get_disconnect_undo_data(),
        })
    }
}

impl ToWire<chain::chainstate_role::Builder<'_>> for ChainstateRole {
    fn to_wire(&self, mut out: chain::chainstate_role::Builder<'_>) {
        out.set_validated(self.validated);
        out.set_historical(self.historical);
    }
}

impl FromWire<chain::chainstate_role::Reader<'_>> for ChainstateRole {
    fn from_wire(from: chain::chainstate_role::Reader<'_>) -> capnp::Result<Self> {
        Ok(ChainstateRole { validated: from.get_validated(), historical: from.get_historical() })
    }
}

impl ToWire<chain::rpc_command::Builder<'_>> for RpcCommand {
    fn to_wire(&self, mut out: chain::rpc_command::Builder<'_>) {
        out.set_category(&self.category);
        out.set_name(&self.name);
        out.set_unique_id(self.unique_id);
        let mut list = out.init_arg_names(count(self.arg_names.len()));
        for (n, arg) in (0..).zip(&self.arg_names) {
            let mut item = list.reborrow().get(n);
            item.set_name(&arg.name);
            item.set_named_only(arg.named_only);
        }
    }
}

impl FromWire<chain::rpc_command::Reader<'_>> for RpcCommand {
    fn from_wire(from: chain::rpc_command::Reader<'_>) -> capnp::Result<Self> {
        let args = from.get_arg_names()?.iter();
        Ok(RpcCommand {
            category: text(from.get_category())?,
            name: text(from.get_name())?,
            arg_names: args
                .map(|arg| Ok(RpcArgName { name: text(arg.get_name())?, named_only: arg.get_named_only() }))
                .collect::<capnp::Result<_>>()?,
            unique_id: from.get_unique_id(),
        })
    }
}

impl ToWire<chain::rpc_request::Builder<'_>> for RpcRequest {
    fn to_wire(&self, mut out: chain::rpc_request::Builder<'_>) {
        if let Some(id) = &self.id {
            out.set_id(id);
        }
        out.set_method(&self.method);
        out.set_params(&self.params);
        out.set_mode(self.mode.to_enum());
        out.set_uri(&self.uri);
        out.set_auth_user(&self.auth_user);
        out.set_peer_addr(&self.peer_addr);
        out.set_version(self.version.to_enum());
    }
}

impl FromWire<chain::rpc_request::Reader<'_>> for RpcRequest {
    fn from_wire(from: chain::rpc_request::Reader<'_>) -> capnp::Result<Self> {
        Ok(RpcRequest {
            id: optional_text(from.has_id(), from.get_id())?,
            method: text(from.get_method())?,
            params: text(from.get_params())?,
            mode: RpcMode::from_wire(from.get_mode())?,
            uri: text(from.get_uri())?,
            auth_user: text(from.get_auth_user())?,
            peer_addr: text(from.get_peer_addr())?,
            version: RpcVersion::from_wire(from.get_version())?,
        })
    }
}

impl ToWire<chain::rpc_reply::Builder<'_>> for Option<RpcReply> {
    fn to_wire(&self, mut out: chain::rpc_reply::Builder<'_>) {
        match self {
            None => out.set_not_handled(()),
            Some(Ok(result)) => out.set_result(result),
            Some(Err(error)) => {
                let mut out = out.init_error();
                out.set_code(error.code);
                out.set_message(&error.message);
            }
        }
    }
}

impl FromWire<chain::rpc_reply::Reader<'_>> for Option<RpcReply> {
    fn from_wire(from: chain::rpc_reply::Reader<'_>) -> capnp::Result<Self> {
        Ok(match from.which()? {
            chain::rpc_reply::NotHandled(()) => None,
            chain::rpc_reply::Result(result) => Some(Ok(text(result)?)),
            chain::rpc_reply::Error(error) => {
                Some(Err(RpcError { code: error.get_code(), message: text(error.get_message())? }))
            }
        })
    }
}
