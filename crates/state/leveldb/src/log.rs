//! Log files: records cut into fragments that never cross a 32 KiB block, each with a checksum. The write-ahead log and
//! the manifest have this form.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use grs_fs::File;

use crate::{Error, Result, coding::get_u32, crc};

const BLOCK: usize = 32768;
/// Checksum (4 bytes), length (2), kind (1).
const HEADER: usize = 7;

const ZERO: u8 = 0;
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// Appends records to a new log file.
#[derive(Debug)]
pub(crate) struct LogWriter {
    file: Arc<dyn File>,
    path: PathBuf,
    offset: u64,
    buffer: Vec<u8>,
}

impl LogWriter {
    /// Writes to an empty file.
    pub(crate) fn new(file: Arc<dyn File>, path: PathBuf) -> Self {
        Self { file, path, offset: 0, buffer: Vec::new() }
    }

    /// Appends a record with one write. After an error the content of the file is unknown: do not use it further.
    pub(crate) fn add(&mut self, mut data: &[u8]) -> Result<()> {
        self.buffer.clear();
        let mut block_offset = (self.offset % BLOCK as u64) as usize;
        let mut first = true;
        loop {
            let left = BLOCK - block_offset;
            if left < HEADER {
                self.buffer.resize(self.buffer.len() + left, 0);
                block_offset = 0;
                continue;
            }
            let (fragment, rest) = data.split_at(data.len().min(left - HEADER));
            let kind = match (first, rest.is_empty()) {
                (true, true) => FULL,
                (true, false) => FIRST,
                (false, false) => MIDDLE,
                (false, true) => LAST,
            };
            self.buffer.extend_from_slice(&crc::of_record(kind, fragment).to_le_bytes());
            self.buffer.extend_from_slice(&(fragment.len() as u16).to_le_bytes());
            self.buffer.push(kind);
            self.buffer.extend_from_slice(fragment);
            block_offset += HEADER + fragment.len();
            data = rest;
            first = false;
            if data.is_empty() {
                break;
            }
        }
        self.file.write_at(&self.buffer, self.offset).map_err(|e| Error::io(&self.path, &e))?;
        self.offset += self.buffer.len() as u64;
        // A large batch must not keep its memory for ever.
        if self.buffer.capacity() > 1 << 20 {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Makes all records durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync().map_err(|e| Error::io(&self.path, &e))
    }
}

enum Fragment {
    Data {
        kind: u8,
        start: usize,
        end: usize,
    },
    /// Preallocated space; whatever was being assembled is lost.
    Skip,
    End,
}

/// Reads the records of a log file. A file cut short anywhere ends at its last whole record; other damage is an error,
/// with LevelDB's text.
pub(crate) struct LogReader {
    file: Arc<dyn File>,
    path: PathBuf,
    offset: u64,
    block: Vec<u8>,
    at: usize,
    eof: bool,
    record: Vec<u8>,
}

impl LogReader {
    /// Reads from the start.
    pub(crate) fn new(file: Arc<dyn File>, path: &Path) -> Self {
        Self { file, path: path.into(), offset: 0, block: Vec::new(), at: 0, eof: false, record: Vec::new() }
    }

    fn corruption(&self, text: &str) -> Error {
        Error::Corruption(format!("{text}: {}", self.path.display()))
    }

    /// Next record; `None` at the end.
    pub(crate) fn next_record(&mut self) -> Result<Option<&[u8]>> {
        self.record.clear();
        let mut inside = false;
        loop {
            let (kind, start, end) = match self.fragment()? {
                Fragment::Data { kind, start, end } => (kind, start, end),
                // A record without its end: the writer died there.
                Fragment::End => return Ok(None),
                Fragment::Skip if inside => return Err(self.corruption("error in middle of record")),
                Fragment::Skip => continue,
            };
            match kind {
                FULL | FIRST => {
                    // Early writers left empty first fragments at the end of blocks.
                    if inside && !self.record.is_empty() {
                        let number = if kind == FULL { 1 } else { 2 };
                        return Err(self.corruption(&format!("partial record without end({number})")));
                    }
                    if kind == FULL {
                        return Ok(Some(&self.block[start..end]));
                    }
                    self.record.extend_from_slice(&self.block[start..end]);
                    inside = true;
                }
                MIDDLE | LAST if !inside => {
                    let number = if kind == MIDDLE { 1 } else { 2 };
                    return Err(self.corruption(&format!("missing start of fragmented record({number})")));
                }
                MIDDLE => self.record.extend_from_slice(&self.block[start..end]),
                LAST => {
                    self.record.extend_from_slice(&self.block[start..end]);
                    return Ok(Some(&self.record));
                }
                other => return Err(self.corruption(&format!("unknown record type {other}"))),
            }
        }
    }

    fn read_block(&mut self) -> Result<()> {
        self.block.resize(BLOCK, 0);
        let mut filled = 0;
        while filled < BLOCK {
            match self.file.read_at(&mut self.block[filled..], self.offset + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io(&self.path, &e)),
            }
        }
        self.block.truncate(filled);
        self.offset += filled as u64;
        self.at = 0;
        self.eof = filled < BLOCK;
        Ok(())
    }

