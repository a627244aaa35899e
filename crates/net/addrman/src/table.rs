//! The tables of the address manager. Reference: `AddrManImpl`.

use std::collections::{BTreeSet, HashMap};

use grs_encoding::write_compact_size;
use grs_hashes::purpose::address_bucket_hash;
use grs_log::{Category, debug};
use grs_wire::{AddressNetwork, NetAddress, Service, Services, TimedAddress};

use crate::Rng;
use crate::group::{NETWORKS, net_group};

pub(crate) const TRIED_BUCKETS: usize = 256;
pub(crate) const NEW_BUCKETS: usize = 1024;
pub(crate) const BUCKET_SIZE: usize = 64;
const TRIED_BUCKETS_PER_GROUP: u64 = 8;
const NEW_BUCKETS_PER_SOURCE_GROUP: u64 = 64;
pub(crate) const NEW_BUCKETS_PER_ADDRESS: u32 = 8;
const HORIZON: i64 = 30 * 24 * 3600;
const RETRIES: i32 = 3;
const MAX_FAILURES: i32 = 10;
const MIN_FAIL: i64 = 7 * 24 * 3600;
const REPLACEMENT: i64 = 4 * 3600;
const MAX_COLLISIONS: usize = 10;
const TEST_WINDOW: i64 = 40 * 60;

/// Slot without entry.
const EMPTY: u32 = u32::MAX;

/// An address with its history. Times are seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddrInfo {
    /// The address as peers told it.
    pub address: TimedAddress,
    /// Who told it first.
    pub source: NetAddress,
    /// Last successful connection.
    pub last_success: i64,
    /// Failed attempts since then.
    pub attempts: i32,
    /// Last attempt.
    pub last_try: i64,
    pub(crate) last_count_attempt: i64,
    pub(crate) references: u32,
    pub(crate) tried: bool,
    random_pos: usize,
}

impl AddrInfo {
    pub(crate) fn new(address: TimedAddress, source: NetAddress) -> AddrInfo {
        AddrInfo {
            address,
            source,
            last_success: 0,
            attempts: 0,
            last_try: 0,
            last_count_attempt: 0,
            references: 0,
            tried: false,
            random_pos: 0,
        }
    }

    fn network(&self) -> AddressNetwork {
        self.address.service.address.network()
    }

    /// Not worth keeping.
    pub(crate) fn is_terrible(&self, now: i64) -> bool {
        let time = i64::from(self.address.time);
        now - self.last_try > 60
            && (time > now + 600
                || now - time > HORIZON
                || (self.last_success == 0 && self.attempts >= RETRIES)
                || (now - self.last_success > MIN_FAIL && self.attempts >= MAX_FAILURES))
    }

    fn chance(&self, now: i64) -> f64 {
        let recent = if now - self.last_try < 600 { 0.01 } else { 1.0 };
        recent * 0.66_f64.powi(self.attempts.clamp(0, 8))
    }
}

/// Where an address is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddressPosition {
    /// In the tried table, else in the new one.
    pub tried: bool,
    /// In how many places.
    pub multiplicity: u32,
    /// Bucket.
    pub bucket: usize,
    /// Place in the bucket.
    pub position: usize,
}

