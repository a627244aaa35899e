//! Whether a block could be connected to the tip, without connecting it. Reference: `TestBlockValidity`.

use std::collections::{HashMap, HashSet};

use grs_blockstore::{BlockId, Coin, TxUndo};
use grs_consensus::{
    BlockRule, BlockValidationError, BlockValidationResult, HeaderView, MAX_BLOCK_SIGOPS_COST, TxRule,
    check_block, check_block_form, check_transaction, contextual_check_block, contextual_check_header,
    needs_bip30_check,
};
use grs_hashes::{Txid, Wtxid};
use grs_params::{BuriedDeployment, ConsensusParams};
use grs_primitives::{Amount, Block, OutPoint, Transaction, TxRef, WITNESS_SCALE_FACTOR, money_range};
use grs_script::{ScriptExt, ScriptFlags, legacy_sig_op_count, transaction_sig_op_cost};
use grs_sync::{Job, clock};

use crate::connect::{
    Place, ScriptJob, Scripts, apply_block, check_coinbase_amount, check_inputs, check_outputs_are_new,
    check_sequence_locks, queue_scripts,
};
use crate::error::BlockError;
use crate::state::Shared;
use crate::{Chainstate, CoinsCache, HeaderRef, block_script_flags};

/// Transactions that are remembered, several full blocks of them.
const MAX_KNOWN: usize = 50_000;

/// What is known about the transactions of earlier templates on the same tip. The coins of a tip are always the same,
/// so a transaction that was valid there is so again if all that it spends from the block itself is there again.
#[derive(Default)]
pub(crate) struct TemplateTxs {
    tip: Option<BlockId>,
    known: HashMap<Wtxid, Known>,
}

/// A transaction that obeys all rules but those about the rest of the block.
struct Known {
    figures: Figures,
    /// Transactions of the block from which it spends; all its other inputs are coins of the tip.
    parents: Box<[Txid]>,
}

/// What a transaction adds to the sums of a block.
#[derive(Clone, Copy)]
struct Figures {
    fee: Amount,
    legacy_sigops: u32,
    sigops_cost: u32,
}

/// What the checks need to know about the place of the block.
struct Rules<'a> {
    prev: HeaderRef<'a>,
    height: u32,
    flags: ScriptFlags,
    enforce_sequence: bool,
    bip30: bool,
}

impl<'a> Rules<'a> {
    fn new(prev: HeaderRef<'a>, block: &Block, consensus: &ConsensusParams) -> Rules<'a> {
        let height = prev.height() as u32 + 1;
        Rules {
            prev,
            height,
            flags: block_script_flags(&block.hash(), height, consensus),
            enforce_sequence: consensus.is_active_at(BuriedDeployment::Csv, height as i32),
            bip30: needs_bip30_check(prev, &block.hash(), consensus),
        }
    }
}

fn missing_inputs(tx: &Transaction) -> BlockError {
    BlockRule::Inputs { txid: tx.txid(), rule: TxRule::MissingInputs }.into()
}

fn verdict(error: BlockError) -> BlockValidationError {
    match error {
        BlockError::Invalid(error) => error,
        BlockError::Fatal(error) => BlockValidationError::new(BlockValidationResult::Consensus, error.0),
    }
}

fn run_scripts(jobs: Vec<ScriptJob>) -> Result<(), BlockError> {
    jobs.into_iter().try_for_each(|job| job.run().map_err(|failure| BlockRule::from(failure).into()))
}

/// All rules about one transaction, but that its inputs are spent once only. `made` has what is before it in the block.
fn examine(
    coins: &mut CoinsCache,
    tx: &TxRef,
    made: &HashMap<Txid, &TxRef>,
    rules: &Rules<'_>,
    scripts: &mut Scripts<'_>,
) -> Result<Known, BlockError> {
    check_transaction(tx).map_err(|rule| BlockRule::Transaction { txid: tx.txid(), rule })?;
    if rules.bip30 {
        check_outputs_are_new(coins, tx)?;
    }
    let (mut spent, mut parents, mut fee) = (TxUndo::default(), Vec::new(), Amount::ZERO);
    if !tx.is_coinbase() {
        for input in &tx.inputs {
            let OutPoint { txid, vout } = input.prevout;
            let coin = match made.get(&txid) {
                Some(parent) => {
                    parents.push(txid);
                    let out =
                        parent.outputs.get(vout as usize).filter(|out| !out.script_pubkey.is_unspendable());
                    out.map(|out| Coin {
                        out: out.clone(),
                        height: rules.height,
                        coinbase: parent.is_coinbase(),
                    })
                }
                None => coins.get(&input.prevout)?,
            };
            spent.spent.push(coin.ok_or_else(|| missing_inputs(tx))?);
        }
        fee = check_inputs(tx, &spent, rules.height)?;
        check_sequence_locks(tx, &spent, rules.enforce_sequence, &mut Vec::new(), rules.prev)?;
        queue_scripts(tx, &spent, rules.flags, scripts);
    }
    let sigops_cost = transaction_sig_op_cost(tx, |i| &spent.spent[i].out, rules.flags);
    let figures = Figures { fee, legacy_sigops: legacy_sig_op_count(tx), sigops_cost };
    Ok(Known { figures, parents: parents.into() })
}

impl TemplateTxs {
    /// Makes sure that everything known is about `tip`.
    fn turn_to(&mut self, tip: BlockId) {
        if self.tip != Some(tip) || self.known.len() > MAX_KNOWN {
            *self = TemplateTxs { tip: Some(tip), known: HashMap::new() };
        }
    }

