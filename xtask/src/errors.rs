//! The list of refusals in `docs/operating/errors.md`, made from the code.

use std::{fmt::Write as _, fs};

use althing_types::Refusal;
use anyhow::{Context as _, Result};

use crate::root;

const PAGE: &str = "docs/operating/errors.md";
const HEAD: &str = "| number | code | what to do |\n|---:|---|---|\n";

/// The table.
#[must_use]
pub fn table() -> String {
    let mut table = String::from(HEAD);
    for refusal in Refusal::ALL {
        let _ = writeln!(table, "| {} | `{}` | {refusal} |", refusal.number(), refusal.code());
    }
    table
}

/// Puts the present table in place of the one in the page.
///
/// # Errors
/// If the page cannot be read or written, or has no such table.
pub fn bless() -> Result<()> {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("read {PAGE}"))?;
    let (before, rest) = page.split_once(HEAD).with_context(|| format!("no table in {PAGE}"))?;
    let rows: usize =
        rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    fs::write(&path, format!("{before}{}{}", table(), &rest[rows..]))
        .with_context(|| format!("write {PAGE}"))
}
