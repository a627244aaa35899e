//! Key expressions. Reference: `PubkeyProvider` and its kinds.

use grs_encoding::hex_encode;
use grs_keys::{ExtendedPublicKey, ExtendedSecretKey, HARDENED, PublicKey, SecretKey, XOnlyPublicKey};
use grs_params::Network;

use super::DescriptorCache;
use super::expand::Caching;
use super::musig::MuSigKey;
use super::print::Form;
use crate::address::{encode_extended_public_key, encode_extended_secret_key, encode_secret_key};
use crate::{FlatSigningProvider, KeyOrigin, SigningProvider, format_key_path};

/// What the last step of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// No wildcard.
    None,
    /// `*`
    Unhardened,
    /// `*h`
    Hardened,
}

/// A key expression with its number in the descriptor, which is its place in caches.
#[derive(Debug, Clone)]
pub(super) struct KeyExpression {
    pub(super) place: u32,
    pub(super) kind: KeyKind,
}

#[derive(Debug, Clone)]
pub(super) enum KeyKind {
    /// One key, printed with or without its first byte.
    Single { key: PublicKey, x_only: bool },
    /// An extended key with a path.
    Extended(ExtendedKey),
    /// A key with its origin.
    Origin { origin: KeyOrigin, apostrophe: bool, key: Box<KeyExpression> },
    /// A MuSig2 aggregate.
    MuSig(Box<MuSigKey>),
}

#[derive(Debug, Clone)]
pub(super) struct ExtendedKey {
    pub(super) root: ExtendedPublicKey,
    pub(super) path: Vec<u32>,
    pub(super) wildcard: Wildcard,
    /// Hardened steps are marked `'` instead of `h`.
    pub(super) apostrophe: bool,
}

/// A printed piece, and whether it is what was asked for: with a secret key for the private form, possible at
/// all for the normalized one.
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) ok: bool,
}

impl KeyExpression {
    pub(super) fn is_range(&self) -> bool {
        match &self.kind {
            KeyKind::Single { .. } => false,
            KeyKind::Extended(key) => key.wildcard != Wildcard::None,
            KeyKind::Origin { key, .. } => key.is_range(),
            KeyKind::MuSig(key) => key.is_range(),
        }
    }

    /// True for expressions from which children can be derived.
    pub(super) fn is_bip32(&self) -> bool {
        match &self.kind {
            KeyKind::Single { .. } => false,
            KeyKind::Extended(_) => true,
            KeyKind::Origin { key, .. } => key.is_bip32(),
            KeyKind::MuSig(key) => key.participants.iter().all(KeyExpression::is_bip32),
        }
    }

    /// Bytes of the serialized key.
    pub(super) fn size(&self) -> usize {
        match &self.kind {
            KeyKind::Single { key, .. } => key.as_bytes().len(),
            KeyKind::Extended(_) => 33,
            KeyKind::Origin { key, .. } => key.size(),
            KeyKind::MuSig(_) => 32,
        }
    }

    pub(super) fn key_count(&self) -> usize {
        match &self.kind {
            // As the reference counts, whose origin expressions do not ask the key inside.
            KeyKind::Single { .. } | KeyKind::Extended(_) | KeyKind::Origin { .. } => 1,
            KeyKind::MuSig(key) => 1 + key.participants.len(),
        }
    }

    /// The key at an index; it and its origin go to `out`.
    pub(super) fn public_key(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        caching: &mut Caching<'_>,
    ) -> Option<PublicKey> {
        match &self.kind {
            KeyKind::Single { key, .. } => {
                let origin = KeyOrigin { fingerprint: key.fingerprint(), path: Vec::new() };
                add_key(out, *key, origin);
                Some(*key)
            }
            KeyKind::Extended(key) => key.public_key(self.place, index, provider, out, caching),
            KeyKind::Origin { origin, key, .. } => {
                let public_key = key.public_key(index, provider, out, caching)?;
                let (_, known) = out.origins.get_mut(&public_key.key_id())?;
                known.fingerprint = origin.fingerprint;
                known.path.splice(0..0, origin.path.iter().copied());
                Some(public_key)
            }
            KeyKind::MuSig(key) => key.public_key(self.place, index, provider, out, caching),
        }
    }

