//! What processes use, as Linux tells it.

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path, time::Duration};

use anyhow::{Context as _, Result};

/// Clock ticks a second in `/proc`; Linux has it fixed for programs.
const TICKS_PER_S: u64 = 100;
/// Length of a block in `stat`, bytes, whatever the file system uses.
const STAT_BLOCK_BYTES: u64 = 512;

/// CPU time of a process so far, in user and system mode, all threads.
pub(crate) fn cpu(process: &str) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name in parentheses may hold anything; the fields after it are numbers.
    let fields: Vec<&str> = text
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let tick = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let ticks = tick(11).zip(tick(12)).map(|(user, system)| user + system);
    let ticks = ticks.with_context(|| format!("{path} has another form"))?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

/// Memory that a process holds, bytes.
pub(crate) fn memory(process: &str) -> Result<u64> {
    kilobytes(process, "status", "VmRSS:")
}

/// Its own part of what it holds: pages of the program, which the peers of one machine share, are counted
/// in parts; bytes.
pub(crate) fn own_memory(process: &str) -> Result<u64> {
    kilobytes(process, "smaps_rollup", "Pss:")
}

/// A line of a file of the kernel about a process, in bytes.
fn kilobytes(process: &str, file: &str, name: &str) -> Result<u64> {
    let path = format!("/proc/{process}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).with_context(|| format!("{path} has another form"))
}

/// What files occupy on the disk, bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Disk {
    /// For good: final blocks, state and indexes.
    pub(crate) lasting: u64,
    /// For a while, up to a bound however much is written: the store's journal, and the proposals
    /// that the engine keeps for peers that lag.
    pub(crate) passing: u64,
}

impl Disk {
    /// Adds what is below a folder.
    pub(crate) fn add(&mut self, folder: &Path) -> Result<()> {
        self.walk(folder, false).with_context(|| format!("cannot list {}", folder.display()))
    }

    fn walk(&mut self, folder: &Path, passing: bool) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let passing = passing || name.ends_with(".jnl") || name.contains("-marshal-cache-");
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => self.walk(&entry.path(), passing)?,
                Ok(meta) if passing => self.passing += meta.blocks() * STAT_BLOCK_BYTES,
                Ok(meta) => self.lasting += meta.blocks() * STAT_BLOCK_BYTES,
                // Files come and go while a peer runs.
                Err(_) => {}
            }
        }
        Ok(())
    }
}
