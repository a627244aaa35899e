//! `Init`. Written from `grs_init.capnp` and the traits by the generator: do not edit.

use crate::generated::*;
use crate::support::*;
use grs_interfaces::*;
use grs_ipc_schema::grs_init_capnp::grs_init;
use grs_ipc_schema::init_capnp::init;
use std::rc::Rc;
use std::sync::Arc;

/// `Init` of another process.
pub struct InitProxy(pub(crate) Proxy<grs_init::Client>);

impl InitProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: grs_init::Client) -> Self {
        InitProxy(Proxy::new(session, client))
    }
}

impl Init for InitProxy {
    fn hello(&self, hello: &Hello) -> CallResult<Hello> {
        let hello = hello.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.hello_request();
            {
                let mut p = ask.get();
                hello.to_wire(p.reborrow().init_hello());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_hello()?)
        })
    }

    fn make_echo(&self) -> CallResult<Arc<dyn Echo>> {
        self.0.call(move |client, call| async move {
            let client: init::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.make_echo_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(EchoProxy::new(call.session(), r.get_result()?)) as Arc<dyn Echo>)
        })
    }

    fn make_mining(&self) -> CallResult<Option<Arc<dyn Mining>>> {
        self.0.call(move |client, call| async move {
            let client: init::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.make_mining_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() {
                Some(Arc::new(MiningProxy::new(call.session(), r.get_result()?)) as Arc<dyn Mining>)
            } else {
                None
            })
        })
    }

    fn make_node(&self) -> CallResult<Arc<dyn Node>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.make_node_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(NodeProxy::new(call.session(), r.get_result()?)) as Arc<dyn Node>)
        })
    }

    fn make_rpc(&self) -> CallResult<Arc<dyn Rpc>> {
        self.0.call(move |client, call| async move {
            let client: init::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.make_rpc_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(RpcProxy::new(call.session(), r.get_result()?)) as Arc<dyn Rpc>)
        })
    }

    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.make_chain_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(ChainProxy::new(call.session(), r.get_result()?)) as Arc<dyn Chain>)
        })
    }

    fn make_wallet_loader(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        self.make_wallet_loader_by_hand(args, chain)
    }
}

/// `Init` of this process.
pub(crate) struct InitServer {
    pub(crate) hosted: Hosted<dyn Init>,
}

/// A capability for an object of this process.
pub(crate) fn init_client(session: &Rc<Session>, object: Arc<dyn Init>) -> grs_init::Client {
    capnp_rpc::new_client(InitServer { hosted: Hosted::new(session, object, "Init") })
}

impl grs_init::Server for InitServer {
    async fn hello(
        self: Rc<Self>,
        params: grs_init::HelloParams,
        mut results: grs_init::HelloResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let hello: Hello = FromWire::from_wire(p.get_hello()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.hello(&hello))?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_hello());
        }
        call.done(&mut results)
    }

    async fn make_chain(
        self: Rc<Self>,
        params: grs_init::MakeChainParams,
        mut results: grs_init::MakeChainResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.make_chain()).await?
        };
        {
            let mut out = results.get();
            out.set_result(chain_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn make_wallet_loader(
        self: Rc<Self>,
        params: grs_init::MakeWalletLoaderParams,
        mut results: grs_init::MakeWalletLoaderResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let args: GlobalArgs = FromWire::from_wire(p.get_args()?)?;
            let chain: Arc<dyn Chain> =
                Arc::new(ChainProxy::new(&self.hosted.session, p.get_chain()?)) as Arc<dyn Chain>;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.make_wallet_loader(args, chain))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(wallet_loader_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn make_node(
        self: Rc<Self>,
        params: grs_init::MakeNodeParams,
        mut results: grs_init::MakeNodeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.make_node()).await?
        };
        {
            let mut out = results.get();
            out.set_result(node_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }
}

impl init::Server for InitServer {
    async fn construct(
        self: Rc<Self>,
        params: init::ConstructParams,
        results: init::ConstructResults,
    ) -> Result<(), capnp::Error> {
        self.construct_by_hand(params, results).await
    }

    async fn make_echo(
        self: Rc<Self>,
        params: init::MakeEchoParams,
        mut results: init::MakeEchoResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_short(RequestContext::read(p.get_context()), move || object.make_echo()).await?
        };
        {
            let mut out = results.get();
            out.set_result(echo_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn make_mining_old2(
        self: Rc<Self>,
        _: init::MakeMiningOld2Params,
        _: init::MakeMiningOld2Results,
    ) -> Result<(), capnp::Error> {
        Err(exception("Old mining interface (@2) not supported. Please update your client!"))
    }

    async fn make_mining(
        self: Rc<Self>,
        params: init::MakeMiningParams,
        mut results: init::MakeMiningResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.make_mining()).await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(mining_client(&self.hosted.session, value));
            }
        }
        call.done(&mut results)
    }

    async fn make_rpc(
        self: Rc<Self>,
        params: init::MakeRpcParams,
        mut results: init::MakeRpcResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.make_rpc()).await?
        };
        {
            let mut out = results.get();
            out.set_result(rpc_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }
}
