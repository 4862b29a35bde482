use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

/// Most files of machine code that are kept.
pub const MODULE_FILES_MAX: usize = 1_000;
/// Most machine code that is kept, bytes: several times what the code on a ledger becomes.
pub const MODULE_FILES_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Ending of a file that is whole.
const WHOLE: &str = "module";
/// Ending of one that is being written.
const UNFINISHED: &str = "unfinished";

/// Machine code of contracts in files, so that a restart need not compile.
///
/// All of it can be made again, so nothing here is ever an error: what cannot be read is not there, and
/// what cannot be written is not kept. Whether a file is what was put is for whoever reads it to say.
/// What was not read for longest goes first.
#[derive(Debug)]
pub struct ModuleFiles {
    folder: PathBuf,
    files_max: usize,
    bytes_max: u64,
    /// One change of the folder at a time.
    changing: Mutex<()>,
}

impl ModuleFiles {
    /// Files in `folder`, which is created if need be.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        Self::bounded(folder, MODULE_FILES_MAX, MODULE_FILES_BYTES_MAX)
    }

    fn bounded(folder: PathBuf, files_max: usize, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let files = Self { folder, files_max, bytes_max, changing: Mutex::new(()) };
        files.make_room(0);
        Ok(files)
    }

    /// What was put under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.path(name)?;
        let length = fs::metadata(&path).ok()?.len();
        if length > self.bytes_max {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        // The time of last use; where it cannot be set, the time of writing has to do.
        let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(now()));
        Some(bytes)
    }

    /// Whether there is something under a name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.path(name).is_some_and(|path| path.is_file())
    }

    /// Keeps bytes under a name, in place of what was there.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let Some(path) = self.path(name) else { return };
        let _changing = self.changing();
        self.make_room(bytes.len() as u64);
        // Not flushed: what a loss of power leaves unfinished is noticed when it is read.
        let unfinished = path.with_extension(UNFINISHED);
        let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if let Err(error) = written {
            tracing::warn!(%error, file = %path.display(), "machine code of a contract is not kept");
            let _ = fs::remove_file(&unfinished);
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a name's file is; names have letters, digits and hyphens.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let is_name = !name.is_empty() && name.chars().all(plain);
        is_name.then(|| self.folder.join(format!("{name}.{WHOLE}")))
    }

    /// Removes what was not used for longest until one more file of this length fits, and what was
    /// never finished.
    fn make_room(&self, length: u64) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut whole = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.extension().and_then(|ending| ending.to_str()) {
                Some(WHOLE) => whole.extend(used(&path).map(|(at, bytes)| (at, bytes, path))),
                Some(UNFINISHED) => _ = fs::remove_file(&path),
                _ => {}
            }
        }
        whole.sort();
        let mut bytes: u64 = whole.iter().map(|(_, bytes, _)| bytes).sum();
        let mut files = whole.len();
        for (_, own, path) in whole {
            if files < self.files_max && bytes.saturating_add(length) <= self.bytes_max {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                (files, bytes) = (files - 1, bytes - own);
            }
        }
    }
}

/// When a file was last used, and its length.
fn used(path: &Path) -> Option<(SystemTime, u64)> {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// As if the file had been used so many seconds after 1970.
    fn use_at(folder: &Path, name: &str, seconds: u64) {
        let file = File::options().append(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn what_was_put_is_there_after_a_restart_and_what_was_not_finished_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let open = || ModuleFiles::open(folder.path().join("modules")).unwrap();
        let files = open();
        assert!(!files.has("a") && files.get("a").is_none());
        files.put("a", b"one");
        files.put("a", b"two");
        fs::write(folder.path().join("modules/b.unfinished"), b"half").unwrap();
        fs::write(folder.path().join("modules/README"), b"somebody else's").unwrap();
        let files = open();
        assert_eq!(files.get("a").as_deref(), Some(b"two".as_slice()));
        assert!(files.has("a") && !files.has("b"));
        assert_eq!(names(&folder.path().join("modules")), ["README", "a.module"]);
    }

    #[test]
    fn names_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let files = ModuleFiles::open(folder.path().join("modules")).unwrap();
        for name in ["", "../a", "/tmp/a", "a/b", "a.b", "a b", "ä"] {
            files.put(name, b"x");
            assert!(!files.has(name) && files.get(name).is_none(), "{name}");
        }
        assert_eq!(names(folder.path()), ["modules"]);
        assert!(names(&folder.path().join("modules")).is_empty());
    }

    #[test]
    fn the_bounds_hold_and_what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let files = ModuleFiles::bounded(path.to_owned(), 3, 100).unwrap();
        for (second, name) in (1..).zip(["a", "b", "c"]) {
            files.put(name, &[0; 30]);
            use_at(path, &format!("{name}.module"), second);
        }
        // Read, so it is the newest.
        assert!(files.get("a").is_some());
        files.put("d", &[0; 30]);
        assert_eq!(names(path), ["a.module", "c.module", "d.module"], "by number");
        files.put("e", &[0; 60]);
        assert_eq!(names(path).len(), 2, "by length");
        assert!(files.has("e") && !files.has("c"));
        // Bounds that have become smaller are met at the next start.
        drop(files);
        let files = ModuleFiles::bounded(path.to_owned(), 3, 70).unwrap();
        assert_eq!(names(path).len(), 1);
        // Longer than all that there may be: it is not read either.
        files.put("f", &[0; 71]);
        assert!(files.get("f").is_none());
    }

    #[test]
    fn a_folder_that_is_gone_is_nobodys_end() {
        let folder = tempfile::tempdir().unwrap();
        let files = ModuleFiles::open(folder.path().join("modules")).unwrap();
        fs::remove_dir_all(folder.path().join("modules")).unwrap();
        files.put("a", b"one");
        assert!(files.get("a").is_none());
    }
}
