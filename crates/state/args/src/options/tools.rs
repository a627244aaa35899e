//! Options of the command line client and of the offline tools.

use super::{C, DEBUG, F, opt};
use crate::spec::OptionSpec;

/// Options of groestlcoin-cli.
pub const CLI: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-version", "", "Show the version and exit"),
    opt(
        C::Options,
        F::ANY,
        "-conf",
        "=<file>",
        "Configuration file, relative to the data directory (default: groestlcoin.conf)",
    ),
    opt(C::Options, F::NO_NEGATION, "-datadir", "=<dir>", "Data directory"),
    opt(
        C::CliCommands,
        F::ANY,
        "-generate",
        "",
        "Mine to a new address of the wallet. May be followed by the number of blocks (default: 1) and of tries \
         (default: 1000000): groestlcoin-cli -generate 4 1000000",
    ),
    opt(
        C::CliCommands,
        F::ANY,
        "-addrinfo",
        "",
        "Show how many good and recent addresses the node knows, by network and in all",
    ),
    opt(
        C::CliCommands,
        F::ANY,
        "-getinfo",
        "",
        "Show a summary of node and wallet. It takes several calls, so its parts may be of different moments.",
    ),
    opt(
        C::CliCommands,
        F::ANY,
        "-netinfo",
        "",
        "Show the node's connections. May be followed by the detail of the list of peers, 0 to 4 (default: 0), and \
         then by outonly (or o) for outgoing ones only; or by help (or h).",
    ),
    opt(
        C::Options,
        F::NO_NEGATION,
        "-color",
        "=<when>",
        "When -getinfo uses colours: always, never, or auto, which is on a terminal (default: auto)",
    ),
    opt(C::Options, F::ANY, "-named", "", "Arguments have the form name=value (default: false)"),
    opt(
        C::Options,
        F::ANY,
        "-rpcclienttimeout",
        "=<n>",
        "Seconds to wait for an answer, 0 without limit (default: 900)",
    ),
    opt(C::Options, F::ANY, "-rpcconnect", "=<ip>", "Host of the node (default: 127.0.0.1)"),
    opt(
        C::Options,
        F::ANY,
        "-rpccookiefile",
        "=<loc>",
        "File with the login that the node writes, relative to the network's data directory (default: data dir)",
    ),
    opt(C::Options, F::ANY, "-rpcpassword", "=<pw>", "Password of the login"),
    opt(
        C::Options,
        F::NETWORK_ONLY,
        "-rpcport",
        "=<port>",
        "Port of the node's RPC server (default: 1441, testnet: 17766, testnet4: 41441, signet: 31441, regtest: 18443)",
    ),
    opt(C::Options, F::ANY, "-rpcuser", "=<user>", "User of the login"),
    opt(C::Options, F::ANY, "-rpcwait", "", "Wait until the server answers"),
    opt(
        C::Options,
        F::NO_NEGATION,
        "-rpcwaittimeout",
        "=<n>",
        "Seconds to wait until the server answers, 0 without limit (default: 0)",
    ),
    opt(
        C::Options,
        F::ANY,
        "-rpcwallet",
        "=<walletname>",
        "Wallet the command is for, named exactly as it was loaded. The call goes to \
         http://127.0.0.1:1441/wallet/<walletname>.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-stdin",
        "",
        "Read more arguments from standard input, one a line, up to its end. The way to pass secrets. With \
         -stdinrpcpass the first line is the password of the login.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-stdinrpcpass",
        "",
        "Read the password of the login from the first line of standard input, before all other lines.",
    ),
    opt(
        C::Options,
        F::ANY,
        "-stdinwalletpassphrase",
        "",
        "Read the wallet's passphrase from a line of standard input: the first, or the second with -stdinrpcpass.",
    ),
    opt(
        C::Ipc,
        F::ANY,
        "-ipcconnect",
        "=<address>",
        "Make calls over the socket of groestlcoin-node (its -ipcbind) instead of HTTP, without user and password: unix \
         for node.sock in the network's data directory, unix:<path> for another socket, or auto, the default, for the \
         first if a node listens there and HTTP otherwise. With -noipcconnect, always HTTP. Not together with \
         -rpcconnect.",
    ),
];

/// Options of the offline wallet tool.
pub const WALLET_TOOL: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-version", "", "Show the version and exit"),
    opt(C::Options, F::NO_NEGATION, "-datadir", "=<dir>", "Data directory"),
    opt(C::Options, F::NETWORK_ONLY, "-wallet", "=<wallet-name>", "Name of the wallet"),
    opt(
        C::Options,
        F::NO_NEGATION,
        "-dumpfile",
        "=<file name>",
        "File that dump writes and createfromdump reads",
    ),
    opt(C::DebugTest, F::ANY, "-debug", "=<category>", "Log debug lines (default: 0)"),
    opt(
        C::DebugTest,
        F::ANY,
        "-printtoconsole",
        "",
        "Write the log to the console (default: 1 with -debug, otherwise 0)",
    ),
    OptionSpec::command("info", "Show what kind of wallet it is"),
    OptionSpec::command("create", "Create a descriptor wallet"),
    OptionSpec::command("dump", "Write all records of the wallet to a file"),
    OptionSpec::command("createfromdump", "Create a wallet from such a file"),
];

