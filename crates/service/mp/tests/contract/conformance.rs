//! The items of the contract's checklist that concern the runtime. Those on FIFO order, concurrency and nesting, and on
//! calls that are dropped while they wait or run, are in `main`.

use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use grs_mp::{
    Connection, Error, EventLoop, Limit, Limits, LoopOptions, ObjectThread, Remote, RequestContext, Session,
    Transport,
};

use crate::contract_capnp::{callback, object, root};
use crate::support::*;

/// Runs a future without any executor of a library.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A callback that says what it was called with.
struct Reports(Rc<Session>, Arc<std::sync::Mutex<Vec<u32>>>);

impl callback::Server for Reports {
    async fn call(
        self: Rc<Self>,
        params: callback::CallParams,
        mut results: callback::CallResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.receive(&params);
        let p = params.get()?;
        let (depth, seen) = (p.get_depth(), self.1.clone());
        call.run(RequestContext::read(p.get_context()), move || {
            seen.lock().unwrap().push(depth);
            Ok::<_, String>(())
        })
        .await?;
        results.get().set_depth(depth + 1);
        call.done(&mut results)
    }
}

fn subscribe(root: &Remote<root::Client>) -> Arc<std::sync::Mutex<Vec<u32>>> {
    let seen = Arc::<std::sync::Mutex<Vec<u32>>>::default();
    let given = seen.clone();
    root.call(move |client, call| async move {
        let mut request = client.subscribe_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_callback(capnp_rpc::new_client(Reports(call.session().clone(), given)));
        call.send(request).await.map(|_| ())
    })
    .unwrap();
    seen
}

fn notify(root: &Remote<root::Client>, depth: u32) -> (u32, String) {
    root.call(move |client, _| async move {
        let mut request = client.notify_request();
        request.get().set_depth(depth);
        let response = request.send().promise.await?;
        let r = response.get()?;
        Ok((r.get_depth(), r.get_error()?.to_string()?))
    })
    .unwrap()
}

fn make_object(root: &Remote<root::Client>) -> Remote<object::Client> {
    root.call(|client, call| async move {
        let mut request = client.make_object_request();
        call.context(request.get().init_context())?;
        let response = call.send(request).await?;
        Ok(call.session().remote(response.get()?.get_result()?))
    })
    .unwrap()
}

fn use_object(object: &Remote<object::Client>) -> Result<u32, Error> {
    object.call(|client, call| async move {
        let mut request = client.use_request();
        call.context(request.get().init_context())?;
        Ok(call.send(request).await?.get()?.get_uses())
    })
}

fn destroy(object: &Remote<object::Client>) -> Result<(), Error> {
    object.call(|client, call| async move {
        let mut request = client.destroy_request();
        call.context(request.get().init_context())?;
        call.send(request).await.map(|_| ())
    })
}

#[test]
fn fully_pipelined_client_and_one_that_waits_for_each_answer() {
    // The pipelined order is what every connection of this library begins with; see also `main`.
    let pair = pair();
    assert_eq!(echo(&pair.root, "pipelined"), Ok("pipelined".into()));
    let text = pair.root.call(|client, _| async move {
        let constructed = client.construct_request().send().promise.await?;
        let map = constructed.get()?.get_thread_map()?;
        let mut request = map.make_thread_request();
        request.get().set_name("patient");
        let thread = request.send().promise.await?.get()?.get_result()?;
        let mut request = client.echo_request();
        let mut p = request.get();
        p.reborrow().init_context().set_thread(thread);
        p.set_text("one by one");
        Ok(request.send().promise.await?.get()?.get_text()?.to_string()?)
    });
    assert_eq!(text, Ok("one by one".into()));
}

#[test]
fn null_client_thread_map_is_accepted_and_callbacks_are_then_refused() {
    let pair = pair_with(false);
    assert_eq!(echo(&pair.root, "x"), Ok("x".into()));
    let seen = subscribe(&pair.root);
    let (_, error) = notify(&pair.root, 1);
    assert!(error.contains("thread map"), "{error}");
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(echo(&pair.root, "still there"), Ok("still there".into()));
}

