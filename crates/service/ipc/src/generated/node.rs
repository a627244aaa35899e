//! `NodeSubscriber`, `Node`. Written from `node.capnp` and the traits by the generator: do not edit.

use crate::generated::*;
use crate::support::*;
use grs_interfaces::*;
use grs_ipc_schema::node_capnp::node;
use grs_ipc_schema::node_capnp::node_subscriber;
use std::rc::Rc;
use std::sync::Arc;

/// `Node` of another process.
pub struct NodeProxy(pub(crate) Proxy<node::Client>);

impl NodeProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: node::Client) -> Self {
        NodeProxy(Proxy::new(session, client))
    }
}

impl Node for NodeProxy {
    fn info(&self) -> CallResult<NodeInfo> {
        self.0.call(move |client, call| async move {
            let mut ask = client.info_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn snapshot(&self) -> CallResult<NodeSnapshot> {
        self.0.call(move |client, call| async move {
            let mut ask = client.snapshot_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn subscribe(
        &self,
        wanted: NodeSubscription,
        subscriber: Arc<dyn NodeSubscriber>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.subscribe_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                wanted.to_wire(p.reborrow().init_wanted());
                p.set_subscriber(node_subscriber_client(call.session(), subscriber));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(HandlerProxy::new(call.session(), r.get_result()?)) as Arc<dyn Handler>)
        })
    }

    fn execute_rpc(&self, method: &str, arguments: &str, wallet: Option<String>) -> CallResult<RpcReply> {
        let method = method.to_owned();
        let arguments = arguments.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.execute_rpc_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_method(&method);
                p.set_arguments(&arguments);
                if let Some(value) = wallet {
                    p.set_wallet(&value);
                }
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn rpc_methods(&self) -> CallResult<Vec<String>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.rpc_methods_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn disconnect_peer(&self, id: i64) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.disconnect_peer_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_id(id);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn ban_peer(&self, id: i64, seconds: i64) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.ban_peer_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_id(id);
                p.set_seconds(seconds);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn unban(&self, subnet: &str) -> CallResult<bool> {
        let subnet = subnet.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.unban_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_subnet(&subnet);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn bans(&self) -> CallResult<Vec<BanEntry>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.bans_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn set_network_active(&self, active: bool) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.set_network_active_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_active(active);
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn request_shutdown(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.request_shutdown_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn wallets(&self) -> CallResult<Option<Arc<dyn Wallets>>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.wallets_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() {
                Some(Arc::new(WalletsProxy::new(call.session(), r.get_result()?)) as Arc<dyn Wallets>)
            } else {
                None
            })
        })
    }
}

/// `Node` of this process.
pub(crate) struct NodeServer {
    pub(crate) hosted: Hosted<dyn Node>,
}

/// A capability for an object of this process.
pub(crate) fn node_client(session: &Rc<Session>, object: Arc<dyn Node>) -> node::Client {
    capnp_rpc::new_client(NodeServer { hosted: Hosted::new(session, object, "Node") })
}

impl node::Server for NodeServer {
    async fn info(
        self: Rc<Self>,
        params: node::InfoParams,
        mut results: node::InfoResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.info()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn snapshot(
        self: Rc<Self>,
        params: node::SnapshotParams,
        mut results: node::SnapshotResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.snapshot()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn subscribe(
        self: Rc<Self>,
        params: node::SubscribeParams,
        mut results: node::SubscribeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let wanted: NodeSubscription = FromWire::from_wire(p.get_wanted()?)?;
            let subscriber: Arc<dyn NodeSubscriber> =
                Arc::new(NodeSubscriberProxy::new(&self.hosted.session, p.get_subscriber()?))
                    as Arc<dyn NodeSubscriber>;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.subscribe(wanted, subscriber))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(handler_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn execute_rpc(
        self: Rc<Self>,
        params: node::ExecuteRpcParams,
        mut results: node::ExecuteRpcResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let method: String = FromWire::from_wire(p.get_method()?)?;
            let arguments: String = FromWire::from_wire(p.get_arguments()?)?;
            let wallet: Option<String> =
                if p.has_wallet() { Some(FromWire::from_wire(p.get_wallet()?)?) } else { None };
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.execute_rpc(&method, &arguments, wallet)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn rpc_methods(
        self: Rc<Self>,
        params: node::RpcMethodsParams,
        mut results: node::RpcMethodsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.rpc_methods()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn disconnect_peer(
        self: Rc<Self>,
        params: node::DisconnectPeerParams,
        mut results: node::DisconnectPeerResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let id: i64 = p.get_id();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.disconnect_peer(id)).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn ban_peer(
        self: Rc<Self>,
        params: node::BanPeerParams,
        mut results: node::BanPeerResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let id: i64 = p.get_id();
            let seconds: i64 = p.get_seconds();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.ban_peer(id, seconds)).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn unban(
        self: Rc<Self>,
        params: node::UnbanParams,
        mut results: node::UnbanResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let subnet: String = FromWire::from_wire(p.get_subnet()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.unban(&subnet)).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn bans(
        self: Rc<Self>,
        params: node::BansParams,
        mut results: node::BansResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.bans()).await?
        };
        {
            let mut out = results.get();
            put_structs(out.reborrow().init_result(count(value.len())), &value);
        }
        call.done(&mut results)
    }

    async fn set_network_active(
        self: Rc<Self>,
        params: node::SetNetworkActiveParams,
        mut results: node::SetNetworkActiveResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let active: bool = p.get_active();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.set_network_active(active))
                .await?;
        }

        call.done(&mut results)
    }

    async fn request_shutdown(
        self: Rc<Self>,
        params: node::RequestShutdownParams,
        mut results: node::RequestShutdownResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.request_shutdown()).await?;
        }

        call.done(&mut results)
    }

    async fn wallets(
        self: Rc<Self>,
        params: node::WalletsParams,
        mut results: node::WalletsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.wallets()).await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(wallets_client(&self.hosted.session, value));
            }
        }
        call.done(&mut results)
    }
}

/// `NodeSubscriber` of another process.
pub struct NodeSubscriberProxy(pub(crate) Proxy<node_subscriber::Client>);

impl NodeSubscriberProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: node_subscriber::Client) -> Self {
        NodeSubscriberProxy(Proxy::new(session, client))
    }
}

impl NodeSubscriber for NodeSubscriberProxy {
    fn update(&self, snapshot: NodeSnapshot) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.update_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                snapshot.to_wire(p.reborrow().init_snapshot());
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `NodeSubscriber` of this process.
pub(crate) struct NodeSubscriberServer {
    pub(crate) hosted: Hosted<dyn NodeSubscriber>,
}

/// A capability for an object of this process.
pub(crate) fn node_subscriber_client(
    session: &Rc<Session>,
    object: Arc<dyn NodeSubscriber>,
) -> node_subscriber::Client {
    capnp_rpc::new_client(NodeSubscriberServer { hosted: Hosted::new(session, object, "NodeSubscriber") })
}

impl node_subscriber::Server for NodeSubscriberServer {
    async fn update(
        self: Rc<Self>,
        params: node_subscriber::UpdateParams,
        mut results: node_subscriber::UpdateResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let snapshot: NodeSnapshot = FromWire::from_wire(p.get_snapshot()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.update(snapshot)).await?;
        }

        call.done(&mut results)
    }
}
