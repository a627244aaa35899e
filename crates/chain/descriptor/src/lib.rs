//! Addresses, output descriptors, miniscript and signing.
//!
//! Entry points:
//! - Addresses: [`Destination`], [`decode_destination`], [`encode_destination`], [`script_for_destination`],
//!   [`extract_destination`], [`OutputType`]; key texts [`decode_secret_key`], [`encode_secret_key`],
//!   [`decode_extended_public_key`] and the like.
//! - Providers: [`SigningProvider`], [`FlatSigningProvider`], [`KeyOrigin`], [`TaprootBuilder`],
//!   [`TaprootSpendData`].
//! - Descriptors: [`Descriptor::parse`], [`Descriptor::to_text`], [`Descriptor::expand`],
//!   [`Descriptor::expand_from_cache`] with [`DescriptorCache`], [`infer_descriptor`], [`descriptor_checksum`].
//! - Signing: [`sign_transaction`] for whole transactions; [`produce_signature`] for one input with
//!   [`SignatureData`] and a [`SignatureCreator`] ([`TransactionSignatureCreator`], or
//!   [`DummySignatureCreator`] to learn the size); [`data_from_transaction`]; [`is_segwit_output`].
//! - [`sign_message_text`], [`verify_message_text`].
//! - [`miniscript::Miniscript`].
//!
//! Rules are those of Groestlcoin Core 31.0; error texts that programs match are the reference's.

mod address;
mod descriptor;
mod message;
pub mod miniscript;
mod signing;
mod text;

#[doc(hidden)]
pub mod fuzz;

pub use address::{
    AddressError, Destination, KeyPrefixes, OutputType, decode_destination, decode_extended_public_key,
    decode_extended_secret_key, decode_secret_key, encode_destination, encode_extended_public_key,
    encode_extended_secret_key, encode_secret_key, extract_destination, is_valid_destination_text,
    script_for_destination,
};
pub use descriptor::{
    CacheConflict, Descriptor, DescriptorCache, DescriptorError, ExtendedPublicKeyMap, descriptor_checksum,
    infer_descriptor,
};
pub use message::{MessageError, sign_message_text, verify_message_text};
pub use signing::{
    ControlBlock, DummySignatureCreator, EmptySigningProvider, FlatSigningProvider, HidingSigningProvider,
    InputError, KeyOrigin, KeyTweak, MuSig2SecretNonces, MuSig2Target, MultiSigningProvider,
    SignatureCreator, SignatureData, SigningProvider, TapLeaf, TaprootBuilder, TaprootSpendData,
    TransactionSignatureCreator, data_from_transaction, infer_taproot_tree, is_segwit_output,
    key_for_destination, produce_signature, sign_transaction,
};
pub use text::{format_key_path, parse_key_path, write_key_path};
