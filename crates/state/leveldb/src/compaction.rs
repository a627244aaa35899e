//! Choosing what to compact: which files of a level go, with which of the next, into the next level.

use std::{cmp::Ordering, sync::Arc};

use crate::{
    edit::{FileMeta, LEVELS, VersionEdit},
    key::{self, user_key},
    version::{Version, max_grandparent_overlap, total_size},
    versions::VersionSet,
};

type Files = Vec<Arc<FileMeta>>;

/// A chosen compaction, and its progress through the keys.
pub(crate) struct Compaction {
    pub(crate) level: usize,
    /// Files of `level` and of the level after it.
    pub(crate) inputs: [Files; 2],
    pub(crate) edit: VersionEdit,
    grandparents: Files,
    max_file_size: u64,
    version: Arc<Version>,
    /// Per deeper level, how far its files lie behind the keys seen.
    passed: [usize; LEVELS],
    grandparent: usize,
    seen_key: bool,
    overlapped: u64,
}

/// Smallest and largest internal key of files; there must be one.
fn range(files: &[&Arc<FileMeta>]) -> Option<(Vec<u8>, Vec<u8>)> {
    let by = |a: &&Vec<u8>, b: &&Vec<u8>| -> Ordering { key::compare(a, b) };
    let smallest = files.iter().map(|file| &file.smallest).min_by(by)?;
    let largest = files.iter().map(|file| &file.largest).max_by(by)?;
    Some((smallest.clone(), largest.clone()))
}

/// Adds the files that hold older entries of the last user key of `inputs`. Left behind, they would come to lie above
/// the newer entries and hide them.
fn add_boundary_files(level_files: &Files, inputs: &mut Files) {
    let Some((_, mut largest)) = range(&inputs.iter().collect::<Vec<_>>()) else { return };
    loop {
        let next = level_files
            .iter()
            .filter(|file| {
                key::compare(&file.smallest, &largest).is_gt()
                    && user_key(&file.smallest) == user_key(&largest)
            })
            .min_by(|a, b| key::compare(&a.smallest, &b.smallest));
        let Some(next) = next else { return };
        largest = next.largest.clone();
        inputs.push(next.clone());
    }
}

/// The compaction the current version needs most; `None` if none is due.
pub(crate) fn pick(versions: &VersionSet, max_file_size: u64) -> Option<Compaction> {
    let version = versions.current();
    if version.compaction_score < 1.0 {
        return None;
    }
    let level = version.compaction_level;
    let pointer = &versions.pointers[level];
    // Go round through the keys of the level.
    let after = |file: &&Arc<FileMeta>| pointer.is_empty() || key::compare(&file.largest, pointer).is_gt();
    let first = version.files[level].iter().find(after).or(version.files[level].first())?.clone();
    let inputs = if level == 0 {
        version.overlapping(0, Some(user_key(&first.smallest)), Some(user_key(&first.largest)))
    } else {
        vec![first]
    };
    Compaction::new(version.clone(), level, inputs, max_file_size)
}

/// A part of a compaction of a range of user keys in one level, starting with its first files; `None` if the level has
/// no keys there.
pub(crate) fn pick_range(
    versions: &VersionSet,
    level: usize,
    begin: Option<&[u8]>,
    end: Option<&[u8]>,
    max_file_size: u64,
) -> Option<Compaction> {
    let version = versions.current();
    let mut inputs = version.overlapping(level, begin, end);
    // Not too much at once; but files of level 0 overlap, so an older one must not be taken without a newer one.
    if level > 0 {
        let mut total = 0u64;
        let enough = inputs.iter().position(|file| {
            total = total.saturating_add(file.size);
            total >= max_file_size
        });
        if let Some(at) = enough {
            inputs.truncate(at + 1);
        }
    }
    Compaction::new(version.clone(), level, inputs, max_file_size)
}

