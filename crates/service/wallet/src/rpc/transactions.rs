//! Methods about transactions. Reference: `src/wallet/rpc/transactions.cpp`.

use std::collections::HashMap;

use grs_encoding::{encode_to_vec, hex_encode};
use grs_hashes::{BlockHash, Txid};
use grs_interfaces::{FindBlock, RbfState};
use grs_rpc::value::{amount, parse_hash};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use serde_json::{Map, Value};

use super::decode::decoded_transaction;
use super::wallets::{last_block_shape, wallet_error};
use super::{RpcResult, label_of, last_processed_block, parent_descriptors, state_of, synced_wallet_of};
use crate::records::{TxState, WalletTx};
use crate::state::{State, TxOutputEntry};
use crate::wallet::Wallet;

/// What a list of transactions contains.
const DEEPEST: i32 = -100_000_000;

pub(super) fn methods() -> Vec<Method> {
    let entry = || Res::obj("", "", entry_shape(true));
    let watch = || Arg::bool("include_watchonly", "No longer used").default(false);
    let mut details = vec![Res::amount("amount", "Change of the balance in GRS"), fee_shape()];
    details.extend(tx_shape());
    details.extend([
        Res::arr("details", "", [Res::obj("", "", entry_shape(false))]),
        Res::hex("hex", "The transaction"),
        Res::obj("decoded", "The decoded transaction", [Res::elision("As decoderawtransaction gives it")])
            .optional(),
        last_block_shape(),
    ]);
    vec![
        Method::new(
            "wallet",
            "listtransactions",
            "The latest transactions, oldest first. One that pays three addresses has an entry for each.\n",
            listtransactions,
        )
        .arg(Arg::str("label", "Only payments to addresses with this label; \"*\" for all").optional())
        .arg(Arg::num("count", "How many entries").default(10))
        .arg(Arg::num("skip", "How many of the latest entries to leave out").default(0))
        .arg(watch())
        .result(Res::arr("", "", [entry()]))
        .example_cli("\"*\" 20 100")
        .example_rpc("\"*\", 20, 100"),
        Method::new(
            "wallet",
            "listsinceblock",
            "Transactions since a block; since the fork, if it is no longer in the chain.\n",
            listsinceblock,
        )
        .arg(Arg::str("blockhash", "The block; all transactions without it").optional())
        .arg(Arg::num("target_confirmations", "Which block from the tip is given as lastblock").default(1))
        .arg(watch())
        .arg(Arg::bool("include_removed", "Also those of blocks that were taken off the chain").default(true))
        .arg(Arg::bool("include_change", "Also change").default(false))
        .arg(Arg::str("label", "Only payments to addresses with this label").optional())
        .result(Res::obj(
            "",
            "",
            [
                Res::arr("transactions", "", [entry()]),
                Res::arr("removed", "Of blocks that were taken off the chain", [entry()]).optional(),
                Res::hex("lastblock", "Block to go on from"),
            ],
        ))
        .example(""),
        Method::new("wallet", "gettransaction", "A transaction of the wallet.\n", gettransaction)
            .arg(Arg::str("txid", "Its id"))
            .arg(watch())
            .arg(Arg::bool("verbose", "Decode it as well").default(false))
            .result(Res::obj("", "", details))
            .example_cli("\"txid\"")
            .example_rpc("\"txid\""),
        Method::new(
            "wallet",
            "abandontransaction",
            "Gives up a transaction that is neither in a block nor in the mempool, and all that spend from it. Its coins can \
             be spent again.\n",
            abandontransaction,
        )
        .arg(Arg::hex("txid", "Its id"))
        .result(Res::null("", ""))
        .example_cli("\"txid\"")
        .example_rpc("\"txid\""),
    ]
}

fn fee_shape() -> Res {
    Res::amount("fee", "Fee in GRS, negative, if this wallet paid it").optional()
}

