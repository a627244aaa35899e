//! Options of the node but for connections, log and chain.

use super::{C, DEBUG, F, opt};
use crate::spec::OptionSpec;

/// General options.
pub const GENERAL: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-version", "", "Show the version and exit"),
    opt(C::Options, F::ANY, "-alertnotify", "=<cmd>", "Command to run on an alert; %s in it is the message"),
    opt(
        C::Options,
        F::ANY,
        "-allowignoredconf",
        "",
        "Only warn when the data directory has a groestlcoin.conf that is not the file in use",
    ),
    opt(
        C::Options,
        F::ANY,
        "-assumevalid",
        "=<hex>",
        "Block up to which scripts are taken as valid, if it is in the chain; 0 checks all (default: built in, by \
         chain)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-blockfilterindex",
        "=<type>",
        "Keep an index of block filters of this type: basic. Without a type, or with 1, of all types (default: 0)",
    ),
    opt(C::Options, F::ANY, "-blocknotify", "=<cmd>", "Command to run on a new tip; %s in it is its hash"),
    opt(
        C::Options,
        F::ANY,
        "-blockreconstructionextratxn",
        "=<n>",
        "Transactions outside of the mempool to hold for compact blocks (default: 100)",
    ),
    opt(C::Options, F::ANY, "-blocksdir", "=<dir>", "Directory in which blocks/ lies (default: <datadir>)"),
    opt(
        C::Options,
        F::ANY,
        "-blocksonly",
        "",
        "Take no transactions from peers, and send on only those of peers with the permission forcerelay. Own ones are \
         sent anyway if given by RPC (default: 0)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-blocksxor",
        "",
        "Combine new block files with a random key, so that other programs do not mistake their contents. Existing \
         directories keep their key, or none (default: 1)",
    ),
    opt(C::Options, F::ANY, "-coinstatsindex", "", "Keep an index for gettxoutsetinfo (default: 0)"),
    opt(
        C::Options,
        F::ANY,
        "-conf",
        "=<file>",
        "Configuration file, relative to the data directory; on the command line only (default: groestlcoin.conf)",
    ),
    opt(C::Options, F::ANY, "-daemon", "", "Go on in the background (default: 0)"),
    opt(
        C::Options,
        F::ANY,
        "-daemonwait",
        "",
        "As -daemon, but come back only when the start is done (default: 0)",
    ),
    opt(C::Options, F::NO_NEGATION, "-datadir", "=<dir>", "Data directory"),
    opt(
        C::Options,
        DEBUG,
        "-dbbatchsize",
        "",
        "Most bytes written to the database at once (default: 33554432)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-dbcache",
        "=<n>",
        "MiB of memory for databases, at least 4 (default: 1024). What the mempool does not use of -maxmempool is \
         added.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-includeconf",
        "=<file>",
        "Further configuration file, relative to the data directory; in configuration files only",
    ),
    opt(
        C::Options,
        F::ANY,
        "-loadblock",
        "=<file>",
        "File of blocks to take in at start. May be given several times.",
    ),
    opt(C::Options, F::ANY, "-maxmempool", "=<n>", "Megabytes of memory for the mempool (default: 300)"),
    opt(
        C::Options,
        F::ANY,
        "-mempoolexpiry",
        "=<n>",
        "Hours after which an unconfirmed transaction is dropped (default: 336)",
    ),
    opt(
        C::Options,
        DEBUG,
        "-minimumchainwork",
        "=<hex>",
        "Least work of a chain worth following (default: built in, by chain)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-par",
        "=<n>",
        "Threads that check scripts, 15 at most; 0 takes all cores, a negative number leaves as many free (default: 0)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-persistmempool",
        "",
        "Save the mempool at shutdown and load it at start (default: 1)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-persistmempoolv1",
        "",
        "Save the mempool in the old format; will be removed (default: 0)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-pid",
        "=<file>",
        "File for the process number, relative to the network's data directory (default: groestlcoind.pid)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-prune",
        "=<n>",
        "Delete old blocks: 1 only when pruneblockchain is called, from 550 on to stay below this many MiB, 0 never \
         (default: 0). Does not go with -txindex. To turn it off, all blocks have to be fetched again.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-reindex",
        "",
        "Build block index, chain state and the optional indexes anew from the block files. A loaded snapshot is \
         dropped.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-reindex-chainstate",
        "",
        "Build the chain state anew from the block files. A loaded snapshot is dropped.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-settings",
        "=<file>",
        "File of settings made while running, relative to the network's data directory; -nosettings keeps none. Write \
         your own into groestlcoin.conf instead (default: settings.json)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-shutdownnotify",
        "=<cmd>",
        "Command to run before shutdown, which waits for it. May be given several times.",
    ),
    opt(C::Options, F::ANY, "-startupnotify", "=<cmd>", "Command to run when the start is done"),
    opt(
        C::Options,
        F::ANY,
        "-txindex",
        "",
        "Keep an index of all transactions for getrawtransaction (default: 0)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-txospenderindex",
        "",
        "Keep an index of what spends each output for gettxspendingprevout (default: 0)",
    ),
];

