//! One conversion per type between plain data and the wire.
//!
//! Whatever comes from the other process is checked: wrong lengths, unknown enumerants and undecodable objects are
//! errors, never panics.

use grs_encoding::{Decode, DecodeError, Encode, Reader, encode_to_vec};
use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_interfaces::{
    BilingualString, BlockBytes, BlockRef, BlockWaitOptions, ChainstateRole, Coin, CoinbaseTx, FeeEstimate,
    FeeReason, FindBlock, FoundBlock, GlobalArgs, Hello, MempoolRemovalReason, NotifyOptions, RbfState, Role,
    RpcArgName, RpcCommand, RpcError, RpcMode, RpcReply, RpcRequest, RpcVersion, ScanChunk, ScanNeedles,
    ScanStatus, ScannedBlock, SettingsAction, TIMEOUT_FOREVER, TxBroadcast, WalletDirEntry, WalletMigration,
    WalletOutcome,
};
use grs_ipc_schema::{
    chain_capnp as chain, common_capnp as common, grs_init_capnp as grs_init, handler_capnp as handler,
    mining_capnp as mining, wallet_capnp as wallet,
};
use grs_mp::exception;
use grs_primitives::{Amount, BlockLocator, OutPoint, Script};
use serde_json::Value;

use std::time::Duration;

/// Writes a value into a builder of the wire.
pub(crate) trait ToWire<B> {
    /// Fills the builder.
    fn to_wire(&self, out: B);
}

/// Reads a value from the wire.
pub(crate) trait FromWire<R>: Sized {
    /// Checks and copies.
    fn from_wire(from: R) -> capnp::Result<Self>;
}

type Text<'a> = capnp::Result<capnp::text::Reader<'a>>;
type Data<'a> = capnp::Result<capnp::data::Reader<'a>>;

/// A text field.
pub(crate) fn text(from: Text<'_>) -> capnp::Result<String> {
    Ok(from?.to_string()?)
}

/// A text field that may be null.
pub(crate) fn optional_text(present: bool, from: Text<'_>) -> capnp::Result<Option<String>> {
    present.then(|| text(from)).transpose()
}

pub(crate) fn decode_failure(error: DecodeError) -> capnp::Error {
    match error {
        // What the reference says for data that end too early.
        DecodeError::EndOfData => exception("SpanReader::read(): end of data: iostream error"),
        other => exception(other),
    }
}

/// A consensus-serialized object. Bytes after it are ignored, as in the reference.
pub(crate) fn object<T: Decode>(from: Data<'_>) -> capnp::Result<T> {
    T::decode(&mut Reader::new(from?)).map_err(decode_failure)
}

fn bytes32(from: Data<'_>) -> capnp::Result<[u8; 32]> {
    from?.try_into().map_err(|_| exception("a hash must have 32 bytes"))
}

/// A block hash.
pub(crate) fn block_hash(from: Data<'_>) -> capnp::Result<BlockHash> {
    Ok(BlockHash::from_bytes(bytes32(from)?))
}

/// A block hash where none means zero, as in the reference.
pub(crate) fn block_hash_or_zero(from: Data<'_>) -> capnp::Result<BlockHash> {
    match from? {
        [] => Ok(BlockHash::ZERO),
        bytes => block_hash(Ok(bytes)),
    }
}

/// A transaction id.
pub(crate) fn txid(from: Data<'_>) -> capnp::Result<Txid> {
    Ok(Txid::from_bytes(bytes32(from)?))
}

/// A transaction id with witnesses.
pub(crate) fn wtxid(from: Data<'_>) -> capnp::Result<Wtxid> {
    Ok(Wtxid::from_bytes(bytes32(from)?))
}

/// Hashes joined into one field.
pub(crate) fn locator_bytes(locator: &BlockLocator) -> Vec<u8> {
    locator.hashes.iter().flat_map(|hash| hash.to_bytes()).collect()
}

/// The inverse of [`locator_bytes`].
pub(crate) fn locator(from: Data<'_>) -> capnp::Result<BlockLocator> {
    let (hashes, rest) = from?.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(exception("a list of hashes must have 32 bytes for each"));
    }
    Ok(BlockLocator { hashes: hashes.iter().map(|hash| BlockHash::from_bytes(*hash)).collect() })
}

/// Outpoints joined into one field.
pub(crate) fn outpoint_bytes(outpoints: &[OutPoint]) -> Vec<u8> {
    let mut out = Vec::with_capacity(outpoints.len() * 36);
    for outpoint in outpoints {
        outpoint.encode(&mut out);
    }
    out
}

