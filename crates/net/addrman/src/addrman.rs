use std::path::{Path, PathBuf};
use std::sync::Arc;

use grs_fs::{FileEnv, RealEnv, parent, replace_file};
use grs_log::{Category, debug, error, info, warn};
use grs_sync::{LockRank, OrderedMutex, clock};
use grs_wire::{AddressNetwork, NetAddress, Service, Services, TimedAddress};
use thiserror::Error;

use crate::file::{FileError, read_tables, write_tables};
use crate::table::Tables;
use crate::{AddrInfo, AddressPosition, Rng};

/// How to open an [`AddrMan`].
#[derive(Clone, Debug, Default)]
pub struct AddrManOptions {
    /// First bytes of the file: the network's message start.
    pub magic: [u8; 4],
    /// Fixed key and random numbers, for tests.
    pub deterministic: bool,
}

/// Why the address book cannot be opened: the text for the user.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum AddrManError {
    /// The file is damaged.
    #[error(
        "Invalid or corrupt peers.dat ({reason}). If you believe this is a bug, please report it to \
         https://github.com/groestlcoin/groestlcoin/issues. As a workaround, you can move the file (\"{path}\") out of \
         the way (rename, move, or delete) to have a new one created on the next start."
    )]
    Corrupt {
        /// What is wrong.
        reason: String,
        /// The file.
        path: String,
    },
    /// A file of a newer version cannot be moved away.
    #[error("Failed to rename invalid peers.dat file. Please move or delete it and try again.")]
    Rename,
}

/// Address manager: which addresses to connect to and to tell others. Reference: `AddrMan`.
pub struct AddrMan {
    tables: OrderedMutex<Tables>,
    path: Option<PathBuf>,
    env: Arc<dyn FileEnv>,
    magic: [u8; 4],
}

fn fresh(deterministic: bool) -> Tables {
    if deterministic {
        let mut key = [0; 32];
        key[0] = 1;
        return Tables::new(key, Rng::seeded(1));
    }
    let mut rng = Rng::new();
    let mut key = [0; 32];
    key.chunks_mut(8).for_each(|part| part.copy_from_slice(&rng.u64().to_le_bytes()));
    // The key is stored; numbers drawn later must not follow from it.
    Tables::new(key, Rng::new())
}

