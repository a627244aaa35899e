use grs_params::Network;
use grs_script::{
    MAX_PUBKEYS_PER_MULTI_A, MAX_PUBKEYS_PER_MULTISIG, MAX_SCRIPT_ELEMENT_SIZE,
    TAPROOT_CONTROL_MAX_NODE_COUNT,
};

use super::key::KeyExpression;
use super::{Body, DescriptorError};
use crate::FlatSigningProvider;
use crate::text::{expression, function, parse_u32, skip};

/// Where an expression stands. Reference: `ParseScriptContext`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// The locking script itself.
    Top,
    /// Inside `sh()`.
    P2sh,
    /// Inside `wpkh()`: a key only.
    P2wpkh,
    /// Inside `wsh()`.
    P2wsh,
    /// Inside `tr()`: key or leaf.
    P2tr,
    /// Inside `musig()`: a key only.
    MuSig,
}

impl Context {
    fn before_taproot(self) -> bool {
        matches!(self, Context::Top | Context::P2sh | Context::P2wsh)
    }
}

/// What parsing carries along.
pub(super) struct Parser<'a> {
    pub(super) network: Network,
    /// Secret keys go here.
    pub(super) out: &'a mut FlatSigningProvider,
    /// Number of the next key expression.
    pub(super) next_place: u32,
}

pub(super) fn error<T>(text: impl Into<String>) -> Result<T, DescriptorError> {
    Err(DescriptorError::new(text))
}

/// Parses a descriptor without checksum.
pub(super) fn parse_top(
    text: &str,
    network: Network,
    out: &mut FlatSigningProvider,
) -> Result<Vec<Body>, DescriptorError> {
    let mut rest = text;
    let mut parser = Parser { network, out, next_place: 0 };
    let bodies = parser.script(&mut rest, Context::Top)?;
    // The reference gives no text for what follows the expression.
    if rest.is_empty() { Ok(bodies) } else { error("") }
}

/// Makes all lists `n` long by repeating single elements; false when one has another length.
pub(super) fn spread<T: Clone>(lists: &mut [Vec<T>], n: usize) -> bool {
    for list in lists {
        if list.len() == 1 {
            list.resize(n, list[0].clone());
        } else if list.len() != n {
            return false;
        }
    }
    true
}

/// Turns a list of alternatives for each element into a list of elements for each alternative.
pub(super) fn transpose<T: Clone>(lists: &[Vec<T>], n: usize) -> Vec<Vec<T>> {
    (0..n).map(|i| lists.iter().map(|list| list[i].clone()).collect()).collect()
}

