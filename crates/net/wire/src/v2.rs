//! The encrypted transport (BIP324) as a machine that takes bytes and gives messages. No sockets, no clock; random
//! bytes are passed in. Reference: `V2Transport` in `src/net.cpp`, `src/bip324.cpp`.

mod cipher;
mod message_ids;
mod transport;

pub use transport::{MAX_GARBAGE_LEN, V2Status, V2Transport, v2_overhead};
