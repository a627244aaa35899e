//! A call as it reaches a handler, and typed access to its arguments.

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::RpcError;
use crate::method::{Fallback, Method};
use crate::value::{JsonExt, NULL};

/// Object that handlers find in [`CallInfo::context`].
pub type Context = Arc<dyn Any + Send + Sync>;

/// What is asked of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Run it.
    #[default]
    Execute,
    /// Its help text.
    GetHelp,
    /// Its rows of the table of argument conversions.
    GetArgs,
}

/// Circumstances of a call, the same for all calls of a batch.
#[derive(Clone)]
pub struct CallInfo {
    /// What is asked.
    pub mode: Mode,
    /// Path of the HTTP request, for instance `/wallet/name`, still percent-encoded.
    pub uri: String,
    /// Name of the user who authenticated.
    pub auth_user: String,
    /// Address and port of the client.
    pub peer_addr: String,
    /// State that the handlers work on.
    pub context: Context,
}

impl std::fmt::Debug for CallInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallInfo")
            .field("mode", &self.mode)
            .field("uri", &self.uri)
            .field("auth_user", &self.auth_user)
            .field("peer_addr", &self.peer_addr)
            .finish_non_exhaustive()
    }
}

impl CallInfo {
    /// Call from inside the process, on a context.
    pub fn new(context: Context) -> Self {
        Self {
            mode: Mode::Execute,
            uri: String::new(),
            auth_user: String::new(),
            peer_addr: String::new(),
            context,
        }
    }

    /// The context, when it is of type `T`.
    pub fn context<T: Any + Send + Sync>(&self) -> Result<&T, RpcError> {
        self.context.downcast_ref().ok_or_else(|| RpcError::internal("Node context not found"))
    }

    /// Shared handle on the context, when it is of type `T`.
    pub fn context_arc<T: Any + Send + Sync>(&self) -> Result<Arc<T>, RpcError> {
        self.context.clone().downcast().map_err(|_| RpcError::internal("Node context not found"))
    }
}

/// Parameters as the client sent them.
#[derive(Debug, Clone, PartialEq)]
pub enum Params {
    /// By position.
    Array(Vec<Value>),
    /// By name, in the order sent; names can repeat.
    Object(Vec<(String, Value)>),
}

impl Default for Params {
    fn default() -> Self {
        Params::Array(Vec::new())
    }
}

impl From<Vec<Value>> for Params {
    fn from(values: Vec<Value>) -> Self {
        Params::Array(values)
    }
}

impl From<Map<String, Value>> for Params {
    fn from(map: Map<String, Value>) -> Self {
        Params::Object(map.into_iter().collect())
    }
}

/// A call with its arguments by position, as a handler gets it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    method: &'a Method,
    name: &'a str,
    params: &'a [Value],
    info: &'a CallInfo,
}

impl Deref for Request<'_> {
    type Target = CallInfo;

    fn deref(&self) -> &CallInfo {
        self.info
    }
}

impl<'a> Request<'a> {
    /// Call of `method` under the name that the client used.
    pub fn new(method: &'a Method, name: &'a str, params: &'a [Value], info: &'a CallInfo) -> Self {
        Self { method, name, params, info }
    }

    /// Name of the method as called.
    pub fn method_name(&self) -> &'a str {
        self.name
    }

    /// Circumstances of the call.
    pub fn info(&self) -> &'a CallInfo {
        self.info
    }

    /// All arguments by position; may be shorter than the description.
    pub fn params(&self) -> &'a [Value] {
        self.params
    }

    /// Argument by position; null when not given.
    pub fn param(&self, index: usize) -> &'a Value {
        self.params.get(index).unwrap_or(&NULL)
    }

    /// Argument by name, without its default; null when not given.
    ///
    /// A name that the description does not have is a bug of the handler and gives null.
    pub fn value(&self, name: &str) -> &'a Value {
        let index = self.method.args.iter().position(|a| a.has_name(name));
        debug_assert!(index.is_some(), "method {} has no argument {name}", self.name);
        index.map_or(&NULL, |i| self.param(i))
    }

    /// Argument by name, or its default from the description, or null.
    pub fn value_or_default(&self, name: &str) -> &'a Value {
        let given = self.value(name);
        let fallback = self.method.args.iter().find(|a| a.has_name(name)).map(|a| &a.fallback);
        match fallback {
            Some(Fallback::Default(value)) if given.is_null() => value,
            _ => given,
        }
    }

    /// Required argument, or optional one that has a default.
    pub fn arg<T: FromValue<'a>>(&self, name: &str) -> Result<T, RpcError> {
        T::from_value(self.value_or_default(name))
    }

    /// Optional argument; its default if it has one, else `None` when not given or null.
    pub fn opt<T: FromValue<'a>>(&self, name: &str) -> Result<Option<T>, RpcError> {
        match self.value_or_default(name) {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }

    /// Was the argument given, and not null?
    pub fn has(&self, name: &str) -> bool {
        !self.value(name).is_null()
    }
}

/// Types that an argument can be read as.
pub trait FromValue<'a>: Sized {
    /// Reads, with the reference's errors for a wrong type or range.
    fn from_value(value: &'a Value) -> Result<Self, RpcError>;
}

macro_rules! from_int {
    ($($ty:ty),*) => {$(
        impl<'a> FromValue<'a> for $ty {
            fn from_value(value: &'a Value) -> Result<Self, RpcError> {
                value.get_int()
            }
        }
    )*};
}
from_int!(i8, u8, i16, u16, i32, u32, i64, u64, usize);

impl<'a> FromValue<'a> for bool {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        value.get_bool()
    }
}

impl<'a> FromValue<'a> for f64 {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        value.get_f64()
    }
}

impl<'a> FromValue<'a> for &'a str {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        value.get_str()
    }
}

impl<'a> FromValue<'a> for String {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        value.get_str().map(str::to_owned)
    }
}

impl<'a> FromValue<'a> for &'a Value {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        Ok(value)
    }
}

impl<'a> FromValue<'a> for &'a [Value] {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        value.get_array().map(Vec::as_slice)
    }
}

impl<'a> FromValue<'a> for &'a Map<String, Value> {
    fn from_value(value: &'a Value) -> Result<Self, RpcError> {
        value.get_object()
    }
}
