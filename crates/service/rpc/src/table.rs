//! The table of commands: registration, dispatch, help, warm-up, running calls.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use grs_log::{Category, debug};
use serde_json::{Map, Value, json};

use crate::check;
use crate::error::{RpcError, code};
use crate::help;
use crate::method::{ArgType, Method, Output};
use crate::named::{ArgName, arg_names, positional};
use crate::request::{CallInfo, Mode, Params, Request};

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It has a result.
    Done(Output),
    /// Answer to [`Mode::GetHelp`].
    Help(String),
    /// Another provider of the same name should try.
    NotHandled,
}

/// Call of a command, arguments by position.
#[derive(Debug, Clone, Copy)]
pub struct CommandCall<'a> {
    /// Name that the client used.
    pub name: &'a str,
    /// Arguments by position.
    pub params: &'a [Value],
    /// Circumstances.
    pub info: &'a CallInfo,
    /// No further provider of this name follows.
    pub last_provider: bool,
    /// Compare the result with its description.
    pub doc_check: bool,
}

/// Something that can be called by name.
pub trait Command: Send + Sync {
    /// Name.
    fn name(&self) -> &str;
    /// Category, in small letters.
    fn category(&self) -> &str;
    /// Argument names in the order that [`positional`] needs.
    fn arg_names(&self) -> Cow<'_, [ArgName]>;
    /// May it run on the thread that read the request?
    fn is_fast(&self) -> bool {
        false
    }
    /// Runs it, or gives its help or argument rows, as `call.info.mode` says.
    fn call(&self, call: &CommandCall<'_>) -> Result<Outcome, RpcError>;
}

impl Command for Method {
    fn name(&self) -> &str {
        &self.name
    }

    fn category(&self) -> &str {
        &self.category
    }

    fn arg_names(&self) -> Cow<'_, [ArgName]> {
        Cow::Owned(arg_names(self))
    }

    fn is_fast(&self) -> bool {
        self.fast
    }

    fn call(&self, call: &CommandCall<'_>) -> Result<Outcome, RpcError> {
        match call.info.mode {
            Mode::GetArgs => return Ok(Outcome::Done(arg_map(self).into())),
            Mode::GetHelp => return Ok(Outcome::Help(help::method_help(self))),
            Mode::Execute => {}
        }
        if !(self.required_args()..=self.args.len()).contains(&call.params.len()) {
            return Err(RpcError::misc(help::method_help(self)));
        }
        if let Some(wrong) = check::argument_mismatch(&self.args, call.params) {
            let text = check::indented(&Value::Object(wrong));
            return Err(RpcError::type_error(format!("Wrong type passed:\n{text}")));
        }
        let mut output = (self.handler)(&Request::new(self, call.name, call.params, call.info))?;
        if call.doc_check {
            let value = output.into_value()?;
            if let Some(wrong) = check::result_mismatch(self, &value) {
                let text = check::indented(&wrong);
                return Err(RpcError::bug(format!(
                    "RPC call \"{}\" returned incorrect type:\n{text}",
                    self.name
                )));
            }
            output = Output::Value(value);
        }
        Ok(Outcome::Done(output))
    }
}

/// Rows `[method, position, name, is string]`, one for each name of each argument.
fn arg_map(method: &Method) -> Value {
    let is_string = |ty| matches!(ty, ArgType::Str | ArgType::Hex);
    let mut rows = Vec::new();
    for (position, arg) in method.args.iter().enumerate() {
        for name in arg.names.split('|') {
            rows.push(json!([method.name, position, name, is_string(arg.ty)]));
            if arg.ty == ArgType::Options {
                for inner in &arg.inner {
                    for name in inner.names.split('|') {
                        rows.push(json!([method.name, position, name, is_string(inner.ty)]));
                    }
                }
            }
        }
    }
    Value::Array(rows)
}

