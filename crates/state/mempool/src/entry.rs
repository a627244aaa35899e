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

    /// Estimated bytes of memory, near what the reference counts.
    pub fn memory_usage(&self) -> usize {
        tx_memory_usage(&self.tx) + ENTRY_OVERHEAD + SPENT_OVERHEAD * self.tx.inputs.len()
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

/// Bytes for the entry itself, its places in the maps and in the graph, as the reference counts them on 64-bit
/// machines: entry with index 224, list of all 40, graph 80 with a cluster of 88 and a chunk of 64.
const ENTRY_OVERHEAD: usize = 224 + 40 + 80 + 88 + 64;
/// Bytes for a place in the map of spent outputs.
const SPENT_OVERHEAD: usize = 64;

/// Bytes that an allocation takes (reference: `memusage::MallocUsage`).
const fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 31) >> 4 << 4 }
}

/// Bytes that a shared transaction takes in the reference: structures and heap blocks of inputs, outputs and witnesses.
pub(crate) fn tx_memory_usage(tx: &TxRef) -> usize {
    /// Scripts up to this size are stored in place.
    const INLINE: usize = 36;
    let script = |len: usize| if len > INLINE { allocated(len) } else { 0 };
    let inputs: usize = tx
        .inputs
        .iter()
        .map(|i| {
            let items: usize = i.witness.iter().map(|w| allocated(w.len())).sum();
            script(i.script_sig.len()) + allocated(24 * i.witness.iter().count()) + items
        })
        .sum();
    let outputs: usize = tx.outputs.iter().map(|o| script(o.script_pubkey.len())).sum();
    let lists = allocated(112 * tx.inputs.len()) + allocated(48 * tx.outputs.len());
    allocated(128) + allocated(24) + lists + inputs + outputs
}
