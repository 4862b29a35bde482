//! Passphrases and the keys they open.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use althing_client::key_file::{self, PASSPHRASE_VARIABLE, Protection, StoredKey};
use anyhow::Context as _;
use clap::Args;
use zeroize::Zeroizing;

use crate::report::{NextStep as _, failed};

/// Longest passphrase file read, bytes.
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// Where the passphrase of a key file comes from.
#[derive(Debug, Clone, Args)]
pub(crate) struct PassphraseArgs {
    /// File whose first line is the passphrase of the key file. Without it: the environment
    /// variable ALTHING_PASSPHRASE, or the terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Opens a key file, asking for its passphrase if it needs one.
pub(crate) fn open(path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<StoredKey> {
    let wrong = || "althing key new FILE makes a key file; --key names one".to_owned();
    let encrypted = key_file::needs_passphrase(path).next_step(wrong)?;
    let passphrase = if encrypted { Some(existing(path, passphrase_file)?) } else { None };
    key_file::read(path, passphrase.as_deref().map(String::as_str)).next_step(wrong)
}

/// How new key files are to be protected.
#[derive(Debug, Clone, Args)]
pub(crate) struct ProtectionArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,

    /// Do not encrypt the keys: only for networks on one machine that are thrown away.
    #[arg(long, conflicts_with = "passphrase_file")]
    insecure_keys: bool,
}

/// A passphrase for new key files, or the decision to have none.
pub(crate) enum NewProtection {
    /// Encrypted under it.
    Passphrase(Zeroizing<String>),
    /// Not encrypted.
    Insecure,
}

impl ProtectionArgs {
    /// As if typed.
    pub(crate) fn new(passphrase_file: Option<&Path>, insecure_keys: bool) -> Self {
        let passphrase = PassphraseArgs { passphrase_file: passphrase_file.map(Path::to_owned) };
        Self { passphrase, insecure_keys }
    }

    /// Finds the passphrase, or asks for it twice.
    pub(crate) fn choose(&self) -> anyhow::Result<NewProtection> {
        if self.insecure_keys {
            return Ok(NewProtection::Insecure);
        }
        let given = match given(self.passphrase.passphrase_file.as_deref())? {
            Some(passphrase) => passphrase,
            None => {
                let first = ask("New passphrase for the key files: ")?;
                if *ask("The same again: ")? != *first {
                    return Err(failed("the two passphrases differ", "try again"));
                }
                first
            }
        };
        if given.is_empty() {
            return Err(failed("the passphrase is empty", "choose one, or use --insecure-keys"));
        }
        Ok(NewProtection::Passphrase(given))
    }
}

impl NewProtection {
    /// As the key file wants it.
    pub(crate) fn as_protection(&self) -> Protection<'_> {
        match self {
            Self::Passphrase(passphrase) => Protection::Passphrase(passphrase),
            Self::Insecure => Protection::None,
        }
    }

    /// Whether each file takes a noticeable time to write.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Passphrase(_))
    }
}

fn existing(path: &Path, file: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    match given(file)? {
        Some(passphrase) => Ok(passphrase),
        None => ask(&format!("Passphrase of {}: ", path.display())),
    }
}

/// The passphrase from the file or the environment, if either has one.
fn given(file: Option<&Path>) -> anyhow::Result<Option<Zeroizing<String>>> {
    let Some(path) = file else { return Ok(key_file::passphrase_from_env()) };
    let name = path.display();
    let opened = std::fs::File::open(path);
    let mut text = Zeroizing::new(String::new());
    opened
        .and_then(|file| file.take(PASSPHRASE_BYTES_MAX).read_to_string(&mut text))
        .with_context(|| format!("cannot read the passphrase file {name}"))?;
    Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())))
}

/// Asks on the terminal, without showing what is typed.
fn ask(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(failed(
            "a passphrase is needed and there is no terminal to ask on",
            format!("give --passphrase-file FILE or set {PASSPHRASE_VARIABLE}"),
        ));
    }
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let hidden = Hidden::begin();
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line).context("cannot read from the terminal")?;
    drop(hidden);
    eprintln!();
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The terminal does not echo while this lives.
struct Hidden;

impl Hidden {
    fn begin() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

/// Where there is no `stty`, what is typed is visible; that is no reason to fail.
fn stty(setting: &str) {
    let _ = Command::new("stty").arg(setting).stdin(Stdio::inherit()).status();
}
