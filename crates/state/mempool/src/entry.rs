use grs_policy::{sigops_adjusted_weight, virtual_size};
use grs_primitives::{Amount, TxRef};
use grs_txgraph::{FeeSize, TxId};

/// Height that stands for "in the mempool" where coins carry a height.
pub const MEMPOOL_HEIGHT: u32 = 0x7fff_ffff;

/// A transaction in the mempool.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The transaction.
    pub tx: TxRef,
    /// Fee it pays.
    pub fee: Amount,
    /// Added to the fee for mining, by `prioritisetransaction`.
    pub fee_delta: i64,
    /// When it came, in seconds since 1970.
    pub time: i64,
    /// Height of the tip when it came.
    pub height: u32,
    /// Sequence number when it came; 0 for those that a reorganisation brought back.
    pub sequence: u64,
    /// Signature operation cost.
    pub sigop_cost: u32,
    /// Whether it spends a coinbase, which matters when blocks are disconnected.
    pub spends_coinbase: bool,
    /// Weight, adjusted for signature operations.
    pub weight: i64,
    /// Virtual size, adjusted for signature operations.
    pub vsize: i64,
    /// Name in the graph.
    pub id: TxId,
}

impl Entry {
    /// Fee with the delta of prioritisation.
    pub fn modified_fee(&self) -> Amount {
        Amount(self.fee.0.saturating_add(self.fee_delta))
    }

    /// What the graph sorts by.
    pub fn fee_size(&self) -> FeeSize {
        FeeSize::new(self.modified_fee().0, self.weight)
    }

    /// Estimated bytes of memory.
    pub fn memory_usage(&self) -> usize {
        tx_memory_usage(&self.tx) + ENTRY_OVERHEAD
    }

    /// Weight and virtual size of a transaction with this signature operation cost.
    pub(crate) fn sizes(tx: &TxRef, sigop_cost: u32, bytes_per_sigop: u32) -> (i64, i64) {
        let weight = tx.weight();
        (
            sigops_adjusted_weight(weight, sigop_cost, bytes_per_sigop),
            virtual_size(weight, sigop_cost, bytes_per_sigop),
        )
    }
}

/// Bytes for the entry itself, its places in the maps and in the graph.
const ENTRY_OVERHEAD: usize = 480;

/// Estimated bytes that a shared transaction takes: structures and heap blocks of inputs, outputs and witnesses.
fn tx_memory_usage(tx: &TxRef) -> usize {
    const BLOCK: usize = 16;
    let inputs: usize = tx
        .inputs
        .iter()
        .map(|i| {
            let witness: usize = i.witness.iter().map(|w| w.len() + 24 + BLOCK).sum();
            104 + i.script_sig.len() + BLOCK + witness
        })
        .sum();
    let outputs: usize = tx.outputs.iter().map(|o| 32 + o.script_pubkey.len() + BLOCK).sum();
    160 + inputs + outputs
}
