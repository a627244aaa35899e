//! Reading table files: data blocks, a bloom filter block, an index of the blocks, a footer.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use grs_fs::File;

use crate::{
    Error, Result,
    block::{Block, Cursor},
    bloom::{FILTER_NAME, FilterBlock, bloom_hash},
    cache::BlockCache,
    coding::{get_u32, get_u64, put_varint, take_varint64},
    crc, key,
};

/// Last eight bytes of a table.
pub(crate) const MAGIC: u64 = 0xdb47_7524_8b80_fb57;
/// Two block handles padded to 20 bytes each, and the magic.
pub(crate) const FOOTER_LEN: usize = 48;
/// Type of compression (1 byte) and checksum (4) after a block.
pub(crate) const TRAILER_LEN: usize = 5;
/// Longest read ahead of a cursor that moves on and on.
const MAX_WINDOW: usize = 256 << 10;

/// Place of a block in a table, without its trailer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Handle {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        put_varint(out, self.offset);
        put_varint(out, self.size);
    }

    pub(crate) fn decode(input: &mut &[u8]) -> Result<Self> {
        let offset = take_varint64(input);
        match (offset, take_varint64(input)) {
            (Some(offset), Some(size)) => Ok(Handle { offset, size }),
            _ => Err(Error::corruption("bad block handle")),
        }
    }
}

/// An open table file.
#[derive(Debug)]
pub(crate) struct Table {
    file: Arc<dyn File>,
    path: PathBuf,
    number: u64,
    size: u64,
    index: Block,
    filter: Option<FilterBlock>,
    metaindex: Handle,
}

/// Checks a block's trailer; `data` holds block and trailer.
fn check_trailer(data: &[u8], path: &Path) -> Result<()> {
    let corrupt = |text: &str| Err(Error::Corruption(format!("{text}: {}", path.display())));
    let Some((content, trailer)) = data.split_last_chunk::<TRAILER_LEN>() else {
        return corrupt("truncated block read");
    };
    if get_u32(&trailer[1..]) != Some(crc::of_block(content, trailer[0])) {
        return corrupt("block checksum mismatch");
    }
    match trailer[0] {
        0 => Ok(()),
        // The reference is built without snappy and says the same.
        1 => corrupt("corrupted compressed block contents"),
        _ => corrupt("bad block type"),
    }
}

impl Table {
    /// Opens a table whose recorded length is `size`.
    pub(crate) fn open(file: Arc<dyn File>, path: PathBuf, number: u64, size: u64) -> Result<Self> {
        let Some(footer_at) = size.checked_sub(FOOTER_LEN as u64) else {
            return Err(Error::corruption("file is too short to be an sstable"));
        };
        let mut table = Table {
            size: file.len().map_err(|e| Error::io(&path, &e))?,
            file,
            path,
            number,
            index: Block::default(),
            filter: None,
            metaindex: Handle::default(),
        };
        let mut footer = Vec::new();
        table.read_range(footer_at, FOOTER_LEN, &mut footer)?;
        if get_u64(&footer[FOOTER_LEN - 8..]) != Some(MAGIC) {
            return Err(Error::corruption("not an sstable (bad magic number)"));
        }
        let mut input = &footer[..FOOTER_LEN - 8];
        table.metaindex = Handle::decode(&mut input)?;
        let index = Handle::decode(&mut input)?;
        table.index = table.read_block(index)?;
        // The filter only saves time: a damaged one is ignored.
        table.filter = table.read_filter().ok().flatten();
        Ok(table)
    }

    fn read_filter(&self) -> Result<Option<FilterBlock>> {
        let meta = self.read_block(self.metaindex)?;
        let mut cursor = Cursor::default();
        cursor.seek_by(&meta, |key| key < FILTER_NAME)?;
        if !cursor.valid() || cursor.key() != FILTER_NAME {
            return Ok(None);
        }
        let handle = Handle::decode(&mut cursor.value(&meta))?;
        let mut data = Vec::new();
        self.read_content(handle, &mut data)?;
        Ok(FilterBlock::new(data))
    }

    fn read_range(&self, offset: u64, len: usize, out: &mut Vec<u8>) -> Result<()> {
        // Before allocating: a damaged handle may claim anything. The reference's mapped files say EINVAL.
        if offset.checked_add(len as u64).is_none_or(|end| end > self.size) {
            return Err(Error::Io(format!("{}: Invalid argument", self.path.display())));
        }
        out.resize(len, 0);
        self.file.read_exact_at(out, offset).map_err(|e| Error::io(&self.path, &e))
    }

    fn stored_len(&self, handle: Handle) -> usize {
        handle.size.saturating_add(TRAILER_LEN as u64).min(usize::MAX as u64 / 2) as usize
    }

    /// Reads and checks a block's content without its trailer.
    fn read_content(&self, handle: Handle, out: &mut Vec<u8>) -> Result<()> {
        self.read_range(handle.offset, self.stored_len(handle), out)?;
        check_trailer(out, &self.path)?;
        out.truncate(out.len() - TRAILER_LEN);
        Ok(())
    }

