//! Blocks of a table: sorted entries that share key prefixes with the one before, except at restart points.

use crate::{
    Error, Result,
    coding::{get_u32, put_u32, put_varint, take_varint32},
    key,
};

/// Entries between restart points of a data block.
pub(crate) const RESTART_INTERVAL: usize = 16;

/// Builds a block.
pub(crate) struct BlockBuilder {
    data: Vec<u8>,
    restarts: Vec<u32>,
    interval: usize,
    since_restart: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    pub(crate) fn new(interval: usize) -> Self {
        Self { data: Vec::new(), restarts: vec![0], interval, since_restart: 0, last_key: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Bytes of the finished block.
    pub(crate) fn size_estimate(&self) -> usize {
        self.data.len() + 4 * self.restarts.len() + 4
    }

    /// Appends an entry; keys must ascend.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        let shared = if self.since_restart < self.interval {
            common_prefix(&self.last_key, key)
        } else {
            self.restarts.push(self.data.len() as u32);
            self.since_restart = 0;
            0
        };
        put_varint(&mut self.data, shared as u64);
        put_varint(&mut self.data, (key.len() - shared) as u64);
        put_varint(&mut self.data, value.len() as u64);
        self.data.extend_from_slice(&key[shared..]);
        self.data.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
        self.since_restart += 1;
    }

    /// Appends the restart points and returns the whole block.
    pub(crate) fn finish(&mut self) -> &[u8] {
        for &restart in &self.restarts {
            put_u32(&mut self.data, restart);
        }
        put_u32(&mut self.data, self.restarts.len() as u32);
        &self.data
    }

    /// Starts the next block.
    pub(crate) fn reset(&mut self) {
        self.data.clear();
        self.restarts.clear();
        self.restarts.push(0);
        self.since_restart = 0;
        self.last_key.clear();
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// Content of a block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    data: Vec<u8>,
    /// Where entries end and restart points begin.
    limit: usize,
    restarts: usize,
}

fn bad_entry() -> Error {
    Error::corruption("bad entry in block")
}

impl Block {
    /// Checks the frame; entries are checked as they are read.
    pub(crate) fn new(data: Vec<u8>) -> Result<Self> {
        let mut block = Block { data, limit: 0, restarts: 0 };
        block.check()?;
        Ok(block)
    }

    /// Gives the buffer for new content; [`Block::check`] must follow.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        (self.limit, self.restarts) = (0, 0);
        &mut self.data
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        let frame = self.data.len().checked_sub(4).and_then(|end| {
            let restarts = get_u32(&self.data[end..])? as usize;
            Some((end.checked_sub(restarts.checked_mul(4)?)?, restarts))
        });
        (self.limit, self.restarts) = frame.ok_or_else(|| Error::corruption("bad block contents"))?;
        Ok(())
    }

    /// Bytes of memory.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    fn restart(&self, index: usize) -> usize {
        get_u32(&self.data[self.limit + 4 * index..]).unwrap_or(u32::MAX) as usize
    }

    /// Splits the entry at `at`: shared and unshared bytes of the key, length of the value, where the key starts.
    fn entry(&self, at: usize) -> Result<(usize, usize, usize, usize)> {
        let input = self.data.get(at..self.limit).ok_or_else(bad_entry)?;
        if let &[shared, own, value, ..] = input
            && (shared | own | value) < 128
        {
            let (shared, own, value) = (usize::from(shared), usize::from(own), usize::from(value));
            return if own + value <= input.len() - 3 {
                Ok((shared, own, value, at + 3))
            } else {
                Err(bad_entry())
            };
        }
        let mut rest = input;
        let mut take = || take_varint32(&mut rest).map(|v| v as usize).ok_or_else(bad_entry);
        let (shared, own, value) = (take()?, take()?, take()?);
        let fits = own.checked_add(value).is_some_and(|n| n <= rest.len());
        if fits { Ok((shared, own, value, self.limit - rest.len())) } else { Err(bad_entry()) }
    }
}

/// A position in a block. It borrows nothing; every call gets the block.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    key: Vec<u8>,
    value: (usize, usize),
    valid: bool,
}

