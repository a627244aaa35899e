//! Finding blocks in a file from start to end: block files for a reindex, or any file of framed blocks.

use std::io;
use std::sync::Arc;

use grs_fs::File;
use grs_leveldb::ObfuscationKey;

use crate::obfuscation::apply_at;
use crate::{BlockStore, FilePos, ReadError, STORAGE_HEADER_BYTES, StoreError};

/// Bytes read at once.
const WINDOW: usize = 4 << 20;
/// A block is at least a header.
const MIN_BLOCK: u32 = 80;
/// Largest serialized block.
const MAX_BLOCK: u32 = 4_000_000;

/// Reads framed blocks one after the other, passing over what is no block. Reference: `LoadExternalBlockFile`.
pub struct BlockFileReader {
    file: Arc<dyn File>,
    key: ObfuscationKey,
    magic: [u8; 4],
    number: u32,
    /// File offset of the window's first byte.
    start: u64,
    window: Vec<u8>,
    /// Next offset to look at.
    at: u64,
    end: bool,
}

impl BlockFileReader {
    /// A reader of any file of framed blocks, not XORed (`-loadblock`).
    pub fn plain(file: Arc<dyn File>, magic: [u8; 4]) -> BlockFileReader {
        BlockFileReader::new(file, ObfuscationKey::default(), magic, 0)
    }

    fn new(file: Arc<dyn File>, key: ObfuscationKey, magic: [u8; 4], number: u32) -> BlockFileReader {
        BlockFileReader { file, key, magic, number, start: 0, window: Vec::new(), at: 0, end: false }
    }

    /// Makes sure that `len` bytes from `at` are in the window; false at the end of the file.
    fn load(&mut self, at: u64, len: usize) -> io::Result<bool> {
        let end = self.start + self.window.len() as u64;
        if at >= self.start && at + len as u64 <= end {
            return Ok(true);
        }
        if self.end && at + len as u64 > end {
            return Ok(false);
        }
        let keep = at.saturating_sub(self.start).min(self.window.len() as u64) as usize;
        self.window.drain(..keep);
        self.start = at;
        let want = WINDOW.max(len);
        while self.window.len() < want {
            let have = self.window.len();
            self.window.resize(want, 0);
            let offset = self.start + have as u64;
            let read = self.file.read_at(&mut self.window[have..], offset);
            let read = match read {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
                Err(e) => {
                    self.window.truncate(have);
                    return Err(e);
                }
                Ok(0) => {
                    self.window.truncate(have);
                    self.end = true;
                    break;
                }
                Ok(n) => n,
            };
            self.window.truncate(have + read);
            apply_at(self.key, offset, &mut self.window[have..]);
        }
        Ok(self.window.len() >= len)
    }

    /// The next candidate: where its block begins, and its bytes. The bytes need not be a block: then go on
    /// with [`BlockFileReader::rewind`].
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next_block(&mut self) -> io::Result<Option<(FilePos, Vec<u8>)>> {
        loop {
            if !self.load(self.at, 8)? {
                return Ok(None);
            }
            let window = &self.window[(self.at - self.start) as usize..];
            if window[..4] != self.magic {
                // To the next byte that can begin a frame.
                let next = window[1..].iter().position(|b| *b == self.magic[0]);
                self.at += 1 + next.unwrap_or(window.len() - 1) as u64;
                continue;
            }
            let size = u32::from_le_bytes([window[4], window[5], window[6], window[7]]);
            let begin = self.at + 8;
            if !(MIN_BLOCK..=MAX_BLOCK).contains(&size) || !self.load(begin, size as usize)? {
                self.at += 1;
                continue;
            }
            let from = (begin - self.start) as usize;
            let data = self.window[from..from + size as usize].to_vec();
            self.at = begin + u64::from(size);
            return Ok(Some((FilePos::new(self.number, begin as u32), data)));
        }
    }

    /// Goes back to just behind the frame's first byte of a candidate that was no block.
    pub fn rewind(&mut self, candidate: FilePos) {
        self.at = u64::from(candidate.pos) - 7;
    }
}

impl BlockStore {
    /// Reads the block file of this number from its start.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn scan_file(&self, file: u32) -> Result<BlockFileReader, StoreError> {
        let handle = self.seqs.blocks.open(file, true).map_err(|e| StoreError::Io("open block file", e))?;
        Ok(BlockFileReader::new(handle, self.seqs.key, self.options.magic, file))
    }
}

/// Reads stored blocks in about the order of their positions, many with one read.
pub struct BlockCursor<'a> {
    store: &'a BlockStore,
    file: Option<(u32, Arc<dyn File>)>,
    start: u64,
    window: Vec<u8>,
}

/// Bytes a cursor reads at once.
const CURSOR_WINDOW: usize = 1 << 20;

impl<'a> BlockCursor<'a> {
    /// A cursor over a store. It sees what is in the files: see [`BlockStore::write_out`].
    pub fn new(store: &'a BlockStore) -> BlockCursor<'a> {
        BlockCursor { store, file: None, start: 0, window: Vec::new() }
    }

    /// The bytes of the block at a position.
    ///
    /// # Errors
    /// If it is not there or damaged; that is logged.
    pub fn read(&mut self, pos: FilePos) -> Result<&[u8], ReadError> {
        let from = u64::from(pos.pos.checked_sub(STORAGE_HEADER_BYTES).ok_or(ReadError::Io)?);
        let same_file = self.file.as_ref().is_some_and(|(number, _)| *number == pos.file);
        let mut covered = if same_file { self.covered(from) } else { None };
        if covered.is_none_or(|rest| rest.len() < 8 || rest.len() < 8 + framed_size(rest)) {
            if !same_file {
                let file = self.store.seqs.blocks.open(pos.file, true).map_err(|_| ReadError::Io)?;
                self.file = Some((pos.file, file));
            }
            self.fill(from, CURSOR_WINDOW)?;
            let size = self.covered(from).filter(|rest| rest.len() >= 8).map_or(0, framed_size);
            if size > CURSOR_WINDOW - 8 && size <= MAX_BLOCK as usize {
                self.fill(from, size + 8)?;
            }
            covered = self.covered(from);
        }
        let start = (from - self.start) as usize;
        let rest = covered.ok_or(ReadError::Io)?;
        let size = self.store.check_frame(rest, pos)?;
        self.window.get(start + 8..start + 8 + size).ok_or(ReadError::Io)
    }

    fn covered(&self, from: u64) -> Option<&[u8]> {
        self.window.get(usize::try_from(from.checked_sub(self.start)?).ok()?..)
    }

    fn fill(&mut self, from: u64, len: usize) -> Result<(), ReadError> {
        let Some((_, file)) = &self.file else { return Err(ReadError::Io) };
        self.window.resize(len, 0);
        self.start = from;
        let mut have = 0;
        while have < len {
            match file.read_at(&mut self.window[have..], from + have as u64) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(ReadError::Io),
            }
        }
        self.window.truncate(have);
        apply_at(self.store.seqs.key, from, &mut self.window);
        Ok(())
    }
}

fn framed_size(rest: &[u8]) -> usize {
    u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize
}