impl Compaction {
    /// Completes the inputs: all files of the next level that overlap, and more of this one if that costs nothing there.
    fn new(version: Arc<Version>, level: usize, mut inputs: Files, max_file_size: u64) -> Option<Self> {
        add_boundary_files(&version.files[level], &mut inputs);
        let (smallest, mut largest) = range(&inputs.iter().collect::<Vec<_>>())?;
        let overlapping = |level: usize, range: &(Vec<u8>, Vec<u8>)| {
            version.overlapping(level, Some(user_key(&range.0)), Some(user_key(&range.1)))
        };
        let mut parents = overlapping(level + 1, &(smallest, largest.clone()));
        let mut all = range(&inputs.iter().chain(&parents).collect::<Vec<_>>())?;
        if !parents.is_empty() {
            let mut more = overlapping(level, &all);
            add_boundary_files(&version.files[level], &mut more);
            let fits = total_size(&parents).saturating_add(total_size(&more)) < 25 * max_file_size;
            if more.len() > inputs.len() && fits {
                let wider = range(&more.iter().collect::<Vec<_>>())?;
                let more_parents = overlapping(level + 1, &wider);
                if more_parents.len() == parents.len() {
                    (inputs, parents, largest) = (more, more_parents, wider.1);
                    all = range(&inputs.iter().chain(&parents).collect::<Vec<_>>())?;
                }
            }
        }
        let grandparents = if level + 2 < LEVELS { overlapping(level + 2, &all) } else { Vec::new() };
        let edit = VersionEdit { compact_pointers: vec![(level, largest)], ..VersionEdit::default() };
        Some(Self {
            level,
            inputs: [inputs, parents],
            edit,
            grandparents,
            max_file_size,
            version,
            passed: [0; LEVELS],
            grandparent: 0,
            seen_key: false,
            overlapped: 0,
        })
    }

    /// Whether the one input file can simply be moved down.
    pub(crate) fn is_trivial_move(&self) -> bool {
        self.inputs[0].len() == 1
            && self.inputs[1].is_empty()
            && total_size(&self.grandparents) <= max_grandparent_overlap(self.max_file_size)
    }

    /// Whether no level below the output has the user key, so that a removal has nothing left to hide. Keys must ascend.
    pub(crate) fn is_base_level_for(&mut self, user: &[u8]) -> bool {
        for level in self.level + 2..LEVELS {
            while let Some(file) = self.version.files[level].get(self.passed[level]) {
                if user <= user_key(&file.largest) {
                    if user >= user_key(&file.smallest) {
                        return false;
                    }
                    break;
                }
                self.passed[level] += 1;
            }
        }
        true
    }

    /// Whether the output file should end before this key, as it overlaps enough of the level after. Keys must ascend.
    pub(crate) fn should_stop_before(&mut self, key: &[u8]) -> bool {
        while let Some(file) = self.grandparents.get(self.grandparent) {
            if key::compare(key, &file.largest).is_le() {
                break;
            }
            if self.seen_key {
                self.overlapped = self.overlapped.saturating_add(file.size);
            }
            self.grandparent += 1;
        }
        self.seen_key = true;
        let stop = self.overlapped > max_grandparent_overlap(self.max_file_size);
        if stop {
            self.overlapped = 0;
        }
        stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::internal;

    fn file(number: u64, smallest: (&str, u64), largest: (&str, u64)) -> Arc<FileMeta> {
        let key = |(user, sequence): (&str, u64)| internal(user.as_bytes(), sequence << 8 | 1);
        Arc::new(FileMeta { number, size: 1, smallest: key(smallest), largest: key(largest) })
    }

    /// Databases of the reference may have entries of one key in several files of a level.
    #[test]
    fn older_entries_of_the_last_key_come_along() {
        let level = vec![
            file(1, ("a", 9), ("k", 9)),
            file(2, ("k", 8), ("k", 7)),
            file(3, ("k", 6), ("m", 3)),
            file(4, ("n", 6), ("z", 3)),
        ];
        let with_boundary = |first: usize| {
            let mut inputs = vec![level[first].clone()];
            add_boundary_files(&level, &mut inputs);
            inputs.iter().map(|file| file.number).collect::<Vec<_>>()
        };
        assert_eq!(with_boundary(0), [1, 2, 3]);
        assert_eq!(with_boundary(1), [2, 3]);
        assert_eq!(with_boundary(2), [3]);
        assert_eq!(with_boundary(3), [4]);
        let mut none = Vec::new();
        add_boundary_files(&level, &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn removals_stay_while_deeper_levels_have_the_key() {
        let mut version = Version::default();
        version.files[1] = vec![file(1, ("a", 9), ("z", 9))];
        version.files[3] = vec![file(2, ("c", 1), ("f", 1)), file(3, ("m", 1), ("p", 1))];
        let inputs = version.files[1].clone();
        let mut compaction = Compaction::new(Arc::new(version), 1, inputs, 1 << 20).unwrap();
        assert!(compaction.is_trivial_move());
        let base: Vec<bool> =
            ["a", "c", "e", "g", "m", "q"].map(|key| compaction.is_base_level_for(key.as_bytes())).to_vec();
        assert_eq!(base, [true, false, false, true, false, true]);
    }
}
