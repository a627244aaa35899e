//! A block of a custom signet (one key), signed and mined with this crate, which Groestlcoin Core 31.0 accepted;
//! and one that it refused as `bad-signet-blksig`.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use grs_consensus::{BlockRule, CheckedBlock, HeaderList, contextual_check_block, contextual_check_header};
use grs_encoding::{decode_exact, hex_decode};
use grs_params::{ChainParams, Network, ParamsOptions, SignetOptions};
use grs_primitives::Block;

const CHALLENGE: &str = "512102531fe6068134503d2723133227c867ac8fa6c83c537e9a44c3c5bdbdcb1fe33751ae";
const ACCEPTED: &str = "\
    0000002031ab14bb9235f2a2eb6c877b51af5743258c81e7e9cdc69379a2a2ca7f000000103bdc1916721a5426baefe2\
    e37169b718236c7ff590793353153deae3657c3bb8e1ba5fae77031eb213660001010000000001010000000000000000\
    000000000000000000000000000000000000000000000000ffffffff03510101ffffffff0200002cd6e2150000015100\
    00000000000000776a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf94c4f\
    ecc7daa2490047304402201738b4e64f6faba2937747bbd7cb5bdb08a52e229af0269d07f8307b300fa62b0220534dee\
    dc3ff7fa62a6fe2c2e16229db75058985202e73a99b74eb20825d67ee401000120000000000000000000000000000000\
    000000000000000000000000000000000000000000";
const REFUSED: &str = "\
    0000002031ab14bb9235f2a2eb6c877b51af5743258c81e7e9cdc69379a2a2ca7f000000130107df45dac99fbd2f70a2\
    f5fefff004774f2a16d2faeff72b984a4f91e13bb8e1ba5fae77031e80a0470001010000000001010000000000000000\
    000000000000000000000000000000000000000000000000ffffffff03510101ffffffff0200002cd6e2150000015100\
    00000000000000776a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf94c4f\
    ecc7daa2490047304402205cbca83ab2ee128d600bdfa2e7aa75bac92b085e155221c88ffc73e06b201f7e022043bf59\
    50acf49542e92f4dce38da36c686d7d5018130f6946356e09f62192ba401000120000000000000000000000000000000\
    000000000000000000000000000000000000000000";

#[test]
fn verdicts_of_the_reference() {
    let challenge = Some(hex_decode(CHALLENGE).unwrap());
    let options =
        ParamsOptions { signet: SignetOptions { challenge, seeds: None }, ..ParamsOptions::default() };
    let chain = ChainParams::new(Network::Signet, &options);
    let mut list = HeaderList::new(0);
    list.push(chain.genesis.header);
    let check = |text: &str| {
        let block: Block = decode_exact(&hex_decode(text).unwrap()).unwrap();
        let checked = CheckedBlock::check(Arc::new(block), &chain.consensus)?;
        contextual_check_header(&checked.header, list.tip().unwrap(), &chain.consensus, 1_700_000_000)?;
        contextual_check_block(&checked, list.tip(), &chain.consensus)
    };
    assert_eq!(check(ACCEPTED), Ok(()));
    assert_eq!(check(REFUSED), Err(BlockRule::SignetSolution));
}
