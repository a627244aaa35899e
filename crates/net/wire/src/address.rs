//! Network addresses of all kinds, in both encodings (the old one of 16 bytes and BIP155).
//! Reference: `src/netaddress.{h,cpp}`, `CAddress` in `src/protocol.h`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bitcoin_hashes::sha3_256;
use grs_encoding::{DecodeError, Encode, Reader, write_compact_size, write_var_bytes};
use thiserror::Error;

use crate::{Services, base32, ipv4_text};

/// Kind of network, in the reference's numbering.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddressNetwork {
    /// Not reachable from outside.
    Unroutable,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Tor, version 3.
    Onion,
    /// I2P.
    I2p,
    /// CJDNS.
    Cjdns,
    /// Names turned into addresses inside the address manager.
    Internal,
}

impl AddressNetwork {
    /// Name as in options and RPC results.
    pub const fn name(self) -> &'static str {
        match self {
            AddressNetwork::Unroutable => "not_publicly_routable",
            AddressNetwork::Ipv4 => "ipv4",
            AddressNetwork::Ipv6 => "ipv6",
            AddressNetwork::Onion => "onion",
            AddressNetwork::I2p => "i2p",
            AddressNetwork::Cjdns => "cjdns",
            AddressNetwork::Internal => "internal",
        }
    }

    /// Reads the name of a network that addresses are relayed for (either case; `tor` was an old name of `onion`).
    pub fn parse(name: &str) -> Option<AddressNetwork> {
        Some(match name.to_ascii_lowercase().as_str() {
            "ipv4" => AddressNetwork::Ipv4,
            "ipv6" => AddressNetwork::Ipv6,
            "onion" => AddressNetwork::Onion,
            "i2p" => AddressNetwork::I2p,
            "cjdns" => AddressNetwork::Cjdns,
            _ => return None,
        })
    }
}

const IPV4_IN_IPV6: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const TORV2_IN_IPV6: [u8; 6] = [0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43];
const INTERNAL_IN_IPV6: [u8; 6] = [0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24];
const MAX_ADDRV2_SIZE: u64 = 512;

/// An address without a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NetAddress {
    /// IPv4.
    Ipv4([u8; 4]),
    /// IPv6 (never a mapped IPv4 address). The scope of link-local ones is not kept.
    Ipv6([u8; 16]),
    /// Public key of a Tor service.
    Onion([u8; 32]),
    /// Hash of an I2P destination.
    I2p([u8; 32]),
    /// CJDNS (`fc00::/8`).
    Cjdns([u8; 16]),
    /// First ten bytes of a name's hash.
    Internal([u8; 10]),
}

impl Default for NetAddress {
    fn default() -> Self {
        NetAddress::Ipv6([0; 16])
    }
}

impl From<IpAddr> for NetAddress {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => NetAddress::Ipv4(v4.octets()),
            IpAddr::V6(v6) => NetAddress::from_ipv6_bytes(v6.octets()),
        }
    }
}

fn starts<const N: usize>(bytes: &[u8], prefix: [u8; N]) -> bool {
    bytes.starts_with(&prefix)
}

impl NetAddress {
    /// From the 16 bytes of the old encoding, with its embedded kinds. Old Tor addresses become `::`.
    pub fn from_ipv6_bytes(bytes: [u8; 16]) -> NetAddress {
        if let Some(v4) = bytes.strip_prefix(&IPV4_IN_IPV6[..]) {
            NetAddress::Ipv4(<[u8; 4]>::try_from(v4).unwrap_or_default())
        } else if let Some(name) = bytes.strip_prefix(&INTERNAL_IN_IPV6[..]) {
            NetAddress::Internal(<[u8; 10]>::try_from(name).unwrap_or_default())
        } else if bytes.starts_with(&TORV2_IN_IPV6) {
            NetAddress::default()
        } else {
            NetAddress::Ipv6(bytes)
        }
    }

