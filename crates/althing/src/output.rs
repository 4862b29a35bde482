//! What commands print: tables for people, one JSON value for programs.

use std::{
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use serde::Serialize;

/// How a command was asked to answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One JSON value on standard output and nothing else.
    pub(crate) json: bool,
}

impl Output {
    /// Prints `value` as one line of JSON, or what `text` says of it.
    pub(crate) fn show(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { text() };
        write_out(text.trim_end())
    }

    /// Prints a sentence for people; programs get their JSON elsewhere.
    pub(crate) fn say(self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { write_out(text) }
    }
}

/// Set once nobody reads standard output any more.
static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Whether somebody may still read what is printed; a command without end is over when not.
pub(crate) fn is_read() -> bool {
    !READER_GONE.load(Ordering::Relaxed)
}

/// A line on standard output.
pub(crate) fn write_out(text: &str) -> anyhow::Result<()> {
    write_bytes(format!("{text}\n").as_bytes())
}

/// Bytes on standard output, as they are. A reader that went away (`| head`) is no error worth a
/// message, nor a reason to end before the command has come to its verdict.
pub(crate) fn write_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if !taken(out.write_all(bytes).and_then(|()| out.flush()))? {
        READER_GONE.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Whether a reader was there to take what was written.
fn taken(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}

/// Rows under headings, each column as wide as its widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; cells beyond the headings are dropped.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().take(self.headings.len()).collect());
    }

    /// The text, or `none` if there are no rows.
    pub(crate) fn or(self, none: &str) -> String {
        if self.rows.is_empty() { none.to_owned() } else { self.to_text() }
    }

    /// The text.
    pub(crate) fn to_text(&self) -> String {
        let headings: Vec<String> = self.headings.iter().map(|h| (*h).to_owned()).collect();
        let lines = || std::iter::once(&headings).chain(&self.rows);
        let width = |column: usize| {
            lines().filter_map(|cells| cells.get(column)).map(|c| c.chars().count()).max()
        };
        let widths: Vec<usize> =
            (0..headings.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for (index, cells) in lines().enumerate() {
            let numeric = |cell: &str| index > 0 && is_numeric(cell);
            let padded = cells.iter().zip(&widths).map(|(cell, width)| {
                if numeric(cell) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            let line = padded.collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Whether a cell is a number and so belongs at the right edge of its column.
fn is_numeric(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',')
}

/// Names and values below each other, the names as wide as the widest.
pub(crate) fn fields(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

/// The first eight hex digits of a digest, enough for a person to recognise it.
pub(crate) fn short(hex: &str) -> &str {
    hex.get(..8).unwrap_or(hex)
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A closed pipe used to end the program with success, before it came to its verdict.
    #[test]
    fn a_reader_that_went_away_is_noticed_and_no_error() {
        let failed = |kind: io::ErrorKind| Err(io::Error::from(kind));
        assert!(matches!(taken(Ok(())), Ok(true)));
        assert!(matches!(taken(failed(io::ErrorKind::BrokenPipe)), Ok(false)));
        assert!(taken(failed(io::ErrorKind::StorageFull)).is_err());
    }

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["name", "height", "unit"]);
        table.row(["a".into(), "7".into(), "°F".into()]);
        table.row(["longer".into(), "1024".into(), String::new()]);
        assert_eq!(table.to_text(), "name    height  unit\na            7  °F\nlonger    1024\n");
        assert_eq!(Table::new(&["name"]).or("nothing yet"), "nothing yet");
    }

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(fields(&[("a", "1".into()), ("bcd", "2".into())]), "a    1\nbcd  2\n");
    }
}