impl Parser<'_> {
    /// Parses a script expression off the start of `text`; several with a multipath step. Reference:
    /// `ParseScript`.
    pub(super) fn script(&mut self, text: &mut &str, context: Context) -> Result<Vec<Body>, DescriptorError> {
        let top = context == Context::Top;
        let mut e = expression(text);
        if function("pk", &mut e) {
            let x_only = context == Context::P2tr;
            return self.key_function("pk()", e, context, |key| Body::Pk { key, x_only });
        }
        if context.before_taproot() && function("pkh", &mut e) {
            return self.key_function("pkh()", e, context, Body::Pkh);
        }
        if function("combo", &mut e) {
            if !top {
                return error("Can only have combo() at top level");
            }
            return self.key_function("combo()", e, context, Body::Combo);
        }
        for (name, sorted, tapscript) in [
            ("multi", false, false),
            ("sortedmulti", true, false),
            ("multi_a", false, true),
            ("sortedmulti_a", true, true),
        ] {
            if function(name, &mut e) {
                return self.multi(e, context, sorted, tapscript);
            }
        }
        if function("wpkh", &mut e) {
            if !matches!(context, Context::Top | Context::P2sh) {
                return error("Can only have wpkh() at top level or inside sh()");
            }
            return self.key_function("wpkh()", e, Context::P2wpkh, Body::Wpkh);
        }
        if function("sh", &mut e) {
            if !top {
                return error("Can only have sh() at top level");
            }
            return self.script_function(e, Context::P2sh, Body::Sh);
        }
        if function("wsh", &mut e) {
            if !matches!(context, Context::Top | Context::P2sh) {
                return error("Can only have wsh() at top level or inside sh()");
            }
            return self.script_function(e, Context::P2wsh, Body::Wsh);
        }
        if function("addr", &mut e) {
            if !top {
                return error("Can only have addr() at top level");
            }
            return match crate::decode_destination(e, self.network) {
                Ok(destination) => Ok(vec![Body::Address(destination)]),
                Err(_) => error("Address is not valid"),
            };
        }
        if function("tr", &mut e) {
            return if top { self.taproot(e) } else { error("Can only have tr at top level") };
        }
        if function("rawtr", &mut e) {
            if !top {
                return error("Can only have rawtr at top level");
            }
            let key = expression(&mut e);
            if !e.is_empty() {
                return error("rawtr(): only one key expected.");
            }
            return self.key_function("rawtr()", key, Context::P2tr, Body::RawTr);
        }
        if function("raw", &mut e) {
            if !top {
                return error("Can only have raw() at top level");
            }
            return match grs_encoding::hex_decode(e) {
                Ok(script) if !script.is_empty() => Ok(vec![Body::Raw(script.into())]),
                _ => error("Raw script is not hex"),
            };
        }
        if let Some(bodies) = self.miniscript(e, context)? {
            return Ok(bodies);
        }
        match context {
            Context::P2sh => error("A function is needed within P2SH"),
            Context::P2wsh => error("A function is needed within P2WSH"),
            _ => error(format!("'{e}' is not a valid descriptor function")),
        }
    }

    fn key_function(
        &mut self,
        name: &str,
        text: &str,
        context: Context,
        make: impl Fn(KeyExpression) -> Body,
    ) -> Result<Vec<Body>, DescriptorError> {
        let keys = self.key(text, context).map_err(|e| e.within(name))?;
        Ok(keys.into_iter().map(make).collect())
    }

    fn script_function(
        &mut self,
        mut text: &str,
        context: Context,
        make: impl Fn(Box<Body>) -> Body,
    ) -> Result<Vec<Body>, DescriptorError> {
        let bodies = self.script(&mut text, context)?;
        if !text.is_empty() {
            return error("");
        }
        Ok(bodies.into_iter().map(|body| make(Box::new(body))).collect())
    }

    fn multi(
        &mut self,
        mut text: &str,
        context: Context,
        sorted: bool,
        tapscript: bool,
    ) -> Result<Vec<Body>, DescriptorError> {
        if !tapscript && !context.before_taproot() {
            return error("Can only have multi/sortedmulti at top level, in sh(), or in wsh()");
        }
        if tapscript && context != Context::P2tr {
            return error("Can only have multi_a/sortedmulti_a inside tr()");
        }
        let threshold_text = expression(&mut text);
        let Some(threshold) = parse_u32(threshold_text) else {
            return error(format!("Multi threshold '{threshold_text}' is not valid"));
        };
        let mut keys: Vec<Vec<KeyExpression>> = Vec::new();
        while !text.is_empty() {
            if !skip(",", &mut text) {
                return error(format!("Multi: expected ',', got '{}'", text.chars().next().unwrap_or(' ')));
            }
            let key = self.key(expression(&mut text), context);
            keys.push(key.map_err(|e| e.within("Multi"))?);
        }
        let script_size: usize = keys.iter().map(|key| key[0].size() + 1).sum();
        check_multi(threshold, keys.len(), script_size, context, tapscript)?;
        let threshold = threshold as usize;
        let n = keys.iter().map(Vec::len).max().unwrap_or(1);
        if !spread(&mut keys, n) {
            return error("multi(): Multipath derivation paths have mismatched lengths");
        }
        let make = |keys| match tapscript {
            true => Body::MultiA { threshold, keys, sorted },
            false => Body::Multi { threshold, keys, sorted },
        };
        Ok(transpose(&keys, n).into_iter().map(make).collect())
    }

    fn taproot(&mut self, mut text: &str) -> Result<Vec<Body>, DescriptorError> {
        let key = self.key(expression(&mut text), Context::P2tr);
        let mut internal = key.map_err(|e| e.within("tr()"))?;
        let (mut leaves, depths) = if text.is_empty() { (Vec::new(), Vec::new()) } else { self.tree(text)? };
        let n = leaves.iter().map(Vec::len).fold(internal.len(), usize::max);
        if !spread(&mut leaves, n) {
            return error("tr(): Multipath subscripts have mismatched lengths");
        }
        if !spread(std::slice::from_mut(&mut internal), n) {
            return error("tr(): Multipath internal key mismatches multipath subscripts lengths");
        }
        let trees = transpose(&leaves, n);
        let make = |(internal, leaves): (KeyExpression, Vec<Body>)| Body::Tr {
            internal,
            leaves: depths.iter().copied().zip(leaves).collect(),
        };
        Ok(internal.into_iter().zip(trees).map(make).collect())
    }

    /// The tree behind the internal key: alternatives and depth of each leaf.
    fn tree(&mut self, mut text: &str) -> Result<(Vec<Vec<Body>>, Vec<usize>), DescriptorError> {
        if !skip(",", &mut text) {
            return error(format!("tr: expected ',', got '{}'", text.chars().next().unwrap_or(' ')));
        }
        let (mut leaves, mut depths) = (Vec::new(), Vec::new());
        // For each level: whether we are in its right branch.
        let mut branches: Vec<bool> = Vec::new();
        loop {
            while skip("{", &mut text) {
                branches.push(false);
                if branches.len() > TAPROOT_CONTROL_MAX_NODE_COUNT {
                    return error(format!(
                        "tr() supports at most {TAPROOT_CONTROL_MAX_NODE_COUNT} nesting levels"
                    ));
                }
            }
            let mut leaf = expression(&mut text);
            leaves.push(self.script(&mut leaf, Context::P2tr)?);
            depths.push(branches.len());
            while branches.last() == Some(&true) {
                if !skip("}", &mut text) {
                    return error("tr(): expected '}' after script expression");
                }
                branches.pop();
            }
            let Some(last) = branches.last_mut() else { break };
            if !skip(",", &mut text) {
                return error("tr(): expected ',' after script expression");
            }
            *last = true;
        }
        if !text.is_empty() {
            return error("tr(): expected ')' after script expression");
        }
        Ok((leaves, depths))
    }
}

