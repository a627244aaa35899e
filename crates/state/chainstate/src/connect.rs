//! Applying a block to the coins and taking it back. Reference: `ConnectBlock`, `DisconnectBlock`.

use std::sync::Arc;

use grs_blockstore::{BlockUndo, Coin, TxUndo};
use grs_consensus::{
    BlockRule, CoinRef, HeaderView, MAX_BLOCK_SIGOPS_COST, TxRule, check_tx_inputs, is_bip30_unspendable,
    needs_bip30_check, sequence_locks,
};
use grs_hashes::BlockHash;
use grs_leveldb::Result as DbResult;
use grs_log::error;
use grs_params::{BuriedDeployment, ChainParams, ConsensusParams, ScriptFlagException, block_subsidy};
use grs_primitives::{Amount, Block, OutPoint, Transaction, TxOut, TxRef, money_range};
use grs_script::{
    PrecomputedTxData, ScriptCheck, ScriptExt, ScriptFlags, ValidationCache, transaction_sig_op_cost,
};
use grs_sync::Job;

use crate::error::BlockError;
use crate::{CoinsCache, HeaderRef};

/// A failed script of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFailure {
    error: String,
    debug_message: String,
}

impl From<ScriptFailure> for BlockRule {
    fn from(failure: ScriptFailure) -> BlockRule {
        BlockRule::Script { error: failure.error, debug_message: failure.debug_message }
    }
}

/// The check of one input, for a worker.
pub struct ScriptJob(ScriptCheck);

impl Job for ScriptJob {
    type Error = ScriptFailure;

    fn run(self) -> Result<(), ScriptFailure> {
        self.0
            .run()
            .map_err(|error| ScriptFailure { error: error.to_string(), debug_message: self.0.describe() })
    }
}

/// Script rules of a block. Reference: `GetBlockScriptFlags`.
pub fn block_script_flags(hash: &BlockHash, height: u32, params: &ConsensusParams) -> ScriptFlags {
    let height = height as i32;
    let mut flags = ScriptFlags::P2SH | ScriptFlags::WITNESS | ScriptFlags::TAPROOT;
    if let Some((_, exception)) = params.script_flag_exceptions.iter().find(|(known, _)| known == hash) {
        flags = match exception {
            ScriptFlagException::None => ScriptFlags::NONE,
            ScriptFlagException::P2shWitness => ScriptFlags::P2SH | ScriptFlags::WITNESS,
        };
    }
    for (deployment, flag) in [
        (BuriedDeployment::Dersig, ScriptFlags::DERSIG),
        (BuriedDeployment::Cltv, ScriptFlags::CHECKLOCKTIMEVERIFY),
        (BuriedDeployment::Csv, ScriptFlags::CHECKSEQUENCEVERIFY),
        (BuriedDeployment::Segwit, ScriptFlags::NULLDUMMY),
    ] {
        if params.is_active_at(deployment, height) {
            flags |= flag;
        }
    }
    flags
}

/// Where a block is connected.
pub(crate) struct Place<'a> {
    /// The block before.
    pub(crate) prev: HeaderRef<'a>,
    /// Hash of the block (of its header as it is, for templates).
    pub(crate) hash: BlockHash,
}

/// How scripts are treated.
pub(crate) struct Scripts<'a> {
    /// Checks to run; `None` when the block's scripts are assumed valid.
    pub(crate) jobs: Option<&'a mut Vec<ScriptJob>>,
    /// Caches of what was checked before.
    pub(crate) cache: &'a ValidationCache,
    /// Keep results: for templates, which will come again as blocks.
    pub(crate) store: bool,
}

