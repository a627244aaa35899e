//! `BlockTemplate`, `Mining`. Written from `mining.capnp` and the traits by the generator: do not edit.

use crate::support::*;
use grs_hashes::BlockHash;
use grs_hashes::Txid;
use grs_hashes::Wtxid;
use grs_interfaces::*;
use grs_ipc_schema::mining_capnp::block_template;
use grs_ipc_schema::mining_capnp::mining;
use grs_primitives::Amount;
use grs_primitives::HEADER_LEN;
use grs_primitives::TxRef;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// `BlockTemplate` of another process.
pub struct BlockTemplateProxy(pub(crate) Proxy<block_template::Client>);

impl BlockTemplateProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: block_template::Client) -> Self {
        BlockTemplateProxy(Proxy::new(session, client))
    }
}

impl BlockTemplate for BlockTemplateProxy {
    fn get_block_header(&self) -> CallResult<[u8; HEADER_LEN]> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_block_header_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_block(&self) -> CallResult<BlockBytes> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_block_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_tx_fees(&self) -> CallResult<Vec<Amount>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_tx_fees_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_tx_sigops(&self) -> CallResult<Vec<i64>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_tx_sigops_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_coinbase_tx(&self) -> CallResult<CoinbaseTx> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_coinbase_tx_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_coinbase_merkle_path(&self) -> CallResult<Vec<[u8; 32]>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_coinbase_merkle_path_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn submit_solution(&self, version: u32, timestamp: u32, nonce: u32, coinbase: TxRef) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.submit_solution_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_version(version);
                p.set_timestamp(timestamp);
                p.set_nonce(nonce);
                p.set_coinbase(&coinbase.to_data());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn wait_next(&self, options: BlockWaitOptions) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.wait_next_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                options.to_wire(p.reborrow().init_options());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() {
                Some(Arc::new(BlockTemplateProxy::new(call.session(), r.get_result()?))
                    as Arc<dyn BlockTemplate>)
            } else {
                None
            })
        })
    }

    fn interrupt_wait(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let ask = client.interrupt_wait_request();
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }
}

/// `BlockTemplate` of this process.
pub(crate) struct BlockTemplateServer {
    pub(crate) hosted: Hosted<dyn BlockTemplate>,
}

/// A capability for an object of this process.
pub(crate) fn block_template_client(
    session: &Rc<Session>,
    object: Arc<dyn BlockTemplate>,
) -> block_template::Client {
    capnp_rpc::new_client(BlockTemplateServer { hosted: Hosted::new(session, object, "BlockTemplate") })
}

impl block_template::Server for BlockTemplateServer {
    async fn destroy(
        self: Rc<Self>,
        params: block_template::DestroyParams,
        mut results: block_template::DestroyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let context = RequestContext::read(params.get()?.get_context());
        self.hosted.destroy(&call, context).await?;
        call.done(&mut results)
    }

    async fn get_block_header(
        self: Rc<Self>,
        params: block_template::GetBlockHeaderParams,
        mut results: block_template::GetBlockHeaderResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_block_header()).await?
        };
        {
            let mut out = results.get();
            out.set_result(&value.to_data());
        }
        call.done(&mut results)
    }

    async fn get_block(
        self: Rc<Self>,
        params: block_template::GetBlockParams,
        mut results: block_template::GetBlockResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_block()).await?
        };
        {
            let mut out = results.get();
            out.set_result(&value.to_data());
        }
        call.done(&mut results)
    }

    async fn get_tx_fees(
        self: Rc<Self>,
        params: block_template::GetTxFeesParams,
        mut results: block_template::GetTxFeesResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_tx_fees()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn get_tx_sigops(
        self: Rc<Self>,
        params: block_template::GetTxSigopsParams,
        mut results: block_template::GetTxSigopsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_tx_sigops()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn get_coinbase_tx(
        self: Rc<Self>,
        params: block_template::GetCoinbaseTxParams,
        mut results: block_template::GetCoinbaseTxResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_coinbase_tx()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn get_coinbase_merkle_path(
        self: Rc<Self>,
        params: block_template::GetCoinbaseMerklePathParams,
        mut results: block_template::GetCoinbaseMerklePathResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_coinbase_merkle_path()).await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn submit_solution(
        self: Rc<Self>,
        params: block_template::SubmitSolutionParams,
        results: block_template::SubmitSolutionResults,
    ) -> Result<(), capnp::Error> {
        self.submit_solution_by_hand(params, results).await
    }

    async fn wait_next(
        self: Rc<Self>,
        params: block_template::WaitNextParams,
        results: block_template::WaitNextResults,
    ) -> Result<(), capnp::Error> {
        self.wait_next_by_hand(params, results).await
    }

    async fn interrupt_wait(
        self: Rc<Self>,
        params: block_template::InterruptWaitParams,
        mut results: block_template::InterruptWaitResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.interrupt_wait())?;
        }

        call.done(&mut results)
    }
}

/// `Mining` of another process.
pub struct MiningProxy(pub(crate) Proxy<mining::Client>);

impl MiningProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: mining::Client) -> Self {
        MiningProxy(Proxy::new(session, client))
    }
}

