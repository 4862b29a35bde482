//! Calls other programs, showing their output while keeping it.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
};

/// The repository's root.
///
/// # Panics
/// Never: this crate lies in a folder of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate has a parent folder").into()
}

/// What a program printed, and whether it ended well.
pub(crate) struct Run {
    pub(crate) ended_well: bool,
    pub(crate) output: String,
}

/// Runs a command line, passing its output through.
pub(crate) fn run(line: &str) -> Run {
    println!("$ {line}");
    let mut words = line.split_whitespace();
    let spawned = Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            println!("cannot start it: {error}");
            return Run { ended_well: false, output: String::new() };
        }
    };
    let pipes = (child.stdout.take(), child.stderr.take());
    let stdout = thread::spawn(move || pipes.0.map(pass_through).unwrap_or_default());
    let stderr = pipes.1.map(pass_through).unwrap_or_default();
    let stdout = stdout.join().unwrap_or_default();
    let ended_well = child.wait().is_ok_and(|status| status.success());
    Run { ended_well, output: stdout + &stderr }
}

/// Prints lines as they come and returns them all.
fn pass_through(pipe: impl Read) -> String {
    let mut all = String::new();
    let mut lines = BufReader::new(pipe);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        all.push_str(&text);
        line.clear();
    }
    all
}

/// Runs a command line and keeps what it prints on standard output; the rest passes through.
pub(crate) fn run_quietly(line: &str) -> Run {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    match command.args(words).stdin(Stdio::null()).stderr(Stdio::inherit()).output() {
        Ok(output) => Run {
            ended_well: output.status.success(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
        },
        Err(error) => Run { ended_well: false, output: error.to_string() },
    }
}

/// Whether a command line ends well: for subcommands of a program that is surely there.
pub(crate) fn has(line: &str) -> bool {
    status(line).is_ok_and(|status| status.success())
}

/// Whether a program can be started; some end badly even when asked for help.
pub(crate) fn starts(line: &str) -> bool {
    status(line).is_ok()
}

fn status(line: &str) -> io::Result<ExitStatus> {
    let mut words = line.split_whitespace();
    Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
}

/// The first thirteen digits of the commit's hash as a number: each commit explores other seeds, and
/// anybody who has the commit can repeat them.
pub(crate) fn commit_seed() -> Option<u64> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let hash = String::from_utf8(output.stdout).ok()?;
    // 52 bits, which also a JSON number carries exactly.
    u64::from_str_radix(hash.get(..13)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mosquitto_pub --help` ends with 1 though it is there.
    #[test]
    fn a_program_that_ends_badly_is_there_and_one_that_is_missing_is_not() {
        assert!(starts("false"));
        assert!(!has("false"));
        assert!(has("true"));
        assert!(!starts("no-program-of-this-name --help"));
    }
}
