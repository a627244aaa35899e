//! `invalidateblock`, `reconsiderblock`, `preciousblock`, `syncwithvalidationinterfacequeue`.

use grs_chainstate::{BlockId, ChainstateManager, FatalError};
use grs_log::warn;
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use serde_json::Value;

use super::lookup;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let none = || Res::null("", "");
    vec![
        maker
            .method(
                "blockchain",
                "preciousblock",
                "Treats a block as if it had come before others of the same work. A later call overrides an earlier one; \
                 nothing of it is kept across restarts.\n",
                preciousblock,
            )
            .arg(Arg::hex("blockhash", "The block to prefer"))
            .result(none())
            .example("\"blockhash\""),
        maker
            .method(
                "hidden",
                "invalidateblock",
                "Marks a block as invalid for good, as if it broke a rule.\n",
                invalidateblock,
            )
            .arg(Arg::hex("blockhash", "The block to mark"))
            .result(none())
            .example("\"blockhash\""),
        maker
            .method(
                "hidden",
                "reconsiderblock",
                "Takes the mark of invalidity off a block, its ancestors and its descendants, so that they may become \
                 active again. Undoes invalidateblock.\n",
                reconsiderblock,
            )
            .arg(Arg::hex("blockhash", "The block to look at again"))
            .result(none())
            .example("\"blockhash\""),
        maker
            .method(
                "hidden",
                "syncwithvalidationinterfacequeue",
                "Waits until all validation events that are queued now have been handled.\n",
                |ctx, _| {
                    ctx.chainman()?.signals().sync();
                    Ok(Value::Null)
                },
            )
            .result(none())
            .example(""),
    ]
}

fn database(error: FatalError) -> RpcError {
    RpcError::new(code::DATABASE_ERROR, error.0)
}

fn preciousblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let id = lookup(manager, request.value("blockhash"), "blockhash")?;
    manager.precious_block(id).map_err(database)?;
    Ok(Value::Null)
}

/// Marks a block as invalid and looks for the best chain without it.
pub(super) fn invalidate(manager: &ChainstateManager, id: BlockId) -> Result<(), RpcError> {
    // As in the reference it is no error here that a block cannot be taken back, for want of its undo data or because
    // it is the first: the chain stays as it is.
    if let Err(error) = manager.invalidate_block(id) {
        warn!("Cannot invalidate block {}: {error}", manager.index().hash(id));
    }
    manager.activate_best_chain(None).map_err(database)
}

fn invalidateblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let id = lookup(manager, request.value("blockhash"), "blockhash")?;
    invalidate(manager, id)?;
    Ok(Value::Null)
}

fn reconsiderblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let id = lookup(manager, request.value("blockhash"), "blockhash")?;
    manager.reconsider_block(id).map_err(database)?;
    Ok(Value::Null)
}
