//! Standard forms of transactions, the outputs they spend, and their witnesses.

use grs_primitives::{Transaction, TxOut};
use grs_script::{
    ANNEX_TAG, NoChecker, ScriptClass, ScriptExt, ScriptFlags, SigVersion, TAPROOT_LEAF_MASK,
    TAPROOT_LEAF_TAPSCRIPT, TxoutType, WITNESS_V0_SCRIPTHASH_SIZE, WITNESS_V1_TAPROOT_SIZE, eval_script,
    solver,
};

use crate::limits::*;
use crate::{FeeRate, dust_outputs};

/// Why a transaction is not standard. [`NonStandardTx::reason`] is the reference's reject reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonStandardTx {
    /// Version outside 1 to 3.
    Version,
    /// Too heavy.
    Size,
    /// An unlocking script is too long.
    ScriptSigSize,
    /// An unlocking script does more than push.
    ScriptSigNotPushOnly,
    /// A locking script is of no standard kind.
    ScriptPubKey,
    /// Too many bytes in `OP_RETURN` outputs.
    DataCarrier,
    /// Bare multisig, switched off by `-permitbaremultisig=0`.
    BareMultisig,
    /// More than one dust output.
    Dust,
}

impl NonStandardTx {
    /// The reference's word for it.
    pub const fn reason(self) -> &'static str {
        match self {
            NonStandardTx::Version => "version",
            NonStandardTx::Size => "tx-size",
            NonStandardTx::ScriptSigSize => "scriptsig-size",
            NonStandardTx::ScriptSigNotPushOnly => "scriptsig-not-pushonly",
            NonStandardTx::ScriptPubKey => "scriptpubkey",
            NonStandardTx::DataCarrier => "datacarrier",
            NonStandardTx::BareMultisig => "bare-multisig",
            NonStandardTx::Dust => "dust",
        }
    }
}

/// What options change about standardness.
#[derive(Clone, Copy, Debug)]
pub struct StandardOptions {
    /// `-datacarriersize`; `None` with `-datacarrier=0`.
    pub max_datacarrier_bytes: Option<usize>,
    /// `-permitbaremultisig`.
    pub permit_bare_multisig: bool,
    /// `-dustrelayfee`.
    pub dust_relay_rate: FeeRate,
}

impl Default for StandardOptions {
    fn default() -> Self {
        StandardOptions {
            max_datacarrier_bytes: Some(MAX_OP_RETURN_RELAY),
            permit_bare_multisig: true,
            dust_relay_rate: FeeRate::per_kvb(DUST_RELAY_TX_FEE),
        }
    }
}

/// The kind of a locking script, if it is standard. Reference: `IsStandard`.
pub fn is_standard_script(script: &[u8]) -> Option<TxoutType> {
    let class = solver(script);
    match &class {
        ScriptClass::NonStandard => None,
        ScriptClass::Multisig { required, keys } => {
            let fits = (1..=3).contains(&keys.len()) && (1..=keys.len()).contains(&usize::from(*required));
            fits.then_some(TxoutType::Multisig)
        }
        other => Some(other.kind()),
    }
}

/// Checks the form of a transaction. Reference: `IsStandardTx`.
pub fn check_standard_tx(tx: &Transaction, options: &StandardOptions) -> Result<(), NonStandardTx> {
    if !(TX_MIN_STANDARD_VERSION..=TX_MAX_STANDARD_VERSION).contains(&tx.version) {
        return Err(NonStandardTx::Version);
    }
    if tx.weight() > MAX_STANDARD_TX_WEIGHT {
        return Err(NonStandardTx::Size);
    }
    for input in &tx.inputs {
        if input.script_sig.len() > MAX_STANDARD_SCRIPTSIG_SIZE {
            return Err(NonStandardTx::ScriptSigSize);
        }
        if !input.script_sig.is_push_only() {
            return Err(NonStandardTx::ScriptSigNotPushOnly);
        }
    }
    let mut data_left = options.max_datacarrier_bytes.unwrap_or(0);
    for output in &tx.outputs {
        match is_standard_script(&output.script_pubkey) {
            None => return Err(NonStandardTx::ScriptPubKey),
            Some(TxoutType::NullData) => {
                data_left =
                    data_left.checked_sub(output.script_pubkey.len()).ok_or(NonStandardTx::DataCarrier)?;
            }
            Some(TxoutType::Multisig) if !options.permit_bare_multisig => {
                return Err(NonStandardTx::BareMultisig);
            }
            Some(_) => {}
        }
    }
    if dust_outputs(tx, options.dust_relay_rate).len() > MAX_DUST_OUTPUTS_PER_TX {
        return Err(NonStandardTx::Dust);
    }
    Ok(())
}

