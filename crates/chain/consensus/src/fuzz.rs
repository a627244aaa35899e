//! Fuzz targets: any bytes, no panic.

use grs_encoding::{Decode, Reader};
use grs_params::{ChainParams, Network};
use grs_primitives::Block;

use crate::{
    HeaderList, MerkleBlock, SignetTxs, check_block, check_witness_malleation, contextual_check_block,
    generate_coinbase_commitment, is_block_mutated,
};

/// Every rule that takes a block, over any block; and a commitment made for it must fit.
pub fn fuzz_block_rules(data: &[u8]) {
    let Ok(mut block) = Block::decode(&mut Reader::new(data)) else { return };
    let chain = ChainParams::for_network(Network::Regtest);
    let mut list = HeaderList::new(0);
    list.push(chain.genesis.header);
    let verdict = check_block(&block, &chain.consensus, false, true);
    let mutated = is_block_mutated(&block, true);
    if verdict.is_ok() && !mutated {
        assert!(check_witness_malleation(&block, true).is_ok(), "a sound block has a sound commitment");
    }
    let _ = contextual_check_block(&block, list.tip(), &chain.consensus);
    let _ = SignetTxs::new(&block, &[0x51]);
    let single = block.txs.first().is_some_and(|tx| tx.is_coinbase());
    if single && crate::witness_commitment_index(&block).is_none() {
        generate_coinbase_commitment(&mut block, true);
        assert!(crate::witness_commitment_index(&block).is_some());
    }
}

/// Proofs: what decodes encodes to itself, and claims no more than the tree holds.
pub fn fuzz_merkle_block(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(proof) = MerkleBlock::decode(&mut reader) else { return };
    assert_eq!(grs_encoding::encode_to_vec(&proof), data[..data.len() - reader.remaining()]);
    if let Some(found) = proof.tree.extract_matches() {
        assert!(found.matches.iter().all(|(position, _)| *position < proof.tree.tx_count()));
    }
}
