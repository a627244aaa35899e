//! What an option is: name, kind, help.

use std::ops::BitOr;

/// How an option is checked and treated (reference: `ArgsManager::Flags`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Flags {
    /// Anything goes.
    pub const ANY: Flags = Flags(0);
    /// `-noname` is an error.
    pub const NO_NEGATION: Flags = Flags(0x20);
    /// `-name` without value is an error.
    pub const NO_ELISION: Flags = Flags(0x40);
    /// Shown by `-help-debug` only.
    pub const DEBUG_ONLY: Flags = Flags(0x100);
    /// Outside of the main network, values of the configuration file's default section do not count.
    pub const NETWORK_ONLY: Flags = Flags(0x200);
    /// The value is not logged.
    pub const SENSITIVE: Flags = Flags(0x400);
    /// Not an option but a command.
    pub const COMMAND: Flags = Flags(0x800);

    /// Whether all flags of `other` are set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of flags; `|` for constants.
    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        self.and(other)
    }
}

/// Groups of the help, in the order in which it shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptionsCategory {
    /// General.
    Options,
    /// Networking.
    Connection,
    /// Wallet.
    Wallet,
    /// Wallet, for developers.
    WalletDebugTest,
    /// ZeroMQ.
    Zmq,
    /// For developers.
    DebugTest,
    /// Choice of the chain.
    ChainParams,
    /// Relay policy.
    NodeRelay,
    /// Mining.
    BlockCreation,
    /// RPC server.
    Rpc,
    /// Graphical program.
    Gui,
    /// Commands of a tool.
    Commands,
    /// Register commands of the transaction tool.
    RegisterCommands,
    /// Commands of the command line client, given as options.
    CliCommands,
    /// Inter-process communication.
    Ipc,
    /// Accepted, never shown. Must be last.
    Hidden,
}

/// One option. `name` has the leading dash (a command has none), `param` is what follows it in the help, such as
/// `=<n>`, possibly empty.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Name with its dash.
    pub name: &'static str,
    /// Form of the value for the help.
    pub param: &'static str,
    /// Help text.
    pub help: &'static str,
    /// Checks.
    pub flags: Flags,
    /// Group.
    pub category: OptionsCategory,
}

impl OptionSpec {
    /// An option.
    pub const fn new(
        category: OptionsCategory,
        flags: Flags,
        name: &'static str,
        param: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, param, help, flags, category }
    }

    /// An option that is accepted but never shown.
    pub const fn hidden(name: &'static str) -> Self {
        Self::new(OptionsCategory::Hidden, Flags::ANY, name, "", "")
    }

    /// A command of a tool.
    pub const fn command(name: &'static str, help: &'static str) -> Self {
        Self::new(OptionsCategory::Commands, Flags::COMMAND, name, "", help)
    }
}
