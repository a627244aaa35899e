//! `savemempool`, `importmempool`.

use std::path::Path;

use grs_mempool::ImportOptions;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use serde_json::{Value, json};

use crate::mempool_file;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "blockchain",
                "savemempool",
                "Writes the mempool to its file. Fails until the file of the last run is loaded.\n",
                savemempool,
            )
            .result(Res::obj("", "", [Res::str("filename", "Full path of the file")]))
            .example(""),
        maker
            .method(
                "blockchain",
                "importmempool",
                "Reads a mempool file and tries to take its transactions. Do not import a file that you do not trust, least \
                 of all with what it says beyond the transactions.",
                importmempool,
            )
            .arg(Arg::str("filepath", "The file"))
            .arg(
                Arg::options(
                    "options",
                    "",
                    [
                        Arg::bool("use_current_time", "The transactions come now, instead of when the file says")
                            .default(true),
                        Arg::bool(
                            "apply_fee_delta_priority",
                            "Takes the fee deltas of prioritisetransaction over; they add to those there are",
                        )
                        .default(false),
                        Arg::bool(
                            "apply_unbroadcast_set",
                            "Takes over which transactions no peer has asked for yet",
                        )
                        .default(false),
                    ],
                )
                .oneline("options"),
            )
            .result(Res::obj("", "", []))
            .example("/path/to/mempool.dat"),
    ]
}

fn savemempool(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let mempool = ctx.mempool()?;
    if !mempool.lock().load_tried() {
        return Err(RpcError::misc("The mempool was not loaded yet"));
    }
    let path = mempool_file::path(&ctx.node);
    if !mempool_file::dump(mempool, &path) {
        return Err(RpcError::misc("Unable to dump mempool to disk"));
    }
    Ok(json!({ "filename": path.display().to_string() }))
}

fn importmempool(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let (manager, mempool) = (ctx.chainman()?, ctx.mempool()?);
    if manager.is_initial_block_download() {
        return Err(RpcError::new(
            code::CLIENT_IN_INITIAL_DOWNLOAD,
            "Can only import the mempool after the block download and sync is done.",
        ));
    }
    let path: &str = request.arg("filepath")?;
    let options = request.value("options");
    let flag = |name: &str, default: bool| match options.field(name) {
        Value::Null => Ok(default),
        value => value.get_bool(),
    };
    let options = ImportOptions {
        use_current_time: flag("use_current_time", true)?,
        apply_fee_deltas: flag("apply_fee_delta_priority", false)?,
        apply_unbroadcast: flag("apply_unbroadcast_set", false)?,
    };
    mempool_file::import(Path::new(path), manager, mempool, options)
        .map(|_| json!({}))
        .ok_or_else(|| RpcError::misc("Unable to import mempool file, see debug.log for details."))
}