    fn read_block(&self, handle: Handle) -> Result<Block> {
        let mut data = Vec::new();
        self.read_content(handle, &mut data)?;
        Block::new(data)
    }

    /// Finds the first entry at or after an internal key in the one block that may have it, and shows it to `found`.
    /// Entries of other user keys may be shown. The filter keeps most useless reads away.
    pub(crate) fn get<T>(
        &self,
        target: &[u8],
        blocks: &BlockCache,
        found: impl FnOnce(&[u8], &[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut cursor = Cursor::default();
        cursor.seek(&self.index, target)?;
        if !cursor.valid() {
            return Ok(None);
        }
        let handle = Handle::decode(&mut cursor.value(&self.index))?;
        if let Some(filter) = &self.filter
            && !filter.may_match(handle.offset, bloom_hash(key::user_key(target)))
        {
            return Ok(None);
        }
        let cache_key = (self.number, handle.offset);
        let block = match blocks.get(&cache_key) {
            Some(block) => block,
            None => {
                let block = Arc::new(self.read_block(handle)?);
                blocks.insert(cache_key, block.clone(), block.len());
                block
            }
        };
        cursor.seek(&block, target)?;
        if cursor.valid() { found(cursor.key(), cursor.value(&block)).map(Some) } else { Ok(None) }
    }

    /// Offset in the file where entries at or after an internal key start, roughly.
    pub(crate) fn approximate_offset(&self, target: &[u8]) -> u64 {
        let mut cursor = Cursor::default();
        match cursor.seek(&self.index, target) {
            Ok(()) if cursor.valid() => match Handle::decode(&mut cursor.value(&self.index)) {
                Ok(handle) => handle.offset,
                Err(_) => self.metaindex.offset,
            },
            _ => self.metaindex.offset,
        }
    }
}

/// A cursor over a table. Reads ahead when moving on; does not use the block cache.
pub(crate) struct TableIter {
    table: Arc<Table>,
    index: Cursor,
    block: Block,
    cursor: Cursor,
    window: Vec<u8>,
    window_start: u64,
    next_window: usize,
}

impl TableIter {
    pub(crate) fn new(table: Arc<Table>) -> Self {
        Self {
            table,
            index: Cursor::default(),
            block: Block::default(),
            cursor: Cursor::default(),
            window: Vec::new(),
            window_start: 0,
            next_window: 0,
        }
    }

    pub(crate) fn valid(&self) -> bool {
        self.cursor.valid()
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.cursor.key()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.cursor.value(&self.block)
    }

    pub(crate) fn seek_to_first(&mut self) -> Result<()> {
        self.next_window = 0;
        self.cursor.invalidate();
        self.index.seek_to_first(&self.table.index)?;
        self.first_of_blocks()
    }

    pub(crate) fn seek(&mut self, target: &[u8]) -> Result<()> {
        self.next_window = 0;
        self.cursor.invalidate();
        self.index.seek(&self.table.index, target)?;
        if self.index.valid() {
            self.load_block()?;
            self.cursor.seek(&self.block, target)?;
            if !self.cursor.valid() {
                self.index.next(&self.table.index)?;
                return self.first_of_blocks();
            }
        }
        Ok(())
    }

    pub(crate) fn next(&mut self) -> Result<()> {
        self.cursor.next(&self.block)?;
        if !self.cursor.valid() {
            self.index.next(&self.table.index)?;
            return self.first_of_blocks();
        }
        Ok(())
    }

    /// Moves to the first entry of the first block from the index position on that has one.
    fn first_of_blocks(&mut self) -> Result<()> {
        while self.index.valid() {
            self.load_block()?;
            self.cursor.seek_to_first(&self.block)?;
            if self.cursor.valid() {
                return Ok(());
            }
            self.index.next(&self.table.index)?;
        }
        self.cursor.invalidate();
        Ok(())
    }

    fn load_block(&mut self) -> Result<()> {
        self.cursor.invalidate();
        let handle = Handle::decode(&mut self.index.value(&self.table.index))?;
        let len = self.table.stored_len(handle);
        let inside = handle.offset.checked_sub(self.window_start).map_or(usize::MAX, |at| at as usize);
        let covered = inside.checked_add(len).is_some_and(|end| end <= self.window.len());
        let at = if covered {
            inside
        } else {
            let left = self.table.size.saturating_sub(handle.offset).min(usize::MAX as u64) as usize;
            let wanted = len.max(self.next_window.min(left));
            self.next_window = (self.next_window * 2).clamp(8 << 10, MAX_WINDOW);
            self.window_start = handle.offset;
            let read = self.table.read_range(handle.offset, wanted, &mut self.window);
            if read.is_err() {
                self.window.clear();
            }
            read?;
            0
        };
        let data = &self.window[at..at + len];
        check_trailer(data, &self.table.path)?;
        let content = &data[..len - TRAILER_LEN];
        let buffer = self.block.buffer();
        buffer.clear();
        buffer.extend_from_slice(content);
        self.block.check()
    }
}