    /// Puts the secret keys at an index into `out`, as far as known.
    pub(super) fn secret_keys(
        &self,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
    ) {
        match &self.kind {
            KeyKind::Single { key, x_only } => {
                if let Some(secret) = single_secret(key, *x_only, provider) {
                    out.keys.entry(secret.public_key().key_id()).or_insert(secret);
                }
            }
            KeyKind::Extended(key) => {
                if let Some(secret) = key.secret_key(index, provider) {
                    out.keys.entry(secret.public_key().key_id()).or_insert(secret);
                }
            }
            KeyKind::Origin { key, .. } => key.secret_keys(index, provider, out),
            KeyKind::MuSig(key) => key.participants.iter().for_each(|p| p.secret_keys(index, provider, out)),
        }
    }

    /// The one key of the expression.
    pub(super) fn root_public_key(&self) -> Option<PublicKey> {
        match &self.kind {
            KeyKind::Single { key, .. } => Some(*key),
            KeyKind::Origin { key, .. } => key.root_public_key(),
            KeyKind::Extended(_) | KeyKind::MuSig(_) => None,
        }
    }

    /// The one extended key of the expression.
    pub(super) fn root_extended_key(&self) -> Option<ExtendedPublicKey> {
        match &self.kind {
            KeyKind::Extended(key) => Some(key.root),
            KeyKind::Origin { key, .. } => key.root_extended_key(),
            KeyKind::Single { .. } | KeyKind::MuSig(_) => None,
        }
    }

    pub(super) fn print(&self, network: Network, form: &Form<'_>) -> Printed {
        match &self.kind {
            KeyKind::Single { key, x_only } => {
                if let Form::Private(provider) = form
                    && let Some(secret) = single_secret(key, *x_only, *provider)
                {
                    return Printed { text: encode_secret_key(&secret, network).to_string(), ok: true };
                }
                let text = hex_encode(&key.as_bytes()[usize::from(*x_only)..]);
                Printed { text, ok: !matches!(form, Form::Private(_)) }
            }
            KeyKind::Extended(key) => key.print(self.place, network, form),
            KeyKind::Origin { origin, apostrophe, key } => {
                let apostrophe = form.apostrophe(*apostrophe);
                let head = hex_encode(origin.fingerprint) + &format_key_path(&origin.path, apostrophe);
                let inner = key.print(network, form);
                // A normalized extended key brings an origin, whose path continues this one.
                let text = match (form, inner.text.strip_prefix('[')) {
                    (Form::Normalized(..), Some(rest)) => format!("[{head}{}", &rest[8..]),
                    _ => format!("[{head}]{}", inner.text),
                };
                Printed { text, ok: inner.ok }
            }
            KeyKind::MuSig(key) => key.print(network, form),
        }
    }
}

/// Adds a key and its origin, unless known.
fn add_key(out: &mut FlatSigningProvider, key: PublicKey, origin: KeyOrigin) {
    let id = key.key_id();
    out.origins.entry(id).or_insert((key, origin));
    out.public_keys.entry(id).or_insert(key);
}

fn single_secret(key: &PublicKey, x_only: bool, provider: &dyn SigningProvider) -> Option<SecretKey> {
    if x_only {
        provider.secret_key_by_x_only(&XOnlyPublicKey::from(key))
    } else {
        provider.secret_key(&key.key_id())
    }
}

impl ExtendedKey {
    fn is_hardened(&self) -> bool {
        self.wildcard == Wildcard::Hardened || self.path.iter().any(|step| *step >= HARDENED)
    }

    fn root_secret(&self, provider: &dyn SigningProvider) -> Option<ExtendedSecretKey> {
        let secret_key = provider.secret_key(&self.root.public_key.key_id())?;
        Some(ExtendedSecretKey {
            depth: self.root.depth,
            parent_fingerprint: self.root.parent_fingerprint,
            child: self.root.child,
            chain_code: self.root.chain_code,
            secret_key,
        })
    }

    /// The secret key at the end of the path, and the one at its last hardened step.
    fn derived_secret(
        &self,
        provider: &dyn SigningProvider,
    ) -> Option<(ExtendedSecretKey, Option<ExtendedSecretKey>)> {
        let mut key = self.root_secret(provider)?;
        let mut last_hardened = None;
        for step in &self.path {
            key = key.derive(*step).ok()?;
            if *step >= HARDENED {
                last_hardened = Some(key.clone());
            }
        }
        Some((key, last_hardened))
    }

    /// The number of the last step, with a wildcard.
    fn last_step(&self, index: u32) -> Option<u32> {
        match self.wildcard {
            Wildcard::None => None,
            Wildcard::Unhardened => Some(index),
            Wildcard::Hardened => Some(index | HARDENED),
        }
    }

