//! `ThreadMap` and `Thread` of this side.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::connection::Session;
use crate::error::exception;
use crate::event_loop::LoopHandle;
use crate::limits::{Limit, down};
use crate::logging::ipc_log;
use crate::proxy_capnp::{thread, thread_map};
use crate::strand::Strand;

/// Threads of a pool.
const MAX_POOL: u32 = 256;

pub(crate) struct ThreadServer {
    pub(crate) strand: Arc<Strand>,
    pub(crate) session: Weak<Session>,
    pub(crate) home: LoopHandle,
    /// Made for the other side, so that the strand ends with the capability.
    pub(crate) made: bool,
}

impl Drop for ThreadServer {
    fn drop(&mut self) {
        if self.made {
            self.strand.release();
            down(&self.home.counters().threads);
            if let Some(session) = self.session.upgrade() {
                session.connection().forget_strand(self.strand.id);
            }
        }
    }
}

impl thread::Server for ThreadServer {
    async fn get_name(
        self: Rc<Self>,
        _: thread::GetNameParams,
        mut results: thread::GetNameResults,
    ) -> Result<(), capnp::Error> {
        results.get().set_result(&self.strand.name);
        Ok(())
    }
}

pub(crate) struct ThreadMapServer {
    pub(crate) session: Weak<Session>,
}

impl thread_map::Server for ThreadMapServer {
    async fn make_thread(
        self: Rc<Self>,
        params: thread_map::MakeThreadParams,
        mut results: thread_map::MakeThreadResults,
    ) -> Result<(), capnp::Error> {
        let session = self.session.upgrade().ok_or_else(|| exception("disconnected"))?;
        if session.thread_count() >= session.limits().max_threads {
            session.connection().event_loop().hit(Limit::Threads);
            return Err(exception(Limit::Threads.text()));
        }
        let name = params.get()?.get_name()?.to_string()?;
        let name: String = name.chars().filter(|c| !c.is_control()).take(128).collect();
        results.get().set_result(session.make_thread(&name));
        Ok(())
    }

    async fn make_pool(
        self: Rc<Self>,
        params: thread_map::MakePoolParams,
        _: thread_map::MakePoolResults,
    ) -> Result<(), capnp::Error> {
        let session = self.session.upgrade().ok_or_else(|| exception("disconnected"))?;
        let count = params.get()?.get_count();
        if count == 0 || count > MAX_POOL {
            return Err(exception(format!("thread pool size must be 1 to {MAX_POOL}")));
        }
        ipc_log!(DEBUG, session.connection().event_loop().exe_name(), "IPC server thread pool of {count}");
        session.make_pool(count).map_err(exception)
    }
}
