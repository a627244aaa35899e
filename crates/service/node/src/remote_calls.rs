//! Commands of other processes, and which process a call is for.
//!
//! Several wallet processes may be attached, each with its own wallets and all with the same commands. A call goes to
//! the process that has the wallet of the request's path. A call that names no wallet follows the reference's rule over
//! the wallets of all of them. Calls that make or load a wallet go to the process that came first, which is the
//! node's own if it has one; a path that names a loaded wallet sends them to that wallet's process instead.
//!
//! With one process, which is the usual case, calls are passed on as they are.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use grs_interfaces::{CallResult, Handler, RpcActor, RpcCommand, RpcReply, RpcRequest};
use grs_log::{info, warn};
use grs_rpc::remote::forward;
use grs_rpc::{
    CommandCall, CommandHandle, Mode, Outcome, Output, RemoteCommand, RpcError, RpcTable, code, wallet,
};
use grs_sync::Interrupt;
use serde_json::Value;

/// How long a call waits for the names of the wallets of other processes. A process that does not answer counts with
/// the wallets that it had when it was last asked.
const NAMES_PATIENCE: Duration = Duration::from_secs(2);
/// Wallets of lost processes whose loss is remembered.
const MAX_LOST: usize = 256;
/// Category of the commands to which the rules about wallets apply.
const WALLET_CATEGORY: &str = "wallet";

/// What a command of the wallet category wants of the choice of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// All wallets of all processes.
    List,
    /// Makes a wallet, loads one, or looks into the wallet directory.
    Load,
    /// Unloads the wallet of its parameter or of the path.
    Unload,
    /// All others: works on a wallet.
    Use,
}

fn kind(method: &str) -> Kind {
    match method {
        "listwallets" => Kind::List,
        "createwallet" | "loadwallet" | "restorewallet" | "migratewallet" | "listwalletdir" => Kind::Load,
        "unloadwallet" => Kind::Unload,
        _ => Kind::Use,
    }
}

/// Wallets of a process as far as they are known.
#[derive(Default)]
struct Names {
    known: Vec<String>,
    /// They may have changed since.
    stale: bool,
    /// A question is under way.
    asking: bool,
}

