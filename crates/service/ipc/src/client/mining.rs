//! Proxies of `Mining` and `BlockTemplate`.

use std::sync::Arc;
use std::time::Duration;

use grs_encoding::encode_to_vec;
use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_interfaces::{
    BlockBytes, BlockCheck, BlockCheckOptions, BlockCreateOptions, BlockRef, BlockTemplate, BlockWaitOptions,
    CallResult, CoinbaseTx, Mining,
};
use grs_ipc_schema::mining_capnp::{block_template, mining};
use grs_mp::exception;
use grs_primitives::{Amount, HEADER_LEN, TxRef};

use super::{Proxy, ask};
use crate::convert::{
    FromWire, ToWire, amounts, blobs, count, object, set_blobs, text, timeout_milliseconds,
};

/// Mining interface of a node.
pub(crate) struct MiningProxy(pub(crate) Proxy<mining::Client>);

macro_rules! check {
    ($r:ident) => {
        Ok(BlockCheck {
            valid: $r.get_result(),
            reason: text($r.get_reason())?,
            debug: text($r.get_debug())?,
        })
    };
}

macro_rules! transactions {
    ($r:ident) => {
        blobs($r.get_result()?, |item| match item? {
            [] => Ok(None),
            bytes => object(Ok(bytes)).map(|tx| Some(Arc::new(tx))),
        })
    };
}

impl Mining for MiningProxy {
    fn is_test_chain(&self) -> CallResult<bool> {
        ask!(context self.0, is_test_chain_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn is_initial_block_download(&self) -> CallResult<bool> {
        ask!(context self.0, is_initial_block_download_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn get_tip(&self) -> CallResult<Option<BlockRef>> {
        ask!(context self.0, get_tip_request, |p, call| {}, |r| match r.get_has_result() {
            true => BlockRef::from_wire(r.get_result()?).map(Some),
            false => Ok(None),
        })
    }

    fn wait_tip_changed(&self, current_tip: BlockHash, timeout: Duration) -> CallResult<Option<BlockRef>> {
        ask!(
            context self.0,
            wait_tip_changed_request,
            |p, call| {
                p.set_current_tip(current_tip.as_bytes());
                p.set_timeout(timeout_milliseconds(timeout));
            },
            |r| match r.has_result() {
                true => BlockRef::from_wire(r.get_result()?).map(Some),
                false => Ok(None),
            }
        )
    }

    fn create_new_block(
        &self,
        options: BlockCreateOptions,
        cooldown: bool,
    ) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        self.0.call(move |client, call| async move {
            let mut request = client.create_new_block_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            let mut out = p.reborrow().init_options();
            out.set_use_mempool(options.use_mempool);
            out.set_block_reserved_weight(options.block_reserved_weight);
            out.set_coinbase_output_max_additional_sigops(options.coinbase_output_max_additional_sigops);
            p.set_cooldown(cooldown);
            let response = call.send(request).await?;
            let r = response.get()?;
            if !r.has_result() {
                return Ok(None);
            }
            let template = BlockTemplateProxy(Proxy::new(call.session(), r.get_result()?));
            Ok(Some(Arc::new(template) as Arc<dyn BlockTemplate>))
        })
    }

    fn check_block(&self, block: &BlockBytes, options: BlockCheckOptions) -> CallResult<BlockCheck> {
        let block = block.clone();
        ask!(
            context self.0,
            check_block_request,
            |p, call| {
                p.set_block(&block.0);
                let mut out = p.reborrow().init_options();
                out.set_check_merkle_root(options.check_merkle_root);
                out.set_check_pow(options.check_pow);
            },
            |r| check!(r)
        )
    }

    fn interrupt(&self) -> CallResult<()> {
        ask!(self.0, interrupt_request, |p, call| {}, |r| Ok(()))
    }

    fn submit_block(&self, block: &BlockBytes) -> CallResult<BlockCheck> {
        let block = block.clone();
        ask!(context self.0, submit_block_request, |p, call| p.set_block(&block.0), |r| check!(r))
    }

    fn get_transactions_by_txid(&self, txids: &[Txid]) -> CallResult<Vec<Option<TxRef>>> {
        let txids = txids.to_vec();
        ask!(
            context self.0,
            get_transactions_by_tx_i_d_request,
            |p, call| set_blobs(p.reborrow().init_txids(count(txids.len())), &txids),
            |r| transactions!(r)
        )
    }

    fn get_transactions_by_witness_id(&self, wtxids: &[Wtxid]) -> CallResult<Vec<Option<TxRef>>> {
        let wtxids = wtxids.to_vec();
        ask!(
            context self.0,
            get_transactions_by_witness_i_d_request,
            |p, call| set_blobs(p.reborrow().init_wtxids(count(wtxids.len())), &wtxids),
            |r| transactions!(r)
        )
    }
}

/// A template that a node keeps. Dropping it releases it there.
pub(crate) struct BlockTemplateProxy(pub(crate) Proxy<block_template::Client>);

impl BlockTemplate for BlockTemplateProxy {
    fn get_block_header(&self) -> CallResult<[u8; HEADER_LEN]> {
        ask!(context self.0, get_block_header_request, |p, call| {}, |r| {
            r.get_result()?.try_into().map_err(|_| exception("a block header must have 80 bytes"))
        })
    }

    fn get_block(&self) -> CallResult<BlockBytes> {
        ask!(context self.0, get_block_request, |p, call| {}, |r| Ok(BlockBytes(r.get_result()?.to_vec())))
    }

    fn get_tx_fees(&self) -> CallResult<Vec<Amount>> {
        ask!(context self.0, get_tx_fees_request, |p, call| {}, |r| Ok(amounts(r.get_result()?)))
    }

    fn get_tx_sigops(&self) -> CallResult<Vec<i64>> {
        ask!(context self.0, get_tx_sigops_request, |p, call| {}, |r| Ok(r.get_result()?.iter().collect()))
    }

    fn get_coinbase_tx(&self) -> CallResult<CoinbaseTx> {
        ask!(
            context self.0,
            get_coinbase_tx_request,
            |p, call| {},
            |r| CoinbaseTx::from_wire(r.get_result()?)
        )
    }

    fn get_coinbase_merkle_path(&self) -> CallResult<Vec<[u8; 32]>> {
        ask!(context self.0, get_coinbase_merkle_path_request, |p, call| {}, |r| {
            blobs(r.get_result()?, |item| item?.try_into().map_err(|_| exception("a hash must have 32 bytes")))
        })
    }

    fn submit_solution(&self, version: u32, timestamp: u32, nonce: u32, coinbase: TxRef) -> CallResult<bool> {
        ask!(
            context self.0,
            submit_solution_request,
            |p, call| {
                p.set_version(version);
                p.set_timestamp(timestamp);
                p.set_nonce(nonce);
                p.set_coinbase(&encode_to_vec(&*coinbase));
            },
            |r| Ok(r.get_result())
        )
    }

    fn wait_next(&self, options: BlockWaitOptions) -> CallResult<Option<Arc<dyn BlockTemplate>>> {
        self.0.call(move |client, call| async move {
            let mut request = client.wait_next_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            options.to_wire(p.reborrow().init_options());
            let response = call.send(request).await?;
            let r = response.get()?;
            if !r.has_result() {
                return Ok(None);
            }
            let template = BlockTemplateProxy(Proxy::new(call.session(), r.get_result()?));
            Ok(Some(Arc::new(template) as Arc<dyn BlockTemplate>))
        })
    }

    fn interrupt_wait(&self) -> CallResult<()> {
        ask!(self.0, interrupt_wait_request, |p, call| {}, |r| Ok(()))
    }
}
