use std::collections::HashSet;

use grs_keys::HARDENED;

use super::DescriptorError;
use super::key::Wildcard;
use crate::text::parse_u32;

/// Paths read from one text: several with a multipath step.
#[derive(Debug, Default)]
pub(super) struct Paths {
    pub(super) paths: Vec<Vec<u32>>,
    /// Any step is hardened.
    pub(super) hardened: bool,
}

/// Reads one step. `apostrophe` is set to the mark of a hardened step.
fn parse_step(text: &str, apostrophe: &mut bool, hardened: &mut bool) -> Result<u32, DescriptorError> {
    let (digits, is_hardened) = match text.as_bytes().last() {
        Some(mark @ (b'\'' | b'h')) => {
            *apostrophe = *mark == b'\'';
            (&text[..text.len() - 1], true)
        }
        _ => (text, false),
    };
    let n = parse_u32(digits)
        .ok_or_else(|| DescriptorError::new(format!("Key path value '{digits}' is not a valid uint32")))?;
    if n >= HARDENED {
        return Err(DescriptorError::new(format!("Key path value {n} is out of range")));
    }
    *hardened |= is_hardened;
    Ok(if is_hardened { n | HARDENED } else { n })
}

/// Reads the steps of a path. Reference: `ParseKeyPath`.
pub(super) fn parse_steps(
    steps: &[&str],
    apostrophe: &mut bool,
    allow_multipath: bool,
) -> Result<Paths, DescriptorError> {
    let mut out = Paths::default();
    let mut path = Vec::with_capacity(steps.len());
    // Place and values of the multipath step.
    let mut choices: Option<(usize, Vec<u32>)> = None;
    for text in steps {
        // One character can be both start and end only if it is not `<`.
        let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
        let Some(inner) = inner else {
            path.push(parse_step(text, apostrophe, &mut out.hardened)?);
            continue;
        };
        if !allow_multipath {
            return Err(DescriptorError::new(format!(
                "Key path value '{text}' specifies multipath in a section where multipath is not allowed"
            )));
        }
        if choices.is_some() {
            return Err(DescriptorError::new("Multiple multipath key path specifiers found"));
        }
        let values: Vec<&str> = inner.split(';').collect();
        if values.len() < 2 {
            return Err(DescriptorError::new("Multipath key path specifiers must have at least two items"));
        }
        let (mut seen, mut list) = (HashSet::new(), Vec::with_capacity(values.len()));
        for value in values {
            let n = parse_step(value, apostrophe, &mut out.hardened)?;
            if !seen.insert(n) {
                return Err(DescriptorError::new(format!(
                    "Duplicated key path value {n} in multipath specifier"
                )));
            }
            list.push(n);
        }
        choices = Some((path.len(), list));
        path.push(0);
    }
    out.paths = match choices {
        None => vec![path],
        Some((at, values)) => values
            .into_iter()
            .map(|value| {
                let mut branch = path.clone();
                branch[at] = value;
                branch
            })
            .collect(),
    };
    Ok(out)
}

/// Takes a wildcard off the end of the pieces between slashes (the first of which is the key).
/// Reference: `ParseDeriveType`.
pub(super) fn take_wildcard(pieces: &mut Vec<&str>, apostrophe: &mut bool) -> Wildcard {
    let wildcard = match pieces.last() {
        Some(&"*") => Wildcard::Unhardened,
        Some(&"*'") => {
            *apostrophe = true;
            Wildcard::Hardened
        }
        Some(&"*h") => {
            *apostrophe = false;
            Wildcard::Hardened
        }
        _ => return Wildcard::None,
    };
    pieces.pop();
    wildcard
}
