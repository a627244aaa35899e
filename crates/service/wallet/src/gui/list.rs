//! The list of transactions: rows that are made once, filtered and sorted here. Reference:
//! `src/qt/transactionrecord.cpp`, `transactionfilterproxy.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::extract_destination;
use grs_hashes::Txid;
use grs_interfaces::gui::{
    PAGE_LIMIT, TxDetails, TxFilter, TxKind, TxPage, TxQuery, TxRow, TxSort, TxSortColumn, TxStatus,
};

use super::SETTLED;
use crate::records::{TxState, WalletTx};
use crate::state::State;

/// What does not change of a row with new blocks.
#[derive(Debug, Clone)]
struct BaseRow {
    txid: Txid,
    index: u32,
    time: i64,
    kind: TxKind,
    amount: i64,
    label: Box<str>,
    address: Box<str>,
    /// Label and address in small letters.
    search: Box<str>,
}

/// Rows of all transactions in the order of the wallet, and the last answer.
#[derive(Default)]
pub(super) struct ListCache {
    rows: Vec<BaseRow>,
    /// The newest transaction that has rows here.
    last: Option<(i64, Txid)>,
    transactions: usize,
    /// [`State::book_version`] that the labels are from.
    book: u64,
    /// Grows with each change of the rows.
    version: u64,
    /// Place of each row when all are sorted by label, and the version that it is of.
    by_label: Option<(u64, Vec<u32>)>,
    answer: Option<Answer>,
}

/// Numbers of the rows that pass a filter, sorted.
struct Answer {
    filter: TxFilter,
    sort: TxSort,
    version: u64,
    /// Height that the order depends on, if it does.
    height: i32,
    rows: Vec<u32>,
    sum: i64,
}

/// Makes the rows of a transaction.
fn base_rows(state: &State, wtx: &WalletTx, out: &mut Vec<BaseRow>) {
    let tx = &wtx.tx;
    let mine = |n: usize| state.coin(&tx.inputs[n].prevout).is_some();
    let coinbase = wtx.is_coinbase();
    let from_me = if coinbase { 0 } else { (0..tx.inputs.len()).filter(|n| mine(*n)).count() };
    let all_from_me = !coinbase && from_me == tx.inputs.len();
    let (debit, credit) = (state.debit(tx), state.credit(tx));
    let mut push =
        |index: usize, kind: TxKind, amount: i64, destination: Option<grs_descriptor::Destination>| {
            let known = destination.filter(grs_descriptor::Destination::is_valid);
            let label = known.as_ref().and_then(|d| state.address_entry(d)).and_then(|e| e.label.clone());
            let address = known.map_or_else(String::new, |d| state.address(&d));
            let label = label.unwrap_or_default();
            let search = format!("{}\n{address}", label.to_lowercase()).to_lowercase();
            out.push(BaseRow {
                txid: wtx.txid(),
                index: index as u32,
                time: wtx.time(),
                kind,
                amount,
                label: label.into(),
                address: address.into(),
                search: search.into(),
            });
        };
    if from_me > 0 && !all_from_me {
        // Who paid whom cannot be told.
        push(0, TxKind::Other, credit - debit, None);
        return;
    }
    let mut fee = if all_from_me { debit - tx.outputs.iter().map(|o| o.value.0).sum::<i64>() } else { 0 };
    let change = |n: usize| all_from_me && state.is_change(&tx.outputs[n].script_pubkey);
    // All of it may be change, as when coins are swept together.
    let shown: Vec<usize> = (0..tx.outputs.len()).filter(|n| !change(*n)).collect();
    if all_from_me && shown.is_empty() {
        push(0, TxKind::ToSelf, credit - debit, None);
        return;
    }
    for n in shown {
        let output = &tx.outputs[n];
        let destination = extract_destination(&output.script_pubkey);
        let ours = state.is_mine(&output.script_pubkey);
        match (all_from_me, ours) {
            (true, false) => {
                push(n, TxKind::Sent, -output.value.0 - fee, Some(destination));
                fee = 0;
            }
            (true, true) => {
                push(n, TxKind::ToSelf, -fee, Some(destination));
                fee = 0;
            }
            (false, true) => {
                let kind = if coinbase { TxKind::Mined } else { TxKind::Received };
                push(n, kind, output.value.0, Some(destination));
            }
            (false, false) => {}
        }
    }
}

