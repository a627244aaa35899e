//! Address manager, subnets, bans.
//!
//! # API (being filled in; signatures are what callers can code against)
//!
//! ```text
//! Subnet::parse(text) -> Option<Subnet>; Subnet::single(NetAddress); .matches(&NetAddress); Display
//! BanMan::open(Option<PathBuf> /* banlist.json */, default_ban_time: i64) -> BanMan
//! .ban(Subnet, offset, since_epoch) .unban(&Subnet) -> bool .clear() .banned() -> Vec<(Subnet, BanEntry)> .is_banned(&NetAddress)
//! .is_banned_subnet(&Subnet) .discourage(&NetAddress) .is_discouraged(&NetAddress) .dump()
//! AddrMan::open(Option<PathBuf> /* peers.dat */, AddrManOptions) -> Result<AddrMan, AddrManError>
//! .add(&[TimedAddress], source: &NetAddress, penalty) -> bool .good(&Service) -> bool .attempt(&Service, count_failure)
//! .connected(&Service) .set_services(&Service, Services) .select(new_only, networks) -> Option<(TimedAddress, last_try)>
//! .addresses(max, max_pct, network, filtered) -> Vec<TimedAddress> .size(network, in_new) .entries(tried) .dump()
//! ```
