use std::collections::BTreeMap;

use grs_encoding::compact_size_len;
use grs_keys::{ExtendedPublicKey, PublicKey};
use grs_primitives::{SEQUENCE_LOCKTIME_MASK, SEQUENCE_LOCKTIME_TYPE_FLAG, WITNESS_SCALE_FACTOR};

use super::Body;
use super::key::KeyExpression;
use crate::address::script_for_destination;
use crate::miniscript::{Fragment, Miniscript};
use crate::{FlatSigningProvider, OutputType, SigningProvider, extract_destination};

const SCALE: i64 = WITNESS_SCALE_FACTOR as i64;

/// Bytes of the push of a small number.
fn number_len(n: usize) -> i64 {
    match n {
        0..=16 => 1,
        17..=127 => 2,
        _ => 3,
    }
}

const fn ecdsa_size(use_max_sig: bool) -> i64 {
    if use_max_sig { 72 } else { 71 }
}

impl Body {
    pub(super) fn is_range(&self) -> bool {
        self.keys().iter().any(KeyExpression::is_range) || self.subs().iter().any(|sub| sub.is_range())
    }

    pub(super) fn is_solvable(&self) -> bool {
        match self {
            Body::Address(_) | Body::Raw(_) => false,
            _ => self.subs().iter().all(|sub| sub.is_solvable()),
        }
    }

    pub(super) fn have_private_keys(&self, provider: &dyn SigningProvider) -> bool {
        if self.keys().is_empty() && self.subs().is_empty() {
            return false;
        }
        let has_secret = |key: &KeyExpression| {
            let mut out = FlatSigningProvider::new();
            key.secret_keys(0, provider, &mut out);
            !out.keys.is_empty()
        };
        self.subs().iter().all(|sub| sub.have_private_keys(provider)) && self.keys().iter().all(has_secret)
    }

    pub(super) fn output_type(&self) -> Option<OutputType> {
        match self {
            Body::Address(destination) => OutputType::of_destination(destination),
            Body::Raw(script) => OutputType::of_destination(&extract_destination(script)),
            Body::Pkh(_) => Some(OutputType::Legacy),
            Body::Wpkh(_) | Body::Wsh(_) => Some(OutputType::Bech32),
            Body::Sh(sub) if sub.is_segwit() => Some(OutputType::P2shSegwit),
            Body::Sh(_) => Some(OutputType::Legacy),
            Body::Tr { .. } | Body::RawTr(_) => Some(OutputType::Bech32m),
            _ => None,
        }
    }

    fn is_segwit(&self) -> bool {
        self.output_type() == Some(OutputType::Bech32)
    }

    pub(super) fn script_size(&self) -> Option<i64> {
        Some(match self {
            Body::Address(destination) => script_for_destination(destination).len() as i64,
            Body::Raw(script) => script.len() as i64,
            Body::Pk { x_only: true, .. } => 1 + 32 + 1,
            Body::Pk { key, .. } => 1 + key.size() as i64 + 1,
            Body::Pkh(_) => 25,
            Body::Wpkh(_) => 22,
            Body::Combo(_) => return None,
            Body::Multi { threshold, keys, .. } => {
                let keys_size: i64 = keys.iter().map(|key| 1 + key.size() as i64).sum();
                1 + number_len(keys.len()) + number_len(*threshold) + keys_size
            }
            Body::MultiA { threshold, keys, .. } => 34 * keys.len() as i64 + number_len(*threshold) + 1,
            Body::Sh(_) => 23,
            Body::Wsh(_) | Body::Tr { .. } | Body::RawTr(_) => 34,
            Body::Miniscript { script, .. } => script.root().script_size() as i64,
        })
    }

    /// Bytes of the largest satisfaction, be it witness or not. Reference: `MaxSatSize`.
    fn max_satisfaction_size(&self, use_max_sig: bool) -> Option<i64> {
        let signature = ecdsa_size(use_max_sig);
        Some(match self {
            Body::Pk { x_only: true, .. } => 1 + 65,
            Body::Pk { .. } => 1 + signature,
            Body::Pkh(key) => 1 + signature + 1 + key.size() as i64,
            Body::Wpkh(_) => 1 + signature + 1 + 33,
            Body::Multi { threshold, .. } => 1 + (1 + signature) * *threshold as i64,
            Body::MultiA { threshold, keys, .. } => {
                (1 + 65) * *threshold as i64 + keys.len() as i64 - *threshold as i64
            }
            Body::Wsh(sub) => {
                let (size, script) = (sub.max_satisfaction_size(use_max_sig)?, sub.script_size()?);
                compact_size_len(script as u64) as i64 + script + size
            }
            // Always with the largest signatures.
            Body::Miniscript { script, .. } => i64::from(script.root().max_witness_size()?),
            _ => return None,
        })
    }

