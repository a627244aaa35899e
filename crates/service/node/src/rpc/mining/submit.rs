//! `submitblock`, `submitheader`.

use std::sync::{Arc, Mutex, PoisonError};

use grs_chainstate::{ChainstateManager, ValidationInterface};
use grs_consensus::{BlockValidationError, fill_witness_reserved_value};
use grs_encoding::{Decode, Reader, hex_decode};
use grs_hashes::BlockHash;
use grs_params::BuriedDeployment;
use grs_primitives::{Block, HashedHeader};
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use serde_json::Value;

use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method("mining", "submitblock", "Takes a new block, as BIP22 says.\n", submitblock)
            .arg(Arg::hex("hexdata", "The block's bytes in hexadecimal"))
            .arg(Arg::str("dummy", "Ignored; BIP22 has it").default_hint("ignored"))
            .result(Res::null("", "").cond("If the block was accepted"))
            .result(Res::str("", "The reason, as BIP22 says").cond("Otherwise"))
            .example("\"mydata\""),
        maker
            .method(
                "mining",
                "submitheader",
                "Takes a header as a candidate for the tip. Fails when it is not valid.\n",
                submitheader,
            )
            .arg(Arg::hex("hexdata", "The header's bytes in hexadecimal"))
            .result(Res::null("", "None"))
            .example("\"aabbcc\""),
    ]
}

/// The verdict on a block, as BIP22 says. Reference: `BIP22ValidationResult`.
pub(super) fn bip22(result: Result<(), BlockValidationError>) -> Value {
    match result {
        Ok(()) => Value::Null,
        Err(error) if error.reason.is_empty() => "rejected".into(),
        Err(error) => error.reason.as_ref().into(),
    }
}

pub(super) fn decode_block(text: &str) -> Result<Block, RpcError> {
    hex_decode(text)
        .ok()
        .and_then(|bytes| Block::decode(&mut Reader::new(&bytes)).ok())
        .ok_or_else(|| RpcError::deserialization("Block decode failed"))
}

pub(crate) type Verdict = Result<(), BlockValidationError>;

/// Hears the verdict on one block.
pub(in crate::rpc) struct BlockCatcher {
    hash: BlockHash,
    verdict: Mutex<Option<Verdict>>,
}

impl BlockCatcher {
    /// For a block of this hash.
    pub(in crate::rpc) fn new(hash: BlockHash) -> Arc<BlockCatcher> {
        Arc::new(BlockCatcher { hash, verdict: Mutex::new(None) })
    }

    /// The verdict, if there was one.
    pub(in crate::rpc) fn take(&self) -> Option<Verdict> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ValidationInterface for BlockCatcher {
    fn block_checked(&self, block: &Arc<Block>, result: Result<(), &BlockValidationError>) {
        if block.hash() == self.hash {
            let verdict = result.map_err(Clone::clone);
            *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        }
    }
}

fn submitblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let mut block = decode_block(request.arg("hexdata")?)?;
    let manager = ctx.chainman()?;
    if let Some(prev) = manager.index().lookup(&block.header.prev) {
        let height = manager.index().height(prev) as i32 + 1;
        let segwit = manager.params().consensus.is_active_at(BuriedDeployment::Segwit, height);
        fill_witness_reserved_value(&mut block, segwit);
    }
    let done = submit_block(manager, Arc::new(block));
    if done.is_duplicate() {
        return Ok("duplicate".into());
    }
    Ok(done.verdict.map_or_else(|| "inconclusive".into(), bip22))
}

/// What became of a block from a miner.
pub(crate) struct Submitted {
    accepted: bool,
    new: bool,
    /// The verdict; none if the block was not connected.
    pub(crate) verdict: Option<Verdict>,
}

impl Submitted {
    /// It was known before.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.accepted && !self.new
    }

    /// It was stored now.
    pub(crate) fn is_new(&self) -> bool {
        self.accepted && self.new
    }
}

/// Processes a miner's block. Reference: `SubmitBlock`.
pub(crate) fn submit_block(manager: &ChainstateManager, block: Arc<Block>) -> Submitted {
    let catcher = BlockCatcher::new(block.hash());
    let id = manager.signals().register(catcher.clone());
    let done = manager.process_new_block(block, true, true);
    manager.signals().unregister(id);
    Submitted { accepted: done.accepted, new: done.new_block, verdict: catcher.take() }
}

fn submitheader(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let failed = || RpcError::deserialization("Block header decode failed");
    let bytes = hex_decode(request.arg("hexdata")?).map_err(|_| failed())?;
    // Bytes that follow are ignored, as after a block.
    let header = HashedHeader::decode(&mut Reader::new(&bytes)).map_err(|_| failed())?;
    let manager = ctx.chainman()?;
    let verify = |text: String| RpcError::new(code::VERIFY_ERROR, text);
    if manager.index().lookup(&header.prev).is_none() {
        return Err(verify(format!("Must submit previous header ({}) first", header.prev)));
    }
    manager.process_new_headers(&[header], true).map_err(|error| verify(error.reason.into_owned()))?;
    Ok(Value::Null)
}
