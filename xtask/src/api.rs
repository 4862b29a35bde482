//! The committed description of the HTTP interface.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{root, shell};

const PAGE: &str = "docs/reference/openapi.json";
const PRINT: &str = "cargo run --quiet --release --package althing-api --example openapi";

/// Compares the committed document with what the handlers say now, or writes it.
///
/// # Errors
/// If they differ, or the document cannot be made, read or written.
pub fn api(bless: bool) -> Result<()> {
    let run = shell::run_quietly(PRINT);
    ensure!(run.ended_well, "`{PRINT}` failed");
    let path = root().join(PAGE);
    if bless {
        return fs::write(&path, run.output).with_context(|| format!("write {PAGE}"));
    }
    let committed = fs::read_to_string(&path).with_context(|| format!("read {PAGE}"))?;
    if committed != run.output {
        bail!("{PAGE} is not what the handlers say; approve with: cargo xtask api --bless");
    }
    Ok(())
}
