//! Signing: who knows keys and scripts, signatures for all kinds of outputs, whole transactions.
//! Reference: `src/script/sign.*`, `src/script/signingprovider.*`.

mod musig;
mod provider;
mod taproot;

pub use musig::MuSig2SecretNonces;
pub use provider::{
    EmptySigningProvider, FlatSigningProvider, HidingSigningProvider, KeyOrigin, MultiSigningProvider,
    SigningProvider, key_for_destination,
};
pub use taproot::{ControlBlock, TapLeaf, TaprootBuilder, TaprootSpendData, infer_taproot_tree};
