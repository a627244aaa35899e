//! Bech32 (BIP173) and Bech32m (BIP350), with location of errors.

/// Characters of the checksum.
pub const BECH32_CHECKSUM_LEN: usize = 6;
const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/// Which checksum constant a text was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bech32Variant {
    /// BIP173, for witness version 0.
    Bech32,
    /// BIP350, for witness versions 1 to 16.
    Bech32m,
}

impl Bech32Variant {
    const fn constant(self) -> u32 {
        match self {
            Bech32Variant::Bech32 => 1,
            Bech32Variant::Bech32m => 0x2bc8_30a3,
        }
    }
}

/// A decoded text: variant, human-readable part in lower case, and 5-bit values without the checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bech32Decoded {
    /// Which checksum fits.
    pub variant: Bech32Variant,
    /// Human-readable part.
    pub hrp: String,
    /// Values 0 to 31.
    pub data: Vec<u8>,
}

fn polymod(values: impl IntoIterator<Item = u8>) -> u32 {
    values.into_iter().fold(1, |c, v| {
        let top = c >> 25;
        let mut c = (c & 0x1ff_ffff) << 5 ^ u32::from(v);
        for (i, g) in GENERATOR.iter().enumerate() {
            if top >> i & 1 == 1 {
                c ^= g;
            }
        }
        c
    })
}

fn expand(hrp: &str) -> Vec<u8> {
    let mut out: Vec<u8> = hrp.bytes().map(|c| c >> 5).collect();
    out.push(0);
    out.extend(hrp.bytes().map(|c| c & 31));
    out
}

/// Text of 5-bit `values` under `hrp` (lower case).
pub fn bech32_encode(variant: Bech32Variant, hrp: &str, values: &[u8]) -> String {
    let mut input = expand(hrp);
    input.extend_from_slice(values);
    input.extend_from_slice(&[0; BECH32_CHECKSUM_LEN]);
    let checksum = polymod(input) ^ variant.constant();
    let mut out = String::with_capacity(hrp.len() + 1 + values.len() + BECH32_CHECKSUM_LEN);
    out.push_str(hrp);
    out.push('1');
    out.extend(values.iter().map(|v| CHARSET[usize::from(v & 31)] as char));
    out.extend((0..6).map(|i| CHARSET[(checksum >> (5 * (5 - i))) as usize & 31] as char));
    out
}

/// As [`bech32_encode`], but `None` when the text would exceed `limit` characters.
pub fn bech32_encode_with_limit(
    variant: Bech32Variant,
    hrp: &str,
    values: &[u8],
    limit: usize,
) -> Option<String> {
    let out = bech32_encode(variant, hrp, values);
    (out.len() <= limit).then_some(out)
}

/// Checks the characters of `text`. Positions of the bad ones, or nothing.
fn check_characters(text: &str, errors: &mut Vec<usize>) {
    let (mut lower, mut upper) = (false, false);
    for (i, c) in text.bytes().enumerate() {
        match c {
            b'a'..=b'z' if upper => errors.push(i),
            b'a'..=b'z' => lower = true,
            b'A'..=b'Z' if lower => errors.push(i),
            b'A'..=b'Z' => upper = true,
            33..=126 => {}
            _ => errors.push(i),
        }
    }
}

fn value_of(c: u8) -> Option<u8> {
    CHARSET.iter().position(|a| *a == c.to_ascii_lowercase()).map(|p| p as u8)
}

/// Decodes a text of at most `limit` characters (90 for addresses). `None` when anything is wrong.
pub fn bech32_decode(text: &str, limit: usize) -> Option<Bech32Decoded> {
    let mut errors = Vec::new();
    check_characters(text, &mut errors);
    if !errors.is_empty() || text.len() > limit {
        return None;
    }
    let split = text.rfind('1')?;
    if split == 0 || split + 1 + BECH32_CHECKSUM_LEN > text.len() {
        return None;
    }
    let mut values = text.bytes().skip(split + 1).map(value_of).collect::<Option<Vec<u8>>>()?;
    let hrp = text[..split].to_ascii_lowercase();
    let mut input = expand(&hrp);
    input.extend_from_slice(&values);
    let check = polymod(input);
    let variant =
        [Bech32Variant::Bech32, Bech32Variant::Bech32m].into_iter().find(|v| v.constant() == check)?;
    values.truncate(values.len() - BECH32_CHECKSUM_LEN);
    Some(Bech32Decoded { variant, hrp, data: values })
}

