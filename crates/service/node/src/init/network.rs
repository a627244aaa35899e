//! The network part of a start: limits, addresses, connections.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use grs_addrman::{AddrMan, AddrManOptions, BanMan, DEFAULT_MISBEHAVING_BANTIME};
use grs_args::ArgsManager;
use grs_hashes::{Txid, Wtxid};
use grs_log::info;
use grs_peer::{PeerManager, PeerOptions, WhiteBind, WhiteList};
use grs_socket::{ConnectionManager, Proxy, SocketOptions};
use grs_wire::{AddressNetwork, MAX_SUBVERSION_LENGTH, NetAddress, Service, Services};

use super::StartFailed;
use super::interaction::DEFAULT_MAX_CONNECTIONS;
use super::steps::fail;
use crate::NodeContext;

/// `-ipcmaxconnections` if it is not given.
pub const DEFAULT_IPC_CONNECTIONS: i64 = 16;
/// Largest value of `-ipcmaxconnections`.
pub const MAX_IPC_CONNECTIONS: i64 = 1000;
/// Descriptors that the node needs besides connections: databases, logs, files.
const CORE_FILE_DESCRIPTORS: i64 = 151;
const MAX_ADDNODE_CONNECTIONS: i64 = 8;

/// What the system allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_connections: i64,
    pub(crate) file_descriptors: i64,
}

/// Raises the limit of open files as far as needed and possible.
fn raise_file_limit(wanted: i64) -> i64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let wanted = wanted.max(0) as u64;
    if current < wanted {
        let raised = limit.maximum.map_or(wanted, |m| m.min(wanted));
        let changed = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum });
        if changed.is_ok() {
            return raised as i64;
        }
    }
    i64::try_from(current).unwrap_or(i64::MAX)
}

/// Checks options of connections and counts what is possible.
pub(crate) fn check_limits(node: &NodeContext) -> Result<Limits, StartFailed> {
    let args = &node.args;
    if args.get_bool("-forcednsseed", false) && !args.get_bool("-dnsseed", true) {
        return fail("Cannot set -forcednsseed to true when setting -dnsseed to false.");
    }
    let binds = args.get_list("-bind").len() + args.get_list("-whitebind").len();
    let listen = args.get_bool("-listen", true);
    if binds != 0 && !listen {
        return fail("Cannot set -bind or -whitebind together with -listen=0");
    }
    if !listen && args.get_bool("-listenonion", true) {
        return fail("Cannot set -listen=0 together with -listenonion=1");
    }
    let wanted = args.get_int("-maxconnections", DEFAULT_MAX_CONNECTIONS);
    if wanted < 0 {
        return fail("-maxconnections must be greater or equal than zero");
    }
    let least = CORE_FILE_DESCRIPTORS + MAX_ADDNODE_CONNECTIONS + binds.max(1) as i64 + ipc_descriptors(args);
    let available = raise_file_limit(wanted + least);
    if available < least {
        return fail(format!(
            "Not enough file descriptors available. {available} available, {least} required."
        ));
    }
    let max_connections = wanted.min(available - least);
    if max_connections < wanted {
        super::init_warning(&format!(
            "Reducing -maxconnections from {wanted} to {max_connections}, because of system limitations."
        ));
    }
    if args.get_int("-peertimeout", 60_i64) <= 0 {
        return fail("peertimeout must be a positive integer.");
    }
    Ok(Limits { max_connections, file_descriptors: available })
}

/// Descriptors that other programs may need: each `-ipcbind` listens, and has so many connections.
fn ipc_descriptors(args: &ArgsManager) -> i64 {
    let each = args.get_int("-ipcmaxconnections", DEFAULT_IPC_CONNECTIONS).clamp(1, MAX_IPC_CONNECTIONS);
    args.get_list("-ipcbind").len() as i64 * (1 + each)
}

