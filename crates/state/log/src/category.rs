//! Categories and levels (reference: `logging/categories.h`, `util/log.h`).

use std::fmt;

macro_rules! categories {
    ($($(#[$doc:meta])* $variant:ident = $bit:literal, $name:literal;)*) => {
        /// What a debug line is about. The number is the reference's bit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Category {
            $($(#[$doc])* $variant = $bit,)*
        }

        impl Category {
            /// All categories, in alphabetical order of their names.
            pub const ALL: &'static [Category] = &[$(Category::$variant,)*];

            /// Name as in `-debug=` and in log lines.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Category::$variant => $name,)*
                }
            }

            /// The category of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Category::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

categories! {
    /// Address book.
    AddrMan = 9, "addrman";
    /// Time measurements.
    Bench = 4, "bench";
    /// Block and undo files.
    BlockStorage = 25, "blockstorage";
    /// Compact blocks.
    CmpctBlock = 12, "cmpctblock";
    /// Coins database.
    CoinDb = 18, "coindb";
    /// Fee estimation.
    EstimateFee = 8, "estimatefee";
    /// HTTP server.
    Http = 3, "http";
    /// I2P.
    I2p = 22, "i2p";
    /// Inter-process communication.
    Ipc = 23, "ipc";
    /// Validation library.
    Kernel = 29, "kernel";
    /// LevelDB.
    LevelDb = 20, "leveldb";
    /// Kept for its name; the event library is not used.
    LibEvent = 17, "libevent";
    /// Mempool.
    Mempool = 2, "mempool";
    /// Transactions the mempool refused.
    MempoolRej = 16, "mempoolrej";
    /// Peers and messages.
    Net = 0, "net";
    /// Private broadcast of transactions.
    PrivateBroadcast = 30, "privatebroadcast";
    /// SOCKS proxies.
    Proxy = 15, "proxy";
    /// Pruning.
    Prune = 14, "prune";
    /// Graphical program.
    Qt = 19, "qt";
    /// Random numbers.
    Rand = 13, "rand";
    /// Reindexing.
    Reindex = 11, "reindex";
    /// RPC.
    Rpc = 7, "rpc";
    /// Wallet scans and descriptor caches.
    Scan = 27, "scan";
    /// Coin selection.
    SelectCoins = 10, "selectcoins";
    /// Tor control.
    Tor = 1, "tor";
    /// Transaction packages and orphans.
    TxPackages = 28, "txpackages";
    /// Transaction reconciliation (BIP330).
    TxReconciliation = 26, "txreconciliation";
    /// Validation and its events.
    Validation = 21, "validation";
    /// Wallet database.
    WalletDb = 6, "walletdb";
    /// ZeroMQ.
    Zmq = 5, "zmq";
}

impl Category {
    /// The category's bit.
    #[inline]
    pub const fn mask(self) -> u32 {
        1 << self as u8
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Severity. Lines from [`Level::Info`] up are always logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Very noisy.
    Trace,
    /// Needs `-debug`.
    Debug,
    /// Normal.
    Info,
    /// Something the user should look at.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    /// Name as in `-loglevel=` and in log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// A level that users may select: info, debug or trace.
    pub fn from_user(name: &str) -> Option<Self> {
        match name {
            "trace" => Some(Level::Trace),
            "debug" => Some(Level::Debug),
            "info" => Some(Level::Info),
            _ => None,
        }
    }
}

/// Bits of the categories that a value of `-debug` means: empty, `1` and `all` are all of them.
pub fn parse_category(name: &str) -> Option<u32> {
    match name {
        "" | "1" | "all" => Some(u32::MAX),
        name => Category::from_name(name).map(Category::mask),
    }
}

/// Names of all categories, in alphabetical order, for help and error texts.
pub fn all_categories_string() -> String {
    Category::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")
}

/// Levels users may select, for help and error texts.
pub fn levels_string() -> &'static str {
    "info, debug, trace"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_unique_and_found_again() {
        assert_eq!(Category::ALL.len(), 30);
        assert!(Category::ALL.windows(2).all(|pair| pair[0].name() < pair[1].name()));
        let bits = Category::ALL.iter().fold(0, |mask, c| mask | c.mask());
        assert_eq!(bits.count_ones(), 30);
        for &category in Category::ALL {
            assert_eq!(Category::from_name(category.name()), Some(category));
            assert_eq!(parse_category(category.name()), Some(category.mask()));
        }
        assert_eq!(parse_category("all"), Some(u32::MAX));
        assert_eq!(parse_category(""), Some(u32::MAX));
        assert_eq!(parse_category("1"), Some(u32::MAX));
        assert_eq!(parse_category("0"), None);
        assert_eq!(parse_category("lock"), None);
        assert!(all_categories_string().starts_with("addrman, bench, blockstorage, "));
        assert_eq!(Level::from_user("warning"), None);
    }
}
