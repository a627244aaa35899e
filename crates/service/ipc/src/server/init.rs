//! Server of `GrsInit`, which is also the reference's `Init`, and of `Echo` and `Rpc`.

use std::rc::Rc;
use std::sync::Arc;

use grs_interfaces::{Chain, Echo, GlobalArgs, Hello, Init, Rpc};
use grs_ipc_schema::echo_capnp::echo::{self, DestroyParams, DestroyResults, EchoParams, EchoResults};
use grs_ipc_schema::grs_init_capnp::grs_init::{self, *};
use grs_ipc_schema::init_capnp::init::{
    self, ConstructParams, ConstructResults, MakeEchoParams, MakeEchoResults, MakeMiningOld2Params,
    MakeMiningOld2Results, MakeMiningParams, MakeMiningResults, MakeRpcParams, MakeRpcResults,
};
use grs_ipc_schema::rpc_capnp::rpc::{self, ExecuteRpcParams, ExecuteRpcResults};
use grs_mp::{RequestContext, Session, exception};

use super::mining::mining_client;
use super::{Hosted, chain_client, serve, wallet_loader_client};
use crate::client::{ChainProxy, Proxy};
use crate::convert::{FromWire, ToWire, text};

/// The first interface of this process.
struct InitServer(Hosted<dyn Init>);

/// The bootstrap capability for a connection: pass it to the runtime's `serve` and `Listener::start`.
pub fn serve_init(session: &Rc<Session>, init: Arc<dyn Init>) -> capnp::capability::Client {
    let client: grs_init::Client = capnp_rpc::new_client(InitServer(Hosted::new(session, init, "Init")));
    client.client
}

impl init::Server for InitServer {
    async fn construct(
        self: Rc<Self>,
        params: ConstructParams,
        mut results: ConstructResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.0.session;
        let call = session.receive(&params);
        // A client that takes no callbacks passes a null map.
        let own = session.construct(params.get()?.get_thread_map().ok());
        results.get().set_thread_map(own);
        call.done(&mut results)
    }

    serve!(short make_echo MakeEchoParams MakeEchoResults,
        |p, s| |init: &dyn Init| init.make_echo(), |out, echo| out.set_result(echo_client(s, echo)));

    async fn make_mining_old2(
        self: Rc<Self>,
        _: MakeMiningOld2Params,
        _: MakeMiningOld2Results,
    ) -> Result<(), capnp::Error> {
        Err(exception("Old mining interface (@2) not supported. Please update your client!"))
    }

    serve!(worker make_mining MakeMiningParams MakeMiningResults,
    |p, s| |init: &dyn Init| init.make_mining(),
    |out, mining| if let Some(mining) = mining {
        out.set_result(mining_client(s, mining));
    });

    serve!(worker make_rpc MakeRpcParams MakeRpcResults,
        |p, s| |init: &dyn Init| init.make_rpc(),
        |out, rpc| out.set_result(capnp_rpc::new_client(RpcServer(Hosted::new(s, rpc, "Rpc")))));
}

impl grs_init::Server for InitServer {
    serve!(here hello HelloParams HelloResults,
        |p, s| { let peer = Hello::from_wire(p.get_hello()?)?; move |init: &dyn Init| init.hello(&peer) },
        |out, hello| hello.to_wire(out.init_hello()));

    serve!(worker make_chain MakeChainParams MakeChainResults,
        |p, s| |init: &dyn Init| init.make_chain(), |out, chain| out.set_result(chain_client(s, chain, None)));

    serve!(secret make_wallet_loader MakeWalletLoaderParams MakeWalletLoaderResults,
        |p, s| {
            let args = GlobalArgs::from_wire(p.get_args()?)?;
            let chain: Arc<dyn Chain> = Arc::new(ChainProxy(Proxy::new(s, p.get_chain()?)));
            move |init: &dyn Init| init.make_wallet_loader(args, chain)
        },
        |out, loader| out.set_result(wallet_loader_client(s, loader)));
}

/// The test interface.
struct EchoServer(std::cell::RefCell<Option<Hosted<dyn Echo>>>, Rc<Session>);

fn echo_client(session: &Rc<Session>, object: Arc<dyn Echo>) -> echo::Client {
    let hosted = std::cell::RefCell::new(Some(Hosted::new(session, object, "Echo")));
    capnp_rpc::new_client(EchoServer(hosted, session.clone()))
}

impl echo::Server for EchoServer {
    async fn destroy(
        self: Rc<Self>,
        params: DestroyParams,
        mut results: DestroyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.1.receive(&params);
        let context = RequestContext::read(params.get()?.get_context());
        call.run_short(context, || Ok::<(), String>(())).await?;
        self.0.take();
        call.done(&mut results)
    }

    async fn echo(self: Rc<Self>, params: EchoParams, mut results: EchoResults) -> Result<(), capnp::Error> {
        let call = self.1.receive(&params);
        let p = params.get()?;
        let value = text(p.get_echo())?;
        let object = match &*self.0.borrow() {
            Some(hosted) => hosted.get().map_err(exception)?,
            None => return Err(exception("object has been destroyed")),
        };
        let value =
            call.run_short(RequestContext::read(p.get_context()), move || object.echo(&value)).await?;
        results.get().set_result(&value);
        call.done(&mut results)
    }
}

/// All RPC methods of the node.
struct RpcServer(Hosted<dyn Rpc>);

impl rpc::Server for RpcServer {
    serve!(secret execute_rpc ExecuteRpcParams ExecuteRpcResults,
        |p, s| {
            let (request, uri, user) = (text(p.get_request())?, text(p.get_uri())?, text(p.get_user())?);
            move |rpc: &dyn Rpc| rpc.execute_rpc(&request, &uri, &user)
        },
        |out, response| out.set_result(&response));
}
