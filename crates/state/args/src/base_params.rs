//! Names, subdirectories and RPC ports of the networks: what is needed before the chain's parameters are chosen.

use std::fmt;

/// The networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainType {
    /// The main chain.
    Main,
    /// testnet3.
    Testnet,
    /// A signet; the default one unless `-signetchallenge` says otherwise.
    Signet,
    /// Local test chain.
    Regtest,
    /// testnet4.
    Testnet4,
}

/// What the arguments need to know of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseParams {
    /// Subdirectory of the data directory; empty for the main chain.
    pub data_dir: &'static str,
    /// Default port of the RPC server.
    pub rpc_port: u16,
    /// Default port for peers; that of the onion service's target is one more.
    pub p2p_port: u16,
}

impl ChainType {
    /// All networks.
    pub const ALL: [ChainType; 5] = [Self::Main, Self::Testnet, Self::Testnet4, Self::Signet, Self::Regtest];

    /// Name as in `-chain=` and in sections of the configuration file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Testnet => "test",
            Self::Testnet4 => "testnet4",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// The network of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chain| chain.name() == name)
    }

    /// Subdirectory and ports.
    pub const fn base_params(self) -> BaseParams {
        let (data_dir, rpc_port, p2p_port) = match self {
            Self::Main => ("", 1441, 1331),
            Self::Testnet => ("testnet3", 17766, 17777),
            Self::Testnet4 => ("testnet4", 41441, 48333),
            Self::Signet => ("signet", 31441, 31331),
            Self::Regtest => ("regtest", 18443, 18888),
        };
        BaseParams { data_dir, rpc_port, p2p_port }
    }
}

impl fmt::Display for ChainType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        for chain in ChainType::ALL {
            assert_eq!(ChainType::from_name(&chain.to_string()), Some(chain));
        }
        assert_eq!(ChainType::from_name("testnet3"), None);
        assert_eq!(ChainType::Testnet.base_params().data_dir, "testnet3");
        assert_eq!(ChainType::Main.base_params().p2p_port, 1331);
    }
}