impl AddrMan {
    /// Reads `peers.dat`, or starts empty if it is missing or of a newer version. Without a path nothing is stored.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn open(path: Option<PathBuf>, options: AddrManOptions) -> Result<AddrMan, AddrManError> {
        AddrMan::open_in(Arc::new(RealEnv), path, options)
    }

    /// As [`AddrMan::open`] in a given file system.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn open_in(
        env: Arc<dyn FileEnv>,
        path: Option<PathBuf>,
        options: AddrManOptions,
    ) -> Result<AddrMan, AddrManError> {
        let start = std::time::Instant::now();
        let loaded = match &path {
            Some(path) if env.exists(path) => Some(load(&*env, path, &options)?),
            _ => None,
        };
        let is_new = !matches!(loaded, Some(Some(_)));
        if let Some(path) = path.as_ref().filter(|_| loaded.is_none()) {
            info!("Creating peers.dat because the file was not found (\"{}\")", path.display());
        }
        let tables = loaded.flatten().unwrap_or_else(|| fresh(options.deterministic));
        if !is_new {
            let count = tables.size(None, None);
            info!("Loaded {count} addresses from peers.dat  {}ms", start.elapsed().as_millis());
        }
        let tables = OrderedMutex::new(LockRank::AddrMan, "addrman", tables);
        let book = AddrMan { tables, path, env, magic: options.magic };
        if is_new {
            book.write();
        }
        Ok(book)
    }

    /// Adds addresses that `source` told; their times are set back by `penalty` seconds. Whether any was new.
    pub fn add(&self, list: &[TimedAddress], source: &NetAddress, penalty: i64) -> bool {
        self.tables.lock().add(list, source, penalty, clock::now_secs())
    }

    /// Notes a successful connection: the address moves to the tried table, if its place is free.
    pub fn good(&self, service: &Service) -> bool {
        self.tables.lock().good(service, true, clock::now_secs())
    }

    /// Notes an attempt to connect.
    pub fn attempt(&self, service: &Service, count_failure: bool) {
        self.tables.lock().attempt(service, count_failure, clock::now_secs());
    }

    /// Notes that a connection was up until now.
    pub fn connected(&self, service: &Service) {
        self.tables.lock().connected(service, clock::now_secs());
    }

    /// Replaces the services of an address.
    pub fn set_services(&self, service: &Service, services: Services) {
        self.tables.lock().set_services(service, services);
    }

    /// A random address to connect to, and when it was tried last. Empty `networks` means any.
    pub fn select(&self, new_only: bool, networks: &[AddressNetwork]) -> Option<(TimedAddress, i64)> {
        self.tables.lock().select(new_only, networks, clock::now_secs())
    }

    /// Random addresses: at most `max` (0: no limit) and `max_percent` of all (0: no limit); `filtered` leaves out
    /// bad ones.
    pub fn addresses(
        &self,
        max: usize,
        max_percent: usize,
        network: Option<AddressNetwork>,
        filtered: bool,
    ) -> Vec<TimedAddress> {
        self.tables.lock().addresses(max, max_percent, network, filtered, clock::now_secs())
    }

    /// Number of addresses, of one network or all, in one table (`Some(true)`: new) or both.
    pub fn size(&self, network: Option<AddressNetwork>, new: Option<bool>) -> usize {
        self.tables.lock().size(network, new)
    }

    /// All entries of a table with their places.
    pub fn entries(&self, tried: bool) -> Vec<(AddrInfo, AddressPosition)> {
        self.tables.lock().entries(tried)
    }

    /// Where an address is.
    pub fn find(&self, service: &Service) -> Option<AddressPosition> {
        self.tables.lock().find_position(service)
    }

    /// Decides about addresses that wait for a place in the tried table.
    pub fn resolve_collisions(&self) {
        self.tables.lock().resolve_collisions(clock::now_secs());
    }

    /// An address of the tried table that another one wants to replace: to be tested.
    pub fn select_tried_collision(&self) -> Option<(TimedAddress, i64)> {
        self.tables.lock().select_tried_collision()
    }

    /// Writes `peers.dat`.
    pub fn dump(&self) {
        let start = std::time::Instant::now();
        self.write();
        debug!(
            Category::Net,
            "Flushed {} addresses to peers.dat  {}ms",
            self.size(None, None),
            start.elapsed().as_millis()
        );
    }

    fn write(&self) {
        let Some(path) = &self.path else { return };
        let data = write_tables(&self.tables.lock(), self.magic);
        let temp = parent(path).join(format!("peers.{:04x}", Rng::new().below(0x1_0000)));
        if let Err(e) = replace_file(&*self.env, path, &temp, &data) {
            error!("Failed to write {}: {e}", path.display());
        }
    }
}

/// The tables of a file; `None` for one of a newer version, which is moved away.
fn load(env: &dyn FileEnv, path: &Path, options: &AddrManOptions) -> Result<Option<Tables>, AddrManError> {
    let corrupt = |reason: String| AddrManError::Corrupt { reason, path: path.display().to_string() };
    let data = env.read(path).map_err(|e| corrupt(e.to_string()))?;
    let rng = if options.deterministic { Rng::seeded(1) } else { Rng::new() };
    match read_tables(&data, options.magic, rng) {
        Ok(tables) => Ok(Some(tables)),
        Err(FileError::Version { .. }) => {
            let mut backup = path.as_os_str().to_owned();
            backup.push(".bak");
            env.rename(path, Path::new(&backup)).map_err(|_| AddrManError::Rename)?;
            warn!(
                "Creating new peers.dat because the file version was not compatible (\"{}\"). Original backed up to \
                 peers.dat.bak",
                path.display()
            );
            Ok(None)
        }
        Err(error) => Err(corrupt(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
