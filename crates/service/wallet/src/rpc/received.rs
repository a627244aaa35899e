//! Lists of what was received. Reference: `ListReceived` of `src/wallet/rpc/transactions.cpp`.

use std::collections::BTreeMap;

use grs_descriptor::{Destination, extract_destination};
use grs_hashes::Txid;
use grs_rpc::value::amount;
use grs_rpc::{Arg, Method, Request, Res, RpcError};
use serde_json::{Value, json};

use super::{RpcResult, destination, state_of, synced_wallet_of};
use crate::state::State;

pub(super) fn methods() -> Vec<Method> {
    let common = || {
        [
            Arg::num("minconf", "Least number of confirmations").default(1),
            Arg::bool("include_empty", "Also those that received nothing").default(false),
            Arg::bool("include_watchonly", "No longer used").default(false),
        ]
    };
    let immature =
        || Arg::bool("include_immature_coinbase", "Count coinbases that cannot be spent yet").default(false);
    vec![
        Method::new("wallet", "listreceivedbyaddress", "What each address has received.\n", by_address)
            .args(common())
            .arg(Arg::str("address_filter", "Only this address").optional())
            .arg(immature())
            .result(Res::arr(
                "",
                "",
                [Res::obj(
                    "",
                    "",
                    [
                        Res::str("address", "Address"),
                        Res::amount("amount", "Sum in GRS"),
                        Res::num("confirmations", "Confirmations of the latest payment"),
                        Res::str("label", "Label"),
                        Res::arr("txids", "", [Res::hex("txid", "Payments")]),
                    ],
                )],
            ))
            .example_cli("6 true")
            .example_rpc("6, true, true"),
        Method::new(
            "wallet",
            "listreceivedbylabel",
            "What addresses with each label have received.\n",
            by_label,
        )
        .args(common())
        .arg(immature())
        .result(Res::arr(
            "",
            "",
            [Res::obj(
                "",
                "",
                [
                    Res::amount("amount", "Sum in GRS"),
                    Res::num("confirmations", "Confirmations of the latest payment"),
                    Res::str("label", "Label"),
                ],
            )],
        ))
        .example_cli("6 true")
        .example_rpc("6, true, true"),
    ]
}

/// What came to one address or label.
#[derive(Default)]
struct Tally {
    amount: i64,
    confirmations: Option<i32>,
    txids: Vec<Txid>,
}

impl Tally {
    fn add(&mut self, value: i64, depth: Option<i32>) {
        self.amount += value;
        self.confirmations = match (self.confirmations, depth) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

fn tally(state: &State, min_depth: i32, immature: bool) -> BTreeMap<Destination, Tally> {
    let mut out: BTreeMap<Destination, Tally> = BTreeMap::new();
    for (_, txid) in &state.ordered {
        let Some(wtx) = state.txs.get(txid) else { continue };
        let depth = state.depth(wtx);
        if depth < min_depth || wtx.is_coinbase() && depth < 1 || state.is_immature(wtx) && !immature {
            continue;
        }
        for output in wtx.tx.outputs.iter().filter(|o| state.is_mine(&o.script_pubkey)) {
            let destination = extract_destination(&output.script_pubkey);
            if destination.is_valid() {
                let entry = out.entry(destination).or_default();
                entry.add(output.value.0, Some(depth));
                entry.txids.push(*txid);
            }
        }
    }
    out
}

/// Addresses with their labels and what they received.
fn listed(
    state: &State,
    request: &Request<'_>,
) -> Result<Vec<(Destination, String, Option<Tally>)>, RpcError> {
    let min_depth = request.arg("minconf")?;
    let include_empty: bool = request.arg("include_empty")?;
    let mut tallies = tally(state, min_depth, request.arg("include_immature_coinbase")?);
    let entries = state.address_book.iter().filter_map(|(d, e)| Some((d.clone(), e.label.clone()?)));
    Ok(entries
        .map(|(destination, label)| {
            let tally = tallies.remove(&destination);
            (destination, label, tally)
        })
        .filter(|(_, _, tally)| include_empty || tally.is_some())
        .collect())
}

fn by_address(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let state = state_of(&wallet);
    let only = match request.opt::<&str>("address_filter")? {
        None | Some("") => None,
        Some(text) => Some(
            destination(&state, text)
                .map_err(|_| RpcError::wallet("address_filter parameter was invalid"))?,
        ),
    };
    let mut out = Vec::new();
    for (destination, label, tally) in listed(&state, request)? {
        if only.as_ref().is_some_and(|only| *only != destination) {
            continue;
        }
        let tally = tally.unwrap_or_default();
        out.push(json!({
            "address": state.address(&destination),
            "amount": amount(tally.amount),
            "confirmations": tally.confirmations.unwrap_or(0),
            "label": label,
            "txids": tally.txids.iter().map(|t| t.to_string()).collect::<Vec<_>>(),
        }));
    }
    Ok(Value::Array(out))
}

fn by_label(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let state = state_of(&wallet);
    let mut labels: BTreeMap<String, Tally> = BTreeMap::new();
    for (_, label, tally) in listed(&state, request)? {
        let tally = tally.unwrap_or_default();
        labels.entry(label).or_default().add(tally.amount, tally.confirmations);
    }
    Ok(labels
        .into_iter()
        .map(|(label, tally)| {
            json!({
                "amount": amount(tally.amount),
                "confirmations": tally.confirmations.unwrap_or(0),
                "label": label,
            })
        })
        .collect())
}
