use super::condition::ConditionStack;
use super::{ScriptExecutionData, SigVersion, cast_to_bool};
use crate::opcodes::*;
use crate::{
    Instruction, MAX_OPS_PER_SCRIPT, MAX_SCRIPT_ELEMENT_SIZE, MAX_SCRIPT_SIZE, MAX_STACK_SIZE, ScriptError,
    ScriptExt, ScriptFlags, ScriptNum, SignatureChecker, check_minimal_push,
};
use grs_primitives::SEQUENCE_LOCKTIME_DISABLE_FLAG;

pub(super) type Stack = Vec<Vec<u8>>;
pub(super) type Step = Result<(), ScriptError>;

/// A script while it runs.
pub(super) struct Machine<'a> {
    pub(super) stack: &'a mut Stack,
    pub(super) alt_stack: Stack,
    pub(super) script: &'a [u8],
    /// Where the part that signatures cover begins: behind the last code separator.
    pub(super) code_start: usize,
    pub(super) op_count: usize,
    pub(super) flags: ScriptFlags,
    pub(super) version: SigVersion,
    pub(super) checker: &'a mut dyn SignatureChecker,
    pub(super) exec: &'a mut ScriptExecutionData,
    conditions: ConditionStack,
}

/// Runs a script on a stack, with fresh execution data. See [`eval_script_with`].
pub fn eval_script(
    stack: &mut Vec<Vec<u8>>,
    script: &[u8],
    flags: ScriptFlags,
    checker: &mut dyn SignatureChecker,
    version: SigVersion,
) -> Result<(), ScriptError> {
    eval_script_with(stack, script, flags, checker, version, &mut ScriptExecutionData::default())
}

/// Runs a script on a stack. What is left on the stack is the caller's to judge. [`SigVersion::Taproot`] runs
/// no scripts and gives an unknown error. Reference: `EvalScript`.
pub fn eval_script_with(
    stack: &mut Vec<Vec<u8>>,
    script: &[u8],
    flags: ScriptFlags,
    checker: &mut dyn SignatureChecker,
    version: SigVersion,
    exec: &mut ScriptExecutionData,
) -> Result<(), ScriptError> {
    if version == SigVersion::Taproot {
        return Err(ScriptError::UnknownError);
    }
    let limited = version != SigVersion::Tapscript;
    if limited && script.len() > MAX_SCRIPT_SIZE {
        return Err(ScriptError::ScriptSize);
    }
    exec.code_separator_pos = u32::MAX;
    let mut machine = Machine {
        stack,
        alt_stack: Vec::new(),
        script,
        code_start: 0,
        op_count: 0,
        flags,
        version,
        checker,
        exec,
        conditions: ConditionStack::default(),
    };
    let mut instructions = script.instructions();
    let mut number: u32 = 0;
    while let Some(item) = instructions.next() {
        let i = item?;
        if i.data.len() > MAX_SCRIPT_ELEMENT_SIZE {
            return Err(ScriptError::PushSize);
        }
        if limited && i.opcode > OP_16 {
            machine.op_count += 1;
            if machine.op_count > MAX_OPS_PER_SCRIPT {
                return Err(ScriptError::OpCount);
            }
        }
        machine.step(i, instructions.position(), number)?;
        if machine.stack.len() + machine.alt_stack.len() > MAX_STACK_SIZE {
            return Err(ScriptError::StackSize);
        }
        number += 1;
    }
    if machine.conditions.is_empty() { Ok(()) } else { Err(ScriptError::UnbalancedConditional) }
}

/// Opcodes that fail even where they do not run (CVE-2010-5137).
const fn is_disabled(opcode: u8) -> bool {
    matches!(
        opcode,
        OP_CAT
            | OP_SUBSTR
            | OP_LEFT
            | OP_RIGHT
            | OP_INVERT
            | OP_AND
            | OP_OR
            | OP_XOR
            | OP_2MUL
            | OP_2DIV
            | OP_MUL
            | OP_DIV
            | OP_MOD
            | OP_LSHIFT
            | OP_RSHIFT
    )
}

