//! TLS for IPC between machines: own keys, pinned peers.
//!
//! There is no authority that vouches for anybody. Each side has a folder with its own key and certificate and a folder
//! `trusted` in it with the certificates of the peers that it takes: exactly those, recognised by their public keys. Both
//! sides show a certificate, always; only TLS 1.3 is spoken, sessions are not resumed, and nothing is sent in the clear.
//! The folder is read anew for each connection, so that a peer is added or removed without a restart.
//!
//! What it stands on: rustls with ring's cryptography (nothing but a C compiler is needed to build it), tokio's sockets,
//! and the transports of `grs-mp`.

mod folder;
mod stream;
mod verify;

pub use folder::{Created, Identity, KeyFolder, TlsError};
pub use stream::{Fate, TlsAcceptor, connect};
