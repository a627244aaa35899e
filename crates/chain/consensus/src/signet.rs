//! Solutions of the challenge of a signet (BIP325). Reference: `src/signet.cpp`.

use grs_encoding::{Decode, DecodeError, Encode, Reader};
use grs_params::ConsensusParams;
use grs_primitives::{
    Amount, Block, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut, Witness, merkle_root,
};
use grs_script::{PrecomputedTxData, ScriptExt, ScriptFlags, TransactionChecker, verify_script};

use crate::witness_commitment_index;

/// What a push in the commitment's output begins with when it holds the solution.
const SIGNET_HEADER: [u8; 4] = [0xec, 0xc7, 0xda, 0xa2];
const OP_RETURN: u8 = 0x6a;
const OP_PUSHDATA1: u8 = 0x4c;
const OP_PUSHDATA2: u8 = 0x4d;
const OP_PUSHDATA4: u8 = 0x4e;

/// The two virtual transactions whose script check is the block's solution: one with an output that the
/// challenge locks, and one that spends it with the solution.
#[derive(Clone, Debug)]
pub struct SignetTxs {
    /// Commits to the block and holds the challenge.
    pub to_spend: Transaction,
    /// Holds the solution.
    pub to_sign: Transaction,
}

/// Appends a push of `data` as `CScript::operator<<` does: by length only, never as a number opcode.
fn push(script: &mut Vec<u8>, data: &[u8]) {
    match data.len() {
        len @ 0..0x4c => script.push(len as u8),
        len @ 0x4c..=0xff => script.extend([OP_PUSHDATA1, len as u8]),
        len @ 0x100..=0xffff => {
            script.push(OP_PUSHDATA2);
            script.extend((len as u16).to_le_bytes());
        }
        len => {
            script.push(OP_PUSHDATA4);
            script.extend((len as u32).to_le_bytes());
        }
    }
    script.extend_from_slice(data);
}

/// Cuts the solution out of the commitment's script. `None` when there is none; the script stays as it is.
fn take_solution(script: &mut Script) -> Option<Vec<u8>> {
    let mut replacement = Vec::with_capacity(script.len());
    let mut solution = None;
    // A script that breaks off is read up to there.
    for instruction in script.instructions().map_while(Result::ok) {
        if instruction.data.is_empty() {
            replacement.push(instruction.opcode);
            continue;
        }
        match instruction.data.strip_prefix(&SIGNET_HEADER) {
            Some(rest) if solution.is_none() && !rest.is_empty() => {
                solution = Some(rest.to_vec());
                push(&mut replacement, &SIGNET_HEADER);
            }
            _ => push(&mut replacement, instruction.data),
        }
    }
    if solution.is_some() {
        *script = Script::from(replacement);
    }
    solution
}

/// Script and witness of a solution that fills `data` to the last byte.
fn parse_solution(data: &[u8]) -> Result<(Script, Witness), DecodeError> {
    let mut reader = Reader::new(data);
    let parsed = (Script::decode(&mut reader)?, Witness::decode(&mut reader)?);
    reader.finish()?;
    Ok(parsed)
}

impl SignetTxs {
    /// The transactions of a block; none when it has no commitment, or a solution that does not parse. Without
    /// a solution the spending input is empty, for challenges that need none.
    pub fn new(block: &Block, challenge: &[u8]) -> Option<SignetTxs> {
        let index = witness_commitment_index(block)?;
        let mut coinbase = block.txs.first()?.to_mutable();
        let solution = take_solution(&mut coinbase.outputs.get_mut(index)?.script_pubkey);
        let mut input = TxIn::new(OutPoint::NULL, 0);
        if let Some(data) = solution {
            (input.script_sig, input.witness) = parse_solution(&data).ok()?;
        }
        let mut leaves = vec![coinbase.txid().to_bytes()];
        leaves.extend(block.txs[1..].iter().map(|tx| tx.txid().to_bytes()));
        let mut data = Vec::with_capacity(72);
        block.header.version.encode(&mut data);
        block.header.prev.encode(&mut data);
        merkle_root(leaves).root.encode(&mut data);
        block.header.time.encode(&mut data);

        let mut commitment = TxIn::new(OutPoint::NULL, 0);
        let mut script = vec![0];
        push(&mut script, &data);
        commitment.script_sig = Script::from(script);
        let to_spend = Transaction::from(MutableTransaction {
            version: 0,
            inputs: vec![commitment],
            outputs: vec![TxOut::new(Amount::ZERO, Script::from(challenge))],
            lock_time: 0,
        });
        input.prevout = OutPoint::new(to_spend.txid(), 0);
        let to_sign = Transaction::from(MutableTransaction {
            version: 0,
            inputs: vec![input],
            outputs: vec![TxOut::new(Amount::ZERO, Script::from(vec![OP_RETURN]))],
            lock_time: 0,
        });
        Some(SignetTxs { to_spend, to_sign })
    }
}

