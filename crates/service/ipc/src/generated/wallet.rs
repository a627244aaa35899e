//! `LoadWalletCallback`, `WalletLoader`. Written from `wallet.capnp` and the traits by the generator: do not edit.

use crate::generated::*;
use crate::support::*;
use grs_interfaces::*;
use grs_ipc_schema::wallet_capnp::chain_client;
use grs_ipc_schema::wallet_capnp::load_wallet_callback;
use grs_ipc_schema::wallet_capnp::wallet_loader;
use std::rc::Rc;
use std::sync::Arc;

/// `LoadWalletCallback` of another process.
pub struct LoadWalletCallbackProxy(pub(crate) Proxy<load_wallet_callback::Client>);

impl LoadWalletCallbackProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: load_wallet_callback::Client) -> Self {
        LoadWalletCallbackProxy(Proxy::new(session, client))
    }
}

impl LoadWalletCallback for LoadWalletCallbackProxy {
    fn loaded(&self, name: &str) -> CallResult<()> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.loaded_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `LoadWalletCallback` of this process.
pub(crate) struct LoadWalletCallbackServer {
    pub(crate) hosted: Hosted<dyn LoadWalletCallback>,
}

/// A capability for an object of this process.
pub(crate) fn load_wallet_callback_client(
    session: &Rc<Session>,
    object: Arc<dyn LoadWalletCallback>,
) -> load_wallet_callback::Client {
    capnp_rpc::new_client(LoadWalletCallbackServer {
        hosted: Hosted::new(session, object, "LoadWalletCallback"),
    })
}

impl load_wallet_callback::Server for LoadWalletCallbackServer {
    async fn loaded(
        self: Rc<Self>,
        params: load_wallet_callback::LoadedParams,
        mut results: load_wallet_callback::LoadedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.loaded(&name)).await?;
        }

        call.done(&mut results)
    }
}

/// `WalletLoader` of another process.
pub struct WalletLoaderProxy(pub(crate) Proxy<wallet_loader::Client>);

impl WalletLoaderProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: wallet_loader::Client) -> Self {
        WalletLoaderProxy(Proxy::new(session, client))
    }
}

impl WalletLoader for WalletLoaderProxy {
    fn create_wallet(&self, name: &str, passphrase: SecureString, flags: u64) -> CallResult<WalletOutcome> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.create_wallet_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
                p.set_passphrase(&passphrase.to_data());
                p.set_flags(flags);
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn load_wallet(&self, name: &str) -> CallResult<WalletOutcome> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.load_wallet_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn restore_wallet(
        &self,
        backup_file: &str,
        name: &str,
        load_after_restore: bool,
    ) -> CallResult<WalletOutcome> {
        let backup_file = backup_file.to_owned();
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.restore_wallet_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_backup_file(&backup_file);
                p.set_name(&name);
                p.set_load_after_restore(load_after_restore);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn migrate_wallet(
        &self,
        name: &str,
        passphrase: SecureString,
    ) -> CallResult<Result<WalletMigration, BilingualString>> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.migrate_wallet_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
                p.set_passphrase(&passphrase.to_data());
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn is_encrypted(&self, name: &str) -> CallResult<bool> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.is_encrypted_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn get_wallet_dir(&self) -> CallResult<String> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_wallet_dir_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn list_wallet_dir(&self) -> CallResult<Vec<WalletDirEntry>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.list_wallet_dir_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_wallets(&self) -> CallResult<Vec<String>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_wallets_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn gui_wallets(&self) -> CallResult<Arc<dyn Wallets>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.gui_wallets_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(WalletsProxy::new(call.session(), r.get_result()?)) as Arc<dyn Wallets>)
        })
    }

    fn handle_load_wallet(&self, callback: Arc<dyn LoadWalletCallback>) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.handle_load_wallet_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_callback(load_wallet_callback_client(call.session(), callback));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(HandlerProxy::new(call.session(), r.get_result()?)) as Arc<dyn Handler>)
        })
    }
}