/// Options for developers and tests.
pub const DEBUG_TEST: &[OptionSpec] = &[
    opt(C::DebugTest, F::ANY, "-help-debug", "", "Show this help with options for developers and exit"),
    opt(
        C::DebugTest,
        DEBUG,
        "-acceptstalefeeestimates",
        "",
        "Use saved fee estimates that are older than 60 hours (regtest only; default: 0)",
    ),
    opt(C::DebugTest, DEBUG, "-capturemessages", "", "Write all messages from and to peers to disk"),
    opt(
        C::DebugTest,
        DEBUG,
        "-checkaddrman",
        "=<n>",
        "Check the address book every n operations, 0 never (default: 0)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-checkblockindex",
        "",
        "Check block index and chain states every n operations, 0 never (default: 0, regtest: 1)",
    ),
    opt(C::DebugTest, DEBUG, "-checkblocks", "=<n>", "Blocks to check at start, 0 all (default: 6)"),
    opt(
        C::DebugTest,
        DEBUG,
        "-checklevel",
        "=<n>",
        "How -checkblocks checks: 0 reads blocks, 1 checks them, 2 reads undo data, 3 disconnects tips in memory, 4 \
         connects them again. Each includes those before (0-4, default: 3)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-checkmempool",
        "=<n>",
        "Check the mempool every n transactions, 0 never (default: 0, regtest: 1)",
    ),
    opt(C::DebugTest, DEBUG, "-deprecatedrpc", "=<method>", "Allow a deprecated call or form of a call"),
    opt(
        C::DebugTest,
        DEBUG,
        "-fastprune",
        "",
        "Small block files and a low least height of pruning, for tests",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-limitancestorcount",
        "=<n>",
        "Deprecated: unconfirmed ancestors up to which the wallet picks coins (default: 25). The mempool goes by \
         -limitclustercount.",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-limitclustercount",
        "=<n>",
        "Transactions that may hang together in the mempool (default: 64, maximum: 64)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-limitclustersize",
        "=<n>",
        "Virtual kilobytes of transactions that may hang together in the mempool (default: 101)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-limitdescendantcount",
        "=<n>",
        "Deprecated: unconfirmed descendants up to which the wallet picks coins (default: 25). The mempool goes by \
         -limitclustercount.",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-maxsigcachesize",
        "=<n>",
        "MiB of memory for signatures and scripts that were checked (default: 32)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-maxtipage",
        "=<n>",
        "Seconds from which on a tip is so old that the node is still syncing (default: 86400)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-mocktime",
        "=<n>",
        "Time to use instead of the clock, in seconds since 1970, 0 the clock (default: 0)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-printpriority",
        "",
        "Log fee rates in GRS/kvB when making blocks (default: 0)",
    ),
    opt(C::DebugTest, DEBUG, "-stopafterblockimport", "", "Stop when all blocks are taken in (default: 0)"),
    opt(
        C::DebugTest,
        DEBUG,
        "-stopatheight",
        "",
        "Stop when the chain has this height; some blocks more may be connected (default: 0)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-test",
        "=<option>",
        "Behaviour for tests: addrman (predictable address book), reindex_after_failure_noninteractive_yes (answer yes \
         when asked to reindex), bip94 (rules of BIP94). May be given several times.",
    ),
    opt(
        C::DebugTest,
        F::ANY,
        "-uacomment",
        "=<cmt>",
        "Comment in the user agent. May be given several times.",
    ),
];

