//! Small pieces that descriptor and miniscript texts are cut into. Reference: `src/script/parsing.cpp`.

/// Skips `prefix` at the start of `text`; false when it is not there.
pub(crate) fn skip(prefix: &str, text: &mut &str) -> bool {
    match text.strip_prefix(prefix) {
        Some(rest) => {
            *text = rest;
            true
        }
        None => false,
    }
}

/// Narrows `text` from `name(...)` to what is in the parentheses; false when it has not that form.
pub(crate) fn function(name: &str, text: &mut &str) -> bool {
    let inner = text.strip_prefix(name).and_then(|t| t.strip_prefix('(')).and_then(|t| t.strip_suffix(')'));
    match inner {
        Some(inner) => {
            *text = inner;
            true
        }
        None => false,
    }
}

/// Takes an expression off the start: up to a comma or closing bracket that belongs to no bracket in it.
pub(crate) fn expression<'a>(text: &mut &'a str) -> &'a str {
    let mut level = 0_usize;
    let end = text
        .bytes()
        .position(|c| match c {
            b'(' | b'{' => {
                level += 1;
                false
            }
            b')' | b'}' if level > 0 => {
                level -= 1;
                false
            }
            b')' | b'}' | b',' => level == 0,
            _ => false,
        })
        .unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    *text = tail;
    head
}

/// A decimal number as the reference's `ToIntegral` reads it for unsigned types: digits only, no sign.
pub(crate) fn parse_u32(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// As [`parse_u32`] for a signed type: a minus is allowed.
pub(crate) fn parse_i64(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `/1/2h` for a path. Reference: `FormatHDKeypath`.
pub fn format_key_path(path: &[u32], apostrophe: bool) -> String {
    path.iter()
        .map(|step| {
            let mark = match (step >> 31 != 0, apostrophe) {
                (false, _) => "",
                (true, true) => "'",
                (true, false) => "h",
            };
            format!("/{}{mark}", step & 0x7fff_ffff)
        })
        .collect()
}

/// `m/1/2h` for a path. Reference: `WriteHDKeypath`.
pub fn write_key_path(path: &[u32], apostrophe: bool) -> String {
    format!("m{}", format_key_path(path, apostrophe))
}

/// Reads a path such as `m/44'/1/2`; hardened steps have an apostrophe. Reference: `ParseHDKeypath`.
pub fn parse_key_path(text: &str) -> Option<Vec<u32>> {
    let mut out = Vec::new();
    if text.is_empty() {
        return Some(out);
    }
    // A separator at the very end starts no further item.
    let text = text.strip_suffix('/').unwrap_or(text);
    for (i, item) in text.split('/').enumerate() {
        if item == "m" {
            if i == 0 {
                continue;
            }
            return None;
        }
        let (digits, hardened) = match item.strip_suffix('\'') {
            Some(digits) => (digits, 1 << 31),
            None => (item, 0),
        };
        out.push(parse_u32(digits)? | hardened);
    }
    Some(out)
}
