//! The first blocks. One coinbase serves all networks.

use std::sync::Arc;

use grs_encoding::hex_decode;
use grs_hashes::BlockHash;
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    merkle_root,
};
use grs_uint::CompactTarget;

use crate::Network;

const TIMESTAMP: &[u8] = b"Pressure must be put on Vladimir Putin over Crimea";
const OUTPUT_KEY: &str = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6\
                          49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f";
const OP_CHECKSIG: u8 = 0xac;

fn coinbase() -> Transaction {
    // Pushes of 486604799 (four bytes), 4 (one byte, not OP_4) and the text.
    let mut script_sig = vec![4, 0xff, 0xff, 0x00, 0x1d, 1, 4, TIMESTAMP.len() as u8];
    script_sig.extend_from_slice(TIMESTAMP);
    let key = hex_decode(OUTPUT_KEY).expect("the constant is hexadecimal");
    let mut script_pubkey = vec![key.len() as u8];
    script_pubkey.extend_from_slice(&key);
    script_pubkey.push(OP_CHECKSIG);
    let mut input = TxIn::new(OutPoint::NULL, u32::MAX);
    input.script_sig = Script::from(script_sig);
    Transaction::from(MutableTransaction {
        version: 1,
        inputs: vec![input],
        outputs: vec![TxOut::new(Amount::ZERO, Script::from(script_pubkey))],
        lock_time: 0,
    })
}

/// Version, time, bits, nonce and hash.
const fn terms(network: Network) -> (i32, u32, u32, u32, &'static str) {
    match network {
        Network::Main => (
            112,
            1_395_342_829,
            0x1e0f_ffff,
            220_035,
            "00000ac5927c594d49cc0bdb81759d0da8297eb614683d3acb62f0703b639023",
        ),
        Network::Test | Network::Regtest => (
            3,
            1_440_000_002,
            0x1e00_ffff,
            6_556_309,
            "000000ffbb50fc9898cdd36ec163e6ba23230164c0052a28876255b7dcf2cd36",
        ),
        Network::Testnet4 => (
            3,
            1_725_525_340,
            0x1e00_ffff,
            6_485_621,
            "000000519399f41322d7a8c24bfdc409aa13a80160b43a57668c2ad62802fa5c",
        ),
        Network::Signet => (
            3,
            1_606_082_400,
            0x1e00_ffff,
            14_675_970,
            "0000007fcaa2a27993c6cde9e7818c254357af517b876ceba2f23592bb14ab31",
        ),
    }
}

/// The genesis block. Its hash is a constant here and checked against the header by the tests.
pub(crate) fn genesis_block(network: Network) -> Block {
    let tx = Arc::new(coinbase());
    let (version, time, bits, nonce, hash) = terms(network);
    let header = Header {
        version,
        prev: BlockHash::ZERO,
        merkle_root: merkle_root(vec![tx.txid().to_bytes()]).root,
        time,
        bits: CompactTarget(bits),
        nonce,
    };
    let hash = hash.parse().expect("the constant is a hash");
    Block::new(HashedHeader::from_trusted_parts(header, hash), vec![tx])
}

#[cfg(test)]
mod tests {
    use grs_encoding::encode_to_vec;
    use grs_hashes::MerkleRoot;

    use super::*;

    #[test]
    fn genesis_blocks_are_the_known_ones() {
        let root: MerkleRoot =
            "3ce968df58f9c8a752306c4b7264afab93149dbc578bd08a42c446caaa6628bb".parse().unwrap();
        for network in Network::ALL {
            let block = genesis_block(network);
            assert_eq!(block.header.header().compute_hash(), block.hash(), "{network}");
            assert_eq!(block.header.merkle_root, root);
            assert_eq!(block.txs[0].txid().to_bytes(), root.to_bytes());
            assert_eq!(block.txs[0].total_size(), 185);
            assert_eq!(block.txs[0].inputs[0].script_sig.len(), 58);
            assert_eq!(encode_to_vec(&block).len(), 266);
        }
    }
}
