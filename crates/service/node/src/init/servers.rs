//! The HTTP server and RPC.

use std::sync::Arc;
use std::time::Duration;

use grs_args::{ArgsManager, ChainType};
use grs_interfaces::Rpc;
use grs_rpc::RpcServer;
use grs_rpc::auth::{Auth, AuthOptions};
use grs_rpc::http::{
    DEFAULT_SERVER_TIMEOUT, DEFAULT_THREADS, DEFAULT_WORK_QUEUE, HttpError, HttpOptions, HttpServer,
};

use super::user::init_error;
use crate::NodeContext;

/// The running servers.
pub(crate) struct Servers {
    pub(crate) http: Arc<HttpServer>,
    pub(crate) rpc: Arc<RpcServer>,
}

fn http_options(args: &ArgsManager, port: u16) -> HttpOptions {
    let count = |option: &str, default: usize| args.get_int(option, default as i64).max(1) as usize;
    let timeout = args.get_int("-rpcservertimeout", DEFAULT_SERVER_TIMEOUT as i64).max(0) as u64;
    HttpOptions {
        bind: args.get_list("-rpcbind"),
        allow_ip: args.get_list("-rpcallowip"),
        port: args.get_int("-rpcport", i64::from(port)).clamp(0, i64::from(u16::MAX)) as u16,
        threads: count("-rpcthreads", DEFAULT_THREADS),
        work_queue: count("-rpcworkqueue", DEFAULT_WORK_QUEUE),
        timeout: Duration::from_secs(timeout),
        cjdns_reachable: args.get_bool("-cjdnsreachable", false),
    }
}

fn auth_options(args: &ArgsManager) -> AuthOptions {
    let cookie = args.get_path("-rpccookiefile", ".cookie");
    let negated = args.is_negated("-rpccookiefile") || cookie.as_os_str().is_empty();
    AuthOptions {
        cookie_file: (!negated).then(|| grs_args::abs_path_for_config_val(args, &cookie, true)),
        cookie_perms: args.get_opt_str("-rpccookieperms"),
        user: args.get_str("-rpcuser", ""),
        password: args.get_str("-rpcpassword", ""),
        rpcauth: args.get_list("-rpcauth"),
        whitelist: args.get_list("-rpcwhitelist"),
        whitelist_default: args.get_opt_bool("-rpcwhitelistdefault"),
    }
}

fn default_port(args: &ArgsManager) -> u16 {
    args.network().unwrap_or(ChainType::Main).base_params().rpc_port
}

/// The RPC methods for callers without password: other processes of the same user. The whitelist holds for the user that
/// they name.
pub fn make_rpc(node: &Arc<NodeContext>) -> Arc<dyn Rpc> {
    let auth = Auth::whitelists(&auth_options(&node.args));
    RpcServer::new(node.rpc.clone(), auth, node.clone())
}

/// Binds and starts. Calls get a warm-up error until the node has loaded. The details of a failure are in the log.
pub(crate) fn start(node: &Arc<NodeContext>, wallets: bool) -> Option<Servers> {
    let args = &node.args;
    let http = match HttpServer::bind(&http_options(args, default_port(args))) {
        Ok(http) => Arc::new(http),
        // A value that cannot be meant is shown to the user.
        Err(e @ HttpError::AllowIp(_)) => {
            init_error(&e.to_string());
            return None;
        }
        Err(e) => {
            grs_log::error!("{e}");
            return None;
        }
    };
    let auth = match Auth::new(auth_options(args)) {
        Ok(auth) => auth,
        Err(e) => {
            grs_log::error!("{e}");
            return None;
        }
    };
    node.rpc.set_doc_check(args.get_bool("-rpcdoccheck", false));
    node.rpc.start();
    let rpc = RpcServer::new(node.rpc.clone(), auth, node.clone());
    rpc.register(&http, wallets);
    if let Err(e) = http.start() {
        grs_log::error!("{e}");
        return None;
    }
    let closing = Arc::downgrade(&http);
    node.shutdown.on_interrupt(move || {
        if let Some(http) = closing.upgrade() {
            http.begin_shutdown();
        }
    });
    Some(Servers { http, rpc })
}
