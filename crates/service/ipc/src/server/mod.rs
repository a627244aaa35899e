//! Servers: the interface traits of this process as capabilities for the other one.

mod chain;
mod init;
mod mining;
mod notifications;
mod wallet;

pub(crate) use chain::{chain_client, rpc_actor_client, settings_update_client};
pub use init::serve_init;
pub(crate) use notifications::notifications_client;
pub(crate) use wallet::{load_wallet_client, wallet_loader_client};

use std::rc::Rc;
use std::sync::Arc;

use grs_interfaces::Handler;
use grs_ipc_schema::handler_capnp::handler;
use grs_mp::{RequestContext, Session};

pub(crate) use grs_mp::Hosted;

/// A server method. `here` ones are short and executed on the IPC thread; `short` ones too, if the context's thread is
/// idle; `worker` ones are executed on the context's thread; `secret` besides is kept out of logs. The first closure
/// reads the parameters and gives the work to do with the object, the second writes what it gave.
macro_rules! serve {
    ($kind:ident $name:ident $params:ident $results:ident, |$p:ident, $s:ident| $prepare:expr, |$out:ident, $value:pat_param| $write:expr) => {
        async fn $name(
            self: ::std::rc::Rc<Self>,
            params: $params,
            mut results: $results,
        ) -> ::std::result::Result<(), ::capnp::Error> {
            let call = $crate::server::serve!(@receive $kind self, params);
            let value = {
                #[allow(unused_variables)]
                let $p = params.get()?;
                #[allow(unused_variables)]
                let $s = &self.0.session;
                let object = self.0.get().map_err(::grs_mp::exception)?;
                let work = $prepare;
                let work = move || $crate::server::returning(work(&*object));
                $crate::server::serve!(@run $kind call, $p, work)
            };
            {
                #[allow(unused_variables, unused_mut)]
                let mut $out = results.get();
                #[allow(unused_variables)]
                let $s = &self.0.session;
                let $value = value;
                $write;
            }
            call.done(&mut results)
        }
    };
    (@receive secret $self:ident, $params:ident) => { $self.0.session.receive_secret(&$params) };
    (@receive $kind:ident $self:ident, $params:ident) => { $self.0.session.receive(&$params) };
    (@run here $call:ident, $p:ident, $work:ident) => { $call.run_here($work)? };
    (@run short $call:ident, $p:ident, $work:ident) => {
        $call.run_short(::grs_mp::RequestContext::read($p.get_context()), $work).await?
    };
    (@run $kind:ident $call:ident, $p:ident, $work:ident) => {
        $call.run(::grs_mp::RequestContext::read($p.get_context()), $work).await?
    };
}
pub(crate) use serve;

/// Fixes the type of a work closure's answer.
pub(crate) fn returning<T>(result: grs_interfaces::CallResult<T>) -> grs_interfaces::CallResult<T> {
    result
}

/// A subscription, for the other side to end.
struct HandlerServer(Hosted<dyn Handler>);

impl handler::Server for HandlerServer {
    async fn disconnect(
        self: Rc<Self>,
        params: handler::DisconnectParams,
        mut results: handler::DisconnectResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let object = self.0.get().map_err(grs_mp::exception)?;
        let context = RequestContext::read(params.get()?.get_context());
        call.run(context, move || object.disconnect()).await?;
        call.done(&mut results)
    }
}

/// A capability for a handler.
pub(crate) fn handler_client(session: &Rc<Session>, object: Arc<dyn Handler>) -> handler::Client {
    capnp_rpc::new_client(HandlerServer(Hosted::new(session, object, "Handler")))
}
