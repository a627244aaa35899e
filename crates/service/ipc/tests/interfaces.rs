//! Every suite against the object in this process and against the same object through a socket pair.

#![allow(clippy::unwrap_used)]

mod kit;

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use grs_interfaces::{CallError, ChainNotifications, ChainstateRole, Init, Role};
use grs_ipc::{InitProxy, Ipc};
use kit::{FakeChain, FakeInit, Recorder};

/// Two IPC threads in one process, as two processes have.
struct Pair {
    fake: Arc<FakeChain>,
    init: InitProxy,
    _client: Ipc,
    server: Option<Ipc>,
}

fn pair() -> Pair {
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

macro_rules! both {
    ($name:ident, |$init:ident, $fake:ident| $body:expr) => {
        #[test]
        fn $name() {
            {
                let ($fake, init) = local();
                let $init: &dyn Init = &init;
                $body;
            }
            let pair = pair();
            let ($fake, $init): (_, &dyn Init) = (pair.fake.clone(), &pair.init);
            $body;
        }
    };
}

both!(init_is_the_same_on_both_sides, |init, _fake| kit::init_suite(init));
both!(chain_is_the_same_on_both_sides, |init, fake| kit::chain_suite(&*init.make_chain().unwrap(), &fake));
both!(notifications_are_the_same_on_both_sides, |init, fake| {
    kit::notifications_suite(&*init.make_chain().unwrap(), &fake)
});
both!(settings_are_the_same_on_both_sides, |init, _fake| kit::settings_suite(&*init.make_chain().unwrap()));
both!(wallet_loader_is_the_same_on_both_sides, |init, fake| kit::loader_suite(init, &fake));
both!(mining_is_the_same_on_both_sides, |init, fake| kit::mining_suite(init, &fake));

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
