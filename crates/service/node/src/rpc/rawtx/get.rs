//! `getrawtransaction`.

use std::sync::Arc;

use grs_chainstate::{BlockId, ChainstateManager, TxUndo};
use grs_hashes::Txid;
use grs_primitives::TxRef;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value};

use crate::rpc::tx_json::{TxParts, prevout_shape, tx_fields, tx_hex, tx_shape};
use crate::rpc::{Ctx, Maker, block_hash};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut plain = vec![
        Res::bool("in_active_chain", "Whether the block is in the best chain (only with \"blockhash\")")
            .optional(),
        Res::hex("blockhash", "The block").optional(),
        Res::num("confirmations", "Number of confirmations").optional(),
        Res::time("blocktime", "The block's time in seconds since 1970").optional(),
        Res::num("time", "The same as \"blocktime\"").optional(),
        Res::hex("hex", "The transaction's bytes"),
    ];
    plain.extend(tx_shape("The id that was asked for"));
    let input =
        Res::obj("", "A spent output", [Res::elision("As with verbosity = 1"), prevout_shape().optional()]);
    vec![
        maker
            .method(
                "rawtransactions",
                "getrawtransaction",
                "A transaction: of the mempool, of a block that is given by its hash, or of any block if -txindex is on. As bytes \
                 in hexadecimal (verbosity 0), as an object (1), or as an object with fee and spent outputs (2). See \
                 gettransaction for those of a wallet.",
                getrawtransaction,
            )
            .arg(Arg::hex("txid", "The transaction's id"))
            .arg(
                Arg::num("verbosity|verbose", "How much is shown, from 0 to 2")
                    .default(0)
                    .skip_type_check(),
            )
            .arg(Arg::hex("blockhash", "The block to look in").optional())
            .result(Res::str("data", "The transaction's bytes").cond("if verbosity is not set or set to 0"))
            .result(Res::obj("", "", plain).cond("if verbosity is set to 1"))
            .result(
                Res::obj(
                    "",
                    "",
                    [
                        Res::elision("As with verbosity = 1"),
                        Res::num("fee", "The fee in GRS, if undo data is at hand").optional(),
                        Res::arr("vin", "", [input]),
                    ],
                )
                .cond("for verbosity = 2"),
            )
            .example_cli("\"mytxid\"")
            .example_cli("\"mytxid\" 1")
            .example_rpc("\"mytxid\", 1")
            .example_cli("\"mytxid\" 0 \"myblockhash\"")
            .example_cli("\"mytxid\" 1 \"myblockhash\"")
            .example_cli("\"mytxid\" 2 \"myblockhash\""),
    ]
}

fn in_block(manager: &ChainstateManager, id: BlockId, txid: &Txid) -> Option<TxRef> {
    let block = manager.store().read_block(id).ok()?;
    block.txs.into_iter().find(|tx| tx.txid() == *txid)
}

fn find(ctx: &Ctx, txid: &Txid, block: Option<BlockId>) -> Result<TxRef, RpcError> {
    let manager = ctx.chainman()?;
    let (found, why) = match block {
        Some(id) => {
            if !manager.index().status(id).have_data() {
                return Err(RpcError::misc("Block not available"));
            }
            (in_block(manager, id, txid), "No such transaction found in the provided block")
        }
        None => (
            ctx.mempool.get().and_then(|mempool| mempool.get(txid)),
            "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries",
        ),
    };
    found.ok_or_else(|| {
        RpcError::invalid_address_or_key(format!("{why}. Use gettransaction for wallet transactions."))
    })
}

/// What a transaction of a block spent; `None` for coinbases and if the undo data is not there.
fn undo_of(manager: &ChainstateManager, id: BlockId, txid: &Txid) -> Result<Option<TxUndo>, RpcError> {
    let status = manager.index().status(id);
    if !status.have_data() && !status.have_undo() {
        return Ok(None);
    }
    let lost = |what: &str| {
        RpcError::internal(format!(
            "{what} data expected but can't be read. This could be due to disk corruption or a conflict with a pruning event."
        ))
    };
    let undo = manager.store().read_undo(id).map_err(|_| lost("Undo"))?;
    let block = manager.store().read_block(id).map_err(|_| lost("Block"))?;
    let position = block.txs.iter().position(|tx| tx.txid() == *txid);
    Ok(position.and_then(|n| n.checked_sub(1)).and_then(|n| undo.txs.get(n).cloned()))
}

fn getrawtransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let (index, params) = (manager.index(), manager.params());
    let txid = Txid::from_bytes(value::parse_hash(request.value("txid"), "parameter 1")?);
    if txid.to_bytes() == params.genesis.header.merkle_root.to_bytes() {
        return Err(RpcError::invalid_address_or_key(
            "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved",
        ));
    }
    let verbosity = value::parse_verbosity(request.value("verbosity"), 0, true)?;
    let block = match request.value("blockhash") {
        Value::Null => None,
        hash => {
            let id = index.lookup(&block_hash(hash, "parameter 3")?);
            Some(id.ok_or_else(|| RpcError::invalid_address_or_key("Block hash not found"))?)
        }
    };
    let tx: TxRef = Arc::clone(&find(ctx, &txid, block)?);
    if verbosity <= 0 {
        return Ok(tx_hex(&tx).into());
    }
    let undo = match block {
        Some(id) if verbosity >= 2 && !tx.is_coinbase() => undo_of(manager, id, &txid)?,
        _ => None,
    };
    let view = manager.view();
    let mut out = Map::new();
    if let Some(id) = block {
        out.insert("in_active_chain".into(), view.contains(id).into());
    }
    let parts =
        TxParts { undo: undo.as_ref(), prevouts: true, hex: true, block: block.map(|id| index.hash(id)) };
    out.extend(tx_fields(&tx, params.network, parts));
    if let Some(id) = block {
        if view.contains(id) {
            let confirmations = i64::from(view.height()) - i64::from(index.height(id)) + 1;
            out.insert("confirmations".into(), confirmations.into());
            out.insert("time".into(), index.time(id).into());
            out.insert("blocktime".into(), index.time(id).into());
        } else {
            out.insert("confirmations".into(), 0.into());
        }
    }
    Ok(Value::Object(out))
}
