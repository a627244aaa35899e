//! The coins database, directory `chainstate`. Reference: `src/txdb.cpp`.

use std::sync::Arc;

use grs_blockstore::Coin;
use grs_encoding::{Decode, Encode, Reader, write_varint};
use grs_hashes::{BlockHash, Txid};
use grs_leveldb::{Batch, Error, Result, Store, StoreIter, WriteOptions};
use grs_log::{Category, debug, error, warn};
use grs_primitives::OutPoint;

/// Default of `-dbbatchsize`, in bytes.
pub const DEFAULT_BATCH_WRITE_BYTES: usize = 32 << 20;
const BEST_BLOCK_KEY: &[u8] = b"B";
const HEAD_BLOCKS_KEY: &[u8] = b"H";
/// Writing more coins than this is worth a warning.
const WARN_FLUSH_COINS_COUNT: usize = 10_000_000;

/// Key of a coin: `C`, txid, output number as VARINT.
pub fn coin_key(outpoint: &OutPoint, key: &mut Vec<u8>) {
    key.clear();
    key.push(b'C');
    key.extend_from_slice(outpoint.txid.as_bytes());
    write_varint(key, u64::from(outpoint.vout));
}

fn parse_coin_key(key: &[u8]) -> Option<OutPoint> {
    let mut reader = Reader::new(key.strip_prefix(b"C")?);
    let txid = Txid::from_bytes(reader.array().ok()?);
    Some(OutPoint::new(txid, reader.varint_max(u64::from(u32::MAX)).ok()? as u32))
}

/// Coins on disk.
pub struct CoinsDb {
    store: Arc<dyn Store>,
    batch_bytes: usize,
}

impl CoinsDb {
    /// Over an open database; batches are written when they reach `batch_bytes`.
    pub fn new(store: Arc<dyn Store>, batch_bytes: usize) -> CoinsDb {
        CoinsDb { store, batch_bytes }
    }

    /// A coin.
    ///
    /// # Errors
    /// If the database fails or the record is damaged.
    pub fn get(&self, outpoint: &OutPoint) -> Result<Option<Coin>> {
        let (mut key, mut value) = (Vec::with_capacity(40), Vec::new());
        coin_key(outpoint, &mut key);
        if !self.store.get_into(&key, &mut value)? {
            return Ok(None);
        }
        decode(&value).map(Some)
    }

    /// Whether there is a coin.
    ///
    /// # Errors
    /// If the database fails.
    pub fn have(&self, outpoint: &OutPoint) -> Result<bool> {
        let mut key = Vec::with_capacity(40);
        coin_key(outpoint, &mut key);
        self.store.contains(&key)
    }

    /// Block that the coins belong to; zero for an empty database and in the middle of an interrupted write.
    ///
    /// # Errors
    /// If the database fails.
    pub fn best_block(&self) -> Result<BlockHash> {
        let value = self.store.get(BEST_BLOCK_KEY)?;
        Ok(value.and_then(|value| BlockHash::from_slice(value.get(..32)?)).unwrap_or_default())
    }

    /// New and old tip of an interrupted write; empty when the database is consistent.
    ///
    /// # Errors
    /// If the database fails.
    pub fn head_blocks(&self) -> Result<Vec<BlockHash>> {
        let Some(value) = self.store.get(HEAD_BLOCKS_KEY)? else { return Ok(Vec::new()) };
        Ok(Vec::decode(&mut Reader::new(&value)).unwrap_or_default())
    }

    /// Whether records of a version before 0.15 are there.
    ///
    /// # Errors
    /// If the database fails.
    pub fn needs_upgrade(&self) -> Result<bool> {
        let mut iter = self.store.iter()?;
        iter.seek(b"c")?;
        Ok(iter.valid())
    }

    /// Whether nothing was ever written but the database's own records.
    ///
    /// # Errors
    /// If the database fails.
    pub fn is_empty(&self) -> Result<bool> {
        let mut iter = self.store.iter()?;
        iter.seek(b"B")?;
        Ok(!iter.valid())
    }

