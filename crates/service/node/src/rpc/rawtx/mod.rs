//! Methods about transactions in hexadecimal. Reference: `src/rpc/rawtransaction.cpp`.

mod create;
mod decode;
mod get;
mod script;
mod sign;

use grs_encoding::{DecodeError, Reader, hex_decode};
use grs_primitives::Transaction;
use grs_rpc::Method;
use grs_script::{MAX_SCRIPT_SIZE, ScriptExt};

use super::Maker;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = get::methods(maker);
    all.extend(create::methods(maker));
    all.extend(decode::methods(maker));
    all.extend(script::methods(maker));
    all.extend(sign::methods(maker));
    all
}

/// Whether all scripts could be scripts: tells the two forms of a transaction apart. Reference:
/// `CheckTxScriptsSanity`.
fn is_sane(tx: &Transaction) -> bool {
    let sane = |script: &[u8]| script.len() <= MAX_SCRIPT_SIZE && script.has_valid_ops();
    (tx.is_coinbase() || tx.inputs.iter().all(|input| sane(&input.script_sig)))
        && tx.outputs.iter().all(|output| sane(&output.script_pubkey))
}

/// Reads a transaction in the form without witnesses, with them, or in that of both which makes more sense.
/// Reference: `DecodeHexTx`.
pub(super) fn decode_tx(text: &str, without_witness: bool, with_witness: bool) -> Option<Transaction> {
    let bytes = hex_decode(text).ok()?;
    let read = |witness: bool| -> Result<Transaction, DecodeError> {
        let mut reader = Reader::new(&bytes);
        let tx = Transaction::decode_with(&mut reader, witness)?;
        reader.finish()?;
        Ok(tx)
    };
    let extended = if with_witness { read(true).ok() } else { None };
    if extended.as_ref().is_some_and(is_sane) {
        return extended;
    }
    let plain = if without_witness { read(false).ok() } else { None };
    if plain.as_ref().is_some_and(is_sane) {
        return plain;
    }
    extended.or(plain)
}
