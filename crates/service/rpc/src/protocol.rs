//! Bodies of JSON-RPC requests and answers, in the 1.0/1.1 and the 2.0 dialect (reference: `rpc/request.cpp`,
//! `httprpc.cpp`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::error::{RpcError, code};
use crate::request::Params;
use crate::value::{JsonExt, NULL};

/// Dialect of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// 1.0 and 1.1: failures are HTTP errors, an answer has both `result` and `error`.
    #[default]
    V1,
    /// 2.0: HTTP says 200 for failures of methods, an answer has either `result` or `error`.
    V2,
}

/// Body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One call.
    Single(Box<RawCall>),
    /// Several calls.
    Batch(Vec<Item>),
    /// JSON of another type.
    Other,
}

/// Element of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An object.
    Call(Box<RawCall>),
    /// JSON of another type.
    Other,
}

/// A request object, its fields not yet looked at. Of a repeated key the first value counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawCall {
    id: Option<Value>,
    jsonrpc: Option<Value>,
    method: Option<Value>,
    params: Option<RawParams>,
}

#[derive(Debug, Clone, PartialEq)]
enum RawParams {
    Given(Params),
    Null,
    Other,
}

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    /// [`code::PARSE_ERROR`] when it is not JSON.
    pub fn parse(body: &[u8]) -> Result<Self, RpcError> {
        serde_json::from_slice(body).map_err(|_| RpcError::new(code::PARSE_ERROR, "Parse error"))
    }
}

impl RawCall {
    /// The method field, for checks before the call.
    pub fn method(&self) -> Option<&Value> {
        self.method.as_ref()
    }
}

/// What is known of the call that is being answered. In a batch it carries over to an element that is no object.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// Identifier to repeat in the answer; `None` when the request had none.
    pub id: Option<Value>,
    /// Dialect.
    pub version: Version,
}

impl Default for Caller {
    fn default() -> Self {
        Self { id: Some(Value::Null), version: Version::V1 }
    }
}

impl Caller {
    /// Takes identifier and dialect out of a request object, then its method and parameters.
    pub fn read(&mut self, call: RawCall) -> Result<(String, Params), RpcError> {
        let invalid = |text: &str| RpcError::new(code::INVALID_REQUEST, text);
        self.id = call.id;
        self.version = match call.jsonrpc {
            None | Some(Value::Null) => Version::V1,
            Some(Value::String(text)) if text == "1.0" => Version::V1,
            Some(Value::String(text)) if text == "2.0" => Version::V2,
            other => {
                self.version = Version::V1;
                return Err(invalid(if matches!(other, Some(Value::String(_))) {
                    "JSON-RPC version not supported"
                } else {
                    "jsonrpc field must be a string"
                }));
            }
        };
        let method = match call.method {
            None | Some(Value::Null) => return Err(invalid("Missing method")),
            Some(Value::String(method)) => method,
            Some(_) => return Err(invalid("Method must be a string")),
        };
        let params = match call.params {
            Some(RawParams::Given(params)) => params,
            None | Some(RawParams::Null) => Params::default(),
            Some(RawParams::Other) => return Err(invalid("Params must be an array or object")),
        };
        Ok((method, params))
    }

    /// Does the client want no answer?
    pub fn is_notification(&self) -> bool {
        self.id.is_none() && self.version == Version::V2
    }

    /// Text of the answer. `result` is the JSON text of a result.
    pub fn answer(&self, result: Result<&str, &RpcError>) -> String {
        let mut text = String::with_capacity(64 + result.map_or(0, str::len));
        text.push('{');
        match (self.version, result) {
            (Version::V1, Ok(result)) => {
                text.push_str("\"result\":");
                text.push_str(result);
                text.push_str(",\"error\":null");
            }
            (Version::V1, Err(error)) => {
                text.push_str("\"result\":null,\"error\":");
                text.push_str(&error.to_value().to_string());
            }
            (Version::V2, Ok(result)) => {
                text.push_str("\"jsonrpc\":\"2.0\",\"result\":");
                text.push_str(result);
            }
            (Version::V2, Err(error)) => {
                text.push_str("\"jsonrpc\":\"2.0\",\"error\":");
                text.push_str(&error.to_value().to_string());
            }
        }
        if let Some(id) = &self.id {
            text.push_str(",\"id\":");
            text.push_str(&id.to_string());
        }
        text.push('}');
        text
    }
}

