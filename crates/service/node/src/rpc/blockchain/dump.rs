//! `dumptxoutset`: the coins as a snapshot file.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use grs_chainstate::{BlockId, ChainstateManager, Coin, CoinsCursor, StatsHash, compute_stats};
use grs_encoding::{Encode, write_compact_size};
use grs_hashes::Txid;
use grs_log::warn;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, help};
use grs_socket::ConnectionManager;
use serde_json::{Value, json};

use super::choose::invalidate;
use super::{hash_or_height, tip};
use crate::rpc::{Ctx, Maker};

const MAGIC: [u8; 5] = *b"utxo\xff";
const VERSION: u16 = 2;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "blockchain",
                "dumptxoutset",
                "Writes all unspent outputs to a file. With other types than \"latest\" the node goes back to the \
                 height first and returns afterwards; other calls should wait meanwhile. May take minutes: the client \
                 should wait without limit (groestlcoin-cli -rpcclienttimeout=0).\n",
                dumptxoutset,
            )
            .arg(Arg::str("path", "The file to write, relative to the data directory of the network"))
            .arg(
                Arg::str(
                    "type",
                    "\"latest\" for the tip, \"rollback\" for an earlier block: that of the option of this name, or the \
                     last one that loadtxoutset takes",
                )
                .default(""),
            )
            .arg(Arg::options(
                "options",
                "",
                [Arg::num("rollback", "Height or hash of the block to go back to")
                    .optional()
                    .skip_type_check()
                    .type_str("", "string or numeric")],
            ))
            .result(Res::obj(
                "",
                "",
                [
                    Res::num("coins_written", "Number of coins in the file"),
                    Res::hex("base_hash", "Hash of the block that the coins belong to"),
                    Res::num("base_height", "Height of that block"),
                    Res::str("path", "Full path of the file"),
                    Res::hex("txoutset_hash", "Hash of the coins"),
                    Res::num("nchaintx", "Transactions of the chain up to that block"),
                ],
            ))
            .example_text(&help::example_cli("-rpcclienttimeout=0 dumptxoutset", "utxo.dat latest"))
            .example_text(&help::example_cli("-rpcclienttimeout=0 dumptxoutset", "utxo.dat rollback"))
            .example_text(&help::example_cli(
                "-rpcclienttimeout=0 -named dumptxoutset",
                "utxo.dat rollback=853456",
            )),
    ]
}

fn target(manager: &ChainstateManager, request: &Request<'_>) -> Result<BlockId, RpcError> {
    let kind: &str = request.arg("type")?;
    let rollback = request.value("options").field("rollback");
    if !rollback.is_null() {
        if !kind.is_empty() && kind != "rollback" {
            return Err(RpcError::invalid_parameter(format!(
                "Invalid snapshot type \"{kind}\" specified with rollback option"
            )));
        }
        return hash_or_height(manager, rollback);
    }
    match kind {
        "rollback" => {
            let heights = manager.params().available_snapshot_heights();
            let height = heights.into_iter().max().ok_or_else(|| RpcError::bug("no snapshot heights"))?;
            hash_or_height(manager, &height.into())
        }
        "latest" => tip(manager),
        other => Err(RpcError::invalid_parameter(format!(
            "Invalid snapshot type \"{other}\" specified. Please specify \"rollback\" or \"latest\""
        ))),
    }
}

/// Keeps a block invalid while it lives.
struct Rollback<'a>(&'a ChainstateManager, BlockId);

impl<'a> Rollback<'a> {
    fn new(manager: &'a ChainstateManager, first: BlockId) -> Result<Rollback<'a>, RpcError> {
        let rollback = Rollback(manager, first);
        invalidate(manager, first)?;
        Ok(rollback)
    }
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.reconsider_block(self.1) {
            warn!("dumptxoutset failed to return to the tip: {error}");
        }
    }
}

/// Keeps networking off while it lives, if it was on: in a chain that was rolled back, peers would look bad.
struct Offline<'a>(Option<&'a ConnectionManager>);

