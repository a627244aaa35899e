//! Payments whose outcome is not known, in a file, so that nothing is forgotten when the window dies too.

use std::io;
use std::path::PathBuf;

use grs_interfaces::gui::SendToken;
use serde_json::{Value, json};

use crate::texts::Text;
use crate::view::{PendingSend, PendingState};

/// Name of the file in the data directory.
pub(super) const FILE_NAME: &str = "gui-payments.json";
/// A larger file is not one of ours.
const MOST_BYTES: u64 = 1 << 20;

/// The file; without path nothing is kept.
#[derive(Debug, Clone)]
pub(super) struct PendingFile(Option<PathBuf>);

fn hex(token: SendToken) -> String {
    token.0.iter().map(|b| format!("{b:02x}")).collect()
}

fn token(text: &str) -> Option<SendToken> {
    let mut out = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (n, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(SendToken(out))
}

impl PendingFile {
    pub(super) fn new(path: Option<PathBuf>) -> PendingFile {
        PendingFile(path)
    }

    /// What is in the file. Payments that were under way are of unknown outcome now.
    pub(super) fn read(&self) -> Vec<PendingSend> {
        let Some(path) = &self.0 else { return Vec::new() };
        if !std::fs::metadata(path).is_ok_and(|m| m.len() <= MOST_BYTES) {
            return Vec::new();
        }
        let value = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let items = value.as_ref().and_then(Value::as_array);
        items.into_iter().flatten().filter_map(read_one).collect()
    }

    /// Writes the payments that are under way or unknown. An error means that the order must not be given: it would be
    /// forgotten if this process died.
    pub(super) fn write(&self, payments: &[PendingSend]) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        let open = |p: &&PendingSend| matches!(p.state, PendingState::Sending | PendingState::Unknown(_));
        let items: Vec<Value> = payments.iter().filter(open).map(write_one).collect();
        if items.is_empty() {
            return match std::fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            };
        }
        let temp = path.with_extension("json.tmp");
        let mut file = std::fs::File::create(&temp)?;
        io::Write::write_all(&mut file, serde_json::to_string_pretty(&items)?.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temp, path)
    }
}

fn write_one(payment: &PendingSend) -> Value {
    json!({
        "token": hex(payment.token),
        "wallet": payment.wallet,
        "time": payment.time,
        "total": payment.total,
        "addresses": payment.addresses,
    })
}

fn read_one(item: &Value) -> Option<PendingSend> {
    let addresses = item.get("addresses")?.as_array()?.iter().filter_map(|a| a.as_str().map(str::to_owned));
    Some(PendingSend {
        token: token(item.get("token")?.as_str()?)?,
        wallet: item.get("wallet")?.as_str()?.to_owned(),
        time: item.get("time")?.as_i64()?,
        total: item.get("total")?.as_i64()?,
        addresses: addresses.collect(),
        state: PendingState::Unknown(Text::PendingFromBefore.s().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_come_back_as_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let file = PendingFile::new(Some(dir.path().join(FILE_NAME)));
        assert!(file.read().is_empty());
        let mut payment = PendingSend {
            token: SendToken([0xa5; 16]),
            wallet: "w".into(),
            time: 5,
            total: 7,
            addresses: vec!["a".into()],
            state: PendingState::Sending,
        };
        let settled =
            PendingSend { token: SendToken([1; 16]), state: PendingState::NotSent, ..payment.clone() };
        file.write(&[payment.clone(), settled]).unwrap();
        payment.state = PendingState::Unknown(Text::PendingFromBefore.s().to_owned());
        assert_eq!(file.read(), [payment]);
        file.write(&[]).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        for text in ["{", "[1, {\"token\": \"zz\"}]", "7"] {
            std::fs::write(dir.path().join(FILE_NAME), text).unwrap();
            assert!(file.read().is_empty(), "{text}");
        }
        let nowhere = PendingFile::new(Some(dir.path().join("no/such")));
        assert!(nowhere.write(&[PendingSend { state: PendingState::Sending, ..read_one(&json!({"token": "00".repeat(16), "wallet": "", "time": 1, "total": 1, "addresses": []})).unwrap() }]).is_err());
    }
}