impl Cursor {
    pub(crate) fn valid(&self) -> bool {
        self.valid
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn value<'a>(&self, block: &'a Block) -> &'a [u8] {
        block.data.get(self.value.0..self.value.1).unwrap_or(&[])
    }

    pub(crate) fn invalidate(&mut self) {
        self.valid = false;
        self.key.clear();
        self.value = (0, 0);
    }

    fn start_at(&mut self, offset: usize) {
        self.key.clear();
        self.value = (offset, offset);
    }

    pub(crate) fn seek_to_first(&mut self, block: &Block) -> Result<()> {
        if block.restarts == 0 {
            self.invalidate();
            return Ok(());
        }
        self.start_at(block.restart(0));
        self.next(block)
    }

    /// Moves to the entry after the current one.
    pub(crate) fn next(&mut self, block: &Block) -> Result<()> {
        let at = self.value.1;
        self.valid = false;
        if at >= block.limit {
            self.invalidate();
            return Ok(());
        }
        let (shared, own, value, start) = block.entry(at)?;
        if shared > self.key.len() {
            return Err(bad_entry());
        }
        self.key.truncate(shared);
        self.key.extend_from_slice(&block.data[start..start + own]);
        self.value = (start + own, start + own + value);
        self.valid = true;
        Ok(())
    }

    /// Moves to the first entry whose internal key is at or after `target`.
    pub(crate) fn seek(&mut self, block: &Block, target: &[u8]) -> Result<()> {
        self.seek_by(block, |key| key::compare(key, target).is_lt())
    }

    /// Moves to the first entry for which `before` is false; it must be true for a first part of the keys only.
    pub(crate) fn seek_by(&mut self, block: &Block, before: impl Fn(&[u8]) -> bool) -> Result<()> {
        self.valid = false;
        if block.restarts == 0 {
            self.invalidate();
            return Ok(());
        }
        // Last restart point whose key is before the target.
        let (mut left, mut right) = (0, block.restarts - 1);
        while left < right {
            let mid = (left + right).div_ceil(2);
            let (shared, own, _, start) = block.entry(block.restart(mid))?;
            if shared != 0 {
                return Err(bad_entry());
            }
            if before(&block.data[start..start + own]) { left = mid } else { right = mid - 1 }
        }
        self.start_at(block.restart(left));
        loop {
            self.next(block)?;
            if !self.valid || !before(&self.key) {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::internal;

    fn build(n: u32, interval: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
        let keys: Vec<Vec<u8>> =
            (0..n).map(|i| internal(format!("key{:06}", i * 2).as_bytes(), 256)).collect();
        let mut builder = BlockBuilder::new(interval);
        for (i, key) in keys.iter().enumerate() {
            builder.add(key, &vec![i as u8; i % 300]);
        }
        assert!(builder.size_estimate() > 8 || n == 0);
        let size = builder.size_estimate();
        let data = builder.finish().to_vec();
        assert_eq!(data.len(), size);
        (keys, data)
    }

    #[test]
    fn entries_round_trip_and_seek() {
        for interval in [1, 2, 16] {
            let (keys, data) = build(500, interval);
            let block = Block::new(data).unwrap();
            let mut cursor = Cursor::default();
            cursor.seek_to_first(&block).unwrap();
            for (i, key) in keys.iter().enumerate() {
                assert!(cursor.valid());
                assert_eq!(cursor.key(), key);
                assert_eq!(cursor.value(&block), vec![i as u8; i % 300]);
                cursor.next(&block).unwrap();
            }
            assert!(!cursor.valid());
            for i in 0..1000u32 {
                cursor.seek(&block, &internal(format!("key{i:06}").as_bytes(), key::SEEK_TAG)).unwrap();
                match keys.get(i.div_ceil(2) as usize) {
                    Some(key) => assert_eq!(cursor.key(), key),
                    None => assert!(!cursor.valid()),
                }
            }
        }
    }

    #[test]
    fn an_empty_block_has_no_entries() {
        let (_, data) = build(0, 16);
        let block = Block::new(data).unwrap();
        let mut cursor = Cursor::default();
        cursor.seek_to_first(&block).unwrap();
        assert!(!cursor.valid());
        cursor.seek(&block, b"x").unwrap();
        assert!(!cursor.valid());
        // No restart points at all.
        let block = Block::new(vec![0; 4]).unwrap();
        cursor.seek(&block, b"x").unwrap();
        assert!(!cursor.valid());
    }

    #[test]
    fn bad_frames_are_refused() {
        for data in [vec![], vec![1, 2, 3], vec![1, 0, 0, 0], vec![255; 64]] {
            assert_eq!(Block::new(data).unwrap_err().to_string(), "Corruption: bad block contents");
        }
    }
}
