//! Proxies: the interface traits over a capability of the other process.

mod chain;
mod init;
mod mining;
mod notifications;
mod wallet;

pub(crate) use chain::{ChainProxy, RpcActorProxy, SettingsUpdateProxy};
pub use init::InitProxy;
pub(crate) use mining::MiningProxy;
pub(crate) use notifications::NotificationsProxy;
pub(crate) use wallet::{LoadWalletProxy, WalletLoaderProxy};

use std::sync::Arc;

use capnp::capability::FromClientHook;
use grs_interfaces::{CallError, CallResult, Handler};
use grs_ipc_schema::handler_capnp::handler;
use grs_mp::{Call, Remote, Session};

/// An error of the runtime as the interfaces know it.
pub(crate) fn call_error(error: grs_mp::Error) -> CallError {
    match error {
        grs_mp::Error::Disconnected(cause) => CallError::Disconnected { cause },
        grs_mp::Error::Cancelled => CallError::Cancelled,
        grs_mp::Error::Unimplemented(text) | grs_mp::Error::Remote(text) | grs_mp::Error::Local(text) => {
            CallError::Remote(text)
        }
    }
}

/// A capability of the other process that stands for an object.
pub(crate) struct Proxy<C>(Remote<C>);

impl<C: FromClientHook + Clone + 'static> Proxy<C> {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: C) -> Self {
        Proxy(session.remote(client))
    }

    pub(crate) fn of(remote: Remote<C>) -> Self {
        Proxy(remote)
    }

    pub(crate) fn remote(&self) -> &Remote<C> {
        &self.0
    }

    pub(crate) fn call<T, F, Fut>(&self, body: F) -> CallResult<T>
    where
        T: Send + 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        self.0.call(body).map_err(call_error)
    }
}

/// Makes a call: the request's method, how to fill its parameters, how to read the results. With `context` the call
/// names the threads of both sides, with `secret` besides its contents are kept out of logs.
macro_rules! ask {
    ($proxy:expr, $request:ident, |$p:ident, $call:ident| $fill:expr, |$r:ident| $read:expr) => {
        $proxy.call(move |client, $call| async move {
            #[allow(unused_mut)]
            let mut request = client.$request();
            {
                #[allow(unused_mut, unused_variables)]
                let mut $p = request.get();
                $fill;
            }
            let response = $call.send(request).await?;
            #[allow(unused_variables)]
            let $r = response.get()?;
            $read
        })
    };
    (context $proxy:expr, $request:ident, |$p:ident, $call:ident| $fill:expr, |$r:ident| $read:expr) => {
        $crate::client::ask!(
            $proxy,
            $request,
            |$p, $call| {
                $call.context($p.reborrow().init_context())?;
                $fill
            },
            |$r| $read
        )
    };
    (secret $proxy:expr, $request:ident, |$p:ident, $call:ident| $fill:expr, |$r:ident| $read:expr) => {
        $proxy.call(move |client, $call| async move {
            let mut request = client.$request();
            {
                let mut $p = request.get();
                $call.context($p.reborrow().init_context())?;
                $fill;
            }
            let response = $call.send_secret(request).await?;
            #[allow(unused_variables)]
            let $r = response.get()?;
            $read
        })
    };
}
pub(crate) use ask;

/// A [`Handler`] of the other process.
struct HandlerProxy(Proxy<handler::Client>);

impl Handler for HandlerProxy {
    fn disconnect(&self) -> CallResult<()> {
        ask!(context self.0, disconnect_request, |p, call| {}, |r| Ok(()))
    }
}

/// A handler capability as an object; dropping it releases the capability, which ends the subscription.
pub(crate) fn handler(call: &Call, client: handler::Client) -> Arc<dyn Handler> {
    Arc::new(HandlerProxy(Proxy::new(call.session(), client)))
}