/// Function that carries a call to where the command lives.
pub type Forward = Box<dyn Fn(&CommandCall<'_>) -> Result<Outcome, RpcError> + Send + Sync>;

/// Command that lives elsewhere, for instance in a wallet process. Its closure answers all modes, help included.
pub struct RemoteCommand {
    name: String,
    category: String,
    args: Vec<ArgName>,
    forward: Forward,
}

impl RemoteCommand {
    /// Command forwarded to a closure. A [`code::WALLET_NOT_FOUND`] error passes the call on to the next provider of
    /// the same name, if there is one.
    pub fn new<F>(
        category: impl Into<String>,
        name: impl Into<String>,
        args: Vec<ArgName>,
        forward: F,
    ) -> Self
    where
        F: Fn(&CommandCall<'_>) -> Result<Outcome, RpcError> + Send + Sync + 'static,
    {
        Self { name: name.into(), category: category.into(), args, forward: Box::new(forward) }
    }
}

impl Command for RemoteCommand {
    fn name(&self) -> &str {
        &self.name
    }

    fn category(&self) -> &str {
        &self.category
    }

    fn arg_names(&self) -> Cow<'_, [ArgName]> {
        Cow::Borrowed(&self.args)
    }

    fn call(&self, call: &CommandCall<'_>) -> Result<Outcome, RpcError> {
        match (self.forward)(call) {
            Err(error) if error.code == code::WALLET_NOT_FOUND && !call.last_provider => {
                Ok(Outcome::NotHandled)
            }
            outcome => outcome,
        }
    }
}

/// Names one registration, for [`RpcTable::unregister`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandHandle {
    name: String,
    id: u64,
}

#[derive(Clone)]
struct Provider {
    id: u64,
    command: Arc<dyn Command>,
}

struct Active {
    id: u64,
    command: Arc<dyn Command>,
    start: Instant,
}

/// A running call, for `getrpcinfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveCommand {
    /// Name of the method.
    pub method: String,
    /// Time since it started.
    pub duration: Duration,
}

/// Table of commands.
pub struct RpcTable {
    commands: RwLock<BTreeMap<String, Vec<Provider>>>,
    /// Commands that nobody provides any more, and why.
    gone: Mutex<BTreeMap<String, String>>,
    next_id: AtomicU64,
    in_warmup: AtomicBool,
    warmup_status: Mutex<String>,
    running: AtomicBool,
    active: Mutex<Vec<Active>>,
    doc_check: AtomicBool,
}

