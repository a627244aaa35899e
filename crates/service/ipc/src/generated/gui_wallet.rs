//! `WalletSubscriber`, `Wallet`, `WalletsSubscriber`, `Wallets`. Written from `gui_wallet.capnp` and the traits by the generator: do not edit.

use crate::generated::*;
use crate::support::*;
use grs_hashes::Txid;
use grs_interfaces::*;
use grs_ipc_schema::gui_wallet_capnp::wallet;
use grs_ipc_schema::gui_wallet_capnp::wallet_subscriber;
use grs_ipc_schema::gui_wallet_capnp::wallets;
use grs_ipc_schema::gui_wallet_capnp::wallets_subscriber;
use std::rc::Rc;
use std::sync::Arc;

/// `Wallet` of another process.
pub struct WalletProxy(pub(crate) Proxy<wallet::Client>);

impl WalletProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: wallet::Client) -> Self {
        WalletProxy(Proxy::new(session, client))
    }
}

impl Wallet for WalletProxy {
    fn info(&self) -> CallResult<WalletInfo> {
        self.0.call(move |client, call| async move {
            let mut ask = client.info_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn snapshot(&self) -> CallResult<WalletSnapshot> {
        self.0.call(move |client, call| async move {
            let mut ask = client.snapshot_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn subscribe(&self, subscriber: Arc<dyn WalletSubscriber>) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.subscribe_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_subscriber(wallet_subscriber_client(call.session(), subscriber));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(HandlerProxy::new(call.session(), r.get_result()?)) as Arc<dyn Handler>)
        })
    }

    fn transactions(&self, query: &TxQuery) -> CallResult<TxPage> {
        let query = query.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.transactions_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                query.to_wire(p.reborrow().init_query());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn transaction(&self, txid: Txid) -> CallResult<Option<TxDetails>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.transaction_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_txid(&txid.to_data());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn set_label(&self, address: &str, label: &str) -> CallResult<Result<(), String>> {
        let address = address.to_owned();
        let label = label.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.set_label_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_address(&address);
                p.set_label(&label);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_error() { Err(FromWire::from_wire(r.get_error()?)?) } else { Ok(()) })
        })
    }

