//! The wallet process as the node's wallet loader: started, watched, and restarted when it dies.
//!
//! A restarted process gets the same calls again that the first one got (`register_rpcs`, `verify`, `load`, `start`), so
//! that it loads the wallets named in the settings; then those that were loaded besides, by RPC. Its RPC commands stay registered with the node all the while: a
//! request that comes when there is no process is answered with an error that names the cause.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use grs_interfaces::{
    BilingualString, CallError, CallResult, Chain, ChainClient, GlobalArgs, Handler, HandlerFn, Hello,
    LoadWalletCallback, RpcActor, RpcCommand, RpcReply, RpcRequest, SecureString, WalletDirEntry,
    WalletLoader, WalletMigration, WalletOutcome, Wallets,
};

use crate::spawn::{Child, Ipc};
use crate::supervisor::{BackOff, Supervised, Supervisor, SupervisorEvent};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct RelayState {
    /// The commands of the present process, or of the last one.
    actor: Option<Arc<dyn RpcActor>>,
    handler: Option<Arc<dyn Handler>>,
    down: Option<String>,
    /// The process's loader, to ask which wallets it has.
    loader: Option<Weak<dyn WalletLoader>>,
    /// Wallets that were loaded when it was asked last.
    wallets: Vec<String>,
}

/// Methods after which other wallets are loaded than before.
const CHANGES_WALLETS: [&str; 5] =
    ["createwallet", "loadwallet", "unloadwallet", "restorewallet", "migratewallet"];

/// Commands of a process that may come and go, registered with the node once.
pub(crate) struct RpcRelay {
    chain: Arc<dyn Chain>,
    state: Mutex<RelayState>,
}

impl RpcRelay {
    fn new(chain: Arc<dyn Chain>) -> Arc<RpcRelay> {
        Arc::new(RpcRelay { chain, state: Mutex::default() })
    }

    /// Takes a process's commands. They stay when the process ends, until [`RpcRelay::clear`].
    pub(crate) fn register(
        self: &Arc<Self>,
        commands: Vec<RpcCommand>,
        actor: Arc<dyn RpcActor>,
    ) -> CallResult<Arc<dyn Handler>> {
        let known = {
            let mut state = lock(&self.state);
            state.actor = Some(actor);
            state.handler.is_some()
        };
        if !known {
            let handler = self.chain.handle_rpcs(commands, Arc::new(RelayActor(Arc::downgrade(self))))?;
            lock(&self.state).handler = Some(handler);
        }
        Ok(HandlerFn::new(|| {}))
    }

    fn set_down(&self, cause: Option<String>) {
        lock(&self.state).down = cause;
    }

    fn set_loader(&self, loader: &Arc<dyn WalletLoader>) {
        lock(&self.state).loader = Some(Arc::downgrade(loader));
        self.remember_wallets();
    }

    /// Asks the process which wallets are loaded. If it cannot say, the last answer stands.
    fn remember_wallets(&self) {
        let loader = lock(&self.state).loader.as_ref().and_then(Weak::upgrade);
        if let Some(wallets) = loader.and_then(|l| l.get_wallets().ok()) {
            lock(&self.state).wallets = wallets;
        }
    }

    fn wallets(&self) -> Vec<String> {
        lock(&self.state).wallets.clone()
    }

    /// Takes the commands away from the node.
    fn clear(&self) {
        let (handler, actor) = {
            let mut state = lock(&self.state);
            (state.handler.take(), state.actor.take())
        };
        if let Some(handler) = handler {
            let _ = handler.disconnect();
        }
        drop(actor);
    }
}

/// The commands, for the node.
struct RelayActor(Weak<RpcRelay>);

impl RpcActor for RelayActor {
    fn call(&self, request: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>> {
        let gone = || CallError::disconnected("The wallet process is not running.");
        let relay = self.0.upgrade().ok_or_else(gone)?;
        let actor = {
            let state = lock(&relay.state);
            if let Some(cause) = &state.down {
                return Err(CallError::disconnected(format!("The wallet process is not running. {cause}")));
            }
            state.actor.clone().ok_or_else(gone)?
        };
        let changes = CHANGES_WALLETS.contains(&request.method.as_str());
        // If the process has just died, this fails and names the cause.
        let reply = actor.call(request, last_callback);
        if changes && matches!(reply, Ok(Some(Ok(_)))) {
            relay.remember_wallets();
        }
        reply
    }
}

/// How far the node has started the wallet.
#[derive(Debug, Clone, Default)]
struct Stage {
    registered: bool,
    verified: bool,
    loaded: bool,
    started: bool,
    mock_time: i64,
    callbacks: Vec<(u64, Weak<Subscription>)>,
    next: u64,
}

struct Shared {
    chain: Arc<dyn Chain>,
    relay: Arc<RpcRelay>,
    args: Box<dyn Fn() -> GlobalArgs + Send + Sync>,
    report: Box<dyn Fn(SupervisorEvent) + Send + Sync>,
    stage: Mutex<Stage>,
}

/// A subscription that outlives the process it was made with.
struct Subscription {
    callback: Arc<dyn LoadWalletCallback>,
    handler: Mutex<Option<Arc<dyn Handler>>>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}

struct Supervision(Arc<Shared>);

/// Loads the wallets of the process before that the settings do not name. One that does not load is left out: the others
/// are worth having.
fn load_again(loader: &dyn WalletLoader, names: &[String]) -> CallResult<()> {
    let present = loader.get_wallets()?;
    for name in names.iter().filter(|name| !present.contains(name)) {
        if let Err(error) = loader.load_wallet(name)?.result {
            grs_log::warn!("Wallet {name} is not loaded again: {}", error.original);
        }
    }
    Ok(())
}

impl Supervised for Supervision {
    type Interface = dyn WalletLoader;