fn tx_shape() -> Vec<Res> {
    vec![
        Res::num("confirmations", "Confirmations; negative if a block excludes it"),
        Res::bool("generated", "It is a coinbase").optional(),
        Res::bool("trusted", "It may be spent from though not confirmed").optional(),
        Res::hex("blockhash", "Its block").optional(),
        Res::num("blockheight", "Height of the block").optional(),
        Res::num("blockindex", "Place in the block").optional(),
        Res::time("blocktime", "Time of the block").optional(),
        Res::hex("txid", "Id"),
        Res::hex("wtxid", "Hash with witnesses"),
        Res::arr("walletconflicts", "Transactions of the wallet that exclude it", [Res::hex("txid", "")]),
        Res::hex("replaced_by_txid", "What replaced it").optional(),
        Res::hex("replaces_txid", "What it replaces").optional(),
        Res::arr("mempoolconflicts", "Transactions of the mempool that exclude it", [Res::hex("txid", "")]),
        Res::str("to", "Comment on the recipient").optional(),
        Res::time("time", "Time"),
        Res::time("timereceived", "When it came here"),
        Res::str("comment", "Comment").optional(),
        Res::str("bip125-replaceable", "yes, no or unknown"),
        Res::arr("parent_descs", "Descriptors that received payments come from", [Res::str("desc", "")])
            .optional(),
    ]
}

fn entry_shape(long: bool) -> Vec<Res> {
    let mut out = vec![
        Res::str("address", "Address, if there is one").optional(),
        Res::str("category", "send, receive, generate, immature or orphan"),
        Res::amount("amount", "Amount in GRS; negative when sent"),
        Res::str("label", "Label of the address").optional(),
        Res::num("vout", "Number of the output"),
        fee_shape(),
        Res::bool("abandoned", "It was given up"),
    ];
    match long {
        true => out.extend(tx_shape()),
        false => out.push(tx_shape().pop().expect("the list is not empty")),
    }
    out
}

/// What only the node knows about transactions; asked for before the wallet's data is locked.
#[derive(Default)]
struct ChainFacts {
    times: HashMap<BlockHash, i64>,
    replaceable: HashMap<Txid, &'static str>,
}

impl ChainFacts {
    fn of(wallet: &Wallet, txids: &[Txid]) -> Result<ChainFacts, RpcError> {
        let mut facts = ChainFacts::default();
        for txid in txids {
            let (tx, state, depth) = {
                let state = state_of(wallet);
                let Some(wtx) = state.txs.get(txid) else { continue };
                (wtx.tx.clone(), wtx.state, state.depth(wtx))
            };
            if let TxState::Confirmed { block, .. } = state
                && !facts.times.contains_key(&block)
                && let Some(found) =
                    wallet.chain.find_block(block, FindBlock::default()).map_err(wallet_error)?
            {
                facts.times.insert(block, found.time);
            }
            if depth <= 0 {
                let known = wallet.chain.is_rbf_opt_in(tx).map_err(wallet_error)?;
                let text = match known {
                    RbfState::Unknown => "unknown",
                    RbfState::ReplaceableBip125 => "yes",
                    RbfState::Final => "no",
                };
                facts.replaceable.insert(*txid, text);
            }
        }
        Ok(facts)
    }
}

/// Reference: `WalletTxToJSON`.
fn describe(state: &State, wtx: &WalletTx, facts: &ChainFacts, out: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("confirmations", state.depth(wtx).into());
    if wtx.is_coinbase() {
        put("generated", true.into());
    }
    if let TxState::Confirmed { block, height, position } = wtx.state {
        put("blockhash", block.to_string().into());
        put("blockheight", height.into());
        put("blockindex", position.into());
        if let Some(time) = facts.times.get(&block) {
            put("blocktime", (*time).into());
        }
    } else {
        put("trusted", state.is_trusted(wtx, &mut Default::default()).into());
    }
    put("txid", wtx.txid().to_string().into());
    put("wtxid", wtx.tx.wtxid().to_string().into());
    put("walletconflicts", state.conflicts(wtx).iter().map(|t| Value::from(t.to_string())).collect());
    put("mempoolconflicts", wtx.mempool_conflicts.iter().map(|t| Value::from(t.to_string())).collect());
    put("time", wtx.time().into());
    put("timereceived", wtx.time_received.into());
    put("bip125-replaceable", (*facts.replaceable.get(&wtx.txid()).unwrap_or(&"no")).into());
    for (key, value) in wtx.values.iter().filter(|(key, _)| key.as_str() != crate::gui::TOKEN_VALUE) {
        put(key, value.as_str().into());
    }
}

/// Which entries a list has.
#[derive(Debug, Clone, Default)]
struct ListOptions {
    min_depth: i32,
    label: Option<String>,
    include_change: bool,
}

