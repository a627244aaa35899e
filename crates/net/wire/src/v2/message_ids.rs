//! One-byte ids of message types.

/// Message types by id, from 1 on; ids beyond the list and up to [`LAST_ASSIGNED`] belong to messages that nobody sends.
const TYPES: [&str; 28] = [
    "addr",
    "block",
    "blocktxn",
    "cmpctblock",
    "feefilter",
    "filteradd",
    "filterclear",
    "filterload",
    "getblocks",
    "getblocktxn",
    "getdata",
    "getheaders",
    "headers",
    "inv",
    "mempool",
    "merkleblock",
    "notfound",
    "ping",
    "pong",
    "sendcmpct",
    "tx",
    "getcfilters",
    "cfilter",
    "getcfheaders",
    "cfheaders",
    "getcfcheckpt",
    "cfcheckpt",
    "addrv2",
];
const LAST_ASSIGNED: u8 = 32;
/// Bytes of a type that is written out.
const TYPE_LEN: usize = 12;

/// Bytes that a message type takes.
pub(super) fn type_len(message_type: &str) -> usize {
    if TYPES.contains(&message_type) { 1 } else { 1 + TYPE_LEN }
}

/// Appends a message type: its id, or zero and its name.
pub(super) fn write_type(message_type: &str, out: &mut Vec<u8>) {
    if let Some(index) = TYPES.iter().position(|t| *t == message_type) {
        out.push(index as u8 + 1);
        return;
    }
    let name = &message_type.as_bytes()[..message_type.len().min(TYPE_LEN)];
    out.push(0);
    out.extend_from_slice(name);
    out.resize(out.len() + TYPE_LEN - name.len(), 0);
}

/// Splits the contents of a packet into type and payload; `None` if there is no valid type.
pub(super) fn split_type(contents: &[u8]) -> Option<(&str, &[u8])> {
    let (id, rest) = contents.split_first()?;
    if *id != 0 {
        let name = TYPES.get(usize::from(*id) - 1).copied();
        return name.or((*id <= LAST_ASSIGNED).then_some("")).map(|name| (name, rest));
    }
    let (field, payload) = rest.split_at_checked(TYPE_LEN)?;
    let len = field.iter().position(|b| *b == 0).unwrap_or(TYPE_LEN);
    let (name, padding) = field.split_at(len);
    // The reference allows 0x7f here, unlike in the first transport.
    let valid = name.iter().all(|b| (b' '..=0x7f).contains(b)) && padding.iter().all(|b| *b == 0);
    let name = std::str::from_utf8(name).ok()?;
    valid.then_some((name, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names() {
        let written = |name| {
            let mut out = Vec::new();
            write_type(name, &mut out);
            out
        };
        assert_eq!(written("addr"), [1]);
        assert_eq!(written("ping"), [18]);
        assert_eq!(written("tx"), [21]);
        assert_eq!(written("addrv2"), [28]);
        assert_eq!(written("version"), b"\0version\0\0\0\0\0");
        assert_eq!(written("longer than twelve"), b"\0longer than ");
        for name in TYPES.iter().chain(&["version", "verack", "abcdefghijkl"]) {
            let mut bytes = written(name);
            bytes.extend(b"rest");
            assert_eq!(split_type(&bytes), Some((*name, &b"rest"[..])));
        }
    }

    #[test]
    fn bad_types() {
        assert_eq!(split_type(&[]), None);
        assert_eq!(split_type(&[32, 7]), Some(("", &[7][..])));
        assert_eq!(split_type(&[33]), None);
        assert_eq!(split_type(b"\0version\0\0\0\0"), None);
        assert_eq!(split_type(b"\0version\0\0\0\0x"), None);
        assert_eq!(split_type(b"\0vers\x1fon\0\0\0\0\0"), None);
        assert_eq!(split_type(b"\0vers\x80on\0\0\0\0\0"), None);
        assert_eq!(split_type(b"\0vers\x7fon\0\0\0\0\0"), Some(("vers\x7fon", &[][..])));
    }
}
