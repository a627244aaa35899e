//! Blocks, coins, fees, scans, notifications and forwarded RPC.

use grs_interfaces::{
    BlockRef, Broadcast, ChainstateRole, Coin, FeeEstimate, FeeReason, FindBlock, FoundBlock,
    FoundCommonAncestor, NotifyOptions, PackageLimits, RpcArgName, RpcCommand, RpcError, RpcMode, RpcReply,
    RpcRequest, RpcVersion, ScanChunk, ScanNeedles, ScanStatus, ScannedBlock, SettingsAction,
    TransactionAncestry,
};
use grs_ipc_schema::chain_capnp as chain;
use grs_primitives::Amount;
use serde_json::Value;

use super::{FromWire, ToData, ToScalar, ToText, ToWire, count, optional, put_structs, read};

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
            out.set_locator(&locator.to_data());
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
        hash: read(from.get_hash())?,
        height: from.get_height(),
        time: from.get_time(),
        max_time: from.get_max_time(),
        mtp_time: from.get_mtp_time(),
        in_active_chain: from.get_in_active_chain(),
        locator: optional(from.has_locator(), from.get_locator())?,
        next: match with_next && from.has_next() {
            true => Some(Box::new(found_block(from.get_next()?, false)?)),
            false => None,
        },
        data: optional(from.has_data(), from.get_data())?,
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
            out.set_out(&coin.out.to_data());
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
            out: read(from.get_out())?,
            height: from.get_height(),
            coinbase: from.get_coinbase(),
        }))
    }
}

impl ToWire<chain::fee_estimate::Builder<'_>> for FeeEstimate {
    fn to_wire(&self, mut out: chain::fee_estimate::Builder<'_>) {
        out.set_feerate(self.feerate.0);
        out.set_reason(self.reason.to_scalar());
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
        self.scripts.to_wire(out.reborrow().init_scripts(count(self.scripts.len())));
        out.set_outpoints(&self.outpoints.to_data());
    }
}

impl FromWire<chain::scan_needles::Reader<'_>> for ScanNeedles {
    fn from_wire(from: chain::scan_needles::Reader<'_>) -> capnp::Result<Self> {
        Ok(ScanNeedles { scripts: read(from.get_scripts())?, outpoints: read(from.get_outpoints())? })
    }
}

impl ToWire<chain::scanned_block::Builder<'_>> for ScannedBlock {
    fn to_wire(&self, mut out: chain::scanned_block::Builder<'_>) {
        out.set_hash(self.hash.as_bytes());
        out.set_height(self.height);
        out.set_max_time(self.max_time);
        out.set_data(&self.data.0);
    }
}

impl FromWire<chain::scanned_block::Reader<'_>> for ScannedBlock {
    fn from_wire(from: chain::scanned_block::Reader<'_>) -> capnp::Result<Self> {
        Ok(ScannedBlock {
            hash: read(from.get_hash())?,
            height: from.get_height(),
            max_time: from.get_max_time(),
            data: read(from.get_data())?,
        })
    }
}

impl ToWire<chain::scan_chunk::Builder<'_>> for ScanChunk {
    fn to_wire(&self, mut out: chain::scan_chunk::Builder<'_>) {
        put_structs(out.reborrow().init_blocks(count(self.blocks.len())), &self.blocks);
        if let Some(last) = &self.last {
            out.set_last_hash(last.hash.as_bytes());
            out.set_last_height(last.height);
        }
        out.set_next_height(self.next_height);
        out.set_tip_height(self.tip_height);
        out.set_progress(self.progress);
        out.set_status(self.status.to_scalar());
    }
}

impl FromWire<chain::scan_chunk::Reader<'_>> for ScanChunk {
    fn from_wire(from: chain::scan_chunk::Reader<'_>) -> capnp::Result<Self> {
        Ok(ScanChunk {
            blocks: read(from.get_blocks())?,
            last: match from.has_last_hash() {
                true => Some(BlockRef { hash: read(from.get_last_hash())?, height: from.get_last_height() }),
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

impl ToWire<chain::rpc_arg_name::Builder<'_>> for RpcArgName {
    fn to_wire(&self, mut out: chain::rpc_arg_name::Builder<'_>) {
        out.set_name(&self.name);
        out.set_named_only(self.named_only);
    }
}

impl FromWire<chain::rpc_arg_name::Reader<'_>> for RpcArgName {
    fn from_wire(from: chain::rpc_arg_name::Reader<'_>) -> capnp::Result<Self> {
        Ok(RpcArgName { name: read(from.get_name())?, named_only: from.get_named_only() })
    }
}

impl ToWire<chain::rpc_command::Builder<'_>> for RpcCommand {
    fn to_wire(&self, mut out: chain::rpc_command::Builder<'_>) {
        out.set_category(&self.category);
        out.set_name(&self.name);
        out.set_unique_id(self.unique_id);
        put_structs(out.init_arg_names(count(self.arg_names.len())), &self.arg_names);
    }
}

impl FromWire<chain::rpc_command::Reader<'_>> for RpcCommand {
    fn from_wire(from: chain::rpc_command::Reader<'_>) -> capnp::Result<Self> {
        Ok(RpcCommand {
            category: read(from.get_category())?,
            name: read(from.get_name())?,
            arg_names: read(from.get_arg_names())?,
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
        out.set_mode(self.mode.to_scalar());
        out.set_uri(&self.uri);
        out.set_auth_user(&self.auth_user);
        out.set_peer_addr(&self.peer_addr);
        out.set_version(self.version.to_scalar());
    }
}

impl FromWire<chain::rpc_request::Reader<'_>> for RpcRequest {
    fn from_wire(from: chain::rpc_request::Reader<'_>) -> capnp::Result<Self> {
        Ok(RpcRequest {
            id: optional(from.has_id(), from.get_id())?,
            method: read(from.get_method())?,
            params: read(from.get_params())?,
            mode: RpcMode::from_wire(from.get_mode())?,
            uri: read(from.get_uri())?,
            auth_user: read(from.get_auth_user())?,
            peer_addr: read(from.get_peer_addr())?,
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
            chain::rpc_reply::Result(result) => Some(Ok(read(result)?)),
            chain::rpc_reply::Error(error) => {
                Some(Err(RpcError { code: error.get_code(), message: read(error.get_message())? }))
            }
        })
    }
}

impl ToWire<chain::chain::broadcast_transaction_results::Builder<'_>> for Broadcast {
    fn to_wire(&self, mut out: chain::chain::broadcast_transaction_results::Builder<'_>) {
        match self {
            Ok(()) => out.set_accepted(true),
            Err(error) => out.set_error(error),
        }
    }
}

