use std::sync::{Arc, Mutex, PoisonError};

use grs_chainstate::{Chainstate, ChainstateManager};
use grs_consensus::{
    BlockValidationError, HeaderView, MAX_BLOCK_SIGOPS_COST, generate_coinbase_commitment, is_final_tx,
    witness_commitment_index,
};
use grs_log::info;
use grs_mempool::{Entry, Mempool};
use grs_params::{BuriedDeployment, block_subsidy};
use grs_policy::FeeRate;
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    TxRef, WITNESS_SCALE_FACTOR,
};
use grs_script::ScriptBuilder;

use crate::template::{CoinbaseParts, set_time};
use crate::{AssemblerOptions, BlockTemplate};

/// Chunks in a row that do not fit before a nearly full block is taken as full.
const MAX_CONSECUTIVE_FAILURES: u32 = 1000;
/// A block with less room than this is nearly full.
const NEARLY_FULL_WEIGHT: u64 = 4000;
/// Sequence that makes the lock time count.
const SEQUENCE_NONFINAL: u32 = 0xffff_fffe;

/// The last block that was assembled in this process.
static LAST: Mutex<Option<LastBlock>> = Mutex::new(None);

/// Figures of a block for `getmininginfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastBlock {
    /// Weight, with what was kept free.
    pub weight: u64,
    /// Transactions without the coinbase.
    pub txs: u64,
}

/// Figures of the last block that was assembled in this process.
pub fn last_block() -> Option<LastBlock> {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why no template was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssemblyError {
    /// The chain is not loaded.
    #[error("there is no tip to build on")]
    NoTip,
    /// The finished block breaks a rule.
    #[error("TestBlockValidity failed: {0}")]
    Invalid(BlockValidationError),
}

/// What was chosen so far.
struct Selection {
    weight: u64,
    sigops: u64,
    fee: Amount,
    txs: Vec<TxRef>,
    fees: Vec<Amount>,
    costs: Vec<i64>,
    rates: Vec<FeeRate>,
}

/// Makes a block on the tip. `chain` is the locked chainstate of `manager`. Reference: `CreateNewBlock`.
///
/// # Errors
/// If there is no tip, or the block is not valid.
pub fn create_new_block(
    manager: &ChainstateManager,
    chain: &mut Chainstate,
    mempool: Option<&Mempool>,
    options: &AssemblerOptions,
) -> Result<BlockTemplate, AssemblyError> {
    let options = options.clamped();
    let params = manager.params().clone();
    let prev = manager.header_view(chain.tip().ok_or(AssemblyError::NoTip)?);
    let height = prev.height() + 1;
    let mut version = manager
        .version_bits()
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .compute_block_version(Some(prev), &params.consensus);
    if params.mine_blocks_on_demand() {
        version = options.version.unwrap_or(version);
    }
    let mut selection = Selection {
        weight: options.reserved_weight,
        sigops: options.reserved_sigops,
        fee: Amount::ZERO,
        txs: Vec::new(),
        fees: Vec::new(),
        costs: Vec::new(),
        rates: Vec::new(),
    };
    if let Some(mempool) = mempool.filter(|_| options.use_mempool) {
        add_chunks(&mut selection, mempool, &options, height, prev.median_time_past());
    }
    let last = LastBlock { weight: selection.weight, txs: selection.txs.len() as u64 };
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);

    let mut script = ScriptBuilder::new().int(i64::from(height));
    if options.dummy_extra_nonce {
        script = script.int(0);
    }
    let script_sig = script.into_script();
    let reward = selection.fee + block_subsidy(height);
    let lock_time = u32::try_from(height - 1).unwrap_or(0);
    let draft = MutableTransaction {
        version: 2,
        inputs: vec![TxIn { script_sig: script_sig.clone(), ..TxIn::new(OutPoint::NULL, SEQUENCE_NONFINAL) }],
        outputs: vec![TxOut::new(reward, options.coinbase_script.clone())],
        lock_time,
    };
    let mut header = Header { version, prev: prev.hash(), ..Header::default() };
    set_time(&mut header, prev, &params.consensus);

    let mut txs = vec![Arc::new(Transaction::from(draft))];
    txs.extend(selection.txs);
    let mut block = Block::new(HashedHeader::new(header), txs);
    let segwit = params.consensus.is_active_at(BuriedDeployment::Segwit, height);
    generate_coinbase_commitment(&mut block, segwit);
    let coinbase = coinbase_parts(&block, script_sig, reward, lock_time);
    info!(
        "CreateNewBlock(): block weight: {} txs: {} fees: {} sigops {}",
        block.weight(),
        last.txs,
        selection.fee.0,
        selection.sigops
    );
    if options.test_validity {
        // Without the Merkle root, which changes with the miner's coinbase anyway.
        chain.check_template(&block).map_err(AssemblyError::Invalid)?;
    }
    Ok(BlockTemplate {
        header,
        txs: block.txs,
        fees: selection.fees,
        sigops: selection.costs,
        chunk_rates: selection.rates,
        coinbase,
        height: u32::try_from(height).unwrap_or(0),
    })
}

