//! Options of connections and of ZeroMQ.

use super::{C, DEBUG, F, opt};
use crate::spec::OptionSpec;

/// Options of connections to peers.
pub const CONNECTION: &[OptionSpec] = &[
    opt(
        C::Connection,
        F::NETWORK_ONLY,
        "-addnode",
        "=<ip>",
        "Peer to connect to and to keep connected. May be given several times; 8 at a time are connected, and they do \
         not count for -maxconnections.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-asmap",
        "=<file>",
        "Map from addresses to autonomous systems by which peers are spread, relative to the network's data directory. \
         Without a value, or with 1, the map that is built in.",
    ),
    opt(C::Connection, F::ANY, "-bantime", "=<n>", "Seconds a ban by hand lasts (default: 86400)"),
    opt(
        C::Connection,
        F::NETWORK_ONLY,
        "-bind",
        "=<addr>[:<port>][=onion]",
        "Address to listen on (default: 0.0.0.0); IPv6 as [host]:port. With =onion, connections to it count as coming \
         from Tor (default: 127.0.0.1:1332=onion, testnet3: 127.0.0.1:17778=onion, testnet4: 127.0.0.1:48334=onion, \
         signet: 127.0.0.1:31332=onion, regtest: 127.0.0.1:18889=onion)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-cjdnsreachable",
        "",
        "This host has CJDNS: addresses in fc00::/8 lead into that network (default: 0)",
    ),
    opt(
        C::Connection,
        F::NETWORK_ONLY,
        "-connect",
        "=<ip>",
        "Connect to this peer only; -noconnect connects to none by itself. May be given several times.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-discover",
        "",
        "Find out own addresses (default: 1 when listening without -externalip and -proxy)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-dns",
        "",
        "Look up names given to -addnode, -seednode and -connect (default: 1)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-dnsseed",
        "",
        "Ask DNS seeds for peers when few are known (default: 1 unless -connect or -maxconnections=0 is given)",
    ),
    opt(C::Connection, F::ANY, "-externalip", "=<ip>", "Own public address. May be given several times."),
    opt(
        C::Connection,
        F::ANY,
        "-fixedseeds",
        "",
        "Use built-in addresses of peers when DNS seeds give none (default: 1)",
    ),
    opt(C::Connection, F::ANY, "-forcednsseed", "", "Always ask DNS seeds for peers (default: 0)"),
    opt(
        C::Connection,
        F::ANY,
        "-listen",
        "",
        "Accept connections (default: 1 unless -proxy, -connect or -maxconnections=0 is given)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-listenonion",
        "",
        "Make an onion service by Tor's control port (default: 1)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-maxconnections",
        "=<n>",
        "Most connections made and accepted by itself (default: 125). Peers added by hand have a limit of 8 and short \
         connections for private broadcast one of 64 besides.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-maxreceivebuffer",
        "=<n>",
        "Receive buffer of a connection in units of 1000 bytes (default: 5000)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-maxsendbuffer",
        "=<n>",
        "Memory for sending of a connection in units of 1000 bytes (default: 1000)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-maxuploadtarget",
        "=<n>",
        "Upload to aim at in 24 hours, 0 without limit (default: 0M). Blocks of the last week and peers with the \
         permission download are exempt. Units k, m, g, t count by 1000 and K, M, G, T by 1024; without unit M.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-onion",
        "=<ip:port|path>",
        "SOCKS5 proxy for onion services, or unix: and a path; -noonion uses none (default: that of -proxy)",
    ),
    opt(C::Connection, F::ANY, "-i2psam", "=<ip:port>", "SAM proxy by which I2P is used"),
    opt(
        C::Connection,
        F::ANY,
        "-i2pacceptincoming",
        "",
        "Accept connections by the SAM proxy of -i2psam (default: 1)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-onlynet",
        "=<net>",
        "Network in which to connect by itself: ipv4, ipv6, onion, i2p or cjdns. Incoming connections and those made \
         by hand are not concerned. May be given several times.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-v2transport",
        "",
        "Encrypt connections by BIP 324 where possible (default: 1)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-peerbloomfilters",
        "",
        "Filter for peers that ask for it by BIP 37 (default: 1)",
    ),
    opt(C::Connection, F::ANY, "-peerblockfilters", "", "Serve block filters by BIP 157 (default: 0)"),
    opt(
        C::Connection,
        DEBUG,
        "-txreconciliation",
        "",
        "Reconcile transactions with peers by BIP 330 (default: 0)",
    ),
    opt(
        C::Connection,
        F::NETWORK_ONLY,
        "-port",
        "=<port>",
        "Port to listen on (default: 1331, testnet3: 17777, testnet4: 48333, signet: 31331, regtest: 18888). The one \
         for Tor is the next. I2P needs none.",
    ),
    opt(
        C::Connection,
        F::NO_ELISION,
        "-proxy",
        "=<ip>[:<port>]|unix:<path>[=<network>]",
        "SOCKS5 proxy to connect by, or unix: and a path; -noproxy uses none (default: none). With =ipv4, =ipv6, =tor \
         or =cjdns at its end, for that network only. May be given several times.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-proxyrandomize",
        "",
        "Log in to the proxy differently for each connection, so that Tor uses different circuits (default: 1)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-seednode",
        "=<ip>",
        "Peer to ask for addresses and to leave again, before DNS seeds are asked. May be given several times.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-networkactive",
        "",
        "Start with networking on (default: 1). The call setnetworkactive changes it.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-timeout",
        "=<n>",
        "Milliseconds after which an attempt to connect is given up, at least 1 (default: 5000)",
    ),
    opt(
        C::Connection,
        DEBUG,
        "-peertimeout",
        "=<n>",
        "Seconds after which a new peer's silence counts against it, at least 1 (default: 60)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-torcontrol",
        "=<ip>:<port>",
        "Tor's control port, by which the onion service is made (default: 127.0.0.1:9051; port 9051 if none is given)",
    ),
    opt(
        C::Connection,
        F::SENSITIVE,
        "-torpassword",
        "=<pass>",
        "Password of Tor's control port (default: empty)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-natpmp",
        "",
        "Ask the router by PCP or NAT-PMP to forward the port (default: 1)",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-whitebind",
        "=<[permissions@]addr>",
        "Address to listen on whose peers get permissions, separated by commas: bloomfilter (may use bloom filters), \
         noban (never banned), forcerelay (what it sends is relayed even if known), relay (relay in spite of \
         -blocksonly), mempool (may ask for the mempool), download (served beyond -maxuploadtarget), addr (addresses \
         without limit) (default: download,noban,mempool,relay). May be given several times.",
    ),
    opt(
        C::Connection,
        F::ANY,
        "-whitelist",
        "=<[permissions@]IP address or network>",
        "Address or network whose peers get permissions, as with -whitebind. The words in and out choose incoming \
         connections, ones made by hand, or both (default: incoming only). May be given several times.",
    ),
];