    fn secret_key(&self, index: u32, provider: &dyn SigningProvider) -> Option<SecretKey> {
        let (mut key, _) = self.derived_secret(provider)?;
        if let Some(step) = self.last_step(index) {
            key = key.derive(step).ok()?;
        }
        Some(key.secret_key)
    }

    fn public_key(
        &self,
        place: u32,
        index: u32,
        provider: &dyn SigningProvider,
        out: &mut FlatSigningProvider,
        caching: &mut Caching<'_>,
    ) -> Option<PublicKey> {
        let mut path = self.path.clone();
        path.extend(self.last_step(index));
        let mut last_hardened = None;
        let (parent, key) = if let Caching::Read(cache) = caching {
            match cache.cached_derived(place, index) {
                Some(key) => (self.root, *key),
                None if self.wildcard == Wildcard::Hardened => return None,
                None => {
                    let parent = *cache.parent.get(&place)?;
                    (parent, self.unhardened_child(&parent, index)?)
                }
            }
        } else if self.is_hardened() {
            let (parent, last) = self.derived_secret(provider)?;
            last_hardened = last;
            let key = match self.last_step(index) {
                Some(step) => parent.derive(step).ok()?,
                None => parent.clone(),
            };
            (parent.neuter(), key.neuter())
        } else {
            let mut parent = self.root;
            for step in &self.path {
                parent = parent.derive(*step).ok()?;
            }
            (parent, self.unhardened_child(&parent, index)?)
        };
        let origin = KeyOrigin { fingerprint: self.root.fingerprint(), path };
        let path_len = origin.path.len();
        add_key(out, key.public_key, origin);
        if let Caching::Write(Some(cache)) = caching {
            if self.wildcard != Wildcard::Hardened {
                cache.cache_parent(place, parent);
                if let Some(key) = last_hardened {
                    cache.cache_last_hardened(place, key.neuter());
                }
            } else if path_len > 0 {
                cache.cache_derived(place, index, key);
            }
        }
        Some(key.public_key)
    }

    fn unhardened_child(&self, parent: &ExtendedPublicKey, index: u32) -> Option<ExtendedPublicKey> {
        match self.wildcard {
            Wildcard::Unhardened => parent.derive(index).ok(),
            _ => Some(*parent),
        }
    }

    /// Path and wildcard.
    fn path_text(&self, apostrophe: bool) -> String {
        let mark = match self.wildcard {
            Wildcard::None => "",
            Wildcard::Unhardened => "/*",
            Wildcard::Hardened if apostrophe => "/*'",
            Wildcard::Hardened => "/*h",
        };
        format_key_path(&self.path, apostrophe) + mark
    }

    fn print(&self, place: u32, network: Network, form: &Form<'_>) -> Printed {
        let public =
            |apostrophe: bool| encode_extended_public_key(&self.root, network) + &self.path_text(apostrophe);
        match form {
            Form::Private(provider) => match self.root_secret(*provider) {
                Some(secret) => {
                    let text = encode_extended_secret_key(&secret, network);
                    Printed { text: text.to_string() + &self.path_text(self.apostrophe), ok: true }
                }
                None => Printed { text: public(self.apostrophe), ok: false },
            },
            Form::Public | Form::Compat => {
                Printed { text: public(form.apostrophe(self.apostrophe)), ok: true }
            }
            Form::Normalized(..) if self.wildcard == Wildcard::Hardened => {
                Printed { text: public(false), ok: true }
            }
            Form::Normalized(provider, cache) => {
                let Some(last) = self.path.iter().rposition(|step| *step >= HARDENED) else {
                    return Printed { text: public(self.apostrophe), ok: true };
                };
                match self.normalized(place, network, last, *provider, *cache) {
                    Some(text) => Printed { text, ok: true },
                    None => Printed { text: String::new(), ok: false },
                }
            }
        }
    }

    /// With the key at the last hardened step and its origin.
    fn normalized(
        &self,
        place: u32,
        network: Network,
        last: usize,
        provider: &dyn SigningProvider,
        cache: Option<&DescriptorCache>,
    ) -> Option<String> {
        let key = match cache.and_then(|c| c.last_hardened.get(&place)) {
            Some(key) => *key,
            None => self.derived_secret(provider)?.1?.neuter(),
        };
        let (head, tail) = self.path.split_at(last + 1);
        Some(format!(
            "[{}{}]{}{}{}",
            hex_encode(self.root.fingerprint()),
            format_key_path(head, false),
            encode_extended_public_key(&key, network),
            format_key_path(tail, false),
            if self.wildcard == Wildcard::None { "" } else { "/*" }
        ))
    }
}