fn coinbase_parts(block: &Block, script_sig: Script, reward: Amount, lock_time: u32) -> CoinbaseParts {
    let coinbase = &block.txs[0];
    let commitment = witness_commitment_index(block).and_then(|index| coinbase.outputs.get(index));
    let witness = coinbase.inputs.first().and_then(|i| i.witness.first());
    CoinbaseParts {
        version: coinbase.version,
        sequence: SEQUENCE_NONFINAL,
        script_sig_prefix: script_sig.into_bytes(),
        witness: witness.and_then(|item| item.as_slice().try_into().ok()),
        reward,
        required_outputs: commitment.cloned().into_iter().collect(),
        lock_time,
    }
}

/// Takes chunks from the best rate down as long as they fit. Reference: `addChunks`.
fn add_chunks(
    selection: &mut Selection,
    mempool: &Mempool,
    options: &AssemblerOptions,
    height: i32,
    lock_time_cutoff: i64,
) {
    const SCALE: i64 = WITNESS_SCALE_FACTOR as i64;
    let least = options.min_fee_rate.fee_per_kvb().0;
    let mut failures = 0;
    mempool.lock().for_each_chunk(|entries, total| {
        let vsize = (total.size + SCALE - 1) / SCALE;
        if i128::from(total.fee) * 1000 < i128::from(least) * i128::from(vsize) {
            return None;
        }
        let sigops: u64 = entries.iter().map(|e| u64::from(e.sigop_cost)).sum();
        let fits = selection.weight + total.size.unsigned_abs() < options.max_weight
            && selection.sigops + sigops < MAX_BLOCK_SIGOPS_COST as u64;
        let is_final = |entry: &&Entry| is_final_tx(&entry.tx, height, lock_time_cutoff);
        if !fits || !entries.iter().all(is_final) {
            failures += 1;
            let full = selection.weight + NEARLY_FULL_WEIGHT > options.max_weight;
            return if failures > MAX_CONSECUTIVE_FAILURES && full { None } else { Some(false) };
        }
        failures = 0;
        for entry in entries {
            selection.weight += entry.tx.weight() as u64;
            selection.sigops += u64::from(entry.sigop_cost);
            selection.fee += entry.fee;
            selection.txs.push(entry.tx.clone());
            selection.fees.push(entry.fee);
            selection.costs.push(i64::from(entry.sigop_cost));
            if options.log_fee_rates {
                let rate = FeeRate::of(entry.modified_fee(), entry.vsize);
                info!("fee rate {rate} txid {}", entry.tx.txid());
            }
        }
        selection.rates.push(FeeRate::of(Amount(total.fee), vsize));
        Some(true)
    });
}
