//! Servers of `Mining` and `BlockTemplate`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use grs_encoding::encode_to_vec;
use grs_interfaces::{
    BlockBytes, BlockCheckOptions, BlockCreateOptions, BlockTemplate, BlockWaitOptions, CallError,
    CallResult, Mining,
};
use grs_ipc_schema::mining_capnp::block_template;
use grs_ipc_schema::mining_capnp::mining::*;
use grs_mp::{Incoming, RequestContext, Session, exception};
use grs_primitives::{Transaction, TxRef};

use super::{Hosted, serve};
use crate::convert::{
    FromWire, ToWire, blobs, block_hash_or_zero, count, object, set_amounts, set_blobs, timeout, txid, wtxid,
};

/// The mining interface of this process.
struct MiningServer(Hosted<dyn Mining>);

/// A capability for the mining interface.
pub(crate) fn mining_client(session: &Rc<Session>, object: Arc<dyn Mining>) -> Client {
    capnp_rpc::new_client(MiningServer(Hosted::new(session, object, "Mining")))
}

fn transaction_bytes(transactions: &[Option<TxRef>]) -> Vec<Vec<u8>> {
    transactions.iter().map(|tx| tx.as_ref().map_or_else(Vec::new, |tx| encode_to_vec(&**tx))).collect()
}

impl Server for MiningServer {
    serve!(short is_test_chain IsTestChainParams IsTestChainResults,
        |p, s| |mining: &dyn Mining| mining.is_test_chain(), |out, value| out.set_result(value));

    serve!(short is_initial_block_download IsInitialBlockDownloadParams IsInitialBlockDownloadResults,
        |p, s| |mining: &dyn Mining| mining.is_initial_block_download(), |out, value| out.set_result(value));

    serve!(short get_tip GetTipParams GetTipResults,
    |p, s| |mining: &dyn Mining| mining.get_tip(),
    |out, tip| if let Some(tip) = tip {
        tip.to_wire(out.reborrow().init_result());
        out.set_has_result(true);
    });

    serve!(worker wait_tip_changed WaitTipChangedParams WaitTipChangedResults,
    |p, s| {
        let tip = block_hash_or_zero(p.get_current_tip())?;
        let limit = timeout(p.get_timeout());
        move |mining: &dyn Mining| mining.wait_tip_changed(tip, limit)
    },
    |out, tip| if let Some(tip) = tip {
        tip.to_wire(out.init_result());
    });

    serve!(worker create_new_block CreateNewBlockParams CreateNewBlockResults,
    |p, s| {
        let wire = p.get_options()?;
        let options = BlockCreateOptions {
            use_mempool: wire.get_use_mempool(),
            block_reserved_weight: wire.get_block_reserved_weight(),
            coinbase_output_max_additional_sigops: wire.get_coinbase_output_max_additional_sigops(),
        };
        let cooldown = p.get_cooldown();
        move |mining: &dyn Mining| mining.create_new_block(options, cooldown)
    },
    |out, template| if let Some(template) = template {
        out.set_result(template_client(s, template));
    });

    serve!(worker check_block CheckBlockParams CheckBlockResults,
    |p, s| {
        let block = BlockBytes(p.get_block()?.to_vec());
        let wire = p.get_options()?;
        let options = BlockCheckOptions {
            check_merkle_root: wire.get_check_merkle_root(),
            check_pow: wire.get_check_pow(),
        };
        move |mining: &dyn Mining| mining.check_block(&block, options)
    },
    |out, check| {
        out.set_reason(&check.reason);
        out.set_debug(&check.debug);
        out.set_result(check.valid);
    });

    serve!(here interrupt InterruptParams InterruptResults,
        |p, s| |mining: &dyn Mining| mining.interrupt(), |out, ()| {});

    serve!(worker submit_block SubmitBlockParams SubmitBlockResults,
    |p, s| {
        let block = BlockBytes(p.get_block()?.to_vec());
        move |mining: &dyn Mining| mining.submit_block(&block)
    },
    |out, check| {
        out.set_reason(&check.reason);
        out.set_debug(&check.debug);
        out.set_result(check.valid);
    });

    serve!(worker get_transactions_by_tx_i_d GetTransactionsByTxIDParams GetTransactionsByTxIDResults,
    |p, s| {
        let txids = blobs(p.get_txids()?, txid)?;
        move |mining: &dyn Mining| mining.get_transactions_by_txid(&txids)
    },
    |out, found| {
        let bytes = transaction_bytes(&found);
        set_blobs(out.init_result(count(bytes.len())), &bytes);
    });

    serve!(worker get_transactions_by_witness_i_d
    GetTransactionsByWitnessIDParams GetTransactionsByWitnessIDResults,
    |p, s| {
        let wtxids = blobs(p.get_wtxids()?, wtxid)?;
        move |mining: &dyn Mining| mining.get_transactions_by_witness_id(&wtxids)
    },
    |out, found| {
        let bytes = transaction_bytes(&found);
        set_blobs(out.init_result(count(bytes.len())), &bytes);
    });
}

