//! JSON-RPC over HTTP: authentication, dialects, batches, and which thread runs a call (reference: `httprpc.cpp`).

use std::sync::Arc;
use std::time::Duration;

use grs_log::{Category, debug, warn};
use hyper::{Method, header};
use serde_json::Value;

use crate::auth::{Auth, Permission};
use crate::error::{RpcError, code};
use crate::http::{HttpReply, HttpRequest, HttpServer, PathHandler, Step};
use crate::protocol::{
    Body, Caller, Item, RawCall, SAFE_CHARS, Version, batch_method, http_status, sanitize,
};
use crate::request::{CallInfo, Context, Mode};
use crate::table::RpcTable;

/// Larger bodies are parsed by a worker, so that the thread that reads requests stays free.
const INLINE_BODY: usize = 4096;
/// Slows down guessing of passwords.
const BAD_PASSWORD_DELAY: Duration = Duration::from_millis(250);
const REALM: &str = "Basic realm=\"jsonrpc\"";

/// Answers JSON-RPC requests of an [`HttpServer`] from an [`RpcTable`].
pub struct RpcServer {
    table: Arc<RpcTable>,
    auth: Auth,
    context: Context,
}

impl std::fmt::Debug for RpcServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpcServer").field("table", &self.table).finish_non_exhaustive()
    }
}

impl RpcServer {
    /// Server for a table; handlers find `context` in their requests.
    pub fn new(table: Arc<RpcTable>, auth: Auth, context: Context) -> Arc<Self> {
        Arc::new(Self { table, auth, context })
    }

    /// Takes the paths of JSON-RPC: `/`, and `/wallet/...` where there are wallets.
    pub fn register(self: &Arc<Self>, http: &HttpServer, wallets: bool) {
        debug!(Category::Rpc, "Starting HTTP RPC server");
        http.register("/", true, self.clone());
        if wallets {
            http.register("/wallet/", false, self.clone());
        }
    }

    /// Undoes [`RpcServer::register`].
    pub fn unregister(&self, http: &HttpServer, wallets: bool) {
        debug!(Category::Rpc, "Stopping HTTP RPC server");
        http.unregister("/", true);
        if wallets {
            http.unregister("/wallet/", false);
        }
    }

    /// Removes the cookie file. After the HTTP server has stopped.
    pub fn stop(&self) {
        debug!(Category::Rpc, "Stopping RPC");
        self.auth.delete_cookie();
        debug!(Category::Rpc, "RPC stopped.");
    }

    fn answer(&self, info: &CallInfo, body: Result<Body, RpcError>) -> HttpReply {
        let body = match body {
            Ok(body) => body,
            Err(error) => return failure(&Caller::default(), &error),
        };
        let permission = self.auth.permission(&info.auth_user);
        if permission == Permission::None {
            warn!("RPC User {} not allowed to call any methods", info.auth_user);
            return HttpReply::new(403, "");
        }
        match body {
            Body::Single(call) => self.single(info, *call, permission),
            Body::Batch(items) => self.batch(info, items, permission),
            Body::Other => {
                failure(&Caller::default(), &RpcError::new(code::PARSE_ERROR, "Top-level object parse error"))
            }
        }
    }

    fn single(&self, info: &CallInfo, call: RawCall, permission: Permission<'_>) -> HttpReply {
        let mut caller = Caller::default();
        let (method, params) = match caller.read(call) {
            Ok(read) => read,
            Err(error) => return failure(&caller, &error),
        };
        log_call(info, &method);
        if !permission.allows(&method) {
            return not_allowed(info, &method);
        }
        let result = self.table.execute(info, &method, params).map(crate::Output::into_text);
        if caller.is_notification() {
            return HttpReply::new(204, "");
        }
        match result {
            Ok(result) => json_reply(200, caller.answer(Ok(&result))),
            Err(error) if caller.version == Version::V2 => json_reply(200, caller.answer(Err(&error))),
            Err(error) => failure(&caller, &error),
        }
    }

