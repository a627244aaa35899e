//! The Rust traits that stand for interfaces, read from their source.

use std::collections::{BTreeSet, HashMap};

use quote::ToTokens;

use crate::Error;

/// A type, as far as the generator looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustType {
    /// The type as written.
    pub text: String,
    /// `&str`, `&[T]` and `&T`: the type that owns the same.
    pub owned: Option<String>,
    /// The argument of `Option`.
    pub option: Option<Box<RustType>>,
    /// The trait of `Arc<dyn Trait>`.
    pub object: Option<String>,
    /// The error of `Result<(), Error>`.
    pub failure: Option<Box<RustType>>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: RustType,
}

/// A method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// Its parameters without the receiver.
    pub params: Vec<Param>,
    /// What `CallResult` holds.
    pub result: RustType,
    /// The signature as written.
    pub signature: String,
}

/// A trait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trait {
    /// Its name.
    pub name: String,
    /// Names of the traits that it extends, but for markers.
    pub parents: Vec<String>,
    /// Its methods, in order.
    pub methods: Vec<Method>,
    /// What the file that has it imports.
    pub imports: BTreeSet<String>,
}

/// Traits by name.
pub type Traits = HashMap<String, Trait>;

fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// The arguments of `Name<A, B>`.
fn arguments<'a>(of: &'a syn::Type, name: &str) -> Vec<&'a syn::Type> {
    let syn::Type::Path(path) = of else { return Vec::new() };
    let last = path.path.segments.last().filter(|last| last.ident == name);
    let Some(syn::PathArguments::AngleBracketed(arguments)) = last.map(|last| &last.arguments) else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(of) => Some(of),
        _ => None,
    });
    types.collect()
}

fn argument<'a>(of: &'a syn::Type, name: &str) -> Option<&'a syn::Type> {
    arguments(of, name).first().copied()
}

fn object(of: &syn::Type) -> Option<String> {
    let syn::Type::TraitObject(object) = argument(of, "Arc")? else { return None };
    match object.bounds.first()? {
        syn::TypeParamBound::Trait(bound) => Some(bound.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

impl RustType {
    fn read(of: &syn::Type) -> RustType {
        let owned = match of {
            syn::Type::Reference(reference) => Some(match &*reference.elem {
                syn::Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
                plain if text(plain) == "str" => "String".to_owned(),
                plain => text(plain),
            }),
            _ => None,
        };
        let failure = match arguments(of, "Result")[..] {
            [syn::Type::Tuple(unit), error] if unit.elems.is_empty() => Some(Box::new(RustType::read(error))),
            _ => None,
        };
        RustType {
            failure,
            text: text(of),
            owned,
            option: argument(of, "Option").map(|of| Box::new(RustType::read(of))),
            object: object(of),
        }
    }

    /// The type of a value that is kept while the call is under way.
    pub fn kept(&self) -> &str {
        self.owned.as_deref().unwrap_or(&self.text)
    }
}

fn method(source: &syn::TraitItemFn) -> Result<Method, Error> {
    let name = source.sig.ident.to_string();
    let bad = |what: &str| Error::Trait(format!("{name}: {what}"));
    let mut params = Vec::new();
    for input in &source.sig.inputs {
        let syn::FnArg::Typed(input) = input else { continue };
        let syn::Pat::Ident(ident) = &*input.pat else { return Err(bad("a parameter has no name")) };
        params.push(Param { name: ident.ident.to_string(), of: RustType::read(&input.ty) });
    }
    let result = match &source.sig.output {
        syn::ReturnType::Type(_, of) => argument(of, "CallResult").map(RustType::read),
        syn::ReturnType::Default => None,
    };
    let result = result.ok_or_else(|| bad("does not answer a CallResult"))?;
    Ok(Method { signature: text(&source.sig), name, params, result })
}

fn flatten(tree: &syn::UseTree, prefix: &str, out: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => flatten(&path.tree, &format!("{prefix}{}::", path.ident), out),
        syn::UseTree::Name(name) => {
            out.insert(format!("{prefix}{}", name.ident));
        }
        syn::UseTree::Rename(rename) => {
            out.insert(format!("{prefix}{} as {}", rename.ident, rename.rename));
        }
        syn::UseTree::Glob(_) => {
            out.insert(format!("{prefix}*"));
        }
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, out)),
    }
}

/// Adds the traits of a source file of the crate `package`.
pub fn read(source: &str, package: &str, traits: &mut Traits) -> Result<(), Error> {
    let file = syn::parse_file(source)?;
    let mut imports = BTreeSet::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item {
            let mut paths = BTreeSet::new();
            flatten(&item.tree, "", &mut paths);
            let own = |path: &String| path.strip_prefix("crate::").map(|rest| format!("{package}::{rest}"));
            imports.extend(paths.iter().map(|path| own(path).unwrap_or_else(|| path.clone())));
        }
    }
    for item in file.items {
        let syn::Item::Trait(item) = item else { continue };
        let name = item.ident.to_string();
        let parents = item.supertraits.iter().filter_map(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => Some(bound.path.segments.last()?.ident.to_string()),
            _ => None,
        });
        let methods: Result<Vec<Method>, Error> = item
            .items
            .iter()
            .filter_map(|item| match item {
                syn::TraitItem::Fn(item) => Some(method(item)),
                _ => None,
            })
            .collect();
        // A trait that is no interface may have any methods.
        let Ok(methods) = methods else { continue };
        let parents = parents.filter(|name| name != "Send" && name != "Sync").collect();
        traits.insert(name.clone(), Trait { name, parents, methods, imports: imports.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trait_is_understood() {
        let source = "use std::sync::Arc; use crate::{A, b::C};
            pub trait Loader: Client + Send { /// Doc.
                fn load(&self, name: &str, list: &[A], a: Option<A>, to: Arc<dyn C>) -> CallResult<Option<Arc<dyn C>>>; }";
        let mut traits = Traits::new();
        read(source, "pack", &mut traits).unwrap();
        let loader = &traits["Loader"];
        assert_eq!(loader.parents, ["Client"]);
        assert!(loader.imports.contains("pack::b::C") && loader.imports.contains("std::sync::Arc"));
        let [name, list, a, to] = &loader.methods[0].params[..] else { panic!("four parameters") };
        assert_eq!((name.of.kept(), list.of.kept()), ("String", "Vec<A>"));
        assert_eq!(a.of.option.as_ref().unwrap().text, "A");
        assert_eq!(to.of.object.as_deref(), Some("C"));
        let result = loader.methods[0].result.option.as_ref().unwrap();
        assert_eq!(result.object.as_deref(), Some("C"));
    }
}
