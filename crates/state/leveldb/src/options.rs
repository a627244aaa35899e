//! Options of an engine.

/// Options of [`crate::LevelDb::open`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Make the database if there is none.
    pub create_if_missing: bool,
    /// Bytes of a memory table before it is written to a table file; two may be held. Kept in 64 KiB..=1 GiB.
    pub write_buffer_size: usize,
    /// Bytes of data blocks kept for reads.
    pub block_cache_size: usize,
    /// Bytes of a table file before a compaction starts the next one. Kept in 1 MiB..=1 GiB.
    pub max_file_size: u64,
    /// Bytes of a data block. Kept in 1 KiB..=4 MiB.
    pub block_size: usize,
    /// Tables kept open.
    pub max_open_files: usize,
    /// Compact in the writing thread instead of in one of its own: for tests and tiny databases.
    pub inline_compaction: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create_if_missing: true,
            write_buffer_size: 4 << 20,
            block_cache_size: 8 << 20,
            max_file_size: 32 << 20,
            block_size: 4096,
            max_open_files: 256,
            inline_compaction: false,
        }
    }
}

impl Options {
    /// The reference's division of a database's memory: half for blocks, a quarter for each of two write buffers.
    pub fn for_cache(bytes: usize) -> Self {
        Self { block_cache_size: bytes / 2, write_buffer_size: bytes / 4, ..Self::default() }
    }

    pub(crate) fn sanitized(mut self) -> Self {
        self.write_buffer_size = self.write_buffer_size.clamp(64 << 10, 1 << 30);
        self.max_file_size = self.max_file_size.clamp(1 << 20, 1 << 30);
        self.block_size = self.block_size.clamp(1 << 10, 4 << 20);
        self.max_open_files = self.max_open_files.max(16);
        self
    }
}