fn status(state: &State, wtx: &WalletTx) -> TxStatus {
    let depth = state.depth(wtx);
    match wtx.state {
        TxState::Inactive { abandoned: true } => TxStatus::Abandoned,
        TxState::BlockConflicted { .. } => TxStatus::Conflicted,
        _ if depth < 0 || wtx.is_mempool_conflicted() => TxStatus::Conflicted,
        TxState::InMempool => TxStatus::Unconfirmed,
        TxState::Confirmed { .. } => {
            let depth_now = depth.max(0) as u32;
            match state.blocks_to_maturity(wtx) {
                left @ 1.. => TxStatus::Immature { depth: depth_now, blocks_left: left as u32 },
                _ if depth < SETTLED && !wtx.is_coinbase() => TxStatus::Confirming { depth: depth_now },
                _ => TxStatus::Confirmed { depth: depth_now },
            }
        }
        _ => TxStatus::Inactive,
    }
}

fn row(state: &State, base: &BaseRow) -> TxRow {
    TxRow {
        txid: base.txid,
        index: base.index,
        time: base.time,
        kind: base.kind,
        status: state.txs.get(&base.txid).map_or(TxStatus::Inactive, |wtx| status(state, wtx)),
        label: base.label.to_string(),
        address: base.address.to_string(),
        amount: base.amount,
    }
}

/// A filter made ready.
struct Matcher<'a> {
    filter: &'a TxFilter,
    text: String,
    /// The text may be part of a transaction's id.
    hex: bool,
}

impl<'a> Matcher<'a> {
    fn new(filter: &'a TxFilter) -> Matcher<'a> {
        let text = filter.text.trim().to_lowercase();
        let hex = !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        Matcher { filter, text, hex }
    }

    fn matches(&self, row: &BaseRow) -> bool {
        let f = self.filter;
        f.from.is_none_or(|from| row.time >= from)
            && f.until.is_none_or(|until| row.time < until)
            && (f.kinds == 0 || f.kinds & row.kind.bit() != 0)
            && row.amount.saturating_abs() >= f.min_amount
            && (self.text.is_empty()
                || row.search.contains(&self.text)
                || self.hex && hex_contains(&row.txid, self.text.as_bytes()))
    }
}

/// Whether the text form of an id contains a text in small letters. Without making a text for each row.
fn hex_contains(txid: &Txid, text: &[u8]) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 64];
    for (n, byte) in txid.as_bytes().iter().rev().enumerate() {
        hex[2 * n] = DIGITS[usize::from(byte >> 4)];
        hex[2 * n + 1] = DIGITS[usize::from(byte & 15)];
    }
    // The first digit first: comparing slices costs much more.
    text.first()
        .is_none_or(|first| hex.windows(text.len()).any(|window| window[0] == *first && window == text))
}

impl ListCache {
    /// Takes in what has come since. New transactions are added; anything else makes all rows anew.
    pub(super) fn update(&mut self, state: &State) {
        let newest = state.ordered.last().copied();
        if self.book == state.book_version && self.transactions == state.ordered.len() && self.last == newest
        {
            return;
        }
        let fresh: Vec<Txid> = match self.last.filter(|last| state.ordered.contains(last)) {
            Some(last) if self.book == state.book_version => {
                let after = (std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded);
                state.ordered.range(after).map(|(_, txid)| *txid).collect()
            }
            _ => Vec::new(),
        };
        let appended = !fresh.is_empty() && self.transactions + fresh.len() == state.ordered.len();
        if !appended {
            self.rows.clear();
        }
        let todo: Vec<Txid> =
            if appended { fresh } else { state.ordered.iter().map(|(_, txid)| *txid).collect() };
        for wtx in todo.iter().filter_map(|txid| state.txs.get(txid)) {
            base_rows(state, wtx, &mut self.rows);
        }
        self.last = newest;
        self.transactions = state.ordered.len();
        self.book = state.book_version;
        self.version += 1;
    }

    pub(super) fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// The newest rows, without conflicted ones.
    pub(super) fn recent(&self, state: &State, count: usize) -> Vec<TxRow> {
        let mut newest: Vec<&BaseRow> = Vec::new();
        // Times nearly follow the order of the wallet, so a few more than are wanted hold the newest.
        for base in self.rows.iter().rev().take(count * 8) {
            newest.push(base);
        }
        newest.sort_by_key(|base| std::cmp::Reverse(base.time));
        let rows = newest.into_iter().map(|base| row(state, base));
        rows.filter(|row| row.status != TxStatus::Conflicted).take(count).collect()
    }

    fn depth(state: &State, base: &BaseRow) -> i32 {
        state.txs.get(&base.txid).map_or(0, |wtx| state.depth(wtx))
    }

    /// Texts are compared once for each state of the rows, not for each letter of a filter.
    fn rank_labels(&mut self) {
        if self.by_label.as_ref().is_some_and(|(version, _)| *version == self.version) {
            return;
        }
        let mut order: Vec<u32> = (0..self.len()).collect();
        order.sort_by(|a, b| self.rows[*a as usize].search.cmp(&self.rows[*b as usize].search));
        let mut ranks = vec![0; order.len()];
        for (rank, row) in order.into_iter().enumerate() {
            ranks[row as usize] = rank as u32;
        }
        self.by_label = Some((self.version, ranks));
    }

