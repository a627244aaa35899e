use std::sync::Arc;

use grs_consensus::{HeaderView, generate_coinbase_commitment, minimum_block_time, next_work_required};
use grs_params::ConsensusParams;
use grs_policy::FeeRate;
use grs_primitives::{
    Amount, Block, HashedHeader, Header, Transaction, TxOut, TxRef, merkle_path, merkle_root,
};
use grs_sync::clock;

/// A block to be solved, and what a miner wants to know about it. Reference: `CBlockTemplate`.
#[derive(Clone, Debug)]
pub struct BlockTemplate {
    /// Header; the Merkle root is set when the coinbase is final.
    pub header: Header,
    /// Transactions; the first is the coinbase.
    pub txs: Vec<TxRef>,
    /// Fee of each transaction but the coinbase.
    pub fees: Vec<Amount>,
    /// Signature operation cost of each transaction but the coinbase.
    pub sigops: Vec<i64>,
    /// Rates of the chunks in the order they were taken.
    pub chunk_rates: Vec<FeeRate>,
    /// What an own coinbase has to consist of.
    pub coinbase: CoinbaseParts,
    /// Height of the block.
    pub height: u32,
}

/// The parts of which a miner makes a coinbase. Reference: `CoinbaseTx`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinbaseParts {
    /// Version.
    pub version: u32,
    /// Sequence of the input.
    pub sequence: u32,
    /// Start of the input script; more may follow.
    pub script_sig_prefix: Vec<u8>,
    /// The only item of the witness, if there has to be one.
    pub witness: Option<[u8; 32]>,
    /// Subsidy and fees.
    pub reward: Amount,
    /// Outputs that have to be there.
    pub required_outputs: Vec<TxOut>,
    /// Lock time.
    pub lock_time: u32,
}

impl BlockTemplate {
    /// The block as it is, with the Merkle root of its transactions.
    pub fn to_block(&self) -> Block {
        block_of(self.header, self.txs.clone())
    }

    /// Sum of all fees.
    pub fn total_fees(&self) -> Amount {
        self.fees.iter().copied().sum()
    }

    /// Siblings of the coinbase in the Merkle tree, deepest first.
    pub fn coinbase_merkle_path(&self) -> Vec<[u8; 32]> {
        merkle_path(self.txs.iter().map(|tx| tx.txid().to_bytes()).collect(), 0)
    }

    /// The block with a miner's coinbase and header values. Reference: `AddMerkleRootAndCoinbase`.
    pub fn solved(&self, coinbase: TxRef, version: i32, time: u32, nonce: u32) -> Block {
        let mut txs = self.txs.clone();
        match txs.first_mut() {
            Some(first) => *first = coinbase,
            None => txs.push(coinbase),
        }
        block_of(Header { version, time, nonce, ..self.header }, txs)
    }
}

/// A block with the Merkle root of its transactions.
pub fn block_of(header: Header, txs: Vec<TxRef>) -> Block {
    let merkle_root = merkle_root(txs.iter().map(|tx| tx.txid().to_bytes()).collect()).root;
    Block::new(HashedHeader::new(Header { merkle_root, ..header }), txs)
}

/// Moves a header's time to now, or to the earliest allowed time; sets the target where it depends on the time.
/// Returns by how many seconds the time moved. Reference: `UpdateTime`.
pub fn update_time<H: HeaderView>(header: &mut Header, prev: H, params: &ConsensusParams) -> i64 {
    let old = i64::from(header.time);
    let new = minimum_block_time(prev, params).max(clock::now_secs());
    if old < new {
        header.time = u32::try_from(new).unwrap_or(u32::MAX);
    }
    if params.pow_allow_min_difficulty_blocks {
        header.bits = next_work_required(prev, header.time, params);
    }
    new - old
}

/// Gives a new header its time, which is now or the earliest allowed one, and its target.
pub fn set_time<H: HeaderView + Copy>(header: &mut Header, prev: H, params: &ConsensusParams) {
    header.time = u32::try_from(clock::now_secs()).unwrap_or(u32::MAX);
    update_time(header, prev, params);
    header.bits = next_work_required(prev, header.time, params);
}

/// Makes the witness commitment again after transactions changed. The Merkle root is not touched.
/// Reference: `RegenerateCommitments`.
pub fn regenerate_commitment(block: &mut Block, segwit_active: bool) {
    if let Some(index) = grs_consensus::witness_commitment_index(block)
        && let Some(coinbase) = block.txs.first_mut()
    {
        let mut changed = coinbase.to_mutable();
        changed.outputs.remove(index);
        *coinbase = Arc::new(Transaction::from(changed));
    }
    generate_coinbase_commitment(block, segwit_active);
}
