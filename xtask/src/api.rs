//! The committed descriptions of the HTTP interface and of its events.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{root, shell};

/// Each with the example of crate `api` that prints it.
const PAGES: [(&str, &str); 2] =
    [("docs/reference/openapi.json", "openapi"), ("docs/reference/asyncapi.json", "asyncapi")];
const PRINT: &str = "cargo run --quiet --package althing-api --example";

/// Compares the committed documents with what the code says now, or writes them.
///
/// # Errors
/// If they differ, or a document cannot be made, read or written.
pub fn api(bless: bool) -> Result<()> {
    PAGES.iter().try_for_each(|(page, example)| compare(page, example, bless))
}

fn compare(page: &str, example: &str, bless: bool) -> Result<()> {
    let print = format!("{PRINT} {example}");
    let run = shell::run_quietly(&print);
    ensure!(run.ended_well, "`{print}` failed");
    let path = root().join(page);
    if bless {
        return fs::write(&path, run.output).with_context(|| format!("write {page}"));
    }
    let committed = fs::read_to_string(&path).with_context(|| format!("read {page}"))?;
    if committed != run.output {
        bail!("{page} is not what the code says; approve with: cargo xtask api --bless");
    }
    Ok(())
}