    fn label(&self, address: &str) -> CallResult<String> {
        let address = address.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.label_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_address(&address);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn receive_requests(&self) -> CallResult<Vec<ReceiveRequest>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.receive_requests_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn new_receive_request(&self, request: NewReceiveRequest) -> CallResult<Result<ReceiveRequest, String>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.new_receive_request_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                request.to_wire(p.reborrow().init_request());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn remove_receive_request(&self, address: &str, id: u64) -> CallResult<bool> {
        let address = address.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.remove_receive_request_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_address(&address);
                p.set_id(id);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn fee_levels(&self, targets: &[u32]) -> CallResult<FeeLevels> {
        let targets = targets.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.fee_levels_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                targets.to_wire(p.reborrow().init_targets(count(targets.len())));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn preview(&self, request: &SendRequest) -> CallResult<Result<SendPreview, SendProblem>> {
        let request = request.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.preview_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                request.to_wire(p.reborrow().init_request());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn send(&self, order: SendOrder) -> CallResult<Result<Sent, SendProblem>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.send_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                order.to_wire(p.reborrow().init_order());
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn send_status(&self, token: SendToken) -> CallResult<SendStatus> {
        self.0.call(move |client, call| async move {
            let mut ask = client.send_status_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_token(&token.to_data());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }
}

/// `Wallet` of this process.
pub(crate) struct WalletServer {
    pub(crate) hosted: Hosted<dyn Wallet>,
}

/// A capability for an object of this process.
pub(crate) fn wallet_client(session: &Rc<Session>, object: Arc<dyn Wallet>) -> wallet::Client {
    capnp_rpc::new_client(WalletServer { hosted: Hosted::new(session, object, "Wallet") })
}

impl wallet::Server for WalletServer {
    async fn info(
        self: Rc<Self>,
        params: wallet::InfoParams,
        mut results: wallet::InfoResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.info()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn snapshot(
        self: Rc<Self>,
        params: wallet::SnapshotParams,
        mut results: wallet::SnapshotResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.snapshot()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn subscribe(
        self: Rc<Self>,
        params: wallet::SubscribeParams,
        mut results: wallet::SubscribeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let subscriber: Arc<dyn WalletSubscriber> =
                Arc::new(WalletSubscriberProxy::new(&self.hosted.session, p.get_subscriber()?))
                    as Arc<dyn WalletSubscriber>;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.subscribe(subscriber)).await?
        };
        {
            let mut out = results.get();
            out.set_result(handler_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn transactions(
        self: Rc<Self>,
        params: wallet::TransactionsParams,
        mut results: wallet::TransactionsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let query: TxQuery = FromWire::from_wire(p.get_query()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.transactions(&query)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn transaction(
        self: Rc<Self>,
        params: wallet::TransactionParams,
        mut results: wallet::TransactionResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let txid: Txid = FromWire::from_wire(p.get_txid()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.transaction(txid)).await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
            }
        }
        call.done(&mut results)
    }

    async fn set_label(
        self: Rc<Self>,
        params: wallet::SetLabelParams,
        mut results: wallet::SetLabelResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let address: String = FromWire::from_wire(p.get_address()?)?;
            let label: String = FromWire::from_wire(p.get_label()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.set_label(&address, &label))
                .await?
        };
        {
            let mut out = results.get();
            if let Err(error) = value {
                out.set_error(&error);
            }
        }
        call.done(&mut results)
    }

    async fn label(
        self: Rc<Self>,
        params: wallet::LabelParams,
        mut results: wallet::LabelResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let address: String = FromWire::from_wire(p.get_address()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.label(&address)).await?
        };
        {
            let mut out = results.get();
            out.set_result(&value);
        }
        call.done(&mut results)
    }

    async fn receive_requests(
        self: Rc<Self>,
        params: wallet::ReceiveRequestsParams,
        mut results: wallet::ReceiveRequestsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.receive_requests()).await?
        };
        {
            let mut out = results.get();
            put_structs(out.reborrow().init_result(count(value.len())), &value);
        }
        call.done(&mut results)
    }

    async fn new_receive_request(
        self: Rc<Self>,
        params: wallet::NewReceiveRequestParams,
        mut results: wallet::NewReceiveRequestResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let request: NewReceiveRequest = FromWire::from_wire(p.get_request()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.new_receive_request(request))
                .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn remove_receive_request(
        self: Rc<Self>,
        params: wallet::RemoveReceiveRequestParams,
        mut results: wallet::RemoveReceiveRequestResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let address: String = FromWire::from_wire(p.get_address()?)?;
            let id: u64 = p.get_id();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.remove_receive_request(&address, id)
            })
            .await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn fee_levels(
        self: Rc<Self>,
        params: wallet::FeeLevelsParams,
        mut results: wallet::FeeLevelsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let targets: Vec<u32> = FromWire::from_wire(p.get_targets()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.fee_levels(&targets)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn preview(
        self: Rc<Self>,
        params: wallet::PreviewParams,
        mut results: wallet::PreviewResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let request: SendRequest = FromWire::from_wire(p.get_request()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.preview(&request)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn send(
        self: Rc<Self>,
        params: wallet::SendParams,
        mut results: wallet::SendResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let order: SendOrder = FromWire::from_wire(p.get_order()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.send(order)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn send_status(
        self: Rc<Self>,
        params: wallet::SendStatusParams,
        mut results: wallet::SendStatusResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let token: SendToken = FromWire::from_wire(p.get_token()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.send_status(token)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }
}

/// `WalletSubscriber` of another process.
pub struct WalletSubscriberProxy(pub(crate) Proxy<wallet_subscriber::Client>);

impl WalletSubscriberProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: wallet_subscriber::Client) -> Self {
        WalletSubscriberProxy(Proxy::new(session, client))
    }
}

impl WalletSubscriber for WalletSubscriberProxy {
    fn update(&self, snapshot: WalletSnapshot) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.update_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                snapshot.to_wire(p.reborrow().init_snapshot());
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn unloaded(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.unloaded_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `WalletSubscriber` of this process.
pub(crate) struct WalletSubscriberServer {
    pub(crate) hosted: Hosted<dyn WalletSubscriber>,
}

/// A capability for an object of this process.
pub(crate) fn wallet_subscriber_client(
    session: &Rc<Session>,
    object: Arc<dyn WalletSubscriber>,
) -> wallet_subscriber::Client {
    capnp_rpc::new_client(WalletSubscriberServer { hosted: Hosted::new(session, object, "WalletSubscriber") })
}

impl wallet_subscriber::Server for WalletSubscriberServer {
    async fn update(
        self: Rc<Self>,
        params: wallet_subscriber::UpdateParams,
        mut results: wallet_subscriber::UpdateResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let snapshot: WalletSnapshot = FromWire::from_wire(p.get_snapshot()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.update(snapshot)).await?;
        }

        call.done(&mut results)
    }

    async fn unloaded(
        self: Rc<Self>,
        params: wallet_subscriber::UnloadedParams,
        mut results: wallet_subscriber::UnloadedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.unloaded()).await?;
        }

        call.done(&mut results)
    }
}

/// `Wallets` of another process.
pub struct WalletsProxy(pub(crate) Proxy<wallets::Client>);

impl WalletsProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: wallets::Client) -> Self {
        WalletsProxy(Proxy::new(session, client))
    }
}

impl Wallets for WalletsProxy {
    fn list(&self) -> CallResult<Vec<WalletEntry>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.list_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn create(&self, wallet: NewWallet) -> CallResult<WalletOutcome> {
        self.0.call(move |client, call| async move {
            let mut ask = client.create_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                wallet.to_wire(p.reborrow().init_wallet());
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn open(&self, name: &str) -> CallResult<WalletOutcome> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.open_request();
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

    fn close(&self, name: &str) -> CallResult<Result<(), BilingualString>> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.close_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_error() { Err(FromWire::from_wire(r.get_error()?)?) } else { Ok(()) })
        })
    }

    fn wallet(&self, name: &str) -> CallResult<Option<Arc<dyn Wallet>>> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.wallet_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() {
                Some(Arc::new(WalletProxy::new(call.session(), r.get_result()?)) as Arc<dyn Wallet>)
            } else {
                None
            })
        })
    }

    fn subscribe(&self, subscriber: Arc<dyn WalletsSubscriber>) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.subscribe_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_subscriber(wallets_subscriber_client(call.session(), subscriber));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(HandlerProxy::new(call.session(), r.get_result()?)) as Arc<dyn Handler>)
        })
    }
}

