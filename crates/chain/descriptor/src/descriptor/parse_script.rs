//! Miniscript expressions in descriptors.

use grs_params::Network;

use super::key::KeyExpression;
use super::parse::{Context, Parser, error, spread, transpose};
use super::print::Form;
use super::{Body, DescriptorError};
use crate::miniscript::{Miniscript, MiniscriptContext, TextKeys};

/// Reads keys for the miniscript parser; a key is a number in `keys`.
struct KeyReader<'p, 'a> {
    parser: &'p mut Parser<'a>,
    context: Context,
    /// Alternatives of each key.
    keys: Vec<Vec<KeyExpression>>,
    error: Option<DescriptorError>,
}

impl TextKeys for KeyReader<'_, '_> {
    type Key = u32;

    fn parse_key(&mut self, text: &str) -> Option<u32> {
        match self.parser.key(text, self.context) {
            Ok(alternatives) => {
                self.keys.push(alternatives);
                Some(self.keys.len() as u32 - 1)
            }
            Err(e) => {
                self.error = Some(e);
                None
            }
        }
    }

    fn identity(&self, key: &u32) -> Vec<u8> {
        identity(&self.keys[*key as usize][0])
    }
}

/// Keys that cannot be derived without secret keys count as equal, as in the reference.
pub(super) fn identity(key: &KeyExpression) -> Vec<u8> {
    key.plain_public_key().map(|key| key.as_bytes().to_vec()).unwrap_or_default()
}

impl Parser<'_> {
    /// Parses a miniscript expression; `None` when the text is none.
    pub(super) fn miniscript(
        &mut self,
        text: &str,
        context: Context,
    ) -> Result<Option<Vec<Body>>, DescriptorError> {
        let network = self.network;
        let (script_context, key_context) = match context {
            Context::P2wsh => (MiniscriptContext::P2wsh, Context::P2wsh),
            _ => (MiniscriptContext::Tapscript, Context::P2tr),
        };
        let mut reader = KeyReader { parser: self, context: key_context, keys: Vec::new(), error: None };
        let script = Miniscript::parse(text, script_context, &mut reader);
        let KeyReader { mut keys, error: key_error, .. } = reader;
        if let Some(e) = key_error {
            return Err(e);
        }
        let Some(script) = script else { return Ok(None) };
        if !matches!(context, Context::P2wsh | Context::P2tr) {
            return error("Miniscript expressions can only be used in wsh or tr.");
        }
        if let Some(text) = insanity(&script, &keys, network) {
            return error(text);
        }
        let n = keys.iter().map(Vec::len).max().unwrap_or(1);
        if !spread(&mut keys, n) {
            return error("Miniscript: Multipath derivation paths have mismatched lengths");
        }
        let make = |keys| Body::Miniscript { keys, script: script.clone() };
        Ok(Some(transpose(&keys, n).into_iter().map(make).collect()))
    }
}

/// What is wrong with an expression, if anything.
fn insanity(script: &Miniscript<u32>, keys: &[Vec<KeyExpression>], network: Network) -> Option<String> {
    let context = script.context();
    let root = script.root();
    if script.is_sane() && !root.is_not_satisfiable() {
        return None;
    }
    let whole = script.nodes().len() - 1;
    let at = script.find_insane().unwrap_or(whole);
    let node = &script.nodes()[at];
    let text = script.text_of(at, |key| Some(keys[*key as usize][0].print(network, &Form::Public).text));
    let reason = if !node.is_valid(context) {
        " is invalid"
    } else if script.is_sane() {
        " is not satisfiable"
    } else if !node.is_non_malleable() {
        " is not sane: malleable witnesses exist"
    } else if at == whole && !node.needs_signature() {
        " is not sane: witnesses without signature exist"
    } else if !node.no_time_lock_mix() {
        " is not sane: contains mixes of timelocks expressed in blocks and seconds"
    } else if !node.no_duplicate_keys() {
        " is not sane: contains duplicate public keys"
    } else if !node.valid_satisfactions(context) {
        " is not sane: needs witnesses that may exceed resource limits"
    } else {
        " is not sane"
    };
    Some(text.unwrap_or_default() + reason)
}