/// The inverse of [`outpoint_bytes`].
pub(crate) fn outpoints(from: Data<'_>) -> capnp::Result<Vec<OutPoint>> {
    let (items, rest) = from?.as_chunks::<36>();
    if !rest.is_empty() {
        return Err(exception("a list of outpoints must have 36 bytes for each"));
    }
    items.iter().map(|item| object(Ok(item))).collect()
}

/// JSON in a text field.
pub(crate) fn json(from: Text<'_>) -> capnp::Result<Value> {
    let text = from?.to_str()?;
    serde_json::from_str(text).map_err(|error| exception(format!("invalid JSON: {error}")))
}

/// A list of blobs.
pub(crate) fn blobs<T>(
    list: capnp::data_list::Reader<'_>,
    read: impl Fn(Data<'_>) -> capnp::Result<T>,
) -> capnp::Result<Vec<T>> {
    list.iter().map(read).collect()
}

/// Fills a list of blobs.
pub(crate) fn set_blobs<T: AsRef<[u8]>>(mut list: capnp::data_list::Builder<'_>, items: &[T]) {
    for (n, item) in (0..).zip(items) {
        list.set(n, item.as_ref());
    }
}

/// Number of elements as the wire counts them. A list that long could not be sent anyway.
pub(crate) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A list of amounts.
pub(crate) fn amounts(list: capnp::primitive_list::Reader<'_, i64>) -> Vec<Amount> {
    list.iter().map(Amount).collect()
}

/// Fills a list of amounts.
pub(crate) fn set_amounts(mut list: capnp::primitive_list::Builder<'_, i64>, amounts: &[Amount]) {
    for (n, amount) in (0..).zip(amounts) {
        list.set(n, amount.0);
    }
}

/// An enumeration of the wire for a plain one.
pub(crate) trait ToEnum<E> {
    /// The same value.
    fn to_enum(self) -> E;
}

macro_rules! enumerations {
    ($($plain:ident = $wire:ty { $($item:ident = $other:ident),* $(,)? })*) => {$(
        impl ToEnum<$wire> for $plain {
            fn to_enum(self) -> $wire {
                match self { $($plain::$item => <$wire>::$other,)* }
            }
        }
        impl FromWire<Result<$wire, capnp::NotInSchema>> for $plain {
            fn from_wire(from: Result<$wire, capnp::NotInSchema>) -> capnp::Result<Self> {
                Ok(match from? { $(<$wire>::$other => $plain::$item,)* })
            }
        }
    )*};
}

enumerations! {
    RbfState = chain::RbfState {
        Unknown = Unknown, ReplaceableBip125 = ReplaceableBip125, Final = Final,
    }
    TxBroadcast = chain::TxBroadcast {
        MempoolAndBroadcastToAll = MempoolAndBroadcastToAll,
        MempoolNoBroadcast = MempoolNoBroadcast,
        NoMempoolPrivateBroadcast = NoMempoolPrivateBroadcast,
    }
    FeeReason = chain::FeeReason {
        None = None, HalfEstimate = HalfEstimate, FullEstimate = FullEstimate, DoubleEstimate = DoubleEstimate,
        Conservative = Conservative, MempoolMin = MempoolMin, Fallback = Fallback, Required = Required,
    }
    ScanStatus = chain::ScanStatus {
        More = More, Done = Done, Reorganized = Reorganized, MissingData = MissingData, Interrupted = Interrupted,
    }
    MempoolRemovalReason = chain::MempoolRemovalReason {
        Expiry = Expiry, SizeLimit = SizeLimit, Reorg = Reorg, Block = Block, Conflict = Conflict, Replaced = Replaced,
    }
    RpcMode = chain::RpcMode { Execute = Execute, GetHelp = GetHelp, GetArgs = GetArgs }
    RpcVersion = chain::RpcVersion { V1Legacy = V1Legacy, V2 = V2 }
    SettingsAction = chain::SettingsAction { Write = Write, SkipWrite = SkipWrite }
    Role = grs_init::Role { Node = Node, Wallet = Wallet, Gui = Gui, Other = Other }
}

impl ToWire<grs_init::hello::Builder<'_>> for Hello {
    fn to_wire(&self, mut out: grs_init::hello::Builder<'_>) {
        out.set_role(self.role.to_enum());
        out.set_schema_major(self.schema_major);
        out.set_schema_minor(self.schema_minor);
        out.set_program_version(&self.program_version);
        out.set_network(&self.network);
        out.set_data_dir(&self.data_dir);
    }
}