/// A process with commands.
struct Provider {
    id: u64,
    actor: Arc<dyn RpcActor>,
    commands: Vec<String>,
    names: Mutex<Names>,
    answered: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Provider {
    fn known(&self) -> Vec<String> {
        lock(&self.names).known.clone()
    }

    fn has(&self, wallet: &str) -> bool {
        lock(&self.names).known.iter().any(|name| name == wallet)
    }

    fn list_wallets(&self) -> CallResult<Option<RpcReply>> {
        let request =
            RpcRequest { method: "listwallets".to_owned(), params: "[]".to_owned(), ..RpcRequest::default() };
        self.actor.call(request, true)
    }

    /// What a call to the lost process says about its end.
    fn why_lost(&self) -> String {
        let Err(error) = self.list_wallets() else { return "It let go of its commands.".to_owned() };
        let text = error.to_string();
        let cause = text.split_once("disconnect. ").map_or(text.as_str(), |(_, cause)| cause);
        cause.to_owned()
    }

    /// Asks for the names on a thread of its own, so that a process that does not answer holds up nobody.
    fn ask(self: &Arc<Self>) {
        {
            let mut names = lock(&self.names);
            if names.asking {
                return;
            }
            names.asking = true;
            names.stale = false;
        }
        let this = self.clone();
        let started = grs_sync::thread::spawn_quiet("walletnames", move || {
            let reply = this.list_wallets();
            let mut names = lock(&this.names);
            names.asking = false;
            match reply {
                Ok(Some(Ok(text))) => names.known = serde_json::from_str(&text).unwrap_or_default(),
                _ => names.stale = true,
            }
            this.answered.notify_all();
        });
        if started.is_err() {
            let mut names = lock(&self.names);
            names.asking = false;
            names.stale = true;
        }
    }

    fn wait_for_answer(&self, deadline: Instant) {
        let mut names = lock(&self.names);
        while names.asking {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            names = self.answered.wait_timeout(names, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Learns the names of wallets: of the processes where they may have changed, or of `all`.
fn refresh(providers: &[Arc<Provider>], all: bool) {
    let deadline = Instant::now() + NAMES_PATIENCE;
    let asked: Vec<_> = providers
        .iter()
        .filter(|p| {
            let names = lock(&p.names);
            all || names.stale || names.asking
        })
        .collect();
    asked.iter().for_each(|p| p.ask());
    asked.iter().for_each(|p| p.wait_for_answer(deadline));
}

#[derive(Default)]
struct State {
    /// In the order in which they came.
    providers: Vec<Arc<Provider>>,
    /// Entries in the table of commands.
    registered: BTreeMap<String, CommandHandle>,
    /// Wallets of lost processes, and why they were lost.
    lost: BTreeMap<String, String>,
    next: u64,
}

/// The commands of all other processes.
pub(crate) struct RemoteCalls {
    table: Arc<RpcTable>,
    shutdown: Interrupt,
    state: Mutex<State>,
}

impl RemoteCalls {
    /// No process so far. Commands go to `table`.
    pub(crate) fn new(table: Arc<RpcTable>, shutdown: Interrupt) -> Arc<RemoteCalls> {
        Arc::new(RemoteCalls { table, shutdown, state: Mutex::default() })
    }

    /// Adds the commands of a process, until the handler is disconnected, or dropped with the lost process.
    pub(crate) fn register(
        self: &Arc<Self>,
        commands: Vec<RpcCommand>,
        actor: Arc<dyn RpcActor>,
    ) -> Arc<dyn Handler> {
        let mut state = lock(&self.state);
        let id = state.next;
        state.next += 1;
        let provider = Arc::new(Provider {
            id,
            actor: actor.clone(),
            commands: commands.iter().map(|c| c.name.clone()).collect(),
            names: Mutex::new(Names { stale: true, ..Names::default() }),
            answered: Condvar::new(),
        });
        for command in commands {
            if let Entry::Vacant(place) = state.registered.entry(command.name.clone()) {
                place.insert(self.table.register_command(Arc::new(self.command(command))));
            }
        }
        state.providers.push(provider);
        // One process alone gets all calls, whatever its wallets are.
        if state.providers.len() > 1 {
            state.providers.iter().for_each(Provider::ask);
        }
        Arc::new(Registration { calls: Arc::downgrade(self), id, ended: Mutex::new(false) })
    }

    fn command(self: &Arc<Self>, command: RpcCommand) -> RemoteCommand {
        let calls: Weak<RemoteCalls> = Arc::downgrade(self);
        let of_wallet = command.category == WALLET_CATEGORY;
        grs_rpc::remote::command_with(command, move |call| match calls.upgrade() {
            Some(calls) => calls.dispatch(call, of_wallet),
            None => Ok(Outcome::NotHandled),
        })
    }

    /// Takes a process's commands away; `lost` if it did not ask for that.
    fn unregister(&self, id: u64, lost: bool) {
        let found = lock(&self.state).providers.iter().find(|p| p.id == id).cloned();
        let Some(provider) = found else { return };
        // Calls go on failing with the cause meanwhile.
        let cause = lost.then(|| provider.why_lost());
        {
            let mut state = lock(&self.state);
            state.providers.retain(|p| p.id != id);
            for name in &provider.commands {
                if state.providers.iter().any(|p| p.commands.contains(name)) {
                    continue;
                }
                if let Some(handle) = state.registered.remove(name) {
                    self.table.unregister(&handle);
                }
            }
            if let Some(cause) = &cause {
                for name in provider.known() {
                    if state.lost.len() < MAX_LOST {
                        state.lost.insert(name, cause.clone());
                    }
                }
                if state.providers.is_empty() {
                    self.table.set_gone(provider.commands.iter(), cause);
                }
            }
        }
        let names = provider.known();
        match cause {
            Some(_) if self.shutdown.is_interrupted() => {}
            Some(cause) => {
                warn!("Lost a wallet process with the wallets {names:?}: {cause} Its commands are gone.")
            }
            None => info!("A wallet process has detached"),
        }
    }

    fn providers(&self, method: &str) -> Vec<Arc<Provider>> {
        let state = lock(&self.state);
        state.providers.iter().filter(|p| p.commands.iter().any(|c| c == method)).cloned().collect()
    }

    fn dispatch(&self, call: &CommandCall<'_>, of_wallet: bool) -> Result<Outcome, RpcError> {
        let providers = self.providers(call.name);
        match providers.as_slice() {
            [] => Ok(Outcome::NotHandled),
            [only] => {
                let outcome = self.pass_on(only, call, true);
                match outcome {
                    Err(e) if of_wallet && e.code == code::WALLET_NOT_FOUND => Err(self.with_loss(call, e)),
                    other => other,
                }
            }
            several if of_wallet && call.info.mode == Mode::Execute => self.choose(several, call),
            several => Self::first_answer(several, call),
        }
    }

    /// Passes a call on and notes when wallets have changed by it.
    fn pass_on(&self, to: &Arc<Provider>, call: &CommandCall<'_>, last: bool) -> Result<Outcome, RpcError> {
        let outcome = forward(to.actor.as_ref(), call, last);
        let kind = kind(call.name);
        if !matches!(kind, Kind::Load | Kind::Unload) || call.name == "listwalletdir" {
            return outcome;
        }
        let mut names = lock(&to.names);
        // What the process itself says comes with the next question; until then this is as good.
        names.stale = true;
        let param = call.params.first().and_then(Value::as_str).map(str::to_owned);
        if matches!(outcome, Ok(Outcome::Done(_)))
            && let Some(name) = param.or_else(|| wallet::endpoint_wallet(&call.info.uri))
        {
            names.known.retain(|known| *known != name);
            if kind == Kind::Load {
                names.known.push(name);
            }
        }
        drop(names);
        outcome
    }

    fn first_answer(providers: &[Arc<Provider>], call: &CommandCall<'_>) -> Result<Outcome, RpcError> {
        let helps = call.info.mode != Mode::Execute;
        for (n, provider) in providers.iter().enumerate() {
            let last = n + 1 == providers.len();
            match forward(provider.actor.as_ref(), call, last) {
                Ok(Outcome::NotHandled) => {}
                // Any other process can explain the command just as well.
                Err(_) if helps && !last => {}
                outcome => return outcome,
            }
        }
        Ok(Outcome::NotHandled)
    }

    fn choose(&self, providers: &[Arc<Provider>], call: &CommandCall<'_>) -> Result<Outcome, RpcError> {
        let endpoint = wallet::endpoint_wallet(&call.info.uri);
        if endpoint.is_none() || kind(call.name) != Kind::Use {
            refresh(providers, false);
        }
        let param = call.params.first().and_then(Value::as_str).map(str::to_owned);
        match kind(call.name) {
            Kind::List => {
                let names = providers.iter().flat_map(|p| p.known()).map(Value::from).collect();
                Ok(Outcome::Done(Output::Value(Value::Array(names))))
            }
            Kind::Load => {
                let target = endpoint.and_then(|name| owner(providers, &name)).unwrap_or(&providers[0]);
                if call.name == "loadwallet"
                    && let Some(name) = param
                    && let Some(other) = owner(providers, &name)
                    && other.id != target.id
                {
                    return Err(RpcError::new(
                        code::WALLET_ALREADY_LOADED,
                        format!(
                            "Wallet \"{name}\" is already loaded by another wallet process of this node."
                        ),
                    ));
                }
                self.pass_on(target, call, true)
            }
            Kind::Unload => {
                let target = param.or(endpoint).and_then(|name| find(providers, &name));
                self.pass_on(target.unwrap_or(&providers[0]), call, true).map_err(|e| self.with_loss(call, e))
            }
            Kind::Use => match endpoint {
                Some(name) => match find(providers, &name) {
                    Some(target) => self.pass_on(target, call, true),
                    None => Err(self.with_loss(call, wallet::not_loaded())),
                },
                None => self.pass_on(only_owner(providers)?, call, true),
            },
        }
    }

    /// Adds why the process is gone that had the wallet, if one had it.
    fn with_loss(&self, call: &CommandCall<'_>, mut error: RpcError) -> RpcError {
        if let Some(name) = wallet::endpoint_wallet(&call.info.uri)
            && let Some(cause) = lock(&self.state).lost.get(&name)
            && error.code == code::WALLET_NOT_FOUND
        {
            error.message = format!("{}. The wallet process that had it is gone: {cause}", error.message);
        }
        error
    }
}

fn owner<'a>(providers: &'a [Arc<Provider>], wallet: &str) -> Option<&'a Arc<Provider>> {
    providers.iter().find(|p| p.has(wallet))
}

/// [`owner`]; if nobody is known to have it, everybody is asked.
fn find<'a>(providers: &'a [Arc<Provider>], wallet: &str) -> Option<&'a Arc<Provider>> {
    owner(providers, wallet).or_else(|| {
        refresh(providers, true);
        owner(providers, wallet)
    })
}

/// The process with the only wallet that is loaded anywhere.
fn only_owner(providers: &[Arc<Provider>]) -> Result<&Arc<Provider>, RpcError> {
    let count = || providers.iter().map(|p| p.known().len()).sum::<usize>();
    if count() != 1 {
        refresh(providers, true);
    }
    match count() {
        0 => Err(wallet::none_loaded()),
        1 => providers.iter().find(|p| !p.known().is_empty()).ok_or_else(wallet::none_loaded),
        _ => Err(wallet::not_specified()),
    }
}

/// The commands of one process.
struct Registration {
    calls: Weak<RemoteCalls>,
    id: u64,
    ended: Mutex<bool>,
}

impl Registration {
    fn end(&self, lost: bool) {
        if std::mem::replace(&mut *lock(&self.ended), true) {
            return;
        }
        if let Some(calls) = self.calls.upgrade() {
            calls.unregister(self.id, lost);
        }
    }
}

impl Handler for Registration {
    fn disconnect(&self) -> CallResult<()> {
        self.end(false);
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.end(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_interfaces::CallError;
    use grs_rpc::CallInfo;
    use serde_json::json;

    /// A process with wallets, which answers with its own name. While `stopped` it does not answer at all.
    struct Process {
        name: &'static str,
        wallets: Mutex<Vec<String>>,
        stopped: Mutex<bool>,
        go_on: Condvar,
        gone: Mutex<Option<String>>,
    }

    impl Process {
        fn new(name: &'static str, wallets: &[&str]) -> Arc<Process> {
            Arc::new(Process {
                name,
                wallets: Mutex::new(wallets.iter().map(|w| (*w).to_owned()).collect()),
                stopped: Mutex::new(false),
                go_on: Condvar::new(),
                gone: Mutex::new(None),
            })
        }

        fn set_stopped(&self, stopped: bool) {
            *lock(&self.stopped) = stopped;
            self.go_on.notify_all();
        }
    }

    impl RpcActor for Process {
        fn call(&self, request: RpcRequest, last: bool) -> CallResult<Option<RpcReply>> {
            drop(self.go_on.wait_while(lock(&self.stopped), |stopped| *stopped));
            if let Some(cause) = &*lock(&self.gone) {
                return Err(CallError::disconnected(cause.clone()));
            }
            assert!(last);
            let params: Vec<Value> = serde_json::from_str(&request.params).unwrap();
            let name = params.first().and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut wallets = lock(&self.wallets);
            let result = match request.method.as_str() {
                "listwallets" => json!(*wallets),
                "loadwallet" => {
                    wallets.push(name);
                    json!(self.name)
                }
                "unloadwallet" => {
                    wallets.retain(|w| *w != name);
                    json!(self.name)
                }
                _ => {
                    let wallet = wallet::endpoint_wallet(&request.uri);
                    if let Some(wallet) = wallet.filter(|w| !wallets.contains(w)) {
                        let e = wallet::not_loaded();
                        assert!(wallet != "never");
                        return Ok(Some(Err(grs_interfaces::RpcError { code: e.code, message: e.message })));
                    }
                    json!(self.name)
                }
            };
            Ok(Some(Ok(result.to_string())))
        }
    }

    fn commands() -> Vec<RpcCommand> {
        ["listwallets", "loadwallet", "unloadwallet", "getbalance"]
            .into_iter()
            .map(|name| RpcCommand {
                category: "wallet".into(),
                name: name.into(),
                arg_names: Vec::new(),
                unique_id: 0,
            })
            .collect()
    }

    struct Node {
        table: Arc<RpcTable>,
        calls: Arc<RemoteCalls>,
    }

    impl Node {
        fn new() -> Node {
            let table = Arc::new(RpcTable::new());
            table.set_warmup_finished();
            Node { calls: RemoteCalls::new(table.clone(), Interrupt::new()), table }
        }

        fn run(&self, uri: &str, method: &str, params: Value) -> Result<Value, (i32, String)> {
            let mut info = CallInfo::new(Arc::new(()));
            info.uri = uri.to_owned();
            let params: Vec<Value> = params.as_array().cloned().unwrap_or_default();
            let done = self.table.execute(&info, method, params.into());
            done.map(|o| o.into_value().unwrap()).map_err(|e| (e.code, e.message))
        }
    }

    #[test]
    fn a_call_goes_to_the_process_that_has_the_wallet() {
        let node = Node::new();
        let (one, two) = (Process::new("one", &["a"]), Process::new("two", &[]));
        let first = node.calls.register(commands(), one.clone());
        let second = node.calls.register(commands(), two.clone());
        // One wallet in all of them: no name is needed.
        assert_eq!(node.run("/", "getbalance", json!([])), Ok(json!("one")));
        // Loading goes to the first, unless the path names a wallet of another.
        assert_eq!(node.run("/", "loadwallet", json!(["b"])), Ok(json!("one")));
        lock(&two.wallets).push("c".into());
        assert_eq!(node.run("/wallet/c", "getbalance", json!([])), Ok(json!("two")));
        assert_eq!(node.run("/wallet/c", "loadwallet", json!(["d"])), Ok(json!("two")));
        assert_eq!(node.run("/wallet/d", "getbalance", json!([])), Ok(json!("two")));
        assert_eq!(node.run("/wallet/b", "getbalance", json!([])), Ok(json!("one")));
        assert_eq!(node.run("/", "listwallets", json!([])), Ok(json!(["a", "b", "c", "d"])));
        let elsewhere = node.run("/", "loadwallet", json!(["c"])).unwrap_err();
        assert_eq!(elsewhere.0, code::WALLET_ALREADY_LOADED);
        assert_eq!(node.run("/", "getbalance", json!([])).unwrap_err().0, code::WALLET_NOT_SPECIFIED);
        assert_eq!(node.run("/wallet/x", "getbalance", json!([])).unwrap_err().0, code::WALLET_NOT_FOUND);
        assert_eq!(node.run("/", "unloadwallet", json!(["c"])), Ok(json!("two")));
        assert_eq!(node.run("/", "listwallets", json!([])), Ok(json!(["a", "b", "d"])));
        // A process that leaves on purpose takes its wallets along.
        second.disconnect().unwrap();
        assert_eq!(node.run("/", "listwallets", json!([])), Ok(json!(["a", "b"])));
        assert_eq!(node.run("/wallet/d", "getbalance", json!([])).unwrap_err(), {
            let e = wallet::not_loaded();
            (e.code, e.message)
        });
        first.disconnect().unwrap();
        let gone = node.run("/", "getbalance", json!([])).unwrap_err();
        assert_eq!(gone, (code::METHOD_NOT_FOUND, "Method not found".into()));
    }

    #[test]
    fn errors_name_why_a_process_was_lost() {
        let node = Node::new();
        let (one, two) = (Process::new("one", &["a"]), Process::new("two", &["b"]));
        let first = node.calls.register(commands(), one.clone());
        let second = node.calls.register(commands(), two.clone());
        assert_eq!(node.run("/wallet/b", "getbalance", json!([])), Ok(json!("two")));
        *lock(&two.gone) = Some("It was killed.".into());
        let (_, text) = node.run("/wallet/b", "getbalance", json!([])).unwrap_err();
        assert_eq!(text, "It was killed.");
        drop(second);
        let (number, text) = node.run("/wallet/b", "getbalance", json!([])).unwrap_err();
        assert_eq!(number, code::WALLET_NOT_FOUND);
        assert!(text.ends_with("is gone: It was killed."), "{text}");
        assert_eq!(node.run("/", "getbalance", json!([])), Ok(json!("one")));
        *lock(&one.gone) = Some("Its socket closed.".into());
        drop(first);
        let (number, text) = node.run("/", "getbalance", json!([])).unwrap_err();
        assert_eq!(number, code::METHOD_NOT_FOUND);
        assert!(text.ends_with("Its socket closed."), "{text}");
        // It comes back.
        *lock(&one.gone) = None;
        let _first = node.calls.register(commands(), one);
        assert_eq!(node.run("/", "getbalance", json!([])), Ok(json!("one")));
    }

    #[test]
    fn a_process_that_does_not_answer_holds_up_no_others() {
        let node = Node::new();
        let (one, two) = (Process::new("one", &["a"]), Process::new("two", &["b"]));
        let _first = node.calls.register(commands(), one.clone());
        let _second = node.calls.register(commands(), two.clone());
        assert_eq!(node.run("/", "listwallets", json!([])), Ok(json!(["a", "b"])));
        one.set_stopped(true);
        let start = Instant::now();
        assert_eq!(node.run("/wallet/b", "getbalance", json!([])), Ok(json!("two")));
        assert_eq!(node.run("/wallet/b", "loadwallet", json!(["c"])), Ok(json!("two")));
        assert_eq!(node.run("/", "listwallets", json!([])), Ok(json!(["a", "b", "c"])));
        assert_eq!(node.run("/wallet/x", "getbalance", json!([])).unwrap_err().0, code::WALLET_NOT_FOUND);
        assert!(start.elapsed() < 2 * NAMES_PATIENCE);
        one.set_stopped(false);
    }
}
