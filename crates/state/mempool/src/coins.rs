use std::collections::HashMap;

use grs_blockstore::Coin;
use grs_chainstate::CoinsCache;
use grs_primitives::{OutPoint, Transaction};

use crate::{MEMPOOL_HEIGHT, Pool};

/// Coins of the chain with those of the mempool, and of a package's earlier transactions, on top.
pub struct PoolCoins<'a> {
    pool: &'a Pool,
    package: HashMap<OutPoint, Coin>,
}

impl<'a> PoolCoins<'a> {
    /// Over a pool.
    pub fn new(pool: &'a Pool) -> PoolCoins<'a> {
        PoolCoins { pool, package: HashMap::new() }
    }

    /// Makes the outputs of a package's transaction available to its later ones.
    pub fn add_package_tx(&mut self, tx: &Transaction) {
        let txid = tx.txid();
        for (n, out) in (0_u32..).zip(&tx.outputs) {
            let coin = Coin::new(out.clone(), MEMPOOL_HEIGHT, false);
            self.package.insert(OutPoint::new(txid, n), coin);
        }
    }

    /// An output, spent by the mempool or not; `None` when neither knows it. Failures to read the chain's coins come
    /// through.
    pub fn get(
        &self,
        chain: &mut CoinsCache,
        outpoint: &OutPoint,
    ) -> Result<Option<Coin>, grs_chainstate::FatalError> {
        if let Some(coin) = self.package.get(outpoint) {
            return Ok(Some(coin.clone()));
        }
        if let Some(entry) = self.pool.entry(&outpoint.txid) {
            let output = entry.tx.outputs.get(outpoint.vout as usize);
            return Ok(output.map(|o| Coin::new(o.clone(), MEMPOOL_HEIGHT, false)));
        }
        Ok(chain.get(outpoint)?)
    }
}
