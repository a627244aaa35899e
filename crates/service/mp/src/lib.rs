//! Multiprocess runtime over Cap'n Proto, wire compatible with libmultiprocess.
//!
//! Every process has one [`EventLoop`] thread that owns its [`Connection`]s. Other threads reach objects of another
//! process through [`Remote`] handles, which block and may be shared. Requests of the other side come to server objects
//! on the loop thread, which execute them there or on the thread that the request names (see [`Incoming`]).
//!
//! A connection runs over a Unix socket ([`Connection::connect`], [`Connection::serve`], [`Listener::start`]) or over any
//! other asynchronous byte stream, such as one that encrypts: [`Connection::connect_over`], [`Connection::serve_over`] and
//! [`Listener::start_over`] take a closure which runs on the loop thread, in its tokio runtime, and gives a [`Transport`]
//! or an [`Acceptor`] of them.
//!
//! # Calling
//!
//! [`Connection::connect`] gives a [`Remote`] for the first interface of the other process. [`Remote::call`] runs a closure on
//! the loop thread, which fills a request, sends it with [`Call::send`] and turns the response into plain data; the caller
//! waits, and executes callbacks of that call meanwhile. [`Remote::call_future`] does the same for asynchronous callers.
//! A request with a context gets it from [`Call::context`].
//!
//! # Serving
//!
//! [`Connection::serve`] and [`Listener::start`] take a closure that makes the first object for each connection, whose method
//! `construct` is [`Session::construct`]. Other methods begin with [`Session::receive`], execute with [`Incoming::run`] and
//! its relatives, and end with [`Incoming::done`]. Objects that are handed out are [`Hosted`].
//!
//! A call whose context names no thread is executed by the pool that the caller has made with `makePool`; without one it
//! gets the error that the other libraries give for any wrong thread, `invalid thread handle`.
//!
//! # Limits
//!
//! What a peer may take is bounded by [`Limits`]: the default for who connects to a listener, [`Limits::trusted`] otherwise
//! (see [`LoopOptions::limits`]). [`LoopHandle::stats`] has counts for supervision.
//!
//! The crate's `README.md` has an example and a list of mistakes.
//!
//! Nothing here knows what the programs are about.

mod client;
mod connection;
mod error;
mod event_loop;
mod hosted;
mod inherited;
mod input;
mod limits;
mod listener;
mod logging;
mod network;
mod output;
mod patience;
mod process;
mod server;
mod strand;
mod threads;
mod transport;

/// Threads across processes, as they travel.
pub use grs_mp_schema::proxy_capnp;

pub use client::{Call, CallFuture, Remote};
pub use connection::{Connection, Session};
pub use error::{Error, exception};
pub use event_loop::{EventLoop, LoopHandle, LoopOptions};
pub use hosted::Hosted;
pub use inherited::{inherited_fd_argument, inherited_fd_with_arguments, take_inherited_stream};
pub use limits::{Limit, Limits, Stats};
pub use listener::{Acceptor, Listener, Opening};
pub use patience::SILENCE;
pub use process::{Process, spawn, spawn_with};
pub use server::{Incoming, ObjectThread, RequestContext};
pub use transport::Transport;
