//! Calls over the node's IPC socket instead of HTTP (`-ipcconnect`).

use grs_args::{ArgsManager, ChainType};
use grs_fs::os_error_text;
use grs_interfaces::{CallError, Init};
use grs_ipc::{AddressError, InitProxy, Ipc, IpcAddress};
use serde_json::Value;

use crate::call::{CliError, Handler, endpoint_path};

/// Value of `-ipcconnect` that stands for: if a node listens, over IPC, otherwise over HTTP.
const AUTO: &str = "auto";

/// Makes a call over IPC; `None` if it has to be made over HTTP.
pub(crate) fn call_once(
    args: &ArgsManager,
    handler: &dyn Handler,
    wallet: Option<&str>,
) -> Result<Option<Value>, CliError> {
    let value = args.get_str("-ipcconnect", AUTO);
    let auto = value == AUTO;
    if value == "0" {
        return Ok(None);
    }
    if args.is_set("-rpcconnect") && !args.is_negated("-rpcconnect") {
        if auto {
            return Ok(None);
        }
        return Err(CliError::other("-rpcconnect and -ipcconnect options cannot both be enabled"));
    }
    // Given without a value it means the default address.
    let text = if auto || value.is_empty() { "unix" } else { &value };
    let connection = match connect(args, text, auto) {
        Ok(connection) => connection,
        Err(_) if auto => return Ok(None),
        // Only worth another attempt if that is asked for; the text is shown as it is otherwise.
        Err(error) if args.get_bool("-rpcwait", false) => {
            return Err(CliError::Connection(no_node(args, &error)));
        }
        Err(error) => return Err(CliError::other(no_node(args, &error))),
    };
    let rpc = match connection.init.make_rpc() {
        Ok(rpc) => rpc,
        // A node of a release that has no RPC over IPC, or one that is just stopping.
        Err(_) if auto => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let request = handler.request()?;
    let user = args.get_str("-rpcuser", "");
    let reply = rpc.execute_rpc(&request, &endpoint_path(wallet), &user).map_err(failed)?;
    let reply =
        serde_json::from_str(&reply).map_err(|_| CliError::other("couldn't parse reply from server"))?;
    handler.reply(reply).map(Some)
}

/// A connection, and the thread that it needs.
struct Connected {
    init: InitProxy,
    _ipc: Ipc,
}

fn connect(args: &ArgsManager, address: &str, auto: bool) -> Result<Connected, AddressError> {
    let address = IpcAddress::parse(address, &args.data_dir_net())?;
    // Without a node no thread is started: most calls go over HTTP, and do not wait for one.
    if auto && !address.may_listen() {
        return Err(AddressError::Io(std::io::ErrorKind::NotFound.into()));
    }
    let ipc = Ipc::start("groestlcoin-cli")?;
    Ok(Connected { init: ipc.connect(&address)?, _ipc: ipc })
}

/// Never worth another attempt: the node may have made the call before the connection broke.
fn failed(error: CallError) -> CliError {
    CliError::other(error.to_string())
}

/// What to do about a missing node.
fn no_node(args: &ArgsManager, error: &AddressError) -> String {
    let reason = match error {
        AddressError::Io(error) => os_error_text(error),
        other => other.to_string(),
    };
    let chain = args.network().map_or("main", ChainType::name);
    format!(
        "{reason}\n\nProbably groestlcoin-node is not running or not listening on a unix socket. Can be started \
         with:\n\n    groestlcoin-node -chain={chain} -ipcbind=unix"
    )
}
