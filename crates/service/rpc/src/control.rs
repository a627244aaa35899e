//! Methods about the server itself: `help`, `stop`, `uptime`, `getrpcinfo`, and the hidden `echo` and `echojson`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::RpcError;
use crate::method::{Arg, Method, Res};
use crate::request::Request;
use crate::table::{RpcTable, active_to_value};

/// What the control methods need from their process.
pub struct ControlHooks {
    /// Asks for an orderly shutdown and returns at once.
    pub shutdown: Box<dyn Fn() + Send + Sync>,
    /// Seconds that the server has been running.
    pub uptime: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Path of the debug log.
    pub log_path: String,
    /// Name of the client program, for instance `Groestlcoin Core`.
    pub client_name: String,
}

/// Adds the control methods to a table.
pub fn register(table: &Arc<RpcTable>, hooks: ControlHooks) {
    let ControlHooks { shutdown, uptime, log_path, client_name } = hooks;
    let weak = Arc::downgrade(table);
    table.register(help(weak.clone()));
    table.register(getrpcinfo(weak, log_path));
    table.register(stop(shutdown, &client_name));
    table.register(
        Method::new("control", "uptime", "How long the server has been running.", move |_| {
            Ok(uptime().into())
        })
        .result(Res::num("", "Seconds since the server started"))
        .example("")
        .fast(),
    );
    for name in ["echo", "echojson"] {
        table.register(echo(name));
    }
}

fn upgrade(table: &Weak<RpcTable>) -> Result<Arc<RpcTable>, RpcError> {
    table.upgrade().ok_or_else(|| RpcError::internal("RPC table is gone"))
}

fn help(table: Weak<RpcTable>) -> Method {
    let handler = move |request: &Request<'_>| {
        let table = upgrade(&table)?;
        let command: Option<&str> = request.opt("command")?;
        Ok(match command {
            // Not documented: the test of the command line's conversion table asks for this.
            Some("dump_all_command_conversions") => table.dump_arg_map(request),
            name => table.help(name.unwrap_or_default(), request).into(),
        })
    };
    Method::new("control", "help", "Lists the commands, or explains one of them.", handler)
        .arg(Arg::str("command", "Name of the command to explain").default_hint("all commands"))
        .result(Res::str("", "The text"))
        .result(Res::any())
}

fn stop(shutdown: Box<dyn Fn() + Send + Sync>, client_name: &str) -> Method {
    let answer = format!("{client_name} stopping");
    let about = format!("Asks {client_name} to shut down in an orderly way.");
    let result = Res::str("", format!("The text '{answer}'"));
    let handler = move |request: &Request<'_>| {
        shutdown();
        // For tests: the answer comes late, so that they see the server wait for it.
        if let Some(milliseconds) = request.opt::<i32>("wait")? {
            std::thread::sleep(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)));
        }
        Ok(Value::String(answer.clone()))
    };
    Method::new("control", "stop", about, handler)
        .arg(Arg::num("wait", "Milliseconds to wait before the answer").optional().hidden())
        .result(result)
}

fn getrpcinfo(table: Weak<RpcTable>, log_path: String) -> Method {
    let handler = move |_: &Request<'_>| {
        let active = upgrade(&table)?.active_commands();
        Ok(json!({ "active_commands": active_to_value(&active), "logpath": log_path }))
    };
    Method::new("control", "getrpcinfo", "Tells what the RPC server is doing.", handler)
        .result(Res::obj(
            "",
            "",
            [
                Res::arr(
                    "active_commands",
                    "The running commands",
                    [Res::obj(
                        "",
                        "One running command",
                        [
                            Res::str("method", "Its name"),
                            Res::num("duration", "Microseconds since it started"),
                        ],
                    )],
                ),
                Res::str("logpath", "Full path of the debug log"),
            ],
        ))
        .example("")
        .fast()
}

/// Gives its arguments back; `echojson` is the one that the command line converts to JSON.
fn echo(name: &'static str) -> Method {
    let about = "Gives back the arguments. Made for tests of argument handling: groestlcoin-cli passes those of `echo` \
                 as strings and those of `echojson` as JSON. The argument \"trigger_internal_bug\" in position ten \
                 makes the server report a bug of its own.";
    let handler = |request: &Request<'_>| {
        if request.param(9).as_str() == Some("trigger_internal_bug") {
            return Err(RpcError::bug("request.params[9].get_str() != \"trigger_internal_bug\""));
        }
        Ok(Value::Array(request.params().to_vec()))
    };
    Method::new("hidden", name, about, handler)
        .args((0..10).map(|i| Arg::str(format!("arg{i}"), "").optional().skip_type_check()))
        .result(Res::any())
        .fast()
}
