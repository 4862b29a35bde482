//! Where mutation begins: the pinned vectors.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The wire forms in these files of `testdata/vectors`, in order.
///
/// # Errors
/// If a file cannot be read or is not a file of vectors.
pub fn load(names: &[&str]) -> Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors");
    let mut corpus = Vec::new();
    for name in names {
        let path = folder.join(format!("{name}.json"));
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let file: Value =
            serde_json::from_str(&text).with_context(|| format!("parse {name}.json"))?;
        for vector in file["vectors"].as_array().into_iter().flatten() {
            let wire = vector["wire"].as_str().with_context(|| format!("`wire` in {name}.json"))?;
            corpus.push(hex::decode(wire).with_context(|| format!("hex in {name}.json"))?);
        }
    }
    Ok(corpus)
}
