use grs_wire::{AddressNetwork, NetAddress};

/// What counts as one neighbourhood when addresses are spread over buckets and connections (reference:
/// `NetGroupManager::GetGroup` without an asmap): the kind of network, then its leading bits.
pub fn net_group(address: &NetAddress) -> Vec<u8> {
    let mut out = vec![address.net_class() as u8];
    let bits = match address {
        _ if address.is_local() => 0,
        NetAddress::Internal(name) => {
            out.extend_from_slice(name);
            return out;
        }
        _ if !address.is_routable() => 0,
        _ if let Some(v4) = address.linked_ipv4() => {
            out.extend_from_slice(&v4[..2]);
            return out;
        }
        NetAddress::Onion(_) | NetAddress::I2p(_) => 4,
        // The first byte is the same for all.
        NetAddress::Cjdns(_) => 12,
        _ if address.is_he_net() => 36,
        _ => 32,
    };
    let bytes = address.group_bytes();
    let whole = bits / 8;
    out.extend_from_slice(&bytes[..whole]);
    if bits % 8 > 0 {
        out.push(bytes[whole] | ((1 << (8 - bits % 8)) - 1));
    }
    out
}

/// Networks in the order of [`AddressNetwork`] as numbers.
pub(crate) const NETWORKS: usize = AddressNetwork::Internal as usize + 1;
