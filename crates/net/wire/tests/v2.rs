//! The encrypted transport: two machines talk to each other; what others send ends the connection or is ignored.
#![allow(clippy::unwrap_used, missing_docs)]

use grs_keys::SecretKey;
use grs_testkit::run_fuzz;
use grs_wire::{
    FilterLoad, MAX_GARBAGE_LEN, MESSAGE_HEADER_LEN, Message, Received, Transport, TransportError,
    V1Transport, V2Status, V2Transport, fuzz, v2_overhead,
};
use proptest::prelude::*;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

fn machine(initiating: bool, seed: u8, garbage: usize) -> V2Transport {
    let key = SecretKey::from_slice(&[seed; 32], true).unwrap();
    V2Transport::new(MAGIC, initiating, key, &[seed.wrapping_add(1); 32], vec![seed; garbage])
}

fn output(machine: &mut V2Transport) -> Vec<u8> {
    let mut bytes = Vec::new();
    machine.take_output(&mut bytes);
    bytes
}

fn sent(machine: &mut V2Transport, message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    machine.send(message, &mut bytes);
    bytes
}

/// Both sides after the exchange of keys.
fn session(garbage: [usize; 2]) -> (V2Transport, V2Transport) {
    let (mut a, mut b) = (machine(true, 1, garbage[0]), machine(false, 2, garbage[1]));
    let mut none = Vec::new();
    b.receive(&output(&mut a), &mut none).unwrap();
    a.receive(&output(&mut b), &mut none).unwrap();
    b.receive(&output(&mut a), &mut none).unwrap();
    assert!(none.is_empty());
    (a, b)
}

fn messages(received: Vec<Received>) -> Vec<Message> {
    received
        .into_iter()
        .map(|r| match r {
            Received::Message(raw) => Message::decode(&raw.message_type, &raw.payload).unwrap(),
            Received::Rejected { reason, .. } => panic!("{reason}"),
        })
        .collect()
}

fn unknown(message_type: &str, len: usize) -> Message {
    Message::Unknown { message_type: message_type.into(), payload: vec![len as u8; len] }
}

