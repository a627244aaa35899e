/// Why bytes are not a number of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScriptNumError {
    /// Longer than the operation allows.
    #[error("script number overflow")]
    Overflow,
    /// Not in the shortest form.
    #[error("non-minimally encoded script number")]
    NonMinimal,
}

/// A number on the stack: little-endian with a sign bit, empty for zero. Operands have at most four bytes
/// (five for lock times); results may be longer. Reference: `CScriptNum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScriptNum(pub i64);

impl ScriptNum {
    /// Bytes of an operand of arithmetic.
    pub const DEFAULT_MAX_SIZE: usize = 4;

    /// Reads an operand of at most `max_size` (no more than 8) bytes.
    pub fn from_bytes(
        bytes: &[u8],
        require_minimal: bool,
        max_size: usize,
    ) -> Result<ScriptNum, ScriptNumError> {
        if bytes.len() > max_size.min(8) {
            return Err(ScriptNumError::Overflow);
        }
        let Some(last) = bytes.last() else { return Ok(ScriptNum(0)) };
        // The top byte may be bare of value bits only where the byte below needs its own top bit.
        if require_minimal && last & 0x7f == 0 && (bytes.len() == 1 || bytes[bytes.len() - 2] & 0x80 == 0) {
            return Err(ScriptNumError::NonMinimal);
        }
        let mut n: u64 = 0;
        for (i, byte) in bytes.iter().enumerate() {
            n |= u64::from(*byte) << (8 * i);
        }
        if last & 0x80 != 0 {
            let magnitude = n & !(0x80 << (8 * (bytes.len() - 1)));
            return Ok(ScriptNum((magnitude as i64).wrapping_neg()));
        }
        Ok(ScriptNum(n as i64))
    }

    /// The shortest form. Reference: `CScriptNum::serialize`.
    pub fn to_bytes(self) -> Vec<u8> {
        if self.0 == 0 {
            return Vec::new();
        }
        let magnitude = self.0.unsigned_abs();
        let mut out = Vec::with_capacity(9);
        out.extend_from_slice(&magnitude.to_le_bytes()[..8 - magnitude.leading_zeros() as usize / 8]);
        let sign = if self.0 < 0 { 0x80 } else { 0 };
        match out.last_mut() {
            Some(top) if *top & 0x80 == 0 => *top |= sign,
            _ => out.push(sign),
        }
        out
    }

    /// The value, limited to the range of 32 bits. Reference: `CScriptNum::getint`.
    pub fn to_i32_clamped(self) -> i32 {
        self.0.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
    }
}
