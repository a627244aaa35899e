//! Descriptions of methods: arguments, results, examples, handler.
//!
//! ```
//! use grs_rpc::{Arg, Method, Res, Request, RpcError};
//! use serde_json::{Value, json};
//!
//! fn getblockhash(request: &Request) -> Result<Value, RpcError> {
//!     let height: i32 = request.arg("height")?;
//!     Ok(json!(format!("{height:064x}")))
//! }
//!
//! let method = Method::new("blockchain", "getblockhash", "Hash of the block at a height.", getblockhash)
//!     .arg(Arg::num("height", "The height"))
//!     .result(Res::hex("", "The block hash"))
//!     .example("1000")
//!     .fast();
//! assert_eq!(method.name(), "getblockhash");
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::error::RpcError;
use crate::request::Request;

/// Text of a description.
pub type Text = Cow<'static, str>;

/// What a handler gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A JSON tree.
    Value(Value),
    /// JSON text which the handler wrote itself, for large results. Must be valid JSON.
    Raw(String),
}

impl Output {
    /// The JSON tree; parses raw text.
    pub fn into_value(self) -> Result<Value, RpcError> {
        match self {
            Output::Value(value) => Ok(value),
            Output::Raw(text) => {
                serde_json::from_str(&text).map_err(|e| RpcError::bug(format!("raw result: {e}")))
            }
        }
    }

    /// The JSON text.
    pub fn into_text(self) -> String {
        match self {
            Output::Value(value) => value.to_string(),
            Output::Raw(text) => text,
        }
    }
}

impl From<Value> for Output {
    fn from(value: Value) -> Self {
        Output::Value(value)
    }
}

/// Function behind a method.
pub type Handler = Arc<dyn Fn(&Request<'_>) -> Result<Output, RpcError> + Send + Sync>;

/// JSON type that an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgType {
    /// Object with fixed keys.
    Obj,
    /// Array.
    Arr,
    /// String.
    Str,
    /// Number.
    Num,
    /// Boolean.
    Bool,
    /// Options object whose keys may also be given as named arguments.
    Options,
    /// Object whose keys the user chooses.
    ObjUserKeys,
    /// Amount in coins, number or string.
    Amount,
    /// String of hexadecimal digits.
    Hex,
    /// Number or pair of numbers.
    Range,
}

/// What happens when an argument is not given.
#[derive(Debug, Clone, PartialEq)]
pub enum Fallback {
    /// It must be given.
    Required,
    /// It is treated as absent.
    Omitted,
    /// Explained in words.
    Hint(Text),
    /// This value is used.
    Default(Value),
}

/// Description of one argument. Required unless a builder says otherwise.
#[derive(Debug, Clone)]
pub struct Arg {
    pub(crate) names: Text,
    pub(crate) ty: ArgType,
    pub(crate) inner: Vec<Arg>,
    pub(crate) fallback: Fallback,
    pub(crate) about: Text,
    pub(crate) skip_type_check: bool,
    pub(crate) oneline: Text,
    pub(crate) type_str: Option<(Text, Text)>,
    pub(crate) hidden: bool,
    pub(crate) also_positional: bool,
}

impl Arg {
    /// Argument of any type. `names` lists aliases after `|`, the first is the documented one.
    pub fn new(ty: ArgType, names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self {
            names: names.into(),
            ty,
            inner: Vec::new(),
            fallback: Fallback::Required,
            about: about.into(),
            skip_type_check: false,
            oneline: "".into(),
            type_str: None,
            hidden: false,
            also_positional: false,
        }
    }

