//! Times, spans, sizes and rates as the window shows them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::texts::{Count, Text};

/// Date and time in the user's time zone: `2026-11-22 13:05`.
pub fn date_time(unix: i64) -> String {
    date_time_in(unix, &TimeZone::system())
}

/// As [`date_time`], in a time zone.
pub fn date_time_in(unix: i64, zone: &TimeZone) -> String {
    strftime(unix, zone, "%Y-%m-%d %H:%M")
}

/// With seconds, as in ISO 8601: `2026-11-22T13:05:09`.
pub fn iso_time_in(unix: i64, zone: &TimeZone) -> String {
    strftime(unix, zone, "%Y-%m-%dT%H:%M:%S")
}

/// Time of day: `13:05:09`.
pub fn clock(unix: i64) -> String {
    strftime(unix, &TimeZone::system(), "%H:%M:%S")
}

fn strftime(unix: i64, zone: &TimeZone, format: &str) -> String {
    match Timestamp::from_second(unix) {
        Ok(time) => time.to_zoned(zone.clone()).strftime(format).to_string(),
        Err(_) => Text::Unknown.s().to_owned(),
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const YEAR: i64 = 31_556_952;

/// A span in its largest fitting unit, or two: `3 days`, `1 year and 4 weeks`.
pub fn rough_span(seconds: i64) -> String {
    let whole = |n: i64| n.max(0) as u64;
    match seconds {
        ..MINUTE => Count::Seconds.n(whole(seconds)),
        MINUTE..HOUR => Count::Minutes.n(whole(seconds / MINUTE)),
        HOUR..DAY => Count::Hours.n(whole(seconds / HOUR)),
        DAY..WEEK => Count::Days.n(whole(seconds / DAY)),
        WEEK..YEAR => Count::Weeks.n(whole(seconds / WEEK)),
        _ => {
            let years = Count::Years.n(whole(seconds / YEAR));
            match seconds % YEAR / WEEK {
                0 => years,
                weeks => Text::SpanAnd.with(&[("first", &years), ("second", &Count::Weeks.n(whole(weeks)))]),
            }
        }
    }
}

/// A span exactly: `1 d 2 h 3 m 4 s`.
pub fn exact_span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let parts = [
        (seconds / DAY, Text::SpanDays),
        (seconds % DAY / HOUR, Text::SpanHours),
        (seconds % HOUR / MINUTE, Text::SpanMinutes),
        (seconds % MINUTE, Text::SpanSeconds),
    ];
    let shown: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {}", unit.s())).collect();
    if shown.is_empty() { format!("0 {}", Text::SpanSeconds.s()) } else { shown.join(" ") }
}

/// Bytes in decimal units: `1.2 MB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match UNITS.iter().find(|(size, _)| n >= *size) {
        Some((size, name)) => format!("{:.1} {name}", n as f64 / *size as f64),
        None => format!("{n} B"),
    }
}

/// Bytes per second: `1.2 kB/s`.
pub fn byte_rate(per_second: f32) -> String {
    format!("{}/s", bytes(per_second.max(0.0) as u64))
}

/// A ping in microseconds: `12 ms`; a dash where there is none.
pub fn ping(micros: Option<u64>) -> String {
    micros.map_or_else(|| Text::None.s().to_owned(), |us| format!("{} ms", us / 1000))
}

/// A fee rate in gro per 1,000 virtual bytes, shown in gro per virtual byte: `1.5 gro/vB`.
pub fn fee_rate(per_kvb: u64) -> String {
    format!("{} gro/vB", rate_field(per_kvb))
}

/// The number of [`fee_rate`], for a field.
pub fn rate_field(per_kvb: u64) -> String {
    let text = format!("{}.{:03}", per_kvb / 1000, per_kvb % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share as percent: `12.34 %`.
pub fn percent(share: f64) -> String {
    // Never 100 before it is all done.
    let hundredths = (share.clamp(0.0, 1.0) * 10_000.0).floor() as u32;
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// A count with thin spaces between groups of digits.
pub fn number(n: u64) -> String {
    crate::amount::format(
        crate::amount::Unit::Gro,
        i64::try_from(n).unwrap_or(i64::MAX),
        crate::amount::Style::default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_a_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(date_time_in(0, &TimeZone::UTC), "1970-01-01 00:00");
        assert_eq!(date_time_in(1_395_342_829, &zone), "2014-03-20 21:13");
        assert_eq!(iso_time_in(1_395_342_829, &TimeZone::UTC), "2014-03-20T19:13:49");
        assert_eq!(date_time_in(i64::MAX, &zone), Text::Unknown.s());
    }

    #[test]
    fn spans() {
        for (seconds, text) in [
            (-5, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (3600 * 5, "5 hours"),
            (86_400 * 6, "6 days"),
            (86_400 * 7, "1 week"),
            (YEAR, "1 year"),
            (YEAR * 2 + WEEK * 3, "2 years and 3 weeks"),
        ] {
            assert_eq!(rough_span(seconds), text);
        }
        assert_eq!(exact_span(0), "0 s");
        assert_eq!(exact_span(93_784), "1 d 2 h 3 m 4 s");
        assert_eq!(exact_span(3600), "1 h");
    }

    #[test]
    fn sizes_and_rates() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1500), "1.5 kB");
        assert_eq!(bytes(2_340_000_000), "2.3 GB");
        assert_eq!(byte_rate(-1.0), "0 B/s");
        assert_eq!(fee_rate(1000), "1 gro/vB");
        assert_eq!(fee_rate(1234), "1.234 gro/vB");
        assert_eq!(fee_rate(0), "0 gro/vB");
        assert_eq!(percent(0.999_999_9), "99.99 %");
        assert_eq!(percent(1.0), "100.00 %");
        assert_eq!(percent(f64::NAN), "0.00 %");
        assert_eq!(ping(Some(12_345)), "12 ms");
        assert_eq!(number(12_345), "12\u{2009}345");
    }
}
