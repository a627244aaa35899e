//! Helpers on JSON values: strict getters, amounts, hashes, with the error texts of the reference (`rpc/util.cpp`,
//! `univalue`).

use grs_encoding::{hex_decode, hex_decode_array};
use serde_json::{Map, Number, Value};

use crate::error::RpcError;

/// Smallest units in one coin.
pub const COIN: i64 = 100_000_000;
/// Largest amount in existence, smallest units.
pub const MAX_MONEY: i64 = 105_000_000 * COIN;

/// A null to refer to where a value is absent.
pub(crate) static NULL: Value = Value::Null;

/// Strict getters. A wrong type is [`crate::code::TYPE_ERROR`], a number out of range [`crate::code::MISC_ERROR`].
pub trait JsonExt {
    /// Name of the type as error texts write it.
    fn type_name(&self) -> &'static str;
    /// String.
    fn get_str(&self) -> Result<&str, RpcError>;
    /// Boolean.
    fn get_bool(&self) -> Result<bool, RpcError>;
    /// Integer of a given width; fractions and exponents are out of range.
    fn get_int<T: std::str::FromStr>(&self) -> Result<T, RpcError>;
    /// Floating point number.
    fn get_f64(&self) -> Result<f64, RpcError>;
    /// Array.
    fn get_array(&self) -> Result<&Vec<Value>, RpcError>;
    /// Object.
    fn get_object(&self) -> Result<&Map<String, Value>, RpcError>;
    /// Value of a key; null when there is none, or when this is no object.
    fn field(&self, key: &str) -> &Value;
    /// Element of an array; null when there is none, or when this is no array.
    fn at(&self, index: usize) -> &Value;
}

fn wrong_type(value: &Value, expected: &str) -> RpcError {
    RpcError::type_error(format!(
        "JSON value of type {} is not of expected type {expected}",
        value.type_name()
    ))
}

impl JsonExt for Value {
    fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    fn get_str(&self) -> Result<&str, RpcError> {
        self.as_str().ok_or_else(|| wrong_type(self, "string"))
    }

    fn get_bool(&self) -> Result<bool, RpcError> {
        self.as_bool().ok_or_else(|| wrong_type(self, "bool"))
    }

    fn get_int<T: std::str::FromStr>(&self) -> Result<T, RpcError> {
        match self {
            Value::Number(number) => {
                number.as_str().parse().map_err(|_| RpcError::misc("JSON integer out of range"))
            }
            _ => Err(wrong_type(self, "number")),
        }
    }

    fn get_f64(&self) -> Result<f64, RpcError> {
        match self {
            Value::Number(number) => match number.as_str().parse::<f64>() {
                Ok(v) if v.is_finite() => Ok(v),
                _ => Err(RpcError::misc("JSON double out of range")),
            },
            _ => Err(wrong_type(self, "number")),
        }
    }

    fn get_array(&self) -> Result<&Vec<Value>, RpcError> {
        self.as_array().ok_or_else(|| wrong_type(self, "array"))
    }

    fn get_object(&self) -> Result<&Map<String, Value>, RpcError> {
        self.as_object().ok_or_else(|| wrong_type(self, "object"))
    }

    fn field(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }

    fn at(&self, index: usize) -> &Value {
        self.get(index).unwrap_or(&NULL)
    }
}

/// Appends the text of an amount in coins with exactly eight decimals.
pub fn write_amount(out: &mut String, amount: i64) {
    use std::fmt::Write;
    let sign = if amount < 0 { "-" } else { "" };
    let units = amount.unsigned_abs();
    let coin = COIN.unsigned_abs();
    // Writing to a string cannot fail.
    let _ = write!(out, "{sign}{}.{:08}", units / coin, units % coin);
}

/// JSON number of an amount in smallest units, with exactly eight decimals (`ValueFromAmount`).
pub fn amount(amount: i64) -> Value {
    let mut text = String::with_capacity(20);
    write_amount(&mut text, amount);
    Value::Number(Number::from_string_unchecked(text))
}

/// JSON number with the text that C++ streams give a double at 16 significant digits (`UniValue::setFloat`).
/// Not a number and infinities become null.
pub fn double(value: f64) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    Value::Number(Number::from_string_unchecked(format_double(value, 16)))
}

