use std::collections::BTreeMap;

use grs_keys::ExtendedPublicKey;

/// Extended public keys by a number.
pub type ExtendedPublicKeyMap = BTreeMap<u32, ExtendedPublicKey>;

/// Two caches have different keys at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("MergeAndDiff: New cached {0} xpub does not match already cached {0} xpub")]
pub struct CacheConflict(&'static str);

/// Extended public keys that let a descriptor with hardened steps be expanded without secret keys. Places are
/// numbers of key expressions. The wallet stores its entries one by one. Reference: `DescriptorCache`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DescriptorCache {
    /// The key from which unhardened children are derived.
    pub parent: ExtendedPublicKeyMap,
    /// Keys at an index, for hardened wildcards: place, index.
    pub derived: BTreeMap<u32, ExtendedPublicKeyMap>,
    /// The key at the last hardened step.
    pub last_hardened: ExtendedPublicKeyMap,
}

impl DescriptorCache {
    /// Empty.
    pub fn new() -> DescriptorCache {
        DescriptorCache::default()
    }

    /// Sets a parent key.
    pub fn cache_parent(&mut self, place: u32, key: ExtendedPublicKey) {
        self.parent.insert(place, key);
    }

    /// Sets the key at an index.
    pub fn cache_derived(&mut self, place: u32, index: u32, key: ExtendedPublicKey) {
        self.derived.entry(place).or_default().insert(index, key);
    }

    /// Sets the key at the last hardened step.
    pub fn cache_last_hardened(&mut self, place: u32, key: ExtendedPublicKey) {
        self.last_hardened.insert(place, key);
    }

    /// The key at an index.
    pub fn cached_derived(&self, place: u32, index: u32) -> Option<&ExtendedPublicKey> {
        self.derived.get(&place)?.get(&index)
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.parent.is_empty() && self.derived.is_empty() && self.last_hardened.is_empty()
    }

    /// Takes over entries of another cache and returns those that were new. Reference: `MergeAndDiff`.
    pub fn merge_and_diff(&mut self, other: &DescriptorCache) -> Result<DescriptorCache, CacheConflict> {
        let mut diff = DescriptorCache::new();
        merge_map(&mut self.parent, &other.parent, &mut diff.parent, "parent")?;
        for (place, keys) in &other.derived {
            let mut new = ExtendedPublicKeyMap::new();
            merge_map(self.derived.entry(*place).or_default(), keys, &mut new, "derived")?;
            if !new.is_empty() {
                diff.derived.insert(*place, new);
            }
        }
        merge_map(&mut self.last_hardened, &other.last_hardened, &mut diff.last_hardened, "last hardened")?;
        Ok(diff)
    }
}

fn merge_map(
    to: &mut ExtendedPublicKeyMap,
    from: &ExtendedPublicKeyMap,
    diff: &mut ExtendedPublicKeyMap,
    what: &'static str,
) -> Result<(), CacheConflict> {
    for (number, key) in from {
        match to.get(number) {
            Some(known) if known != key => return Err(CacheConflict(what)),
            Some(_) => {}
            None => {
                to.insert(*number, *key);
                diff.insert(*number, *key);
            }
        }
    }
    Ok(())
}