    fn fragment(&mut self) -> Result<Fragment> {
        loop {
            let rest = &self.block[self.at..];
            if rest.len() < HEADER {
                // Padding of a full block, or a header cut short at the end of the file.
                if self.eof {
                    self.at = self.block.len();
                    return Ok(Fragment::End);
                }
                self.read_block()?;
                continue;
            }
            let len = usize::from(rest[4]) | usize::from(rest[5]) << 8;
            let kind = rest[6];
            if HEADER + len > rest.len() {
                self.at = self.block.len();
                if self.eof {
                    return Ok(Fragment::End);
                }
                return Err(self.corruption("bad record length"));
            }
            if kind == ZERO && len == 0 {
                self.at = self.block.len();
                return Ok(Fragment::Skip);
            }
            if get_u32(rest) != Some(crc::of_record(kind, &rest[HEADER..HEADER + len])) {
                self.at = self.block.len();
                return Err(self.corruption("checksum mismatch"));
            }
            let start = self.at + HEADER;
            self.at = start + len;
            return Ok(Fragment::Data { kind, start, end: self.at });
        }
    }
}

#[cfg(test)]
mod tests {
    use grs_fs::{FileEnv, MemEnv, OpenMode};

    use super::*;

    fn write(records: &[Vec<u8>]) -> Vec<u8> {
        let env = MemEnv::new();
        let path = Path::new("log");
        let mut writer = LogWriter::new(env.open(path, OpenMode::Truncate).unwrap(), path.into());
        for record in records {
            writer.add(record).unwrap();
        }
        env.read(path).unwrap()
    }

    fn read(data: &[u8]) -> (Vec<Vec<u8>>, Option<String>) {
        let env = MemEnv::new();
        let path = Path::new("log");
        env.write_synced(path, data).unwrap();
        let mut reader = LogReader::new(env.open(path, OpenMode::Read).unwrap(), path);
        let mut out = Vec::new();
        loop {
            match reader.next_record() {
                Ok(Some(record)) => out.push(record.to_vec()),
                Ok(None) => return (out, None),
                Err(e) => return (out, Some(e.to_string())),
            }
        }
    }

    fn sample() -> Vec<Vec<u8>> {
        // Lengths around block ends: 32768 - 7 fills a block, 32768 - 14 - n leave n bytes.
        let lengths = [
            0,
            1,
            100,
            BLOCK - 7 - 7 * 3 - 101,
            0,
            BLOCK - 7,
            BLOCK - 14,
            0,
            BLOCK - 17,
            5,
            3 * BLOCK,
            70000,
        ];
        lengths.iter().enumerate().map(|(i, &n)| (0..n).map(|j| (i * 7 + j) as u8).collect()).collect()
    }

    #[test]
    fn records_round_trip() {
        let records = sample();
        assert_eq!(read(&write(&records)), (records, None));
        assert_eq!(read(&[]), (vec![], None));
    }

    #[test]
    fn a_cut_file_ends_at_the_last_whole_record() {
        let records = sample();
        let data = write(&records);
        for cut in (0..data.len()).step_by(997).chain(data.len() - 10..data.len()) {
            let (got, error) = read(&data[..cut]);
            assert_eq!(error, None, "cut at {cut}");
            assert!(got.len() < records.len() && got == records[..got.len()]);
        }
    }

    #[test]
    fn damage_is_reported_with_leveldbs_texts() {
        let records = vec![vec![1; 100], vec![2; 40000], vec![3; 10]];
        let data = write(&records);
        let broken = |at: usize, value: u8| {
            let mut bad = data.clone();
            bad[at] = value;
            read(&bad).1.unwrap_or_default()
        };
        assert_eq!(broken(50, 0), "Corruption: checksum mismatch: log");
        assert_eq!(broken(5, 0xff), "Corruption: bad record length: log");
        // A whole block of zeros is preallocated space; inside a record it is damage.
        let mut hole = data.clone();
        hole.truncate(BLOCK);
        hole.resize(3 * BLOCK, 0);
        assert_eq!(read(&hole).1.unwrap(), "Corruption: error in middle of record: log");
        assert_eq!(read(&vec![0; 3 * BLOCK]), (vec![], None));
        // The middle of a record without its start.
        assert_eq!(read(&data[BLOCK..]).1.unwrap(), "Corruption: missing start of fragmented record(2): log");
        let mut twice = data[..BLOCK].to_vec();
        twice.extend_from_slice(&data[..200]);
        assert_eq!(read(&twice).1.unwrap(), "Corruption: partial record without end(1): log");
        let mut odd = data[..107].to_vec();
        odd[6] = 9;
        let crc = crc::of_record(9, &odd[7..]).to_le_bytes();
        odd[..4].copy_from_slice(&crc);
        assert_eq!(read(&odd).1.unwrap(), "Corruption: unknown record type 9: log");
    }
}
