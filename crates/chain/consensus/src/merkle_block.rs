//! Proofs that transactions are in a block (BIP37). Reference: `src/merkleblock.{h,cpp}`.

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_var_bytes};
use grs_hashes::purpose::merkle_node;
use grs_hashes::{MerkleRoot, Txid};
use grs_primitives::{Block, HashedHeader, Transaction};

use crate::{MAX_BLOCK_WEIGHT, MIN_TRANSACTION_WEIGHT};

/// The part of a block's Merkle tree that proves some of its transactions.
///
/// The tree is walked from the root, left before right. A flag tells of each node whether a wanted transaction is
/// below; if not, or at a transaction itself, the node's hash follows, otherwise its children.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PartialMerkleTree {
    tx_count: u32,
    hashes: Vec<[u8; 32]>,
    /// Eight flags a byte, lowest bit first.
    flags: Vec<u8>,
}

/// What a [`PartialMerkleTree`] proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MerkleMatches {
    /// The root that the tree leads to; the proof holds for a block with this root.
    pub root: MerkleRoot,
    /// Positions in the block and ids.
    pub matches: Vec<(u32, Txid)>,
}

/// Number of nodes at a distance from the leaves.
fn width(tx_count: u32, height: u32) -> u64 {
    (u64::from(tx_count) + (1 << height) - 1) >> height
}

/// Distance of the root from the leaves.
fn tree_height(tx_count: u32) -> u32 {
    (0..32).find(|h| width(tx_count, *h) <= 1).unwrap_or(32)
}

struct Builder<'a> {
    /// Hashes of all nodes, leaves first.
    levels: Vec<Vec<[u8; 32]>>,
    wanted: &'a [bool],
    tree: PartialMerkleTree,
    flag_count: usize,
}

impl Builder<'_> {
    fn visit(&mut self, height: u32, position: usize) {
        let from = position << height;
        let to = ((position + 1) << height).min(self.wanted.len());
        let below = self.wanted[from..to].contains(&true);
        if self.flag_count.is_multiple_of(8) {
            self.tree.flags.push(0);
        }
        self.tree.flags[self.flag_count / 8] |= u8::from(below) << (self.flag_count % 8);
        self.flag_count += 1;
        if height == 0 || !below {
            self.tree.hashes.push(self.levels[height as usize][position]);
            return;
        }
        self.visit(height - 1, position * 2);
        if position * 2 + 1 < self.levels[height as usize - 1].len() {
            self.visit(height - 1, position * 2 + 1);
        }
    }
}

struct Walker<'a> {
    tree: &'a PartialMerkleTree,
    flags_used: usize,
    hashes_used: usize,
    matches: Vec<(u32, Txid)>,
}

impl Walker<'_> {
    fn visit(&mut self, height: u32, position: u64) -> Option<[u8; 32]> {
        let byte = self.tree.flags.get(self.flags_used / 8)?;
        let below = byte >> (self.flags_used % 8) & 1 == 1;
        self.flags_used += 1;
        if height == 0 || !below {
            let hash = *self.tree.hashes.get(self.hashes_used)?;
            self.hashes_used += 1;
            if height == 0 && below {
                self.matches.push((position as u32, Txid::from_bytes(hash)));
            }
            return Some(hash);
        }
        let left = self.visit(height - 1, position * 2)?;
        if position * 2 + 1 < width(self.tree.tx_count, height - 1) {
            let right = self.visit(height - 1, position * 2 + 1)?;
            // Equal neighbours would let one transaction stand for two.
            (left != right).then(|| merkle_node(&left, &right))
        } else {
            Some(merkle_node(&left, &left))
        }
    }
}

impl PartialMerkleTree {
    /// Proves those transactions of a block that `wanted` marks. Both lists must have one length, at least one.
    pub fn new(txids: &[Txid], wanted: &[bool]) -> PartialMerkleTree {
        assert!(
            !txids.is_empty() && txids.len() == wanted.len(),
            "a block has a coinbase, and marks for all"
        );
        let mut levels = vec![txids.iter().map(|t| t.to_bytes()).collect::<Vec<_>>()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            levels.push(below.chunks(2).map(|p| merkle_node(&p[0], p.last().unwrap_or(&p[0]))).collect());
        }
        let root = levels.len() as u32 - 1;
        let tree = PartialMerkleTree { tx_count: txids.len() as u32, ..PartialMerkleTree::default() };
        let mut builder = Builder { levels, wanted, tree, flag_count: 0 };
        builder.visit(root, 0);
        builder.tree
    }

    /// Number of transactions that the block is said to have. Not proven: compare it with the block's.
    pub fn tx_count(&self) -> u32 {
        self.tx_count
    }