/// Options of ZeroMQ notifications.
pub const ZMQ: &[OptionSpec] = &[
    opt(C::Zmq, F::ANY, "-zmqpubhashblock", "=<address>", "Publish hashes of new tips on this address"),
    opt(C::Zmq, F::ANY, "-zmqpubhashtx", "=<address>", "Publish ids of transactions on this address"),
    opt(C::Zmq, F::ANY, "-zmqpubrawblock", "=<address>", "Publish new tips on this address"),
    opt(C::Zmq, F::ANY, "-zmqpubrawtx", "=<address>", "Publish transactions on this address"),
    opt(
        C::Zmq,
        F::ANY,
        "-zmqpubsequence",
        "=<address>",
        "Publish the order of block and mempool events on this address",
    ),
    opt(
        C::Zmq,
        F::ANY,
        "-zmqpubhashblockhwm",
        "=<n>",
        "Messages kept for a slow receiver of block hashes (default: 1000)",
    ),
    opt(
        C::Zmq,
        F::ANY,
        "-zmqpubhashtxhwm",
        "=<n>",
        "Messages kept for a slow receiver of transaction ids (default: 1000)",
    ),
    opt(
        C::Zmq,
        F::ANY,
        "-zmqpubrawblockhwm",
        "=<n>",
        "Messages kept for a slow receiver of blocks (default: 1000)",
    ),
    opt(
        C::Zmq,
        F::ANY,
        "-zmqpubrawtxhwm",
        "=<n>",
        "Messages kept for a slow receiver of transactions (default: 1000)",
    ),
    opt(
        C::Zmq,
        F::ANY,
        "-zmqpubsequencehwm",
        "=<n>",
        "Messages kept for a slow receiver of the order of events (default: 1000)",
    ),
];
