//! Meaning of keys and values.

use serde_json::Value;

use crate::spec::Flags;
use crate::{ArgsError, SettingsValue};

/// A key split into section, negation and name: `test.nolisten`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyInfo {
    pub(crate) name: String,
    pub(crate) section: String,
    pub(crate) negated: bool,
}

/// Splits a key without leading dash (reference: `InterpretKey`).
pub(crate) fn interpret_key(key: &str) -> KeyInfo {
    let (section, key) = key.split_once('.').unwrap_or(("", key));
    let (negated, name) = match key.strip_prefix("no") {
        Some(name) => (true, name),
        None => (false, key),
    };
    KeyInfo { name: name.to_owned(), section: section.to_owned(), negated }
}

/// Value of a key: `false` if negated, else the text, empty without one (reference: `InterpretValue`).
pub(crate) fn interpret_value(
    key: &KeyInfo,
    value: Option<&str>,
    flags: Flags,
) -> Result<SettingsValue, ArgsError> {
    if key.negated {
        if flags.has(Flags::NO_NEGATION) {
            return Err(ArgsError::NegationForbidden(key.name.clone()));
        }
        // -nofoo=0 is accepted as -foo=1.
        if let Some(value) = value.filter(|value| !interpret_bool(value)) {
            grs_log::warn!("Parsed potentially confusing double-negative -{}={}", key.name, value);
            return Ok(Value::Bool(true));
        }
        return Ok(Value::Bool(false));
    }
    if value.is_none() && flags.has(Flags::NO_ELISION) {
        return Err(ArgsError::ValueMissing(key.name.clone()));
    }
    Ok(Value::String(value.unwrap_or_default().to_owned()))
}

/// Text as a boolean: empty is true, otherwise true if its leading integer is not 0. So `true` is false, as in the
/// reference.
pub fn interpret_bool(value: &str) -> bool {
    value.is_empty() || atoi::<i32>(value) != 0
}

/// Integers an option may have.
pub trait FromArg: Copy {
    /// The smallest value, for overflow below.
    const MIN: Self;
    /// The largest value, for overflow above.
    const MAX: Self;
    /// Zero, for text that is no number.
    const ZERO: Self;
    /// One, for `true`.
    const ONE: Self;
    /// Whether text may have a minus sign.
    const SIGNED: bool;
    /// Exact conversion.
    fn from_i128(value: i128) -> Option<Self>;
}

macro_rules! from_arg {
    ($($int:ident)*) => {$(
        impl FromArg for $int {
            const MIN: Self = $int::MIN;
            const MAX: Self = $int::MAX;
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const SIGNED: bool = $int::MIN != 0;
            fn from_i128(value: i128) -> Option<Self> {
                $int::try_from(value).ok()
            }
        }
    )*};
}

from_arg!(i8 u8 i16 u16 i32 u32 i64 u64);

/// The integer at the start of a text: blanks and one sign before it are allowed, anything may follow, no digits are
/// 0, and what does not fit becomes the nearest value (reference: `LocaleIndependentAtoi`).
pub fn atoi<T: FromArg>(text: &str) -> T {
    let mut text = text.trim_matches([' ', '\x0c', '\n', '\r', '\t', '\x0b']);
    if let Some(rest) = text.strip_prefix('+') {
        if rest.starts_with('-') {
            return T::ZERO;
        }
        text = rest;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(_) if !T::SIGNED => return T::ZERO,
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut value: i128 = 0;
    for digit in digits.bytes().take_while(u8::is_ascii_digit) {
        // Saturates far outside of all our types.
        value = (value * 10 + i128::from(digit - b'0')).min(1 << 80);
    }
    let value = if negative { -value } else { value };
    T::from_i128(value).unwrap_or(if negative { T::MIN } else { T::MAX })
}

pub(crate) fn to_text(value: &SettingsValue) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(false) => Some("0".into()),
        Value::Bool(true) => Some("1".into()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        // The reference throws here. An option given as a list or object in settings.json counts as unset.
        Value::Array(_) | Value::Object(_) => None,
    }
}

pub(crate) fn to_bool(value: &SettingsValue) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        other => to_text(other).map(|text| interpret_bool(&text)),
    }
}

pub(crate) fn to_int<T: FromArg>(value: &SettingsValue) -> Option<T> {
    match value {
        Value::Bool(value) => Some(if *value { T::ONE } else { T::ZERO }),
        other => to_text(other).map(|text| atoi(&text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let key = |text: &str| {
            let key = interpret_key(text);
            (key.section, key.name, key.negated)
        };
        assert_eq!(key("foo"), ("".into(), "foo".into(), false));
        assert_eq!(key("nofoo"), ("".into(), "foo".into(), true));
        assert_eq!(key("test.nofoo"), ("test".into(), "foo".into(), true));
        assert_eq!(key("a.b.c"), ("a".into(), "b.c".into(), false));
        assert_eq!(key("no"), ("".into(), "".into(), true));
        assert_eq!(key(""), ("".into(), "".into(), false));
    }

    #[test]
    fn integers_like_atoi() {
        assert_eq!(atoi::<i64>(" \t12abc"), 12);
        assert_eq!(atoi::<i64>("+5"), 5);
        assert_eq!(atoi::<i64>("+-5"), 0);
        assert_eq!(atoi::<i64>("++5"), 0);
        assert_eq!(atoi::<i64>("-5 "), -5);
        assert_eq!(atoi::<i64>("- 5"), 0);
        assert_eq!(atoi::<i64>("-"), 0);
        assert_eq!(atoi::<i64>("foo"), 0);
        assert_eq!(atoi::<i64>("0x10"), 0);
        assert_eq!(atoi::<i64>("9223372036854775808"), i64::MAX);
        assert_eq!(atoi::<i64>("-99999999999999999999999999999999999999999999999"), i64::MIN);
        assert_eq!(atoi::<u64>("18446744073709551615"), u64::MAX);
        assert_eq!(atoi::<u64>("99999999999999999999999999999999999999999999999"), u64::MAX);
        assert_eq!(atoi::<u8>("-1"), 0);
        assert_eq!(atoi::<u8>("300"), 255);
        assert_eq!(atoi::<i8>("-129"), -128);
        assert_eq!(atoi::<u16>("18443"), 18443);
    }

    #[test]
    fn booleans() {
        for (text, expected) in [
            ("", true),
            ("1", true),
            ("0", false),
            ("true", false),
            ("2x", true),
            ("-1", true),
            ("00", false),
        ] {
            assert_eq!(interpret_bool(text), expected, "{text}");
        }
    }
}