impl<'a> Offline<'a> {
    fn new(connman: Option<&'a ConnectionManager>) -> Offline<'a> {
        let connman = connman.filter(|connman| connman.network_active());
        if let Some(connman) = connman {
            connman.set_network_active(false);
        }
        Offline(connman)
    }
}

impl Drop for Offline<'_> {
    fn drop(&mut self) {
        if let Some(connman) = self.0 {
            connman.set_network_active(true);
        }
    }
}

fn unable() -> RpcError {
    RpcError::internal("Unable to read UTXO set")
}

fn dumptxoutset(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let wanted = target(manager, request)?;
    let path: PathBuf = ctx.args.data_dir_net().join(request.arg::<&str>("path")?);
    let mut incomplete = path.clone().into_os_string();
    incomplete.push(".incomplete");
    let incomplete = PathBuf::from(incomplete);
    if path.exists() {
        return Err(RpcError::invalid_parameter(format!(
            "{} already exists. If you are sure this is what you want, move it out of the way first",
            path.display()
        )));
    }
    let file = std::fs::File::create(&incomplete).map_err(|_| {
        RpcError::invalid_parameter(format!("Couldn't open file {} for writing.", incomplete.display()))
    })?;
    let view = manager.view();
    let _undone = match view.next(wanted) {
        Some(first) => {
            let offline = Offline::new(ctx.connman.get().map(|connman| &**connman));
            // Dropped in this order: back at the tip first.
            Some((Rollback::new(manager, first)?, offline))
        }
        None => None,
    };
    let (stats, cursor) = {
        // Under one lock: figures and cursor have to be of the same state.
        let mut state = manager.lock();
        if state.tip() != Some(wanted) {
            warn!("dumptxoutset failed to roll back to requested height, reverting to tip.");
            return Err(RpcError::misc("Could not roll back to requested height."));
        }
        state.flush_state(grs_chainstate::FlushMode::ForceSync, None).map_err(|_| unable())?;
        let db = state.coins().db().clone();
        let cursor = db.cursor().map_err(|_| unable())?;
        let best = (manager.index().hash(wanted), manager.index().height(wanted));
        let stats = compute_stats(&db, best, StatsHash::Serialized, manager.interrupt());
        (stats.ok().flatten().ok_or_else(unable)?, cursor)
    };
    let hash = stats.hash.ok_or_else(|| RpcError::bug("no hash of the coins"))?;
    write_snapshot(file, manager, wanted, stats.outputs, cursor)
        .and_then(|()| std::fs::rename(&incomplete, &path))
        .map_err(|e| RpcError::misc(format!("Failed to write {}: {e}", path.display())))?;
    Ok(json!({
        "coins_written": stats.outputs,
        "base_hash": stats.best_block.to_string(),
        "base_height": stats.height,
        "path": absolute(&path),
        "txoutset_hash": hash.to_string(),
        "nchaintx": manager.index().chain_tx_count(wanted),
    }))
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Writes metadata and coins, grouped by transaction. Reference: `WriteUTXOSnapshot`.
fn write_snapshot(
    file: std::fs::File,
    manager: &ChainstateManager,
    base: BlockId,
    count: u64,
    mut cursor: CoinsCursor,
) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    let mut head = MAGIC.to_vec();
    VERSION.encode(&mut head);
    head.extend_from_slice(&manager.params().magic);
    manager.index().hash(base).encode(&mut head);
    count.encode(&mut head);
    out.write_all(&head)?;
    let mut group: Vec<(u32, Coin)> = Vec::new();
    let mut last: Option<Txid> = None;
    let mut data = Vec::new();
    let mut write_group = |txid: Txid, group: &mut Vec<(u32, Coin)>| {
        data.clear();
        txid.encode(&mut data);
        write_compact_size(&mut data, group.len() as u64);
        for (vout, coin) in group.drain(..) {
            write_compact_size(&mut data, vout.into());
            coin.encode(&mut data);
        }
        out.write_all(&data)
    };
    let failed = |e: grs_leveldb::Error| std::io::Error::other(e.to_string());
    while let Some((outpoint, coin)) = cursor.next_coin().map_err(failed)? {
        if let Some(txid) = last.filter(|txid| *txid != outpoint.txid) {
            write_group(txid, &mut group)?;
        }
        last = Some(outpoint.txid);
        group.push((outpoint.vout, coin));
    }
    if let Some(txid) = last {
        write_group(txid, &mut group)?;
    }
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
}
