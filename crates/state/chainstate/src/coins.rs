//! The coins cache over the coins database. Reference: `CCoinsViewCache` (`src/coins.cpp`).
//!
//! One flat hash table, no allocation for a usual coin. A block is applied to it directly; a journal takes back
//! what a block changed when it turns out invalid, so that there is no second layer to merge.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use grs_blockstore::{Coin, write_txout};
use grs_encoding::{Encode, write_varint};
use grs_hashes::BlockHash;
use grs_leveldb::Result;
use grs_primitives::{Amount, OutPoint, Script, Transaction, TxOut};
use grs_script::ScriptExt;
use hashbrown::HashTable;

use crate::coins_db::CoinsDb;

const DIRTY: u8 = 1;
const FRESH: u8 = 2;
const SPENT: u8 = 4;
/// Scripts up to this length take no allocation: all standard ones but bare multisig.
const INLINE: usize = 35;

#[derive(Clone, Debug, PartialEq, Eq)]
enum CompactScript {
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
}

impl CompactScript {
    const EMPTY: CompactScript = CompactScript::Inline(0, [0; INLINE]);

    fn new(script: &[u8]) -> CompactScript {
        if script.len() > INLINE {
            return CompactScript::Heap(script.into());
        }
        let mut bytes = [0; INLINE];
        bytes[..script.len()].copy_from_slice(script);
        CompactScript::Inline(script.len() as u8, bytes)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            CompactScript::Inline(len, bytes) => &bytes[..usize::from(*len)],
            CompactScript::Heap(bytes) => bytes,
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            CompactScript::Inline(..) => 0,
            CompactScript::Heap(bytes) => bytes.len() + 16,
        }
    }
}

/// A cached coin: unspent or spent, with the difference to the database below.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    outpoint: OutPoint,
    /// Height times two, plus one for a coinbase.
    code: u32,
    value: i64,
    script: CompactScript,
    flags: u8,
}

impl Slot {
    fn new(outpoint: OutPoint, value: Amount, script: &[u8], height: u32, coinbase: bool, flags: u8) -> Slot {
        let code = height << 1 | u32::from(coinbase);
        Slot { outpoint, code, value: value.0, script: CompactScript::new(script), flags }
    }

    fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn coin(&self) -> Coin {
        let out = TxOut::new(Amount(self.value), Script::from(self.script.bytes()));
        Coin { out, height: self.code >> 1, coinbase: self.code & 1 == 1 }
    }
}

/// The database's record.
impl Encode for &Slot {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, u64::from(self.code));
        write_txout(out, Amount(self.value), self.script.bytes());
    }
}

enum Change {
    /// The coin was not in the cache before.
    Inserted(OutPoint),
    /// The coin was in the cache like this.
    Was(Slot),
}

/// Number of tables of the cache.
const PARTS: usize = 16;

fn part(hash: u64) -> usize {
    (hash >> 32) as usize % PARTS
}

/// Keyed, and over half of the txid: nobody who does not know the keys can aim at one place of the table.
fn hash_outpoint(keys: (u64, u64), outpoint: &OutPoint) -> u64 {
    let bytes = outpoint.txid.as_bytes();
    let word = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().expect("a txid has 32 bytes"));
    let a = word(0) ^ keys.0;
    let b = word(8) ^ keys.1 ^ u64::from(outpoint.vout).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// How full the cache is, measured against its limit. Reference: `CoinsCacheSizeState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheSizeState {
    /// There is room.
    Ok,
    /// More than nine tenths are used (or all but 10 MiB).
    Large,
    /// The limit is passed.
    Critical,
}

/// Coins in memory over coins on disk.
pub struct CoinsCache {
    db: Arc<CoinsDb>,
    /// Part of a coin: bits of its hash that the tables themselves do not look at first. A part grows alone, so
    /// that growing never holds the whole cache twice.
    parts: Box<[HashTable<Slot>; PARTS]>,
    keys: (u64, u64),
    heap_bytes: usize,
    dirty: usize,
    best: BlockHash,
    journal: Option<Vec<Change>>,
    /// The database holds no coins, so that misses need not ask it.
    db_is_empty: bool,
}