#[test]
fn callee_calls_back_on_its_own_initiative() {
    let pair = pair();
    let seen = subscribe(&pair.root);
    for n in 0..3 {
        assert_eq!(notify(&pair.root, n), (n + 1, String::new()));
    }
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
}

#[test]
fn absent_foreign_and_broken_threads_are_errors() {
    let pair = pair();
    let others = self::pair();
    let absent = pair.root.call(|client, _| async move {
        Ok(client.work_request().send().promise.await.map(|_| ()).unwrap_err().extra)
    });
    assert_eq!(absent.unwrap(), "remote exception: std::exception: invalid thread handle");
    let broken = pair.root.call(|client, _| async move {
        let mut request = client.work_request();
        let thread = capnp::capability::FromClientHook::new(
            capnp_rpc::new_broken_cap(capnp::Error::failed("no such thread".into())).hook,
        );
        request.get().init_context().set_thread(thread);
        Ok(request.send().promise.await.map(|_| ()).unwrap_err().extra)
    });
    assert!(broken.unwrap().starts_with("remote exception: "));
    assert_eq!(echo(&pair.root, "alive"), Ok("alive".into()));
    assert_eq!(echo(&others.root, "alive"), Ok("alive".into()));
}

#[test]
fn second_pool_is_an_error() {
    let pair = pair();
    let texts = pair.root.call(|client, _| async move {
        let map = pipelined_map(&client);
        let pool = |count| {
            let mut request = map.make_pool_request();
            request.get().set_count(count);
            request.send().promise
        };
        pool(2).await?;
        Ok(pool(2).await.map(|_| ()).unwrap_err().extra)
    });
    assert_eq!(texts.unwrap(), "remote exception: std::exception: thread pool is already configured");
}

#[test]
fn unknown_ordinals_and_interfaces_are_unimplemented() {
    let pair = pair();
    for (interface, method) in [(0x1234, 0), (0, 99)] {
        let result = pair.root.call(move |client, _| async move {
            let known = <root::Client as capnp::traits::HasTypeId>::TYPE_ID;
            let id = if interface == 0 { known } else { interface };
            let request = client
                .client
                .new_call::<root::echo_params::Owned, root::echo_results::Owned>(id, method, None);
            request.send().promise.await.map(|_| ())
        });
        assert!(
            matches!(&result, Err(Error::Unimplemented(text)) if text.contains("not implemented")),
            "{result:?}"
        );
    }
    assert_eq!(echo(&pair.root, "alive"), Ok("alive".into()));
}

#[test]
fn destroy_twice_is_fine_and_use_afterwards_an_error() {
    let pair = pair();
    let object = make_object(&pair.root);
    assert_eq!((use_object(&object), use_object(&object)), (Ok(1), Ok(2)));
    assert_eq!(pair.shared.objects.load(Ordering::Acquire), 1);
    assert_eq!(pair.server.handle().stats().objects, 1);
    assert_eq!(destroy(&object), Ok(()));
    // The destructor has run when the answer comes.
    assert_eq!(pair.shared.objects.load(Ordering::Acquire), 0);
    assert_eq!(destroy(&object), Ok(()));
    assert_eq!(use_object(&object), Err(Error::Remote("object has been destroyed".into())));
    assert_eq!(pair.server.handle().stats().objects, 0);
}

#[test]
fn dropping_the_last_reference_releases_the_object_some_time_later() {
    let pair = pair();
    let object = make_object(&pair.root);
    let second = object.clone();
    drop(object);
    assert_eq!(use_object(&second), Ok(1));
    drop(second);
    eventually("release", || pair.shared.objects.load(Ordering::Acquire) == 0);
    assert_eq!(pair.server.handle().stats().objects, 0);
}

