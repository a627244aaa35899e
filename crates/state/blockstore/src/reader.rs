//! Finding blocks in a file from start to end: block files for a reindex, or any file of framed blocks.

use std::io;
use std::sync::Arc;

use grs_fs::File;
use grs_leveldb::ObfuscationKey;

use crate::obfuscation::apply_at;
use crate::{BlockStore, FilePos, StoreError};

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