    /// String.
    pub fn str(names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ArgType::Str, names, about)
    }

    /// Hexadecimal string.
    pub fn hex(names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ArgType::Hex, names, about)
    }

    /// Number.
    pub fn num(names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ArgType::Num, names, about)
    }

    /// Boolean.
    pub fn bool(names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ArgType::Bool, names, about)
    }

    /// Amount in coins.
    pub fn amount(names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ArgType::Amount, names, about)
    }

    /// Number or pair of numbers.
    pub fn range(names: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ArgType::Range, names, about)
    }

    /// Array of the inner arguments.
    pub fn arr(names: impl Into<Text>, about: impl Into<Text>, inner: impl IntoIterator<Item = Arg>) -> Self {
        Self::new(ArgType::Arr, names, about).inner(inner)
    }

    /// Object with fixed keys.
    pub fn obj(names: impl Into<Text>, about: impl Into<Text>, inner: impl IntoIterator<Item = Arg>) -> Self {
        Self::new(ArgType::Obj, names, about).inner(inner)
    }

    /// Object with keys chosen by the user.
    pub fn obj_user_keys(
        names: impl Into<Text>,
        about: impl Into<Text>,
        inner: impl IntoIterator<Item = Arg>,
    ) -> Self {
        Self::new(ArgType::ObjUserKeys, names, about).inner(inner)
    }

    /// Options object; its keys can be given as named arguments too. Optional.
    pub fn options(
        names: impl Into<Text>,
        about: impl Into<Text>,
        inner: impl IntoIterator<Item = Arg>,
    ) -> Self {
        Self::new(ArgType::Options, names, about).inner(inner).optional()
    }

    fn inner(mut self, inner: impl IntoIterator<Item = Arg>) -> Self {
        self.inner = inner.into_iter().collect();
        self
    }

    /// May be left out; without default.
    pub fn optional(mut self) -> Self {
        self.fallback = Fallback::Omitted;
        self
    }

    /// May be left out; the default is explained in words.
    pub fn default_hint(mut self, hint: impl Into<Text>) -> Self {
        self.fallback = Fallback::Hint(hint.into());
        self
    }

    /// May be left out; [`Request::arg`] then gives this value.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.fallback = Fallback::Default(value.into());
        self
    }

    /// Takes any JSON type; the handler looks at it.
    pub fn skip_type_check(mut self) -> Self {
        self.skip_type_check = true;
        self
    }

    /// How the argument is written in the one-line summary.
    pub fn oneline(mut self, text: impl Into<Text>) -> Self {
        self.oneline = text.into();
        self
    }

    /// Replaces the type in the detailed help: as a value inside an object, and in the description.
    pub fn type_str(mut self, value: impl Into<Text>, description: impl Into<Text>) -> Self {
        self.type_str = Some((value.into(), description.into()));
        self
    }

    /// Hides this argument and all that follow from help.
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// For a key of an options object whose name is a positional argument as well.
    pub fn also_positional(mut self) -> Self {
        self.also_positional = true;
        self
    }

    /// All names, separated by `|`.
    pub fn names(&self) -> &str {
        &self.names
    }

    /// The documented name.
    pub fn first_name(&self) -> &str {
        self.names.split('|').next().unwrap_or_default()
    }

    /// JSON type.
    pub fn arg_type(&self) -> ArgType {
        self.ty
    }

    /// Keys of an object, members of an array.
    pub fn inner_args(&self) -> &[Arg] {
        &self.inner
    }

    /// May it be left out?
    pub fn is_optional(&self) -> bool {
        self.fallback != Fallback::Required
    }

    /// Does `name` denote this argument?
    pub fn has_name(&self, name: &str) -> bool {
        self.names.split('|').any(|n| n == name)
    }
}

/// JSON type of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResType {
    /// Object with fixed keys.
    Obj,
    /// Array of like elements.
    Arr,
    /// String.
    Str,
    /// Number.
    Num,
    /// Boolean.
    Bool,
    /// Null.
    Null,
    /// Not checked and not documented.
    Any,
    /// Amount in coins (a JSON number).
    Amount,
    /// String of hexadecimal digits.
    Hex,
    /// Object with keys that are data.
    ObjDyn,
    /// Array with a fixed number of entries.
    ArrFixed,
    /// Seconds since 1970.
    Time,
    /// Dots that stand for more of something described elsewhere.
    Elision,
}

/// Description of a result or of a part of one.
#[derive(Debug, Clone)]
pub struct Res {
    pub(crate) ty: ResType,
    pub(crate) key: Text,
    pub(crate) inner: Vec<Res>,
    pub(crate) optional: bool,
    pub(crate) skip_type_check: bool,
    pub(crate) about: Text,
    pub(crate) cond: Text,
}

impl Res {
    /// Result of any type; `key` is its name in the enclosing object, else empty.
    pub fn new(
        ty: ResType,
        key: impl Into<Text>,
        about: impl Into<Text>,
        inner: impl IntoIterator<Item = Res>,
    ) -> Self {
        Self {
            ty,
            key: key.into(),
            inner: inner.into_iter().collect(),
            optional: false,
            skip_type_check: false,
            about: about.into(),
            cond: "".into(),
        }
    }

    /// String.
    pub fn str(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Str, key, about, [])
    }

    /// Hexadecimal string.
    pub fn hex(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Hex, key, about, [])
    }

    /// Number.
    pub fn num(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Num, key, about, [])
    }

    /// Time in seconds since 1970.
    pub fn time(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Time, key, about, [])
    }

    /// Amount in coins.
    pub fn amount(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Amount, key, about, [])
    }

    /// Boolean.
    pub fn bool(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Bool, key, about, [])
    }

    /// Null.
    pub fn null(key: impl Into<Text>, about: impl Into<Text>) -> Self {
        Self::new(ResType::Null, key, about, [])
    }

    /// Anything, not documented.
    pub fn any() -> Self {
        Self::new(ResType::Any, "", "", [])
    }

    /// Dots.
    pub fn elision(about: impl Into<Text>) -> Self {
        Self::new(ResType::Elision, "", about, [])
    }

    /// Object with fixed keys.
    pub fn obj(key: impl Into<Text>, about: impl Into<Text>, inner: impl IntoIterator<Item = Res>) -> Self {
        Self::new(ResType::Obj, key, about, inner)
    }

    /// Object with keys that are data; the first inner shape is that of every value.
    pub fn obj_dyn(
        key: impl Into<Text>,
        about: impl Into<Text>,
        inner: impl IntoIterator<Item = Res>,
    ) -> Self {
        Self::new(ResType::ObjDyn, key, about, inner)
    }

    /// Array of like elements.
    pub fn arr(key: impl Into<Text>, about: impl Into<Text>, inner: impl IntoIterator<Item = Res>) -> Self {
        Self::new(ResType::Arr, key, about, inner)
    }

    /// Array with a fixed number of entries.
    pub fn arr_fixed(
        key: impl Into<Text>,
        about: impl Into<Text>,
        inner: impl IntoIterator<Item = Res>,
    ) -> Self {
        Self::new(ResType::ArrFixed, key, about, inner)
    }

    /// The key may be missing.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// When this result comes, for instance `for verbosity = 0`.
    pub fn cond(mut self, cond: impl Into<Text>) -> Self {
        self.cond = cond.into();
        self
    }

    /// Leaves this part out of the check of results.
    pub fn skip_type_check(mut self) -> Self {
        self.skip_type_check = true;
        self
    }
}