    pub(super) fn max_satisfaction_weight(&self, use_max_sig: bool) -> Option<i64> {
        match self {
            Body::Pk { .. } | Body::Pkh(_) | Body::Multi { .. } => {
                Some(self.max_satisfaction_size(use_max_sig)? * SCALE)
            }
            Body::Wpkh(_) | Body::Wsh(_) => self.max_satisfaction_size(use_max_sig),
            Body::Sh(sub) => {
                let size = sub.max_satisfaction_size(use_max_sig)?;
                // The redeem script is never in the witness.
                let redeem = (1 + sub.script_size()?) * SCALE;
                Some(redeem + if sub.is_segwit() { size } else { size * SCALE })
            }
            // By the key path, as in the reference.
            Body::Tr { .. } | Body::RawTr(_) => Some(1 + 65),
            _ => None,
        }
    }

    pub(super) fn max_satisfaction_elements(&self) -> Option<i64> {
        match self {
            Body::Pk { .. } | Body::Tr { .. } | Body::RawTr(_) => Some(1),
            Body::Pkh(_) | Body::Wpkh(_) => Some(2),
            Body::Multi { threshold, .. } => Some(1 + *threshold as i64),
            Body::MultiA { keys, .. } => Some(keys.len() as i64),
            Body::Sh(sub) | Body::Wsh(sub) => Some(1 + sub.max_satisfaction_elements()?),
            Body::Miniscript { script, .. } => script.root().max_stack_size().map(i64::from),
            Body::Address(_) | Body::Raw(_) | Body::Combo(_) => None,
        }
    }

    pub(super) fn public_keys(&self) -> (Vec<PublicKey>, Vec<ExtendedPublicKey>) {
        let (mut keys, mut extended) = (Vec::new(), BTreeMap::new());
        self.collect_keys(&mut keys, &mut extended);
        keys.sort();
        keys.dedup();
        (keys, extended.into_values().collect())
    }

    fn collect_keys(
        &self,
        keys: &mut Vec<PublicKey>,
        extended: &mut BTreeMap<(PublicKey, [u8; 32]), ExtendedPublicKey>,
    ) {
        for key in self.keys() {
            keys.extend(key.root_public_key());
            if let Some(key) = key.root_extended_key() {
                extended.entry((key.public_key, key.chain_code)).or_insert(key);
            }
        }
        self.subs().iter().for_each(|sub| sub.collect_keys(keys, extended));
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut out = match self {
            Body::Miniscript { script, .. } => lock_time_warnings(script),
            _ => Vec::new(),
        };
        self.subs().iter().for_each(|sub| out.extend(sub.warnings()));
        out
    }

    pub(super) fn max_key_expression(&self) -> u32 {
        let own = self.keys().iter().map(|key| key.place).max().unwrap_or(0);
        self.subs().iter().map(|sub| sub.max_key_expression()).fold(own, u32::max)
    }

    pub(super) fn key_count(&self) -> usize {
        self.keys().iter().map(KeyExpression::key_count).sum::<usize>()
            + self.subs().iter().map(|sub| sub.key_count()).sum::<usize>()
    }
}

/// `older` looks at 16 bits only; larger numbers are cut.
fn lock_time_warnings(script: &Miniscript<u32>) -> Vec<String> {
    let mut out = Vec::new();
    for node in script.walk() {
        let n = node.k;
        if node.fragment != Fragment::Older || n & !SEQUENCE_LOCKTIME_TYPE_FLAG <= SEQUENCE_LOCKTIME_MASK {
            continue;
        }
        out.push(if n & SEQUENCE_LOCKTIME_TYPE_FLAG != 0 {
            format!("time-based relative locktime: older({n}) > (65535 * 512) seconds is unsafe")
        } else {
            format!("height-based relative locktime: older({n}) > 65535 blocks is unsafe")
        });
    }
    out
}