impl CoinsCache {
    /// An empty cache over a database.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn new(db: Arc<CoinsDb>) -> Result<CoinsCache> {
        let random = RandomState::new();
        let keys = (random.hash_one(0), random.hash_one(1) | 1);
        let (best, db_is_empty) = (db.best_block()?, db.is_empty()?);
        let parts = Box::new(std::array::from_fn(|_| HashTable::new()));
        Ok(CoinsCache { db, parts, keys, heap_bytes: 0, dirty: 0, best, journal: None, db_is_empty })
    }

    /// The database below.
    pub fn db(&self) -> &Arc<CoinsDb> {
        &self.db
    }

    /// Block that the coins belong to.
    pub fn best_block(&self) -> BlockHash {
        self.best
    }

    /// Sets the block that the coins belong to.
    pub fn set_best_block(&mut self, best: BlockHash) {
        self.best = best;
    }

    /// Number of cached coins, spent ones included.
    pub fn len(&self) -> usize {
        self.parts.iter().map(HashTable::len).sum()
    }

    /// Whether nothing is cached.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cached coins that differ from the database.
    pub fn dirty_count(&self) -> usize {
        self.dirty
    }

    /// Bytes of memory used.
    pub fn memory_usage(&self) -> usize {
        self.parts.iter().map(HashTable::allocation_size).sum::<usize>() + self.heap_bytes
    }

    /// How full the cache is for a limit of `total` bytes.
    pub fn size_state(&self, total: usize) -> CacheSizeState {
        let usage = self.memory_usage();
        // Tables double. If one is about to, and the cache has no room for all doing so, it is full now.
        let growing =
            self.parts.iter().any(|part| part.len() > (64 << 10) && part.len() + 4096 > part.capacity());
        if growing && usage * 2 > total {
            return CacheSizeState::Critical;
        }
        let large = (total / 10 * 9).max(total.saturating_sub(10 << 20));
        match usage {
            n if n > total => CacheSizeState::Critical,
            n if n > large => CacheSizeState::Large,
            _ => CacheSizeState::Ok,
        }
    }

    fn hash(&self, outpoint: &OutPoint) -> u64 {
        hash_outpoint(self.keys, outpoint)
    }

    fn find(&self, outpoint: &OutPoint) -> Option<&Slot> {
        let hash = self.hash(outpoint);
        self.parts[part(hash)].find(hash, |slot| slot.outpoint == *outpoint)
    }

    /// Puts a slot in that is not in the table.
    fn insert(&mut self, slot: Slot) {
        let hash = self.hash(&slot.outpoint);
        self.heap_bytes += slot.script.heap_bytes();
        self.dirty += usize::from(slot.is(DIRTY));
        let keys = self.keys;
        self.parts[part(hash)].insert_unique(hash, slot, |slot| hash_outpoint(keys, &slot.outpoint));
    }

    fn take(&mut self, outpoint: &OutPoint) -> Option<Slot> {
        let hash = self.hash(outpoint);
        let entry = self.parts[part(hash)].find_entry(hash, |slot| slot.outpoint == *outpoint).ok()?;
        let (slot, _) = entry.remove();
        self.heap_bytes -= slot.script.heap_bytes();
        self.dirty -= usize::from(slot.is(DIRTY));
        Some(slot)
    }

    fn log(&mut self, change: impl FnOnce() -> Change) {
        if let Some(journal) = &mut self.journal {
            journal.push(change());
        }
    }

    /// Brings a coin into the cache if it exists at all.
    fn fetch(&mut self, outpoint: &OutPoint) -> Result<()> {
        if self.db_is_empty || self.find(outpoint).is_some() {
            return Ok(());
        }
        if let Some(coin) = self.db.get(outpoint)? {
            self.insert_clean(outpoint, &coin);
        }
        Ok(())
    }

    /// Puts a coin as the database has it into the cache, unless something is there.
    pub fn insert_clean(&mut self, outpoint: &OutPoint, coin: &Coin) {
        if self.find(outpoint).is_none() {
            let out = &coin.out;
            self.insert(Slot::new(*outpoint, out.value, &out.script_pubkey, coin.height, coin.coinbase, 0));
        }
    }

    /// An unspent coin.
    ///
    /// # Errors
    /// If the database fails.
    pub fn get(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>> {
        self.fetch(outpoint)?;
        Ok(self.find(outpoint).filter(|slot| !slot.is(SPENT)).map(Slot::coin))
    }

    /// As [`CoinsCache::get`], without bringing the coin into the cache.
    ///
    /// # Errors
    /// If the database fails.
    pub fn peek(&self, outpoint: &OutPoint) -> Result<Option<Coin>> {
        match self.find(outpoint) {
            Some(slot) => Ok((!slot.is(SPENT)).then(|| slot.coin())),
            None if self.db_is_empty => Ok(None),
            None => self.db.get(outpoint),
        }
    }

    /// Whether there is an unspent coin.
    ///
    /// # Errors
    /// If the database fails.
    pub fn have(&self, outpoint: &OutPoint) -> Result<bool> {
        match self.find(outpoint) {
            Some(slot) => Ok(!slot.is(SPENT)),
            None if self.db_is_empty => Ok(false),
            None => self.db.have(outpoint),
        }
    }

    /// Whether an unspent coin is in the cache.
    pub fn have_in_cache(&self, outpoint: &OutPoint) -> bool {
        self.find(outpoint).is_some_and(|slot| !slot.is(SPENT))
    }

    /// Whether anything about a coin is in the cache.
    pub fn is_cached(&self, outpoint: &OutPoint) -> bool {
        self.find(outpoint).is_some()
    }

    /// Removes a coin from the cache if it does not differ from the database.
    pub fn uncache(&mut self, outpoint: &OutPoint) {
        if self.find(outpoint).is_some_and(|slot| !slot.is(DIRTY | FRESH)) {
            self.take(outpoint);
        }
    }

    /// Adds a coin. `overwrite` allows an unspent one to be there, in the cache or below.
    pub fn add(&mut self, outpoint: OutPoint, out: &TxOut, height: u32, coinbase: bool, overwrite: bool) {
        if out.script_pubkey.is_unspendable() {
            return;
        }
        let hash = self.hash(&outpoint);
        let mut flags = DIRTY;
        let old = self.parts[part(hash)].find_mut(hash, |slot| slot.outpoint == outpoint);
        // A spent coin that waits to be removed below cannot become fresh: its removal would be forgotten.
        if !overwrite && old.as_ref().is_none_or(|slot| !slot.is(DIRTY)) {
            flags |= FRESH;
        }
        match old {
            Some(old) => {
                let new = Slot::new(
                    outpoint,
                    out.value,
                    &out.script_pubkey,
                    height,
                    coinbase,
                    flags | old.flags & FRESH,
                );
                self.heap_bytes += new.script.heap_bytes();
                self.heap_bytes -= old.script.heap_bytes();
                self.dirty += usize::from(!old.is(DIRTY));
                let was = std::mem::replace(old, new);
                self.log(|| Change::Was(was));
            }
            None => {
                self.insert(Slot::new(outpoint, out.value, &out.script_pubkey, height, coinbase, flags));
                self.log(|| Change::Inserted(outpoint));
            }
        }
    }

    /// Adds a transaction's outputs. With `overwrite` any of them may exist. Reference: `AddCoins`.
    pub fn add_outputs(&mut self, tx: &Transaction, height: u32, overwrite: bool) {
        let (txid, coinbase) = (tx.txid(), tx.is_coinbase());
        for (vout, out) in tx.outputs.iter().enumerate() {
            self.add(OutPoint::new(txid, vout as u32), out, height, coinbase, overwrite);
        }
    }

    /// Takes a coin away; `None` if there is none.
    ///
    /// # Errors
    /// If the database fails.
    pub fn spend(&mut self, outpoint: &OutPoint) -> Result<Option<Coin>> {
        let hash = self.hash(outpoint);
        let slot = match self.parts[part(hash)].find_mut(hash, |slot| slot.outpoint == *outpoint) {
            Some(slot) => slot,
            None => {
                self.fetch(outpoint)?;
                match self.parts[part(hash)].find_mut(hash, |slot| slot.outpoint == *outpoint) {
                    Some(slot) => slot,
                    None => return Ok(None),
                }
            }
        };
        if slot.is(SPENT) {
            return Ok(None);
        }
        let coin = slot.coin();
        if slot.is(FRESH) {
            // Nobody below knows it.
            if let Some(was) = self.take(outpoint) {
                self.log(|| Change::Was(was));
            }
            return Ok(Some(coin));
        }
        self.heap_bytes -= slot.script.heap_bytes();
        self.dirty += usize::from(!slot.is(DIRTY));
        let new = Slot {
            outpoint: *outpoint,
            code: 0,
            value: 0,
            script: CompactScript::EMPTY,
            flags: DIRTY | SPENT,
        };
        let was = std::mem::replace(slot, new);
        self.log(|| Change::Was(was));
        Ok(Some(coin))
    }

    /// Starts to note changes.
    pub fn begin(&mut self) {
        self.journal = Some(self.journal.take().map_or_else(
            || Vec::with_capacity(256),
            |mut j| {
                j.clear();
                j
            },
        ));
    }

    /// Keeps the changes since [`CoinsCache::begin`].
    pub fn commit(&mut self) {
        self.journal = None;
    }

    /// How many changes were noted; a mark for [`CoinsCache::roll_back_to`].
    pub fn mark(&self) -> usize {
        self.journal.as_ref().map_or(0, Vec::len)
    }

    /// Takes back all changes since [`CoinsCache::begin`].
    pub fn roll_back(&mut self) {
        self.roll_back_to(0);
        self.journal = None;
    }

    /// Takes back the changes made after a mark, newest first.
    pub fn roll_back_to(&mut self, mark: usize) {
        let Some(mut journal) = self.journal.take() else { return };
        while journal.len() > mark {
            match journal.pop() {
                Some(Change::Inserted(outpoint)) => {
                    self.take(&outpoint);
                }
                Some(Change::Was(slot)) => {
                    self.take(&slot.outpoint);
                    self.insert(slot);
                }
                None => break,
            }
        }
        self.journal = Some(journal);
    }

    /// Writes all differences to the database, with the best block. `empty` forgets the cached coins, otherwise
    /// they stay for the next blocks. Reference: `Flush` and `Sync`.
    ///
    /// # Errors
    /// If the database fails; then the cache is as before.
    pub fn flush(&mut self, empty: bool) -> Result<()> {
        debug_assert!(self.journal.is_none(), "flushed in the middle of a block");
        let mut dirty: Vec<&Slot> = self.parts.iter().flatten().filter(|slot| slot.is(DIRTY)).collect();
        dirty.sort_unstable_by_key(|slot| slot.outpoint);
        let changes = dirty.into_iter().map(|slot| (slot.outpoint, (!slot.is(SPENT)).then_some(slot)));
        self.db.write(changes, self.best, self.len())?;
        self.db_is_empty = false;
        if empty {
            *self.parts = std::array::from_fn(|_| HashTable::new());
            self.heap_bytes = 0;
        } else {
            for part in self.parts.iter_mut() {
                part.retain(|slot| {
                    slot.flags &= !(DIRTY | FRESH);
                    slot.flags & SPENT == 0
                });
            }
        }
        self.dirty = 0;
        Ok(())
    }
}