    /// Reads an IP address, a `.onion` (version 3) or a `.b32.i2p` name. No look-up.
    pub fn parse(text: &str) -> Option<NetAddress> {
        if text.contains('\0') {
            return None;
        }
        if let Some(name) = text.strip_suffix(".onion") {
            let bytes = base32::decode(name)?;
            let key = <[u8; 32]>::try_from(bytes.get(..32)?).ok()?;
            let fits = bytes.len() == 35 && bytes[34] == 3 && bytes[32..34] == onion_checksum(&key);
            return fits.then_some(NetAddress::Onion(key));
        }
        if text.len() == 60 && text.is_ascii() && text[52..].eq_ignore_ascii_case(".b32.i2p") {
            let name = &text[..52];
            return Some(NetAddress::I2p(<[u8; 32]>::try_from(base32::decode(name)?.as_slice()).ok()?));
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        let bare = bare.split('%').next().unwrap_or(bare);
        match bare.parse::<IpAddr>() {
            Ok(ip) => Some(NetAddress::from(ip)),
            Err(_) => ipv4_text::parse(bare).map(NetAddress::Ipv4),
        }
    }

    /// Its kind, [`AddressNetwork::Unroutable`] not considered.
    pub fn kind(&self) -> AddressNetwork {
        match self {
            NetAddress::Ipv4(_) => AddressNetwork::Ipv4,
            NetAddress::Ipv6(_) => AddressNetwork::Ipv6,
            NetAddress::Onion(_) => AddressNetwork::Onion,
            NetAddress::I2p(_) => AddressNetwork::I2p,
            NetAddress::Cjdns(_) => AddressNetwork::Cjdns,
            NetAddress::Internal(_) => AddressNetwork::Internal,
        }
    }

    /// The network it belongs to (reference: `GetNetwork`).
    pub fn network(&self) -> AddressNetwork {
        match self {
            NetAddress::Internal(_) => AddressNetwork::Internal,
            _ if !self.is_routable() => AddressNetwork::Unroutable,
            _ => self.kind(),
        }
    }

    /// The address as an IP address, where it is one.
    pub fn to_ip(&self) -> Option<IpAddr> {
        match self {
            NetAddress::Ipv4(b) => Some(IpAddr::V4(Ipv4Addr::from(*b))),
            NetAddress::Ipv6(b) | NetAddress::Cjdns(b) => Some(IpAddr::V6(Ipv6Addr::from(*b))),
            _ => None,
        }
    }

    /// Its bytes in the kind's own form.
    pub fn bytes(&self) -> &[u8] {
        match self {
            NetAddress::Ipv4(b) => b,
            NetAddress::Ipv6(b) | NetAddress::Cjdns(b) => b,
            NetAddress::Onion(b) | NetAddress::I2p(b) => b,
            NetAddress::Internal(b) => b,
        }
    }

    /// True for the own machine and `0.0.0.0/8` (reference: `IsLocal`).
    pub fn is_local(&self) -> bool {
        match self {
            NetAddress::Ipv4(b) => b[0] == 127 || b[0] == 0,
            NetAddress::Ipv6(b) => *b == Ipv6Addr::LOCALHOST.octets(),
            _ => false,
        }
    }

    /// True when the address could be anybody's (reference: `IsValid`).
    pub fn is_valid(&self) -> bool {
        match self {
            NetAddress::Ipv4(b) => *b != [0; 4] && *b != [255; 4],
            NetAddress::Ipv6(b) => {
                // Documentation addresses, and the broken form that old versions sent.
                !starts(b, [0x20, 0x01, 0x0d, 0xb8]) && *b != [0; 16]
            }
            NetAddress::Cjdns(b) => b[0] == 0xfc,
            NetAddress::Internal(_) => false,
            NetAddress::Onion(_) | NetAddress::I2p(_) => true,
        }
    }

    /// True when it can be reached from the public network (reference: `IsRoutable`).
    pub fn is_routable(&self) -> bool {
        self.is_valid() && !self.is_local() && !self.is_reserved()
    }

    /// Ranges that the public network does not route.
    fn is_reserved(&self) -> bool {
        match self {
            NetAddress::Ipv4(b) => {
                let [a, c, d, _] = *b;
                a == 10
                    || (a == 192 && c == 168)
                    || (a == 172 && (16..32).contains(&c))
                    || (a == 198 && (c == 18 || c == 19))
                    || (a == 169 && c == 254)
                    || (a == 100 && (64..128).contains(&c))
                    || (a == 192 && c == 0 && d == 2)
                    || (a == 198 && c == 51 && d == 100)
                    || (a == 203 && c == 0 && d == 113)
            }
            NetAddress::Ipv6(b) => {
                starts(b, [0xfe, 0x80, 0, 0, 0, 0, 0, 0])
                    || b[0] & 0xfe == 0xfc
                    || (starts(b, [0x20, 0x01, 0x00]) && b[3] & 0xf0 == 0x10)
                    || (starts(b, [0x20, 0x01, 0x00]) && b[3] & 0xf0 == 0x20)
            }
            _ => false,
        }
    }

    /// True when the old encoding can hold it.
    pub fn is_v1_compatible(&self) -> bool {
        matches!(self, NetAddress::Ipv4(_) | NetAddress::Ipv6(_) | NetAddress::Internal(_))
    }

    /// True for networks that hide who connects.
    pub fn is_privacy_network(&self) -> bool {
        matches!(self, NetAddress::Onion(_) | NetAddress::I2p(_))
    }

    /// True when addresses of this kind are passed on.
    pub fn is_relayable(&self) -> bool {
        !matches!(self, NetAddress::Internal(_))
    }

    /// The 16 bytes of the old encoding; zeros where it cannot be expressed.
    pub fn to_v1_bytes(&self) -> [u8; 16] {
        let mut out = [0; 16];
        match self {
            NetAddress::Ipv4(b) => {
                out[..12].copy_from_slice(&IPV4_IN_IPV6);
                out[12..].copy_from_slice(b);
            }
            NetAddress::Ipv6(b) => out = *b,
            NetAddress::Internal(b) => {
                out[..6].copy_from_slice(&INTERNAL_IN_IPV6);
                out[6..].copy_from_slice(b);
            }
            NetAddress::Onion(_) | NetAddress::I2p(_) | NetAddress::Cjdns(_) => {}
        }
        out
    }

    /// The bytes that identify it: the old encoding where that can hold it, its own bytes otherwise (reference:
    /// `GetAddrBytes`).
    pub fn group_bytes(&self) -> Vec<u8> {
        if self.is_v1_compatible() { self.to_v1_bytes().to_vec() } else { self.bytes().to_vec() }
    }

    /// Appends the BIP155 form: kind and bytes.
    pub fn encode_v2(&self, out: &mut Vec<u8>) {
        let kind = match self {
            NetAddress::Ipv4(_) => 1,
            NetAddress::Ipv6(_) | NetAddress::Internal(_) => 2,
            NetAddress::Onion(_) => 4,
            NetAddress::I2p(_) => 5,
            NetAddress::Cjdns(_) => 6,
        };
        out.push(kind);
        match self {
            // Names have no BIP155 kind; they travel (to disk only) as the IPv6 address they always were.
            NetAddress::Internal(_) => write_var_bytes(out, &self.to_v1_bytes()),
            _ => write_var_bytes(out, self.bytes()),
        }
    }

    /// Reads the BIP155 form. Unknown kinds and obsolete ones become `::`, which nobody uses.
    pub fn decode_v2(reader: &mut Reader<'_>) -> Result<NetAddress, AddressError> {
        let kind = reader.u8()?;
        let len = reader.compact_size()?;
        if len > MAX_ADDRV2_SIZE {
            return Err(AddressError::TooLong(len));
        }
        let (name, expected) = match kind {
            1 => ("IPv4", 4),
            2 => ("IPv6", 16),
            4 => ("TORv3", 32),
            5 => ("I2P", 32),
            6 => ("CJDNS", 16),
            // Networks of the future, and the one that is gone.
            _ => {
                reader.bytes(len as usize)?;
                return Ok(NetAddress::default());
            }
        };
        if len != expected {
            return Err(AddressError::WrongLength { name, len, expected });
        }
        Ok(match kind {
            1 => NetAddress::Ipv4(reader.array()?),
            2 => match NetAddress::from_ipv6_bytes(reader.array()?) {
                // IPv4 must not be wrapped in BIP155.
                NetAddress::Ipv4(_) => NetAddress::default(),
                other => other,
            },
            4 => NetAddress::Onion(reader.array()?),
            5 => NetAddress::I2p(reader.array()?),
            _ => NetAddress::Cjdns(reader.array()?),
        })
    }

    /// An IPv6 address of the CJDNS range as a CJDNS address, if that network is reachable (reference:
    /// `MaybeFlipIPv6toCJDNS`). Addresses entered by people go through this.
    pub fn flip_to_cjdns(self, cjdns_reachable: bool) -> NetAddress {
        match self {
            NetAddress::Ipv6(b) if cjdns_reachable && b[0] == 0xfc => NetAddress::Cjdns(b),
            other => other,
        }
    }

    /// The fake address that stands for a host name in the address manager; none for an empty name.
    pub fn internal(name: &str) -> Option<NetAddress> {
        let hash = grs_hashes::purpose::sha256(name.as_bytes());
        (!name.is_empty()).then(|| NetAddress::Internal(std::array::from_fn(|i| hash[i])))
    }

    /// True for `0.0.0.0` and `::`.
    pub fn is_bind_any(&self) -> bool {
        matches!(self, NetAddress::Ipv4([0, 0, 0, 0])) || *self == NetAddress::default()
    }

    /// True for `2001::/32` (Teredo, RFC4380).
    pub fn is_teredo(&self) -> bool {
        matches!(self, NetAddress::Ipv6(b) if starts(b, [0x20, 0x01, 0, 0]))
    }

    /// True for `2001:470::/32` (Hurricane Electric).
    pub fn is_he_net(&self) -> bool {
        matches!(self, NetAddress::Ipv6(b) if starts(b, [0x20, 0x01, 0x04, 0x70]))
    }

    /// True for `2002::/16` (6to4, RFC3964).
    fn is_6to4(&self) -> bool {
        matches!(self, NetAddress::Ipv6(b) if starts(b, [0x20, 0x02]))
    }

    /// True for addresses that end in an IPv4 address: `64:ff9b::/96` (RFC6052) and `::ffff:0:0:0/96` (RFC6145).
    fn is_translated(&self) -> bool {
        const RFC6052: [u8; 12] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
        const RFC6145: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0];
        matches!(self, NetAddress::Ipv6(b) if starts(b, RFC6052) || starts(b, RFC6145))
    }

