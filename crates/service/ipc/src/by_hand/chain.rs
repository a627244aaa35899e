//! `Chain`: subscriptions, barriers, and RPC commands that go to a relay.

use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use capnp::Error;
use grs_interfaces::{CallResult, ChainNotifications, Handler, NotifyOptions, RpcActor, RpcCommand};
use grs_ipc_schema::chain_capnp::chain;

use super::notifications::{NotificationsProxy, notifications_client};
use crate::convert::read;
use crate::generated::{ChainProxy, ChainServer, HandlerProxy, RpcActorProxy, handler_client};
use crate::supervised_wallet::RpcRelay;
use crate::support::*;

/// What the server knows besides the chain.
#[derive(Clone, Default)]
pub(crate) struct ChainState {
    /// Subscribers over this connection. The barrier methods promise that they have processed everything.
    subscribers: Arc<Mutex<Vec<Weak<NotificationsProxy>>>>,
    /// Takes the RPC commands instead of the chain, if it is there.
    relay: Option<Arc<RpcRelay>>,
}

impl ChainState {
    pub(crate) fn with_relay(relay: Option<Arc<RpcRelay>>) -> ChainState {
        ChainState { relay, ..ChainState::default() }
    }

    fn subscribe(&self, subscriber: &Arc<NotificationsProxy>) {
        let mut list = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(Arc::downgrade(subscriber));
    }

    fn flush(&self) -> CallResult<()> {
        let live: Vec<_> = {
            let mut list = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
            list.retain(|subscriber| subscriber.strong_count() > 0);
            list.iter().filter_map(Weak::upgrade).collect()
        };
        // Copied out: a wallet may subscribe or leave while another one is waited for.
        for subscriber in live {
            subscriber.flush()?;
        }
        Ok(())
    }
}

impl ChainProxy {
    pub(crate) fn handle_rpc_by_hand(
        &self,
        command: RpcCommand,
        actor: Arc<dyn RpcActor>,
    ) -> CallResult<Arc<dyn Handler>> {
        grs_interfaces::Chain::handle_rpcs(self, vec![command], actor)
    }

    pub(crate) fn handle_notifications_by_hand(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut request = client.handle_notifications_request();
            {
                let mut p = request.get();
                call.context(p.reborrow().init_context())?;
                notifications.options().to_wire(p.reborrow().init_options());
                p.set_notifications(notifications_client(call.session(), notifications));
            }
            let response = call.send(request).await?;
            let handler = response.get()?.get_result()?;
            Ok(Arc::new(HandlerProxy::new(call.session(), handler)) as Arc<dyn Handler>)
        })
    }

    pub(crate) fn request_mempool_transactions_by_hand(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut request = client.request_mempool_transactions_request();
            {
                let mut p = request.get();
                call.context(p.reborrow().init_context())?;
                notifications.options().to_wire(p.reborrow().init_options());
                p.set_notifications(notifications_client(call.session(), notifications));
            }
            call.send(request).await?.get()?;
            Ok(())
        })
    }
}

impl ChainServer {
    pub(crate) async fn handle_notifications_by_hand(
        self: Rc<Self>,
        params: chain::HandleNotificationsParams,
        mut results: chain::HandleNotificationsResults,
    ) -> Result<(), Error> {
        let session = &self.hosted.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let options: NotifyOptions = read(p.get_options())?;
        let proxy = Arc::new(NotificationsProxy::new(session, p.get_notifications()?, options));
        self.state.subscribe(&proxy);
        let object = self.hosted.get().map_err(exception)?;
        let context = RequestContext::read(p.get_context());
        let handler = call.run(context, move || object.handle_notifications(proxy)).await?;
        results.get().set_result(handler_client(session, handler));
        call.done(&mut results)
    }

    pub(crate) async fn wait_for_notifications_if_tip_changed_by_hand(
        self: Rc<Self>,
        params: chain::WaitForNotificationsIfTipChangedParams,
        mut results: chain::WaitForNotificationsIfTipChangedResults,
    ) -> Result<(), Error> {
        let call = self.hosted.session.receive(&params);
        let p = params.get()?;
        let old_tip = read(p.get_old_tip())?;
        let object = self.hosted.get().map_err(exception)?;
        let state = self.state.clone();
        let work = move || {
            object.wait_for_notifications_if_tip_changed(old_tip)?;
            state.flush()
        };
        call.run(RequestContext::read(p.get_context()), work).await?;
        call.done(&mut results)
    }

    pub(crate) async fn wait_for_notifications_by_hand(
        self: Rc<Self>,
        params: chain::WaitForNotificationsParams,
        mut results: chain::WaitForNotificationsResults,
    ) -> Result<(), Error> {
        let call = self.hosted.session.receive(&params);
        let object = self.hosted.get().map_err(exception)?;
        let state = self.state.clone();
        let work = move || {
            object.wait_for_notifications()?;
            state.flush()
        };
        call.run(RequestContext::read(params.get()?.get_context()), work).await?;
        call.done(&mut results)
    }

    pub(crate) async fn request_mempool_transactions_by_hand(
        self: Rc<Self>,
        params: chain::RequestMempoolTransactionsParams,
        mut results: chain::RequestMempoolTransactionsResults,
    ) -> Result<(), Error> {
        let session = &self.hosted.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let options: NotifyOptions = read(p.get_options())?;
        let proxy = Arc::new(NotificationsProxy::new(session, p.get_notifications()?, options));
        let object = self.hosted.get().map_err(exception)?;
        let work = move || {
            object.request_mempool_transactions(proxy.clone())?;
            proxy.flush()
        };
        call.run(RequestContext::read(p.get_context()), work).await?;
        call.done(&mut results)
    }

    pub(crate) async fn handle_rpcs_by_hand(
        self: Rc<Self>,
        params: chain::HandleRpcsParams,
        mut results: chain::HandleRpcsResults,
    ) -> Result<(), Error> {
        let session = &self.hosted.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let commands: Vec<RpcCommand> = read(p.get_commands())?;
        let actor: Arc<dyn RpcActor> = Arc::new(RpcActorProxy::new(session, p.get_actor()?));
        let object = self.hosted.get().map_err(exception)?;
        let relay = self.state.relay.clone();
        let work = move || match relay {
            Some(relay) => relay.register(commands, actor),
            None => object.handle_rpcs(commands, actor),
        };
        let handler = call.run(RequestContext::read(p.get_context()), work).await?;
        results.get().set_result(handler_client(session, handler));
        call.done(&mut results)
    }
}
