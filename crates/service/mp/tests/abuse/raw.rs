//! A client that speaks the protocol by hand, so that it can do so badly.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use capnp::any_pointer;
use capnp::message::Builder;
use capnp::traits::{HasTypeId, ImbueMut};
use capnp_rpc::rpc_capnp::{cap_descriptor, message, message_target, promised_answer};
use grs_mp::proxy_capnp::{thread, thread_map};

use crate::contract_capnp::root;

/// A capability in parameters.
#[derive(Clone, Copy)]
pub(crate) enum Cap {
    /// The first pointer of the answer to a question.
    Answer(u32),
    /// Something of the client's own.
    Own(u32),
    /// A promise of the client's own, never kept.
    Promise(u32),
}

/// What a call goes to.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// The answer itself, for the bootstrap question.
    Bootstrap(u32),
    /// The first pointer of the answer to a question.
    Answer(u32),
}

pub(crate) fn encode(fill: impl FnOnce(message::Builder<'_>)) -> Vec<u8> {
    let mut message = Builder::new_default();
    fill(message.init_root());
    capnp::serialize::write_message_to_words(&message)
}

pub(crate) fn bootstrap(question: u32) -> Vec<u8> {
    encode(|message| message.init_bootstrap().set_question_id(question))
}

pub(crate) fn finish(question: u32) -> Vec<u8> {
    encode(|message| {
        let mut finish = message.init_finish();
        finish.set_question_id(question);
        finish.set_release_result_caps(true);
    })
}

fn first_pointer(mut answer: promised_answer::Builder<'_>, question: u32) {
    answer.set_question_id(question);
    answer.init_transform(1).get(0).set_get_pointer_field(0);
}

pub(crate) fn call(
    question: u32,
    target: Target,
    (interface, method): (u64, u16),
    fill: impl FnOnce(any_pointer::Builder<'_>),
    caps: &[Cap],
) -> Vec<u8> {
    encode(|message| {
        let mut call = message.init_call();
        call.set_question_id(question);
        call.set_interface_id(interface);
        call.set_method_id(method);
        let to: message_target::Builder<'_> = call.reborrow().init_target();
        match target {
            Target::Bootstrap(question) => to.init_promised_answer().set_question_id(question),
            Target::Answer(question) => first_pointer(to.init_promised_answer(), question),
        }
        let mut payload = call.init_params();
        let mut table = Vec::new();
        let mut content = payload.reborrow().init_content();
        content.imbue_mut(&mut table);
        fill(content);
        let mut list = payload.init_cap_table(caps.len() as u32);
        for (n, cap) in caps.iter().enumerate() {
            let mut descriptor: cap_descriptor::Builder<'_> = list.reborrow().get(n as u32);
            match *cap {
                Cap::Answer(question) => first_pointer(descriptor.init_receiver_answer(), question),
                Cap::Own(id) => descriptor.set_sender_hosted(id),
                Cap::Promise(id) => descriptor.set_sender_promise(id),
            }
        }
    })
}

/// Stands for a capability while parameters are filled; the table says what it is.
fn placeholder() -> thread::Client {
    let cap = capnp_rpc::new_broken_cap(capnp::Error::failed("placeholder".to_owned()));
    capnp::capability::FromClientHook::new(cap.hook)
}

pub(crate) fn construct(question: u32, bootstrap: u32) -> Vec<u8> {
    let fill = |content: any_pointer::Builder<'_>| {
        content.init_as::<root::construct_params::Builder<'_>>();
    };
    call(question, Target::Bootstrap(bootstrap), (root::Client::TYPE_ID, 0), fill, &[])
}

pub(crate) fn make_thread(question: u32, constructed: u32, name: &str) -> Vec<u8> {
    let fill = |content: any_pointer::Builder<'_>| {
        content.init_as::<thread_map::make_thread_params::Builder<'_>>().set_name(name);
    };
    call(question, Target::Answer(constructed), (thread_map::Client::TYPE_ID, 0), fill, &[])
}

