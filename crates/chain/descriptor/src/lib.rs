//! Addresses, output descriptors, miniscript and signing.
//!
//! Entry points:
//! - Addresses: [`Destination`], [`decode_destination`], [`encode_destination`], [`script_for_destination`],
//!   [`extract_destination`], [`OutputType`]; key texts [`decode_secret_key`], [`encode_secret_key`],
//!   [`decode_extended_public_key`] and the like.
//! - Providers: [`SigningProvider`], [`FlatSigningProvider`], [`KeyOrigin`], [`TaprootBuilder`],
//!   [`TaprootSpendData`].
//! - Descriptors: `Descriptor::parse`, `to_text`, `expand`, `expand_from_cache`, `DescriptorCache`,
//!   `infer_descriptor`, `descriptor_checksum` (signatures in `src/descriptor/mod.rs`).
//! - Signing: [`SignatureData`], [`SignatureCreator`] with [`TransactionSignatureCreator`] and
//!   [`DummySignatureCreator`]; `produce_signature(provider, creator, script_pubkey, data) -> bool`,
//!   `data_from_transaction(tx, input, spent_output) -> SignatureData`,
//!   `sign_transaction(tx, provider, coins: BTreeMap<OutPoint, TxOut>, hash_type) -> BTreeMap<usize, String>`
//!   (errors by input), `is_segwit_output(provider, script)`.

mod address;
mod descriptor;
pub mod miniscript;
mod signing;
mod text;

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
pub use signing::{
    ControlBlock, DummySignatureCreator, EmptySigningProvider, FlatSigningProvider, HidingSigningProvider,
    KeyOrigin, KeyTweak, MuSig2SecretNonces, MuSig2Target, MultiSigningProvider, SignatureCreator,
    SignatureData, SigningProvider, TapLeaf, TaprootBuilder, TaprootSpendData, TransactionSignatureCreator,
    infer_taproot_tree, key_for_destination,
};
pub use text::{format_key_path, parse_key_path, write_key_path};
