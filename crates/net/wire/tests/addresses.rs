//! Network addresses: kinds, texts, grouping.

#![allow(clippy::unwrap_used)]

use grs_encoding::Reader;
use grs_wire::*;
use proptest::prelude::*;

fn address(text: &str) -> NetAddress {
    NetAddress::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn texts_of_hidden_networks() {
    let onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
    let i2p = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p";
    assert_eq!(address(onion).to_string(), onion);
    assert_eq!(address(&onion.to_uppercase().replace(".ONION", ".onion")).to_string(), onion);
    assert_eq!(address(i2p).to_string(), i2p);
    assert_eq!(address(&i2p.to_uppercase()).to_string(), i2p);
    let flipped = format!("qg{}", &onion[2..]);
    for bad in [
        onion.trim_end_matches(".onion"),
        &onion.to_uppercase(),
        // Wrong checksum; version 2; a name with a NUL.
        &flipped,
        "5wyqrzbvrdsumnok.onion",
        &format!("{onion}\0"),
        &i2p.replace("ukeu", "uke"),
        &i2p.replace("ukeu", "uke1"),
        ".b32.i2p",
        ".onion",
        "",
        "localhost",
        "1.2.3.4.5",
        "é".repeat(30).as_str(),
    ] {
        assert_eq!(NetAddress::parse(bad), None, "{bad}");
    }
}

#[test]
fn ipv6_texts_are_shortened() {
    for (long, short) in [
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("::1.2.3.4", "::102:304"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("FC00:0:0:0:0:0:0:AB", "fc00::ab"),
    ] {
        assert_eq!(address(long).to_string(), short);
    }
    let cjdns = address("fc00::ab").flip_to_cjdns(true);
    assert_eq!(cjdns, NetAddress::Cjdns([0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab]));
    assert_eq!(cjdns.to_string(), "fc00::ab");
    assert_eq!(Service::new(cjdns, 5).to_string(), "[fc00::ab]:5");
    assert_eq!(address("fc00::ab").flip_to_cjdns(false).kind(), AddressNetwork::Ipv6);
    assert_eq!(address("fd00::ab").flip_to_cjdns(true).kind(), AddressNetwork::Ipv6);
}

#[test]
fn hosts_and_ports() {
    for (text, expected) in [
        ("www.example.com", Some(("www.example.com", 9))),
        ("[www.example.com]", Some(("www.example.com", 9))),
        ("www.example.com:80", Some(("www.example.com", 80))),
        ("[www.example.com]:80", Some(("www.example.com", 80))),
        ("127.0.0.1", Some(("127.0.0.1", 9))),
        ("127.0.0.1:8333", Some(("127.0.0.1", 8333))),
        ("[127.0.0.1]:8333", Some(("127.0.0.1", 8333))),
        ("::ffff:127.0.0.1", Some(("::ffff:127.0.0.1", 9))),
        ("[::ffff:127.0.0.1]:8333", Some(("::ffff:127.0.0.1", 8333))),
        ("::8333", Some(("::8333", 9))),
        ("[::]:8333", Some(("::", 8333))),
        (":8333", Some(("", 8333))),
        ("[]:8333", Some(("", 8333))),
        ("", Some(("", 9))),
        (":65535", Some(("", 65_535))),
        (":65536", None),
        (":-1", None),
        (":+1", None),
        (":0", None),
        ("a:", None),
        ("[::1]:70001", None),
    ] {
        let expected = expected.map(|(host, port)| (host.to_owned(), port));
        assert_eq!(split_host_port(text, 9), expected, "{text}");
    }
}

#[test]
fn networks_and_reserved_ranges() {
    use AddressNetwork::{Internal, Ipv4, Ipv6, Onion, Unroutable};
    for text in [
        "0.0.0.0",
        "255.255.255.255",
        "127.0.0.1",
        "0.1.2.3",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "172.31.255.255",
        "169.254.1.1",
        "198.18.0.1",
        "198.19.255.1",
        "100.64.0.1",
        "100.127.255.1",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "2001:10::1",
        "2001:2f::1",
        "2001:db8::1",
    ] {
        assert_eq!(address(text).network(), Unroutable, "{text}");
    }
    for text in ["172.32.0.1", "100.128.0.1", "198.20.0.1", "192.0.3.1", "9.9.9.9"] {
        assert_eq!(address(text).network(), Ipv4, "{text}");
    }
    for text in ["fe80:0:0:1::1", "2001:30::1", "2001:db9::1", "2a00::1", "2002::1", "2001::1"] {
        assert_eq!(address(text).network(), Ipv6, "{text}");
    }
    assert!(address("10.0.0.1").is_valid() && !address("2001:db8::1").is_valid());
    assert!(address("::").is_bind_any() && address("0.0.0.0").is_bind_any() && !address("::1").is_bind_any());
    assert!(!NetAddress::Cjdns([0xfd; 16]).is_valid() && NetAddress::Cjdns([0xfc; 16]).is_routable());
    assert_eq!(NetAddress::Onion([0; 32]).network(), Onion);

    let name = NetAddress::internal("dnsseed1.groestlcoin.org").unwrap();
    assert_eq!((name.network(), name.net_class()), (Internal, Internal));
    assert!(!name.is_valid() && !name.is_relayable() && name.is_v1_compatible());
    assert_eq!(NetAddress::from_ipv6_bytes(name.to_v1_bytes()), name);
    assert_eq!(NetAddress::internal(""), None);
    // First ten bytes of SHA-256 of "esffpp", which the reference's tests name.
    assert_eq!(NetAddress::internal("esffpp").unwrap().to_string(), "esffpvrt3wpeaygy.internal");
}

#[test]
fn linked_ipv4_addresses() {
    for (text, linked) in [
        ("1.2.3.4", Some([1, 2, 3, 4])),
        ("64:ff9b::102:304", Some([1, 2, 3, 4])),
        ("::ffff:0:102:304", Some([1, 2, 3, 4])),
        ("2002:102:304::9", Some([1, 2, 3, 4])),
        ("2001:0:9999:9999:9999:9999:fefd:fcfb", Some([1, 2, 3, 4])),
        ("2a00::1", None),
        ("10.0.0.1", None),
    ] {
        assert_eq!(address(text).linked_ipv4(), linked, "{text}");
        let class = address(text).net_class();
        assert_eq!(class == AddressNetwork::Ipv4, linked.is_some(), "{text}");
    }
    assert!(address("2001:470::1").is_he_net() && !address("2001:471::1").is_he_net());
}

#[test]
fn reachability() {
    let onion = NetAddress::Onion([1; 32]);
    let (i2p, cjdns) = (NetAddress::I2p([1; 32]), NetAddress::Cjdns([0xfc; 16]));
    let (v4, v6, tunnel, teredo, none) =
        (address("9.9.9.9"), address("2a00::1"), address("2002::1"), address("2001::1"), address("10.1.1.1"));
    // Rows: ours; columns: partner by IPv4, IPv6, Onion, I2P, CJDNS, Teredo, unroutable.
    let partners = [v4, v6, onion, i2p, cjdns, teredo, none];
    for (ours, expected) in [
        (v4, [4, 4, 4, 1, 1, 4, 4]),
        (v6, [1, 5, 1, 1, 1, 3, 3]),
        (tunnel, [1, 3, 1, 1, 1, 3, 3]),
        (teredo, [1, 2, 1, 1, 1, 2, 2]),
        (onion, [1, 1, 6, 1, 1, 1, 6]),
        (i2p, [1, 1, 1, 6, 1, 1, 1]),
        (cjdns, [1, 1, 1, 1, 6, 1, 1]),
        (none, [0; 7]),
    ] {
        assert_eq!(partners.map(|p| ours.reachability_from(&p)), expected, "{ours}");
    }
}

#[test]
fn keys_and_order() {
    let key = |a: NetAddress| grs_encoding::hex_encode(Service::new(a, 0x0533).key());
    assert_eq!(key(address("1.2.3.4")), "00000000000000000000ffff010203040533");
    assert_eq!(key(address("2a00::1")), "2a0000000000000000000000000000010533");
    assert_eq!(key(NetAddress::Onion([7; 32])), format!("{}0533", "07".repeat(32)));
    let mut list = [NetAddress::Onion([0; 32]), address("::1"), address("255.0.0.1"), address("1.0.0.1")];
    list.sort();
    let kinds = list.map(|a| a.kind());
    use AddressNetwork::{Ipv4, Ipv6, Onion};
    assert_eq!(kinds, [Ipv4, Ipv4, Ipv6, Onion]);
}

fn any_address() -> impl Strategy<Value = NetAddress> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(NetAddress::Ipv4),
        any::<[u8; 16]>().prop_map(NetAddress::from_ipv6_bytes),
        any::<[u8; 32]>().prop_map(NetAddress::Onion),
        any::<[u8; 32]>().prop_map(NetAddress::I2p),
        any::<[u8; 16]>().prop_map(NetAddress::Cjdns),
        any::<[u8; 10]>().prop_map(NetAddress::Internal),
    ]
}

