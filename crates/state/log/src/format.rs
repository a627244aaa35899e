//! Parts of a line: `2026-01-02T03:04:05.123456Z [thread] [file:line] [function] [category:level] text`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::{Category, Level};

/// Escapes control characters except the line feed as `\x1b`, so that no peer can play with the terminal.
pub fn escape_message(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if (c < ' ' && c != '\n') || c == '\x7f' {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Category and level in brackets. Info without category has none; debug is implied by a category.
pub(crate) fn push_prefix(out: &mut String, category: Option<Category>, level: Level, always: bool) {
    let has_category = always || category.is_some();
    if !has_category && level == Level::Info {
        return;
    }
    out.push('[');
    if has_category {
        out.push_str(category.map_or("all", Category::name));
    }
    if always || !has_category || level != Level::Debug {
        if has_category {
            out.push(':');
        }
        out.push_str(level.name());
    }
    out.push_str("] ");
}

/// Date and time of a Unix time in UTC, such as `2026-01-02T03:04:05Z`.
pub fn format_date_time(secs: i64) -> String {
    let mut out = String::new();
    push_date_time(&mut out, u64::try_from(secs).unwrap_or(0));
    out.push('Z');
    out
}

/// Date and time in UTC, to the second, without the zone letter.
fn push_date_time(out: &mut String, secs: u64) {
    let (days, rest) = (secs / 86400, secs % 86400);
    // Civil date from the day number: years start in March, eras have 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
}

/// Time stamp and a space.
pub(crate) fn push_timestamp(out: &mut String, now: Duration, micros: bool, mock_time: Option<i64>) {
    push_date_time(out, now.as_secs());
    if micros {
        let _ = write!(out, ".{:06}", now.subsec_micros());
    }
    out.push('Z');
    if let Some(mock) = mock_time {
        out.push_str(" (mocktime: ");
        push_date_time(out, mock.unsigned_abs());
        out.push_str("Z)");
    }
    out.push(' ');
}

/// Last part of a path such as `crate::module::Type::function::{{closure}}`.
pub(crate) fn short_function(path: &str) -> &str {
    let mut path = path;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(category: Option<Category>, level: Level, always: bool) -> String {
        let mut out = String::new();
        push_prefix(&mut out, category, level, always);
        out
    }

    #[test]
    fn prefixes() {
        let net = Some(Category::Net);
        assert_eq!(prefix(None, Level::Info, false), "");
        assert_eq!(prefix(None, Level::Warning, false), "[warning] ");
        assert_eq!(prefix(None, Level::Error, false), "[error] ");
        assert_eq!(prefix(None, Level::Debug, false), "[debug] ");
        assert_eq!(prefix(net, Level::Debug, false), "[net] ");
        assert_eq!(prefix(net, Level::Trace, false), "[net:trace] ");
        assert_eq!(prefix(net, Level::Info, false), "[net:info] ");
        assert_eq!(prefix(net, Level::Warning, false), "[net:warning] ");
        assert_eq!(prefix(None, Level::Info, true), "[all:info] ");
        assert_eq!(prefix(None, Level::Error, true), "[all:error] ");
        assert_eq!(prefix(net, Level::Debug, true), "[net:debug] ");
    }

    #[test]
    fn timestamps() {
        let stamp = |secs, micros: u32, with, mock| {
            let mut out = String::new();
            push_timestamp(&mut out, Duration::new(secs, micros * 1000), with, mock);
            out
        };
        assert_eq!(stamp(0, 0, false, None), "1970-01-01T00:00:00Z ");
        assert_eq!(stamp(951_782_400, 5, true, None), "2000-02-29T00:00:00.000005Z ");
        assert_eq!(stamp(1_767_323_045, 123_456, true, None), "2026-01-02T03:04:05.123456Z ");
        assert_eq!(stamp(1_735_689_599, 0, false, None), "2024-12-31T23:59:59Z ");
        assert_eq!(
            stamp(1_735_689_600, 0, false, Some(1_709_164_800)),
            "2025-01-01T00:00:00Z (mocktime: 2024-02-29T00:00:00Z) "
        );
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape_message("a\x01\x1b[31m\r\n\x7f\tß"), "a\\x01\\x1b[31m\\x0d\n\\x7f\\x09ß");
    }

    #[test]
    fn function_names() {
        assert_eq!(short_function("a::b::Type::run::{{closure}}::{{closure}}"), "run");
        assert_eq!(short_function("main"), "main");
        assert_eq!(short_function("<a::B as c::D>::go"), "go");
    }
}