impl FromWire<grs_init::hello::Reader<'_>> for Hello {
    fn from_wire(from: grs_init::hello::Reader<'_>) -> capnp::Result<Self> {
        Ok(Hello {
            // A newer program may have a role that is not known here; it is of no importance.
            role: Role::from_wire(from.get_role()).unwrap_or(Role::Other),
            schema_major: from.get_schema_major(),
            schema_minor: from.get_schema_minor(),
            program_version: text(from.get_program_version())?,
            network: text(from.get_network())?,
            data_dir: text(from.get_data_dir())?,
        })
    }
}

impl ToWire<grs_init::global_args::Builder<'_>> for GlobalArgs {
    fn to_wire(&self, mut out: grs_init::global_args::Builder<'_>) {
        let settings = serde_json::json!({
            "forced": self.forced_settings,
            "commandLine": self.command_line_options,
            "rw": self.rw_settings,
            "ro": self.ro_config,
        });
        out.set_settings(settings.to_string());
        out.set_config_path(&self.config_path);
        out.set_network(&self.network);
        out.set_net_data_dir(&self.net_data_dir);
    }
}

impl FromWire<grs_init::global_args::Reader<'_>> for GlobalArgs {
    fn from_wire(from: grs_init::global_args::Reader<'_>) -> capnp::Result<Self> {
        let bad = |error: serde_json::Error| exception(format!("settings: {error}"));
        let mut settings = json(from.get_settings())?;
        if !settings.is_object() {
            return Err(exception("settings: not an object"));
        }
        Ok(GlobalArgs {
            forced_settings: serde_json::from_value(settings["forced"].take()).map_err(bad)?,
            command_line_options: serde_json::from_value(settings["commandLine"].take()).map_err(bad)?,
            rw_settings: serde_json::from_value(settings["rw"].take()).map_err(bad)?,
            ro_config: serde_json::from_value(settings["ro"].take()).map_err(bad)?,
            config_path: text(from.get_config_path())?,
            network: text(from.get_network())?,
            net_data_dir: text(from.get_net_data_dir())?,
        })
    }
}

impl ToWire<handler::bilingual_string::Builder<'_>> for BilingualString {
    fn to_wire(&self, mut out: handler::bilingual_string::Builder<'_>) {
        out.set_original(&self.original);
        out.set_translated(&self.translated);
    }
}

impl FromWire<handler::bilingual_string::Reader<'_>> for BilingualString {
    fn from_wire(from: handler::bilingual_string::Reader<'_>) -> capnp::Result<Self> {
        Ok(BilingualString { original: text(from.get_original())?, translated: text(from.get_translated())? })
    }
}

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

fn bilingual_list(
    list: capnp::struct_list::Reader<'_, handler::bilingual_string::Owned>,
) -> capnp::Result<Vec<BilingualString>> {
    list.iter().map(BilingualString::from_wire).collect()
}

impl ToWire<wallet::outcome::Builder<'_>> for WalletOutcome {
    fn to_wire(&self, mut out: wallet::outcome::Builder<'_>) {
        match &self.result {
            Ok(name) => out.set_wallet(name),
            Err(error) => error.to_wire(out.reborrow().init_error()),
        }
        let mut list = out.init_warnings(count(self.warnings.len()));
        for (n, warning) in (0..).zip(&self.warnings) {
            warning.to_wire(list.reborrow().get(n));
        }
    }
}

impl FromWire<wallet::outcome::Reader<'_>> for WalletOutcome {
    fn from_wire(from: wallet::outcome::Reader<'_>) -> capnp::Result<Self> {
        Ok(WalletOutcome {
            result: match from.has_wallet() {
                true => Ok(text(from.get_wallet())?),
                false => Err(BilingualString::from_wire(from.get_error()?)?),
            },
            warnings: bilingual_list(from.get_warnings()?)?,
        })
    }
}

impl ToWire<wallet::migration::Builder<'_>> for Result<WalletMigration, BilingualString> {
    fn to_wire(&self, mut out: wallet::migration::Builder<'_>) {
        match self {
            Err(error) => error.to_wire(out.init_error()),
            Ok(done) => {
                out.set_wallet(&done.wallet);
                if let Some(name) = &done.watch_only {
                    out.set_watch_only(name);
                }
                if let Some(name) = &done.solvables {
                    out.set_solvables(name);
                }
                out.set_backup_path(&done.backup_path);
            }
        }
    }
}