/// Bytes of `-maxuploadtarget` (plain numbers are MiB; k, K, m, M, g, G, t, T scale by 1000 or 1024).
pub(crate) fn upload_target(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, c)) if c.is_ascii_alphabetic() => (&text[..at], Some(c)),
        _ => (text, None),
    };
    let factor: u64 = match unit {
        None | Some('M') => 1 << 20,
        Some('k') => 1_000,
        Some('K') => 1 << 10,
        Some('m') => 1_000_000,
        Some('g') => 1_000_000_000,
        Some('G') => 1 << 30,
        Some('t') => 1_000_000_000_000,
        Some('T') => 1 << 40,
        Some(_) => return None,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
    plain.then(|| digits.parse::<u64>().ok()?.checked_mul(factor)).flatten()
}

pub(crate) fn check_upload_target(args: &ArgsManager) -> Result<(), StartFailed> {
    let text = args.get_str("-maxuploadtarget", "0");
    match upload_target(&text) {
        Some(_) => Ok(()),
        None => fail(format!("Unable to parse -maxuploadtarget: '{text}'")),
    }
}

/// Options that hold a host and port. With the flag, `=onion` and the like may follow.
const HOST_PORTS: [(&str, bool); 7] = [
    ("-i2psam", false),
    ("-onion", false),
    ("-proxy", true),
    ("-bind", true),
    ("-rpcbind", false),
    ("-torcontrol", false),
    ("-whitebind", false),
];

/// Checks every port there is. Reference: `CheckHostPortOptions`.
pub(crate) fn check_host_ports(args: &ArgsManager) -> Result<(), StartFailed> {
    let invalid = |option: &str, value: &str| fail(format!("Invalid port specified in {option}: '{value}'"));
    for option in ["-port", "-rpcport"] {
        if let Some(text) = args.get_opt_str(option)
            && !text.parse::<u16>().is_ok_and(|p| p != 0)
        {
            return invalid(option, &text);
        }
    }
    for (option, suffix) in HOST_PORTS {
        for value in args.get_list(option) {
            let host_port = match value.rfind('=') {
                Some(at) if suffix => &value[..at],
                _ => &value,
            };
            let unix = matches!(option, "-onion" | "-proxy") && value.starts_with("unix:");
            if !unix && grs_wire::split_host_port(host_port, 0).is_none() {
                return invalid(option, &value);
            }
        }
    }
    Ok(())
}

/// Announces a transaction to all peers.
pub(crate) fn relay(node: &Arc<NodeContext>, txid: Txid, wtxid: Wtxid) {
    if let Some(connman) = node.connman.get() {
        connman.peer_manager().relay_transaction(&txid, &wtxid);
    }
}

/// What the connections are made with, and the user agent.
pub(crate) struct NetworkOptions {
    socket: SocketOptions,
    peer: PeerOptions,
    addrman: Arc<AddrMan>,
}

fn user_agent(args: &ArgsManager) -> Result<String, StartFailed> {
    let safe = |c: char| c.is_ascii_alphanumeric() || " .,;-_?@".contains(c);
    let comments = args.get_list("-uacomment");
    if let Some(comment) = comments.iter().find(|c| !c.chars().all(safe)) {
        return fail(format!("User Agent comment ({comment}) contains unsafe characters."));
    }
    let comments = if comments.is_empty() { String::new() } else { format!("({})", comments.join("; ")) };
    let agent = format!("/Groestlcoin:31.0.0{comments}/");
    if agent.len() > MAX_SUBVERSION_LENGTH {
        return fail(format!(
            "Total length of network version string ({}) exceeds maximum length ({MAX_SUBVERSION_LENGTH}). Reduce the \
             number or size of uacomments.",
            agent.len()
        ));
    }
    Ok(agent)
}

fn reachable(args: &ArgsManager) -> Result<Vec<AddressNetwork>, StartFailed> {
    let only = args.get_list("-onlynet");
    let mut networks = Vec::new();
    for name in &only {
        match AddressNetwork::parse(name) {
            Some(network) => networks.push(network),
            None => return fail(format!("Unknown network specified in -onlynet: '{name}'")),
        }
    }
    if only.is_empty() {
        networks = vec![AddressNetwork::Ipv4, AddressNetwork::Ipv6];
    }
    if !args.is_set("-cjdnsreachable") && networks.contains(&AddressNetwork::Cjdns) {
        return fail(
            "Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not provided",
        );
    }
    let clearnet = networks.contains(&AddressNetwork::Ipv4) || networks.contains(&AddressNetwork::Ipv6);
    if args.get_opt_bool("-dnsseed") == Some(true) && !clearnet {
        return fail(
            "Incompatible options: -dnsseed=1 was explicitly specified, but -onlynet forbids connections to IPv4/IPv6",
        );
    }
    Ok(networks)
}

