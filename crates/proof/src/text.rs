//! Values and times in words.

use alloc::{format, string::String};

use althing_types::{StreamSchema, Value, decimal};

/// A value as text with its unit: `21.50 celsius`.
pub(crate) fn value(value: &Value, schema: &StreamSchema) -> String {
    let text = match value {
        Value::Number(mantissa) => decimal::to_text(*mantissa, schema.scale),
        Value::Bool(value) => format!("{value}"),
        Value::Text(text) => format!("\"{}\"", printable(text)),
        Value::Bytes(bytes) => format!("h'{}'", hex::encode(bytes)),
    };
    with_unit(text, schema)
}

/// A text followed by the unit of the stream, if it has one.
pub(crate) fn with_unit(text: String, schema: &StreamSchema) -> String {
    match schema.unit.as_str() {
        "" => text,
        unit => format!("{text} {}", printable(unit)),
    }
}

/// Text from the ledger as a terminal may show it: control characters escaped.
pub(crate) fn printable(text: &str) -> String {
    text.escape_debug().collect()
}

/// Milliseconds since 1970 in the form of RFC 3339, UTC.
pub(crate) fn time(ms: i64) -> String {
    const DAY_MS: i64 = 86_400_000;
    let (days, ms) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let ms = ms % 1000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar. Counts in
/// eras of 400 years, in years that begin with March, so that the leap day is the last.
fn date(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (day - day / 1460 + day / 36_524 - day / (ERA_DAYS - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_795_353_130_007, "2026-11-22T13:12:10.007Z"),
        ] {
            assert_eq!(time(ms), expected);
        }
        for extreme in [i64::MIN, i64::MAX] {
            assert!(time(extreme).ends_with('Z'));
        }
    }
}