    fn batch(&self, info: &CallInfo, items: Vec<Item>, permission: Permission<'_>) -> HttpReply {
        if let Permission::Listed(_) = permission {
            for item in &items {
                match batch_method(item) {
                    Ok(method) if permission.allows(method) => {}
                    Ok(method) => return not_allowed(info, method),
                    Err(error) => return failure(&Caller::default(), &error),
                }
            }
        }
        let mut caller = Caller::default();
        let mut text = String::from("[");
        let count = items.len();
        let mut answers = 0usize;
        for item in items {
            let read = match item {
                Item::Call(call) => caller.read(*call),
                Item::Other => Err(RpcError::new(code::INVALID_REQUEST, "Invalid Request object")),
            };
            let result = read.and_then(|(method, params)| {
                log_call(info, &method);
                self.table.execute(info, &method, params).map(crate::Output::into_text)
            });
            if caller.is_notification() {
                continue;
            }
            if answers > 0 {
                text.push(',');
            }
            answers += 1;
            text.push_str(&caller.answer(result.as_deref()));
        }
        // An empty batch says nothing of its dialect; clients of the old one expect an empty list.
        if answers == 0 && count > 0 {
            return HttpReply::new(204, "");
        }
        text.push(']');
        json_reply(200, text)
    }

    /// May this body be worked on without a worker?
    fn is_fast(&self, body: &Result<Body, RpcError>) -> bool {
        match body {
            Ok(Body::Single(call)) => {
                call.method().and_then(Value::as_str).is_none_or(|method| self.table.is_fast(method))
            }
            Ok(Body::Batch(items)) => items.is_empty(),
            Ok(Body::Other) | Err(_) => true,
        }
    }
}

impl PathHandler for RpcServer {
    fn begin(self: Arc<Self>, request: HttpRequest, _tail: &str) -> Step {
        if request.method != Method::POST {
            return Step::Reply(HttpReply::new(405, "JSONRPC server handles only POST requests"));
        }
        let Some(header) = request.headers.get(header::AUTHORIZATION) else {
            return Step::Reply(HttpReply::new(401, "").header(header::WWW_AUTHENTICATE, REALM));
        };
        let peer_addr = request.peer.to_string();
        let Some(auth_user) = self.auth.check_header(header.as_bytes()) else {
            warn!("ThreadRPCServer incorrect password attempt from {peer_addr}");
            let mut reply = HttpReply::new(401, "").header(header::WWW_AUTHENTICATE, REALM);
            reply.delay = BAD_PASSWORD_DELAY;
            return Step::Reply(reply);
        };
        let HttpRequest { uri, body, .. } = request;
        let info = CallInfo { mode: Mode::Execute, uri, auth_user, peer_addr, context: self.context.clone() };
        if body.len() > INLINE_BODY {
            return Step::Work(Box::new(move || self.answer(&info, Body::parse(&body))));
        }
        let parsed = Body::parse(&body);
        if self.is_fast(&parsed) {
            Step::Reply(self.answer(&info, parsed))
        } else {
            Step::Work(Box::new(move || self.answer(&info, parsed)))
        }
    }
}

impl grs_interfaces::Rpc for RpcServer {
    /// As over HTTP, without its status codes. A notification gives the text `null`, as in the reference; what the
    /// whitelist forbids is an error.
    fn execute_rpc(&self, request: &str, uri: &str, user: &str) -> grs_interfaces::CallResult<String> {
        let info = CallInfo {
            uri: uri.to_owned(),
            auth_user: user.to_owned(),
            ..CallInfo::new(self.context.clone())
        };
        let reply = self.answer(&info, Body::parse(request.as_bytes()));
        if reply.status == 403 {
            return Err(grs_interfaces::CallError::remote(format!(
                "The RPC whitelist does not let user '{user}' make this call."
            )));
        }
        match reply.body.trim_ascii_end() {
            [] => Ok("null".to_owned()),
            text => Ok(String::from_utf8_lossy(text).into_owned()),
        }
    }
}

fn log_call(info: &CallInfo, method: &str) {
    if !grs_log::enabled(Category::Rpc, grs_log::Level::Debug) {
        return;
    }
    let method = sanitize(method, SAFE_CHARS);
    if grs_log::log_ips() {
        debug!(
            Category::Rpc,
            "ThreadRPCServer method={method} user={} peeraddr={}", info.auth_user, info.peer_addr
        );
    } else {
        debug!(Category::Rpc, "ThreadRPCServer method={method} user={}", info.auth_user);
    }
}

fn not_allowed(info: &CallInfo, method: &str) -> HttpReply {
    warn!("RPC User {} not allowed to call method {method}", info.auth_user);
    HttpReply::new(403, "")
}

fn json_reply(status: u16, mut text: String) -> HttpReply {
    text.push('\n');
    HttpReply::typed(status, "application/json", text)
}

fn failure(caller: &Caller, error: &RpcError) -> HttpReply {
    json_reply(http_status(error), caller.answer(Err(error)))
}
