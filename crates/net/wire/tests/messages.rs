//! Each message type: its bytes, its limits, and that it survives its own encoding.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use grs_consensus::MerkleBlock;
use grs_encoding::{DecodeError, Encode, encode_to_vec, hex_encode, write_compact_size};
use grs_hashes::{BlockHash, FilterHash, FilterHeader, Hash256, Txid, Wtxid};
use grs_primitives::*;
use grs_testkit::hex_bytes;
use grs_wire::*;

fn payload(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode_payload(&mut out);
    out
}

fn transaction(lock_time: u32) -> TxRef {
    let mut input = TxIn::new(OutPoint::new(Txid::from_bytes([7; 32]), 1), 5);
    input.witness = Witness(vec![vec![1, 2]]);
    Arc::new(Transaction::from(MutableTransaction {
        version: 2,
        inputs: vec![input],
        outputs: vec![TxOut::new(Amount(9), Script::from(vec![0x51]))],
        lock_time,
    }))
}

fn block() -> Block {
    let txs = (0..4).map(transaction).collect();
    Block::new(HashedHeader::new(Header { version: 4, time: 77, ..Header::default() }), txs)
}

fn service(address: NetAddress) -> TimedAddress {
    TimedAddress { service: Service::new(address, 1331), services: Services(0x0c0d), time: 0x5ecf_1234 }
}

fn hash<T>(make: fn([u8; 32]) -> T, byte: u8) -> T {
    make([byte; 32])
}

fn version() -> Version {
    Version {
        version: 70016,
        services: Services(0x0c0d),
        time: 1_700_000_000,
        receiver: TimedAddress { time: 0, ..service(NetAddress::Ipv4([1, 2, 3, 4])) },
        sender: TimedAddress::default(),
        nonce: 0x0102_0304_0506_0708,
        user_agent: "/Groestlcoin:31.0.0/".to_owned(),
        start_height: 6_000_000,
        relay: true,
    }
}

/// One message of every type.
fn all() -> Vec<Message> {
    let stop = hash(BlockHash::from_bytes, 9);
    let request = GetBlocks { locator: BlockLocator { hashes: vec![stop; 3] }, stop };
    let inventory = vec![
        Inventory::block(MSG_BLOCK, stop),
        Inventory::wtxid(hash(Wtxid::from_bytes, 3)),
        Inventory::txid(MSG_WITNESS_TX, hash(Txid::from_bytes, 4)),
    ];
    let addresses = vec![service(NetAddress::Ipv4([8, 8, 8, 8])), service(NetAddress::Ipv6([0x2a; 16]))];
    let mut addresses_v2 = addresses.clone();
    addresses_v2.push(service(NetAddress::Onion([1; 32])));
    addresses_v2.push(service(NetAddress::I2p([2; 32])));
    addresses_v2.push(service(NetAddress::Cjdns([0xfc; 16])));
    vec![
        Message::Version(Box::new(version())),
        Message::Verack,
        Message::Addr(addresses),
        Message::AddrV2(addresses_v2),
        Message::SendAddrV2,
        Message::Inv(inventory.clone()),
        Message::GetData(inventory.clone()),
        Message::NotFound(inventory),
        Message::MerkleBlock(Box::new(MerkleBlock::new(&block(), |tx| tx.lock_time == 2).unwrap())),
        Message::GetBlocks(request.clone()),
        Message::GetHeaders(request),
        Message::Tx(transaction(5)),
        Message::Headers(vec![block().header; 3]),
        Message::Block(Arc::new(block())),
        Message::GetAddr,
        Message::Mempool,
        Message::Ping(Some(7)),
        Message::Ping(None),
        Message::Pong(vec![1, 2, 3, 4, 5, 6, 7, 8]),
        Message::FilterLoad(FilterLoad { data: vec![1, 2, 3], hash_functions: 11, tweak: 5, flags: 1 }),
        Message::FilterAdd(vec![9; 20]),
        Message::FilterClear,
        Message::SendHeaders,
        Message::FeeFilter(1000),
        Message::SendCompact(SendCompact { high_bandwidth: true, version: 2 }),
        Message::CompactBlock(Box::new(CompactBlock::new(&block(), 5, |i, _| i == 2))),
        Message::GetBlockTxn(BlockTransactionsRequest { block: stop, indexes: vec![0, 1, 5, 300, 65_535] }),
        Message::BlockTxn(BlockTransactions { block: stop, txs: vec![transaction(1), transaction(2)] }),
        Message::GetCFilters { filter_type: 0, start_height: 5, stop },
        Message::CFilter { filter_type: 0, block: stop, filter: vec![1, 2] },
        Message::GetCFHeaders { filter_type: 0, start_height: 5, stop },
        Message::CFHeaders {
            filter_type: 0,
            stop,
            previous: hash(FilterHeader::from_bytes, 1),
            hashes: vec![hash(FilterHash::from_bytes, 2); 2],
        },
        Message::GetCFCheckpt { filter_type: 0, stop },
        Message::CFCheckpt { filter_type: 0, stop, headers: vec![hash(FilterHeader::from_bytes, 1); 2] },
        Message::WtxidRelay,
        Message::SendTxReconciliation(SendTxReconciliation { version: 1, salt: 2 }),
    ]
}

