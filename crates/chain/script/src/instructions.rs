use grs_encoding::hex_encode;
use grs_hashes::Hash160;
use grs_hashes::purpose::hash160;

use crate::opcodes::*;
use crate::{MAX_PUBKEYS_PER_MULTISIG, MAX_SCRIPT_ELEMENT_SIZE, MAX_SCRIPT_SIZE, ScriptError};

/// One opcode and what it pushes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// Opcode.
    pub opcode: u8,
    /// Pushed bytes; empty for opcodes above `OP_PUSHDATA4`.
    pub data: &'a [u8],
}

impl Instruction<'_> {
    /// True for opcodes up to `OP_PUSHDATA4`.
    pub const fn is_push(&self) -> bool {
        self.opcode <= OP_PUSHDATA4
    }
}

impl std::fmt::Debug for Instruction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", opcode_name(self.opcode), hex_encode(self.data))
    }
}

/// Walks over the instructions of a script. Yields an error once, where the script is cut off inside a push,
/// and then ends. Reference: `GetScriptOp`.
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    script: &'a [u8],
    position: usize,
}

impl<'a> Instructions<'a> {
    /// Starts at the first byte.
    pub const fn new(script: &'a [u8]) -> Instructions<'a> {
        Instructions { script, position: 0 }
    }

    /// Offset of the next instruction. After an error: the end.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The bytes that are left.
    pub fn rest(&self) -> &'a [u8] {
        &self.script[self.position..]
    }

    fn read(&mut self) -> Option<Instruction<'a>> {
        let rest = self.rest();
        let (opcode, rest) = rest.split_first()?;
        let (head, len) = match *opcode {
            n @ 0..OP_PUSHDATA1 => (0, usize::from(n)),
            OP_PUSHDATA1 => (1, usize::from(*rest.first()?)),
            OP_PUSHDATA2 => (2, usize::from(u16::from_le_bytes(rest.get(..2)?.try_into().ok()?))),
            OP_PUSHDATA4 => (4, u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize),
            _ => (0, 0),
        };
        let data = rest[head..].get(..len)?;
        self.position += 1 + head + len;
        Some(Instruction { opcode: *opcode, data })
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, ScriptError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.script.len() {
            return None;
        }
        let out = self.read();
        if out.is_none() {
            self.position = self.script.len();
        }
        Some(out.ok_or(ScriptError::BadOpcode))
    }
}

/// A witness version and its program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WitnessProgram<'a> {
    /// 0 to 16.
    pub version: u8,
    /// 2 to 40 bytes.
    pub program: &'a [u8],
}

impl WitnessProgram<'_> {
    /// Pay-to-anchor: version 1 with the program `4e73`.
    pub fn is_anchor(&self) -> bool {
        self.version == 1 && self.program == [0x4e, 0x73]
    }
}

/// Tests on script bytes. Implemented for byte slices, so it works on `Script` as well.
/// Reference: methods of `CScript`.
pub trait ScriptExt {
    /// The bytes.
    fn script_bytes(&self) -> &[u8];

