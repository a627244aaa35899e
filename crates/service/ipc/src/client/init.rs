//! Proxies of `Init`, `Echo` and `Rpc`.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use capnp::capability::{FromClientHook, Promise};
use grs_interfaces::{CallResult, Chain, Echo, GlobalArgs, Hello, Init, Mining, Rpc, WalletLoader};
use grs_ipc_schema::{echo_capnp::echo, grs_init_capnp::grs_init, init_capnp::init, rpc_capnp::rpc};
use grs_mp::{Connection, LoopHandle};

use super::{ChainProxy, MiningProxy, Proxy, WalletLoaderProxy, ask, call_error};
use crate::convert::{FromWire, ToWire, text};
use crate::server::chain_client;
use crate::supervised_wallet::RpcRelay;

/// The first interface of another process.
pub struct InitProxy {
    init: Proxy<grs_init::Client>,
}

/// The part of `Init` that the reference knows too.
fn plain(client: &grs_init::Client) -> init::Client {
    FromClientHook::new(client.client.hook.add_ref())
}

impl InitProxy {
    /// Connects over a socket the other end of which is served. Nothing is waited for: a failure shows in the first
    /// call.
    pub fn connect(home: &LoopHandle, stream: UnixStream) -> CallResult<InitProxy> {
        let init = Connection::connect(home, stream, |client: &grs_init::Client, threads| {
            let mut request = plain(client).construct_request();
            request.get().set_thread_map(threads);
            let answer = request.send();
            let map = answer.pipeline.get_thread_map();
            let promise = answer.promise;
            (map, Promise::from_future(async move { promise.await.map(|_| ()) }))
        });
        Ok(InitProxy { init: Proxy::of(init.map_err(call_error)?) })
    }

    /// [`Init::make_wallet_loader`], whose commands go to `relay` if there is one.
    pub(crate) fn make_wallet_loader_with(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
        relay: Option<Arc<RpcRelay>>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        self.init.call(|client, call| async move {
            let mut request = client.make_wallet_loader_request();
            {
                let mut p = request.get();
                call.context(p.reborrow().init_context())?;
                args.to_wire(p.reborrow().init_args());
                p.set_chain(chain_client(call.session(), chain, relay));
            }
            // The settings may hold passwords.
            let response = call.send_secret(request).await?;
            let loader = response.get()?.get_result()?;
            Ok(Arc::new(WalletLoaderProxy(Proxy::new(call.session(), loader))) as Arc<dyn WalletLoader>)
        })
    }

    /// The connection, to watch or close it.
    pub fn connection(&self) -> &Connection {
        self.init.remote().connection()
    }
}

/// A method of the reference's `Init`.
macro_rules! ask_plain {
    ($proxy:expr, $request:ident, |$r:ident, $call:ident| $read:expr) => {
        $proxy.call(move |client, $call| async move {
            let mut request = plain(&client).$request();
            $call.context(request.get().init_context())?;
            let response = $call.send(request).await?;
            let $r = response.get()?;
            $read
        })
    };
}

impl Init for InitProxy {
    fn hello(&self, peer: &Hello) -> CallResult<Hello> {
        let peer = peer.clone();
        ask!(self.init, hello_request, |p, call| peer.to_wire(p.reborrow().init_hello()), |r| {
            Hello::from_wire(r.get_hello()?)
        })
    }

    fn make_echo(&self) -> CallResult<Arc<dyn Echo>> {
        ask_plain!(self.init, make_echo_request, |r, call| {
            Ok(Arc::new(EchoProxy(Proxy::new(call.session(), r.get_result()?))) as Arc<dyn Echo>)
        })
    }

    fn make_mining(&self) -> CallResult<Option<Arc<dyn Mining>>> {
        ask_plain!(self.init, make_mining_request, |r, call| {
            if !r.has_result() {
                return Ok(None);
            }
            Ok(Some(Arc::new(MiningProxy(Proxy::new(call.session(), r.get_result()?))) as Arc<dyn Mining>))
        })
    }

    fn make_rpc(&self) -> CallResult<Arc<dyn Rpc>> {
        ask_plain!(self.init, make_rpc_request, |r, call| {
            Ok(Arc::new(RpcProxy(Proxy::new(call.session(), r.get_result()?))) as Arc<dyn Rpc>)
        })
    }

    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        self.init.call(|client, call| async move {
            let mut request = client.make_chain_request();
            call.context(request.get().init_context())?;
            let response = call.send(request).await?;
            let chain = response.get()?.get_result()?;
            Ok(Arc::new(ChainProxy(Proxy::new(call.session(), chain))) as Arc<dyn Chain>)
        })
    }

    fn make_wallet_loader(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        self.make_wallet_loader_with(args, chain, None)
    }
}

/// `Echo` of another process.
pub(crate) struct EchoProxy(pub(crate) Proxy<echo::Client>);

impl Echo for EchoProxy {
    fn echo(&self, value: &str) -> CallResult<String> {
        let value = value.to_owned();
        ask!(context self.0, echo_request, |p, call| p.set_echo(&value), |r| text(r.get_result()))
    }
}

/// `Rpc` of another process.
pub(crate) struct RpcProxy(pub(crate) Proxy<rpc::Client>);

impl Rpc for RpcProxy {
    fn execute_rpc(&self, request: &str, uri: &str, user: &str) -> CallResult<String> {
        let (request, uri, user) = (request.to_owned(), uri.to_owned(), user.to_owned());
        ask!(
            secret self.0,
            execute_rpc_request,
            |p, call| {
                p.set_request(&request);
                p.set_uri(&uri);
                p.set_user(&user);
            },
            |r| text(r.get_result())
        )
    }
}
