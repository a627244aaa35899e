//! A call of the server, with `-rpcwait` and all ways to fail.

use std::path::Path;
use std::time::{Duration, Instant};

use grs_args::{ArgsManager, abs_path_for_config_val};
use serde_json::{Map, Value, json};

use crate::convert::Params;
use crate::http::{Post, parse_port, split_host_port, uri_encode};

/// Error number of a server that is still starting.
const IN_WARMUP: i64 = -28;
const DEFAULT_CONNECT: &str = "127.0.0.1";
const DEFAULT_TIMEOUT: i64 = 900;

/// Failure of the program. The text goes to the user after `error: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CliError {
    /// No connection, or the server is warming up: with `-rpcwait` it is worth trying again.
    #[error("{0}")]
    Connection(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl CliError {
    pub(crate) fn other(text: impl Into<String>) -> Self {
        CliError::Other(text.into())
    }
}

/// Makes the body of a request out of a command line, and something to print out of the answer.
pub(crate) trait Handler {
    /// JSON text of the request. Called once for each attempt.
    fn request(&self) -> Result<String, CliError>;
    /// Answer to look at: an object with `result` or `error`.
    fn reply(&self, reply: Value) -> Result<Value, CliError>;
}

/// JSON text of one call.
pub(crate) fn request_text(method: &str, params: &Params, id: usize) -> String {
    let method = Value::String(method.to_owned());
    format!("{{\"method\":{method},\"params\":{},\"id\":{id},\"jsonrpc\":\"2.0\"}}", params.to_json())
}

/// JSON text of several calls without parameters, numbered from zero.
pub(crate) fn batch_text(methods: &[&str]) -> String {
    let calls: Vec<String> =
        methods.iter().enumerate().map(|(id, method)| request_text(method, &Params::Null, id)).collect();
    format!("[{}]", calls.join(","))
}

/// Answers of a batch in the order of their numbers.
pub(crate) fn batch_replies(reply: Value) -> Result<Vec<Value>, CliError> {
    let Value::Array(replies) = reply else { return Err(CliError::other("Batch must be an array")) };
    let mut sorted = vec![Value::Null; replies.len()];
    for reply in replies {
        if !reply.is_object() {
            return Err(CliError::other("Batch member must be an object"));
        }
        let id = reply["id"].as_u64().and_then(|id| usize::try_from(id).ok());
        let id = id.ok_or_else(|| CliError::other("JSON value is not an integer as expected"))?;
        let slot =
            sorted.get_mut(id).ok_or_else(|| CliError::other("Batch member id is larger than batch size"))?;
        *slot = reply;
    }
    Ok(sorted)
}

/// Answer that carries a result.
pub(crate) fn result_reply(result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "result": result, "id": 1 })
}

/// One call: what is asked, and the answer as it is.
pub(crate) struct Plain {
    pub(crate) method: String,
    pub(crate) params: Result<Params, CliError>,
}

impl Plain {
    /// Call without arguments.
    pub(crate) fn bare(method: &str) -> Self {
        Self { method: method.to_owned(), params: Ok(Params::Array(Vec::new())) }
    }
}

impl Handler for Plain {
    fn request(&self) -> Result<String, CliError> {
        Ok(request_text(&self.method, self.params.as_ref().map_err(Clone::clone)?, 1))
    }

    fn reply(&self, reply: Value) -> Result<Value, CliError> {
        if reply.is_object() {
            return Ok(reply);
        }
        let ty = type_name(&reply);
        Err(CliError::other(format!("JSON value of type {ty} is not of expected type object")))
    }
}

/// Name of a JSON type in error texts.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// `-rpcwallet`, unless it is negated.
pub(crate) fn wallet_name(args: &ArgsManager) -> Option<String> {
    if args.is_negated("-rpcwallet") { None } else { args.get_opt_str("-rpcwallet") }
}

fn endpoint(args: &ArgsManager) -> Result<(String, u16), CliError> {
    let connect = args.get_str("-rpcconnect", DEFAULT_CONNECT);
    let Some((host, connect_port)) = split_host_port(&connect) else {
        return Err(CliError::other(format!("Invalid port provided in -rpcconnect: {connect}")));
    };
    if let Some(text) = args.get_opt_str("-rpcport") {
        let Some(port) = parse_port(&text) else {
            return Err(CliError::other(format!("Invalid port provided in -rpcport: {text}")));
        };
        if connect_port.is_some() {
            eprintln!("Warning: Port specified in both -rpcconnect and -rpcport. Using -rpcport {port}");
        }
        return Ok((host, port));
    }
    let default = args.network().map_or(0, |network| network.base_params().rpc_port);
    Ok((host, connect_port.unwrap_or(default)))
}

