//! Destinations and their texts. Reference: `src/addresstype.*`, `src/key_io.cpp`, `src/outputtype.*`.

mod decode;
mod keys;
mod output_type;

use grs_encoding::{Bech32Variant, base58check_encode, bech32_encode, convert_bits};
use grs_hashes::{Hash160, purpose};
use grs_keys::{PublicKey, XOnlyPublicKey};
use grs_params::Network;
use grs_primitives::Script;
use grs_script::{
    ScriptClass, script_for_anchor, script_for_pubkey, script_for_pubkey_hash, script_for_script_hash,
    script_for_taproot, script_for_witness_program, script_for_witness_pubkey_hash, solver,
};

pub use decode::{AddressError, decode_destination, is_valid_destination_text};
pub use keys::{
    KeyPrefixes, decode_extended_public_key, decode_extended_secret_key, decode_secret_key,
    encode_extended_public_key, encode_extended_secret_key, encode_secret_key,
};
pub use output_type::OutputType;

/// What an output pays to. Reference: `CTxDestination`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// No destination; the script if one was looked at.
    None(Script),
    /// A bare key. Has no address.
    PubKey(PublicKey),
    /// P2PKH.
    PubKeyHash(Hash160),
    /// P2SH.
    ScriptHash(Hash160),
    /// P2WSH, with the SHA-256 of the witness script.
    WitnessV0ScriptHash([u8; 32]),
    /// P2WPKH.
    WitnessV0KeyHash(Hash160),
    /// P2TR, with the output key (maybe not on the curve).
    WitnessV1Taproot(XOnlyPublicKey),
    /// Pay-to-anchor.
    PayToAnchor,
    /// A witness program of unknown meaning.
    WitnessUnknown {
        /// 1 to 16.
        version: u8,
        /// 2 to 40 bytes.
        program: Vec<u8>,
    },
}

impl Destination {
    /// P2PKH of a key.
    pub fn pubkey_hash(key: &PublicKey) -> Destination {
        Destination::PubKeyHash(key.key_id())
    }

    /// P2WPKH of a key.
    pub fn witness_key_hash(key: &PublicKey) -> Destination {
        Destination::WitnessV0KeyHash(key.key_id())
    }

    /// P2SH of a redeem script.
    pub fn script_hash(script: &[u8]) -> Destination {
        Destination::ScriptHash(purpose::hash160(script))
    }

    /// P2WSH of a witness script.
    pub fn witness_script_hash(script: &[u8]) -> Destination {
        Destination::WitnessV0ScriptHash(purpose::sha256(script))
    }

    /// True for destinations that have an address. Reference: `IsValidDestination`.
    pub fn is_valid(&self) -> bool {
        !matches!(self, Destination::None(_) | Destination::PubKey(_))
    }

    /// The locking script. Reference: `GetScriptForDestination`.
    pub fn script(&self) -> Script {
        script_for_destination(self)
    }

    /// The address; empty when there is none. Reference: `EncodeDestination`.
    pub fn encode(&self, network: Network) -> String {
        encode_destination(self, network)
    }
}

/// The locking script that pays to a destination. Reference: `GetScriptForDestination`.
pub fn script_for_destination(destination: &Destination) -> Script {
    match destination {
        Destination::None(script) => script.clone(),
        Destination::PubKey(key) => script_for_pubkey(key),
        Destination::PubKeyHash(hash) => script_for_pubkey_hash(hash),
        Destination::ScriptHash(hash) => script_for_script_hash(hash),
        Destination::WitnessV0ScriptHash(hash) => script_for_witness_program(0, hash),
        Destination::WitnessV0KeyHash(hash) => script_for_witness_pubkey_hash(hash),
        Destination::WitnessV1Taproot(key) => script_for_taproot(key),
        Destination::PayToAnchor => script_for_anchor(),
        Destination::WitnessUnknown { version, program } => script_for_witness_program(*version, program),
    }
}

/// What a locking script pays to. [`Destination::is_valid`] of the result tells whether it has an address (the
/// return value of the reference's `ExtractDestination`).
pub fn extract_destination(script: &[u8]) -> Destination {
    match solver(script) {
        ScriptClass::PubKey(key) => match PublicKey::from_slice(key) {
            Ok(key) => Destination::PubKey(key),
            Err(_) => Destination::None(Script::from(script)),
        },
        ScriptClass::PubKeyHash(hash) => Destination::PubKeyHash(hash),
        ScriptClass::ScriptHash(hash) => Destination::ScriptHash(hash),
        ScriptClass::WitnessV0ScriptHash(hash) => Destination::WitnessV0ScriptHash(hash),
        ScriptClass::WitnessV0KeyHash(hash) => Destination::WitnessV0KeyHash(hash),
        ScriptClass::WitnessV1Taproot(key) => Destination::WitnessV1Taproot(key),
        ScriptClass::Anchor => Destination::PayToAnchor,
        ScriptClass::WitnessUnknown { version, program } => {
            Destination::WitnessUnknown { version, program: program.to_vec() }
        }
        ScriptClass::Multisig { .. } | ScriptClass::NullData | ScriptClass::NonStandard => {
            Destination::None(Script::from(script))
        }
    }
}

/// The address of a destination; empty when it has none. Reference: `EncodeDestination`.
pub fn encode_destination(destination: &Destination, network: Network) -> String {
    let prefixes = KeyPrefixes::of(network);
    let base58 = |prefix: u8, hash: &Hash160| {
        let mut payload = vec![prefix];
        payload.extend_from_slice(hash.as_bytes());
        base58check_encode(&payload)
    };
    match destination {
        Destination::None(_) | Destination::PubKey(_) => String::new(),
        Destination::PubKeyHash(hash) => base58(prefixes.pubkey_address, hash),
        Destination::ScriptHash(hash) => base58(prefixes.script_address, hash),
        Destination::WitnessV0ScriptHash(hash) => segwit(network, 0, hash),
        Destination::WitnessV0KeyHash(hash) => segwit(network, 0, hash.as_bytes()),
        Destination::WitnessV1Taproot(key) => segwit(network, 1, key.as_bytes()),
        Destination::PayToAnchor => segwit(network, 1, &[0x4e, 0x73]),
        Destination::WitnessUnknown { version, program } => {
            if !(1..=16).contains(version) || !(2..=40).contains(&program.len()) {
                return String::new();
            }
            segwit(network, *version, program)
        }
    }
}

fn segwit(network: Network, version: u8, program: &[u8]) -> String {
    let variant = if version == 0 { Bech32Variant::Bech32 } else { Bech32Variant::Bech32m };
    let mut values = vec![version];
    values.extend(convert_bits(program, 8, 5, true).expect("bytes regroup with padding"));
    bech32_encode(variant, network.bech32_hrp(), &values)
}
