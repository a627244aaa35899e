//! A session as a window has it, with real processes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::common::{program, until};
use grs_gui_core::process::IpcConnect;
use grs_gui_core::view::{ActionId, SendCommand};
use grs_gui_core::{Backend, Command, Link, Reply, Session, SessionConfig, View};
use grs_gui_link::{IpcLauncher, LinkOptions};
use grs_interfaces::gui::{FeeChoice, NewWallet, SendRecipient, SendRequest};
use grs_interfaces::{Hello, Role, SecureString};

pub const COIN: i64 = 100_000_000;

pub struct Window {
    pub link: Arc<IpcLauncher>,
    pub session: Arc<Session>,
}

impl Window {
    pub fn open(data_dir: &std::path::Path, connect: IpcConnect) -> Window {
        let net_data_dir = data_dir.join("regtest");
        std::fs::create_dir_all(&net_data_dir).unwrap();
        let options = [
            "-regtest",
            "-listen=0",
            "-connect=0",
            "-dnsseed=0",
            "-server=0",
            "-printtoconsole=0",
            "-fallbackfee=0.0002",
        ];
        let mut arguments: Vec<_> = options.map(std::ffi::OsString::from).to_vec();
        arguments.push(format!("-datadir={}", data_dir.display()).into());
        let link = IpcLauncher::new(LinkOptions {
            net_data_dir: net_data_dir.clone(),
            program: program("groestlcoin-node"),
            arguments,
            hello: Hello { network: "regtest".into(), ..Hello::new(Role::Gui, "v31.0.0") },
        })
        .unwrap();
        let session = Session::start(SessionConfig {
            connect,
            launcher: link.clone(),
            data_dir: Some(net_data_dir),
            wallet: None,
            repaint: Arc::new(|| {}),
        })
        .unwrap();
        Window { link, session }
    }

    pub fn wait(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let view = self.session.view();
            if done(&view) {
                return view;
            }
            assert!(Instant::now() < end, "never: {what}; {:?} {:?}", view.link, view.wallet_link);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn ask(&self, command: impl FnOnce(ActionId) -> Command) -> Reply {
        let id = self.session.new_action();
        self.session.send(command(id));
        self.wait("a reply", |view| view.reply(id).is_some()).reply(id).unwrap().clone()
    }

    pub fn console(&self, line: &str) -> String {
        let before = self.session.view().console.len();
        self.session.send(Command::Console(line.into(), None));
        let view = self.wait("the console", |v| v.console.len() >= before + 2 && !v.console_busy);
        view.console.last().unwrap().text.clone()
    }

    /// Creates a wallet without passphrase.
    pub fn create_wallet(&self, name: &str) {
        let new = NewWallet { name: name.into(), ..NewWallet::default() };
        let reply = self.ask(|id| Command::CreateWallet(id, new));
        assert!(matches!(&reply, Reply::Wallet { name: got, .. } if got == name), "{reply:?}");
        self.wait("the new wallet", |v| v.wallet_name() == Some(name) && v.wallet_fresh());
    }

    /// A line of the console for a wallet.
    pub fn wallet_console(&self, wallet: &str, line: &str) -> String {
        let before = self.session.view().console.len();
        self.session.send(Command::Console(line.into(), Some(wallet.into())));
        let view = self.wait("the console", |v| v.console.len() >= before + 2 && !v.console_busy);
        view.console.last().unwrap().text.clone()
    }

    /// Mines so many blocks to an address of the wallet that is shown, and waits until it has seen them.
    pub fn mine_to_wallet(&self, blocks: i32) {
        let name = self.session.view().wallet_name().unwrap().to_owned();
        let address = self.wallet_console(&name, "getnewaddress");
        let height: i32 = self.console("getblockcount").parse().unwrap();
        self.console(&format!("generatetoaddress({blocks}, {address})"));
        let done =
            |v: &View| v.wallet.as_ref().is_some_and(|w| w.snapshot.last_block_height == height + blocks);
        self.wait("the blocks", done);
    }

    /// The order for a payment from the wallet that is shown. As a person would, it asks again while a wallet is lost.
    pub fn order(&self, address: &str, amount: i64) -> SendCommand {
        let to = SendRecipient { address: address.into(), amount, ..SendRecipient::default() };
        let payment = SendRequest { recipients: vec![to], fee: FeeChoice::Rate(20_000), replaceable: true };
        let preview = until("a preview", || match self.ask(|id| Command::Preview(id, payment.clone())) {
            Reply::Preview(preview) => Some(preview),
            Reply::Failed(_) => None,
            other => panic!("{other:?}"),
        });
        SendCommand {
            wallet: self.session.view().wallet_name().unwrap().to_owned(),
            tx: preview.tx.clone(),
            recipients: payment.recipients,
            total: preview.total,
            passphrase: SecureString::default(),
        }
    }

    pub fn quit(self) {
        self.session.send(Command::Quit);
        self.wait("the end", |v| v.link == Link::Closed);
    }
}

pub fn available(view: &View) -> i64 {
    view.wallet.as_ref().map_or(0, |w| w.snapshot.balances.available)
}

pub fn try_wallet_pid(node: u32) -> Option<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{node}/task")).ok()?;
    tasks.flatten().find_map(|task| {
        let children = std::fs::read_to_string(task.path().join("children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    })
}

pub fn wallet_pid(node: u32) -> i32 {
    try_wallet_pid(node).expect("the node has a wallet process")
}

pub fn kill(pid: i32) {
    let done = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

pub struct TempDir(pub PathBuf);

impl TempDir {
    pub fn new(name: &str) -> TempDir {
        let dir = std::env::temp_dir().join(format!("grs-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        TempDir(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
