use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Numbered append-only files: all that the payload store asks of a file system.
pub trait SegmentFiles: Send + Sync + fmt::Debug {
    /// Numbers of the files there are, ascending.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn list(&self) -> io::Result<Vec<u32>>;

    /// Length of a file, bytes; 0 if there is none.
    ///
    /// # Errors
    /// If the disk fails.
    fn len(&self, file: u32) -> io::Result<u64>;

    /// Writes at a position, which is at most the file's length; creates the file if need be.
    ///
    /// # Errors
    /// If the disk fails or is full.
    fn write_at(&self, file: u32, position: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns once what was written would survive a loss of power.
    ///
    /// # Errors
    /// If the disk fails; nobody knows then what it holds.
    fn sync(&self, file: u32) -> io::Result<()>;

    /// Reads exactly `len` bytes at a position.
    ///
    /// # Errors
    /// If the file is shorter or the disk fails.
    fn read_at(&self, file: u32, position: u64, len: usize) -> io::Result<Vec<u8>>;

    /// Cuts a file off.
    ///
    /// # Errors
    /// If the disk fails.
    fn truncate(&self, file: u32, len: u64) -> io::Result<()>;

    /// Deletes a file; no harm if there is none.
    ///
    /// # Errors
    /// If the disk fails.
    fn remove(&self, file: u32) -> io::Result<()>;
}

/// Files in a folder.
#[derive(Debug)]
pub struct OsFiles {
    folder: PathBuf,
    /// The newest file stays open: nearly all writes and most reads go there.
    newest: Mutex<Option<(u32, File)>>,
}

impl OsFiles {
    /// Files in `folder`, which is created if need be.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn new(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, newest: Mutex::new(None) })
    }

    fn path(&self, file: u32) -> PathBuf {
        self.folder.join(format!("{file:08}.payloads"))
    }

    /// Reads, and makes no file where there is none.
    fn read<T>(&self, file: u32, run: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        {
            let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((number, open)) = &*newest
                && *number == file
            {
                return run(open);
            }
        }
        match File::open(self.path(file)) {
            Ok(open) => run(&open),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Err(error) => Err(error),
        }
    }

    fn with<T>(&self, file: u32, run: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, open)) = &*newest
            && *number == file
        {
            return run(open);
        }
        let path = self.path(file);
        let is_new = !path.exists();
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if is_new {
            // The name must survive a loss of power as well as the content.
            File::open(&self.folder)?.sync_all()?;
        }
        let result = run(&open);
        if newest.as_ref().is_none_or(|(number, _)| *number < file) {
            *newest = Some((file, open));
        }
        result
    }
}

impl SegmentFiles for OsFiles {
    fn list(&self) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".payloads"));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn len(&self, file: u32) -> io::Result<u64> {
        match fs::metadata(self.path(file)) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn write_at(&self, file: u32, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(file, |open| open.write_all_at(bytes, position))
    }

    fn sync(&self, file: u32) -> io::Result<()> {
        self.with(file, File::sync_data)
    }

    fn read_at(&self, file: u32, position: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.read(file, |open| open.read_exact_at(&mut bytes, position))?;
        Ok(bytes)
    }

    fn truncate(&self, file: u32, len: u64) -> io::Result<()> {
        self.with(file, |open| open.set_len(len).and_then(|()| open.sync_data()))
    }

    fn remove(&self, file: u32) -> io::Result<()> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_some_and(|(number, _)| *number == file) {
            *newest = None;
        }
        match fs::remove_file(self.path(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::open(&self.folder)?.sync_all(),
        }
    }
}

/// Files in memory that lose what was not synced: for tests and simulations.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    inner: Mutex<MemoryInner>,
}

#[derive(Debug, Default)]
struct MemoryInner {
    live: BTreeMap<u32, Vec<u8>>,
    durable: BTreeMap<u32, Vec<u8>>,
    failing: bool,
}

impl MemoryFiles {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The machine loses power: of what was appended after the last sync a part survives, chosen by
    /// `seed`, and its last byte may be wrong.
    pub fn crash(&self, seed: u64) {
        let mut inner = self.lock();
        let durable = inner.durable.clone();
        let live = std::mem::take(&mut inner.live);
        for (file, bytes) in live {
            let mut kept = durable.get(&file).cloned().unwrap_or_default();
            if bytes.len() > kept.len() {
                let unsynced = bytes.len() - kept.len();
                let survives = usize::try_from(seed % (unsynced as u64 + 1)).unwrap_or(0);
                let start = kept.len();
                kept.extend_from_slice(&bytes[start..start + survives]);
                if survives > 0 && seed & 1 == 1 {
                    let last = kept.len() - 1;
                    kept[last] ^= 0xff;
                }
            }
            inner.live.insert(file, kept);
        }
        inner.durable = inner.live.clone();
        inner.failing = false;
    }

    /// From now on writing fails, or works again.
    pub fn set_failing(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// Changes a stored byte behind everybody's back.
    pub fn damage(&self, file: u32, position: usize) {
        let mut inner = self.lock();
        if let Some(byte) = inner.live.get_mut(&file).and_then(|bytes| bytes.get_mut(position)) {
            *byte ^= 0xff;
        }
    }

    fn lock(&self) -> MutexGuard<'_, MemoryInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SegmentFiles for MemoryFiles {
    fn list(&self) -> io::Result<Vec<u32>> {
        Ok(self.lock().live.keys().copied().collect())
    }

    fn len(&self, file: u32) -> io::Result<u64> {
        Ok(self.lock().live.get(&file).map_or(0, |bytes| bytes.len() as u64))
    }

    fn write_at(&self, file: u32, position: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.lock();
        if inner.failing {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let content = inner.live.entry(file).or_default();
        let start = usize::try_from(position).map_err(io::Error::other)?;
        content.resize(content.len().max(start + bytes.len()), 0);
        content[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, file: u32) -> io::Result<()> {
        let mut inner = self.lock();
        let content = inner.live.get(&file).cloned().unwrap_or_default();
        inner.durable.insert(file, content);
        Ok(())
    }

    fn read_at(&self, file: u32, position: u64, len: usize) -> io::Result<Vec<u8>> {
        let inner = self.lock();
        let start = usize::try_from(position).map_err(io::Error::other)?;
        let content = inner.live.get(&file).and_then(|bytes| bytes.get(start..start + len));
        content.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn remove(&self, file: u32) -> io::Result<()> {
        let mut inner = self.lock();
        inner.live.remove(&file);
        inner.durable.remove(&file);
        Ok(())
    }

    fn truncate(&self, file: u32, len: u64) -> io::Result<()> {
        let mut inner = self.lock();
        let len = usize::try_from(len).map_err(io::Error::other)?;
        if let Some(content) = inner.live.get_mut(&file) {
            content.truncate(len);
            let content = content.clone();
            inner.durable.insert(file, content);
        }
        Ok(())
    }
}
