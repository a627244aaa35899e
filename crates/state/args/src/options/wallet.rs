//! Wallet options.

use super::{C, DEBUG, F, opt};
use crate::spec::OptionSpec;

/// Options of the wallet.
pub const WALLET: &[OptionSpec] = &[
    opt(
        C::Wallet,
        F::ANY,
        "-addresstype",
        "",
        "Kind of new addresses: legacy, p2sh-segwit, bech32 or bech32m (default: bech32)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-avoidpartialspends",
        "",
        "Spend all coins of an address together, which is more private and may cost more fees. Always on for wallets \
         with the flag avoid_reuse (default: 0)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-changetype",
        "",
        "Kind of change addresses: legacy, p2sh-segwit, bech32 or bech32m (default: legacy with -addresstype=legacy, \
         otherwise chosen by the payment)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-consolidatefeerate",
        "=<amt>",
        "Fee rate in GRS/kvB up to which a payment may join more coins than it needs (default: 0.0001)",
    ),
    opt(C::Wallet, F::ANY, "-disablewallet", "", "Run without wallets and without their calls"),
    opt(
        C::Wallet,
        F::ANY,
        "-discardfee",
        "=<amt>",
        "Fee rate in GRS/kvB at which change that is not worth spending is left to the fee (default: 0.0001). The dust \
         rate is the least and the estimate for the longest target the most that counts.",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-fallbackfee",
        "=<amt>",
        "Fee rate in GRS/kvB to pay when there is no estimate; 0 refuses to send then (default: 0.0002)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-keypool",
        "=<n>",
        "Number of keys to hold ready (default: 1000). With few keys, an old backup may miss coins when none of its \
         addresses was used.",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-maxapsfee",
        "=<n>",
        "Extra fee in GRS that a payment may cost for not spending an address in part (default: 0.00)",
    ),
    opt(
        C::DebugTest,
        F::ANY,
        "-maxtxfee",
        "=<amt>",
        "Highest fee in GRS of one wallet transaction; too low a limit stops large ones (default: 0.10)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-mintxfee",
        "=<amt>",
        "Lowest fee rate in GRS/kvB of a wallet transaction (default: 0.00001)",
    ),
    opt(C::Wallet, F::ANY, "-signer", "=<cmd>", "Program that signs with an external device"),
    opt(
        C::Wallet,
        F::ANY,
        "-spendzeroconfchange",
        "",
        "Spend own change before it is confirmed (default: 1)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-txconfirmtarget",
        "=<n>",
        "Number of blocks within which payments should confirm on average (default: 6)",
    ),
    opt(
        C::Wallet,
        F::NETWORK_ONLY,
        "-wallet",
        "=<path>",
        "Wallet to load at start, relative to the wallet directory. It must exist. May be given several times.",
    ),
    opt(C::Wallet, F::ANY, "-walletbroadcast", "", "Let the wallet send its transactions (default: 1)"),
    opt(
        C::Wallet,
        F::NETWORK_ONLY,
        "-walletdir",
        "=<dir>",
        "Directory of the wallets (default: wallets in the data directory if it exists, otherwise the data directory)",
    ),
    opt(
        C::Wallet,
        F::ANY,
        "-walletnotify",
        "=<cmd>",
        "Command to run when a wallet transaction changes. In it, %s is the transaction's id, %w the wallet's name \
         (do not put it in quotes), %b the block's hash or 'unconfirmed', %h its height or -1.",
    ),
    opt(C::Wallet, F::ANY, "-walletrbf", "", "Signal that payments made by RPC may be replaced (default: 1)"),
    opt(
        C::WalletDebugTest,
        DEBUG,
        "-unsafesqlitesync",
        "",
        "Do not wait until wallet data is on disk. For tests: a crash may destroy the wallet (default: false)",
    ),
    opt(
        C::WalletDebugTest,
        DEBUG,
        "-walletrejectlongchains",
        "",
        "Refuse to make transactions that exceed the mempool's limits (default: 1)",
    ),
    opt(
        C::WalletDebugTest,
        DEBUG,
        "-walletcrosschain",
        "",
        "Allow to load wallets of another chain (default: 0)",
    ),
];
