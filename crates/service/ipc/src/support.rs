//! What the generated code stands on: calls, hosted objects, conversions.

use grs_interfaces::CallResult;
use grs_mp::{Call, Remote};

pub(crate) use capnp::capability::FromClientHook;
pub(crate) use grs_interfaces::CallError;
pub(crate) use grs_mp::{Hosted, RequestContext, Session, exception};

pub(crate) use crate::by_hand::ChainState;
pub(crate) use crate::convert::{
    FromWire, ToData, ToScalar, ToText, ToWire, count, decode_later, or_default, put_structs,
};

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
