//! `gettxoutproof`, `verifytxoutproof`. Reference: `src/rpc/txoutproof.cpp`.

use std::collections::BTreeSet;

use grs_chainstate::{BlockId, ChainstateManager};
use grs_consensus::{MAX_BLOCK_WEIGHT, MIN_TRANSACTION_WEIGHT, MerkleBlock};
use grs_encoding::{Decode, Reader, encode_to_vec, hex_encode};
use grs_hashes::Txid;
use grs_primitives::OutPoint;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, value};
use serde_json::Value;

use super::blockchain::{lookup, read_block};
use super::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "blockchain",
                "gettxoutproof",
                "A proof in hexadecimal that a block holds transactions. Works for blocks given by hash, and for transactions \
                 with unspent outputs; for all others only with -txindex.\n",
                gettxoutproof,
            )
            .arg(Arg::arr("txids", "Ids of the transactions", [Arg::hex("txid", "An id").optional()]))
            .arg(Arg::hex("blockhash", "The block they are in").optional())
            .result(Res::str("data", "The proof")),
        maker
            .method(
                "blockchain",
                "verifytxoutproof",
                "Checks a proof and gives the transactions it is of. Fails if the block is not in the best chain\n",
                verifytxoutproof,
            )
            .arg(Arg::hex("proof", "The proof that gettxoutproof gave"))
            .result(Res::arr("", "", [Res::hex("txid", "An id; none if the proof is no good")])),
    ]
}

/// The block of a transaction that has an unspent output.
fn block_of_coin(manager: &ChainstateManager, txids: &BTreeSet<Txid>) -> Option<BlockId> {
    let most = (MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT) as u32;
    let state = manager.lock();
    let find = |txid: &Txid| {
        (0..most).find_map(|vout| state.coins_ref().peek(&OutPoint { txid: *txid, vout }).ok().flatten())
    };
    let coin = txids.iter().find_map(find)?;
    state.view().at(coin.height)
}

fn gettxoutproof(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let list = request.value("txids").get_array()?;
    if list.is_empty() {
        return Err(RpcError::invalid_parameter("Parameter 'txids' cannot be empty"));
    }
    let mut txids = BTreeSet::new();
    for text in list {
        if !txids.insert(Txid::from_bytes(value::parse_hash(text, "txid")?)) {
            return Err(RpcError::invalid_parameter(format!(
                "Invalid parameter, duplicated txid: {}",
                text.get_str()?
            )));
        }
    }
    let manager = ctx.chainman()?;
    let id = match request.value("blockhash") {
        Value::Null => block_of_coin(manager, &txids)
            .ok_or_else(|| RpcError::invalid_address_or_key("Transaction not yet in block"))?,
        hash => lookup(manager, hash, "blockhash")?,
    };
    let block = read_block(manager, id)?;
    let found = block.txs.iter().filter(|tx| txids.contains(&tx.txid())).count();
    if found != txids.len() {
        return Err(RpcError::invalid_address_or_key(
            "Not all transactions found in specified or retrieved block",
        ));
    }
    let proof = MerkleBlock::new(&block, |tx| txids.contains(&tx.txid()))
        .ok_or_else(|| RpcError::bug("a block without transactions"))?;
    Ok(hex_encode(encode_to_vec(&proof)).into())
}

fn verifytxoutproof(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let bytes = value::parse_hex(request.value("proof"), "proof")?;
    // Bytes that follow are ignored.
    let proof = MerkleBlock::decode(&mut Reader::new(&bytes)).map_err(|e| RpcError::misc(e.to_string()))?;
    let Some(found) = proof.tree.extract_matches().filter(|found| found.root == proof.header.merkle_root)
    else {
        return Ok(Value::Array(Vec::new()));
    };
    let manager = ctx.chainman()?;
    let index = manager.index();
    let id = index
        .lookup(&proof.header.hash())
        .filter(|id| manager.view().contains(*id) && index.tx_count(*id) != 0)
        .ok_or_else(|| RpcError::invalid_address_or_key("Block not found in chain"))?;
    // A tree of another number of leaves can be made to show inner nodes as transactions.
    if index.tx_count(id) != proof.tree.tx_count() {
        return Ok(Value::Array(Vec::new()));
    }
    Ok(found.matches.iter().map(|(_, txid)| txid.to_string()).collect::<Vec<_>>().into())
}
