//! The witness commitment in the coinbase (BIP141). Reference: `src/validation.cpp`,
//! `src/consensus/validation.h`.

use std::sync::Arc;

use grs_hashes::purpose::witness_commitment;
use grs_primitives::{Amount, Block, Script, Transaction, TxOut, Witness, block_witness_merkle_root};

use crate::BlockRule;

/// Least length of the script that holds a commitment.
pub const MINIMUM_WITNESS_COMMITMENT: usize = 38;
/// `OP_RETURN`, a push of 36 bytes, and the four bytes that mark a commitment.
const PREFIX: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Number of the coinbase output that holds the commitment: the last one that looks like it.
pub fn witness_commitment_index(block: &Block) -> Option<usize> {
    block.txs.first()?.outputs.iter().rposition(|output| {
        output.script_pubkey.len() >= MINIMUM_WITNESS_COMMITMENT && output.script_pubkey.starts_with(&PREFIX)
    })
}

/// Whether the witnesses are those that the block commits to: with `expect_commitment` (segwit is active)
/// according to the commitment if there is one, otherwise there must be none at all.
pub fn check_witness_malleation(block: &Block, expect_commitment: bool) -> Result<(), BlockRule> {
    if expect_commitment && let Some(index) = witness_commitment_index(block) {
        let coinbase = &block.txs[0];
        let reserved = match coinbase.inputs.first().map(|i| &i.witness[..]) {
            Some([item]) => <[u8; 32]>::try_from(item.as_slice()).ok(),
            _ => None,
        };
        let reserved = reserved.ok_or(BlockRule::WitnessReservedValue)?;
        let commitment = witness_commitment(&block_witness_merkle_root(block), &reserved);
        let found = &coinbase.outputs[index].script_pubkey[PREFIX.len()..MINIMUM_WITNESS_COMMITMENT];
        return if found == commitment { Ok(()) } else { Err(BlockRule::WitnessCommitment) };
    }
    if block.txs.iter().any(|tx| tx.has_witness()) { Err(BlockRule::UnexpectedWitness) } else { Ok(()) }
}

/// Gives the coinbase of a block with a commitment its reserved value (zeros), if segwit is active and it has
/// no witness yet. Reference: `UpdateUncommittedBlockStructures`.
pub fn fill_witness_reserved_value(block: &mut Block, segwit_active: bool) {
    if !segwit_active || witness_commitment_index(block).is_none() {
        return;
    }
    let Some(coinbase) = block.txs.first_mut() else { return };
    if coinbase.has_witness() {
        return;
    }
    let mut changed = coinbase.to_mutable();
    if let Some(input) = changed.inputs.first_mut() {
        input.witness = Witness(vec![vec![0; 32]]);
        *coinbase = Arc::new(Transaction::from(changed));
    }
}

/// Adds a commitment to the coinbase unless it has one, and the reserved value. The header's Merkle root is the
/// caller's to update. Reference: `GenerateCoinbaseCommitment`.
pub fn generate_coinbase_commitment(block: &mut Block, segwit_active: bool) {
    if witness_commitment_index(block).is_none() {
        let commitment = witness_commitment(&block_witness_merkle_root(block), &[0; 32]);
        if let Some(coinbase) = block.txs.first_mut() {
            let mut script = PREFIX.to_vec();
            script.extend_from_slice(&commitment);
            let mut changed = coinbase.to_mutable();
            changed.outputs.push(TxOut::new(Amount::ZERO, Script::from(script)));
            *coinbase = Arc::new(Transaction::from(changed));
        }
    }
    fill_witness_reserved_value(block, segwit_active);
}

#[cfg(test)]
mod tests {
    use grs_primitives::{HashedHeader, Header, MutableTransaction, OutPoint, TxIn};

    use super::*;

    fn block() -> Block {
        let coinbase = Transaction::from(MutableTransaction {
            version: 1,
            inputs: vec![TxIn::new(OutPoint::NULL, 0)],
            outputs: vec![TxOut::new(Amount(5), Script::new())],
            lock_time: 0,
        });
        let mut spend = coinbase.to_mutable();
        spend.inputs[0].prevout.vout = 1;
        spend.inputs[0].witness = Witness(vec![vec![7; 70]]);
        let txs = vec![Arc::new(coinbase), Arc::new(Transaction::from(spend))];
        Block::new(HashedHeader::new(Header::default()), txs)
    }

    #[test]
    fn generated_commitment_fits() {
        let mut block = block();
        assert_eq!(check_witness_malleation(&block, true), Err(BlockRule::UnexpectedWitness));
        generate_coinbase_commitment(&mut block, true);
        assert_eq!(witness_commitment_index(&block), Some(1));
        assert_eq!(check_witness_malleation(&block, true), Ok(()));
        assert_eq!(check_witness_malleation(&block, false), Err(BlockRule::UnexpectedWitness));
        let again = block.clone();
        generate_coinbase_commitment(&mut block, true);
        assert_eq!(again, block);
    }

    #[test]
    fn broken_commitments() {
        let mut block = block();
        generate_coinbase_commitment(&mut block, true);
        let with = |change: &dyn Fn(&mut MutableTransaction)| {
            let mut block = block.clone();
            let mut coinbase = block.txs[0].to_mutable();
            change(&mut coinbase);
            block.txs[0] = Arc::new(Transaction::from(coinbase));
            check_witness_malleation(&block, true)
        };
        assert_eq!(with(&|c| c.inputs[0].witness.0[0][0] = 1), Err(BlockRule::WitnessCommitment));
        assert_eq!(with(&|c| c.inputs[0].witness.0[0].push(0)), Err(BlockRule::WitnessReservedValue));
        assert_eq!(with(&|c| c.inputs[0].witness.0.push(vec![])), Err(BlockRule::WitnessReservedValue));
        assert_eq!(with(&|c| c.inputs[0].witness.0.clear()), Err(BlockRule::WitnessReservedValue));
        assert_eq!(
            with(&|c| c.outputs[1].script_pubkey.bytes_mut()[37] ^= 1),
            Err(BlockRule::WitnessCommitment)
        );
        // A later output that looks like a commitment is the one that counts.
        assert_eq!(
            with(&|c| {
                let mut decoy = c.outputs[1].clone();
                decoy.script_pubkey.bytes_mut()[6..].fill(0);
                c.outputs.push(decoy);
            }),
            Err(BlockRule::WitnessCommitment)
        );
        assert_eq!(with(&|c| c.outputs.swap(0, 1)), Ok(()));
    }
}
