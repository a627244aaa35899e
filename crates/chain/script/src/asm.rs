//! Texts of scripts for RPC and tools. Reference: `src/core_io.cpp`.

use std::fmt::Write as _;

use grs_encoding::{hex_decode, hex_encode, is_hex};
use grs_primitives::Script;

use crate::builder::push_data;
use crate::interpreter::check_signature_encoding;
use crate::opcodes::*;
use crate::{ScriptBuilder, ScriptExt, ScriptFlags, ScriptNum};

/// Why a script text cannot be read. The texts are the reference's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseScriptError {
    /// A word that is neither opcode, number, hexadecimal nor quoted text.
    #[error("script parse error: unknown opcode")]
    UnknownOpcode,
    /// A decimal number out of range.
    #[error("script parse error: decimal numeric value only allowed in the range -0xFFFFFFFF...0xFFFFFFFF")]
    NumberRange,
}

const SIGHASH_NAMES: [(u8, &str); 6] = [
    (0x01, "ALL"),
    (0x81, "ALL|ANYONECANPAY"),
    (0x02, "NONE"),
    (0x82, "NONE|ANYONECANPAY"),
    (0x03, "SINGLE"),
    (0x83, "SINGLE|ANYONECANPAY"),
];

/// Name of a hash type such as `ALL|ANYONECANPAY`; empty for others. Reference: `SighashToStr`.
pub fn sighash_to_str(hash_type: u8) -> &'static str {
    SIGHASH_NAMES.iter().find(|(t, _)| *t == hash_type).map_or("", |(_, name)| name)
}

/// Hash type of a name, `DEFAULT` (0) included. Reference: `SighashFromStr`, whose error is
/// `'<text>' is not a valid sighash parameter.`
pub fn sighash_from_str(name: &str) -> Option<u8> {
    if name == "DEFAULT" {
        return Some(0);
    }
    SIGHASH_NAMES.iter().find(|(_, n)| *n == name).map(|(t, _)| *t)
}

/// A script as assembly text. With `decode_sighash`, the hash type of what looks like a signature is shown by
/// name: only for unlocking scripts. Reference: `ScriptToAsmStr`.
pub fn script_to_asm(script: &[u8], decode_sighash: bool) -> String {
    let decode_sighash = decode_sighash && !script.is_unspendable();
    let mut out = String::with_capacity(script.len() * 2 + 16);
    for item in script.instructions() {
        if !out.is_empty() {
            out.push(' ');
        }
        let Ok(i) = item else {
            out.push_str("[error]");
            break;
        };
        if !i.is_push() {
            out.push_str(opcode_name(i.opcode));
        } else if i.data.len() <= 4 {
            let n = ScriptNum::from_bytes(i.data, false, 4).map_or(0, ScriptNum::to_i32_clamped);
            let _ = write!(out, "{n}");
        } else {
            match i.data.split_last() {
                Some((hash_type, signature))
                    if decode_sighash
                        && !sighash_to_str(*hash_type).is_empty()
                        && check_signature_encoding(i.data, ScriptFlags::STRICTENC).is_ok() =>
                {
                    let _ = write!(out, "{}[{}]", hex_encode(signature), sighash_to_str(*hash_type));
                }
                _ => out.push_str(&hex_encode(i.data)),
            }
        }
    }
    out
}

fn is_decimal(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit())
}

/// Number of an opcode name, with or without `OP_`. Small numbers and pushes have no name here.
fn opcode_by_name(word: &str) -> Option<u8> {
    let matches = |op: &u8| {
        let name = opcode_name(*op);
        name != "OP_UNKNOWN" && (name == word || name.strip_prefix("OP_") == Some(word))
    };
    std::iter::once(OP_RESERVED).chain(OP_NOP..=MAX_OPCODE).find(matches)
}

/// Reads the text form of `groestlcoin-tx` and test files: opcode names, decimal numbers, `0x` bytes that are
/// inserted as they are, `'quoted'` bytes that are pushed. Reference: `ParseScript`.
pub fn parse_script(text: &str) -> Result<Script, ParseScriptError> {
    let mut out = Vec::new();
    for word in text.split([' ', '\t', '\n']).filter(|w| !w.is_empty()) {
        let raw = word.strip_prefix("0x").filter(|hex| is_hex(hex));
        let quoted = word.strip_prefix('\'').and_then(|w| w.strip_suffix('\''));
        if is_decimal(word) {
            let limit = i64::from(u32::MAX);
            let n = word.parse::<i64>().ok().filter(|n| (-limit..=limit).contains(n));
            let n = n.ok_or(ParseScriptError::NumberRange)?;
            out.extend_from_slice(&ScriptBuilder::new().int(n).into_bytes());
        } else if let Some(bytes) = raw.and_then(|hex| hex_decode(hex).ok()) {
            out.extend_from_slice(&bytes);
        } else if let Some(text) = quoted {
            push_data(&mut out, text.as_bytes());
        } else {
            out.push(opcode_by_name(word).ok_or(ParseScriptError::UnknownOpcode)?);
        }
    }
    Ok(Script::from(out))
}

/// The text form that [`parse_script`] reads. Reference: `FormatScript`.
pub fn format_script(script: &[u8]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut it = script.instructions();
    let mut start = 0;
    while let Some(item) = it.next() {
        let whole = &script[start..it.position()];
        start = it.position();
        let Ok(i) = item else {
            words.push(format!("0x{}", hex_encode(whole)));
            break;
        };
        match i.opcode {
            OP_0 => words.push("0".to_owned()),
            OP_1NEGATE | OP_1..=OP_16 => words.push((i32::from(i.opcode) - i32::from(OP_1 - 1)).to_string()),
            OP_NOP..=OP_NOP10 if opcode_name(i.opcode).starts_with("OP_") => {
                words.push(opcode_name(i.opcode)[3..].to_owned());
            }
            _ if i.data.is_empty() => words.push(format!("0x{}", hex_encode(whole))),
            _ => {
                let (head, data) = whole.split_at(whole.len() - i.data.len());
                words.push(format!("0x{} 0x{}", hex_encode(head), hex_encode(data)));
            }
        }
    }
    words.join(" ")
}
