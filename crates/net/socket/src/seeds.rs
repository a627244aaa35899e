//! Where the first addresses come from: DNS seeds and those that come with the program.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;

use grs_addrman::Rng;
use grs_encoding::Reader;
use grs_log::{Category, debug, info};
use grs_sync::clock;
use grs_wire::{AddressNetwork, NetAddress, Service, Services, TimedAddress};

use crate::manager::ConnectionManager;
use crate::node::lock;
use crate::opening::{SEED_THRESHOLD, TURN};

const DNS_SEEDS_AT_ONCE: usize = 3;
const DNS_DELAY_FEW: u64 = 11;
const DNS_DELAY_MANY: u64 = 300;
const DNS_DELAY_THRESHOLD: usize = 1000;
const MAX_SEED_ADDRESSES: usize = 32;

impl ConnectionManager {
    /// Adds the addresses that come with the program when nothing else helps; true once done.
    pub(crate) fn add_fixed_seeds(&self, start: Duration) -> bool {
        let empty: Vec<AddressNetwork> = self
            .options
            .reachable
            .iter()
            .copied()
            .filter(|n| self.addrman.size(Some(*n), None) == 0)
            .collect();
        if empty.is_empty() {
            return false;
        }
        if clock::now() > start + Duration::from_secs(60) {
            info!(
                "Adding fixed seeds as 60 seconds have passed and addrman is empty for at least one reachable network"
            );
        } else if !self.options.dns_seed && self.options.seed_nodes.is_empty() && !self.has_added_nodes() {
            info!(
                "Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled via -onlynet) and neither \
                 -addnode nor -seednode are provided"
            );
        } else {
            return false;
        }
        let mut rng = Rng::new();
        let mut list = fixed_seeds(&self.options.params.fixed_seeds, &mut rng);
        list.retain(|a| empty.contains(&a.service.address.network()));
        if let Some(source) = NetAddress::internal("fixedseeds") {
            self.addrman.add(&list, &source, 0);
        }
        info!("Added {} fixed seeds from reachable networks.", list.len());
        true
    }

    /// Looks up the DNS seeds if addresses are needed.
    pub(crate) fn run_dns_seeds(self: &Arc<Self>) {
        let mut rng = Rng::new();
        let mut connected = 0;
        if !self.options.seed_nodes.is_empty() {
            let start = clock::now();
            info!(
                "-seednode enabled. Trying the provided seeds for 30 seconds before defaulting to the dnsseeds."
            );
            loop {
                if !self.interrupt.sleep_for(TURN) {
                    return;
                }
                if clock::now() > start + Duration::from_secs(30) {
                    info!(
                        "Couldn't connect to enough peers via seed nodes. Handing fetch logic to the DNS seeds."
                    );
                    break;
                }
                connected = self.full_relay_connected();
                if connected >= SEED_THRESHOLD {
                    info!("P2P peers available. Finished fetching data from seed nodes.");
                    break;
                }
            }
        }
        let mut seeds = self.options.params.dns_seeds.clone();
        rng.shuffle(&mut seeds);
        let known = self.addrman.size(None, None);
        let mut right_now = if self.options.force_dns_seed || known == 0 { seeds.len() } else { 0 };
        if connected >= SEED_THRESHOLD && right_now == 0 {
            info!("Skipping DNS seeds. Enough peers have been found");
            return;
        }
        let mut found = 0;
        let wait = if known >= DNS_DELAY_THRESHOLD { DNS_DELAY_MANY } else { DNS_DELAY_FEW };
        for seed in seeds {
            if right_now == 0 {
                right_now = DNS_SEEDS_AT_ONCE;
                if self.addrman.size(None, None) > 0 {
                    info!("Waiting {wait} seconds before querying DNS seeds.");
                    let mut left = wait;
                    while left > 0 {
                        let step = left.min(DNS_DELAY_FEW);
                        if !self.interrupt.sleep_for(Duration::from_secs(step)) {
                            return;
                        }
                        left -= step;
                        if self.full_relay_connected() >= SEED_THRESHOLD {
                            if found > 0 {
                                info!("{found} addresses found from DNS seeds");
                                info!("P2P peers available. Finished DNS seeding.");
                            } else {
                                info!("P2P peers available. Skipped DNS seeding.");
                            }
                            return;
                        }
                    }
                }
            }
            if self.interrupt.is_interrupted() {
                return;
            }
            if !self.network_active() {
                info!("Waiting for network to be reactivated before querying DNS seeds.");
                while !self.network_active() {
                    if !self.interrupt.sleep_for(Duration::from_secs(1)) {
                        return;
                    }
                }
            }
            info!("Loading addresses from DNS seed {seed}");
            found += self.query_seed(&seed, &mut rng);
            right_now -= 1;
        }
        info!("{found} addresses found from DNS seeds");
    }

    /// Asks a seed for addresses of nodes that have what we need; else connects to it to ask.
    fn query_seed(&self, seed: &str, rng: &mut Rng) -> usize {
        let fetch = || lock(&self.addr_fetches).push_back(seed.to_owned());
        if self.options.name_proxy.is_some() {
            fetch();
            return 0;
        }
        let services = Services::NETWORK.with(Services::WITNESS);
        let host = format!("x{:x}.{seed}", services.0);
        let port = self.options.params.default_port;
        let found: Vec<TimedAddress> = (host.as_str(), port)
            .to_socket_addrs()
            .map(|list| {
                list.take(MAX_SEED_ADDRESSES)
                    .map(|ip| TimedAddress {
                        service: Service::from(ip),
                        services,
                        time: (clock::now_secs() - 3 * 86_400 - rng.below(4 * 86_400) as i64).max(0) as u32,
                    })
                    .collect()
            })
            .unwrap_or_default();
        match NetAddress::internal(&host) {
            Some(source) if !found.is_empty() => {
                self.addrman.add(&found, &source, 0);
            }
            _ => fetch(),
        }
        found.len()
    }
}

/// Reads BIP155 records of network, address and port; they get an age of one to two weeks.
fn fixed_seeds(records: &[u8], rng: &mut Rng) -> Vec<TimedAddress> {
    let mut reader = Reader::new(records);
    let mut out = Vec::new();
    while !reader.is_empty() {
        let (Ok(address), Ok(port)) = (NetAddress::decode_v2(&mut reader), reader.u16_be()) else { break };
        let week = 7 * 86_400;
        let time = clock::now_secs() - week - rng.below(week as u64) as i64;
        out.push(TimedAddress {
            service: Service::new(address, port),
            services: Services::NETWORK.with(Services::WITNESS),
            time: time.max(0) as u32,
        });
        debug!(Category::Net, "Added hardcoded seed: {}", Service::new(address, port));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use grs_params::{ChainParams, Network};

    #[test]
    fn seeds_are_read() {
        let params = ChainParams::for_network(Network::Main);
        let list = fixed_seeds(&params.fixed_seeds, &mut Rng::seeded(1));
        assert_eq!(list.len(), 4);
        assert_eq!(list[0].service.to_string(), "82.196.1.71:1331");
        assert!(fixed_seeds(&[1, 4, 1], &mut Rng::seeded(1)).is_empty());
    }
}
