//! Real child processes: this program starts itself with `-ipcfd`, as the node starts the wallet.

#![allow(clippy::unwrap_used)]

mod kit;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grs_interfaces::{CallError, CallResult, ChainClient, Hello, Init, Role, WalletLoader};
use grs_ipc::{
    BackOff, Child, Ipc, IpcAddress, Supervised, SupervisedWallet, Supervisor, SupervisorEvent,
    inherited_fd_argument, take_inherited_stream,
};
use kit::{FakeChain, FakeInit, args, request};

fn hello() -> Hello {
    let mut hello = Hello::new(Role::Node, "v31.0.0-test");
    hello.network = "regtest".into();
    hello
}

fn child_main(fd: i32) {
    let stream = take_inherited_stream(fd).unwrap();
    assert!(take_inherited_stream(fd).is_err(), "the descriptor has been taken");
    let ipc = Ipc::start("groestlcoin-wallet").unwrap();
    let init = FakeInit { chain: FakeChain::new(), role: Role::Wallet };
    ipc.serve_until_closed(stream, Arc::new(init)).unwrap();
}

fn spawn(ipc: &Ipc) -> Child {
    ipc.spawn(&std::env::current_exe().unwrap(), &hello()).unwrap()
}

fn all_suites_pass_across_processes() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let child = spawn(&ipc);
    let fake = FakeChain::new();
    kit::init_suite(&*child.init);
    kit::loader_suite(&*child.init, &fake);
    // The child made the same chain as this process.
    assert_eq!(child.init.make_chain().unwrap().get_block_hash(7), Ok(fake.hash(7)));
    let pid = child.process.pid();
    assert!(std::path::Path::new(&format!("/proc/{pid}/fd")).exists());
    child.init.connection().close();
    let status = child.process.wait(Duration::from_secs(10)).expect("the child ends when its socket closes");
    assert_eq!(status.code(), Some(0));
}

fn a_child_has_only_its_own_descriptors() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let _open = std::fs::File::open("/proc/self/status").unwrap();
    let child = spawn(&ipc);
    let mut sockets = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(format!("/proc/{}/fd", child.process.pid())).unwrap() {
        let target = std::fs::read_link(entry.unwrap().path()).unwrap().display().to_string();
        assert!(!target.contains("status"), "inherited {target}");
        // Named by inode: both halves of a connection are descriptors of one socket.
        if target.starts_with("socket:") {
            sockets.insert(target);
        }
    }
    assert_eq!(sockets.len(), 1, "{sockets:?}");
    let command = std::fs::read(format!("/proc/{}/cmdline", child.process.pid())).unwrap();
    let own = std::env::current_exe().unwrap();
    assert_eq!(command, [own.to_str().unwrap().as_bytes(), b"\0-ipcfd\x000\0"].concat());
}

fn errors_name_the_cause_of_a_childs_death() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let child = spawn(&ipc);
    let fake = FakeChain::new();
    let loader = child.init.make_wallet_loader(args(), fake.clone()).unwrap();
    loader.register_rpcs().unwrap();
    let name = child.process.name().to_owned();
    let pid = child.process.pid();
    let exited = |status| format!("Process {name} pid {pid} exited with status {status}.");
    let error = fake.run_rpc(request("sendall", "[\"exit\"]")).unwrap_err();
    let during = "IPC client method call interrupted by disconnect.";
    assert_eq!(error, CallError::disconnected(format!("{during} {}", exited(3 << 8))));
    let after = "IPC client method called after disconnect.";
    assert_eq!(loader.verify(), Err(CallError::disconnected(format!("{after} {}", exited(3 << 8)))));
    let (sender, receiver) = std::sync::mpsc::channel();
    child.init.connection().on_close(move |cause| sender.send(cause.to_owned()).unwrap());
    assert_eq!(receiver.recv_timeout(Duration::from_secs(5)).unwrap(), exited(3 << 8));
    // Its registrations and subscriptions are gone with it.
    drop(loader);
}