fn binds(args: &ArgsManager, options: &mut SocketOptions) -> Result<(), StartFailed> {
    let port = options.port;
    for text in args.get_list("-bind") {
        let (address, onion) = match text.rsplit_once('=') {
            None => (text.as_str(), false),
            Some((address, "onion")) => (address, true),
            Some(_) => return fail(resolve_error("bind", &text)),
        };
        let default = if onion { port.wrapping_add(1) } else { port };
        let Some(service) = Service::parse(address, default) else {
            return fail(resolve_error("bind", &text));
        };
        if onion { options.onion_binds.push(service) } else { options.binds.push(service) }
    }
    for text in args.get_list("-whitebind") {
        options.white_binds.push(WhiteBind::parse(&text).or_else(fail)?);
    }
    options.bind_on_any =
        options.binds.is_empty() && options.white_binds.is_empty() && args.get_list("-bind").is_empty();
    if options.bind_on_any && options.onion_binds.is_empty() && options.listen {
        let localhost = NetAddress::Ipv4([127, 0, 0, 1]);
        options.onion_binds.push(Service::new(localhost, port.wrapping_add(1)));
    }
    let all =
        options.white_binds.iter().map(|w| &w.service).chain(&options.binds).chain(&options.onion_binds);
    let mut seen = Vec::new();
    for service in all {
        if seen.contains(service) {
            return fail(format!(
                "Duplicate binding configuration for address {service}. Please check your -bind, -bind=...=onion and \
                 -whitebind settings."
            ));
        }
        seen.push(*service);
    }
    Ok(())
}

fn resolve_error(option: &str, value: &str) -> String {
    format!("Cannot resolve -{option} address: '{value}'")
}

