//! Run peers and gateways as child processes that end with this one.

use std::{
    ffi::OsString,
    fs::File,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::report::failed;

/// How long a child may take to end by itself before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// How many lines of a child's log are shown when it ended unexpectedly.
const LOG_LINES_SHOWN: usize = 8;
/// The signal that cannot be caught.
const SIGKILL: i32 = 9;
/// How much of the end of a log is read for that, bytes.
const LOG_BYTES_READ: u64 = 8 * 1024;

/// A child process that runs this program with other arguments.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    /// Open as long as the child shall run; the child ends when it closes, so also when this
    /// process is killed.
    lifeline: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts `arguments` of this program with `--exit-with-parent`; what the child logs goes to a
    /// file.
    pub(crate) fn start(name: &str, arguments: &[OsString], log: PathBuf) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Command::new(&program)
            .args(arguments)
            .arg("--exit-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(file)
            // A group of its own, so that Ctrl-C reaches this process alone, which then ends its
            // children in good order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let lifeline = child.stdin.take();
        Ok(Self { name: name.to_owned(), child, lifeline, log })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An error with the end of its log if it has ended, though nobody asked it to.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait().context("cannot watch a child process")? {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has ended, for whatever reason.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it failed, if it has ended: that somebody killed it, or asked it to end, is no fault
    /// of its own.
    pub(crate) fn failure(&mut self) -> Option<bool> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(!status.success() && status.signal() != Some(SIGKILL)),
            Err(_) => Some(true),
        }
    }

    /// Memory that it holds, bytes; `None` where the system does not tell.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        memory_bytes(&self.child.id()?.to_string())
    }

    /// Ends it by the signal that cannot be caught, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    fn ask_to_stop(&mut self) {
        self.lifeline = None;
    }

    async fn stopped(&mut self) -> anyhow::Result<()> {
        let status = match timeout(STOP_PATIENCE, self.child.wait()).await {
            Ok(status) => status.with_context(|| format!("cannot wait for {}", self.name))?,
            Err(_) => {
                self.kill().await?;
                anyhow::bail!("{} did not end within {STOP_PATIENCE:?} and was killed", self.name);
            }
        };
        if status.success() { Ok(()) } else { Err(self.ended(status)) }
    }

    fn ended(&self, status: ExitStatus) -> anyhow::Error {
        let end = log_end(&self.log).unwrap_or_default();
        let log = self.log.display();
        failed(
            format!("{} ended with {status}; the end of its log:\n{end}", self.name),
            format!("read {log}"),
        )
    }
}

/// Ends all that still run, in good order: asks every one first, then waits for each.
pub(crate) async fn stop_all(processes: &mut [Process]) -> anyhow::Result<()> {
    let mut running: Vec<&mut Process> = processes.iter_mut().collect();
    running.retain_mut(|process| !process.has_ended());
    running.iter_mut().for_each(|process| process.ask_to_stop());
    let mut first_error = Ok(());
    for process in running {
        let stopped = process.stopped().await;
        first_error = first_error.and(stopped);
    }
    first_error
}

/// Memory that this process holds, bytes.
pub(crate) fn own_memory_bytes() -> Option<u64> {
    memory_bytes("self")
}

/// The resident set of a process, as Linux tells it.
fn memory_bytes(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn log_end(path: &Path) -> std::io::Result<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(LOG_BYTES_READ)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_READ).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
    Ok(shown.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"))
}