    /// The proven transactions; none when the tree contradicts itself or has anything left over.
    pub fn extract_matches(&self) -> Option<MerkleMatches> {
        let most = MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT;
        if self.tx_count == 0
            || self.tx_count as usize > most
            || self.hashes.len() > self.tx_count as usize
            || self.flags.len() * 8 < self.hashes.len()
        {
            return None;
        }
        let mut walker = Walker { tree: self, flags_used: 0, hashes_used: 0, matches: Vec::new() };
        let root = walker.visit(tree_height(self.tx_count), 0)?;
        let complete =
            walker.flags_used.div_ceil(8) == self.flags.len() && walker.hashes_used == self.hashes.len();
        complete.then_some(MerkleMatches { root: MerkleRoot::from_bytes(root), matches: walker.matches })
    }
}

impl Encode for PartialMerkleTree {
    fn encode(&self, out: &mut Vec<u8>) {
        self.tx_count.encode(out);
        self.hashes.encode(out);
        write_var_bytes(out, &self.flags);
    }
}

impl Decode for PartialMerkleTree {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(PartialMerkleTree {
            tx_count: reader.u32_le()?,
            hashes: Vec::decode(reader)?,
            flags: reader.var_bytes()?.to_vec(),
        })
    }
}

/// A header with a proof for some of the block's transactions: the message `merkleblock`, and what
/// `gettxoutproof` gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MerkleBlock {
    /// Header with its hash.
    pub header: HashedHeader,
    /// The proof.
    pub tree: PartialMerkleTree,
}

impl MerkleBlock {
    /// Proves the transactions that `wanted` chooses; it is asked of each one in order. None without
    /// transactions.
    pub fn new(block: &Block, wanted: impl FnMut(&Transaction) -> bool) -> Option<MerkleBlock> {
        let txids: Vec<Txid> = block.txs.iter().map(|tx| tx.txid()).collect();
        let marks: Vec<bool> = block.txs.iter().map(AsRef::as_ref).map(wanted).collect();
        (!txids.is_empty())
            .then(|| MerkleBlock { header: block.header, tree: PartialMerkleTree::new(&txids, &marks) })
    }
}

impl Encode for MerkleBlock {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        self.tree.encode(out);
    }
}

impl Decode for MerkleBlock {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(MerkleBlock { header: HashedHeader::decode(reader)?, tree: PartialMerkleTree::decode(reader)? })
    }
}

#[cfg(test)]
mod tests {
    use grs_encoding::{decode_exact, encode_to_vec};
    use grs_primitives::merkle_root;
    use grs_testkit::Rng;

    use super::*;

    fn txids(n: u32) -> Vec<Txid> {
        (0..n).map(|i| grs_hashes::purpose::txid(&i.to_le_bytes())).collect()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut rng = Rng(5);
        for n in [1, 2, 3, 4, 7, 17, 56, 100, 127, 256, 312, 513, 1000, 4095] {
            let ids = txids(n);
            let root = merkle_root(ids.iter().map(|t| t.to_bytes()).collect()).root;
            for share in [0, 1, 2, 4, 64, 1_000_000] {
                let wanted: Vec<bool> = ids.iter().map(|_| share != 0 && rng.below(share) == 0).collect();
                let tree = PartialMerkleTree::new(&ids, &wanted);
                let bytes = encode_to_vec(&tree);
                let tree: PartialMerkleTree = decode_exact(&bytes).unwrap();
                let found = tree.extract_matches().unwrap();
                let expected: Vec<(u32, Txid)> =
                    (0..n).filter(|i| wanted[*i as usize]).map(|i| (i, ids[i as usize])).collect();
                assert_eq!(found, MerkleMatches { root, matches: expected });
                // Any bit changed in a hash changes the root.
                let mut bad = tree.clone();
                let at = rng.below(bad.hashes.len());
                bad.hashes[at][rng.below(32)] ^= 1 << rng.below(8);
                assert_ne!(bad.extract_matches().map(|m| m.root), Some(root));
            }
        }
    }

    #[test]
    fn what_does_not_add_up_proves_nothing() {
        let ids = txids(9);
        let tree =
            PartialMerkleTree::new(&ids, &[false, true, false, false, false, false, false, false, true]);
        assert!(tree.extract_matches().is_some());
        let change = |edit: &dyn Fn(&mut PartialMerkleTree)| {
            let mut tree = tree.clone();
            edit(&mut tree);
            tree.extract_matches()
        };
        assert!(change(&|t| t.hashes.push([0; 32])).is_none());
        assert!(change(&|t| t.hashes.truncate(1)).is_none());
        assert!(change(&|t| t.flags.push(0)).is_none());
        assert!(change(&|t| t.flags.clear()).is_none());
        assert!(change(&|t| t.tx_count = 0).is_none());
        assert!(change(&|t| t.tx_count = 16_667).is_none());
        assert!(change(&|t| t.tx_count = u32::MAX).is_none());
        // Two equal neighbours.
        let twice = PartialMerkleTree::new(&[ids[0], ids[0]], &[true, true]);
        assert!(twice.extract_matches().is_none());
    }
}
