//! Named arguments: turns a `params` object into positions (reference: `transformNamedArguments` in `rpc/server.cpp`).

use serde_json::{Map, Value};

use crate::error::RpcError;
use crate::method::{ArgType, Method};

/// Names of one argument and whether it only exists by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgName {
    /// Aliases separated by `|`.
    pub names: String,
    /// A key of the options object that follows; it has no position of its own.
    pub named_only: bool,
}

/// Argument names of a method in the order that [`positional`] needs: keys of an options object before the object.
pub fn arg_names(method: &Method) -> Vec<ArgName> {
    let mut names = Vec::with_capacity(method.args.len());
    for arg in &method.args {
        if arg.ty == ArgType::Options {
            names.extend(arg.inner.iter().map(|i| ArgName { names: i.names.to_string(), named_only: true }));
        }
        names.push(ArgName { names: arg.names.to_string(), named_only: false });
    }
    names
}

/// Puts named arguments into positions. The name `args` holds leading positional arguments.
pub fn positional(given: Vec<(String, Value)>, names: &[ArgName]) -> Result<Vec<Value>, RpcError> {
    let mut left = Map::new();
    for (key, value) in given {
        if left.contains_key(&key) {
            return Err(RpcError::invalid_parameter(format!("Parameter {key} specified multiple times")));
        }
        left.insert(key, value);
    }

    let mut params: Vec<Value> = Vec::new();
    // Positions not given so far and not yet filled with null: trailing ones stay off the list.
    let mut hole = 0usize;
    let mut initial_hole = 0usize;
    let mut first_named: Option<&str> = None;
    let mut options: Map<String, Value> = Map::new();
    for ArgName { names, named_only } in names {
        let found = names.split('|').find(|name| left.contains_key(*name));
        let mut take = |name: &str| left.shift_remove(name).unwrap_or_default();
        if *named_only {
            if let Some(name) = found {
                if options.contains_key(name) {
                    return Err(RpcError::invalid_parameter(format!(
                        "Parameter {name} specified multiple times"
                    )));
                }
                let value = take(name);
                options.insert(name.to_owned(), value);
            }
            continue;
        }
        if options.is_empty() && found.is_none() {
            hole += 1;
            if params.is_empty() {
                initial_hole = hole;
            }
            continue;
        }
        params.extend(std::iter::repeat_n(Value::Null, hole));
        hole = 0;
        first_named.get_or_insert(names);
        if let Some(name) = found {
            if let Some(option) = options.keys().next() {
                return Err(RpcError::invalid_parameter(format!(
                    "Parameter {name} conflicts with parameter {option}"
                )));
            }
            params.push(take(name));
        } else {
            params.push(Value::Object(std::mem::take(&mut options)));
        }
    }

    // Anything else of that name is ignored, as the reference does.
    if let Some(Value::Array(leading)) = left.shift_remove("args") {
        if let Some(name) = first_named.filter(|_| initial_hole < leading.len()) {
            return Err(RpcError::invalid_parameter(format!(
                "Parameter {name} specified twice both as positional and named argument"
            )));
        }
        let skip = leading.len();
        let named = std::mem::replace(&mut params, leading);
        params.extend(named.into_iter().skip(skip));
    }
    if let Some(name) = left.keys().next() {
        return Err(RpcError::invalid_parameter(format!("Unknown named parameter {name}")));
    }
    Ok(params)
}