impl FromWire<chain::chain::broadcast_transaction_results::Reader<'_>> for Broadcast {
    fn from_wire(from: chain::chain::broadcast_transaction_results::Reader<'_>) -> capnp::Result<Self> {
        Ok(if from.get_accepted() { Ok(()) } else { Err(read(from.get_error())?) })
    }
}

impl ToWire<chain::transaction_ancestry::Builder<'_>> for TransactionAncestry {
    fn to_wire(&self, mut out: chain::transaction_ancestry::Builder<'_>) {
        out.set_ancestors(self.ancestors);
        out.set_cluster_count(self.cluster_count);
        out.set_ancestor_size(self.ancestor_size);
        out.set_ancestor_fees(self.ancestor_fees.0);
    }
}

impl FromWire<chain::transaction_ancestry::Reader<'_>> for TransactionAncestry {
    fn from_wire(from: chain::transaction_ancestry::Reader<'_>) -> capnp::Result<Self> {
        Ok(TransactionAncestry {
            ancestors: from.get_ancestors(),
            cluster_count: from.get_cluster_count(),
            ancestor_size: from.get_ancestor_size(),
            ancestor_fees: Amount(from.get_ancestor_fees()),
        })
    }
}

impl ToWire<chain::chain::get_package_limits_results::Builder<'_>> for PackageLimits {
    fn to_wire(&self, mut out: chain::chain::get_package_limits_results::Builder<'_>) {
        out.set_ancestors(self.ancestors);
        out.set_descendants(self.descendants);
    }
}

impl FromWire<chain::chain::get_package_limits_results::Reader<'_>> for PackageLimits {
    fn from_wire(from: chain::chain::get_package_limits_results::Reader<'_>) -> capnp::Result<Self> {
        Ok(PackageLimits { ancestors: from.get_ancestors(), descendants: from.get_descendants() })
    }
}

impl ToWire<chain::chain::find_common_ancestor_results::Builder<'_>> for FoundCommonAncestor {
    fn to_wire(&self, mut out: chain::chain::find_common_ancestor_results::Builder<'_>) {
        if let Some(block) = &self.ancestor {
            block.to_wire(out.reborrow().init_ancestor());
        }
        if let Some(block) = &self.block1 {
            block.to_wire(out.reborrow().init_block1());
        }
        if let Some(block) = &self.block2 {
            block.to_wire(out.reborrow().init_block2());
        }
    }
}

impl FromWire<chain::chain::find_common_ancestor_results::Reader<'_>> for FoundCommonAncestor {
    fn from_wire(from: chain::chain::find_common_ancestor_results::Reader<'_>) -> capnp::Result<Self> {
        Ok(FoundCommonAncestor {
            ancestor: optional(from.has_ancestor(), from.get_ancestor())?,
            block1: optional(from.has_block1(), from.get_block1())?,
            block2: optional(from.has_block2(), from.get_block2())?,
        })
    }
}

/// Null leaves the setting as it is.
impl ToWire<chain::settings_update::update_results::Builder<'_>> for Option<(Value, SettingsAction)> {
    fn to_wire(&self, mut out: chain::settings_update::update_results::Builder<'_>) {
        if let Some((value, action)) = self {
            out.set_value(&*value.to_text());
            out.set_action(action.to_scalar());
        }
    }
}

impl FromWire<chain::settings_update::update_results::Reader<'_>> for Option<(Value, SettingsAction)> {
    fn from_wire(from: chain::settings_update::update_results::Reader<'_>) -> capnp::Result<Self> {
        if !from.has_value() {
            return Ok(None);
        }
        Ok(Some((read(from.get_value())?, SettingsAction::from_wire(from.get_action())?)))
    }
}
