//! Fuzz targets: any bytes, no panic.

use grs_encoding::Reader;

use crate::{BloomFilter, MESSAGE_TYPES, Message, NetAddress, Service, TimedAddress, Transport, V1Transport};

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