/// Text of `%.{precision}g` in C.
pub fn format_double(value: f64, precision: usize) -> String {
    let precision = precision.max(1);
    if value == 0.0 {
        return if value.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    let scientific = format!("{:.*e}", precision - 1, value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
    } else {
        let decimals = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
        trim(&format!("{value:.decimals$}"))
    }
}

/// JSON number from text that is known to be one, for instance `0.00001000`.
/// Text that is no JSON number becomes null.
pub fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// Reads an amount in coins from a number or string into smallest units (`AmountFromValue`).
pub fn amount_from_value(value: &Value) -> Result<i64, RpcError> {
    amount_from_value_with(value, 8)
}

/// As [`amount_from_value`] with another number of decimals: 3 reads a fee rate per vB into units per kvB.
pub fn amount_from_value_with(value: &Value, decimals: u32) -> Result<i64, RpcError> {
    let text = match value {
        Value::Number(number) => number.as_str(),
        Value::String(text) => text,
        _ => return Err(RpcError::type_error("Amount is not a number or string")),
    };
    let amount = parse_fixed_point(text, decimals).ok_or_else(|| RpcError::type_error("Invalid amount"))?;
    if !(0..=MAX_MONEY).contains(&amount) {
        return Err(RpcError::type_error("Amount out of range"));
    }
    Ok(amount)
}

/// Reads a fee rate in coins per kvB into smallest units per kvB (`ParseFeeRate`).
pub fn fee_rate_from_value(value: &Value) -> Result<i64, RpcError> {
    let rate = amount_from_value(value)?;
    if rate >= COIN {
        return Err(RpcError::invalid_parameter(
            "Fee rates larger than or equal to 1GRS/kvB are not accepted",
        ));
    }
    Ok(rate)
}

/// Exact decimal number, in JSON notation, times 10^`decimals`; `None` when it is no such number, needs more decimals,
/// or has more than 18 digits (`ParseFixedPoint`).
pub fn parse_fixed_point(text: &str, decimals: u32) -> Option<i64> {
    const UPPER_BOUND: i64 = 999_999_999_999_999_999;
    let mut rest = text.as_bytes();
    let mut mantissa = 0i64;
    let mut trailing_zeros = 0u32;
    let mut point_offset = 0i64;
    let mut take_digit = |digit: u8| -> Option<()> {
        if digit == b'0' {
            trailing_zeros += 1;
            return Some(());
        }
        for _ in 0..=trailing_zeros {
            if mantissa > UPPER_BOUND / 10 {
                return None;
            }
            mantissa *= 10;
        }
        mantissa += i64::from(digit - b'0');
        trailing_zeros = 0;
        Some(())
    };
    fn digits(rest: &mut &[u8], mut each: impl FnMut(u8) -> Option<()>) -> Option<usize> {
        let mut count = 0;
        while let Some((&digit, tail)) = rest.split_first().filter(|(d, _)| d.is_ascii_digit()) {
            each(digit)?;
            *rest = tail;
            count += 1;
        }
        Some(count)
    }
    let negative = rest.first() == Some(&b'-');
    if negative {
        rest = &rest[1..];
    }
    match rest.first()? {
        b'0' => rest = &rest[1..],
        b'1'..=b'9' => {
            digits(&mut rest, &mut take_digit)?;
        }
        _ => return None,
    }
    if rest.first() == Some(&b'.') {
        rest = &rest[1..];
        let count = digits(&mut rest, &mut take_digit)?;
        if count == 0 {
            return None;
        }
        point_offset = i64::try_from(count).ok()?;
    }
    let mut exponent = 0i64;
    if matches!(rest.first(), Some(b'e' | b'E')) {
        rest = &rest[1..];
        let sign = match rest.first() {
            Some(b'-') => -1,
            _ => 1,
        };
        if matches!(rest.first(), Some(b'+' | b'-')) {
            rest = &rest[1..];
        }
        let count = digits(&mut rest, |digit| {
            if exponent > UPPER_BOUND / 10 {
                return None;
            }
            exponent = exponent * 10 + i64::from(digit - b'0');
            Some(())
        })?;
        if count == 0 {
            return None;
        }
        exponent *= sign;
    }
    if !rest.is_empty() {
        return None;
    }
    let exponent = exponent.checked_sub(point_offset)? + i64::from(trailing_zeros) + i64::from(decimals);
    if !(0..18).contains(&exponent) {
        return None;
    }
    for _ in 0..exponent {
        if mantissa > UPPER_BOUND / 10 {
            return None;
        }
        mantissa *= 10;
    }
    if mantissa > UPPER_BOUND {
        return None;
    }
    Some(if negative { -mantissa } else { mantissa })
}

/// Reads a 32-byte hash in display order; gives its bytes in internal order, that is reversed (`ParseHashV`).
pub fn parse_hash(value: &Value, name: &str) -> Result<[u8; 32], RpcError> {
    let text = value.get_str()?;
    if text.len() != 64 {
        return Err(RpcError::invalid_parameter(format!(
            "{name} must be of length 64 (not {}, for '{text}')",
            text.len()
        )));
    }
    let mut hash: [u8; 32] = hex_decode_array(text).map_err(|_| not_hex(text, name))?;
    hash.reverse();
    Ok(hash)
}

/// As [`parse_hash`] for a key of an object.
pub fn parse_hash_field(object: &Value, key: &str) -> Result<[u8; 32], RpcError> {
    parse_hash(object.field(key), key)
}

/// Reads bytes from a hexadecimal string; empty and other types are errors too (`ParseHexV`).
pub fn parse_hex(value: &Value, name: &str) -> Result<Vec<u8>, RpcError> {
    let text = value.as_str().unwrap_or_default();
    hex_decode(text).ok().filter(|bytes| !bytes.is_empty()).ok_or_else(|| not_hex(text, name))
}

/// As [`parse_hex`] for a key of an object.
pub fn parse_hex_field(object: &Value, key: &str) -> Result<Vec<u8>, RpcError> {
    parse_hex(object.field(key), key)
}

fn not_hex(text: &str, name: &str) -> RpcError {
    RpcError::invalid_parameter(format!("{name} must be hexadecimal string (not '{text}')"))
}

/// JSON type that [`check_object_types`] expects of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any type.
    Any,
    /// String.
    Str,
    /// Number.
    Num,
    /// Boolean.
    Bool,
    /// Array.
    Arr,
    /// Object.
    Obj,
}