impl Machine<'_> {
    /// One instruction: its number, and the offset behind it.
    fn step(&mut self, i: Instruction<'_>, end: usize, number: u32) -> Step {
        if is_disabled(i.opcode) {
            return Err(ScriptError::DisabledOpcode);
        }
        if i.opcode == OP_CODESEPARATOR
            && self.version == SigVersion::Base
            && self.flags.has(ScriptFlags::CONST_SCRIPTCODE)
        {
            return Err(ScriptError::OpCodeSeparator);
        }
        let runs = self.conditions.all_true();
        if !runs {
            return if (OP_IF..=OP_ENDIF).contains(&i.opcode) {
                self.conditional(i.opcode, false)
            } else {
                Ok(())
            };
        }
        if i.is_push() {
            if self.minimal() && !check_minimal_push(i.data, i.opcode) {
                return Err(ScriptError::MinimalData);
            }
            self.stack.push(i.data.to_vec());
            return Ok(());
        }
        match i.opcode {
            OP_1NEGATE => self.stack.push(vec![0x81]),
            OP_1..=OP_16 => self.stack.push(vec![i.opcode - (OP_1 - 1)]),
            OP_NOP => {}
            OP_CHECKLOCKTIMEVERIFY => self.check_lock_time()?,
            OP_CHECKSEQUENCEVERIFY => self.check_sequence()?,
            OP_NOP1 | OP_NOP4..=OP_NOP10 => {
                if self.flags.has(ScriptFlags::DISCOURAGE_UPGRADABLE_NOPS) {
                    return Err(ScriptError::DiscourageUpgradableNops);
                }
            }
            OP_IF..=OP_ENDIF => self.conditional(i.opcode, true)?,
            OP_VERIFY => {
                if !cast_to_bool(self.top(1)?) {
                    return Err(ScriptError::Verify);
                }
                self.stack.pop();
            }
            OP_RETURN => return Err(ScriptError::OpReturn),
            OP_TOALTSTACK..=OP_SIZE => self.stack_operation(i.opcode)?,
            OP_EQUAL | OP_EQUALVERIFY => {
                self.need(2)?;
                let equal = self.top(1)? == self.top(2)?;
                self.drop(2);
                self.push_result(equal, i.opcode == OP_EQUALVERIFY, ScriptError::EqualVerify)?;
            }
            OP_1ADD..=OP_WITHIN => self.numeric(i.opcode)?,
            OP_RIPEMD160..=OP_HASH256 => self.hash(i.opcode)?,
            OP_CODESEPARATOR => {
                self.code_start = end;
                self.exec.code_separator_pos = number;
            }
            OP_CHECKSIG | OP_CHECKSIGVERIFY => self.check_sig(i.opcode == OP_CHECKSIGVERIFY)?,
            OP_CHECKSIGADD => self.check_sig_add()?,
            OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY => {
                self.check_multisig(i.opcode == OP_CHECKMULTISIGVERIFY)?;
            }
            _ => return Err(ScriptError::BadOpcode),
        }
        Ok(())
    }

    pub(super) fn minimal(&self) -> bool {
        self.flags.has(ScriptFlags::MINIMALDATA)
    }

    /// Fails unless there are `n` elements.
    pub(super) fn need(&self, n: usize) -> Step {
        if self.stack.len() < n { Err(ScriptError::InvalidStackOperation) } else { Ok(()) }
    }

    /// The `n`th element from the top, which is 1.
    pub(super) fn top(&self, n: usize) -> Result<&Vec<u8>, ScriptError> {
        let at = self.stack.len().checked_sub(n).ok_or(ScriptError::InvalidStackOperation)?;
        self.stack.get(at).ok_or(ScriptError::InvalidStackOperation)
    }

    /// The `n`th element from the top as a number of at most `max_size` bytes.
    pub(super) fn number(&self, n: usize, max_size: usize) -> Result<ScriptNum, ScriptError> {
        ScriptNum::from_bytes(self.top(n)?, self.minimal(), max_size).map_err(|_| ScriptError::ScriptNum)
    }

    /// Removes elements that are there.
    pub(super) fn drop(&mut self, n: usize) {
        self.stack.truncate(self.stack.len().saturating_sub(n));
    }

    pub(super) fn push_bool(&mut self, value: bool) {
        self.stack.push(if value { vec![1] } else { Vec::new() });
    }

    /// Pushes a result, or (for the `VERIFY` form) fails when it is false.
    pub(super) fn push_result(&mut self, value: bool, verify: bool, error: ScriptError) -> Step {
        match (verify, value) {
            (false, _) => self.push_bool(value),
            (true, true) => {}
            (true, false) => return Err(error),
        }
        Ok(())
    }

    /// `OP_IF`, `OP_NOTIF`, `OP_ELSE`, `OP_ENDIF`, also in branches that do not run.
    fn conditional(&mut self, opcode: u8, runs: bool) -> Step {
        let ok = match opcode {
            OP_IF | OP_NOTIF => {
                let value = runs && self.condition(opcode)?;
                self.conditions.push(value);
                true
            }
            OP_ELSE => self.conditions.toggle_top(),
            OP_ENDIF => self.conditions.pop(),
            // OP_VERIF and OP_VERNOTIF.
            _ => return Err(ScriptError::BadOpcode),
        };
        if ok { Ok(()) } else { Err(ScriptError::UnbalancedConditional) }
    }

    fn condition(&mut self, opcode: u8) -> Result<bool, ScriptError> {
        let element = self.top(1)?;
        let minimal = matches!(element.as_slice(), [] | [1]);
        match self.version {
            SigVersion::Tapscript if !minimal => return Err(ScriptError::TapscriptMinimalIf),
            SigVersion::WitnessV0 if !minimal && self.flags.has(ScriptFlags::MINIMALIF) => {
                return Err(ScriptError::MinimalIf);
            }
            _ => {}
        }
        let value = cast_to_bool(element) != (opcode == OP_NOTIF);
        self.stack.pop();
        Ok(value)
    }

    /// The argument of a lock time check. It stays on the stack, has up to five bytes, and is not negative.
    fn lock_argument(&self) -> Result<ScriptNum, ScriptError> {
        let n = self.number(1, 5)?;
        if n.0 < 0 { Err(ScriptError::NegativeLocktime) } else { Ok(n) }
    }

    fn check_lock_time(&self) -> Step {
        if !self.flags.has(ScriptFlags::CHECKLOCKTIMEVERIFY) {
            return Ok(());
        }
        let n = self.lock_argument()?;
        if self.checker.check_lock_time(n) { Ok(()) } else { Err(ScriptError::UnsatisfiedLocktime) }
    }

    fn check_sequence(&self) -> Step {
        if !self.flags.has(ScriptFlags::CHECKSEQUENCEVERIFY) {
            return Ok(());
        }
        let n = self.lock_argument()?;
        if n.0 & i64::from(SEQUENCE_LOCKTIME_DISABLE_FLAG) != 0 || self.checker.check_sequence(n) {
            return Ok(());
        }
        Err(ScriptError::UnsatisfiedLocktime)
    }
}
