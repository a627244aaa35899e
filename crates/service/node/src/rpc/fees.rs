//! `estimatesmartfee`, `estimaterawfee`. Reference: `src/rpc/fees.cpp`.

use grs_mempool::fees::{EstimationResult, EstimatorBucket, FeeEstimateHorizon};
use grs_policy::FeeRate;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value, json};

use super::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let target = || Arg::num("conf_target", "Number of blocks, from 1 to 1008");
    vec![
        maker
            .method(
                "util",
                "estimatesmartfee",
                "Guess of the fee rate with which a transaction is confirmed within a number of blocks, and for which number the \
                 guess is good. Sizes are virtual sizes (BIP141).\n",
                estimatesmartfee,
            )
            .arg(target())
            .arg(
                Arg::str(
                    "estimate_mode",
                    "\"unset\" (the default mode), \"economical\" (follows recent changes of the market quickly) or \
                     \"conservative\" (looks further back)",
                )
                .default("economical"),
            )
            .result(Res::obj(
                "",
                "",
                [
                    Res::num("feerate", "The fee rate in GRS/kvB, if there is a guess").optional(),
                    Res::arr("errors", "Why there is none", [Res::str("", "A reason")]).optional(),
                    Res::num("blocks", "Number of blocks for which the guess is good"),
                ],
            ))
            .example("6"),
        maker
            .method(
                "hidden",
                "estimaterawfee",
                "What the estimator of fees knows about a number of blocks. May change with its implementation.\n",
                estimaterawfee,
            )
            .arg(target())
            .arg(
                Arg::num(
                    "threshold",
                    "Share of the transactions of a range of fee rates that must have been confirmed in time for lower ranges to \
                     be looked at",
                )
                .default(json!(0.95)),
            )
            .result(Res::obj(
                "",
                "Time horizons that reach so far",
                [
                    horizon_shape("short").optional(),
                    Res::obj("medium", "The medium horizon", [Res::elision("")]).optional(),
                    Res::obj("long", "The long horizon", [Res::elision("")]).optional(),
                ],
            ))
            .example("6 0.9"),
    ]
}

fn horizon_shape(key: &'static str) -> Res {
    let pass = Res::obj(
        "pass",
        "The lowest range that is good enough",
        [
            Res::num("startrange", "Start of the range"),
            Res::num("endrange", "End of the range"),
            Res::num("withintarget", "Transactions confirmed in time"),
            Res::num("totalconfirmed", "Transactions confirmed at any time"),
            Res::num("inmempool", "Transactions that have been waiting longer"),
            Res::num("leftmempool", "Transactions that left unconfirmed, later"),
        ],
    );
    Res::obj(
        key,
        "The short horizon",
        [
            Res::num("feerate", "The fee rate in GRS/kvB").optional(),
            Res::num("decay", "Weight of what was one block earlier"),
            Res::num("scale", "Blocks that are counted together"),
            pass.optional(),
            Res::obj("fail", "The highest range that is not good enough", [Res::elision("")]).optional(),
            Res::arr("errors", "Why there is no fee rate", [Res::str("error", "")]).optional(),
        ],
    )
}

fn confirm_target(ctx: &Ctx, request: &Request<'_>) -> Result<u32, RpcError> {
    let fees = ctx.fee_estimator()?;
    ctx.chainman()?.signals().sync();
    value::parse_confirm_target(
        request.value("conf_target"),
        fees.highest_target_tracked(FeeEstimateHorizon::Long),
    )
}

fn estimatesmartfee(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let target = confirm_target(ctx, request)?;
    let mode = request.arg::<&str>("estimate_mode")?.to_ascii_lowercase();
    if !["unset", "economical", "conservative"].contains(&mode.as_str()) {
        return Err(RpcError::invalid_parameter(
            "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"",
        ));
    }
    let target = i32::try_from(target).map_err(|_| RpcError::bug("target was checked"))?;
    let estimate = ctx.fee_estimator()?.estimate_smart_fee(target, mode == "conservative");
    let mut out = Map::new();
    if estimate.rate == FeeRate::ZERO {
        out.insert("errors".into(), json!(["Insufficient data or no feerate found"]));
    } else {
        let mempool = ctx.mempool()?;
        let rate = estimate.rate.max(mempool.min_fee_rate()).max(mempool.options().min_relay_rate);
        out.insert("feerate".into(), value::amount(rate.fee_per_kvb().0));
    }
    out.insert("blocks".into(), estimate.returned_target.into());
    Ok(Value::Object(out))
}

fn bucket(bucket: &EstimatorBucket) -> Value {
    let cents = |n: f64| value::double((n * 100.0).round() / 100.0);
    json!({
        "startrange": value::double(bucket.start.round()),
        "endrange": value::double(bucket.end.round()),
        "withintarget": cents(bucket.within_target),
        "totalconfirmed": cents(bucket.total_confirmed),
        "inmempool": cents(bucket.in_mempool),
        "leftmempool": cents(bucket.left_mempool),
    })
}

fn horizon(rate: FeeRate, result: &EstimationResult) -> Value {
    let mut out = Map::new();
    let found = rate != FeeRate::ZERO;
    if found {
        out.insert("feerate".into(), value::amount(rate.fee_per_kvb().0));
    }
    out.insert("decay".into(), value::double(result.decay));
    out.insert("scale".into(), result.scale.into());
    if found {
        out.insert("pass".into(), bucket(&result.pass));
    }
    // A start of -1 says that no range failed.
    if !found || result.fail.start != -1.0 {
        out.insert("fail".into(), bucket(&result.fail));
    }
    if !found {
        let error = "Insufficient data or no feerate found which meets threshold";
        out.insert("errors".into(), json!([error]));
    }
    Value::Object(out)
}

fn estimaterawfee(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let target = confirm_target(ctx, request)?;
    let threshold: f64 = request.arg("threshold")?;
    if !(0.0..=1.0).contains(&threshold) {
        return Err(RpcError::invalid_parameter("Invalid threshold"));
    }
    let fees = ctx.fee_estimator()?;
    let mut out = Map::new();
    for kind in FeeEstimateHorizon::ALL {
        if target > fees.highest_target_tracked(kind) {
            continue;
        }
        let target = i32::try_from(target).map_err(|_| RpcError::bug("target was checked"))?;
        if let Some((rate, result)) = fees.estimate_raw_fee(target, threshold, kind) {
            out.insert(kind.name().into(), horizon(rate, &result));
        }
    }
    Ok(Value::Object(out))
}
