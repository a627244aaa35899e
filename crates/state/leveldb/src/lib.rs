//! Key-value store in LevelDB's on-disk format, behind the [`Store`] trait.
//!
//! The engine is our own; a database of the reference opens here and the other way round, also after a crash. Byte
//! order is the only comparator, blocks are written uncompressed with a 10-bit bloom filter, as the reference does.
//!
//! - [`open_database`] opens what the node uses: engine plus obfuscation ([`ObfuscatedStore`]).
//! - [`LevelDb`] is the engine, [`MemStore`] a map in memory, [`FailingStore`] a wrapper for tests.
//! - All writes go through [`grs_fs::FileEnv`].

mod background;
mod batch;
mod block;
mod bloom;
mod builder;
mod cache;
mod coding;
mod compaction;
mod crc;
mod database;
mod db;
mod edit;
mod error;
mod files;
#[doc(hidden)]
pub mod fuzz;
mod key;
mod log;
mod memstore;
mod memtable;
mod merge;
mod obfuscate;
mod options;
mod recover;
mod store;
mod table;
mod version;
mod versions;

pub use batch::{Batch, Change};
pub use database::{DbParams, open_database};
pub use db::{LevelDb, destroy};
pub use error::{Error, Result};
pub use memstore::{FailingStore, MemStore};
pub use obfuscate::{OBFUSCATION_RECORD_KEY, ObfuscatedStore, ObfuscationKey};
pub use options::Options;
pub use store::{Store, StoreIter, WriteOptions};
