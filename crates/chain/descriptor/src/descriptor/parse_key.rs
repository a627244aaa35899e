use grs_encoding::{hex_decode, is_hex};
use grs_keys::{PublicKey, XOnlyPublicKey};

use super::DescriptorError;
use super::key::{ExtendedKey, KeyExpression, KeyKind, Wildcard};
use super::key_path::{Paths, parse_steps, take_wildcard};
use super::musig::MuSigKey;
use super::parse::{Context, Parser, spread};
use crate::KeyOrigin;
use crate::address::{decode_extended_public_key, decode_extended_secret_key, decode_secret_key};
use crate::text::{expression, function, skip};

fn error<T>(text: impl Into<String>) -> Result<T, DescriptorError> {
    Err(DescriptorError::new(text))
}

impl Parser<'_> {
    fn single(&mut self, key: PublicKey, x_only: bool) -> Vec<KeyExpression> {
        let expression = KeyExpression { place: self.next_place, kind: KeyKind::Single { key, x_only } };
        self.next_place += 1;
        vec![expression]
    }

    /// Reads a key expression; several with a multipath step. Reference: `ParsePubkey`.
    pub(super) fn key(
        &mut self,
        text: &str,
        context: Context,
    ) -> Result<Vec<KeyExpression>, DescriptorError> {
        if text.starts_with("musig(") {
            return self.musig(text, context);
        }
        let mut apostrophe = false;
        let Some((origin, key)) = text.split_once(']') else {
            return self.key_without_origin(text, context, &mut apostrophe);
        };
        if key.contains(']') {
            return error("Multiple ']' characters found for a single pubkey");
        }
        let Some(origin) = origin.strip_prefix('[') else {
            let got = origin.chars().next().unwrap_or(']');
            return error(format!(
                "Key origin start '[ character expected but not found, got '{got}' instead"
            ));
        };
        let pieces: Vec<&str> = origin.split('/').collect();
        if pieces[0].len() != 8 {
            return error(format!(
                "Fingerprint is not 4 bytes ({} characters instead of 8 characters)",
                pieces[0].len()
            ));
        }
        let Ok(fingerprint) = grs_encoding::hex_decode_array(pieces[0]) else {
            return error(format!("Fingerprint '{}' is not hex", pieces[0]));
        };
        let path = parse_steps(&pieces[1..], &mut apostrophe, false)?.paths.swap_remove(0);
        let origin = KeyOrigin { fingerprint, path };
        let keys = self.key_without_origin(key, context, &mut apostrophe)?;
        let with_origin = |key: KeyExpression| {
            let place = key.place;
            let kind = KeyKind::Origin { origin: origin.clone(), apostrophe, key: Box::new(key) };
            KeyExpression { place, kind }
        };
        Ok(keys.into_iter().map(with_origin).collect())
    }

    /// Reference: `ParsePubkeyInner`.
    fn key_without_origin(
        &mut self,
        text: &str,
        context: Context,
        apostrophe: &mut bool,
    ) -> Result<Vec<KeyExpression>, DescriptorError> {
        let mut pieces: Vec<&str> = text.split('/').collect();
        let key_text = pieces[0];
        if key_text.is_empty() {
            return error("No key provided");
        }
        if key_text.starts_with(' ') || key_text.ends_with(' ') {
            return error(format!("Key '{key_text}' is invalid due to whitespace"));
        }
        let allow_uncompressed = matches!(context, Context::Top | Context::P2sh);
        if pieces.len() == 1 {
            if is_hex(key_text) {
                return self.hex_key(key_text, context, allow_uncompressed);
            }
            if let Some(secret) = decode_secret_key(key_text, self.network) {
                if !allow_uncompressed && !secret.is_compressed() {
                    return error("Uncompressed keys are not allowed");
                }
                let key = secret.public_key();
                self.out.keys.entry(key.key_id()).or_insert(secret);
                return Ok(self.single(key, context == Context::P2tr));
            }
        }
        let secret = decode_extended_secret_key(key_text, self.network);
        let public = match &secret {
            Some(secret) => Some(secret.neuter()),
            None => decode_extended_public_key(key_text, self.network),
        };
        let Some(root) = public else { return error(format!("key '{key_text}' is not valid")) };
        let wildcard = take_wildcard(&mut pieces, apostrophe);
        let Paths { paths, .. } = parse_steps(&pieces[1..], apostrophe, true)?;
        if let Some(secret) = secret {
            self.out.keys.entry(root.public_key.key_id()).or_insert(secret.secret_key);
        }
        let (place, apostrophe) = (self.next_place, *apostrophe);
        self.next_place += 1;
        let key = |path| KeyExpression {
            place,
            kind: KeyKind::Extended(ExtendedKey { root, path, wildcard, apostrophe }),
        };
        Ok(paths.into_iter().map(key).collect())
    }

    fn hex_key(
        &mut self,
        text: &str,
        context: Context,
        allow_uncompressed: bool,
    ) -> Result<Vec<KeyExpression>, DescriptorError> {
        let bytes = hex_decode(text).unwrap_or_default();
        if let Ok(key) = PublicKey::from_slice(&bytes) {
            if matches!(bytes[0], 6 | 7) {
                return error("Hybrid public keys are not allowed");
            }
            if key.is_fully_valid() {
                if !allow_uncompressed && !key.is_compressed() {
                    return error("Uncompressed keys are not allowed");
                }
                return Ok(self.single(key, false));
            }
        }
        if context == Context::P2tr
            && let Some(x) = XOnlyPublicKey::from_slice(&bytes)
            && x.is_fully_valid()
        {
            return Ok(self.single(x.even_public_key(), true));
        }
        error(format!("Pubkey '{text}' is invalid"))
    }

    fn musig(&mut self, text: &str, context: Context) -> Result<Vec<KeyExpression>, DescriptorError> {
        if context != Context::P2tr {
            return error("musig() is only allowed in tr() and rawtr()");
        }
        let (mut arguments, tail) = match text.find(')') {
            Some(at) => text.split_at(at + 1),
            None => (text, ""),
        };
        if tail.contains(')') {
            return error("Too many ')' in musig() expression");
        }
        if !function("musig", &mut arguments) {
            return error("Invalid musig() expression");
        }
        let mut participants: Vec<Vec<KeyExpression>> = Vec::new();
        while !arguments.is_empty() {
            if !participants.is_empty() && !skip(",", &mut arguments) {
                let got = arguments.chars().next().unwrap_or(' ');
                return error(format!("musig(): expected ',', got '{got}'"));
            }
            let key = self.key(expression(&mut arguments), Context::MuSig);
            participants.push(key.map_err(|e| e.within("musig()"))?);
        }
        if participants.is_empty() {
            return error("musig(): Must contain key expressions");
        }
        let (paths, wildcard) = musig_paths(tail, &participants)?;
        let place = self.next_place;
        let most = participants.iter().map(Vec::len).max().unwrap_or(1);
        if most > 1 && paths.len() > 1 {
            return error("musig(): Cannot have multipath participant keys if musig() is also multipath");
        }
        let n = most.max(paths.len());
        if !spread(&mut participants, n) {
            return error("musig(): Multipath derivation paths have mismatched lengths");
        }
        let mut out = Vec::with_capacity(n);
        for i in 0..n {
            let keys = participants.iter().map(|choices| choices[i].clone()).collect();
            let path = paths.get(i).unwrap_or(&paths[0]).clone();
            let kind = KeyKind::MuSig(Box::new(MuSigKey::new(keys, path, wildcard)));
            out.push(KeyExpression { place, kind });
        }
        self.next_place += 1;
        Ok(out)
    }
}

/// Paths and wildcard behind `musig()`.
fn musig_paths(
    tail: &str,
    participants: &[Vec<KeyExpression>],
) -> Result<(Vec<Vec<u32>>, Wildcard), DescriptorError> {
    if !tail.starts_with('/') {
        return Ok((vec![Vec::new()], Wildcard::None));
    }
    if !participants.iter().all(|choices| choices[0].is_bip32()) {
        return error("musig(): derivation requires all participants to be xpubs or xprvs");
    }
    if participants.iter().any(|choices| choices[0].is_range()) {
        return error("musig(): Cannot have ranged participant keys if musig() also has derivation");
    }
    let mut pieces: Vec<&str> = tail.split('/').collect();
    let mut apostrophe = false;
    let wildcard = take_wildcard(&mut pieces, &mut apostrophe);
    if wildcard == Wildcard::Hardened {
        return error("musig(): Cannot have hardened child derivation");
    }
    let paths = parse_steps(&pieces[1..], &mut apostrophe, true).map_err(|e| e.within("musig()"))?;
    if paths.hardened {
        return error("musig(): cannot have hardened derivation steps");
    }
    Ok((paths.paths, wildcard))
}
