//! Methods about the node's process. Reference: `src/rpc/node.cpp`.

use grs_log::logger;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use serde_json::{Map, Value, json};

use super::{Ctx, Maker};

/// Largest mock time: what fits in nanoseconds.
const MAX_MOCK_TIME: i64 = i64::MAX / 1_000_000_000;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        getmemoryinfo_method(maker),
        logging_method(maker),
        maker
            .method("util", "getindexinfo", "State of the node's indexes, or of one of them.\n", getindexinfo)
            .arg(Arg::str("index_name", "Name of the index").optional())
            .result(Res::obj_dyn(
                "",
                "",
                [Res::obj(
                    "name",
                    "Name of an index",
                    [
                        Res::bool("synced", "Whether it is up to date"),
                        Res::num("best_block_height", "Height that it has reached"),
                    ],
                )],
            ))
            .example("")
            .example("txindex"),
        maker
            .method("hidden", "echoipc", "Gives its argument back. Made for tests.\n", |_, request| {
                Ok(request.arg::<&str>("arg")?.into())
            })
            .arg(Arg::str("arg", "A text"))
            .result(Res::str("echo", "The text"))
            .example("\"Hello world\""),
        maker
            .method("hidden", "setmocktime", "Sets the node's clock (-regtest only)\n", setmocktime)
            .arg(Arg::num("timestamp", "Seconds since 1970; 0 goes back to the real time"))
            .result(Res::null("", "")),
        maker
            .method("hidden", "mockscheduler", "Moves the scheduler on (-regtest only)\n", mockscheduler)
            .arg(Arg::num("delta_time", "Seconds to move on"))
            .result(Res::null("", "")),
    ]
}

fn getmemoryinfo_method(maker: &Maker) -> Method {
    let locked = Res::obj(
        "locked",
        "Memory of the process",
        [
            Res::num("used", "Bytes in memory"),
            Res::num("free", "Bytes reserved, but not in memory"),
            Res::num("total", "Both together"),
            Res::num("locked", "Bytes that are kept from being swapped out"),
            Res::num("chunks_used", "Pages in memory"),
            Res::num("chunks_free", "Pages reserved, but not in memory"),
        ],
    );
    maker
        .method("control", "getmemoryinfo", "How memory is used.\n", getmemoryinfo)
        .arg(
            Arg::str(
                "mode",
                "\"stats\" for figures; \"mallocinfo\" for the heap's state as XML, where available",
            )
            .default("stats"),
        )
        .result(Res::obj("", "", [locked]).cond("mode \"stats\""))
        .result(Res::str("", "\"<malloc version=\"1\">...\"").cond("mode \"mallocinfo\""))
        .example("")
}

fn logging_method(maker: &Maker) -> Method {
    let categories = |name: &'static str, about: &'static str, inner: &'static str| {
        Arg::arr(name, about, [Arg::str(inner, "A category").optional()]).optional()
    };
    maker
        .method(
            "control",
            "logging",
            format!(
                "Which categories of messages are logged, after switching some on and then others off. \"all\" and \"1\" \
                 mean all categories; the valid logging categories are: {}\n",
                grs_log::all_categories_string()
            ),
            logging,
        )
        .arg(categories("include", "Categories to switch on", "include_category"))
        .arg(categories("exclude", "Categories to switch off", "exclude_category"))
        .result(Res::obj_dyn(
            "",
            "Categories with their states",
            [Res::bool("category", "Whether it is logged")],
        ))
        .example_cli("\"[\\\"all\\\"]\" \"[\\\"http\\\"]\"")
        .example_rpc("[\"all\"], [\"libevent\"]")
}

fn getmemoryinfo(_: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    match request.arg::<&str>("mode")? {
        "stats" => Ok(json!({ "locked": memory() })),
        "mallocinfo" => Err(RpcError::invalid_parameter("mallocinfo mode not available")),
        mode => Err(RpcError::invalid_parameter(format!("unknown mode {mode}"))),
    }
}

/// Memory of the process. There is no arena of locked pages: secrets are wiped when they are freed.
fn memory() -> Value {
    const PAGE: u64 = 4096;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    let (used, total) = (bytes("VmRSS:"), bytes("VmSize:"));
    let free = total.saturating_sub(used);
    json!({
        "used": used,
        "free": free,
        "total": used + free,
        "locked": bytes("VmLck:"),
        "chunks_used": used / PAGE,
        "chunks_free": free / PAGE,
    })
}

fn switch(categories: &Value, on: bool) -> Result<(), RpcError> {
    let Value::Array(categories) = categories else { return Ok(()) };
    for category in categories {
        let name = category.get_str()?;
        let known = if on { logger().enable_category(name) } else { logger().disable_category(name) };
        if !known {
            return Err(RpcError::invalid_parameter(format!("unknown logging category {name}")));
        }
    }
    Ok(())
}

fn logging(_: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    switch(request.value("include"), true)?;
    switch(request.value("exclude"), false)?;
    let states = logger().categories().into_iter().map(|(name, on)| (name.to_owned(), on.into()));
    Ok(Value::Object(states.collect::<Map<_, _>>()))
}

fn getindexinfo(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let name: Option<&str> = request.opt("index_name")?;
    let indexes = ctx.filter_index.get().map(|index| index.summary()).into_iter();
    let wanted = indexes.filter(|summary| name.is_none_or(|name| name.is_empty() || name == summary.name));
    let entry = |summary: grs_index::IndexSummary| {
        let state = json!({ "synced": summary.synced, "best_block_height": summary.best_height });
        (summary.name.to_owned(), state)
    };
    Ok(Value::Object(wanted.map(entry).collect()))
}

fn setmocktime(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    if !ctx.params.is_mockable {
        return Err(RpcError::misc("setmocktime is for regression testing (-regtest mode) only"));
    }
    let time: i64 = request.arg("timestamp")?;
    if !(0..=MAX_MOCK_TIME).contains(&time) {
        return Err(RpcError::invalid_parameter(format!(
            "Mocktime must be in the range [0, {MAX_MOCK_TIME}], not {time}."
        )));
    }
    // Not in the middle of validation.
    let manager = ctx.chainman()?;
    let state = manager.lock();
    grs_sync::clock::set_mock_time(time);
    drop(state);
    ctx.set_mock_time(time);
    Ok(Value::Null)
}

fn mockscheduler(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    if !ctx.params.is_mockable {
        return Err(RpcError::misc("mockscheduler is for regression testing (-regtest mode) only"));
    }
    let delta: i64 = request.arg("delta_time")?;
    if !(1..=3600).contains(&delta) {
        return Err(RpcError::misc("delta_time must be between 1 and 3600 seconds (1 hr)"));
    }
    ctx.mock_scheduler_forward(delta);
    ctx.chainman()?.signals().sync();
    Ok(Value::Null)
}