impl FromWire<wallet::migration::Reader<'_>> for Result<WalletMigration, BilingualString> {
    fn from_wire(from: wallet::migration::Reader<'_>) -> capnp::Result<Self> {
        if from.has_error() {
            return Ok(Err(BilingualString::from_wire(from.get_error()?)?));
        }
        Ok(Ok(WalletMigration {
            wallet: text(from.get_wallet())?,
            watch_only: optional_text(from.has_watch_only(), from.get_watch_only())?,
            solvables: optional_text(from.has_solvables(), from.get_solvables())?,
            backup_path: text(from.get_backup_path())?,
        }))
    }
}

impl ToWire<wallet::dir_entry::Builder<'_>> for WalletDirEntry {
    fn to_wire(&self, mut out: wallet::dir_entry::Builder<'_>) {
        out.set_name(&self.name);
        out.set_format(&self.format);
    }
}

impl FromWire<wallet::dir_entry::Reader<'_>> for WalletDirEntry {
    fn from_wire(from: wallet::dir_entry::Reader<'_>) -> capnp::Result<Self> {
        Ok(WalletDirEntry { name: text(from.get_name())?, format: text(from.get_format())? })
    }
}

impl ToWire<common::block_ref::Builder<'_>> for BlockRef {
    fn to_wire(&self, mut out: common::block_ref::Builder<'_>) {
        out.set_hash(self.hash.as_bytes());
        out.set_height(i32::try_from(self.height).unwrap_or(i32::MAX));
    }
}

impl FromWire<common::block_ref::Reader<'_>> for BlockRef {
    fn from_wire(from: common::block_ref::Reader<'_>) -> capnp::Result<Self> {
        let height = u32::try_from(from.get_height()).map_err(|_| exception("negative height"))?;
        Ok(BlockRef { hash: block_hash(from.get_hash())?, height })
    }
}

/// Longest time limit that is kept as such; more is for ever. A century, as in the reference.
const LONGEST_TIMEOUT: f64 = 100.0 * 365.0 * 86_400_000.0;

/// A time limit in milliseconds. Negative and not-a-number are zero.
pub(crate) fn timeout(milliseconds: f64) -> Duration {
    if milliseconds.is_nan() || milliseconds <= 0.0 {
        Duration::ZERO
    } else if milliseconds >= LONGEST_TIMEOUT {
        TIMEOUT_FOREVER
    } else {
        Duration::from_secs_f64(milliseconds / 1000.0)
    }
}

/// The inverse of [`timeout`].
pub(crate) fn timeout_milliseconds(timeout: Duration) -> f64 {
    let milliseconds = timeout.as_secs_f64() * 1000.0;
    if milliseconds >= LONGEST_TIMEOUT { f64::MAX } else { milliseconds }
}

impl ToWire<mining::block_wait_options::Builder<'_>> for BlockWaitOptions {
    fn to_wire(&self, mut out: mining::block_wait_options::Builder<'_>) {
        out.set_timeout(timeout_milliseconds(self.timeout));
        out.set_fee_threshold(self.fee_threshold.0);
    }
}

impl FromWire<mining::block_wait_options::Reader<'_>> for BlockWaitOptions {
    fn from_wire(from: mining::block_wait_options::Reader<'_>) -> capnp::Result<Self> {
        Ok(BlockWaitOptions {
            timeout: timeout(from.get_timeout()),
            fee_threshold: Amount(from.get_fee_threshold()),
        })
    }
}

impl ToWire<mining::coinbase_tx::Builder<'_>> for CoinbaseTx {
    fn to_wire(&self, mut out: mining::coinbase_tx::Builder<'_>) {
        out.set_version(self.version);
        out.set_sequence(self.sequence);
        out.set_script_sig_prefix(&self.script_sig_prefix);
        if let Some(witness) = &self.witness {
            out.set_witness(witness);
        }
        out.set_block_reward_remaining(self.block_reward_remaining.0);
        out.set_lock_time(self.lock_time);
        let outputs: Vec<Vec<u8>> = self.required_outputs.iter().map(encode_to_vec).collect();
        set_blobs(out.init_required_outputs(count(outputs.len())), &outputs);
    }
}

impl FromWire<mining::coinbase_tx::Reader<'_>> for CoinbaseTx {
    fn from_wire(from: mining::coinbase_tx::Reader<'_>) -> capnp::Result<Self> {
        Ok(CoinbaseTx {
            version: from.get_version(),
            sequence: from.get_sequence(),
            script_sig_prefix: from.get_script_sig_prefix()?.to_vec(),
            witness: from.has_witness().then(|| bytes32(from.get_witness())).transpose()?,
            block_reward_remaining: Amount(from.get_block_reward_remaining()),
            required_outputs: blobs(from.get_required_outputs()?, object)?,
            lock_time: from.get_lock_time(),
        })
    }
}