    /// The IPv4 address behind a routable IPv4, translated or tunnelled address (reference:
    /// `HasLinkedIPv4`, `GetLinkedIPv4`).
    pub fn linked_ipv4(&self) -> Option<[u8; 4]> {
        let part = |from: usize| {
            let b = self.bytes();
            [b[from], b[from + 1], b[from + 2], b[from + 3]]
        };
        match self {
            _ if !self.is_routable() => None,
            NetAddress::Ipv4(b) => Some(*b),
            _ if self.is_translated() => Some(part(12)),
            _ if self.is_6to4() => Some(part(2)),
            // Teredo hides the address from translators by flipping its bits.
            _ if self.is_teredo() => Some(part(12).map(|b| !b)),
            _ => None,
        }
    }

    /// The network for grouping: [`AddressNetwork::Ipv4`] for all that have a linked IPv4 address (reference:
    /// `GetNetClass`).
    pub fn net_class(&self) -> AddressNetwork {
        match self.network() {
            network @ (AddressNetwork::Internal | AddressNetwork::Unroutable) => network,
            _ if self.linked_ipv4().is_some() => AddressNetwork::Ipv4,
            network => network,
        }
    }

    /// How well this address serves a partner to reach us; larger is better (reference: `GetReachabilityFrom`).
    pub fn reachability_from(&self, partner: &NetAddress) -> u8 {
        use AddressNetwork::{Cjdns, I2p, Ipv4, Ipv6, Onion};
        const UNREACHABLE: u8 = 0;
        const DEFAULT: u8 = 1;
        const TEREDO: u8 = 2;
        const IPV6_WEAK: u8 = 3;
        const IPV4: u8 = 4;
        const IPV6_STRONG: u8 = 5;
        const PRIVATE: u8 = 6;
        if !self.is_routable() {
            return UNREACHABLE;
        }
        let teredo = self.is_teredo();
        let ours = self.network();
        if partner.is_teredo() {
            return match ours {
                _ if teredo => TEREDO,
                Ipv6 => IPV6_WEAK,
                Ipv4 => IPV4,
                _ => DEFAULT,
            };
        }
        match (partner.network(), ours) {
            (Ipv4, Ipv4) => IPV4,
            (Ipv4, _) => DEFAULT,
            (Ipv6, _) if teredo => TEREDO,
            (Ipv6, Ipv4) => IPV4,
            (Ipv6, Ipv6) if self.is_6to4() || self.is_translated() => IPV6_WEAK,
            (Ipv6, Ipv6) => IPV6_STRONG,
            (Ipv6, _) => DEFAULT,
            (Onion, Ipv4) => IPV4,
            (Onion, Onion) | (I2p, I2p) | (Cjdns, Cjdns) => PRIVATE,
            (Onion | I2p | Cjdns, _) => DEFAULT,
            // Unroutable, or a name: anything may be right.
            _ if teredo => TEREDO,
            (_, Ipv6) => IPV6_WEAK,
            (_, Ipv4) => IPV4,
            (_, Onion) => PRIVATE,
            _ => DEFAULT,
        }
    }
}