/// User and password; `None` when the cookie cannot be read.
fn credentials(args: &ArgsManager) -> Option<String> {
    let password = args.get_str("-rpcpassword", "");
    if !password.is_empty() {
        return Some(format!("{}:{password}", args.get_str("-rpcuser", "")));
    }
    let path = args.get_path("-rpccookiefile", Path::new(".cookie"));
    if path.as_os_str().is_empty() {
        return Some(String::new());
    }
    let text = std::fs::read_to_string(abs_path_for_config_val(args, &path, true)).ok()?;
    Some(text.lines().next().unwrap_or_default().to_owned())
}

/// Path of a request, which names the wallet.
pub(crate) fn endpoint_path(wallet: Option<&str>) -> String {
    wallet.map_or_else(|| "/".to_owned(), |name| format!("/wallet/{}", uri_encode(name)))
}

fn call_once(args: &ArgsManager, handler: &dyn Handler, wallet: Option<&str>) -> Result<Value, CliError> {
    let over_ipc = crate::ipc::call_once(args, handler, wallet)?;
    let value = over_ipc.map_or_else(|| call_http(args, handler, wallet), Ok)?;
    if value.as_object().is_none_or(Map::is_empty) {
        return Err(CliError::other("expected reply to have result, error and id properties"));
    }
    Ok(value)
}

fn call_http(args: &ArgsManager, handler: &dyn Handler, wallet: Option<&str>) -> Result<Value, CliError> {
    let (host, port) = endpoint(args)?;
    let seconds = args.get_int("-rpcclienttimeout", DEFAULT_TIMEOUT);
    let credentials = credentials(args);
    let body = handler.request()? + "\n";
    let path = endpoint_path(wallet);
    let post = Post {
        host: &host,
        port,
        path: &path,
        credentials: credentials.as_deref().unwrap_or_default(),
        body: &body,
        timeout: u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs),
    };
    let reply = post.send().map_err(|error| {
        CliError::Connection(format!(
            "Could not connect to the server {host}:{port}{error}\n\n\
             Make sure the groestlcoind server is running and that you are connecting to the correct RPC port.\n\
             Use \"groestlcoin-cli -help\" for more info."
        ))
    })?;
    match reply.status {
        401 if credentials.is_none() => {
            return Err(CliError::other(format!(
                "Could not locate RPC credentials. No authentication cookie could be found, and RPC password is not \
                 set.  See -rpcpassword and -stdinrpcpass.  Configuration file: ({})",
                args.config_file_path().display()
            )));
        }
        401 => return Err(CliError::other("Authorization failed: Incorrect rpcuser or rpcpassword")),
        503 => {
            let body = String::from_utf8_lossy(&reply.body);
            return Err(CliError::other(format!("Server response: {body}")));
        }
        // Failures of methods, with a body that tells which.
        400 | 404 | 500 => {}
        status if status >= 400 => {
            return Err(CliError::other(format!("server returned HTTP error {status}")));
        }
        _ => {}
    }
    if reply.body.is_empty() {
        return Err(CliError::other("no response from server"));
    }
    let value = serde_json::from_slice(&reply.body);
    handler.reply(value.map_err(|_| CliError::other("couldn't parse reply from server"))?)
}

/// Calls the server, again and again with `-rpcwait` until it is there.
pub(crate) fn call(
    args: &ArgsManager,
    handler: &dyn Handler,
    wallet: Option<&str>,
) -> Result<Value, CliError> {
    let wait = args.get_bool("-rpcwait", false);
    let seconds: i64 = args.get_int("-rpcwaittimeout", 0);
    let deadline =
        u64::try_from(seconds).ok().filter(|s| *s > 0).map(|s| Instant::now() + Duration::from_secs(s));
    loop {
        let reply = call_once(args, handler, wallet).and_then(|reply| {
            let warming_up = wait && reply["error"]["code"].as_i64() == Some(IN_WARMUP);
            if warming_up { Err(CliError::Connection("server in warmup".to_owned())) } else { Ok(reply) }
        });
        match reply {
            Err(CliError::Connection(_)) if wait && deadline.is_none_or(|d| Instant::now() < d) => {
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(CliError::Connection(text)) => {
                return Err(CliError::Connection(format!("timeout on transient error: {text}")));
            }
            other => return other,
        }
    }
}
