//! Which inbound peer goes when a new one comes and all places are taken. Reference: `node/eviction.cpp`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use grs_wire::AddressNetwork;

use crate::PeerId;

/// What the choice looks at.
#[derive(Clone, Copy, Debug)]
pub struct EvictionCandidate {
    /// Number.
    pub id: PeerId,
    /// When it connected.
    pub connected: Duration,
    /// Least ping time; the maximum if unknown.
    pub min_ping: Duration,
    /// Last new block from it.
    pub last_block: Duration,
    /// Last new transaction from it.
    pub last_tx: Duration,
    /// It offers what we look for.
    pub relevant_services: bool,
    /// It wants transactions.
    pub relay_txs: bool,
    /// It uses a bloom filter.
    pub bloom: bool,
    /// Keyed hash of its network group.
    pub group: u64,
    /// Its address is discouraged.
    pub prefer_evict: bool,
    /// It is on this machine.
    pub is_local: bool,
    /// Network it came through.
    pub network: AddressNetwork,
    /// Protected by permission.
    pub no_ban: bool,
    /// It came to us.
    pub inbound: bool,
}

type Order = fn(&EvictionCandidate, &EvictionCandidate) -> Ordering;

fn younger(a: &EvictionCandidate, b: &EvictionCandidate) -> Ordering {
    b.connected.cmp(&a.connected)
}

/// Sorts and removes those of the last `count` that the condition holds for.
fn protect(
    list: &mut Vec<EvictionCandidate>,
    order: impl FnMut(&EvictionCandidate, &EvictionCandidate) -> Ordering,
    count: usize,
    condition: impl Fn(&EvictionCandidate) -> bool,
) {
    list.sort_by(order);
    let from = list.len() - count.min(list.len());
    let mut at = 0;
    list.retain(|c| {
        at += 1;
        at <= from || !condition(c)
    });
}

/// The candidate to disconnect, if any may be.
pub fn select_peer_to_evict(mut list: Vec<EvictionCandidate>) -> Option<PeerId> {
    list.retain(|c| !c.no_ban && c.inbound);
    let any = |_: &EvictionCandidate| true;
    let by_tx: Order = |a, b| {
        (a.last_tx.cmp(&b.last_tx))
            .then(a.relay_txs.cmp(&b.relay_txs))
            .then(b.bloom.cmp(&a.bloom))
            .then_with(|| younger(a, b))
    };
    let by_block: Order = |a, b| {
        (a.last_block.cmp(&b.last_block))
            .then(a.relevant_services.cmp(&b.relevant_services))
            .then_with(|| younger(a, b))
    };
    protect(&mut list, |a, b| a.group.cmp(&b.group), 4, any);
    protect(&mut list, |a, b| b.min_ping.cmp(&a.min_ping), 8, any);
    protect(&mut list, by_tx, 4, any);
    let no_relay = |c: &EvictionCandidate| !c.relay_txs && c.relevant_services;
    protect(&mut list, |a, b| b.relay_txs.cmp(&a.relay_txs).then_with(|| by_block(a, b)), 8, no_relay);
    protect(&mut list, by_block, 4, any);
    protect_by_ratio(&mut list);
    if list.iter().any(|c| c.prefer_evict) {
        list.retain(|c| c.prefer_evict);
    }
    // The youngest of the group with the most connections; of equal ones, of the group with the youngest member.
    let mut groups: BTreeMap<u64, Vec<EvictionCandidate>> = BTreeMap::new();
    let (mut best, mut best_count, mut best_time) = (None, 0, Duration::ZERO);
    for candidate in &list {
        let group = groups.entry(candidate.group).or_default();
        group.push(*candidate);
        let time = group[0].connected;
        if group.len() > best_count || (group.len() == best_count && time > best_time) {
            (best, best_count, best_time) = (Some(group[0].id), group.len(), time);
        }
    }
    best
}

