//! How much of its disk a peer takes, and how much is left.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use althing_peer::query::Figure;

/// How long a measurement counts: whoever looks every second does not make the disk be walked.
const AGAIN: Duration = Duration::from_secs(10);
/// Most files and folders looked at; a peer's have some hundreds.
const ENTRIES_MAX: usize = 100_000;

/// The disk of a data folder.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: Option<PathBuf>,
    last: Mutex<Option<(Instant, Usage)>>,
}

/// What is taken and what is left, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    taken: u64,
    free: u64,
}

impl Disk {
    pub(crate) const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, last: Mutex::new(None) }
    }

    /// The figures; none if no folder is known or it cannot be read. Reads from disk.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        let Some(Usage { taken, free }) = self.usage() else { return Vec::new() };
        let gauge = |name, help, value| Figure { name, help, counts: false, value };
        vec![
            gauge("althing_disk_bytes", "Bytes of the files in the data folder.", taken),
            gauge("althing_disk_free_bytes", "Bytes free on the disk of the data folder.", free),
        ]
    }

    /// Bytes free, if that is known. Reads from disk.
    pub(crate) fn free(&self) -> Option<u64> {
        self.usage().map(|usage| usage.free)
    }

    fn usage(&self) -> Option<Usage> {
        let folder = self.folder.as_deref()?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, usage)) = *last
            && at.elapsed() < AGAIN
        {
            return Some(usage);
        }
        let usage = measured(folder).ok()?;
        *last = Some((Instant::now(), usage));
        Some(usage)
    }
}

fn measured(folder: &Path) -> io::Result<Usage> {
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let (mut folders, mut taken, mut seen) = (vec![folder.to_path_buf()], 0_u64, 0);
    while let Some(folder) = folders.pop() {
        // Files come and go while one looks.
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > ENTRIES_MAX {
                return Ok(Usage { taken, free });
            }
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) if found.is_file() => taken = taken.saturating_add(found.len()),
                _ => {}
            }
        }
    }
    Ok(Usage { taken, free })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_and_what_is_left_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("a"), [0; 1000]).unwrap();
        fs::write(folder.path().join("inner/b"), [0; 234]).unwrap();
        let usage = measured(folder.path()).unwrap();
        assert_eq!(usage.taken, 1234);
        assert!(usage.free > 0);
        let figures = Disk::new(Some(folder.path().to_path_buf())).figures();
        let value = |name| figures.iter().find(|figure| figure.name == name).unwrap().value;
        assert_eq!(value("althing_disk_bytes"), 1234);
        assert_eq!(Disk::new(None).figures(), []);
        assert_eq!(Disk::new(Some(folder.path().join("none"))).figures(), []);
    }
}
