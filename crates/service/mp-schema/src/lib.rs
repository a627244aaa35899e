//! Cap'n Proto schema of threads across processes, and its generated code.
//!
//! Apart from the runtime, so that a client which drives `capnp-rpc` itself needs nothing but schemas.

/// Threads across processes: generated from `schema/mp/proxy.capnp`.
#[allow(missing_docs, clippy::all, unused, clippy::unwrap_used, clippy::unimplemented)]
#[rustfmt::skip]
pub mod proxy_capnp;