#[test]
fn both_sides_know_the_session() {
    for garbage in [[0, 0], [1, MAX_GARBAGE_LEN], [MAX_GARBAGE_LEN, 16]] {
        let (a, b) = session(garbage);
        assert!(matches!(a.status(), V2Status::V2(_)));
        assert_eq!(a.status(), b.status());
        assert!(!a.should_reconnect_v1());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However the bytes are cut, all messages arrive in order, also those of before the exchange of keys and those
    /// after the keys have changed.
    #[test]
    fn messages_arrive_in_any_pieces(
        garbage in (0_usize..200, 0_usize..200),
        lens in proptest::collection::vec(0_usize..3000, 0..20),
        cuts in proptest::collection::vec(1_usize..700, 1..40),
        pings in 0_u64..500,
    ) {
        let mut sides = [machine(true, 3, garbage.0), machine(false, 4, garbage.1)];
        let mut all = vec![Message::Verack, unknown("madeup", 3)];
        all.extend(lens.iter().map(|len| unknown("twelve_bytes", *len)));
        all.extend((0..pings).map(|n| Message::Ping(Some(n))));
        let mut pipes = [Vec::new(), Vec::new()];
        for side in 0..2 {
            all.iter().for_each(|m| sides[side].send(m, &mut pipes[side]));
        }
        let mut received = [Vec::new(), Vec::new()];
        let mut cuts = cuts.iter().cycle();
        let mut idle = 0;
        while idle < 2 {
            for from in 0..2 {
                sides[from].take_output(&mut pipes[from]);
                let len = pipes[from].len().min(*cuts.next().unwrap());
                let piece: Vec<u8> = pipes[from].drain(..len).collect();
                idle = if piece.is_empty() { idle + 1 } else { 0 };
                sides[1 - from].receive(&piece, &mut received[1 - from]).unwrap();
            }
        }
        for list in received {
            prop_assert_eq!(&messages(list), &all);
        }
        prop_assert_eq!(sides[0].status(), sides[1].status());
    }

    /// A bit turned over anywhere in a packet ends the connection, or (in its length) leaves it waiting.
    #[test]
    fn no_bit_can_be_turned_over(bit in 0_usize..8 * (20 + 1 + 8)) {
        let (mut a, mut b) = session([5, 5]);
        let mut bytes = sent(&mut a, &Message::Ping(Some(7)));
        prop_assert_eq!(bytes.len(), 20 + 1 + 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut out = Vec::new();
        let result = b.receive(&bytes, &mut out);
        prop_assert!(out.is_empty());
        prop_assert!(result.is_err() || bit < 24);
    }
}

#[test]
fn a_long_message() {
    let (mut a, mut b) = session([0, 0]);
    let message = unknown("big", 4_000_000);
    let bytes = sent(&mut a, &message);
    let mut out = Vec::new();
    for piece in bytes.chunks(65_536) {
        b.receive(piece, &mut out).unwrap();
    }
    assert!(matches!(&out[0], Received::Message(raw) if raw.wire_len == bytes.len()));
    assert!(messages(out) == [message]);
    let too_long = sent(&mut a, &unknown("big", 4_000_001));
    let error = b.receive(&too_long, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "V2 transport error: packet too large (4000014 bytes)");
}

#[test]
fn decoys_are_ignored() {
    let (mut a, mut b) = session([9, 0]);
    let mut bytes = Vec::new();
    a.send_decoy(b"anything", &mut bytes);
    a.send(&Message::Mempool, &mut bytes);
    a.send_decoy(&[], &mut bytes);
    a.send(&Message::Verack, &mut bytes);
    let mut out = Vec::new();
    b.receive(&bytes, &mut out).unwrap();
    assert_eq!(messages(out), [Message::Mempool, Message::Verack]);
}

#[test]
fn known_types_are_short() {
    let (mut a, mut b) = session([0, 0]);
    let load = FilterLoad { data: vec![1], hash_functions: 1, tweak: 0, flags: 0 };
    assert_eq!((v2_overhead("verack"), v2_overhead("ping")), (33, 21));
    assert_eq!(sent(&mut a, &Message::Verack).len(), 20 + 13);
    assert_eq!(sent(&mut a, &Message::FilterClear).len(), 20 + 1);
    assert_eq!(sent(&mut a, &Message::FilterLoad(load)).len(), 20 + 1 + 11);
    // Out of order.
    let second = sent(&mut a, &Message::Mempool);
    assert!(b.receive(&second, &mut Vec::new()).is_err());
}

#[test]
fn bad_types_are_rejected_and_the_connection_goes_on() {
    let (mut a, mut b) = session([0, 0]);
    let mut bytes = sent(&mut a, &unknown("a\nb", 4));
    a.send(&Message::Mempool, &mut bytes);
    let mut out = Vec::new();
    b.receive(&bytes, &mut out).unwrap();
    let Received::Rejected { reason, wire_len, .. } = &out[0] else { panic!("{out:?}") };
    assert_eq!(reason, "V2 transport error: invalid message type (17 bytes contents)");
    assert_eq!(*wire_len, 37);
    assert!(matches!(&out[1], Received::Message(raw) if raw.message_type == "mempool"));
}

/// The side that accepts says nothing until it knows what the other side speaks.
#[test]
fn unencrypted_peers_are_noticed() {
    let mut v1 = V1Transport::new(MAGIC);
    let mut bytes = Vec::new();
    // An empty version message cannot be decoded, but it is one for the transport.
    v1.send(&unknown("version", 20), &mut bytes);
    v1.send(&Message::Verack, &mut bytes);
    let mut b = machine(false, 2, 50);
    assert!(sent(&mut b, &Message::Ping(Some(1))).is_empty());
    let mut out = Vec::new();
    for (n, byte) in bytes.iter().enumerate() {
        let expected = if n < 16 { V2Status::Detecting } else { V2Status::V1 };
        assert_eq!(b.status(), expected, "after {n} bytes");
        b.receive(&[*byte], &mut out).unwrap();
        assert_eq!(
            out.len(),
            usize::from(n + 1 >= MESSAGE_HEADER_LEN + 20) + usize::from(n + 1 == bytes.len())
        );
    }
    let mut reply = output(&mut b);
    b.send(&Message::Mempool, &mut reply);
    let mut out = Vec::new();
    v1.receive(&reply, &mut out).unwrap();
    assert_eq!(messages(out), [Message::Ping(Some(1)), Message::Mempool]);
    assert!(b.take_v1().is_some() && b.take_v1().is_none());
}

#[test]
fn the_key_is_sent_when_the_first_byte_differs() {
    let mut b = machine(false, 2, 50);
    b.receive(&MAGIC, &mut Vec::new()).unwrap();
    assert!(output(&mut b).is_empty());
    b.receive(b"w", &mut Vec::new()).unwrap();
    assert_eq!(output(&mut b).len(), 64 + 50);
    assert_eq!(b.status(), V2Status::Detecting);
}

#[test]
fn a_peer_of_another_network() {
    let mut bytes = Vec::new();
    V1Transport::new([1, 2, 3, 4]).send(&unknown("version", 20), &mut bytes);
    let error = machine(false, 2, 0).receive(&bytes, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "V2 transport error: V1 peer with wrong MessageStart 01020304");
    // Keys depend on the network: the terminator is another one.
    let key = SecretKey::from_slice(&[9; 32], true).unwrap();
    let mut a = V2Transport::new([1, 2, 3, 4], true, key, &[1; 32], Vec::new());
    let mut b = machine(false, 2, 0);
    b.receive(&output(&mut a), &mut Vec::new()).unwrap();
    a.receive(&output(&mut b), &mut Vec::new()).unwrap();
    assert_eq!(a.status(), V2Status::Detecting);
}

#[test]
fn garbage_has_an_end() {
    let mut a = machine(true, 1, 0);
    assert!(a.should_reconnect_v1());
    let zeros = vec![0; 64 + MAX_GARBAGE_LEN + 16];
    a.receive(&zeros[..zeros.len() - 1], &mut Vec::new()).unwrap();
    assert!(!a.should_reconnect_v1());
    let error = a.receive(&[0], &mut Vec::new()).unwrap_err();
    assert_eq!(error, TransportError::NoGarbageTerminator);
    assert_eq!(error.to_string(), "V2 transport error: missing garbage terminator");
}

/// The first packet authenticates the garbage.
#[test]
fn garbage_cannot_be_changed() {
    let (mut a, mut b) = (machine(true, 1, 20), machine(false, 2, 20));
    let mut bytes = output(&mut a);
    bytes[70] ^= 1;
    b.receive(&bytes, &mut Vec::new()).unwrap();
    a.receive(&output(&mut b), &mut Vec::new()).unwrap();
    let error = b.receive(&output(&mut a), &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "V2 transport error: packet decryption failure (0 bytes)");
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?}", machine(true, 1, 3));
    assert_eq!(shown, "V2Transport { initiating: true, state: Key, .. }");
}

#[test]
fn fuzz_targets() {
    let mut v1 = vec![0];
    V1Transport::new(MAGIC).send(&Message::Verack, &mut v1);
    let mut a = machine(true, 1, 100);
    let key = [vec![0], output(&mut a), vec![0; 100]].concat();
    run_fuzz(fuzz::fuzz_v2_transport, &[v1, key.clone(), vec![5; 300]], 1500);
    let talk: Vec<u8> = (0..400_u16).flat_map(|n| [(n % 4) as u8, 255]).collect();
    run_fuzz(fuzz::fuzz_v2_session, &[talk, key], 600);
}
