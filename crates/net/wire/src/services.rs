/// What a peer offers, as a bit mask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Services(pub u64);

impl Services {
    /// Nothing.
    pub const NONE: Services = Services(0);
    /// The complete block chain.
    pub const NETWORK: Services = Services(1);
    /// Bloom-filtered connections (BIP111).
    pub const BLOOM: Services = Services(1 << 2);
    /// Blocks and transactions with witnesses.
    pub const WITNESS: Services = Services(1 << 3);
    /// Block filters (BIP157).
    pub const COMPACT_FILTERS: Services = Services(1 << 6);
    /// At least the last 288 blocks (BIP159).
    pub const NETWORK_LIMITED: Services = Services(1 << 10);
    /// Encrypted transport (BIP324).
    pub const P2P_V2: Services = Services(1 << 11);

    /// Both together.
    pub const fn with(self, other: Services) -> Services {
        Services(self.0 | other.0)
    }
    /// This without the other's bits.
    pub const fn without(self, other: Services) -> Services {
        Services(self.0 & !other.0)
    }
    /// True when all bits of `other` are set.
    pub const fn has(self, other: Services) -> bool {
        self.0 & other.0 == other.0
    }
    /// True for peers that may know many addresses (reference: `MayHaveUsefulAddressDB`).
    pub const fn may_have_address_db(self) -> bool {
        self.0 & (Services::NETWORK.0 | Services::NETWORK_LIMITED.0) != 0
    }
}

/// Names of the set bits, lowest first (reference: `serviceFlagsToStr`).
pub fn services_to_strings(services: Services) -> Vec<String> {
    (0..64)
        .map(|bit| 1_u64 << bit)
        .filter(|flag| services.0 & flag != 0)
        .map(|flag| {
            let name = match Services(flag) {
                Services::NETWORK => "NETWORK",
                Services::BLOOM => "BLOOM",
                Services::WITNESS => "WITNESS",
                Services::COMPACT_FILTERS => "COMPACT_FILTERS",
                Services::NETWORK_LIMITED => "NETWORK_LIMITED",
                Services::P2P_V2 => "P2P_V2",
                _ => return format!("UNKNOWN[2^{}]", flag.trailing_zeros()),
            };
            name.to_owned()
        })
        .collect()
}