fn onion_checksum(key: &[u8; 32]) -> [u8; 2] {
    let mut data = b".onion checksum".to_vec();
    data.extend_from_slice(key);
    data.push(3);
    let hash = sha3_256::Hash::hash(&data).to_byte_array();
    [hash[0], hash[1]]
}

impl fmt::Display for NetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetAddress::Ipv4(b) => write!(f, "{}", Ipv4Addr::from(*b)),
            NetAddress::Ipv6(b) | NetAddress::Cjdns(b) => write!(f, "{}", Ipv6Addr::from(*b)),
            NetAddress::Onion(key) => {
                let mut data = key.to_vec();
                data.extend_from_slice(&onion_checksum(key));
                data.push(3);
                write!(f, "{}.onion", base32::encode(&data))
            }
            NetAddress::I2p(b) => write!(f, "{}.b32.i2p", base32::encode(b)),
            NetAddress::Internal(b) => write!(f, "{}.internal", base32::encode(b)),
        }
    }
}

/// An address with a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Service {
    /// The host.
    pub address: NetAddress,
    /// TCP port.
    pub port: u16,
}

impl Service {
    /// Puts both together.
    pub const fn new(address: NetAddress, port: u16) -> Service {
        Service { address, port }
    }

    /// Reads `host`, `host:port`, `[host]:port`; `default_port` where there is none. No look-up.
    pub fn parse(text: &str, default_port: u16) -> Option<Service> {
        let (host, port) = split_host_port(text, default_port)?;
        Some(Service { address: NetAddress::parse(&host)?, port })
    }

