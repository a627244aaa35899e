//! `scantxoutset`.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use grs_chainstate::{Coin, CoinsCursor, FlushMode};
use grs_descriptor::FlatSigningProvider;
use grs_primitives::{Amount, OutPoint, Script};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, value};
use serde_json::{Value, json};

use crate::rpc::descriptors::scripts_of;
use crate::rpc::script_json::inferred_descriptor;
use crate::rpc::{Ctx, Maker};

/// A scan that may be running.
#[derive(Default)]
pub(crate) struct ScanState {
    running: AtomicBool,
    abort: AtomicBool,
    percent: AtomicU32,
    /// Block that the scan has reached, where it goes by blocks.
    pub(super) height: AtomicU32,
}

/// Right to scan; only one at a time.
struct Reserved<'a>(&'a ScanState);

impl ScanState {
    fn reserve(&self) -> Option<Reserved<'_>> {
        (!self.running.swap(true, Ordering::SeqCst)).then_some(Reserved(self))
    }

    /// Whether the scan is to end.
    pub(super) fn aborted(&self) -> bool {
        self.abort.load(Ordering::SeqCst)
    }

    pub(super) fn percent(&self) -> u32 {
        self.percent.load(Ordering::SeqCst)
    }

    pub(super) fn set_percent(&self, percent: u32) {
        self.percent.store(percent, Ordering::SeqCst);
    }

    /// Does what the argument `action` says; `status` describes a running scan.
    pub(super) fn dispatch(
        &self,
        request: &Request<'_>,
        status: impl FnOnce() -> Value,
        start: impl FnOnce() -> Result<Value, RpcError>,
    ) -> Result<Value, RpcError> {
        match request.arg::<&str>("action")? {
            "status" => match self.reserve() {
                Some(_) => Ok(Value::Null),
                None => Ok(status()),
            },
            "abort" => match self.reserve() {
                Some(_) => Ok(false.into()),
                None => {
                    self.abort.store(true, Ordering::SeqCst);
                    Ok(true.into())
                }
            },
            "start" => {
                let _reserved = self.reserve().ok_or_else(|| {
                    RpcError::invalid_parameter(
                        "Scan already in progress, use action \"abort\" or \"status\"",
                    )
                })?;
                if request.params().len() < 2 {
                    return Err(RpcError::misc("scanobjects argument is required for the start action"));
                }
                self.abort.store(false, Ordering::SeqCst);
                start()
            }
            other => Err(RpcError::invalid_parameter(format!("Invalid action '{other}'"))),
        }
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.0.percent.store(0, Ordering::SeqCst);
        self.0.running.store(false, Ordering::SeqCst);
    }
}

fn shape() -> Res {
    let unspent = Res::obj(
        "",
        "",
        [
            Res::hex("txid", "The transaction's id"),
            Res::num("vout", "Number of the output"),
            Res::hex("scriptPubKey", "The output's script"),
            Res::str("desc", "A descriptor of this script alone"),
            Res::amount("amount", "The amount in GRS"),
            Res::bool("coinbase", "Whether a coinbase made it"),
            Res::num("height", "Height of the block that made it"),
            Res::hex("blockhash", "Hash of the block that made it"),
            Res::num("confirmations", "Confirmations at the time of the scan"),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::bool("success", "Whether the scan came to its end"),
            Res::num("txouts", "Number of unspent outputs looked at"),
            Res::num("height", "Height of the tip"),
            Res::hex("bestblock", "Hash of the tip"),
            Res::arr("unspents", "", [unspent]),
            Res::amount("total_amount", "Sum of the amounts found in GRS"),
        ],
    )
}

/// What a scan is to do.
pub(super) fn action_arg() -> Arg {
    Arg::str(
        "action",
        "\"start\" scans, \"abort\" ends a running scan (true if there was one), \"status\" tells its progress",
    )
}

