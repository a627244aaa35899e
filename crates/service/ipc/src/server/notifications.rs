//! Server of `ChainNotifications`, in the wallet.

use std::rc::Rc;
use std::sync::Arc;

use grs_interfaces::ChainNotifications;
use grs_ipc_schema::chain_capnp::chain_notifications;
use grs_mp::{ObjectThread, Session};

use super::Hosted;
use crate::convert::FromWire;
use crate::event::Event;

/// A subscriber. Its batches are processed one after the other, on a queue of its own.
struct NotificationsServer {
    hosted: Hosted<dyn ChainNotifications>,
    queue: ObjectThread,
}

/// A capability for a subscriber.
pub(crate) fn notifications_client(
    session: &Rc<Session>,
    object: Arc<dyn ChainNotifications>,
) -> chain_notifications::Client {
    let queue = ObjectThread::new(session.connection().event_loop(), "notifications");
    let hosted = Hosted::new(session, object, "ChainNotifications");
    capnp_rpc::new_client(NotificationsServer { hosted, queue })
}

impl chain_notifications::Server for NotificationsServer {
    async fn notify(
        self: Rc<Self>,
        params: chain_notifications::NotifyParams,
        mut results: chain_notifications::NotifyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let events =
            params.get()?.get_events()?.iter().map(Event::from_wire).collect::<capnp::Result<Vec<_>>>()?;
        let object = self.hosted.get().map_err(grs_mp::exception)?;
        call.run_on(&self.queue, move || events.into_iter().try_for_each(|event| event.deliver(&*object)))
            .await?;
        call.done(&mut results)
    }
}
