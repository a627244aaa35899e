//! Partially signed transactions: version 0 (BIP174), with the fields of Taproot (BIP371) and MuSig2 (BIP373).
//!
//! A [`Psbt`] is an unsigned transaction with a map of what is known about each input and output. [`Psbt::from_base64`]
//! reads one; [`sign_input`], [`finalize`] and [`extract`] turn it into a transaction; [`combine`] joins what several
//! signers did; [`analyze`] says what is missing.
//!
//! Rules and error texts are those of Groestlcoin Core 31.0 (`src/psbt.h`, `src/psbt.cpp`, `src/node/psbt.cpp`).

mod analyze;
mod entry;
mod global;
mod input;
mod output;
mod sign;

#[doc(hidden)]
pub mod fuzz;

pub use analyze::{Analysis, InputAnalysis, Role, analyze};
pub use entry::Proprietary;
pub use global::Psbt;
pub use input::PsbtInput;
pub use output::PsbtOutput;
pub use sign::{
    SignInputOptions, combine, extract, finalize, input_is_verified, precompute,
    remove_unnecessary_transactions, sign_input, unsigned_inputs, update_output,
};

use grs_encoding::DecodeError;

/// Why bytes are no partially signed transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PsbtError {
    /// A rule of the format is broken; the text is the reference's.
    #[error("{0}")]
    Format(&'static str),
    /// The same for a rule that inputs and outputs share.
    #[error("{0} {1}")]
    FormatOf(&'static str, &'static str),
    /// The bytes end too early, or a number is not encoded as it must be.
    #[error("{0}: iostream error")]
    Encoding(DecodeError),
    /// The text is not base64.
    #[error("invalid base64")]
    Base64,
    /// Bytes follow the last map.
    #[error("extra data after PSBT")]
    ExtraData,
}

impl From<DecodeError> for PsbtError {
    fn from(error: DecodeError) -> PsbtError {
        PsbtError::Encoding(error)
    }
}

/// Why an input is not signed. Reference: `PSBTError`, `PSBTErrorString`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The spent output is not known, or not the one that the transaction spends.
    #[error("Inputs missing or spent")]
    MissingInputs,
    /// Another signature hash type is wanted than the input asks for.
    #[error("Specified sighash value does not match value stored in PSBT")]
    SighashMismatch,
    /// Keys, scripts or signatures are missing.
    #[error("Input needs additional signatures or other data")]
    Incomplete,
}