/// Description of a method with its handler.
#[derive(Clone)]
pub struct Method {
    pub(crate) name: Text,
    pub(crate) category: Text,
    pub(crate) about: Text,
    pub(crate) args: Vec<Arg>,
    pub(crate) results: Vec<Res>,
    pub(crate) examples: String,
    pub(crate) handler: Handler,
    pub(crate) fast: bool,
}

impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("category", &self.category)
            .finish_non_exhaustive()
    }
}

impl Method {
    /// Method without arguments, results and examples so far. Category `hidden` keeps it out of the list of commands.
    pub fn new<F>(
        category: impl Into<Text>,
        name: impl Into<Text>,
        about: impl Into<Text>,
        handler: F,
    ) -> Self
    where
        F: Fn(&Request<'_>) -> Result<Value, RpcError> + Send + Sync + 'static,
    {
        Self::with_handler(
            category,
            name,
            about,
            Arc::new(move |request| handler(request).map(Output::Value)),
        )
    }

    /// Method that writes the JSON text of its result itself.
    pub fn new_raw<F>(
        category: impl Into<Text>,
        name: impl Into<Text>,
        about: impl Into<Text>,
        handler: F,
    ) -> Self
    where
        F: Fn(&Request<'_>) -> Result<Output, RpcError> + Send + Sync + 'static,
    {
        Self::with_handler(category, name, about, Arc::new(handler))
    }

    fn with_handler(
        category: impl Into<Text>,
        name: impl Into<Text>,
        about: impl Into<Text>,
        handler: Handler,
    ) -> Self {
        Self {
            name: name.into(),
            category: category.into(),
            about: about.into(),
            args: Vec::new(),
            results: Vec::new(),
            examples: String::new(),
            handler,
            fast: false,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: Arg) -> Self {
        self.args.push(arg);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = Arg>) -> Self {
        self.args.extend(args);
        self
    }

    /// Adds a possible result.
    pub fn result(mut self, result: Res) -> Self {
        self.results.push(result);
        self
    }

    /// Adds possible results.
    pub fn results(mut self, results: impl IntoIterator<Item = Res>) -> Self {
        self.results.extend(results);
        self
    }

    /// Adds a command-line example and an HTTP example with the same arguments. Arguments that are not the same in
    /// both forms (strings, several) need [`Method::example_cli`] and [`Method::example_rpc`].
    pub fn example(self, args: &str) -> Self {
        self.example_cli(args).example_rpc(args)
    }

    /// Adds a command-line example of this method.
    pub fn example_cli(mut self, args: &str) -> Self {
        self.examples.push_str(&crate::help::example_cli(&self.name, args));
        self
    }

    /// Adds an HTTP example of this method; `args` is the inside of a JSON array.
    pub fn example_rpc(mut self, args: &str) -> Self {
        self.examples.push_str(&crate::help::example_rpc(&self.name, args));
        self
    }

    /// Adds a command-line example with named arguments.
    pub fn example_cli_named(mut self, args: &[(&str, Value)]) -> Self {
        self.examples.push_str(&crate::help::example_cli_named(&self.name, args));
        self
    }

    /// Adds an HTTP example with named arguments.
    pub fn example_rpc_named(mut self, args: &[(&str, Value)]) -> Self {
        self.examples.push_str(&crate::help::example_rpc_named(&self.name, args));
        self
    }

    /// Adds text to the examples: a caption, or an example made by the functions of [`crate::help`].
    pub fn example_text(mut self, text: &str) -> Self {
        self.examples.push_str(text);
        self
    }

    /// The handler takes a few microseconds and never waits, so that it may run on the thread that read the request.
    pub fn fast(mut self) -> Self {
        self.fast = true;
        self
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Category, in small letters.
    pub fn category(&self) -> &str {
        &self.category
    }

    /// Arguments.
    pub fn arguments(&self) -> &[Arg] {
        &self.args
    }

    /// Possible results.
    pub fn result_shapes(&self) -> &[Res] {
        &self.results
    }

    /// Number of positional arguments up to the last required one.
    pub fn required_args(&self) -> usize {
        self.args.iter().rposition(|a| !a.is_optional()).map_or(0, |i| i + 1)
    }
}
