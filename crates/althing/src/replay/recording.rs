//! Recordings of sensors: files with the columns `timestamp,value`.

use std::path::Path;

use althing_client::file;
use althing_types::decimal::{self, DecimalError};
use anyhow::Context as _;

use crate::report::{NextStep as _, failed};

/// Longest recording, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longest line, bytes; a longer one is no row of a recording.
const LINE_BYTES_MAX: usize = 128;
/// Decimal places that replayed values keep. The recordings' own precision; what some of them show
/// beyond it (`74.93588199999998`) is the noise of a binary float.
pub(crate) const SCALE: u8 = 8;

/// One row: when, as RFC 3339 in UTC, and what, as a JSON number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// `2013-12-02T21:15:00Z`.
    pub(crate) time: String,
    /// `73.96732207`, as recorded.
    pub(crate) value: String,
}

/// Reads a recording from a file.
pub(crate) fn load(path: &Path) -> anyhow::Result<Vec<Row>> {
    let name = path.display().to_string();
    let bytes = file::read(path, FILE_BYTES_MAX)
        .with_context(|| format!("cannot read recording {name}"))
        .next_step(|| "cut the file, or give another folder with --data".to_owned())?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        bad_line(&name, line, "not UTF-8 text")
    })?;
    parse(&name, &text)
}

/// Reads a recording from the text of the file that messages call `name`.
pub(crate) fn parse(name: &str, text: &str) -> anyhow::Result<Vec<Row>> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end()));
    match lines.next() {
        Some((_, "timestamp,value")) => {}
        _ => return Err(bad_line(name, 1, "the first line must be `timestamp,value`")),
    }
    let rows = lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| row(line).map_err(|what| bad_line(name, number, &what)))
        .collect::<anyhow::Result<Vec<Row>>>()?;
    if rows.is_empty() {
        return Err(bad_line(name, 2, "there is no reading in the file"));
    }
    Ok(rows)
}

fn bad_line(name: &str, line: usize, what: &str) -> anyhow::Error {
    failed(
        format!("{name} line {line}: {what}"),
        "a row reads like 2013-12-02 21:15:00,73.96732207; correct the line or give another folder with --data",
    )
}

fn row(line: &str) -> Result<Row, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
    }
    let (time, value) =
        line.split_once(',').ok_or("there must be a timestamp, a comma and a value")?;
    if !is_timestamp(time) {
        return Err(format!("`{time}` is no timestamp"));
    }
    match decimal::parse(value, SCALE, true) {
        Ok(_) if is_json_number(value) => {}
        Ok(_) | Err(DecimalError::Syntax) => return Err(format!("`{value}` is no number")),
        Err(error) => return Err(format!("`{value}` is {error}")),
    }
    Ok(Row { time: format!("{}Z", time.replace(' ', "T")), value: value.to_owned() })
}

/// `decimal::parse` admits a leading `+` and zeros, which JSON does not.
fn is_json_number(value: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(value).is_ok()
}

/// Whether a text is `YYYY-MM-DD hh:mm:ss` of a day that exists.
fn is_timestamp(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-dd dd:dd:dd";
    let bytes = text.as_bytes();
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    if bytes.len() != SHAPE.len() || !bytes.iter().zip(SHAPE).all(fits) {
        return false;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(u32::MAX);
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let clock = number(11, 13) < 24 && number(14, 16) < 60 && number(17, 19) < 60;
    clock && year >= 1970 && (1..=days_of_month(year, month)).contains(&day)
}

/// Days of a month of the Gregorian calendar; 0 if there is no such month.
fn days_of_month(year: u32, month: u32) -> u32 {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rows_as_recorded() {
        let text = "timestamp,value\r\n2013-12-02 21:15:00,73.96732207\r\n2016-02-29 00:00:00,-3\n";
        let rows = parse("a.csv", text).unwrap();
        let expected = [("2013-12-02T21:15:00Z", "73.96732207"), ("2016-02-29T00:00:00Z", "-3")];
        let found: Vec<_> = rows.iter().map(|r| (r.time.as_str(), r.value.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn bad_rows_are_named_by_file_and_line() {
        for (rows, expected) in [
            ("", "a.csv line 2: there is no reading"),
            ("2013-12-02 21:15:00", "a.csv line 2: there must be a timestamp"),
            ("2013-12-02 21:15:00,1\n2013-02-29 21:15:00,1", "a.csv line 3: `2013-02-29"),
            ("2013-13-02 21:15:00,1", "is no timestamp"),
            ("2013-12-02T21:15:00,1", "is no timestamp"),
            ("2013-12-02 24:15:00,1", "is no timestamp"),
            ("2013-12-02 21:15:00,warm", "`warm` is no number"),
            ("2013-12-02 21:15:00,+1", "`+1` is no number"),
            ("2013-12-02 21:15:00,", "`` is no number"),
            ("2013-12-02 21:15:00,1e30", "`1e30` is too large"),
        ] {
            let error = parse("a.csv", &format!("timestamp,value\n{rows}")).unwrap_err();
            assert!(error.to_string().contains(expected), "{rows}: {error}");
        }
        let error = parse("a.csv", "time;value").unwrap_err();
        assert!(error.to_string().contains("a.csv line 1: the first line"), "{error}");
    }
}
