use std::sync::OnceLock;

use grs_keys::{PublicKey, musig2_aggregate, musig2_synthetic_xpub};
use grs_params::Network;

use super::expand::Caching;
use super::key::{ExtendedKey, KeyExpression, KeyKind, Printed, Wildcard};
use super::print::Form;
use crate::{EmptySigningProvider, FlatSigningProvider, SigningProvider, format_key_path};

/// A `musig()` expression (BIP390). Not both the participants and the aggregate have a wildcard.
#[derive(Debug, Clone)]
pub(super) struct MuSigKey {
    pub(super) participants: Vec<KeyExpression>,
    /// Steps from the aggregate, none of them hardened.
    pub(super) path: Vec<u32>,
    pub(super) wildcard: Wildcard,
    /// The aggregate of participants without wildcard, once it was needed.
    aggregate: OnceLock<PublicKey>,
}

impl MuSigKey {
    pub(super) fn new(participants: Vec<KeyExpression>, path: Vec<u32>, wildcard: Wildcard) -> MuSigKey {
        MuSigKey { participants, path, wildcard, aggregate: OnceLock::new() }
    }

    fn ranged_participants(&self) -> bool {
        self.participants.iter().any(KeyExpression::is_range)
    }

    pub(super) fn is_range(&self) -> bool {
        self.wildcard != Wildcard::None || self.ranged_participants()
    }

    /// The participants' keys at an index, sorted.
    fn participant_keys(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        caching: &mut Caching<'_>,
    ) -> Option<Vec<PublicKey>> {
        let mut keys = Vec::with_capacity(self.participants.len());
        for participant in &self.participants {
            keys.push(participant.public_key(index, provider, out, caching)?);
        }
        keys.sort();
        Some(keys)
    }

    pub(super) fn public_key(
        &self,
        place: u32,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        caching: &mut Caching<'_>,
    ) -> Option<PublicKey> {
        let keys = self.participant_keys(index, provider, out, caching)?;
        let ranged = self.ranged_participants();
        let aggregate = match self.aggregate.get() {
            Some(key) if !ranged => *key,
            _ => musig2_aggregate(&keys)?,
        };
        let kind = if ranged || (self.wildcard == Wildcard::None && self.path.is_empty()) {
            KeyKind::Single { key: aggregate, x_only: false }
        } else {
            KeyKind::Extended(ExtendedKey {
                root: musig2_synthetic_xpub(aggregate),
                path: self.path.clone(),
                wildcard: self.wildcard,
                apostrophe: false,
            })
        };
        if !ranged {
            let _ = self.aggregate.set(aggregate);
        }
        let expression = KeyExpression { place, kind };
        // No one has the aggregate's secret key.
        let key = expression.public_key(index, &EmptySigningProvider, out, caching)?;
        out.aggregate_keys.entry(aggregate).or_insert(keys);
        Some(key)
    }

    pub(super) fn print(&self, network: Network, form: &Form<'_>) -> Printed {
        let mut ok = !matches!(form, Form::Private(_));
        let mut texts = Vec::with_capacity(self.participants.len());
        for participant in &self.participants {
            let printed = participant.print(network, form);
            match form {
                Form::Private(_) => ok |= printed.ok,
                _ => ok &= printed.ok,
            }
            texts.push(printed.text);
        }
        let wildcard = if self.wildcard == Wildcard::None { "" } else { "/*" };
        let text = format!("musig({}){}{wildcard}", texts.join(","), format_key_path(&self.path, false));
        Printed { text, ok }
    }
}
