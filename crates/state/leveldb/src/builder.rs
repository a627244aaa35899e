//! Writing table files.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use grs_fs::{File, FileEnv, OpenMode};

use crate::{
    Error, Result,
    block::{BlockBuilder, RESTART_INTERVAL},
    bloom::{FILTER_NAME, FilterBuilder},
    coding::put_u64,
    crc,
    key::{shorten_to_separator, shorten_to_successor, user_key},
    table::{FOOTER_LEN, Handle, MAGIC},
};

/// Bytes gathered before a write.
const WRITE_SIZE: usize = 256 << 10;

/// Writes entries, ascending by internal key, to a new table file.
pub(crate) struct TableBuilder {
    file: Arc<dyn File>,
    path: PathBuf,
    block_size: usize,
    buffer: Vec<u8>,
    written: u64,
    data: BlockBuilder,
    index: BlockBuilder,
    filter: FilterBuilder,
    last_key: Vec<u8>,
    first_key: Vec<u8>,
    entries: u64,
    /// A finished block whose index entry waits for the next key, to choose a short one between.
    pending: Option<Handle>,
}

/// What a finished table is.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) size: u64,
    pub(crate) smallest: Vec<u8>,
    pub(crate) largest: Vec<u8>,
}

impl TableBuilder {
    /// Creates the file.
    pub(crate) fn create(env: &dyn FileEnv, path: &Path, block_size: usize) -> Result<Self> {
        let file = env.open(path, OpenMode::Truncate).map_err(|e| Error::io(path, &e))?;
        Ok(Self {
            file,
            path: path.into(),
            block_size,
            buffer: Vec::new(),
            written: 0,
            data: BlockBuilder::new(RESTART_INTERVAL),
            index: BlockBuilder::new(1),
            filter: FilterBuilder::default(),
            last_key: Vec::new(),
            first_key: Vec::new(),
            entries: 0,
            pending: None,
        })
    }

    /// Appends an entry.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if let Some(handle) = self.pending.take() {
            shorten_to_separator(&mut self.last_key, key);
            self.add_index(handle);
        }
        if self.entries == 0 {
            self.first_key.extend_from_slice(key);
        }
        self.filter.add(user_key(key));
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.entries += 1;
        self.data.add(key, value);
        if self.data.size_estimate() >= self.block_size { self.flush_block() } else { Ok(()) }
    }

    fn add_index(&mut self, handle: Handle) {
        let mut encoded = Vec::with_capacity(20);
        handle.encode(&mut encoded);
        self.index.add(&self.last_key, &encoded);
    }

    fn offset(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Bytes of finished blocks.
    pub(crate) fn size(&self) -> u64 {
        self.offset()
    }

    fn flush_block(&mut self) -> Result<()> {
        if self.data.is_empty() {
            return Ok(());
        }
        let handle = Self::append(&mut self.buffer, self.written, self.data.finish());
        self.data.reset();
        self.pending = Some(handle);
        self.filter.start_block(self.offset());
        if self.buffer.len() >= WRITE_SIZE { self.write_out() } else { Ok(()) }
    }

    fn append(buffer: &mut Vec<u8>, written: u64, content: &[u8]) -> Handle {
        let handle = Handle { offset: written + buffer.len() as u64, size: content.len() as u64 };
        buffer.extend_from_slice(content);
        // Never compressed.
        buffer.push(0);
        buffer.extend_from_slice(&crc::of_block(content, 0).to_le_bytes());
        handle
    }

    fn write_out(&mut self) -> Result<()> {
        self.file.write_at(&self.buffer, self.written).map_err(|e| Error::io(&self.path, &e))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes filter, indexes and footer and syncs the file. The name needs a sync of the directory.
    pub(crate) fn finish(mut self) -> Result<Finished> {
        self.flush_block()?;
        let largest = self.last_key.clone();
        let filter = std::mem::take(&mut self.filter).finish();
        let filter = Self::append(&mut self.buffer, self.written, &filter);
        let mut meta = BlockBuilder::new(RESTART_INTERVAL);
        let mut encoded = Vec::new();
        filter.encode(&mut encoded);
        meta.add(FILTER_NAME, &encoded);
        let meta = Self::append(&mut self.buffer, self.written, meta.finish());
        if let Some(handle) = self.pending.take() {
            shorten_to_successor(&mut self.last_key);
            self.add_index(handle);
        }
        let index = Self::append(&mut self.buffer, self.written, self.index.finish());
        let mut footer = Vec::with_capacity(FOOTER_LEN);
        meta.encode(&mut footer);
        index.encode(&mut footer);
        footer.resize(FOOTER_LEN - 8, 0);
        put_u64(&mut footer, MAGIC);
        self.buffer.extend_from_slice(&footer);
        self.write_out()?;
        self.file.sync().map_err(|e| Error::io(&self.path, &e))?;
        Ok(Finished { size: self.written, smallest: self.first_key, largest })
    }
}
