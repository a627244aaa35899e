//! Rules that need nothing but the block. Reference: `src/validation.cpp`, `CheckBlock`, `IsBlockMutated`.

use std::ops::Deref;
use std::sync::Arc;

use grs_params::ConsensusParams;
use grs_primitives::{Block, HashedHeader, WITNESS_SCALE_FACTOR, block_merkle_root};
use grs_script::legacy_sig_op_count;

use crate::pow::header_pow;
use crate::{
    BlockRule, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, check_signet_solution, check_transaction,
    check_witness_malleation,
};

/// A block that passed [`check_block`] with proof of work and Merkle root. Nothing else can make one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedBlock {
    block: Arc<Block>,
}

impl CheckedBlock {
    /// Checks a block.
    pub fn check(block: Arc<Block>, params: &ConsensusParams) -> Result<CheckedBlock, BlockRule> {
        check_block(&block, params, true, true)?;
        Ok(CheckedBlock { block })
    }

    /// The block.
    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    /// The block, owned.
    pub fn into_block(self) -> Arc<Block> {
        self.block
    }
}

impl Deref for CheckedBlock {
    type Target = Block;
    fn deref(&self) -> &Block {
        &self.block
    }
}

/// The proof of work rule of a header. Reference: `CheckBlockHeader`.
pub fn check_header_pow(header: &HashedHeader, params: &ConsensusParams) -> Result<(), BlockRule> {
    if header_pow(header, &header.hash(), params) { Ok(()) } else { Err(BlockRule::HighHash) }
}

/// Whether the transactions are those that the header commits to.
pub fn check_merkle_root(block: &Block) -> Result<(), BlockRule> {
    let merkle = block_merkle_root(block);
    if merkle.root != block.header.merkle_root {
        return Err(BlockRule::MerkleRoot);
    }
    if merkle.mutated { Err(BlockRule::DuplicateTransactions) } else { Ok(()) }
}

/// All rules that need no context. Templates have no proof of work yet and are checked without it (which leaves
/// out the signet solution too), and before their Merkle root is final without that. Witnesses are not looked
/// at: without the commitment's check, which needs context, they prove nothing about the block.
pub fn check_block(
    block: &Block,
    params: &ConsensusParams,
    check_pow: bool,
    check_merkle: bool,
) -> Result<(), BlockRule> {
    if check_pow {
        check_header_pow(&block.header, params)?;
        if params.signet_blocks && !check_signet_solution(block, params) {
            return Err(BlockRule::SignetSolution);
        }
    }
    if check_merkle {
        check_merkle_root(block)?;
    }
    check_block_form(block)?;
    for tx in &block.txs {
        check_transaction(tx).map_err(|rule| BlockRule::Transaction { txid: tx.txid(), rule })?;
    }
    let sigops: u64 = block.txs.iter().map(|tx| u64::from(legacy_sig_op_count(tx))).sum();
    if sigops * WITNESS_SCALE_FACTOR as u64 > MAX_BLOCK_SIGOPS_COST as u64 {
        return Err(BlockRule::LegacySigops);
    }
    Ok(())
}

/// The part of [`check_block`] about the number, size and order of transactions, leaving each of them alone.
pub fn check_block_form(block: &Block) -> Result<(), BlockRule> {
    if block.txs.is_empty()
        || block.txs.len() * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT
        || block.base_size() * WITNESS_SCALE_FACTOR > MAX_BLOCK_WEIGHT
    {
        return Err(BlockRule::Length);
    }
    if !block.txs[0].is_coinbase() {
        return Err(BlockRule::CoinbaseMissing);
    }
    if block.txs[1..].iter().any(|tx| tx.is_coinbase()) {
        return Err(BlockRule::CoinbaseMultiple);
    }
    Ok(())
}

/// Whether the transactions of a block were changed on the way, so that nothing follows about the block that
/// its header names. Segwit being active for it decides `check_witness_root`.
pub fn is_block_mutated(block: &Block, check_witness_root: bool) -> bool {
    if check_merkle_root(block).is_err() {
        return true;
    }
    if block.txs.first().is_none_or(|tx| !tx.is_coinbase()) {
        // Invalid in any case; 64 bytes may be an inner node of the tree that poses as a transaction.
        return block.txs.iter().any(|tx| tx.base_size() == 64);
    }
    check_witness_malleation(block, check_witness_root).is_err()
}
