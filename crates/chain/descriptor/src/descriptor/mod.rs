//! Output descriptors (BIP380 to BIP390). Reference: `src/script/descriptor.{h,cpp}`.

mod cache;
mod checksum;
mod expand;
mod infer;
mod key;
mod key_path;
mod musig;
mod parse;
mod parse_key;
mod parse_script;
mod print;
mod properties;

use std::fmt;

use grs_hashes::{Hash256, purpose};
use grs_keys::{ExtendedPublicKey, PublicKey};
use grs_params::Network;
use grs_primitives::Script;

use crate::address::Destination;
use crate::miniscript::Miniscript;
use crate::{FlatSigningProvider, OutputType, SigningProvider};

pub use cache::{CacheConflict, DescriptorCache, ExtendedPublicKeyMap};
pub use checksum::descriptor_checksum;
pub use infer::infer_descriptor;
use key::KeyExpression;

/// Why a text is no descriptor. The text is the reference's, which RPC shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DescriptorError(String);

impl DescriptorError {
    pub(crate) fn new(text: impl Into<String>) -> DescriptorError {
        DescriptorError(text.into())
    }

    /// The error inside a function's arguments.
    fn within(self, function: &str) -> DescriptorError {
        DescriptorError(format!("{function}: {}", self.0))
    }
}

/// A parsed descriptor. It holds public information only: secret keys of the text go to the provider given to
/// [`Descriptor::parse`]. Reference: `Descriptor`.
#[derive(Debug, Clone)]
pub struct Descriptor {
    network: Network,
    body: Body,
}

/// A descriptor function with its arguments.
#[derive(Debug, Clone)]
enum Body {
    Address(Destination),
    Raw(Script),
    Pk { key: KeyExpression, x_only: bool },
    Pkh(KeyExpression),
    Wpkh(KeyExpression),
    Combo(KeyExpression),
    Multi { threshold: usize, keys: Vec<KeyExpression>, sorted: bool },
    MultiA { threshold: usize, keys: Vec<KeyExpression>, sorted: bool },
    Sh(Box<Body>),
    Wsh(Box<Body>),
    Tr { internal: KeyExpression, leaves: Vec<(usize, Body)> },
    RawTr(KeyExpression),
    Miniscript { keys: Vec<KeyExpression>, script: Miniscript<u32> },
}

impl Body {
    /// Key expressions of this function, not of functions in it.
    fn keys(&self) -> &[KeyExpression] {
        match self {
            Body::Pk { key, .. }
            | Body::Pkh(key)
            | Body::Wpkh(key)
            | Body::Combo(key)
            | Body::RawTr(key)
            | Body::Tr { internal: key, .. } => std::slice::from_ref(key),
            Body::Multi { keys, .. } | Body::MultiA { keys, .. } | Body::Miniscript { keys, .. } => keys,
            Body::Address(_) | Body::Raw(_) | Body::Sh(_) | Body::Wsh(_) => &[],
        }
    }

    /// The functions in this one. Nesting is at most four deep, so walks over them may recurse.
    fn subs(&self) -> Vec<&Body> {
        match self {
            Body::Sh(sub) | Body::Wsh(sub) => vec![sub],
            Body::Tr { leaves, .. } => leaves.iter().map(|(_, sub)| sub).collect(),
            _ => Vec::new(),
        }
    }
}

impl Descriptor {
    /// Parses a descriptor; one with multipath steps gives several. Secret keys in it go to `out`. With
    /// `require_checksum`, a checksum must be there; one that is there must be right. Reference: `Parse`.
    pub fn parse(
        text: &str,
        network: Network,
        out: &mut FlatSigningProvider,
        require_checksum: bool,
    ) -> Result<Vec<Descriptor>, DescriptorError> {
        let (payload, _) = checksum::check_checksum(text, require_checksum)?;
        let bodies = parse::parse_top(payload, network, out)?;
        Ok(bodies.into_iter().map(|body| Descriptor { network, body }).collect())
    }

    /// The network whose addresses and extended keys the text form has.
    pub fn network(&self) -> Network {
        self.network
    }

    /// True when scripts depend on an index.
    pub fn is_range(&self) -> bool {
        self.body.is_range()
    }

    /// True when signing needs nothing but secret keys: not `addr` and `raw`.
    pub fn is_solvable(&self) -> bool {
        self.body.is_solvable()
    }

    /// True when there is one script for each index: not `combo`.
    pub fn is_single_type(&self) -> bool {
        !matches!(self.body, Body::Combo(_))
    }

    /// True when `provider` has all secret keys; false without any key. Reference: `HavePrivateKeys`.
    pub fn have_private_keys(&self, provider: &dyn SigningProvider) -> bool {
        self.body.have_private_keys(provider)
    }

