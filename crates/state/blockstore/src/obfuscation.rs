//! The key that block and undo files are XORed with. Reference: `InitBlocksdirXorKey`.

use std::path::Path;

use grs_fs::{FileEnv, OpenMode};
use grs_leveldb::ObfuscationKey;
use grs_log::info;

use crate::StoreError;

/// XORs bytes that lie at `offset` in a file.
pub(crate) fn apply_at(key: ObfuscationKey, offset: u64, data: &mut [u8]) {
    if !key.is_zero() {
        let mut bytes = key.bytes();
        bytes.rotate_left((offset % 8) as usize);
        ObfuscationKey::new(bytes).apply(data);
    }
}

/// Reads `xor.dat`, or makes it: random for a fresh directory when `use_xor` is set, else zero.
pub(crate) fn load_or_create_key(
    env: &dyn FileEnv,
    dir: &Path,
    use_xor: bool,
) -> Result<ObfuscationKey, StoreError> {
    let io = |e| StoreError::Io("xor.dat", e);
    let path = dir.join("xor.dat");
    let key = if env.exists(&path) {
        let data = env.read(&path).map_err(io)?;
        let bytes = data
            .first_chunk()
            .ok_or_else(|| StoreError::XorKey("AutoFile::read: end of file: iostream error".to_owned()))?;
        ObfuscationKey::new(*bytes)
    } else {
        // A directory with hidden files only (such as a lock) counts as fresh.
        let fresh = env
            .list(dir)
            .map_err(io)?
            .iter()
            .all(|entry| !entry.is_dir && entry.name.to_string_lossy().starts_with('.'));
        let key = if use_xor && fresh { ObfuscationKey::random()? } else { ObfuscationKey::default() };
        let file = env.open(&path, OpenMode::CreateNew).map_err(io)?;
        file.write_at(&key.bytes(), 0).and_then(|()| file.sync()).map_err(io)?;
        env.sync_dir(dir).map_err(io)?;
        key
    };
    if !use_xor && !key.is_zero() {
        return Err(StoreError::XorKey(format!(
            "The blocksdir XOR-key can not be disabled when a random key was already stored! Stored key: '{}', \
             stored path: '{}'.",
            key.to_hex(),
            path.display()
        )));
    }
    info!("Using obfuscation key for blocksdir *.dat files ({}): '{}'", dir.display(), key.to_hex());
    Ok(key)
}
