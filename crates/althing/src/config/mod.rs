//! The configuration file, validated into what peers and gateways are made of.
//!
//! Defaults stand once, in the commented `docs/reference/config.toml`, which the program carries
//! along: a file is laid over it. Every value is checked at load, and an error names the file, the
//! line and the key.

mod devices;
mod document;
pub(crate) use document::{Document, REFERENCE};

mod mqtt;

mod gateway;
pub(crate) use gateway::GatewayConfig;

mod peer;
pub(crate) use peer::PeerConfig;

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A configuration file and what all parts of it share.
#[derive(Debug)]
pub(crate) struct Config {
    document: Document,
    folder: PathBuf,
    top: Top,
}

#[derive(Debug, Deserialize)]
struct Top {
    genesis: String,
    log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    filter: String,
}

impl Config {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        Self::of(Document::load(path)?, path.parent().unwrap_or(Path::new("")))
    }

    /// What a document says for files beside a folder's.
    pub(crate) fn of(document: Document, folder: &Path) -> anyhow::Result<Self> {
        let top = document.section("")?;
        Ok(Self { document, folder: folder.to_owned(), top })
    }

    /// Its keys and values.
    pub(crate) const fn document(&self) -> &Document {
        &self.document
    }

    /// What is logged.
    pub(crate) fn log_filter(&self) -> &str {
        &self.top.log.filter
    }

    /// Where the genesis is.
    pub(crate) fn genesis_path(&self) -> anyhow::Result<PathBuf> {
        self.path("genesis", &self.top.genesis)
    }

    /// A path as the file writes it: relative to the file's folder.
    fn path(&self, key: &str, text: &str) -> anyhow::Result<PathBuf> {
        if text.is_empty() {
            return Err(self.document.wrong(key, "must be a path"));
        }
        Ok(self.folder.join(text))
    }

    /// A path that may be left empty.
    fn optional_path(&self, text: &str) -> Option<PathBuf> {
        (!text.is_empty()).then(|| self.folder.join(text))
    }

    /// An amount of data in bytes; none if nothing is written.
    fn optional_size(&self, key: &str, text: &str) -> anyhow::Result<Option<u64>> {
        if text.is_empty() {
            return Ok(None);
        }
        crate::size::parse(text).map(Some).map_err(|problem| self.document.wrong(key, problem))
    }

    /// A length of time, none if empty.
    fn optional_span(&self, key: &str, text: &str) -> anyhow::Result<Option<std::time::Duration>> {
        if text.is_empty() { Ok(None) } else { self.span(key, text).map(Some) }
    }

    /// A length of time.
    fn span(&self, key: &str, text: &str) -> anyhow::Result<std::time::Duration> {
        crate::span::parse(text).map_err(|problem| self.document.wrong(key, problem))
    }

    /// An address to listen on.
    fn listen(&self, key: &str, text: &str) -> anyhow::Result<std::net::SocketAddr> {
        text.parse().map_err(|_| {
            let problem = format!("`{text}` is no address and port, such as 127.0.0.1:4464");
            self.document.wrong(key, problem)
        })
    }
}

#[cfg(test)]
mod tests;
