use grs_encoding::hex_encode;
use grs_params::Network;

use super::key::{KeyExpression, Printed};
use super::{Body, DescriptorCache};
use crate::SigningProvider;

/// Which text of a descriptor.
pub(super) enum Form<'a> {
    /// As parsed, with public keys.
    Public,
    /// With secret keys where the provider has them.
    Private(&'a dyn SigningProvider),
    /// Extended keys at the last hardened step, `h` marks.
    Normalized(&'a dyn SigningProvider, Option<&'a DescriptorCache>),
    /// Public, with apostrophes: the form that is hashed and must never change.
    Compat,
}

impl Form<'_> {
    /// Whether hardened steps are marked with an apostrophe, given what was parsed.
    pub(super) fn apostrophe(&self, parsed: bool) -> bool {
        match self {
            Form::Compat => true,
            Form::Normalized(..) => false,
            Form::Public | Form::Private(_) => parsed,
        }
    }

    /// Whether a text is what was asked for, before any key: a private one needs a key.
    fn start(&self) -> bool {
        !matches!(self, Form::Private(_))
    }

    /// Joins in whether a part is what was asked for.
    fn join(&self, ok: &mut bool, part: bool) {
        match self {
            Form::Private(_) => *ok |= part,
            _ => *ok &= part,
        }
    }
}

impl Body {
    fn name(&self) -> &'static str {
        match self {
            Body::Address(_) => "addr",
            Body::Raw(_) => "raw",
            Body::Pk { .. } => "pk",
            Body::Pkh(_) => "pkh",
            Body::Wpkh(_) => "wpkh",
            Body::Combo(_) => "combo",
            Body::Multi { sorted: false, .. } => "multi",
            Body::Multi { sorted: true, .. } => "sortedmulti",
            Body::MultiA { sorted: false, .. } => "multi_a",
            Body::MultiA { sorted: true, .. } => "sortedmulti_a",
            Body::Sh(_) => "sh",
            Body::Wsh(_) => "wsh",
            Body::Tr { .. } => "tr",
            Body::RawTr(_) => "rawtr",
            Body::Miniscript { .. } => "?",
        }
    }

    /// The text without checksum. Reference: `ToStringHelper`.
    pub(super) fn print(&self, network: Network, form: &Form<'_>) -> Printed {
        let mut ok = form.start();
        if let Body::Miniscript { keys, script } = self {
            let text = script.to_text(|i| {
                let printed = keys[*i as usize].print(network, form);
                form.join(&mut ok, printed.ok);
                Some(printed.text)
            });
            return Printed { text: text.unwrap_or_default(), ok };
        }
        let mut arguments = Vec::new();
        match self {
            Body::Address(destination) => arguments.push(destination.encode(network)),
            Body::Raw(script) => arguments.push(hex_encode(script)),
            Body::Multi { threshold, .. } | Body::MultiA { threshold, .. } => {
                arguments.push(threshold.to_string());
            }
            _ => {}
        }
        for key in self.keys() {
            arguments.push(print_key(key, network, form, &mut ok));
        }
        match self {
            Body::Sh(sub) | Body::Wsh(sub) => {
                let printed = sub.print(network, form);
                form.join(&mut ok, printed.ok);
                arguments.push(printed.text);
            }
            Body::Tr { leaves, .. } if !leaves.is_empty() => {
                arguments.push(print_tree(leaves, network, form, &mut ok));
            }
            _ => {}
        }
        Printed { text: format!("{}({})", self.name(), arguments.join(",")), ok }
    }
}

fn print_key(key: &KeyExpression, network: Network, form: &Form<'_>, ok: &mut bool) -> String {
    let printed = key.print(network, form);
    form.join(ok, printed.ok);
    printed.text
}

/// Leaves with the braces of their tree.
fn print_tree(leaves: &[(usize, Body)], network: Network, form: &Form<'_>, ok: &mut bool) -> String {
    let mut out = String::new();
    // For each level: whether we are in its right branch.
    let mut path: Vec<bool> = Vec::new();
    for (i, (depth, leaf)) in leaves.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        while path.len() <= *depth {
            if !path.is_empty() {
                out.push('{');
            }
            path.push(false);
        }
        let printed = leaf.print(network, form);
        form.join(ok, printed.ok);
        out.push_str(&printed.text);
        while path.last() == Some(&true) {
            if path.len() > 1 {
                out.push('}');
            }
            path.pop();
        }
        if let Some(last) = path.last_mut() {
            *last = true;
        }
    }
    out
}