#[test]
fn every_type_survives_its_own_encoding() {
    let mut types = BTreeSet::new();
    for message in all() {
        let bytes = payload(&message);
        assert_eq!(Message::decode(message.message_type(), &bytes).as_ref(), Ok(&message));
        // Bytes behind the message are nobody's business; missing ones are. (Old versions end early, and some
        // messages have no payload or take any.)
        let mut longer = bytes.clone();
        longer.push(0xff);
        if !matches!(message, Message::Pong(_) | Message::Ping(None)) {
            assert_eq!(Message::decode(message.message_type(), &longer).as_ref(), Ok(&message));
        }
        if !bytes.is_empty() && !matches!(message, Message::Version(_) | Message::Pong(_)) {
            let shorter = Message::decode(message.message_type(), &bytes[..bytes.len() - 1]);
            assert_eq!(shorter, Err(DecodeError::EndOfData.into()), "{}", message.message_type());
        }
        types.insert(message.message_type().to_owned());
    }
    assert_eq!(types, MESSAGE_TYPES.iter().map(|t| (*t).to_owned()).collect::<BTreeSet<_>>());
    let unknown = Message::decode("alert", &[1, 2]).unwrap();
    assert_eq!(unknown, Message::Unknown { message_type: "alert".into(), payload: vec![1, 2] });
    assert_eq!((unknown.message_type(), payload(&unknown)), ("alert", vec![1, 2]));
    let raw = Message::RawBlock(encode_to_vec(&block()).into());
    assert_eq!(Message::decode(raw.message_type(), &payload(&raw)), Ok(Message::Block(Arc::new(block()))));
}

#[test]
fn layouts() {
    let zeros = "00".repeat(26);
    let version = payload(&Message::Version(Box::new(version())));
    let expected = format!(
        "80110100 0d0c000000000000 00f1536500000000 \
         0d0c000000000000 00000000000000000000ffff01020304 0533 {zeros} 0807060504030201 \
         14 2f47726f6573746c636f696e3a33312e302e302f 808d5b00 01"
    );
    assert_eq!(hex_encode(version), expected.replace([' ', '\n'], ""));

    let one = |m: Message| hex_encode(payload(&m));
    assert_eq!(
        one(Message::SendCompact(SendCompact { high_bandwidth: false, version: 2 })),
        "000200000000000000"
    );
    assert_eq!(one(Message::Ping(Some(1))), "0100000000000000");
    assert_eq!(one(Message::FeeFilter(-1)), "ffffffffffffffff");
    let inv = Inventory { kind: MSG_WITNESS_BLOCK, hash: Hash256::from_bytes([0xab; 32]) };
    assert_eq!(one(Message::GetData(vec![inv])), format!("0102000040{}", "ab".repeat(32)));
    let request = BlockTransactionsRequest { block: BlockHash::ZERO, indexes: vec![0, 1, 5, 300] };
    assert_eq!(one(Message::GetBlockTxn(request)), format!("{}04000003fd2601", "00".repeat(32)));
    let headers = payload(&Message::Headers(vec![block().header]));
    assert_eq!((headers.len(), headers[0], headers[81]), (82, 1, 0));
    assert_eq!(
        one(Message::AddrV2(vec![service(NetAddress::Ipv4([1, 2, 3, 4]))])),
        "013412cf5efd0d0c0104010203040533"
    );
    assert_eq!(
        one(Message::Addr(vec![service(NetAddress::Onion([1; 32]))])),
        format!("013412cf5e0d0c000000000000{}0533", "00".repeat(16))
    );
    let locator = GetBlocks { locator: BlockLocator::default(), stop: BlockHash::ZERO };
    assert_eq!(one(Message::GetHeaders(locator)), format!("8011010000{}", "00".repeat(32)));
}

