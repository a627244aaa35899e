use std::borrow::Cow;
use std::fmt;

use grs_hashes::{BlockHash, Txid};
use grs_primitives::{Amount, COIN};

use crate::{
    BlockValidationError, BlockValidationResult, TxValidationError, TxValidationResult, ValidationError,
};

/// A consensus rule that a transaction breaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TxRule {
    /// No inputs.
    NoInputs,
    /// No outputs.
    NoOutputs,
    /// Larger than a block may be, without witnesses.
    Oversize,
    /// An output with a negative amount.
    NegativeOutput,
    /// An output above the money range.
    OutputTooLarge,
    /// The outputs together leave the money range.
    OutputTotalTooLarge,
    /// Two inputs spend one output (CVE-2018-17144).
    DuplicateInputs,
    /// The script of a coinbase is not 2 to 100 bytes long.
    CoinbaseScriptLength,
    /// An input of a transaction that is no coinbase refers to nothing.
    NullPrevout,
    /// An output to spend does not exist or is spent.
    MissingInputs,
    /// A coinbase is spent too early.
    ImmatureCoinbase {
        /// Blocks since the coinbase.
        depth: i32,
    },
    /// The inputs leave the money range.
    InputValuesOutOfRange,
    /// The outputs are worth more than the inputs.
    InputsBelowOutputs {
        /// Sum of the inputs.
        value_in: Amount,
        /// Sum of the outputs.
        value_out: Amount,
    },
    /// The fee leaves the money range.
    FeeOutOfRange,
}

impl TxRule {
    /// Class of the failure.
    pub const fn result(&self) -> TxValidationResult {
        match self {
            TxRule::MissingInputs => TxValidationResult::MissingInputs,
            TxRule::ImmatureCoinbase { .. } => TxValidationResult::PrematureSpend,
            _ => TxValidationResult::Consensus,
        }
    }

    /// The reason that programs match.
    pub const fn reason(&self) -> &'static str {
        match self {
            TxRule::NoInputs => "bad-txns-vin-empty",
            TxRule::NoOutputs => "bad-txns-vout-empty",
            TxRule::Oversize => "bad-txns-oversize",
            TxRule::NegativeOutput => "bad-txns-vout-negative",
            TxRule::OutputTooLarge => "bad-txns-vout-toolarge",
            TxRule::OutputTotalTooLarge => "bad-txns-txouttotal-toolarge",
            TxRule::DuplicateInputs => "bad-txns-inputs-duplicate",
            TxRule::CoinbaseScriptLength => "bad-cb-length",
            TxRule::NullPrevout => "bad-txns-prevout-null",
            TxRule::MissingInputs => "bad-txns-inputs-missingorspent",
            TxRule::ImmatureCoinbase { .. } => "bad-txns-premature-spend-of-coinbase",
            TxRule::InputValuesOutOfRange => "bad-txns-inputvalues-outofrange",
            TxRule::InputsBelowOutputs { .. } => "bad-txns-in-belowout",
            TxRule::FeeOutOfRange => "bad-txns-fee-outofrange",
        }
    }

    /// Details, empty for most rules.
    pub fn debug_message(&self) -> String {
        match self {
            TxRule::MissingInputs => "CheckTxInputs: inputs missing/spent".to_owned(),
            TxRule::ImmatureCoinbase { depth } => format!("tried to spend coinbase at depth {depth}"),
            TxRule::InputsBelowOutputs { value_in, value_out } => {
                format!("value in ({}) < value out ({})", format_money(*value_in), format_money(*value_out))
            }
            _ => String::new(),
        }
    }
}

impl From<TxRule> for TxValidationError {
    fn from(rule: TxRule) -> TxValidationError {
        ValidationError::with_debug(rule.result(), rule.reason(), rule.debug_message())
    }
}

impl fmt::Display for TxRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TxValidationError::from(*self).fmt(f)
    }
}

impl std::error::Error for TxRule {}