fn killing_a_child_ends_a_call_under_way() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let child = spawn(&ipc);
    let fake = FakeChain::new();
    let loader = child.init.make_wallet_loader(args(), fake.clone()).unwrap();
    loader.register_rpcs().unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| fake.run_rpc(request("sendall", "[\"sleep\"]")));
        std::thread::sleep(Duration::from_millis(50));
        let begin = Instant::now();
        child.process.kill().unwrap();
        let error = call.join().unwrap().unwrap_err();
        assert!(error.to_string().ends_with("exited with status 9."), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(2));
    });
}

fn a_stopped_child_is_not_waited_for() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let child = spawn(&ipc);
    let fake = FakeChain::new();
    let loader = child.init.make_wallet_loader(args(), fake.clone()).unwrap();
    loader.register_rpcs().unwrap();
    let pid = child.process.pid();
    let kill = |signal: &str| {
        let sent = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
        assert!(sent.unwrap().success());
    };
    kill("-STOP");
    let begin = Instant::now();
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| loader.verify());
        (fake.run_rpc(request("getbalance", "[]")).unwrap_err(), other.join().unwrap().unwrap_err())
    });
    assert!(begin.elapsed() < Duration::from_secs(20));
    for error in [first, second] {
        let text = error.to_string();
        assert!(text.contains(&format!("pid {pid} has not answered anything for 3 s.")), "{text}");
        assert!(!error.is_disconnected());
    }
    // It is known now, and nobody waits again.
    let begin = Instant::now();
    assert!(loader.verify().is_err());
    assert!(begin.elapsed() < Duration::from_secs(1));
    kill("-CONT");
    let begin = Instant::now();
    while loader.verify().is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    // A call may take longer than the limit if the process is alive.
    std::thread::scope(|scope| {
        let call = scope.spawn(|| fake.run_rpc(request("sendall", "[\"sleep\"]")));
        std::thread::sleep(Duration::from_secs(4));
        assert!(!call.is_finished());
        child.process.kill().unwrap();
        assert!(call.join().unwrap().is_err_and(|error| error.is_disconnected()));
    });
}

fn missing_programs_and_wrong_networks_and_versions_are_reported() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let error = ipc.spawn(std::path::Path::new("/nonexistent/groestlcoin-wallet"), &hello()).err().unwrap();
    assert!(error.to_string().starts_with("Cannot start /nonexistent/groestlcoin-wallet: "), "{error}");
    let mut other = hello();
    other.network = "main".into();
    let error = ipc.spawn(&std::env::current_exe().unwrap(), &other).err().unwrap();
    assert!(error.to_string().contains("Network mismatch"), "{error}");
    // Schemas of another major version: refused with a text that says what to do. A newer minor version is welcome.
    let newer = Hello { schema_major: hello().schema_major + 1, ..hello() };
    let error = ipc.spawn(&std::env::current_exe().unwrap(), &newer).err().unwrap().to_string();
    assert!(error.starts_with("Interface version mismatch: ") && error.contains("same release"), "{error}");
    let newer = Hello { schema_minor: hello().schema_minor + 1, ..hello() };
    assert!(ipc.spawn(&std::env::current_exe().unwrap(), &newer).is_ok());
    // A program that does not speak the protocol.
    let error = ipc.spawn(std::path::Path::new("/bin/true"), &hello()).err().unwrap();
    assert!(error.to_string().ends_with("exited with status 0."), "{error}");
}

struct Wallets {
    chain: Arc<FakeChain>,
    set_ups: AtomicU32,
    events: Arc<Mutex<Vec<SupervisorEvent>>>,
}

impl Supervised for Wallets {
    type Interface = dyn WalletLoader;

    fn set_up(&self, child: &Child) -> CallResult<Arc<dyn WalletLoader>> {
        self.set_ups.fetch_add(1, Ordering::Relaxed);
        let loader = child.init.make_wallet_loader(args(), self.chain.clone())?;
        loader.register_rpcs()?;
        Ok(loader)
    }