#[test]
fn old_versions_end_early() {
    let full = payload(&Message::Version(Box::new(version())));
    let decode = |len: usize| match Message::decode("version", &full[..len]) {
        Ok(Message::Version(v)) => Some(*v),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    };
    let short = decode(46).unwrap();
    assert_eq!((short.nonce, short.user_agent.as_str(), short.start_height, short.relay), (1, "", -1, true));
    assert_eq!(decode(80).unwrap().nonce, version().nonce);
    assert_eq!(decode(101).unwrap().user_agent, version().user_agent);
    assert_eq!(decode(105).unwrap().start_height, version().start_height);
    for len in [0, 20, 45, 50, 79, 90, 104] {
        assert!(decode(len).is_none(), "{len}");
    }
}

#[test]
fn user_agents_are_cleaned_and_limited() {
    let with = |agent: &[u8]| {
        let mut bytes = payload(&Message::Version(Box::new(version())))[..80].to_vec();
        grs_encoding::write_var_bytes(&mut bytes, agent);
        bytes.extend([0; 5]);
        Message::decode("version", &bytes)
    };
    let Ok(Message::Version(v)) = with(b"/a<b>\xff\x80\xc3\xa4\n?:1/") else { panic!() };
    assert_eq!((v.user_agent.as_str(), v.relay), ("/ab?:1/", false));
    assert!(with(&[b'a'; 256]).is_ok());
    assert_eq!(with(&[b'a'; 257]).unwrap_err().to_string(), "String length limit exceeded");
}

#[test]
fn limits() {
    let list = |count: usize, each: usize| {
        let mut out = Vec::new();
        write_compact_size(&mut out, count as u64);
        out.resize(out.len() + count * each, 0);
        out
    };
    for (name, most, each, limited) in [
        ("inv", MAX_INV_SIZE, 36, true),
        ("getdata", MAX_INV_SIZE, 36, true),
        ("notfound", MAX_INV_SIZE, 36, false),
        ("addr", MAX_ADDR_TO_SEND, 30, true),
        ("headers", MAX_HEADERS_RESULTS, 81, true),
    ] {
        assert!(Message::decode(name, &list(most, each)).is_ok(), "{name}");
        let more = Message::decode(name, &list(most + 1, each));
        if limited {
            assert_eq!(more.unwrap_err().to_string(), format!("{name} message size = {}", most + 1));
        } else {
            assert!(more.is_ok());
        }
    }
    // An over-long list that breaks off is no list; only headers complain at once.
    assert_eq!(Message::decode("inv", &list(50_001, 36)[..1000]).unwrap_err(), DecodeError::EndOfData.into());
    assert_eq!(
        Message::decode("headers", &list(2_001, 0)).unwrap_err(),
        MessageError::TooMany { message: "headers", count: 2_001 }
    );
    // The same in the encoding of BIP155, with the smallest addresses.
    let mut addresses = Vec::new();
    write_compact_size(&mut addresses, 1_001);
    for _ in 0..1_001 {
        service(NetAddress::Ipv4([8; 4])).encode_v2(&mut addresses);
    }
    let error = Message::decode("addrv2", &addresses).unwrap_err();
    assert_eq!(error.to_string(), "addrv2 message size = 1001");
}

