//! Every suite against the object in this process, and against the same object through a socket pair and through a
//! bound socket.

#![allow(clippy::unwrap_used)]

mod kit;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use grs_interfaces::{
    BlockCreateOptions, BlockWaitOptions, CallError, ChainNotifications, ChainstateRole, GlobalArgs, Hello,
    Init, Mining, Role,
};
use grs_ipc::{InitProxy, Ipc, IpcAddress, MAX_TEMPLATES};
use grs_primitives::Amount;
use kit::{FakeChain, FakeInit, Recorder};

/// Two IPC threads in one process, as two processes have.
struct Pair {
    fake: Arc<FakeChain>,
    init: InitProxy,
    _client: Ipc,
    server: Option<Ipc>,
}

fn pair() -> Pair {
    let pair = silent_pair();
    kit::greet(&pair.init);
    pair
}

/// The client has not said who it is.
fn silent_pair() -> Pair {
    let fake = FakeChain::new();
    let (server, client) = (Ipc::start("server").unwrap(), Ipc::start("client").unwrap());
    let (near, far) = UnixStream::pair().unwrap();
    server.serve_stream(far, Arc::new(FakeInit { chain: fake.clone(), role: Role::Node })).unwrap();
    let init = client.connect_stream(near).unwrap();
    Pair { fake, init, _client: client, server: Some(server) }
}

fn local() -> (Arc<FakeChain>, FakeInit) {
    let fake = FakeChain::new();
    (fake.clone(), FakeInit { chain: fake, role: Role::Node })
}

/// The same over a socket in the file system.
struct Bound {
    init: InitProxy,
    _client: Ipc,
    _socket: grs_ipc::Bound,
    _server: Ipc,
    _dir: tempfile::TempDir,
}

fn bound() -> (Arc<FakeChain>, Bound) {
    let (fake, init) = local();
    let dir = tempfile::tempdir().unwrap();
    let address = IpcAddress::parse("unix", dir.path()).unwrap();
    let (server, client) = (Ipc::start("server").unwrap(), Ipc::start("client").unwrap());
    let socket = server.bind(&address, Arc::new(init)).unwrap();
    let init = client.connect(&address).unwrap();
    kit::greet(&init);
    (fake, Bound { init, _client: client, _socket: socket, _server: server, _dir: dir })
}

macro_rules! everywhere {
    ($name:ident, |$init:ident, $fake:ident| $body:expr) => {
        #[test]
        fn $name() {
            {
                let ($fake, init) = local();
                let $init: &dyn Init = &init;
                $body;
            }
            {
                let pair = pair();
                let ($fake, $init): (_, &dyn Init) = (pair.fake.clone(), &pair.init);
                $body;
            }
            let ($fake, bound) = bound();
            let $init: &dyn Init = &bound.init;
            $body;
        }
    };
}

everywhere!(init_is_the_same_everywhere, |init, _fake| kit::init_suite(init));
everywhere!(chain_is_the_same_everywhere, |init, fake| kit::chain_suite(&*init.make_chain().unwrap(), &fake));
everywhere!(notifications_are_the_same_everywhere, |init, fake| {
    kit::notifications_suite(&*init.make_chain().unwrap(), &fake)
});
everywhere!(settings_are_the_same_everywhere, |init, _fake| kit::settings_suite(
    &*init.make_chain().unwrap()
));
everywhere!(wallet_loader_is_the_same_everywhere, |init, fake| kit::loader_suite(init, &fake));
everywhere!(node_is_the_same_everywhere, |init, _fake| kit::node_suite(init));
everywhere!(wallets_are_the_same_everywhere, |init, _fake| {
    kit::wallets_suite(&*init.make_node().unwrap().wallets().unwrap().unwrap())
});
everywhere!(wallets_of_a_loader_are_the_same_everywhere, |init, fake| {
    let loader = init.make_wallet_loader(grs_interfaces::GlobalArgs::default(), fake.clone()).unwrap();
    kit::wallets_suite(&*loader.gui_wallets().unwrap())
});
everywhere!(mining_is_the_same_everywhere, |init, fake| kit::mining_suite(init, &fake));

#[test]
fn the_first_call_is_hello() {
    let pair = silent_pair();
    let refused = |error: CallError| matches!(&error, CallError::Remote(text) if text.contains("The first call must be hello"));
    // What the reference has too works without.
    assert_eq!(pair.init.make_echo().unwrap().echo("early"), Ok("early".into()));
    assert!(pair.init.make_mining().unwrap().is_some());
    assert!(refused(pair.init.make_chain().err().unwrap()));
    let args = GlobalArgs::default();
    assert!(refused(pair.init.make_wallet_loader(args.clone(), pair.fake.clone()).err().unwrap()));
    // One that is refused does not count.
    let stranger = Hello { network: "main".into(), ..Hello::new(Role::Other, "test") };
    assert!(pair.init.hello(&stranger).is_err());
    assert!(refused(pair.init.make_chain().err().unwrap()));
    kit::greet(&pair.init);
    assert!(pair.init.make_chain().is_ok());
    assert!(pair.init.make_wallet_loader(args, pair.fake.clone()).is_ok());
}

