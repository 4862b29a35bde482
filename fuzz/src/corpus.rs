//! Where mutation begins: the pinned vectors.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{Target, target::Seeds};

/// What a target begins with.
///
/// # Errors
/// If a file of vectors cannot be read.
pub fn of(target: &Target) -> Result<Vec<Vec<u8>>> {
    match target.seeds {
        Seeds::Vectors(files) => load(files),
        Seeds::Texts(texts) => Ok(texts.iter().map(|text| text.as_bytes().to_vec()).collect()),
        Seeds::Made(make) => make(),
    }
}

/// The wire forms in these files of `testdata/vectors`, in order.
///
/// # Errors
/// If a file cannot be read or is not a file of vectors.
pub fn load(names: &[&str]) -> Result<Vec<Vec<u8>>> {
    let mut corpus = Vec::new();
    for name in names {
        for vector in vectors(name)? {
            corpus.push(bytes(&vector["wire"]).with_context(|| format!("`wire` in {name}.json"))?);
        }
    }
    Ok(corpus)
}

/// An input of the first vector of a file.
///
/// # Errors
/// If there is no such input.
pub fn input(name: &str, input: &str) -> Result<Vec<u8>> {
    let first =
        vectors(name)?.into_iter().next().with_context(|| format!("{name}.json is empty"))?;
    bytes(&first["inputs"][input]).with_context(|| format!("`{input}` in {name}.json"))
}

fn vectors(name: &str) -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors");
    let path = folder.join(format!("{name}.json"));
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let file: Value = serde_json::from_str(&text).with_context(|| format!("parse {name}.json"))?;
    Ok(file["vectors"].as_array().cloned().unwrap_or_default())
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    Ok(hex::decode(value.as_str().context("not text")?)?)
}
