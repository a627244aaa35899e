//! What `-ipcconnect` does in a build without IPC.

use grs_args::ArgsManager;
use serde_json::Value;

use crate::call::{CliError, Handler};

/// `None`, so that the call is made over HTTP, unless IPC was asked for.
pub(crate) fn call_once(
    args: &ArgsManager,
    _handler: &dyn Handler,
    _wallet: Option<&str>,
) -> Result<Option<Value>, CliError> {
    match args.get_str("-ipcconnect", "auto").as_str() {
        "auto" | "0" => Ok(None),
        _ => Err(CliError::other("groestlcoin-cli was not built with IPC support")),
    }
}