/// Regroups bits, `from` to `to` per value. `pad` fills the last group with zeros; without it, left-over bits
/// must be fewer than `from` and zero.
pub fn convert_bits(data: &[u8], from: u32, to: u32, pad: bool) -> Option<Vec<u8>> {
    let max = (1_u32 << to) - 1;
    let (mut acc, mut bits) = (0_u32, 0);
    let mut out = Vec::with_capacity((data.len() * from as usize).div_ceil(to as usize));
    for value in data {
        if u32::from(*value) >> from != 0 {
            return None;
        }
        acc = (acc << from | u32::from(*value)) & ((1 << (from + to - 1)) - 1);
        bits += from;
        while bits >= to {
            bits -= to;
            out.push((acc >> bits & max) as u8);
        }
    }
    if pad {
        if bits > 0 {
            out.push((acc << (to - bits) & max) as u8);
        }
    } else if bits >= from || acc << (to - bits) & max != 0 {
        return None;
    }
    Some(out)
}

/// The reference's diagnosis of a text that does not decode: what is wrong, and the positions of characters
/// that may be wrong (empty when they cannot be told). Reference: `src/bech32.cpp`, `LocateErrors`.
pub fn bech32_locate_errors(text: &str, limit: usize) -> (&'static str, Vec<usize>) {
    if text.len() > limit {
        return ("Bech32 string too long", (limit..text.len()).collect());
    }
    let mut errors = Vec::new();
    check_characters(text, &mut errors);
    if !errors.is_empty() {
        return ("Invalid character or mixed case", errors);
    }
    let Some(split) = text.rfind('1') else { return ("Missing separator", Vec::new()) };
    if split == 0 || split + 1 + BECH32_CHECKSUM_LEN > text.len() {
        return ("Invalid separator position", vec![split]);
    }
    let hrp = text[..split].to_ascii_lowercase();
    let mut values = Vec::with_capacity(text.len() - split - 1);
    for (i, c) in text.bytes().enumerate().skip(split + 1) {
        match value_of(c) {
            Some(v) => values.push(v),
            None => return ("Invalid Base 32 character", vec![i]),
        }
    }
    let mut best: Option<(Bech32Variant, Vec<usize>)> = None;
    for variant in [Bech32Variant::Bech32, Bech32Variant::Bech32m] {
        let mut input = expand(&hrp);
        let offset = input.len();
        input.extend_from_slice(&values);
        let residue = polymod(input.iter().copied()) ^ variant.constant();
        if residue == 0 {
            return ("", Vec::new());
        }
        let found = locate(&input, offset, residue)
            .map(|list| list.into_iter().map(|p| p - offset + split + 1).collect::<Vec<usize>>());
        if let Some(list) = found
            && best.as_ref().is_none_or(|(_, b)| list.len() < b.len())
        {
            best = Some((variant, list));
        }
    }
    match best {
        Some((Bech32Variant::Bech32, list)) => ("Invalid Bech32 checksum", list),
        Some((Bech32Variant::Bech32m, list)) => ("Invalid Bech32m checksum", list),
        None => ("Invalid checksum", Vec::new()),
    }
}

/// Effect on the checksum of value `e` at `distance` characters from the end.
fn effect(e: u8, distance: usize) -> u32 {
    // The checksum is linear: start from zero instead of one and run `distance` zero values behind the error.
    let mut c = u32::from(e);
    for _ in 0..distance {
        let top = c >> 25;
        c = (c & 0x1ff_ffff) << 5;
        for (i, g) in GENERATOR.iter().enumerate() {
            if top >> i & 1 == 1 {
                c ^= g;
            }
        }
    }
    c
}

/// Positions of one or two wrong values that explain `residue`, if any.
fn locate(input: &[u8], offset: usize, residue: u32) -> Option<Vec<usize>> {
    let len = input.len();
    let mut table = Vec::with_capacity((len - offset) * 31);
    for position in offset..len {
        for e in 1..32_u8 {
            table.push((effect(e, len - 1 - position), position));
        }
    }
    if let Some((_, p)) = table.iter().find(|(r, _)| *r == residue) {
        return Some(vec![*p]);
    }
    table.sort_unstable();
    for (r, p) in &table {
        let wanted = residue ^ r;
        if let Ok(i) = table.binary_search_by_key(&wanted, |t| t.0) {
            let q = table[i].1;
            if q != *p {
                let mut out = vec![*p, q];
                out.sort_unstable();
                return Some(out);
            }
        }
    }
    None
}
