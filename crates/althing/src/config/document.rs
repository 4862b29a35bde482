//! A configuration file laid over the reference: unknown keys refused, defaults filled in.

use std::{collections::BTreeMap, path::Path};

use althing_client::file;
use anyhow::Context as _;
use serde::de::DeserializeOwned;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use crate::{
    nearest::nearest,
    report::{NextStep as _, failed},
};

/// The commented file with every default; `althing config init` writes it.
pub(crate) const REFERENCE: &str = include_str!("../../../../docs/reference/config.toml");

/// Longest configuration file, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A file's keys over the reference's, and where in the file each key stands.
#[derive(Debug)]
pub(crate) struct Document {
    name: String,
    merged: Table,
    lines: BTreeMap<String, usize>,
}

impl Document {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let text = file::read_text(path, FILE_BYTES_MAX)
            .with_context(|| format!("cannot read the configuration {name}"))
            .next_step(|| {
                format!("give the path of one with --config; althing config init {name} writes one")
            })?;
        Self::parse(&name, &text)
    }

    /// Reads the text of a file that messages call `name`.
    pub(crate) fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let parsed = DeTable::parse(text)
            .map_err(|error| {
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                failed(
                    format!("{name} line {line}: {}", error.message()),
                    format!("correct the line, then: althing config check {name}"),
                )
            })?
            .into_inner();
        let mut walk = Walk { name, text, lines: BTreeMap::new() };
        let reference: Table = toml::from_str(REFERENCE).context("reference configuration")?;
        walk.compare("", &parsed, &reference)?;
        let lines = walk.lines;
        let given: Table = toml::from_str(text).with_context(|| format!("cannot read {name}"))?;
        Ok(Self { name: name.to_owned(), merged: merge(reference, given), lines })
    }

    /// The section at a dotted key, or the top level for the empty key.
    pub(crate) fn section<T: DeserializeOwned>(&self, key: &str) -> anyhow::Result<T> {
        let mut value = Value::Table(self.merged.clone());
        for part in key.split('.').filter(|part| !part.is_empty()) {
            value = value
                .get(part)
                .cloned()
                .with_context(|| format!("{} has no section [{key}]", self.name))?;
        }
        value.try_into().map_err(|error: toml::de::Error| {
            let place = self.place(key);
            let message = error.message().to_owned();
            failed(format!("{place}: {message}"), suggestion(&message, &self.name))
        })
    }

    /// The value of a key at the top of the file itself, if it has one.
    pub(crate) fn given(&self, key: &str) -> Option<Value> {
        let within = format!("{key}.");
        let given = self.lines.keys().any(|one| one == key || one.starts_with(&within));
        self.merged.get(key).filter(|_| given).cloned()
    }

    /// Every key that a peer reads with its value, as TOML.
    pub(crate) fn peer_text(&self) -> String {
        // A table that was read can be written.
        toml::to_string(&self.of_peer()).unwrap_or_default()
    }

    /// Every key that a peer reads, dotted, with its value in TOML.
    pub(crate) fn peer_values(&self) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        flatten("", &self.of_peer(), &mut values);
        values
    }

    fn of_peer(&self) -> Table {
        let all = self.merged.clone().into_iter();
        all.filter(|(key, _)| key != "gateway").collect()
    }

    /// An error about the value of `key`, with the file and the line if the file has the key.
    pub(crate) fn wrong(&self, key: &str, problem: impl std::fmt::Display) -> anyhow::Error {
        let place = self.place(key);
        failed(
            format!("{place}: `{key}`: {problem}"),
            format!("correct the value, then: althing config check {}", self.name),
        )
    }

    fn place(&self, key: &str) -> String {
        match self.lines.get(key) {
            Some(line) => format!("{} line {line}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Compares a file with the reference, key by key.
struct Walk<'a> {
    name: &'a str,
    text: &'a str,
    lines: BTreeMap<String, usize>,
}

impl Walk<'_> {
    fn compare(
        &mut self,
        prefix: &str,
        given: &DeTable<'_>,
        reference: &Table,
    ) -> anyhow::Result<()> {
        for (key, value) in given {
            let path = join(prefix, key.get_ref());
            let line = line_of(self.text, key.span().start);
            self.lines.insert(path.clone(), line);
            match reference.get(key.get_ref().as_ref()) {
                Some(expected) => self.compare_value(&path, line, value, expected)?,
                None if LISTS.contains(&path.as_str()) => {
                    self.expect(&path, line, value, "array")?
                }
                None if is_open(prefix) => self.expect(&path, line, value, "string")?,
                None => return Err(self.unknown(&path, key.get_ref(), line, prefix, reference)),
            }
        }
        Ok(())
    }

    fn compare_value(
        &mut self,
        path: &str,
        line: usize,
        value: &Spanned<DeValue<'_>>,
        expected: &Value,
    ) -> anyhow::Result<()> {
        match (value.get_ref(), expected) {
            (DeValue::Table(given), Value::Table(reference)) => {
                self.compare(path, given, reference)
            }
            _ => self.expect(path, line, value, expected.type_str()),
        }
    }

    fn expect(
        &self,
        path: &str,
        line: usize,
        value: &Spanned<DeValue<'_>>,
        kind: &str,
    ) -> anyhow::Result<()> {
        let given = value.get_ref().type_str();
        if given == kind {
            return Ok(());
        }
        let Self { name, .. } = self;
        Err(failed(
            format!("{name} line {line}: `{path}` must be of type {kind}, not {given}"),
            format!("correct the value, then: althing config check {name}"),
        ))
    }

    fn unknown(
        &self,
        path: &str,
        key: &str,
        line: usize,
        prefix: &str,
        reference: &Table,
    ) -> anyhow::Error {
        let siblings = reference.keys().map(String::as_str);
        let next = match nearest(key, siblings) {
            Some(near) => format!("did you mean `{}`?", join(prefix, near)),
            None => "althing config init - shows every key".to_owned(),
        };
        failed(format!("{} line {line}: unknown key `{path}`", self.name), next)
    }
}

/// Lists of tables, which the reference shows in comments since there are none by default.
const LISTS: &[&str] = &["gateway.profiles", "gateway.mqtt.users", "gateway.mqtt.entities"];

/// Sections whose keys are names that the file chooses.
fn is_open(section: &str) -> bool {
    matches!(section, "peer.p2p.addresses" | "peer.api.addresses")
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn flatten(prefix: &str, table: &Table, values: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = join(prefix, key);
        match value {
            Value::Table(table) => flatten(&path, table, values),
            value => _ = values.insert(path, value.to_string()),
        }
    }
}

/// What is given wins over what is under it, table by table.
fn merge(mut under: Table, over: Table) -> Table {
    for (key, value) in over {
        let merged = match (under.remove(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => Value::Table(merge(under, over)),
            (_, value) => value,
        };
        under.insert(key, merged);
    }
    under
}

/// The way out of an error of serde's: the nearest of the names it lists.
fn suggestion(message: &str, name: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let near = names.next().and_then(|typed| nearest(typed, names));
    match near {
        Some(near) if message.starts_with("unknown") => format!("did you mean `{near}`?"),
        _ => format!("correct the value, then: althing config check {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        format!("{:#}", Document::parse("a.toml", text).unwrap_err())
    }

    #[test]
    fn what_the_file_says_wins_over_the_reference() {
        let text = "[peer.api]\nlisten = \"127.0.0.1:9\"\n[peer.p2p.addresses]\n\"p-2\" = \"h:1\"";
        let document = Document::parse("a.toml", text).unwrap();
        let peer: Table = document.section("peer").unwrap();
        assert_eq!(peer["api"]["listen"].as_str(), Some("127.0.0.1:9"));
        assert_eq!(peer["p2p"]["addresses"]["p-2"].as_str(), Some("h:1"));
        assert_eq!(peer["data"].as_str(), Some("data"));
        assert_eq!(document.place("peer.api.listen"), "a.toml line 2");
        assert_eq!(document.place("peer.data"), "a.toml");
    }

    #[test]
    fn wrong_files_are_refused_with_line_and_key() {
        for (text, expected) in [
            ("[peer.api]\nlisten", "a.toml line 2: "),
            ("\n[peer.api]\nlistne = 1", "a.toml line 3: unknown key `peer.api.listne`"),
            ("pear = 1", "a.toml line 1: unknown key `pear`"),
            ("[peer.api]\nlisten = 1", "`peer.api.listen` must be of type string, not integer"),
            ("peer = 1", "`peer` must be of type table, not integer"),
            ("[peer.p2p.addresses]\nx = 1", "must be of type string"),
            ("[gateway]\nprofiles = 1", "must be of type array"),
            ("[gateway]\npeers = [1]\n[gateway]", "line 3"),
        ] {
            let found = problem(text);
            assert!(found.contains(expected), "{text:?}: {found}");
        }
    }
}