fn check_multi(
    threshold: u32,
    n: usize,
    script_size: usize,
    context: Context,
    tapscript: bool,
) -> Result<(), DescriptorError> {
    if !tapscript && !(1..=MAX_PUBKEYS_PER_MULTISIG).contains(&n) {
        return error(format!(
            "Cannot have {n} keys in multisig; must have between 1 and {MAX_PUBKEYS_PER_MULTISIG} keys, inclusive"
        ));
    }
    if tapscript && !(1..=MAX_PUBKEYS_PER_MULTI_A).contains(&n) {
        return error(format!(
            "Cannot have {n} keys in multi_a; must have between 1 and {MAX_PUBKEYS_PER_MULTI_A} keys, inclusive"
        ));
    }
    if threshold < 1 {
        return error(format!("Multisig threshold cannot be {threshold}, must be at least 1"));
    }
    if threshold as usize > n {
        return error(format!(
            "Multisig threshold cannot be larger than the number of keys; threshold is {threshold} but only {n} keys specified"
        ));
    }
    if context == Context::Top && n > 3 {
        return error(format!("Cannot have {n} pubkeys in bare multisig; only at most 3 pubkeys"));
    }
    let size = script_size + 3;
    if context == Context::P2sh && size > MAX_SCRIPT_ELEMENT_SIZE {
        return error(format!(
            "P2SH script is too large, {size} bytes is larger than {MAX_SCRIPT_ELEMENT_SIZE} bytes"
        ));
    }
    Ok(())
}
