//! Networks that may use the RPC port (`-rpcallowip`) and addresses to listen on (`-rpcbind`).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A range of IP addresses: those that agree with one address in the leading bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    bits: u8,
}

impl Subnet {
    /// Networks that are always allowed: local IPv4 and the local IPv6 address.
    pub fn local() -> [Subnet; 2] {
        [
            Subnet { address: IpAddr::from([127, 0, 0, 0]), bits: 8 },
            Subnet { address: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
        ]
    }

    /// Reads an address, `address/bits` or `address/netmask`. With `cjdns`, addresses in `fc00::/8` are those of CJDNS,
    /// which has no networks.
    pub fn parse(text: &str, cjdns: bool) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        let address = parse_ip(address)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match mask {
            None => width,
            Some(_) if cjdns && matches!(address, IpAddr::V6(v6) if v6.octets()[0] == 0xfc) => return None,
            Some(mask) => parse_mask(mask, address.is_ipv4())?,
        };
        if bits > width {
            return None;
        }
        let address = match address {
            IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & prefix_mask(bits, 32) as u32).into()),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & prefix_mask(bits, 128)).into()),
        };
        Some(Self { address, bits })
    }

    /// Is the address in the network? IPv4 addresses mapped into IPv6 count as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                u32::from(ip) & prefix_mask(self.bits, 32) as u32 == u32::from(net)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                u128::from(ip) & prefix_mask(self.bits, 128) == u128::from(net)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn parse_ip(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Mask with the top `bits` of `width` bits set, in the low `width` bits.
fn prefix_mask(bits: u8, width: u32) -> u128 {
    let all = if width == 128 { u128::MAX } else { (1 << width) - 1 };
    let low = u32::from(bits);
    all & !all.checked_shr(low).unwrap_or(0)
}

fn parse_mask(text: &str, v4: bool) -> Option<u8> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (ones, all) = match parse_ip(text)? {
        IpAddr::V4(mask) if v4 => (u32::from(mask).leading_ones(), u32::from(mask).count_ones()),
        IpAddr::V6(mask) if !v4 => (u128::from(mask).leading_ones(), u128::from(mask).count_ones()),
        _ => return None,
    };
    (ones == all).then(|| u8::try_from(ones).ok()).flatten()
}

/// Splits `host:port`, `[v6]:port`, `host` or a bare IPv6 address; brackets are taken off. `None` when there is a port
/// and it is not a number from 1 to 65535 (reference: `SplitHostPort`).
pub fn split_host_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let mut host = text;
    let mut port = default_port;
    if let Some((before, after)) = text.rsplit_once(':') {
        let bracketed = before.starts_with('[') && before.ends_with(']');
        if before.is_empty() || bracketed || !before.contains(':') {
            if after.is_empty() || !after.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            port = after.parse().ok().filter(|p| *p != 0)?;
            host = before;
        }
    }
    let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_parse_and_match() {
        let net = |text| Subnet::parse(text, false).unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(net("1.2.3.4").contains(ip("1.2.3.4")));
        assert!(!net("1.2.3.4").contains(ip("1.2.3.5")));
        assert!(net("1.2.3.0/24").contains(ip("1.2.3.255")));
        assert!(!net("1.2.3.0/24").contains(ip("1.2.4.0")));
        assert_eq!(net("1.2.3.4/255.255.255.0"), net("1.2.3.0/24"));
        assert_eq!(net("1.2.3.4/24").to_string(), "1.2.3.0/24");
        assert!(net("0.0.0.0/0").contains(ip("255.1.2.3")));
        assert!(!net("0.0.0.0/0").contains(ip("::1")));
        assert!(net("::/0").contains(ip("2001:db8::1")));
        assert!(net("1.2.3.4").contains(ip("::ffff:1.2.3.4")));
        assert!(net("fd00:db8::/32").contains(ip("fd00:db8:1::1")));
        assert_eq!(net("2001:db8::/ffff:ffff::"), net("2001:db8::/32"));
        for bad in [
            "",
            "foo",
            "1.2.3.4/33",
            "1.2.3.4/255.0.255.0",
            "1.2.3/8",
            "::1/129",
            "1.2.3.4/ffff::",
            "1.2.3.4/",
        ] {
            assert_eq!(Subnet::parse(bad, false), None, "{bad}");
        }
        assert_eq!(Subnet::parse("fc00:db8::/80", true), None);
        assert!(Subnet::parse("fc00:db8::/80", false).is_some());
        assert!(Subnet::parse("fd00:db8::/80", true).is_some());
    }

    #[test]
    fn host_and_port_split() {
        let split = |text| split_host_port(text, 1441);
        let some = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(split("127.0.0.1"), some("127.0.0.1", 1441));
        assert_eq!(split("127.0.0.1:80"), some("127.0.0.1", 80));
        assert_eq!(split("[::1]:80"), some("::1", 80));
        assert_eq!(split("[::1]"), some("::1", 1441));
        assert_eq!(split("::1"), some("::1", 1441));
        assert_eq!(split(":80"), some("", 80));
        for bad in
            ["127.0.0.1:notaport", "127.0.0.1:-18443", "127.0.0.1:0", "127.0.0.1:65536", "[::1]:0", "a:"]
        {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