#[test]
fn disconnect_is_told_to_waiting_callers_and_later_ones() {
    let pair = pair();
    let (near, far) = UnixStream::pair().unwrap();
    let shared = Arc::new(Shared::default());
    let served = shared.clone();
    let conn =
        Connection::serve(&pair.server.handle(), far, move |session| root_client(session, served)).unwrap();
    let root = connect_root(pair.root.connection().event_loop(), near, true);
    let noted = Arc::new(std::sync::Mutex::new(String::new()));
    let note = noted.clone();
    root.connection().on_close(move |cause| *note.lock().unwrap() = cause.to_owned());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| work(&root, 1, 400));
        eventually("begin of the call", || !shared.started.lock().unwrap().is_empty());
        root.connection().set_cause("The server was replaced.");
        conn.close();
        let error = waiting.join().unwrap();
        let text = "IPC client method call interrupted by disconnect. The server was replaced.";
        assert_eq!(error, Err(Error::Disconnected(text.into())));
    });
    let text = "IPC client method called after disconnect. The server was replaced.";
    assert_eq!(work(&root, 2, 0), Err(Error::Disconnected(text.into())));
    eventually("disconnect notice", || *noted.lock().unwrap() == "The server was replaced.");
    assert!(root.connection().is_closed() && conn.is_closed());
    assert_eq!(echo(&pair.root, "others go on"), Ok("others go on".into()));
}

#[test]
fn asynchronous_callers_need_no_executor_of_ours() {
    let pair = pair();
    let home = pair.root.connection().event_loop();
    let (one, two) = (ObjectThread::new(home, "one"), ObjectThread::new(home, "two"));
    let work = |thread: &ObjectThread, id, milliseconds| {
        pair.root.call_future(Some(thread), move |client, call| async move {
            let mut request = client.work_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            p.set_id(id);
            p.set_milliseconds(milliseconds);
            call.send(request).await.map(|_| ())
        })
    };
    let begin = Instant::now();
    let (first, second, beside) = (work(&one, 1, 150), work(&one, 2, 150), work(&two, 3, 150));
    // A waiting call that is dropped is not executed.
    let dropped = work(&one, 4, 0);
    eventually("begin", || pair.shared.started.lock().unwrap().len() >= 2);
    drop(dropped);
    block_on(async {
        first.await.unwrap();
        second.await.unwrap();
        beside.await.unwrap();
    });
    let elapsed = begin.elapsed();
    assert!(elapsed >= Duration::from_millis(300), "{elapsed:?}");
    let last = work(&one, 5, 0);
    block_on(last).unwrap();
    let mut started = pair.shared.started.lock().unwrap().clone();
    started.retain(|id| *id != 3);
    assert_eq!(started, [1, 2, 5]);
    let plain = pair.root.call_future(None, |client, _| async move {
        let response = client.started_request().send().promise.await?;
        Ok(response.get()?.get_ids()?.len())
    });
    assert_eq!(block_on(plain), Ok(4));
    // A context needs a thread.
    let without = pair.root.call_future(None, |client, call| async move {
        call.context(client.echo_request().get().init_context())
    });
    assert!(matches!(block_on(without), Err(Error::Remote(text)) if text.contains("without a thread")));
}

#[test]
fn callbacks_of_asynchronous_callers_run_on_a_worker() {
    let pair = pair();
    let thread = ObjectThread::new(pair.root.connection().event_loop(), "async");
    let seen = Arc::<std::sync::Mutex<Vec<u32>>>::default();
    let given = seen.clone();
    let call = pair.root.call_future(Some(&thread), move |client, call| async move {
        let mut request = client.descend_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_depth(1);
        p.set_callback(capnp_rpc::new_client(Reports(call.session().clone(), given)));
        Ok(call.send(request).await?.get()?.get_depth())
    });
    assert_eq!(block_on(call), Ok(3));
    assert_eq!(*seen.lock().unwrap(), [1]);
}

#[test]
fn connections_run_over_other_streams_than_sockets() {
    let server = start_server(Limits::default());
    let client = EventLoop::start(LoopOptions::new("client")).unwrap();
    let (near, far) = tokio::io::duplex(4096);
    let (read, write) = tokio::io::split(far);
    let shared = Arc::new(Shared::default());
    let served = shared.clone();
    let conn = Connection::serve_over(
        &server.handle(),
        move || async move { Ok(Transport::halves(read, write)) },
        move |session| root_client(session, served),
    )
    .unwrap();
    let root = Connection::connect_over(
        &client.handle(),
        move || async move { Ok(Transport::stream(near)) },
        |client: &root::Client, threads| construct(client, Some(threads)),
    )
    .unwrap();
    assert_eq!(echo(&root, "duplex"), Ok("duplex".into()));
    // More than the stream takes at once, in both directions.
    assert_eq!(bytes(&root, vec![1; 300_000], 200_000).unwrap(), vec![(300_000_u32 % 256) as u8; 200_000]);
    root.connection().close();
    eventually("end", || conn.is_closed());
}