    /// Writes changes that lead to `best`. Until the last batch is written, the database says that it is on the
    /// way there, so that a crash in between can be repaired by replaying blocks.
    ///
    /// `changes` are best sorted by outpoint. `total` is the number of cached coins, for the log.
    ///
    /// # Errors
    /// If the database fails.
    pub fn write<C: Encode>(
        &self,
        changes: impl ExactSizeIterator<Item = (OutPoint, Option<C>)>,
        best: BlockHash,
        total: usize,
    ) -> Result<()> {
        let mut old_tip = self.best_block()?;
        if old_tip.is_zero() {
            let heads = self.head_blocks()?;
            if let [new, old] = heads[..] {
                if new != best {
                    error!(
                        "The coins database detected an inconsistent state, likely due to a previous crash or \
                         shutdown. You will need to restart bitcoind with the -reindex-chainstate or -reindex \
                         configuration option."
                    );
                    return Err(Error::Corruption("coins database in an inconsistent state".into()));
                }
                old_tip = old;
            }
        }
        let count = changes.len();
        if count > WARN_FLUSH_COINS_COUNT {
            warn!("Flushing large ({count} entries) UTXO set to disk, it may take several minutes");
        }
        let mut batch = Batch::with_capacity((count * 80).min(self.batch_bytes + 4096));
        batch.delete(BEST_BLOCK_KEY);
        batch.put(HEAD_BLOCKS_KEY, &grs_encoding::encode_to_vec(&[best, old_tip][..]));
        let (mut key, mut value) = (Vec::with_capacity(40), Vec::with_capacity(64));
        for (outpoint, coin) in changes {
            coin_key(&outpoint, &mut key);
            match coin {
                Some(coin) => {
                    value.clear();
                    coin.encode(&mut value);
                    batch.put(&key, &value);
                }
                None => batch.delete(&key),
            }
            if batch.approximate_size() > self.batch_bytes {
                debug!(Category::CoinDb, "Writing partial batch of {:.2} MiB", mib(&batch));
                let full = std::mem::replace(&mut batch, Batch::with_capacity(self.batch_bytes + 4096));
                self.store.write(full, WriteOptions::default())?;
            }
        }
        batch.delete(HEAD_BLOCKS_KEY);
        batch.put(BEST_BLOCK_KEY, best.as_bytes());
        debug!(Category::CoinDb, "Writing final batch of {:.2} MiB", mib(&batch));
        self.store.write(batch, WriteOptions::default())?;
        debug!(
            Category::CoinDb,
            "Committed {count} changed transaction outputs (out of {total}) to coin database..."
        );
        Ok(())
    }

    /// Bytes on disk, roughly.
    ///
    /// # Errors
    /// If the database fails.
    pub fn estimate_size(&self) -> Result<u64> {
        self.store.approximate_size(b"C", b"D")
    }

    /// All coins as they are now, in the order of their keys.
    ///
    /// # Errors
    /// If the database fails.
    pub fn cursor(&self) -> Result<CoinsCursor> {
        let mut iter = self.store.iter()?;
        iter.seek(b"C")?;
        Ok(CoinsCursor { iter, started: false })
    }
}

fn mib(batch: &Batch) -> f64 {
    batch.approximate_size() as f64 / 1_048_576.0
}

fn decode(value: &[u8]) -> Result<Coin> {
    Coin::decode(&mut Reader::new(value)).map_err(|e| Error::Corruption(format!("coin record: {e}")))
}

/// Reads all coins; later changes of the database do not show.
pub struct CoinsCursor {
    iter: Box<dyn StoreIter>,
    started: bool,
}

impl CoinsCursor {
    /// The next coin.
    ///
    /// # Errors
    /// If the database fails or a record is damaged.
    pub fn next_coin(&mut self) -> Result<Option<(OutPoint, Coin)>> {
        if self.started {
            self.iter.next()?;
        }
        self.started = true;
        if !self.iter.valid() {
            return Ok(None);
        }
        match parse_coin_key(self.iter.key()) {
            Some(outpoint) => Ok(Some((outpoint, decode(self.iter.value())?))),
            None => Ok(None),
        }
    }
}
