//! Signing: who knows keys and scripts, signatures for all kinds of outputs, whole transactions.
//! Reference: `src/script/sign.*`, `src/script/signingprovider.*`.

mod creator;
mod data;
mod musig;
mod produce;
mod provider;
mod taproot;
mod transaction;

pub use creator::{DummySignatureCreator, MuSig2Target, SignatureCreator, TransactionSignatureCreator};
pub use data::SignatureData;
pub use musig::{KeyTweak, MuSig2SecretNonces};
pub use produce::{is_segwit_output, produce_signature};
pub use provider::{
    EmptySigningProvider, FlatSigningProvider, HidingSigningProvider, KeyOrigin, MultiSigningProvider,
    SigningProvider, key_for_destination,
};
pub use taproot::{ControlBlock, TapLeaf, TaprootBuilder, TaprootSpendData, infer_taproot_tree};
pub use transaction::{InputError, data_from_transaction, sign_transaction};
