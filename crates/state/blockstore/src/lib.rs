//! Blocks on disk and the index of headers in memory.
//!
//! - [`BlockStore`]: `blk*.dat`, `rev*.dat`, `xor.dat` and the index database, in the reference's formats.
//! - [`BlockIndex`]: all headers, addressed by [`BlockId`], readable without locks.
//! - [`ActiveChain`] and [`ChainView`]: the active chain as an array, and immutable views of it.
//! - [`Coin`], [`BlockUndo`]: coins with their compressed encodings.
//!
//! Changes to index and chain are made under the chainstate lock (crate `grs-chainstate`); reading needs none.

mod active;
mod coin;
mod compress;
mod error;
mod files;
mod flatfile;
mod index;
mod load;
mod obfuscation;
mod prune;
mod reader;
mod record;
mod status;
mod store;
mod table;
mod tree_db;
mod work;

#[doc(hidden)]
pub mod fuzz;

pub use active::{ActiveChain, ChainView};
pub use coin::{BlockUndo, Coin, TxUndo};
pub use compress::{compress_amount, decompress_amount, read_script, read_txout, write_script, write_txout};
pub use error::{ReadError, StoreError};
pub use flatfile::{Allocation, FilePos, FlatFileSeq, MIN_FREE_SPACE, check_disk_space};
pub use index::{BlockId, BlockIndex, ENTRY_BYTES, IndexError};
pub use load::{HashCheck, LoadedIndex};
pub use reader::{BlockCursor, BlockFileReader};
pub use record::{
    BlockFileInfo, DiskBlockIndex, LAST_FILE_KEY, REINDEX_KEY, block_key, file_key, flag_key, iso_date_time,
};
pub use status::BlockStatus;
pub use store::{
    BLOCKFILE_CHUNK_SIZE, BlockStore, BlockStoreOptions, MAX_BLOCKFILE_SIZE, STORAGE_HEADER_BYTES,
    UNDO_DATA_DISK_OVERHEAD, UNDOFILE_CHUNK_SIZE,
};
pub use tree_db::BlockTreeDb;
pub use work::block_work;
