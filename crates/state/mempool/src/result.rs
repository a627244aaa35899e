use std::collections::HashMap;
use std::fmt;

use grs_consensus::{TxValidationError, TxValidationResult};
use grs_hashes::Wtxid;
use grs_policy::FeeRate;
use grs_primitives::{Amount, TxRef};

/// What became of a transaction. Reference: `MempoolAcceptResult`.
#[derive(Clone, Debug)]
pub enum AcceptResult {
    /// Accepted, or acceptable when only tested.
    Valid {
        /// What it replaced.
        replaced: Vec<TxRef>,
        /// Virtual size, adjusted for signature operations.
        vsize: i64,
        /// Fee without prioritisation.
        base_fee: Amount,
        /// Rate at which it was judged, alone or with its package.
        effective_feerate: FeeRate,
        /// Transactions that the rate is of.
        effective_includes: Vec<Wtxid>,
    },
    /// Refused.
    Invalid {
        /// Why.
        error: TxValidationError,
        /// Rate at which it was judged and the transactions that the rate is of, when the fee was the reason.
        fee: Option<(FeeRate, Vec<Wtxid>)>,
    },
    /// It is in the mempool already (packages only).
    AlreadyThere {
        /// Virtual size.
        vsize: i64,
        /// Fee without prioritisation.
        base_fee: Amount,
    },
    /// The same transaction with another witness is in the mempool (packages only).
    DifferentWitness {
        /// The one that is there.
        other: Wtxid,
    },
}

impl AcceptResult {
    pub(crate) fn invalid(error: TxValidationError) -> AcceptResult {
        AcceptResult::Invalid { error, fee: None }
    }

    /// True for [`AcceptResult::Valid`].
    pub fn is_valid(&self) -> bool {
        matches!(self, AcceptResult::Valid { .. })
    }

    /// The error of a refused transaction.
    pub fn error(&self) -> Option<&TxValidationError> {
        match self {
            AcceptResult::Invalid { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Class of the error of a refused transaction.
    pub fn failure(&self) -> Option<TxValidationResult> {
        self.error().map(|e| e.result)
    }
}

/// Kind of a package's failure. Reference: `PackageValidationResult`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PackageErrorKind {
    /// The package itself breaks a rule.
    Policy,
    /// One of its transactions failed.
    Transaction,
    /// A defect of the mempool.
    Mempool,
}

/// Why a package failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageError {
    /// Kind.
    pub kind: PackageErrorKind,
    /// Reason that programs match.
    pub reason: String,
    /// Details.
    pub debug_message: String,
}

impl PackageError {
    pub(crate) fn policy(reason: impl Into<String>, debug_message: impl Into<String>) -> PackageError {
        PackageError {
            kind: PackageErrorKind::Policy,
            reason: reason.into(),
            debug_message: debug_message.into(),
        }
    }

    pub(crate) fn transaction(reason: &str) -> PackageError {
        PackageError {
            kind: PackageErrorKind::Transaction,
            reason: reason.to_owned(),
            debug_message: String::new(),
        }
    }
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.debug_message.is_empty() { Ok(()) } else { write!(f, ", {}", self.debug_message) }
    }
}

/// What became of a package.
#[derive(Clone, Debug, Default)]
pub struct PackageResult {
    /// Why it failed as a whole, or `None`.
    pub error: Option<PackageError>,
    /// Results of the transactions that were looked at.
    pub results: HashMap<Wtxid, AcceptResult>,
}
