//! Times in text (RFC 3339) and as milliseconds since 1970 (UTC).

use std::time::{SystemTime, UNIX_EPOCH};

const DAY_MS: i64 = 86_400_000;
/// Years 0000 to 9999, which RFC 3339 can write; others are clamped.
const MS_MIN: i64 = -62_167_219_200_000;
const MS_MAX: i64 = 253_402_300_799_999;

/// The present time, milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Writes a time with milliseconds, in UTC.
#[must_use]
pub fn to_rfc3339(ms: i64) -> String {
    let ms = ms.clamp(MS_MIN, MS_MAX);
    let (year, month, day) = date(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS);
    let (second, milli) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Reads a time such as `2013-12-02T21:15:00Z`; the offset is required, digits beyond milliseconds
/// are cut.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<i64> {
    let shape = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let bytes = text.as_bytes();
    if !text.is_ascii() || shape.iter().any(|(at, byte)| bytes.get(*at) != Some(byte)) {
        return None;
    }
    let day = days(digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?)?;
    let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
    let second = digits(text, 17, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (milli, zone) = fraction(text.get(19..)?)?;
    let local = day * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + milli;
    Some(local - offset_minutes(zone)? * 60_000)
}

fn digits(text: &str, at: usize, len: usize) -> Option<i64> {
    let part = text.get(at..at + len)?;
    part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
}

/// Milliseconds of an optional fraction, and what follows it.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(after) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let len = after.bytes().take_while(u8::is_ascii_digit).count();
    let (number, zone) = after.split_at(len);
    if number.is_empty() || len > 9 {
        return None;
    }
    let milli: String = number.chars().chain("00".chars()).take(3).collect();
    Some((milli.parse().ok()?, zone))
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(zone, 1, 2)?, digits(zone, 4, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Days since 1970 of a date in the proleptic Gregorian calendar. Years run from March, so that the
/// leap day is the last; 400 of them have 146,097 days.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let shifted = year - i64::from(month <= 2);
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    // The 31st of a month without one comes out as another date.
    (date(days) == (year, month, day)).then_some(days)
}

/// The date of a day since 1970: the inverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_times() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2013-12-02T21:15:00.500Z", 1_386_018_900_500),
            ("2000-02-29T00:00:00.000Z", 951_782_400_000),
            ("1969-12-31T23:59:59.999Z", -1),
            ("0000-01-01T00:00:00.000Z", MS_MIN),
            ("9999-12-31T23:59:59.999Z", MS_MAX),
        ] {
            assert_eq!(from_rfc3339(text), Some(ms), "{text}");
            assert_eq!(to_rfc3339(ms), text);
        }
        assert_eq!(from_rfc3339("2013-12-02T23:15:00+02:00"), Some(1_386_018_900_000));
        assert_eq!(to_rfc3339(i64::MAX), to_rfc3339(MS_MAX));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "2100-02-29T00:00:00Z",
            "2013-04-31T00:00:00Z",
            "2013-12-02T21:15:00",
            "2013-12-02T24:15:00Z",
            "2013-13-02T21:15:00Z",
            "2013-12-00T21:15:00Z",
            "2013-12-02T21:15:00.Z",
            "2013-12-02T21:15:00+0200",
            "2013-12-02",
            "",
            "\u{e9}013-12-02T21:15:00Z",
        ] {
            assert_eq!(from_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(ms in MS_MIN..=MS_MAX) {
            prop_assert_eq!(from_rfc3339(&to_rfc3339(ms)), Some(ms));
        }

        #[test]
        fn any_text_is_a_time_or_not(text in "[0-9TZ:.+-]{0,30}") {
            let _ = from_rfc3339(&text);
        }
    }
}