/// Keeps the half that is connected longest, up to half of it from networks that are slower by nature.
fn protect_by_ratio(list: &mut Vec<EvictionCandidate>) {
    let total = list.len() / 2;
    // `None` stands for this machine.
    let mut networks: Vec<(Option<AddressNetwork>, usize)> =
        [Some(AddressNetwork::Cjdns), Some(AddressNetwork::I2p), None, Some(AddressNetwork::Onion)]
            .map(|n| (n, 0))
            .to_vec();
    let belongs = |network: Option<AddressNetwork>, c: &EvictionCandidate| match network {
        None => c.is_local,
        Some(network) => c.network == network,
    };
    for (network, count) in &mut networks {
        *count = list.iter().filter(|c| belongs(*network, c)).count();
    }
    networks.sort_by_key(|(_, count)| *count);
    let limit = total / 2;
    let mut done = 0;
    while done < limit {
        let left = networks.iter().filter(|(_, count)| *count > 0).count();
        if left == 0 {
            break;
        }
        let each = ((limit - done) / left).max(1);
        let mut progress = false;
        for (network, count) in networks.iter_mut().filter(|(_, count)| *count > 0) {
            let before = list.len();
            let network = *network;
            let order = |a: &EvictionCandidate, b: &EvictionCandidate| {
                belongs(network, a).cmp(&belongs(network, b)).then_with(|| younger(a, b))
            };
            protect(list, order, each, |c| belongs(network, c));
            let delta = before - list.len();
            if delta > 0 {
                progress = true;
                done += delta;
                if done >= limit {
                    break;
                }
                *count -= delta;
            }
        }
        if !progress {
            break;
        }
    }
    protect(list, younger, total - done, |_| true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(n: u64) -> Vec<EvictionCandidate> {
        (0..n)
            .map(|i| EvictionCandidate {
                id: i as PeerId,
                connected: Duration::from_secs(1000 + i),
                min_ping: Duration::from_secs(1 + i),
                last_block: Duration::ZERO,
                last_tx: Duration::ZERO,
                relevant_services: true,
                relay_txs: true,
                bloom: false,
                group: i,
                prefer_evict: false,
                is_local: false,
                network: AddressNetwork::Ipv4,
                no_ban: false,
                inbound: true,
            })
            .collect()
    }

    #[test]
    fn protected_peers_stay() {
        // 4 by group, 8 by ping, 4 by transactions, 4 by blocks, half of the rest.
        assert_eq!(select_peer_to_evict(candidates(20)), None);
        assert!(select_peer_to_evict(candidates(22)).is_some());
        let mut list = candidates(40);
        list.iter_mut().for_each(|c| c.no_ban = true);
        assert_eq!(select_peer_to_evict(list), None);
        let mut list = candidates(40);
        list.iter_mut().for_each(|c| c.inbound = false);
        assert_eq!(select_peer_to_evict(list), None);
    }

    #[test]
    fn most_recent_blocks_are_protected() {
        for protected in 0..40 {
            let mut list = candidates(40);
            list[protected].last_block = Duration::from_secs(9);
            assert_ne!(select_peer_to_evict(list), Some(protected as PeerId));
            let mut list = candidates(40);
            list[protected].last_tx = Duration::from_secs(9);
            assert_ne!(select_peer_to_evict(list), Some(protected as PeerId));
        }
    }

    #[test]
    fn the_largest_group_loses_its_youngest() {
        let mut list = candidates(60);
        list[20..50].iter_mut().for_each(|c| c.group = 7);
        let evicted = select_peer_to_evict(list.clone()).unwrap();
        assert_eq!(list[evicted as usize].group, 7);
        list[52].prefer_evict = true;
        list.iter_mut().for_each(|c| c.min_ping = Duration::from_secs(5));
        if let Some(evicted) = select_peer_to_evict(list) {
            assert!((20..50).contains(&evicted) || evicted == 52);
        }
    }

    #[test]
    fn local_peers_are_kept_by_ratio() {
        let mut list = candidates(60);
        list.iter_mut().skip(50).for_each(|c| c.is_local = true);
        let mut reduced = list.clone();
        protect_by_ratio(&mut reduced);
        assert_eq!(reduced.len(), 30);
        assert!(reduced.iter().all(|c| !c.is_local), "ten local peers fit into the quarter");
    }
}