    fn event(&self, event: SupervisorEvent) {
        self.events.lock().unwrap().push(event);
    }
}

fn the_supervisor_restarts_a_child_that_dies() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let chain = FakeChain::new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let wallets = Wallets { chain: chain.clone(), set_ups: AtomicU32::new(0), events: events.clone() };
    let wait = Duration::from_millis(100);
    let policy = BackOff::new(wait, Duration::from_secs(1), Duration::from_secs(60));
    let program = std::env::current_exe().unwrap();
    let supervisor = Supervisor::start(&ipc, program, hello(), policy, wallets).unwrap();
    let first = supervisor.pid().unwrap();
    assert_eq!(supervisor.get().unwrap().verify(), Ok(true));
    assert!(chain.run_rpc(request("sendall", "[\"exit\"]")).unwrap_err().is_disconnected());
    kit::wait_until(|| supervisor.get().is_err());
    let cause = supervisor.get().err().unwrap().to_string();
    assert!(cause.ends_with(&format!("pid {first} exited with status 768.")), "{cause}");
    kit::wait_until(|| supervisor.get().is_ok());
    let second = supervisor.pid().unwrap();
    assert_ne!(first, second);
    // The new child has registered its commands anew.
    kit::wait_until(|| {
        chain.run_rpc(request("sendall", "[\"fee\"]")).is_ok_and(|reply| reply == Some(Ok("1".into())))
    });
    supervisor.stop(Duration::from_secs(10));
    kit::wait_until(|| !std::path::Path::new(&format!("/proc/{second}")).exists());
    let events = events.lock().unwrap().clone();
    assert_eq!(events[0], SupervisorEvent::Started { pid: first });
    assert_eq!(events[1], SupervisorEvent::Lost { cause, restart_in: wait });
    assert_eq!(events[2..], [SupervisorEvent::Started { pid: second }]);
}

fn a_supervised_wallet_comes_back_with_its_commands() {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let chain = FakeChain::new();
    let (sender, events) = std::sync::mpsc::channel();
    let policy = BackOff::new(Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(60));
    let program = std::env::current_exe().unwrap();
    let report = move |event| sender.send(event).unwrap();
    let wallet =
        SupervisedWallet::start(&ipc, program, hello(), policy, chain.clone(), args, report).unwrap();
    wallet.register_rpcs().unwrap();
    assert_eq!((wallet.verify(), wallet.load()), (Ok(true), Ok(true)));
    wallet.start().unwrap();
    wallet.set_mock_time(77).unwrap();
    assert_eq!(wallet.get_wallets().unwrap()[1], "77");
    let run = |params| chain.run_rpc(request("sendall", params));
    assert_eq!(run("[\"fee\"]"), Ok(Some(Ok("1".into()))));
    let pid = wallet.pid().unwrap();
    assert!(run("[\"exit\"]").unwrap_err().is_disconnected());
    // While it is away, the commands stay and say why they fail.
    kit::wait_until(|| wallet.get_wallets().is_err());
    // A step of the node's start goes on without it: the next process makes up for it.
    assert_eq!((wallet.verify(), wallet.start()), (Ok(true), Ok(())));
    let error = run("[]").unwrap_err();
    assert!(error.is_disconnected());
    assert!(error.to_string().contains(&format!("pid {pid} exited with status 768.")), "{error}");
    kit::wait_until(|| run("[\"fee\"]").is_ok());
    assert_eq!(wallet.get_wallets().unwrap()[1], "77");
    assert_ne!(wallet.pid().unwrap(), pid);
    wallet.stop().unwrap();
    assert_eq!(run("[]"), Ok(None));
    assert!(wallet.verify().unwrap_err().is_disconnected());
    let kinds: Vec<bool> =
        events.try_iter().map(|event| matches!(event, SupervisorEvent::Started { .. })).collect();
    assert_eq!(kinds, [true, false, true]);
}

