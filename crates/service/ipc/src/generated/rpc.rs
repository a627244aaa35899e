//! `Rpc`. Written from `rpc.capnp` and the traits by the generator: do not edit.

use crate::support::*;
use grs_interfaces::*;
use grs_ipc_schema::rpc_capnp::rpc;
use std::rc::Rc;
use std::sync::Arc;

/// `Rpc` of another process.
pub struct RpcProxy(pub(crate) Proxy<rpc::Client>);

impl RpcProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: rpc::Client) -> Self {
        RpcProxy(Proxy::new(session, client))
    }
}

impl Rpc for RpcProxy {
    fn execute_rpc(&self, request: &str, uri: &str, user: &str) -> CallResult<String> {
        let request = request.to_owned();
        let uri = uri.to_owned();
        let user = user.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.execute_rpc_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_request(&request);
                p.set_uri(&uri);
                p.set_user(&user);
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }
}

/// `Rpc` of this process.
pub(crate) struct RpcServer {
    pub(crate) hosted: Hosted<dyn Rpc>,
}

/// A capability for an object of this process.
pub(crate) fn rpc_client(session: &Rc<Session>, object: Arc<dyn Rpc>) -> rpc::Client {
    capnp_rpc::new_client(RpcServer { hosted: Hosted::new(session, object, "Rpc") })
}

impl rpc::Server for RpcServer {
    async fn execute_rpc(
        self: Rc<Self>,
        params: rpc::ExecuteRpcParams,
        mut results: rpc::ExecuteRpcResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let request: String = FromWire::from_wire(p.get_request()?)?;
            let uri: String = FromWire::from_wire(p.get_uri()?)?;
            let user: String = FromWire::from_wire(p.get_user()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.execute_rpc(&request, &uri, &user))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(&value);
        }
        call.done(&mut results)
    }
}
