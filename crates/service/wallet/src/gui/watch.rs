//! Threads that tell windows what has changed. Each waits until its window has taken the last news, so that one that
//! stands still holds up nobody else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use grs_interfaces::gui::{WalletSnapshot, WalletSubscriber, WalletsSubscriber};
use grs_interfaces::{CallError, CallResult, Handler, HandlerFn};

use super::view::snapshot;
use crate::context::WalletContext;
use crate::wallet::Wallet;

/// Things that no signal tells of (a lock that falls shut, the progress of a scan) are looked at this often.
const LOOK: Duration = Duration::from_secs(1);
/// Least time between two updates.
const PAUSE: Duration = Duration::from_millis(200);

/// What decides whether a snapshot has to be made anew.
type Mark = (u64, bool, bool, Option<u8>);

fn mark(wallet: &Wallet) -> Mark {
    let percent = wallet.scan_progress().map(|(_, share)| (share * 100.0) as u8);
    let changes = wallet.gui.changed.get();
    let state = wallet.lock();
    (changes, state.is_encrypted(), state.is_locked(), percent)
}

fn spawn(
    name: &str,
    wake: impl Fn() + Send + 'static,
    body: impl FnOnce(&AtomicBool) + Send + 'static,
) -> CallResult<Arc<dyn Handler>> {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = ended.clone();
    grs_sync::thread::spawn_quiet(name, move || body(&flag)).map_err(|e| CallError::remote(e.to_string()))?;
    Ok(HandlerFn::new(move || {
        ended.store(true, Ordering::Release);
        wake();
    }))
}

/// Tells of one wallet.
pub(super) fn wallet(
    weak: Weak<Wallet>,
    subscriber: Arc<dyn WalletSubscriber>,
) -> CallResult<Arc<dyn Handler>> {
    let wake = weak.clone();
    let wake = move || {
        if let Some(wallet) = wake.upgrade() {
            wallet.gui.changed.touch();
        }
    };
    let Some(signals) = weak.upgrade().map(|w| w.gui.clone()) else {
        return Err(CallError::remote("The wallet is not loaded any more."));
    };
    spawn("gui-wallet", wake, move |ended| {
        let (mut seen, mut sent): (Option<Mark>, Option<WalletSnapshot>) = (None, None);
        while !ended.load(Ordering::Acquire) {
            let Some(wallet) = weak.upgrade() else {
                // A window that is gone needs no news.
                let _ = subscriber.unloaded();
                return;
            };
            let now = mark(&wallet);
            let fresh = (seen != Some(now)).then(|| snapshot(&wallet));
            // The wallet must not be kept loaded while the window takes its time.
            drop(wallet);
            seen = Some(now);
            if let Some(fresh) = fresh.filter(|fresh| sent.as_ref() != Some(fresh)) {
                if subscriber.update(fresh.clone()).is_err() {
                    return;
                }
                sent = Some(fresh);
                std::thread::sleep(PAUSE);
            }
            signals.changed.wait(now.0, LOOK);
        }
    })
}

/// Tells which wallets are loaded.
pub(super) fn wallets(
    context: Weak<WalletContext>,
    subscriber: Arc<dyn WalletsSubscriber>,
) -> CallResult<Arc<dyn Handler>> {
    let Some(signal) = context.upgrade().map(|c| c.changed.clone()) else { return Err(CallError::Cancelled) };
    let wake = signal.clone();
    spawn(
        "gui-wallets",
        move || wake.touch(),
        move |ended| {
            let mut sent: Option<Vec<String>> = None;
            while !ended.load(Ordering::Acquire) {
                let count = signal.get();
                let Some(context) = context.upgrade() else { return };
                let names: Vec<String> = context.wallets().iter().map(|w| w.name.clone()).collect();
                drop(context);
                if sent.as_ref() != Some(&names) {
                    if subscriber.loaded(names.clone()).is_err() {
                        return;
                    }
                    sent = Some(names);
                }
                signal.wait(count, LOOK);
            }
        },
    )
}
