use std::fmt;
use std::ops::BitOr;

use grs_addrman::Subnet;
use grs_wire::{NetAddress, Service};

/// What a peer may do beyond others. Reference: `NetPermissionFlags`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Permissions(pub u32);

impl Permissions {
    /// Nothing.
    pub const NONE: Permissions = Permissions(0);
    /// May use bloom filters though they are not offered.
    pub const BLOOM: Permissions = Permissions(1 << 1);
    /// Transactions are taken in `-blocksonly` mode too.
    pub const RELAY: Permissions = Permissions(1 << 3);
    /// Transactions are relayed though known already.
    pub const FORCE_RELAY: Permissions = Permissions((1 << 2) | (1 << 3));
    /// Headers during initial download, and blocks beyond the upload target.
    pub const DOWNLOAD: Permissions = Permissions(1 << 6);
    /// Is never banned, disconnected or discouraged for misbehaviour.
    pub const NO_BAN: Permissions = Permissions((1 << 4) | (1 << 6));
    /// May ask for the mempool.
    pub const MEMPOOL: Permissions = Permissions(1 << 5);
    /// Gets fresh addresses, and all of its addresses are taken.
    pub const ADDR: Permissions = Permissions(1 << 7);
    /// Nothing was said: the defaults apply.
    pub const IMPLICIT: Permissions = Permissions(1 << 31);
    /// Everything.
    pub const ALL: Permissions = Permissions(0xfe);

    /// True when all bits of `other` are set.
    pub const fn has(self, other: Permissions) -> bool {
        self.0 & other.0 == other.0
    }

    /// Without the bits of `other`.
    pub const fn without(self, other: Permissions) -> Permissions {
        Permissions(self.0 & !other.0)
    }

    /// Names as in RPC results.
    pub fn names(self) -> Vec<&'static str> {
        [
            (Permissions::BLOOM, "bloomfilter"),
            (Permissions::NO_BAN, "noban"),
            (Permissions::FORCE_RELAY, "forcerelay"),
            (Permissions::RELAY, "relay"),
            (Permissions::MEMPOOL, "mempool"),
            (Permissions::DOWNLOAD, "download"),
            (Permissions::ADDR, "addr"),
        ]
        .into_iter()
        .filter(|(flag, _)| self.has(*flag))
        .map(|(_, name)| name)
        .collect()
    }
}

impl BitOr for Permissions {
    type Output = Permissions;
    fn bitor(self, other: Permissions) -> Permissions {
        Permissions(self.0 | other.0)
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

/// Permissions, whether for incoming and outgoing connections, and the rest of the text.
fn parse_flags(text: &str, may_be_out: bool) -> Result<(Permissions, (bool, bool), &str), String> {
    let Some((list, rest)) = text.split_once('@') else {
        return Ok((Permissions::IMPLICIT, (true, false), text));
    };
    let (mut flags, mut incoming, mut outgoing) = (Permissions::NONE, false, false);
    for name in list.split(',') {
        flags = flags
            | match name {
                "bloomfilter" | "bloom" => Permissions::BLOOM,
                "noban" => Permissions::NO_BAN,
                "forcerelay" => Permissions::FORCE_RELAY,
                "mempool" => Permissions::MEMPOOL,
                "download" => Permissions::DOWNLOAD,
                "all" => Permissions::ALL,
                "relay" => Permissions::RELAY,
                "addr" => Permissions::ADDR,
                "in" => {
                    incoming = true;
                    Permissions::NONE
                }
                "out" if !may_be_out => {
                    return Err(
                        "whitebind may only be used for incoming connections (\"out\" was passed)".to_owned()
                    );
                }
                "out" => {
                    outgoing = true;
                    Permissions::NONE
                }
                "" => Permissions::NONE,
                other => return Err(format!("Invalid P2P permission: '{other}'")),
            };
    }
    if !incoming && !outgoing {
        incoming = true;
    } else if flags == Permissions::NONE {
        return Err(format!("Only direction was set, no permissions: '{text}'"));
    }
    Ok((flags, (incoming, outgoing), rest))
}

/// A `-whitebind`: where to listen and what those who connect there may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhiteBind {
    /// Permissions.
    pub permissions: Permissions,
    /// Address to listen on.
    pub service: Service,
}

impl WhiteBind {
    /// Reads `[permissions@]address:port`; errors are texts for the user.
    pub fn parse(text: &str) -> Result<WhiteBind, String> {
        let (permissions, _, rest) = parse_flags(text, false)?;
        let service =
            Service::parse(rest, 0).ok_or_else(|| format!("Cannot resolve -whitebind address: '{rest}'"))?;
        if service.port == 0 {
            return Err(format!("Need to specify a port with -whitebind: '{rest}'"));
        }
        Ok(WhiteBind { permissions, service })
    }
}

/// A `-whitelist`: what peers from a range of addresses may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhiteList {
    /// Permissions.
    pub permissions: Permissions,
    /// Addresses.
    pub subnet: Subnet,
    /// For connections from there.
    pub incoming: bool,
    /// For connections to there.
    pub outgoing: bool,
}

impl WhiteList {
    /// Reads `[permissions@]subnet`; errors are texts for the user.
    pub fn parse(text: &str) -> Result<WhiteList, String> {
        let (permissions, (incoming, outgoing), rest) = parse_flags(text, true)?;
        let subnet = Subnet::parse(rest)
            .ok_or_else(|| format!("Invalid netmask specified in -whitelist: '{rest}'"))?;
        Ok(WhiteList { permissions, subnet, incoming, outgoing })
    }

    /// Permissions of a connection with an address, without what [`Permissions::IMPLICIT`] stands for.
    pub fn permissions_of(list: &[WhiteList], address: &NetAddress, incoming: bool) -> Permissions {
        list.iter()
            .filter(|w| if incoming { w.incoming } else { w.outgoing })
            .filter(|w| w.subnet.matches(address))
            .fold(Permissions::NONE, |all, w| all | w.permissions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitelists() {
        let w = WhiteList::parse("noban,relay@1.2.3.0/24").unwrap();
        assert_eq!(w.permissions.names(), ["noban", "relay", "download"]);
        assert!(w.incoming && !w.outgoing);
        assert_eq!(WhiteList::parse("1.2.3.4").unwrap().permissions, Permissions::IMPLICIT);
        assert_eq!(
            WhiteList::parse("out,forcerelay@::/0").unwrap().permissions.to_string(),
            "forcerelay,relay"
        );
        assert_eq!(WhiteList::parse("oopsie@1.2.3.4").unwrap_err(), "Invalid P2P permission: 'oopsie'");
        assert_eq!(
            WhiteList::parse("noban@1.2.3.4:32").unwrap_err(),
            "Invalid netmask specified in -whitelist: '1.2.3.4:32'"
        );
        assert_eq!(
            WhiteList::parse("in,out@1.2.3.4").unwrap_err(),
            "Only direction was set, no permissions: 'in,out@1.2.3.4'"
        );
        assert_eq!(
            WhiteBind::parse("noban@127.0.0.1").unwrap_err(),
            "Need to specify a port with -whitebind: '127.0.0.1'"
        );
        assert!(WhiteBind::parse("out,noban@127.0.0.1:5").unwrap_err().contains("\"out\" was passed"));
        assert_eq!(Permissions::ALL.names().len(), 7);
    }
}
