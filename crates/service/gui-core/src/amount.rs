//! Amounts in the four units. Reference: `src/qt/bitcoinunits.cpp`.

use grs_primitives::MAX_MONEY;

use crate::texts::Text;

/// A narrow space between groups of three digits: it means nothing in any locale.
pub const THIN_SPACE: char = '\u{2009}';

/// A unit of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unit {
    /// Coins.
    #[default]
    Grs,
    /// Thousandths.
    MilliGrs,
    /// Millionths, called groestls.
    MicroGrs,
    /// The smallest unit.
    Gro,
}

impl Unit {
    /// All units, the largest first.
    pub const ALL: [Unit; 4] = [Unit::Grs, Unit::MilliGrs, Unit::MicroGrs, Unit::Gro];

    /// Digits after the point.
    pub fn decimals(self) -> usize {
        match self {
            Unit::Grs => 8,
            Unit::MilliGrs => 5,
            Unit::MicroGrs => 2,
            Unit::Gro => 0,
        }
    }

    /// Gro in one.
    pub fn factor(self) -> u64 {
        10_u64.pow(self.decimals() as u32)
    }

    /// Name behind an amount.
    pub fn short_name(self) -> &'static str {
        match self {
            Unit::Grs => "GRS",
            Unit::MilliGrs => "mGRS",
            Unit::MicroGrs => "groestls",
            Unit::Gro => "gro",
        }
    }

    /// Name in a list of units.
    pub fn long_name(self) -> &'static str {
        match self {
            Unit::Grs => "GRS",
            Unit::MilliGrs => "mGRS",
            Unit::MicroGrs => "µGRS (groestls)",
            Unit::Gro => "Gro (gro)",
        }
    }

    /// What it is, for a tool tip.
    pub fn description(self) -> &'static str {
        match self {
            Unit::Grs => Text::UnitGrs.s(),
            Unit::MilliGrs => Text::UnitMilliGrs.s(),
            Unit::MicroGrs => Text::UnitMicroGrs.s(),
            Unit::Gro => Text::UnitGro.s(),
        }
    }

    /// Name in the settings file.
    pub fn key(self) -> &'static str {
        match self {
            Unit::Grs => "grs",
            Unit::MilliGrs => "mgrs",
            Unit::MicroGrs => "ugrs",
            Unit::Gro => "gro",
        }
    }

    /// The unit of [`Unit::key`].
    pub fn from_key(key: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.key() == key)
    }
}

/// Whether groups of three digits are set apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Never.
    Never,
    /// From five digits on.
    Standard,
    /// From four digits on.
    Always,
}

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Groups of digits.
    pub grouping: Grouping,
    /// A plus before amounts above zero.
    pub plus: bool,
}

impl Default for Style {
    fn default() -> Self {
        Style { grouping: Grouping::Standard, plus: false }
    }
}

/// An amount in gro as a number of `unit`, with all its decimals.
pub fn format(unit: Unit, gro: i64, style: Style) -> String {
    let (whole, rest) = (gro.unsigned_abs() / unit.factor(), gro.unsigned_abs() % unit.factor());
    let digits = whole.to_string();
    let grouped = match style.grouping {
        Grouping::Never => false,
        Grouping::Standard => digits.len() > 4,
        Grouping::Always => true,
    };
    let mut out = String::with_capacity(digits.len() + 16);
    if gro < 0 {
        out.push('-');
    } else if gro > 0 && style.plus {
        out.push('+');
    }
    for (n, digit) in digits.chars().enumerate() {
        if grouped && n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(THIN_SPACE);
        }
        out.push(digit);
    }
    if unit.decimals() > 0 {
        out.push_str(&format!(".{rest:0width$}", width = unit.decimals()));
    }
    out
}

/// As [`format`], followed by the unit.
pub fn format_with_unit(unit: Unit, gro: i64) -> String {
    format!("{} {}", format(unit, gro, Style::default()), unit.short_name())
}