#[test]
fn a_connection_holds_a_limited_number_of_templates() {
    let pair = pair();
    let mining = pair.init.make_mining().unwrap().unwrap();
    let create = || mining.create_new_block(BlockCreateOptions::default(), false).map(Option::unwrap);
    let mut held: Vec<_> = (0..MAX_TEMPLATES).map(|_| create().unwrap()).collect();
    let refused = create().err().unwrap().to_string();
    assert!(refused.contains("too many block templates"), "{refused}");
    // Another object of the connection is no way around it, and neither is waiting for the next one.
    let other = pair.init.make_mining().unwrap().unwrap();
    assert!(other.create_new_block(BlockCreateOptions::default(), false).is_err());
    let wait = BlockWaitOptions { timeout: Duration::ZERO, fee_threshold: Amount(0) };
    assert!(held[0].wait_next(wait).is_err());
    // Releasing has no answer, so it may be seen a moment later.
    held.pop();
    kit::wait_until(|| {
        create().is_ok_and(|made| {
            held.push(made);
            true
        })
    });
    assert!(create().is_err());
    // What came to nothing takes no place.
    held.clear();
    kit::wait_until(|| held_none(&*mining));
    for _ in 0..2 * MAX_TEMPLATES {
        assert!(mining.create_new_block(BlockCreateOptions::default(), true).unwrap().is_none());
    }
}

fn held_none(mining: &dyn Mining) -> bool {
    let made: Vec<_> = (0..MAX_TEMPLATES)
        .map_while(|_| mining.create_new_block(BlockCreateOptions::default(), false).ok())
        .collect();
    made.len() == MAX_TEMPLATES
}

#[test]
fn a_subscriber_that_fails_ends_its_subscription() {
    let pair = pair();
    let chain = pair.init.make_chain().unwrap();
    let recorder = Arc::new(Recorder::default());
    recorder.fail.store(true, std::sync::atomic::Ordering::Relaxed);
    let _handler = chain.handle_notifications(recorder).unwrap();
    pair.fake.notify(|to| to.updated_block_tip()).unwrap();
    let error = chain.wait_for_notifications().unwrap_err();
    assert_eq!(error, CallError::Remote("recorder is full".into()));
    assert!(pair.fake.notify(|to| to.updated_block_tip()).is_err());
}

#[test]
fn a_slow_subscriber_does_not_hold_the_sender_up() {
    let pair = pair();
    let chain = pair.init.make_chain().unwrap();
    let recorder = Arc::new(Recorder { delay: Some(Duration::from_millis(2)), ..Recorder::default() });
    let _handler = chain.handle_notifications(recorder.clone()).unwrap();
    let begin = std::time::Instant::now();
    let info = pair.fake.info(1);
    for _ in 0..100 {
        pair.fake.notify(|to| to.block_connected(ChainstateRole::NORMAL, &info)).unwrap();
    }
    let sent = begin.elapsed();
    chain.wait_for_notifications().unwrap();
    assert_eq!(recorder.take().len(), 100);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert!(sent < Duration::from_millis(150), "the sender waited {sent:?}");
}

#[test]
fn calls_fail_when_the_other_side_has_gone() {
    let mut pair = pair();
    let chain = pair.init.make_chain().unwrap();
    assert!(chain.get_height().is_ok());
    pair.server.take();
    let error = chain.get_height().unwrap_err();
    assert!(error.is_disconnected(), "{error:?}");
    assert!(pair.init.make_echo().err().unwrap().is_disconnected());
    let later = chain.mempool_min_fee().unwrap_err();
    assert_eq!(later, CallError::disconnected("IPC client method called after disconnect."));
}

#[test]
fn calls_under_way_fail_when_the_connection_ends() {
    let pair = pair();
    let mining = pair.init.make_mining().unwrap().unwrap();
    let tip = mining.get_tip().unwrap().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| mining.wait_tip_changed(tip.hash, Duration::from_secs(20)));
        std::thread::sleep(Duration::from_millis(50));
        pair.init.connection().set_cause("The test has ended it.");
        pair.init.connection().close();
        let error = waiting.join().unwrap().unwrap_err();
        let text = "IPC client method call interrupted by disconnect. The test has ended it.";
        assert_eq!(error, CallError::disconnected(text));
    });
}

#[test]
fn the_wallets_subscription_ends_with_its_connection() {
    let pair = pair();
    let chain = pair.init.make_chain().unwrap();
    let recorder: Arc<dyn ChainNotifications> = Arc::new(Recorder::default());
    let handler = chain.handle_notifications(recorder).unwrap();
    pair.init.connection().close();
    kit::wait_until(|| {
        pair.fake.notify(|to| to.updated_block_tip()).is_err()
            || pair.fake.subscribers.lock().unwrap().is_empty()
    });
    kit::wait_until(|| pair.fake.subscribers.lock().unwrap().is_empty());
    drop(handler);
}