/// How a wallet process or the window finds its node.
pub const IPC_CONNECT: &[OptionSpec] = &[opt(
    C::Ipc,
    F::ANY,
    "-ipcconnect",
    "=<address>",
    "Node to attach to: unix for node.sock in the network's data directory, unix:<path> for another socket, or auto, \
     the default, for the first. The node listens there with -ipcbind. With -noipcconnect, none.",
)];

/// What only the window takes. A node takes these names too, and ignores them.
pub const GUI: &[OptionSpec] = &[
    opt(C::Gui, F::ANY, "-choosedatadir", "", "Ask for the data directory at start (default: 0)"),
    opt(C::Gui, F::ANY, "-lang", "=<lang>", "Language, such as de_DE (default: that of the system)"),
    opt(C::Gui, F::ANY, "-min", "", "Start minimized"),
    opt(C::Gui, F::ANY, "-resetguisettings", "", "Forget all settings made in the window"),
    opt(C::Gui, F::ANY, "-splash", "", "Show a picture while starting (default: 1)"),
    opt(
        C::Gui,
        DEBUG,
        "-uiplatform",
        "",
        "One of windows, macosx and other. Accepted, but the window looks the same on all of them.",
    ),
];

/// Options of groestlcoin-wallet as a process that attaches to a node, besides those of wallets and log.
pub const WALLET_PROCESS: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-version", "", "Show the version and exit"),
    opt(
        C::Options,
        F::ANY,
        "-conf",
        "=<file>",
        "Configuration file, relative to the data directory; on the command line only (default: groestlcoin.conf)",
    ),
    opt(C::Options, F::NO_NEGATION, "-datadir", "=<dir>", "Data directory"),
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
        "-settings",
        "=<file>",
        "File of settings made while running, relative to the network's data directory (default: settings.json)",
    ),
    opt(
        C::Rpc,
        DEBUG,
        "-rpcdoccheck",
        "",
        "Fail calls whose result differs from their documentation (default: 0)",
    ),
];

/// Options and commands of groestlcoin-tx. Its commands are options in form only: they are not parsed as such.
pub const TX: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-version", "", "Show the version and exit"),
    opt(C::Options, F::ANY, "-create", "", "Begin with an empty transaction"),
    opt(C::Options, F::ANY, "-json", "", "Print JSON"),
    opt(C::Options, F::ANY, "-txid", "", "Print the transaction's id only"),
    opt(C::Commands, F::ANY, "delin", "=N", "Remove input N"),
    opt(C::Commands, F::ANY, "delout", "=N", "Remove output N"),
    opt(C::Commands, F::ANY, "in", "=TXID:VOUT(:SEQUENCE_NUMBER)", "Add an input"),
    opt(C::Commands, F::ANY, "locktime", "=N", "Set the lock time"),
    opt(C::Commands, F::ANY, "nversion", "=N", "Set the version"),
    opt(C::Commands, F::ANY, "outaddr", "=VALUE:ADDRESS", "Add an output to an address"),
    opt(C::Commands, F::ANY, "outdata", "=[VALUE:]DATA", "Add an output that carries data"),
    opt(
        C::Commands,
        F::ANY,
        "outmultisig",
        "=VALUE:REQUIRED:PUBKEYS:PUBKEY1:PUBKEY2:....[:FLAGS]",
        "Add an output that REQUIRED of PUBKEYS keys can spend. Flag W: by witness; flag S: by script hash.",
    ),
    opt(
        C::Commands,
        F::ANY,
        "outpubkey",
        "=VALUE:PUBKEY[:FLAGS]",
        "Add an output to a key. Flag W: by witness; flag S: by script hash.",
    ),
    opt(
        C::Commands,
        F::ANY,
        "outscript",
        "=VALUE:SCRIPT[:FLAGS]",
        "Add an output to a script. Flag W: by witness; flag S: by script hash.",
    ),
    opt(
        C::Commands,
        F::ANY,
        "replaceable(",
        "=N)",
        "Signal by the sequence number of input N, or of all, that the transaction may be replaced",
    ),
    opt(
        C::Commands,
        F::ANY,
        "sign",
        "=SIGHASH-FLAGS",
        "Add signatures. Needs the registers privatekeys (array of keys) and prevtxs (array of outputs that are \
         spent).",
    ),
    opt(C::RegisterCommands, F::ANY, "load", "=NAME:FILENAME", "Read a JSON file into a register"),
    opt(C::RegisterCommands, F::ANY, "set", "=NAME:JSON-STRING", "Set a register to a JSON text"),
];

/// Options and commands of groestlcoin-util.
pub const UTIL: &[OptionSpec] = &[
    opt(C::Options, F::ANY, "-version", "", "Show the version and exit"),
    OptionSpec::command("grind", "Find a nonce that gives a block header (hex) its proof of work"),
];
