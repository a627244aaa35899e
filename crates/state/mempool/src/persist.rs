//! `mempool.dat`. Reference: `src/node/mempool_persist.cpp`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_var_bytes};
use grs_hashes::Txid;
use grs_primitives::{Transaction, TxRef};
use thiserror::Error;

use crate::Mempool;

/// Without obfuscation.
const VERSION_PLAIN: u64 = 1;
/// With an eight-byte key.
const VERSION_OBFUSCATED: u64 = 2;
const KEY_LEN: usize = 8;

/// Why a file could not be read.
#[derive(Debug, Error)]
pub enum PersistError {
    /// Written by another version.
    #[error("unknown version {0} of the mempool file")]
    Version(u64),
    /// Damaged.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// How a file is imported.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Entries get the present time instead of the stored one.
    pub use_current_time: bool,
    /// Fee deltas are applied.
    pub apply_fee_deltas: bool,
    /// The set of transactions to announce again is applied.
    pub apply_unbroadcast: bool,
}

impl Default for ImportOptions {
    /// As at start.
    fn default() -> Self {
        ImportOptions { use_current_time: false, apply_fee_deltas: true, apply_unbroadcast: true }
    }
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadCounts {
    /// Accepted.
    pub succeeded: u64,
    /// Refused.
    pub failed: u64,
    /// Too old.
    pub expired: u64,
    /// There already.
    pub already_there: u64,
    /// To be announced again.
    pub unbroadcast: u64,
}

/// A transaction of a file.
#[derive(Clone, Debug)]
pub struct SavedTx {
    /// The transaction.
    pub tx: TxRef,
    /// When it came, in seconds since 1970.
    pub time: i64,
    /// Its fee delta.
    pub fee_delta: i64,
}

/// The content of a file.
#[derive(Clone, Debug, Default)]
pub struct SavedMempool {
    /// Transactions, parents before children.
    pub txs: Vec<SavedTx>,
    /// Deltas of transactions that are not in the list.
    pub deltas: BTreeMap<Txid, i64>,
    /// Transactions to announce again.
    pub unbroadcast: BTreeSet<Txid>,
}

impl SavedMempool {
    /// The bytes of a file; `key` obfuscates them, as newer versions of the reference do.
    pub fn to_bytes(&self, key: Option<[u8; KEY_LEN]>) -> Vec<u8> {
        let mut out = Vec::new();
        let version = if key.is_some() { VERSION_OBFUSCATED } else { VERSION_PLAIN };
        version.encode(&mut out);
        if let Some(key) = key {
            write_var_bytes(&mut out, &key);
        }
        let plain = out.len();
        (self.txs.len() as u64).encode(&mut out);
        for saved in &self.txs {
            saved.tx.encode(&mut out);
            saved.time.encode(&mut out);
            saved.fee_delta.encode(&mut out);
        }
        grs_encoding::write_compact_size(&mut out, self.deltas.len() as u64);
        for (txid, delta) in &self.deltas {
            txid.encode(&mut out);
            delta.encode(&mut out);
        }
        grs_encoding::write_compact_size(&mut out, self.unbroadcast.len() as u64);
        self.unbroadcast.iter().for_each(|txid| txid.encode(&mut out));
        if let Some(key) = key {
            xor(&mut out, plain, &key);
        }
        out
    }

    /// Reads a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<SavedMempool, PersistError> {
        let (saved, error) = SavedMempool::read(bytes);
        error.map_or(Ok(saved), Err)
    }

    /// Reads a file as far as it goes: with an error, what came before it. The reference, too, keeps the transactions
    /// that it has read when it meets damage.
    pub fn read(bytes: &[u8]) -> (SavedMempool, Option<PersistError>) {
        let mut saved = SavedMempool::default();
        let error = saved.fill(bytes).err();
        (saved, error)
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<(), PersistError> {
        let mut reader = Reader::new(bytes);
        let clear;
        match reader.u64_le()? {
            VERSION_PLAIN => {}
            VERSION_OBFUSCATED => {
                let key = reader.var_bytes()?.to_vec();
                if key.len() != KEY_LEN {
                    return Err(
                        DecodeError::Invalid("Obfuscation key size should be exactly 8 bytes long").into()
                    );
                }
                let mut copy = bytes.to_vec();
                xor(&mut copy, reader.position(), &key);
                clear = copy.split_off(reader.position());
                reader = Reader::new(&clear);
            }
            other => return Err(PersistError::Version(other)),
        }
        for _ in 0..reader.u64_le()? {
            self.txs.push(SavedTx {
                tx: Arc::new(Transaction::decode(&mut reader)?),
                time: reader.i64_le()?,
                fee_delta: reader.i64_le()?,
            });
        }
        let mut deltas = BTreeMap::new();
        for _ in 0..reader.compact_size()? {
            let txid = Txid::decode(&mut reader)?;
            deltas.insert(txid, reader.i64_le()?);
        }
        self.deltas = deltas;
        let mut unbroadcast = BTreeSet::new();
        for _ in 0..reader.compact_size()? {
            unbroadcast.insert(Txid::decode(&mut reader)?);
        }
        self.unbroadcast = unbroadcast;
        Ok(())
    }
}

/// The key runs from the start of the file, whatever part of it is obfuscated.
fn xor(bytes: &mut [u8], from: usize, key: &[u8]) {
    for (i, byte) in bytes.iter_mut().enumerate().skip(from) {
        *byte ^= key[i % key.len()];
    }
}

impl Mempool {
    /// What a file of the present state holds.
    pub fn save(&self) -> SavedMempool {
        let pool = self.lock();
        let mut deltas: BTreeMap<Txid, i64> = pool.deltas().iter().map(|(t, d)| (*t, *d)).collect();
        // Mining order puts parents before children, so that they enter again one by one.
        let txs: Vec<SavedTx> = pool
            .in_mining_order()
            .into_iter()
            .map(|e| SavedTx { tx: e.tx.clone(), time: e.time, fee_delta: e.fee_delta })
            .collect();
        txs.iter().for_each(|s| {
            deltas.remove(&s.tx.txid());
        });
        SavedMempool { txs, deltas, unbroadcast: pool.unbroadcast().clone() }
    }

    /// Notes that loading at start was tried, so that the state may be written at shutdown.
    pub fn set_load_tried(&self) {
        self.lock().load_tried = true;
    }
}
