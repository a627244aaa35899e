//! Bad input to the version 1 transport, and fuzz targets on a small corpus.

use grs_encoding::Encode;
use grs_testkit::run_fuzz;
use grs_wire::{
    Inventory, MESSAGE_TYPES, MSG_TX, MSG_WITNESS_TX, Message, NetAddress, Received, Service, Services,
    TimedAddress, Transport, TransportError, V1Transport, fuzz,
};
use proptest::prelude::*;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

fn framed(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    V1Transport::new(MAGIC).send(message, &mut out);
    out
}

#[test]
fn several_messages_in_one_piece() {
    let mut bytes = framed(&Message::Ping(Some(7)));
    bytes.extend(framed(&Message::Verack));
    bytes.extend(&framed(&Message::FeeFilter(1))[..30]);
    let mut out = Vec::new();
    V1Transport::new(MAGIC).receive(&bytes, &mut out).unwrap();
    let types: Vec<_> = out
        .iter()
        .map(|r| match r {
            Received::Message(m) => m.message_type.as_str(),
            Received::Rejected { .. } => "rejected",
        })
        .collect();
    assert_eq!(types, ["ping", "verack"]);
}

#[test]
fn wrong_bytes_get_the_reference_texts() {
    let mut wrong_magic = framed(&Message::Verack);
    wrong_magic[0] ^= 1;
    let e = V1Transport::new(MAGIC).receive(&wrong_magic, &mut Vec::new()).unwrap_err();
    assert_eq!(e.to_string(), "Header error: Wrong MessageStart fbbfb5da received");

    let mut too_large = framed(&Message::Verack);
    too_large[16..20].copy_from_slice(&4_000_001_u32.to_le_bytes());
    let e = V1Transport::new(MAGIC).receive(&too_large, &mut Vec::new()).unwrap_err();
    assert_eq!(e, TransportError::TooLarge { message_type: "verack".into(), len: 4_000_001 });

    let mut wrong_checksum = framed(&Message::Verack);
    wrong_checksum[20] ^= 1;
    wrong_checksum.extend(framed(&Message::Mempool));
    let mut out = Vec::new();
    V1Transport::new(MAGIC).receive(&wrong_checksum, &mut out).unwrap();
    let Received::Rejected { reason, .. } = &out[0] else { panic!("{out:?}") };
    assert_eq!(reason, "Header error: Wrong checksum (verack, 0 bytes), expected fdfb14d3 was fcfb14d3");
    assert!(matches!(&out[1], Received::Message(m) if m.message_type == "mempool"));

    let mut bad_type = framed(&Message::Verack);
    bad_type[4] = 0x7f;
    let mut out = Vec::new();
    V1Transport::new(MAGIC).receive(&bad_type, &mut out).unwrap();
    let Received::Rejected { reason, .. } = &out[0] else { panic!("{out:?}") };
    assert_eq!(reason, "Header error: Invalid message type (erack, 0 bytes)");
}

#[test]
fn a_claimed_length_takes_no_memory() {
    let mut header = framed(&Message::Verack);
    header[16..20].copy_from_slice(&4_000_000_u32.to_le_bytes());
    let mut out = Vec::new();
    V1Transport::new(MAGIC).receive(&header, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn services_by_inventory_and_address() {
    let inv = Inventory { kind: MSG_WITNESS_TX, hash: Default::default() };
    assert!(inv.is_transaction() && !inv.is_block());
    assert!(inv.to_string().starts_with("witness-tx 00"));
    assert!(Inventory { kind: MSG_TX, ..inv }.to_string().starts_with("tx 00"));
    let flags = Services::NETWORK.with(Services::P2P_V2).with(Services(1 << 24));
    assert_eq!(grs_wire::services_to_strings(flags), ["NETWORK", "P2P_V2", "UNKNOWN[2^24]"]);
}

fn corpus() -> Vec<Vec<u8>> {
    let address = TimedAddress {
        service: Service::new(NetAddress::Onion([7; 32]), 1331),
        services: Services::NETWORK,
        time: 5,
    };
    let mut addrv2 = vec![1];
    address.encode_v2(&mut addrv2);
    let mut inv = Vec::new();
    vec![Inventory { kind: MSG_TX, hash: Default::default() }; 3].encode(&mut inv);
    let mut corpus = vec![addrv2.clone(), inv.clone()];
    for i in 0..MESSAGE_TYPES.len() as u8 {
        for payload in [&addrv2, &inv, &vec![0; 120]] {
            corpus.push([&[i], payload.as_slice()].concat());
        }
    }
    corpus
}

#[test]
fn fuzz_targets_hold() {
    run_fuzz(fuzz::fuzz_message, &corpus(), 300);
    run_fuzz(fuzz::fuzz_address, &corpus(), 100);
    run_fuzz(fuzz::fuzz_address, &[b"[2001:db8::1]:1331".to_vec(), b"1.2.3.4:80".to_vec()], 3000);
    run_fuzz(fuzz::fuzz_transport, &[framed(&Message::Verack), framed(&Message::Ping(Some(1)))], 3000);
}

proptest! {
    /// However the bytes are cut, the same messages come out.
    #[test]
    fn any_cut_gives_the_same(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5),
        spoiled in prop::option::of((0..5_usize, 20..24_usize)),
        cuts in prop::collection::vec(1..200_usize, 1..60),
    ) {
        let mut bytes = Vec::new();
        for (i, payload) in payloads.iter().enumerate() {
            let message = Message::Unknown { message_type: "sixteenletter".into(), payload: payload.clone() };
            let mut one = framed(&message);
            if let Some((message, byte)) = spoiled && message == i {
                one[byte] ^= 0x55;
            }
            bytes.extend(one);
        }
        let mut whole = Vec::new();
        V1Transport::new(MAGIC).receive(&bytes, &mut whole).unwrap();
        prop_assert_eq!(whole.len(), payloads.len());
        for (received, payload) in whole.iter().zip(&payloads) {
            if let Received::Message(m) = received {
                prop_assert_eq!(&m.payload, payload);
                prop_assert_eq!(m.message_type.as_str(), "sixteenlette");
                prop_assert_eq!(m.wire_len, payload.len() + 24);
            }
        }
        let (mut transport, mut pieces, mut rest) = (V1Transport::new(MAGIC), Vec::new(), bytes.as_slice());
        for cut in cuts.iter().cycle() {
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            transport.receive(piece, &mut pieces).unwrap();
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(pieces, whole);
    }
}
