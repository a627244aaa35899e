//! `getpeerinfo`.

use std::collections::BTreeMap;

use grs_rpc::{Method, Request, Res, RpcError, value};
use grs_socket::{ConnectionType, PeerInfo};
use grs_wire::services_to_strings;
use serde_json::{Map, Value};

use crate::rpc::{Ctx, Maker, deprecated};

fn shape() -> Res {
    Res::obj(
        "",
        "",
        [
            Res::num("id", "Number of the connection"),
            Res::str("addr", "Address or name with port"),
            Res::str("addrbind", "Our end of the connection").optional(),
            Res::str("addrlocal", "Our address as the peer tells it").optional(),
            Res::str("network", "Network (ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable)"),
            Res::num("mapped_as", "Number of its autonomous system (with -asmap)").optional(),
            Res::hex("services", "Services it offers"),
            Res::arr("servicesnames", "Their names", [Res::str("SERVICE_NAME", "A name")]),
            Res::bool("relaytxes", "Whether it gets transactions"),
            Res::num("last_inv_sequence", "The mempool's sequence number at the last announcement"),
            Res::num("inv_to_send", "Transactions to be announced to it"),
            Res::time("lastsend", "When something was sent last, in seconds since 1970"),
            Res::time("lastrecv", "When something was received last, in seconds since 1970"),
            Res::time("last_transaction", "When it sent a valid transaction last, in seconds since 1970"),
            Res::time("last_block", "When it sent a new block last, in seconds since 1970"),
            Res::num("bytessent", "Bytes sent"),
            Res::num("bytesrecv", "Bytes received"),
            Res::time("conntime", "When the connection was made, in seconds since 1970"),
            Res::num("timeoffset", "Its clock against ours, in seconds"),
            Res::num("pingtime", "The last ping time in seconds").optional(),
            Res::num("minping", "The least ping time in seconds").optional(),
            Res::num("pingwait", "How long a ping has been waiting, in seconds").optional(),
            Res::num("version", "Version of the protocol"),
            Res::str("subver", "User agent"),
            Res::bool("inbound", "Whether it connected to us"),
            Res::bool("bip152_hb_to", "Whether we asked it for compact blocks at once"),
            Res::bool("bip152_hb_from", "Whether it asked us for compact blocks at once"),
            Res::num("startingheight", "Its height at first (only with -deprecatedrpc=startingheight)")
                .optional(),
            Res::num("presynced_headers", "Height of headers that are not stored yet, or -1"),
            Res::num("synced_headers", "Height of its best header that we know"),
            Res::num("synced_blocks", "Height of the last block in common"),
            Res::arr("inflight", "", [Res::num("n", "Height of a block that it is asked for")]),
            Res::bool("addr_relay_enabled", "Whether addresses are relayed"),
            Res::num("addr_processed", "Addresses taken from it"),
            Res::num("addr_rate_limited", "Addresses dropped as too many"),
            Res::arr("permissions", "Its permissions", [Res::str("permission_type", "A permission")]),
            Res::num("minfeefilter", "Least fee rate of transactions that it takes"),
            Res::obj_dyn("bytessent_per_msg", "", [Res::num("msg", "Bytes sent in messages of this type")]),
            Res::obj_dyn(
                "bytesrecv_per_msg",
                "",
                [Res::num(
                    "msg",
                    "Bytes received in messages of this type; *other* for types that nobody knows",
                )],
            ),
            Res::str(
                "connection_type",
                "Why there is a connection: outbound-full-relay, block-relay-only, inbound, manual, addr-fetch, feeler or \
                 private-broadcast; may change",
            ),
            Res::str("transport_protocol_type", "The transport: detecting, v1 or v2 (BIP324)"),
            Res::str("session_id", "Number of the session of transport v2, or empty"),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method("network", "getpeerinfo", "The connections.", getpeerinfo)
            .result(Res::arr("", "", [shape()]))
            .example(""),
    ]
}

fn per_type(bytes: &BTreeMap<&'static str, u64>) -> Value {
    let sent = bytes.iter().filter(|(_, bytes)| **bytes > 0);
    Value::Object(sent.map(|(name, bytes)| ((*name).to_owned(), (*bytes).into())).collect())
}

/// A connection; `None` in the moments of its coming and going.
fn peer_to_json(peer: &PeerInfo, starting_height: bool) -> Option<Value> {
    let stats = peer.stats.as_ref()?;
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.into(), value);
    };
    put("id", peer.id.into());
    put("addr", peer.name.clone().into());
    if let Some(bind) = &peer.bind {
        put("addrbind", bind.to_string().into());
    }
    if let Some(local) = &stats.address_local {
        put("addrlocal", local.to_string().into());
    }
    put("network", peer.network.name().into());
    put("services", format!("{:016x}", stats.services.0).into());
    put("servicesnames", services_to_strings(stats.services).into());
    put("relaytxes", stats.relay_txs.into());
    put("last_inv_sequence", stats.last_inv_sequence.into());
    put("inv_to_send", stats.inv_to_send.into());
    put("lastsend", peer.last_send.into());
    put("lastrecv", peer.last_receive.into());
    put("last_transaction", stats.last_tx_time.as_secs().into());
    put("last_block", stats.last_block_time.as_secs().into());
    put("bytessent", peer.bytes_sent.into());
    put("bytesrecv", peer.bytes_received.into());
    put("conntime", peer.connected.as_secs().into());
    put("timeoffset", stats.time_offset.into());
    let times =
        [("pingtime", stats.ping_time), ("minping", stats.min_ping_time), ("pingwait", stats.ping_wait)];
    for (key, time) in times {
        if let Some(time) = time.filter(|time| key == "minping" || !time.is_zero()) {
            put(key, value::double(time.as_secs_f64()));
        }
    }
    put("version", stats.version.into());
    put("subver", stats.user_agent.clone().into());
    put("inbound", (peer.connection_type == ConnectionType::Inbound).into());
    put("bip152_hb_to", stats.high_bandwidth_to.into());
    put("bip152_hb_from", stats.high_bandwidth_from.into());
    if starting_height {
        put("startingheight", stats.starting_height.into());
    }
    put("presynced_headers", stats.presync_height.into());
    put("synced_headers", stats.sync_height.into());
    put("synced_blocks", stats.common_height.into());
    put("inflight", stats.in_flight.clone().into());
    put("addr_relay_enabled", stats.addr_relay_enabled.into());
    put("addr_processed", stats.addr_processed.into());
    put("addr_rate_limited", stats.addr_rate_limited.into());
    put("permissions", peer.permissions.names().into());
    put("minfeefilter", value::amount(stats.fee_filter));
    put("bytessent_per_msg", per_type(&peer.sent_per_type));
    put("bytesrecv_per_msg", per_type(&peer.received_per_type));
    put("connection_type", peer.connection_type.name().into());
    put("transport_protocol_type", peer.transport.into());
    put("session_id", peer.session_id.clone().into());
    Some(Value::Object(out))
}

fn getpeerinfo(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let starting_height = deprecated(&ctx.node, "startingheight");
    let peers = ctx.connman()?.peers();
    Ok(peers.iter().filter_map(|peer| peer_to_json(peer, starting_height)).collect::<Vec<_>>().into())
}
