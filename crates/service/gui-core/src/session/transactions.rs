//! The list of transactions: pages are read as they are needed, and only the newest question counts.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grs_interfaces::CallResult;
use grs_interfaces::gui::{TxFilter, TxPage, TxQuery, TxSort, Wallet};

use super::state::State;
use crate::csv;
use crate::texts::Text;
use crate::view::{ActionId, CsvExport, Reply, TxList};

/// Pages that are kept besides those that are seen.
const KEPT: usize = 32;

/// What has been asked for.
#[derive(Default)]
pub(super) struct ListState {
    /// Number of the newest question; older ones are not even asked.
    epoch: Arc<AtomicU64>,
    filter: TxFilter,
    sort: TxSort,
    /// Pages that were drawn last.
    seen: (u32, u32),
    /// Pages under way.
    asked: Vec<u32>,
}

fn read_pages(
    wallet: &dyn Wallet,
    (filter, sort): (&TxFilter, TxSort),
    pages: RangeInclusive<u32>,
) -> CallResult<Vec<(u32, TxPage)>> {
    let mut out = Vec::new();
    for number in pages {
        let query =
            TxQuery { filter: filter.clone(), sort, offset: number * State::PAGE, limit: State::PAGE };
        let page = wallet.transactions(&query)?;
        let last = (number + 1) * State::PAGE >= page.matching;
        out.push((number, page));
        if last {
            break;
        }
    }
    Ok(out)
}

impl State {
    /// Filters and sorts anew.
    pub(super) fn show_transactions(&mut self, filter: TxFilter, sort: TxSort) {
        if (self.list.filter.clone(), self.list.sort) != (filter.clone(), sort) {
            self.list.seen = (0, 0);
        }
        self.list.filter = filter;
        self.list.sort = sort;
        self.refresh_list();
    }

    /// Reads the seen pages again.
    pub(super) fn refresh_list(&mut self) {
        let Some(wallet) = self.attached.as_ref().map(|a| a.wallet.clone()) else { return };
        let epoch = self.list.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        self.list.asked.clear();
        self.change_wallet(|wallet| Arc::make_mut(&mut wallet.transactions).loading = true);
        let (newest, filter, sort) = (self.list.epoch.clone(), self.list.filter.clone(), self.list.sort);
        let (first, last) = self.list.seen;
        let call = move || {
            let current = newest.load(Ordering::Relaxed) == epoch;
            current.then(|| {
                read_pages(wallet.as_ref(), (&filter, sort), first..=last).map(|pages| (pages, filter))
            })
        };
        self.lanes.lists.maybe(call, move |state, result| state.list_read(epoch, sort, result));
    }

    fn list_read(&mut self, epoch: u64, sort: TxSort, result: CallResult<(Vec<(u32, TxPage)>, TxFilter)>) {
        if self.list.epoch.load(Ordering::Relaxed) != epoch {
            return;
        }
        match result {
            Err(error) => {
                self.change_wallet(|wallet| Arc::make_mut(&mut wallet.transactions).loading = false);
                self.wallet_call_failed(&error);
            }
            Ok((pages, filter)) => {
                let Some((_, last)) = pages.last() else { return };
                let list = TxList {
                    filter,
                    sort,
                    matching: last.matching,
                    total: last.total,
                    sum: last.sum,
                    version: last.version,
                    loading: false,
                    pages: pages.into_iter().map(|(n, page)| (n, Arc::new(page.rows))).collect(),
                };
                self.change_wallet(|wallet| wallet.transactions = Arc::new(list));
            }
        }
    }

    /// These rows are drawn: pages that are missing are read.
    pub(super) fn need_rows(&mut self, first: u32, end: u32) {
        let pages = (first / State::PAGE, end.max(first + 1).saturating_sub(1) / State::PAGE);
        self.list.seen = (pages.0, pages.1.min(pages.0 + 3));
        let Some(list) = self.view.wallet.as_ref().map(|w| w.transactions.clone()) else { return };
        let Some(wallet) = self.attached.as_ref().map(|a| a.wallet.clone()) else { return };
        if list.loading {
            return;
        }
        for number in self.list.seen.0..=self.list.seen.1 {
            if list.pages.contains_key(&number) || self.list.asked.contains(&number) {
                continue;
            }
            self.list.asked.push(number);
            let (newest, epoch) = (self.list.epoch.clone(), self.list.epoch.load(Ordering::Relaxed));
            let (wallet, filter, sort) = (wallet.clone(), self.list.filter.clone(), self.list.sort);
            let call = move || {
                let current = newest.load(Ordering::Relaxed) == epoch;
                current.then(|| read_pages(wallet.as_ref(), (&filter, sort), number..=number))
            };
            self.lanes.lists.maybe(call, move |state, result| state.page_read(epoch, number, result));
        }
    }

