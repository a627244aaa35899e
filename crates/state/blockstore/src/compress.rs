//! Shorter forms of amounts and scripts in the coins database and in undo data. Reference: `src/compressor.cpp`.

use grs_encoding::{DecodeError, Reader, write_varint};
use grs_keys::PublicKey;
use grs_primitives::{Amount, Script, TxOut};

/// Scripts of these many known forms have a code instead of a length.
const SPECIAL_SCRIPTS: u64 = 6;
/// Longer scripts cannot be executed and are read as an unspendable one.
const MAX_SCRIPT_SIZE: u64 = 10_000;
const OP_RETURN: u8 = 0x6a;
const OP_CHECKSIG: u8 = 0xac;

/// Number whose VARINT stands for an amount: trailing zeros are counted instead of stored.
pub fn compress_amount(mut n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    let mut exponent = 0;
    while n.is_multiple_of(10) && exponent < 9 {
        n /= 10;
        exponent += 1;
    }
    // Wrapping, because the reference's unsigned arithmetic does for absurd amounts.
    if exponent < 9 {
        let digit = n % 10;
        let n = (n / 10).wrapping_mul(9).wrapping_add(digit - 1);
        n.wrapping_mul(10).wrapping_add(exponent + 1)
    } else {
        (n - 1).wrapping_mul(10).wrapping_add(10)
    }
}

/// Inverse of [`compress_amount`].
pub fn decompress_amount(x: u64) -> u64 {
    let Some(mut x) = x.checked_sub(1) else { return 0 };
    let exponent = x % 10;
    x /= 10;
    let n = if exponent < 9 {
        let digit = x % 9 + 1;
        (x / 9).wrapping_mul(10).wrapping_add(digit)
    } else {
        x.wrapping_add(1)
    };
    n.wrapping_mul(10_u64.pow(exponent as u32))
}

/// Appends the compressed form of a script.
pub fn write_script(out: &mut Vec<u8>, script: &[u8]) {
    match script {
        [0x76, 0xa9, 20, hash @ .., 0x88, OP_CHECKSIG] if script.len() == 25 => {
            out.push(0);
            out.extend_from_slice(hash);
        }
        [0xa9, 20, hash @ .., 0x87] if script.len() == 23 => {
            out.push(1);
            out.extend_from_slice(hash);
        }
        [33, key @ .., OP_CHECKSIG] if script.len() == 35 && matches!(key[0], 2 | 3) => {
            out.extend_from_slice(key)
        }
        [65, key @ .., OP_CHECKSIG]
            if script.len() == 67
                && key[0] == 4
                && PublicKey::from_slice(key).is_ok_and(|key| key.is_fully_valid()) =>
        {
            out.push(4 | (key[64] & 1));
            out.extend_from_slice(&key[1..33]);
        }
        _ => {
            write_varint(out, script.len() as u64 + SPECIAL_SCRIPTS);
            out.extend_from_slice(script);
        }
    }
}

/// Reads the compressed form of a script.
///
/// # Errors
/// If the data ends too early or a size does not fit.
pub fn read_script(reader: &mut Reader<'_>) -> Result<Script, DecodeError> {
    let size = reader.varint_max(u64::from(u32::MAX))?;
    let mut script;
    match size {
        0 => {
            script = vec![0x76, 0xa9, 20];
            script.extend_from_slice(reader.bytes(20)?);
            script.extend_from_slice(&[0x88, OP_CHECKSIG]);
        }
        1 => {
            script = vec![0xa9, 20];
            script.extend_from_slice(reader.bytes(20)?);
            script.push(0x87);
        }
        2 | 3 => {
            script = vec![33, size as u8];
            script.extend_from_slice(reader.bytes(32)?);
            script.push(OP_CHECKSIG);
        }
        4 | 5 => {
            let mut key = [0; 33];
            key[0] = size as u8 - 2;
            key[1..].copy_from_slice(reader.bytes(32)?);
            // A number that is on no point of the curve leaves an empty script, as in the reference.
            let full = PublicKey::from_slice(&key).ok().and_then(|key| key.decompress());
            script = full.map_or_else(Vec::new, |key| [&[65][..], key.as_bytes(), &[OP_CHECKSIG]].concat());
        }
        _ => {
            let len = size - SPECIAL_SCRIPTS;
            // Bounded by what is there before anything is allocated.
            let bytes = reader.bytes(len as usize)?;
            script = if len > MAX_SCRIPT_SIZE { vec![OP_RETURN] } else { bytes.to_vec() };
        }
    }
    Ok(Script::from(script))
}

/// Appends the compressed form of an output.
pub fn write_txout(out: &mut Vec<u8>, value: Amount, script: &[u8]) {
    write_varint(out, compress_amount(value.0 as u64));
    write_script(out, script);
}

/// Reads the compressed form of an output.
///
/// # Errors
/// If the data ends too early or a size does not fit.
pub fn read_txout(reader: &mut Reader<'_>) -> Result<TxOut, DecodeError> {
    let value = Amount(decompress_amount(reader.varint()?) as i64);
    Ok(TxOut::new(value, read_script(reader)?))
}