impl Mining for MiningProxy {
    fn is_test_chain(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.is_test_chain_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn is_initial_block_download(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.is_initial_block_download_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn get_tip(&self) -> CallResult<Option<BlockRef>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_tip_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.get_has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn wait_tip_changed(&self, current_tip: BlockHash, timeout: Duration) -> CallResult<Option<BlockRef>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.wait_tip_changed_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_current_tip(&current_tip.to_data());
                p.set_timeout(timeout.to_scalar());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn create_new_block(
        &self,
        options: BlockCreateOptions,
        cooldown: bool,
    ) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.create_new_block_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                options.to_wire(p.reborrow().init_options());
                p.set_cooldown(cooldown);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() {
                Some(Arc::new(BlockTemplateProxy::new(call.session(), r.get_result()?))
                    as Arc<dyn BlockTemplate>)
            } else {
                None
            })
        })
    }

    fn check_block(&self, block: &BlockBytes, options: BlockCheckOptions) -> CallResult<BlockCheck> {
        let block = block.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.check_block_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_block(&block);
                options.to_wire(p.reborrow().init_options());
            }
            let answer = call.send(ask).await?;
            FromWire::from_wire(answer.get()?)
        })
    }

    fn interrupt(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let ask = client.interrupt_request();
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn submit_block(&self, block: &BlockBytes) -> CallResult<BlockCheck> {
        let block = block.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.submit_block_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_block(&block);
            }
            let answer = call.send(ask).await?;
            FromWire::from_wire(answer.get()?)
        })
    }

    fn get_transactions_by_txid(&self, txids: &[Txid]) -> CallResult<Vec<Option<TxRef>>> {
        let txids = txids.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.get_transactions_by_tx_i_d_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                txids.to_wire(p.reborrow().init_txids(count(txids.len())));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_transactions_by_witness_id(&self, wtxids: &[Wtxid]) -> CallResult<Vec<Option<TxRef>>> {
        let wtxids = wtxids.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.get_transactions_by_witness_i_d_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                wtxids.to_wire(p.reborrow().init_wtxids(count(wtxids.len())));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }
}

/// `Mining` of this process.
pub(crate) struct MiningServer {
    pub(crate) hosted: Hosted<dyn Mining>,
}

/// A capability for an object of this process.
pub(crate) fn mining_client(session: &Rc<Session>, object: Arc<dyn Mining>) -> mining::Client {
    capnp_rpc::new_client(MiningServer { hosted: Hosted::new(session, object, "Mining") })
}

impl mining::Server for MiningServer {
    async fn is_test_chain(
        self: Rc<Self>,
        params: mining::IsTestChainParams,
        mut results: mining::IsTestChainResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_short(RequestContext::read(p.get_context()), move || object.is_test_chain()).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn is_initial_block_download(
        self: Rc<Self>,
        params: mining::IsInitialBlockDownloadParams,
        mut results: mining::IsInitialBlockDownloadResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_short(RequestContext::read(p.get_context()), move || object.is_initial_block_download())
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn get_tip(
        self: Rc<Self>,
        params: mining::GetTipParams,
        mut results: mining::GetTipResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_short(RequestContext::read(p.get_context()), move || object.get_tip()).await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
                out.set_has_result(true);
            }
        }
        call.done(&mut results)
    }

    async fn wait_tip_changed(
        self: Rc<Self>,
        params: mining::WaitTipChangedParams,
        mut results: mining::WaitTipChangedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let current_tip: BlockHash = or_default(p.has_current_tip(), p.get_current_tip()?)?;
            let timeout: Duration = FromWire::from_wire(p.get_timeout())?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.wait_tip_changed(current_tip, timeout)
            })
            .await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
            }
        }
        call.done(&mut results)
    }

    async fn create_new_block(
        self: Rc<Self>,
        params: mining::CreateNewBlockParams,
        results: mining::CreateNewBlockResults,
    ) -> Result<(), capnp::Error> {
        self.create_new_block_by_hand(params, results).await
    }

    async fn check_block(
        self: Rc<Self>,
        params: mining::CheckBlockParams,
        mut results: mining::CheckBlockResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockBytes = FromWire::from_wire(p.get_block()?)?;
            let options: BlockCheckOptions = FromWire::from_wire(p.get_options()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.check_block(&block, options))
                .await?
        };
        value.to_wire(results.get());
        call.done(&mut results)
    }

    async fn interrupt(
        self: Rc<Self>,
        params: mining::InterruptParams,
        mut results: mining::InterruptResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.interrupt())?;
        }

        call.done(&mut results)
    }

    async fn submit_block(
        self: Rc<Self>,
        params: mining::SubmitBlockParams,
        mut results: mining::SubmitBlockResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockBytes = FromWire::from_wire(p.get_block()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.submit_block(&block)).await?
        };
        value.to_wire(results.get());
        call.done(&mut results)
    }

    async fn get_transactions_by_tx_i_d(
        self: Rc<Self>,
        params: mining::GetTransactionsByTxIDParams,
        mut results: mining::GetTransactionsByTxIDResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let txids: Vec<Txid> = FromWire::from_wire(p.get_txids()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_transactions_by_txid(&txids))
                .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn get_transactions_by_witness_i_d(
        self: Rc<Self>,
        params: mining::GetTransactionsByWitnessIDParams,
        mut results: mining::GetTransactionsByWitnessIDResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let wtxids: Vec<Wtxid> = FromWire::from_wire(p.get_wtxids()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.get_transactions_by_witness_id(&wtxids)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }
}
