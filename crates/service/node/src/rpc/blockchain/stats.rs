//! `getblockstats`.

use std::collections::BTreeSet;

use grs_chainstate::BlockUndo;
use grs_consensus::{MAX_BLOCK_SERIALIZED_SIZE, is_bip30_repeat};
use grs_params::block_subsidy;
use grs_primitives::{Amount, Block, MAX_MONEY, WITNESS_SCALE_FACTOR};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_script::ScriptExt;
use serde_json::{Map, Value};

use super::block::{read_block, read_undo};
use super::hash_or_height;
use crate::rpc::{Ctx, Maker};

/// Bytes of an entry of the coins besides the output: outpoint, height, coinbase flag.
const PER_COIN_BYTES: i64 = 36 + 4 + 1;

fn shape() -> Res {
    let num = |key: &'static str, about: &'static str| Res::num(key, about).optional();
    let percentile = |key: &'static str| Res::num(key, "Fee rate at this share of the weight");
    Res::obj(
        "",
        "",
        [
            num("avgfee", "Mean fee"),
            num("avgfeerate", "Mean fee rate in gro per virtual byte"),
            num("avgtxsize", "Mean size of a transaction"),
            Res::hex("blockhash", "The block hash").optional(),
            Res::arr_fixed(
                "feerate_percentiles",
                "Fee rates in gro per virtual byte at 10, 25, 50, 75 and 90 per cent of the weight",
                [
                    percentile("10th_percentile_feerate"),
                    percentile("25th_percentile_feerate"),
                    percentile("50th_percentile_feerate"),
                    percentile("75th_percentile_feerate"),
                    percentile("90th_percentile_feerate"),
                ],
            )
            .optional(),
            num("height", "The height"),
            num("ins", "Inputs, without the coinbase's"),
            num("maxfee", "Highest fee"),
            num("maxfeerate", "Highest fee rate in gro per virtual byte"),
            num("maxtxsize", "Size of the largest transaction"),
            num("medianfee", "Median of the fees, truncated"),
            num("mediantime", "The block's median time"),
            num("mediantxsize", "Median of the sizes, truncated"),
            num("minfee", "Lowest fee"),
            num("minfeerate", "Lowest fee rate in gro per virtual byte"),
            num("mintxsize", "Size of the smallest transaction"),
            num("outs", "Outputs"),
            num("subsidy", "The subsidy"),
            num("swtotal_size", "Size of all transactions with witness"),
            num("swtotal_weight", "Weight of all transactions with witness"),
            num("swtxs", "Transactions with witness"),
            num("time", "The block's time"),
            num("total_out", "Sum of all outputs but the coinbase's"),
            num("total_size", "Size of all transactions but the coinbase"),
            num("total_weight", "Weight of all transactions but the coinbase"),
            num("totalfee", "Sum of the fees"),
            num("txs", "Transactions with the coinbase"),
            num("utxo_increase", "Outputs made less outputs spent"),
            num("utxo_size_inc", "Change of the coins' size"),
            num("utxo_increase_actual", "Outputs made less outputs spent, without unspendable ones"),
            num("utxo_size_inc_actual", "Change of the coins' size, without unspendable ones"),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    const HASH: &str = "00000000000434d5b8d1c3308df7b6e3fd773657dfb28f5dd2f70854ef94cc66";
    let names = [Arg::str("height", "A figure").optional(), Arg::str("time", "A figure").optional()];
    vec![
        maker
            .method(
                "blockchain",
                "getblockstats",
                "Figures of a block; all amounts in gro. Does not work for pruned blocks.\n",
                getblockstats,
            )
            .arg(
                Arg::num("hash_or_height", "Hash or height of the block")
                    .skip_type_check()
                    .type_str("", "string or numeric"),
            )
            .arg(
                Arg::arr("stats", "Names of the figures to give", names)
                    .default_hint("all values")
                    .oneline("stats"),
            )
            .result(shape())
            .example_cli(&format!("'\"{HASH}\"' '[\"minfeerate\",\"avgfeerate\"]'"))
            .example_cli("1000 '[\"minfeerate\",\"avgfeerate\"]'")
            .example_rpc(&format!("\"{HASH}\", [\"minfeerate\",\"avgfeerate\"]"))
            .example_rpc("1000, [\"minfeerate\",\"avgfeerate\"]"),
    ]
}

/// Middle of a list, or the truncated mean of the two in the middle; 0 for none.
fn truncated_median(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    let half = values.len() / 2;
    match values.len() {
        0 => 0,
        n if n % 2 == 0 => (values[half - 1] + values[half]) / 2,
        _ => values[half],
    }
}

/// Rates at five shares of the weight. Reference: `CalculatePercentilesByWeight`.
fn percentiles(rates: &mut [(i64, i64)], total_weight: i64) -> [i64; 5] {
    let mut out = [0; 5];
    rates.sort_unstable();
    let Some((last, _)) = rates.last().copied() else { return out };
    let total = total_weight as f64;
    let shares = [total / 10.0, total / 4.0, total / 2.0, total * 3.0 / 4.0, total * 9.0 / 10.0];
    let (mut next, mut sum) = (0, 0_i64);
    for (rate, weight) in rates {
        sum += *weight;
        while next < shares.len() && sum as f64 >= shares[next] {
            out[next] = *rate;
            next += 1;
        }
    }
    out[next..].fill(last);
    out
}

/// Sums over the transactions of a block.
#[derive(Default)]
struct Sums {
    inputs: i64,
    outputs: i64,
    coins: i64,
    total_out: i64,
    total_size: i64,
    total_weight: i64,
    total_fee: i64,
    witness_txs: i64,
    witness_size: i64,
    witness_weight: i64,
    coins_size: i64,
    coins_size_actual: i64,
    fees: Vec<i64>,
    sizes: Vec<i64>,
    /// Rate and weight of each transaction.
    rates: Vec<(i64, i64)>,
}

impl Sums {
    fn of(block: &Block, undo: &BlockUndo, no_new_coins: bool) -> Result<Sums, RpcError> {
        let mut sums = Sums::default();
        for (index, tx) in block.txs.iter().enumerate() {
            sums.outputs += tx.outputs.len() as i64;
            let mut out = 0;
            for output in &tx.outputs {
                out += output.value.0;
                let size = output.encoded_len() as i64 + PER_COIN_BYTES;
                sums.coins_size += size;
                if (no_new_coins && tx.is_coinbase()) || output.script_pubkey.is_unspendable() {
                    continue;
                }
                sums.coins += 1;
                sums.coins_size_actual += size;
            }
            if tx.is_coinbase() {
                continue;
            }
            sums.inputs += tx.inputs.len() as i64;
            sums.total_out += out;
            let (size, weight) = (tx.total_size() as i64, tx.weight() as i64);
            sums.sizes.push(size);
            sums.total_size += size;
            sums.total_weight += weight;
            if tx.has_witness() {
                sums.witness_txs += 1;
                sums.witness_size += size;
                sums.witness_weight += weight;
            }
            let spent = undo.txs.get(index - 1).ok_or_else(|| RpcError::bug("undo data is too short"))?;
            for coin in &spent.spent {
                let size = coin.out.encoded_len() as i64 + PER_COIN_BYTES;
                sums.coins_size -= size;
                sums.coins_size_actual -= size;
            }
            let total_in: Amount = spent.spent.iter().map(|coin| coin.out.value).sum();
            let fee = total_in.0 - out;
            sums.fees.push(fee);
            sums.total_fee += fee;
            let rate = if weight == 0 { 0 } else { fee * WITNESS_SCALE_FACTOR as i64 / weight };
            sums.rates.push((rate, weight));
        }
        Ok(sums)
    }
}

/// The least value, or 0 when there is none below `none`.
fn least(values: impl Iterator<Item = i64>, none: i64) -> i64 {
    let least = values.fold(none, i64::min);
    if least == none { 0 } else { least }
}

fn getblockstats(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let index = manager.index();
    let id = hash_or_height(manager, request.value("hash_or_height"))?;
    let mut wanted = BTreeSet::new();
    if request.has("stats") {
        for name in request.value("stats").get_array()? {
            wanted.insert(name.get_str()?);
        }
    }
    let block = read_block(manager, id)?;
    let undo = read_undo(manager, id)?;
    let height = index.height(id) as i32;
    let no_new_coins = height == 0 || is_bip30_repeat(height, &index.hash(id));
    let mut sums = Sums::of(&block, &undo, no_new_coins)?;
    let txs = block.txs.len() as i64;
    let mean = |sum: i64| if txs > 1 { sum / (txs - 1) } else { 0 };
    let average_rate = match sums.total_weight {
        0 => 0,
        weight => sums.total_fee * WITNESS_SCALE_FACTOR as i64 / weight,
    };
    let rates: Vec<i64> = sums.rates.iter().map(|(rate, _)| *rate).collect();
    let highest = |values: &[i64]| values.iter().copied().fold(0, i64::max);
    let least = |values: &[i64], none: i64| least(values.iter().copied(), none);

    let mut all: Map<String, Value> = Map::new();
    let mut put = |key: &str, value: Value| {
        all.insert(key.into(), value);
    };
    put("avgfee", mean(sums.total_fee).into());
    put("avgfeerate", average_rate.into());
    put("avgtxsize", mean(sums.total_size).into());
    put("blockhash", index.hash(id).to_string().into());
    put("feerate_percentiles", percentiles(&mut sums.rates, sums.total_weight).to_vec().into());
    put("height", height.into());
    put("ins", sums.inputs.into());
    put("maxfee", highest(&sums.fees).into());
    put("maxfeerate", highest(&rates).into());
    put("maxtxsize", highest(&sums.sizes).into());
    put("medianfee", truncated_median(&mut sums.fees).into());
    put("mediantime", index.median_time_past(id).into());
    put("mediantxsize", truncated_median(&mut sums.sizes).into());
    put("minfee", least(&sums.fees, MAX_MONEY).into());
    put("minfeerate", least(&rates, MAX_MONEY).into());
    put("mintxsize", least(&sums.sizes, MAX_BLOCK_SERIALIZED_SIZE as i64).into());
    put("outs", sums.outputs.into());
    put("subsidy", block_subsidy(height).0.into());
    put("swtotal_size", sums.witness_size.into());
    put("swtotal_weight", sums.witness_weight.into());
    put("swtxs", sums.witness_txs.into());
    put("time", index.time(id).into());
    put("total_out", sums.total_out.into());
    put("total_size", sums.total_size.into());
    put("total_weight", sums.total_weight.into());
    put("totalfee", sums.total_fee.into());
    put("txs", txs.into());
    put("utxo_increase", (sums.outputs - sums.inputs).into());
    put("utxo_size_inc", sums.coins_size.into());
    put("utxo_increase_actual", (sums.coins - sums.inputs).into());
    put("utxo_size_inc_actual", sums.coins_size_actual.into());
    if wanted.is_empty() {
        return Ok(Value::Object(all));
    }
    let mut out = Map::new();
    for name in wanted {
        let value = all
            .get(name)
            .ok_or_else(|| RpcError::invalid_parameter(format!("Invalid selected statistic '{name}'")))?;
        out.insert(name.into(), value.clone());
    }
    Ok(Value::Object(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert_eq!(truncated_median(&mut []), 0);
        assert_eq!(truncated_median(&mut [5, 1, 3]), 3);
        assert_eq!(truncated_median(&mut [5, 1, 2, 9]), 3);
        assert_eq!(percentiles(&mut [], 0), [0; 5]);
        let mut rates: Vec<(i64, i64)> = (0..200).map(|i| (i, 10)).collect();
        assert_eq!(percentiles(&mut rates, 2000), [19, 49, 99, 149, 179]);
        assert_eq!(percentiles(&mut [(1, 9), (2, 16), (4, 50), (5, 10), (9, 15)], 100), [2, 2, 4, 4, 9]);
        assert_eq!(percentiles(&mut [(1, 9)], 100), [1; 5]);
    }
}