/// Options of the connections; errors are shown. Needs no chain.
pub(crate) fn options(node: &Arc<NodeContext>, limits: &Limits) -> Result<NetworkOptions, StartFailed> {
    let args = &node.args;
    let agent = user_agent(args)?;
    let mut socket = SocketOptions::new(node.params.clone());
    socket.reachable = reachable(args)?;
    let data_dir = args.data_dir_net();
    let book = AddrManOptions { magic: node.params.magic, deterministic: args.has_test_option("addrman") };
    info!("Using /16 prefix for IP bucketing");
    let addrman = AddrMan::open(Some(data_dir.join("peers.dat")), book).or_else(|e| fail(e.to_string()))?;
    let ban_time = args.get_int("-bantime", DEFAULT_MISBEHAVING_BANTIME);
    let _ = node.banman.set(Arc::new(BanMan::open(Some(data_dir.join("banlist")), ban_time)));
    let bytes = |option: &str, kilobytes: i64| args.get_int(option, kilobytes).max(0) as usize * 1000;
    let seconds =
        |option: &str, default: i64| Duration::from_secs(args.get_int(option, default).max(1) as u64);
    socket.data_dir = Some(data_dir);
    socket.max_connections = limits.max_connections.max(0) as usize;
    socket.max_send_buffer = bytes("-maxsendbuffer", 1000);
    socket.max_receive_buffer = bytes("-maxreceivebuffer", 5000);
    socket.max_upload = upload_target(&args.get_str("-maxuploadtarget", "0")).unwrap_or(0);
    socket.peer_timeout = seconds("-peertimeout", 60);
    let timeout = args.get_int("-timeout", 5000_i64);
    socket.connect_timeout = Duration::from_millis(if timeout <= 0 { 5000 } else { timeout as u64 });
    socket.listen = args.get_bool("-listen", true);
    socket.port = args.get_int("-port", i64::from(node.params.default_port)).clamp(0, 65_535) as u16;
    binds(args, &mut socket)?;
    for text in args.get_list("-whitelist") {
        socket.white_list.push(WhiteList::parse(&text).or_else(fail)?);
    }
    socket.whitelist_relay = args.get_bool("-whitelistrelay", true);
    socket.whitelist_force_relay = args.get_bool("-whitelistforcerelay", false);
    let connect = args.get_list("-connect");
    socket.use_addrman_outgoing = connect.is_empty() && !args.is_negated("-connect");
    if connect != ["0"] {
        socket.connect = connect;
    }
    socket.added_nodes = args.get_list("-addnode");
    socket.seed_nodes = args.get_list("-seednode");
    if !socket.connect.is_empty() && !socket.seed_nodes.is_empty() {
        info!("-seednode is ignored when -connect is used");
    }
    if !socket.use_addrman_outgoing && args.get_opt_bool("-dnsseed") == Some(true) && args.is_set("-proxy") {
        info!("-dnsseed is ignored when -connect is used and -proxy is specified");
    }
    socket.dns_seed = args.get_bool("-dnsseed", true);
    socket.force_dns_seed = args.get_bool("-forcednsseed", false);
    socket.fixed_seeds = args.get_bool("-fixedseeds", true);
    socket.name_lookup = args.get_bool("-dns", true);
    socket.discover = args.get_bool("-discover", true);
    socket.network_active = args.get_bool("-networkactive", true);
    for text in args.get_list("-externalip") {
        let Some(service) = Service::parse(&text, socket.port) else {
            return fail(resolve_error("externalip", &text));
        };
        socket.external_addresses.push(service);
    }
    set_proxies(args, &mut socket)?;
    let mut peer = PeerOptions::new(node.params.clone());
    peer.user_agent = agent;
    peer.ignore_incoming_txs = args.get_bool("-blocksonly", false);
    peer.peer_timeout = socket.peer_timeout;
    peer.use_addrman_outgoing = socket.use_addrman_outgoing;
    peer.max_outbound_full_relay = socket.max_outbound_full_relay();
    peer.max_outbound_block_relay = socket.max_outbound_block_relay();
    if args.get_int("-prune", 0_i64) != 0 {
        peer.services = peer.services.without(Services::NETWORK);
    }
    if args.get_bool("-peerbloomfilters", true) {
        peer.services = peer.services.with(Services::BLOOM);
    }
    if args.get_bool("-v2transport", true) {
        peer.services = peer.services.with(Services::P2P_V2);
    }
    Ok(NetworkOptions { socket, peer, addrman: Arc::new(addrman) })
}

/// `-proxy=host:port[=network]` and `-onion`.
fn set_proxies(args: &ArgsManager, options: &mut SocketOptions) -> Result<(), StartFailed> {
    let randomize = args.get_bool("-proxyrandomize", true);
    let mut given: Vec<(String, String)> =
        args.get_list("-proxy").into_iter().map(|p| ("proxy".into(), p)).collect();
    if let Some(onion) = args.get_opt_str("-onion").filter(|o| !o.is_empty() && o != "0") {
        given.push(("onion".into(), format!("{onion}=tor")));
    }
    for (option, text) in given.into_iter().filter(|(_, p)| !p.is_empty() && p != "0") {
        let (address, kind) = text.rsplit_once('=').unwrap_or((&text, ""));
        if text.ends_with('=') {
            return fail(format!("Invalid -proxy address or hostname, ends with '=': '{text}'"));
        }
        let Some(address) = proxy_address(address, args.get_bool("-dns", true)) else {
            return fail(format!("Invalid -{option} address or hostname: '{address}'"));
        };
        let networks: &[AddressNetwork] = match kind.to_ascii_lowercase().as_str() {
            "" => &[AddressNetwork::Ipv4, AddressNetwork::Ipv6, AddressNetwork::Onion, AddressNetwork::Cjdns],
            "ipv4" => &[AddressNetwork::Ipv4],
            "ipv6" => &[AddressNetwork::Ipv6],
            "tor" | "onion" => &[AddressNetwork::Onion],
            "cjdns" => &[AddressNetwork::Cjdns],
            _ => return fail(format!("Unrecognized network in -proxy='{text}': '{kind}'")),
        };
        let proxy = Proxy { address, randomize };
        if kind.is_empty() {
            options.name_proxy = Some(proxy.clone());
        }
        for network in networks {
            options.proxies.retain(|(n, _)| n != network);
            options.proxies.push((*network, proxy.clone()));
        }
        if networks.contains(&AddressNetwork::Onion)
            && args.get_list("-onlynet").is_empty()
            && !options.reachable.contains(&AddressNetwork::Onion)
        {
            options.reachable.push(AddressNetwork::Onion);
        }
    }
    Ok(())
}

