//! Pinned encodings: one file of `testdata/vectors` for each wire form.
//!
//! A vector says what was put in, the bytes that come out and their digest, so that an
//! implementation in another language can be checked against it. All keys come from fixed secrets.
//! A change of any byte shows as a difference in review; `cargo xtask vectors --bless` approves it.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::root;

mod access;
mod actions;
mod blocks;
mod direct;
mod founding;
mod governance;
mod identity;
mod links;
mod peers;
mod proofs;
mod readings;
mod secrecy;
mod services;
mod tokens;
mod transactions;
mod triggers;

/// One pinned encoding.
pub(crate) struct Vector {
    name: String,
    inputs: Value,
    wire: Vec<u8>,
    /// Digests and other results, by name.
    results: Map<String, Value>,
}

impl Vector {
    pub(crate) fn new(name: impl Into<String>, inputs: Value, wire: Vec<u8>) -> Self {
        Self { name: name.into(), inputs, wire, results: Map::new() }
    }

    /// Adds bytes that follow from the wire form.
    pub(crate) fn gives(mut self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.results.insert(name.into(), hex::encode(bytes).into());
        self
    }

    /// Adds text that follows from the wire form.
    pub(crate) fn says(mut self, name: &str, text: impl Into<String>) -> Self {
        self.results.insert(name.into(), text.into().into());
        self
    }

    fn to_json(&self) -> Value {
        let mut fields = self.results.clone();
        fields.insert("name".into(), self.name.clone().into());
        fields.insert("inputs".into(), self.inputs.clone());
        fields.insert("wire".into(), hex::encode(&self.wire).into());
        Value::Object(fields)
    }
}

/// One file of vectors.
pub(crate) struct Form {
    name: &'static str,
    about: &'static str,
    vectors: Vec<Vector>,
}

impl Form {
    pub(crate) fn new(name: &'static str, about: &'static str, vectors: Vec<Vector>) -> Self {
        Self { name, about, vectors }
    }

    /// The file's text, the same whatever order of keys `serde_json` was built for.
    fn text(&self) -> Result<String> {
        let vectors: Vec<Value> = self.vectors.iter().map(Vector::to_json).collect();
        let file = sorted(json!({ "about": self.about, "form": self.name, "vectors": vectors }));
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    fn path(&self) -> PathBuf {
        root().join("testdata/vectors").join(format!("{}.json", self.name))
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn forms() -> Vec<Form> {
    let mut forms = identity::forms();
    forms.extend(access::forms());
    forms.extend(direct::forms());
    forms.extend(readings::forms());
    forms.push(secrecy::form());
    forms.extend(transactions::forms());
    forms.extend(blocks::forms());
    forms.extend(founding::forms());
    forms.extend(peers::forms());
    forms.extend(proofs::forms());
    forms.extend(links::forms());
    forms
}

/// Writes all vectors.
///
/// # Errors
/// If a file cannot be written.
pub fn bless() -> Result<()> {
    for form in forms() {
        fs::write(form.path(), form.text()?)
            .with_context(|| format!("write {}", form.path().display()))?;
    }
    Ok(())
}

/// Compares what the code gives now with what is pinned.
///
/// # Errors
/// Naming the first form that differs.
pub fn check() -> Result<()> {
    let forms = forms();
    for form in &forms {
        let pinned = fs::read_to_string(form.path()).unwrap_or_default();
        if let Some((line, (then, now))) = first_difference(&pinned, &form.text()?) {
            bail!(
                "testdata/vectors/{}.json differs at line {line}:\n  pinned: {then}\n  now:    \
                 {now}\napprove a wanted change with: cargo xtask vectors --bless",
                form.name
            );
        }
    }
    let known: Vec<PathBuf> = forms.iter().map(Form::path).collect();
    for entry in fs::read_dir(root().join("testdata/vectors"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") && !known.contains(&path) {
            bail!("{} is pinned, but nothing makes it; remove it", path.display());
        }
    }
    Ok(())
}

fn first_difference(then: &str, now: &str) -> Option<(usize, (String, String))> {
    let longest = then.lines().count().max(now.lines().count());
    let at = |text: &str, line: usize| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    let line = then.lines().zip(now.lines()).position(|(a, b)| a != b);
    let line = line.or_else(|| {
        let shortest = then.lines().count().min(now.lines().count());
        (shortest < longest).then_some(shortest)
    })?;
    Some((line + 1, (at(then, line), at(now, line))))
}
