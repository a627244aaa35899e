//! When a transaction may not overwrite unspent outputs of an older one with the same id (BIP30).

use grs_hashes::BlockHash;
use grs_params::ConsensusParams;

use crate::HeaderView;

/// From this height on the rule is checked again: the first at which a coinbase made before BIP34 could carry a
/// height that BIP34 demands. Bitcoin's number, kept by the reference.
pub const BIP34_IMPLIES_BIP30_LIMIT: i32 = 1_983_702;

fn is_any(height: i32, hash: &BlockHash, list: &[(i32, &str)]) -> bool {
    list.iter().any(|(h, text)| *h == height && text.parse().is_ok_and(|known: BlockHash| known == *hash))
}

/// Two Bitcoin blocks whose coinbase repeats an older one. No Groestlcoin block has these hashes.
pub fn is_bip30_repeat(height: i32, hash: &BlockHash) -> bool {
    is_any(
        height,
        hash,
        &[
            (91_842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"),
            (91_880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"),
        ],
    )
}

/// Two Bitcoin blocks whose coinbase was overwritten by those of [`is_bip30_repeat`].
pub fn is_bip30_unspendable(height: i32, hash: &BlockHash) -> bool {
    is_any(
        height,
        hash,
        &[
            (91_722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"),
            (91_812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"),
        ],
    )
}

/// Whether connecting the block `hash` behind `prev` has to look up every output it creates. It need not while
/// BIP34 makes coinbases unique: above the known block at the BIP34 height, and below
/// [`BIP34_IMPLIES_BIP30_LIMIT`].
pub fn needs_bip30_check<H: HeaderView>(prev: H, hash: &BlockHash, params: &ConsensusParams) -> bool {
    let height = prev.height() + 1;
    if height >= BIP34_IMPLIES_BIP30_LIMIT {
        return true;
    }
    let unique = || prev.ancestor(params.bip34_height).is_some_and(|b| b.hash() == params.bip34_hash);
    !is_bip30_repeat(height, hash) && !unique()
}

#[cfg(test)]
mod tests {
    use grs_params::{ChainParams, Network};
    use grs_uint::CompactTarget;

    use super::*;

    /// A chain of which only the heights and one hash matter.
    #[derive(Clone, Copy)]
    struct Sparse {
        height: i32,
        special: (i32, BlockHash),
    }
    impl HeaderView for Sparse {
        fn height(&self) -> i32 {
            self.height
        }
        fn hash(&self) -> BlockHash {
            if self.height == self.special.0 { self.special.1 } else { BlockHash::from_bytes([1; 32]) }
        }
        fn time(&self) -> u32 {
            0
        }
        fn bits(&self) -> CompactTarget {
            CompactTarget(0)
        }
        fn version(&self) -> i32 {
            0
        }
        fn parent(&self) -> Option<Self> {
            (self.height > 0).then_some(Sparse { height: self.height - 1, ..*self })
        }
        fn ancestor(&self, height: i32) -> Option<Self> {
            (0..=self.height).contains(&height).then_some(Sparse { height, ..*self })
        }
    }

    #[test]
    fn checked_below_bip34_and_above_the_limit() {
        let params = &ChainParams::for_network(Network::Main).consensus;
        let hash = BlockHash::from_bytes([9; 32]);
        let needs = |height: i32, special| {
            needs_bip30_check(Sparse { height: height - 1, special: (800_000, special) }, &hash, params)
        };
        assert!(needs(1, params.bip34_hash));
        assert!(needs(800_000, params.bip34_hash));
        assert!(!needs(800_001, params.bip34_hash));
        assert!(needs(800_001, hash));
        assert!(!needs(1_983_701, params.bip34_hash));
        assert!(needs(1_983_702, params.bip34_hash));
        assert!(needs(6_000_000, params.bip34_hash));
    }

    #[test]
    fn exceptions_need_height_and_hash() {
        let repeat: BlockHash =
            "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec".parse().unwrap();
        assert!(is_bip30_repeat(91_842, &repeat));
        assert!(!is_bip30_repeat(91_880, &repeat));
        assert!(!is_bip30_unspendable(91_842, &repeat));
    }
}
