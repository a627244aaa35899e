use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A network. The names are those of RPC results and of the `-chain` option.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Network {
    /// The main network.
    Main,
    /// The third test network.
    Test,
    /// The fourth test network.
    Testnet4,
    /// The test network with signed blocks (BIP325), default or custom.
    Signet,
    /// The private network of tests.
    Regtest,
}

/// A name that is no network.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("Unknown chain {0}.")]
pub struct UnknownNetwork(pub String);

impl Network {
    /// All of them.
    pub const ALL: [Network; 5] =
        [Network::Main, Network::Test, Network::Testnet4, Network::Signet, Network::Regtest];

    /// `main`, `test`, `testnet4`, `signet` or `regtest`.
    pub const fn name(self) -> &'static str {
        match self {
            Network::Main => "main",
            Network::Test => "test",
            Network::Testnet4 => "testnet4",
            Network::Signet => "signet",
            Network::Regtest => "regtest",
        }
    }

    /// The network of this name.
    pub fn from_name(name: &str) -> Option<Network> {
        Network::ALL.into_iter().find(|n| n.name() == name)
    }

    /// The network with these first bytes of each P2P message; signet only when it is the default one
    /// (reference: `GetNetworkForMagic`).
    pub fn from_magic(magic: [u8; 4]) -> Option<Network> {
        Network::ALL.into_iter().find(|n| crate::chain::default_magic(*n) == magic)
    }

    /// Folder below the data directory; empty for the main network.
    pub const fn data_subdir(self) -> &'static str {
        match self {
            Network::Main => "",
            Network::Test => "testnet3",
            Network::Testnet4 => "testnet4",
            Network::Signet => "signet",
            Network::Regtest => "regtest",
        }
    }

    /// Default port of the RPC server.
    pub const fn rpc_port(self) -> u16 {
        match self {
            Network::Main => 1441,
            Network::Test => 17766,
            Network::Testnet4 => 41441,
            Network::Signet => 31441,
            Network::Regtest => 18443,
        }
    }

    /// Default port of the P2P network. Connections from a local onion service come in on the next one.
    pub const fn p2p_port(self) -> u16 {
        match self {
            Network::Main => 1331,
            Network::Test => 17777,
            Network::Testnet4 => 48333,
            Network::Signet => 31331,
            Network::Regtest => 18888,
        }
    }

    /// Human-readable part of bech32 addresses.
    pub const fn bech32_hrp(self) -> &'static str {
        match self {
            Network::Main => "grs",
            Network::Regtest => "grsrt",
            _ => "tgrs",
        }
    }

    /// True for all but the main network.
    pub const fn is_test_chain(self) -> bool {
        !matches!(self, Network::Main)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;
    fn from_str(name: &str) -> Result<Network, UnknownNetwork> {
        Network::from_name(name).ok_or_else(|| UnknownNetwork(name.to_owned()))
    }
}
