//! Internal keys: user key, then eight bytes of sequence number and kind. They sort by user key ascending, then by
//! sequence number descending, so that the newest entry of a key comes first.

use std::cmp::Ordering;

use crate::{
    batch::{TYPE_DELETE, TYPE_PUT},
    coding::{get_u64, put_u64},
};

/// Largest sequence number.
pub(crate) const MAX_SEQUENCE: u64 = (1 << 56) - 1;
/// Tag that sorts before all others of the same user key.
pub(crate) const SEEK_TAG: u64 = tag(MAX_SEQUENCE, TYPE_PUT);
/// Bytes of a tag.
pub(crate) const TAG_LEN: usize = 8;

/// Sequence number and kind in one number.
pub(crate) const fn tag(sequence: u64, kind: u8) -> u64 {
    sequence << 8 | kind as u64
}

/// An internal key.
pub(crate) fn internal(user: &[u8], tag: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(user.len() + TAG_LEN);
    out.extend_from_slice(user);
    put_u64(&mut out, tag);
    out
}

/// User key and tag. A key too short to have a tag (only damaged data has one) counts as all user key.
pub(crate) fn split(key: &[u8]) -> (&[u8], u64) {
    match key.len().checked_sub(TAG_LEN) {
        Some(at) => (&key[..at], get_u64(&key[at..]).unwrap_or(0)),
        None => (key, 0),
    }
}

/// User key of an internal key.
pub(crate) fn user_key(key: &[u8]) -> &[u8] {
    split(key).0
}

/// User key, sequence number and kind; `None` if the key is damaged.
pub(crate) fn parse(key: &[u8]) -> Option<(&[u8], u64, u8)> {
    let at = key.len().checked_sub(TAG_LEN)?;
    let tag = get_u64(&key[at..])?;
    let kind = tag as u8;
    (kind == TYPE_PUT || kind == TYPE_DELETE).then_some((&key[..at], tag >> 8, kind))
}

/// Order of internal keys.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let ((user_a, tag_a), (user_b, tag_b)) = (split(a), split(b));
    user_a.cmp(user_b).then(tag_b.cmp(&tag_a))
}

/// Shortens `start` to an internal key that is at or after it and before `limit`; keeps it if there is none shorter.
pub(crate) fn shorten_to_separator(start: &mut Vec<u8>, limit: &[u8]) {
    let (user, limit) = (user_key(start), user_key(limit));
    let diff = user.iter().zip(limit).take_while(|(a, b)| a == b).count();
    if diff < user.len().min(limit.len()) && user[diff] < 0xff && user[diff] + 1 < limit[diff] {
        shorten(start, diff);
    }
}

/// Shortens `key` to an internal key at or after it; keeps it if there is none shorter.
pub(crate) fn shorten_to_successor(key: &mut Vec<u8>) {
    if let Some(at) = user_key(key).iter().position(|&byte| byte != 0xff) {
        shorten(key, at);
    }
}

/// Cuts the user key after `at` and increments its last byte, if that makes it shorter.
fn shorten(key: &mut Vec<u8>, at: usize) {
    if at + 1 < user_key(key).len() {
        key.truncate(at + 1);
        key[at] += 1;
        put_u64(key, SEEK_TAG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_user_key_then_newest_first() {
        let (new, old) = (internal(b"k", tag(9, TYPE_PUT)), internal(b"k", tag(8, TYPE_PUT)));
        assert_eq!(compare(&new, &old), Ordering::Less);
        assert_eq!(compare(&internal(b"j", 0), &new), Ordering::Less);
        assert_eq!(compare(&internal(b"kk", SEEK_TAG), &old), Ordering::Greater);
        assert_eq!(compare(b"abc", &new), Ordering::Less);
        assert_eq!(parse(&new), Some((&b"k"[..], 9, TYPE_PUT)));
        assert_eq!(parse(&internal(b"k", 7)), None);
        assert_eq!(parse(b"short"), None);
    }

    #[test]
    fn separators_are_between() {
        let sep = |a: &[u8], b: &[u8]| {
            let mut start = internal(a, tag(100, TYPE_PUT));
            let (first, limit) = (start.clone(), internal(b, tag(200, TYPE_PUT)));
            shorten_to_separator(&mut start, &limit);
            if a < b {
                assert!(compare(&first, &start).is_le() && compare(&start, &limit).is_lt());
            }
            start
        };
        let keep = |a: &[u8]| internal(a, tag(100, TYPE_PUT));
        assert_eq!(sep(b"block1", b"block1"), keep(b"block1"));
        assert_eq!(sep(b"block1", b"block2"), keep(b"block1"));
        assert_eq!(sep(b"block1", b"brock"), internal(b"bm", SEEK_TAG));
        assert_eq!(sep(b"block", b"blocks"), keep(b"block"));
        assert_eq!(sep(b"\xff\xffab", b"\xff\xffzz"), internal(b"\xff\xffb", SEEK_TAG));
        let mut key = keep(b"\xff\xff");
        shorten_to_successor(&mut key);
        assert_eq!(key, keep(b"\xff\xff"));
        let mut key = keep(b"\xffcoin");
        shorten_to_successor(&mut key);
        assert_eq!(key, internal(b"\xffd", SEEK_TAG));
    }
}
