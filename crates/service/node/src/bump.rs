//! What it costs to bring unconfirmed ancestors to a fee rate. Reference: `src/node/mini_miner.cpp`.

use std::collections::BTreeSet;

use grs_hashes::Txid;
use grs_mempool::Pool;
use grs_policy::FeeRate;
use grs_primitives::{Amount, OutPoint};

/// The fee that is missing so that everything these outputs depend on is mined at `rate` (per 1,000 virtual bytes):
/// ancestors that are mined at that rate anyway count nothing, nor do outputs that are confirmed or unknown.
pub(crate) fn bump_fee(pool: &Pool, outpoints: &[OutPoint], rate: Amount) -> Amount {
    let rate = FeeRate::per_kvb(rate.0);
    let mut missing: BTreeSet<Txid> = BTreeSet::new();
    for outpoint in outpoints {
        for ancestor in pool.ancestors(&outpoint.txid) {
            let txid = ancestor.tx.txid();
            let chunk = pool.chunk(&txid);
            let chunk_rate = FeeRate::of(Amount(chunk.fee), (chunk.size + 3) / 4);
            if chunk_rate < rate {
                missing.insert(txid);
            }
        }
    }
    let entries = missing.iter().filter_map(|t| pool.entry(t));
    let (vsize, fees) = entries.fold((0, Amount::ZERO), |(v, f), e| (v + e.vsize, f + e.modified_fee()));
    (rate.fee(vsize.max(0) as usize) - fees).max(Amount::ZERO)
}
