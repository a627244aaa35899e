//! JSON-RPC engine: method descriptions, dispatch, help, auth, HTTP.
//!
//! A method is described once, with [`Method`]; dispatch, named arguments, type errors, help texts, the command
//! line's conversion table and the check of results all come from that description. [`RpcTable`] holds the methods of
//! this process and commands forwarded to other processes.
//!
//! Start of a server: [`http::HttpServer::bind`], [`auth::Auth::new`], [`RpcTable::start`], [`RpcServer::register`],
//! [`http::HttpServer::start`]; methods may be registered at any time, and are refused with a status text until
//! [`RpcTable::set_warmup_finished`]. Stop: [`RpcTable::interrupt`] wakes handlers that wait, then
//! [`http::HttpServer::interrupt`], [`http::HttpServer::stop`] (which waits for running calls) and [`RpcServer::stop`].

pub mod auth;
mod check;
pub mod control;
mod error;
#[doc(hidden)]
pub mod fuzz;
pub mod help;
pub mod http;
mod message;
mod method;
mod named;
mod pool;
pub mod protocol;
pub mod remote;
mod request;
mod server;
pub mod subnet;
mod table;
pub mod value;
pub mod wallet;

pub use error::{RpcError, code};
pub use method::{Arg, ArgType, Fallback, Handler, Method, Output, Res, ResType, Text};
pub use named::{ArgName, arg_names, positional};
pub use request::{CallInfo, Context, FromValue, Mode, Params, Request};
pub use server::RpcServer;
pub use table::{
    ActiveCommand, Command, CommandCall, CommandHandle, Forward, Outcome, RemoteCommand, RpcTable,
};
pub use value::JsonExt;
