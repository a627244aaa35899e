//! Multiprocess runtime over Cap'n Proto, wire compatible with libmultiprocess.
//!
//! Every process has one [`EventLoop`] thread that owns its [`Connection`]s. Other threads reach objects of another
//! process through [`Remote`] handles, which block and may be shared. Requests of the other side come to server objects
//! on the loop thread, which execute them there or on the thread that the request names (see [`Incoming`]).
//!
//! Nothing here knows what the programs are about.

mod client;
mod connection;
mod error;
mod event_loop;
mod inherited;
mod listener;
mod logging;
mod process;
mod server;
mod strand;
mod stream;
mod threads;

/// Threads across processes, as they travel.
pub use grs_mp_schema::proxy_capnp;

pub use client::{Call, Remote};
pub use connection::{Connection, Session};
pub use error::{Error, exception};
pub use event_loop::{EventLoop, LoopHandle, LoopOptions};
pub use inherited::{inherited_fd_argument, take_inherited_stream};
pub use listener::{Listener, ListenerOptions};
pub use process::{Process, spawn};
pub use server::{Incoming, ObjectThread, RequestContext};
