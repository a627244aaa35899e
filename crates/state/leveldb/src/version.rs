//! A version: the table files of each level at one time. Level 0 files may overlap, those of other levels do not.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Error, Result,
    batch::TYPE_PUT,
    cache::TableCache,
    edit::{FileMeta, LEVELS, VersionEdit},
    key::{self, SEEK_TAG, internal, tag, user_key},
};

/// Files in level 0 that start a compaction.
const L0_COMPACTION: usize = 4;
/// Highest level a flushed memory table may go to if it overlaps nothing.
const MAX_FLUSH_LEVEL: usize = 2;

/// Sum of file sizes.
pub(crate) fn total_size(files: &[Arc<FileMeta>]) -> u64 {
    files.iter().map(|file| file.size).fold(0, u64::saturating_add)
}

/// Bytes a level may hold before it is compacted.
fn max_bytes(level: usize) -> f64 {
    10.0 * 1_048_576.0 * 10f64.powi(level.saturating_sub(1) as i32)
}

/// Bytes of the level after next that one output file may overlap.
pub(crate) fn max_grandparent_overlap(max_file_size: u64) -> u64 {
    10 * max_file_size
}

/// Table files by level; never changes.
#[derive(Debug, Default)]
pub(crate) struct Version {
    pub(crate) files: [Vec<Arc<FileMeta>>; LEVELS],
    /// Level that needs compaction most, and how much; at 1 it is due.
    pub(crate) compaction_level: usize,
    pub(crate) compaction_score: f64,
}

impl Version {
    fn new(files: [Vec<Arc<FileMeta>>; LEVELS]) -> Self {
        let mut version = Version { files, compaction_level: 0, compaction_score: -1.0 };
        for level in 0..LEVELS - 1 {
            let score = if level == 0 {
                version.files[0].len() as f64 / L0_COMPACTION as f64
            } else {
                total_size(&version.files[level]) as f64 / max_bytes(level)
            };
            if score > version.compaction_score {
                (version.compaction_level, version.compaction_score) = (level, score);
            }
        }
        version
    }

    /// The first file of a sorted level whose largest key is at or after `target`.
    fn find_file(&self, level: usize, target: &[u8]) -> usize {
        self.files[level].partition_point(|file| key::compare(&file.largest, target).is_lt())
    }

