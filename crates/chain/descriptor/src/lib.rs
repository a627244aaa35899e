//! Addresses, output descriptors, miniscript and signing.
//!
//! Entry points:
//! - Addresses: [`Destination`], [`decode_destination`], [`encode_destination`], [`script_for_destination`],
//!   [`extract_destination`], [`OutputType`]; key texts [`decode_secret_key`], [`encode_secret_key`],
//!   [`decode_extended_public_key`] and the like.
//! - Providers: [`SigningProvider`], [`FlatSigningProvider`], [`KeyOrigin`], [`TaprootBuilder`],
//!   [`TaprootSpendData`].

mod address;
mod signing;
mod text;

pub use address::{
    AddressError, Destination, KeyPrefixes, OutputType, decode_destination, decode_extended_public_key,
    decode_extended_secret_key, decode_secret_key, encode_destination, encode_extended_public_key,
    encode_extended_secret_key, encode_secret_key, extract_destination, is_valid_destination_text,
    script_for_destination,
};
pub use signing::{
    ControlBlock, EmptySigningProvider, FlatSigningProvider, HidingSigningProvider, KeyOrigin,
    MuSig2SecretNonces, MultiSigningProvider, SigningProvider, TapLeaf, TaprootBuilder, TaprootSpendData,
    infer_taproot_tree, key_for_destination,
};
pub use text::{format_key_path, parse_key_path, write_key_path};