/// Address of a proxy: numbers, or with `lookup` a name, and a port (9050 if there is none).
fn proxy_address(text: &str, lookup: bool) -> Option<SocketAddr> {
    const TOR_PORT: u16 = 9050;
    let numeric = Service::parse(text, TOR_PORT).and_then(|s| s.to_socket_addr());
    numeric.or_else(|| {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (text, TOR_PORT),
        };
        lookup.then(|| (host, port).to_socket_addrs().ok()?.next()).flatten()
    })
}

/// Makes the message handling and the connections, without opening any.
pub(crate) fn create(node: &Arc<NodeContext>, options: NetworkOptions) -> Result<(), StartFailed> {
    let missing = || fail("The chain was not loaded before the connections.");
    let (Some(chainman), Some(mempool), Some(banman)) =
        (node.chainman.get(), node.mempool.get(), node.banman.get())
    else {
        return missing();
    };
    let NetworkOptions { socket, peer, addrman } = options;
    let peers = PeerManager::new(peer, chainman.clone(), mempool.clone(), banman.clone(), addrman.clone());
    let _ = node.connman.set(ConnectionManager::new(socket, peers, banman.clone(), addrman));
    Ok(())
}

/// Starts listening and connecting.
pub(crate) fn start(node: &Arc<NodeContext>) -> Result<(), StartFailed> {
    let Some(connman) = node.connman.get() else { return Err(StartFailed) };
    connman.start().map_err(|errors| {
        errors.iter().for_each(|e| super::init_error(e));
        StartFailed
    })
}

/// Repeated work of the network.
pub(crate) fn schedule(node: &Arc<NodeContext>) {
    let weak = Arc::downgrade(node);
    node.scheduler.schedule_every(Duration::from_secs(45), move || {
        if let Some(connman) = weak.upgrade().and_then(|n| n.connman.get().cloned()) {
            connman.peer_manager().tick();
        }
    });
    let weak = Arc::downgrade(node);
    node.scheduler.schedule_every(Duration::from_secs(15 * 60), move || {
        let Some(node) = weak.upgrade() else { return };
        if let Some(connman) = node.connman.get() {
            connman.dump_addresses();
        }
        if let Some(banman) = node.banman.get() {
            banman.dump();
        }
    });
    schedule_rebroadcast(node);
}

/// Announces again, every 10 to 15 minutes, what no peer has asked for yet.
fn schedule_rebroadcast(node: &Arc<NodeContext>) {
    let Some(connman) = node.connman.get() else { return };
    let weak = Arc::downgrade(node);
    node.scheduler.schedule_from_now(connman.peer_manager().rebroadcast_delay(), move || {
        let Some(node) = weak.upgrade() else { return };
        if let Some(connman) = node.connman.get() {
            connman.peer_manager().rebroadcast();
        }
        schedule_rebroadcast(&node);
    });
}

/// Writes bans down at the end.
pub(crate) fn save(node: &NodeContext) {
    if let Some(banman) = node.banman.get() {
        banman.dump();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_by_number_and_name() {
        assert_eq!(proxy_address("127.0.0.1", false), "127.0.0.1:9050".parse().ok());
        assert_eq!(proxy_address("[::1]:1080", false), "[::1]:1080".parse().ok());
        let local = proxy_address("localhost:1080", true).unwrap();
        assert!(local.ip().is_loopback() && local.port() == 1080);
        assert_eq!(proxy_address("localhost:1080", false), None);
        assert_eq!(proxy_address("localhost:port", true), None);
    }
}