/// Options of relay.
pub const NODE_RELAY: &[OptionSpec] = &[
    opt(
        C::NodeRelay,
        DEBUG,
        "-acceptnonstdtxn",
        "",
        "Relay and mine transactions that are not standard (test chains only; default: 0)",
    ),
    opt(
        C::NodeRelay,
        F::ANY,
        "-bytespersigop",
        "",
        "Bytes a signature operation counts at least in a transaction's size (default: 20)",
    ),
    opt(C::NodeRelay, F::ANY, "-datacarrier", "", "Relay and mine outputs that carry data (default: 1)"),
    opt(
        C::NodeRelay,
        F::ANY,
        "-datacarriersize",
        "",
        "Most bytes of scripts that carry data in one transaction (default: 100000)",
    ),
    opt(
        C::NodeRelay,
        DEBUG,
        "-dustrelayfee",
        "=<amt>",
        "Fee rate in GRS/kvB by which an output is dust, as it costs more than it is worth (default: 0.00003)",
    ),
    opt(
        C::NodeRelay,
        DEBUG,
        "-incrementalrelayfee",
        "=<amt>",
        "Fee rate in GRS/kvB that a replacement adds, and that the mempool's minimum rises by (default: 0.000001)",
    ),
    opt(
        C::NodeRelay,
        F::ANY,
        "-minrelaytxfee",
        "=<amt>",
        "Fee rate in GRS/kvB below which a transaction is neither relayed nor mined nor made (default: 0.000001)",
    ),
    opt(
        C::NodeRelay,
        F::ANY,
        "-permitbaremultisig",
        "",
        "Relay multisig outputs without script hash (default: 1)",
    ),
    opt(
        C::NodeRelay,
        F::ANY,
        "-privatebroadcast",
        "",
        "Send what sendrawtransaction gets by short connections over Tor or I2P, and not by way of the mempool. The \
         wallet's transactions are not concerned (default: 0)",
    ),
    opt(
        C::NodeRelay,
        F::ANY,
        "-whitelistforcerelay",
        "",
        "Give peers of -whitelist without named permissions forcerelay too: what they send is relayed even if it is \
         known (default: 0)",
    ),
    opt(
        C::NodeRelay,
        F::ANY,
        "-whitelistrelay",
        "",
        "Give peers of -whitelist without named permissions relay too: their transactions are taken in spite of \
         -blocksonly (default: 1)",
    ),
];

/// Options of making blocks.
pub const BLOCK_CREATION: &[OptionSpec] = &[
    opt(
        C::BlockCreation,
        DEBUG,
        "-blockmaxweight",
        "=<n>",
        "Most weight of a block by BIP141 (default: 4000000)",
    ),
    opt(
        C::BlockCreation,
        F::ANY,
        "-blockmintxfee",
        "=<amt>",
        "Lowest fee rate in GRS/kvB of transactions in a block (default: 0.00000001)",
    ),
    opt(
        C::BlockCreation,
        F::ANY,
        "-blockreservedweight",
        "=<n>",
        "Weight kept free for header and coinbase in blocks made by RPC, not by IPC (default: 8000)",
    ),
    opt(C::BlockCreation, DEBUG, "-blockversion", "=<n>", "Version of blocks, to test forks"),
];

