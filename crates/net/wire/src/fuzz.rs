//! Fuzz targets: any bytes, no panic.

use grs_encoding::Reader;
use grs_keys::SecretKey;

use crate::{
    BloomFilter, MESSAGE_TYPES, Message, NetAddress, Received, Service, TimedAddress, Transport, V1Transport,
    V2Transport,
};

/// Payloads of every type; the first byte chooses.
pub fn fuzz_message(data: &[u8]) {
    let Some((choice, payload)) = data.split_first() else { return };
    let message_type = MESSAGE_TYPES[usize::from(*choice) % MESSAGE_TYPES.len()];
    if let Ok(message) = Message::decode(message_type, payload) {
        let mut encoded = Vec::new();
        message.encode_payload(&mut encoded);
        let again = Message::decode(message_type, &encoded);
        if let Message::FilterLoad(load) = &message {
            let mut filter = BloomFilter::from(load.clone());
            filter.insert(payload);
            assert!(filter.contains(payload));
        }
        assert_eq!(again.as_ref(), Ok(&message), "a message does not survive its own encoding");
    }
}

/// A stream of framed messages.
pub fn fuzz_transport(data: &[u8]) {
    let mut transport = V1Transport::new([0xfa, 0xbf, 0xb5, 0xda]);
    let mut out = Vec::new();
    for piece in data.chunks(7) {
        if transport.receive(piece, &mut out).is_err() {
            return;
        }
    }
}

/// Addresses in text and both binary forms.
pub fn fuzz_address(data: &[u8]) {
    let _ = TimedAddress::decode_v2(&mut Reader::new(data));
    let _ = TimedAddress::decode_v1(&mut Reader::new(data));
    let text = String::from_utf8_lossy(data);
    let _ = Service::parse(&text, 1331);
    if let Some(address) = NetAddress::parse(&text) {
        assert_eq!(NetAddress::parse(&address.to_string()), Some(address));
    }
}

/// Bytes for a side of the encrypted transport that accepts, or one that has made the connection.
pub fn fuzz_v2_transport(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let Ok(key) = SecretKey::from_slice(&[1; 32], true) else { return };
    let garbage = vec![7; usize::from(*choice)];
    let mut transport = V2Transport::new([0xfa, 0xbf, 0xb5, 0xda], choice & 1 != 0, key, &[2; 32], garbage);
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    for piece in data.chunks(usize::from(*choice) + 1) {
        let result = transport.receive(piece, &mut out);
        transport.send(&Message::Ping(Some(1)), &mut sent);
        if result.is_err() {
            return;
        }
    }
}

/// Two sides of the encrypted transport; the bytes say how what they send is cut, and which bits are turned over.
pub fn fuzz_v2_session(data: &[u8]) {
    let key = |byte| SecretKey::from_slice(&[byte; 32], true);
    let (Ok(a), Ok(b)) = (key(1), key(2)) else { return };
    let magic = [0xfa, 0xbf, 0xb5, 0xda];
    let mut sides = [
        V2Transport::new(magic, true, a, &[3; 32], vec![4; 30]),
        V2Transport::new(magic, false, b, &[5; 32], vec![6; 3]),
    ];
    let mut pipes = [Vec::new(), Vec::new()];
    for step in data.chunks_exact(2) {
        let from = usize::from(step[0] & 1);
        if step[0] & 2 != 0 {
            sides[from].send(&Message::Ping(Some(u64::from(step[1]))), &mut pipes[from]);
        }
        sides[from].take_output(&mut pipes[from]);
        if step[0] & 0xfc == 0xfc && !pipes[from].is_empty() {
            let at = usize::from(step[1]) % pipes[from].len();
            pipes[from][at] ^= 1;
        }
        let piece: Vec<u8> = {
            let len = usize::from(step[1]).min(pipes[from].len());
            pipes[from].drain(..len).collect()
        };
        let mut out = Vec::new();
        if sides[1 - from].receive(&piece, &mut out).is_err() {
            return;
        }
        for received in out {
            let Received::Message(raw) = received else { panic!("authenticated, but not a message") };
            assert!(raw.message_type == "ping" && raw.payload.len() == 8);
        }
    }
}
