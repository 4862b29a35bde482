//! Claimed times in text: RFC 3339 to milliseconds since 1970.

const DAY_MS: i64 = 86_400_000;

/// Milliseconds since 1970 of an RFC 3339 time such as `2013-12-02T21:15:00Z`. A space may stand
/// for the `T`. The offset is required: a time without one means another instant at each site.
/// Digits beyond milliseconds are cut. A leap second counts as the second after it.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 20
        && [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')].iter().all(|(at, b)| bytes[*at] == *b)
        && matches!(bytes[10], b'T' | b't' | b' ');
    if !shape || !text.is_ascii() {
        return None;
    }
    let day = days(digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?)?;
    let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
    let second = digits(text, 17, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction_ms, zone) = fraction(&text[19..])?;
    let local = day * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + fraction_ms;
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
    if number.is_empty() || len > 18 {
        return None;
    }
    let padded: String = number.chars().chain("00".chars()).take(3).collect();
    Some((padded.parse().ok()?, zone))
}

fn offset_minutes(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    if zone.len() != 6 || zone.as_bytes()[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(zone, 1, 2)?, digits(zone, 4, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    match zone.as_bytes()[0] {
        b'+' => Some(hours * 60 + minutes),
        b'-' => Some(-(hours * 60 + minutes)),
        _ => None,
    }
}

/// Days since 1970 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=in_month).contains(&day) {
        return None;
    }
    // Years from March, so that the leap day is the last; 400 years have 146,097 days.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2013-12-02T21:15:00Z", Some(1_386_018_900_000)),
            ("2013-12-02 21:15:00.5Z", Some(1_386_018_900_500)),
            ("2013-12-02T23:15:00+02:00", Some(1_386_018_900_000)),
            ("2013-12-02T21:15:00.1239Z", Some(1_386_018_900_123)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            ("2100-02-29T00:00:00Z", None),
            ("2013-12-02T21:15:00", None),
            ("2013-12-02T24:15:00Z", None),
            ("2013-13-02T21:15:00Z", None),
            ("2013-12-02T21:15:00.Z", None),
            ("2013-12-02T21:15:0Z ", None),
            ("2013-12-02T21:15:00+02.00", None),
            ("+013-12-02T21:15:00Z", None),
            ("yesterday, around noon", None),
            ("", None),
        ] {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
    }
}