/// Options of the RPC server.
pub const RPC_SERVER: &[OptionSpec] = &[
    opt(C::Rpc, F::ANY, "-rest", "", "Serve public REST requests (default: 0)"),
    opt(
        C::Rpc,
        F::ANY,
        "-rpcallowip",
        "=<ip>",
        "Who may call besides this host: an address, or a network such as 1.2.3.0/24, 1.2.3.0/255.255.255.0, 0.0.0.0/0 \
         or ::/0. fc00::/8 counts only without -cjdnsreachable. May be given several times.",
    ),
    opt(
        C::Rpc,
        F::SENSITIVE,
        "-rpcauth",
        "=<userpw>",
        "Login whose password is hidden by HMAC-SHA-256, as <user>:<salt>$<hash>. Clients use user and password as \
         with -rpcuser. May be given several times.",
    ),
    opt(
        C::Rpc,
        F::NETWORK_ONLY,
        "-rpcbind",
        "=<addr>[:port]",
        "Address to listen on, if -rpcallowip is given too; IPv6 as [host]:port. Never open it to the internet! May be \
         given several times (default: 127.0.0.1 and ::1)",
    ),
    opt(
        C::Rpc,
        F::ANY,
        "-rpccookiefile",
        "=<loc>",
        "File to which the login for this host is written, relative to the network's data directory; -norpccookiefile \
         writes none (default: data dir)",
    ),
    opt(
        C::Rpc,
        F::ANY,
        "-rpccookieperms",
        "=<readable-by>",
        "Who may read that file: owner, group or all (default: owner)",
    ),
    opt(
        C::Rpc,
        DEBUG,
        "-rpcdoccheck",
        "",
        "Fail calls whose result differs from their documentation (default: 0)",
    ),
    opt(C::Rpc, F::SENSITIVE, "-rpcpassword", "=<pw>", "Password of the login"),
    opt(
        C::Rpc,
        F::NETWORK_ONLY,
        "-rpcport",
        "=<port>",
        "Port to listen on for calls (default: 1441, testnet3: 17766, testnet4: 41441, signet: 31441, regtest: 18443)",
    ),
    opt(
        C::Rpc,
        DEBUG,
        "-rpcservertimeout",
        "=<n>",
        "Seconds after which an idle client is left (default: 30)",
    ),
    opt(C::Rpc, F::ANY, "-rpcthreads", "=<n>", "Threads that serve calls (default: 16)"),
    opt(C::Rpc, F::SENSITIVE, "-rpcuser", "=<user>", "User of the login"),
    opt(
        C::Rpc,
        F::ANY,
        "-rpcwhitelist",
        "=<whitelist>",
        "Calls a user may make, as <user>:<call>,<call>,... Given several times for a user, only those named each time.",
    ),
    opt(
        C::Rpc,
        F::ANY,
        "-rpcwhitelistdefault",
        "",
        "Whether users without -rpcwhitelist may make no calls at all (default: 1 if any -rpcwhitelist is given, \
         otherwise 0)",
    ),
    opt(C::Rpc, DEBUG, "-rpcworkqueue", "=<n>", "Calls that may wait for a thread (default: 64)"),
    opt(C::Rpc, F::ANY, "-server", "", "Accept calls"),
];

/// What only a program that serves IPC takes.
pub const NODE_IPC: &[OptionSpec] = &[
    opt(
        C::Ipc,
        F::ANY,
        "-ipcbind",
        "=<address>",
        "Socket to listen on for other programs: unix for node.sock in the network's data directory, unix:<path>, whose \
         directories are made if missing, or tls:<address>:<port> for other machines, which needs keys (see \
         -ipctlskeygen). May be given several times (default: none)",
    ),
    opt(
        C::Ipc,
        F::ANY,
        "-ipctlskeygen",
        "=<dir>",
        "Make the key and the certificate for tls addresses and exit (default directory: ipc in the network's data \
         directory). Copy the certificate into the folder ipc/trusted of each program that is to be reached or to come",
    ),
    opt(
        C::Ipc,
        DEBUG,
        "-ipcmaxcalls",
        "=<n>",
        "Calls that one connection of -ipcbind may have at the same time, 1 to 100000; more get an error (default: 4096)",
    ),
    opt(
        C::Ipc,
        DEBUG,
        "-ipcmaxconnections",
        "=<n>",
        "Connections at the same time to each address of -ipcbind, 1 to 1000; more are refused (default: 16)",
    ),
    opt(
        C::Ipc,
        DEBUG,
        "-ipctimeout",
        "=<n>",
        "Seconds in which a program that connects to -ipcbind has to make its first call, and to complete a message that \
         it has begun, 1 to 86400 (default: 30)",
    ),
    opt(
        C::Ipc,
        F::ANY,
        "-walletprocess",
        "",
        "Start a wallet process with the node. With 0, wallet calls are there only while wallet processes that were \
         started by themselves (groestlcoin-wallet -ipcconnect) are attached (default: 1)",
    ),
];

/// Accepted, not shown: for tests, for the graphical program, and removed ones that get an error of their own.
pub const HIDDEN: &[OptionSpec] = &[
    OptionSpec::hidden("-dbcrashratio"),
    OptionSpec::hidden("-forcecompactdb"),
    OptionSpec::hidden("-choosedatadir"),
    OptionSpec::hidden("-lang"),
    OptionSpec::hidden("-min"),
    OptionSpec::hidden("-resetguisettings"),
    OptionSpec::hidden("-splash"),
    OptionSpec::hidden("-uiplatform"),
    OptionSpec::hidden("-checkpoints"),
    OptionSpec::hidden("-limitancestorsize"),
    OptionSpec::hidden("-limitdescendantsize"),
];
