//! Server of `WalletLoader`, in the wallet process.

use std::rc::Rc;
use std::sync::Arc;

use grs_interfaces::{LoadWalletCallback, SecureString, WalletLoader};
use grs_ipc_schema::wallet_capnp::load_wallet_callback::{LoadedParams, LoadedResults};
use grs_ipc_schema::wallet_capnp::wallet_loader::*;
use grs_ipc_schema::wallet_capnp::{chain_client, load_wallet_callback};
use grs_mp::Session;

use super::{Hosted, handler_client, serve};
use crate::client::{LoadWalletProxy, Proxy};
use crate::convert::{ToWire, count, text};

use chain_client::{
    LoadParams, LoadResults, RegisterRpcsParams, RegisterRpcsResults, SchedulerMockForwardParams,
    SchedulerMockForwardResults, SetMockTimeParams, SetMockTimeResults, StartParams, StartResults,
    StopParams, StopResults, VerifyParams, VerifyResults,
};

/// All wallets of this process.
struct WalletLoaderServer(Hosted<dyn WalletLoader>);

/// A capability for the wallets of this process.
pub(crate) fn wallet_loader_client(session: &Rc<Session>, object: Arc<dyn WalletLoader>) -> Client {
    capnp_rpc::new_client(WalletLoaderServer(Hosted::new(session, object, "WalletLoader")))
}

impl chain_client::Server for WalletLoaderServer {
    serve!(worker register_rpcs RegisterRpcsParams RegisterRpcsResults,
        |p, s| |loader: &dyn WalletLoader| loader.register_rpcs(), |out, ()| {});

    serve!(worker verify VerifyParams VerifyResults,
        |p, s| |loader: &dyn WalletLoader| loader.verify(), |out, value| out.set_result(value));

    serve!(worker load LoadParams LoadResults,
        |p, s| |loader: &dyn WalletLoader| loader.load(), |out, value| out.set_result(value));

    serve!(worker start StartParams StartResults,
        |p, s| |loader: &dyn WalletLoader| loader.start(), |out, ()| {});

    serve!(worker stop StopParams StopResults, |p, s| |loader: &dyn WalletLoader| loader.stop(), |out, ()| {});

    serve!(worker set_mock_time SetMockTimeParams SetMockTimeResults,
        |p, s| { let time = p.get_time(); move |loader: &dyn WalletLoader| loader.set_mock_time(time) },
        |out, ()| {});

    serve!(worker scheduler_mock_forward SchedulerMockForwardParams SchedulerMockForwardResults,
        |p, s| {
            let seconds = p.get_seconds();
            move |loader: &dyn WalletLoader| loader.scheduler_mock_forward(seconds)
        },
        |out, ()| {});
}

impl Server for WalletLoaderServer {
    serve!(secret create_wallet CreateWalletParams CreateWalletResults,
        |p, s| {
            let name = text(p.get_name())?;
            let passphrase = SecureString::new(p.get_passphrase()?.to_vec());
            let flags = p.get_flags();
            move |loader: &dyn WalletLoader| loader.create_wallet(&name, passphrase, flags)
        },
        |out, outcome| outcome.to_wire(out.init_result()));

    serve!(worker load_wallet LoadWalletParams LoadWalletResults,
        |p, s| { let name = text(p.get_name())?; move |loader: &dyn WalletLoader| loader.load_wallet(&name) },
        |out, outcome| outcome.to_wire(out.init_result()));

    serve!(worker restore_wallet RestoreWalletParams RestoreWalletResults,
        |p, s| {
            let (file, name) = (text(p.get_backup_file())?, text(p.get_name())?);
            let load = p.get_load_after_restore();
            move |loader: &dyn WalletLoader| loader.restore_wallet(&file, &name, load)
        },
        |out, outcome| outcome.to_wire(out.init_result()));

    serve!(secret migrate_wallet MigrateWalletParams MigrateWalletResults,
        |p, s| {
            let name = text(p.get_name())?;
            let passphrase = SecureString::new(p.get_passphrase()?.to_vec());
            move |loader: &dyn WalletLoader| loader.migrate_wallet(&name, passphrase)
        },
        |out, migration| migration.to_wire(out.init_result()));

    serve!(worker is_encrypted IsEncryptedParams IsEncryptedResults,
        |p, s| { let name = text(p.get_name())?; move |loader: &dyn WalletLoader| loader.is_encrypted(&name) },
        |out, value| out.set_result(value));

    serve!(worker get_wallet_dir GetWalletDirParams GetWalletDirResults,
        |p, s| |loader: &dyn WalletLoader| loader.get_wallet_dir(), |out, dir| out.set_result(&dir));

    serve!(worker list_wallet_dir ListWalletDirParams ListWalletDirResults,
    |p, s| |loader: &dyn WalletLoader| loader.list_wallet_dir(),
    |out, entries| {
        let mut list = out.init_result(count(entries.len()));
        for (n, entry) in (0..).zip(&entries) {
            entry.to_wire(list.reborrow().get(n));
        }
    });

    serve!(worker get_wallets GetWalletsParams GetWalletsResults,
    |p, s| |loader: &dyn WalletLoader| loader.get_wallets(),
    |out, names| {
        let mut list = out.init_result(count(names.len()));
        for (n, name) in (0..).zip(&names) {
            list.set(n, name);
        }
    });

    serve!(worker handle_load_wallet HandleLoadWalletParams HandleLoadWalletResults,
        |p, s| {
            let callback: Arc<dyn LoadWalletCallback> = Arc::new(LoadWalletProxy(Proxy::new(s, p.get_callback()?)));
            move |loader: &dyn WalletLoader| loader.handle_load_wallet(callback)
        },
        |out, handler| out.set_result(handler_client(s, handler)));
}

/// The node's callback for loaded wallets.
struct LoadWalletServer(Hosted<dyn LoadWalletCallback>);

/// A capability for such a callback.
pub(crate) fn load_wallet_client(
    session: &Rc<Session>,
    object: Arc<dyn LoadWalletCallback>,
) -> load_wallet_callback::Client {
    capnp_rpc::new_client(LoadWalletServer(Hosted::new(session, object, "LoadWalletCallback")))
}

impl load_wallet_callback::Server for LoadWalletServer {
    serve!(worker loaded LoadedParams LoadedResults,
        |p, s| {
            let name = text(p.get_name())?;
            move |callback: &dyn LoadWalletCallback| callback.loaded(&name)
        },
        |out, ()| {});
}