/// A template. `destroy` releases the object; what is called afterwards gets an error.
struct TemplateServer {
    session: Rc<Session>,
    hosted: RefCell<Option<Hosted<dyn BlockTemplate>>>,
}

fn template_client(session: &Rc<Session>, object: Arc<dyn BlockTemplate>) -> block_template::Client {
    capnp_rpc::new_client(TemplateServer {
        session: session.clone(),
        hosted: RefCell::new(Some(Hosted::new(session, object, "BlockTemplate"))),
    })
}

impl TemplateServer {
    fn object(&self) -> capnp::Result<Arc<dyn BlockTemplate>> {
        match &*self.hosted.borrow() {
            Some(hosted) => hosted.get().map_err(exception),
            None => Err(exception("object has been destroyed")),
        }
    }

    async fn work<T: Send + 'static>(
        &self,
        call: &Incoming,
        context: RequestContext,
        work: impl FnOnce(&dyn BlockTemplate) -> CallResult<T> + Send + 'static,
    ) -> capnp::Result<T> {
        let object = self.object()?;
        call.run(context, move || work(&*object)).await
    }
}

macro_rules! template {
    ($name:ident $params:ident $results:ident, |$p:ident| $prepare:expr, |$out:ident, $value:pat_param, $s:ident| $write:expr) => {
        async fn $name(
            self: Rc<Self>,
            params: block_template::$params,
            mut results: block_template::$results,
        ) -> Result<(), capnp::Error> {
            let call = self.session.receive(&params);
            let $value = {
                let $p = params.get()?;
                let work = $prepare;
                self.work(&call, RequestContext::read($p.get_context()), work).await?
            };
            {
                let $s = &self.session;
                let _ = $s;
                #[allow(unused_mut)]
                let mut $out = results.get();
                $write;
            }
            call.done(&mut results)
        }
    };
}

impl block_template::Server for TemplateServer {
    async fn destroy(
        self: Rc<Self>,
        params: block_template::DestroyParams,
        mut results: block_template::DestroyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let context = RequestContext::read(params.get()?.get_context());
        // In the thread's order: calls that were made before still find the object.
        call.run(context, || Ok::<(), CallError>(())).await?;
        self.hosted.take();
        call.done(&mut results)
    }

    template!(get_block_header GetBlockHeaderParams GetBlockHeaderResults,
        |p| |template: &dyn BlockTemplate| template.get_block_header(),
        |out, header, s| out.set_result(&header));

    template!(get_block GetBlockParams GetBlockResults,
        |p| |template: &dyn BlockTemplate| template.get_block(), |out, block, s| out.set_result(&block.0));

    template!(get_tx_fees GetTxFeesParams GetTxFeesResults,
        |p| |template: &dyn BlockTemplate| template.get_tx_fees(),
        |out, fees, s| set_amounts(out.init_result(count(fees.len())), &fees));

    template!(get_tx_sigops GetTxSigopsParams GetTxSigopsResults,
    |p| |template: &dyn BlockTemplate| template.get_tx_sigops(),
    |out, sigops, s| {
        let mut list = out.init_result(count(sigops.len()));
        for (n, cost) in (0..).zip(sigops) {
            list.set(n, cost);
        }
    });

    template!(get_coinbase_tx GetCoinbaseTxParams GetCoinbaseTxResults,
        |p| |template: &dyn BlockTemplate| template.get_coinbase_tx(),
        |out, coinbase, s| coinbase.to_wire(out.init_result()));

    template!(get_coinbase_merkle_path GetCoinbaseMerklePathParams GetCoinbaseMerklePathResults,
        |p| |template: &dyn BlockTemplate| template.get_coinbase_merkle_path(),
        |out, path, s| set_blobs(out.init_result(count(path.len())), &path));

    template!(submit_solution SubmitSolutionParams SubmitSolutionResults,
        |p| {
            // Without a coinbase there is no solution; the reference crashes here.
            let coinbase: Option<Transaction> = match p.get_coinbase()? {
                [] => None,
                bytes => Some(object(Ok(bytes))?),
            };
            let (version, timestamp, nonce) = (p.get_version(), p.get_timestamp(), p.get_nonce());
            move |template: &dyn BlockTemplate| match coinbase {
                Some(coinbase) => template.submit_solution(version, timestamp, nonce, Arc::new(coinbase)),
                None => Ok(false),
            }
        },
        |out, value, s| out.set_result(value));

    template!(wait_next WaitNextParams WaitNextResults,
    |p| {
        let options = BlockWaitOptions::from_wire(p.get_options()?)?;
        move |template: &dyn BlockTemplate| template.wait_next(options)
    },
    |out, next, s| if let Some(next) = next {
        out.set_result(template_client(s, next));
    });

    async fn interrupt_wait(
        self: Rc<Self>,
        params: block_template::InterruptWaitParams,
        mut results: block_template::InterruptWaitResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let object = self.object()?;
        call.run_here(|| object.interrupt_wait())?;
        call.done(&mut results)
    }
}
