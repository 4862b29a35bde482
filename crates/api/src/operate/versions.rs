//! The versions of the configuration: which there were, since when, and who brought them.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use althing_client::{
    file,
    model::{ConfigurationVersion, Difference, Hex, MACHINE},
};
use althing_types::{Digest, hash};

use crate::{reader::now_ms, webhooks::replace};

/// Most versions kept; the oldest go.
const VERSIONS_MAX: usize = 64;
/// The file in the folder of the peer's data, and its longest, bytes.
const FILE: &str = "configurations.json";
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Versions {
    file: Option<PathBuf>,
    /// Ascending by number.
    kept: Mutex<Vec<ConfigurationVersion>>,
}

impl Versions {
    pub(super) fn open(data: Option<&Path>) -> Self {
        let file = data.map(|folder| folder.join(FILE));
        let text = file.as_deref().and_then(|file| file::read(file, FILE_BYTES_MAX).ok());
        let kept = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { file, kept: Mutex::new(kept) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ConfigurationVersion>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the configuration a peer starts with, unless it is the newest that is known.
    pub(super) fn found(&self, text: &str) {
        let digest = digest_of(text);
        if self.lock().last().is_none_or(|last| last.digest != digest) {
            self.add(text, MACHINE, Vec::new());
        }
    }

    /// Notes a version.
    pub(crate) fn add(&self, text: &str, by: &str, changed: Vec<Difference>) {
        let mut kept = self.lock();
        let number = kept.last().map_or(1, |last| last.number + 1);
        let (at, by, digest) = (now_ms().into(), by.to_owned(), digest_of(text));
        kept.push(ConfigurationVersion { number, at, by, digest, changed });
        if kept.len() > VERSIONS_MAX {
            kept.remove(0);
        }
        if let Some(file) = &self.file
            && let Err(error) = replace(file, &kept)
        {
            tracing::warn!(%error, "a version of the configuration could not be kept");
        }
    }

    /// The newest first.
    pub(crate) fn all(&self) -> Vec<ConfigurationVersion> {
        self.lock().iter().rev().cloned().collect()
    }
}

fn digest_of(text: &str) -> Hex<Digest> {
    Hex(Digest(hash("", &[text.as_bytes()])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_over_restarts_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Versions::open(Some(folder.path()));
        open().found("a");
        open().found("a");
        open().add("b", "did:x", Vec::new());
        open().found("b");
        let numbers = |versions: &Versions| {
            versions.all().iter().map(|one| (one.number, one.by.clone())).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&open()), [(2, "did:x".to_owned()), (1, MACHINE.to_owned())]);
        let versions = open();
        (0..VERSIONS_MAX).for_each(|one| versions.add(&one.to_string(), MACHINE, Vec::new()));
        let all = open().all();
        assert_eq!((all.len(), all[0].number), (VERSIONS_MAX, VERSIONS_MAX as u64 + 2));
    }
}
