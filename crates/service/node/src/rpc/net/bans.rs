//! `setban`, `listbanned`, `clearbanned`.

use grs_addrman::Subnet;
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use grs_sync::clock;
use serde_json::{Value, json};

use super::address;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method("network", "setban", "Bans an address or a range, or ends a ban.\n", setban)
            .arg(Arg::str("subnet", "The address, or a range with its mask"))
            .arg(Arg::str("command", "'add' or 'remove'"))
            .arg(
                Arg::num(
                    "bantime",
                    "Seconds of the ban, or its end if [absolute]; 0 takes that of -bantime, which is 24 hours by default",
                )
                .default(0),
            )
            .arg(Arg::bool("absolute", "The bantime is a time in seconds since 1970").default(false))
            .result(Res::null("", ""))
            .example_cli("\"192.168.0.6\" \"add\" 86400")
            .example_cli("\"192.168.0.0/24\" \"add\"")
            .example_rpc("\"192.168.0.6\", \"add\", 86400"),
        maker
            .method("network", "listbanned", "All bans.\n", listbanned)
            .result(Res::arr(
                "",
                "",
                [Res::obj(
                    "",
                    "",
                    [
                        Res::str("address", "The address or range"),
                        Res::time("ban_created", "When it was banned, in seconds since 1970"),
                        Res::time("banned_until", "When the ban ends, in seconds since 1970"),
                        Res::time("ban_duration", "Length of the ban in seconds"),
                        Res::time("time_remaining", "Seconds until it ends"),
                    ],
                )],
            ))
            .example(""),
        maker
            .method("network", "clearbanned", "Ends all bans.\n", |ctx, _| {
                ctx.banman()?.clear();
                Ok(Value::Null)
            })
            .result(Res::null("", ""))
            .example(""),
    ]
}

fn setban(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let command: &str = request.arg("command")?;
    if command != "add" && command != "remove" {
        return Err(RpcError::misc(
            "setban \"subnet\" \"command\" ( bantime absolute )\n\nThe command is 'add' or 'remove'.\n",
        ));
    }
    let bans = ctx.banman()?;
    let text: &str = request.arg("subnet")?;
    let single = if text.contains('/') { None } else { address(ctx, text) };
    let subnet = match single {
        Some(address) => Subnet::single(address),
        None if text.contains('/') => Subnet::parse(text),
        None => None,
    };
    let subnet =
        subnet.ok_or_else(|| RpcError::new(code::CLIENT_INVALID_IP_OR_SUBNET, "Error: Invalid IP/Subnet"))?;
    if command == "remove" {
        if !bans.unban(&subnet) {
            return Err(RpcError::new(
                code::CLIENT_INVALID_IP_OR_SUBNET,
                "Error: Unban failed. Requested address/subnet was not previously manually banned.",
            ));
        }
        return Ok(Value::Null);
    }
    let banned = match single {
        Some(address) => bans.is_banned(&address),
        None => bans.is_banned_subnet(&subnet),
    };
    if banned {
        return Err(RpcError::new(code::CLIENT_NODE_ALREADY_ADDED, "Error: IP/Subnet already banned"));
    }
    let time: i64 = request.arg("bantime")?;
    let absolute: bool = request.arg("absolute")?;
    if absolute && time < clock::now_secs() {
        return Err(RpcError::invalid_parameter("Error: Absolute timestamp is in the past"));
    }
    bans.ban(subnet, time, absolute);
    if let Some(connman) = ctx.connman.get() {
        connman.disconnect_subnet(&subnet);
    }
    Ok(Value::Null)
}

fn listbanned(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let now = clock::now_secs();
    let show = |(subnet, ban): (Subnet, grs_addrman::BanEntry)| {
        json!({
            "address": subnet.to_string(),
            "ban_created": ban.created,
            "banned_until": ban.until,
            "ban_duration": ban.until - ban.created,
            "time_remaining": ban.until - now,
        })
    };
    Ok(ctx.banman()?.banned().into_iter().map(show).collect::<Vec<_>>().into())
}
