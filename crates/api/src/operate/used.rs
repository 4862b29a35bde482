//! Tokens of acts that were used, so that none counts twice, also after a restart.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use althing_client::file;

use crate::webhooks::replace;

/// Most of them; they are forgotten when they would not count any more.
const USED_MAX: usize = 1_024;
/// The file in the folder of the peer's data, and its longest, bytes.
const FILE: &str = "acts.json";
const FILE_BYTES_MAX: u64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Used {
    file: Option<PathBuf>,
    /// Until when each counts, by its digest in hex.
    tokens: Mutex<BTreeMap<String, u64>>,
}

impl Used {
    pub(super) fn open(data: Option<&Path>) -> Self {
        let file = data.map(|folder| folder.join(FILE));
        let text = file.as_deref().and_then(|file| file::read(file, FILE_BYTES_MAX).ok());
        let pairs: Vec<(String, u64)> =
            text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { file, tokens: Mutex::new(pairs.into_iter().collect()) }
    }

    /// Uses a token; false if it was used, or so many were that it cannot be told. Waits for the disk.
    pub(super) fn first_time(&self, token: &[u8; 32], until_ms: u64, now_ms: u64) -> bool {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, until_ms| *until_ms >= now_ms);
        let digest = hex::encode(token);
        if tokens.len() >= USED_MAX || tokens.contains_key(&digest) {
            return false;
        }
        tokens.insert(digest, until_ms);
        let Some(file) = &self.file else { return true };
        let all: Vec<(String, u64)> = tokens.iter().map(|(one, at)| (one.clone(), *at)).collect();
        // An operator must be able to act when the disk is full: it counts once for this run then.
        if let Err(error) = replace(file, &all) {
            tracing::warn!(%error, "that a token was used could not be kept");
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_once_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let used = Used::open(Some(folder.path()));
        assert!(used.first_time(&[1; 32], 50, 10));
        assert!(!used.first_time(&[1; 32], 50, 11));
        assert!(used.first_time(&[2; 32], 50, 11));
        let used = Used::open(Some(folder.path()));
        assert!(!used.first_time(&[1; 32], 50, 50));
        assert!(!used.first_time(&[2; 32], 50, 50));
        // Those that do not count any more make room.
        let many = |used: &Used, now| {
            (0..USED_MAX as u64)
                .filter(|one| {
                    let mut token = [0; 32];
                    token[..8].copy_from_slice(&one.to_be_bytes());
                    used.first_time(&token, 100, now)
                })
                .count()
        };
        let used = Used::open(None);
        assert_eq!(many(&used, 60), USED_MAX);
        assert!(!used.first_time(&[9; 32], 100, 60));
        assert!(used.first_time(&[9; 32], 200, 101));
    }
}
