//! The wallet file: an SQLite database with one table of keys and values. Reference: `src/wallet/sqlite.cpp`.

mod files;

use std::path::{Path, PathBuf};
use std::time::Duration;

use grs_log::warn;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ffi, params};
use zeroize::Zeroizing;

pub(crate) use files::{OpenMode, list_wallet_dir, open_wallet_database, wallet_dir, wallet_path};

/// Version of the table's layout (`user_version`).
const WALLET_SCHEMA_VERSION: i32 = 0;

/// A failure of the wallet file. The text is the reference's where a program may match it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// There is nothing at the path.
    #[error("{0}")]
    NotFound(String),
    /// There is something of another format.
    #[error("{0}")]
    BadFormat(String),
    /// The path cannot be used.
    #[error("{0}")]
    BadPath(String),
    /// There is a wallet already.
    #[error("{0}")]
    AlreadyExists(String),
    /// A Berkeley DB file.
    #[error("{0}")]
    Legacy(String),
    /// The file does not pass the checks.
    #[error("{0}")]
    Verify(String),
    /// The file cannot be opened.
    #[error("{0}")]
    Load(String),
    /// Another connection has the file open, of this process or another.
    #[error("{0}")]
    Locked(String),
    /// A read or write failed.
    #[error("{0}")]
    Io(String),
}

/// What every access gives.
pub type DbResult<T> = Result<T, DbError>;

/// SQLite's text of a result code, as the reference shows it (`sqlite3_errstr`).
fn error_text(error: &rusqlite::Error) -> String {
    let rusqlite::Error::SqliteFailure(failure, message) = error else { return error.to_string() };
    let known = match failure.extended_code & 0xff {
        ffi::SQLITE_PERM => "access permission denied",
        ffi::SQLITE_BUSY => "database is locked",
        ffi::SQLITE_READONLY => "attempt to write a readonly database",
        ffi::SQLITE_IOERR => "disk I/O error",
        ffi::SQLITE_CORRUPT => "database disk image is malformed",
        ffi::SQLITE_FULL => "database or disk is full",
        ffi::SQLITE_CANTOPEN => "unable to open database file",
        ffi::SQLITE_NOTADB => "file is not a database",
        ffi::SQLITE_CONSTRAINT => "constraint failed",
        ffi::SQLITE_ERROR => "SQL logic error",
        _ => return message.clone().unwrap_or_else(|| failure.to_string()),
    };
    known.to_owned()
}

fn io(what: &str) -> impl FnOnce(rusqlite::Error) -> DbError + '_ {
    move |error| {
        warn!("{what}: {}", error_text(&error));
        DbError::Io(format!("{what}: {}", error_text(&error)))
    }
}

fn load(what: &str) -> impl FnOnce(rusqlite::Error) -> DbError + '_ {
    move |error| DbError::Load(format!("SQLiteDatabase: {what}: {}\n", error_text(&error)))
}

/// An open wallet file. It is locked against all other users until it is dropped.
pub struct WalletDb {
    connection: Connection,
    file: PathBuf,
    depth: u32,
}

impl std::fmt::Debug for WalletDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WalletDb").field("file", &self.file).finish_non_exhaustive()
    }
}

