//! What programs print for `-help` and `-version`.

use crate::ArgsManager;

/// A program of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// groestlcoind, everything in one process.
    Daemon,
    /// groestlcoin-node, with inter-process communication.
    Node,
    /// groestlcoin-gui, the window as a process of its own.
    Gui,
    /// groestlcoin-qt, the window with node and wallet in one process.
    Qt,
    /// groestlcoin-cli.
    Cli,
    /// groestlcoin-wallet as the offline tool.
    WalletTool,
    /// groestlcoin-tx.
    Tx,
    /// groestlcoin-util.
    Util,
}

impl Program {
    /// Name of the executable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daemon => "groestlcoind",
            Self::Node => "groestlcoin-node",
            Self::Gui => "groestlcoin-gui",
            Self::Qt => "groestlcoin-qt",
            Self::Cli => "groestlcoin-cli",
            Self::WalletTool => "groestlcoin-wallet",
            Self::Tx => "groestlcoin-tx",
            Self::Util => "groestlcoin-util",
        }
    }

    /// First line of what it prints; `version` is such as `v31.0.0`.
    pub fn version_line(self, version: &str) -> String {
        let name = self.name();
        match self {
            Self::Daemon | Self::Node => format!("Groestlcoin Core daemon version {version} {name}\n"),
            Self::Gui | Self::Qt => format!("Groestlcoin Core version {version} {name}\n"),
            Self::Cli => format!("Groestlcoin Core RPC client version {version}\n"),
            _ => format!("Groestlcoin Core {name} utility version {version}\n"),
        }
    }

    /// Output of `-version`.
    pub fn version_text(self, version: &str) -> String {
        self.version_line(version) + LICENCE
    }

    /// Output of `-help`.
    pub fn help_text(self, version: &str, args: &ArgsManager) -> String {
        let name = self.name();
        let (about, usage, space) = match self {
            Self::Daemon | Self::Node => (DAEMON, format!("Usage: {name} [options]\n"), ""),
            Self::Gui => (GUI, format!("Usage: {name} [options] [URI]\n"), ""),
            Self::Qt => (QT, format!("Usage: {name} [options] [URI]\n"), ""),
            Self::Cli => (
                CLI,
                format!(
                    "Usage: {name} [options] <command> [params]\n\
                     or:    {name} [options] -named <command> [name=value]...\n\
                     or:    {name} [options] help\n\
                     or:    {name} [options] help <command>\n"
                ),
                "\n",
            ),
            Self::WalletTool => (WALLET_TOOL, format!("Usage: {name} [options] <command>\n"), "\n"),
            Self::Tx => (
                TX,
                format!(
                    "Usage: {name} [options] <hex-tx> [commands]\n\
                     or:    {name} [options] -create [commands]\n"
                ),
                "",
            ),
            Self::Util => (
                UTIL,
                format!(
                    "Usage:  {name} [options] [command]\n\
                     or:     {name} [options] grind <hex-block-header>\n"
                ),
                "",
            ),
        };
        format!("{}\n{about}\n{usage}\n{space}{}", self.version_line(version), args.help_message())
    }
}

const LICENCE: &str = "\
Copyright (C) 2014-2026 The Groestlcoin Core developers
Copyright (C) 2009-2026 The Bitcoin Core developers

A Rust implementation, compatible with Groestlcoin Core. It is experimental
software under the MIT licence: see the file LICENSE or
<https://opensource.org/license/MIT>. About Groestlcoin:
<https://groestlcoin.org/>
";

const DAEMON: &str = "\
A Groestlcoin node without windows: it checks blocks and transactions, passes them on to other nodes, and keeps the \
chain.

Programs talk to it by JSON-RPC, REST and ZeroMQ. It can hold wallets.
";

const GUI: &str = "\
The window on a Groestlcoin node and its wallets, which are processes of their own: it joins a node that runs, or starts \
one.

A payment can be given as a groestlcoin: URI (BIP21) behind the options.
";

const QT: &str = "\
Groestlcoin with a window: node and wallets in one process.

A payment can be given as a groestlcoin: URI (BIP21) behind the options.
";

const CLI: &str = "\
Sends commands to a running Groestlcoin node and prints the answers.

The command help lists all commands; help <command> describes one. With -named, arguments are given by name, so that \
those not needed can be left out.
";

const WALLET_TOOL: &str = "\
Makes, shows and dumps wallets while no node has them open.

It looks in the wallet directory of the main chain, unless -datadir, -wallet or an option that selects the chain says \
otherwise.
";

const TX: &str = "\
Makes and changes transactions, offline.

It changes the transaction given in hex, or with -create an empty one, and prints the result in hex.
";

const UTIL: &str = "\
Helpers that need no running node. Commands are listed below.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options;

    #[test]
    fn help_and_version() {
        let args = ArgsManager::new().declare(&options::node(true));
        let help = Program::Node.help_text("v31.0.0", &args);
        assert!(
            help.starts_with(
                "Groestlcoin Core daemon version v31.0.0 groestlcoin-node\n\nA Groestlcoin node"
            )
        );
        assert!(
            help.contains(
                "\n\nUsage: groestlcoin-node [options]\n\nOptions:\n\n  -alertnotify=<cmd>\n       C"
            )
        );
        assert!(help.contains("\n\nIPC interprocess connection options:\n\n  -ipcbind=<address>\n"));
        assert!(help.ends_with("\n\n") && !help.contains("-regtest\n") && !help.contains("Wallet debugging"));
        args.parse_parameters(&["-help-debug"]).unwrap();
        assert!(args.help_requested());
        let help = Program::Node.help_text("v31.0.0", &args);
        assert!(
            help.contains("  -regtest\n") && help.contains("Wallet debugging/testing options:\n\n  -unsafe")
        );
        assert!(!help.contains("-dbcrashratio"));
        // Every line of text fits the screen but for names of options.
        let wide: Vec<_> = help.lines().skip(6).filter(|l| l.starts_with("   ") && l.len() > 79).collect();
        assert!(wide.is_empty(), "{wide:?}");
        assert!(
            Program::Daemon.version_text("v31.0.0").starts_with("Groestlcoin Core daemon version v31.0.0 g")
        );
        let cli = ArgsManager::new().declare(&options::cli());
        let help = Program::Cli.help_text("v31.0.0", &cli);
        assert!(help.contains("help <command>\n\n\nOptions:\n\n  -color=<when>\n"));
    }

    #[test]
    fn categories_in_the_help_are_those_of_the_log() {
        let args = ArgsManager::new().declare(options::LOGGING).declare(options::DEBUG_TEST);
        args.parse_parameters(&["-help-debug"]).unwrap();
        let help = args.help_message().replace("\n       ", " ");
        assert!(help.contains(&format!("Categories: {}.", grs_log::all_categories_string())));
        assert!(help.contains(&grs_log::levels_string().replace(", trace", " or trace")));
    }

    #[test]
    fn every_shown_option_has_a_help_sentence() {
        let tables = [
            options::node(true),
            options::gui(),
            options::qt(),
            options::wallet_process(),
            options::cli(),
            options::wallet_tool(),
            options::tx(),
            options::util(),
        ];
        for option in tables.iter().flatten() {
            let hidden = option.category == crate::OptionsCategory::Hidden;
            assert_eq!(option.help.is_empty(), hidden, "{}", option.name);
            assert!(hidden || option.help.starts_with(|c: char| c.is_ascii_uppercase()), "{}", option.name);
        }
    }
}
