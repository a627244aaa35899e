//! Wallet methods of JSON-RPC.

mod addresses;
mod backup;
mod bump;
mod coins;
mod decode;
mod encrypt;
mod fund;
mod groupings;
mod psbt;
mod received;
mod sendall;
mod sign;
mod spend;
mod transactions;
mod wallets;

use std::sync::{Arc, MutexGuard};

use grs_descriptor::{AddressError, Destination, decode_destination};
use grs_interfaces::{CallResult, RpcActor, RpcArgName, RpcCommand, RpcMode, RpcReply, RpcRequest};
use grs_primitives::Script;
use grs_rpc::{
    CallInfo, JsonExt, Method, Mode, Outcome, Params, Request, RpcError, RpcTable, arg_names, code,
};
use serde_json::{Map, Value, json};

use crate::context::{FailureKind, LoadFailure, WalletContext};
use crate::error::WalletError;
use crate::loader::text_list;
use crate::state::State;
use crate::wallet::Wallet;

/// What handlers give.
pub(crate) type RpcResult = Result<Value, RpcError>;

fn all_methods() -> Vec<Method> {
    [
        wallets::methods(),
        addresses::methods(),
        coins::methods(),
        received::methods(),
        groupings::methods(),
        transactions::methods(),
        spend::methods(),
        fund::methods(),
        bump::methods(),
        sendall::methods(),
        psbt::methods(),
        sign::methods(),
        encrypt::methods(),
        backup::methods(),
    ]
    .concat()
}

/// Answers forwarded calls.
pub(crate) struct WalletRpc {
    context: Arc<WalletContext>,
    table: RpcTable,
}

impl WalletRpc {
    /// All methods.
    pub(crate) fn new(context: Arc<WalletContext>) -> WalletRpc {
        let table = RpcTable::new();
        table.set_doc_check(context.args.get_bool("-rpcdoccheck", false));
        table.register_all(all_methods());
        table.set_warmup_finished();
        table.start();
        WalletRpc { context, table }
    }

    /// Descriptions for the node.
    pub(crate) fn commands(&self) -> Vec<RpcCommand> {
        all_methods()
            .into_iter()
            .enumerate()
            .map(|(i, method): (usize, Method)| RpcCommand {
                category: method.category().to_owned(),
                name: method.name().to_owned(),
                arg_names: arg_names(&method)
                    .into_iter()
                    .map(|a| RpcArgName { name: a.names, named_only: a.named_only })
                    .collect(),
                unique_id: i as i64,
            })
            .collect()
    }
}

fn parse_params(text: &str) -> Result<Params, RpcError> {
    if text.is_empty() {
        return Ok(Params::default());
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => Ok(Params::Array(list)),
        Ok(Value::Object(map)) => Ok(Params::from(map)),
        Ok(Value::Null) => Ok(Params::default()),
        _ => Err(RpcError::new(code::PARSE_ERROR, "Params must be an array or object")),
    }
}

impl RpcActor for WalletRpc {
    fn call(&self, request: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>> {
        let info = CallInfo {
            mode: match request.mode {
                RpcMode::Execute => Mode::Execute,
                RpcMode::GetHelp => Mode::GetHelp,
                RpcMode::GetArgs => Mode::GetArgs,
            },
            uri: request.uri,
            auth_user: request.auth_user,
            peer_addr: request.peer_addr,
            context: self.context.clone(),
        };
        let outcome = parse_params(&request.params)
            .and_then(|params| self.table.dispatch(&info, &request.method, params, last_callback));
        Ok(match outcome {
            Ok(Outcome::Done(output)) => Some(Ok(output.into_text())),
            Ok(Outcome::Help(text)) => Some(Ok(Value::from(text).to_string())),
            Ok(Outcome::NotHandled) => None,
            Err(e) if e.code == code::WALLET_NOT_FOUND && !last_callback => None,
            Err(e) => Some(Err(grs_interfaces::RpcError { code: e.code, message: e.message })),
        })
    }
}

impl From<WalletError> for RpcError {
    fn from(e: WalletError) -> RpcError {
        RpcError::misc(e.to_string())
    }
}

/// The loader's errors with their numbers.
fn load_error(e: LoadFailure) -> RpcError {
    let code = match e.kind {
        FailureKind::NotFound => code::WALLET_NOT_FOUND,
        FailureKind::AlreadyLoaded => code::WALLET_ALREADY_LOADED,
        FailureKind::AlreadyExists => code::WALLET_ALREADY_EXISTS,
        FailureKind::InvalidParameter => code::INVALID_PARAMETER,
        FailureKind::Encrypt => code::WALLET_ENCRYPTION_FAILED,
        FailureKind::Other => code::WALLET_ERROR,
    };
    RpcError::new(code, e.text)
}

fn context<'a>(request: &Request<'a>) -> Result<&'a WalletContext, RpcError> {
    request.info().context().map_err(|_| RpcError::internal("Wallet context not found"))
}