/// Whether a block satisfies the challenge of its signet; the genesis block does by definition.
/// Reference: `CheckSignetBlockSolution`.
pub fn check_signet_solution(block: &Block, params: &ConsensusParams) -> bool {
    if block.hash() == params.genesis_hash {
        return true;
    }
    let Some(txs) = SignetTxs::new(block, &params.signet_challenge) else { return false };
    let flags = ScriptFlags::P2SH | ScriptFlags::WITNESS | ScriptFlags::DERSIG | ScriptFlags::NULLDUMMY;
    let spent = &txs.to_spend.outputs[0];
    let data = PrecomputedTxData::new(&txs.to_sign, vec![spent.clone()], true);
    let input = &txs.to_sign.inputs[0];
    let mut checker = TransactionChecker::new(&txs.to_sign, 0, spent.value, Some(&data));
    verify_script(&input.script_sig, &spent.script_pubkey, &input.witness, flags, &mut checker).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use grs_encoding::hex_encode;
    use grs_keys::SecretKey;
    use grs_params::{ChainParams, Network, ParamsOptions, SignetOptions};
    use grs_primitives::{HashedHeader, Header};
    use grs_script::{SigVersion, signature_hash};

    use super::*;
    use crate::generate_coinbase_commitment;

    fn params(challenge: &[u8]) -> ConsensusParams {
        let signet = SignetOptions { challenge: Some(challenge.to_vec()), seeds: None };
        ChainParams::new(Network::Signet, &ParamsOptions { signet, ..ParamsOptions::default() }).consensus
    }

    /// A block with a commitment, and behind it in the same output whatever `tail` holds.
    fn block(tail: &[u8]) -> Block {
        let coinbase = MutableTransaction {
            version: 1,
            inputs: vec![TxIn::new(OutPoint::NULL, 0)],
            outputs: vec![TxOut::new(Amount(1), Script::new())],
            lock_time: 0,
        };
        let header = Header { version: 0x2000_0000, time: 77, ..Header::default() };
        let mut block = Block::new(HashedHeader::new(header), vec![Arc::new(Transaction::from(coinbase))]);
        generate_coinbase_commitment(&mut block, true);
        let mut coinbase = block.txs[0].to_mutable();
        coinbase.outputs[1].script_pubkey.bytes_mut().extend_from_slice(tail);
        block.txs[0] = Arc::new(Transaction::from(coinbase));
        block
    }

    /// The push that holds a solution.
    fn tail(script_sig: &[u8], witness: &[&[u8]], extra: &[u8]) -> Vec<u8> {
        let mut data = SIGNET_HEADER.to_vec();
        Script::from(script_sig).encode(&mut data);
        Witness(witness.iter().map(|w| w.to_vec()).collect()).encode(&mut data);
        data.extend_from_slice(extra);
        let mut out = Vec::new();
        push(&mut out, &data);
        out
    }

    #[test]
    fn trivial_challenge_needs_no_solution() {
        let open = params(&[0x51]);
        assert!(check_signet_solution(&block(&[]), &open));
        assert!(!check_signet_solution(&block(&[]), &params(&[0x00])));
        let mut bare = block(&[]);
        bare.txs[0] = Arc::new(Transaction::from(MutableTransaction {
            outputs: Vec::new(),
            ..bare.txs[0].to_mutable()
        }));
        assert!(!check_signet_solution(&bare, &open), "a commitment is required");
        bare.txs.clear();
        assert!(!check_signet_solution(&bare, &open));
        let genesis = ChainParams::for_network(Network::Signet).genesis;
        assert!(check_signet_solution(&genesis, &params(&[0x00])));
    }

    #[test]
    fn solution_has_to_parse() {
        // A challenge that compares with 7.
        let seven = params(&[0x57, 0x87]);
        assert!(check_signet_solution(&block(&tail(&[0x57], &[], &[])), &seven));
        assert!(!check_signet_solution(&block(&tail(&[0x58], &[], &[])), &seven));
        assert!(!check_signet_solution(&block(&tail(&[0x57], &[], &[0])), &seven), "data behind it");
        assert!(!check_signet_solution(&block(&[6, 0xec, 0xc7, 0xda, 0xa2, 9, 9]), &seven), "cut off");
        // A push with the header alone is no solution; a second one is not looked at.
        let mut script = vec![4, 0xec, 0xc7, 0xda, 0xa2];
        assert!(!check_signet_solution(&block(&script), &seven));
        script.extend(tail(&[0x57], &[], &[]));
        script.extend(tail(&[0x58], &[], &[]));
        assert!(check_signet_solution(&block(&script), &seven));
    }

    #[test]
    fn taking_the_solution_out() {
        let mut script = Script::from(vec![0x6a, 0x4c, 1, 9, 0x4c, 0, 6, 0xec, 0xc7, 0xda, 0xa2, 1, 2, 0x51]);
        assert_eq!(take_solution(&mut script), Some(vec![1, 2]));
        // Pushes are written in their short form, an empty one as its bare opcode.
        assert_eq!(script.to_hex(), "6a01094c04ecc7daa251");
        let mut none = Script::from(vec![0x6a, 0x4c, 1, 9]);
        assert_eq!(take_solution(&mut none), None);
        assert_eq!(hex_encode(none.as_bytes()), "6a4c0109");
    }

    #[test]
    fn signed_block() {
        let key = SecretKey::from_slice(&[3; 32], true).unwrap();
        let public = key.public_key();
        let mut challenge = vec![0x51, public.as_bytes().len() as u8];
        challenge.extend_from_slice(public.as_bytes());
        challenge.extend([0x51, 0xae]);
        let params = params(&challenge);
        // What is signed holds the header of the solution, but not the solution.
        let unsigned = SignetTxs::new(&block(&tail(&[0], &[], &[])), &challenge).unwrap();
        let hash =
            signature_hash(&challenge, &unsigned.to_sign, 0, 1, Amount::ZERO, SigVersion::Base, None, None);
        let mut signature = key.sign(hash.as_bytes(), true);
        signature.push(1);
        let mut script_sig = vec![0];
        push(&mut script_sig, &signature);
        let solved = block(&tail(&script_sig, &[], &[]));
        assert!(check_signet_solution(&solved, &params));
        let later = Header { time: 78, ..*solved.header };
        let changed = Block::new(HashedHeader::new(later), solved.txs.clone());
        assert!(!check_signet_solution(&changed, &params));
    }
}
