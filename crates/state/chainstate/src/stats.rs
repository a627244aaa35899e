//! Statistics and hashes of the set of unspent outputs. Reference: `src/kernel/coinstats.cpp`.

use grs_blockstore::Coin;
use grs_encoding::Encode;
use grs_hashes::purpose::UtxoSetHasher;
use grs_hashes::{BlockHash, Hash256, MuHash3072};
use grs_leveldb::Result;
use grs_primitives::{Amount, OutPoint};
use grs_sync::Interrupt;

use crate::coins_db::{CoinsCursor, CoinsDb};

/// Which hash of the set to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsHash {
    /// `hash_serialized_3`, over the coins in order.
    Serialized,
    /// `muhash`, independent of the order.
    MuHash,
    /// None.
    None,
}

/// What the set of unspent outputs amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtxoStats {
    /// Height of the best block.
    pub height: u32,
    /// Best block.
    pub best_block: BlockHash,
    /// Transactions with unspent outputs.
    pub transactions: u64,
    /// Unspent outputs.
    pub outputs: u64,
    /// A measure of size that does not depend on the database.
    pub bogo_size: u64,
    /// The hash that was asked for.
    pub hash: Option<Hash256>,
    /// Bytes on disk, roughly.
    pub disk_size: u64,
    /// Sum of all amounts; `None` when it leaves the range of the integer.
    pub total_amount: Option<Amount>,
}

/// Contribution of an output to the size measure.
pub fn bogo_size(script_len: usize) -> u64 {
    32 + 4 + 4 + 8 + 2 + script_len as u64
}

/// Appends the form of a coin that set hashes are made of.
pub fn coin_hash_input(outpoint: &OutPoint, coin: &Coin, out: &mut Vec<u8>) {
    outpoint.encode(out);
    (coin.height << 1 | u32::from(coin.coinbase)).encode(out);
    coin.out.encode(out);
}

/// Adds a coin to a set hash.
pub fn muhash_insert(muhash: &mut MuHash3072, outpoint: &OutPoint, coin: &Coin) {
    let mut data = Vec::with_capacity(96);
    coin_hash_input(outpoint, coin, &mut data);
    muhash.insert(&data);
}

/// Removes a coin from a set hash.
pub fn muhash_remove(muhash: &mut MuHash3072, outpoint: &OutPoint, coin: &Coin) {
    let mut data = Vec::with_capacity(96);
    coin_hash_input(outpoint, coin, &mut data);
    muhash.remove(&data);
}

/// As [`compute_stats_at`] for the coins as they are now.
///
/// # Errors
/// If the database fails.
pub fn compute_stats(
    db: &CoinsDb,
    best: (BlockHash, u32),
    hash: StatsHash,
    interrupt: &Interrupt,
) -> Result<Option<UtxoStats>> {
    compute_stats_at(db, db.cursor()?, best, hash, interrupt)
}

/// Counts the coins that a cursor of `db` shows; `None` if interrupted. `best` is the block they belong to.
///
/// # Errors
/// If the database fails.
pub fn compute_stats_at(
    db: &CoinsDb,
    mut cursor: CoinsCursor,
    best: (BlockHash, u32),
    hash: StatsHash,
    interrupt: &Interrupt,
) -> Result<Option<UtxoStats>> {
    let mut stats = UtxoStats {
        height: best.1,
        best_block: best.0,
        transactions: 0,
        outputs: 0,
        bogo_size: 0,
        hash: None,
        disk_size: 0,
        total_amount: Some(Amount::ZERO),
    };
    let mut serialized = UtxoSetHasher::new();
    let mut muhash = MuHash3072::new();
    let mut data = Vec::with_capacity(128);
    // The coins of one transaction. Keys sort by the VARINT of the output's number, which is its own order.
    let mut last = None;
    while let Some((outpoint, coin)) = cursor.next_coin()? {
        if stats.outputs & 0xfff == 0 && interrupt.is_interrupted() {
            return Ok(None);
        }
        if last != Some(outpoint.txid) {
            stats.transactions += 1;
            last = Some(outpoint.txid);
        }
        stats.outputs += 1;
        stats.total_amount = stats.total_amount.and_then(|sum| sum.checked_add(coin.out.value));
        stats.bogo_size += bogo_size(coin.out.script_pubkey.len());
        if hash != StatsHash::None {
            data.clear();
            coin_hash_input(&outpoint, &coin, &mut data);
            match hash {
                StatsHash::Serialized => serialized.write(&data),
                StatsHash::MuHash => {
                    muhash.insert(&data);
                }
                StatsHash::None => {}
            }
        }
    }
    stats.hash = match hash {
        StatsHash::Serialized => Some(serialized.finish()),
        StatsHash::MuHash => Some(muhash.finalize()),
        StatsHash::None => None,
    };
    stats.disk_size = db.estimate_size()?;
    Ok(Some(stats))
}