/// Entries of one transaction. `facts` adds what describes the transaction. Reference: `ListTransactions`.
fn entries(state: &State, wtx: &WalletTx, options: &ListOptions, facts: Option<&ChainFacts>) -> Vec<Value> {
    let (received, sent, fee) = state.amounts(wtx, options.include_change);
    let mut out = Vec::new();
    let start = |entry: &TxOutputEntry| {
        let mut object = Map::new();
        if entry.destination.is_valid() {
            object.insert("address".into(), state.address(&entry.destination).into());
        }
        object
    };
    let label_of_entry =
        |entry: &TxOutputEntry| state.address_entry(&entry.destination).and_then(|e| e.label.clone());
    if options.label.is_none() {
        for entry in &sent {
            let mut object = start(entry);
            object.insert("category".into(), "send".into());
            object.insert("amount".into(), amount(-entry.amount));
            if let Some(label) = label_of_entry(entry) {
                object.insert("label".into(), label.into());
            }
            object.insert("vout".into(), entry.vout.into());
            object.insert("fee".into(), amount(-fee));
            if let Some(facts) = facts {
                describe(state, wtx, facts, &mut object);
            }
            object.insert("abandoned".into(), wtx.is_abandoned().into());
            out.push(Value::Object(object));
        }
    }
    let depth = state.depth(wtx);
    if depth < options.min_depth {
        return out;
    }
    let category = match wtx.is_coinbase() {
        false => "receive",
        true if depth < 1 => "orphan",
        true if state.is_immature(wtx) => "immature",
        true => "generate",
    };
    for entry in &received {
        let label = label_of_entry(entry);
        if options.label.as_ref().is_some_and(|wanted| label.as_deref().unwrap_or("") != wanted) {
            continue;
        }
        let mut object = start(entry);
        let script = &wtx.tx.outputs[entry.vout as usize].script_pubkey;
        object.insert("parent_descs".into(), parent_descriptors(state, script));
        object.insert("category".into(), category.into());
        object.insert("amount".into(), amount(entry.amount));
        if let Some(label) = label {
            object.insert("label".into(), label.into());
        }
        object.insert("vout".into(), entry.vout.into());
        object.insert("abandoned".into(), wtx.is_abandoned().into());
        if let Some(facts) = facts {
            describe(state, wtx, facts, &mut object);
        }
        out.push(Value::Object(object));
    }
    out
}

fn listtransactions(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let mut options = ListOptions::default();
    if request.opt::<&str>("label")?.is_some_and(|label| label != "*") {
        let label = label_of(request.value("label"))?;
        if label.is_empty() {
            return Err(RpcError::invalid_parameter("Label argument must be a valid label name or \"*\"."));
        }
        options.label = Some(label);
    }
    let count: i32 = request.arg("count")?;
    let skip: i32 = request.arg("skip")?;
    if count < 0 {
        return Err(RpcError::invalid_parameter("Negative count"));
    }
    if skip < 0 {
        return Err(RpcError::invalid_parameter("Negative from"));
    }
    let (count, skip) = (count as usize, skip as usize);
    let txids: Vec<Txid> = {
        let state = state_of(&wallet);
        let mut seen = 0;
        let mut txids = Vec::new();
        for (_, txid) in state.ordered.iter().rev() {
            let Some(wtx) = state.txs.get(txid) else { continue };
            seen += entries(&state, wtx, &options, None).len();
            txids.push(*txid);
            if seen >= count + skip {
                break;
            }
        }
        txids
    };
    let facts = ChainFacts::of(&wallet, &txids)?;
    let state = state_of(&wallet);
    let listed: Vec<Value> = txids
        .iter()
        .filter_map(|txid| state.txs.get(txid))
        .flat_map(|wtx| entries(&state, wtx, &options, Some(&facts)))
        .collect();
    let mut out: Vec<Value> = listed.into_iter().skip(skip).take(count).collect();
    out.reverse();
    Ok(Value::Array(out))
}