/// A rule that a block or header breaks. Those that need the chain state (from [`BlockRule::Bip30`] on, and the
/// ones about known blocks) are found by its owner, and are listed here so that all reasons are in one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BlockRule {
    /// The hash is above the target, or the target is not allowed.
    HighHash,
    /// No valid solution of the signet challenge.
    SignetSolution,
    /// The transactions do not hash to the header's Merkle root.
    MerkleRoot,
    /// Transactions repeat without changing the Merkle root (CVE-2012-2459).
    DuplicateTransactions,
    /// No transactions or too many bytes.
    Length,
    /// The first transaction is no coinbase.
    CoinbaseMissing,
    /// Another transaction is a coinbase.
    CoinbaseMultiple,
    /// A transaction breaks a rule of its own.
    Transaction {
        /// Which one.
        txid: Txid,
        /// What it breaks.
        rule: TxRule,
    },
    /// Too many signature operations, counting legacy ones only.
    LegacySigops,
    /// The target is not the required one.
    DiffBits,
    /// The time is not above the median of the last blocks.
    TimeTooOld,
    /// The time of the first block of a period goes back too far (BIP94).
    TimewarpAttack,
    /// The time is too far in the future.
    TimeTooNew,
    /// An old version, after the rules that ended it.
    Version(i32),
    /// A transaction whose lock time has not come.
    NonFinal,
    /// The coinbase does not begin with the height (BIP34).
    CoinbaseHeight,
    /// The witness reserved value is not one item of 32 bytes.
    WitnessReservedValue,
    /// The witness commitment does not fit.
    WitnessCommitment,
    /// Witnesses without a commitment.
    UnexpectedWitness,
    /// Too much weight.
    Weight,
    /// The header was found invalid earlier.
    KnownInvalid(BlockHash),
    /// The parent is not known.
    MissingParent,
    /// The parent is invalid.
    InvalidParent,
    /// The header's chain has too little work.
    LowWork,
    /// A transaction would overwrite unspent outputs of one with the same id.
    Bip30,
    /// A transaction's inputs break a rule.
    Inputs {
        /// Which transaction.
        txid: Txid,
        /// What it breaks.
        rule: TxRule,
    },
    /// The fees together leave the money range.
    FeesOutOfRange,
    /// A relative lock time has not come (BIP68).
    SequenceLock(Txid),
    /// Too much signature operation cost.
    SigopsCost,
    /// The coinbase takes more than subsidy and fees.
    CoinbaseAmount {
        /// What it takes.
        actual: Amount,
        /// What it may take.
        limit: Amount,
    },
    /// A script failed.
    Script {
        /// The script error's text.
        error: String,
        /// Which input, as the reference describes it.
        debug_message: String,
    },
}

impl BlockRule {
    /// Class of the failure.
    pub const fn result(&self) -> BlockValidationResult {
        match self {
            BlockRule::HighHash
            | BlockRule::DiffBits
            | BlockRule::TimeTooOld
            | BlockRule::TimewarpAttack
            | BlockRule::Version(_) => BlockValidationResult::InvalidHeader,
            BlockRule::MerkleRoot
            | BlockRule::DuplicateTransactions
            | BlockRule::WitnessReservedValue
            | BlockRule::WitnessCommitment
            | BlockRule::UnexpectedWitness => BlockValidationResult::Mutated,
            BlockRule::TimeTooNew => BlockValidationResult::TimeFuture,
            BlockRule::KnownInvalid(_) => BlockValidationResult::CachedInvalid,
            BlockRule::MissingParent => BlockValidationResult::MissingPrev,
            BlockRule::InvalidParent => BlockValidationResult::InvalidPrev,
            BlockRule::LowWork => BlockValidationResult::HeaderLowWork,
            _ => BlockValidationResult::Consensus,
        }
    }

