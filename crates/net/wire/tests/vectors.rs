//! Framed messages against recorded ones.

use grs_testkit::{hex, json_file, report, text};
use grs_wire::{Message, Received, Transport, V1Transport, message_header};

#[test]
fn vectors_p2p_v1_messages() {
    let Some(file) = json_file("derived/p2p_v1_messages.json") else { return };
    let mut cases = 0;
    for case in file["messages"].as_array().unwrap() {
        let framed = hex(case, "message");
        let payload = hex(case, "payload");
        let magic = <[u8; 4]>::try_from(&framed[..4]).unwrap();
        assert_eq!(message_header(magic, text(case, "command"), &payload)[..], framed[..24]);
        let (mut transport, mut out) = (V1Transport::new(magic), Vec::new());
        for piece in framed.chunks(5) {
            transport.receive(piece, &mut out).unwrap();
        }
        let [Received::Message(raw)] = out.as_slice() else { panic!("{out:?}") };
        assert_eq!(raw.message_type, text(case, "command"));
        assert_eq!(raw.payload, payload);
        let message = Message::decode(&raw.message_type, &raw.payload).unwrap();
        let mut sent = Vec::new();
        transport.send(&message, &mut sent);
        assert_eq!(sent, framed);
        cases += 1;
    }
    report("derived/p2p_v1_messages.json", cases);
}
