//! Amounts of data as people write them in a configuration file.

/// Reads `500MB`, `2GB` or `1TB`, in thousands; or `4GiB`, in powers of 1024.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no amount of data: write it like 500MB, 2GB, 4GiB or 1TB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit: u64 = match unit {
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, expected) in [
            ("500MB", Some(500_000_000)),
            ("2GB", Some(2_000_000_000)),
            ("4GiB", Some(4 << 30)),
            ("1TB", Some(1_000_000_000_000)),
            ("0GB", None),
            ("2", None),
            ("GB", None),
            ("", None),
            ("-1GB", None),
            ("1.5GB", None),
            ("2gb", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }
}