    fn page_read(&mut self, epoch: u64, number: u32, result: CallResult<Vec<(u32, TxPage)>>) {
        if self.list.epoch.load(Ordering::Relaxed) != epoch {
            return;
        }
        self.list.asked.retain(|asked| *asked != number);
        let pages = match result {
            Ok(pages) => pages,
            Err(error) => return self.wallet_call_failed(&error),
        };
        let known = self.view.wallet.as_ref().map(|w| w.transactions.version);
        if pages.iter().any(|(_, page)| Some(page.version) != known) {
            // The list has changed since the other pages were read.
            return self.refresh_list();
        }
        let seen = self.list.seen;
        self.change_wallet(|wallet| {
            let list = Arc::make_mut(&mut wallet.transactions);
            list.pages.extend(pages.into_iter().map(|(n, page)| (n, Arc::new(page.rows))));
            while list.pages.len() > KEPT {
                let far =
                    list.pages.keys().copied().max_by_key(|n| n.abs_diff(seen.0).min(n.abs_diff(seen.1)));
                list.pages.remove(&far.unwrap_or_default());
            }
        });
    }

    /// Writes all rows that pass a filter into a file.
    pub(super) fn export(&mut self, id: ActionId, export: CsvExport) {
        let Some(wallet) = self.wallet_for(id) else { return };
        let call = move || {
            csv::export(&export, &mut |query| wallet.transactions(query).map_err(|e| super::call_text(&e)))
        };
        self.lanes.exports.call(call, move |state, result| {
            state.reply(id, result.map_or_else(Reply::Failed, Reply::Exported));
        });
    }

    /// All about one transaction.
    pub(super) fn details(&mut self, id: ActionId, txid: grs_hashes::Txid) {
        self.wallet_call(id, move |wallet| Ok(Reply::Details(wallet.transaction(txid)?.map(Arc::new))));
    }

    /// The requests for payment.
    pub(super) fn read_requests(&mut self) {
        let Some(wallet) = self.attached.as_ref().map(|a| a.wallet.clone()) else { return };
        let name = self.attached.as_ref().map(|a| a.name.clone()).unwrap_or_default();
        self.lanes.calls.call(
            move || wallet.receive_requests(),
            move |state, result| match result {
                Ok(requests) if state.view.wallet_name() == Some(&name) => {
                    state.change_wallet(|wallet| wallet.requests = Arc::new(requests));
                }
                Ok(_) => {}
                Err(error) => state.wallet_call_failed(&error),
            },
        );
    }

    /// Makes a call on the shown wallet that has one reply.
    pub(super) fn wallet_call(
        &mut self,
        id: ActionId,
        call: impl FnOnce(&dyn Wallet) -> CallResult<Reply> + Send + 'static,
    ) {
        let Some(wallet) = self.wallet_for(id) else { return };
        self.lanes.calls.call(
            move || call(wallet.as_ref()),
            move |state, result| match result {
                Ok(reply) => state.reply(id, reply),
                Err(error) => {
                    state.reply(id, Reply::Failed(super::call_text(&error)));
                    state.wallet_call_failed(&error);
                }
            },
        );
    }

    /// A wallet's call that fails may mean that only the wallet process is gone; the node tells about that.
    pub(super) fn wallet_call_failed(&mut self, error: &grs_interfaces::CallError) {
        if error.is_disconnected()
            && self.view.link.is_fresh()
            && self.view.wallet_link == crate::view::WalletLink::Running
        {
            let cause = error.to_string();
            self.view.wallet_link = crate::view::WalletLink::Lost { cause };
            self.touch();
        }
    }

    /// A reply for something that was there once.
    pub(super) fn found(found: bool, gone: Text) -> Reply {
        if found { Reply::Done } else { Reply::Failed(gone.s().to_owned()) }
    }
}