    /// Looks a key up in the tables, newest first: `None` if there is no entry, otherwise whether it is a value.
    pub(crate) fn get(
        &self,
        tables: &TableCache,
        user: &[u8],
        sequence: u64,
        value: &mut Vec<u8>,
    ) -> Result<Option<bool>> {
        let target = internal(user, tag(sequence, TYPE_PUT));
        let mut look = |file: &FileMeta| -> Result<Option<bool>> {
            let table = tables.table(file.number, file.size)?;
            let found = table.get(&target, &tables.blocks, |found, data| {
                let Some((found, _, kind)) = key::parse(found) else {
                    return Err(Error::Corruption(format!(
                        "corrupted key for : {}",
                        String::from_utf8_lossy(user)
                    )));
                };
                if found != user {
                    return Ok(None);
                }
                if kind == TYPE_PUT {
                    value.clear();
                    value.extend_from_slice(data);
                }
                Ok(Some(kind == TYPE_PUT))
            })?;
            Ok(found.flatten())
        };
        let holds = |file: &FileMeta| user_key(&file.smallest) <= user && user <= user_key(&file.largest);
        let mut overlapping: Vec<&Arc<FileMeta>> = self.files[0].iter().filter(|file| holds(file)).collect();
        overlapping.sort_by_key(|file| std::cmp::Reverse(file.number));
        for file in overlapping {
            if let Some(found) = look(file)? {
                return Ok(Some(found));
            }
        }
        for level in 1..LEVELS {
            let at = self.find_file(level, &target);
            if let Some(file) = self.files[level].get(at).filter(|file| user_key(&file.smallest) <= user)
                && let Some(found) = look(file)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether a level has a file with keys in a range of user keys, ends included.
    pub(crate) fn overlaps(&self, level: usize, begin: Option<&[u8]>, end: Option<&[u8]>) -> bool {
        let meets = |file: &FileMeta| {
            begin.is_none_or(|begin| user_key(&file.largest) >= begin)
                && end.is_none_or(|end| user_key(&file.smallest) <= end)
        };
        if level == 0 {
            return self.files[0].iter().any(|file| meets(file));
        }
        let at = begin.map_or(0, |begin| self.find_file(level, &internal(begin, SEEK_TAG)));
        self.files[level].get(at).is_some_and(|file| meets(file))
    }

    /// Files of a level with keys in a range of user keys. In level 0 the range grows by each file found.
    pub(crate) fn overlapping(
        &self,
        level: usize,
        begin: Option<&[u8]>,
        end: Option<&[u8]>,
    ) -> Vec<Arc<FileMeta>> {
        let (mut begin, mut end) = (begin, end);
        let mut inputs = Vec::new();
        let mut at = 0;
        while let Some(file) = self.files[level].get(at) {
            at += 1;
            let (first, last) = (user_key(&file.smallest), user_key(&file.largest));
            if begin.is_some_and(|begin| last < begin) || end.is_some_and(|end| first > end) {
                continue;
            }
            inputs.push(file.clone());
            if level == 0 {
                if begin.is_some_and(|begin| first < begin) {
                    begin = Some(first);
                } else if end.is_some_and(|end| last > end) {
                    end = Some(last);
                } else {
                    continue;
                }
                inputs.clear();
                at = 0;
            }
        }
        inputs
    }

    /// Level for a new table of a flushed memory table: a high one, if it overlaps nothing on the way there.
    pub(crate) fn level_for_flush(&self, smallest: &[u8], largest: &[u8], max_file_size: u64) -> usize {
        let (begin, end) = (Some(smallest), Some(largest));
        let mut level = 0;
        if !self.overlaps(0, begin, end) {
            while level < MAX_FLUSH_LEVEL && !self.overlaps(level + 1, begin, end) {
                let grandparents = self.overlapping(level + 2, begin, end);
                if total_size(&grandparents) > max_grandparent_overlap(max_file_size) {
                    break;
                }
                level += 1;
            }
        }
        level
    }

    /// Bytes of all tables before an internal key, roughly.
    pub(crate) fn approximate_offset(&self, tables: &TableCache, target: &[u8]) -> Result<u64> {
        let mut sum = 0u64;
        for level in 0..LEVELS {
            for file in &self.files[level] {
                if key::compare(&file.largest, target).is_le() {
                    sum = sum.saturating_add(file.size);
                } else if key::compare(&file.smallest, target).is_gt() {
                    if level > 0 {
                        break;
                    }
                } else {
                    sum =
                        sum.saturating_add(tables.table(file.number, file.size)?.approximate_offset(target));
                }
            }
        }
        Ok(sum)
    }
}

/// Applies edits to a version.
pub(crate) struct VersionBuilder {
    base: Arc<Version>,
    deleted: [BTreeSet<u64>; LEVELS],
    added: [Vec<Arc<FileMeta>>; LEVELS],
}

impl VersionBuilder {
    pub(crate) fn new(base: Arc<Version>) -> Self {
        Self { base, deleted: Default::default(), added: Default::default() }
    }

    pub(crate) fn apply(&mut self, edit: &VersionEdit) {
        for (level, number) in &edit.deleted {
            self.deleted[*level].insert(*number);
        }
        for (level, file) in &edit.added {
            self.deleted[*level].remove(&file.number);
            // A file moved away and back again is added twice.
            self.added[*level].retain(|other| other.number != file.number);
            self.added[*level].push(file.clone());
        }
    }

    /// The version that results; an error if files of a level above 0 overlap.
    pub(crate) fn build(self) -> Result<Version> {
        let mut files: [Vec<Arc<FileMeta>>; LEVELS] = Default::default();
        for (level, files) in files.iter_mut().enumerate() {
            let (deleted, added) = (&self.deleted[level], &self.added[level]);
            let replaced = |file: &FileMeta| added.iter().any(|other| other.number == file.number);
            let kept = self.base.files[level].iter().filter(|file| !replaced(file)).chain(added);
            files.extend(kept.filter(|file| !deleted.contains(&file.number)).cloned());
            files.sort_by(|a, b| key::compare(&a.smallest, &b.smallest).then(a.number.cmp(&b.number)));
            let apart = |pair: &[Arc<FileMeta>]| key::compare(&pair[0].largest, &pair[1].smallest).is_lt();
            if level > 0 && !files.windows(2).all(apart) {
                return Err(Error::Corruption(format!("overlapping tables in level {level}")));
            }
        }
        Ok(Version::new(files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(files: &[(usize, u64, &str, &str)]) -> Version {
        let mut builder = VersionBuilder::new(Arc::new(Version::default()));
        let file = |&(level, number, smallest, largest): &(usize, u64, &str, &str)| {
            let (smallest, largest) =
                (internal(smallest.as_bytes(), 0x101), internal(largest.as_bytes(), 0x101));
            (level, Arc::new(FileMeta { number, size: 1 << 20, smallest, largest }))
        };
        builder.apply(&VersionEdit { added: files.iter().map(file).collect(), ..VersionEdit::default() });
        builder.build().unwrap()
    }

    fn numbers(files: &[Arc<FileMeta>]) -> Vec<u64> {
        files.iter().map(|file| file.number).collect()
    }

    #[test]
    fn ranges_find_their_files() {
        let v = version(&[
            (1, 1, "150", "200"),
            (1, 2, "200x", "250"),
            (1, 3, "300", "350"),
            (1, 4, "400", "450"),
        ]);
        assert!(!v.overlaps(1, Some(b"100"), Some(b"149")) && !v.overlaps(1, Some(b"251"), Some(b"299")));
        assert!(v.overlaps(1, Some(b"100"), Some(b"150")) && v.overlaps(1, Some(b"375"), None));
        assert!(
            !v.overlaps(1, Some(b"451"), None)
                && !v.overlaps(1, None, Some(b"149"))
                && v.overlaps(1, None, None)
        );
        assert_eq!(numbers(&v.overlapping(1, Some(b"200"), Some(b"300"))), [1, 2, 3]);
        // Level 0: the range grows.
        let v = version(&[(0, 1, "a", "c"), (0, 2, "b", "e"), (0, 3, "d", "g"), (0, 4, "x", "z")]);
        assert_eq!(numbers(&v.overlapping(0, Some(b"f"), Some(b"f"))), [1, 2, 3]);
        assert_eq!((v.compaction_level, v.compaction_score), (0, 1.0));
        assert_eq!(v.level_for_flush(b"h", b"i", 1 << 20), 2);
        assert_eq!(v.level_for_flush(b"f", b"i", 1 << 20), 0);
    }

    #[test]
    fn edits_replace_files() {
        let base = Arc::new(version(&[(1, 1, "a", "c"), (1, 2, "d", "f")]));
        let mut builder = VersionBuilder::new(base.clone());
        let mut edit = VersionEdit { deleted: vec![(1, 1)], ..VersionEdit::default() };
        edit.added.push((2, base.files[1][0].clone()));
        builder.apply(&edit);
        let v = builder.build().unwrap();
        assert_eq!((numbers(&v.files[1]), numbers(&v.files[2])), (vec![2], vec![1]));
        let mut builder = VersionBuilder::new(base.clone());
        builder.apply(&VersionEdit {
            added: vec![(1, version(&[(1, 9, "e", "k")]).files[1][0].clone())],
            ..edit
        });
        assert!(builder.build().is_err());
    }
}
