//! `gettxoutsetinfo`.

use grs_chainstate::StatsHash;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value, json};

use crate::rpc::{Ctx, Maker};

fn shape() -> Res {
    let block_info = Res::obj(
        "block_info",
        "Amounts of the block (with the index)",
        [
            Res::amount("prevout_spent", "Sum of what it spends"),
            Res::amount("coinbase", "Its subsidy"),
            Res::amount("new_outputs_ex_coinbase", "Sum of what it makes, without the coinbase"),
            Res::amount("unspendable", "Sum of what can never be spent"),
            Res::obj(
                "unspendables",
                "The same by kinds",
                [
                    Res::amount("genesis_block", "The genesis block's reward"),
                    Res::amount("bip30", "Coinbases overwritten by others of the same id"),
                    Res::amount("scripts", "Outputs that no script can spend, such as OP_RETURN"),
                    Res::amount("unclaimed_rewards", "Rewards that miners did not take"),
                ],
            ),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::num("height", "Height of the block that the figures belong to"),
            Res::hex("bestblock", "Hash of that block"),
            Res::num("txouts", "Unspent outputs"),
            Res::num("bogosize", "A measure of size that does not depend on the database"),
            Res::hex("hash_serialized_3", "The hash (with 'hash_serialized_3')").optional(),
            Res::hex("muhash", "The hash (with 'muhash')").optional(),
            Res::num("transactions", "Transactions with unspent outputs (without the index)").optional(),
            Res::num("disk_size", "Bytes on disk, roughly (without the index)").optional(),
            Res::amount("total_amount", "Sum of all amounts in GRS"),
            Res::amount("total_unspendable_amount", "Sum of what can never be spent (with the index)")
                .optional(),
            block_info.optional(),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "blockchain",
                "gettxoutsetinfo",
                "Figures of the set of unspent outputs. Takes some time unless coinstatsindex is used.\n",
                gettxoutsetinfo,
            )
            .arg(
                Arg::str("hash_type", "The hash to compute: 'hash_serialized_3', 'muhash' or 'none'")
                    .default("hash_serialized_3"),
            )
            .arg(
                Arg::num("hash_or_height", "Hash or height of the block (needs coinstatsindex)")
                    .default_hint("the current best block")
                    .skip_type_check()
                    .type_str("", "string or numeric"),
            )
            .arg(Arg::bool("use_index", "Uses coinstatsindex, if there is one").default(true))
            .result(shape())
            .example_cli("")
            .example_cli("\"none\"")
            .example_cli("\"none\" 1000")
            .example_cli_named(&[("hash_type", json!("muhash")), ("use_index", json!("false"))])
            .example_rpc("")
            .example_rpc("\"none\"")
            .example_rpc("\"none\", 1000"),
    ]
}

fn gettxoutsetinfo(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let name: &str = request.arg("hash_type")?;
    let hash = match name {
        "hash_serialized_3" => StatsHash::Serialized,
        "muhash" => StatsHash::MuHash,
        "none" => StatsHash::None,
        other => {
            return Err(RpcError::invalid_parameter(format!("'{other}' is not a valid hash_type")));
        }
    };
    let _use_index: bool = request.arg("use_index")?;
    if request.has("hash_or_height") {
        return Err(RpcError::invalid_parameter("Querying specific block heights requires coinstatsindex"));
    }
    let unable = || RpcError::internal("Unable to read UTXO set");
    let stats = ctx.chainman()?.compute_utxo_stats(hash).map_err(|_| unable())?.ok_or_else(unable)?;
    let total = stats.total_amount.ok_or_else(|| RpcError::bug("the sum of all coins overflows"))?;
    let mut out = Map::new();
    out.insert("height".into(), stats.height.into());
    out.insert("bestblock".into(), stats.best_block.to_string().into());
    out.insert("txouts".into(), stats.outputs.into());
    out.insert("bogosize".into(), stats.bogo_size.into());
    if let Some(hash) = stats.hash {
        out.insert(name.into(), hash.to_string().into());
    }
    out.insert("total_amount".into(), value::amount(total.0));
    out.insert("transactions".into(), stats.transactions.into());
    out.insert("disk_size".into(), stats.disk_size.into());
    Ok(Value::Object(out))
}
