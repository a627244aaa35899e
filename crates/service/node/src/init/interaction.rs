//! Options that decide others. Reference: `InitParameterInteraction`.

use grs_args::ArgsManager;
use grs_log::info;
use grs_wire::AddressNetwork;

/// `-maxmempool` of a node that takes no transactions, in MB.
const BLOCKSONLY_MAX_MEMPOOL_MB: u32 = 5;
/// Default of `-maxconnections`.
pub(crate) const DEFAULT_MAX_CONNECTIONS: i64 = 125;

fn set(args: &ArgsManager, option: &str, value: bool, why: &str) {
    if args.soft_set_bool(option, value) {
        info!("parameter interaction: {why} -> setting {option}={}", u8::from(value));
    }
}

/// Applies them all, in the reference's order.
pub(crate) fn parameter_interaction(args: &ArgsManager) {
    for option in ["-bind", "-whitebind"] {
        if !args.get_list(option).is_empty() {
            set(args, "-listen", true, &format!("{option} set"));
        }
    }
    let connect = !args.get_list("-connect").is_empty() || args.is_negated("-connect");
    if connect || args.get_int("-maxconnections", DEFAULT_MAX_CONNECTIONS) <= 0 {
        let why = "-connect or -maxconnections=0 set";
        set(args, "-dnsseed", false, why);
        set(args, "-listen", false, why);
    }
    let proxy = args.get_str("-proxy", "");
    if !proxy.is_empty() && proxy != "0" {
        for option in ["-listen", "-natpmp", "-discover"] {
            set(args, option, false, "-proxy set");
        }
    }
    if !args.get_bool("-listen", true) {
        for option in ["-natpmp", "-discover", "-listenonion", "-i2pacceptincoming"] {
            set(args, option, false, "-listen=0");
        }
    }
    if !args.get_list("-externalip").is_empty() {
        set(args, "-discover", false, "-externalip set");
    }
    if args.get_bool("-blocksonly", false) {
        set(args, "-whitelistrelay", false, "-blocksonly=1");
        if args.soft_set("-maxmempool", &BLOCKSONLY_MAX_MEMPOOL_MB.to_string()) {
            info!("parameter interaction: -blocksonly=1 -> setting -maxmempool={BLOCKSONLY_MAX_MEMPOOL_MB}");
        }
    }
    if args.get_bool("-whitelistforcerelay", false) {
        set(args, "-whitelistrelay", true, "-whitelistforcerelay=1");
    }
    let only = args.get_list("-onlynet");
    if !only.is_empty() {
        let clearnet = only
            .iter()
            .any(|n| matches!(AddressNetwork::parse(n), Some(AddressNetwork::Ipv4 | AddressNetwork::Ipv6)));
        if !clearnet {
            set(args, "-dnsseed", false, "-onlynet excludes IPv4 and IPv6");
        }
    }
}
