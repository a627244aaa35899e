//! All wallets of the process, for windows.

use std::sync::{Arc, Weak};

use grs_interfaces::gui::{NewWallet, Wallet as GuiWalletTrait, WalletEntry, Wallets, WalletsSubscriber};
use grs_interfaces::{BilingualString, CallError, CallResult, Handler, WalletOutcome};

use super::view::GuiWallet;
use super::watch;
use crate::context::{Loaded, WalletContext, bilingual};
use crate::db;
use crate::flags;

/// All wallets, for windows.
pub(crate) struct GuiWallets(Weak<WalletContext>);

impl GuiWallets {
    pub(crate) fn new(context: &Arc<WalletContext>) -> GuiWallets {
        GuiWallets(Arc::downgrade(context))
    }

    fn context(&self) -> CallResult<Arc<WalletContext>> {
        self.0.upgrade().ok_or_else(|| CallError::disconnected("The wallets have been closed."))
    }
}

fn outcome((result, warnings): Loaded) -> WalletOutcome {
    WalletOutcome {
        result: result.map(|wallet| wallet.name.clone()).map_err(|e| bilingual(e.text)),
        warnings: warnings.into_iter().map(bilingual).collect(),
    }
}

impl Wallets for GuiWallets {
    fn list(&self) -> CallResult<Vec<WalletEntry>> {
        let context = self.context()?;
        let loaded: Vec<String> = context.wallets().iter().map(|w| w.name.clone()).collect();
        let mut out: Vec<WalletEntry> = db::list_wallet_dir(&context.wallet_dir(), context.magic)
            .into_iter()
            .map(|entry| WalletEntry {
                loaded: loaded.contains(&entry.name),
                name: entry.name,
                format: entry.format,
            })
            .collect();
        for name in loaded {
            if !out.iter().any(|entry| entry.name == name) {
                out.push(WalletEntry { name, format: "sqlite".into(), loaded: true });
            }
        }
        out.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    fn create(&self, wallet: NewWallet) -> CallResult<WalletOutcome> {
        let mut wanted = 0;
        if wallet.disable_private_keys {
            wanted |= flags::DISABLE_PRIVATE_KEYS;
        }
        if wallet.blank {
            wanted |= flags::BLANK_WALLET;
        }
        Ok(outcome(self.context()?.create(&wallet.name, &wallet.passphrase, wanted, Some(true))))
    }

    fn open(&self, name: &str) -> CallResult<WalletOutcome> {
        let context = self.context()?;
        if context.wallet(name).is_some() {
            let text = format!("Wallet \"{name}\" is already loaded.");
            return Ok(WalletOutcome { result: Err(bilingual(text)), warnings: Vec::new() });
        }
        Ok(outcome(context.load(name, Some(true))))
    }

    fn close(&self, name: &str) -> CallResult<Result<(), BilingualString>> {
        let context = self.context()?;
        let refuse = |text: &str| Ok(Err(bilingual(text)));
        let Some(wallet) = context.wallet(name) else {
            return refuse("Requested wallet does not exist or is not loaded");
        };
        {
            let Some(_reserver) = wallet.reserve_scan(false) else {
                return refuse("Wallet is currently rescanning. Abort existing rescan or wait.");
            };
            if !context.remove(&wallet, Some(false), &mut Vec::new()) {
                return refuse("Requested wallet already unloaded");
            }
        }
        WalletContext::wait_released(wallet);
        Ok(Ok(()))
    }

    fn wallet(&self, name: &str) -> CallResult<Option<Arc<dyn GuiWalletTrait>>> {
        let found = self.context()?.wallet(name);
        Ok(found.map(|wallet| Arc::new(GuiWallet::new(&wallet)) as Arc<dyn GuiWalletTrait>))
    }

    fn subscribe(&self, subscriber: Arc<dyn WalletsSubscriber>) -> CallResult<Arc<dyn Handler>> {
        watch::wallets(self.0.clone(), subscriber)
    }
}
