//! `getconnectioncount`, `getnettotals`, `getnetworkinfo`.

use grs_peer::PeerManager;
use grs_rpc::{Method, Request, Res, RpcError, value};
use grs_socket::Direction;
use grs_wire::{PROTOCOL_VERSION, services_to_strings};
use serde_json::{Value, json};

use crate::init::CLIENT_VERSION;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let upload = Res::obj(
        "uploadtarget",
        "",
        [
            Res::num("timeframe", "Length of a cycle in seconds"),
            Res::num("target", "Limit in bytes"),
            Res::bool("target_reached", "Whether the limit is reached"),
            Res::bool("serve_historical_blocks", "Whether old blocks are served"),
            Res::num("bytes_left_in_cycle", "Bytes left in this cycle"),
            Res::num("time_left_in_cycle", "Seconds left in this cycle"),
        ],
    );
    vec![
        maker
            .method("network", "getconnectioncount", "Number of connections.\n", |ctx, _| {
                Ok(ctx.connman()?.count(Direction::Both).into())
            })
            .result(Res::num("", "The number"))
            .example(""),
        maker
            .method("network", "getnettotals", "Bytes received and sent, and the time.", getnettotals)
            .result(Res::obj(
                "",
                "",
                [
                    Res::num("totalbytesrecv", "Bytes received"),
                    Res::num("totalbytessent", "Bytes sent"),
                    Res::time("timemillis", "The time in milliseconds since 1970"),
                    upload,
                ],
            ))
            .example(""),
        getnetworkinfo_method(maker),
    ]
}

fn getnetworkinfo_method(maker: &Maker) -> Method {
    let network = Res::obj(
        "",
        "",
        [
            Res::str("name", "Name (ipv4, ipv6, onion, i2p, cjdns)"),
            Res::bool("limited", "Whether -onlynet excludes it"),
            Res::bool("reachable", "Whether it can be reached"),
            Res::str("proxy", "Its proxy, or empty"),
            Res::bool("proxy_randomize_credentials", "Whether each connection has credentials of its own"),
        ],
    );
    let local = Res::obj(
        "",
        "",
        [
            Res::str("address", "The address"),
            Res::num("port", "The port"),
            Res::num("score", "How sure it is"),
        ],
    );
    maker
        .method("network", "getnetworkinfo", "The state of networking.\n", getnetworkinfo)
        .result(Res::obj(
            "",
            "",
            [
                Res::num("version", "Version of this program"),
                Res::str("subversion", "User agent"),
                Res::num("protocolversion", "Version of the protocol"),
                Res::hex("localservices", "Services offered"),
                Res::arr("localservicesnames", "Their names", [Res::str("SERVICE_NAME", "A name")]),
                Res::bool("localrelay", "Whether peers are asked for transactions"),
                Res::num("timeoffset", "Median of the outbound peers' clocks against ours, in seconds"),
                Res::num("connections", "Number of connections"),
                Res::num("connections_in", "Of these, inbound"),
                Res::num("connections_out", "Of these, outbound"),
                Res::bool("networkactive", "Whether networking is on"),
                Res::arr("networks", "The networks", [network]),
                Res::num("relayfee", "Least fee rate of transactions in GRS/kvB"),
                Res::num("incrementalfee", "Step of fee rates for limits and replacement in GRS/kvB"),
                Res::arr("localaddresses", "Addresses of our own", [local]),
                maker.warnings_shape(),
            ],
        ))
        .example("")
}

fn getnettotals(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let totals = ctx.connman()?.totals();
    Ok(json!({
        "totalbytesrecv": totals.received,
        "totalbytessent": totals.sent,
        "timemillis": u64::try_from(grs_sync::clock::system_now().as_millis()).unwrap_or(u64::MAX),
        "uploadtarget": {
            "timeframe": totals.timeframe,
            "target": totals.target,
            "target_reached": totals.target_reached,
            "serve_historical_blocks": totals.serve_historical,
            "bytes_left_in_cycle": totals.bytes_left,
            "time_left_in_cycle": totals.time_left,
        },
    }))
}

fn getnetworkinfo(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let (connman, mempool) = (ctx.connman()?, ctx.mempool()?);
    let peers: &PeerManager = connman.peer_manager();
    let services = peers.options().services;
    let about = peers.info();
    let networks: Vec<Value> = connman
        .networks()
        .into_iter()
        .map(|network| {
            json!({
                "name": network.network.name(),
                "limited": network.limited,
                "reachable": network.reachable,
                "proxy": network.proxy,
                "proxy_randomize_credentials": network.proxy_randomize,
            })
        })
        .collect();
    let local: Vec<Value> = connman
        .local_addresses()
        .into_iter()
        .map(|local| {
            json!({
                "address": local.service.address.to_string(),
                "port": local.service.port,
                "score": local.score,
            })
        })
        .collect();
    let options = mempool.options();
    Ok(json!({
        "version": CLIENT_VERSION,
        "subversion": peers.options().user_agent,
        "protocolversion": PROTOCOL_VERSION,
        "localservices": format!("{:016x}", services.0),
        "localservicesnames": services_to_strings(services),
        "localrelay": !about.ignores_incoming_txs,
        "timeoffset": about.time_offset,
        "networkactive": connman.network_active(),
        "connections": connman.count(Direction::Both),
        "connections_in": connman.count(Direction::In),
        "connections_out": connman.count(Direction::Out),
        "networks": networks,
        "relayfee": value::amount(options.min_relay_rate.fee_per_kvb().0),
        "incrementalfee": value::amount(options.incremental_relay_rate.fee_per_kvb().0),
        "localaddresses": local,
        "warnings": ctx.warnings_value(),
    }))
}
