//! `addnode`, `disconnectnode`, `getaddednodeinfo`, `ping`, `setnetworkactive`, `addconnection`, `sendmsgtopeer`.

use grs_encoding::hex_decode;
use grs_params::Network;
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use grs_socket::ConnectionType;
use grs_wire::Services;
use serde_json::{Value, json};

use crate::rpc::{Ctx, Maker};

/// Longest name of a message type.
const MESSAGE_TYPE_SIZE: usize = 12;
const EXAMPLE_NODE: &str = "\"192.168.0.6:1331\"";

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = about_nodes(maker);
    all.extend([
        maker
            .method(
                "network",
                "ping",
                "Sends a ping to all peers. getpeerinfo shows how long they take; a ping waits its turn among other messages, so \
                 that it measures how busy the peer is, too.\n",
                |ctx, _| {
                    ctx.connman()?.peer_manager().ping_all();
                    Ok(Value::Null)
                },
            )
            .result(Res::null("", ""))
            .example(""),
        maker
            .method("network", "setnetworkactive", "Switches all networking on or off.\n", |ctx, request| {
                let connman = ctx.connman()?;
                connman.set_network_active(request.arg("state")?);
                Ok(connman.network_active().into())
            })
            .arg(Arg::bool("state", "On or off"))
            .result(Res::bool("", "The state")),
        maker
            .method(
                "hidden",
                "addconnection",
                "Makes an outbound connection of some kind. For tests only.\n",
                addconnection,
            )
            .arg(Arg::str("address", "Address and port"))
            .arg(Arg::str(
                "connection_type",
                "\"outbound-full-relay\", \"block-relay-only\", \"addr-fetch\" or \"feeler\"",
            ))
            .arg(Arg::bool("v2transport", "Tries the encrypted transport (BIP324)"))
            .result(Res::obj(
                "",
                "",
                [Res::str("address", "The address"), Res::str("connection_type", "The kind of connection")],
            ))
            .example_cli(&format!("{EXAMPLE_NODE} \"outbound-full-relay\" true"))
            .example_rpc(&format!("{EXAMPLE_NODE} \"outbound-full-relay\" true")),
        maker
            .method(
                "hidden",
                "sendmsgtopeer",
                "Sends a message to a peer: its type and its bytes without header. For tests only.",
                sendmsgtopeer,
            )
            .arg(Arg::num("peer_id", "Number of the connection"))
            .arg(Arg::str("msg_type", "Type of the message, 12 characters at most"))
            .arg(Arg::hex("msg", "Bytes of the message in hexadecimal"))
            .result(Res::obj("", "", []))
            .example_cli("0 \"addr\" \"ffffff\"")
            .example_rpc("0 \"addr\" \"ffffff\""),
    ]);
    all
}

fn about_nodes(maker: &Maker) -> Vec<Method> {
    let address = Res::obj(
        "",
        "",
        [
            Res::str("address", "Address and port it is connected at"),
            Res::str("connected", "\"inbound\" or \"outbound\""),
        ],
    );
    let added = Res::obj(
        "",
        "",
        [
            Res::str("addednode", "The node, as it was given"),
            Res::bool("connected", "Whether it is connected"),
            Res::arr("addresses", "Its connection, if there is one", [address]),
        ],
    );
    vec![
        maker
            .method(
                "network",
                "addnode",
                "Keeps a connection to a node (add), does so no longer (remove), or tries to connect once (onetry). Such nodes \
                 are not disconnected for bad manners and need not be full nodes. There are 8 such connections at most, beside \
                 those of -maxconnections.\n",
                addnode,
            )
            .arg(Arg::str("node", "Address or name, with or without a port"))
            .arg(Arg::str("command", "'add', 'remove' or 'onetry'"))
            .arg(
                Arg::bool("v2transport", "Tries the encrypted transport (BIP324)")
                    .default_hint("set by -v2transport"),
            )
            .result(Res::null("", ""))
            .example_cli(&format!("{EXAMPLE_NODE} \"onetry\" true"))
            .example_rpc(&format!("{EXAMPLE_NODE}, \"onetry\" true")),
        maker
            .method(
                "network",
                "disconnectnode",
                "Ends a connection, given by its address or by its number, not by both. To give the number by position, leave the \
                 address empty.\n",
                disconnectnode,
            )
            .arg(Arg::str("address", "Address and port").default_hint("fallback to nodeid"))
            .arg(Arg::num("nodeid", "Number of the connection").default_hint("fallback to address"))
            .result(Res::null("", ""))
            .example_cli(EXAMPLE_NODE)
            .example_cli("\"\" 1")
            .example_rpc(EXAMPLE_NODE)
            .example_rpc("\"\", 1"),
        maker
            .method(
                "network",
                "getaddednodeinfo",
                "A node, or all nodes, that connections are kept to (those of onetry are not among them).\n",
                getaddednodeinfo,
            )
            .arg(Arg::str("node", "The node").default_hint("all nodes"))
            .result(Res::arr("", "", [added]))
            .example_cli("\"192.168.0.201\"")
            .example_rpc("\"192.168.0.201\""),
    ]
}

