//! Requests for payment, in the records of groestlcoin-qt: `destdata`, address, `rr` and number. Reference:
//! `src/qt/recentrequeststablemodel.h`, `sendcoinsrecipient.h`.

use grs_encoding::{DecodeError, Encode, Reader, write_var_bytes};
use grs_interfaces::gui::{NewReceiveRequest, ReceiveRequest};
use grs_sync::clock;

use super::output_type;
use crate::error::WalletResult;
use crate::records::{RecordKey, encode_text, key_rest, name, read_text};
use crate::state::State;

const PREFIX: &str = "rr";
/// Version of both structures in a record.
const VERSION: i32 = 1;

/// A request as it is stored. Text of texts: the record's value is a text that holds this.
fn encode(request: &ReceiveRequest) -> Vec<u8> {
    let mut inner = Vec::new();
    let text = |out: &mut Vec<u8>, text: &str| write_var_bytes(out, text.as_bytes());
    VERSION.encode(&mut inner);
    (request.id as i64).encode(&mut inner);
    (request.time as u32).encode(&mut inner);
    VERSION.encode(&mut inner);
    text(&mut inner, &request.address);
    text(&mut inner, &request.label);
    request.amount.encode(&mut inner);
    text(&mut inner, &request.message);
    // An old payment request and its merchant.
    text(&mut inner, "");
    text(&mut inner, "");
    let mut out = Vec::new();
    write_var_bytes(&mut out, &inner);
    out
}

fn decode(value: &[u8]) -> Result<ReceiveRequest, DecodeError> {
    let mut outer = Reader::new(value);
    let inner = outer.var_bytes()?;
    let mut reader = Reader::new(inner);
    reader.i32_le()?;
    let id = reader.i64_le()?;
    let time = reader.u32_le()?;
    reader.i32_le()?;
    Ok(ReceiveRequest {
        id: id as u64,
        time: i64::from(time),
        address: read_text(&mut reader)?,
        label: read_text(&mut reader)?,
        amount: reader.i64_le()?,
        message: read_text(&mut reader)?,
    })
}

fn key(address: &str, id: u64) -> RecordKey {
    RecordKey::new(name::DESTINATION_DATA).text(address).text(&format!("{PREFIX}{id}"))
}

/// All requests, the newest first. One that cannot be read is left out.
pub(super) fn all(state: &State) -> WalletResult<Vec<ReceiveRequest>> {
    let mut out = Vec::new();
    state.db.for_each(&encode_text(name::DESTINATION_DATA), |key, value| {
        let mut rest = key_rest(key, name::DESTINATION_DATA);
        if let (Ok(address), Ok(what)) = (read_text(&mut rest), read_text(&mut rest))
            && what.strip_prefix(PREFIX).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
            && let Ok(request) = decode(value)
        {
            out.push(ReceiveRequest { address, ..request });
        }
        Ok(())
    })?;
    out.sort_by_key(|r| std::cmp::Reverse((r.time, r.id)));
    Ok(out)
}

/// Makes an address and keeps what is asked for; both are on disk when this returns.
pub(super) fn create(state: &mut State, wanted: NewReceiveRequest) -> WalletResult<ReceiveRequest> {
    let last = all(state)?.iter().map(|r| r.id).max().unwrap_or(0);
    let destination = state.new_receive_address(output_type(wanted.address_kind), &wanted.label)?;
    let request = ReceiveRequest {
        id: last + 1,
        time: clock::now_secs(),
        address: state.address(&destination),
        label: wanted.label,
        amount: wanted.amount.max(0),
        message: wanted.message,
    };
    state.db.write(key(&request.address, request.id).bytes(), &encode(&request))?;
    Ok(request)
}

/// Forgets a request.
pub(super) fn remove(state: &mut State, address: &str, id: u64) -> WalletResult<bool> {
    let key = key(address, id);
    let there = state.db.read(key.bytes())?.is_some();
    if there {
        state.db.erase(key.bytes())?;
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_nonsense_does_not() {
        let request = ReceiveRequest {
            id: 7,
            time: 1_600_000_000,
            address: "addr".into(),
            label: "Müller".into(),
            amount: 150_000_000,
            message: "m".into(),
        };
        let bytes = encode(&request);
        assert_eq!(decode(&bytes), Ok(request));
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err());
        }
        // Length, version 1, number 7, time, version 1, then texts by length.
        assert_eq!(bytes[..17], [0x2d, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x5e, 0x5f]);
    }
}