impl ChainClient for WalletLoaderProxy {
    fn register_rpcs(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.register_rpcs_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn verify(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.verify_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn load(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.load_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn start(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.start_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn stop(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.stop_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn set_mock_time(&self, time: i64) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.set_mock_time_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_time(time);
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn scheduler_mock_forward(&self, seconds: i64) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let client: chain_client::Client = FromClientHook::new(client.client.hook);
            let mut ask = client.scheduler_mock_forward_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_seconds(seconds);
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `WalletLoader` of this process.
pub(crate) struct WalletLoaderServer {
    pub(crate) hosted: Hosted<dyn WalletLoader>,
}

/// A capability for an object of this process.
pub(crate) fn wallet_loader_client(
    session: &Rc<Session>,
    object: Arc<dyn WalletLoader>,
) -> wallet_loader::Client {
    capnp_rpc::new_client(WalletLoaderServer { hosted: Hosted::new(session, object, "WalletLoader") })
}

impl wallet_loader::Server for WalletLoaderServer {
    async fn create_wallet(
        self: Rc<Self>,
        params: wallet_loader::CreateWalletParams,
        mut results: wallet_loader::CreateWalletResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let passphrase: SecureString = FromWire::from_wire(p.get_passphrase()?)?;
            let flags: u64 = p.get_flags();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.create_wallet(&name, passphrase, flags)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn load_wallet(
        self: Rc<Self>,
        params: wallet_loader::LoadWalletParams,
        mut results: wallet_loader::LoadWalletResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.load_wallet(&name)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn restore_wallet(
        self: Rc<Self>,
        params: wallet_loader::RestoreWalletParams,
        mut results: wallet_loader::RestoreWalletResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let backup_file: String = FromWire::from_wire(p.get_backup_file()?)?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let load_after_restore: bool = p.get_load_after_restore();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.restore_wallet(&backup_file, &name, load_after_restore)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn migrate_wallet(
        self: Rc<Self>,
        params: wallet_loader::MigrateWalletParams,
        mut results: wallet_loader::MigrateWalletResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let passphrase: SecureString = FromWire::from_wire(p.get_passphrase()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.migrate_wallet(&name, passphrase))
                .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn is_encrypted(
        self: Rc<Self>,
        params: wallet_loader::IsEncryptedParams,
        mut results: wallet_loader::IsEncryptedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.is_encrypted(&name)).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn get_wallet_dir(
        self: Rc<Self>,
        params: wallet_loader::GetWalletDirParams,
        mut results: wallet_loader::GetWalletDirResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_wallet_dir()).await?
        };
        {
            let mut out = results.get();
            out.set_result(&value);
        }
        call.done(&mut results)
    }

    async fn list_wallet_dir(
        self: Rc<Self>,
        params: wallet_loader::ListWalletDirParams,
        mut results: wallet_loader::ListWalletDirResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.list_wallet_dir()).await?
        };
        {
            let mut out = results.get();
            put_structs(out.reborrow().init_result(count(value.len())), &value);
        }
        call.done(&mut results)
    }

    async fn get_wallets(
        self: Rc<Self>,
        params: wallet_loader::GetWalletsParams,
        mut results: wallet_loader::GetWalletsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_wallets()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn handle_load_wallet(
        self: Rc<Self>,
        params: wallet_loader::HandleLoadWalletParams,
        mut results: wallet_loader::HandleLoadWalletResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let callback: Arc<dyn LoadWalletCallback> =
                Arc::new(LoadWalletCallbackProxy::new(&self.hosted.session, p.get_callback()?))
                    as Arc<dyn LoadWalletCallback>;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.handle_load_wallet(callback))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(handler_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn gui_wallets(
        self: Rc<Self>,
        params: wallet_loader::GuiWalletsParams,
        mut results: wallet_loader::GuiWalletsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.gui_wallets()).await?
        };
        {
            let mut out = results.get();
            out.set_result(wallets_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }
}

impl chain_client::Server for WalletLoaderServer {
    async fn register_rpcs(
        self: Rc<Self>,
        params: chain_client::RegisterRpcsParams,
        mut results: chain_client::RegisterRpcsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.register_rpcs()).await?;
        }

        call.done(&mut results)
    }

    async fn verify(
        self: Rc<Self>,
        params: chain_client::VerifyParams,
        mut results: chain_client::VerifyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.verify()).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn load(
        self: Rc<Self>,
        params: chain_client::LoadParams,
        mut results: chain_client::LoadResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.load()).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn start(
        self: Rc<Self>,
        params: chain_client::StartParams,
        mut results: chain_client::StartResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.start()).await?;
        }

        call.done(&mut results)
    }

    async fn stop(
        self: Rc<Self>,
        params: chain_client::StopParams,
        mut results: chain_client::StopResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.stop()).await?;
        }

        call.done(&mut results)
    }

    async fn set_mock_time(
        self: Rc<Self>,
        params: chain_client::SetMockTimeParams,
        mut results: chain_client::SetMockTimeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let time: i64 = p.get_time();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.set_mock_time(time)).await?;
        }

        call.done(&mut results)
    }

    async fn scheduler_mock_forward(
        self: Rc<Self>,
        params: chain_client::SchedulerMockForwardParams,
        mut results: chain_client::SchedulerMockForwardResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let seconds: i64 = p.get_seconds();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.scheduler_mock_forward(seconds))
                .await?;
        }

        call.done(&mut results)
    }
}
