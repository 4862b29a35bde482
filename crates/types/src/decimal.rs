//! Exact decimals in text and at a fixed scale; binary floats never enter the ledger.

use alloc::{format, string::String};

use crate::limits::SCALE_MAX;

/// Why a text is no value of a numeric stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not an optional sign, digits, an optional point with digits, an optional exponent.
    #[error("not a decimal number")]
    Syntax,
    /// More decimal places than the scale holds, and rounding is not allowed.
    #[error("more decimal places than the stream's quantum allows")]
    TooPrecise,
    /// Does not fit 64 bits at the scale.
    #[error("too large")]
    TooLarge,
}

/// The mantissa of `text` at `scale` decimal places: `parse("1.5", 2)` is 150.
///
/// Accepts JSON's number syntax (RFC 8259 §6), leading zeros and a leading `+` too. With `round`,
/// surplus places are rounded half to even (IEEE 754 roundTiesToEven); otherwise they are an error
/// unless they are zeros.
///
/// ```
/// use althing_types::decimal::{parse, to_text};
///
/// assert_eq!(parse("21.5", 2, false), Ok(2150));
/// assert_eq!(parse("2.15e1", 2, false), Ok(2150));
/// assert!(parse("21.505", 2, false).is_err());
/// assert_eq!(to_text(2150, 2), "21.50");
/// ```
///
/// # Errors
/// [`DecimalError`].
pub fn parse(text: &str, scale: u8, round: bool) -> Result<i64, DecimalError> {
    let number = Number::read(text)?;
    number.at_scale(scale.min(SCALE_MAX), round)
}

/// The text of a mantissa at `scale`: `format(150, 2)` is `1.50`.
#[must_use]
pub fn to_text(mantissa: i64, scale: u8) -> String {
    let digits = format!("{:0width$}", mantissa.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if mantissa < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A decimal as written: `digits · 10^exponent`, with a sign.
struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

/// Digits read before the rest only shifts the exponent; 38 fit in 128 bits.
const DIGITS_MAX: u32 = 36;
/// Longest text looked at, bytes; a longer one is no number a sensor sends.
const TEXT_BYTES_MAX: usize = 64;

impl Number {
    fn read(text: &str) -> Result<Self, DecimalError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(DecimalError::Syntax);
        }
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(DecimalError::Syntax),
            None => (mantissa, ""),
        };
        if whole.is_empty() {
            return Err(DecimalError::Syntax);
        }
        let mut number = Self { negative, digits: 0, exponent };
        for (index, byte) in whole.bytes().chain(fraction.bytes()).enumerate() {
            number.push(byte, index >= whole.len())?;
        }
        Ok(number)
    }

    fn push(&mut self, byte: u8, is_fraction: bool) -> Result<(), DecimalError> {
        if !byte.is_ascii_digit() {
            return Err(DecimalError::Syntax);
        }
        if self.digits >= 10_u128.pow(DIGITS_MAX) {
            return Err(DecimalError::TooPrecise);
        }
        self.digits = self.digits * 10 + u128::from(byte - b'0');
        self.exponent -= i32::from(is_fraction);
        Ok(())
    }

    fn at_scale(&self, scale: u8, round: bool) -> Result<i64, DecimalError> {
        let shift = self.exponent + i32::from(scale);
        let magnitude = if self.digits == 0 {
            0
        } else if shift >= 0 {
            let factor = 10_u128.checked_pow(shift.unsigned_abs()).ok_or(DecimalError::TooLarge)?;
            self.digits.checked_mul(factor).ok_or(DecimalError::TooLarge)?
        } else {
            divide(self.digits, shift.unsigned_abs(), round)?
        };
        let magnitude = i128::try_from(magnitude).map_err(|_| DecimalError::TooLarge)?;
        let signed = if self.negative { -magnitude } else { magnitude };
        i64::try_from(signed).map_err(|_| DecimalError::TooLarge)
    }
}

fn read_exponent(text: &str) -> Result<i32, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    text.parse().map_err(|_| DecimalError::Syntax)
}

/// `digits / 10^places`, half to even if rounding is allowed.
fn divide(digits: u128, places: u32, round: bool) -> Result<u128, DecimalError> {
    let Some(divisor) = 10_u128.checked_pow(places) else {
        return if round { Ok(0) } else { Err(DecimalError::TooPrecise) };
    };
    let (quotient, rest) = (digits / divisor, digits % divisor);
    match (rest == 0, round) {
        (true, _) => Ok(quotient),
        (false, false) => Err(DecimalError::TooPrecise),
        (false, true) => {
            let half = divisor / 2;
            let up = rest > half || (rest == half && quotient % 2 == 1);
            Ok(quotient + u128::from(up))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DecimalError::{Syntax, TooLarge, TooPrecise};
    use proptest::prelude::*;

    #[test]
    fn parses_what_sensors_write() {
        for (text, scale, round, expected) in [
            ("73.96732207", 8, false, Ok(7_396_732_207)),
            ("74.93588199999998", 8, true, Ok(7_493_588_200)),
            ("74.93588199999998", 8, false, Err(TooPrecise)),
            ("73", 0, false, Ok(73)),
            ("-0.5", 1, false, Ok(-5)),
            ("+1.50", 1, false, Ok(15)),
            ("1e3", 0, false, Ok(1000)),
            ("1.25e-1", 3, false, Ok(125)),
            ("0.25", 1, true, Ok(2)),
            ("0.35", 1, true, Ok(4)),
            ("-9223372036854775808", 0, false, Ok(i64::MIN)),
            ("9223372036854775808", 0, false, Err(TooLarge)),
            ("1e40", 0, false, Err(TooLarge)),
            ("0e999", 0, false, Ok(0)),
            ("1e-99", 2, true, Ok(0)),
            ("", 0, false, Err(Syntax)),
            ("-", 0, false, Err(Syntax)),
            (".5", 1, false, Err(Syntax)),
            ("5.", 1, false, Err(Syntax)),
            ("1_000", 0, false, Err(Syntax)),
            ("NaN", 0, false, Err(Syntax)),
            ("0x10", 0, false, Err(Syntax)),
            ("1e99999", 0, false, Err(Syntax)),
        ] {
            assert_eq!(parse(text, scale, round), expected, "{text} at {scale}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(mantissa: i64, scale in 0_u8..=SCALE_MAX) {
            prop_assert_eq!(parse(&to_text(mantissa, scale), scale, false), Ok(mantissa));
        }

        #[test]
        fn any_text_is_a_value_or_an_error(text in ".{0,80}", scale: u8, round: bool) {
            let _ = parse(&text, scale, round);
        }
    }
}
