//! RPC methods served by another process.
//!
//! The HTTP server stays in the node. A wallet registers each of its commands with `Chain::handle_rpc`; the node
//! forwards a matching request as one call and relays the answer.

use crate::CallResult;

/// A name in a command's argument list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcArgName {
    /// The name, with alternatives separated by `|`.
    pub name: String,
    /// Whether the argument can be given by name only (a member of the options object).
    pub named_only: bool,
}

/// A command that is registered with the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcCommand {
    /// Category, such as `wallet`; it heads the section in `help`.
    pub category: String,
    /// Method name.
    pub name: String,
    /// Arguments in order.
    pub arg_names: Vec<RpcArgName>,
    /// Tells several commands of the same name apart.
    pub unique_id: i64,
}

/// What the caller wants of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RpcMode {
    /// Run it.
    #[default]
    Execute,
    /// Give its help text.
    GetHelp,
    /// Give the argument map for `help dump_all_command_conversions`.
    GetArgs,
}

/// The version of JSON-RPC that the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RpcVersion {
    /// The old dialect, 1.0 and 1.1.
    #[default]
    V1Legacy,
    /// JSON-RPC 2.0.
    V2,
}

/// A forwarded request.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RpcRequest {
    /// The request's id as JSON text; `None` for a notification.
    pub id: Option<String>,
    /// Method name.
    pub method: String,
    /// JSON text of the parameters: an array or an object. Named parameters have been put into their places already
    /// when it is an array.
    pub params: String,
    /// What is wanted.
    pub mode: RpcMode,
    /// Path of the HTTP request, such as `/wallet/<name>`.
    pub uri: String,
    /// The user that gave the credentials.
    pub auth_user: String,
    /// Address of the client.
    pub peer_addr: String,
    /// Dialect of the client.
    pub version: RpcVersion,
}

impl std::fmt::Debug for RpcRequest {
    /// Leaves the parameters out, since they may hold passphrases and keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpcRequest")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("mode", &self.mode)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// The error object of JSON-RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    /// Number of the reference's `RPCErrorCode`.
    pub code: i32,
    /// Text.
    pub message: String,
}

/// Answer of a forwarded request: the JSON text of the result, or the error object. A help text is a JSON string.
pub type RpcReply = Result<String, RpcError>;

/// Executes a registered command.
pub trait RpcActor: Send + Sync {
    /// Runs the request. `last_callback` says that no other actor is registered for this name, so that a request
    /// which is none of this actor's business has to be answered with an error; otherwise `None` passes it on.
    fn call(&self, request: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>>;
}

/// All RPC methods of a node, over IPC.
pub trait Rpc: Send + Sync {
    /// Runs a JSON-RPC request object or a batch given as text and answers the response as text, as over HTTP; the text
    /// `null` for a notification. `uri` as in [`RpcRequest`]; `user` is the name to check a whitelist for.
    fn execute_rpc(&self, request: &str, uri: &str, user: &str) -> CallResult<String>;
}
