//! The method about connections with other processes: ours, the reference has none.

use std::sync::{Arc, Weak};

use grs_rpc::{Method, Res, RpcError, code};
use serde_json::{Map, Value, json};

use crate::init::{Host, IpcInfo};

/// `getipcinfo`.
pub(crate) fn getipcinfo(host: &Arc<dyn Host>) -> Method {
    let host: Weak<dyn Host> = Arc::downgrade(host);
    let numbers = |key: &'static str, about: &'static str, inner: &'static str| {
        Res::obj_dyn(key, about, [Res::num("name", inner)])
    };
    Method::new(
        "control",
        "getipcinfo",
        "What other processes do and have here: connections, calls, objects, and the limits that they hit.\n",
        move |_| {
            let info = host.upgrade().and_then(|host| host.ipc_info());
            info.map(|info| to_json(&info))
                .ok_or_else(|| RpcError::new(code::MISC_ERROR, "This program has no connections with other processes."))
        },
    )
    .result(Res::obj(
        "",
        "",
        [
            Res::arr("listening", "Addresses of -ipcbind that are listened at", [Res::str("", "An address")]),
            numbers(
                "counts",
                "connections, threads, objects and calls are those of this moment; totals count from the start; bytes of \
                 messages are those of all connections",
                "The count",
            ),
            numbers("limits", "Limits of each connection that comes through -ipcbind", "The limit"),
            numbers("limit_hits", "How often somebody met each limit", "The number"),
        ],
    ))
    .example("")
}

fn to_json(info: &IpcInfo) -> Value {
    let object = |list: &[(&'static str, u64)]| -> Map<String, Value> {
        list.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    };
    json!({
        "listening": info.listening,
        "counts": object(&info.counts),
        "limits": object(&info.limits),
        "limit_hits": object(&info.hits),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_shown_by_name() {
        let info = IpcInfo {
            listening: vec!["unix:/x".into()],
            counts: vec![("calls", 2)],
            limits: vec![("max_connections", 16)],
            hits: vec![("threads", 0)],
        };
        let expected = json!({
            "listening": ["unix:/x"],
            "counts": { "calls": 2 },
            "limits": { "max_connections": 16 },
            "limit_hits": { "threads": 0 },
        });
        assert_eq!(to_json(&info), expected);
    }
}
