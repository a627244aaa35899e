//! Paying: preview, then an order that is carried out once.

use grs_hashes::Txid;
use grs_primitives::TxRef;

use crate::{FeeReason, SecureString};

/// Chosen by the client at random for each payment. The wallet keeps it with the transaction, so that the same order
/// given again finds what became of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendToken(pub [u8; 16]);

/// Someone to pay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendRecipient {
    /// Address.
    pub address: String,
    /// Label for the address book; empty: none.
    pub label: String,
    /// In gro.
    pub amount: i64,
    /// Take a share of the fee from the amount.
    pub subtract_fee: bool,
}

/// What to pay in fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeeChoice {
    /// As estimated for confirmation within so many blocks.
    Target(u32),
    /// This rate, in gro per 1,000 virtual bytes.
    Rate(u64),
}

/// What the user wants to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRequest {
    /// Whom, in the order of the outputs (change is put between them).
    pub recipients: Vec<SendRecipient>,
    /// Fee.
    pub fee: FeeChoice,
    /// Whether it may be replaced by one with a higher fee.
    pub replaceable: bool,
}

/// What a payment would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendPreview {
    /// The transaction, without signatures. This very one is signed and sent.
    pub tx: TxRef,
    /// Amounts that the recipients get, after their share of the fee, in gro.
    pub amounts: Vec<i64>,
    /// Fee in gro.
    pub fee: i64,
    /// Fee rate in gro per 1,000 virtual bytes.
    pub fee_rate: u64,
    /// Where the rate comes from.
    pub source: FeeReason,
    /// Blocks within which it should confirm, if the rate was estimated.
    pub target: Option<u32>,
    /// Virtual size in bytes once it is signed.
    pub vsize: u32,
    /// Number of coins spent.
    pub inputs: u32,
    /// Change that comes back, in gro.
    pub change: i64,
    /// All that leaves the wallet: amounts and fee, in gro.
    pub total: i64,
}

/// Sends what a preview has shown.
#[derive(Clone)]
pub struct SendOrder {
    /// Tells this payment from all others.
    pub token: SendToken,
    /// [`SendPreview::tx`].
    pub tx: TxRef,
    /// Whom it pays, for the address book.
    pub recipients: Vec<SendRecipient>,
    /// Unlocks an encrypted wallet for this payment only; empty if that is not needed.
    pub passphrase: SecureString,
}

impl std::fmt::Debug for SendOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendOrder")
            .field("token", &self.token)
            .field("txid", &self.tx.txid())
            .finish_non_exhaustive()
    }
}

/// A payment that was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// The transaction.
    pub txid: Txid,
    /// The order had been carried out before.
    pub repeated: bool,
    /// Why the node did not take it into its mempool for now; the wallet goes on trying. Empty if it did.
    pub not_broadcast: String,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendStatus {
    /// The wallet knows nothing of it: nothing was sent.
    NotSent,
    /// It was carried out.
    Sent(Sent),
}

/// Why a payment cannot be made. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendProblem {
    /// An address is wrong.
    #[error("recipient {recipient}: {text}")]
    Address {
        /// Which recipient, from 0.
        recipient: u32,
        /// Why.
        text: String,
    },
    /// An amount is wrong or too small.
    #[error("recipient {recipient}: {text}")]
    Amount {
        /// Which recipient, from 0.
        recipient: u32,
        /// Why.
        text: String,
    },
    /// There is not enough.
    #[error("insufficient funds: {available} gro available, {needed} gro needed")]
    InsufficientFunds {
        /// What can be spent, in gro.
        available: i64,
        /// What was asked for, with the fee if it is known, in gro.
        needed: i64,
    },
    /// The fee or its rate is out of bounds.
    #[error("{0}")]
    Fee(String),
    /// The passphrase is missing.
    #[error("the wallet is locked")]
    Locked,
    /// The passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The wallet has no private keys.
    #[error("the wallet has no private keys")]
    NoPrivateKeys,
    /// Coins have been spent, or have become unknown, since the preview.
    #[error("{0}")]
    Changed(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What the rates are for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeeLevel {
    /// Blocks within which it should confirm.
    pub target: u32,
    /// In gro per 1,000 virtual bytes.
    pub rate: u64,
    /// Where it comes from.
    pub source: FeeReason,
    /// The target that the estimate is good for.
    pub returned_target: u32,
}

/// Rates to choose from, and their bounds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeeLevels {
    /// One for each target asked for.
    pub levels: Vec<FeeLevel>,
    /// Least rate that is allowed, in gro per 1,000 virtual bytes.
    pub required: u64,
    /// The wallet's target if none is given.
    pub default_target: u32,
    /// Highest fee of one transaction, in gro.
    pub max_fee: i64,
}
