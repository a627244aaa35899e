//! `getnetworkhashps`, `getmininginfo`.

use grs_chainstate::ChainstateManager;
use grs_consensus::{difficulty, next_work_required};
use grs_encoding::hex_encode;
use grs_params::Network;
use grs_primitives::Header;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value, json};

use super::assembler_options;
use crate::rpc::blockchain::{target_text, tip};
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "mining",
                "getnetworkhashps",
                "Guess of the network's hashes per second, from the last blocks. [nblocks] says how many, -1 means since \
                 the last change of difficulty; [height] takes the blocks up to there instead of the tip.\n",
                getnetworkhashps,
            )
            .arg(Arg::num("nblocks", "Number of blocks, or -1 since the last change of difficulty").default(120))
            .arg(Arg::num("height", "Height of the last of them; -1 for the tip").default(-1))
            .result(Res::num("", "Hashes per second"))
            .example(""),
        maker
            .method("mining", "getmininginfo", "Information about mining.", getmininginfo)
            .result(Res::obj(
                "",
                "",
                [
                    Res::num("blocks", "Height of the tip"),
                    Res::num("currentblockweight", "Weight of the last block made here, with what was kept free")
                        .optional(),
                    Res::num("currentblocktx", "Transactions of the last block made here, without the coinbase")
                        .optional(),
                    Res::hex("bits", "The tip's target in compact form"),
                    Res::num("difficulty", "The tip's difficulty"),
                    Res::hex("target", "The tip's target"),
                    Res::num("networkhashps", "Hashes per second of the network"),
                    Res::num("pooledtx", "Transactions in the mempool"),
                    Res::amount("blockmintxfee", "Least fee rate of transactions in blocks made here, GRS/kvB"),
                    Res::str("chain", "Name of the network (main, test, testnet4, signet, regtest)"),
                    Res::hex("signet_challenge", "Script that blocks satisfy (on signets)").optional(),
                    Res::obj(
                        "next",
                        "The next block",
                        [
                            Res::num("height", "Its height"),
                            Res::hex("bits", "Its target in compact form"),
                            Res::num("difficulty", "Its difficulty"),
                            Res::hex("target", "Its target"),
                        ],
                    ),
                    maker.warnings_shape(),
                ],
            ))
            .example(""),
    ]
}

/// Reference: `GetNetworkHashPS`.
fn hashes_per_second(manager: &ChainstateManager, lookup: i32, height: i32) -> Result<Value, RpcError> {
    if lookup < -1 || lookup == 0 {
        return Err(RpcError::invalid_parameter("Invalid nblocks. Must be a positive number or -1."));
    }
    let view = manager.view();
    if height < -1 || height > view.height() {
        return Err(RpcError::invalid_parameter("Block does not exist at specified height"));
    }
    let index = manager.index();
    let last = u32::try_from(height).map_or(view.tip(), |height| view.at(height));
    let Some(last) = last.filter(|id| index.height(*id) > 0) else { return Ok(0.into()) };
    let height = i64::from(index.height(last));
    let lookup = if lookup == -1 {
        height % manager.params().consensus.difficulty_adjustment_interval() + 1
    } else {
        i64::from(lookup)
    };
    let (mut first, mut least, mut most) = (last, index.time(last), index.time(last));
    for _ in 0..lookup.min(height) {
        first = index.prev(first).unwrap_or(first);
        least = least.min(index.time(first));
        most = most.max(index.time(first));
    }
    if least == most {
        return Ok(0.into());
    }
    let work = index.work(last) - index.work(first);
    Ok(value::double(work.to_f64() / f64::from(most - least)))
}

fn getnetworkhashps(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    hashes_per_second(ctx.chainman()?, request.arg("nblocks")?, request.arg("height")?)
}

fn getmininginfo(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let (manager, mempool) = (ctx.chainman()?, ctx.mempool()?);
    let (index, consensus) = (manager.index(), &manager.params().consensus);
    let tip = tip(manager)?;
    let bits = index.bits(tip);
    let mut out = Map::new();
    out.insert("blocks".into(), index.height(tip).into());
    if let Some(last) = grs_mining::last_block() {
        out.insert("currentblockweight".into(), last.weight.into());
        out.insert("currentblocktx".into(), last.txs.into());
    }
    out.insert("bits".into(), bits.to_string().into());
    out.insert("difficulty".into(), value::double(difficulty(bits)));
    out.insert("target".into(), target_text(bits, manager).into());
    out.insert("networkhashps".into(), hashes_per_second(manager, 120, -1)?);
    out.insert("pooledtx".into(), mempool.lock().len().into());
    let rate = assembler_options(&ctx.args).min_fee_rate;
    out.insert("blockmintxfee".into(), value::amount(rate.fee_per_kvb().0));
    out.insert("chain".into(), manager.params().network.name().into());

    let prev = manager.header_view(tip);
    let mut next = Header::default();
    grs_mining::update_time(&mut next, prev, consensus);
    let next_bits = next_work_required(prev, next.time, consensus);
    out.insert(
        "next".into(),
        json!({
            "height": index.height(tip) + 1,
            "bits": next_bits.to_string(),
            "difficulty": value::double(difficulty(next_bits)),
            "target": target_text(next_bits, manager),
        }),
    );
    if manager.params().network == Network::Signet {
        out.insert("signet_challenge".into(), hex_encode(&consensus.signet_challenge).into());
    }
    out.insert("warnings".into(), ctx.warnings_value());
    Ok(Value::Object(out))
}