fn hash(parts: &[&[u8]]) -> u64 {
    address_bucket_hash(&parts.concat())
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    write_compact_size(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

/// All state of the address manager.
pub(crate) struct Tables {
    pub(crate) key: [u8; 32],
    pub(crate) info: HashMap<u32, AddrInfo>,
    by_service: HashMap<Service, u32>,
    random: Vec<u32>,
    next_id: u32,
    pub(crate) new: Vec<[u32; BUCKET_SIZE]>,
    pub(crate) tried: Vec<[u32; BUCKET_SIZE]>,
    /// Per network: new, tried.
    counts: [[usize; 2]; NETWORKS],
    last_good: i64,
    collisions: BTreeSet<u32>,
    rng: Rng,
}

impl Tables {
    pub(crate) fn new(key: [u8; 32], rng: Rng) -> Tables {
        Tables {
            key,
            info: HashMap::new(),
            by_service: HashMap::new(),
            random: Vec::new(),
            next_id: 0,
            new: vec![[EMPTY; BUCKET_SIZE]; NEW_BUCKETS],
            tried: vec![[EMPTY; BUCKET_SIZE]; TRIED_BUCKETS],
            counts: [[0; 2]; NETWORKS],
            last_good: 1,
            collisions: BTreeSet::new(),
            rng,
        }
    }

    pub(crate) fn tried_bucket(&self, service: &Service) -> usize {
        let first = hash(&[&self.key, &sized(&service.key())]) % TRIED_BUCKETS_PER_GROUP;
        let second = hash(&[&self.key, &sized(&net_group(&service.address)), &first.to_le_bytes()]);
        (second % TRIED_BUCKETS as u64) as usize
    }

    pub(crate) fn new_bucket(&self, service: &Service, source: &NetAddress) -> usize {
        let source = sized(&net_group(source));
        let first =
            hash(&[&self.key, &sized(&net_group(&service.address)), &source]) % NEW_BUCKETS_PER_SOURCE_GROUP;
        (hash(&[&self.key, &source, &first.to_le_bytes()]) % NEW_BUCKETS as u64) as usize
    }

    pub(crate) fn position(&self, service: &Service, new: bool, bucket: usize) -> usize {
        let kind = if new { b'N' } else { b'K' };
        let number = (bucket as u32).to_le_bytes();
        (hash(&[&self.key, &[kind], &number, &sized(&service.key())]) % BUCKET_SIZE as u64) as usize
    }

    fn count(&mut self, network: AddressNetwork, tried: bool) -> &mut usize {
        &mut self.counts[network as usize][usize::from(tried)]
    }

    pub(crate) fn size(&self, network: Option<AddressNetwork>, new: Option<bool>) -> usize {
        self.counts
            .iter()
            .enumerate()
            .filter(|(i, _)| network.is_none_or(|n| n as usize == *i))
            .map(|(_, [n, t])| match new {
                Some(true) => *n,
                Some(false) => *t,
                None => n + t,
            })
            .sum()
    }

    fn find(&self, service: &Service) -> Option<u32> {
        self.by_service.get(service).copied()
    }

    pub(crate) fn get_mut(&mut self, service: &Service) -> Option<&mut AddrInfo> {
        let id = self.find(service)?;
        self.info.get_mut(&id)
    }

    /// Adds an entry without a place.
    pub(crate) fn create(&mut self, mut info: AddrInfo) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        info.random_pos = self.random.len();
        self.random.push(id);
        *self.count(info.network(), info.tried) += 1;
        self.by_service.insert(info.address.service, id);
        self.info.insert(id, info);
        id
    }

    fn swap_random(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        self.random.swap(a, b);
        for at in [a, b] {
            let id = self.random[at];
            if let Some(info) = self.info.get_mut(&id) {
                info.random_pos = at;
            }
        }
    }

    /// Removes an entry that has no place.
    pub(crate) fn delete(&mut self, id: u32) {
        let Some(info) = self.info.get(&id).copied() else { return };
        self.swap_random(info.random_pos, self.random.len() - 1);
        self.random.pop();
        *self.count(info.network(), false) -= 1;
        self.by_service.remove(&info.address.service);
        self.info.remove(&id);
    }

    fn clear_new(&mut self, bucket: usize, position: usize) {
        let id = std::mem::replace(&mut self.new[bucket][position], EMPTY);
        if let Some(info) = self.info.get_mut(&id) {
            info.references -= 1;
            debug!(Category::AddrMan, "Removed {} from new[{bucket}][{position}]", info.address.service);
            if info.references == 0 {
                self.delete(id);
            }
        }
    }

    /// The entry in a slot.
    pub(crate) fn entry(&self, tried: bool, bucket: usize, position: usize) -> Option<(u32, &AddrInfo)> {
        let id = if tried { self.tried[bucket][position] } else { self.new[bucket][position] };
        Some((id, self.info.get(&id)?))
    }

    /// Puts an entry into a new bucket if the slot is free.
    pub(crate) fn place_new(&mut self, id: u32, bucket: usize) -> bool {
        let Some(service) = self.info.get(&id).map(|i| i.address.service) else { return false };
        let position = self.position(&service, true, bucket);
        if self.new[bucket][position] != EMPTY {
            return false;
        }
        self.new[bucket][position] = id;
        if let Some(info) = self.info.get_mut(&id) {
            info.references += 1;
        }
        true
    }

    /// Puts a fresh entry straight into the tried table; false if the slot is taken.
    pub(crate) fn place_tried(&mut self, mut info: AddrInfo) -> bool {
        let service = info.address.service;
        let bucket = self.tried_bucket(&service);
        let position = self.position(&service, false, bucket);
        if !service.address.is_valid()
            || self.tried[bucket][position] != EMPTY
            || self.find(&service).is_some()
        {
            return false;
        }
        info.tried = true;
        self.tried[bucket][position] = self.create(info);
        true
    }

    pub(crate) fn add(&mut self, list: &[TimedAddress], source: &NetAddress, penalty: i64, now: i64) -> bool {
        let added = list.iter().filter(|address| self.add_single(address, source, penalty, now)).count();
        if added > 0 {
            debug!(
                Category::AddrMan,
                "Added {added} addresses (of {}) from {source}: {} tried, {} new",
                list.len(),
                self.size(None, Some(false)),
                self.size(None, Some(true))
            );
        }
        added > 0
    }

    fn add_single(&mut self, address: &TimedAddress, source: &NetAddress, penalty: i64, now: i64) -> bool {
        let service = address.service;
        if !service.address.is_routable() {
            return false;
        }
        // A peer that announces itself is believed.
        let penalty = if service.address == *source { 0 } else { penalty };
        let time = i64::from(address.time);
        let id = match self.find(&service) {
            Some(id) => {
                let Some(info) = self.info.get_mut(&id) else { return false };
                let interval = if now - time < 24 * 3600 { 3600 } else { 24 * 3600 };
                if i64::from(info.address.time) < time - interval - penalty {
                    info.address.time = (time - penalty).max(0) as u32;
                }
                info.address.services = info.address.services.with(address.services);
                let references = info.references;
                if time <= i64::from(info.address.time) || info.tried || references == NEW_BUCKETS_PER_ADDRESS
                {
                    return false;
                }
                // Each further place is twice as hard to get.
                if references > 0 && self.rng.below(1 << references) != 0 {
                    return false;
                }
                id
            }
            None => {
                let mut info = AddrInfo::new(*address, *source);
                info.address.time = (time - penalty).max(0) as u32;
                self.create(info)
            }
        };
        let bucket = self.new_bucket(&service, source);
        let position = self.position(&service, true, bucket);
        let here = self.new[bucket][position];
        if here == id {
            return false;
        }
        let references = self.info.get(&id).map_or(0, |i| i.references);
        let replace = self
            .info
            .get(&here)
            .is_none_or(|old| old.is_terrible(now) || (old.references > 1 && references == 0));
        if replace {
            self.clear_new(bucket, position);
            self.place_new(id, bucket);
            debug!(Category::AddrMan, "Added {service} to new[{bucket}][{position}]");
        } else if references == 0 {
            self.delete(id);
        }
        replace
    }

    pub(crate) fn good(&mut self, service: &Service, test_before_evict: bool, now: i64) -> bool {
        self.last_good = now;
        let Some(id) = self.find(service) else { return false };
        let Some(info) = self.info.get_mut(&id) else { return false };
        info.last_success = now;
        info.last_try = now;
        info.attempts = 0;
        if info.tried || info.references == 0 {
            return false;
        }
        let bucket = self.tried_bucket(service);
        let position = self.position(service, false, bucket);
        if test_before_evict && self.tried[bucket][position] != EMPTY {
            if self.collisions.len() < MAX_COLLISIONS {
                self.collisions.insert(id);
            }
            let other = self.entry(true, bucket, position).map(|(_, i)| i.address.service);
            debug!(
                Category::AddrMan,
                "Collision with {} while attempting to move {service} to tried table. Collisions={}",
                other.map(|s| s.to_string()).unwrap_or_default(),
                self.collisions.len()
            );
            return false;
        }
        self.make_tried(id, bucket, position);
        debug!(Category::AddrMan, "Moved {service} to tried[{bucket}][{position}]");
        true
    }

    fn make_tried(&mut self, id: u32, bucket: usize, position: usize) {
        let Some(info) = self.info.get(&id).copied() else { return };
        let service = info.address.service;
        let start = self.new_bucket(&service, &info.source);
        let mut left = info.references;
        for n in 0..NEW_BUCKETS {
            let from = (start + n) % NEW_BUCKETS;
            let at = self.position(&service, true, from);
            if self.new[from][at] == id {
                self.new[from][at] = EMPTY;
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        *self.count(info.network(), false) -= 1;
        let evicted = std::mem::replace(&mut self.tried[bucket][position], id);
        if let Some(old) = self.info.get(&evicted).copied() {
            let old_service = old.address.service;
            *self.count(old.network(), true) -= 1;
            let to = self.new_bucket(&old_service, &old.source);
            let at = self.position(&old_service, true, to);
            self.clear_new(to, at);
            self.new[to][at] = evicted;
            if let Some(old) = self.info.get_mut(&evicted) {
                old.tried = false;
                old.references = 1;
            }
            *self.count(old.network(), false) += 1;
            debug!(
                Category::AddrMan,
                "Moved {old_service} from tried[{bucket}][{position}] to new[{to}][{at}] to make space"
            );
        }
        if let Some(info) = self.info.get_mut(&id) {
            info.tried = true;
            info.references = 0;
        }
        *self.count(info.network(), true) += 1;
    }

    pub(crate) fn attempt(&mut self, service: &Service, count_failure: bool, now: i64) {
        let last_good = self.last_good;
        let Some(info) = self.get_mut(service) else { return };
        info.last_try = now;
        if count_failure && info.last_count_attempt < last_good {
            info.last_count_attempt = now;
            info.attempts = info.attempts.saturating_add(1);
        }
    }

    pub(crate) fn select(
        &mut self,
        new_only: bool,
        networks: &[AddressNetwork],
        now: i64,
    ) -> Option<(TimedAddress, i64)> {
        let wanted = |network: AddressNetwork| networks.is_empty() || networks.contains(&network);
        let sum = |new: bool| match networks {
            [] => self.size(None, Some(new)),
            list => list.iter().map(|n| self.size(Some(*n), Some(new))).sum(),
        };
        let (new_count, tried_count) = (sum(true), sum(false));
        let tried = match (new_count, tried_count) {
            (0, _) if new_only => return None,
            (0, 0) => return None,
            (_, 0) => false,
            _ if new_only => false,
            (0, _) => true,
            _ => self.rng.below(2) == 1,
        };
        let buckets = if tried { TRIED_BUCKETS } else { NEW_BUCKETS } as u64;
        let mut factor = 1.0;
        loop {
            let bucket = self.rng.below(buckets) as usize;
            let start = self.rng.below(BUCKET_SIZE as u64) as usize;
            let found = (0..BUCKET_SIZE)
                .filter_map(|i| self.entry(tried, bucket, (start + i) % BUCKET_SIZE))
                .map(|(_, info)| *info)
                .find(|info| wanted(info.network()));
            let Some(info) = found else { continue };
            if self.rng.unit() < factor * info.chance(now) {
                let table = if tried { "tried" } else { "new" };
                debug!(Category::AddrMan, "Selected {} from {table}", info.address.service);
                return Some((info.address, info.last_try));
            }
            factor *= 1.2;
        }
    }

    pub(crate) fn addresses(
        &mut self,
        max: usize,
        max_percent: usize,
        network: Option<AddressNetwork>,
        filtered: bool,
        now: i64,
    ) -> Vec<TimedAddress> {
        let mut wanted = self.random.len();
        if max_percent != 0 {
            wanted = max_percent.min(100) * wanted / 100;
        }
        if max != 0 {
            wanted = wanted.min(max);
        }
        let mut out = Vec::new();
        for n in 0..self.random.len() {
            if out.len() >= wanted {
                break;
            }
            let other = n + self.rng.below((self.random.len() - n) as u64) as usize;
            self.swap_random(n, other);
            let Some(info) = self.info.get(&self.random[n]) else { continue };
            let skip = network.is_some_and(|n| info.address.service.address.net_class() != n)
                || (filtered && info.is_terrible(now));
            if !skip {
                out.push(info.address);
            }
        }
        debug!(Category::AddrMan, "GetAddr returned {} random addresses", out.len());
        out
    }

    pub(crate) fn entries(&self, tried: bool) -> Vec<(AddrInfo, AddressPosition)> {
        let buckets = if tried { TRIED_BUCKETS } else { NEW_BUCKETS };
        let mut out = Vec::new();
        for bucket in 0..buckets {
            for position in 0..BUCKET_SIZE {
                if let Some((_, info)) = self.entry(tried, bucket, position) {
                    let multiplicity = if tried { 1 } else { info.references };
                    out.push((*info, AddressPosition { tried, multiplicity, bucket, position }));
                }
            }
        }
        out
    }

    pub(crate) fn find_position(&self, service: &Service) -> Option<AddressPosition> {
        let info = self.info.get(&self.find(service)?)?;
        let bucket =
            if info.tried { self.tried_bucket(service) } else { self.new_bucket(service, &info.source) };
        let position = self.position(service, !info.tried, bucket);
        let multiplicity = if info.tried { 1 } else { info.references };
        Some(AddressPosition { tried: info.tried, multiplicity, bucket, position })
    }

    pub(crate) fn connected(&mut self, service: &Service, now: i64) {
        if let Some(info) = self.get_mut(service).filter(|i| now - i64::from(i.address.time) > 20 * 60) {
            info.address.time = now as u32;
        }
    }

    pub(crate) fn set_services(&mut self, service: &Service, services: Services) {
        if let Some(info) = self.get_mut(service) {
            info.address.services = services;
        }
    }

    fn old_of_collision(&self, id: u32) -> Option<AddrInfo> {
        let service = self.info.get(&id)?.address.service;
        let bucket = self.tried_bucket(&service);
        self.entry(true, bucket, self.position(&service, false, bucket)).map(|(_, info)| *info)
    }

    pub(crate) fn resolve_collisions(&mut self, now: i64) {
        for id in self.collisions.clone() {
            let Some(new) = self.info.get(&id).copied() else {
                self.collisions.remove(&id);
                continue;
            };
            let service = new.address.service;
            let done = match self.old_of_collision(id) {
                _ if !service.address.is_valid() => true,
                None => {
                    self.good(&service, false, now);
                    true
                }
                Some(old) if now - old.last_success < REPLACEMENT => true,
                Some(old) if now - old.last_try < REPLACEMENT => {
                    let replace = now - old.last_try > 60;
                    if replace {
                        let old = old.address.service;
                        debug!(Category::AddrMan, "Replacing {old} with {service} in tried table");
                        self.good(&service, false, now);
                    }
                    replace
                }
                Some(old) if now - new.last_success > TEST_WINDOW => {
                    let old = old.address.service;
                    debug!(
                        Category::AddrMan,
                        "Unable to test; replacing {old} with {service} in tried table anyway"
                    );
                    self.good(&service, false, now);
                    true
                }
                Some(_) => false,
            };
            if done {
                self.collisions.remove(&id);
            }
        }
    }

    pub(crate) fn select_tried_collision(&mut self) -> Option<(TimedAddress, i64)> {
        let n = self.rng.below(self.collisions.len() as u64) as usize;
        let id = *self.collisions.iter().nth(n)?;
        if !self.info.contains_key(&id) {
            self.collisions.remove(&id);
            return None;
        }
        self.old_of_collision(id).map(|old| (old.address, old.last_try))
    }

    /// What does not fit together, if anything, by the number of the reference (`AddrManImpl::CheckAddrman`). For tests
    /// and after loading.
    pub(crate) fn check(&self) -> Result<(), i32> {
        let mut counts = [[0; 2]; NETWORKS];
        let mut references: HashMap<u32, u32> = HashMap::new();
        for bucket in 0..NEW_BUCKETS {
            for position in 0..BUCKET_SIZE {
                let Some((id, info)) = self.entry(false, bucket, position) else { continue };
                if info.tried || self.position(&info.address.service, true, bucket) != position {
                    return Err(-19);
                }
                *references.entry(id).or_default() += 1;
            }
        }
        for (bucket, slots) in self.tried.iter().enumerate() {
            for (position, id) in slots.iter().enumerate().filter(|(_, id)| **id != EMPTY) {
                let Some(info) = self.info.get(id) else { return Err(-11) };
                let service = &info.address.service;
                if !info.tried
                    || self.tried_bucket(service) != bucket
                    || self.position(service, false, bucket) != position
                {
                    return Err(-17);
                }
            }
        }
        for (id, info) in &self.info {
            counts[info.network() as usize][usize::from(info.tried)] += 1;
            let found = references.get(id).copied().unwrap_or(0);
            if found != info.references || (!info.tried && found == 0) {
                return Err(-3);
            }
            if self.random.get(info.random_pos) != Some(id) || self.find(&info.address.service) != Some(*id) {
                return Err(-5);
            }
        }
        if counts != self.counts || self.random.len() != self.info.len() {
            return Err(-9);
        }
        if self.key == [0; 32] {
            // Such buckets would be the same for everybody.
            return Err(-16);
        }
        Ok(())
    }
}