#[test]
fn callbacks_have_a_deadline() {
    /// A callback that never answers.
    struct Stuck;
    impl callback::Server for Stuck {
        async fn call(
            self: Rc<Self>,
            _: callback::CallParams,
            _: callback::CallResults,
        ) -> Result<(), capnp::Error> {
            std::future::pending().await
        }
    }
    let pair = pair_of(Limits { callback_time: Duration::from_millis(100), ..Limits::default() }, true);
    let result = descend(&pair.root, 1, |_| capnp_rpc::new_client(Stuck));
    assert_eq!(result, Err(Error::Remote(Limit::Callback.text().into())));
    assert_eq!(hits(&pair.server.handle().stats(), Limit::Callback), 1);
    assert_eq!(echo(&pair.root, "alive"), Ok("alive".into()));
}

#[test]
fn too_many_calls_are_refused_one_by_one() {
    let limits = Limits { max_calls: 8, max_backlog: 4, ..Limits::default() };
    let pair = pair_of(limits, true);
    let errors = pair.root.call(|client, _| async move {
        let map = pipelined_map(&client);
        let mut answers = Vec::new();
        for n in 0..3 {
            let thread = pipelined_thread(&map, "busy");
            for _ in 0..(if n == 0 { 7 } else { 6 }) {
                answers.push(work_request(&client, &thread, 1, 50).promise);
            }
        }
        let mut errors = Vec::new();
        for answer in answers {
            if let Err(error) = answer.await {
                errors.push(error.extra.trim_start_matches("remote exception: ").to_owned());
            }
        }
        Ok(errors)
    });
    let errors = errors.unwrap();
    assert!(errors.iter().any(|text| text == Limit::Calls.text()), "{errors:?}");
    assert!(errors.iter().any(|text| text == Limit::Backlog.text()), "{errors:?}");
    assert!(errors.len() < 19, "none was executed");
    assert_eq!(echo(&pair.root, "alive"), Ok("alive".into()));
    let stats = pair.server.handle().stats();
    assert_eq!(stats.calls_failed, errors.len() as u64);
    assert!(hits(&stats, Limit::Calls) > 0 && hits(&stats, Limit::Backlog) > 0);
}

#[test]
fn counters_follow_what_happens() {
    let pair = pair();
    let before = pair.server.handle().stats();
    assert_eq!((before.connections, before.calls), (1, 0));
    echo(&pair.root, "x").unwrap();
    std::thread::scope(|scope| {
        let long = scope.spawn(|| work(&pair.root, 1, 200));
        eventually("begin", || !pair.shared.started.lock().unwrap().is_empty());
        let during = pair.server.handle().stats();
        assert_eq!((during.calls, during.threads), (1, 2));
        assert!(during.workers >= 1);
        long.join().unwrap().unwrap();
    });
    eventually("release of the ended thread", || pair.server.handle().stats().threads == 1);
    let after = pair.server.handle().stats();
    assert_eq!((after.calls, after.calls_total - before.calls_total), (0, 2));
    assert!(after.bytes_in > before.bytes_in + 100 && after.bytes_out > before.bytes_out + 100);
    assert_eq!(after.panics, 0);
}

/// The reference crashes when its child does not get as far as `construct`.
#[test]
fn child_that_dies_before_construct_is_an_error_that_names_it() {
    let client = EventLoop::start(LoopOptions::new("client")).unwrap();
    for _ in 0..10 {
        let (process, stream) = grs_mp::spawn(std::path::Path::new("/bin/false")).unwrap();
        let root = connect_root(&client.handle(), stream, true);
        process.watch(root.connection());
        let Err(Error::Disconnected(text)) = echo(&root, "x") else { panic!("no error") };
        let cause = format!("Process false pid {} exited with status 256.", process.pid());
        assert!(text.ends_with(&cause), "{text}");
    }
    assert!(grs_mp::spawn(std::path::Path::new("/nowhere/at/all")).is_err());
    eventually("ends", || client.handle().stats().connections == 0);
}