    fn set_up(&self, child: &Child) -> CallResult<Arc<dyn WalletLoader>> {
        let shared = &self.0;
        let loader = child.init.make_wallet_loader_with(
            (shared.args)(),
            shared.chain.clone(),
            Some(shared.relay.clone()),
        )?;
        let stage = lock(&shared.stage).clone();
        let failed = || CallError::remote("The wallet process could not load its wallets again.");
        if stage.mock_time != 0 {
            loader.set_mock_time(stage.mock_time)?;
        }
        if stage.registered {
            loader.register_rpcs()?;
        }
        if stage.verified && !loader.verify()? {
            return Err(failed());
        }
        if stage.loaded && !loader.load()? {
            return Err(failed());
        }
        if stage.loaded {
            load_again(loader.as_ref(), &shared.relay.wallets())?;
        }
        if stage.started {
            loader.start()?;
        }
        for subscription in stage.callbacks.iter().filter_map(|(_, subscription)| subscription.upgrade()) {
            let handler = loader.handle_load_wallet(subscription.callback.clone())?;
            *lock(&subscription.handler) = Some(handler);
        }
        shared.relay.set_loader(&loader);
        shared.relay.set_down(None);
        Ok(loader)
    }

    fn event(&self, event: SupervisorEvent) {
        if let SupervisorEvent::Lost { cause, .. } = &event {
            self.0.relay.set_down(Some(cause.clone()));
        }
        (self.0.report)(event);
    }
}

/// A wallet process that is restarted when it dies; the node's [`WalletLoader`].
pub struct SupervisedWallet {
    shared: Arc<Shared>,
    supervisor: Mutex<Option<Arc<Supervisor<Supervision>>>>,
}

impl SupervisedWallet {
    /// Starts `program` as the wallet process of `chain`. `args` gives the settings for each process that is started;
    /// `report` gets each start and death, for the log. A failure of the first start is final.
    pub fn start(
        ipc: &Ipc,
        program: PathBuf,
        hello: Hello,
        back_off: BackOff,
        chain: Arc<dyn Chain>,
        args: impl Fn() -> GlobalArgs + Send + Sync + 'static,
        report: impl Fn(SupervisorEvent) + Send + Sync + 'static,
    ) -> CallResult<Arc<SupervisedWallet>> {
        let shared = Arc::new(Shared {
            relay: RpcRelay::new(chain.clone()),
            chain,
            args: Box::new(args),
            report: Box::new(report),
            stage: Mutex::default(),
        });
        let supervisor = Supervisor::start(ipc, program, hello, back_off, Supervision(shared.clone()))?;
        Ok(Arc::new(SupervisedWallet { shared, supervisor: Mutex::new(Some(Arc::new(supervisor))) }))
    }

    /// Process id of the running process.
    pub fn pid(&self) -> Option<u32> {
        lock(&self.supervisor).as_ref().and_then(|supervisor| supervisor.pid())
    }

    fn loader(&self) -> CallResult<Arc<dyn WalletLoader>> {
        let supervisor = lock(&self.supervisor).clone();
        match supervisor {
            Some(supervisor) => supervisor.get(),
            None => Err(CallError::disconnected("The wallet process has been stopped.")),
        }
    }

    fn stage(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut lock(&self.shared.stage));
    }

    /// A step of the start. If the process is lost in it, its successor makes up for it, and the node goes on: `lost` is
    /// the answer then. A process that shows no sign of life is replaced.
    fn step<T>(
        &self,
        mark: impl Fn(&mut Stage, bool),
        call: impl FnOnce(&dyn WalletLoader) -> CallResult<T>,
        lost: T,
    ) -> CallResult<T> {
        // Before the call, so that a successor that comes during it knows.
        self.stage(|stage| mark(stage, true));
        let error = match self.loader().and_then(|loader| call(loader.as_ref())) {
            Err(error) => error,
            done => return done,
        };
        let silent = error.is_silence();
        let stopped = lock(&self.supervisor).is_none();
        if stopped || (!silent && !error.is_disconnected()) {
            self.stage(|stage| mark(stage, false));
            return Err(error);
        }
        if silent && let Some(supervisor) = lock(&self.supervisor).clone() {
            supervisor.replace(&error.to_string());
        }
        Ok(lost)
    }
}