impl WalletDb {
    /// Opens a file, or makes it, and takes the exclusive lock.
    pub fn open(file: &Path, magic: [u8; 4], unsafe_sync: bool) -> DbResult<WalletDb> {
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)
                .map_err(|e| DbError::Load(format!("filesystem error: cannot create directory: {e}")))?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_FULL_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(load("Failed to open database"))?;
        connection.busy_timeout(Duration::ZERO).map_err(load("Failed to open database"))?;
        if connection.is_readonly("main").unwrap_or(false) {
            return Err(DbError::Load(
                "SQLiteDatabase: Database opened in readonly mode but read-write permissions are needed"
                    .into(),
            ));
        }
        set_pragma(
            &connection,
            "locking_mode = exclusive",
            "Unable to change database locking mode to exclusive",
        )?;
        // The lock that this transaction takes stays until the connection is closed.
        connection.execute_batch("BEGIN EXCLUSIVE TRANSACTION").map_err(|_| {
            DbError::Locked(
                "SQLiteDatabase: Unable to obtain an exclusive lock on the database, is it being used by another \
                 instance of Groestlcoin Core?\n"
                    .into(),
            )
        })?;
        connection.execute_batch("COMMIT").map_err(load("Unable to end exclusive lock transaction"))?;
        set_pragma(&connection, "fullfsync = true", "Failed to enable fullfsync")?;
        if unsafe_sync {
            warn!(
                "SQLite is configured to not wait for data to be flushed to disk. Data loss and corruption may occur."
            );
            set_pragma(&connection, "synchronous = OFF", "Failed to set synchronous mode to OFF")?;
        }
        let exists: Option<String> = connection
            .query_row("SELECT name FROM sqlite_master WHERE type='table' AND name='main'", [], |row| {
                row.get(0)
            })
            .optional()
            .map_err(load("Failed to prepare statement to check table existence"))?;
        if exists.is_none() {
            connection
                .execute_batch("CREATE TABLE main(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)")
                .map_err(load("Failed to create new database"))?;
            let id = i32::from_be_bytes(magic);
            set_pragma(&connection, &format!("application_id = {id}"), "Failed to set the application id")?;
            set_pragma(
                &connection,
                &format!("user_version = {WALLET_SCHEMA_VERSION}"),
                "Failed to set the wallet schema version",
            )?;
        }
        connection.set_prepared_statement_cache_capacity(16);
        Ok(WalletDb { connection, file: file.to_owned(), depth: 0 })
    }

    /// Checks network, layout and the integrity of the file.
    pub fn verify(&self, magic: [u8; 4]) -> DbResult<()> {
        let pragma = |key: &str, what: &str| -> DbResult<i32> {
            self.connection.pragma_query_value(None, key, |row| row.get(0)).map_err(|e| {
                DbError::Verify(format!("SQLiteDatabase: Failed to fetch {what}: {}", error_text(&e)))
            })
        };
        let id = pragma("application_id", "the application id")? as u32;
        let expected = u32::from_be_bytes(magic);
        if id != expected {
            return Err(DbError::Verify(format!(
                "SQLiteDatabase: Unexpected application id. Expected {expected}, got {id}"
            )));
        }
        let version = pragma("user_version", "sqlite wallet schema version")?;
        if version != WALLET_SCHEMA_VERSION {
            return Err(DbError::Verify(format!(
                "SQLiteDatabase: Unknown sqlite wallet schema version {version}. Only version \
                 {WALLET_SCHEMA_VERSION} is supported"
            )));
        }
        let failed = |e: rusqlite::Error| {
            DbError::Verify(format!(
                "SQLiteDatabase: Failed to execute statement to verify database: {}",
                error_text(&e)
            ))
        };
        let mut statement = self.connection.prepare("PRAGMA integrity_check").map_err(|e| {
            DbError::Verify(format!(
                "SQLiteDatabase: Failed to prepare statement to verify database: {}",
                error_text(&e)
            ))
        })?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
        let mut wrong = String::new();
        for line in lines {
            let line = line.map_err(failed)?;
            if line != "ok" {
                wrong.push_str(&line);
                wrong.push('\n');
            }
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(DbError::Verify(format!("Failed to verify database\n{wrong}")))
        }
    }

    /// Path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The value of a key.
    pub fn read(&self, key: &[u8]) -> DbResult<Option<Zeroizing<Vec<u8>>>> {
        self.connection
            .prepare_cached("SELECT value FROM main WHERE key = ?")
            .and_then(|mut s| s.query_row(params![key], |row| row.get::<_, Vec<u8>>(0)).optional())
            .map(|value| value.map(Zeroizing::new))
            .map_err(io("Unable to execute read statement"))
    }

    /// Calls `each` with every key that begins with `prefix`, in order, and its value.
    pub fn for_each(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> DbResult<()>,
    ) -> DbResult<()> {
        let end = prefix_end(prefix);
        let sql = match end {
            Some(_) => "SELECT key, value FROM main WHERE key >= ?1 AND key < ?2 ORDER BY key",
            None => "SELECT key, value FROM main WHERE key >= ?1 AND ?2 IS NULL ORDER BY key",
        };
        let mut statement =
            self.connection.prepare_cached(sql).map_err(io("Unable to execute cursor step"))?;
        let mut rows = statement.query(params![prefix, end]).map_err(io("Unable to execute cursor step"))?;
        while let Some(row) = rows.next().map_err(io("Unable to execute cursor step"))? {
            let blob = |i| row.get_ref(i).ok().and_then(|v| v.as_blob().ok());
            let (Some(key), Some(value)) = (blob(0), blob(1)) else {
                return Err(DbError::Io("Unable to execute cursor step: value is not a blob".into()));
            };
            each(key, value)?;
        }
        Ok(())
    }

    /// Whether a key begins with `prefix`.
    pub fn has_prefix(&self, prefix: &[u8]) -> DbResult<bool> {
        let mut found = false;
        // Stops at the first row: an error ends the walk.
        let stop = DbError::Io(String::new());
        let result = self.for_each(prefix, |_, _| {
            found = true;
            Err(stop.clone())
        });
        if found { Ok(true) } else { result.map(|()| false) }
    }

    /// Sets the value of a key.
    pub fn write(&self, key: &[u8], value: &[u8]) -> DbResult<()> {
        self.execute("INSERT OR REPLACE INTO main VALUES(?, ?)", params![key, value], "write")
    }

    /// Sets the value of a new key; one that is there already is an error.
    pub fn insert(&self, key: &[u8], value: &[u8]) -> DbResult<()> {
        self.execute("INSERT INTO main VALUES(?, ?)", params![key, value], "write")
    }

    /// Removes a key.
    pub fn erase(&self, key: &[u8]) -> DbResult<()> {
        self.execute("DELETE FROM main WHERE key = ?", params![key], "exec")
    }

    /// Removes all keys that begin with `prefix`.
    pub fn erase_prefix(&self, prefix: &[u8]) -> DbResult<()> {
        self.execute("DELETE FROM main WHERE instr(key, ?) = 1", params![prefix], "exec")
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params, what: &str) -> DbResult<()> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map(drop)
            .map_err(io(&format!("Unable to execute {what} statement")))
    }

    /// Starts a transaction, or enters the running one: the outermost [`WalletDb::commit`] writes.
    pub fn begin(&mut self) -> DbResult<()> {
        if self.depth == 0 {
            self.connection
                .execute_batch("BEGIN TRANSACTION")
                .map_err(io("SQLiteBatch: Failed to begin the transaction"))?;
        }
        self.depth += 1;
        Ok(())
    }

    /// Ends a transaction; when this returns, everything is on disk.
    pub fn commit(&mut self) -> DbResult<()> {
        if self.depth == 1 {
            self.connection
                .execute_batch("COMMIT TRANSACTION")
                .map_err(io("SQLiteBatch: Failed to commit the transaction"))?;
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    /// Takes back all writes of the outermost transaction.
    pub fn abort(&mut self) {
        if self.depth > 0 && self.connection.execute_batch("ROLLBACK TRANSACTION").is_err() {
            warn!("SQLiteBatch: Failed to abort the transaction");
        }
        self.depth = 0;
    }

    /// Writes the whole file anew, so that nothing is left of what has been removed.
    pub fn rewrite(&self) -> DbResult<()> {
        self.connection.execute_batch("VACUUM").map_err(io("Unable to rewrite the database"))
    }

    /// Copies the database to another file.
    pub fn backup(&self, target: &Path) -> DbResult<()> {
        let mut copy = Connection::open(target).map_err(io("Unable to begin sqlite backup"))?;
        let backup = rusqlite::backup::Backup::new(&self.connection, &mut copy)
            .map_err(io("Unable to begin sqlite backup"))?;
        match backup.step(-1) {
            Ok(rusqlite::backup::StepResult::Done) => Ok(()),
            Ok(_) => Err(DbError::Io("Unable to continue sqlite backup".into())),
            Err(e) => Err(io("Unable to continue sqlite backup")(e)),
        }
    }
}

/// Version of the linked SQLite.
pub(crate) fn sqlite_version() -> &'static str {
    rusqlite::version()
}

fn set_pragma(connection: &Connection, pragma: &str, failure: &str) -> DbResult<()> {
    let run = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(&format!("PRAGMA {pragma}"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    };
    run().map_err(load(failure))
}

/// The first key after all that begin with `prefix`; `None` when there is none.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last != 0xff {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests;