/// What to look for.
pub(super) fn objects_arg() -> Arg {
    let object = Arg::obj(
        "",
        "A descriptor with its range",
        [
            Arg::str("desc", "The descriptor"),
            Arg::range("range", "Indexes of keys: the end, or [begin,end]").default(1000),
        ],
    );
    Arg::arr(
        "scanobjects",
        "What to look for (for \"start\"): descriptors, or objects",
        [Arg::str("descriptor", "A descriptor").optional(), object.optional()],
    )
    .optional()
    .oneline("[scanobjects,...]")
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    const EXAMPLE: &str = "raw(76a914068ed53e0759142ad97b928fc4b246f78d7b41f288ac)#sqwyljrc";
    vec![
        maker
            .method(
                "blockchain",
                "scantxoutset",
                "Looks through all unspent outputs for those that output descriptors describe, such as addr(<address>), \
                 raw(<hex script>), combo(<pubkey>), pkh(<pubkey>), sh(multi(<n>,<pubkey>,...)), tr(<pubkey>), \
                 rawtr(<pubkey>) and wsh(<miniscript>). A <pubkey> is a public key in hexadecimal, or an extended key \
                 with a path; a path that ends in /* (or /*' or /*h) needs a range if it is not to be 1000.\n",
                scantxoutset,
            )
            .arg(action_arg())
            .arg(objects_arg())
            .result(shape().cond("when action=='start'; only returns after scan completes"))
            .result(
                Res::bool("success", "Whether there was a scan to end; it may go on for a moment")
                    .cond("when action=='abort'"),
            )
            .result(
                Res::obj("", "", [Res::num("progress", "Per cent done, roughly")])
                    .cond("when action=='status' and a scan is currently in progress"),
            )
            .result(
                Res::null("", "")
                    .cond("when action=='status' and no scan is in progress - possibly already completed"),
            )
            .example_cli(&format!("start '[\"{EXAMPLE}\"]'"))
            .example_cli("status")
            .example_cli("abort")
            .example_rpc(&format!("\"start\", [\"{EXAMPLE}\"]"))
            .example_rpc("\"status\"")
            .example_rpc("\"abort\""),
    ]
}

/// What a scan found.
struct Found {
    complete: bool,
    count: u64,
    coins: BTreeMap<OutPoint, Coin>,
}

fn scan(ctx: &Ctx, cursor: &mut CoinsCursor, wanted: &HashMap<Vec<u8>, String>) -> Result<Found, RpcError> {
    let state = &ctx.shared.scan;
    let mut found = Found { complete: true, count: 0, coins: BTreeMap::new() };
    let unable = |_| RpcError::internal("Unable to read UTXO set");
    while let Some((outpoint, coin)) = cursor.next_coin().map_err(unable)? {
        found.count += 1;
        if found.count.is_multiple_of(8192) {
            ctx.rpc.check_interrupt()?;
            if state.aborted() {
                found.complete = false;
                return Ok(found);
            }
        }
        if found.count.is_multiple_of(256) {
            // Coins are sorted by the bytes of the transaction's id.
            let bytes = outpoint.txid.to_bytes();
            let high = f64::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            state.set_percent((high * 100.0 / 65536.0 + 0.5) as u32);
        }
        if wanted.contains_key(coin.out.script_pubkey.as_bytes()) {
            found.coins.insert(outpoint, coin);
        }
    }
    state.set_percent(100);
    Ok(found)
}

fn scantxoutset(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let state = &ctx.shared.scan;
    state.dispatch(request, || json!({ "progress": state.percent() }), || start(ctx, request))
}

fn start(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let network = manager.params().network;
    let mut wanted: HashMap<Vec<u8>, String> = HashMap::new();
    for object in request.value("scanobjects").get_array()? {
        let mut provider = FlatSigningProvider::new();
        let scripts: Vec<Script> = scripts_of(object, network, &mut provider, false)?;
        for script in scripts {
            let text = inferred_descriptor(&script, &provider, network);
            wanted.entry(script.into_bytes()).or_insert(text);
        }
    }
    let (mut cursor, view) = {
        let unable = || RpcError::internal("Unable to read UTXO set");
        let mut chain = manager.lock();
        chain.flush_state(FlushMode::ForceSync, None).map_err(|_| unable())?;
        (chain.coins().db().cursor().map_err(|_| unable())?, chain.view())
    };
    let found = scan(ctx, &mut cursor, &wanted)?;
    let mut total = Amount::ZERO;
    let mut unspents = Vec::with_capacity(found.coins.len());
    for (outpoint, coin) in &found.coins {
        total += coin.out.value;
        unspents.push(json!({
            "txid": outpoint.txid.to_string(),
            "vout": outpoint.vout,
            "scriptPubKey": coin.out.script_pubkey.to_hex(),
            "desc": wanted.get(coin.out.script_pubkey.as_bytes()),
            "amount": value::amount(coin.out.value.0),
            "coinbase": coin.coinbase,
            "height": coin.height,
            "blockhash": view.hash_at(coin.height).unwrap_or_default().to_string(),
            "confirmations": i64::from(view.height()) - i64::from(coin.height) + 1,
        }));
    }
    Ok(json!({
        "success": found.complete,
        "txouts": found.count,
        "height": view.height(),
        "bestblock": view.tip_hash().to_string(),
        "unspents": unspents,
        "total_amount": value::amount(total.0),
    }))
}
