//! The threading contract of libmultiprocess, over a socket pair between two event loops.
//!
//! `conformance` has the items of the contract's checklist that concern the runtime.

#![allow(clippy::unwrap_used)]

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use grs_mp::{Connection, Error, EventLoop, LoopOptions, exception, proxy_capnp};

mod conformance;
#[allow(clippy::all, clippy::unwrap_used, clippy::unimplemented, unused)]
#[rustfmt::skip]
mod contract_capnp;
mod logs;
mod support;

use support::*;

#[test]
fn a_client_may_send_everything_without_waiting() {
    let pair = pair();
    let text = pair.root.call(|client, _| async move {
        let map = pipelined_map(&client);
        let mut request = client.echo_request();
        let mut p = request.get();
        p.reborrow().init_context().set_thread(pipelined_thread(&map, "pipelined"));
        p.set_text("first");
        Ok(request.send().promise.await?.get()?.get_text()?.to_string()?)
    });
    assert_eq!(text.unwrap(), "first");
}

#[test]
fn a_call_without_a_proper_thread_is_refused() {
    let pair = pair();
    let other = self::pair();
    let raw = |error: capnp::Error| Ok::<_, capnp::Error>(error.extra);
    let text = pair.root.call(move |client, _| async move {
        raw(client.echo_request().send().promise.await.map(|_| ()).unwrap_err())
    });
    assert_eq!(text.unwrap(), "remote exception: std::exception: invalid thread handle");
    // A thread of this side, not made by the receiver.
    let error = pair.root.call(move |client, call| async move {
        let mut request = client.echo_request();
        let local = pipelined_thread(&call.session().thread_map(), "local");
        request.get().init_context().set_thread(local);
        request.send().promise.await.map(|_| ())
    });
    assert_eq!(error, Err(Error::Remote("invalid thread handle".into())));
    assert_eq!(echo(&other.root, "still there"), Ok("still there".into()));
}

#[test]
fn calls_on_one_thread_run_in_order_and_on_others_at_the_same_time() {
    let pair = pair();
    let begin = Instant::now();
    pair.root
        .call(|client, _| async move {
            let map = pipelined_map(&client);
            let (one, two) = (pipelined_thread(&map, "one"), pipelined_thread(&map, "two"));
            let mut answers = Vec::new();
            for id in 0..4 {
                answers.push(work_request(&client, &one, id, 50).promise);
                answers.push(work_request(&client, &two, 10 + id, 50).promise);
            }
            for answer in answers {
                answer.await?;
            }
            Ok(())
        })
        .unwrap();
    let elapsed = begin.elapsed();
    assert!(elapsed >= Duration::from_millis(200), "{elapsed:?}");
    assert!(elapsed < Duration::from_millis(380), "threads waited for each other: {elapsed:?}");
    let started = pair.shared.started.lock().unwrap().clone();
    let of = |range: std::ops::Range<u32>| -> Vec<u32> {
        started.iter().copied().filter(|id| range.contains(id)).collect()
    };
    assert_eq!(of(0..10), [0, 1, 2, 3]);
    assert_eq!(of(10..20), [10, 11, 12, 13]);
}

#[test]
fn short_calls_keep_their_place_behind_long_ones() {
    let pair = pair();
    let order = pair.root.call(|client, _| async move {
        let thread = pipelined_thread(&pipelined_map(&client), "one");
        let begin = Instant::now();
        let long = work_request(&client, &thread, 1, 100).promise;
        let mut request = client.echo_request();
        request.get().init_context().set_thread(thread.clone());
        request.send().promise.await?;
        let waited = begin.elapsed();
        long.await?;
        Ok(waited)
    });
    assert!(order.unwrap() >= Duration::from_millis(100));
    // On a thread of its own it does not wait.
    std::thread::scope(|scope| {
        let long = scope.spawn(|| work(&pair.root, 2, 300));
        std::thread::sleep(Duration::from_millis(20));
        let begin = Instant::now();
        echo(&pair.root, "x").unwrap();
        assert!(begin.elapsed() < Duration::from_millis(150));
        long.join().unwrap().unwrap();
    });
}

#[test]
fn callbacks_run_on_the_waiting_thread_to_any_depth() {
    let pair = pair();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for depth in [1, 2, 7, 40] {
                    let next = pair.root.clone();
                    let expected = std::thread::current().id();
                    let (reached, _) = descend(&pair.root, depth, move |session| {
                        let session = session.clone();
                        capnp_rpc::new_client(CallbackServer { session, root: next, expected })
                    })
                    .unwrap();
                    assert_eq!(reached, depth);
                }
            });
        }
    });
}

#[test]
fn a_client_without_a_thread_map_gets_answers_but_no_calls_of_its_own_accord() {
    let pair = pair_with(false);
    assert_eq!(echo(&pair.root, "x"), Ok("x".into()));
}

#[test]
fn a_dropped_call_that_waits_is_never_executed() {
    let pair = pair();
    pair.root
        .call(|client, _| async move {
            let thread = pipelined_thread(&pipelined_map(&client), "one");
            let first = work_request(&client, &thread, 1, 100).promise;
            let dropped = work_request(&client, &thread, 2, 0);
            let last = work_request(&client, &thread, 3, 0).promise;
            tokio::time::sleep(Duration::from_millis(30)).await;
            drop(dropped);
            first.await?;
            last.await?;
            Ok(())
        })
        .unwrap();
    assert_eq!(*pair.shared.started.lock().unwrap(), [1, 3]);
}

