use std::fmt::Write as _;

use althing_types::decimal::{self, DecimalError};
use althing_types::limits::SCALE_MAX;

/// One value as a device wrote it, before the stream's schema gives it a type.
///
/// Numbers stay text until their stream's scale is known: a binary float never holds a reading, so
/// what a sensor wrote as `73.96732207` is what the ledger agrees on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A number in JSON's syntax.
    Number(String),
    /// A boolean.
    Bool(bool),
    /// Text.
    Text(String),
    /// Opaque bytes.
    Bytes(Vec<u8>),
}

impl Scalar {
    /// The number that a binary float stands for: its shortest decimal text, which is what the
    /// device meant when it stored 21.5 or 0.1 in four or eight bytes. `None` for NaN and infinity.
    pub(crate) fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self::Number(format!("{value:e}")))
    }

    /// [`Scalar::from_f64`] for single precision, whose shortest text is shorter.
    pub(crate) fn from_f32(value: f32) -> Option<Self> {
        value.is_finite().then(|| Self::Number(format!("{value:e}")))
    }

    /// `mantissa · 10^exponent` (CBOR tag 4).
    pub(crate) fn from_parts(mantissa: i128, exponent: i32) -> Self {
        let mut text = String::with_capacity(24);
        // Writing to a String has no error.
        let _ = write!(text, "{mantissa}e{exponent}");
        Self::Number(text)
    }

    /// What kind of value this is, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Bool(_) => "a boolean",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// The exact sum of two numbers.
///
/// # Errors
/// [`DecimalError`] if one is no number, or the sum needs more than 15 decimal places or more than
/// 64 bits at the finer of the two scales.
pub(crate) fn sum(a: &str, b: &str) -> Result<String, DecimalError> {
    let scale = places(a)?.max(places(b)?);
    let total = decimal::parse(a, scale, false)?
        .checked_add(decimal::parse(b, scale, false)?)
        .ok_or(DecimalError::TooLarge)?;
    Ok(decimal::to_text(total, scale))
}

/// The fewest decimal places that hold the number without rounding.
fn places(number: &str) -> Result<u8, DecimalError> {
    for scale in 0..SCALE_MAX {
        match decimal::parse(number, scale, false) {
            Err(DecimalError::TooPrecise) => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(scale),
        }
    }
    decimal::parse(number, SCALE_MAX, false).map(|_| SCALE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_the_text_that_was_meant() {
        for (scalar, scale, expected) in [
            (Scalar::from_f64(73.967_322_07), 8, 7_396_732_207),
            (Scalar::from_f64(0.1), 1, 1),
            (Scalar::from_f64(-1e-3), 3, -1),
            (Scalar::from_f32(21.3), 1, 213),
            (Some(Scalar::from_parts(27315, -2)), 2, 27315),
        ] {
            let Some(Scalar::Number(text)) = scalar else { panic!("not a number") };
            assert_eq!(decimal::parse(&text, scale, false), Ok(expected), "{text}");
        }
        assert_eq!(Scalar::from_f64(f64::NAN), None);
        assert_eq!(Scalar::from_f32(f32::INFINITY), None);
    }

    #[test]
    fn sums_are_exact() {
        for (a, b, expected) in [
            ("20", "0.1", Ok("20.1")),
            ("1.276020076001e+09", "-5", Ok("1276020071.001")),
            ("0.1", "0.2", Ok("0.3")),
            ("1e18", "1e18", Ok("2000000000000000000")),
            ("9e18", "9e18", Err(DecimalError::TooLarge)),
            ("1e-16", "0", Err(DecimalError::TooPrecise)),
            ("x", "0", Err(DecimalError::Syntax)),
        ] {
            assert_eq!(sum(a, b).as_deref(), expected.as_ref().copied(), "{a} + {b}");
        }
    }
}
