//! `Init`: connecting, exchange of thread factories, and the wallet loader's relay.

use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;

use capnp::capability::Promise;
use grs_interfaces::{CallResult, Chain, GlobalArgs, Init, WalletLoader};
use grs_ipc_schema::proxy_capnp::thread_map;
use grs_ipc_schema::{grs_init_capnp::grs_init, init_capnp::init};
use grs_mp::{Connection, LoopHandle};
use grs_tls::{Fate, KeyFolder};

use crate::generated::{InitProxy, InitServer, WalletLoaderProxy, chain_client_with, init_client};
use crate::supervised_wallet::RpcRelay;
use crate::support::*;

/// The bootstrap capability for a connection: pass it to the runtime's `serve` and `Listener::start`.
pub fn serve_init(session: &Rc<Session>, init: Arc<dyn Init>) -> capnp::capability::Client {
    init_client(session, init).client
}

/// The part of `Init` that the reference knows too.
fn plain(client: &grs_init::Client) -> init::Client {
    FromClientHook::new(client.client.hook.add_ref())
}

/// The first call: exchanges the makers of threads.
fn construct(
    client: &grs_init::Client,
    threads: thread_map::Client,
) -> (thread_map::Client, Promise<(), capnp::Error>) {
    let mut request = plain(client).construct_request();
    request.get().set_thread_map(threads);
    let answer = request.send();
    let map = answer.pipeline.get_thread_map();
    let promise = answer.promise;
    (map, Promise::from_future(async move { promise.await.map(|_| ()) }))
}

impl InitProxy {
    /// Connects over a socket the other end of which is served. Nothing is waited for: a failure shows in the first
    /// call.
    pub fn connect(home: &LoopHandle, stream: UnixStream) -> CallResult<InitProxy> {
        let init = Connection::connect(home, stream, construct);
        Ok(InitProxy(Proxy::of(init.map_err(call_error)?)))
    }

    /// Connects with TLS; returns after the hand-shake of this side.
    pub(crate) fn connect_tls(
        home: &LoopHandle,
        host: String,
        port: u16,
        keys: KeyFolder,
    ) -> CallResult<InitProxy> {
        let fate = Fate::default();
        let open = {
            let fate = fate.clone();
            move || grs_tls::connect(host, port, keys, fate)
        };
        let init = Connection::connect_over(home, open, construct).map_err(call_error)?;
        fate.attach(init.connection());
        Ok(InitProxy(Proxy::of(init)))
    }

    /// The connection, to watch or close it.
    pub fn connection(&self) -> &Connection {
        self.0.remote().connection()
    }

    pub(crate) fn make_wallet_loader_by_hand(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        self.make_wallet_loader_with(args, chain, None)
    }

    /// [`Init::make_wallet_loader`], whose commands go to `relay` if there is one.
    pub(crate) fn make_wallet_loader_with(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
        relay: Option<Arc<RpcRelay>>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        self.0.call(|client, call| async move {
            let mut request = client.make_wallet_loader_request();
            {
                let mut p = request.get();
                call.context(p.reborrow().init_context())?;
                args.to_wire(p.reborrow().init_args());
                let state = ChainState::with_relay(relay);
                p.set_chain(chain_client_with(call.session(), chain, state));
            }
            // The settings may hold passwords.
            let response = call.send_secret(request).await?;
            let loader = response.get()?.get_result()?;
            Ok(Arc::new(WalletLoaderProxy::new(call.session(), loader)) as Arc<dyn WalletLoader>)
        })
    }
}

impl InitServer {
    pub(crate) async fn construct_by_hand(
        self: Rc<Self>,
        params: init::ConstructParams,
        mut results: init::ConstructResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.hosted.session;
        let call = session.receive(&params);
        // A client that takes no callbacks passes a null map.
        let own = session.construct(params.get()?.get_thread_map().ok());
        results.get().set_thread_map(own);
        call.done(&mut results)
    }
}
