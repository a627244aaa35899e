//! Checks of argument types before a call and of result shapes after it (`-rpcdoccheck`).

use serde_json::{Map, Value};

use crate::method::{Arg, ArgType, Method, Res, ResType};
use crate::value::JsonExt;

/// Mismatches of the arguments, keyed by position; `None` when all fit.
pub(crate) fn argument_mismatch(args: &[Arg], params: &[Value]) -> Option<Map<String, Value>> {
    let mut wrong = Map::new();
    for (index, arg) in args.iter().enumerate() {
        let given = params.get(index).unwrap_or(&Value::Null);
        if let Some(text) = arg_mismatch(arg, given) {
            wrong.insert(format!("Position {} ({})", index + 1, arg.names), text.into());
        }
    }
    (!wrong.is_empty()).then_some(wrong)
}

fn arg_mismatch(arg: &Arg, given: &Value) -> Option<String> {
    if arg.skip_type_check || (arg.is_optional() && given.is_null()) {
        return None;
    }
    let expected = match arg.ty {
        ArgType::Hex | ArgType::Str => "string",
        ArgType::Num => "number",
        ArgType::Bool => "bool",
        ArgType::Obj | ArgType::Options | ArgType::ObjUserKeys => "object",
        ArgType::Arr => "array",
        // Either of two types; looked at where they are read.
        ArgType::Amount | ArgType::Range => return None,
    };
    let found = given.type_name();
    (found != expected).then(|| format!("JSON value of type {found} is not of expected type {expected}"))
}

/// How a result differs from every documented shape; `None` when it fits one.
pub(crate) fn result_mismatch(method: &Method, result: &Value) -> Option<Value> {
    let mut wrong = Vec::new();
    for shape in &method.results {
        wrong.push(shape_mismatch(shape, result)?);
    }
    Some(match wrong.len() {
        1 => wrong.remove(0),
        _ => Value::Array(wrong),
    })
}

fn shape_mismatch(shape: &Res, result: &Value) -> Option<Value> {
    if shape.skip_type_check {
        return None;
    }
    let expected = match shape.ty {
        ResType::Elision | ResType::Any => return None,
        ResType::Null => "null",
        ResType::Str | ResType::Hex => "string",
        ResType::Num | ResType::Amount | ResType::Time => "number",
        ResType::Bool => "bool",
        ResType::ArrFixed | ResType::Arr => "array",
        ResType::ObjDyn | ResType::Obj => "object",
    };
    let found = result.type_name();
    if found != expected {
        return Some(format!("returned type is {found}, but declared as {expected} in doc").into());
    }
    let mut wrong = Map::new();
    match result {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // More items than documented follow the last shape.
                let Some(inner) = shape.inner.get(index).or(shape.inner.last()) else { continue };
                if let Some(text) = shape_mismatch(inner, item) {
                    wrong.insert(index.to_string(), text);
                }
            }
        }
        Value::Object(_) if shape.inner.first().is_some_and(|r| r.ty == ResType::Elision) => {}
        Value::Object(fields) if shape.ty == ResType::ObjDyn => {
            for (key, value) in fields {
                if let Some(text) = shape.inner.first().and_then(|inner| shape_mismatch(inner, value)) {
                    wrong.insert(key.clone(), text);
                }
            }
        }
        Value::Object(fields) => {
            for key in fields.keys() {
                if !shape.inner.iter().any(|r| r.key == *key) {
                    wrong.insert(key.clone(), "key returned that was not in doc".into());
                }
            }
            for inner in &shape.inner {
                match fields.get(inner.key.as_ref()) {
                    Some(value) => {
                        if let Some(text) = shape_mismatch(inner, value) {
                            wrong.insert(inner.key.to_string(), text);
                        }
                    }
                    None if inner.optional => {}
                    None => {
                        wrong.insert(
                            inner.key.to_string(),
                            "key missing, despite not being optional in doc".into(),
                        );
                    }
                }
            }
        }
        _ => {}
    }
    (!wrong.is_empty()).then_some(Value::Object(wrong))
}

/// JSON text indented by four blanks.
pub(crate) fn indented(value: &Value) -> String {
    use serde_json::ser::{PrettyFormatter, Serializer};
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    match serde::Serialize::serialize(value, &mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value.to_string(),
    }
}