/// Name of the wallet in the path, if there is one.
fn endpoint_wallet(request: &Request<'_>) -> Option<String> {
    grs_rpc::wallet::endpoint_wallet(&request.info().uri)
}

/// The wallet that a call is for. Reference: `GetWalletForJSONRPCRequest`.
fn wallet_of(request: &Request<'_>) -> Result<Arc<Wallet>, RpcError> {
    let context = context(request)?;
    if let Some(name) = endpoint_wallet(request) {
        return context.wallet(&name).ok_or_else(grs_rpc::wallet::not_loaded);
    }
    let mut wallets = context.wallets();
    match wallets.len() {
        1 => Ok(wallets.remove(0)),
        0 => Err(grs_rpc::wallet::none_loaded()),
        _ => Err(grs_rpc::wallet::not_specified()),
    }
}

/// As [`wallet_of`], once the wallet has seen all blocks up to now.
fn synced_wallet_of(request: &Request<'_>) -> Result<Arc<Wallet>, RpcError> {
    let wallet = wallet_of(request)?;
    wallet.sync_with_chain()?;
    Ok(wallet)
}

/// The wallet that a call is for by its path, its parameter, or both alike.
fn unique_wallet_name(request: &Request<'_>, param: Option<&str>) -> Result<String, RpcError> {
    match (endpoint_wallet(request), param) {
        (Some(endpoint), Some(param)) if endpoint != param => Err(RpcError::invalid_parameter(
            "The RPC endpoint wallet and the wallet name parameter specify different wallets",
        )),
        (Some(name), _) => Ok(name),
        (None, Some(name)) => Ok(name.to_owned()),
        (None, None) => Err(RpcError::invalid_parameter(
            "Either the RPC endpoint wallet or the wallet name parameter must be provided",
        )),
    }
}

/// An error while secret keys are locked.
fn ensure_unlocked(state: &State) -> Result<(), RpcError> {
    if state.is_locked() {
        return Err(RpcError::new(
            code::WALLET_UNLOCK_NEEDED,
            "Error: Please enter the wallet passphrase with walletpassphrase first.",
        ));
    }
    Ok(())
}

/// A label; `*` is none.
fn label_of(value: &Value) -> Result<String, RpcError> {
    if value.is_null() {
        return Ok(String::new());
    }
    match value.get_str()? {
        "*" => Err(RpcError::new(code::WALLET_INVALID_LABEL_NAME, "Invalid label name")),
        label => Ok(label.to_owned()),
    }
}

/// Whether coins on used addresses are to be left out.
fn avoid_reuse_flag(state: &State, value: &Value) -> Result<bool, RpcError> {
    let can = state.has_flag(crate::flags::AVOID_REUSE);
    let wanted = if value.is_null() { can } else { value.get_bool()? };
    if wanted && !can {
        return Err(RpcError::wallet("wallet does not have the \"avoid reuse\" feature enabled"));
    }
    Ok(wanted)
}

/// The destination of an address.
fn destination(state: &State, text: &str) -> Result<Destination, AddressError> {
    decode_destination(text, state.network)
}

fn push_warnings(warnings: &[String], object: &mut Map<String, Value>) {
    if !warnings.is_empty() {
        object.insert("warnings".into(), text_list(warnings));
    }
}

/// Where the wallet is in the chain.
fn last_processed_block(state: &State) -> Value {
    json!({ "hash": state.last_block.to_string(), "height": state.last_block_height })
}

/// Texts of the descriptors that a script belongs to.
fn parent_descriptors(state: &State, script: &Script) -> Value {
    let ids = state.scripts.get(script).into_iter().flatten();
    ids.filter_map(|id| state.managers.get(id)?.text(false, None)).map(Value::from).collect()
}

/// The data, locked. A function so that handlers read alike.
fn state_of(wallet: &Wallet) -> MutexGuard<'_, State> {
    wallet.lock()
}
