//! Spending an output: unlocking script, locking script, redeem script, witness.

use grs_hashes::purpose::sha256;
use grs_keys::XOnlyPublicKey;
use grs_primitives::Witness;

use super::{ScriptExecutionData, SigVersion, cast_to_bool, eval_script, eval_script_with};
use crate::builder::starts_with_push;
use crate::opcodes::*;
use crate::sighash::annex_hash;
use crate::{
    ANNEX_TAG, MAX_SCRIPT_ELEMENT_SIZE, MAX_STACK_SIZE, ScriptError, ScriptExt, ScriptFlags,
    SignatureChecker, TAPROOT_CONTROL_BASE_SIZE, TAPROOT_CONTROL_MAX_SIZE, TAPROOT_CONTROL_NODE_SIZE,
    TAPROOT_LEAF_MASK, TAPROOT_LEAF_TAPSCRIPT, VALIDATION_WEIGHT_OFFSET, WITNESS_V0_KEYHASH_SIZE,
    WITNESS_V0_SCRIPTHASH_SIZE, WITNESS_V1_TAPROOT_SIZE, WitnessProgram, tapleaf_hash, taproot_merkle_root,
};

/// Checks that an input's scripts and witness unlock an output. Flags that need others
/// ([`ScriptFlags::CLEANSTACK`] needs P2SH and WITNESS, WITNESS needs P2SH) must come with them.
/// Reference: `VerifyScript`.
pub fn verify_script(
    script_sig: &[u8],
    script_pubkey: &[u8],
    witness: &Witness,
    flags: ScriptFlags,
    checker: &mut dyn SignatureChecker,
) -> Result<(), ScriptError> {
    if flags.has(ScriptFlags::SIGPUSHONLY) && !script_sig.is_push_only() {
        return Err(ScriptError::SigPushOnly);
    }
    // One after the other on one stack; joining the scripts would let the first cut the second off
    // (CVE-2010-5141).
    let mut stack = Vec::new();
    eval_script(&mut stack, script_sig, flags, checker, SigVersion::Base)?;
    let p2sh = flags.has(ScriptFlags::P2SH) && script_pubkey.is_pay_to_script_hash();
    let p2sh_stack = if p2sh { stack.clone() } else { Vec::new() };
    eval_script(&mut stack, script_pubkey, flags, checker, SigVersion::Base)?;
    check_top(&stack)?;

    let mut had_witness = false;
    if flags.has(ScriptFlags::WITNESS)
        && let Some(program) = script_pubkey.witness_program()
    {
        had_witness = true;
        if !script_sig.is_empty() {
            return Err(ScriptError::WitnessMalleated);
        }
        verify_witness_program(witness, program, flags, checker, false)?;
        // The program's own push is not the script's result.
        stack.truncate(1);
    }

    if p2sh {
        if !script_sig.is_push_only() {
            return Err(ScriptError::SigPushOnly);
        }
        stack = p2sh_stack;
        let redeem_script = stack.pop().ok_or(ScriptError::EvalFalse)?;
        eval_script(&mut stack, &redeem_script, flags, checker, SigVersion::Base)?;
        check_top(&stack)?;
        if flags.has(ScriptFlags::WITNESS)
            && let Some(program) = redeem_script.witness_program()
        {
            had_witness = true;
            if starts_with_push(script_sig, &redeem_script) != Some(script_sig.len()) {
                return Err(ScriptError::WitnessMalleatedP2sh);
            }
            verify_witness_program(witness, program, flags, checker, true)?;
            stack.truncate(1);
        }
    }

    if flags.has(ScriptFlags::CLEANSTACK) && stack.len() != 1 {
        return Err(ScriptError::CleanStack);
    }
    if flags.has(ScriptFlags::WITNESS) && !had_witness && !witness.is_empty() {
        return Err(ScriptError::WitnessUnexpected);
    }
    Ok(())
}

fn check_top(stack: &[Vec<u8>]) -> Result<(), ScriptError> {
    if stack.last().is_some_and(|top| cast_to_bool(top)) { Ok(()) } else { Err(ScriptError::EvalFalse) }
}

