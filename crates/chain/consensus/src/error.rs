use std::borrow::Cow;
use std::fmt;

/// What an invalid transaction says about whoever sent it. Reference: `TxValidationResult`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TxValidationResult {
    /// Breaks a consensus rule.
    Consensus,
    /// Its inputs break a policy rule.
    InputsNotStandard,
    /// Breaks a policy rule.
    NotStandard,
    /// Spends what is not there.
    MissingInputs,
    /// Spends a coinbase too early, or a lock time has not come.
    PrematureSpend,
    /// Its witness was changed on the way, or is not standard.
    WitnessMutated,
    /// Its witness was taken away on the way.
    WitnessStripped,
    /// Known already, or conflicts with the chain.
    Conflict,
    /// Does not fit into the mempool's limits.
    MempoolPolicy,
    /// There is no mempool.
    NoMempool,
    /// Not acceptable alone, maybe in a package.
    Reconsiderable,
    /// Not looked at, because its package failed.
    Unknown,
}

/// What an invalid block says about whoever sent it. Reference: `BlockValidationResult`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlockValidationResult {
    /// Breaks a consensus rule.
    Consensus,
    /// Found invalid earlier.
    CachedInvalid,
    /// Bad proof of work, time or version.
    InvalidHeader,
    /// The transactions are not those that the header commits to.
    Mutated,
    /// The parent is not known.
    MissingPrev,
    /// The parent is invalid.
    InvalidPrev,
    /// The time is too far in the future.
    TimeFuture,
    /// The chain has too little work.
    HeaderLowWork,
}

/// A broken rule as other parts and other programs see it: class, reject reason, details. Its text is
/// "reason, details", as the reference's `ValidationState::ToString`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidationError<R> {
    /// Class, which decides what happens to the sender.
    pub result: R,
    /// The reason that programs match, such as `bad-txns-vin-empty`.
    pub reason: Cow<'static, str>,
    /// Details for people; may be empty.
    pub debug_message: String,
}

/// An invalid transaction.
pub type TxValidationError = ValidationError<TxValidationResult>;
/// An invalid block or header.
pub type BlockValidationError = ValidationError<BlockValidationResult>;

impl<R> ValidationError<R> {
    /// Without details.
    pub fn new(result: R, reason: impl Into<Cow<'static, str>>) -> Self {
        ValidationError { result, reason: reason.into(), debug_message: String::new() }
    }

    /// With details.
    pub fn with_debug(
        result: R,
        reason: impl Into<Cow<'static, str>>,
        debug_message: impl Into<String>,
    ) -> Self {
        ValidationError { result, reason: reason.into(), debug_message: debug_message.into() }
    }
}

impl<R> fmt::Display for ValidationError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.debug_message.is_empty() { Ok(()) } else { write!(f, ", {}", self.debug_message) }
    }
}

impl<R: fmt::Debug> std::error::Error for ValidationError<R> {}
