//! IPv4 addresses in the old short forms (`127.1`, `0x7f000001`, `0177.0.0.1`), which system look-ups read too.

/// Reads one to four numbers, decimal, octal (`0…`) or hexadecimal (`0x…`); the last one fills the rest.
pub(crate) fn parse(text: &str) -> Option<[u8; 4]> {
    let mut parts = Vec::new();
    for part in text.split('.') {
        if parts.len() == 4 {
            return None;
        }
        let (digits, radix) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None if part.len() > 1 && part.starts_with('0') => (&part[1..], 8),
            None => (part, 10),
        };
        // A sign would pass as part of a number.
        if digits.starts_with('+') {
            return None;
        }
        parts.push(u32::from_str_radix(digits, radix).ok()?);
    }
    let (last, first) = parts.split_last()?;
    let mut out = 0_u32;
    for (n, part) in first.iter().enumerate() {
        out |= u32::from(u8::try_from(*part).ok()?) << (24 - 8 * n);
    }
    let room = 32 - 8 * first.len() as u32;
    (u64::from(*last) < 1 << room).then(|| (out | last).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn short_forms() {
        for text in ["127.0.0.1", "127.1", "127.0.1", "0x7f000001", "2130706433", "0177.0.0.01", "0x7f.1"] {
            assert_eq!(parse(text), Some([127, 0, 0, 1]), "{text}");
        }
        for text in [
            "",
            ".",
            "1.",
            "256.1",
            "1.2.3.256",
            "1.2.3.4.5",
            "1.16777216",
            "0x",
            "09",
            "-1",
            "+1",
            "a",
            "1 ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