/// Reference: `VerifyWitnessProgram`.
fn verify_witness_program(
    witness: &Witness,
    program: WitnessProgram<'_>,
    flags: ScriptFlags,
    checker: &mut dyn SignatureChecker,
    is_p2sh: bool,
) -> Result<(), ScriptError> {
    match (program.version, program.program.len()) {
        (0, WITNESS_V0_SCRIPTHASH_SIZE) => {
            let Some((script, stack)) = witness.split_last() else {
                return Err(ScriptError::WitnessProgramWitnessEmpty);
            };
            if sha256(script) != program.program {
                return Err(ScriptError::WitnessProgramMismatch);
            }
            let exec = &mut ScriptExecutionData::default();
            execute_witness_script(stack, script, flags, SigVersion::WitnessV0, checker, exec)
        }
        (0, WITNESS_V0_KEYHASH_SIZE) => {
            if witness.len() != 2 {
                return Err(ScriptError::WitnessProgramMismatch);
            }
            let mut script = [0; 25];
            script[..3].copy_from_slice(&[OP_DUP, OP_HASH160, 20]);
            script[3..23].copy_from_slice(program.program);
            script[23..].copy_from_slice(&[OP_EQUALVERIFY, OP_CHECKSIG]);
            let exec = &mut ScriptExecutionData::default();
            execute_witness_script(witness, &script, flags, SigVersion::WitnessV0, checker, exec)
        }
        (0, _) => Err(ScriptError::WitnessProgramWrongLength),
        (1, WITNESS_V1_TAPROOT_SIZE) if !is_p2sh => {
            let key = program.program.try_into().map_err(|_| ScriptError::WitnessProgramWrongLength)?;
            if flags.has(ScriptFlags::TAPROOT) {
                verify_taproot(witness, key, flags, checker)
            } else {
                Ok(())
            }
        }
        _ if !is_p2sh && program.is_anchor() => Ok(()),
        _ if flags.has(ScriptFlags::DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) => {
            Err(ScriptError::DiscourageUpgradableWitnessProgram)
        }
        _ => Ok(()),
    }
}

/// BIP341.
fn verify_taproot(
    witness: &Witness,
    output_key: &[u8; 32],
    flags: ScriptFlags,
    checker: &mut dyn SignatureChecker,
) -> Result<(), ScriptError> {
    let mut exec = ScriptExecutionData::default();
    let mut stack: &[Vec<u8>] = witness;
    if let [rest @ .., annex] = stack
        && !rest.is_empty()
        && annex.first() == Some(&ANNEX_TAG)
    {
        exec.annex_hash = Some(annex_hash(annex));
        stack = rest;
    }
    let (stack, script, control) = match stack {
        [] => return Err(ScriptError::WitnessProgramWitnessEmpty),
        [signature] => {
            return checker.check_schnorr_signature(signature, output_key, SigVersion::Taproot, &mut exec);
        }
        [stack @ .., script, control] => (stack, script, control),
    };
    let size_ok = (TAPROOT_CONTROL_BASE_SIZE..=TAPROOT_CONTROL_MAX_SIZE).contains(&control.len())
        && (control.len() - TAPROOT_CONTROL_BASE_SIZE).is_multiple_of(TAPROOT_CONTROL_NODE_SIZE);
    if !size_ok {
        return Err(ScriptError::TaprootWrongControlSize);
    }
    let leaf_version = control[0] & TAPROOT_LEAF_MASK;
    exec.tapleaf_hash = tapleaf_hash(leaf_version, script);
    if !commits_to_leaf(control, output_key, &exec.tapleaf_hash) {
        return Err(ScriptError::WitnessProgramMismatch);
    }
    if leaf_version == TAPROOT_LEAF_TAPSCRIPT {
        exec.validation_weight_left = witness.encoded_len() as i64 + VALIDATION_WEIGHT_OFFSET;
        return execute_witness_script(stack, script, flags, SigVersion::Tapscript, checker, &mut exec);
    }
    if flags.has(ScriptFlags::DISCOURAGE_UPGRADABLE_TAPROOT_VERSION) {
        return Err(ScriptError::DiscourageUpgradableTaprootVersion);
    }
    Ok(())
}

/// True when the output key is the control block's key tweaked with the root that leaf and path give.
/// Reference: `VerifyTaprootCommitment`.
fn commits_to_leaf(control: &[u8], output_key: &[u8; 32], leaf: &[u8; 32]) -> bool {
    let Some(internal) = control.get(1..TAPROOT_CONTROL_BASE_SIZE).and_then(XOnlyPublicKey::from_slice)
    else {
        return false;
    };
    let root = taproot_merkle_root(control, leaf);
    XOnlyPublicKey::from_bytes(*output_key).check_tap_tweak(&internal, &root, control[0] & 1 == 1)
}

/// Reference: `ExecuteWitnessScript`.
fn execute_witness_script(
    stack: &[Vec<u8>],
    script: &[u8],
    flags: ScriptFlags,
    version: SigVersion,
    checker: &mut dyn SignatureChecker,
    exec: &mut ScriptExecutionData,
) -> Result<(), ScriptError> {
    if version == SigVersion::Tapscript {
        // OP_SUCCESSx comes before everything else, even before what is wrong behind it.
        for i in script.instructions() {
            if is_op_success(i?.opcode) {
                if flags.has(ScriptFlags::DISCOURAGE_OP_SUCCESS) {
                    return Err(ScriptError::DiscourageOpSuccess);
                }
                return Ok(());
            }
        }
        if stack.len() > MAX_STACK_SIZE {
            return Err(ScriptError::StackSize);
        }
    }
    if stack.iter().any(|element| element.len() > MAX_SCRIPT_ELEMENT_SIZE) {
        return Err(ScriptError::PushSize);
    }
    let mut stack = stack.to_vec();
    eval_script_with(&mut stack, script, flags, checker, version, exec)?;
    match stack.as_slice() {
        [top] if cast_to_bool(top) => Ok(()),
        [_] => Err(ScriptError::EvalFalse),
        _ => Err(ScriptError::CleanStack),
    }
}
