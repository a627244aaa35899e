use grs_primitives::Script;

use crate::ScriptNum;
use crate::opcodes::*;

/// Puts a script together. Reference: the `<<` operators of `CScript`.
#[derive(Clone, Debug, Default)]
pub struct ScriptBuilder(Vec<u8>);

impl ScriptBuilder {
    /// Starts empty.
    pub fn new() -> ScriptBuilder {
        ScriptBuilder(Vec::new())
    }

    /// Appends an opcode.
    #[must_use]
    pub fn opcode(mut self, opcode: u8) -> ScriptBuilder {
        self.0.push(opcode);
        self
    }

    /// Appends a push of these bytes, with the shortest length prefix. Numbers 1 to 16 are not turned into
    /// opcodes; see [`ScriptBuilder::int`].
    #[must_use]
    pub fn data(mut self, data: &[u8]) -> ScriptBuilder {
        push_data(&mut self.0, data);
        self
    }

    /// Appends a push of a number, as opcode where there is one.
    #[must_use]
    pub fn int(mut self, n: i64) -> ScriptBuilder {
        match n {
            -1 => self.0.push(OP_1NEGATE),
            0 => self.0.push(OP_0),
            1..=16 => self.0.push(encode_small_int(n as u8)),
            _ => push_data(&mut self.0, &ScriptNum(n).to_bytes()),
        }
        self
    }

    /// Appends script bytes as they are.
    #[must_use]
    pub fn raw(mut self, script: &[u8]) -> ScriptBuilder {
        self.0.extend_from_slice(script);
        self
    }

    /// The script.
    pub fn into_script(self) -> Script {
        Script::from(self.0)
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Length prefix of a push, and how many of its bytes count.
fn push_prefix(len: usize) -> ([u8; 5], usize) {
    match len {
        n @ 0..=75 => ([n as u8, 0, 0, 0, 0], 1),
        n @ 76..=255 => ([OP_PUSHDATA1, n as u8, 0, 0, 0], 2),
        n @ 256..=65_535 => ([OP_PUSHDATA2, n as u8, (n >> 8) as u8, 0, 0], 3),
        n => {
            let n = (n as u32).to_le_bytes();
            ([OP_PUSHDATA4, n[0], n[1], n[2], n[3]], 5)
        }
    }
}

/// Appends a push of `data`.
pub(crate) fn push_data(out: &mut Vec<u8>, data: &[u8]) {
    let (prefix, n) = push_prefix(data.len());
    out.extend_from_slice(&prefix[..n]);
    out.extend_from_slice(data);
}

/// True when `script` starts with a push of `data` as [`push_data`] writes it; and that push's length.
pub(crate) fn starts_with_push(script: &[u8], data: &[u8]) -> Option<usize> {
    let (prefix, n) = push_prefix(data.len());
    let rest = script.strip_prefix(&prefix[..n])?;
    rest.starts_with(data).then_some(n + data.len())
}