#[test]
fn bad_addresses() {
    let addrv2 = |kind: u8, len: u16| {
        let mut bytes = hex_bytes("0134 12cf5e 01".replace(' ', "").as_str());
        bytes.push(kind);
        write_compact_size(&mut bytes, u64::from(len));
        bytes.resize(bytes.len() + usize::from(len), 9);
        bytes.extend([0x05, 0x33]);
        // One more, to see that reading goes on.
        bytes[0] = 2;
        service(NetAddress::Ipv4([9, 9, 9, 9])).encode_v2(&mut bytes);
        Message::decode("addrv2", &bytes)
    };
    for (kind, len, text) in [
        (1, 5, "BIP155 IPv4 address with length 5 (should be 4)"),
        (2, 4, "BIP155 IPv6 address with length 4 (should be 16)"),
        (4, 0, "BIP155 TORv3 address with length 0 (should be 32)"),
        (5, 3, "BIP155 I2P address with length 3 (should be 32)"),
        (6, 15, "BIP155 CJDNS address with length 15 (should be 16)"),
        (99, 513, "Address too long: 513 > 512"),
    ] {
        assert_eq!(addrv2(kind, len).unwrap_err().to_string(), text);
    }
    // Networks nobody knows, old Tor addresses, and IPv4 or old Tor wrapped in IPv6 count as no address.
    for (kind, len) in [(99, 512), (0, 0), (3, 10), (3, 4)] {
        let Ok(Message::AddrV2(list)) = addrv2(kind, len) else { panic!("{kind}") };
        assert_eq!(list[0].service.address, NetAddress::default());
        assert!(!list[0].service.address.is_valid());
        assert_eq!(list[1].service.to_string(), "9.9.9.9:1331");
    }
    for wrapped in ["00000000000000000000ffff01020304", "fd87d87eeb430102030405060708090a"] {
        let bytes = hex_bytes(&format!("0210{wrapped}"));
        let address = NetAddress::decode_v2(&mut grs_encoding::Reader::new(&bytes)).unwrap();
        assert_eq!(address, NetAddress::default());
    }
}

#[test]
fn compact_blocks() {
    let block = block();
    let compact = CompactBlock::new(&block, 42, |_, _| false);
    assert_eq!((compact.short_ids.len(), compact.prefilled.len(), compact.tx_count()), (3, 1, 4));
    // The key is the first half of SHA-256 over header and nonce; ids are the low six bytes of SipHash.
    let mut data = block.header.to_bytes().to_vec();
    data.extend(42_u64.to_le_bytes());
    let key = grs_hashes::purpose::sha256(&data);
    let part = |i: usize| u64::from_le_bytes(key[i..i + 8].try_into().unwrap());
    let mut sip = grs_hashes::SipHasher24::new(part(0), part(8));
    sip.write(block.txs[1].wtxid().as_bytes());
    assert_eq!(compact.short_ids[0], sip.finish() & 0xffff_ffff_ffff);

    let prefix = |short: u32, prefilled: &[(u64, bool)]| {
        let mut bytes = encode_to_vec(&block.header);
        bytes.extend([0; 8]);
        write_compact_size(&mut bytes, u64::from(short));
        bytes.resize(bytes.len() + 6 * short as usize, 1);
        write_compact_size(&mut bytes, prefilled.len() as u64);
        for (distance, _) in prefilled {
            write_compact_size(&mut bytes, *distance);
            transaction(0).encode(&mut bytes);
        }
        Message::decode("cmpctblock", &bytes)
    };
    let Ok(Message::CompactBlock(far)) = prefix(0, &[(65_535, true), (65_535, true)]) else { panic!() };
    // Beyond all blocks: the handler has to see it.
    assert_eq!((far.prefilled[0].index, far.prefilled[1].index), (65_535, 131_071));
    assert_eq!(prefix(0, &[(65_536, true)]).unwrap_err().to_string(), "CompactSize exceeds limit of type");
    assert!(prefix(65_534, &[(0, true)]).is_ok());
    assert_eq!(prefix(65_535, &[(0, true)]).unwrap_err().to_string(), "indexes overflowed 16 bits");

    let request = |distances: &[u64]| {
        let mut bytes = vec![0; 32];
        write_compact_size(&mut bytes, distances.len() as u64);
        distances.iter().for_each(|d| write_compact_size(&mut bytes, *d));
        Message::decode("getblocktxn", &bytes)
    };
    assert!(request(&[65_535]).is_ok());
    for bad in [&[65_536][..], &[65_535, 0], &[0, 65_535]] {
        assert_eq!(request(bad).unwrap_err().to_string(), "differential value overflow");
    }
}
