use std::fmt;

use grs_wire::{AddressNetwork, NetAddress};

/// A range of addresses: an IP prefix, or one address of another network. Reference: `CSubNet`.
///
/// Masks that are not a prefix (`255.0.255.0`) cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subnet {
    network: NetAddress,
    /// Length of the prefix in bits; 0 for networks without prefixes.
    prefix: u8,
}

fn width(address: &NetAddress) -> u8 {
    match address {
        NetAddress::Ipv4(_) => 32,
        NetAddress::Ipv6(_) => 128,
        _ => 0,
    }
}

fn masked<const N: usize>(mut bytes: [u8; N], prefix: u8) -> [u8; N] {
    for (i, byte) in bytes.iter_mut().enumerate() {
        let bits = usize::from(prefix).saturating_sub(i * 8).min(8) as u32;
        *byte &= (0xff00_u16 >> bits) as u8;
    }
    bytes
}

impl Subnet {
    /// One address; `None` for addresses that cannot be listed (internal ones).
    pub fn single(address: NetAddress) -> Option<Subnet> {
        match address {
            NetAddress::Internal(_) => None,
            _ => Some(Subnet { network: address, prefix: width(&address) }),
        }
    }

    /// A prefix of this many bits; `None` if there are not so many or the network has no prefixes.
    pub fn with_prefix(address: NetAddress, prefix: u8) -> Option<Subnet> {
        let network = match address {
            NetAddress::Ipv4(bytes) if prefix <= 32 => NetAddress::Ipv4(masked(bytes, prefix)),
            NetAddress::Ipv6(bytes) if prefix <= 128 => NetAddress::Ipv6(masked(bytes, prefix)),
            _ => return None,
        };
        Some(Subnet { network, prefix })
    }

    /// Reads an address, `address/bits` or `address/netmask`. No look-up.
    pub fn parse(text: &str) -> Option<Subnet> {
        let Some((host, mask)) = text.rsplit_once('/') else {
            return Subnet::single(NetAddress::parse(text)?);
        };
        let address = NetAddress::parse(host)?;
        if !mask.is_empty() && mask.bytes().all(|b| b.is_ascii_digit()) && mask.parse::<u8>().is_ok() {
            return Subnet::with_prefix(address, mask.parse().ok()?);
        }
        let mask = NetAddress::parse(mask)?;
        let bytes = match (&address, &mask) {
            (NetAddress::Ipv4(_), NetAddress::Ipv4(m)) => m.to_vec(),
            (NetAddress::Ipv6(_), NetAddress::Ipv6(m)) => m.to_vec(),
            _ => return None,
        };
        let prefix: u32 = bytes.iter().map(|b| b.leading_ones()).take_while(|n| *n == 8).sum::<u32>()
            + bytes.iter().find(|b| **b != 0xff).map_or(0, |b| b.leading_ones());
        let ones: u32 = bytes.iter().map(|b| b.count_ones()).sum();
        if ones != prefix {
            return None;
        }
        Subnet::with_prefix(address, u8::try_from(prefix).ok()?)
    }

    /// Whether an address lies in it.
    pub fn matches(&self, address: &NetAddress) -> bool {
        if !address.is_valid() {
            return false;
        }
        match (&self.network, address) {
            (NetAddress::Ipv4(net), NetAddress::Ipv4(bytes)) => masked(*bytes, self.prefix) == *net,
            (NetAddress::Ipv6(net), NetAddress::Ipv6(bytes)) => masked(*bytes, self.prefix) == *net,
            (network, address) => network == address,
        }
    }

    /// Its first address.
    pub fn network(&self) -> &NetAddress {
        &self.network
    }

    /// Whether it is a single address.
    pub fn is_single(&self) -> bool {
        self.prefix == width(&self.network)
    }

    /// Kind of network.
    pub fn kind(&self) -> AddressNetwork {
        self.network.kind()
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            NetAddress::Ipv4(_) | NetAddress::Ipv6(_) => write!(f, "{}/{}", self.network, self.prefix),
            _ => write!(f, "{}", self.network),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<String> {
        Subnet::parse(text).map(|s| s.to_string())
    }

    #[test]
    fn texts() {
        assert_eq!(parse("1.2.3.4").unwrap(), "1.2.3.4/32");
        assert_eq!(parse("1.2.3.4/24").unwrap(), "1.2.3.0/24");
        assert_eq!(parse("127.0.0.1/255.255.128.0").unwrap(), "127.0.0.0/17");
        assert_eq!(parse("1.2.3.4/255.255.0.255"), None);
        assert_eq!(parse("2001:4d48:ac57:400:cacf:e9ff:fe1d:9c63/19").unwrap(), "2001:4000::/19");
        assert_eq!(parse("fe80::1/128").unwrap(), "fe80::1/128");
        assert_eq!(parse("::/0").unwrap(), "::/0");
        for bad in
            ["", "/", "1.2.3.4/33", "1.2.3.4/x", "1.2.3.4/", "::1/129", "fuzzy", "1.2.3.4/-1", "1.2.3.4/+1"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn matching() {
        let net = Subnet::parse("127.0.0.0/8").unwrap();
        assert!(net.matches(&NetAddress::parse("127.1.2.3").unwrap()));
        assert!(!net.matches(&NetAddress::parse("128.0.0.1").unwrap()));
        assert!(!net.matches(&NetAddress::parse("::1").unwrap()));
        let odd = Subnet::parse("1.2.3.7/30").unwrap();
        assert!(odd.matches(&NetAddress::parse("1.2.3.4").unwrap()));
        assert!(!odd.matches(&NetAddress::parse("1.2.3.8").unwrap()));
    }
}
