//! The wire contract of a set of schemas as text: ids, ordinals, types, defaults, layouts. One line each, sorted, so that
//! a change of the contract shows in a comparison.

use std::collections::HashMap;

use capnp::schema_capnp::{code_generator_request, field, node, type_, value};

use crate::Error;

type Names = HashMap<u64, String>;

fn type_name(names: &Names, of: type_::Reader<'_>) -> Result<String, Error> {
    let named = |id: u64| names.get(&id).cloned().unwrap_or_else(|| format!("{id:#x}"));
    Ok(match of.which()? {
        type_::Void(()) => "Void".to_owned(),
        type_::Bool(()) => "Bool".to_owned(),
        type_::Int8(()) => "Int8".to_owned(),
        type_::Int16(()) => "Int16".to_owned(),
        type_::Int32(()) => "Int32".to_owned(),
        type_::Int64(()) => "Int64".to_owned(),
        type_::Uint8(()) => "UInt8".to_owned(),
        type_::Uint16(()) => "UInt16".to_owned(),
        type_::Uint32(()) => "UInt32".to_owned(),
        type_::Uint64(()) => "UInt64".to_owned(),
        type_::Float32(()) => "Float32".to_owned(),
        type_::Float64(()) => "Float64".to_owned(),
        type_::Text(()) => "Text".to_owned(),
        type_::Data(()) => "Data".to_owned(),
        type_::List(list) => format!("List({})", type_name(names, list.get_element_type()?)?),
        type_::Enum(of) => named(of.get_type_id()),
        type_::Struct(of) => named(of.get_type_id()),
        type_::Interface(of) => named(of.get_type_id()),
        type_::AnyPointer(_) => "AnyPointer".to_owned(),
    })
}

/// A value, if it is not what a field without a default has.
fn default(of: value::Reader<'_>) -> Result<Option<String>, Error> {
    fn number<T: Default + PartialEq + ToString>(value: T) -> Option<String> {
        (value != T::default()).then(|| value.to_string())
    }
    Ok(match of.which()? {
        value::Bool(value) => number(value),
        value::Int8(value) => number(value),
        value::Int16(value) => number(value),
        value::Int32(value) => number(value),
        value::Int64(value) => number(value),
        value::Uint8(value) => number(value),
        value::Uint16(value) => number(value),
        value::Uint32(value) => number(value),
        value::Uint64(value) => number(value),
        value::Float32(value) => number(value).map(|_| format!("bits {:#x}", value.to_bits())),
        value::Float64(value) => number(value).map(|_| format!("bits {:#x}", value.to_bits())),
        value::Enum(value) => number(value),
        _ => None,
    })
}

fn fields(names: &Names, of: node::struct_::Reader<'_>) -> Result<Vec<String>, Error> {
    let mut out = Vec::new();
    for field in of.get_fields()? {
        let name = field.get_name()?.to_str()?;
        let ordinal = match field.get_ordinal().which()? {
            field::ordinal::Explicit(ordinal) => format!("@{ordinal}"),
            field::ordinal::Implicit(()) => "group".to_owned(),
        };
        match field.which()? {
            field::Slot(slot) => {
                let of = type_name(names, slot.get_type()?)?;
                let default = default(slot.get_default_value()?)?
                    .map_or_else(String::new, |value| format!(" = {value}"));
                let at = slot.get_offset();
                let choice = match field.get_discriminant_value() {
                    field::NO_DISCRIMINANT => String::new(),
                    tag => format!(" tag {tag}"),
                };
                out.push(format!("{name} {ordinal} :{of}{default} at {at}{choice}"));
            }
            field::Group(group) => {
                out.push(format!(
                    "{name} {ordinal} :{:#x} tag {}",
                    group.get_type_id(),
                    field.get_discriminant_value()
                ));
            }
        }
    }
    Ok(out)
}

fn layout(of: node::struct_::Reader<'_>) -> String {
    format!("{}+{}", of.get_data_word_count(), of.get_pointer_count())
}

/// The contract, one line for each file, interface, method, struct, field, enumeration, constant and annotation.
pub fn describe(request: code_generator_request::Reader<'_>) -> Result<String, Error> {
    let mut names = Names::new();
    let mut nodes = HashMap::new();
    for node in request.get_nodes()? {
        let name = node.get_display_name()?.to_str()?;
        names.insert(node.get_id(), name.rsplit_once('/').map_or(name, |(_, last)| last).to_owned());
        nodes.insert(node.get_id(), node);
    }
    let structure = |id: u64| match nodes.get(&id).map(|node| node.which()) {
        Some(Ok(node::Struct(of))) => Ok(of),
        _ => Err(Error::Schema(format!("{id:#x} is not a struct"))),
    };
    let mut lines = Vec::new();
    for (id, node) in &nodes {
        let name = &names[id];
        // Parameters and results are described with their method.
        if name.contains('$') {
            continue;
        }
        match node.which()? {
            node::File(()) => lines.push(format!("{name} file {id:#x}")),
            node::Struct(of) => {
                lines.push(format!("{name} struct {id:#x} {}", layout(of)));
                lines.extend(fields(&names, of)?.iter().map(|field| format!("{name}.{field}")));
            }
            node::Enum(of) => {
                lines.push(format!("{name} enum {id:#x}"));
                for (n, enumerant) in of.get_enumerants()?.iter().enumerate() {
                    lines.push(format!("{name}.{} @{n}", enumerant.get_name()?.to_str()?));
                }
            }
            node::Interface(of) => {
                let parents: Vec<String> =
                    of.get_superclasses()?.iter().map(|parent| names[&parent.get_id()].clone()).collect();
                let parents = if parents.is_empty() {
                    String::new()
                } else {
                    format!(" extends {}", parents.join(", "))
                };
                lines.push(format!("{name} interface {id:#x}{parents}"));
                for (n, method) in of.get_methods()?.iter().enumerate() {
                    let params = structure(method.get_param_struct_type())?;
                    let results = structure(method.get_result_struct_type())?;
                    lines.push(format!(
                        "{name}.{} @{n} {} ({}) -> {} ({})",
                        method.get_name()?.to_str()?,
                        layout(params),
                        fields(&names, params)?.join(", "),
                        layout(results),
                        fields(&names, results)?.join(", "),
                    ));
                }
            }
            node::Const(of) => {
                let value = default(of.get_value()?)?.unwrap_or_else(|| "0".to_owned());
                lines.push(format!("{name} const :{} = {value}", type_name(&names, of.get_type()?)?));
            }
            node::Annotation(_) => lines.push(format!("{name} annotation {id:#x}")),
        }
    }
    lines.sort();
    Ok(lines.join("\n") + "\n")
}
