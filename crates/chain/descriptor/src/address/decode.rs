use grs_encoding::{
    Bech32Variant, base58_decode, base58check_decode, bech32_decode, bech32_locate_errors, convert_bits,
};
use grs_hashes::Hash160;
use grs_keys::XOnlyPublicKey;
use grs_params::Network;

use super::{Destination, KeyPrefixes};

/// Longest bech32 address.
const BECH32_LIMIT: usize = 90;
/// Longest witness program, in bytes.
const MAX_PROGRAM: usize = 40;

/// Why a text is no address. The display text is the reference's, which RPC shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Base58Check with a known prefix and another length than 20 bytes.
    #[error("Invalid length for Base58 address (P2PKH or P2SH)")]
    Base58Length,
    /// Base58Check with another prefix.
    #[error("Invalid or unsupported Base58-encoded address.")]
    Base58Unsupported,
    /// Neither Base58 nor a bech32 text of this network.
    #[error("Invalid or unsupported Segwit (Bech32) or Base58 encoding.")]
    Encoding,
    /// Base58 whose checksum or length is wrong.
    #[error("Invalid checksum or length of Base58 address (P2PKH or P2SH)")]
    Base58Checksum,
    /// Bech32 without data.
    #[error("Empty Bech32 data section")]
    Bech32Empty,
    /// Bech32 of another network.
    #[error("Invalid or unsupported prefix for Segwit (Bech32) address (expected {expected}, got {got}).")]
    Bech32Prefix {
        /// The network's.
        expected: &'static str,
        /// The text's.
        got: String,
    },
    /// Bech32m for version 0.
    #[error("Version 0 witness address must use Bech32 checksum")]
    NeedsBech32,
    /// Bech32 for a later version.
    #[error("Version 1+ witness address must use Bech32m checksum")]
    NeedsBech32m,
    /// Version 0 program of another size than 20 or 32.
    #[error("Invalid Bech32 v0 address program size ({0} {unit}), per BIP141", unit = byte_word(*.0))]
    ProgramSizeV0(usize),
    /// Version above 16.
    #[error("Invalid Bech32 address witness version")]
    WitnessVersion,
    /// Program shorter than 2 or longer than 40 bytes.
    #[error("Invalid Bech32 address program size ({0} {unit})", unit = byte_word(*.0))]
    ProgramSize(usize),
    /// Left-over bits that are not zero.
    #[error("Invalid padding in Bech32 data section")]
    Padding,
    /// Not bech32; with the positions of the characters that seem wrong.
    #[error("{message}")]
    Bech32 {
        /// What is wrong.
        message: &'static str,
        /// Positions, from 0.
        locations: Vec<usize>,
    },
}

impl AddressError {
    /// Positions of characters that seem wrong; empty when not known.
    pub fn locations(&self) -> &[usize] {
        match self {
            AddressError::Bech32 { locations, .. } => locations,
            _ => &[],
        }
    }
}

const fn byte_word(n: usize) -> &'static str {
    if n == 1 { "byte" } else { "bytes" }
}

/// Reads an address. The result always has an address (never [`Destination::None`] or
/// [`Destination::PubKey`]). Reference: `DecodeDestination`.
pub fn decode_destination(text: &str, network: Network) -> Result<Destination, AddressError> {
    let hrp = network.bech32_hrp();
    let head = &text.as_bytes()[..hrp.len().min(text.len())];
    if !head.eq_ignore_ascii_case(hrp.as_bytes()) {
        return decode_base58(text, network);
    }
    let Some(decoded) = bech32_decode(text, BECH32_LIMIT) else {
        let (message, locations) = bech32_locate_errors(text, BECH32_LIMIT);
        return Err(AddressError::Bech32 { message, locations });
    };
    let Some((version, values)) = decoded.data.split_first() else { return Err(AddressError::Bech32Empty) };
    if decoded.hrp != hrp {
        return Err(AddressError::Bech32Prefix { expected: hrp, got: decoded.hrp });
    }
    match (*version, decoded.variant) {
        (0, Bech32Variant::Bech32m) => return Err(AddressError::NeedsBech32),
        (1.., Bech32Variant::Bech32) => return Err(AddressError::NeedsBech32m),
        _ => {}
    }
    let program = convert_bits(values, 5, 8, false).ok_or(AddressError::Padding)?;
    segwit_destination(*version, program)
}

fn segwit_destination(version: u8, program: Vec<u8>) -> Result<Destination, AddressError> {
    let array = <[u8; 32]>::try_from(program.as_slice());
    if version == 0 {
        if let Some(hash) = Hash160::from_slice(&program) {
            return Ok(Destination::WitnessV0KeyHash(hash));
        }
        return match array {
            Ok(hash) => Ok(Destination::WitnessV0ScriptHash(hash)),
            Err(_) => Err(AddressError::ProgramSizeV0(program.len())),
        };
    }
    if let (1, Ok(key)) = (version, array) {
        return Ok(Destination::WitnessV1Taproot(XOnlyPublicKey::from_bytes(key)));
    }
    if version == 1 && program == [0x4e, 0x73] {
        return Ok(Destination::PayToAnchor);
    }
    if version > 16 {
        return Err(AddressError::WitnessVersion);
    }
    if program.len() < 2 || program.len() > MAX_PROGRAM {
        return Err(AddressError::ProgramSize(program.len()));
    }
    Ok(Destination::WitnessUnknown { version, program })
}

fn decode_base58(text: &str, network: Network) -> Result<Destination, AddressError> {
    let Ok(payload) = base58check_decode(text, 21) else {
        // Tell a typing error from another kind of text.
        return Err(match base58_decode(text, 100) {
            Ok(_) => AddressError::Base58Checksum,
            Err(_) => AddressError::Encoding,
        });
    };
    let prefixes = KeyPrefixes::of(network);
    let Some((prefix, rest)) = payload.split_first() else { return Err(AddressError::Base58Unsupported) };
    let known = [prefixes.pubkey_address, prefixes.script_address].contains(prefix);
    match Hash160::from_slice(rest) {
        Some(hash) if *prefix == prefixes.pubkey_address => Ok(Destination::PubKeyHash(hash)),
        Some(hash) if *prefix == prefixes.script_address => Ok(Destination::ScriptHash(hash)),
        _ if known => Err(AddressError::Base58Length),
        _ => Err(AddressError::Base58Unsupported),
    }
}

/// True for a valid address. Reference: `IsValidDestinationString`.
pub fn is_valid_destination_text(text: &str, network: Network) -> bool {
    decode_destination(text, network).is_ok()
}
