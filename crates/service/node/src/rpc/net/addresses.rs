//! `getnodeaddresses`, `addpeeraddress`, `getaddrmaninfo`, `getrawaddrman`.

use std::sync::Arc;

use grs_addrman::{AddrInfo, AddrMan, AddressPosition};
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use grs_sync::clock;
use grs_wire::{AddressNetwork, Service, Services, TimedAddress};
use serde_json::{Map, Value, json};

use super::{NETWORKS, address};
use crate::rpc::{Ctx, Maker};

const NAMES: &str = "ipv4, ipv6, onion, i2p, cjdns";

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        getnodeaddresses_method(maker),
        maker
            .method(
                "network",
                "getaddrmaninfo",
                "Number of addresses in the tables 'new' and 'tried' of the address book, by networks.\n",
                getaddrmaninfo,
            )
            .result(Res::obj_dyn(
                "",
                "Networks by name",
                [Res::obj(
                    "network",
                    format!("A network ({NAMES}, all_networks)"),
                    [
                        Res::num("new", "Addresses heard of, but never connected to"),
                        Res::num("tried", "Addresses that were connected to"),
                        Res::num("total", "Both together"),
                    ],
                )],
            ))
            .example(""),
        maker
            .method(
                "hidden",
                "addpeeraddress",
                "Puts an address into a table of the address book. For tests only.",
                addpeeraddress,
            )
            .arg(Arg::str("address", "The address"))
            .arg(Arg::num("port", "The port"))
            .arg(Arg::bool("tried", "Tries the table 'tried'").default(false))
            .result(Res::obj(
                "",
                "",
                [
                    Res::bool("success", "Whether it was put there"),
                    Res::str("error", "Why it was not").optional(),
                ],
            ))
            .example_cli("\"1.2.3.4\" 1331 true")
            .example_rpc("\"1.2.3.4\", 1331, true"),
        getrawaddrman_method(maker),
    ]
}

fn getnodeaddresses_method(maker: &Maker) -> Method {
    maker
        .method(
            "network",
            "getnodeaddresses",
            "Addresses of nodes that may be worth a connection: good and recent ones. The node may know more.",
            getnodeaddresses,
        )
        .arg(Arg::num("count", "How many at most; 0 for all").default(1))
        .arg(Arg::str("network", format!("Only of this network: {NAMES}")).default_hint("all networks"))
        .result(Res::arr(
            "",
            "",
            [Res::obj(
                "",
                "",
                [
                    Res::time("time", "When the node was last seen, in seconds since 1970"),
                    Res::num("services", "Services it offers"),
                    Res::str("address", "Its address"),
                    Res::num("port", "Its port"),
                    Res::str("network", format!("Its network ({NAMES})")),
                ],
            )],
        ))
        .example("8")
        .example_cli("4 \"i2p\"")
        .example_cli_named(&[("network", json!("onion")), ("count", json!(12))])
        .example_rpc("4, \"i2p\"")
}

fn getrawaddrman_method(maker: &Maker) -> Method {
    let entry = Res::obj(
        "bucket/position",
        "Where it is in the table",
        [
            Res::str("address", "The address"),
            Res::num("mapped_as", "Number of its autonomous system (with -asmap)").optional(),
            Res::num("port", "The port"),
            Res::str("network", format!("The network ({NAMES})")),
            Res::num("services", "Services it offers"),
            Res::time("time", "When it was last seen, in seconds since 1970"),
            Res::str("source", "Address of the one who told it"),
            Res::str("source_network", format!("Network of the one who told it ({NAMES})")),
            Res::num("source_mapped_as", "Autonomous system of the one who told it (with -asmap)").optional(),
        ],
    );
    maker
        .method(
            "hidden",
            "getrawaddrman",
            "All entries of the address book's tables. Experimental: may change.\n",
            getrawaddrman,
        )
        .result(Res::obj_dyn("", "", [Res::obj_dyn("table", "A table ( new, tried )", [entry])]))
        .example("")
}

fn book(ctx: &Ctx) -> Result<Arc<AddrMan>, RpcError> {
    Ok(ctx.connman()?.peer_manager().addrman().clone())
}

fn getnodeaddresses(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let count: i32 = request.arg("count")?;
    let count =
        usize::try_from(count).map_err(|_| RpcError::invalid_parameter("Address count out of range"))?;
    let network = match request.opt::<&str>("network")? {
        None => None,
        Some(name) => Some(
            AddressNetwork::parse(name)
                .ok_or_else(|| RpcError::invalid_parameter(format!("Network not recognized: {name}")))?,
        ),
    };
    let bans = ctx.banman()?;
    let mut addresses = book(ctx)?.addresses(count, 0, network, true);
    // Banned and discouraged ones are left out, as for peers who ask.
    addresses.retain(|a| !bans.is_banned(&a.service.address) && !bans.is_discouraged(&a.service.address));
    let show = |address: TimedAddress| {
        json!({
            "time": address.time,
            "services": address.services.0,
            "address": address.service.address.to_string(),
            "port": address.service.port,
            "network": address.service.address.net_class().name(),
        })
    };
    Ok(addresses.into_iter().map(show).collect::<Vec<_>>().into())
}

fn addpeeraddress(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let text: &str = request.arg("address")?;
    let port: u16 = request.arg("port")?;
    let tried: bool = request.arg("tried")?;
    let address = address(ctx, text)
        .ok_or_else(|| RpcError::new(code::CLIENT_INVALID_IP_OR_SUBNET, "Invalid IP address"))?;
    let service = Service { address, port };
    let entry = TimedAddress {
        service,
        services: Services::NETWORK.with(Services::WITNESS),
        time: u32::try_from(clock::now_secs()).unwrap_or(u32::MAX),
    };
    let book = book(ctx)?;
    // As if the node had told its own address.
    Ok(if !book.add(&[entry], &address, 0) {
        json!({ "error": "failed-adding-to-new", "success": false })
    } else if tried && !book.good(&service) {
        json!({ "error": "failed-adding-to-tried", "success": false })
    } else {
        json!({ "success": true })
    })
}

fn getaddrmaninfo(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let book = book(ctx)?;
    let sizes = |network: Option<AddressNetwork>| {
        json!({
            "new": book.size(network, Some(true)),
            "tried": book.size(network, Some(false)),
            "total": book.size(network, None),
        })
    };
    let mut out: Map<String, Value> =
        NETWORKS.into_iter().map(|network| (network.name().to_owned(), sizes(Some(network)))).collect();
    out.insert("all_networks".into(), sizes(None));
    Ok(Value::Object(out))
}

fn table(entries: Vec<(AddrInfo, AddressPosition)>) -> Value {
    let show = |(info, place): (AddrInfo, AddressPosition)| {
        let service = &info.address.service;
        let entry = json!({
            "address": service.address.to_string(),
            "port": service.port,
            "services": info.address.services.0,
            "time": info.address.time,
            "network": service.address.net_class().name(),
            "source": info.source.to_string(),
            "source_network": info.source.net_class().name(),
        });
        (format!("{}/{}", place.bucket, place.position), entry)
    };
    Value::Object(entries.into_iter().map(show).collect())
}

fn getrawaddrman(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let book = book(ctx)?;
    Ok(json!({ "new": table(book.entries(false)), "tried": table(book.entries(true)) }))
}
