//! `getblock`, and reading blocks with the errors of methods.

use std::sync::Arc;

use grs_chainstate::{BlockId, BlockUndo, ChainstateManager};
use grs_encoding::{decode_exact, hex_encode};
use grs_primitives::{Block, Transaction};
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value};

use super::header::{header_fields, header_shape};
use super::lookup;
use crate::rpc::tx_json::{TxParts, prevout_shape, tx_fields};
use crate::rpc::{Ctx, Maker};

const EXAMPLE_HASH: &str = "\"00000000000434d5b8d1c3308df7b6e3fd773657dfb28f5dd2f70854ef94cc66\"";

fn shape_with_ids() -> Res {
    let mut shape = header_shape();
    shape.extend([
        Res::num("size", "Bytes"),
        Res::num("strippedsize", "Bytes without witnesses"),
        Res::num("weight", "Weight (BIP141)"),
        Res::obj(
            "coinbase_tx",
            "About the coinbase",
            [
                Res::num("version", "Its version"),
                Res::num("locktime", "Its lock time"),
                Res::num("sequence", "Its input's sequence number"),
                Res::hex("coinbase", "Its input's script"),
                Res::hex("witness", "The only item of its witness, if there is one").optional(),
            ],
        ),
        Res::arr("tx", "Ids of the transactions", [Res::hex("", "The id")]),
    ]);
    Res::obj("", "", shape)
}

fn shape_with_txs() -> Res {
    let tx = Res::obj(
        "",
        "",
        [
            Res::elision("Transactions as getrawtransaction shows them"),
            Res::num("fee", "The fee in GRS, if the undo data is at hand").optional(),
        ],
    );
    Res::obj("", "", [Res::elision("As with verbosity = 1"), Res::arr("tx", "", [tx])])
}

fn shape_with_prevouts() -> Res {
    let input = Res::obj("", "", [Res::elision("As with verbosity = 2"), prevout_shape()]);
    let tx = Res::obj("", "", [Res::arr("vin", "", [input])]);
    Res::obj("", "", [Res::elision("As with verbosity = 2"), Res::arr("tx", "", [tx])])
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "blockchain",
                "getblock",
                "A block: its bytes in hexadecimal (verbosity 0), an object with the ids of its transactions (1), with \
                 the transactions themselves (2), or also with the outputs they spend (3; for blocks whose undo data is \
                 at hand).\n",
                getblock,
            )
            .arg(Arg::hex("blockhash", "The block hash"))
            .arg(Arg::num("verbosity|verbose", "How much is shown, from 0 to 3").default(1).skip_type_check())
            .result(Res::hex("", "The block's bytes").cond("for verbosity = 0"))
            .result(shape_with_ids().cond("for verbosity = 1"))
            .result(shape_with_txs().cond("for verbosity = 2"))
            .result(shape_with_prevouts().cond("for verbosity = 3"))
            .example(EXAMPLE_HASH),
    ]
}

/// Fails as methods do when a block's data or undo data is not stored.
fn check_data(manager: &ChainstateManager, id: BlockId, undo: bool) -> Result<(), RpcError> {
    let status = manager.index().status(id);
    let stored = if undo { status.have_undo() } else { status.have_data() };
    if stored {
        return Ok(());
    }
    let what = if undo { "Undo data" } else { "Block" };
    Err(RpcError::misc(if manager.store().is_block_pruned(id) {
        format!("{what} not available (pruned data)")
    } else if undo {
        "Undo data not available".into()
    } else {
        "Block not available (not fully downloaded)".into()
    }))
}

/// Bytes of a block.
fn read_raw(manager: &ChainstateManager, id: BlockId) -> Result<Vec<u8>, RpcError> {
    check_data(manager, id, false)?;
    manager.store().read_raw(id).map_err(|_| RpcError::misc("Block not found on disk"))
}

/// A block.
pub(in crate::rpc) fn read_block(manager: &ChainstateManager, id: BlockId) -> Result<Block, RpcError> {
    check_data(manager, id, false)?;
    manager.store().read_block(id).map_err(|_| RpcError::misc("Block not found on disk"))
}

/// What a block spent; nothing for the genesis block.
pub(super) fn read_undo(manager: &ChainstateManager, id: BlockId) -> Result<BlockUndo, RpcError> {
    if manager.index().height(id) == 0 {
        return Ok(BlockUndo::default());
    }
    check_data(manager, id, true)?;
    manager.store().read_undo(id).map_err(|_| RpcError::misc("Can't read undo data from disk"))
}

fn coinbase_to_json(tx: &Transaction) -> Value {
    let mut out = Map::new();
    out.insert("version".into(), tx.version.into());
    out.insert("locktime".into(), tx.lock_time.into());
    if let Some(input) = tx.inputs.first() {
        out.insert("sequence".into(), input.sequence.into());
        out.insert("coinbase".into(), input.script_sig.to_hex().into());
        if let Some(item) = input.witness.first() {
            out.insert("witness".into(), hex_encode(item).into());
        }
    }
    Value::Object(out)
}

/// The transactions of a block, with fees if the undo data is at hand.
fn transactions(
    manager: &ChainstateManager,
    id: BlockId,
    block: &Block,
    prevouts: bool,
) -> Result<Vec<Value>, RpcError> {
    let have_undo = manager.index().status(id).have_undo() && !manager.store().is_block_pruned(id);
    let undo = match have_undo.then(|| manager.store().read_undo(id)) {
        Some(Err(_)) => {
            return Err(RpcError::internal(
                "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a pruning \
                 event.",
            ));
        }
        Some(Ok(undo)) => Some(undo),
        None => None,
    };
    // The coinbase spends nothing.
    let spent = |index: usize| undo.as_ref().and_then(|u| u.txs.get(index.checked_sub(1)?));
    let show = |(index, tx): (usize, &Arc<Transaction>)| {
        let parts = TxParts { undo: spent(index), prevouts, hex: true, block: None };
        Value::Object(tx_fields(tx, manager.params().network, parts))
    };
    Ok(block.txs.iter().enumerate().map(show).collect())
}

fn getblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    super::block_hash(request.value("blockhash"), "blockhash")?;
    let verbosity = value::parse_verbosity(request.value("verbosity"), 1, true)?;
    let id = lookup(manager, request.value("blockhash"), "blockhash")?;
    let raw = read_raw(manager, id)?;
    if verbosity <= 0 {
        return Ok(hex_encode(raw).into());
    }
    let block: Block = decode_exact(&raw).map_err(|_| RpcError::misc("Block not found on disk"))?;
    let mut out = header_fields(manager, &manager.view(), id);
    out.insert("strippedsize".into(), block.base_size().into());
    out.insert("size".into(), block.total_size().into());
    out.insert("weight".into(), block.weight().into());
    if let Some(coinbase) = block.txs.first() {
        out.insert("coinbase_tx".into(), coinbase_to_json(coinbase));
    }
    let txs: Vec<Value> = if verbosity == 1 {
        block.txs.iter().map(|tx| tx.txid().to_string().into()).collect()
    } else {
        transactions(manager, id, &block, verbosity >= 3)?
    };
    out.insert("tx".into(), txs.into());
    Ok(Value::Object(out))
}