/// Applies a block that passed [`grs_consensus::check_block`] to the coins and returns what it spent. The genesis
/// block is not applied at all. On failure the coins are as far as the block got: roll them back.
pub(crate) fn apply_block(
    coins: &mut CoinsCache,
    block: &Block,
    place: &Place<'_>,
    params: &ChainParams,
    scripts: &mut Scripts<'_>,
) -> Result<BlockUndo, BlockError> {
    let consensus = &params.consensus;
    let height = place.prev.height() as u32 + 1;
    let bip30 = needs_bip30_check(place.prev, &place.hash, consensus);
    if bip30 {
        block.txs.iter().try_for_each(|tx| check_outputs_are_new(coins, tx))?;
    }
    let flags = block_script_flags(&place.hash, height, consensus);
    let enforce_sequence = consensus.is_active_at(BuriedDeployment::Csv, height as i32);
    let mut undo = BlockUndo { txs: Vec::with_capacity(block.txs.len().saturating_sub(1)) };
    let mut fees = Amount::ZERO;
    let mut sigops = 0_i64;
    let mut heights = Vec::new();
    for tx in &block.txs {
        let coinbase = tx.is_coinbase();
        let mut spent = TxUndo::default();
        if !coinbase {
            spent = spend_inputs(coins, tx)?;
            fees += check_inputs(tx, &spent, height)?;
            if !money_range(fees) {
                return Err(BlockRule::FeesOutOfRange.into());
            }
            check_sequence_locks(tx, &spent, enforce_sequence, &mut heights, place.prev)?;
        }
        sigops += i64::from(transaction_sig_op_cost(tx, |i| &spent.spent[i].out, flags));
        if sigops > MAX_BLOCK_SIGOPS_COST {
            return Err(BlockRule::SigopsCost.into());
        }
        if !coinbase {
            queue_scripts(tx, &spent, flags, scripts);
            undo.txs.push(spent);
        }
        // Where BIP30 was checked, the outputs are known to be new.
        coins.add_outputs(tx, height, coinbase && !bip30);
    }
    check_coinbase_amount(block, fees, height)?;
    Ok(undo)
}

/// BIP30: no output of the transaction is there already.
pub(crate) fn check_outputs_are_new(coins: &CoinsCache, tx: &Transaction) -> Result<(), BlockError> {
    for vout in 0..tx.outputs.len() as u32 {
        if coins.have(&OutPoint::new(tx.txid(), vout))? {
            return Err(BlockRule::Bip30.into());
        }
    }
    Ok(())
}

/// The miner takes no more than the fees and the subsidy.
pub(crate) fn check_coinbase_amount(block: &Block, fees: Amount, height: u32) -> Result<(), BlockRule> {
    let limit = fees + block_subsidy(height as i32);
    let actual = block.txs.first().and_then(|tx| tx.value_out()).unwrap_or(Amount::ZERO);
    if actual > limit { Err(BlockRule::CoinbaseAmount { actual, limit }) } else { Ok(()) }
}

/// The relative lock times of the inputs. `heights` is room to work in.
pub(crate) fn check_sequence_locks(
    tx: &Transaction,
    spent: &TxUndo,
    enforce: bool,
    heights: &mut Vec<i32>,
    prev: HeaderRef<'_>,
) -> Result<(), BlockRule> {
    heights.clear();
    heights.extend(spent.spent.iter().map(|coin| coin.height as i32));
    if sequence_locks(tx, enforce, heights, prev) { Ok(()) } else { Err(BlockRule::SequenceLock(tx.txid())) }
}

fn spend_inputs(coins: &mut CoinsCache, tx: &Transaction) -> Result<TxUndo, BlockError> {
    let mut spent = Vec::with_capacity(tx.inputs.len());
    for input in &tx.inputs {
        match coins.spend(&input.prevout)? {
            Some(coin) => spent.push(coin),
            None => return Err(BlockRule::Inputs { txid: tx.txid(), rule: TxRule::MissingInputs }.into()),
        }
    }
    Ok(TxUndo { spent })
}

fn coin_ref(coin: &Coin) -> CoinRef<'_> {
    CoinRef {
        value: coin.out.value,
        script_pubkey: &coin.out.script_pubkey,
        height: coin.height as i32,
        is_coinbase: coin.coinbase,
    }
}

pub(crate) fn check_inputs(tx: &Transaction, spent: &TxUndo, height: u32) -> Result<Amount, BlockError> {
    let fee = match &spent.spent[..] {
        // The usual case needs no list.
        [coin] => check_tx_inputs(tx, &[coin_ref(coin)][..], height as i32),
        coins => {
            let refs: Vec<CoinRef<'_>> = coins.iter().map(coin_ref).collect();
            check_tx_inputs(tx, &refs[..], height as i32)
        }
    };
    fee.map_err(|rule| BlockRule::Inputs { txid: tx.txid(), rule }.into())
}

