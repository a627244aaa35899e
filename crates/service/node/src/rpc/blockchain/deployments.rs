//! `getdeploymentinfo`.

use std::sync::PoisonError;

use grs_chainstate::{BlockId, ChainstateManager};
use grs_consensus::block_script_flags;
use grs_params::{BuriedDeployment, DeploymentPos};
use grs_rpc::{Arg, Method, Request, Res, RpcError};
use serde_json::{Map, Value, json};

use super::{lookup, tip};
use crate::rpc::{Ctx, Maker};

fn bip9_shape() -> Res {
    let statistics = Res::obj(
        "statistics",
        "Signals of this period (while started or locked in)",
        [
            Res::num("period", "Blocks of a period"),
            Res::num("threshold", "Signals needed (while started)").optional(),
            Res::num("elapsed", "Blocks of this period so far"),
            Res::num("count", "Signals in this period so far"),
            Res::bool("possible", "Whether the threshold can still be reached (while started)").optional(),
        ],
    );
    Res::obj(
        "bip9",
        "State of the version bits (type \"bip9\" only)",
        [
            Res::num("bit", "Bit of the block version (while started or locked in)").optional(),
            Res::time("start_time", "Median time from which the bit counts"),
            Res::time("timeout", "Median time at which the attempt fails unless locked in"),
            Res::num("min_activation_height", "Least height of activation"),
            Res::str("status", "State of the block: defined, started, locked_in, active or failed"),
            Res::num("since", "Height at which this state began"),
            Res::str("status_next", "State of the next block"),
            statistics.optional(),
            Res::str("signalling", "A # for each block that signalled, a - for each other").optional(),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let deployment = Res::obj(
        "xxxx",
        "A deployment by its name",
        [
            Res::str("type", "\"buried\" or \"bip9\""),
            Res::num("height", "First height at which the rules hold, if known").optional(),
            Res::bool("active", "Whether they hold for mempool and next block"),
            bip9_shape().optional(),
        ],
    );
    vec![
        maker
            .method(
                "blockchain",
                "getdeploymentinfo",
                "States of the deployments of rule changes at a block.",
                getdeploymentinfo,
            )
            .arg(Arg::hex("blockhash", "The block").default("hash of current chain tip"))
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("hash", "Hash of the block"),
                    Res::num("height", "Its height"),
                    Res::arr("script_flags", "Script rules of the block", [Res::str("flag", "A rule")]),
                    Res::obj_dyn("deployments", "", [deployment]),
                ],
            ))
            .example(""),
    ]
}

fn bip9(manager: &ChainstateManager, id: BlockId, pos: DeploymentPos) -> Value {
    let consensus = &manager.params().consensus;
    let terms = consensus.deployment(pos);
    let info = manager.version_bits().lock().unwrap_or_else(PoisonError::into_inner).info(
        manager.header_view(id),
        consensus,
        pos,
    );
    let mut bip9 = Map::new();
    if info.stats.is_some() {
        bip9.insert("bit".into(), terms.bit.into());
    }
    bip9.insert("start_time".into(), terms.start_time.into());
    bip9.insert("timeout".into(), terms.timeout.into());
    bip9.insert("min_activation_height".into(), terms.min_activation_height.into());
    bip9.insert("status".into(), info.current_state.name().into());
    bip9.insert("since".into(), info.since.into());
    bip9.insert("status_next".into(), info.next_state.name().into());
    if let Some(stats) = info.stats {
        let mut out = Map::new();
        out.insert("period".into(), stats.period.into());
        out.insert("elapsed".into(), stats.elapsed.into());
        out.insert("count".into(), stats.count.into());
        if stats.threshold > 0 || stats.possible {
            out.insert("threshold".into(), stats.threshold.into());
            out.insert("possible".into(), stats.possible.into());
        }
        bip9.insert("statistics".into(), out.into());
        let signs: String = info.signalling_blocks.iter().map(|s| if *s { '#' } else { '-' }).collect();
        bip9.insert("signalling".into(), signs.into());
    }
    let mut out = Map::new();
    out.insert("type".into(), "bip9".into());
    if let Some(since) = info.active_since {
        out.insert("height".into(), since.into());
    }
    let next = i64::from(manager.index().height(id)) + 1;
    out.insert("active".into(), info.active_since.is_some_and(|since| i64::from(since) <= next).into());
    out.insert("bip9".into(), bip9.into());
    out.into()
}

fn getdeploymentinfo(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let id = match request.value("blockhash") {
        Value::Null => tip(manager)?,
        hash => lookup(manager, hash, "blockhash")?,
    };
    let consensus = &manager.params().consensus;
    let (hash, height) = (manager.index().hash(id), manager.index().height(id) as i32);
    let mut deployments = Map::new();
    for buried in BuriedDeployment::ALL {
        let at = consensus.deployment_height(buried);
        if at == i32::MAX {
            continue;
        }
        let active = consensus.is_active_at(buried, height.saturating_add(1));
        let entry = json!({ "type": "buried", "active": active, "height": at });
        deployments.insert(buried.name().into(), entry);
    }
    for pos in DeploymentPos::ALL {
        if consensus.deployment(pos).is_enabled() {
            deployments.insert(pos.name().into(), bip9(manager, id, pos));
        }
    }
    Ok(json!({
        "hash": hash.to_string(),
        "height": height,
        "script_flags": block_script_flags(height, &hash, consensus).names(),
        "deployments": deployments,
    }))
}