#[test]
fn a_dropped_call_that_runs_keeps_its_thread_and_frees_the_client() {
    let pair = pair();
    let begin = Instant::now();
    let (freed, next) = pair
        .root
        .call(move |client, _| async move {
            let thread = pipelined_thread(&pipelined_map(&client), "one");
            let running = work_request(&client, &thread, 1, 200);
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(running);
            let freed = begin.elapsed();
            work_request(&client, &thread, 2, 0).promise.await?;
            Ok((freed, begin.elapsed()))
        })
        .unwrap();
    assert!(freed < Duration::from_millis(150), "{freed:?}");
    assert!(next >= Duration::from_millis(200), "{next:?}");
}

#[test]
fn errors_and_panics_of_methods_are_answers() {
    let pair = pair();
    let fail = |panic| {
        pair.root.call(move |client, call| async move {
            let mut request = client.fail_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            p.set_panic(panic);
            call.send(request).await.map(|_| ())
        })
    };
    assert_eq!(fail(false), Err(Error::Remote("it does not work".into())));
    assert_eq!(fail(true), Err(Error::Remote("internal error: the method panicked".into())));
    assert_eq!(echo(&pair.root, "alive"), Ok("alive".into()));
    assert_eq!(exception("x").extra, "std::exception: x");
}

#[test]
fn a_pool_takes_calls_that_name_no_thread() {
    let pair = pair();
    let begin = Instant::now();
    let second = pair.root.call(|client, _| async move {
        let map = pipelined_map(&client);
        let pool = |count| {
            let mut request = map.make_pool_request();
            request.get().set_count(count);
            request.send().promise
        };
        assert!(pool(0).await.is_err());
        pool(3).await?;
        let again = pool(3).await.map(|_| ()).unwrap_err().extra;
        let mut answers = Vec::new();
        for id in 0..3 {
            let mut request = client.work_request();
            let mut p = request.get();
            p.set_id(id);
            p.set_milliseconds(100);
            answers.push(request.send().promise);
        }
        for answer in answers {
            answer.await?;
        }
        Ok(again)
    });
    assert_eq!(second.unwrap(), "remote exception: std::exception: thread pool is already configured");
    assert!(begin.elapsed() < Duration::from_millis(250), "the pool is no pool: {:?}", begin.elapsed());
}

#[test]
fn threads_have_names_and_a_limit() {
    let pair = pair();
    let (name, made) = pair
        .root
        .call(|client, _| async move {
            let map = pipelined_map(&client);
            let thread = pipelined_thread(&map, "caller/7");
            let name = thread.get_name_request().send().promise.await?.get()?.get_result()?.to_string()?;
            let mut threads = Vec::new();
            loop {
                let mut request = map.make_thread_request();
                request.get().set_name("x");
                match request.send().promise.await {
                    Ok(answer) => threads.push(answer.get()?.get_result()?),
                    Err(error) => break Ok((name, (threads.len(), error.extra))),
                }
                if threads.len() > 10_000 {
                    break Err(capnp::Error::failed("no limit".into()));
                }
            }
        })
        .unwrap();
    let expected = format!("server-{}/s-capnp-loop-", std::process::id());
    assert!(name.starts_with(&expected) && name.ends_with(" (from caller/7)"), "{name}");
    assert!(made.0 > 1000 && made.1.ends_with("too many threads"), "{made:?}");
    // They are queues, not threads of the system.
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    assert!(threads < 200, "{threads} threads");
}

#[test]
fn blocking_on_the_event_loop_is_an_error_not_a_deadlock() {
    let pair = pair();
    let inner = pair.root.clone();
    let error = pair.root.call(move |_, _| async move { Ok(echo(&inner, "x")) }).unwrap();
    assert_eq!(error, Err(Error::Local("blocking call on the IPC thread".into())));
}

#[test]
fn garbage_ends_only_its_own_connection() {
    use std::io::{Read, Write};
    let pair = pair();
    let server = EventLoop::start(LoopOptions::new("server")).unwrap();
    for garbage in
        [&[0xff_u8; 64][..], b"GET / HTTP/1.1\r\n\r\n", &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 1, 2]]
    {
        let (mut near, far) = UnixStream::pair().unwrap();
        let conn =
            Connection::serve(&server.handle(), far, |session| root_client(session, Arc::default())).unwrap();
        let closed = Arc::new(AtomicBool::new(false));
        let note = closed.clone();
        conn.on_close(move |_| note.store(true, Ordering::Release));
        near.write_all(garbage).unwrap();
        near.shutdown(std::net::Shutdown::Write).unwrap();
        near.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // Perhaps an abort message, then the end.
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).unwrap();
        let begin = Instant::now();
        while !closed.load(Ordering::Acquire) {
            assert!(begin.elapsed() < Duration::from_secs(5));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert_eq!(echo(&pair.root, "alive"), Ok("alive".into()));
}

#[test]
fn many_threads_call_at_once() {
    let pair = pair();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let root = &pair.root;
            scope.spawn(move || {
                for n in 0..50 {
                    let text = format!("{thread} {n}");
                    assert_eq!(echo(root, &text), Ok(text));
                }
                work(root, thread, 1).unwrap();
            });
        }
    });
    let mut started = pair.shared.started.lock().unwrap().clone();
    started.sort_unstable();
    assert_eq!(started, (0..8).collect::<Vec<_>>());
}