fn outside_clients_reach_a_listening_node() {
    let dir = tempfile::tempdir().unwrap();
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let address = IpcAddress::parse("unix", dir.path()).unwrap();
    let fake = FakeChain::new();
    let bound = ipc.bind(&address, Arc::new(FakeInit { chain: fake.clone(), role: Role::Node })).unwrap();
    let client = Ipc::start("client").unwrap();
    let init = client.connect(&address).unwrap();
    kit::mining_suite(&init, &fake);
    // The seventeenth client is refused.
    let others: Vec<_> = (0..15).map(|_| client.connect(&address).unwrap()).collect();
    for other in &others {
        assert!(other.make_echo().is_ok());
    }
    let refused = client.connect(&address).unwrap();
    let error = refused.make_echo().err().unwrap();
    // The reason arrives, unless the closed socket is noticed before it.
    let reason = CallError::Remote("too many connections".into());
    assert!(error == reason || error.is_disconnected(), "{error:?}");
    bound.disconnect_all();
    kit::wait_until(|| init.connection().is_closed());
    drop(bound);
    assert!(!dir.path().join("node.sock").exists());
}

/// User and group that own nothing.
const NOBODY: u32 = 65_534;

/// The part of another user's program: says what became of its connection.
fn stranger_main(path: &std::path::Path) {
    let mut stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(e) => return println!("not connected: {e}"),
    };
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    match std::io::Read::read(&mut stream, &mut [0; 64]) {
        Ok(0) => println!("closed"),
        Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => println!("closed"),
        other => println!("{other:?}"),
    }
}

fn other_users_are_cut_off() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can start a program of another user");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let address = IpcAddress::parse("unix:s", dir.path()).unwrap();
    let init = Arc::new(FakeInit { chain: FakeChain::new(), role: Role::Node });
    let _bound = ipc.bind(&address, init).unwrap();
    let socket = dir.path().join("s");
    // A place that others can run a program from: where this one lies may be closed to them.
    let program = dir.path().join("stranger");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let stranger = || {
        let mut command = std::process::Command::new(&program);
        command.arg("-stranger").arg(&socket).uid(NOBODY).gid(NOBODY);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(dir.path(), 0o755);
    open(&program, 0o755);
    let text = stranger();
    assert!(text.starts_with("not connected: Permission denied"), "{text}");
    // Whoever opens the socket to all still does not let them in.
    open(&socket, 0o666);
    assert_eq!(stranger(), "closed\n");
    let client = Ipc::start("client").unwrap();
    assert!(client.connect(&address).unwrap().make_echo().is_ok());
}

fn main() {
    let list: Vec<_> = std::env::args_os().collect();
    if let [_, first, path] = &list[..]
        && first == "-stranger"
    {
        return stranger_main(path.as_ref());
    }
    if let Some(fd) = inherited_fd_argument(&list) {
        return child_main(fd.unwrap());
    }
    let tests: &[(&str, fn())] = &[
        ("all_suites_pass_across_processes", all_suites_pass_across_processes),
        ("a_child_has_only_its_own_descriptors", a_child_has_only_its_own_descriptors),
        ("errors_name_the_cause_of_a_childs_death", errors_name_the_cause_of_a_childs_death),
        ("killing_a_child_ends_a_call_under_way", killing_a_child_ends_a_call_under_way),
        ("a_stopped_child_is_not_waited_for", a_stopped_child_is_not_waited_for),
        (
            "missing_programs_and_wrong_networks_and_versions_are_reported",
            missing_programs_and_wrong_networks_and_versions_are_reported,
        ),
        ("other_users_are_cut_off", other_users_are_cut_off),
        ("the_supervisor_restarts_a_child_that_dies", the_supervisor_restarts_a_child_that_dies),
        (
            "a_supervised_wallet_comes_back_with_its_commands",
            a_supervised_wallet_comes_back_with_its_commands,
        ),
        ("outside_clients_reach_a_listening_node", outside_clients_reach_a_listening_node),
    ];
    for (name, test) in tests {
        let begin = Instant::now();
        test();
        println!("test {name} ... ok ({:?})", begin.elapsed());
    }
}
