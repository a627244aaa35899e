//! `Handler`. Written from `handler.capnp` and the traits by the generator: do not edit.

use crate::support::*;
use grs_interfaces::*;
use grs_ipc_schema::handler_capnp::handler;
use std::rc::Rc;
use std::sync::Arc;

/// `Handler` of another process.
pub struct HandlerProxy(pub(crate) Proxy<handler::Client>);

impl HandlerProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: handler::Client) -> Self {
        HandlerProxy(Proxy::new(session, client))
    }
}

impl Handler for HandlerProxy {
    fn disconnect(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.disconnect_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `Handler` of this process.
pub(crate) struct HandlerServer {
    pub(crate) hosted: Hosted<dyn Handler>,
}

/// A capability for an object of this process.
pub(crate) fn handler_client(session: &Rc<Session>, object: Arc<dyn Handler>) -> handler::Client {
    capnp_rpc::new_client(HandlerServer { hosted: Hosted::new(session, object, "Handler") })
}

impl handler::Server for HandlerServer {
    async fn disconnect(
        self: Rc<Self>,
        params: handler::DisconnectParams,
        mut results: handler::DisconnectResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.disconnect()).await?;
        }

        call.done(&mut results)
    }
}