/// `Wallets` of this process.
pub(crate) struct WalletsServer {
    pub(crate) hosted: Hosted<dyn Wallets>,
}

/// A capability for an object of this process.
pub(crate) fn wallets_client(session: &Rc<Session>, object: Arc<dyn Wallets>) -> wallets::Client {
    capnp_rpc::new_client(WalletsServer { hosted: Hosted::new(session, object, "Wallets") })
}

impl wallets::Server for WalletsServer {
    async fn list(
        self: Rc<Self>,
        params: wallets::ListParams,
        mut results: wallets::ListResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.list()).await?
        };
        {
            let mut out = results.get();
            put_structs(out.reborrow().init_result(count(value.len())), &value);
        }
        call.done(&mut results)
    }

    async fn create(
        self: Rc<Self>,
        params: wallets::CreateParams,
        mut results: wallets::CreateResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let wallet: NewWallet = FromWire::from_wire(p.get_wallet()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.create(wallet)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn open(
        self: Rc<Self>,
        params: wallets::OpenParams,
        mut results: wallets::OpenResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.open(&name)).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn close(
        self: Rc<Self>,
        params: wallets::CloseParams,
        mut results: wallets::CloseResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.close(&name)).await?
        };
        {
            let mut out = results.get();
            if let Err(error) = value {
                error.to_wire(out.reborrow().init_error());
            }
        }
        call.done(&mut results)
    }

    async fn wallet(
        self: Rc<Self>,
        params: wallets::WalletParams,
        mut results: wallets::WalletResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.wallet(&name)).await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(wallet_client(&self.hosted.session, value));
            }
        }
        call.done(&mut results)
    }

    async fn subscribe(
        self: Rc<Self>,
        params: wallets::SubscribeParams,
        mut results: wallets::SubscribeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let subscriber: Arc<dyn WalletsSubscriber> =
                Arc::new(WalletsSubscriberProxy::new(&self.hosted.session, p.get_subscriber()?))
                    as Arc<dyn WalletsSubscriber>;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.subscribe(subscriber)).await?
        };
        {
            let mut out = results.get();
            out.set_result(handler_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }
}

/// `WalletsSubscriber` of another process.
pub struct WalletsSubscriberProxy(pub(crate) Proxy<wallets_subscriber::Client>);

impl WalletsSubscriberProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: wallets_subscriber::Client) -> Self {
        WalletsSubscriberProxy(Proxy::new(session, client))
    }
}

impl WalletsSubscriber for WalletsSubscriberProxy {
    fn loaded(&self, names: Vec<String>) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.loaded_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                names.to_wire(p.reborrow().init_names(count(names.len())));
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `WalletsSubscriber` of this process.
pub(crate) struct WalletsSubscriberServer {
    pub(crate) hosted: Hosted<dyn WalletsSubscriber>,
}

/// A capability for an object of this process.
pub(crate) fn wallets_subscriber_client(
    session: &Rc<Session>,
    object: Arc<dyn WalletsSubscriber>,
) -> wallets_subscriber::Client {
    capnp_rpc::new_client(WalletsSubscriberServer {
        hosted: Hosted::new(session, object, "WalletsSubscriber"),
    })
}

impl wallets_subscriber::Server for WalletsSubscriberServer {
    async fn loaded(
        self: Rc<Self>,
        params: wallets_subscriber::LoadedParams,
        mut results: wallets_subscriber::LoadedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let names: Vec<String> = FromWire::from_wire(p.get_names()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.loaded(names)).await?;
        }

        call.done(&mut results)
    }
}
