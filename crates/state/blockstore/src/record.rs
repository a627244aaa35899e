//! Records of the block index database. Reference: `CDiskBlockIndex` (`src/chain.h`), `CBlockFileInfo` and
//! `BlockTreeDB` (`src/node/blockstorage.cpp`).

use std::fmt;

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_compact_size, write_varint};
use grs_hashes::BlockHash;
use grs_primitives::Header;

use crate::BlockStatus;

/// What each record starts with; a version nobody reads.
const DUMMY_VERSION: u64 = 259_900;

/// A block index entry as stored under [`block_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct DiskBlockIndex {
    /// Height.
    pub height: u32,
    /// Status.
    pub status: BlockStatus,
    /// Transactions in the block, 0 while it is not known.
    pub tx_count: u32,
    /// File of block and undo data; stored if the status has one of them.
    pub file: u32,
    /// Position in the blk file; stored with [`BlockStatus::HAVE_DATA`].
    pub data_pos: u32,
    /// Position in the rev file; stored with [`BlockStatus::HAVE_UNDO`].
    pub undo_pos: u32,
    /// Header.
    pub header: Header,
}

impl Encode for DiskBlockIndex {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, DUMMY_VERSION);
        write_varint(out, u64::from(self.height));
        write_varint(out, u64::from(self.status.0));
        write_varint(out, u64::from(self.tx_count));
        if self.status.have_data() || self.status.have_undo() {
            write_varint(out, u64::from(self.file));
        }
        if self.status.have_data() {
            write_varint(out, u64::from(self.data_pos));
        }
        if self.status.have_undo() {
            write_varint(out, u64::from(self.undo_pos));
        }
        self.header.encode(out);
    }
}

impl Decode for DiskBlockIndex {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const INT: u64 = i32::MAX as u64;
        const UNSIGNED: u64 = u32::MAX as u64;
        reader.varint_max(INT)?;
        let height = reader.varint_max(INT)? as u32;
        let status = BlockStatus(reader.varint_max(UNSIGNED)? as u32);
        let tx_count = reader.varint_max(UNSIGNED)? as u32;
        let mut number = |there: bool, max| if there { reader.varint_max(max) } else { Ok(0) };
        let file = number(status.have_data() || status.have_undo(), INT)? as u32;
        let data_pos = number(status.have_data(), UNSIGNED)? as u32;
        let undo_pos = number(status.have_undo(), UNSIGNED)? as u32;
        let header = Header::decode(reader)?;
        Ok(DiskBlockIndex { height, status, tx_count, file, data_pos, undo_pos, header })
    }
}

/// What is known of a blk file and its rev file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BlockFileInfo {
    /// Blocks in the file.
    pub blocks: u32,
    /// Used bytes of the blk file.
    pub size: u32,
    /// Used bytes of the rev file.
    pub undo_size: u32,
    /// Lowest height of a block.
    pub height_first: u32,
    /// Highest height of a block.
    pub height_last: u32,
    /// Earliest time of a block.
    pub time_first: u64,
    /// Latest time of a block.
    pub time_last: u64,
}

impl BlockFileInfo {
    /// Counts a block; the size is changed by the caller.
    pub fn add_block(&mut self, height: u32, time: u64) {
        if self.blocks == 0 || self.height_first > height {
            self.height_first = height;
        }
        if self.blocks == 0 || self.time_first > time {
            self.time_first = time;
        }
        self.blocks += 1;
        self.height_last = self.height_last.max(height);
        self.time_last = self.time_last.max(time);
    }
}

/// Date of a time in seconds since 1970, `2014-03-22`.
fn iso_date(time: u64) -> String {
    // Days to date by the usual shift of the year to March (Howard Hinnant's civil_from_days).
    let z = (time / 86_400) as i64 + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Date and time of seconds since 1970, `2014-03-22T13:18:25Z`, as log lines have it.
pub fn iso_date_time(time: u64) -> String {
    let second = time % 86_400;
    format!("{}T{:02}:{:02}:{:02}Z", iso_date(time), second / 3600, second / 60 % 60, second % 60)
}

impl fmt::Display for BlockFileInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CBlockFileInfo(blocks={}, size={}, heights={}...{}, time={}...{})",
            self.blocks,
            self.size,
            self.height_first,
            self.height_last,
            iso_date(self.time_first),
            iso_date(self.time_last)
        )
    }
}

impl Encode for BlockFileInfo {
    fn encode(&self, out: &mut Vec<u8>) {
        for n in [self.blocks, self.size, self.undo_size, self.height_first, self.height_last] {
            write_varint(out, u64::from(n));
        }
        write_varint(out, self.time_first);
        write_varint(out, self.time_last);
    }
}

impl Decode for BlockFileInfo {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut number = || reader.varint_max(u64::from(u32::MAX)).map(|n| n as u32);
        Ok(BlockFileInfo {
            blocks: number()?,
            size: number()?,
            undo_size: number()?,
            height_first: number()?,
            height_last: number()?,
            time_first: reader.varint()?,
            time_last: reader.varint()?,
        })
    }
}

/// Key of a block index entry.
pub fn block_key(hash: &BlockHash) -> [u8; 33] {
    let mut key = [b'b'; 33];
    key[1..].copy_from_slice(hash.as_bytes());
    key
}

/// Key of a [`BlockFileInfo`].
pub fn file_key(file: u32) -> [u8; 5] {
    let n = file.to_le_bytes();
    [b'f', n[0], n[1], n[2], n[3]]
}

/// Key of a named flag.
pub fn flag_key(name: &str) -> Vec<u8> {
    let mut key = vec![b'F'];
    write_compact_size(&mut key, name.len() as u64);
    key.extend_from_slice(name.as_bytes());
    key
}

/// Key of the number of the last block file.
pub const LAST_FILE_KEY: &[u8] = b"l";
/// Key that is there while a reindex is not finished.
pub const REINDEX_KEY: &[u8] = b"R";
