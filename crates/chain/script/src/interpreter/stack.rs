//! Stack manipulation and arithmetic.

use super::cast_to_bool;
use super::eval::{Machine, Step};
use crate::opcodes::*;
use crate::{ScriptError, ScriptNum};

impl Machine<'_> {
    /// Copies the `n`th element from the top to the top.
    fn copy(&mut self, n: usize) -> Step {
        let element = self.top(n)?.clone();
        self.stack.push(element);
        Ok(())
    }

    /// Moves the `n`th element from the top to the top.
    fn roll(&mut self, n: usize) -> Step {
        self.need(n)?;
        let element = self.stack.remove(self.stack.len() - n);
        self.stack.push(element);
        Ok(())
    }

    fn swap(&mut self, a: usize, b: usize) -> Step {
        self.need(a.max(b))?;
        let len = self.stack.len();
        self.stack.swap(len - a, len - b);
        Ok(())
    }

    pub(super) fn stack_operation(&mut self, opcode: u8) -> Step {
        match opcode {
            OP_TOALTSTACK => {
                let element = self.stack.pop().ok_or(ScriptError::InvalidStackOperation)?;
                self.alt_stack.push(element);
            }
            OP_FROMALTSTACK => {
                let element = self.alt_stack.pop().ok_or(ScriptError::InvalidAltstackOperation)?;
                self.stack.push(element);
            }
            OP_2DROP => {
                self.need(2)?;
                self.drop(2);
            }
            OP_2DUP => {
                self.need(2)?;
                (0..2).try_for_each(|_| self.copy(2))?;
            }
            OP_3DUP => {
                self.need(3)?;
                (0..3).try_for_each(|_| self.copy(3))?;
            }
            OP_2OVER => {
                self.need(4)?;
                (0..2).try_for_each(|_| self.copy(4))?;
            }
            OP_2ROT => {
                self.need(6)?;
                (0..2).try_for_each(|_| self.roll(6))?;
            }
            OP_2SWAP => {
                self.need(4)?;
                (0..2).try_for_each(|_| self.roll(4))?;
            }
            OP_IFDUP => {
                if cast_to_bool(self.top(1)?) {
                    self.copy(1)?;
                }
            }
            OP_DEPTH => self.push_number(self.stack.len() as i64),
            OP_DROP => {
                self.need(1)?;
                self.drop(1);
            }
            OP_DUP => self.copy(1)?,
            OP_NIP => {
                self.need(2)?;
                self.stack.remove(self.stack.len() - 2);
            }
            OP_OVER => self.copy(2)?,
            OP_PICK | OP_ROLL => {
                self.need(2)?;
                let n = self.number(1, ScriptNum::DEFAULT_MAX_SIZE)?;
                self.stack.pop();
                let n = usize::try_from(n.0).map_err(|_| ScriptError::InvalidStackOperation)?;
                if opcode == OP_PICK { self.copy(n + 1)? } else { self.roll(n + 1)? }
            }
            OP_ROT => self.roll(3)?,
            OP_SWAP => self.swap(1, 2)?,
            OP_TUCK => {
                self.need(2)?;
                let element = self.top(1)?.clone();
                self.stack.insert(self.stack.len() - 2, element);
            }
            OP_SIZE => {
                let len = self.top(1)?.len();
                self.push_number(len as i64);
            }
            _ => return Err(ScriptError::BadOpcode),
        }
        Ok(())
    }

    pub(super) fn push_number(&mut self, n: i64) {
        self.stack.push(ScriptNum(n).to_bytes());
    }

    /// The `n`th element from the top as an operand.
    fn operand(&self, n: usize) -> Result<i64, ScriptError> {
        Ok(self.number(n, ScriptNum::DEFAULT_MAX_SIZE)?.0)
    }

    /// Operands have four bytes, so sums cannot overflow.
    pub(super) fn numeric(&mut self, opcode: u8) -> Step {
        match opcode {
            OP_1ADD | OP_1SUB | OP_NEGATE | OP_ABS | OP_NOT | OP_0NOTEQUAL => {
                let a = self.operand(1)?;
                let out = match opcode {
                    OP_1ADD => a + 1,
                    OP_1SUB => a - 1,
                    OP_NEGATE => -a,
                    OP_ABS => a.abs(),
                    OP_NOT => i64::from(a == 0),
                    _ => i64::from(a != 0),
                };
                self.drop(1);
                self.push_number(out);
            }
            OP_WITHIN => {
                self.need(3)?;
                let (x, min, max) = (self.operand(3)?, self.operand(2)?, self.operand(1)?);
                self.drop(3);
                self.push_bool(min <= x && x < max);
            }
            OP_ADD | OP_SUB | OP_BOOLAND..=OP_MAX => {
                self.need(2)?;
                let (a, b) = (self.operand(2)?, self.operand(1)?);
                let out = match opcode {
                    OP_ADD => a + b,
                    OP_SUB => a - b,
                    OP_BOOLAND => i64::from(a != 0 && b != 0),
                    OP_BOOLOR => i64::from(a != 0 || b != 0),
                    OP_NUMEQUAL | OP_NUMEQUALVERIFY => i64::from(a == b),
                    OP_NUMNOTEQUAL => i64::from(a != b),
                    OP_LESSTHAN => i64::from(a < b),
                    OP_GREATERTHAN => i64::from(a > b),
                    OP_LESSTHANOREQUAL => i64::from(a <= b),
                    OP_GREATERTHANOREQUAL => i64::from(a >= b),
                    OP_MIN => a.min(b),
                    _ => a.max(b),
                };
                self.drop(2);
                if opcode == OP_NUMEQUALVERIFY {
                    return self.push_result(out != 0, true, ScriptError::NumEqualVerify);
                }
                self.push_number(out);
            }
            _ => return Err(ScriptError::BadOpcode),
        }
        Ok(())
    }
}