/// As [`format_with_unit`], with each digit hidden.
pub fn format_masked(unit: Unit, gro: i64) -> String {
    let shown = format(unit, gro.saturating_abs(), Style::default());
    format!("{} {}", shown.replace(|c: char| c.is_ascii_digit(), "#"), unit.short_name())
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountError {
    /// Nothing there.
    Empty,
    /// Not a number.
    NotANumber,
    /// More digits after the point than the unit has.
    TooPrecise(Unit),
    /// More than there can ever be.
    TooLarge,
    /// Below zero.
    Negative,
    /// Zero where that makes no sense.
    Zero,
}

impl AmountError {
    /// For the user, beside the field.
    pub fn text(self) -> String {
        match self {
            AmountError::Empty => Text::AmountEmpty.s().to_owned(),
            AmountError::NotANumber => Text::AmountNotANumber.s().to_owned(),
            AmountError::TooPrecise(unit) => {
                Text::AmountTooPrecise.with(&[("decimals", &unit.decimals()), ("unit", &unit.short_name())])
            }
            AmountError::TooLarge => Text::AmountTooLarge.s().to_owned(),
            AmountError::Negative => Text::AmountNegative.s().to_owned(),
            AmountError::Zero => Text::AmountZero.s().to_owned(),
        }
    }
}

/// Whether a character is a space of any width, or of none, that people paste along.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Reads an amount of `unit` in gro. Spaces between digits mean nothing; a comma is a point.
pub fn parse(unit: Unit, text: &str) -> Result<i64, AmountError> {
    let text: String =
        text.chars().filter(|c| !is_blank(*c)).map(|c| if c == ',' { '.' } else { c }).collect();
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    let (negative, number) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(AmountError::NotANumber);
    }
    if negative {
        return Err(AmountError::Negative);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > unit.decimals() {
        return Err(AmountError::TooPrecise(unit));
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() + unit.decimals() > 18 {
        return Err(AmountError::TooLarge);
    }
    let gro = format!("0{whole}{fraction:0<width$}", width = unit.decimals());
    match gro.parse::<i64>() {
        Ok(gro) if gro <= MAX_MONEY => Ok(gro),
        _ => Err(AmountError::TooLarge),
    }
}

/// Reads an amount that must be above zero.
pub fn parse_positive(unit: Unit, text: &str) -> Result<i64, AmountError> {
    match parse(unit, text)? {
        0 => Err(AmountError::Zero),
        gro => Ok(gro),
    }
}

/// How an amount stands in a field: with digit groups, and without zeros at the end that say nothing.
pub fn format_field(unit: Unit, gro: i64) -> String {
    let full = format(unit, gro, Style { grouping: Grouping::Always, plus: false });
    match full.contains('.') {
        true => full.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => full,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_in_all_units() {
        let gro = 1_234_567_890_123;
        assert_eq!(format_with_unit(Unit::Grs, gro), "12\u{2009}345.67890123 GRS");
        assert_eq!(format_with_unit(Unit::MilliGrs, gro), "12\u{2009}345\u{2009}678.90123 mGRS");
        assert_eq!(format_with_unit(Unit::MicroGrs, gro), "12\u{2009}345\u{2009}678\u{2009}901.23 groestls");
        assert_eq!(format_with_unit(Unit::Gro, gro), "1\u{2009}234\u{2009}567\u{2009}890\u{2009}123 gro");
        // Four digits stay together but in fields.
        assert_eq!(format_with_unit(Unit::Gro, 1234), "1234 gro");
        assert_eq!(format_field(Unit::Gro, 1234), "1\u{2009}234");
        assert_eq!(format_field(Unit::Grs, 150_000_000), "1.5");
        assert_eq!(format_field(Unit::Gro, 100), "100");
        assert_eq!(format_with_unit(Unit::Grs, -1), "-0.00000001 GRS");
        assert_eq!(format(Unit::Grs, 1, Style { grouping: Grouping::Never, plus: true }), "+0.00000001");
        assert_eq!(format_masked(Unit::Grs, -1_200_000_000), "##.######## GRS");
    }

    #[test]
    fn what_is_no_amount() {
        let parse = |text| parse(Unit::MicroGrs, text);
        assert_eq!(parse(""), Err(AmountError::Empty));
        assert_eq!(parse("\u{200b} "), Err(AmountError::Empty));
        for text in [".", "1.2.3", "1e3", "0x1", "1 GRS", "--1", "١", "1.-2", "-"] {
            assert_eq!(parse(text), Err(AmountError::NotANumber), "{text}");
        }
        assert_eq!(parse("-1"), Err(AmountError::Negative));
        assert_eq!(parse("0.001"), Err(AmountError::TooPrecise(Unit::MicroGrs)));
        assert_eq!(parse("99999999999999999999999"), Err(AmountError::TooLarge));
        assert_eq!(super::parse(Unit::Gro, &(MAX_MONEY + 1).to_string()), Err(AmountError::TooLarge));
        assert_eq!(super::parse(Unit::Gro, &MAX_MONEY.to_string()), Ok(MAX_MONEY));
        assert_eq!(parse_positive(Unit::Grs, "0.00"), Err(AmountError::Zero));
        assert_eq!(super::parse(Unit::Grs, "1,5"), Ok(150_000_000));
        assert_eq!(super::parse(Unit::Grs, " 12 345.6000000000 "), Ok(1_234_560_000_000));
        assert_eq!(super::parse(Unit::Grs, ".5"), Ok(50_000_000));
        assert_eq!(super::parse(Unit::Grs, "5."), Ok(500_000_000));
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(gro in 0..=MAX_MONEY, unit in 0_usize..4) {
            let unit = Unit::ALL[unit];
            for grouping in [Grouping::Never, Grouping::Standard, Grouping::Always] {
                prop_assert_eq!(super::parse(unit, &format(unit, gro, Style { grouping, plus: true })), Ok(gro));
            }
            prop_assert_eq!(super::parse(unit, &format_field(unit, gro)), Ok(gro));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}", unit in 0_usize..4) {
            if let Ok(gro) = super::parse(Unit::ALL[unit], &text) {
                prop_assert!((0..=MAX_MONEY).contains(&gro));
            }
        }
    }
}
