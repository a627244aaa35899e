//! Tables of all options. Names, defaults and groups are the reference's; the sentences are ours.

mod net;
mod node;
mod tools;
mod wallet;

pub use net::{CONNECTION, ZMQ};
pub use node::{BLOCK_CREATION, DEBUG_TEST, GENERAL, HIDDEN, NODE_IPC, NODE_RELAY, RPC_SERVER};
pub use tools::{CLI, GUI, IPC_CONNECT, TX, UTIL, WALLET_PROCESS, WALLET_TOOL};
pub use wallet::WALLET;

use crate::spec::{Flags, OptionSpec, OptionsCategory};

use Flags as F;
use OptionsCategory as C;

const DEBUG: Flags = F::DEBUG_ONLY;

/// Shorthand of the tables.
const fn opt(
    category: OptionsCategory,
    flags: Flags,
    name: &'static str,
    param: &'static str,
    help: &'static str,
) -> OptionSpec {
    OptionSpec::new(category, flags, name, param, help)
}

/// `-help` and its short forms.
pub const HELP: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-help", "", "Show this help and exit (the same as -h and -?)"),
    OptionSpec::hidden("-h"),
    OptionSpec::hidden("-?"),
];

/// Choice of the chain, and its parameters.
pub const CHAIN: &[OptionSpec] = &[
    opt(
        C::ChainParams,
        F::ANY,
        "-chain",
        "=<chain>",
        "Chain to use: main, test, testnet4, signet or regtest (default: main)",
    ),
    opt(
        C::ChainParams,
        DEBUG,
        "-regtest",
        "",
        "Use a private chain on which blocks are mined at will, for tests and development. Short for -chain=regtest.",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-testactivationheight",
        "=name@height.",
        "Height at which a rule becomes active: segwit, bip34, dersig, cltv or csv (regtest only)",
    ),
    opt(
        C::ChainParams,
        F::ANY,
        "-testnet",
        "",
        "Use testnet3, which will be dropped in a later release; prefer -testnet4. Short for -chain=test.",
    ),
    opt(C::ChainParams, F::ANY, "-testnet4", "", "Use testnet4. Short for -chain=testnet4."),
    opt(
        C::ChainParams,
        DEBUG,
        "-vbparams",
        "=deployment:start:end[:min_activation_height]",
        "Signalling times, and lowest height of activation, of a version bits deployment (regtest only)",
    ),
    opt(
        C::ChainParams,
        F::ANY,
        "-signet",
        "",
        "Use a signet; which one is decided by -signetchallenge. Short for -chain=signet.",
    ),
    opt(
        C::ChainParams,
        F::NO_NEGATION,
        "-signetchallenge",
        "",
        "Script that blocks of the signet must satisfy (default: that of the public signet)",
    ),
    opt(
        C::ChainParams,
        F::NO_NEGATION,
        "-signetseednode",
        "",
        "Host, with optional port, that knows peers of the signet. May be given several times (default: those of the \
         public signet)",
    ),
];

