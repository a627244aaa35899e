//! Writing the unspent outputs to a file (`dumptxoutset`). Reference: `WriteUTXOSnapshot` in
//! `src/rpc/blockchain.cpp`, `SnapshotMetadata` in `src/node/utxo_snapshot.h`.

use std::path::Path;

use grs_blockstore::Coin;
use grs_encoding::{Encode, write_compact_size};
use grs_fs::OpenMode;
use grs_hashes::{BlockHash, Hash256, Txid};

use crate::{ChainstateManager, FatalError, FlushMode, StatsHash};

const MAGIC: &[u8; 5] = b"utxo\xff";
const VERSION: u16 = 2;
/// Bytes written at once.
const CHUNK: usize = 4 << 20;

/// What [`ChainstateManager::dump_utxo_snapshot`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Coins in the file.
    pub coins: u64,
    /// Block they belong to.
    pub base_hash: BlockHash,
    /// Its height.
    pub base_height: u32,
    /// `hash_serialized_3` of the coins.
    pub txoutset_hash: Hash256,
    /// Transactions in the chain up to that block.
    pub chain_tx_count: u64,
}

impl ChainstateManager {
    /// Writes the coins at the tip to a new file at `path`. The caller puts it under its final name.
    ///
    /// # Errors
    /// If the database or the file fails, or the node shuts down.
    pub fn dump_utxo_snapshot(&self, path: &Path) -> Result<SnapshotInfo, FatalError> {
        let io = |e: std::io::Error| FatalError(format!("writing the snapshot: {e}"));
        let (db, base, mut cursor, counted) = {
            // The cursors show the coins of this moment, whatever is connected afterwards.
            let mut state = self.lock();
            state.flush_state(FlushMode::ForceSync, None)?;
            let db = state.coins.db().clone();
            let base = state.tip().ok_or_else(|| FatalError("no chain to dump".into()))?;
            let cursors = (db.cursor()?, db.cursor()?);
            (db, base, cursors.0, cursors.1)
        };
        let (base_hash, base_height) = (self.index().hash(base), self.index().height(base));
        // The count comes first in the file, and the hash is part of the answer.
        let stats = crate::compute_stats_at(
            &db,
            counted,
            (base_hash, base_height),
            StatsHash::Serialized,
            self.interrupt(),
        )?;
        let stats = stats.ok_or_else(|| FatalError("interrupted".into()))?;
        let file = self.options().env.open(path, OpenMode::Truncate).map_err(io)?;
        let mut out = Vec::with_capacity(CHUNK + 4096);
        let mut offset = 0;
        out.extend_from_slice(MAGIC);
        VERSION.encode(&mut out);
        out.extend_from_slice(&self.params().magic);
        base_hash.encode(&mut out);
        let count_at = out.len();
        0_u64.encode(&mut out);
        let (mut group, mut txid, mut coins) = (Vec::<(u32, Coin)>::new(), Txid::ZERO, 0_u64);
        loop {
            let next = cursor.next_coin()?;
            let ends = next.as_ref().is_none_or(|(at, _)| at.txid != txid);
            if ends && !group.is_empty() {
                txid.encode(&mut out);
                write_compact_size(&mut out, group.len() as u64);
                for (vout, coin) in group.drain(..) {
                    write_compact_size(&mut out, u64::from(vout));
                    coin.encode(&mut out);
                    coins += 1;
                }
            }
            if out.len() >= CHUNK || next.is_none() {
                if self.interrupt().is_interrupted() {
                    return Err(FatalError("interrupted".into()));
                }
                file.write_at(&out, offset).map_err(io)?;
                offset += out.len() as u64;
                out.clear();
            }
            let Some((at, coin)) = next else { break };
            txid = at.txid;
            group.push((at.vout, coin));
        }
        file.write_at(&coins.to_le_bytes(), count_at as u64).map_err(io)?;
        file.sync().map_err(io)?;
        Ok(SnapshotInfo {
            coins,
            base_hash,
            base_height,
            txoutset_hash: stats.hash.unwrap_or_default(),
            chain_tx_count: self.index().chain_tx_count(base),
        })
    }
}
