use super::{Destination, script_for_destination};
use crate::FlatSigningProvider;

/// Kind of address that a wallet hands out. Reference: `OutputType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputType {
    /// P2PKH and P2SH.
    Legacy,
    /// A version 0 witness program inside P2SH.
    P2shSegwit,
    /// Version 0 witness programs.
    Bech32,
    /// Version 1 and later.
    Bech32m,
    /// None of them.
    Unknown,
}

impl OutputType {
    /// Those with an address form, in the reference's order (`OUTPUT_TYPES`).
    pub const ALL: [OutputType; 4] =
        [OutputType::Legacy, OutputType::P2shSegwit, OutputType::Bech32, OutputType::Bech32m];

    /// The name in options and RPC. Reference: `FormatOutputType`.
    pub const fn name(self) -> &'static str {
        match self {
            OutputType::Legacy => "legacy",
            OutputType::P2shSegwit => "p2sh-segwit",
            OutputType::Bech32 => "bech32",
            OutputType::Bech32m => "bech32m",
            OutputType::Unknown => "unknown",
        }
    }

    /// The type of a name, but not `unknown`. Reference: `ParseOutputType`.
    pub fn from_name(name: &str) -> Option<OutputType> {
        OutputType::ALL.into_iter().find(|t| t.name() == name)
    }

    /// All names, quoted and joined. Reference: `FormatAllOutputTypes`.
    pub fn all_names() -> String {
        OutputType::ALL.map(|t| format!("\"{}\"", t.name())).join(", ")
    }

    /// The type of a destination's address. P2SH counts as legacy. Reference: `OutputTypeFromDestination`.
    pub fn of_destination(destination: &Destination) -> Option<OutputType> {
        match destination {
            Destination::PubKeyHash(_) | Destination::ScriptHash(_) => Some(OutputType::Legacy),
            Destination::WitnessV0KeyHash(_) | Destination::WitnessV0ScriptHash(_) => {
                Some(OutputType::Bech32)
            }
            Destination::WitnessV1Taproot(_) | Destination::WitnessUnknown { .. } => {
                Some(OutputType::Bech32m)
            }
            // The reference looks the exact types up and forgets this one.
            Destination::PayToAnchor | Destination::None(_) | Destination::PubKey(_) => None,
        }
    }

    /// The destination of a script under this type; the scripts needed to spend it go to `provider`. `None` for
    /// [`OutputType::Bech32m`] and [`OutputType::Unknown`]. Reference: `AddAndGetDestinationForScript`.
    pub fn destination_for_script(
        self,
        script: &[u8],
        provider: &mut FlatSigningProvider,
    ) -> Option<Destination> {
        provider.add_script(script);
        match self {
            OutputType::Legacy => Some(Destination::script_hash(script)),
            OutputType::P2shSegwit | OutputType::Bech32 => {
                let witness = Destination::witness_script_hash(script);
                let program = script_for_destination(&witness);
                provider.add_script(&program);
                Some(match self {
                    OutputType::Bech32 => witness,
                    _ => Destination::script_hash(&program),
                })
            }
            OutputType::Bech32m | OutputType::Unknown => None,
        }
    }
}
