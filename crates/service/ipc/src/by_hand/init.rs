//! `Init`: connecting, exchange of thread factories, and the wallet loader's relay.

use std::cell::Cell;
use std::ops::Deref;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;

use capnp::any_pointer;
use capnp::capability::{DispatchCallResult, FromServer, Params, Promise, Results, Server};
use capnp::private::capability::ClientHook;
use capnp::traits::HasTypeId;
use grs_interfaces::{CallResult, Chain, GlobalArgs, Init, WalletLoader};
use grs_ipc_schema::proxy_capnp::thread_map;
use grs_ipc_schema::{grs_init_capnp::grs_init, init_capnp::init};
use grs_mp::{Connection, LoopHandle};
use grs_tls::{Fate, KeyFolder};

use crate::generated::{InitProxy, InitServer, WalletLoaderProxy, chain_client_with};
use crate::supervised_wallet::RpcRelay;
use crate::support::*;

/// Answer to who does not begin with `hello`.
const HELLO_FIRST: &str =
    "The first call must be hello, which makes sure that the two programs fit together.";

/// The ordinal of `hello`.
const HELLO: u16 = 0;

/// The bootstrap capability for a connection: pass it to the runtime's `serve` and `Listener::start`. What is not the
/// reference's is refused until `hello` has succeeded.
pub fn serve_init(session: &Rc<Session>, init: Arc<dyn Init>) -> capnp::capability::Client {
    let server = InitServer { hosted: Hosted::new(session, init, "Init") };
    capnp_rpc::new_client::<HelloFirst, _>(server).0
}

/// The client of [`HelloFirstDispatch`].
struct HelloFirst(capnp::capability::Client);

impl FromClientHook for HelloFirst {
    fn new(hook: Box<dyn ClientHook>) -> HelloFirst {
        HelloFirst(FromClientHook::new(hook))
    }

    fn into_client_hook(self) -> Box<dyn ClientHook> {
        self.0.hook
    }

    fn as_client_hook(&self) -> &dyn ClientHook {
        &*self.0.hook
    }
}

impl FromServer<InitServer> for HelloFirst {
    type Dispatch = HelloFirstDispatch;

    fn from_server(server: Rc<InitServer>) -> HelloFirstDispatch {
        HelloFirstDispatch { inner: grs_init::Client::from_server(server), greeted: Rc::default() }
    }
}

/// Lets calls through to the server as far as the peer has said who it is.
#[derive(Clone)]
struct HelloFirstDispatch {
    inner: <grs_init::Client as FromServer<InitServer>>::Dispatch,
    greeted: Rc<Cell<bool>>,
}

impl Deref for HelloFirstDispatch {
    type Target = InitServer;

    fn deref(&self) -> &InitServer {
        &self.inner
    }
}

impl Server for HelloFirstDispatch {
    fn dispatch_call(
        self,
        interface_id: u64,
        method_id: u16,
        params: Params<any_pointer::Owned>,
        results: Results<any_pointer::Owned>,
    ) -> DispatchCallResult {
        let HelloFirstDispatch { inner, greeted } = self;
        if interface_id != grs_init::Client::TYPE_ID || greeted.get() {
            return inner.dispatch_call(interface_id, method_id, params, results);
        }
        // Looked at when it is this call's turn: an earlier `hello` may still be on its way.
        let promise = Promise::from_future(async move {
            if method_id != HELLO && !greeted.get() {
                return Err(exception(HELLO_FIRST));
            }
            inner.dispatch_call(interface_id, method_id, params, results).promise.await?;
            greeted.set(true);
            Ok(())
        });
        DispatchCallResult::new(promise, false)
    }

    fn as_ptr(&self) -> usize {
        self.inner.as_ptr()
    }
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
