//! Records of the manifest: changes of the set of table files.

use std::sync::Arc;

use crate::{
    Error, Result,
    coding::{put_slice, put_varint, take_slice, take_varint32, take_varint64},
    key::TAG_LEN,
};

/// Levels of table files.
pub(crate) const LEVELS: usize = 7;
/// The only order of keys there is here.
pub(crate) const COMPARATOR: &[u8] = b"leveldb.BytewiseComparator";

const TAG_COMPARATOR: u64 = 1;
const TAG_LOG_NUMBER: u64 = 2;
const TAG_NEXT_FILE: u64 = 3;
const TAG_LAST_SEQUENCE: u64 = 4;
const TAG_COMPACT_POINTER: u64 = 5;
const TAG_DELETED_FILE: u64 = 6;
const TAG_NEW_FILE: u64 = 7;
const TAG_PREV_LOG_NUMBER: u64 = 9;

/// A table file of a version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileMeta {
    pub(crate) number: u64,
    pub(crate) size: u64,
    /// First and last internal key.
    pub(crate) smallest: Vec<u8>,
    pub(crate) largest: Vec<u8>,
}

/// One record of the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VersionEdit {
    pub(crate) comparator: Option<Vec<u8>>,
    pub(crate) log_number: Option<u64>,
    pub(crate) prev_log_number: Option<u64>,
    pub(crate) next_file: Option<u64>,
    pub(crate) last_sequence: Option<u64>,
    pub(crate) compact_pointers: Vec<(usize, Vec<u8>)>,
    pub(crate) deleted: Vec<(usize, u64)>,
    pub(crate) added: Vec<(usize, Arc<FileMeta>)>,
}

impl VersionEdit {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(name) = &self.comparator {
            put_varint(&mut out, TAG_COMPARATOR);
            put_slice(&mut out, name);
        }
        for (tag, number) in [
            (TAG_LOG_NUMBER, self.log_number),
            (TAG_PREV_LOG_NUMBER, self.prev_log_number),
            (TAG_NEXT_FILE, self.next_file),
            (TAG_LAST_SEQUENCE, self.last_sequence),
        ] {
            if let Some(number) = number {
                put_varint(&mut out, tag);
                put_varint(&mut out, number);
            }
        }
        for (level, key) in &self.compact_pointers {
            put_varint(&mut out, TAG_COMPACT_POINTER);
            put_varint(&mut out, *level as u64);
            put_slice(&mut out, key);
        }
        for (level, number) in &self.deleted {
            put_varint(&mut out, TAG_DELETED_FILE);
            put_varint(&mut out, *level as u64);
            put_varint(&mut out, *number);
        }
        for (level, file) in &self.added {
            put_varint(&mut out, TAG_NEW_FILE);
            put_varint(&mut out, *level as u64);
            put_varint(&mut out, file.number);
            put_varint(&mut out, file.size);
            put_slice(&mut out, &file.smallest);
            put_slice(&mut out, &file.largest);
        }
        out
    }

    pub(crate) fn decode(data: &[u8]) -> Result<Self> {
        let mut edit = VersionEdit::default();
        let mut input = data;
        while !input.is_empty() {
            edit.decode_field(&mut input)
                .map_err(|text| Error::Corruption(format!("VersionEdit: {text}")))?;
        }
        Ok(edit)
    }

    fn decode_field(&mut self, input: &mut &[u8]) -> std::result::Result<(), &'static str> {
        let tag = take_varint32(input).ok_or("invalid tag")?;
        match u64::from(tag) {
            TAG_COMPARATOR => self.comparator = Some(take_slice(input).ok_or("comparator name")?.to_vec()),
            TAG_LOG_NUMBER => self.log_number = Some(take_varint64(input).ok_or("log number")?),
            TAG_PREV_LOG_NUMBER => {
                self.prev_log_number = Some(take_varint64(input).ok_or("previous log number")?);
            }
            TAG_NEXT_FILE => self.next_file = Some(take_varint64(input).ok_or("next file number")?),
            TAG_LAST_SEQUENCE => {
                self.last_sequence = Some(take_varint64(input).ok_or("last sequence number")?);
            }
            TAG_COMPACT_POINTER => {
                let level = take_level(input);
                let pointer = level.zip(take_key(input)).ok_or("compaction pointer")?;
                self.compact_pointers.push(pointer);
            }
            TAG_DELETED_FILE => {
                let level = take_level(input);
                self.deleted.push(level.zip(take_varint64(input)).ok_or("deleted file")?);
            }
            TAG_NEW_FILE => self.added.push(take_file(input).ok_or("new-file entry")?),
            _ => return Err("unknown tag"),
        }
        Ok(())
    }
}

fn take_level(input: &mut &[u8]) -> Option<usize> {
    let level = take_varint32(input)? as usize;
    (level < LEVELS).then_some(level)
}

/// An internal key, long enough to have a tag.
fn take_key(input: &mut &[u8]) -> Option<Vec<u8>> {
    let key = take_slice(input)?;
    (key.len() >= TAG_LEN).then(|| key.to_vec())
}

fn take_file(input: &mut &[u8]) -> Option<(usize, Arc<FileMeta>)> {
    let level = take_level(input)?;
    let (number, size) = (take_varint64(input)?, take_varint64(input)?);
    let (smallest, largest) = (take_key(input)?, take_key(input)?);
    Some((level, Arc::new(FileMeta { number, size, smallest, largest })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::internal;

    fn sample() -> VersionEdit {
        let big = 1u64 << 50;
        let mut edit = VersionEdit {
            comparator: Some(COMPARATOR.to_vec()),
            log_number: Some(big + 100),
            prev_log_number: Some(0),
            next_file: Some(big + 200),
            last_sequence: Some(big + 1000),
            ..VersionEdit::default()
        };
        for i in 0..4 {
            edit.added.push((
                3,
                Arc::new(FileMeta {
                    number: big + 300 + i,
                    size: big + 400 + i,
                    smallest: internal(b"foo", (big + 500 + i) << 8 | 1),
                    largest: internal(b"zoo", (big + 600 + i) << 8),
                }),
            ));
            edit.deleted.push((4, big + 700 + i));
            edit.compact_pointers.push((i as usize, internal(b"x", (big + 900 + i) << 8 | 1)));
        }
        edit
    }

    #[test]
    fn edits_round_trip_and_cuts_are_errors() {
        let edit = sample();
        let data = edit.encode();
        assert_eq!(VersionEdit::decode(&data).unwrap(), edit);
        let mut ok = 0;
        for cut in 0..data.len() {
            match VersionEdit::decode(&data[..cut]) {
                Ok(part) => {
                    assert_eq!(part.encode(), data[..cut]);
                    ok += 1;
                }
                Err(e) => assert!(e.to_string().starts_with("Corruption: VersionEdit: ")),
            }
        }
        // Between fields a cut cannot be seen here; the log's checksum sees it.
        assert_eq!(ok, 5 + 12);
    }

    #[test]
    fn texts_are_leveldbs() {
        let text = |data: &[u8]| VersionEdit::decode(data).unwrap_err().to_string();
        assert_eq!(text(&[8, 1]), "Corruption: VersionEdit: unknown tag");
        assert_eq!(text(&[0xff]), "Corruption: VersionEdit: invalid tag");
        assert_eq!(text(&[6, 7, 1]), "Corruption: VersionEdit: deleted file");
        assert_eq!(text(&[5, 1, 3, 1, 2, 3]), "Corruption: VersionEdit: compaction pointer");
        assert_eq!(text(&[7, 1, 1, 1]), "Corruption: VersionEdit: new-file entry");
    }
}
