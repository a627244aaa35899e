//! Abuse of templates by a client that is not ours: what crashes the reference is an error here.

#![allow(clippy::unwrap_used)]

#[allow(unused_imports, reason = "this program uses only some of the kit")]
mod kit;

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use capnp::capability::Promise;
use grs_interfaces::Role;
use grs_ipc::Ipc;
use grs_ipc_schema::init_capnp::init;
use grs_ipc_schema::mining_capnp::block_template;
use grs_mp::{Call, Connection, Remote};
use kit::{FakeChain, FakeInit};

/// A server, and a client that knows nothing but the schema.
fn pair() -> (Ipc, Ipc, Remote<init::Client>) {
    let (server, client) = (Ipc::start("server").unwrap(), Ipc::start("client").unwrap());
    let (near, far) = UnixStream::pair().unwrap();
    let init = Arc::new(FakeInit { chain: FakeChain::new(), role: Role::Node });
    server.serve_stream(far, init).unwrap();
    let remote = Connection::connect(&client.handle(), near, |client: &init::Client, threads| {
        let mut request = client.construct_request();
        request.get().set_thread_map(threads);
        let answer = request.send();
        let promise = answer.promise;
        let done = Promise::from_future(async move { promise.await.map(|_| ()) });
        (answer.pipeline.get_thread_map(), done)
    });
    (server, client, remote.unwrap())
}

async fn template(init: init::Client, call: &Call) -> capnp::Result<block_template::Client> {
    let mut request = init.make_mining_request();
    call.context(request.get().init_context())?;
    let mining = call.send(request).await?.get()?.get_result()?;
    let mut request = mining.create_new_block_request();
    call.context(request.get().init_context())?;
    request.get().set_cooldown(false);
    call.send(request).await?.get()?.get_result()
}

#[test]
fn a_destroyed_template_answers_with_errors() {
    let (_server, _client, remote) = pair();
    let errors = remote.call(|client, call| async move {
        let template = template(client, &call).await?;
        for _ in 0..2 {
            let mut request = template.destroy_request();
            call.context(request.get().init_context())?;
            call.send(request).await?;
        }
        let mut errors = Vec::new();
        macro_rules! ask {
            ($($request:ident),*) => {$(
                let mut request = template.$request();
                call.context(request.get().init_context())?;
                errors.push(call.send(request).await.err().map(|error| error.extra));
            )*};
        }
        ask!(get_block_header_request, get_block_request, get_tx_fees_request, get_tx_sigops_request);
        ask!(get_coinbase_tx_request, get_coinbase_merkle_path_request, wait_next_request);
        let mut request = template.submit_solution_request();
        call.context(request.get().init_context())?;
        request.get().set_coinbase(&[0; 10]);
        errors.push(call.send(request).await.err().map(|error| error.extra));
        let interrupted = call.send(template.interrupt_wait_request()).await;
        errors.push(interrupted.err().map(|error| error.extra));
        Ok(errors)
    });
    let errors = errors.unwrap();
    assert_eq!(errors.len(), 9);
    for error in errors {
        let text = error.unwrap();
        assert!(text.contains("std::exception: "), "{text}");
        assert!(text.contains("destroyed") || text.contains("end of data"), "{text}");
    }
}

#[test]
fn a_solution_without_coinbase_is_none() {
    let (_server, _client, remote) = pair();
    let answers = remote.call(|client, call| async move {
        let template = template(client, &call).await?;
        let mut request = template.submit_solution_request();
        call.context(request.get().init_context())?;
        let absent = call.send(request).await?.get()?.get_result();
        let mut texts = Vec::new();
        for coinbase in [&[][..], &[1, 0, 0, 0, 1]] {
            let mut request = template.submit_solution_request();
            call.context(request.get().init_context())?;
            request.get().set_coinbase(coinbase);
            texts.push(call.send(request).await.err().map(|error| error.extra).unwrap_or_default());
        }
        Ok((absent, texts))
    });
    let (absent, texts) = answers.unwrap();
    assert!(!absent);
    for text in texts {
        assert!(text.contains("SpanReader::read(): end of data: iostream error"), "{text}");
    }
}
