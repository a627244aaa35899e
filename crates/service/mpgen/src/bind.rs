//! Which method of a trait belongs to which method of a schema, and whether they agree.

use std::collections::BTreeSet;

use crate::Error;
use crate::schema::{Field, Interface, Interfaces, Method, Placement, WireType};
use crate::traits::{self, RustType, Trait, Traits};

/// What the server does for a method of the schema.
pub enum Served<'a> {
    /// Calls the trait's method.
    Method(&'a traits::Method),
    /// Releases the object.
    Destroy,
    /// Fails with this text.
    Retired(&'a str),
    /// What a function written by hand does.
    ByHand,
}

/// What the proxy does for a method of the trait.
pub enum Asked<'a> {
    /// Makes the call; with the interface that has the method.
    Method(&'a Interface, &'a Method),
    /// What a function written by hand does.
    ByHand,
}

/// An interface and its trait.
pub struct Bound<'a> {
    /// The interface.
    pub interface: &'a Interface,
    /// Its trait.
    pub name: &'a str,
    /// The trait and those that it extends, with what the proxy does for each method.
    pub asked: Vec<(&'a Trait, Vec<(&'a traits::Method, Asked<'a>)>)>,
    /// The interface and those that it extends, with what the server does for each method.
    pub served: Vec<(&'a Interface, Vec<(&'a Method, Served<'a>)>)>,
}

fn trait_named<'a>(traits: &'a Traits, name: &str) -> Result<&'a Trait, Error> {
    traits.get(name).ok_or_else(|| {
        Error::Mismatch(format!(
            "there is no trait {name}, or one of its methods does not answer a CallResult"
        ))
    })
}

fn with_parents<'a>(traits: &'a Traits, name: &str) -> Result<Vec<&'a Trait>, Error> {
    let mut all = vec![trait_named(traits, name)?];
    let mut n = 0;
    while let Some(next) = all.get(n) {
        for parent in &next.parents {
            all.push(trait_named(traits, parent)?);
        }
        n += 1;
    }
    Ok(all)
}

fn lineage<'a>(interfaces: &'a Interfaces, of: &'a Interface) -> Result<Vec<&'a Interface>, Error> {
    let mut all = vec![of];
    let mut n = 0;
    while let Some(next) = all.get(n) {
        for parent in &next.parents {
            let found = interfaces.get(parent);
            all.push(found.ok_or_else(|| Error::Schema(format!("interface {parent:x} is not there")))?);
        }
        n += 1;
    }
    Ok(all)
}

/// A field against the type of the parameter or result that it carries.
fn check_field(field: &Field, of: &RustType) -> Result<(), String> {
    let name = &field.name;
    let plain = match (&of.option, field.whole) {
        (Some(_), true) | (None, _) => of,
        (Some(inner), false) => {
            if matches!(field.wire, WireType::Scalar(_) | WireType::Enum) && !field.flagged {
                return Err(format!("'{name}' may be absent, but the schema has no flag for it"));
            }
            inner
        }
    };
    if field.flagged && of.option.is_none() {
        return Err(format!("'{name}' has a flag in the schema, but the trait has {}", of.text));
    }
    let listed = plain.kept().replace(' ', "").starts_with("Vec<");
    match (&field.wire, &plain.object) {
        (WireType::Interface(Some(wire)), Some(object)) if wire == object => Ok(()),
        (WireType::Interface(None), _) => Err(format!("the interface of '{name}' has no $trait")),
        (WireType::Interface(_), _) => Err(format!("'{name}' is an interface, the trait has {}", of.text)),
        (_, Some(object)) => Err(format!("'{name}' is no interface, the trait has {object}")),
        (WireType::Other, None) => Err(format!("the type of '{name}' is not supported")),
        (WireType::List | WireType::StructList, None) if !listed => {
            Err(format!("'{name}' is a list, the trait has {}", of.text))
        }
        _ => Ok(()),
    }
}

fn check_results(wire: &Method, of: &RustType) -> Result<(), String> {
    match &wire.results[..] {
        [] if of.text.replace(' ', "") == "()" => Ok(()),
        [] => Err(format!("the schema has no result, the trait has {}", of.text)),
        [_, ..] if of.text.replace(' ', "") == "()" => Err("the trait drops the schema's results".to_owned()),
        [field] => match (&of.failure, field.name.as_str()) {
            (Some(error), "error") => check_field(field, error),
            _ => check_field(field, of),
        },
        // Converted as a whole; the compiler checks.
        _ => Ok(()),
    }
}

