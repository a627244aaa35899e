//! Maintenance: flushing memory tables and compacting levels, in the background or in the calling thread.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use crate::{
    Error, Result,
    batch::TYPE_DELETE,
    builder::TableBuilder,
    compaction::{self, Compaction},
    db::{Inner, ReadState, Shared, lock},
    edit::{FileMeta, VersionEdit},
    files,
    key::{self, MAX_SEQUENCE},
    merge::{LevelIter, MergeIter, Source},
    recover::write_table,
    table::TableIter,
    version::Version,
};

/// An output table of a compaction in progress.
struct Output {
    number: u64,
    builder: TableBuilder,
}

impl Shared {
    /// The compacting thread.
    pub(crate) fn run(&self) {
        loop {
            while !self.stopping() && self.step() {}
            let inner = lock(&self.inner);
            if self.stopping() {
                return;
            }
            if !self.has_work(&inner) {
                drop(self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn has_work(&self, inner: &Inner) -> bool {
        let due = self.has_imm.load(Ordering::Acquire) || inner.versions.current().compaction_score >= 1.0;
        due && inner.error.is_none()
    }

    /// Does all work that is due, in this thread.
    pub(crate) fn compact_inline(&self) {
        while self.step() {}
    }

    /// Does one piece of work if any is due. A failure is remembered for the next writer.
    pub(crate) fn step(&self) -> bool {
        let _compacting = lock(&self.compacting);
        if lock(&self.inner).error.is_some() {
            return false;
        }
        let work = if self.has_imm.load(Ordering::Acquire) {
            self.flush_imm(false).map(|()| true)
        } else {
            let picked = compaction::pick(&lock(&self.inner).versions, self.options.max_file_size);
            match picked {
                Some(picked) => self.compact(picked, true).map(|()| true),
                None => Ok(false),
            }
        };
        self.finish_step(work)
    }

    fn finish_step(&self, work: Result<bool>) -> bool {
        let mut inner = lock(&self.inner);
        match work {
            Ok(did) => {
                self.done.notify_all();
                did
            }
            // Cut short by closing: nothing is lost.
            Err(_) if self.stopping() => false,
            Err(error) => {
                self.fail(&mut inner, &error);
                false
            }
        }
    }

    /// Compacts one level's keys in a range (`None` = open) into the next.
    pub(crate) fn compact_level(&self, level: usize, begin: Option<&[u8]>, end: Option<&[u8]>) -> Result<()> {
        let mut begin = begin.map(<[u8]>::to_vec);
        loop {
            let _compacting = lock(&self.compacting);
            if let Some(error) = &lock(&self.inner).error {
                return Err(error.clone());
            }
            let max_file_size = self.options.max_file_size;
            let picked = {
                let inner = lock(&self.inner);
                compaction::pick_range(&inner.versions, level, begin.as_deref(), end, max_file_size)
            };
            let Some(picked) = picked else { return Ok(()) };
            let next = picked.inputs[0].last().map(|file| key::user_key(&file.largest).to_vec());
            let work = self.compact(picked, false);
            let failed = work.as_ref().err().cloned();
            self.finish_step(work.map(|()| true));
            if let Some(error) = failed {
                return Err(error);
            }
            begin = next;
        }
    }

    /// Records an edit and shows its result to readers.
    fn install(&self, inner: &mut Inner, edit: VersionEdit, flushed: bool) -> Result<()> {
        let sequence = self.sequence.load(Ordering::Acquire);
        let version = inner.versions.log_and_apply(self.env.as_ref(), &self.dir, edit, sequence)?;
        let state = self.read_state();
        let imm = if flushed { None } else { state.imm.clone() };
        self.set_read_state(ReadState { mem: state.mem.clone(), imm, version });
        Ok(())
    }

    /// Writes the full memory table to a table file. During a compaction it goes to level 0: in a deeper one it could lie
    /// in a gap that the outputs, not known yet, will cover.
    fn flush_imm(&self, compacting: bool) -> Result<()> {
        let Some(imm) = self.read_state().imm.clone() else { return Ok(()) };
        let number = self.new_output();
        let written = write_table(self.env.as_ref(), &self.dir, number, &self.options, &self.tables, imm);
        let mut inner = lock(&self.inner);
        let result = written.and_then(|file| {
            let mut edit = VersionEdit {
                // Writers wait for this flush before they start another log, so all older ones are in tables.
                log_number: Some(inner.log_number),
                prev_log_number: Some(0),
                ..VersionEdit::default()
            };
            if let Some(file) = file {
                let (first, last) = (key::user_key(&file.smallest), key::user_key(&file.largest));
                let version: &Version = inner.versions.current();
                let level = match compacting {
                    true => 0,
                    false => version.level_for_flush(first, last, self.options.max_file_size),
                };
                edit.added.push((level, Arc::new(file)));
            }
            self.install(&mut inner, edit, true)
        });
        inner.pending_outputs.remove(&number);
        if result.is_ok() {
            self.remove_obsolete(&mut inner);
            self.done.notify_all();
        }
        result
    }

    fn new_output(&self) -> u64 {
        let mut inner = lock(&self.inner);
        let number = inner.versions.new_file_number();
        inner.pending_outputs.insert(number);
        number
    }

    fn compact(&self, mut compaction: Compaction, may_move: bool) -> Result<()> {
        let mut edit = std::mem::take(&mut compaction.edit);
        let level = compaction.level;
        if may_move && compaction.is_trivial_move() {
            let file = compaction.inputs[0][0].clone();
            edit.deleted.push((level, file.number));
            edit.added.push((level + 1, file));
            return self.install(&mut lock(&self.inner), edit, false);
        }
        let mut numbers = Vec::new();
        let merged = self.merge(&mut compaction, &mut numbers);
        let mut inner = lock(&self.inner);
        let result = merged.and_then(|outputs| {
            for (which, files) in compaction.inputs.iter().enumerate() {
                edit.deleted.extend(files.iter().map(|file| (level + which, file.number)));
            }
            edit.added.extend(outputs.into_iter().map(|file| (level + 1, Arc::new(file))));
            self.install(&mut inner, edit, false)
        });
        for number in &numbers {
            inner.pending_outputs.remove(number);
        }
        // Its version would keep the inputs alive.
        drop(compaction);
        if result.is_ok() {
            self.remove_obsolete(&mut inner);
        }
        result
    }

    fn input(&self, compaction: &Compaction) -> Result<MergeIter> {
        let mut sources = Vec::new();
        for (which, files) in compaction.inputs.iter().enumerate() {
            if compaction.level + which == 0 {
                for file in files {
                    let table = self.tables.table(file.number, file.size)?;
                    sources.push(Source::Table(TableIter::new(table)));
                }
            } else if !files.is_empty() {
                sources.push(Source::Level(LevelIter::new(self.tables.clone(), files.clone())));
            }
        }
        Ok(MergeIter::new(sources))
    }

    /// Merges the inputs into new tables.
    fn merge(&self, compaction: &mut Compaction, numbers: &mut Vec<u64>) -> Result<Vec<FileMeta>> {
        // Cursors hold the tables they read, so only the newest entry of a key matters from now on.
        let newest = self.sequence.load(Ordering::Acquire);
        let mut input = self.input(compaction)?;
        input.seek_to_first()?;
        let mut outputs = Vec::new();
        let mut output: Option<Output> = None;
        let mut current: Vec<u8> = Vec::new();
        // Sequence number of the previous entry of the current user key.
        let mut previous: Option<u64> = None;
        while input.valid() {
            if self.stopping() {
                return Err(Error::Io("Deleting DB during compaction".into()));
            }
            if self.has_imm.load(Ordering::Relaxed) {
                // A writer may wait for it.
                self.flush_imm(true)?;
            }
            let key = input.key();
            if compaction.should_stop_before(key)
                && let Some(full) = output.take()
            {
                outputs.push(self.finish_output(full)?);
            }
            let mut drop_entry = false;
            match key::parse(key) {
                Some((user, sequence, kind)) => {
                    let before = match previous {
                        Some(before) if current == user => before,
                        _ => {
                            current.clear();
                            current.extend_from_slice(user);
                            MAX_SEQUENCE
                        }
                    };
                    drop_entry = before <= newest
                        || (kind == TYPE_DELETE && sequence <= newest && compaction.is_base_level_for(user));
                    previous = Some(sequence);
                }
                // Keep what is damaged: hiding it would hide the damage.
                None => previous = None,
            }
            if !drop_entry {
                let open = match &mut output {
                    Some(open) => open,
                    None => {
                        let number = self.new_output();
                        numbers.push(number);
                        let path = files::table(&self.dir, number);
                        let builder =
                            TableBuilder::create(self.env.as_ref(), &path, self.options.block_size)?;
                        output.insert(Output { number, builder })
                    }
                };
                open.builder.add(key, input.value())?;
                let full = open.builder.size() >= self.options.max_file_size;
                if let Some(full) = output.take_if(|_| full) {
                    outputs.push(self.finish_output(full)?);
                }
            }
            input.next()?;
        }
        if let Some(last) = output {
            outputs.push(self.finish_output(last)?);
        }
        Ok(outputs)
    }

    fn finish_output(&self, output: Output) -> Result<FileMeta> {
        let number = output.number;
        let table = output.builder.finish()?;
        // Check that it can be opened before its inputs go.
        self.tables.table(number, table.size)?;
        Ok(FileMeta { number, size: table.size, smallest: table.smallest, largest: table.largest })
    }
}