    fn answer(&mut self, state: &State, filter: &TxFilter, sort: TxSort) -> &Answer {
        let height = if sort.column == TxSortColumn::Status { state.last_block_height } else { 0 };
        let good = |a: &Answer| {
            a.version == self.version && a.height == height && a.sort == sort && a.filter == *filter
        };
        if !self.answer.as_ref().is_some_and(good) {
            let matcher = Matcher::new(filter);
            let all = self.rows.iter().enumerate();
            let mut rows: Vec<u32> =
                all.filter(|(_, base)| matcher.matches(base)).map(|(n, _)| n as u32).collect();
            let sum = rows.iter().map(|n| self.rows[*n as usize].amount).fold(0, i64::saturating_add);
            if sort.column == TxSortColumn::Label {
                self.rank_labels();
            }
            let ranks = self.by_label.as_ref().map_or(&[] as &[u32], |(_, ranks)| ranks);
            sort_rows(state, &self.rows, ranks, &mut rows, sort);
            let (filter, version) = (filter.clone(), self.version);
            self.answer = Some(Answer { filter, sort, version, height, rows, sum });
        }
        self.answer.as_ref().expect("it has just been made")
    }

    /// A page of the rows that pass a filter.
    pub(super) fn page(&mut self, state: &State, query: &TxQuery, version: u64) -> TxPage {
        let answer = self.answer(state, &query.filter, query.sort);
        let (matching, sum) = (answer.rows.len(), answer.sum);
        let start = (query.offset as usize).min(matching);
        let end = start.saturating_add(query.limit.min(PAGE_LIMIT) as usize).min(matching);
        let numbers = answer.rows[start..end].to_vec();
        TxPage {
            offset: start as u32,
            rows: numbers.into_iter().map(|n| row(state, &self.rows[n as usize])).collect(),
            matching: matching as u32,
            total: self.len(),
            sum,
            version,
        }
    }
}

/// `ranks` are needed for the order by label only.
fn sort_rows(state: &State, rows: &[BaseRow], ranks: &[u32], numbers: &mut [u32], sort: TxSort) {
    let base = |n: &u32| &rows[*n as usize];
    // The order of the wallet decides between equals.
    match sort.column {
        TxSortColumn::Date => numbers.sort_by_key(|n| (base(n).time, *n)),
        TxSortColumn::Kind => numbers.sort_by_key(|n| (base(n).kind, base(n).time, *n)),
        TxSortColumn::Amount => numbers.sort_by_key(|n| (base(n).amount, base(n).time, *n)),
        TxSortColumn::Status => {
            numbers.sort_by_cached_key(|n| (ListCache::depth(state, base(n)), base(n).time, *n))
        }
        TxSortColumn::Label => numbers.sort_by_key(|n| ranks.get(*n as usize).copied()),
    }
    if sort.descending {
        numbers.reverse();
    }
}

/// All about one transaction.
pub(super) fn details(state: &State, txid: &Txid) -> Option<TxDetails> {
    let wtx = state.txs.get(txid)?;
    let mut base = Vec::new();
    base_rows(state, wtx, &mut base);
    let (debit, credit) = (state.debit(&wtx.tx), state.credit(&wtx.tx));
    let inputs: BTreeSet<bool> = wtx.tx.inputs.iter().map(|i| state.coin(&i.prevout).is_some()).collect();
    let paid = !wtx.is_coinbase() && inputs == BTreeSet::from([true]);
    let block = match wtx.state {
        TxState::Confirmed { block, height, .. } => Some((block, height)),
        _ => None,
    };
    let other = |name: &str| wtx.values.get(name).and_then(|text| text.parse().ok());
    Some(TxDetails {
        txid: *txid,
        status: status(state, wtx),
        time: wtx.time(),
        rows: base.iter().map(|base| row(state, base)).collect(),
        debit,
        credit,
        fee: paid.then(|| debit - wtx.tx.outputs.iter().map(|o| o.value.0).sum::<i64>()),
        size: grs_encoding::encode_to_vec(wtx.tx.as_ref()).len() as u32,
        vsize: wtx.tx.weight().div_ceil(4) as u32,
        block_height: block.and_then(|(_, height)| u32::try_from(height).ok()),
        block_hash: block.map_or_else(String::new, |(hash, _)| hash.to_string()),
        comment: wtx.values.get("comment").cloned().unwrap_or_default(),
        replaces: other("replaces_txid"),
        replaced_by: other("replaced_by_txid"),
        hex: grs_encoding::hex_encode(grs_encoding::encode_to_vec(wtx.tx.as_ref())),
    })
}
