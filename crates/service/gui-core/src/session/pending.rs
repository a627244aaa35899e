//! Payments whose outcome is not known, in a file, so that nothing is forgotten when the window dies too.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use grs_interfaces::gui::SendToken;
use serde_json::{Value, json};

use crate::texts::Text;
use crate::view::{PendingSend, PendingState};

/// Windows on one data directory at a time that keep payments; more keep none.
const MOST_WINDOWS: u32 = 32;
/// A larger file is not one of ours.
const MOST_BYTES: u64 = 1 << 20;

/// The file of this window. It is locked as long as the window lives, so that two windows on one data directory leave
/// each other's payments alone, and a later one finds those of a window that died.
#[derive(Debug)]
pub(super) enum PendingFile {
    /// Nothing is to be kept.
    Nowhere,
    /// Here.
    At(Locked),
    /// Nothing can be kept, so that no order can be given.
    Unusable,
}

#[derive(Debug)]
pub(super) struct Locked {
    path: PathBuf,
    _lock: File,
}

/// The file with that number, if no other window has it.
fn lock(dir: &Path, number: u32) -> Option<Locked> {
    let name = match number {
        0 => "gui-payments".to_owned(),
        n => format!("gui-payments-{n}"),
    };
    let file = File::create(dir.join(format!("{name}.lock"))).ok()?;
    file.try_lock().ok()?;
    Some(Locked { path: dir.join(format!("{name}.json")), _lock: file })
}

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

/// What is in a file. Payments that were under way are of unknown outcome now.
fn read(path: &Path) -> Vec<PendingSend> {
    if !std::fs::metadata(path).is_ok_and(|m| m.len() <= MOST_BYTES) {
        return Vec::new();
    }
    let value = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let items = value.as_ref().and_then(Value::as_array);
    items.into_iter().flatten().filter_map(read_one).collect()
}

impl PendingFile {
    /// The file of a new window in a data directory, without which nothing is kept, and what windows before it left.
    pub(super) fn open(dir: Option<&Path>) -> (PendingFile, Vec<PendingSend>) {
        let Some(dir) = dir else { return (PendingFile::Nowhere, Vec::new()) };
        let is_there = |n: &u32| *n == 0 || dir.join(format!("gui-payments-{n}.json")).exists();
        let Some((own, first)) = (0..MOST_WINDOWS).find_map(|n| Some((n, lock(dir, n)?))) else {
            return (PendingFile::Unusable, Vec::new());
        };
        let mut all = read(&first.path);
        let file = PendingFile::At(first);
        // The locks are let go once what they guarded is in the file of this window.
        let left: Vec<Locked> =
            (0..MOST_WINDOWS).filter(|n| *n != own).filter(is_there).filter_map(|n| lock(dir, n)).collect();
        for other in left {
            let found = read(&other.path);
            let known = |payment: &PendingSend| all.iter().any(|p| p.token == payment.token);
            let new: Vec<PendingSend> = found.into_iter().filter(|payment| !known(payment)).collect();
            all.extend(new);
            if file.write(&all).is_ok() {
                let _ = std::fs::remove_file(&other.path);
            }
        }
        (file, all)
    }

    /// Writes the payments that are under way or unknown. An error means that the order must not be given: it would be
    /// forgotten if this process died.
    pub(super) fn write(&self, payments: &[PendingSend]) -> io::Result<()> {
        let path = match self {
            PendingFile::Nowhere => return Ok(()),
            PendingFile::At(Locked { path, .. }) => path,
            PendingFile::Unusable => return Err(io::ErrorKind::PermissionDenied.into()),
        };
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

    fn payment(number: u8, state: PendingState) -> PendingSend {
        PendingSend {
            token: SendToken([number; 16]),
            wallet: "w".into(),
            time: 5,
            total: 7,
            addresses: vec!["a".into()],
            state,
        }
    }

    fn unknown(number: u8) -> PendingSend {
        payment(number, PendingState::Unknown(Text::PendingFromBefore.s().to_owned()))
    }

    #[test]
    fn payments_come_back_as_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let open = || PendingFile::open(Some(dir.path()));
        let (file, before) = open();
        assert!(before.is_empty());
        file.write(&[payment(0xa5, PendingState::Sending), payment(1, PendingState::NotSent)]).unwrap();
        drop(file);
        let (file, before) = open();
        assert_eq!(before, [unknown(0xa5)]);
        file.write(&[]).unwrap();
        let path = dir.path().join("gui-payments.json");
        assert!(!path.exists());
        drop(file);
        for text in ["{", "[1, {\"token\": \"zz\"}]", "7"] {
            std::fs::write(&path, text).unwrap();
            assert!(open().1.is_empty(), "{text}");
        }
        let (file, _) = open();
        std::fs::create_dir_all(path.with_extension("json.tmp")).unwrap();
        assert!(file.write(&[payment(2, PendingState::Sending)]).is_err());
        let (none, _) = PendingFile::open(Some(&dir.path().join("no/such")));
        assert!(none.write(&[payment(2, PendingState::Sending)]).is_err());
        assert!(PendingFile::open(None).0.write(&[payment(2, PendingState::Sending)]).is_ok());
    }

    #[test]
    fn two_windows_keep_their_payments_apart_until_one_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let open = || PendingFile::open(Some(dir.path()));
        let (one, _) = open();
        one.write(&[payment(1, PendingState::Sending)]).unwrap();
        let (two, others) = open();
        assert!(others.is_empty());
        two.write(&[payment(2, PendingState::Sending)]).unwrap();
        one.write(&[payment(1, PendingState::Sending), payment(3, PendingState::Sending)]).unwrap();
        // The second one dies: a third takes over what it left, and nothing of the first.
        drop(two);
        let (three, before) = open();
        assert_eq!(before, [unknown(2)]);
        drop((one, three));
        let mut all = open().1;
        all.sort_by_key(|p| p.token.0);
        assert_eq!(all, [unknown(1), unknown(2), unknown(3)]);
    }
}
