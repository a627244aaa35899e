//! Indexes beside the chain.

use std::sync::Arc;

use grs_fs::{FileEnv, RealEnv};
use grs_index::{FilterIndex, FilterIndexParams, IndexError};

use super::steps::fail;
use super::{StartFailed, init_error};
use crate::NodeContext;

/// Memory for the database of an index, in bytes: it holds little, the filters are in files of their own.
const CACHE_BYTES: usize = 8 << 20;

/// Opens the index of block filters if `-blockfilterindex` asks for it.
pub(super) fn open(node: &Arc<NodeContext>) -> Result<(), StartFailed> {
    let args = &node.args;
    // The value is "1", nothing, or names: "basic" is the only one, which has been checked.
    if args.get_str("-blockfilterindex", "0") == "0" {
        return Ok(());
    }
    if args.get_int("-prune", 0_i64) != 0 {
        return fail("Prune mode is not possible together with -blockfilterindex in this version.");
    }
    let chainman = node.chainman.get().ok_or(StartFailed)?;
    let params = FilterIndexParams {
        dir: args.data_dir_net().join("indexes").join("blockfilter").join("basic"),
        cache_bytes: CACHE_BYTES,
        wipe: args.get_bool("-reindex", false),
    };
    let stopped = Arc::downgrade(node);
    let on_fatal = Box::new(move |text: &str| {
        init_error(text);
        if let Some(node) = stopped.upgrade() {
            node.fail();
            node.request_shutdown();
        }
    });
    let env: Arc<dyn FileEnv> = RealEnv::shared();
    let index = FilterIndex::open(&env, &params, chainman, on_fatal).or_else(failed)?;
    let _ = node.filter_index.set(Arc::new(index));
    Ok(())
}

fn failed<T>(error: IndexError) -> Result<T, StartFailed> {
    fail(error.to_string())
}

/// Lets the indexes follow the chain.
pub(super) fn start(node: &NodeContext) -> Result<(), StartFailed> {
    node.filter_index.get().map_or(Ok(()), |index| index.start()).or_else(failed)
}

/// Commits the indexes; the chain is on disk by then.
pub(super) fn stop(node: &NodeContext) {
    if let Some(index) = node.filter_index.get() {
        index.stop();
    }
}
