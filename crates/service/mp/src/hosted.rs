//! Objects of this process that the other side may use.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::Error;
use crate::connection::Session;
use crate::error::DESTROYED;
use crate::event_loop::LoopHandle;
use crate::limits::{down, up};
use crate::server::{Incoming, RequestContext};

/// An object to be dropped by the worker that executes `destroy`; by any other one if the call is refused.
struct Leaving<T: ?Sized + Send + Sync + 'static>(Option<Arc<T>>, LoopHandle);

impl<T: ?Sized + Send + Sync + 'static> Drop for Leaving<T> {
    fn drop(&mut self) {
        if let Some(object) = self.0.take()
            && self.1.is_current()
        {
            self.1.drop_later(object);
        }
    }
}

/// An object of this process and the connection over which it is offered, for the fields of a server object. On the loop
/// thread only.
///
/// The object's destructor may block, so it runs on a worker thread.
pub struct Hosted<T: ?Sized + Send + Sync + 'static> {
    /// The connection's side on this thread.
    pub session: Rc<Session>,
    object: RefCell<Option<Arc<T>>>,
    name: &'static str,
}

impl<T: ?Sized + Send + Sync + 'static> Hosted<T> {
    /// Offers an object; `name` is its interface's in log lines.
    pub fn new(session: &Rc<Session>, object: Arc<T>, name: &'static str) -> Self {
        up(&session.connection().event_loop().counters().objects);
        *session.objects.borrow_mut().entry(name).or_default() += 1;
        Hosted { session: session.clone(), object: RefCell::new(Some(object)), name }
    }

    /// The object, or an error if the other side has destroyed it.
    pub fn get(&self) -> Result<Arc<T>, Error> {
        self.object.borrow().clone().ok_or_else(|| Error::Local(DESTROYED.to_owned()))
    }

    /// The body of an interface's method `destroy`: lets go of the object on the thread that the context names, so that
    /// its destructor has run when the answer is sent (unless something else holds it too). Once is enough; again is fine.
    pub async fn destroy(&self, call: &Incoming, context: RequestContext) -> capnp::Result<()> {
        let object = Leaving(self.take(), self.session.connection().event_loop().clone());
        call.run(context, move || {
            drop(object);
            Ok::<(), Error>(())
        })
        .await
    }

    fn take(&self) -> Option<Arc<T>> {
        let object = self.object.borrow_mut().take();
        if object.is_some() {
            self.session.destroyed(self.name);
            down(&self.session.connection().event_loop().counters().objects);
            if let Some(count) = self.session.objects.borrow_mut().get_mut(self.name) {
                *count -= 1;
            }
        }
        object
    }
}

impl<T: ?Sized + Send + Sync + 'static> Drop for Hosted<T> {
    fn drop(&mut self) {
        if let Some(object) = self.take() {
            self.session.connection().event_loop().drop_later(object);
        }
    }
}
