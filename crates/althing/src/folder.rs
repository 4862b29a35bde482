//! Folders for networks that a command runs.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tempfile::TempDir;

use crate::report::{NextStep as _, failed};

/// Marks a folder that was made by a demo and may be made anew by the next; locked while one runs.
const MARK: &str = ".althing-demo";

/// A folder for the files of a network.
#[derive(Debug)]
pub(crate) enum Folder {
    /// Removed when dropped.
    Temporary(TempDir),
    /// Kept.
    Kept(PathBuf),
    /// Kept until the next demo takes it.
    Shared {
        /// Where.
        path: PathBuf,
        /// Holds the lock that keeps another demo away.
        _lock: File,
    },
}

impl Folder {
    /// A folder that somebody asked for; it must be new or empty.
    pub(crate) fn kept(path: &Path) -> anyhow::Result<Self> {
        if is_used(path) {
            return Err(failed(
                format!("{} is not empty", path.display()),
                "give --dir a new folder, or remove this one",
            ));
        }
        create(path)?;
        Ok(Self::Kept(path.to_owned()))
    }

    /// A folder that is gone at the end.
    pub(crate) fn temporary(name: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir();
        folder.map(Self::Temporary).context("cannot make a temporary folder")
    }

    /// The folder `path`, emptied if an earlier demo left it; a temporary one if it is somebody
    /// else's, in use by a running demo, or cannot be written.
    pub(crate) fn shared(path: &Path) -> anyhow::Result<Self> {
        match take(path) {
            Some(lock) => Ok(Self::Shared { path: path.to_owned(), _lock: lock }),
            None => Self::temporary("althing-demo"),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) | Self::Shared { path, .. } => path,
        }
    }

    /// Whether it is gone at the end.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }
}

fn create(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path)
        .with_context(|| format!("cannot create {}", path.display()))
        .next_step(|| "give --dir a folder that can be written".to_owned())
}

fn is_used(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

fn take(path: &Path) -> Option<File> {
    let mark = path.join(MARK);
    if is_used(path) && !mark.is_file() {
        return None;
    }
    std::fs::create_dir_all(path).ok()?;
    let lock = File::options().create(true).truncate(false).write(true).open(&mark).ok()?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
    }
    for entry in std::fs::read_dir(path).ok()? {
        let entry = entry.ok()?.path();
        if entry == mark {
            continue;
        }
        let removed = match entry.is_dir() {
            true => std::fs::remove_dir_all(&entry),
            false => std::fs::remove_file(&entry),
        };
        removed.ok()?;
    }
    Some(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_demo_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("demo-data");
        let first = Folder::shared(&path).unwrap();
        assert_eq!(first.path(), path);
        std::fs::write(path.join("old"), "").unwrap();
        assert!(Folder::shared(&path).unwrap().is_temporary(), "a demo runs there");
        drop(first);
        assert!(!Folder::shared(&path).unwrap().is_temporary());
        assert!(!path.join("old").exists());
        let foreign = parent.path().join("mine");
        std::fs::create_dir(&foreign).unwrap();
        std::fs::write(foreign.join("precious"), "").unwrap();
        assert!(Folder::shared(&foreign).unwrap().is_temporary());
        assert!(Folder::kept(&foreign).is_err());
        assert!(foreign.join("precious").exists());
    }
}