/// Variables of the generated code.
const RESERVED: [&str; 10] =
    ["answer", "ask", "call", "client", "object", "out", "p", "params", "r", "results"];

fn check(wire: &Method, rust: &traits::Method) -> Result<(), String> {
    if wire.by_hand.client && wire.by_hand.server {
        return Ok(());
    }
    let wire_names: Vec<&str> = wire.params.iter().map(|field| field.name.as_str()).collect();
    let rust_names: Vec<&str> = rust.params.iter().map(|param| param.name.as_str()).collect();
    if wire_names != rust_names {
        return Err(format!("the schema has the parameters {wire_names:?}, the trait {rust_names:?}"));
    }
    if let Some(name) = rust_names.iter().find(|name| RESERVED.contains(name)) {
        return Err(format!("a parameter may not be named '{name}', which the generated code uses itself"));
    }
    if let Placement::Light(param) = &wire.placement
        && !rust_names.contains(&param.as_str())
    {
        return Err(format!("$light names '{param}', which is no parameter"));
    }
    for (field, param) in wire.params.iter().zip(&rust.params) {
        check_field(field, &param.of)?;
    }
    check_results(wire, &rust.result)
}

/// Binds all interfaces that have a trait, in the order of their modules.
pub fn bind<'a>(interfaces: &'a Interfaces, traits: &'a Traits) -> Result<Vec<Bound<'a>>, Error> {
    let mut chosen: Vec<_> = interfaces.values().filter(|of| of.rust_trait.is_some()).collect();
    chosen.sort_by(|a, b| a.module.cmp(&b.module));
    chosen.into_iter().map(|interface| bind_one(interfaces, traits, interface)).collect()
}

fn bind_one<'a>(
    interfaces: &'a Interfaces,
    traits: &'a Traits,
    interface: &'a Interface,
) -> Result<Bound<'a>, Error> {
    let name = interface.rust_trait.as_deref().unwrap_or_default();
    let wires = lineage(interfaces, interface)?;
    let rusts = with_parents(traits, name)?;
    let mut extra: BTreeSet<&str> = interface.extra.iter().map(String::as_str).collect();
    let mut asked = Vec::new();
    for of in &rusts {
        let mut methods = Vec::new();
        for rust in &of.methods {
            if extra.remove(rust.name.as_str()) {
                methods.push((rust, Asked::ByHand));
                continue;
            }
            let at = |what: String| Error::Mismatch(format!("{}.{}: {what}", of.name, rust.name));
            let found = wires.iter().find_map(|interface| {
                let wire = interface.methods.iter().find(|wire| wire.rust_name == rust.name)?;
                Some((*interface, wire))
            });
            let (interface, wire) = found.ok_or_else(|| at("is not in the schema".to_owned()))?;
            check(wire, rust).map_err(at)?;
            methods.push((
                rust,
                if wire.by_hand.client { Asked::ByHand } else { Asked::Method(interface, wire) },
            ));
        }
        asked.push((*of, methods));
    }
    if let Some(name) = extra.first() {
        return Err(Error::Mismatch(format!("$extra names {name}, which the trait does not have")));
    }
    let mut served = Vec::new();
    for of in wires {
        let mut methods = Vec::new();
        for wire in &of.methods {
            let rust = rusts.iter().flat_map(|of| &of.methods).find(|rust| rust.name == wire.rust_name);
            let serves = match (&wire.retired, rust) {
                (Some(_), Some(rust)) => {
                    return Err(Error::Mismatch(format!("{} is retired, but the trait has it", rust.name)));
                }
                (Some(text), None) => Served::Retired(text),
                _ if wire.by_hand.server => Served::ByHand,
                (None, Some(rust)) => Served::Method(rust),
                (None, None) if wire.wire_name == "destroy" && wire.params.is_empty() => Served::Destroy,
                (None, None) => {
                    let what = format!("{}.{} is not in the trait {name}", of.module, wire.rust_name);
                    return Err(Error::Mismatch(what));
                }
            };
            methods.push((wire, serves));
        }
        served.push((of, methods));
    }
    Ok(Bound { interface, name, asked, served })
}
