//! `Echo`. Written from `echo.capnp` and the traits by the generator: do not edit.

use crate::support::*;
use grs_interfaces::*;
use grs_ipc_schema::echo_capnp::echo;
use std::rc::Rc;
use std::sync::Arc;

/// `Echo` of another process.
pub struct EchoProxy(pub(crate) Proxy<echo::Client>);

impl EchoProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: echo::Client) -> Self {
        EchoProxy(Proxy::new(session, client))
    }
}

impl Echo for EchoProxy {
    fn echo(&self, echo: &str) -> CallResult<String> {
        let echo = echo.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.echo_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_echo(&echo);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }
}

/// `Echo` of this process.
pub(crate) struct EchoServer {
    pub(crate) hosted: Hosted<dyn Echo>,
}

/// A capability for an object of this process.
pub(crate) fn echo_client(session: &Rc<Session>, object: Arc<dyn Echo>) -> echo::Client {
    capnp_rpc::new_client(EchoServer { hosted: Hosted::new(session, object, "Echo") })
}

impl echo::Server for EchoServer {
    async fn destroy(
        self: Rc<Self>,
        params: echo::DestroyParams,
        mut results: echo::DestroyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let context = RequestContext::read(params.get()?.get_context());
        self.hosted.destroy(&call, context).await?;
        call.done(&mut results)
    }

    async fn echo(
        self: Rc<Self>,
        params: echo::EchoParams,
        mut results: echo::EchoResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let echo: String = FromWire::from_wire(p.get_echo()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_short(RequestContext::read(p.get_context()), move || object.echo(&echo)).await?
        };
        {
            let mut out = results.get();
            out.set_result(&value);
        }
        call.done(&mut results)
    }
}
