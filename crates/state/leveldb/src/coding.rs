//! LevelDB's integer encodings: little-endian fixed widths and base-128 varints.

pub(crate) fn put_u32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_le_bytes());
}

pub(crate) fn put_u64(out: &mut Vec<u8>, v: u64) {
    out.extend_from_slice(&v.to_le_bytes());
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

pub(crate) fn put_slice(out: &mut Vec<u8>, data: &[u8]) {
    put_varint(out, data.len() as u64);
    out.extend_from_slice(data);
}

/// First four bytes as a number; `None` if there are fewer.
pub(crate) fn get_u32(data: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*data.first_chunk()?))
}

/// First eight bytes as a number; `None` if there are fewer.
pub(crate) fn get_u64(data: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*data.first_chunk()?))
}

/// Takes a varint of at most 64 bits from the front.
pub(crate) fn take_varint64(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (i, &byte) in input.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *input = &input[i + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes a varint of at most five bytes from the front; bits above the 32nd are lost, as in LevelDB.
pub(crate) fn take_varint32(input: &mut &[u8]) -> Option<u32> {
    // Most lengths fit one byte.
    if let Some((&byte, rest)) = input.split_first()
        && byte < 0x80
    {
        *input = rest;
        return Some(u32::from(byte));
    }
    let mut value = 0u32;
    for (i, &byte) in input.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *input = &input[i + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes a byte string with a varint length from the front.
pub(crate) fn take_slice<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = *input;
    let len = take_varint32(&mut rest)? as usize;
    if len > rest.len() {
        return None;
    }
    let (data, rest) = rest.split_at(len);
    *input = rest;
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip() {
        for v in (0..64).flat_map(|b| [1u64 << b, (1u64 << b) - 1, (1u64 << b) + 1]).chain([u64::MAX]) {
            let mut out = Vec::new();
            put_varint(&mut out, v);
            out.push(0xaa);
            let mut input = out.as_slice();
            assert_eq!(take_varint64(&mut input), Some(v));
            assert_eq!(input, [0xaa]);
            if let Ok(small) = u32::try_from(v) {
                assert_eq!(take_varint32(&mut out.as_slice()), Some(small));
            }
            for cut in 0..out.len() - 1 {
                assert_eq!(take_varint64(&mut &out[..cut]), None);
            }
        }
        assert_eq!(take_varint32(&mut [0x80; 5].as_slice()), None);
        assert_eq!(take_varint64(&mut [0x80; 11].as_slice()), None);
    }

    #[test]
    fn slices_never_pass_the_end() {
        let mut out = Vec::new();
        put_slice(&mut out, b"hello");
        assert_eq!(take_slice(&mut out.as_slice()), Some(&b"hello"[..]));
        assert_eq!(take_slice(&mut &out[..5]), None);
        assert_eq!(take_slice(&mut [0xff, 0xff, 0xff, 0xff, 0x0f, 1].as_slice()), None);
    }
}