/// HTTP status that an error has in the 1.x dialect.
pub fn http_status(error: &RpcError) -> u16 {
    match error.code {
        code::INVALID_REQUEST => 400,
        code::METHOD_NOT_FOUND => 404,
        _ => 500,
    }
}

/// Text with all characters dropped that could confuse a log.
pub(crate) fn sanitize(text: &str, also: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || also.contains(*c)).collect()
}

/// Characters that are safe in method names in the log.
pub(crate) const SAFE_CHARS: &str = " .,;-_/:?@()";

/// Name under which serde_json, keeping numbers exact, passes a number off as a map.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// What a map turns out to be while it is read.
enum Key {
    Number,
    Name(String),
}

fn next_key<'de, A: MapAccess<'de>>(map: &mut A, first: bool) -> Result<Option<Key>, A::Error> {
    Ok(match map.next_key::<String>()? {
        Some(key) if first && key == NUMBER_KEY => Some(Key::Number),
        Some(key) => Some(Key::Name(key)),
        None => None,
    })
}

/// Methods for values that are neither array nor object.
macro_rules! visit_scalars {
    ($other:expr, $null:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($other)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($null)
        }
    };
}

/// Reads an object; `None` when the map is a number.
fn read_call<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<RawCall>, A::Error> {
    let mut call = RawCall::default();
    let mut first = true;
    fn keep<T>(slot: &mut Option<T>, value: T) {
        slot.get_or_insert(value);
    }
    while let Some(key) = next_key(&mut map, first)? {
        let Key::Name(key) = key else {
            map.next_value::<serde::de::IgnoredAny>()?;
            return Ok(None);
        };
        first = false;
        match key.as_str() {
            "id" => keep(&mut call.id, map.next_value()?),
            "jsonrpc" => keep(&mut call.jsonrpc, map.next_value()?),
            "method" => keep(&mut call.method, map.next_value()?),
            "params" => keep(&mut call.params, map.next_value()?),
            _ => {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
    }
    Ok(Some(call))
}

fn read_items<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(mut seq: A) -> Result<Vec<T>, A::Error> {
    let mut items = Vec::new();
    while let Some(item) = seq.next_element()? {
        items.push(item);
    }
    Ok(items)
}

fn skip_items<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor;
        impl<'de> Visitor<'de> for BodyVisitor {
            type Value = Body;
            visit_scalars!(Body::Other, Body::Other);
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Body, A::Error> {
                read_items(seq).map(Body::Batch)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Body, A::Error> {
                Ok(read_call(map)?.map_or(Body::Other, |call| Body::Single(Box::new(call))))
            }
        }
        deserializer.deserialize_any(BodyVisitor)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;
        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item;
            visit_scalars!(Item::Other, Item::Other);
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Item, A::Error> {
                skip_items(seq).map(|()| Item::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                Ok(read_call(map)?.map_or(Item::Other, |call| Item::Call(Box::new(call))))
            }
        }
        deserializer.deserialize_any(ItemVisitor)
    }
}

impl<'de> Deserialize<'de> for RawParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParamsVisitor;
        impl<'de> Visitor<'de> for ParamsVisitor {
            type Value = RawParams;
            visit_scalars!(RawParams::Other, RawParams::Null);
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RawParams, A::Error> {
                read_items(seq).map(|values| RawParams::Given(Params::Array(values)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawParams, A::Error> {
                let mut named = Vec::new();
                while let Some(key) = next_key(&mut map, named.is_empty())? {
                    match key {
                        Key::Number => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                            return Ok(RawParams::Other);
                        }
                        Key::Name(key) => named.push((key, map.next_value()?)),
                    }
                }
                Ok(RawParams::Given(Params::Object(named)))
            }
        }
        deserializer.deserialize_any(ParamsVisitor)
    }
}

/// Name of the method of a batch element, as the whitelist needs it.
pub(crate) fn batch_method(item: &Item) -> Result<&str, RpcError> {
    match item {
        Item::Other => Err(RpcError::new(code::INVALID_REQUEST, "Invalid Request object")),
        Item::Call(call) => call
            .method
            .as_ref()
            .unwrap_or(&NULL)
            .get_str()
            .map_err(|e| RpcError::new(code::PARSE_ERROR, e.message)),
    }
}
