//! Address manager, network groups, subnets, bans. Reference: `src/{addrman,addrdb,netgroup,banman}.cpp`.

mod addrman;
mod banman;
mod file;
mod group;
mod rng;
mod subnet;
mod table;

#[doc(hidden)]
pub mod fuzz;

pub use addrman::{AddrMan, AddrManError, AddrManOptions};
pub use banman::{BanEntry, BanMan, DEFAULT_MISBEHAVING_BANTIME};
pub use file::{FileError, read_anchors, write_anchors};
pub use group::net_group;
pub use rng::Rng;
pub use subnet::Subnet;
pub use table::{AddrInfo, AddressPosition};