/// The redeem script that an unlocking script leaves on the stack.
fn redeem_script(script_sig: &[u8]) -> Option<Vec<u8>> {
    let mut stack = Vec::new();
    eval_script(&mut stack, script_sig, ScriptFlags::NONE, &mut NoChecker, SigVersion::Base).ok()?;
    stack.pop()
}

/// Signature operations outside witnesses, counted where they run (BIP54).
fn legacy_sigops_fit(tx: &Transaction, spent: &[TxOut]) -> bool {
    let mut sigops = 0;
    for (input, output) in tx.inputs.iter().zip(spent) {
        sigops += input.script_sig.sig_op_count(true);
        sigops += output.script_pubkey.sig_op_count_with(&input.script_sig);
        if sigops > MAX_TX_LEGACY_SIGOPS {
            return false;
        }
    }
    true
}

/// Checks what a transaction spends; `spent` has one output for each input. Reference: `AreInputsStandard`.
pub fn are_inputs_standard(tx: &Transaction, spent: &[TxOut]) -> bool {
    if tx.is_coinbase() {
        return true;
    }
    legacy_sigops_fit(tx, spent)
        && tx.inputs.iter().zip(spent).all(|(input, output)| match solver(&output.script_pubkey).kind() {
            TxoutType::NonStandard | TxoutType::WitnessUnknown => false,
            TxoutType::ScriptHash => redeem_script(&input.script_sig)
                .is_some_and(|script| script.sig_op_count(true) <= MAX_P2SH_SIGOPS),
            _ => true,
        })
}

/// Checks the form of the witnesses. Reference: `IsWitnessStandard`.
pub fn is_witness_standard(tx: &Transaction, spent: &[TxOut]) -> bool {
    if tx.is_coinbase() {
        return true;
    }
    tx.inputs.iter().zip(spent).all(|(input, output)| {
        if input.witness.is_empty() {
            return true;
        }
        let script = &output.script_pubkey;
        if script.is_pay_to_anchor() {
            return false;
        }
        if script.is_pay_to_script_hash() {
            return redeem_script(&input.script_sig).is_some_and(|r| witness_fits(&r, &input.witness, true));
        }
        witness_fits(script, &input.witness, false)
    })
}

fn witness_fits(script: &[u8], stack: &[Vec<u8>], p2sh: bool) -> bool {
    let Some(program) = script.witness_program() else { return false };
    match (program.version, program.program.len()) {
        (0, WITNESS_V0_SCRIPTHASH_SIZE) => stack.split_last().is_some_and(|(witness_script, items)| {
            witness_script.len() <= MAX_STANDARD_P2WSH_SCRIPT_SIZE
                && items.len() <= MAX_STANDARD_P2WSH_STACK_ITEMS
                && items.iter().all(|i| i.len() <= MAX_STANDARD_P2WSH_STACK_ITEM_SIZE)
        }),
        (1, WITNESS_V1_TAPROOT_SIZE) if !p2sh => match stack {
            [] => false,
            [_] => true,
            [.., annex] if annex.first() == Some(&ANNEX_TAG) => false,
            [items @ .., _script, control] => control.first().is_some_and(|leaf| {
                leaf & TAPROOT_LEAF_MASK != TAPROOT_LEAF_TAPSCRIPT
                    || items.iter().all(|i| i.len() <= MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE)
            }),
        },
        _ => true,
    }
}

/// True when an input spends a witness program other than pay-to-anchor. Reference: `SpendsNonAnchorWitnessProg`.
pub fn spends_non_anchor_witness_program(tx: &Transaction, spent: &[TxOut]) -> bool {
    !tx.is_coinbase()
        && tx.inputs.iter().zip(spent).any(|(input, output)| {
            let script = &output.script_pubkey;
            if script.witness_program().is_some_and(|p| !p.is_anchor()) {
                return true;
            }
            script.is_pay_to_script_hash()
                && redeem_script(&input.script_sig).is_some_and(|r| r.witness_program().is_some())
        })
}
