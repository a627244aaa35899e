//! `getblocktemplate`.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use grs_chainstate::{BlockId, BlockStatus, ChainstateManager};
use grs_consensus::{
    Bip9GbtInfo, MAX_BLOCK_SERIALIZED_SIZE, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, minimum_block_time,
};
use grs_encoding::hex_encode;
use grs_hashes::{BlockHash, Txid};
use grs_mining::{AssemblerOptions, BlockTemplate, create_new_block, update_time};
use grs_params::BuriedDeployment;
use grs_primitives::{Header, WITNESS_SCALE_FACTOR};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use grs_socket::Direction;
use grs_sync::clock;
use serde_json::{Map, Value, json};

use super::assembler_options;
use super::submit::{bip22, decode_block};
use crate::rpc::blockchain::tip;
use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker, block_hash};

/// A template is made anew after this many seconds when the mempool has changed.
const REUSE_SECONDS: i64 = 5;

/// The last template, which is given out again while it is good enough.
#[derive(Default)]
pub(crate) struct TemplateCache(Mutex<Cache>);

#[derive(Default)]
struct Cache {
    template: Option<(BlockId, BlockTemplate)>,
    made_at: i64,
    mempool_updates: u64,
}

fn shape() -> Res {
    let transaction = Res::obj(
        "",
        "",
        [
            Res::hex("data", "Bytes of the transaction"),
            Res::hex("txid", "Id without witness, bytes reversed"),
            Res::hex("hash", "Hash with witness, bytes reversed"),
            Res::arr(
                "depends",
                "Transactions that have to be there with this one, counted from 1 in this list",
                [Res::num("", "Position of a transaction")],
            ),
            Res::num("fee", "The fee in gro"),
            Res::num("sigops", "Signature operation cost"),
            Res::num("weight", "Weight"),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::num("version", "The preferred version"),
            Res::arr(
                "rules",
                "Rules that hold",
                [Res::str("", "A rule that the client has to know, see BIP9")],
            ),
            Res::obj_dyn(
                "vbavailable",
                "Pending deployments of version bits",
                [Res::num("rulename", "Bit that says one is ready for the rule")],
            ),
            Res::arr(
                "capabilities",
                "",
                [Res::str("value", "Something the server can do, such as 'proposal'")],
            ),
            Res::num("vbrequired", "Bits that a block's version has to have"),
            Res::str("previousblockhash", "Hash of the tip"),
            Res::arr("transactions", "Transactions for the next block, without coinbase", [transaction]),
            Res::obj_dyn("coinbaseaux", "What the coinbase's script should hold", [Res::hex("key", "Data")]),
            Res::num("coinbasevalue", "Most that the coinbase may pay: subsidy and fees in gro"),
            Res::str("longpollid", "For a call that waits until there is another template"),
            Res::str("target", "The target"),
            Res::time("mintime", "Earliest time of the block in seconds since 1970, with regard to BIP94"),
            Res::arr("mutable", "What may be changed", [Res::str("value", "For instance 'time'")]),
            Res::hex("noncerange", "Range of nonces"),
            Res::num("sigoplimit", "Most signature operation cost of a block"),
            Res::num("sizelimit", "Most bytes of a block"),
            Res::num("weightlimit", "Most weight of a block").optional(),
            Res::time("curtime", "Time of the template in seconds since 1970, with regard to BIP94"),
            Res::str("bits", "The target in compact form"),
            Res::num("height", "Height of the block"),
            Res::hex("signet_challenge", "Script that blocks satisfy (on signets)").optional(),
            Res::hex("default_witness_commitment", "Witness commitment of the unchanged template").optional(),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let request = Arg::obj(
        "template_request",
        "What is asked for",
        [
            Arg::str("mode", "\"template\" or \"proposal\" (BIP23), or left out").optional(),
            Arg::arr(
                "capabilities",
                "What the client can do",
                [Arg::str("str", "Such as 'longpoll', 'coinbasevalue', 'proposal', 'serverlist', 'workid'")
                    .optional()],
            )
            .optional(),
            Arg::arr(
                "rules",
                "Rules that the client knows",
                [Arg::str("segwit", "This very text"), Arg::str("str", "Another rule").optional()],
            ),
            Arg::str("longpollid", "Waits until the result would differ much from that of this id")
                .optional(),
            Arg::hex("data", "Bytes of a block to check, for mode \"proposal\"").optional(),
        ],
    );
    vec![
        maker
            .method(
                "mining",
                "getblocktemplate",
                "What is needed to make the next block, or the verdict on a proposed one: see BIPs 22, 23, 9 and 145.\n",
                getblocktemplate,
            )
            .arg(request)
            .result(Res::null("", "").cond("If the proposal was accepted with mode=='proposal'"))
            .result(Res::str("", "As BIP22 says").cond("If the proposal was not accepted with mode=='proposal'"))
            .result(shape().cond("Otherwise"))
            .example_cli("'{\"rules\": [\"segwit\"]}'")
            .example_rpc("{\"rules\": [\"segwit\"]}"),
    ]
}

fn check_proposal(manager: &ChainstateManager, request: &Value) -> Result<Value, RpcError> {
    let data = request.field("data");
    let data = data.as_str().ok_or_else(|| RpcError::type_error("Missing data String key for proposal"))?;
    let block = decode_block(data)?;
    if let Some(id) = manager.index().lookup(&block.hash()) {
        let status = manager.index().status(id);
        return Ok(if status.is_valid(BlockStatus::VALID_SCRIPTS) {
            "duplicate"
        } else if status.failed() {
            "duplicate-invalid"
        } else {
            "duplicate-inconclusive"
        }
        .into());
    }
    Ok(bip22(manager.test_block_validity(&block, false, true)))
}

/// Waits until the tip is another one, or after a minute until the mempool has changed.
fn long_poll(ctx: &Ctx, manager: &ChainstateManager, id: &Value) -> Result<(), RpcError> {
    let (watched, updates) = match id.as_str() {
        Some(text) => {
            let end = text.len().min(64);
            let hash = text.get(..end).unwrap_or(text);
            let rest = text.get(end..).unwrap_or_default();
            (block_hash(&hash.into(), "longpollid")?, rest.parse::<u64>().unwrap_or(0))
        }
        // BIP22 does not say what other types mean; tests use this.
        None => {
            let cache = ctx.shared.templates.0.lock().unwrap_or_else(PoisonError::into_inner);
            (manager.view().tip_hash(), cache.mempool_updates)
        }
    };
    let mempool = ctx.mempool()?;
    let mut wait = Duration::from_secs(60);
    while ctx.rpc.is_running() {
        let tip = ctx.tip.wait(Some(wait), |hash, _| hash != watched || !ctx.rpc.is_running());
        if tip.is_none_or(|(hash, _)| hash != watched)
            || ctx.shutdown.is_interrupted()
            || mempool.lock().transactions_updated() != updates
        {
            break;
        }
        wait = Duration::from_secs(10);
    }
    if !ctx.rpc.is_running() || ctx.shutdown.is_interrupted() {
        return Err(RpcError::new(code::CLIENT_NOT_CONNECTED, "Shutting down"));
    }
    Ok(())
}

fn getblocktemplate(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let asked = request.value("template_request");
    let mode = match asked.field("mode") {
        Value::String(mode) => mode.as_str(),
        Value::Null => "template",
        _ => return Err(RpcError::invalid_parameter("Invalid mode")),
    };
    if mode == "proposal" {
        return check_proposal(manager, asked);
    }
    let mut rules = BTreeSet::new();
    if let Value::Array(list) = asked.field("rules") {
        for rule in list {
            rules.insert(rule.get_str()?);
        }
    }
    if mode != "template" {
        return Err(RpcError::invalid_parameter("Invalid mode"));
    }
    if !manager.params().is_test_chain() {
        check_connected(ctx, manager)?;
    }
    let mempool = ctx.mempool()?;
    let poll_id = asked.field("longpollid");
    if !poll_id.is_null() {
        long_poll(ctx, manager, poll_id)?;
    }
    let consensus = &manager.params().consensus;
    if consensus.signet_blocks && !rules.contains("signet") {
        return Err(RpcError::invalid_parameter(
            "getblocktemplate must be called with the signet rule set (call with {\"rules\": [\"segwit\", \"signet\"]})",
        ));
    }
    if !rules.contains("segwit") {
        return Err(RpcError::invalid_parameter(
            "getblocktemplate must be called with the segwit rule set (call with {\"rules\": [\"segwit\"]})",
        ));
    }

    let mut cache = ctx.shared.templates.0.lock().unwrap_or_else(PoisonError::into_inner);
    let current = tip(manager)?;
    let updates = mempool.lock().transactions_updated();
    let stale = cache.template.as_ref().is_none_or(|(prev, _)| *prev != current)
        || (updates != cache.mempool_updates && clock::now_secs() - cache.made_at > REUSE_SECONDS);
    if stale {
        // Nothing is kept if making the new one fails.
        cache.template = None;
        cache.mempool_updates = updates;
        cache.made_at = clock::now_secs();
        let options = AssemblerOptions { dummy_extra_nonce: true, ..assembler_options(&ctx.args) };
        let mut chain = manager.lock();
        let template = create_new_block(manager, &mut chain, Some(mempool), &options)
            .map_err(|error| RpcError::misc(error.to_string()))?;
        let prev = chain.tip().ok_or_else(|| RpcError::bug("there is no tip"))?;
        cache.template = Some((prev, template));
    }
    let updates = cache.mempool_updates;
    let (prev, template) = cache.template.as_ref().ok_or_else(|| RpcError::bug("no template"))?;
    to_json(manager, *prev, template, &rules, updates)
}

/// Fails while the node has no peers, or is catching up.
fn check_connected(ctx: &Ctx, manager: &ChainstateManager) -> Result<(), RpcError> {
    if ctx.connman()?.count(Direction::Both) == 0 {
        return Err(RpcError::new(code::CLIENT_NOT_CONNECTED, "Groestlcoin Core is not connected!"));
    }
    if manager.is_initial_block_download() {
        return Err(RpcError::new(
            code::CLIENT_IN_INITIAL_DOWNLOAD,
            "Groestlcoin Core is in initial sync and waiting for blocks...",
        ));
    }
    Ok(())
}

fn transactions(template: &BlockTemplate, pre_segwit: bool) -> Vec<Value> {
    let scale = WITNESS_SCALE_FACTOR as i64;
    let mut positions: HashMap<Txid, usize> = HashMap::new();
    let mut out = Vec::with_capacity(template.txs.len());
    for (position, tx) in template.txs.iter().enumerate() {
        positions.insert(tx.txid(), position);
        if position == 0 {
            continue;
        }
        let depends: Vec<usize> =
            tx.inputs.iter().filter_map(|i| positions.get(&i.prevout.txid).copied()).collect();
        let cost = template.sigops.get(position - 1).copied().unwrap_or(0);
        out.push(json!({
            "data": tx_hex(tx),
            "txid": tx.txid().to_string(),
            "hash": tx.wtxid().to_string(),
            "depends": depends,
            "fee": template.fees.get(position - 1).map_or(0, |fee| fee.0),
            "sigops": if pre_segwit { cost / scale } else { cost },
            "weight": tx.weight(),
        }));
    }
    out
}

/// Version, rules and pending deployments. Fails if a client does not know a rule that it has to know.
fn version_bits(
    manager: &ChainstateManager,
    prev: BlockId,
    header: &mut Header,
    client: &BTreeSet<&str>,
    rules: &mut Vec<String>,
) -> Result<Map<String, Value>, RpcError> {
    let consensus = &manager.params().consensus;
    let status = manager
        .version_bits()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .gbt_status(manager.header_view(prev), consensus);
    let rule =
        |name: &str, info: &Bip9GbtInfo| format!("{}{name}", if info.gbt_optional_rule { "" } else { "!" });
    let unknown = |name: &str, info: &Bip9GbtInfo| !info.gbt_optional_rule && !client.contains(name);
    let mut available = Map::new();
    let pending =
        status.signalling.iter().map(|e| (e, false)).chain(status.locked_in.iter().map(|e| (e, true)));
    for ((name, info), locked_in) in pending {
        available.insert(rule(name, info), info.bit.into());
        if locked_in {
            header.version |= info.mask as i32;
        }
        // Not to be signalled for by those who do not know it.
        if unknown(name, info) {
            header.version &= !(info.mask as i32);
        }
    }
    for (name, info) in &status.active {
        rules.push(rule(name, info));
        if unknown(name, info) {
            return Err(RpcError::invalid_parameter(format!(
                "Support for '{name}' rule requires explicit client support"
            )));
        }
    }
    Ok(available)
}

fn to_json(
    manager: &ChainstateManager,
    prev: BlockId,
    template: &BlockTemplate,
    client: &BTreeSet<&str>,
    updates: u64,
) -> Result<Value, RpcError> {
    let consensus = &manager.params().consensus;
    let view = manager.header_view(prev);
    let mut header = template.header;
    update_time(&mut header, view, consensus);
    let pre_segwit = !consensus.is_active_at(BuriedDeployment::Segwit, template.height as i32);
    let mut rules = vec!["csv".to_owned()];
    if !pre_segwit {
        rules.push("!segwit".into());
    }
    if consensus.signet_blocks {
        rules.push("!signet".into());
    }
    let available = version_bits(manager, prev, &mut header, client, &mut rules)?;
    let scale = if pre_segwit { WITNESS_SCALE_FACTOR } else { 1 };
    let tip: BlockHash = header.prev;
    let mut out = Map::new();
    out.insert("capabilities".into(), json!(["proposal"]));
    out.insert("version".into(), header.version.into());
    out.insert("rules".into(), rules.into());
    out.insert("vbavailable".into(), available.into());
    out.insert("vbrequired".into(), 0.into());
    out.insert("previousblockhash".into(), tip.to_string().into());
    out.insert("transactions".into(), transactions(template, pre_segwit).into());
    out.insert("coinbaseaux".into(), json!({}));
    out.insert("coinbasevalue".into(), template.coinbase.reward.0.into());
    out.insert("longpollid".into(), format!("{tip}{updates}").into());
    out.insert("target".into(), header.bits.target().to_string().into());
    out.insert("mintime".into(), minimum_block_time(view, consensus).into());
    out.insert("mutable".into(), json!(["time", "transactions", "prevblock"]));
    out.insert("noncerange".into(), "00000000ffffffff".into());
    out.insert("sigoplimit".into(), (MAX_BLOCK_SIGOPS_COST as usize / scale).into());
    out.insert("sizelimit".into(), (MAX_BLOCK_SERIALIZED_SIZE / scale).into());
    if !pre_segwit {
        out.insert("weightlimit".into(), MAX_BLOCK_WEIGHT.into());
    }
    out.insert("curtime".into(), header.time.into());
    out.insert("bits".into(), header.bits.to_string().into());
    out.insert("height".into(), template.height.into());
    if consensus.signet_blocks {
        out.insert("signet_challenge".into(), hex_encode(&consensus.signet_challenge).into());
    }
    if let Some(output) = template.coinbase.required_outputs.first() {
        out.insert("default_witness_commitment".into(), output.script_pubkey.to_hex().into());
    }
    Ok(Value::Object(out))
}