    /// The reason that programs match.
    pub fn reason(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            BlockRule::HighHash => "high-hash",
            BlockRule::SignetSolution => "bad-signet-blksig",
            BlockRule::MerkleRoot => "bad-txnmrklroot",
            BlockRule::DuplicateTransactions => "bad-txns-duplicate",
            BlockRule::Length => "bad-blk-length",
            BlockRule::CoinbaseMissing => "bad-cb-missing",
            BlockRule::CoinbaseMultiple => "bad-cb-multiple",
            BlockRule::Transaction { rule, .. } | BlockRule::Inputs { rule, .. } => rule.reason(),
            BlockRule::LegacySigops | BlockRule::SigopsCost => "bad-blk-sigops",
            BlockRule::DiffBits => "bad-diffbits",
            BlockRule::TimeTooOld => "time-too-old",
            BlockRule::TimewarpAttack => "time-timewarp-attack",
            BlockRule::TimeTooNew => "time-too-new",
            BlockRule::Version(version) => return format!("bad-version(0x{version:08x})").into(),
            BlockRule::NonFinal | BlockRule::SequenceLock(_) => "bad-txns-nonfinal",
            BlockRule::CoinbaseHeight => "bad-cb-height",
            BlockRule::WitnessReservedValue => "bad-witness-nonce-size",
            BlockRule::WitnessCommitment => "bad-witness-merkle-match",
            BlockRule::UnexpectedWitness => "unexpected-witness",
            BlockRule::Weight => "bad-blk-weight",
            BlockRule::KnownInvalid(_) => "duplicate-invalid",
            BlockRule::MissingParent => "prev-blk-not-found",
            BlockRule::InvalidParent => "bad-prevblk",
            BlockRule::LowWork => "too-little-chainwork",
            BlockRule::Bip30 => "bad-txns-BIP30",
            BlockRule::FeesOutOfRange => "bad-txns-accumulated-fee-outofrange",
            BlockRule::CoinbaseAmount { .. } => "bad-cb-amount",
            BlockRule::Script { error, .. } => {
                return format!("block-script-verify-flag-failed ({error})").into();
            }
        })
    }

    /// Details, empty for some rules.
    pub fn debug_message(&self) -> String {
        match self {
            BlockRule::HighHash => "proof of work failed",
            BlockRule::SignetSolution => "signet block signature validation failure",
            BlockRule::MerkleRoot => "hashMerkleRoot mismatch",
            BlockRule::DuplicateTransactions => "duplicate transaction",
            BlockRule::Length => "size limits failed",
            BlockRule::CoinbaseMissing => "first tx is not coinbase",
            BlockRule::CoinbaseMultiple => "more than one coinbase",
            BlockRule::LegacySigops => "out-of-bounds SigOpCount",
            BlockRule::DiffBits => "incorrect proof of work",
            BlockRule::TimeTooOld => "block's timestamp is too early",
            BlockRule::TimewarpAttack => "block's timestamp is too early on diff adjustment block",
            BlockRule::TimeTooNew => "block timestamp too far in the future",
            BlockRule::NonFinal => "non-final transaction",
            BlockRule::CoinbaseHeight => "block height mismatch in coinbase",
            BlockRule::WitnessReservedValue => "CheckWitnessMalleation : invalid witness reserved value size",
            BlockRule::WitnessCommitment => "CheckWitnessMalleation : witness merkle commitment mismatch",
            BlockRule::UnexpectedWitness => "CheckWitnessMalleation : unexpected witness data found",
            BlockRule::Weight => "ContextualCheckBlock : weight limit failed",
            BlockRule::Bip30 => "tried to overwrite transaction",
            BlockRule::FeesOutOfRange => "accumulated fee in the block out of range",
            BlockRule::SigopsCost => "too many sigops",
            BlockRule::MissingParent | BlockRule::InvalidParent | BlockRule::LowWork => "",
            BlockRule::Transaction { txid, rule } => {
                return format!("Transaction check failed (tx hash {txid}) {}", rule.debug_message());
            }
            BlockRule::Version(version) => return format!("rejected nVersion=0x{version:08x} block"),
            BlockRule::KnownInvalid(hash) => {
                return format!("block {hash} was previously marked invalid");
            }
            BlockRule::Inputs { txid, rule } => {
                return format!("{} in transaction {txid}", rule.debug_message());
            }
            BlockRule::SequenceLock(txid) => {
                return format!("contains a non-BIP68-final transaction {txid}");
            }
            BlockRule::CoinbaseAmount { actual, limit } => {
                return format!(
                    "coinbase pays too much (actual={} vs limit={})",
                    actual.to_gro(),
                    limit.to_gro()
                );
            }
            BlockRule::Script { debug_message, .. } => return debug_message.clone(),
        }
        .to_owned()
    }
}

impl From<BlockRule> for BlockValidationError {
    fn from(rule: BlockRule) -> BlockValidationError {
        ValidationError::with_debug(rule.result(), rule.reason(), rule.debug_message())
    }
}

impl fmt::Display for BlockRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BlockValidationError::from(self.clone()).fmt(f)
    }
}

impl std::error::Error for BlockRule {}

/// Amount in coins with two to eight decimals (reference: `FormatMoney`).
pub fn format_money(amount: Amount) -> String {
    let n = amount.to_gro();
    let (coins, rest) = (n.unsigned_abs() / COIN as u64, n.unsigned_abs() % COIN as u64);
    let mut text = format!("{}{coins}.{rest:08}", if n < 0 { "-" } else { "" });
    let decimals = text.trim_end_matches('0').len();
    let point = text.find('.').unwrap_or(0);
    text.truncate(decimals.max(point + 3));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_at_least_two_decimals() {
        for (n, text) in [
            (0, "0.00"),
            (1, "0.00000001"),
            (COIN, "1.00"),
            (COIN / 2, "0.50"),
            (12_345_678_900, "123.456789"),
            (-COIN, "-1.00"),
            (10 * COIN, "10.00"),
        ] {
            assert_eq!(format_money(Amount(n)), text);
        }
    }

    #[test]
    fn texts() {
        assert_eq!(
            TxRule::MissingInputs.to_string(),
            "bad-txns-inputs-missingorspent, CheckTxInputs: inputs missing/spent"
        );
        assert_eq!(TxRule::NoInputs.to_string(), "bad-txns-vin-empty");
        assert_eq!(
            BlockRule::Version(1).to_string(),
            "bad-version(0x00000001), rejected nVersion=0x00000001 block"
        );
        assert_eq!(
            BlockRule::Version(-1).to_string(),
            "bad-version(0xffffffff), rejected nVersion=0xffffffff block"
        );
        let rule = TxRule::InputsBelowOutputs { value_in: Amount(COIN), value_out: Amount(2 * COIN) };
        let block = BlockRule::Inputs { txid: Txid::ZERO, rule };
        assert_eq!(
            block.to_string(),
            format!(
                "bad-txns-in-belowout, value in (1.00) < value out (2.00) in transaction {}",
                "0".repeat(64)
            )
        );
        assert_eq!(BlockRule::LowWork.to_string(), "too-little-chainwork");
        assert_eq!(
            BlockRule::CoinbaseAmount { actual: Amount(3), limit: Amount(2) }.to_string(),
            "bad-cb-amount, coinbase pays too much (actual=3 vs limit=2)"
        );
    }
}
