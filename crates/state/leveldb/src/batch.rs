//! A group of changes applied as one, in LevelDB's write batch encoding (the payload of a log record).

use crate::{
    Error, Result,
    coding::{get_u32, get_u64, put_slice, take_slice},
};

/// Sequence number (8 bytes) and record count (4 bytes).
const HEADER: usize = 12;

pub(crate) const TYPE_DELETE: u8 = 0;
pub(crate) const TYPE_PUT: u8 = 1;

/// One change of a [`Batch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Sets a key.
    Put(&'a [u8], &'a [u8]),
    /// Removes a key; one that is not there is no error.
    Delete(&'a [u8]),
}

/// Ordered changes that are written together or not at all. Later changes of a key win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    data: Vec<u8>,
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty batch with room for `bytes` of encoded changes.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut data = Vec::with_capacity(HEADER + bytes);
        data.resize(HEADER, 0);
        Self { data }
    }

    /// Adds a change that sets `key` to `value`.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.data.push(TYPE_PUT);
        put_slice(&mut self.data, key);
        put_slice(&mut self.data, value);
        self.set_count(self.count() + 1);
    }

    /// Adds a change that removes `key`.
    pub fn delete(&mut self, key: &[u8]) {
        self.data.push(TYPE_DELETE);
        put_slice(&mut self.data, key);
        self.set_count(self.count() + 1);
    }

    /// Removes all changes, keeps the memory.
    pub fn clear(&mut self) {
        self.data.truncate(HEADER);
        self.data.fill(0);
    }

    /// Number of changes.
    pub fn count(&self) -> u32 {
        get_u32(&self.data[8..]).unwrap_or(0)
    }

    /// Whether there are no changes.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Bytes of the encoding, header included (LevelDB's `ApproximateSize`).
    pub fn approximate_size(&self) -> usize {
        self.data.len()
    }

    /// The changes in order.
    pub fn iter(&self) -> impl Iterator<Item = Change<'_>> {
        // A batch holds only what put, delete and a checked decode made.
        Changes { rest: &self.data[HEADER..] }.map_while(|change| change.ok())
    }

    fn set_count(&mut self, count: u32) {
        self.data[8..HEADER].copy_from_slice(&count.to_le_bytes());
    }

    pub(crate) fn set_sequence(&mut self, sequence: u64) {
        self.data[..8].copy_from_slice(&sequence.to_le_bytes());
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        &self.data
    }

    /// XORs every value with the repeating key; applying it twice restores the batch.
    pub(crate) fn xor_values(&mut self, xor: impl Fn(&mut [u8])) {
        let base = self.data.as_ptr() as usize;
        let mut at = HEADER;
        while at < self.data.len() {
            let mut changes = Changes { rest: &self.data[at..] };
            let Some(Ok(change)) = changes.next() else { return };
            let end = self.data.len() - changes.rest.len();
            if let Change::Put(_, value) = change {
                let start = value.as_ptr() as usize - base;
                let len = value.len();
                xor(&mut self.data[start..start + len]);
            }
            at = end;
        }
    }
}

/// A decoded log record: first sequence number and changes.
pub(crate) struct Record<'a> {
    pub(crate) sequence: u64,
    pub(crate) count: u32,
    pub(crate) changes: Changes<'a>,
}

/// Splits a log record; `None` if it is shorter than a batch header.
pub(crate) fn parse_record(data: &[u8]) -> Option<Record<'_>> {
    let sequence = get_u64(data)?;
    let count = get_u32(data.get(8..)?)?;
    Some(Record { sequence, count, changes: Changes { rest: &data[HEADER..] } })
}

/// Iterates over encoded changes; ends after the first error.
pub(crate) struct Changes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Changes<'a> {
    type Item = Result<Change<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&tag, mut rest) = self.rest.split_first()?;
        let change = match tag {
            TYPE_PUT => take_slice(&mut rest)
                .and_then(|key| Some(Change::Put(key, take_slice(&mut rest)?)))
                .ok_or("bad WriteBatch Put"),
            TYPE_DELETE => take_slice(&mut rest).map(Change::Delete).ok_or("bad WriteBatch Delete"),
            _ => Err("unknown WriteBatch tag"),
        };
        self.rest = if change.is_ok() { rest } else { &[] };
        Some(change.map_err(Error::corruption))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_leveldbs() {
        let mut batch = Batch::new();
        assert!(batch.is_empty());
        batch.put(b"foo", b"bar");
        batch.delete(b"box");
        batch.set_sequence(100);
        let expected = b"\x64\0\0\0\0\0\0\0\x02\0\0\0\x01\x03foo\x03bar\x00\x03box";
        assert_eq!(batch.encoded(), expected);
        assert_eq!(batch.approximate_size(), expected.len());
        let changes: Vec<_> = batch.iter().collect();
        assert_eq!(changes, [Change::Put(b"foo", b"bar"), Change::Delete(b"box")]);
        batch.clear();
        assert_eq!(batch, Batch::new());
    }

    #[test]
    fn damaged_records_are_errors() {
        let mut batch = Batch::new();
        batch.put(b"foo", b"bar");
        batch.delete(b"box");
        let good = batch.encoded().to_vec();
        assert!(parse_record(&good[..11]).is_none());
        let texts = |data: &[u8]| -> Vec<String> {
            let record = parse_record(data).unwrap();
            record.changes.filter_map(|c| c.err().map(|e| e.to_string())).collect()
        };
        assert_eq!(texts(&good), Vec::<String>::new());
        assert_eq!(texts(&good[..15]), ["Corruption: bad WriteBatch Put"]);
        assert_eq!(texts(&good[..good.len() - 1]), ["Corruption: bad WriteBatch Delete"]);
        let mut bad = good.clone();
        bad[12] = 7;
        assert_eq!(texts(&bad), ["Corruption: unknown WriteBatch tag"]);
    }

    #[test]
    fn xor_touches_values_only() {
        let mut batch = Batch::new();
        batch.put(b"a", &[1, 2, 3]);
        batch.delete(b"b");
        batch.put(b"c", &[]);
        batch.put(b"d", &[9; 200]);
        batch.xor_values(|v| v.iter_mut().for_each(|b| *b ^= 0xff));
        let changes: Vec<_> = batch.iter().collect();
        assert_eq!(changes[0], Change::Put(b"a", &[254, 253, 252]));
        assert_eq!(changes[1], Change::Delete(b"b"));
        assert_eq!(changes[2], Change::Put(b"c", &[]));
        assert_eq!(changes[3], Change::Put(b"d", &[246; 200]));
    }
}
