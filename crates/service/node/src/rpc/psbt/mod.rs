//! Methods about partially signed transactions. Reference: `src/rpc/rawtransaction.cpp`.

mod decode;
mod fields;
mod join;
mod process;

use grs_psbt::Psbt;
use grs_rpc::{Method, RpcError};

use super::Maker;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = decode::methods(maker);
    all.extend(join::methods(maker));
    all.extend(process::methods(maker));
    all
}

/// Reads the base64 that callers give.
fn parse(text: &str) -> Result<Psbt, RpcError> {
    Psbt::from_base64(text).map_err(|e| RpcError::deserialization(format!("TX decode failed {e}")))
}