fn usage(text: &str) -> RpcError {
    RpcError::misc(text)
}

fn addnode(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let command: &str = request.arg("command")?;
    if !["onetry", "add", "remove"].contains(&command) {
        return Err(usage(
            "addnode \"node\" \"command\" ( v2transport )\n\nThe command is 'add', 'remove' or 'onetry'.\n",
        ));
    }
    let connman = ctx.connman()?;
    let node: &str = request.arg("node")?;
    let offered = connman.peer_manager().options().services.has(Services::P2P_V2);
    let v2 = request.opt::<bool>("v2transport")?.unwrap_or(offered);
    if v2 && !offered {
        return Err(RpcError::invalid_parameter(
            "Error: v2transport requested but not enabled (see -v2transport)",
        ));
    }
    match command {
        "onetry" => {
            connman.connect_once(node, v2);
        }
        "add" if !connman.add_node(node, v2) => {
            return Err(RpcError::new(code::CLIENT_NODE_ALREADY_ADDED, "Error: Node already added"));
        }
        "remove" if !connman.remove_added_node(node) => {
            return Err(RpcError::new(
                code::CLIENT_NODE_NOT_ADDED,
                "Error: Node could not be removed. It has not been added previously.",
            ));
        }
        _ => {}
    }
    Ok(Value::Null)
}

fn addconnection(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    if ctx.params.network != Network::Regtest {
        return Err(RpcError::misc("addconnection is for regression testing (-regtest mode) only."));
    }
    let address: &str = request.arg("address")?;
    let name = request.arg::<&str>("connection_type")?.trim();
    let kind = match name {
        "outbound-full-relay" => ConnectionType::OutboundFullRelay,
        "block-relay-only" => ConnectionType::BlockRelay,
        "addr-fetch" => ConnectionType::AddrFetch,
        "feeler" => ConnectionType::Feeler,
        _ => {
            return Err(RpcError::invalid_parameter(
                "addconnection \"address\" \"connection_type\" v2transport\n",
            ));
        }
    };
    let connman = ctx.connman()?;
    let offered = connman.peer_manager().options().services.has(Services::P2P_V2);
    let v2 = request.arg::<bool>("v2transport")?;
    if v2 && !offered {
        return Err(RpcError::invalid_parameter(
            "Error: Adding v2transport connections requires -v2transport init flag to be set.",
        ));
    }
    if !connman.add_connection(address, kind, v2) {
        return Err(RpcError::new(
            code::CLIENT_NODE_CAPACITY_REACHED,
            "Error: Already at capacity for specified connection type.",
        ));
    }
    Ok(json!({ "address": address, "connection_type": name }))
}

fn disconnectnode(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let connman = ctx.connman()?;
    let address: Option<&str> = request.opt("address")?;
    let id: Option<i64> = request.opt("nodeid")?;
    let found = match (address, id) {
        (Some(address), None) => match grs_addrman::Subnet::parse(address) {
            Some(subnet) if !connman.disconnect_name(address) => connman.disconnect_subnet(&subnet),
            Some(_) => true,
            None => connman.disconnect_name(address),
        },
        (None | Some(""), Some(id)) => connman.disconnect_id(id),
        _ => {
            return Err(RpcError::new(
                code::INVALID_PARAMS,
                "Only one of address and nodeid should be provided.",
            ));
        }
    };
    if !found {
        return Err(RpcError::new(code::CLIENT_NODE_NOT_CONNECTED, "Node not found in connected nodes"));
    }
    Ok(Value::Null)
}

fn getaddednodeinfo(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let mut all = ctx.connman()?.added_node_info(true);
    if let Some(node) = request.opt::<&str>("node")? {
        all.retain(|added| added.name == node);
        all.truncate(1);
        if all.is_empty() {
            return Err(RpcError::new(code::CLIENT_NODE_NOT_ADDED, "Error: Node has not been added."));
        }
    }
    let show = |added: grs_socket::AddedNodeInfo| {
        let addresses: Vec<Value> = added
            .connected
            .map(|inbound| {
                json!({
                    "address": added.address.map(|address| address.to_string()).unwrap_or_default(),
                    "connected": if inbound { "inbound" } else { "outbound" },
                })
            })
            .into_iter()
            .collect();
        json!({ "addednode": added.name, "connected": added.connected.is_some(), "addresses": addresses })
    };
    Ok(all.into_iter().map(show).collect::<Vec<_>>().into())
}

fn sendmsgtopeer(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let id: i64 = request.arg("peer_id")?;
    let message_type: &str = request.arg("msg_type")?;
    if message_type.len() > MESSAGE_TYPE_SIZE {
        return Err(RpcError::invalid_parameter(format!(
            "Error: msg_type too long, max length is {MESSAGE_TYPE_SIZE}"
        )));
    }
    let bytes = hex_decode(request.arg("msg")?)
        .map_err(|_| RpcError::invalid_parameter("Error parsing input for msg"))?;
    if !ctx.connman()?.send_raw(id, message_type, bytes) {
        return Err(RpcError::misc("Error: Could not send message to peer"));
    }
    Ok(json!({}))
}