impl ChainClient for SupervisedWallet {
    fn register_rpcs(&self) -> CallResult<()> {
        self.step(|stage, done| stage.registered = done, |loader| loader.register_rpcs(), ())
    }

    fn verify(&self) -> CallResult<bool> {
        let good = self.step(|stage, done| stage.verified = done, |loader| loader.verify(), true)?;
        self.stage(|stage| stage.verified = good);
        Ok(good)
    }

    fn load(&self) -> CallResult<bool> {
        let good = self.step(|stage, done| stage.loaded = done, |loader| loader.load(), true)?;
        self.stage(|stage| stage.loaded = good);
        self.shared.relay.remember_wallets();
        Ok(good)
    }

    fn start(&self) -> CallResult<()> {
        self.step(|stage, done| stage.started = done, |loader| loader.start(), ())
    }

    /// Stops the wallet and waits for its process to end.
    fn stop(&self) -> CallResult<()> {
        let stopped = self.loader().and_then(|loader| loader.stop());
        self.shared.relay.clear();
        let supervisor = lock(&self.supervisor).take();
        if let Some(supervisor) = supervisor.and_then(Arc::into_inner) {
            // Closing large wallets takes time. A process that has not even answered gets little.
            let patience = if stopped.is_ok() { 60 } else { 2 };
            supervisor.stop(Duration::from_secs(patience));
        }
        match stopped {
            // It is gone, which is what was wanted.
            Err(error) if error.is_disconnected() => Ok(()),
            other => other,
        }
    }

    fn set_mock_time(&self, time: i64) -> CallResult<()> {
        self.stage(|stage| stage.mock_time = time);
        self.loader()?.set_mock_time(time)
    }

    fn scheduler_mock_forward(&self, seconds: i64) -> CallResult<()> {
        self.loader()?.scheduler_mock_forward(seconds)
    }
}

impl WalletLoader for SupervisedWallet {
    fn create_wallet(&self, name: &str, passphrase: SecureString, flags: u64) -> CallResult<WalletOutcome> {
        self.loader()?.create_wallet(name, passphrase, flags)
    }

    fn load_wallet(&self, name: &str) -> CallResult<WalletOutcome> {
        self.loader()?.load_wallet(name)
    }

    fn restore_wallet(
        &self,
        backup_file: &str,
        name: &str,
        load_after_restore: bool,
    ) -> CallResult<WalletOutcome> {
        self.loader()?.restore_wallet(backup_file, name, load_after_restore)
    }

    fn migrate_wallet(
        &self,
        name: &str,
        passphrase: SecureString,
    ) -> CallResult<Result<WalletMigration, BilingualString>> {
        self.loader()?.migrate_wallet(name, passphrase)
    }

    fn is_encrypted(&self, name: &str) -> CallResult<bool> {
        self.loader()?.is_encrypted(name)
    }

    fn get_wallet_dir(&self) -> CallResult<String> {
        self.loader()?.get_wallet_dir()
    }

    fn list_wallet_dir(&self) -> CallResult<Vec<WalletDirEntry>> {
        self.loader()?.list_wallet_dir()
    }

    fn get_wallets(&self) -> CallResult<Vec<String>> {
        self.loader()?.get_wallets()
    }

    /// Of the process that runs now. After its death it is of no use; the node tells windows of each new process.
    fn gui_wallets(&self) -> CallResult<Arc<dyn Wallets>> {
        self.loader()?.gui_wallets()
    }

    fn handle_load_wallet(&self, callback: Arc<dyn LoadWalletCallback>) -> CallResult<Arc<dyn Handler>> {
        let handler = self.loader()?.handle_load_wallet(callback.clone())?;
        let subscription = Arc::new(Subscription { callback, handler: Mutex::new(Some(handler)) });
        let id = {
            let mut stage = lock(&self.shared.stage);
            stage.next += 1;
            let id = stage.next;
            stage.callbacks.push((id, Arc::downgrade(&subscription)));
            id
        };
        let shared = Arc::downgrade(&self.shared);
        Ok(HandlerFn::new(move || {
            if let Some(shared) = shared.upgrade() {
                lock(&shared.stage).callbacks.retain(|(other, _)| *other != id);
            }
            let handler = lock(&subscription.handler).take();
            if let Some(handler) = handler {
                let _ = handler.disconnect();
            }
        }))
    }
}
