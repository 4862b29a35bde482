//! Amounts of tokens as people write them: whole tokens with decimal places.

use althing_types::Amount;

/// Reads an amount in whole tokens, such as `12.5`, of a token whose smallest unit is `decimals`
/// places. None if it is no number, has more places, or is more than there can be.
#[must_use]
pub fn parse(text: &str, decimals: u8) -> Option<Amount> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let places = usize::from(decimals);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole =
        !whole.is_empty() && is_number(whole) && (whole == "0" || !whole.starts_with('0'));
    if !is_whole || !is_number(part) || part.len() > places || text.ends_with('.') {
        return None;
    }
    let digits = format!("{whole}{part:0<places$}");
    let digits = digits.trim_start_matches('0');
    Amount::parse(if digits.is_empty() { "0" } else { digits })
}

/// Writes an amount, digits in the smallest unit, in whole tokens; without zeros at the end.
#[must_use]
pub fn to_text(units: &str, decimals: u8) -> String {
    let places = usize::from(decimals);
    let digits = format!("{units:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, decimals, units) in [
            ("0", 0, "0"),
            ("0", 6, "0"),
            ("12", 0, "12"),
            ("12", 2, "1200"),
            ("12.5", 2, "1250"),
            ("0.01", 2, "1"),
            ("0.000000000000000001", 18, "1"),
            ("340282366920938463", 18, "340282366920938463000000000000000000"),
        ] {
            let amount = parse(text, decimals).unwrap();
            assert_eq!(amount.to_string(), units, "{text}");
            assert_eq!(to_text(units, decimals), text);
        }
        assert_eq!(parse("1.50", 2), parse("1.5", 2));
        for (wrong, decimals) in [
            ("", 2),
            (".", 2),
            (".5", 2),
            ("1.", 2),
            ("1.234", 2),
            ("1.2", 0),
            ("-1", 2),
            ("+1", 2),
            ("1e3", 2),
            ("01", 2),
            ("1,5", 2),
            ("1 000", 2),
            ("1000000000000000000000000000000000000", 2),
        ] {
            assert_eq!(parse(wrong, decimals), None, "{wrong}");
        }
    }
}
