//! One wallet, for windows. It does not keep the wallet loaded.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use grs_descriptor::{OutputType, decode_destination};
use grs_hashes::Txid;
use grs_interfaces::gui::{
    AddressKind, Balances, FeeLevel, FeeLevels, NewReceiveRequest, ReceiveRequest, SendOrder, SendPreview,
    SendProblem, SendRequest, SendStatus, SendToken, Sent, TxDetails, TxPage, TxQuery, Wallet as WalletTrait,
    WalletInfo, WalletSnapshot, WalletSubscriber,
};
use grs_interfaces::{CallError, CallResult, Handler};

use super::{address_kind, list, locked, payment, requests, watch};
use crate::error::WalletError;
use crate::flags;
use crate::spend::CoinControl;
use crate::state::{Purpose, State};
use crate::wallet::Wallet;

/// Targets that are asked for at once at most.
const MOST_TARGETS: usize = 32;
/// Rows that the overview shows.
const RECENT: usize = 5;

/// A wallet, for windows.
pub(super) struct GuiWallet(Weak<Wallet>);

/// A failure of the wallet itself, as against one that the user can do something about.
pub(super) fn failed(error: WalletError) -> CallError {
    CallError::remote(error.to_string())
}

impl GuiWallet {
    pub(super) fn new(wallet: &Arc<Wallet>) -> GuiWallet {
        GuiWallet(wallet.downgrade())
    }

    fn get(&self) -> CallResult<Arc<Wallet>> {
        self.0.upgrade().ok_or_else(|| CallError::remote("The wallet is not loaded any more."))
    }
}

fn kinds(state: &State) -> Vec<AddressKind> {
    let usable = |kind: &OutputType| {
        state.active_id(*kind, false).is_some_and(|id| state.managers[&id].can_get_addresses())
    };
    OutputType::ALL.into_iter().filter(usable).filter_map(address_kind).collect()
}

/// The state of a wallet now.
pub(super) fn snapshot(wallet: &Wallet) -> WalletSnapshot {
    let version = wallet.gui.changed.get();
    let rescan_percent = wallet.scan_progress().map(|(_, share)| (share.clamp(0.0, 1.0) * 100.0) as u8);
    let state = wallet.lock();
    let mut cache = locked(&wallet.gui.list);
    cache.update(&state);
    let balance = state.balance(0, false);
    WalletSnapshot {
        balances: Balances {
            available: balance.trusted,
            pending: balance.untrusted_pending,
            immature: balance.immature,
        },
        encrypted: state.is_encrypted(),
        locked: state.is_locked(),
        transactions: cache.len(),
        transactions_version: version,
        requests_version: wallet.gui.requests.load(Ordering::Acquire),
        recent: cache.recent(&state, RECENT),
        last_block_height: state.last_block_height,
        rescan_percent,
    }
}

impl WalletTrait for GuiWallet {
    fn info(&self) -> CallResult<WalletInfo> {
        let wallet = self.get()?;
        let state = wallet.lock();
        Ok(WalletInfo {
            name: wallet.name.clone(),
            private_keys: !state.has_flag(flags::DISABLE_PRIVATE_KEYS),
            address_kinds: kinds(&state),
            default_address_kind: address_kind(wallet.options.address_type).unwrap_or_default(),
            file: state.db.file().display().to_string(),
        })
    }

    fn snapshot(&self) -> CallResult<WalletSnapshot> {
        Ok(snapshot(self.get()?.as_ref()))
    }

    fn subscribe(&self, subscriber: Arc<dyn WalletSubscriber>) -> CallResult<Arc<dyn Handler>> {
        watch::wallet(self.0.clone(), subscriber)
    }

    fn transactions(&self, query: &TxQuery) -> CallResult<TxPage> {
        let wallet = self.get()?;
        let version = wallet.gui.changed.get();
        let state = wallet.lock();
        let mut cache = locked(&wallet.gui.list);
        cache.update(&state);
        Ok(cache.page(&state, query, version))
    }

    fn transaction(&self, txid: Txid) -> CallResult<Option<TxDetails>> {
        let wallet = self.get()?;
        let state = wallet.lock();
        Ok(list::details(&state, &txid))
    }

    fn set_label(&self, address: &str, label: &str) -> CallResult<Result<(), String>> {
        let wallet = self.get()?;
        {
            let mut state = wallet.lock();
            let destination = match decode_destination(address, state.network) {
                Ok(destination) => destination,
                Err(e) => return Ok(Err(e.to_string())),
            };
            let purpose = match state.is_mine_destination(&destination) {
                true => Purpose::Receive,
                false => Purpose::Send,
            };
            if let Err(e) = state.set_address_book(&destination, label, Some(purpose)) {
                return Ok(Err(e.to_string()));
            }
        }
        wallet.gui.changed.touch();
        Ok(Ok(()))
    }

    fn label(&self, address: &str) -> CallResult<String> {
        let wallet = self.get()?;
        let state = wallet.lock();
        let found = decode_destination(address, state.network).ok();
        let entry = found.as_ref().and_then(|destination| state.address_entry(destination));
        Ok(entry.and_then(|entry| entry.label.clone()).unwrap_or_default())
    }

    fn receive_requests(&self) -> CallResult<Vec<ReceiveRequest>> {
        requests::all(&self.get()?.lock()).map_err(failed)
    }

    fn new_receive_request(&self, request: NewReceiveRequest) -> CallResult<Result<ReceiveRequest, String>> {
        let wallet = self.get()?;
        let made = requests::create(&mut wallet.lock(), request);
        if made.is_ok() {
            wallet.gui.requests.fetch_add(1, Ordering::AcqRel);
            wallet.gui.changed.touch();
        }
        Ok(made.map_err(|e| e.to_string()))
    }

    fn remove_receive_request(&self, address: &str, id: u64) -> CallResult<bool> {
        let wallet = self.get()?;
        let removed = requests::remove(&mut wallet.lock(), address, id).map_err(failed)?;
        if removed {
            wallet.gui.requests.fetch_add(1, Ordering::AcqRel);
            wallet.gui.changed.touch();
        }
        Ok(removed)
    }

    fn fee_levels(&self, targets: &[u32]) -> CallResult<FeeLevels> {
        let wallet = self.get()?;
        let mut levels = Vec::new();
        for target in targets.iter().copied().filter(|t| *t > 0).take(MOST_TARGETS) {
            let control = CoinControl {
                confirm_target: Some(target),
                signal_rbf: Some(true),
                ..CoinControl::default()
            };
            let (rate, source) = wallet.minimum_fee_rate(&control).map_err(failed)?;
            let estimate = wallet.chain.estimate_smart_fee(target, false)?;
            levels.push(FeeLevel {
                target,
                rate: rate.fee(1000).0.max(0) as u64,
                source,
                returned_target: estimate.returned_target.max(target),
            });
        }
        Ok(FeeLevels {
            levels,
            required: wallet.required_fee_rate().map_err(failed)?.fee(1000).0.max(0) as u64,
            default_target: wallet.options.confirm_target,
            max_fee: wallet.options.max_tx_fee,
        })
    }

    fn preview(&self, request: &SendRequest) -> CallResult<Result<SendPreview, SendProblem>> {
        payment::preview(self.get()?.as_ref(), request)
    }

    fn send(&self, order: SendOrder) -> CallResult<Result<Sent, SendProblem>> {
        payment::send(self.get()?.as_ref(), order)
    }

    fn send_status(&self, token: SendToken) -> CallResult<SendStatus> {
        Ok(payment::status(self.get()?.as_ref(), token))
    }
}
