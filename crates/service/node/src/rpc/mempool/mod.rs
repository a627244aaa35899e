//! Methods about the mempool. Reference: `src/rpc/mempool.cpp`.

mod cluster;
mod entry;
mod file;
mod info;
mod outputs;
mod package;
mod send;
mod test_accept;

use grs_hashes::Txid;
use grs_rpc::{Method, RpcError, value};
use serde_json::Value;

use super::Maker;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = entry::methods(maker);
    all.extend(cluster::methods(maker));
    all.extend(info::methods(maker));
    all.extend(outputs::methods(maker));
    all.extend(file::methods(maker));
    all.extend(send::methods(maker));
    all.extend(test_accept::methods(maker));
    all.extend(package::methods(maker));
    all
}

fn txid(value: &Value) -> Result<Txid, RpcError> {
    value::parse_hash(value, "txid").map(Txid::from_bytes)
}

fn not_there() -> RpcError {
    RpcError::invalid_address_or_key("Transaction not in mempool")
}