    /// As a socket address, where it is one.
    pub fn to_socket_addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.address.to_ip()?, self.port))
    }

    /// Identity within the address manager: address bytes in the old or own form, then the port, big-endian
    /// (reference: `CService::GetKey`).
    pub fn key(&self) -> Vec<u8> {
        let mut key = self.address.group_bytes();
        key.extend_from_slice(&self.port.to_be_bytes());
        key
    }
}

impl From<SocketAddr> for Service {
    fn from(addr: SocketAddr) -> Service {
        Service { address: NetAddress::from(addr.ip()), port: addr.port() }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            NetAddress::Ipv6(_) | NetAddress::Cjdns(_) => write!(f, "[{}]:{}", self.address, self.port),
            _ => write!(f, "{}:{}", self.address, self.port),
        }
    }
}

/// Why a BIP155 address could not be read. The texts are the reference's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AddressError {
    /// The bytes end too early, or a count is malformed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Longer than any address may be.
    #[error("Address too long: {0} > {MAX_ADDRV2_SIZE}")]
    TooLong(u64),
    /// The wrong length for its network.
    #[error("BIP155 {name} address with length {len} (should be {expected})")]
    WrongLength {
        /// The network.
        name: &'static str,
        /// Claimed length.
        len: u64,
        /// Right length.
        expected: u64,
    },
}