impl Default for RpcTable {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for RpcTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RpcTable").field("commands", &self.read().len()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RpcTable {
    /// Empty table, warming up, not running.
    pub fn new() -> Self {
        Self {
            commands: RwLock::new(BTreeMap::new()),
            gone: Mutex::default(),
            next_id: AtomicU64::new(0),
            in_warmup: AtomicBool::new(true),
            warmup_status: Mutex::new("RPC server started".to_owned()),
            running: AtomicBool::new(false),
            active: Mutex::new(Vec::new()),
            doc_check: AtomicBool::new(false),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Vec<Provider>>> {
        self.commands.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Vec<Provider>>> {
        self.commands.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compare every result with its description (`-rpcdoccheck`).
    pub fn set_doc_check(&self, on: bool) {
        self.doc_check.store(on, Ordering::Relaxed);
    }

    /// Adds a method.
    pub fn register(&self, method: Method) -> CommandHandle {
        self.register_command(Arc::new(method))
    }

    /// Adds methods.
    pub fn register_all(&self, methods: impl IntoIterator<Item = Method>) -> Vec<CommandHandle> {
        methods.into_iter().map(|m| self.register(m)).collect()
    }

    /// Adds a command. Several providers of one name are asked in the order of registration.
    pub fn register_command(&self, command: Arc<dyn Command>) -> CommandHandle {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let name = command.name().to_owned();
        lock(&self.gone).remove(&name);
        self.write().entry(name.clone()).or_default().push(Provider { id, command });
        CommandHandle { name, id }
    }

    /// Removes one registration; `false` when it is gone already.
    pub fn unregister(&self, handle: &CommandHandle) -> bool {
        let mut commands = self.write();
        let Some(providers) = commands.get_mut(&handle.name) else { return false };
        let before = providers.len();
        providers.retain(|p| p.id != handle.id);
        let removed = providers.len() < before;
        if providers.is_empty() {
            commands.remove(&handle.name);
        }
        removed
    }

    /// Names of all commands, sorted.
    pub fn list_commands(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// The first provider of each name, with the number of its registration.
    pub fn first_commands(&self) -> Vec<(u64, Arc<dyn Command>)> {
        self.read().values().filter_map(|p| p.first()).map(|p| (p.id, p.command.clone())).collect()
    }

    /// May a call of this name run on the thread that read the request?
    pub fn is_fast(&self, name: &str) -> bool {
        self.read().get(name).and_then(|p| p.first()).is_some_and(|p| p.command.is_fast())
    }

    /// Text that calls get while the server warms up.
    pub fn set_warmup_status(&self, status: impl Into<String>) {
        *lock(&self.warmup_status) = status.into();
    }

    /// From now on calls are processed.
    pub fn set_warmup_finished(&self) {
        self.in_warmup.store(false, Ordering::Release);
    }

    /// The warm-up text, while it lasts.
    pub fn warmup_status(&self) -> Option<String> {
        self.in_warmup.load(Ordering::Acquire).then(|| lock(&self.warmup_status).clone())
    }

    /// Lets waiting calls go on waiting until [`RpcTable::interrupt`].
    pub fn start(&self) {
        debug!(Category::Rpc, "Starting RPC");
        self.running.store(true, Ordering::Release);
    }

    /// Tells waiting calls to give up.
    pub fn interrupt(&self) {
        if self.running.swap(false, Ordering::AcqRel) {
            debug!(Category::Rpc, "Interrupting RPC");
        }
    }

    /// Between start and interrupt?
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// For loops of handlers that wait: an error once the server shuts down.
    pub fn check_interrupt(&self) -> Result<(), RpcError> {
        if self.is_running() {
            Ok(())
        } else {
            Err(RpcError::new(code::CLIENT_NOT_CONNECTED, "Shutting down"))
        }
    }

    /// Running calls, oldest first.
    pub fn active_commands(&self) -> Vec<ActiveCommand> {
        lock(&self.active)
            .iter()
            .map(|a| ActiveCommand { method: a.command.name().to_owned(), duration: a.start.elapsed() })
            .collect()
    }

    /// Runs a command, once warmed up.
    pub fn execute(&self, info: &CallInfo, name: &str, params: Params) -> Result<Output, RpcError> {
        if let Some(status) = self.warmup_status() {
            return Err(RpcError::new(code::IN_WARMUP, status));
        }
        match self.dispatch(info, name, params, true)? {
            Outcome::Done(output) => Ok(output),
            Outcome::Help(text) => Ok(Output::Value(text.into())),
            Outcome::NotHandled => Err(match lock(&self.gone).get(name) {
                None => RpcError::new(code::METHOD_NOT_FOUND, "Method not found"),
                Some(cause) => RpcError::new(
                    code::METHOD_NOT_FOUND,
                    format!("Method not found. The process that provided it is gone: {cause}"),
                ),
            }),
        }
    }

    /// Remembers why commands that have been unregistered are gone, for the error of later calls.
    pub fn set_gone<'a>(&self, names: impl Iterator<Item = &'a String>, cause: &str) {
        let mut gone = lock(&self.gone);
        gone.extend(names.map(|name| (name.clone(), cause.to_owned())));
    }

    /// Asks the providers of a name in turn, in whatever mode `info` has, warm-up or not. This is what a wallet
    /// process answers forwarded calls with.
    pub fn dispatch(
        &self,
        info: &CallInfo,
        name: &str,
        params: Params,
        last_provider: bool,
    ) -> Result<Outcome, RpcError> {
        let providers = match self.read().get(name) {
            Some(providers) => providers.clone(),
            None => return Ok(Outcome::NotHandled),
        };
        for (index, provider) in providers.iter().enumerate() {
            let last = last_provider && index + 1 == providers.len();
            match self.run(provider, info, name, &params, last)? {
                Outcome::NotHandled => {}
                outcome => return Ok(outcome),
            }
        }
        Ok(Outcome::NotHandled)
    }

    fn run(
        &self,
        provider: &Provider,
        info: &CallInfo,
        name: &str,
        params: &Params,
        last_provider: bool,
    ) -> Result<Outcome, RpcError> {
        let _running = self.enter(provider);
        let by_name;
        let params = match params {
            Params::Array(values) => values.as_slice(),
            Params::Object(given) => {
                by_name = positional(given.clone(), &provider.command.arg_names())?;
                by_name.as_slice()
            }
        };
        let doc_check = self.doc_check.load(Ordering::Relaxed);
        let call = CommandCall { name, params, info, last_provider, doc_check };
        // A bug in one handler must not take a worker or the reactor down with it.
        catch_unwind(AssertUnwindSafe(|| provider.command.call(&call)))
            .unwrap_or_else(|_| Err(RpcError::bug(format!("method {name} panicked"))))
    }

    fn enter(&self, provider: &Provider) -> ActiveGuard<'_> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        lock(&self.active).push(Active { id, command: provider.command.clone(), start: Instant::now() });
        ActiveGuard { table: self, id }
    }

    /// Text of `help` for one command, or the list of all for an empty name.
    pub fn help(&self, name: &str, info: &CallInfo) -> String {
        let mut commands: Vec<(String, String, Arc<dyn Command>)> = self
            .read()
            .iter()
            .filter_map(|(name, providers)| Some((name.clone(), providers.first()?.command.clone())))
            .map(|(name, command)| (format!("{}{name}", command.category()), name, command))
            .collect();
        commands.sort_by(|a, b| a.0.cmp(&b.0));

        let info = CallInfo { mode: Mode::GetHelp, ..info.clone() };
        let mut text = String::new();
        let mut category = String::new();
        for (_, command_name, command) in commands {
            let wanted = if name.is_empty() { command.category() != "hidden" } else { command_name == name };
            if !wanted {
                continue;
            }
            let call = CommandCall {
                name: &command_name,
                params: &[],
                info: &info,
                last_provider: true,
                doc_check: false,
            };
            let Ok(Outcome::Help(help)) = command.call(&call) else { continue };
            if name.is_empty() {
                if category != command.category() {
                    if !category.is_empty() {
                        text.push('\n');
                    }
                    category = command.category().to_owned();
                    text.push_str(&format!("== {} ==\n", capitalized(&category)));
                }
                text.push_str(help.lines().next().unwrap_or_default());
            } else {
                text.push_str(&help);
            }
            text.push('\n');
        }
        if text.is_empty() {
            return format!("help: unknown command: {name}");
        }
        text.pop();
        text
    }

    /// Rows `[method, position, name, is string]` of all commands: what a command line must convert to JSON.
    pub fn dump_arg_map(&self, info: &CallInfo) -> Value {
        let info = CallInfo { mode: Mode::GetArgs, ..info.clone() };
        let mut rows = Vec::new();
        for name in self.list_commands() {
            if let Ok(Outcome::Done(output)) = self.dispatch(&info, &name, Params::default(), true)
                && let Ok(Value::Array(more)) = output.into_value()
            {
                rows.extend(more);
            }
        }
        Value::Array(rows)
    }
}

struct ActiveGuard<'a> {
    table: &'a RpcTable,
    id: u64,
}

impl Drop for ActiveGuard<'_> {
    fn drop(&mut self) {
        lock(&self.table.active).retain(|a| a.id != self.id);
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// JSON form of running calls, as `getrpcinfo` gives them.
pub(crate) fn active_to_value(active: &[ActiveCommand]) -> Value {
    active
        .iter()
        .map(|a| {
            let mut entry = Map::new();
            entry.insert("method".into(), a.method.clone().into());
            entry.insert("duration".into(), u64::try_from(a.duration.as_micros()).unwrap_or(u64::MAX).into());
            Value::Object(entry)
        })
        .collect()
}