    /// The rules about the transactions of a block whose form is right.
    fn check(
        &mut self,
        coins: &mut CoinsCache,
        block: &Block,
        rules: &Rules<'_>,
        shared: &Shared,
    ) -> Result<(), BlockError> {
        const MAX_COST: u64 = MAX_BLOCK_SIGOPS_COST as u64;
        let mut made = HashMap::with_capacity(block.txs.len());
        let mut spent = HashSet::with_capacity(2 * block.txs.len());
        let (mut new, mut jobs) = (Vec::new(), Vec::new());
        let mut scripts = Scripts { jobs: Some(&mut jobs), cache: &shared.validation_cache, store: true };
        let (mut fees, mut legacy_sigops, mut sigops_cost) = (Amount::ZERO, 0_u64, 0_u64);
        for tx in &block.txs {
            let figures = match self.known.get(&tx.wtxid()) {
                Some(known) if known.parents.iter().all(|txid| made.contains_key(txid)) => known.figures,
                Some(_) => return Err(missing_inputs(tx)),
                None => {
                    let known = examine(coins, tx, &made, rules, &mut scripts)?;
                    let figures = known.figures;
                    if !tx.is_coinbase() {
                        new.push((tx.wtxid(), known));
                    }
                    figures
                }
            };
            if !tx.is_coinbase() && !tx.inputs.iter().all(|input| spent.insert(&input.prevout)) {
                return Err(missing_inputs(tx));
            }
            fees += figures.fee;
            if !money_range(fees) {
                return Err(BlockRule::FeesOutOfRange.into());
            }
            legacy_sigops += u64::from(figures.legacy_sigops);
            sigops_cost += u64::from(figures.sigops_cost);
            made.insert(tx.txid(), tx);
        }
        if legacy_sigops * WITNESS_SCALE_FACTOR as u64 > MAX_COST {
            return Err(BlockRule::LegacySigops.into());
        }
        if sigops_cost > MAX_COST {
            return Err(BlockRule::SigopsCost.into());
        }
        check_coinbase_amount(block, fees, rules.height)?;
        run_scripts(jobs)?;
        self.known.extend(new);
        Ok(())
    }
}

impl Chainstate {
    /// The tip, on which the block must build.
    fn parent_of(&self, block: &Block) -> Result<BlockId, BlockValidationError> {
        let tip = self.tip().filter(|tip| self.index().hash(*tip) == block.header.prev);
        tip.ok_or_else(|| {
            BlockValidationError::new(BlockValidationResult::Consensus, "inconclusive-not-best-prevblk")
        })
    }

    /// See [`crate::ChainstateManager::test_block_validity`].
    ///
    /// # Errors
    /// Which rule the block breaks.
    pub fn test_block_validity(
        &mut self,
        block: &Block,
        check_pow: bool,
        check_merkle_root: bool,
    ) -> Result<(), BlockValidationError> {
        let shared = self.shared.clone();
        let consensus = &shared.params.consensus;
        let prev = HeaderRef::new(&shared.index, self.parent_of(block)?);
        check_block(block, consensus, check_pow, check_merkle_root)?;
        contextual_check_header(&block.header, prev, consensus, clock::now_secs())?;
        contextual_check_block(block, Some(prev), consensus)?;
        let mut jobs = Vec::new();
        let mut scripts = Scripts { jobs: Some(&mut jobs), cache: &shared.validation_cache, store: true };
        let place = Place { prev, hash: block.hash() };
        self.coins.begin();
        let result = apply_block(&mut self.coins, block, &place, &shared.params, &mut scripts);
        self.coins.roll_back();
        result.and_then(|_| run_scripts(jobs)).map_err(verdict)
    }

    /// As [`Chainstate::test_block_validity`] without proof of work and Merkle root, for templates: fast for
    /// transactions that were in valid templates on the same tip before.
    ///
    /// # Errors
    /// Which rule the block breaks.
    pub fn check_template(&mut self, block: &Block) -> Result<(), BlockValidationError> {
        let shared = self.shared.clone();
        let consensus = &shared.params.consensus;
        let tip = self.parent_of(block)?;
        let prev = HeaderRef::new(&shared.index, tip);
        check_block_form(block)?;
        contextual_check_header(&block.header, prev, consensus, clock::now_secs())?;
        contextual_check_block(block, Some(prev), consensus)?;
        let rules = Rules::new(prev, block, consensus);
        self.template_txs.turn_to(tip);
        self.template_txs.check(&mut self.coins, block, &rules, &shared).map_err(verdict)
    }
}
