//! Exact decimals beyond 64 bits, in text.

/// The text of a mantissa at `scale`: `text(150, 2)` is `1.50`.
pub(crate) fn text(mantissa: i128, scale: u8) -> String {
    let digits = format!("{:0width$}", mantissa.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if mantissa < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Decimal places that a mean has beyond those of its stream.
const MEAN_PLACES: u8 = 3;

/// `sum / count` with [`MEAN_PLACES`] more places than `scale`, half to even. None if it overflows
/// or there is nothing to divide by.
pub(crate) fn mean(sum: i128, count: u64, scale: u8) -> Option<String> {
    let shifted = sum.checked_mul(10_i128.pow(u32::from(MEAN_PLACES)))?;
    let count = i128::from(count);
    let (quotient, rest) = (shifted.checked_div_euclid(count)?, shifted.rem_euclid(count));
    let up = match (2 * rest).cmp(&count) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2) == 1,
        std::cmp::Ordering::Greater => true,
    };
    Some(text(quotient + i128::from(up), scale + MEAN_PLACES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_means_are_exact() {
        assert_eq!(text(-5, 1), "-0.5");
        assert_eq!(text(i128::MIN, 0), i128::MIN.to_string());
        for (sum, count, scale, expected) in [
            (10, 4, 0, Some("2.500")),
            (1, 3, 0, Some("0.333")),
            (2, 3, 0, Some("0.667")),
            (-1, 3, 0, Some("-0.333")),
            (1, 2000, 0, Some("0.000")),
            (3, 2000, 0, Some("0.002")),
            (-1, 2000, 0, Some("0.000")),
            (7397, 1, 2, Some("73.97000")),
            (1, 0, 0, None),
            (i128::MAX, 1, 0, None),
        ] {
            assert_eq!(mean(sum, count, scale).as_deref(), expected, "{sum} by {count}");
        }
    }
}
