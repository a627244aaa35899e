//! Writes client proxies and servers from Cap'n Proto schemas and Rust traits.
//!
//! A schema says what travels, a trait says what a program works with. This crate reads both, binds them method by
//! method, and writes for each interface a proxy that implements the trait by calls, and a server that answers calls with
//! an object of the trait. What does not fit together is an error: a method or parameter that only one side has, another
//! order, a value that may be absent without a flag for it. How a single type is converted is not generated: the code
//! calls the traits `ToWire`, `FromWire`, `ToScalar`, `ToText` and `ToData` of the module `support` of the crate it is
//! written for.
//!
//! Annotations in the schema say what neither side does; see `generator.capnp`. They have no effect on the wire.

pub mod bind;
pub mod describe;
pub mod emit;
pub mod schema;
pub mod traits;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// Why no code was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema compiler's output could not be read.
    #[error("{0}")]
    Capnp(#[from] capnp::Error),
    /// A text in it is not UTF-8.
    #[error("{0}")]
    Text(#[from] std::str::Utf8Error),
    /// The schema compiler's output has an enumerant that is not known here.
    #[error("{0}")]
    NotInSchema(#[from] capnp::NotInSchema),
    /// A schema has something that is not supported.
    #[error("schema: {0}")]
    Schema(String),
    /// A source file is not Rust.
    #[error("trait: {0}")]
    Syntax(#[from] syn::Error),
    /// A trait has something that is not supported.
    #[error("trait: {0}")]
    Trait(String),
    /// Schema and trait do not agree.
    #[error("{0}")]
    Mismatch(String),
}

/// The source files, by name, for the request of the schema compiler and the sources of the traits.
pub fn generate(
    request: capnp::schema_capnp::code_generator_request::Reader<'_>,
    sources: &[String],
    names: &emit::Names,
) -> Result<BTreeMap<String, String>, Error> {
    let interfaces = schema::read(request)?;
    let mut traits = traits::Traits::new();
    for source in sources {
        traits::read(source, &names.traits, &mut traits)?;
    }
    Ok(emit::files(&bind::bind(&interfaces, &traits)?, names))
}