    /// The public text with checksum, as [`fmt::Display`] gives it. With `compat`, apostrophes mark hardened
    /// steps whatever the parsed text had. Reference: `ToString`.
    pub fn to_text(&self, compat: bool) -> String {
        let form = if compat { print::Form::Compat } else { print::Form::Public };
        checksum::add_checksum(&self.body.print(self.network, &form).text)
    }

    /// The text with secret keys where `provider` has them, and whether it has any. Empty (and false) for `addr`
    /// and `raw`. Reference: `ToPrivateString`.
    pub fn to_private_text(&self, provider: &dyn SigningProvider) -> (String, bool) {
        if matches!(self.body, Body::Address(_) | Body::Raw(_)) {
            return (String::new(), false);
        }
        let printed = self.body.print(self.network, &print::Form::Private(provider));
        (checksum::add_checksum(&printed.text), printed.ok)
    }

    /// The text with extended keys at their last hardened step, and `h` for hardened steps. `None` when those
    /// keys are neither in `cache` nor derivable with `provider`. Reference: `ToNormalizedString`.
    pub fn to_normalized_text(
        &self,
        provider: &dyn SigningProvider,
        cache: Option<&DescriptorCache>,
    ) -> Option<String> {
        let printed = self.body.print(self.network, &print::Form::Normalized(provider, cache));
        printed.ok.then(|| checksum::add_checksum(&printed.text))
    }

    /// The scripts at an index (ignored without range). `provider` is asked for secret keys of hardened steps;
    /// public keys, origins, scripts and trees go to `out`; what later expansions without secret keys need goes
    /// to `write_cache`. `None` when a key cannot be derived. Reference: `Expand`.
    pub fn expand(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        write_cache: Option<&mut DescriptorCache>,
    ) -> Option<Vec<Script>> {
        self.body.expand(index, provider, out, expand::Caching::Write(write_cache))
    }

    /// As [`Descriptor::expand`] from cached keys alone. Reference: `ExpandFromCache`.
    pub fn expand_from_cache(
        &self,
        index: u32,
        cache: &DescriptorCache,
        out: &mut FlatSigningProvider,
    ) -> Option<Vec<Script>> {
        self.body.expand(index, &crate::EmptySigningProvider, out, expand::Caching::Read(cache))
    }

    /// Puts the secret keys at an index into `out`, as far as `provider` has them. Reference: `ExpandPrivate`.
    pub fn expand_private(&self, index: u32, provider: &dyn SigningProvider, out: &mut FlatSigningProvider) {
        self.body.expand_private(index, provider, out);
    }

    /// The type of the scripts' addresses, where there is one type. Reference: `GetOutputType`.
    pub fn output_type(&self) -> Option<OutputType> {
        self.body.output_type()
    }

    /// Bytes of a locking script, where that is known. Reference: `ScriptSize`.
    pub fn script_size(&self) -> Option<i64> {
        self.body.script_size()
    }

    /// Weight of the largest satisfaction, in weight units, without the lengths that every input has.
    /// `use_max_sig`: ECDSA signatures may have 72 bytes instead of 71. Reference: `MaxSatisfactionWeight`.
    pub fn max_satisfaction_weight(&self, use_max_sig: bool) -> Option<i64> {
        self.body.max_satisfaction_weight(use_max_sig)
    }

    /// Stack elements of the largest satisfaction. Reference: `MaxSatisfactionElems`.
    pub fn max_satisfaction_elements(&self) -> Option<i64> {
        self.body.max_satisfaction_elements()
    }

    /// The keys of the text: single ones and extended ones, each sorted. Reference: `GetPubKeys`.
    pub fn public_keys(&self) -> (Vec<PublicKey>, Vec<ExtendedPublicKey>) {
        self.body.public_keys()
    }

    /// Things that are allowed but probably not meant. Reference: `Warnings`.
    pub fn warnings(&self) -> Vec<String> {
        self.body.warnings()
    }

    /// Largest number of a key expression. Reference: `GetMaxKeyExpr`.
    pub fn max_key_expression(&self) -> u32 {
        self.body.max_key_expression()
    }

    /// Keys in the text, MuSig2 aggregates and participants counted. Reference: `GetKeyCount`.
    pub fn key_count(&self) -> usize {
        self.body.key_count()
    }

    /// The number under which wallets store a descriptor: SHA-256 of the compatible text. Reference:
    /// `DescriptorID`.
    pub fn id(&self) -> Hash256 {
        Hash256::from_bytes(purpose::sha256(self.to_text(true).as_bytes()))
    }
}

/// The public text with checksum.
impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(false))
    }
}

/// Equal public texts.
impl PartialEq for Descriptor {
    fn eq(&self, other: &Descriptor) -> bool {
        self.network == other.network && self.to_text(false) == other.to_text(false)
    }
}