pub(crate) fn echo(question: u32, bootstrap: u32, thread: Option<Cap>, text: &str) -> Vec<u8> {
    let fill = |content: any_pointer::Builder<'_>| {
        let mut p = content.init_as::<root::echo_params::Builder<'_>>();
        if thread.is_some() {
            p.reborrow().init_context().set_thread(placeholder());
        }
        p.set_text(text);
    };
    let caps: Vec<Cap> = thread.into_iter().collect();
    call(question, Target::Bootstrap(bootstrap), (root::Client::TYPE_ID, 1), fill, &caps)
}

pub(crate) fn work(question: u32, bootstrap: u32, thread: u32, id: u32, milliseconds: u32) -> Vec<u8> {
    let fill = |content: any_pointer::Builder<'_>| {
        let mut p = content.init_as::<root::work_params::Builder<'_>>();
        p.reborrow().init_context().set_thread(placeholder());
        p.set_id(id);
        p.set_milliseconds(milliseconds);
    };
    call(question, Target::Bootstrap(bootstrap), (root::Client::TYPE_ID, 2), fill, &[Cap::Answer(thread)])
}

/// A call that leaves an object behind.
pub(crate) fn make_object(question: u32, bootstrap: u32) -> Vec<u8> {
    let fill = |content: any_pointer::Builder<'_>| {
        content.init_as::<root::make_object_params::Builder<'_>>();
    };
    call(question, Target::Bootstrap(bootstrap), (root::Client::TYPE_ID, 7), fill, &[])
}

/// A call that gets many bytes.
pub(crate) fn bytes(question: u32, bootstrap: u32, thread: u32, size: u32) -> Vec<u8> {
    let fill = |content: any_pointer::Builder<'_>| {
        let mut p = content.init_as::<root::bytes_params::Builder<'_>>();
        p.reborrow().init_context().set_thread(placeholder());
        p.set_size(size);
    };
    call(question, Target::Bootstrap(bootstrap), (root::Client::TYPE_ID, 10), fill, &[Cap::Answer(thread)])
}

/// What every connection begins with: the root is the answer to question 0, the thread to question 2.
pub(crate) fn greeting() -> Vec<u8> {
    [bootstrap(0), construct(1, 0), make_thread(2, 1, "raw")].concat()
}

/// A connection that does a bit of everything, message by message.
pub(crate) fn session() -> Vec<Vec<u8>> {
    let thread = Cap::Answer(2);
    vec![
        bootstrap(0),
        construct(1, 0),
        make_thread(2, 1, "raw"),
        echo(3, 0, Some(thread), "one"),
        work(4, 0, 2, 1, 5),
        make_object(5, 0),
        echo(6, 0, Some(Cap::Own(1)), "own"),
        echo(7, 0, Some(Cap::Promise(2)), "promise"),
        echo(8, 0, Some(Cap::Answer(3)), "no thread"),
        work(9, 0, 2, 2, 5),
        finish(9),
        bytes(10, 0, 2, 100_000),
        finish(5),
        finish(7),
        echo(11, 0, None, "absent"),
        finish(3),
    ]
}

/// Reads to the end, and answers the reason of the abort message if there is one.
pub(crate) fn read_abort(stream: &mut UnixStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut data = Vec::new();
    // A reset is an end too.
    if let Err(error) = stream.read_to_end(&mut data) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the connection stays");
    }
    let mut rest = &data[..];
    let mut last = None;
    while let Ok(message) = capnp::serialize::read_message_from_flat_slice(&mut rest, Default::default()) {
        if let Ok(message::Abort(Ok(abort))) = message.get_root::<message::Reader<'_>>().unwrap().which() {
            last = Some(abort.get_reason().unwrap().to_string().unwrap());
        }
    }
    last
}

/// Writes, and does not mind if the other side does not want it.
pub(crate) fn write(stream: &mut UnixStream, data: &[u8]) -> bool {
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(data).is_ok()
}
