//! Proxy of `WalletLoader`, in the node.

use std::sync::Arc;

use capnp::capability::FromClientHook;
use grs_interfaces::{
    BilingualString, CallResult, ChainClient, Handler, LoadWalletCallback, SecureString, WalletDirEntry,
    WalletLoader, WalletMigration, WalletOutcome,
};
use grs_ipc_schema::wallet_capnp::{chain_client, load_wallet_callback, wallet_loader};

use super::{Proxy, ask, handler};
use crate::convert::{FromWire, text};
use crate::server::load_wallet_client;

/// The wallet process.
pub(crate) struct WalletLoaderProxy(pub(crate) Proxy<wallet_loader::Client>);

/// A method of the parent interface.
macro_rules! ask_parent {
    ($proxy:expr, $request:ident, |$p:ident| $fill:expr, |$r:ident| $read:expr) => {
        $proxy.call(move |client: wallet_loader::Client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut request = client.$request();
            let mut $p = request.get();
            call.context($p.reborrow().init_context())?;
            $fill;
            let response = call.send(request).await?;
            let $r = response.get()?;
            let _ = &$r;
            $read
        })
    };
}

impl ChainClient for WalletLoaderProxy {
    fn register_rpcs(&self) -> CallResult<()> {
        ask_parent!(self.0, register_rpcs_request, |p| {}, |r| Ok(()))
    }

    fn verify(&self) -> CallResult<bool> {
        ask_parent!(self.0, verify_request, |p| {}, |r| Ok(r.get_result()))
    }

    fn load(&self) -> CallResult<bool> {
        ask_parent!(self.0, load_request, |p| {}, |r| Ok(r.get_result()))
    }

    fn start(&self) -> CallResult<()> {
        ask_parent!(self.0, start_request, |p| {}, |r| Ok(()))
    }

    fn stop(&self) -> CallResult<()> {
        ask_parent!(self.0, stop_request, |p| {}, |r| Ok(()))
    }

    fn set_mock_time(&self, time: i64) -> CallResult<()> {
        ask_parent!(self.0, set_mock_time_request, |p| p.set_time(time), |r| Ok(()))
    }

    fn scheduler_mock_forward(&self, seconds: i64) -> CallResult<()> {
        ask_parent!(self.0, scheduler_mock_forward_request, |p| p.set_seconds(seconds), |r| Ok(()))
    }
}

impl WalletLoader for WalletLoaderProxy {
    fn create_wallet(&self, name: &str, passphrase: SecureString, flags: u64) -> CallResult<WalletOutcome> {
        let name = name.to_owned();
        ask!(
            secret self.0,
            create_wallet_request,
            |p, call| {
                p.set_name(&name);
                p.set_passphrase(passphrase.as_bytes());
                p.set_flags(flags);
            },
            |r| WalletOutcome::from_wire(r.get_result()?)
        )
    }

    fn load_wallet(&self, name: &str) -> CallResult<WalletOutcome> {
        let name = name.to_owned();
        ask!(
            context self.0,
            load_wallet_request,
            |p, call| p.set_name(&name),
            |r| WalletOutcome::from_wire(r.get_result()?)
        )
    }

    fn restore_wallet(
        &self,
        backup_file: &str,
        name: &str,
        load_after_restore: bool,
    ) -> CallResult<WalletOutcome> {
        let (backup_file, name) = (backup_file.to_owned(), name.to_owned());
        ask!(
            context self.0,
            restore_wallet_request,
            |p, call| {
                p.set_backup_file(&backup_file);
                p.set_name(&name);
                p.set_load_after_restore(load_after_restore);
            },
            |r| WalletOutcome::from_wire(r.get_result()?)
        )
    }

    fn migrate_wallet(
        &self,
        name: &str,
        passphrase: SecureString,
    ) -> CallResult<Result<WalletMigration, BilingualString>> {
        let name = name.to_owned();
        ask!(
            secret self.0,
            migrate_wallet_request,
            |p, call| {
                p.set_name(&name);
                p.set_passphrase(passphrase.as_bytes());
            },
            |r| FromWire::from_wire(r.get_result()?)
        )
    }

    fn is_encrypted(&self, name: &str) -> CallResult<bool> {
        let name = name.to_owned();
        ask!(context self.0, is_encrypted_request, |p, call| p.set_name(&name), |r| Ok(r.get_result()))
    }

    fn get_wallet_dir(&self) -> CallResult<String> {
        ask!(context self.0, get_wallet_dir_request, |p, call| {}, |r| text(r.get_result()))
    }

    fn list_wallet_dir(&self) -> CallResult<Vec<WalletDirEntry>> {
        ask!(context self.0, list_wallet_dir_request, |p, call| {}, |r| {
            r.get_result()?.iter().map(WalletDirEntry::from_wire).collect()
        })
    }

    fn get_wallets(&self) -> CallResult<Vec<String>> {
        ask!(context self.0, get_wallets_request, |p, call| {}, |r| r.get_result()?.iter().map(text).collect())
    }

    fn handle_load_wallet(&self, callback: Arc<dyn LoadWalletCallback>) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut request = client.handle_load_wallet_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            p.set_callback(load_wallet_client(call.session(), callback));
            let response = call.send(request).await?;
            Ok(handler(&call, response.get()?.get_result()?))
        })
    }
}

/// The node's callback, in the wallet.
pub(crate) struct LoadWalletProxy(pub(crate) Proxy<load_wallet_callback::Client>);

impl LoadWalletCallback for LoadWalletProxy {
    fn loaded(&self, name: &str) -> CallResult<()> {
        let name = name.to_owned();
        ask!(context self.0, loaded_request, |p, call| p.set_name(&name), |r| Ok(()))
    }
}
