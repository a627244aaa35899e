//! Addresses that payments have linked. Reference: `GetAddressGroupings` of `src/wallet/receive.cpp`.

use std::collections::{BTreeMap, BTreeSet};

use grs_descriptor::{Destination, extract_destination};
use grs_primitives::Script;
use grs_rpc::value::amount;
use grs_rpc::{Method, Request, Res};
use serde_json::Value;

use super::{RpcResult, state_of, synced_wallet_of};
use crate::state::State;

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::new(
            "wallet",
            "listaddressgroupings",
            "Groups of addresses that others can link, since they were spent together or are change of one another.\n",
            listaddressgroupings,
        )
        .result(Res::arr(
            "",
            "",
            [Res::arr(
                "",
                "",
                [Res::arr_fixed(
                    "",
                    "",
                    [
                        Res::str("address", "Address"),
                        Res::amount("amount", "Its balance in GRS"),
                        Res::str("label", "Its label").optional(),
                    ],
                )],
            )],
        ))
        .example(""),
    ]
}

/// Sets of addresses, merged as they turn out to be linked.
#[derive(Default)]
struct Groups {
    of: BTreeMap<Destination, usize>,
    members: Vec<BTreeSet<Destination>>,
}

impl Groups {
    fn link(&mut self, destinations: BTreeSet<Destination>) {
        let hit: BTreeSet<usize> = destinations.iter().filter_map(|d| self.of.get(d).copied()).collect();
        let mut merged = destinations;
        for group in hit {
            merged.append(&mut self.members[group]);
        }
        let number = self.members.len();
        for destination in &merged {
            self.of.insert(destination.clone(), number);
        }
        self.members.push(merged);
    }
}

fn groupings(state: &State) -> Vec<BTreeSet<Destination>> {
    let mut groups = Groups::default();
    let destination_of = |script: &Script| Some(extract_destination(script)).filter(Destination::is_valid);
    for (_, txid) in &state.ordered {
        let Some(wtx) = state.txs.get(txid) else { continue };
        let spent: Vec<&Script> = wtx
            .tx
            .inputs
            .iter()
            .filter_map(|input| state.coin(&input.prevout))
            .map(|out| &out.script_pubkey)
            .collect();
        let mine = || wtx.tx.outputs.iter().map(|o| &o.script_pubkey).filter(|s| state.is_mine(s));
        if !spent.is_empty() {
            let change = mine().filter(|s| state.is_change(s));
            let linked: BTreeSet<Destination> =
                spent.iter().copied().chain(change).filter_map(destination_of).collect();
            groups.link(linked);
        }
        for destination in mine().filter_map(destination_of) {
            groups.link(BTreeSet::from([destination]));
        }
    }
    let mut out: Vec<_> = groups.members.into_iter().filter(|g| !g.is_empty()).collect();
    out.sort();
    out
}

/// Trusted and mature balances by address.
fn balances(state: &State) -> BTreeMap<Destination, i64> {
    let mut out = BTreeMap::new();
    let mut trusted_parents = BTreeSet::new();
    for (outpoint, coin) in &state.coins {
        let Some(wtx) = state.txs.get(&outpoint.txid) else { continue };
        let least = if state.is_from_me(&wtx.tx) { 0 } else { 1 };
        if state.is_spent(outpoint)
            || !state.is_trusted(wtx, &mut trusted_parents)
            || state.is_immature(wtx)
            || state.depth(wtx) < least
        {
            continue;
        }
        *out.entry(extract_destination(&coin.script_pubkey)).or_default() += coin.value.0;
    }
    out
}

fn listaddressgroupings(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let state = state_of(&wallet);
    let balances = balances(&state);
    let entry = |destination: &Destination| {
        let mut out = vec![
            Value::from(state.address(destination)),
            amount(balances.get(destination).copied().unwrap_or(0)),
        ];
        out.extend(state.address_entry(destination).and_then(|e| e.label.clone()).map(Value::from));
        Value::Array(out)
    };
    Ok(groupings(&state).iter().map(|group| Value::Array(group.iter().map(entry).collect())).collect())
}
