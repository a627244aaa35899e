//! Methods about connections and addresses. Reference: `src/rpc/net.cpp`.

mod addresses;
mod bans;
mod blocks;
mod info;
mod nodes;
mod peers;

use grs_rpc::Method;
use grs_wire::{AddressNetwork, NetAddress};

use super::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = info::methods(maker);
    all.extend(peers::methods(maker));
    all.extend(nodes::methods(maker));
    all.extend(bans::methods(maker));
    all.extend(addresses::methods(maker));
    all.extend(blocks::methods(maker));
    all
}

/// Networks that addresses are relayed for, in the order of results.
const NETWORKS: [AddressNetwork; 5] = [
    AddressNetwork::Ipv4,
    AddressNetwork::Ipv6,
    AddressNetwork::Onion,
    AddressNetwork::I2p,
    AddressNetwork::Cjdns,
];

/// Reads an address; those of CJDNS look like IPv6.
fn address(ctx: &Ctx, text: &str) -> Option<NetAddress> {
    let cjdns = ctx.args.get_bool("-cjdnsreachable", false);
    Some(NetAddress::parse(text)?.flip_to_cjdns(cjdns)).filter(NetAddress::is_valid)
}