/// Splits host and port as the reference's `SplitHostPort`: a lone colon separates a port, an IPv6 address needs
/// brackets for one. `None` for a port that is none.
pub fn split_host_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (mut host, mut port) = (text, default_port);
    if let Some(colon) = text.rfind(':') {
        let bracketed = text.starts_with('[') && text[..colon].ends_with(']');
        let several = text[..colon].contains(':');
        if colon == 0 || bracketed || !several {
            let digits = &text[colon + 1..];
            // A plus sign would pass as part of a number.
            port = digits.parse().ok().filter(|p| *p != 0 && !digits.starts_with('+'))?;
            host = &text[..colon];
        }
    }
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    Some((host.to_owned(), port))
}

/// An address as peers pass it on: with services and the time it was last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimedAddress {
    /// Where.
    pub service: Service,
    /// What it offers.
    pub services: Services,
    /// Seconds since 1970 when it was last seen.
    pub time: u32,
}

impl TimedAddress {
    /// Appends the form of `addr` messages.
    pub fn encode_v1(&self, out: &mut Vec<u8>) {
        self.time.encode(out);
        self.encode_v1_without_time(out);
    }

    /// Appends the form of `version` messages.
    pub fn encode_v1_without_time(&self, out: &mut Vec<u8>) {
        self.services.0.encode(out);
        out.extend_from_slice(&self.service.address.to_v1_bytes());
        out.extend_from_slice(&self.service.port.to_be_bytes());
    }

    /// Appends the form of `addrv2` messages (BIP155).
    pub fn encode_v2(&self, out: &mut Vec<u8>) {
        self.time.encode(out);
        write_compact_size(out, self.services.0);
        self.service.address.encode_v2(out);
        out.extend_from_slice(&self.service.port.to_be_bytes());
    }

    /// Reads the form of `addr` messages.
    pub fn decode_v1(reader: &mut Reader<'_>) -> Result<TimedAddress, DecodeError> {
        let time = reader.u32_le()?;
        Ok(TimedAddress { time, ..TimedAddress::decode_v1_without_time(reader)? })
    }

    /// Reads the form of `version` messages.
    pub fn decode_v1_without_time(reader: &mut Reader<'_>) -> Result<TimedAddress, DecodeError> {
        let services = Services(reader.u64_le()?);
        let address = NetAddress::from_ipv6_bytes(reader.array()?);
        Ok(TimedAddress { service: Service::new(address, reader.u16_be()?), services, time: 0 })
    }

    /// Reads the form of `addrv2` messages.
    pub fn decode_v2(reader: &mut Reader<'_>) -> Result<TimedAddress, AddressError> {
        let time = reader.u32_le()?;
        let services = Services(reader.compact_size_unchecked()?);
        let address = NetAddress::decode_v2(reader)?;
        Ok(TimedAddress { service: Service::new(address, reader.u16_be()?), services, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for text in [
            "1.2.3.4:1331",
            "[2001:db8::1]:1331",
            "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:1331",
            "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:1331",
        ] {
            assert_eq!(Service::parse(text, 1).unwrap().to_string(), text);
        }
        assert_eq!(Service::parse("1.2.3.4", 7).unwrap().port, 7);
        assert!(Service::parse("1.2.3.4:0", 7).is_none());
        assert!(
            Service::parse("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrye.onion", 1).is_none()
        );
    }

    #[test]
    fn routability() {
        let net = |t| NetAddress::parse(t).unwrap().network();
        assert_eq!(net("127.0.0.1"), AddressNetwork::Unroutable);
        assert_eq!(net("10.0.0.1"), AddressNetwork::Unroutable);
        assert_eq!(net("8.8.8.8"), AddressNetwork::Ipv4);
        assert_eq!(net("::ffff:8.8.8.8"), AddressNetwork::Ipv4);
        assert_eq!(net("2a00::1"), AddressNetwork::Ipv6);
        assert_eq!(net("fe80::1"), AddressNetwork::Unroutable);
    }
}
