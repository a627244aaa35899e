//! Writing length prefixes.

/// Appends a compact size in its shortest form.
pub fn write_compact_size(out: &mut Vec<u8>, n: u64) {
    match n {
        0..=0xfc => out.push(n as u8),
        0xfd..=0xffff => {
            out.push(0xfd);
            out.extend_from_slice(&(n as u16).to_le_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xfe);
            out.extend_from_slice(&(n as u32).to_le_bytes());
        }
        _ => {
            out.push(0xff);
            out.extend_from_slice(&n.to_le_bytes());
        }
    }
}

/// Bytes that the compact size of `n` takes.
pub const fn compact_size_len(n: u64) -> usize {
    match n {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Appends `bytes` with a compact size before them.
pub fn write_var_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_compact_size(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends the reference's VARINT of `n` (`src/serialize.h`, `WriteVarInt`).
pub fn write_varint(out: &mut Vec<u8>, mut n: u64) {
    let mut groups = [0_u8; 10];
    let mut len = 0;
    loop {
        groups[len] = (n & 0x7f) as u8 | if len == 0 { 0 } else { 0x80 };
        len += 1;
        if n <= 0x7f {
            break;
        }
        n = (n >> 7) - 1;
    }
    out.extend(groups[..len].iter().rev());
}

/// Bytes that the VARINT of `n` takes.
pub fn varint_len(mut n: u64) -> usize {
    let mut len = 1;
    while n > 0x7f {
        n = (n >> 7) - 1;
        len += 1;
    }
    len
}
