//! Spans of days for the filter, in the user's time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::field::Field;
use crate::texts::Text;

/// Which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DateRange {
    /// All.
    #[default]
    All,
    /// Today.
    Today,
    /// Since Monday.
    ThisWeek,
    /// This month.
    ThisMonth,
    /// The month before.
    LastMonth,
    /// This year.
    ThisYear,
    /// From one day to another.
    Range,
}

impl DateRange {
    /// All choices.
    pub const ALL: [DateRange; 7] = [
        DateRange::All,
        DateRange::Today,
        DateRange::ThisWeek,
        DateRange::ThisMonth,
        DateRange::LastMonth,
        DateRange::ThisYear,
        DateRange::Range,
    ];

    /// Name.
    pub fn name(self) -> &'static str {
        match self {
            DateRange::All => Text::DateAll.s(),
            DateRange::Today => Text::DateToday.s(),
            DateRange::ThisWeek => Text::DateThisWeek.s(),
            DateRange::ThisMonth => Text::DateThisMonth.s(),
            DateRange::LastMonth => Text::DateLastMonth.s(),
            DateRange::ThisYear => Text::DateThisYear.s(),
            DateRange::Range => Text::DateRange.s(),
        }
    }
}

/// First and last second (excluded) of the days; `None` while a field is wrong.
pub(super) fn span(
    range: DateRange,
    from: &mut Field,
    until: &mut Field,
    now: i64,
) -> Option<(Option<i64>, Option<i64>)> {
    let zone = TimeZone::system();
    if range == DateRange::Range {
        let first = from.judge(day(&from.text));
        let last = until.judge(day(&until.text));
        let (first, last) = (first?, last?);
        if let (Some(first), Some(last)) = (first, last)
            && first > last
        {
            until.error = Some(Text::DateOrder.s().to_owned());
            return None;
        }
        let end = last.and_then(|day| day.tomorrow().ok());
        return Some((first.and_then(|d| start(d, &zone)), end.and_then(|d| start(d, &zone))));
    }
    let today = Timestamp::from_second(now).ok()?.to_zoned(zone.clone()).date();
    Some(days(range, today, &zone))
}

/// A day as typed; empty is no limit.
fn day(text: &str) -> Result<Option<Date>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Text::DateInvalid.s().to_owned()),
    }
}

fn start(day: Date, zone: &TimeZone) -> Option<i64> {
    day.to_zoned(zone.clone()).ok().map(|time| time.timestamp().as_second())
}

fn days(range: DateRange, today: Date, zone: &TimeZone) -> (Option<i64>, Option<i64>) {
    let back = |day: Date, span: Span| day.checked_sub(span).ok();
    let at = |day: Option<Date>| day.and_then(|day| start(day, zone));
    match range {
        DateRange::All | DateRange::Range => (None, None),
        DateRange::Today => (at(Some(today)), None),
        DateRange::ThisWeek => {
            let since_monday = i64::from(today.weekday().to_monday_zero_offset());
            (at(back(today, Span::new().days(since_monday))), None)
        }
        DateRange::ThisMonth => (at(Some(today.first_of_month())), None),
        DateRange::LastMonth => {
            let this = today.first_of_month();
            (at(back(this, Span::new().months(1))), at(Some(this)))
        }
        DateRange::ThisYear => (at(Some(today.first_of_year())), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_days() {
        // A Sunday.
        let today: Date = "2026-03-01".parse().unwrap();
        let utc = |text: &str| start(text.parse().unwrap(), &TimeZone::UTC);
        let of = |range| days(range, today, &TimeZone::UTC);
        assert_eq!(of(DateRange::All), (None, None));
        assert_eq!(of(DateRange::Today), (utc("2026-03-01"), None));
        assert_eq!(of(DateRange::ThisWeek), (utc("2026-02-23"), None));
        assert_eq!(of(DateRange::ThisMonth), (utc("2026-03-01"), None));
        assert_eq!(of(DateRange::LastMonth), (utc("2026-02-01"), utc("2026-03-01")));
        assert_eq!(of(DateRange::ThisYear), (utc("2026-01-01"), None));
    }

    #[test]
    fn ranges_that_are_typed() {
        let of = |from: &str, until: &str| {
            let (mut from, mut until) = (Field::new(from), Field::new(until));
            let span = span(DateRange::Range, &mut from, &mut until, 0);
            (span, from.error, until.error)
        };
        assert_eq!(of("", "").0, Some((None, None)));
        let (one, ..) = of("2026-03-01", "2026-03-01");
        let (from, until) = one.unwrap();
        assert_eq!(until.unwrap() - from.unwrap(), 86_400);
        assert!(of("2026-13-01", "").1.is_some());
        assert!(of("", "yesterday").2.is_some());
        assert_eq!(of("2026-03-02", "2026-03-01").2.as_deref(), Some(Text::DateOrder.s()));
    }
}