proptest! {
    #[test]
    fn encodings_round_trip(address in any_address(), port: u16, services: u64, time: u32) {
        let timed = TimedAddress { service: Service::new(address, port), services: Services(services), time };
        let mut v2 = Vec::new();
        timed.encode_v2(&mut v2);
        prop_assert_eq!(TimedAddress::decode_v2(&mut Reader::new(&v2)).unwrap(), timed);
        let mut v1 = Vec::new();
        timed.encode_v1(&mut v1);
        prop_assert_eq!(v1.len(), 30);
        let back = TimedAddress::decode_v1(&mut Reader::new(&v1)).unwrap();
        let kept = if address.is_v1_compatible() { address } else { NetAddress::default() };
        prop_assert_eq!(back.service.address, kept);
    }

    #[test]
    fn texts_round_trip(address in any_address(), port in 1..=u16::MAX) {
        // Names are texts of no host, and CJDNS looks like IPv6.
        if let NetAddress::Internal(_) = address {
            return Ok(());
        }
        let service = Service::new(address, port);
        let back = Service::parse(&service.to_string(), 1).unwrap();
        match address {
            NetAddress::Cjdns(b) => prop_assert_eq!(back.address, NetAddress::from_ipv6_bytes(b)),
            _ => prop_assert_eq!(back, service),
        }
    }
}