impl Expected {
    /// Name in error texts.
    pub fn name(self) -> &'static str {
        match self {
            Expected::Any => "any",
            Expected::Str => "string",
            Expected::Num => "number",
            Expected::Bool => "bool",
            Expected::Arr => "array",
            Expected::Obj => "object",
        }
    }

    fn fits(self, value: &Value) -> bool {
        self == Expected::Any || value.type_name() == self.name()
    }
}

/// Checks the types of an object's keys; `strict` refuses keys not listed (`RPCTypeCheckObj`).
pub fn check_object_types(
    object: &Value,
    expected: &[(&str, Expected)],
    allow_null: bool,
    strict: bool,
) -> Result<(), RpcError> {
    // In order of the names, as the reference walks a sorted map: it decides which error comes first.
    let mut sorted: Vec<_> = expected.to_vec();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    for (key, ty) in &sorted {
        let value = object.field(key);
        if !allow_null && value.is_null() {
            return Err(RpcError::type_error(format!("Missing {key}")));
        }
        if !(ty.fits(value) || allow_null && value.is_null()) {
            return Err(RpcError::type_error(format!(
                "JSON value of type {} for field {key} is not of expected type {}",
                value.type_name(),
                ty.name()
            )));
        }
    }
    if strict {
        for key in object.as_object().into_iter().flat_map(Map::keys) {
            if !expected.iter().any(|(name, _)| name == key) {
                return Err(RpcError::type_error(format!("Unexpected key {key}")));
            }
        }
    }
    Ok(())
}

/// Reads a verbosity that may also be a boolean (`ParseVerbosity`).
pub fn parse_verbosity(value: &Value, default: i32, allow_bool: bool) -> Result<i32, RpcError> {
    match value {
        Value::Null => Ok(default),
        Value::Bool(_) if !allow_bool => {
            Err(RpcError::type_error("Verbosity was boolean but only integer allowed"))
        }
        Value::Bool(flag) => Ok(i32::from(*flag)),
        _ => value.get_int(),
    }
}

/// Reads a confirmation target (`ParseConfirmTarget`).
pub fn parse_confirm_target(value: &Value, max_target: u32) -> Result<u32, RpcError> {
    let target: i32 = value.get_int()?;
    match u32::try_from(target) {
        Ok(target) if (1..=max_target).contains(&target) => Ok(target),
        _ => Err(RpcError::invalid_parameter(format!(
            "Invalid conf_target, must be between 1 and {max_target}"
        ))),
    }
}

/// Reads the range of a descriptor: an end or `[begin,end]` (`ParseDescriptorRange`).
pub fn parse_descriptor_range(value: &Value) -> Result<(i64, i64), RpcError> {
    let (low, high): (i64, i64) = match value {
        Value::Number(_) => (0, value.get_int()?),
        Value::Array(pair) if pair.len() == 2 && pair.iter().all(Value::is_number) => {
            (pair[0].get_int()?, pair[1].get_int()?)
        }
        _ => {
            return Err(RpcError::invalid_parameter("Range must be specified as end or as [begin,end]"));
        }
    };
    if low > high && value.is_array() {
        return Err(RpcError::invalid_parameter(
            "Range specified as [begin,end] must not have begin after end",
        ));
    }
    if low < 0 {
        return Err(RpcError::invalid_parameter("Range should be greater or equal than 0"));
    }
    if high >> 31 != 0 {
        return Err(RpcError::invalid_parameter("End of range is too high"));
    }
    if high >= low + 1_000_000 {
        return Err(RpcError::invalid_parameter("Range is too large"));
    }
    Ok((low, high))
}
