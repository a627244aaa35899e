//! Merkle trees of blocks. Reference: `src/consensus/merkle.cpp`.

use grs_hashes::MerkleRoot;
use grs_hashes::purpose::merkle_node;

use crate::Block;

/// A root, and whether the list of leaves repeats itself in the way of CVE-2012-2459 (two different lists with
/// one root).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MerkleResult {
    /// The root; zero for no leaves.
    pub root: MerkleRoot,
    /// True when two equal neighbours were combined.
    pub mutated: bool,
}

/// Root of a list of leaves.
pub fn merkle_root(mut hashes: Vec<[u8; 32]>) -> MerkleResult {
    let mut mutated = false;
    while hashes.len() > 1 {
        mutated |= hashes.chunks_exact(2).any(|pair| pair[0] == pair[1]);
        hashes =
            hashes.chunks(2).map(|pair| merkle_node(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
    }
    MerkleResult { root: MerkleRoot::from_bytes(hashes.first().copied().unwrap_or_default()), mutated }
}

/// Root over the transaction ids.
pub fn block_merkle_root(block: &Block) -> MerkleResult {
    merkle_root(block.txs.iter().map(|tx| tx.txid().to_bytes()).collect())
}

/// Root over the witness transaction ids, with zero in the coinbase's place.
pub fn block_witness_merkle_root(block: &Block) -> MerkleRoot {
    let mut leaves: Vec<[u8; 32]> = block.txs.iter().map(|tx| tx.wtxid().to_bytes()).collect();
    if let Some(first) = leaves.first_mut() {
        *first = [0; 32];
    }
    merkle_root(leaves).root
}

/// The siblings on the way from leaf `position` to the root, deepest first.
pub fn merkle_path(mut hashes: Vec<[u8; 32]>, mut position: usize) -> Vec<[u8; 32]> {
    let mut path = Vec::new();
    while hashes.len() > 1 {
        let sibling = (position ^ 1).min(hashes.len() - 1);
        path.push(hashes[sibling]);
        hashes =
            hashes.chunks(2).map(|pair| merkle_node(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
        position /= 2;
    }
    path
}

/// Root from a leaf, its position and its path.
pub fn merkle_root_from_path(leaf: [u8; 32], mut position: usize, path: &[[u8; 32]]) -> MerkleRoot {
    let mut hash = leaf;
    for sibling in path {
        hash = if position & 1 == 1 { merkle_node(sibling, &hash) } else { merkle_node(&hash, sibling) };
        position /= 2;
    }
    MerkleRoot::from_bytes(hash)
}