pub(crate) fn queue_scripts(tx: &TxRef, spent: &TxUndo, flags: ScriptFlags, scripts: &mut Scripts<'_>) {
    let Some(jobs) = &mut scripts.jobs else { return };
    let executions = &scripts.cache.script_executions;
    if executions.contains(&executions.entry(&tx.wtxid(), flags), !scripts.store) {
        return;
    }
    let outs: Vec<TxOut> = spent.spent.iter().map(|coin| coin.out.clone()).collect();
    let data = Arc::new(PrecomputedTxData::new(tx, outs, false));
    let cache = &scripts.cache.signatures;
    jobs.extend((0..tx.inputs.len()).map(|input| {
        let (tx, data) = (tx.clone(), data.clone());
        ScriptJob(ScriptCheck::new(tx, input, flags, data, Some(cache.clone()), scripts.store))
    }));
}

/// How a block was taken back. Reference: `DisconnectResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disconnected {
    /// Everything fitted.
    Clean,
    /// Coins were not as they should have been; taking back a block that was applied only in part looks like this.
    Unclean,
    /// Undo data does not fit the block.
    Failed,
}

/// Takes a block back. After [`Disconnected::Failed`] the coins are in an undefined state.
pub(crate) fn disconnect_block(
    coins: &mut CoinsCache,
    block: &Block,
    undo: BlockUndo,
    height: u32,
) -> DbResult<Disconnected> {
    if undo.txs.len() + 1 != block.txs.len() {
        error!("DisconnectBlock(): block and undo data inconsistent");
        return Ok(Disconnected::Failed);
    }
    let mut clean = true;
    let bip30_exception = is_bip30_unspendable(height as i32, &block.hash());
    let mut undo = undo.txs;
    for (i, tx) in block.txs.iter().enumerate().rev() {
        let (txid, coinbase) = (tx.txid(), tx.is_coinbase());
        for (vout, out) in tx.outputs.iter().enumerate() {
            if !out.script_pubkey.is_unspendable() {
                let coin = coins.spend(&OutPoint::new(txid, vout as u32))?;
                let fits =
                    coin.is_some_and(|c| c.out == *out && c.height == height && c.coinbase == coinbase);
                clean &= fits || (coinbase && bip30_exception);
            }
        }
        if i == 0 {
            break;
        }
        let spent = undo.pop().map(|tx| tx.spent).unwrap_or_default();
        if spent.len() != tx.inputs.len() {
            error!("DisconnectBlock(): transaction and undo data inconsistent");
            return Ok(Disconnected::Failed);
        }
        for (input, coin) in tx.inputs.iter().zip(spent).rev() {
            match restore_coin(coins, &input.prevout, coin)? {
                Disconnected::Clean => {}
                Disconnected::Unclean => clean = false,
                Disconnected::Failed => return Ok(Disconnected::Failed),
            }
        }
    }
    coins.set_best_block(block.header.prev);
    Ok(if clean { Disconnected::Clean } else { Disconnected::Unclean })
}

/// Puts a spent coin back. Reference: `ApplyTxInUndo`.
fn restore_coin(coins: &mut CoinsCache, outpoint: &OutPoint, mut coin: Coin) -> DbResult<Disconnected> {
    /// Outputs that fit into a block: each takes nine bytes at least.
    const MAX_OUTPUTS_PER_BLOCK: u32 = 4_000_000 / (4 * 9);
    let there = coins.have(outpoint)?;
    if coin.height == 0 {
        // Undo data of old versions has height and coinbase flag only with the last spent output of a
        // transaction; another output of it still has them.
        let mut found = None;
        for vout in 0..MAX_OUTPUTS_PER_BLOCK {
            found = coins.peek(&OutPoint::new(outpoint.txid, vout))?;
            if found.is_some() {
                break;
            }
        }
        let Some(other) = found else { return Ok(Disconnected::Failed) };
        (coin.height, coin.coinbase) = (other.height, other.coinbase);
    }
    coins.add(*outpoint, &coin.out, coin.height, coin.coinbase, there);
    Ok(if there { Disconnected::Unclean } else { Disconnected::Clean })
}

/// Applies a block that may have been applied already. Reference: `RollforwardBlock`.
pub(crate) fn roll_forward(coins: &mut CoinsCache, block: &Block, height: u32) -> DbResult<()> {
    for tx in &block.txs {
        if !tx.is_coinbase() {
            for input in &tx.inputs {
                coins.spend(&input.prevout)?;
            }
        }
        let (txid, coinbase) = (tx.txid(), tx.is_coinbase());
        for (vout, out) in tx.outputs.iter().enumerate() {
            let outpoint = OutPoint::new(txid, vout as u32);
            let there = coins.have(&outpoint)?;
            coins.add(outpoint, out, height, coinbase, there);
        }
    }
    Ok(())
}