/// Options of the log.
pub const LOGGING: &[OptionSpec] = &[
    opt(
        C::Options,
        F::ANY,
        "-debuglogfile",
        "=<file>",
        "Log file, relative to the network's data directory; -nodebuglogfile writes none (default: debug.log)",
    ),
    opt(
        C::DebugTest,
        F::ANY,
        "-debug",
        "=<category>",
        "Log debug lines of a category. Without a category, or with 1 or all: of every category. With 0 or none: drop \
         categories given so far. May be given several times (default: none). Categories: addrman, bench, \
         blockstorage, cmpctblock, coindb, estimatefee, http, i2p, ipc, kernel, leveldb, libevent, mempool, \
         mempoolrej, net, privatebroadcast, proxy, prune, qt, rand, reindex, rpc, scan, selectcoins, tor, txpackages, \
         txreconciliation, validation, walletdb, zmq.",
    ),
    opt(
        C::DebugTest,
        F::ANY,
        "-debugexclude",
        "=<category>",
        "Do not log debug lines of a category, whatever -debug says. May be given several times.",
    ),
    opt(C::DebugTest, F::ANY, "-logips", "", "Write addresses of peers to the log (default: 0)"),
    opt(
        C::DebugTest,
        F::NO_NEGATION.and(F::NO_ELISION).and(DEBUG),
        "-loglevel",
        "=<level>|<category>:<level>",
        "Lowest level logged in the categories that -debug or the logging call enables: info, debug or trace (default: \
         debug). With a category, for that one only; may be given several times. Information, warnings and errors are \
         always logged.",
    ),
    opt(C::DebugTest, F::ANY, "-logtimestamps", "", "Begin log lines with the time (default: 1)"),
    opt(C::DebugTest, F::ANY, "-logthreadnames", "", "Write the thread's name to each log line (default: 0)"),
    opt(
        C::DebugTest,
        F::ANY,
        "-logsourcelocations",
        "",
        "Write source file, line and function to each log line (default: 0)",
    ),
    opt(C::DebugTest, DEBUG, "-logtimemicros", "", "Write log times to the microsecond (default: 0)"),
    opt(
        C::DebugTest,
        F::ANY,
        "-loglevelalways",
        "",
        "Write category and level to each log line (default: 0)",
    ),
    opt(
        C::DebugTest,
        DEBUG,
        "-logratelimit",
        "",
        "Limit how much each source line logs unconditionally, so that nobody can fill the disk (default: 1)",
    ),
    opt(
        C::DebugTest,
        F::ANY,
        "-printtoconsole",
        "",
        "Write the log to the console too (default: 1 unless -daemon is given)",
    ),
    opt(
        C::DebugTest,
        F::ANY,
        "-shrinkdebugfile",
        "",
        "Cut a long log file at start (default: 1 unless -debug is given)",
    ),
];

/// Everything groestlcoind takes; `ipc` adds what only groestlcoin-node takes.
pub fn node(ipc: bool) -> Vec<OptionSpec> {
    let mut tables = vec![
        HELP,
        GENERAL,
        LOGGING,
        CONNECTION,
        WALLET,
        ZMQ,
        DEBUG_TEST,
        CHAIN,
        NODE_RELAY,
        BLOCK_CREATION,
        RPC_SERVER,
        HIDDEN,
    ];
    if ipc {
        tables.push(NODE_IPC);
    }
    tables.concat()
}

/// What a node takes, and the window's own.
fn with_window(mut table: Vec<OptionSpec>) -> Vec<OptionSpec> {
    table.retain(|option| !GUI.iter().any(|own| own.name == option.name));
    table.extend_from_slice(GUI);
    table
}

/// Everything groestlcoin-gui takes.
pub fn gui() -> Vec<OptionSpec> {
    let mut table = with_window(node(true));
    table.extend_from_slice(IPC_CONNECT);
    table
}

/// Everything groestlcoin-qt takes.
pub fn qt() -> Vec<OptionSpec> {
    with_window(node(false))
}

/// Everything groestlcoin-cli takes.
pub fn cli() -> Vec<OptionSpec> {
    [HELP, CHAIN, CLI].concat()
}

/// Everything the offline wallet tool takes.
pub fn wallet_tool() -> Vec<OptionSpec> {
    [HELP, CHAIN, WALLET_TOOL, IPC_CONNECT].concat()
}

/// Everything groestlcoin-wallet takes as a process that attaches to a node.
pub fn wallet_process() -> Vec<OptionSpec> {
    [HELP, LOGGING, WALLET, CHAIN, WALLET_PROCESS, IPC_CONNECT].concat()
}

/// Everything groestlcoin-tx takes.
pub fn tx() -> Vec<OptionSpec> {
    [HELP, CHAIN, TX].concat()
}

/// Everything groestlcoin-util takes.
pub fn util() -> Vec<OptionSpec> {
    [HELP, CHAIN, UTIL].concat()
}
