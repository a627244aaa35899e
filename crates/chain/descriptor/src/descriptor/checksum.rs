use super::DescriptorError;

const INPUT: &[u8] = b"0123456789()[],'/*abcdefgh@:$%{}\
IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~\
ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
const OUTPUT: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u64; 5] = [0xf5_dee5_1989, 0xa9_fdca_3312, 0x1b_ab10_e32d, 0x37_06b1_677a, 0x64_4d62_6ffd];
/// Characters of a checksum.
const LENGTH: usize = 8;

fn step(c: u64, value: u64) -> u64 {
    let top = c >> 35;
    let mut c = (c & 0x7_ffff_ffff) << 5 ^ value;
    for (i, g) in GENERATOR.iter().enumerate() {
        if top >> i & 1 == 1 {
            c ^= g;
        }
    }
    c
}

/// Checksum of a descriptor text without checksum (BIP380); `None` when it has characters that descriptors
/// cannot have.
fn compute(text: &str) -> Option<String> {
    let (mut c, mut class, mut in_group) = (1, 0, 0);
    for ch in text.bytes() {
        let position = INPUT.iter().position(|i| *i == ch)? as u64;
        c = step(c, position & 31);
        class = class * 3 + (position >> 5);
        in_group += 1;
        if in_group == 3 {
            c = step(c, class);
            (class, in_group) = (0, 0);
        }
    }
    if in_group > 0 {
        c = step(c, class);
    }
    c = (0..LENGTH).fold(c, |c, _| step(c, 0)) ^ 1;
    Some((0..LENGTH).map(|i| char::from(OUTPUT[(c >> (5 * (LENGTH - 1 - i)) & 31) as usize])).collect())
}

/// Cuts the checksum off a descriptor and checks it: the descriptor without checksum, and the right checksum.
/// Reference: `CheckChecksum`.
pub(super) fn check_checksum(text: &str, required: bool) -> Result<(&str, String), DescriptorError> {
    let (payload, given) = match text.split_once('#') {
        Some((_, given)) if given.contains('#') => {
            return Err(DescriptorError::new("Multiple '#' symbols"));
        }
        Some((payload, given)) => (payload, Some(given)),
        None => (text, None),
    };
    match given {
        None if required => return Err(DescriptorError::new("Missing checksum")),
        Some(given) if given.len() != LENGTH => {
            return Err(DescriptorError::new(format!(
                "Expected 8 character checksum, not {} characters",
                given.len()
            )));
        }
        _ => {}
    }
    let checksum = compute(payload).ok_or_else(|| DescriptorError::new("Invalid characters in payload"))?;
    if let Some(given) = given
        && given != checksum
    {
        return Err(DescriptorError::new(format!(
            "Provided checksum '{given}' does not match computed checksum '{checksum}'"
        )));
    }
    Ok((payload, checksum))
}

/// The checksum of a descriptor with or without one. `None` when the given one is wrong or the text has
/// characters that descriptors cannot have. Reference: `GetDescriptorChecksum`.
pub fn descriptor_checksum(descriptor: &str) -> Option<String> {
    check_checksum(descriptor, false).ok().map(|(_, checksum)| checksum)
}

/// A descriptor text with its checksum behind it. Reference: `AddChecksum`.
pub(super) fn add_checksum(text: &str) -> String {
    format!("{text}#{}", compute(text).unwrap_or_default())
}