fn listsinceblock(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let mut options =
        ListOptions { include_change: request.arg("include_change")?, ..ListOptions::default() };
    if request.has("label") {
        options.label = Some(label_of(request.value("label"))?);
    }
    let include_removed: bool = request.arg("include_removed")?;
    let target: i32 = request.arg("target_confirmations")?;
    let (tip, tip_height) = {
        let state = state_of(&wallet);
        (state.last_block, state.last_block_height)
    };
    // Height of the fork, and the block asked for if it is above it.
    let mut fork = None;
    let mut detached = None;
    if request.opt::<&str>("blockhash")?.is_some_and(|hash| !hash.is_empty()) {
        let hash = BlockHash::from_bytes(parse_hash(request.value("blockhash"), "blockhash")?);
        let common =
            wallet.chain.find_common_ancestor(hash, tip, FindBlock::default()).map_err(wallet_error)?;
        let (Some(ancestor), Some(block)) = (common.ancestor, common.block1) else {
            return Err(RpcError::invalid_address_or_key("Block not found"));
        };
        fork = Some(ancestor.height as i32);
        detached = Some((hash, block.height as i32));
    }
    if target < 1 {
        return Err(RpcError::invalid_parameter("Invalid parameter"));
    }
    let mut removed_blocks = Vec::new();
    if let (true, Some(fork), Some((mut hash, mut height))) = (include_removed, fork, detached) {
        while height > fork {
            let want = FindBlock { data: true, ..FindBlock::default() };
            let found = wallet.chain.find_block(hash, want).map_err(wallet_error)?;
            let block = found.and_then(|b| b.data).and_then(|data| data.decode().ok());
            let block = block.ok_or_else(|| RpcError::internal("Can't read block from disk"))?;
            hash = block.header.prev;
            height -= 1;
            removed_blocks.push(block);
        }
    }
    let depth = fork.map_or(-1, |fork| tip_height + 1 - fork);
    let txids: Vec<Txid> = {
        let state = state_of(&wallet);
        let wanted = |wtx: &WalletTx| depth == -1 || state.depth(wtx).abs() < depth;
        let listed = state.ordered.iter().filter_map(|(_, txid)| state.txs.get(txid));
        listed.filter(|wtx| wanted(wtx)).map(WalletTx::txid).collect()
    };
    let removed: Vec<Txid> = removed_blocks.iter().flat_map(|b| &b.txs).map(|tx| tx.txid()).collect();
    let last_height = tip_height + 1 - target.min(tip_height + 1);
    let last = wallet
        .chain
        .find_ancestor_by_height(tip, last_height.max(0) as u32, FindBlock::default())
        .map_err(wallet_error)?;
    let all: Vec<Txid> = txids.iter().chain(&removed).copied().collect();
    let facts = ChainFacts::of(&wallet, &all)?;
    let state = state_of(&wallet);
    let list = |txids: &[Txid], options: &ListOptions| -> Value {
        txids
            .iter()
            .filter_map(|txid| state.txs.get(txid))
            .flat_map(|wtx| entries(&state, wtx, options, Some(&facts)))
            .collect()
    };
    let mut out = Map::new();
    out.insert("transactions".into(), list(&txids, &options));
    if include_removed {
        options.min_depth = DEEPEST;
        out.insert("removed".into(), list(&removed, &options));
    }
    let last = last.map_or(BlockHash::ZERO, |block| block.hash);
    out.insert("lastblock".into(), last.to_string().into());
    Ok(Value::Object(out))
}

fn wallet_txid(wallet: &Wallet, request: &Request<'_>) -> Result<Txid, RpcError> {
    let txid = Txid::from_bytes(parse_hash(request.value("txid"), "txid")?);
    match state_of(wallet).txs.contains_key(&txid) {
        true => Ok(txid),
        false => Err(RpcError::invalid_address_or_key("Invalid or non-wallet transaction id")),
    }
}

fn gettransaction(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let txid = wallet_txid(&wallet, request)?;
    let verbose: bool = request.arg("verbose")?;
    let facts = ChainFacts::of(&wallet, &[txid])?;
    let state = state_of(&wallet);
    let wtx = state
        .txs
        .get(&txid)
        .ok_or_else(|| RpcError::invalid_address_or_key("Invalid or non-wallet transaction id"))?;
    let debit = state.debit(&wtx.tx);
    let from_me = state.is_from_me(&wtx.tx);
    let fee = match from_me {
        true => wtx.tx.outputs.iter().map(|o| o.value.0).sum::<i64>() - debit,
        false => 0,
    };
    let mut out = Map::new();
    out.insert("amount".into(), amount(state.mature_credit(wtx) - debit - fee));
    if from_me {
        out.insert("fee".into(), amount(fee));
    }
    describe(&state, wtx, &facts, &mut out);
    out.insert("details".into(), entries(&state, wtx, &ListOptions::default(), None).into());
    out.insert("hex".into(), hex_encode(encode_to_vec(wtx.tx.as_ref())).into());
    if verbose {
        out.insert("decoded".into(), decoded_transaction(&state, &wtx.tx));
    }
    out.insert("lastprocessedblock".into(), last_processed_block(&state));
    Ok(Value::Object(out))
}

fn abandontransaction(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    request.value("txid").get_str()?;
    let txid = wallet_txid(&wallet, request)?;
    if !state_of(&wallet).abandon(&txid)? {
        return Err(RpcError::invalid_address_or_key("Transaction not eligible for abandonment"));
    }
    Ok(Value::Null)
}