    /// The instructions.
    fn instructions(&self) -> Instructions<'_> {
        Instructions::new(self.script_bytes())
    }

    /// `OP_HASH160 <20 bytes> OP_EQUAL`.
    fn is_pay_to_script_hash(&self) -> bool {
        matches!(self.script_bytes(), [OP_HASH160, 20, .., OP_EQUAL] if self.script_bytes().len() == 23)
    }

    /// `OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG`.
    fn is_pay_to_pubkey_hash(&self) -> bool {
        matches!(self.script_bytes(), [OP_DUP, OP_HASH160, 20, .., OP_EQUALVERIFY, OP_CHECKSIG]
            if self.script_bytes().len() == 25)
    }

    /// `OP_0 <32 bytes>`.
    fn is_pay_to_witness_script_hash(&self) -> bool {
        matches!(self.script_bytes(), [OP_0, 32, ..] if self.script_bytes().len() == 34)
    }

    /// `OP_0 <20 bytes>`.
    fn is_pay_to_witness_pubkey_hash(&self) -> bool {
        matches!(self.script_bytes(), [OP_0, 20, ..] if self.script_bytes().len() == 22)
    }

    /// `OP_1 <32 bytes>`.
    fn is_pay_to_taproot(&self) -> bool {
        matches!(self.script_bytes(), [OP_1, 32, ..] if self.script_bytes().len() == 34)
    }

    /// `OP_1 <4e73>`.
    fn is_pay_to_anchor(&self) -> bool {
        self.script_bytes() == [OP_1, 2, 0x4e, 0x73]
    }

    /// The witness program, when the script is one small number and one direct push of 2 to 40 bytes.
    fn witness_program(&self) -> Option<WitnessProgram<'_>> {
        let script = self.script_bytes();
        if !(4..=42).contains(&script.len()) || usize::from(script[1]) + 2 != script.len() {
            return None;
        }
        let version = decode_small_int(script[0])?;
        Some(WitnessProgram { version, program: &script[2..] })
    }

    /// True when every opcode pushes (`OP_RESERVED` counts as pushing).
    fn is_push_only(&self) -> bool {
        self.instructions().all(|i| i.is_ok_and(|i| i.opcode <= OP_16))
    }

    /// True when no input can ever spend it: starts with `OP_RETURN` or is too long.
    fn is_unspendable(&self) -> bool {
        let script = self.script_bytes();
        script.first() == Some(&OP_RETURN) || script.len() > MAX_SCRIPT_SIZE
    }

    /// True when every instruction is complete, known, and pushes no more than 520 bytes.
    fn has_valid_ops(&self) -> bool {
        self.instructions()
            .all(|i| i.is_ok_and(|i| i.opcode <= MAX_OPCODE && i.data.len() <= MAX_SCRIPT_ELEMENT_SIZE))
    }

    /// Signature operations. With `accurate`, a multisig behind a small number counts as many keys, else 20.
    fn sig_op_count(&self, accurate: bool) -> u32 {
        let (mut n, mut last) = (0, OP_INVALIDOPCODE);
        for item in self.instructions() {
            let Ok(i) = item else { break };
            n += match i.opcode {
                OP_CHECKSIG | OP_CHECKSIGVERIFY => 1,
                OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY if accurate && (OP_1..=OP_16).contains(&last) => {
                    u32::from(last - (OP_1 - 1))
                }
                OP_CHECKMULTISIG | OP_CHECKMULTISIGVERIFY => MAX_PUBKEYS_PER_MULTISIG as u32,
                _ => 0,
            };
            last = i.opcode;
        }
        n
    }

    /// Accurate signature operations of a locking script with its unlocking script: those of the redeem script
    /// for P2SH, else those of the script itself.
    fn sig_op_count_with(&self, script_sig: &[u8]) -> u32 {
        if !self.is_pay_to_script_hash() {
            return self.sig_op_count(true);
        }
        match last_push(script_sig) {
            Some(redeem_script) => redeem_script.sig_op_count(true),
            None => 0,
        }
    }

    /// Hash160 of the script, as P2SH uses it. Reference: `CScriptID`.
    fn script_id(&self) -> Hash160 {
        hash160(self.script_bytes())
    }
}

impl ScriptExt for [u8] {
    fn script_bytes(&self) -> &[u8] {
        self
    }
}

/// What the last opcode of a push-only script pushes (nothing for opcodes above `OP_PUSHDATA4`, and for an
/// empty script); `None` for other scripts.
pub(crate) fn last_push(script: &[u8]) -> Option<&[u8]> {
    let mut data: &[u8] = &[];
    for item in script.instructions() {
        match item {
            Ok(i) if i.opcode <= OP_16 => data = i.data,
            _ => return None,
        }
    }
    Some(data)
}

/// True when an opcode up to `OP_PUSHDATA4` is the shortest way to push its data.
/// Reference: `CheckMinimalPush`.
pub fn check_minimal_push(data: &[u8], opcode: u8) -> bool {
    match data {
        [] => opcode == OP_0,
        [1..=16] | [0x81] => false,
        _ => match data.len() {
            n @ 0..=75 => usize::from(opcode) == n,
            76..=255 => opcode == OP_PUSHDATA1,
            256..=65_535 => opcode == OP_PUSHDATA2,
            _ => true,
        },
    }
}
