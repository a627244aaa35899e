//! Numbered files that only grow, `blk00000.dat` and `rev00000.dat`. Reference: `src/flatfile.cpp`.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use grs_fs::{File, FileEnv, OpenMode};
use grs_log::{Category, debug, error};

/// Free bytes that must stay on the disk. Reference: `CheckDiskSpace`.
pub const MIN_FREE_SPACE: u64 = 50 << 20;

/// A place in a numbered file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePos {
    /// Number of the file.
    pub file: u32,
    /// Bytes from its start.
    pub pos: u32,
}

impl FilePos {
    /// Puts both together.
    pub const fn new(file: u32, pos: u32) -> FilePos {
        FilePos { file, pos }
    }
}

impl fmt::Display for FilePos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlatFilePos(nFile={}, nPos={})", self.file, self.pos)
    }
}

/// Whether the disk that holds `dir` has room for `additional` bytes and the reserve.
pub fn check_disk_space(env: &dyn FileEnv, dir: &Path, additional: u64) -> bool {
    env.free_space(dir).is_ok_and(|free| free >= MIN_FREE_SPACE.saturating_add(additional))
}

/// What [`FlatFileSeq::allocate`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// There was room already.
    None,
    /// The file was extended by this many bytes.
    Extended(u64),
    /// The disk is full.
    OutOfSpace,
}

/// A family of numbered files in one directory.
#[derive(Clone, Debug)]
pub struct FlatFileSeq {
    env: Arc<dyn FileEnv>,
    dir: PathBuf,
    prefix: &'static str,
    chunk_size: u64,
}

impl FlatFileSeq {
    /// Files `<dir>/<prefix>NNNNN.dat`, extended in steps of `chunk_size` bytes.
    pub fn new(env: Arc<dyn FileEnv>, dir: &Path, prefix: &'static str, chunk_size: u64) -> FlatFileSeq {
        FlatFileSeq { env, dir: dir.to_path_buf(), prefix, chunk_size: chunk_size.max(1) }
    }

    /// Path of a file.
    pub fn path(&self, file: u32) -> PathBuf {
        self.dir.join(format!("{}{file:05}.dat", self.prefix))
    }

    /// Whether the file is there.
    pub fn exists(&self, file: u32) -> bool {
        self.env.exists(&self.path(file))
    }

    /// Opens a file; for writing it is made if missing.
    ///
    /// # Errors
    /// If it cannot be opened; that is logged too.
    pub fn open(&self, file: u32, read_only: bool) -> io::Result<Arc<dyn File>> {
        let path = self.path(file);
        let mode = if read_only { OpenMode::Read } else { OpenMode::Create };
        self.env.open(&path, mode).inspect_err(|_| error!("Unable to open file {}", path.display()))
    }

    /// Makes room for `add` bytes at `pos`, in whole chunks.
    ///
    /// # Errors
    /// If the file cannot be opened or extended.
    pub fn allocate(&self, pos: FilePos, add: u64) -> io::Result<Allocation> {
        let start = u64::from(pos.pos);
        let (old, new) = (start.div_ceil(self.chunk_size), (start + add).div_ceil(self.chunk_size));
        if new <= old {
            return Ok(Allocation::None);
        }
        let size = new * self.chunk_size;
        if !check_disk_space(&*self.env, &self.dir, size - start) {
            return Ok(Allocation::OutOfSpace);
        }
        debug!(
            Category::Validation,
            "Pre-allocating up to position 0x{:x} in {}{:05}.dat", size, self.prefix, pos.file
        );
        self.open(pos.file, false)?.allocate(start, size - start)?;
        Ok(Allocation::Extended(size - start))
    }

    /// Makes a file durable; `finalize_at` first cuts it there, which gives back pre-allocated room.
    ///
    /// # Errors
    /// If the file cannot be opened, cut or synced.
    pub fn flush(&self, file: u32, finalize_at: Option<u32>) -> io::Result<()> {
        let handle = self.open(file, false)?;
        if let Some(len) = finalize_at {
            handle
                .set_len(u64::from(len))
                .inspect_err(|_| error!("flush: failed to truncate file {file}"))?;
        }
        handle.sync().inspect_err(|_| error!("flush: failed to commit file {file}"))?;
        self.env.sync_dir(&self.dir)
    }

    /// Removes a file; whether there was one.
    pub fn remove(&self, file: u32) -> bool {
        self.env.remove_file(&self.path(file)).is_ok()
    }
}
